"""The one writer of the price catalogue: readings become claims, claims become accepted prices, changes events.

Everything of one reading happens in one transaction under one advisory lock. A refresh writes the difference: new
claims are added, claims no longer made are withdrawn, the offerings they belong to are accepted anew, and rows of
`Price` that the function no longer gives are marked superseded.

A body that was just fetched and reads implausibly beside the last good one is held: its run keeps the bytes and the
reason, and nothing else changes until a person takes it in. Only what was fetched is held. A file that a person gives
with its date, and the release of a package, are their word: they are checked for form, not for plausibility, so the
order in which old files are replayed cannot matter.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version as installed
from typing import Any, cast

import psycopg
from django.db import DataError, IntegrityError, transaction

from pricing import ready
from pricing.catalog.claims import write_claims
from pricing.catalog.locks import lock
from pricing.catalog.prices import accept_offerings
from pricing.catalog.releases import write_releases
from pricing.catalog.rereading import read_anew
from pricing.catalog.runs import ENDED, Vetted, held_run, last_good, write_failure
from pricing.catalog.traits import write_traits
from pricing.failures import SourceFailure
from pricing.fetching import Fetched
from pricing.models import PriceSource, SourceRun
from pricing.sources import Bundle, Source, SourceError, all_sources

__all__ = ["Outcome", "accept_held", "fail", "load_bundled", "recompute", "record"]

_REFUSALS = (DataError, IntegrityError, psycopg.DataError, psycopg.IntegrityError)  # COPY goes past Django's own


@dataclass(frozen=True)
class Outcome:
    """What one reading of one source came to; counts are of claims, offerings and events."""

    source: str
    status: str
    observed_at: datetime
    claims: int = 0
    added: int = 0
    withdrawn: int = 0
    offerings: int = 0
    prices: int = 0
    unplaced: Mapping[str, int] | None = None
    failure: str = ""
    """Which of `pricing.failures.KINDS`; '' where nothing failed."""
    error: str = ""
    retry_at: datetime | None = None
    """When it is fetched again after a failure."""

    def as_json(self) -> dict[str, Any]:
        return {
            **self.__dict__,
            "observed_at": self.observed_at.isoformat(),
            "unplaced": dict(self.unplaced or {}),
            "retry_at": self.retry_at.isoformat() if self.retry_at else None,
        }


def load_bundled() -> list[Outcome]:
    """Read every source that ships as an installed package, and anew what another program read; a release that this
    program has read is left alone."""
    outcomes = []
    with transaction.atomic():
        lock()
        touched: set[int] = set()
        for slug, source in all_sources().items():
            touched |= read_anew(cast(Source, Vetted(source)))
            if hasattr(source, "bundled") and not _has_read(slug, _release(slug)):
                bundle = _bundle(slug)
                run, changed = write_claims(source, bundle.body, bundle.observed_at, bundle.version)
                touched |= changed
                outcomes.append(_outcome(run, 0))
        write_releases()
        write_traits()
        accept_offerings(touched)
    _bundle.cache_clear()
    _forget_names()
    return outcomes


@cache
def _bundle(slug: str) -> Bundle:
    bundle: Bundle = all_sources()[slug].bundled()  # type: ignore[attr-defined]
    return bundle


def read_ahead() -> None:
    """Read the packages' bodies into memory for the next `load_bundled`; needs no database."""
    for slug, source in all_sources().items():
        if hasattr(source, "bundled"):
            _bundle(slug)


