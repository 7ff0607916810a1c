from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dashboards import access, audit
from dashboards.models import Role


class Command(BaseCommand):
    """Exit 0 with the secret on standard output; 2 for bad input, with a sentence."""

    help = "Makes an access token for the API and prints its secret, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what will use the token")
        parser.add_argument("--role", required=True, choices=Role.values)
        parser.add_argument("--organisation", help="its slug; default: the only one")
        parser.add_argument("--catalogue-only", action="store_true", help="prices only, no organisation")
        parser.add_argument("--scope", action="append", default=[], choices=list(access.SCOPES), help="may be repeated")
        parser.add_argument("--days", type=int, help="how long it lives; default: until revoked")

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["days"]
        if days is not None and days < 1:
            raise CommandError("--days must be at least 1.", returncode=2)
        organisation = None if options["catalogue_only"] else self.organisation(options["organisation"])
        token, secret = access.create_token(
            options["name"],
            options["role"],
            organisation=organisation,
            scopes=options["scope"],
            expires_at=datetime.now(UTC) + timedelta(days=days) if days else None,
        )
        made = {"role": token.role, "may": token.scopes, "expires_at": token.expires_at}
        audit.record(None, "created a token", token, after=made, organisation=organisation)
        self.stdout.write(secret)
        reach = organisation or "the catalogue only"
        self.stderr.write(f"{token.name}: {token.role} of {reach}. It is not shown again.")

    def organisation(self, slug: str | None) -> Any:
        from usage.models import Organisation

        if slug:
            found = Organisation.objects.filter(slug=slug).first()
            if found is None:
                raise CommandError(f"There is no organisation {slug}.", returncode=2)
            return found
        some = list(Organisation.objects.order_by("pk")[:2])
        if len(some) > 1:
            raise CommandError("There are several organisations: say which with --organisation.", returncode=2)
        return some[0] if some else None
