"""Readings into claims: what each source said, from its first reading that said it to the last.

A claim is one run of consecutive readings that say the same. A reading may come in late and fall between two
others; it then lengthens, splits or separates the runs around it, so any order of replay ends in the same rows.
"""

from __future__ import annotations

import hashlib
import logging
import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from operator import attrgetter
from typing import Any

from django.db.models import Q
from django.db.models.functions import Greatest

from pricing import program
from pricing.acceptance import STALE
from pricing.catalog.offerings import Key as OfferingKey
from pricing.catalog.offerings import offerings_of, write_aliases, write_calendars, write_offerings
from pricing.catalog.rates import write_rates
from pricing.catalog.rows import copy_rows, update_rows
from pricing.models import Claim, Price, PriceSource, Snapshot, SourceRun
from pricing.sources import Reading, Source, SourceError, Statement

logger = logging.getLogger(__name__)

KEY = (
    "unit", "qualifier", "service_tier", "context_from", "context_op", "context_mode", "schedule", "amount", "per",
    "currency", "effective_from", "effective_until", "basis",
)  # fmt: skip
"""With the offering, what makes two statements of one source the same claim."""
key_of = attrgetter(*KEY)

_COLUMNS = (
    "source_id", "offering_id", *KEY, "until_known_at", "precision", "evidence_at", "url", "note", "first_seen_at",
    "last_seen_at", "withdrawn_at", "snapshot_id",
)  # fmt: skip

_MOVED = (
    "first_seen_at", "evidence_at", "until_known_at", "precision", "url", "note", "snapshot_id", "last_seen_at",
    "withdrawn_at",
)  # fmt: skip
"""What changes of a claim: what it has from the first reading that makes it, and until when it was made."""
moved = attrgetter(*_MOVED)

NOTE = 2000
"""Characters of a source's sentence that a claim keeps."""

_LEAST = Decimal("1e-12")
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
    before = ended.filter(observed_at__lte=observed_at).order_by("-observed_at", "-pk").first()
    after = ended.filter(observed_at__gt=observed_at).order_by("observed_at").first()
    run = SourceRun(
        source=row, snapshot=snapshot, version=version, observed_at=observed_at, read_by=program.stamp()
    )  # fmt: skip
    if before is not None and before.snapshot_id == snapshot.pk and (after or before.read_by == run.read_by):
        run.status, run.counts, run.unplaced = SourceRun.Status.UNCHANGED, before.counts, before.unplaced
        run.counts = {**before.counts, "added": 0, "withdrawn": 0}
        touched = _saw_again(row, before.observed_at, observed_at)
    else:
        reading = source.parse(body)
        ids, renamed = write_facts(reading, row, observed_at, after.observed_at if after else None)
        runs = _Runs(source, row.pk, snapshot.pk, observed_at, before.observed_at if before else None, after)
        touched = runs.take(as_kept(reading), ids) | renamed
        run.status = SourceRun.Status.CHANGED
        run.counts = {
            "claims": len(reading.statements), "added": runs.added, "withdrawn": runs.withdrawn, "offerings": len(ids)
        }  # fmt: skip
        run.unplaced = dict(reading.unplaced)
    run.finished_at = datetime.now(UTC)
    run.save()
    return run, touched


def write_facts(
    reading: Reading, source: PriceSource, observed_at: datetime, next_at: datetime | None
) -> tuple[dict[OfferingKey, int], set[int]]:
    """Write what a reading says beside prices: the ids of its offerings, and of those known by another name now.

    `next_at`: when the source was read after it, None where this is its newest reading.
    """
    ids = write_offerings(reading, source, observed_at)
    renamed = write_aliases(reading, source, ids, observed_at, next_at)
    write_calendars(reading, source)
    write_rates(reading, source, newest=next_at is None)
    return ids, renamed


def _snapshot(body: bytes) -> Snapshot:
    snapshot, _ = Snapshot.objects.get_or_create(
        sha256=hashlib.sha256(body).hexdigest(), defaults={"body": zlib.compress(body, 6), "size": len(body)}
    )
    return snapshot


