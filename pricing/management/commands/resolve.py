"""What a reported model name means, and by which rule."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pricing.answers import BadQuestion, moment
from pricing.answers.prices import resolve


class Command(BaseCommand):
    """Exit 0 when answered, also with `unresolved`; 2 for a question that makes no sense."""

    help = "Which offering a reported model name means, by exact id, alias or declared rule; never a guess."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the name as a log or a bill writes it")
        parser.add_argument("--provider", help="who sold it, where the log says")
        parser.add_argument("--at", help="date (00:00 UTC) or time with its zone; default: now")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            at = moment(options["at"], "--at") if options["at"] else None
            answer = resolve(options["name"], options["provider"], at)
        except BadQuestion as fault:
            raise CommandError(str(fault), returncode=2) from None
        if options["json"]:
            self.stdout.write(json.dumps(answer, ensure_ascii=False, indent=1))
        elif answer["status"] == "resolved":
            region = f" in {answer['region']}" if answer["region"] else ""
            maker = f" of {answer['maker']}" if answer["maker"] else ""
            self.stdout.write(
                f"{answer['name']} is {answer['provider']} {answer['sku']}{region}: "
                f"the model {answer['model']}{maker} ({answer['rule']})."
            )
        else:
            self.stdout.write(f"{answer['name']}: {answer['rule']}.")
