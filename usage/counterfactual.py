"""What the same work would have cost where it was done before, and so what a move has really saved. Pure and exact.

A move is from an old side to a new one. Its *work* is what the old side did in the window whose token log made the
promise (the baseline): requests, and tokens of each kind. On every day since the move

    saved = w(d) × c(d) − spent(d)

where c(d) is what the baseline's tokens cost at the old side's prices of that day, times what the baseline cost more or
less than its plain prices say (long prompts, hours), and w(d) how much of that work moved over that day, in baselines.
Requests are compared with requests. Where they are unknown, tokens are, through the factors' range of how many more the
new side uses for the same work; then w is a range, and so is the saving. What did not move saves nothing: it is in no
term. What the new side had been doing before is not work that moved: of a day's work of both sides it keeps the share
it had in the baseline. `docs/decisions.md` says it with an example.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final

from pricing.cost import CardPrices, Tokens, rate
from usage.advice import MONTH, Factor, Range

_ROUND: Final = Context(prec=60, rounding=ROUND_HALF_UP)
_QUANTUM: Final = Decimal("1e-12")
DAYS_SEEN: Final = 3
"""Days in a row that a move has to be seen on, those without work left out."""
SLACK: Final = Decimal("0.1")
"""Of an end of a promise: the tokens of a request are never quite those of the window, and of the same weights the
promise is a point."""
Span = tuple[Fraction, Fraction]
"""From low to high."""


@dataclass(frozen=True, slots=True)
class Work:
    """What one side did: tokens by kind; requests and money None where unknown."""

    tokens: Tokens
    requests: int | None
    spent: Decimal | None

    @property
    def total(self) -> int:
        return self.tokens.prompt + (self.tokens.output or 0)


NOTHING: Final = Work(Tokens(), 0, Decimal(0))


@dataclass(frozen=True, slots=True)
class Baseline:
    """Both sides in the window before the move, of `days` UTC days, and the old side's plain prices then.

    `plain` None: the ratio of what was paid to the plain prices is unknown, and taken for 1.
    """

    old: Work
    new: Work
    days: int
    plain: Fraction | None


@dataclass(frozen=True, slots=True)
class Day:
    """Both sides on one UTC day since the move, with the old side's prices of that day.

    `to_display` is what one unit of the prices' currency is in that of the money; None where no rate is known.
    """

    on: date
    old: Work
    new: Work
    prices: CardPrices | None
    to_display: Fraction | None = Fraction(1)


@dataclass(frozen=True, slots=True)
class Saved:
    """What a day saved, from low to high, and its work in baselines."""

    on: date
    saving: Range
    work: Span


@dataclass(frozen=True, slots=True)
class Realised:
    """What a move has saved on its days: `total` is exactly their sum.

    `per_month` is of a month of the baseline's volume, to stand beside the promise; None where no work has moved.
    `unknown` are days of which it cannot be told, in no sum. `by_requests` says how the work was measured.
    """

    days: tuple[Saved, ...]
    unknown: tuple[date, ...]
    total: Range
    per_month: Range | None
    by_requests: bool


def realised(
    base: Baseline, days: Sequence[Day], factors: Sequence[Factor] = (), *, in_place: bool = False
) -> Realised:
    """What a move saved on these days. `in_place`: it kept offering and tier, so that all the side does has moved."""
    by_requests = counts_requests(base, days)
    found: list[Saved] = []
    unknown: list[date] = []
    for day in days:
        saved = _saved(base, day, _spans(factors), by_requests=by_requests, in_place=in_place)
        if saved is None:
            unknown.append(day.on)
        else:
            found.append(saved)
    low, high = (sum((getattr(one.saving, end) for one in found), Decimal(0)) for end in ("low", "high"))
    total = Range(low, high)
    return Realised(tuple(found), tuple(unknown), total, _per_month(base, total, found), by_requests)


def counts_requests(base: Baseline, days: Sequence[Day]) -> bool:
    """Whether all of the work is known in requests."""
    sides = [base.old, base.new, *(day.new for day in days), *(day.old for day in days)]
    return bool(base.old.requests) and all(side.requests is not None for side in sides)


class Outcome(StrEnum):
    """What became of a promise."""

    KEPT = "kept"
    MORE = "more than promised"
    LESS = "less than promised"


def outcome(promised: Range, saved: Range) -> Outcome:
    """Whether the middle of what was saved lies inside the promise, each of its ends a tenth of itself wider."""
    middle = (saved.low + saved.high) / 2
    if middle > promised.high + abs(promised.high) * SLACK:
        return Outcome.MORE
    return Outcome.LESS if middle < promised.low - abs(promised.low) * SLACK else Outcome.KEPT


def moved_on(base: Baseline, days: Sequence[Day]) -> date | None:
    """The first of three days in a row on which the work went over to the new side; None before that.

    It did on a day on which the new side carried, beyond what is its own, at least half the work that the old side
    carried on an average day of the baseline, and the old side at most half of it and no more than the new one. A day
    on which both carried less than half of an average day says nothing: a weekend, or the days between two runs of a
    weekly job. Work is requests, as a terse model writes fewer tokens for the same; tokens where requests are unknown.
    """
    by_requests = counts_requests(base, days)
    average = Fraction(_size(base.old, by_requests), base.days)
    own = Fraction(_size(base.new, by_requests), base.days)
    run: list[date] = []
    for day in days:
        moved, stayed = _size(day.new, by_requests) - own, _size(day.old, by_requests)
        if 2 * (moved + stayed) < average:
            continue
        run = [*run, day.on] if average and 2 * moved >= average >= 2 * stayed and moved >= stayed else []
        if len(run) == DAYS_SEEN:
            return run[0]
    return None


def begun_on(base: Baseline, days: Sequence[Day]) -> date | None:
    """The first day on which the new side did any of the work, be it little: since when a move counts that is said."""
    by_requests = counts_requests(base, days)
    return next((day.on for day in days if _moved_share(base, day, by_requests=by_requests)), None)


def _saved(base: Baseline, day: Day, spans: Mapping[str, Span], *, by_requests: bool, in_place: bool) -> Saved | None:
    moved = Fraction(1) if in_place else _moved_share(base, day, by_requests=by_requests)
    if not moved:
        return Saved(day.on, Range(Decimal(0), Decimal(0)), (Fraction(0), Fraction(0)))
    once = None if day.prices is None or day.to_display is None else cost(day.prices, base.old.tokens)
    if once is None or day.to_display is None or day.new.spent is None:
        return None
    once *= day.to_display
    if by_requests:
        work = moved * Fraction(day.new.requests or 0, base.old.requests or 1)
        ends = (work * once, work * once)
        span = (work, work)
    else:
        costs = _by_tokens(base, day, spans, moved)
        if costs is None or not once:
            return None
        ends = (costs[0] * day.to_display, costs[1] * day.to_display)
        span = (ends[0] / once, ends[1] / once)
    spent, more = moved * Fraction(day.new.spent), _ratio(base)
    low, high = (_rounded(end * more - spent) for end in ends)
    return Saved(day.on, Range(low, high), span)


def _moved_share(base: Baseline, day: Day, *, by_requests: bool) -> Fraction:
    """What part of the new side's day is work that moved: all but its share of both sides' work before."""
    old, new = (_size(side, by_requests) for side in (base.old, base.new))
    now = _size(day.new, by_requests)
    if not now or not old + new:
        return Fraction(0)
    own = Fraction(new, old + new) * (_size(day.old, by_requests) + now)
    return max(Fraction(0), 1 - own / now)


def _size(work: Work, by_requests: bool) -> int:
    return (work.requests or 0) if by_requests else work.total


def _by_tokens(base: Baseline, day: Day, spans: Mapping[str, Span], moved: Fraction) -> Span | None:
    """What the new side's tokens cost at the old side's prices, at the factors' high and low ends.

    The prompt is told apart into fresh and cached tokens as the baseline's was: caching is the seller's.
    """
    assert day.prices is not None  # noqa: S101 - the caller looked
    prompt, output = cost(day.prices, _only_prompt(base.old.tokens)), cost(day.prices, _only_output(base.old.tokens))
    if prompt is None or output is None:
        return None
    parts = []
    for once, before, now, unit in (
        (prompt, base.old.tokens.prompt, day.new.tokens.prompt, "input"),
        (output, base.old.tokens.output or 0, day.new.tokens.output or 0, "output"),
    ):
        each = once * now / before if before else Fraction(0)
        low, high = spans.get(unit, (Fraction(1), Fraction(1)))
        parts.append((moved * each / high, moved * each / low))
    return parts[0][0] + parts[1][0], parts[0][1] + parts[1][1]


def _spans(factors: Sequence[Factor]) -> dict[str, Span]:
    return {one.unit: (Fraction(one.low), Fraction(one.high)) for one in factors if one.low > 0}


def _ratio(base: Baseline) -> Fraction:
    """What the baseline cost for each unit of money that its plain prices say."""
    return Fraction(base.old.spent) / base.plain if base.old.spent and base.plain else Fraction(1)


def _per_month(base: Baseline, total: Range, days: Sequence[Saved]) -> Range | None:
    """The total for a month's baselines: each end with the work it was reckoned with."""
    low, high = (sum((day.work[end] for day in days), Fraction(0)) for end in (0, 1))
    if not low or not high:
        return None
    a_month = Fraction(MONTH) / base.days
    ends = sorted(_rounded(Fraction(money) * a_month / work) for money, work in ((total.low, low), (total.high, high)))
    return Range(ends[0], ends[1])


def cost(prices: CardPrices, tokens: Tokens) -> Fraction | None:
    """The cost of tokens, unrounded; None where a price is unknown."""
    parts = rate(prices, tokens).components
    if any(part.price is None for part in parts):
        return None
    return sum((part.tokens * Fraction(part.price) for part in parts if part.price is not None), Fraction(0))


def _only_prompt(tokens: Tokens) -> Tokens:
    return Tokens(tokens.input, tokens.cache_read, tokens.cache_write, 0, 0, tokens.cache_write_by_lifetime)


def _only_output(tokens: Tokens) -> Tokens:
    return Tokens(output=tokens.output, reasoning=tokens.reasoning)


def _rounded(amount: Fraction) -> Decimal:
    """Half away from zero at 1e-12, exactly."""
    scaled = amount * 10**12
    whole = abs(scaled.numerator) * 2 + scaled.denominator
    found = Decimal(whole // (2 * scaled.denominator)).scaleb(-12, _ROUND)
    return (-found if scaled < 0 else found).quantize(_QUANTUM, context=_ROUND)
