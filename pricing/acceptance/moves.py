"""Could this be a unit error? A source's jump from one price to another, judged by evidence.

A list that states the present says one price, then another. Most moves are ordinary. An *odd* one changes the price
at least fivefold, to or from zero, or the currency: a vendor may have done that, or somebody wrote dollars per
thousand tokens into a column of dollars per million. What decides is evidence that existed by the epoch:

- what independent sources say of the very same price;
- siblings: what other sellers ask for the same weights;
- the maker's list: what the maker's other models cost at the same seller;
- the price's own relations: output far below input, cached input above input, one of the two free.

A first price needs no evidence unless it is *steep*, above what any token was ever sold for: then somebody must
confirm it.

The verdicts: `move` (believed as it stands), `unit_fix` (the old value was wrong, so the new one counts from the start
of the old), `refused` (the new value is implausible, the old was not), `held` (evidence cannot decide). Dated
histories correct themselves and are not judged. The vendor's own page is evidence itself: alone it is believed, and
held only where it steps by a power of ten that no vendor's list explains and everybody who looked since speaks against.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from pricing.acceptance.facts import MAKERS_LIST, SIBLING, ClaimFact, SourceFact, Witness, agrees, near
from pricing.sources import OFFICIAL
from pricing.units import is_token_unit

MOVE, UNIT_FIX, REFUSED, HELD = "move", "unit_fix", "refused", "held"

ODD = Decimal(5)
"""From this factor on a move needs evidence."""
STEEP = Decimal("0.001")
"""USD a token, $1,000 per million: the dearest ever listed is $600 (o1-pro's output), so more is a slip of units."""
_POWER_TOLERANCE = Decimal("0.02")
"""How far a ratio may lie from a power of ten and still look like a change of unit."""
_NO_CUT_IS_AS_DEEP = Decimal(100)
"""No vendor has cut or raised a list price by this factor in one step; a slip of units does it at once."""
_CLOSE = Decimal(2)
"""Sellers of the same weights within this factor of each other agree, for the question of the unit."""
_ENOUGH = 3
"""How many prices make a maker's list that can say what is far outside it."""
_BELOW = Decimal("1.5")
"""Output at less than input over this is no price anybody asks; cached input above input times 1.05 neither."""

_COUNTERPART = {"input": "output", "output": "input"}


def is_judged(source: SourceFact) -> bool:
    """Whether the moves of a source can need evidence besides itself."""
    return not source.states_history


def is_page(source: SourceFact) -> bool:
    """Whether a source is a vendor's own page, which is believed unless all others are against it."""
    return source.trust == OFFICIAL


def is_odd(old: ClaimFact, new: ClaimFact, source: SourceFact) -> bool:
    """Whether the step from one claim of a source to its next is too large to believe unasked."""
    if is_page(source):
        return old.currency == new.currency and bool(old.each and new.each) and _is_power_of_ten(old.each, new.each)
    if old.currency != new.currency:
        return True
    mine, theirs = sorted((old.each, new.each))
    return mine != theirs and (mine == 0 or theirs / mine >= ODD)


def is_steep(claim: ClaimFact, source: SourceFact) -> bool:
    """Whether the price of a token is higher than any ever was, and not on its vendor's own page."""
    return not is_page(source) and claim.each > STEEP and claim.currency == "USD" and is_token_unit(claim.unit)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an odd move, and why, as the second half of a sentence."""

    kind: str
    why: str


@dataclass(frozen=True)
class Evidence:
    """What is there to judge the moves of one offering by; all of it is filtered by the epoch asked for."""

    claims: Sequence[ClaimFact]
    sources: Mapping[str, SourceFact]
    witnesses: Sequence[Witness]

    def moments(self, unit: str) -> set[datetime]:
        """When a verdict on the unit may change: evidence of it appears or is taken back."""
        found: set[datetime] = set()
        for claim in self.claims:
            found |= {claim.evidence_at, *filter(None, (claim.withdrawn_at,))}
        for witness in self.witnesses:
            if witness.unit == unit:
                found |= {witness.evidence_at, *filter(None, (witness.withdrawn_at,))}
                found |= set(filter(None, (witness.effective_from, witness.effective_until)))
        return found

    def judge(self, old: ClaimFact, new: ClaimFact, epoch: datetime) -> Verdict:
        """The verdict on an odd move by what was known at the epoch."""
        judge = self._judge_page if is_page(self.sources[new.source]) else self._judge_list
        return judge(old, new, epoch, self._voices(new, epoch))

    def _judge_list(
        self, old: ClaimFact, new: ClaimFact, epoch: datetime, voices: Sequence[ClaimFact]
    ) -> Verdict:  # fmt: skip
        """The verdict on an odd move of a source that is not the vendor's page."""
        confirming = [claim for claim in voices if agrees(claim, new)]
        contradicting = [c for c in voices if agrees(c, old) and min(c.last_seen_at, epoch) >= new.first_seen_at]
        if old.currency != new.currency:
            if confirming:
                return Verdict(MOVE, f"{self._name(confirming[0])} states the same in {new.currency}")
            return Verdict(HELD, f"the currency changed from {old.currency} to {new.currency}")
        siblings = self._witnesses(SIBLING, new, epoch)
        unit_like = bool(old.each and new.each) and _is_unit_like(old.each, new.each)
        # Makers list models of very different sizes: what lies outside tells of a slip of units, not of a high price.
        makers = self._witnesses(MAKERS_LIST, new, epoch) if unit_like else []
        old_fault = self._fault(old, epoch, siblings, makers)
        # A deep cut leaves behind all who have not followed yet, so they are no evidence against it.
        against = siblings if unit_like or new.each > old.each else []
        new_fault = self._fault(new, epoch, against, makers)
        already = [c for c in confirming if c.evidence_at <= old.last_seen_at]
        if not old_fault and already:
            old_fault = f"{self._name(already[0])} said {_text(new)} all along"
        if not new_fault and contradicting and not confirming:
            new_fault = f"{self._name(contradicting[0])} still says {_text(old)}"
        if new_fault and old_fault:
            return Verdict(HELD, f"neither is plausible: of the new price {new_fault}, of the old one {old_fault}")
        if new_fault:
            return Verdict(REFUSED, new_fault)
        if new.each == 0:
            return Verdict(MOVE, "it is free there too") if confirming else Verdict(HELD, "nobody else says it is free")
        if old.each == 0:
            return Verdict(MOVE, "it was free")
        good = self._support(new, confirming, siblings, makers)
        if old_fault and good and unit_like:
            return Verdict(UNIT_FIX, f"{old_fault}, and {good}")
        if confirming:
            return Verdict(MOVE, good)
        if not unit_like:
            return Verdict(MOVE, "the factor is none between units")
        if self._repriced(old, new, epoch):
            return Verdict(MOVE, "its other prices moved by other factors with it")
        return Verdict(
            HELD, f"it is {_factor(old.each, new.each)} the last price, and nothing else says which is right"
        )

    def judge_first(self, claim: ClaimFact, epoch: datetime) -> Verdict:
        """The verdict on a steep price that nothing went before, by what was known at the epoch."""
        confirming = [voice for voice in self._voices(claim, epoch) if agrees(voice, claim)]
        if confirming:
            return Verdict(MOVE, f"{self._name(confirming[0])} says {_text(claim)} too")
        if fault := self._fault(claim, epoch, self._witnesses(SIBLING, claim, epoch), ()):
            return Verdict(REFUSED, fault)
        return Verdict(HELD, "no token was ever sold so dear, and nobody else says it")

    def _judge_page(
        self, old: ClaimFact, new: ClaimFact, epoch: datetime, voices: Sequence[ClaimFact]
    ) -> Verdict:  # fmt: skip
        """The verdict on a vendor's own step by a power of ten: against it stand those who looked since, all of them.

        A source that priced it far from the new amount for the same moment contradicts it; one that is near it, or
        another unit that moved with it by a factor of its own, bears it out.
        """
        since = new.effective_from or new.first_seen_at
        of_the_day = [
            voice
            for voice in voices
            if voice.currency == new.currency
            and min(voice.last_seen_at, epoch) >= new.first_seen_at
            and (voice.effective_from is None or voice.effective_from <= since)
            and (voice.effective_until is None or voice.effective_until > since)
        ]
        if not of_the_day or any(voice.each and _apart(voice.each, new.each) < ODD for voice in of_the_day):
            return Verdict(MOVE, "the vendor's own page says so, and not everybody else speaks against it")
        if self._repriced(old, new, epoch):
            return Verdict(MOVE, "its other prices moved by other factors with it")
        said = " and ".join(sorted(f"{self._name(voice)} says {_text(voice)}" for voice in of_the_day))
        return Verdict(HELD, f"it is {_factor(old.each, new.each)} the last price, and {said}")

    def _voices(self, about: ClaimFact, epoch: datetime) -> list[ClaimFact]:
        """What independent sources say of the same price at the epoch."""
        own = self.sources[about.source]
        return [
            claim
            for claim in self.claims
            if claim.slot == about.slot
            and claim.schedule == about.schedule
            and claim.known_by(epoch)
            and not self.sources[claim.source].is_kin(own)
        ]

    def _name(self, claim: ClaimFact) -> str:
        return self.sources[claim.source].name

    def _witnesses(self, kind: str, about: ClaimFact, epoch: datetime) -> list[Witness]:
        """What others cost when the new price appeared; of who was first heard later, the first that was heard."""
        by_name: dict[str, list[Witness]] = defaultdict(list)
        for witness in self.witnesses:
            if (
                (witness.kind, witness.unit, witness.currency) == (kind, about.unit, about.currency)
                and witness.each > 0
                and witness.evidence_at <= epoch
            ):
                by_name[witness.name].append(witness)
        found: list[Witness] = []
        for told in by_name.values():
            then = [witness for witness in told if witness.speaks_of(about.first_seen_at)]
            later = [witness for witness in told if witness.evidence_at > about.first_seen_at]
            first = min((witness.evidence_at for witness in later), default=None)
            found += then or [witness for witness in later if witness.evidence_at == first]
        return found

    def _fault(
        self, claim: ClaimFact, epoch: datetime, siblings: Sequence[Witness], makers: Sequence[Witness]
    ) -> str:  # fmt: skip
        """Why the amount is implausible by itself; '' where it is not."""
        if broken := self._broken_relation(claim, epoch):
            return broken
        if claim.each == 0:
            return ""
        if siblings and all(_apart(claim.each, s.each) >= ODD for s in siblings):
            nearest = min(siblings, key=lambda s: (_apart(claim.each, s.each), s.name, s.each))
            return (
                f"{_text(claim)} is {_factor(nearest.each, claim.each)} what {nearest.name} asks for the same weights"
            )
        if not siblings and len(makers) >= _ENOUGH:
            amounts = sorted(witness.each for witness in makers)
            if claim.each >= amounts[-1] * ODD or claim.each <= amounts[0] / ODD:
                return f"{_text(claim)} lies far outside the maker's own list"
        return ""

    def _broken_relation(self, claim: ClaimFact, epoch: datetime) -> str:
        beside = self._beside(claim, epoch)
        if (other := beside(_COUNTERPART.get(claim.unit, ""))) is not None:
            if (claim.each == 0) != (other == 0):
                return f"{claim.unit} and {_COUNTERPART[claim.unit]} are not free together"
            into, out = (claim.each, other) if claim.unit == "input" else (other, claim.each)
            if out * _BELOW < into:
                return f"output would cost less than input ({_text(claim)})"
        if claim.unit == "cache_read":
            into_ = beside("input")
            if into_ is not None and into_ > 0 and claim.each > into_ * Decimal("1.05"):
                return f"cached input would cost more than input ({_text(claim)})"
        return ""

    def _beside(self, claim: ClaimFact, epoch: datetime) -> Callable[[str], Decimal | None]:
        """What the same source said of another unit of the same request while it said this."""

        def amount(unit: str) -> Decimal | None:
            found = [
                other
                for other in self.claims
                if other.unit == unit
                and (other.source, other.slot[1:], other.schedule, other.currency)
                == (claim.source, claim.slot[1:], claim.schedule, claim.currency)
                and other.evidence_at <= epoch
                and other.first_seen_at <= claim.last_seen_at
                and claim.first_seen_at <= other.last_seen_at
            ]
            return min(found, key=lambda o: (o.first_seen_at, o.id)).each if found else None

        return amount

    def _support(
        self, new: ClaimFact, confirming: Sequence[ClaimFact], siblings: Sequence[Witness], makers: Sequence[Witness]
    ) -> str:
        """Who says that the new amount is right; '' where nobody does."""
        if confirming:
            return f"{self._name(confirming[0])} says {_text(new)} too"
        close = [s for s in siblings if _apart(new.each, s.each) <= _CLOSE]
        if close:
            nearest = min(close, key=lambda s: (not near(new.each, s.each), _apart(new.each, s.each), s.name, s.each))
            return f"{nearest.name} asks about {_text(new)} for the same weights"
        if siblings:
            return "it lies among what others ask for the same weights"
        if len(makers) >= _ENOUGH:
            return f"{_text(new)} lies within the maker's own list"
        return "output costs more than input again" if _COUNTERPART.get(new.unit) else ""

    def _repriced(self, old: ClaimFact, new: ClaimFact, epoch: datetime) -> bool:
        """Whether another unit moved the same way in the same step, by a factor that is none between units."""
        then, now = self._beside(old, epoch), self._beside(new, epoch)
        for unit in {claim.unit for claim in self.claims} - {new.unit}:
            before, after = then(unit), now(unit)
            if not before or not after or before == after or _is_power_of_ten(before, after):
                continue
            if (before < after) == (old.each < new.each):
                return True
        return False


def _apart(one: Decimal, other: Decimal) -> Decimal:
    """By which factor two positive amounts differ, ≥ 1."""
    return max(one / other, other / one)


def _is_power_of_ten(one: Decimal, other: Decimal) -> bool:
    factor = _apart(one, other)
    while factor > ODD:
        factor /= 10
        if abs(factor - 1) <= _POWER_TOLERANCE:
            return True
    return False


def _is_unit_like(old: Decimal, new: Decimal) -> bool:
    return _is_power_of_ten(old, new) or _apart(old, new) >= _NO_CUT_IS_AS_DEEP


def _factor(old: Decimal, new: Decimal) -> str:
    """How many times the old the new is: `1000×`, `1/10 of`."""
    if new >= old:
        return f"{round(new / old, 1).normalize():f}×"
    return f"1/{round(old / new, 1).normalize():f} of"


def _text(claim: ClaimFact) -> str:
    return f"{claim.amount.normalize():f}"
