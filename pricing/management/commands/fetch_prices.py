"""Read price sources into the catalogue."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pricing import catalog, refreshing
from pricing.answers import BadQuestion, moment
from pricing.answers.wording import moment_text
from pricing.failures import SourceFailure
from pricing.fetching import unpacked
from pricing.models import SourceRun
from pricing.sources import SourceError, all_sources

MOST = 256 << 20
"""Bytes of a file, as it is and unpacked."""

_BAD = (SourceRun.Status.FAILED, SourceRun.Status.HELD)


class Command(BaseCommand):
    """Exit 0 when read, also when nothing changed or a source was skipped; 1 when one failed or is held; 2 for bad
    input."""

    help = (
        "Fetch the price sources and read them into the catalogue; or one --file as it was seen at --observed-at; or "
        "the releases of the installed packages with --bundled. Twice changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--source", action="append", choices=sorted(all_sources()), help="only this source; may be given again"
        )
        parser.add_argument("--file", type=Path, help="a body as the source publishes it; .gz is unpacked")
        parser.add_argument("--observed-at", help="when the file was fetched: date (00:00 UTC) or time with its zone")
        parser.add_argument(
            "--bundled", action="store_true", help="the releases of the installed packages, without a network"
        )
        parser.add_argument(
            "--accept-held", action="store_true", help="take in the held bodies as they were fetched; fetches nothing"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would change and write nothing")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        outcomes = []
        for outcome in self._outcomes(options):
            outcomes.append(outcome)
            if not options["json"]:
                self.stdout.write(_as_text(outcome, dry_run=options["dry_run"]))
        if options["json"]:
            answer = {"dry_run": options["dry_run"], "runs": [_as_json(outcome) for outcome in outcomes]}
            self.stdout.write(json.dumps(answer, ensure_ascii=False, indent=1))
        if bad := [outcome for outcome in outcomes if outcome.status in _BAD]:
            names = ", ".join(f"{outcome.source} ({outcome.failure})" for outcome in bad)
            raise CommandError(f"{len(bad)} of {len(outcomes)} sources were not taken in: {names}.", returncode=1)

    def _outcomes(self, options: dict[str, Any]) -> Iterable[catalog.Outcome]:
        ways = [name for name in ("file", "bundled", "accept_held") if options[name]]
        if len(ways) > 1:
            named = " and ".join(f"--{name.replace('_', '-')}" for name in ways)
            raise CommandError(f"{named} exclude each other.", returncode=2)
        if options["observed_at"] and not options["file"]:
            raise CommandError("--observed-at is when a --file was fetched: name the file.", returncode=2)
        if options["file"]:
            return self._replay(options)
        slugs = options["source"] or sorted(all_sources())
        if options["bundled"]:
            return self._reread(slugs, named=bool(options["source"]), dry_run=options["dry_run"])
        if options["accept_held"]:
            return self._accept(slugs, dry_run=options["dry_run"])
        return refreshing.refresh_all(slugs, dry_run=options["dry_run"])

    def _accept(self, slugs: list[str], *, dry_run: bool) -> list[catalog.Outcome]:
        outcomes = [catalog.accept_held(slug, dry_run=dry_run) for slug in slugs]
        if not any(outcomes):
            self.stderr.write("No body is held.")
        return [outcome for outcome in outcomes if outcome is not None]

    def _reread(self, slugs: list[str], *, named: bool, dry_run: bool) -> list[catalog.Outcome]:
        outcomes = []
        for slug in slugs:
            source: Any = all_sources()[slug]
            if not hasattr(source, "bundled"):
                if named:
                    raise CommandError(f"{slug} ships with no package: fetch it, or give its --file.", returncode=2)
                continue
            bundle = source.bundled()
            outcomes.append(
                catalog.record(
                    slug, bundle.body, observed_at=bundle.observed_at, version=bundle.version, dry_run=dry_run
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
            return [catalog.record(slugs[0], _body(path), observed_at=observed_at, dry_run=options["dry_run"])]
        except OSError as fault:
            raise CommandError(f"{path} cannot be read: {fault.strerror}.", returncode=2) from None
        except (BadQuestion, SourceError) as fault:
            raise CommandError(str(fault), returncode=2) from None


def _body(path: Path) -> bytes:
    """The bytes of a file, unpacked where it is gzip; a sentence where it is too large or not whole."""
    with path.open("rb") as file:
        body = file.read(MOST + 1)
    if len(body) > MOST:
        raise CommandError(f"{path} is larger than {MOST:,} bytes, more than any price list.", returncode=2)
    if not (path.suffix == ".gz" or body.startswith(b"\x1f\x8b")):
        return body
    try:
        return unpacked(iter([body]), MOST, str(path))
    except SourceFailure as fault:
        raise CommandError(f"{path} is not a usable gzip file: {fault}", returncode=2) from None


def _as_json(outcome: catalog.Outcome) -> dict[str, Any]:
    return {
        **outcome.as_json(),
        "status": str(outcome.status),
        "observed_at": moment_text(outcome.observed_at),
        "retry_at": moment_text(outcome.retry_at) if outcome.retry_at else None,
    }


def _as_text(outcome: catalog.Outcome, *, dry_run: bool) -> str:
    if outcome.status == refreshing.SKIPPED:
        return f"{outcome.source}: skipped. {outcome.error}"
    if outcome.status in _BAD:
        again = f" Fetched again from {outcome.retry_at:%Y-%m-%d %H:%M} UTC." if outcome.retry_at else ""
        if outcome.status == SourceRun.Status.HELD:
            again = f" Take it in with fetch_prices --source {outcome.source} --accept-held.{again}"
        return f"{outcome.source}: {outcome.status} ({outcome.failure}). {outcome.error}{again}"
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
