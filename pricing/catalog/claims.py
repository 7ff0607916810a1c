"""Readings into claims: what each source said, from its first reading that said it to the last.

A claim is one run of consecutive readings that say the same. A reading may come in late and fall between two
others; it then lengthens, splits or separates the runs around it, so any order of replay ends in the same rows.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from django.db.models import Q
from django.db.models.functions import Greatest

from pricing.catalog.offerings import write_aliases, write_calendars, write_offerings
from pricing.catalog.rates import write_rates
from pricing.catalog.rows import copy_rows, update_rows
from pricing.models import Claim, Price, PriceSource, Snapshot, SourceRun
from pricing.sources import Source, Statement

KEY = (
    "unit", "qualifier", "service_tier", "context_from", "context_op", "context_mode", "schedule", "amount", "per",
    "currency", "effective_from", "effective_until", "basis",
)  # fmt: skip
"""With the offering, what makes two statements of one source the same claim."""
_key_of = attrgetter(*KEY)

_COLUMNS = (
    "source_id", "offering_id", *KEY, "until_known_at", "precision", "evidence_at", "url", "note", "first_seen_at",
    "last_seen_at", "withdrawn_at", "snapshot_id",
)  # fmt: skip

_OF_THE_FIRST = ("first_seen_at", "evidence_at", "until_known_at", "precision", "url", "note", "snapshot_id")
"""What a claim has from the first reading that makes it."""

NOTE = 2000
"""Characters of a source's sentence that a claim keeps."""

Identity = tuple[Any, ...]


def source_row(source: Source) -> PriceSource:
    """The row of a source, as its module declares it."""
    row, _ = PriceSource.objects.update_or_create(
        slug=source.SLUG,
        defaults={
            "name": source.NAME, "trust": source.TRUST, "copies": list(source.COPIES), "licence": source.LICENCE,
            "url": source.URL, "cadence_hours": source.CADENCE_HOURS,
        },
    )  # fmt: skip
    return row


def write_claims(source: Source, body: bytes, observed_at: datetime, version: str) -> tuple[SourceRun, set[int]]:
    """Take in one body; the finished run and the ids of the offerings whose claims changed."""
    row = source_row(source)
    snapshot = _snapshot(body)
    ended = SourceRun.objects.filter(source=row, status__in=[SourceRun.Status.CHANGED, SourceRun.Status.UNCHANGED])
    before = ended.filter(observed_at__lte=observed_at).order_by("-observed_at").first()
    after = ended.filter(observed_at__gt=observed_at).order_by("observed_at").first()
    run = SourceRun(source=row, snapshot=snapshot, version=version, observed_at=observed_at)
    if before is not None and before.snapshot_id == snapshot.pk:
        run.status, run.counts, run.unplaced = SourceRun.Status.UNCHANGED, before.counts, before.unplaced
        run.counts = {**before.counts, "added": 0, "withdrawn": 0}
        touched = _saw_again(row, before.observed_at, observed_at)
    else:
        reading = source.parse(body)
        ids = write_offerings(reading, row, observed_at)
        renamed = write_aliases(reading, row, ids, observed_at, after.observed_at if after else None)
        write_calendars(reading, row)
        write_rates(reading, row, newest=after is None)
        runs = _Runs(
            row.pk, snapshot.pk, observed_at, before.observed_at if before else None,
            after.observed_at if after else None,
        )  # fmt: skip
        touched = runs.take(reading.statements, ids) | renamed
        run.status = SourceRun.Status.CHANGED
        run.counts = {
            "claims": len(reading.statements), "added": runs.added, "withdrawn": runs.withdrawn, "offerings": len(ids)
        }  # fmt: skip
        run.unplaced = dict(reading.unplaced)
    run.finished_at = datetime.now(UTC)
    run.save()
    return run, touched


def _snapshot(body: bytes) -> Snapshot:
    snapshot, _ = Snapshot.objects.get_or_create(
        sha256=hashlib.sha256(body).hexdigest(), defaults={"body": zlib.compress(body, 6), "size": len(body)}
    )
    return snapshot


def _saw_again(source: PriceSource, before: datetime, observed_at: datetime) -> set[int]:
    """The same bytes at a later moment: every claim of the reading before was seen once more.

    The offerings for which that matters: a younger look decides between their sources.
    """
    again = Claim.objects.filter(source=source, last_seen_at=before)
    touched = _overtaken(source.pk, again.values_list("offering_id"), before)
    again.update(last_seen_at=observed_at)
    Price.objects.filter(source=source, claim__last_seen_at=observed_at, superseded_at=None).update(
        observed_at=observed_at
    )
    return touched


def _overtaken(source: int, offerings: Any, seen_at: datetime) -> set[int]:
    """Of some offerings, those of which another source shows a change after this one last looked."""
    others = Claim.objects.exclude(source_id=source).filter(offering__in=offerings)
    younger = Q(effective_from__gt=seen_at) | Q(first_seen_at__gt=seen_at) | Q(evidence_at__gt=seen_at)
    return set(others.filter(younger).values_list("offering_id", flat=True))