def record(
    slug: str, body: bytes, *, observed_at: datetime, version: str = "", dry_run: bool = False,
    answer: Fetched | None = None, accepted: bool = False,
) -> Outcome:  # fmt: skip
    """Take in one body of one source as seen at a moment; the order in which bodies come in does not matter.

    A body that its source cannot have meant leaves the catalogue as it was and the run failed, with the reason.
    `answer` says that it was just fetched: then an implausible reading is held, unless it is `accepted` by a person.
    `dry_run` writes nothing and still tells what would come of it.
    """
    source = all_sources()[slug]
    if observed_at > datetime.now(UTC):
        raise SourceError(f"{observed_at.isoformat()} lies in the future; give the moment at which the body was read.")
    try:
        with transaction.atomic():
            lock()
            judged = answer is not None and not accepted
            vetted = Vetted(source, beside=(lambda: last_good(source, observed_at)) if judged else None)
            corrected = read_anew(cast(Source, Vetted(source)))
            run, touched = write_claims(cast(Source, vetted), body, observed_at, version)
            write_releases()
            write_traits()
            if answer is not None:
                run.fetched_from, run.etag, run.last_modified = answer.url, answer.etag, answer.last_modified
                run.save(update_fields=["fetched_from", "etag", "last_modified"])
            outcome = _outcome(run, accept_offerings(corrected | touched))
            if dry_run:
                transaction.set_rollback(True)
    except SourceFailure as fault:
        held = (body, answer) if answer is not None and fault.kind == "implausible" else None
        outcome = _failed(source, fault, observed_at, version, answer.url if answer else "", held, dry_run=dry_run)
    except UnicodeEncodeError as fault:
        # JSON can write half of a character as an escape, in ASCII; no text holds it, so no encoding writes it.
        half = SourceFailure("not_text", f"The body holds half of a character, {fault.object[fault.start]!a}.")
        outcome = _failed(source, half, observed_at, version, answer.url if answer else "", dry_run=dry_run)
    except _REFUSALS as fault:
        refusal = SourceFailure("amount", f"The database cannot hold what the body says: {str(fault).splitlines()[0]}.")
        outcome = _failed(source, refusal, observed_at, version, answer.url if answer else "", dry_run=dry_run)
    _forget_names()
    return outcome


def fail(slug: str, fault: SourceFailure, *, observed_at: datetime, dry_run: bool = False) -> Outcome:
    """Keep that a source could not be fetched, and why; the catalogue stays as it is."""
    source = all_sources()[slug]
    return _failed(source, fault, observed_at, "", source.FEED, dry_run=dry_run)


def accept_held(slug: str, *, dry_run: bool = False) -> Outcome | None:
    """Take in the body that is held, as of when it was first fetched; None where nothing is held."""
    run = held_run(slug)
    if run is None or run.snapshot is None:
        return None
    answer = Fetched(run.fetched_from, None, run.etag, run.last_modified)
    body = zlib.decompress(run.snapshot.body)
    return record(slug, body, observed_at=run.observed_at, dry_run=dry_run, answer=answer, accepted=True)


def recompute(offering_ids: set[int]) -> int:
    """Accept the offerings anew from the claims and decisions there are; the number of `Price` rows written."""
    with transaction.atomic():
        lock()
        ready.clear()  # no reading and no decision says that something changed
        return accept_offerings(offering_ids)


def _release(slug: str) -> str:
    """The release a bundled source is at, without reading its body."""
    source = all_sources()[slug]
    return source.release() if hasattr(source, "release") else installed(slug.replace("_", "-"))


def _has_read(slug: str, version: str) -> bool:
    return SourceRun.objects.filter(source__slug=slug, version=version, status__in=ENDED).exists()


def _failed(
    source: Source, fault: SourceFailure, observed_at: datetime, version: str, fetched_from: str,
    held: tuple[bytes, Fetched] | None = None, *, dry_run: bool,
) -> Outcome:  # fmt: skip
    status, retry_at = SourceRun.Status.HELD if held else SourceRun.Status.FAILED, None
    if not dry_run:
        with transaction.atomic():
            lock()
            run = write_failure(source, fault, observed_at, version=version, fetched_from=fetched_from, held=held)
        retry_at = run.retry_at
    return Outcome(
        source.SLUG, status, observed_at, failure=fault.kind, error=str(fault), retry_at=retry_at
    )  # fmt: skip


def _outcome(run: SourceRun, prices: int) -> Outcome:
    source = PriceSource.objects.get(pk=run.source_id)
    return Outcome(
        source.slug, run.status, run.observed_at, prices=prices, unplaced=run.unplaced, error=run.error, **run.counts
    )


def _forget_names() -> None:
    from pricing import names

    names.forget()
