"""Benchmarks fetched and recorded, one at a time, as price sources are: the owner of writes to `BenchmarkFetch`.

A benchmark is asked again once its cadence is over; after a failure earlier, and ever later (`failures.next_try`). The
validators of the last good answer go along, so a table that has not changed is not sent again. What a body says is
recorded under today, or each run's own day; a table that says what the newest one says is no new table. A body that is
not what it should be is named (`failures.KINDS`) and changes nothing.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from pricing import bodies, quality, refreshing
from pricing.benchmarks import Benchmark, ScoreFact, UnreadableBody, benchmarks, read_scores
from pricing.failures import OFFLINE, SourceFailure, next_try
from pricing.fetching import Fetched, Fetcher
from pricing.models import BenchmarkFetch, Score

CHANGED: Final = "changed"
UNCHANGED: Final = "unchanged"
FAILED: Final = "failed"
SKIPPED: Final = refreshing.SKIPPED
LEAST_KEPT: Final = 2
"""A table with less than one of so many of the names that were there is half a table, not news."""

logger = logging.getLogger(__name__)
_chance = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a look at one benchmark; `recorded` is None where nothing was read."""

    benchmark: str
    status: str
    asked_at: datetime
    recorded: quality.Recorded | None = None
    failure: str = ""
    error: str = ""
    retry_at: datetime | None = None


def fetched_benchmarks() -> list[str]:
    """The benchmarks that are published where they can be fetched, whether or not their key is here."""
    return [slug for slug, module in benchmarks().items() if getattr(module, "FEED", "")]


def due_benchmarks(now: datetime) -> list[str]:
    """Those whose cadence, or wait after a failure, is over; those that cannot be fetched are not."""
    last = {fetch.benchmark.slug: fetch for fetch in BenchmarkFetch.objects.select_related("benchmark")}
    return [
        slug
        for slug in fetched_benchmarks()
        if not refreshing.unfetchable(benchmarks()[slug]) and _is_due(benchmarks()[slug], last.get(slug), now)
    ]


def refresh(slug: str, *, fetcher: Fetcher | None = None, only_if_due: bool = False, dry_run: bool = False) -> Outcome:
    """Fetch one benchmark and record what it says; whatever is wrong with it is in the outcome and kept."""
    module, now = benchmarks()[slug], datetime.now(UTC)
    if why := refreshing.unfetchable(module):
        return Outcome(slug, SKIPPED, now, error=why)
    with refreshing.alone(f"benchmark {slug}") as only_one:
        if not only_one:
            return Outcome(slug, SKIPPED, now, error="Another process is fetching it.")
        last = BenchmarkFetch.objects.filter(benchmark__slug=slug).first()
        if only_if_due and not _is_due(module, last, now):
            return Outcome(slug, SKIPPED, now, error="It is not due yet.")
        try:
            answer, facts = _read(module, last, fetcher or refreshing.default_fetcher())
        except SourceFailure as fault:
            return _failed(module, last, fault, now, dry_run=dry_run)
        return _recorded(module, answer, facts, now, dry_run=dry_run)


def _is_due(module: Any, last: BenchmarkFetch | None, now: datetime) -> bool:
    if last is None:
        return True
    return now >= (last.retry_at or last.asked_at + timedelta(hours=module.CADENCE_HOURS))


def _read(module: Any, last: BenchmarkFetch | None, fetcher: Fetcher) -> tuple[Fetched, list[ScoreFact]]:
    """The answer and its facts, none where the host says that nothing changed; `SourceFailure` names what is wrong."""
    feed = module.FEED
    if hasattr(module, "INDEX"):
        listing = fetcher.fetch(module.INDEX).body or b""
        bodies.refuse(listing, "json")
        feed = _understood(module, lambda: module.feed_of(listing))
    if hasattr(module, "next_page"):
        answer, body = refreshing.read_pages(cast(refreshing.Paged, module), fetcher)
    else:
        known = last if last is not None and last.fetched_from == feed and last.read_at else None
        answer = fetcher.fetch(
            feed, etag=known.etag if known else "", last_modified=known.last_modified if known else "",
            **refreshing.secrets(module),
        )  # fmt: skip
        if answer.body is None:
            assert known is not None  # noqa: S101 - nothing else was asked that it could be unchanged since
            return replace(answer, etag=answer.etag or known.etag), []
        body = answer.body
    bodies.refuse(body, bodies.media_of(module))
    facts = _understood(module, lambda: read_scores(module, body))
    _refuse_half(module, facts)
    return answer, facts


def _understood(module: Benchmark, read: Any) -> Any:
    """What a module makes of a body; its refusal, or its own fault, by name."""
    try:
        return read()
    except UnreadableBody as fault:
        raise SourceFailure("layout", str(fault), permanent=fault.permanent) from fault
    except Exception as fault:
        # A fault of ours, not of the publisher: it surfaces in the log, and the other benchmarks are read all the same.
        logger.exception("The parser of %s failed", module.SLUG)
        raise SourceFailure("bug", f"The parser of {module.NAME} failed: {fault!r:.300}.") from fault


def _refuse_half(module: Benchmark, facts: Sequence[ScoreFact]) -> None:
    """Half of the names gone is a broken table, not news."""
    category = next(iter(module.CATEGORIES))
    there = set(Score.objects.newest(module.SLUG, category).values_list("display_name", flat=True))
    still = there & {fact.display_name for fact in facts}
    if len(still) * LEAST_KEPT < len(there):
        raise SourceFailure(
            "implausible",
            f"Of the {len(there):,} names that {module.NAME} had, {len(still):,} are left: give the table as --file"
            " if that is so.",
        )


def _recorded(module: Benchmark, answer: Fetched, facts: list[ScoreFact], now: datetime, *, dry_run: bool) -> Outcome:
    recorded = None
    if facts:
        recorded = quality.record(module.SLUG, facts, quality.day_of(module.SLUG, facts, now.date()), dry_run=dry_run)
    if not dry_run:
        _write(
            module, fetched_from=answer.url, etag=answer.etag, last_modified=answer.last_modified, asked_at=now,
            read_at=now, failure="", error="", attempts=0, retry_at=None,
        )  # fmt: skip
    changed = recorded is not None and recorded.changed
    return Outcome(module.SLUG, CHANGED if changed else UNCHANGED, now, recorded)


def _failed(module: Any, last: BenchmarkFetch | None, fault: SourceFailure, now: datetime, *, dry_run: bool) -> Outcome:
    attempts = (last.attempts if last else 0) + 1
    retry_at = next_try(
        now, timedelta(hours=module.CADENCE_HOURS), attempts, permanent=fault.permanent, retry_at=fault.retry_at,
        jitter=_chance.random(),
    )  # fmt: skip
    if not dry_run:
        _write(
            module, asked_at=now, failure=fault.kind, error=str(fault), attempts=attempts, retry_at=retry_at,
            **({} if last else {"fetched_from": module.FEED}),
        )  # fmt: skip
        if fault.kind not in OFFLINE and (last is None or last.failure != fault.kind):
            logger.warning("%s could not be read (%s): %s", module.NAME, fault.kind, fault)
    return Outcome(module.SLUG, FAILED, now, failure=fault.kind, error=str(fault), retry_at=retry_at)


def _write(module: Benchmark, **changes: Any) -> None:
    BenchmarkFetch.objects.update_or_create(benchmark_id=quality.declare(module), defaults=changes)