class _Runs:
    """The runs of one source's claims around one new reading, which has a neighbour before and after it, or none."""

    def __init__(
        self, source: int, snapshot: int, observed_at: datetime, before: datetime | None, after: datetime | None
    ) -> None:
        self._source, self._snapshot = source, snapshot
        self._now, self._before, self._after = observed_at, before, after
        self.added = self.withdrawn = 0

    def take(self, statements: Sequence[Statement], ids: dict[tuple[str, str, str], int]) -> set[int]:
        """Write what the statements change; the ids of the offerings concerned."""
        around: dict[Identity, Claim] = {}
        for claim in Claim.objects.filter(source_id=self._source):
            if self._borders(claim):
                around[(claim.offering_id, *_key_of(claim))] = claim
        fresh: list[tuple[Any, ...]] = []
        changed: list[Claim] = []
        touched: set[int] = set()
        stated: set[Identity] = set()
        for statement in statements:
            offering = ids[statement.provider, statement.sku, statement.region]
            identity = (offering, *_key_of(statement))
            if identity in stated:
                continue
            stated.add(identity)
            known = around.get(identity)
            if known is None:
                fresh.append(self._row(offering, statement))
                touched.add(offering)
            elif self._lengthen(known, statement):
                changed.append(known)
        lengthened = {claim.offering_id for claim in changed}
        for identity, claim in around.items():
            if identity not in stated and self._cut(claim, fresh):
                changed.append(claim)
                touched.add(claim.offering_id)
                self.withdrawn += 1
        self.added = len(fresh)
        self._move(changed)
        copy_rows(Claim._meta.db_table, _COLUMNS, fresh)
        return touched | self._touched_by_time(lengthened - touched)

    def _move(self, changed: Sequence[Claim]) -> None:
        moved = (*_OF_THE_FIRST, "last_seen_at", "withdrawn_at")
        if changed:
            rows = ((claim.pk, *(getattr(claim, column) for column in moved)) for claim in changed)
            update_rows(Claim._meta.db_table, moved, rows)
            Price.objects.filter(claim__in=[claim.pk for claim in changed], superseded_at=None).update(
                observed_at=Greatest("observed_at", self._now)
            )

    def _touched_by_time(self, lengthened: set[int]) -> set[int]:
        """The offerings for which it matters when the source looked, though it says the same as before."""
        if self._before is None and self._after is not None:
            # The source now begins earlier, so what it said first elsewhere was new then.
            return set(Claim.objects.filter(source_id=self._source).values_list("offering_id", flat=True))
        if self._before is None or self._after is not None:
            return lengthened
        return _overtaken(self._source, lengthened, self._before)

    def _borders(self, claim: Claim) -> bool:
        """Whether the run of readings covers this moment or ends or begins at one of its neighbours."""
        covers = claim.first_seen_at <= self._now <= claim.last_seen_at
        return covers or claim.last_seen_at == self._before or claim.first_seen_at == self._after

    def _lengthen(self, claim: Claim, s: Statement) -> bool:
        """Say that the reading makes this claim too; whether that changes the row.

        What else it says of the claim counts where it is the first that makes it, whenever it came in.
        """
        if claim.first_seen_at <= self._now <= claim.last_seen_at:
            return False
        if claim.last_seen_at < self._now:
            claim.last_seen_at = self._now
            claim.withdrawn_at = self._after
        else:
            row = self._row(claim.offering_id, s)
            for column in _OF_THE_FIRST:
                setattr(claim, column, row[_COLUMNS.index(column)])
        return True

    def _cut(self, claim: Claim, fresh: list[tuple[Any, ...]]) -> bool:
        """Say that the reading does not make this claim; whether that changes the row."""
        if claim.first_seen_at > self._now:
            return False
        if claim.last_seen_at > self._now:
            # Said before and after, not now: two runs.
            assert self._before is not None and self._after is not None  # noqa: S101, PT018
            later = [getattr(claim, column) for column in _COLUMNS]
            later[_COLUMNS.index("first_seen_at")] = self._after
            if claim.evidence_at == claim.first_seen_at:
                later[_COLUMNS.index("evidence_at")] = self._after
            fresh.append(tuple(later))
            claim.last_seen_at = self._before
        if claim.withdrawn_at == self._now:
            return False
        claim.withdrawn_at = self._now
        return True

    def _row(self, offering: int, s: Statement) -> tuple[Any, ...]:
        evidence_at = min(s.evidence_at, self._now) if s.evidence_at else self._now
        until_known_at = min(s.until_known_at, self._now) if s.until_known_at else None
        return (
            self._source, offering, *_key_of(s), until_known_at, s.precision,
            evidence_at, s.url, s.note[:NOTE], self._now, self._now, self._after, self._snapshot,
        )  # fmt: skip
