"""Which prices changed in a time range."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pricing.answers import BadQuestion, moment
from pricing.answers.changes import BY, Window, changes


class Command(BaseCommand):
    """Exit 0 when answered, also with no change; 2 for a question that makes no sense."""

    help = "Price changes of a time range [from, until), held ones included."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="start", help="date (00:00 UTC) or time with its zone; default: the first")
        parser.add_argument("--until", help="the same, not included; default: open")
        parser.add_argument(
            "--by",
            choices=BY,
            default="observed",
            help="which time counts: when a source first showed it (observed, the default), when it took effect "
            "(effective), or when this database learned it (recorded)",
        )
        parser.add_argument("--source", help="only what this source showed, such as model_prices")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            start = moment(options["start"], "--from") if options["start"] else None
            until = moment(options["until"], "--until") if options["until"] else None
            found = changes(Window(start, until, options["by"], options["source"]))
        except BadQuestion as fault:
            raise CommandError(str(fault), returncode=2) from None
        if options["json"]:
            self.stdout.write(json.dumps({"changes": found}, ensure_ascii=False, indent=1))
            return
        for change in found:
            self.stdout.write(_line(change))
        self.stdout.write(f"{len(found):,} changes.")


def _line(change: dict[str, Any]) -> str:
    of = [change["unit"], "" if change["service_tier"] == "standard" else change["service_tier"], change["schedule"]]
    if change["context_from"]:
        of.append(f"from {change['context_from']:,} tokens")
    held = " HELD" if change["status"] == "held" else ""
    return (
        f"{change['effective_from'][:10]} {change['kind']:<10}{held} {change['provider']} {change['sku']} "
        f"{' '.join(filter(None, of))}: {change['old'] or 'none'} → {change['new'] or 'none'} {change['currency']} "
        f"per {change['per']:,} ({change['source']}, shown {change['observed_at'][:10]})"
    )
