"""Is another model worth moving to? From a use, what is offered and known of it, to a recommendation or a refusal.

Pure. The saving is what is paid less what the candidate would cost on the same token log, a range over the factors; a
candidate is recommended where it is equal or better and the low end of its saving is above 0. What would cost less and
is not recommended is refused with the reason in a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from pricing.noninferiority import Verdict
from usage.advice import Caution, Factor, Kind, Range, Reason, Recommendation, Refused, Step
from usage.substitution import factors as counting
from usage.substitution.describing import cautions, changes, cost_lines, said_of
from usage.substitution.needs import Needs, Unmet, observed
from usage.substitution.offers import Candidate, Rated, start_of
from usage.substitution.quality import OWN, Quality, judged
from usage.substitution.repricing import Assumption, Repriced, Scale, cost_of, monthly, monthly_range, reprice
from usage.substitution.setting import AHEAD, Baseline, Setting, baseline
from usage.substitution.shortlisting import by_model, first, other_efforts, refusal, resold
from usage.substitution.wording import day, money, points, span
from usage.token_log import Use

SOON: Final = timedelta(days=90)
"""An announced price within so many days that eats the saving refuses the move."""
_NOTHING: Final = Decimal(0)
GOOD: Final = (Verdict.EQUAL, Verdict.BETTER)


@dataclass(frozen=True, slots=True)
class Weighed:
    """What pays, the most certain money first, and what would cost less and is refused, the most money first."""

    recommendations: tuple[Recommendation, ...]
    refused: tuple[Refused, ...]


def weigh(use: Use, current: Candidate, candidates: Iterable[Candidate], setting: Setting) -> Weighed:
    """Every candidate, at every effort of which something is known, against what is in use.

    `current.side.effort` is the effort in use; the model's other efforts are candidates, too. Other offers of the same
    weights are not weighed here (`usage.same_weights`).
    """
    base = baseline(use, current, setting.on)
    if base is None:
        return Weighed((), ())
    needs = observed(setting.needs, use)
    known = setting.scores.efforts_by_model(current.rated)
    found: list[Recommendation | Refused | None] = []
    for rated, ranked in by_model(candidates, base, setting, needs).items():
        for effort in (rated.effort,) if rated.effort else sorted(known.get(rated.model, ("",))):
            quality = judged(base.offer.rated, Rated(rated.model, effort), setting.scores, setting.standards)
            chosen = first(ranked, is_good=quality.verdict in GOOD)
            found += [_weighed(base, offer.at(effort=effort), setting, needs, quality) for offer in chosen]
    for effort in other_efforts(setting.scores, current.rated):
        offer = base.offer.at(effort=effort)
        quality = judged(base.offer.rated, offer.rated, setting.scores, setting.standards)
        found.append(_weighed(base, offer, setting, needs, quality))
    return ordered(one for one in found if one is not None)


def ordered(found: Iterable[Recommendation | Refused]) -> Weighed:
    """The two kinds apart, in their order."""
    every = list(found)
    moves = [one for one in every if isinstance(one, Recommendation)]
    refused = [one for one in every if isinstance(one, Refused)]
    moves.sort(key=lambda one: (-one.saving.low, -one.saving.high, one.key))
    refused.sort(key=lambda one: (-(one.saving.high if one.saving else _NOTHING), one.candidate.key))
    return Weighed(tuple(moves), tuple(refused))


def _weighed(
    base: Baseline, offer: Candidate, setting: Setting, needs: Needs, quality: Quality
) -> Recommendation | Refused | None:
    """The verdict on one variant; None where it would cost more, which needs no reason."""
    found = counting.of(base.offer.rated, offer.rated, setting.counts)
    priced = reprice(base.sliced, offer, start_of(setting.on), counting.scale(found), base.offer)
    if priced.cost is None:
        return _unpriced(base, offer, priced, setting, quality)
    saving = saving_of(base.paying, priced, setting.days)
    if saving.high <= 0 and not (quality.verdict in GOOD and _looks_cheaper(base, offer, priced, setting)):
        return None
    weighing = _Weighing(base, offer, setting, needs, found, priced, saving, quality)
    return weighing.refused() or weighing.recommended()


def _looks_cheaper(base: Baseline, offer: Candidate, priced: Repriced, setting: Setting) -> bool:
    """Whether it costs less before any factor, or its prices of input and output are lower: somebody may propose it."""
    if priced.plain is not None and priced.plain < base.paying:
        return True
    now, then = (one.listed(start_of(setting.on)) for one in (base.offer, offer))
    return now is not None and then is not None and then != now and all(b <= a for a, b in zip(now, then, strict=True))


def saving_of(paying: Decimal, priced: Repriced, days: int) -> Range:
    """What a month saves: what is paid less what it would cost. ValueError where the cost is unknown."""
    if priced.cost is None:
        raise ValueError("What has no price saves nothing that is known.")
    return monthly_range(Range(paying - priced.cost.high, paying - priced.cost.low), days)


def _unpriced(base: Baseline, offer: Candidate, priced: Repriced, setting: Setting, quality: Quality) -> Refused | None:
    if not offer.in_force(start_of(setting.on)):
        why = "No source says what it costs."
    else:
        why = f"No price is known of {', '.join(one.replace('_', ' ') for one in priced.unpriced)}."
    if quality.verdict in (None, Verdict.WORSE):
        return None
    return Refused(base.offer.side, offer.side, Reason.UNPRICED, why, None, quality.evidence, quality.items)


def steps_of(base: Baseline, offer: Candidate, setting: Setting, priced: Repriced, scale: Scale) -> tuple[Step, ...]:
    """Today's saving and what announced prices of either side make of it within a year, each from its day on."""
    today = saving_of(base.paying, priced, setting.days)
    return steps_by(
        base, offer, setting, today,
        lambda edge: saving_then(base, reprice(base.sliced, offer, edge, scale, base.offer), edge, setting),
    )  # fmt: skip


