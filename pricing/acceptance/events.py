"""What changed, read out of the accepted prices and what is held back; pure, so a replay gives the same list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from pricing.acceptance.facts import FIRST_SALE, Acceptance, Accepted, ClaimFact, SourceFact, agrees, same_price

CUT, RISE, NEW, RETIRED, CORRECTION, UNIT_FIX = "cut", "rise", "new", "retired", "correction", "unit_fix"


@dataclass(frozen=True, slots=True)
class Event:
    """One change of one price line. `held` events are steps a source made and nobody believes yet."""

    kind: str
    claim: ClaimFact
    old: Decimal | None
    new: Decimal | None
    effective_from: datetime
    observed_at: datetime
    why: str
    held: bool = False


def events(acceptance: Acceptance, sources: Mapping[str, SourceFact]) -> Iterator[Event]:
    """Every event of an offering: its moves, its beginning and end, corrections of the past, and what is held."""
    lines: dict[tuple[object, ...], list[Accepted]] = defaultdict(list)
    for price in acceptance.prices:
        lines[price.claim.slot, price.claim.schedule].append(price)
    for line in lines.values():
        current = sorted((p for p in line if p.known_until is None), key=lambda p: p.effective_from)
        yield from _course(current, sources)
        yield from _corrections(line)
        yield from _mended_before_believed(current, line)
    for hold in acceptance.holds:
        claim, good, name = hold.claim, hold.instead, sources[hold.claim.source].name
        said = f"{claim.amount.normalize():f}"
        if good and good.currency != claim.currency:
            step = f"{name} went from {_money(good)} to {_money(claim)}"
        else:
            step = f"{name} went from {good.amount.normalize():f} to {said}" if good else f"{name} began with {said}"
        comparable = good if good and good.currency == claim.currency else None
        yield Event(
            _direction(comparable, claim) if comparable else NEW, claim,
            _in_unit_of(claim, comparable) if comparable else None, claim.amount,
            claim.effective_from or claim.first_seen_at, claim.first_seen_at,
            f"{step}: {hold.verdict}, because {hold.why}.", held=True,
        )  # fmt: skip


def _course(current: Sequence[Accepted], sources: Mapping[str, SourceFact]) -> Iterator[Event]:
    """How the price went, by all evidence there is."""
    if not current:
        return
    first, last = current[0], current[-1]
    said, began = first.repairs or first.claim, sources[first.claim.source].began
    # What stood in a source's first reading was not new then, unless the source itself dates its evidence.
    if said.evidence_at < said.first_seen_at or (began is not None and said.first_seen_at > began):
        yield Event(
            NEW, first.claim, None, first.claim.amount, first.effective_from, said.evidence_at, first.why
        )  # fmt: skip
    for before, after in pairwise(current):
        ended = before.effective_until
        away = ended if ended and ended < after.effective_from else None
        if away:
            yield _end(before, away, sources)
        if _is_same(before.claim, after.claim) or _only_who_is_believed(before, after):
            if away:
                yield Event(
                    NEW, after.claim, None, after.claim.amount, after.effective_from, after.claim.evidence_at,
                    f"{after.why} From {away:%Y-%m-%d} until then nobody stated a price.",
                )  # fmt: skip
            continue
        if before.claim.currency != after.claim.currency:
            # Two currencies are no more and no less: in its own this price is the first there is.
            yield Event(
                NEW, after.claim, None, after.claim.amount, after.effective_from, after.claim.evidence_at,
                f"{after.why} Until then it was {_money(before.claim)}.",
            )  # fmt: skip
            continue
        yield Event(
            _direction(before.claim, after.claim), after.claim, _in_unit_of(after.claim, before.claim),
            after.claim.amount, after.effective_from, after.claim.evidence_at, after.why,
        )  # fmt: skip
    if last.effective_until is not None:
        yield _end(last, last.effective_until, sources)


def _end(price: Accepted, ended: datetime, sources: Mapping[str, SourceFact]) -> Event:
    """The end of a price after which none is known, for good or until it is listed again."""
    claim, name = price.claim, sources[price.claim.source].name
    seen = claim.withdrawn_at or claim.until_known_at or claim.evidence_at
    stated = claim.effective_until == ended
    why = (
        f"{name} says that it ends then, and nobody says what holds after." if stated
        else f"{name} no longer lists it, and nobody else does."
    )  # fmt: skip
    return Event(RETIRED, claim, claim.amount, None, ended, seen, why)


def _only_who_is_believed(before: Accepted, after: Accepted) -> bool:
    """Whether nobody saw or dated a change: another source's word begins or ends to count, and the two differ."""
    if before.claim.source == after.claim.source:
        return False
    undated = before.effective_from == FIRST_SALE and before.basis == "inferred"
    return after.basis == "inferred" or (undated and before.claim.evidence_at > after.effective_from)


def _corrections(line: Sequence[Accepted]) -> Iterator[Event]:
    """Prices of a past start that later evidence reads otherwise: the catalogue was wrong, no vendor changed."""
    for wrong in line:
        if wrong.known_until is None:
            continue
        for right in line:
            known_then = right.known_from <= wrong.known_until and (
                right.known_until is None or right.known_until > wrong.known_until
            )
            held_then = right.effective_from <= wrong.effective_from and (
                right.effective_until is None or right.effective_until > wrong.effective_from
            )
            if known_then and held_then and not _is_same(right.claim, wrong.claim):
                mends = right.repairs is not None and same_price(right.repairs, wrong.claim)
                yield Event(
                    UNIT_FIX if mends else CORRECTION, right.claim, _in_unit_of(right.claim, wrong.claim),
                    right.claim.amount, wrong.effective_from, wrong.known_until, right.why,
                )  # fmt: skip


def _mended_before_believed(current: Sequence[Accepted], line: Sequence[Accepted]) -> Iterator[Event]:
    """Slips of a unit that were never taken for a price, and are mended now."""
    for price in current:
        wrong = price.repairs
        if wrong is not None and not any(same_price(p.claim, wrong) for p in line):
            yield Event(
                UNIT_FIX, price.claim, _in_unit_of(price.claim, wrong), price.claim.amount, price.effective_from,
                price.claim.evidence_at, price.why,
            )  # fmt: skip


def _is_same(one: ClaimFact, other: ClaimFact) -> bool:
    """Whether two claims are one price to a reader: equal, or two sources' roundings of one amount."""
    return same_price(one, other) or (one.source != other.source and agrees(one, other))


def _money(claim: ClaimFact) -> str:
    return f"{claim.amount.normalize():f} {claim.currency} per {claim.per:,}"


def _direction(old: ClaimFact, new: ClaimFact) -> str:
    return CUT if new.each < old.each else RISE


def _in_unit_of(claim: ClaimFact, other: ClaimFact) -> Decimal | None:
    """The amount of another claim as this one counts: per as many units; None in another currency."""
    if other.currency != claim.currency:
        return None
    return other.amount if other.per == claim.per else other.amount * claim.per / other.per
