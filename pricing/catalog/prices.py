"""Claims into accepted prices: what `acceptance.accept` gives, written as the difference to what is there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from django.db.models import Min

from pricing import ratecards
from pricing.acceptance import ACCEPT, KNOWN_ERROR, Accepted, ClaimFact, SourceFact, accept, odd_units, with_origins
from pricing.catalog import borrowed, known_errors, market
from pricing.catalog.disagreements import write_disagreements
from pricing.catalog.events import write_events
from pricing.catalog.rows import among, analyze, copy_rows, update_rows
from pricing.models import Alias, Claim, Decision, Offering, Price, PriceEvent, PriceSource, SourceRun
from pricing.sources import all_sources

_CLAIM = (
    "id", "source__slug", "unit", "qualifier", "service_tier", "context_from", "context_op", "context_mode",
    "schedule", "amount", "per", "currency", "effective_from", "effective_until", "basis", "precision",
    "evidence_at", "first_seen_at", "last_seen_at", "withdrawn_at", "until_known_at", "url",
)  # fmt: skip

_KEY = ("unit", "qualifier", "service_tier", "context_from", "context_op", "context_mode", "schedule")
_key_of = attrgetter(*_KEY)
_IDENTITY = ("offering_id", *_KEY, "amount", "per", "currency", "effective_from", "effective_until", "known_from")
"""What makes a stored row and a recomputed one the same price."""
_EVIDENCE = (
    "known_until", "claim_id", "source_id", "basis", "precision", "evidence_at", "observed_at", "seen_at",
    "trust", "agreeing", "disputed", "why",
)  # fmt: skip
"""What newer evidence may change of it."""
_COLUMNS = (*_IDENTITY, *_EVIDENCE)

_MANY = 1_000
"""After so many rows the planner's picture of the tables is of another catalogue: a join over it took minutes."""

Row = tuple[Any, ...]


def accept_offerings(offering_ids: Iterable[int]) -> int:
    """Accept the offerings anew and write the difference; the number of rows added or changed.

    With them go the offerings whose odd moves they are witnesses of.
    """
    touched = set(offering_ids)
    if not touched:
        return 0
    touched |= borrowed.dependents(touched)
    touched |= borrowed.dependents(touched)  # a pointer to what borrows
    ids = sorted(touched | market.concerned(touched))
    view = _View(ids)
    source_ids = dict(PriceSource.objects.values_list("slug", "pk"))
    fresh = {
        row[: len(_IDENTITY)]: row
        for offering, acceptance in view.accepted.items()
        for row in (_row(offering, price, source_ids) for price in acceptance.prices)
    }
    standing = {row[1 : 1 + len(_IDENTITY)]: row for row in _standing(ids)}
    gone = [row[0] for identity, row in standing.items() if identity not in fresh]
    Price.objects.filter(pk__in=gone).update(superseded_at=datetime.now(UTC))
    changed = [
        (row[0], *fresh[identity][len(_IDENTITY) :])
        for identity, row in standing.items()
        if identity in fresh and row[1:] != fresh[identity]
    ]
    if changed:
        update_rows(Price._meta.db_table, _EVIDENCE, changed)
    added = [row for identity, row in fresh.items() if identity not in standing]
    copy_rows(Price._meta.db_table, _COLUMNS, added)
    write_events(view.accepted, view.sources, source_ids)
    write_disagreements(view.accepted, view.own, view.errors)
    if len(gone) + len(added) > _MANY:
        analyze(Price, Claim, PriceEvent, Offering, Alias)
    if gone or changed or added:
        ratecards.refresh(ids)
    return len(added) + len(changed) + len(gone)


