"""Record the scores of benchmarks: the tables that ship with Ratecard, or one given as a file."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_date, parse_datetime

from pricing.benchmarks import UnreadableBody, benchmarks, read_scores, read_table
from pricing.quality import Recorded, load_bundled, record


class Command(BaseCommand):
    help = "Record benchmark scores: the bundled tables, or --file with --observed-at. Twice changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--benchmark",
            action="append",
            choices=sorted(benchmarks()),
            help="only this benchmark; may be given several times (default: all)",
        )
        parser.add_argument("--file", type=Path, help="a table as the benchmark publishes it; .gz is unpacked")
        parser.add_argument("--observed-at", help="the day of the table, such as 2026-10-20; needed with --file")
        parser.add_argument("--dry-run", action="store_true", help="say what would change and write nothing")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        dry_run = options["dry_run"]
        if options["file"] is None:
            if options["observed_at"]:
                raise CommandError("--observed-at is the day of a --file: name the file.", returncode=2)
            recorded = load_bundled(options["benchmark"], dry_run=dry_run)
        else:
            recorded = (self._record_file(options),)
        if options["json"]:
            answer = {"dry_run": dry_run, "benchmarks": [_as_json(table) for table in recorded]}
            self.stdout.write(json.dumps(answer, ensure_ascii=False, indent=1))
            return
        for table in recorded:
            self.stdout.write(_as_text(table, dry_run=dry_run))

    def _record_file(self, options: dict[str, Any]) -> Recorded:
        slugs = options["benchmark"] or list(benchmarks())
        if len(slugs) != 1:
            raise CommandError("A file holds one benchmark: name it with --benchmark.", returncode=2)
        observed_on = _day(options["observed_at"])
        path: Path = options["file"]
        try:
            facts = read_scores(benchmarks()[slugs[0]], read_table(path))
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.", returncode=2) from None
        except UnreadableBody as error:
            raise CommandError(f"{path}: {error}", returncode=2) from None
        return record(slugs[0], facts, observed_on, dry_run=options["dry_run"])


def _day(text: str | None) -> date:
    """A date, or a moment read as its day in UTC."""
    if not text:
        raise CommandError("A file does not say its day: add --observed-at 2026-10-20.", returncode=2)
    day: date | None = None
    try:
        moment = parse_datetime(text) if len(text) > len("2026-10-20") else None
        day = parse_date(text) if moment is None else moment.date()
        if moment is not None and moment.tzinfo is not None:
            day = moment.astimezone(UTC).date()
    except (ValueError, OverflowError):
        day = None
    if day is None:
        raise CommandError(f"{text!r} is not a date: write it as 2026-10-20.", returncode=2)
    if day > datetime.now(UTC).date():
        raise CommandError(f"{day} is in the future: nothing was observed on it yet.", returncode=2)
    return day


def _as_json(table: Recorded) -> dict[str, Any]:
    return {
        "benchmark": table.benchmark,
        "observed_on": table.observed_on.isoformat(),
        "scores": table.scores,
        "names": table.names,
        "categories": table.categories,
        "inserted": table.inserted,
        "updated": table.updated,
        "unchanged": table.unchanged,
        "absent": table.absent,
        "matched": table.matched,
        "unmatched": [
            {
                "raw_name": name.raw_name,
                "display_name": name.display_name,
                "model": name.model or None,
                "reason": name.reason,
            }
            for name in table.unmatched
        ],
    }


def _as_text(table: Recorded, *, dry_run: bool) -> str:
    module = benchmarks()[table.benchmark]
    lines = [
        f"{module.NAME}, {table.observed_on}: {table.scores:,} scores of {table.names:,} names in "
        f"{table.categories} categories ({module.ATTRIBUTION}).",
        f"{'Would be: ' if dry_run else ''}{table.inserted:,} new, {table.updated:,} corrected, "
        f"{table.unchanged:,} unchanged.",
        f"{table.matched:,} names are a model of the catalogue, {len(table.unmatched):,} are not:",
        *(f"  {name.display_name} ({name.raw_name}): {name.reason}" for name in table.unmatched),
    ]
    if table.absent:
        lines.insert(2, f"{table.absent:,} scores of that day are not in this table; they stay.")
    return "\n".join(lines)
