"""Record the scores of benchmarks: the tables that ship with Ratecard, what they publish now, or a file."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_date, parse_datetime

from pricing.benchmarks import UnreadableBody, benchmarks, read_scores, read_table
from pricing.quality import Recorded, Unmapped, load_bundled, record, unmapped
from pricing.refreshing_quality import FAILED, Outcome, fetched_benchmarks, refresh


class Command(BaseCommand):
    help = "Record benchmark scores: the bundled tables, --live ones, or a --file. Twice changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--benchmark",
            action="append",
            choices=sorted(benchmarks()),
            help="only this benchmark; may be given several times (default: all)",
        )
        parser.add_argument("--file", type=Path, help="a table as the benchmark publishes it; .gz is unpacked")
        parser.add_argument("--bundled", action="store_true", help="the tables that ship with Ratecard (default)")
        parser.add_argument("--live", action="store_true", help="fetch what the benchmarks publish now")
        parser.add_argument(
            "--unmapped",
            action="store_true",
            help="write nothing; list the names without a model, the best first",
        )
        parser.add_argument("--observed-at", help="the day of the table, such as 2026-10-20; needed with --file")
        parser.add_argument("--dry-run", action="store_true", help="say what would change and write nothing")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if sum(map(bool, (options["file"], options["bundled"], options["live"], options["unmapped"]))) > 1:
            raise CommandError("Choose one of --file, --bundled, --live and --unmapped.", returncode=2)
        if options["unmapped"]:
            self._list_unmapped(options)
        elif options["live"]:
            self._fetch(options)
        else:
            self._record(options)

    def _record(self, options: dict[str, Any]) -> None:
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

    def _fetch(self, options: dict[str, Any]) -> None:
        dry_run, outcomes = options["dry_run"], []
        for slug in options["benchmark"] or fetched_benchmarks():
            outcomes.append(refresh(slug, dry_run=dry_run))
            if not options["json"]:
                self.stdout.write(_look_as_text(outcomes[-1], dry_run=dry_run))
        if options["json"]:
            answer = {"dry_run": dry_run, "looks": [_look_as_json(outcome) for outcome in outcomes]}
            self.stdout.write(json.dumps(answer, ensure_ascii=False, indent=1))
        if any(outcome.status == FAILED for outcome in outcomes):
            raise SystemExit(1)

    def _list_unmapped(self, options: dict[str, Any]) -> None:
        found = {slug: unmapped(slug) for slug in options["benchmark"] or benchmarks()}
        if options["json"]:
            answer = {slug: [_unmapped_as_json(name) for name in names] for slug, names in found.items()}
            self.stdout.write(json.dumps({"unmapped": answer}, ensure_ascii=False, indent=1))
            return
        for slug, names in found.items():
            module = benchmarks()[slug]
            decided = sum(bool(name.decided) for name in names)
            self.stdout.write(
                f"{module.NAME}: {len(names):,} names without a model, {decided:,} of them looked for in vain, "
                f"{len(names) - decided:,} without a usable line in pricing/data/{module.MAP}."
            )
            for name in names:
                rank = f"{name.rank:>4}. {name.value.normalize():f}{'' if name.n is None else f' ({name.n:,})'}"
                self.stdout.write(f"  {rank}  {name.display_name} ({name.raw_name}): {name.reason}")

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


def _look_as_json(look: Outcome) -> dict[str, Any]:
    return {
        "benchmark": look.benchmark,
        "status": look.status,
        "asked_at": look.asked_at.isoformat(),
        "failure": look.failure,
        "error": look.error,
        "retry_at": look.retry_at.isoformat() if look.retry_at else None,
        "recorded": _as_json(look.recorded) if look.recorded else None,
    }


def _look_as_text(look: Outcome, *, dry_run: bool) -> str:
    if look.recorded is not None:
        return _as_text(look.recorded, dry_run=dry_run)
    failure = f" ({look.failure})" if look.failure else ""
    return f"{benchmarks()[look.benchmark].NAME}: {look.status}{failure}. {look.error}".rstrip()


def _unmapped_as_json(name: Unmapped) -> dict[str, Any]:
    return {
        "rank": name.rank,
        "raw_name": name.raw_name,
        "display_name": name.display_name,
        "value": f"{name.value.normalize():f}",
        "n": name.n,
        "decided": name.decided,
        "reason": name.reason,
    }


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
