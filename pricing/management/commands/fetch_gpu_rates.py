"""Record what renting GPUs costs: the table that ships with Ratecard, or one's own."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pricing.gpu_rates import TABLE, UnreadableRates, parse, record


class Command(BaseCommand):
    help = "Record GPU rental rates: the bundled table, or a CSV with --file. Twice changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--file", type=Path, help="CSV with host, gpu, usd_per_hour, observed_on")
        parser.add_argument("--dry-run", action="store_true", help="say what would change and write nothing")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"] or TABLE
        try:
            facts = parse(path.read_bytes())
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.", returncode=2) from None
        except UnreadableRates as error:
            raise CommandError(f"{path}: {error}", returncode=2) from None
        recorded = record(facts, dry_run=options["dry_run"])
        if options["json"]:
            self.stdout.write(json.dumps({"dry_run": options["dry_run"], **asdict(recorded)}))
            return
        self.stdout.write(
            f"{recorded.rates} rates. {'Would be: ' if options['dry_run'] else ''}{recorded.inserted} new, "
            f"{recorded.updated} corrected, {recorded.unchanged} unchanged."
        )
