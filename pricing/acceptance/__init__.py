"""Which price we hold true: a pure function of what the sources claim and what people decided.

`accept(claims, sources, decisions, witnesses)` looks at every moment at which evidence appeared (an *epoch*), lays out
by the evidence of that moment which price held when, and joins epochs that say the same. It reads nothing else, so the
order in which snapshots were replayed cannot matter, and a recomputation must give the stored rows again.

`spans` lays out what each source says, `moves` judges steps that could be unit errors, `timeline` chooses between
sources, `grades` says how well a price is known, `events` reads what changed out of the result.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from pricing.acceptance.facts import (
    ACCEPT,
    AGREES_WITHIN,
    FIRST_SALE,
    FRESH,
    KNOWN_ERROR,
    MAKERS_LIST,
    REJECT,
    SIBLING,
    Acceptance,
    Accepted,
    ClaimFact,
    Hold,
    SourceFact,
    Witness,
    agrees,
    same_price,
    with_origins,
)
from pricing.acceptance.grades import EVIDENCE, STALE, grade, grade_edges, grade_of
from pricing.acceptance.moves import Evidence, is_page
from pricing.acceptance.spans import has_odd_move, lay_out
from pricing.acceptance.timeline import alone, passed_by_at, timelines

__all__ = [
    "ACCEPT",
    "AGREES_WITHIN",
    "EVIDENCE",
    "FIRST_SALE",
    "FRESH",
    "KNOWN_ERROR",
    "MAKERS_LIST",
    "REJECT",
    "SIBLING",
    "STALE",
    "Acceptance",
    "Accepted",
    "ClaimFact",
    "Hold",
    "SourceFact",
    "Witness",
    "accept",
    "agrees",
    "grade",
    "grade_edges",
    "grade_of",
    "odd_units",
    "same_price",
    "with_origins",
]

Slot = tuple[object, ...]


def accept(
    claims: Iterable[ClaimFact], sources: Mapping[str, SourceFact], decisions: Mapping[int, str] | None = None,
    witnesses: Sequence[Witness] = (),
) -> Acceptance:  # fmt: skip
    """The accepted prices of one offering, all epochs, in a stable order, and what is held back now.

    `decisions` maps claim ids to `accept`, `reject` or `known_error`; the latter two are not heard. `witnesses` are
    the prices of other offerings that an odd move is judged by (`odd_units` says whether any is needed). No two prices
    of one key overlap in both times.
    """
    decided = decisions or {}
    slots = _slots(claims, decided)
    heard = [claim for own in slots.values() for claim in own]
    result = Acceptance()
    for slot in sorted(slots, key=repr):
        _accept_slot(slots[slot], heard, sources, decided, witnesses, result)
    return result


def odd_units(
    claims: Iterable[ClaimFact], sources: Mapping[str, SourceFact], decisions: Mapping[int, str] | None = None
) -> set[str]:
    """The units of which a source made a step that only evidence from outside the offering can judge."""
    slots = _slots((claim for claim in claims if not is_page(sources[claim.source])), decisions or {})
    return {own[0].unit for own in slots.values() if has_odd_move(own, sources)}


def _slots(claims: Iterable[ClaimFact], decided: Mapping[int, str]) -> dict[Slot, list[ClaimFact]]:
    slots: dict[Slot, list[ClaimFact]] = defaultdict(list)
    for claim in claims:
        if decided.get(claim.id) not in (REJECT, KNOWN_ERROR):
            slots[claim.slot].append(claim)
    for own in slots.values():
        own.sort(key=lambda c: (c.evidence_at, c.source, c.schedule, c.first_seen_at, c.amount, c.id))
    return slots


def _accept_slot(
    claims: Sequence[ClaimFact], beside: Sequence[ClaimFact], sources: Mapping[str, SourceFact],
    decided: Mapping[int, str], witnesses: Sequence[Witness], result: Acceptance,
) -> None:  # fmt: skip
    judged = has_odd_move(claims, sources)
    if len(claims) == 1 and claims[0].withdrawn_at is None and claims[0].until_known_at is None and not judged:
        result.prices.append(alone(claims[0], sources, decided))
        return
    moments: set[datetime | None] = {m for c in claims for m in (c.evidence_at, c.withdrawn_at, c.until_known_at)}
    moments |= set(passed_by_at(claims, sources))
    evidence = None
    if judged:
        evidence = Evidence(beside, sources, witnesses)
        first = min(claim.evidence_at for claim in claims)
        moments |= {moment for moment in evidence.moments(claims[0].unit) if moment > first}
    done: list[Accepted] = []
    standing: dict[tuple[object, ...], Accepted] = {}
    for epoch in sorted(moment for moment in moments if moment is not None):
        laid = lay_out(claims, epoch, sources, decided, evidence)
        segments = {segment.identity: segment for segment in timelines(laid, epoch, sources, decided)}
        for identity in [identity for identity in standing if identity not in segments]:
            done.append(replace(standing.pop(identity), known_until=epoch))
        for identity, segment in segments.items():
            earlier = standing.get(identity)
            # The reasons are the newest evidence's; the price has been known since it first appeared.
            moved = earlier is not None and earlier.known_from != segment.known_from
            standing[identity] = replace(segment, known_from=earlier.known_from) if earlier and moved else segment
    done += standing.values()
    result.prices += sorted(done, key=lambda a: (a.claim.schedule, a.known_from, a.effective_from))
    result.holds += laid.holds
