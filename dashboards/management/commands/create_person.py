from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from dashboards import access, audit
from dashboards.models import Role
from usage import organisations


class Command(BaseCommand):
    """Exit 0 with the link on standard output; 2 for bad input, with a sentence."""

    help = "Makes a person, gives a role where one is asked for, and prints a one-time sign-in link, valid 24 hours."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="")
        parser.add_argument("--instance-admin", action="store_true", help="administers people and the catalogue")
        parser.add_argument("--organisation", help="the slug of the organisation; default with --role: the only one")
        parser.add_argument("--role", choices=Role.values, help="in the organisation")
        parser.add_argument("--base-url", default=settings.BASE_URL)

    def handle(self, *args: Any, **options: Any) -> None:
        role = options["role"]
        if options["organisation"] and not role:
            raise CommandError("Say which role in the organisation: --role viewer, member or admin.", returncode=2)
        try:
            organisation = organisations.chosen(options["organisation"]) if role else None
            with transaction.atomic():
                person = access.person_of(options["email"], options["name"])
                if options["instance_admin"]:
                    access.set_instance_admin(person, True)
                made: dict[str, bool | str] = {"instance admin": person.is_instance_admin}
                if organisation is not None:
                    membership = access.grant_at_least(person, role, organisation)
                    made |= {"role": membership.role}
                audit.record(None, "made a person", person.email, after=made, organisation=organisation)
        except ValueError as error:
            raise CommandError(str(error), returncode=2) from None
        self.stdout.write(access.sign_in_link(person, options["base_url"]))
