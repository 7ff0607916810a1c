from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dashboards import access, audit


class Command(BaseCommand):
    """The way back in for who lost a password, and the way in for somebody new."""

    help = "Prints a one-time sign-in link for a person, valid 24 hours; makes the person if new."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="")
        parser.add_argument("--admin", action="store_true", help="a new person administers the instance")
        parser.add_argument("--base-url", default=getattr(settings, "BASE_URL", "http://127.0.0.1:8000"))

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            person = access.person_of(options["email"], options["name"], is_instance_admin=options["admin"])
        except ValueError as error:
            raise CommandError(str(error), returncode=2) from None
        audit.record(None, "gave out a sign-in link", person.email, after={"instance admin": person.is_instance_admin})
        self.stdout.write(access.sign_in_link(person, options["base_url"]))
