"""Claims into accepted prices: what `acceptance.accept` gives, written as the difference to what is there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from django.db.models import Q

from pricing import ratecards
from pricing.acceptance import Accepted, ClaimFact, SourceFact, accept
from pricing.catalog.rows import copy_rows, insert_new, update_rows
from pricing.models import Claim, Decision, Disagreement, Price, PriceEvent, PriceSource
from pricing.sources import all_sources

_CLAIM = (
    "id", "source__slug", "unit", "qualifier", "service_tier", "context_from", "context_op", "context_mode",
    "schedule", "amount", "per", "currency", "effective_from", "effective_until", "basis", "precision",
    "evidence_at", "first_seen_at", "last_seen_at", "withdrawn_at", "until_known_at", "url",
)  # fmt: skip

_KEY = ("unit", "qualifier", "service_tier", "context_from", "context_op", "context_mode", "schedule")
_IDENTITY = ("offering_id", *_KEY, "amount", "per", "currency", "effective_from", "effective_until", "known_from")
"""What makes a stored row and a recomputed one the same price."""
_EVIDENCE = (
    "known_until", "claim_id", "source_id", "basis", "precision", "evidence_at", "observed_at", "trust", "agreeing",
    "disputed", "why",
)  # fmt: skip
"""What newer evidence may change of it."""
_COLUMNS = (*_IDENTITY, *_EVIDENCE)

_EVENT_COLUMNS = (
    "offering_id", "unit", "qualifier", "service_tier", "context_from", "schedule", "kind", "status", "old", "new",
    "per", "currency", "effective_from", "observed_at", "source_id", "why",
)  # fmt: skip

Row = tuple[Any, ...]


def accept_offerings(offering_ids: Iterable[int]) -> int:
    """Accept the offerings anew and write the difference; the number of rows added or changed."""
    ids = sorted(offering_ids)
    if not ids:
        return 0
    accepted = recomputed(ids)
    source_ids = dict(PriceSource.objects.values_list("slug", "pk"))
    fresh = {
        row[: len(_IDENTITY)]: row
        for offering, prices in accepted.items()
        for row in (_row(offering, price, source_ids) for price in prices)
    }
    standing = {row[1 : 1 + len(_IDENTITY)]: row for row in _standing(ids)}
    gone = {row[0]: row for identity, row in standing.items() if identity not in fresh}
    now = datetime.now(UTC)
    Price.objects.filter(pk__in=gone).update(superseded_at=now)
    changed = [
        (row[0], *fresh[identity][len(_IDENTITY) :])
        for identity, row in standing.items()
        if identity in fresh and row[1:] != fresh[identity]
    ]
    if changed:
        update_rows(Price._meta.db_table, _EVIDENCE, changed)
    added = [row for identity, row in fresh.items() if identity not in standing]
    copy_rows(Price._meta.db_table, _COLUMNS, added)
    _write_events(accepted, source_ids, [*_corrections(gone.values(), added)])
    _write_disagreements(accepted)
    if gone or changed or added:
        ratecards.refresh(ids)
    return len(added) + len(changed) + len(gone)


def recomputed(offering_ids: Sequence[int]) -> dict[int, list[Accepted]]:
    """What acceptance makes of the stored claims and decisions of some offerings, now."""
    facts = _sources()
    decisions = dict(
        Decision.objects.filter(revoked_at=None, claim__offering__in=offering_ids).values_list("claim_id", "verdict")
    )
    claims: dict[int, list[ClaimFact]] = defaultdict(list)
    rows = Claim.objects.filter(offering__in=offering_ids).values_list("offering_id", *_CLAIM)
    for offering, *columns in rows.iterator(chunk_size=5000):
        claims[offering].append(ClaimFact(*columns))
    return {offering: accept(claims[offering], facts, decisions) for offering in offering_ids}


def differences(offering_ids: Sequence[int]) -> Iterator[str]:
    """A sentence for every stored price that acceptance does not give, and the other way round."""
    source_ids = dict(PriceSource.objects.values_list("slug", "pk"))
    accepted = recomputed(offering_ids)
    fresh = {
        row for o, prices in accepted.items() for row in (_row(o, p, source_ids)[: len(_IDENTITY)] for p in prices)
    }
    stored = {row[1 : 1 + len(_IDENTITY)] for row in _standing(offering_ids)}
    for row in sorted(stored - fresh, key=repr):
        yield f"stored, but no claim gives it: {_sentence(row)}"
    for row in sorted(fresh - stored, key=repr):
        yield f"given by the claims, but not stored: {_sentence(row)}"


def _sentence(row: Row) -> str:
    return ", ".join(f"{name} {value}" for name, value in zip(_IDENTITY, row, strict=True) if value not in ("", None))


def _standing(ids: Sequence[int]) -> Iterable[Row]:
    return Price.objects.filter(offering__in=ids, superseded_at=None).values_list("id", *_COLUMNS)


def _sources() -> dict[str, SourceFact]:
    return {
        slug: SourceFact(slug, s.NAME, s.TRUST, s.PRECEDENCE, s.COPIES, s.STATES_HISTORY)
        for slug, s in all_sources().items()
    }


def _row(offering: int, price: Accepted, source_ids: Mapping[str, int]) -> Row:
    claim = price.claim
    return (
        offering, *(getattr(claim, column) for column in _KEY), claim.amount, claim.per, claim.currency,
        price.effective_from, price.effective_until, price.known_from,
        price.known_until, claim.id, source_ids[claim.source], price.basis, price.precision, claim.evidence_at,
        price.observed_at, price.trust, list(price.agreeing), bool(price.disputed_by), price.why[:1000],
    )  # fmt: skip


def _corrections(gone: Iterable[Row], added: Sequence[Row]) -> Iterator[Row]:
    """Events for prices of a past start that now read otherwise: the catalogue was wrong, no vendor changed."""
    starts = len(_IDENTITY) - 3
    now_reads = {(*row[:8], row[starts]): row for row in added if row[len(_IDENTITY)] is None}
    for old in gone:
        row = now_reads.get((*old[1:9], old[1 + starts]))
        known_until = old[1 + len(_IDENTITY)]
        if row is not None and known_until is None and row[8] != old[9]:
            yield _event(row, PriceEvent.Kind.CORRECTION, old[9], row[8])


def _event(row: Row, kind: str, old: Any, new: Any) -> Row:
    named = dict(zip(_COLUMNS, row, strict=True))
    return (
        named["offering_id"], named["unit"], named["qualifier"], named["service_tier"], named["context_from"],
        named["schedule"], kind, PriceEvent.Status.ACCEPTED, old, new, named["per"], named["currency"],
        named["effective_from"], named["evidence_at"], named["source_id"], named["why"],
    )  # fmt: skip


def _write_events(accepted: Mapping[int, list[Accepted]], source_ids: Mapping[str, int], events: list[Row]) -> None:
    for offering, prices in accepted.items():
        lines: dict[tuple[Any, ...], list[Accepted]] = defaultdict(list)
        for price in prices:
            if price.known_until is None:
                lines[(price.claim.slot, price.claim.schedule)].append(price)
        for line in lines.values():
            line.sort(key=lambda p: p.effective_from)
            first = line[0]
            if first.claim.evidence_at < first.claim.first_seen_at:
                events.append(_event(_row(offering, first, source_ids), PriceEvent.Kind.NEW, None, first.claim.amount))
            for before, after in pairwise(line):
                row = _row(offering, after, source_ids)
                old, new = before.claim, after.claim
                if (old.per, old.currency) != (new.per, new.currency) or old.amount == new.amount:
                    continue
                kind = PriceEvent.Kind.CUT if new.amount < old.amount else PriceEvent.Kind.RISE
                events.append(_event(row, kind, old.amount, new.amount))
    insert_new(PriceEvent._meta.db_table, _EVENT_COLUMNS, events)


def _write_disagreements(accepted: Mapping[int, list[Accepted]]) -> None:
    """Open a disagreement for each claim that contradicts a price in force or to come; close those that ended."""
    now = datetime.now(UTC)
    found = {
        claim.id: (offering, price)
        for offering, prices in accepted.items()
        for price in prices
        if price.known_until is None and (price.effective_until is None or price.effective_until > now)
        for claim in price.disputed_by
    }
    known = {row.claim_id: row for row in Disagreement.objects.filter(offering__in=list(accepted))}
    Disagreement.objects.bulk_create(
        Disagreement(claim_id=claim, accepted_id=price.claim.id, offering_id=offering, why=price.why)
        for claim, (offering, price) in found.items()
        if claim not in known
    )
    ended = [row.pk for claim, row in known.items() if claim not in found and row.state == Disagreement.State.OPEN]
    Disagreement.objects.filter(pk__in=ended).update(state=Disagreement.State.RESOLVED, resolved_at=now)
    again = [row.pk for claim, row in known.items() if claim in found and row.state == Disagreement.State.RESOLVED]
    Disagreement.objects.filter(Q(pk__in=again)).update(state=Disagreement.State.OPEN, resolved_at=None)
