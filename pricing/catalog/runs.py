"""What became of a fetch: the runs that failed or are held, and what the next fetch needs to know of the last."""

from __future__ import annotations

import hashlib
import logging
import random
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db.models import Sum

from pricing import bodies, plausibility
from pricing.catalog.claims import source_row
from pricing.failures import OFFLINE, SourceFailure, next_try
from pricing.fetching import Fetched
from pricing.models import Snapshot, SourceRun
from pricing.sources import Reading, Source, SourceError

ENDED: Final = (SourceRun.Status.CHANGED, SourceRun.Status.UNCHANGED)
logger = logging.getLogger(__name__)
_chance = random.SystemRandom()


class Vetted:
    """A source whose bodies and readings are looked over before they are taken in; `beside`, where a new one must be
    plausible too, gives the last good reading, and is asked only where there is a new one."""

    def __init__(self, source: Source, *, beside: Callable[[], Reading | None] | None = None) -> None:
        self._source, self._beside = source, beside

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def parse(self, body: bytes) -> Reading:
        """The reading of a body; `SourceFailure` names what is wrong with either."""
        bodies.refuse(body, bodies.media_of(self._source))
        try:
            reading = self._source.parse(body)
        except SourceError as fault:
            raise SourceFailure("layout", str(fault), permanent=fault.permanent) from fault
        except Exception as fault:
            # A fault of ours, not of the source: it surfaces in the log, and the other sources are read all the same.
            logger.exception("The parser of %s failed", self._source.SLUG)
            raise SourceFailure("bug", f"The parser of {self._source.NAME} failed: {fault!r:.300}.") from fault
        plausibility.refuse_unsound(reading)
        if self._beside is not None and (why := plausibility.implausible(self._beside(), reading)):
            raise SourceFailure("implausible", why)
        return reading


def last_good(source: Source, at: datetime) -> Reading | None:
    """What the newest good run says, read anew by today's parser; None where there is none at or before `at`, or where
    a later one exists: then this reading is history, and history may have been smaller."""
    run = SourceRun.objects.filter(source__slug=source.SLUG, status__in=ENDED).order_by("-observed_at", "-pk").first()
    if run is None or run.observed_at > at or run.snapshot is None:
        return None
    try:
        return source.parse(zlib.decompress(run.snapshot.body))
    except SourceError:
        return None


def last_answer(source: Source) -> tuple[SourceRun, bytes] | None:
    """The newest good run with its body, where it was fetched from where the source is fetched now."""
    runs = SourceRun.objects.filter(source__slug=source.SLUG, status__in=ENDED).select_related("snapshot")
    run = runs.order_by("-observed_at", "-pk").first()
    if run is None or run.snapshot is None or not run.fetched_from or run.fetched_from != source.FEED:
        return None
    return run, zlib.decompress(run.snapshot.body)


def held_run(slug: str) -> SourceRun | None:
    """The run that waits for a person's word: held, and nothing good was read since."""
    runs = SourceRun.objects.filter(source__slug=slug)
    held = runs.filter(status=SourceRun.Status.HELD).select_related("snapshot").order_by("-pk").first()
    if held is None or runs.filter(status__in=ENDED, observed_at__gte=held.observed_at).exists():
        return None
    return held


def newest_fetch(slug: str) -> SourceRun | None:
    """The last attempt to fetch a source, however it ended."""
    return SourceRun.objects.filter(source__slug=slug).exclude(fetched_from="").order_by("-pk").first()


def is_due(source: Source, now: datetime) -> bool:
    """Whether it makes sense to fetch a source again."""
    run = newest_fetch(source.SLUG)
    if run is None or run.fetched_from != source.FEED:
        return True
    since = run.finished_at or run.started_at
    return now >= (run.retry_at or since + timedelta(hours=source.CADENCE_HOURS))


def write_failure(
    source: Source, fault: SourceFailure, observed_at: datetime, *, version: str = "", fetched_from: str = "",
    held: tuple[bytes, Fetched] | None = None,
) -> SourceRun:  # fmt: skip
    """Keep that a reading failed, or with `held` that its body waits for a person; the catalogue stays as it is."""
    row = source_row(source)
    now = datetime.now(UTC)
    run = SourceRun(
        source=row, status=SourceRun.Status.FAILED, version=version, fetched_from=fetched_from, observed_at=observed_at,
        failure=fault.kind,
    )  # fmt: skip
    if held is not None:
        body, answer = held
        run.status, run.snapshot = SourceRun.Status.HELD, _snapshot(body)
        run.etag, run.last_modified = answer.etag, answer.last_modified
    if fetched_from:
        run = _again(run) or run
        run.retry_at = next_try(
            now, timedelta(hours=source.CADENCE_HOURS), _failures_in_a_row(run), permanent=fault.permanent,
            retry_at=fault.retry_at, jitter=_chance.random(),
        )  # fmt: skip
    run.error, run.finished_at = str(fault), now
    first = run.pk is None
    run.save()
    level = logging.WARNING if first and fault.kind not in OFFLINE else logging.INFO
    logger.log(level, "%s: %s (%s) %s", source.SLUG, run.status, fault.kind, fault)
    return run


def _again(run: SourceRun) -> SourceRun | None:
    """The run before, where it failed in the same way: an outage of a week is one row, not hundreds."""
    known = SourceRun.objects.filter(source=run.source).order_by("-pk").first()
    same = ("status", "failure", "fetched_from", "snapshot_id")
    if known is None or any(getattr(known, name) != getattr(run, name) for name in same):
        return None
    known.attempts += 1
    return known


def _failures_in_a_row(run: SourceRun) -> int:
    runs = SourceRun.objects.filter(source=run.source)
    good = runs.filter(status__in=ENDED).order_by("-pk").values_list("pk", flat=True).first() or 0
    failed = runs.filter(pk__gt=good, status=SourceRun.Status.FAILED).exclude(fetched_from="").exclude(pk=run.pk)
    return (failed.aggregate(n=Sum("attempts"))["n"] or 0) + run.attempts


def _snapshot(body: bytes) -> Snapshot:
    snapshot, _ = Snapshot.objects.get_or_create(
        sha256=hashlib.sha256(body).hexdigest(), defaults={"body": zlib.compress(body, 6), "size": len(body)}
    )
    return snapshot