def _saw_again(source: PriceSource, before: datetime, observed_at: datetime) -> set[int]:
    """The same bytes at a later moment: every claim of the reading before was seen once more.

    The offerings for which that matters: a younger look decides between their sources.
    """
    again = Claim.objects.made().filter(source=source, last_seen_at=before)
    touched = _overtaken(source.pk, again.values_list("offering_id"), before, observed_at)
    unsure = _date_by(source.pk, source.slug, again.values_list("offering_id"), before, observed_at)
    again.update(last_seen_at=observed_at)
    return touched | unsure


def _date_by(source: int, slug: str, offerings: Any, before: datetime, now: datetime) -> set[int]:
    """Date the prices of some offerings that this source's look before dates by its look now, and say that it has seen
    those that hold still and that it agrees with.

    A price is dated by the look of whose word it is last, which need not be the claim it began with. Where another
    source looked at the very moment, the price does not tell whose look it was: those offerings are given back.
    """
    dated = Price.objects.filter(Q(offering__in=offerings) | Q(source=source), observed_at=before, superseded_at=None)
    others = Claim.objects.exclude(source_id=source).filter(last_seen_at=before)
    unsure = set(others.filter(offering__in=dated.values("offering")).values_list("offering_id", flat=True))
    dated.exclude(offering__in=unsure).update(observed_at=now, seen_at=Greatest("seen_at", now))
    open_ = Price.objects.filter(effective_until=None, known_until=None, superseded_at=None, seen_at__lt=now)
    open_.filter(offering__in=offerings, agreeing__contains=[slug]).update(seen_at=now)
    return unsure


def _overtaken(source: int, offerings: Any, seen_at: datetime, now: datetime) -> set[int]:
    """Of some offerings, those for which it matters that this source, which last looked then, looks now: another shows
    a change since, or by this look either of the two begins or ceases to be long unread beside the other."""
    others = Claim.objects.exclude(source_id=source).filter(offering__in=offerings)
    younger = Q(effective_from__gt=seen_at) | Q(first_seen_at__gt=seen_at) | Q(evidence_at__gt=seen_at)
    unread = Q(last_seen_at__gt=seen_at + STALE) | Q(last_seen_at__gte=seen_at - STALE, last_seen_at__lt=now - STALE)
    return set(others.filter(younger | unread).values_list("offering_id", flat=True))


class _Runs:
    """The runs of one source's claims around one new reading, which has a neighbour before and after it, or none."""

    def __init__(
        self, module: Source, source: int, snapshot: int, observed_at: datetime, before: datetime | None,
        after: SourceRun | None,
    ) -> None:  # fmt: skip
        self._module, self._source, self._snapshot = module, source, snapshot
        self._now, self._before = observed_at, before
        self._next, self._after = after, after.observed_at if after else None
        self.added = self.withdrawn = 0

    def take(self, statements: Sequence[Statement], ids: dict[tuple[str, str, str], int]) -> set[int]:
        """Write what the statements change; the ids of the offerings concerned."""
        around: dict[Identity, Claim] = {}
        for claim in Claim.objects.made().filter(source_id=self._source):
            if self._borders(claim):
                around[(claim.offering_id, *key_of(claim))] = claim
        fresh: list[tuple[Any, ...]] = []
        changed: list[Claim] = []
        touched: set[int] = set()
        stated: set[Identity] = set()
        for statement in statements:
            offering = ids[statement.provider, statement.sku, statement.region]
            identity = (offering, *key_of(statement))
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
        move_claims(changed)
        copy_claims(fresh)
        return touched | self._touched_by_time(lengthened - touched)

    def _touched_by_time(self, lengthened: set[int]) -> set[int]:
        """The offerings for which it matters when the source looked, though it says the same as before."""
        if self._before is None and self._after is not None:
            # The source now begins earlier, so what it said first elsewhere was new then.
            return set(Claim.objects.filter(source_id=self._source).values_list("offering_id", flat=True))
        if self._before is None or self._after is not None:
            return lengthened
        unsure = _date_by(self._source, self._module.SLUG, lengthened, self._before, self._now)
        return _overtaken(self._source, lengthened, self._before, self._now) | unsure

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
            begin(claim, s, self._now, self._snapshot)
        return True

    def _cut(self, claim: Claim, fresh: list[tuple[Any, ...]]) -> bool:
        """Say that the reading does not make this claim; whether that changes the row."""
        if claim.first_seen_at > self._now:
            return False
        if claim.last_seen_at > self._now:
            # Said before and after, not now: two runs. The later one has its evidence from the next reading.
            assert self._before is not None and self._after is not None  # noqa: S101, PT018
            later = {column: getattr(claim, column) for column in _COLUMNS} | self._as_the_next_says(claim)
            fresh.append(tuple(later[column] for column in _COLUMNS))
            claim.last_seen_at = self._before
        if claim.withdrawn_at == self._now:
            return False
        claim.withdrawn_at = self._now
        return True

    def _as_the_next_says(self, claim: Claim) -> dict[str, Any]:
        """What a claim has from the reading after this one, where that is the first of a run that makes it."""
        next_ = self._next
        assert next_ is not None  # noqa: S101 - only what is said later is asked for
        said = self._next_statements.get((claim.offering_id, *key_of(claim)))
        if said is None:
            # Today's parser reads the body otherwise than the one that took it in: what was kept of it then stands.
            evidence_at = next_.observed_at if claim.evidence_at == claim.first_seen_at else claim.evidence_at
            return {"first_seen_at": next_.observed_at, "evidence_at": evidence_at, "snapshot_id": next_.snapshot_id}
        return _from_reading(said, next_.observed_at) | {"snapshot_id": next_.snapshot_id}

    @cached_property
    def _next_statements(self) -> dict[Identity, Statement]:
        """The statements of the reading after this one, read anew from its bytes; the first of each claim counts."""
        if self._next is None or self._next.snapshot is None:
            return {}
        try:
            reading = self._module.parse(zlib.decompress(self._next.snapshot.body))
        except SourceError as fault:
            logger.warning("%s: its reading of %s cannot be read anew: %s", self._module.SLUG, self._after, fault)
            return {}
        said: dict[Identity, Statement] = {}
        ids = offerings_of(reading)
        for s in as_kept(reading):
            offering = ids.get((s.provider, s.sku, s.region))
            if offering is not None:
                said.setdefault((offering, *key_of(s)), s)
        return said

    def _row(self, offering: int, s: Statement) -> tuple[Any, ...]:
        return new_claim(self._source, offering, s, self._snapshot, (self._now, self._now), self._after)


