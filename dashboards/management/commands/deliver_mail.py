"""`deliver_mail`: what the task does every minute, by hand: hand over the mail that waits."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from dashboards import outbox


class Command(BaseCommand):
    help = "Hands the mail that waits to the mail server and settles what dead workers left."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.SENDS_MAIL:
            raise CommandError("No mail server is set: set RATECARD_EMAIL_URL.", returncode=2)
        ended = outbox.deliver_due()
        words = ", ".join(f"{count} {state}" for state, count in ended.items()) or "Nothing waited"
        self.stdout.write(json.dumps(ended) if options["json"] else f"{words}.")