def steps_by(
    base: Baseline, offer: Candidate, setting: Setting, today: Range, saving_at: Callable[[datetime], Range | None]
) -> tuple[Step, ...]:
    """The same of a saving that is told by the moment; None of a moment is unknown."""
    moment = start_of(setting.on)
    found, until = [Step(setting.on, today)], moment + AHEAD
    for edge in sorted({*base.offer.changes_after(moment, until), *offer.changes_after(moment, until)}):
        saving = saving_at(edge)
        if saving is not None and saving != found[-1].saving:
            found.append(Step(edge.date(), saving))
    return tuple(found)


def saving_then(base: Baseline, then: Repriced, moment: datetime, setting: Setting) -> Range | None:
    """What is saved at the cards of a later moment; None where what it would cost then is unknown."""
    if then.cost is None:
        return None
    return saving_of(base.paying_at(cost_of(base.sliced, base.offer, moment)), then, setting.days)


def pays(saving: Range) -> bool:
    """Whether a move surely saves."""
    return saving.low > 0


def announced(
    steps: Sequence[Step], offer: Candidate, setting: Setting, is_worth: Callable[[Range], bool] = pays
) -> Unmet | None:
    """What is announced within `SOON` that speaks against a move: a price that eats the saving, or none at all."""
    soon = setting.on + SOON
    step = next((one for one in steps if setting.on < one.on <= soon and not is_worth(one.saving)), None)
    if step is not None:
        today, then = (span(one.saving, setting.currency) for one in (steps[0], step))
        why = f"It saves {today} a month today, but from {day(step.on)} on {then}: the price is announced."
        return Reason.NOT_CHEAPER, why
    ends = offer.ends_after(start_of(setting.on), start_of(soon))
    if ends is not None:
        return Reason.UNPRICED, f"Its price ends on {day(ends.date())}, and what follows is not announced."
    return None


