"""Disagreements: which claims contradict a price in force or to come, which are held back, which are known errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pricing.acceptance import Acceptance
from pricing.acceptance.moves import HELD
from pricing.catalog.known_errors import KnownError
from pricing.catalog.rows import among
from pricing.models import Claim, Disagreement, Offering

_State = Disagreement.State


@dataclass(frozen=True, slots=True)
class _Found:
    offering: int
    accepted: int | None
    state: str
    why: str


def write_disagreements(
    accepted: Mapping[int, Acceptance], own: Mapping[int, int], errors: Mapping[int, KnownError]
) -> None:  # fmt: skip
    """Open, hold, name or close the disagreements of some offerings, each where its reason began or ended.

    `own`: the claims made of these very offerings, and of which; what they borrow is disputed where it was said.
    """
    now = datetime.now(UTC)
    found = _found(accepted, own, now) | _known_errors(errors)
    known = {row.claim_id: row for row in Disagreement.objects.filter(offering__in=among(accepted))}
    Disagreement.objects.bulk_create(
        Disagreement(claim_id=claim, accepted_id=f.accepted, offering_id=f.offering, state=f.state, why=f.why[:1000])
        for claim, f in found.items()
        if claim not in known
    )
    changed = []
    for claim, row in known.items():
        f = found.get(claim)
        state = f.state if f else _State.RESOLVED
        why = f.why[:1000] if f else row.why
        if (row.state, row.why) == (state, why):
            continue
        if f is None and row.state != _State.RESOLVED:
            row.resolved_at = now
        elif f is not None:
            row.resolved_at, row.accepted_id = None, f.accepted
        row.state, row.why = state, why
        changed.append(row)
    Disagreement.objects.bulk_update(changed, ["state", "why", "accepted", "resolved_at"], batch_size=500)


def _found(accepted: Mapping[int, Acceptance], own: Mapping[int, int], now: datetime) -> dict[int, _Found]:
    own_shop = _sold_by_their_makers(accepted)
    found: dict[int, _Found] = {}
    for offering, acceptance in accepted.items():
        for price in acceptance.prices:
            ended = price.effective_until is not None and price.effective_until <= now
            if price.known_until is not None or ended or price.trust == "decision":
                continue  # superseded, over, or settled by a person
            # At the maker's own shop there is one list, and of two readings of it one is wrong.
            state = _State.HELD if price.contested and offering in own_shop else _State.OPEN
            for claim in (claim for claim in price.disputed_by if own.get(claim.id) == offering):
                found[claim.id] = _Found(offering, price.claim.id, state, price.why)
        for hold in (hold for hold in acceptance.holds if own.get(hold.claim.id) == offering):
            state = _State.HELD if hold.verdict == HELD else _State.OPEN
            found[hold.claim.id] = _Found(offering, hold.instead.id if hold.instead else None, state, hold.why)
    return found


def _known_errors(errors: Mapping[int, KnownError]) -> dict[int, _Found]:
    rows = Claim.objects.filter(pk__in=errors).values_list("pk", "offering_id") if errors else []
    return {pk: _Found(offering, None, _State.KNOWN_ERROR, errors[pk].why) for pk, offering in rows}


def _sold_by_their_makers(offerings: Mapping[int, Acceptance]) -> set[int]:
    rows = Offering.objects.filter(pk__in=[o for o, a in offerings.items() if any(p.contested for p in a.prices)])
    return {pk for pk, seller, maker in rows.values_list("pk", "provider__slug", "model__maker") if seller == maker}