class _View:
    """What acceptance makes of the stored claims and decisions of some offerings, now."""

    def __init__(self, offering_ids: Sequence[int]) -> None:
        self.sources = _sources()
        own = _claims(offering_ids)
        found = borrowed.links(offering_ids)
        meant = {link.other for link in found if link.pointer and link.forward} - set(offering_ids)
        found += borrowed.links(meant) if meant else []
        beyond = {link.other for link in found} | meant
        known = own | (_claims(beyond - set(offering_ids)) if beyond else {})
        errors = known_errors.found_in(known)
        decisions = dict.fromkeys(errors, KNOWN_ERROR) | _decided(known)
        lent = borrowed.lend(known, found, {pk for pk, verdict in decisions.items() if verdict == ACCEPT})
        claims = {pk: lent.get(pk, []) for pk in offering_ids}
        sellers = Offering.objects.filter(pk__in=among(offering_ids), provider__slug__in=borrowed.TWIN_TIERS)
        for pk, provider in sellers.values_list("pk", "provider__slug"):
            claims[pk] += borrowed.renamed_tiers(claims[pk], provider)
        odd = {pk: units for pk in offering_ids if (units := odd_units(claims[pk], self.sources, decisions))}
        beside = market.witnesses(odd)
        self.accepted = {pk: accept(claims[pk], self.sources, decisions, beside.get(pk, ())) for pk in offering_ids}
        self.own = {claim.id: pk for pk in offering_ids for claim in own.get(pk, ())}
        self.errors = {claim: error for claim, error in errors.items() if claim in self.own}


def _claims(offering_ids: Iterable[int]) -> dict[int, list[ClaimFact]]:
    claims: dict[int, list[ClaimFact]] = defaultdict(list)
    rows = Claim.objects.made().filter(offering__in=among(offering_ids)).values_list("offering_id", *_CLAIM)
    for offering, *columns in rows.iterator(chunk_size=5000):
        claims[offering].append(ClaimFact(*columns))
    return claims


def _decided(claims: Mapping[int, Sequence[ClaimFact]]) -> dict[int, str]:
    """What people decided, by claim. Their word is on what the source says, so it holds when it says so again."""

    def saying(offering: int, claim: ClaimFact) -> tuple[object, ...]:
        return (offering, claim.source, claim.slot, claim.schedule, claim.amount, claim.per, claim.currency)

    decided = Decision.objects.filter(revoked_at=None, claim__offering__in=among(claims)).values_list(
        "verdict", "claim__offering_id", *(f"claim__{column}" for column in _CLAIM)
    )
    of = {saying(offering, ClaimFact(*columns)): verdict for verdict, offering, *columns in decided}
    return {c.id: of[said] for o, own in claims.items() for c in own if (said := saying(o, c)) in of}


def differences(offering_ids: Sequence[int]) -> Iterator[str]:
    """A sentence for every stored price that acceptance does not give, and the other way round."""
    source_ids = dict(PriceSource.objects.values_list("slug", "pk"))
    accepted = _View(offering_ids).accepted
    fresh = {_row(o, p, source_ids)[: len(_IDENTITY)] for o, acceptance in accepted.items() for p in acceptance.prices}
    stored = {row[1 : 1 + len(_IDENTITY)] for row in _standing(offering_ids)}
    for row in sorted(stored - fresh, key=repr):
        yield f"stored, but no claim gives it: {_sentence(row)}"
    for row in sorted(fresh - stored, key=repr):
        yield f"given by the claims, but not stored: {_sentence(row)}"


def _sentence(row: Row) -> str:
    return ", ".join(f"{name} {value}" for name, value in zip(_IDENTITY, row, strict=True) if value not in ("", None))


def _standing(ids: Sequence[int]) -> Iterable[Row]:
    return Price.objects.filter(offering__in=among(ids), superseded_at=None).values_list("id", *_COLUMNS)


def _sources() -> dict[str, SourceFact]:
    ended = [SourceRun.Status.CHANGED, SourceRun.Status.UNCHANGED]
    began = dict(
        SourceRun.objects.filter(status__in=ended).values_list("source__slug").annotate(first=Min("observed_at"))
    )
    return with_origins(
        {
            slug: SourceFact(slug, s.NAME, s.TRUST, s.PRECEDENCE, s.COPIES, s.STATES_HISTORY, began.get(slug))
            for slug, s in all_sources().items()
        }
    )


def _row(offering: int, price: Accepted, source_ids: Mapping[str, int]) -> Row:
    claim = price.claim
    is_open = price.effective_until is None and price.known_until is None
    return (
        offering, *_key_of(claim), claim.amount, claim.per, claim.currency,
        price.effective_from, price.effective_until, price.known_from,
        price.known_until, claim.id, source_ids[claim.source], price.basis, price.precision, price.evidence_at,
        price.observed_at, price.seen_at if is_open else price.observed_at,
        price.trust, list(price.agreeing), bool(price.disputed_by), price.why[:1000],
    )  # fmt: skip