@dataclass(frozen=True, slots=True)
class _Weighing:
    base: Baseline
    offer: Candidate
    setting: Setting
    needs: Needs
    factors: tuple[Factor, ...]
    priced: Repriced
    saving: Range
    quality: Quality

    def refused(self) -> Refused | None:
        """The first reason against it: that it is worse or nobody knows, what it is and what the work needs, what it
        saves, what its quality still lacks."""
        for check in (self._worse, self._unknown, self._use, self._money, self._evidence, self._floor, self._soon):
            found = check()
            if found:
                reason, why = found
                return Refused(
                    self.base.offer.side, self.offer.side, reason, why, self.saving, self.quality.evidence,
                    self.quality.items if reason is Reason.NOT_ENOUGH else None,
                )  # fmt: skip
        return None

    def recommended(self) -> Recommendation:
        setting, verdict = self.setting, self.quality.verdict
        if verdict is None:
            raise ValueError("What nothing is known of is not recommended.")
        steps = self._steps()
        return Recommendation(
            Kind.SUBSTITUTION, self.base.offer.side, self.offer.side, verdict,
            monthly(self.base.paying, setting.days), self.saving, self._why(),
            evidence=self.quality.evidence, factors=self.factors,
            lines=cost_lines(self.base.priced, self.priced),
            changes=changes(self.base.offer, self.offer, start_of(setting.on)),
            cautions=(*self._untold(), *cautions(self.base, self.offer, setting, self.priced, steps, self.factors)),
            steps=steps,
        )  # fmt: skip

    @property
    def scale(self) -> Scale:
        return counting.scale(self.factors)

    def _steps(self) -> tuple[Step, ...]:
        return steps_of(self.base, self.offer, self.setting, self.priced, self.scale)

    def _use(self) -> Unmet | None:
        """What speaks against using it. A trait that no source states is shown by an own evaluation that went well: it
        was asked what the work asks. One that is known to be missing refuses all the same."""
        against = self._against(self.needs)
        if against and against[0] is Reason.UNKNOWN and self._is_shown:
            against = self._against(replace(self.needs, traits=frozenset()))
        return resold(self.offer, self.setting) or against

    def _against(self, needs: Needs) -> Unmet | None:
        counted = [one.high for one in self.factors if one.unit == "input" and not one.assumed]
        return refusal(self.offer, self.setting, needs, max([Decimal(1), *counted]))

    @property
    def _is_shown(self) -> bool:
        return self.quality.verdict in GOOD and any(one.decides and one.source == OWN for one in self.quality.evidence)

    def _untold(self) -> tuple[Caution, ...]:
        against = self._against(self.needs)
        if against is None:
            return ()
        return (Caution("doubt", "No source speaks of a need", f"{against[1]} Your evaluation went well without."),)

    def _unknown(self) -> Unmet | None:
        return (Reason.NO_EVIDENCE, self.quality.why) if self.quality.verdict is None else None

    def _worse(self) -> Unmet | None:
        return (Reason.WORSE, self.quality.why) if self.quality.verdict is Verdict.WORSE else None

    def _money(self) -> Unmet | None:
        if self.saving.low > 0:
            return None
        told = [*self._by_prices_alone(), f"W{said_of(self.factors)[1:]}, it is {self._saving()}."]
        if Assumption.UNCACHED in self.priced.assumed:
            told.append("It has no price for cached input, so what is read from a cache today is counted in full.")
        if any(one.assumed for one in self.factors):
            told.append("An evaluation of your own that counts the tokens of both would narrow that.")
        return Reason.NOT_CHEAPER, " ".join(told)

    def _by_prices_alone(self) -> list[str]:
        if self.priced.plain is None:
            return []
        saved = monthly(self.base.paying - self.priced.plain, self.setting.days)
        if saved > 0:
            return [f"By its prices alone it would save {money(saved, self.setting.currency)} a month."]
        more = money(-saved, self.setting.currency)
        return [f"Its prices of input and output are lower, and the same tokens would cost {more} a month more."]

    def _saving(self) -> str:
        return span(self.saving, self.setting.currency)

    def _evidence(self) -> Unmet | None:
        return None if self.quality.verdict in GOOD else (Reason.NOT_ENOUGH, self.quality.why)

    def _floor(self) -> Unmet | None:
        floor = self.setting.standards.floor
        if floor is None or self.quality.floor_met:
            return None
        rating = self.setting.scores.arena.get(self.offer.rated)
        if rating is None or rating.low is None:
            return (
                Reason.FLOOR,
                f"Nobody rates it with an interval, and the project asks for {points(floor)} points at least.",
            )
        return (
            Reason.FLOOR,
            f"The lower end of its rating by {rating.name} is {points(rating.low)}; the project asks for "
            f"{points(floor)} at least.",
        )

    def _soon(self) -> Unmet | None:
        return announced(self._steps(), self.offer, self.setting)

    def _why(self) -> str:
        paying = money(monthly(self.base.paying, self.setting.days), self.setting.currency)
        return f"{self.quality.why} It saves {self._saving()} of {paying} a month: {said_of(self.factors)}."
