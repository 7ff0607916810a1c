"""The one writer of the price catalogue: readings become claims, claims become accepted prices, changes events.

Everything of one reading happens in one transaction under one advisory lock. A refresh writes the difference: new
claims are added, claims no longer made are withdrawn, the offerings they belong to are accepted anew, and rows of
`Price` that the function no longer gives are marked superseded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version as installed
from typing import Any

from django.db import transaction

from pricing.catalog.claims import write_claims
from pricing.catalog.locks import lock
from pricing.catalog.prices import accept_offerings
from pricing.models import PriceSource, SourceRun
from pricing.sources import Bundle, SourceError, all_sources

__all__ = ["Outcome", "is_current", "load_bundled", "recompute", "record"]


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
    error: str = ""

    def as_json(self) -> dict[str, Any]:
        return {**self.__dict__, "observed_at": self.observed_at.isoformat(), "unplaced": dict(self.unplaced or {})}


def load_bundled() -> list[Outcome]:
    """Read every source that ships as an installed package; a release already read is left alone."""
    outcomes = []
    with transaction.atomic():
        lock()
        touched: set[int] = set()
        for slug, source in all_sources().items():
            if hasattr(source, "bundled") and not _has_read(slug, _release(slug)):
                bundle = _bundle(slug)
                run, changed = write_claims(source, bundle.body, bundle.observed_at, bundle.version)
                touched |= changed
                outcomes.append(_outcome(run, 0))
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


def record(slug: str, body: bytes, *, observed_at: datetime, version: str = "", dry_run: bool = False) -> Outcome:
    """Take in one body of one source as seen at a moment; the order in which bodies come in does not matter.

    A body the source's parser refuses leaves the catalogue as it was and the run failed, with the reason.
    `dry_run` writes nothing and still tells what would come of it.
    """
    source = all_sources()[slug]
    if observed_at > datetime.now(UTC):
        raise SourceError(f"{observed_at.isoformat()} lies in the future; give the moment at which the body was read.")
    try:
        with transaction.atomic():
            lock()
            run, touched = write_claims(source, body, observed_at, version)
            outcome = _outcome(run, accept_offerings(touched))
            if dry_run:
                transaction.set_rollback(True)
    except SourceError as fault:
        outcome = Outcome(slug, SourceRun.Status.FAILED, observed_at, error=str(fault))
        if not dry_run:
            _record_failure(slug, observed_at, version, str(fault))
    _forget_names()
    return outcome


def recompute(offering_ids: set[int]) -> int:
    """Accept the offerings anew from the claims and decisions there are; the number of `Price` rows written."""
    with transaction.atomic():
        lock()
        return accept_offerings(offering_ids)


def is_current() -> bool:
    """Whether the releases of the installed packages are what the catalogue was last read from."""
    return all(_has_read(slug, _release(slug)) for slug, source in all_sources().items() if hasattr(source, "bundled"))


def _release(slug: str) -> str:
    """The release a bundled source is at, without reading its body."""
    source = all_sources()[slug]
    return source.release() if hasattr(source, "release") else installed(slug.replace("_", "-"))


def _has_read(slug: str, version: str) -> bool:
    ended = [SourceRun.Status.CHANGED, SourceRun.Status.UNCHANGED]
    return SourceRun.objects.filter(source__slug=slug, version=version, status__in=ended).exists()


def _record_failure(slug: str, observed_at: datetime, version: str, error: str) -> None:
    from pricing.catalog.claims import source_row

    SourceRun.objects.create(
        source=source_row(all_sources()[slug]), status=SourceRun.Status.FAILED, version=version,
        observed_at=observed_at, finished_at=datetime.now(UTC), error=error,
    )  # fmt: skip


def _outcome(run: SourceRun, prices: int) -> Outcome:
    source = PriceSource.objects.get(pk=run.source_id)
    return Outcome(
        source.slug, run.status, run.observed_at, prices=prices, unplaced=run.unplaced, error=run.error, **run.counts
    )


def _forget_names() -> None:
    from pricing import names

    names.forget()
