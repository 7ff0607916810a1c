"""Read price sources into the catalogue."""

from __future__ import annotations

import gzip
import json
import zlib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pricing import catalog
from pricing.answers import BadQuestion, moment
from pricing.answers.wording import moment_text
from pricing.models import SourceRun
from pricing.sources import SourceError, all_sources


class Command(BaseCommand):
    """Exit 0 when read, also when nothing changed; 1 when a source could not be read; 2 for bad input."""

    help = (
        "Read price sources into the catalogue: the releases of the installed packages, or one --file as it was seen "
        "at --observed-at. Twice changes nothing. Vendors' pages and APIs are not fetched over the network yet."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--source", action="append", choices=sorted(all_sources()), help="only this source; may be given again"
        )
        parser.add_argument("--file", type=Path, help="a body as the source publishes it; .gz is unpacked")
        parser.add_argument("--observed-at", help="when the file was fetched: date (00:00 UTC) or time with its zone")
        parser.add_argument("--dry-run", action="store_true", help="say what would change and write nothing")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        outcomes = self._replay(options) if options["file"] else self._reread(options)
        if options["json"]:
            answer = {"dry_run": options["dry_run"], "runs": [_as_json(outcome) for outcome in outcomes]}
            self.stdout.write(json.dumps(answer, ensure_ascii=False, indent=1))
        else:
            for outcome in outcomes:
                self.stdout.write(_as_text(outcome, dry_run=options["dry_run"]))
        if failed := [outcome for outcome in outcomes if outcome.status == SourceRun.Status.FAILED]:
            raise CommandError("; ".join(outcome.error for outcome in failed), returncode=1)

    def _reread(self, options: dict[str, Any]) -> list[catalog.Outcome]:
        if options["observed_at"]:
            raise CommandError("--observed-at is when a --file was fetched: name the file.", returncode=2)
        outcomes = []
        for slug in options["source"] or sorted(all_sources()):
            source: Any = all_sources()[slug]
            if not hasattr(source, "bundled"):
                if options["source"]:
                    raise CommandError(f"{slug} ships with no package: give its body as --file.", returncode=2)
                continue
            bundle = source.bundled()
            outcomes.append(
                catalog.record(
                    slug,
                    bundle.body,
                    observed_at=bundle.observed_at,
                    version=bundle.version,
                    dry_run=options["dry_run"],
                )
            )
        return outcomes

    def _replay(self, options: dict[str, Any]) -> list[catalog.Outcome]:
        path: Path = options["file"]
        slugs = options["source"] or []
        if len(slugs) != 1:
            raise CommandError("A file is of one source: name it with --source.", returncode=2)
        if not options["observed_at"]:
            raise CommandError(
                "A file does not say when it was seen: add --observed-at 2026-10-26T18:46:35Z.", returncode=2
            )
        try:
            observed_at = moment(options["observed_at"], "--observed-at")
            body = path.read_bytes()
            if path.suffix == ".gz":
                body = gzip.decompress(body)
            return [catalog.record(slugs[0], body, observed_at=observed_at, dry_run=options["dry_run"])]
        except (gzip.BadGzipFile, zlib.error, EOFError):
            raise CommandError(f"{path} is not a whole gzip file: fetch it again.", returncode=2) from None
        except OSError as fault:
            raise CommandError(f"{path} cannot be read: {fault.strerror}.", returncode=2) from None
        except (BadQuestion, SourceError) as fault:
            raise CommandError(str(fault), returncode=2) from None


def _as_json(outcome: catalog.Outcome) -> dict[str, Any]:
    return {**outcome.as_json(), "status": str(outcome.status), "observed_at": moment_text(outcome.observed_at)}


def _as_text(outcome: catalog.Outcome, *, dry_run: bool) -> str:
    if outcome.status == SourceRun.Status.FAILED:
        return f"{outcome.source}: could not be read. {outcome.error}"
    lines = [
        f"{outcome.source} of {outcome.observed_at:%Y-%m-%d}: {outcome.status}. {outcome.claims:,} prices stated for "
        f"{outcome.offerings:,} offerings.",
        f"  {'Would be: ' if dry_run else ''}{outcome.added:,} claims new, {outcome.withdrawn:,} withdrawn, "
        f"{outcome.prices:,} accepted prices written.",
    ]
    if outcome.unplaced:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(outcome.unplaced.items()))
        lines.append(f"  No column takes: {kinds}.")
    return "\n".join(lines)
