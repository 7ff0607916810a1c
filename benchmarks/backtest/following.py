"""One recommendation followed for six months, and the most that the same project could have saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from benchmarks.backtest.projects import Constructed
from benchmarks.backtest.truth import Truth, months_from, paid, would_be
from usage.advice import Advice, Kind, Range, Recommendation, Side
from usage.substitution.needs import Needs, observed, unmet
from usage.substitution.offers import Candidate, Rated, start_of
from usage.substitution.repricing import Scale, Sliced, cheapest_hours, monthly
from usage.token_log import Use

MARGIN: Final = Decimal(15)
WAITS: Final = (Kind.BATCH, Kind.FLEX, Kind.OFF_PEAK)
"""Moves that gain as much as the project has requests that can wait."""
CONTENT: Final = (Kind.CACHED_PREFIX, Kind.CACHE_LIFETIME)
"""Moves whose gain hangs on what requests have in common, which a constructed project does not have."""
LOOKED_AT: Final = 12
"""Offers that an oracle follows for all months: those that save most on the first day."""
_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Followed:
    """A move with what it promised and what it saved, both of a month, the mean of six months.

    `difference` is the candidate's rating less the current one's by the newest table after the morning, None where
    none has both. The mean is over the months in which the current side was still sold, as a promise ends with it;
    `months` is for how many of these the candidate was sold and priced: after that it saves nothing.
    """

    move: Recommendation
    promised: Range
    realised: Decimal
    how: str
    difference: Decimal | None
    months: int
    of_months: int

    @property
    def is_inside(self) -> bool:
        return self.promised.low <= self.realised <= self.promised.high

    @property
    def width(self) -> float:
        return float((self.promised.high - self.promised.low) / self.move.paying) if self.move.paying else 0.0

    @property
    def keeps_quality(self) -> bool:
        return self.difference is not None and self.difference >= -MARGIN


@dataclass(frozen=True, slots=True)
class Unfollowed:
    move: Recommendation
    why: str


@dataclass(frozen=True, slots=True)
class Window:
    """What a project used before a morning, by offering and tier."""

    on: date
    days: int
    uses: Mapping[tuple[int, str], Sliced]

    def of(self, side: Side) -> Sliced:
        return self.uses[side.offering_id, side.service_tier]


def follow(truth: Truth, project: Constructed, window: Window, advice: Advice) -> Iterator[Followed | Unfollowed]:
    """Every decision of a morning, the surest first."""
    for move in advice.decisions:
        if move.kind in CONTENT:
            yield Unfollowed(move, "hangs on what requests have in common")
            continue
        share = Decimal(str(project.patient)) if move.kind in WAITS else Decimal(1)
        scale, how = truth.scale(_rated(move.current), _rated(move.candidate))
        days = [day for day in months_from(window.on) if truth.is_priced(window.of(move.current), move.current, day)]
        if not days:
            yield Unfollowed(move, "what was in use was withdrawn that month")
            continue
        saved = [_saved(truth, window, move, scale, day) for day in days]
        known = [one * share for one in saved if one is not None]
        yield Followed(
            move,
            promised(move, days),
            monthly(sum(known, _ZERO) / len(saved), window.days),
            f"{how}, {move.kind}" if move.kind in WAITS else how,
            truth.difference(_rated(move.current), _rated(move.candidate), window.on),
            len(known),
            len(days),
        )


def oracle(truth: Truth, window: Window, current: Side) -> tuple[Decimal, Side | None]:
    """The most that any one move of a use would have saved a month, known today, and to what.

    At the prices and to the offers of the morning as all evidence has them now, of models that later ratings put within
    the margin; an offer that is a preview, free or too small for the prompts is none.
    """
    market = truth.market(window.on)
    mine = market.at(current)
    if mine is None:
        return _ZERO, None
    sliced = window.of(current)
    at_once: list[tuple[Decimal, str, Side, Scale]] = []
    for offer in market.candidates.values():
        for candidate in _variants(truth, mine, offer):
            if _fits(candidate, sliced.use, window.on) and _is_good(truth, mine, candidate, window.on):
                scale, _ = truth.scale(mine.rated, candidate.rated)
                saved = _between(truth, window, mine.side, candidate.side, scale, window.on)
                if saved is not None and saved > 0:
                    at_once.append((saved, candidate.side.key, candidate.side, scale))
    best: tuple[Decimal, Side | None] = (_ZERO, None)
    for _, _, side, scale in sorted(at_once, key=lambda one: one[:2], reverse=True)[:LOOKED_AT]:
        mean = _mean(truth, window, mine.side, side, scale)
        best = (mean, side) if mean > best[0] else best
    return best


def _is_good(truth: Truth, current: Candidate, candidate: Candidate, on: date) -> bool:
    found = truth.difference(current.rated, candidate.rated, on)
    return found is not None and found >= -MARGIN


def _mean(truth: Truth, window: Window, current: Side, candidate: Side, scale: Scale) -> Decimal:
    """What a move saves a month over all that it is followed."""
    days = [day for day in months_from(window.on) if truth.is_priced(window.of(current), current, day)]
    saved = [_between(truth, window, current, candidate, scale, day) for day in days]
    return monthly(sum((one for one in saved if one is not None), _ZERO) / len(saved), window.days)


def _variants(truth: Truth, current: Candidate, offer: Candidate) -> Iterator[Candidate]:
    same = offer.at(current.side.service_tier)
    if offer.side.model == current.side.model:
        if offer.side.offering_id != current.side.offering_id:
            yield same.at(effort=current.side.effort)
        return
    for effort in truth.efforts(offer.side.model):
        yield same.at(effort=effort)


def _fits(candidate: Candidate, use: Use, on: date) -> bool:
    if candidate.is_preview or candidate.is_free(start_of(on)):
        return False
    return unmet(candidate, observed(Needs(), use), on) is None


def _saved(truth: Truth, window: Window, move: Recommendation, scale: Scale, day: date) -> Decimal | None:
    if move.kind is Kind.OFF_PEAK:
        here = truth.market(day).at(move.current)
        sliced = window.of(move.current)
        cheapest = cheapest_hours(sliced, here, start_of(day)) if here else None
        now = paid(sliced, here, day) if here else None
        cost = cheapest[0].cost if cheapest else None
        return None if now is None or cost is None else now - cost.low
    return _between(truth, window, move.current, move.candidate, scale, day)


def _between(truth: Truth, window: Window, current: Side, candidate: Side, scale: Scale, day: date) -> Decimal | None:
    """What the window's usage would have saved at a day's prices; None where either side is not sold or not priced."""
    market = truth.market(day)
    here, there = market.at(current), market.at(candidate)
    if here is None or there is None:
        return None
    sliced = window.of(current)
    now, then = paid(sliced, here, day), would_be(sliced, here, there, day, scale)
    return None if now is None or then is None else now - then


def promised(move: Recommendation, days: Sequence[date]) -> Range:
    """The mean of what each month was promised to save: announced prices are part of the promise."""
    ranges = []
    for day in days:
        held = [step.saving for step in move.steps if step.on <= day]
        ranges.append(held[-1] if held else move.saving)
    lows, highs = (sum((getattr(one, end) for one in ranges), _ZERO) / len(ranges) for end in ("low", "high"))
    return Range(lows, highs)


def _rated(side: Side) -> Rated:
    return Rated(side.model, side.effort)