def as_kept(reading: Reading) -> list[Statement]:
    """The statements with the amounts that are kept of them: rounded half away from zero at the twelfth decimal, as
    PostgreSQL does it, so that what is said again is known again."""
    return [
        s if s.amount == (amount := s.amount.quantize(_LEAST, ROUND_HALF_UP)) else replace(s, amount=amount)
        for s in reading.statements
    ]


def new_claim(
    source: int, offering: int, s: Statement, snapshot: int, seen: tuple[datetime, datetime],
    withdrawn_at: datetime | None,
) -> tuple[Any, ...]:  # fmt: skip
    """The row of a claim that begins with a statement in a snapshot, seen from the first moment to the last."""
    found = _from_reading(s, seen[0])
    return (
        source, offering, *key_of(s), found["until_known_at"], s.precision, found["evidence_at"], s.url,
        found["note"], *seen, withdrawn_at, snapshot,
    )  # fmt: skip


def begin(claim: Claim, s: Statement, observed_at: datetime, snapshot: int) -> None:
    """Have a claim begin with a statement: what else that says of the price is the claim's then."""
    for column, value in _from_reading(s, observed_at).items():
        setattr(claim, column, value)
    claim.snapshot_id = snapshot


def copy_claims(rows: Sequence[tuple[Any, ...]]) -> None:
    """Add claims, as `new_claim` makes them."""
    copy_rows(Claim._meta.db_table, _COLUMNS, rows)


def move_claims(claims: Sequence[Claim]) -> None:
    """Write when claims were made, and what they have from their first reading."""
    if claims:
        update_rows(Claim._meta.db_table, _MOVED, ((claim.pk, *moved(claim)) for claim in claims))


def _from_reading(s: Statement, observed_at: datetime) -> dict[str, Any]:
    """What a claim has from the first reading that makes it, but the snapshot."""
    return {
        "first_seen_at": observed_at,
        "evidence_at": min(s.evidence_at, observed_at) if s.evidence_at else observed_at,
        "until_known_at": min(s.until_known_at, observed_at) if s.until_known_at else None,
        "precision": s.precision,
        "url": s.url,
        "note": s.note[:NOTE],
    }
