"""What came true: prices as all evidence has them now, ratings that came later, tokens that the other model takes.

Nobody published what another model would have taken of the same work, so that is taken from published runs of a
benchmark where both models have one, and else drawn from the ratios of all pairs that have: drawn by the names alone,
so the same in every run. How a promise stands is told apart by which of the two it rests on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Final

from pricing.answers.candidates import Offered, offered
from pricing.models import Score
from usage.advice import Range, Side
from usage.models import DailyCost, Organisation
from usage.recommending.evidence import ARENA, OVERALL, Published, published
from usage.recommending.offers import candidates
from usage.substitution.factors import Run
from usage.substitution.offers import Candidate, Rated, start_of
from usage.substitution.repricing import SAME, Scale, Sliced, cost_of, reprice

SAME_WEIGHTS, MEASURED, DRAWN = "same weights", "published runs", "drawn"
MONTHS: Final = 6


@dataclass(frozen=True, slots=True)
class Market:
    """What was sold on a day, as all evidence has it now."""

    offered: dict[int, Offered]
    candidates: dict[int, Candidate]

    def at(self, side: Side) -> Candidate | None:
        found = self.candidates.get(side.offering_id)
        return found.at(side.service_tier, side.effort) if found else None


class Truth:
    """What is known today of the months after a day."""

    def __init__(self, organisation: Organisation, today: date) -> None:
        self.organisation, self.today = organisation, today
        self._markets: dict[date, Market] = {}
        days = Score.objects.filter(benchmark__slug=ARENA, category=OVERALL, observed_on__lte=today)
        known: dict[date, Published] = {
            day: published({OVERALL}, day)
            for day in days.order_by("-observed_on").values_list("observed_on", flat=True).distinct()
        }
        self._tables = [(day, one.arena[OVERALL]) for day, one in known.items()]
        self._runs: Mapping[Rated, Sequence[Run]] = published({OVERALL}, today).runs
        self._rated = set().union(*(one.models[OVERALL] for one in known.values()))
        days_used = DailyCost.objects.of(organisation).exclude(offering=None).order_by()
        self._used = set(days_used.values_list("offering_id", flat=True).distinct())

    def market(self, day: date) -> Market:
        """Every offer of a rated model on a day, and those that were ever in use, whatever became of them."""
        if day not in self._markets:
            sold = offered(day, self._rated, None, self._used)
            self._markets[day] = Market(sold, candidates(self.organisation, sold, day))
        return self._markets[day]

    def is_priced(self, sliced: Sliced, side: Side, day: date) -> bool:
        """Whether what is in use was still sold on a day, at a price that is known."""
        sold = self.market(day).offered.get(side.offering_id)
        if sold is None or (sold.retires_on is not None and sold.retires_on <= day):
            return False
        mine = self.market(day).at(side)
        return mine is not None and paid(sliced, mine, day) is not None

    def efforts(self, model: str) -> list[str]:
        """The efforts at which any table rates a model."""
        return sorted({rated.effort for _, table in self._tables for rated in table if rated.model == model})

    def difference(self, current: Rated, candidate: Rated, after: date) -> Decimal | None:
        """How much better the candidate turned out by the newest table after a day that has both; None without one."""
        if current == candidate or current.model == candidate.model:
            return Decimal(0)
        for day, table in self._tables:
            if day > after and current in table and candidate in table:
                return table[candidate].value - table[current].value
        return None

    def scale(self, current: Rated, candidate: Rated) -> tuple[Scale, str]:
        """By how many times the candidate takes more tokens of what is sent and written, and how anybody knows."""
        if current == candidate:
            return SAME, SAME_WEIGHTS
        ratios = _ratios(self._runs.get(current, ()), self._runs.get(candidate, ()))
        how = MEASURED if ratios else DRAWN
        found = ratios[-1] if ratios else self._drawn(current, candidate)
        ends = [Range(Decimal(str(ratio)), Decimal(str(ratio))) for ratio in found]
        return Scale(*ends), how

    @cached_property
    def _every(self) -> list[tuple[float, float]]:
        runs = self._runs
        models = sorted(runs)
        return [ratio for a in models for b in models if a.model != b.model for ratio in _ratios(runs[a], runs[b])]

    def _drawn(self, current: Rated, candidate: Rated) -> tuple[float, float]:
        digest = hashlib.sha256(f"{current}{candidate}".encode()).digest()
        return self._every[int.from_bytes(digest[:6]) % len(self._every)]


def _ratios(current: Sequence[Run], candidate: Sequence[Run]) -> list[tuple[float, float]]:
    """Of tokens sent and written, candidate over current, of runs of the same benchmark and cases."""
    return [
        (round(b.input_tokens / a.input_tokens, 4), round(b.output_tokens / a.output_tokens, 4))
        for a in current
        for b in candidate
        if (a.benchmark, a.setting, a.cases) == (b.benchmark, b.setting, b.cases)
        and a.input_tokens and a.output_tokens and b.input_tokens and b.output_tokens
    ]  # fmt: skip


def paid(sliced: Sliced, current: Candidate, day: date) -> Decimal | None:
    """What the window's usage costs where it is, at the prices of a day."""
    found = cost_of(sliced, current, start_of(day)).cost
    return found.low if found else None


def would_be(sliced: Sliced, current: Candidate, candidate: Candidate, day: date, scale: Scale) -> Decimal | None:
    """What it would cost at a candidate that takes so many tokens: the dearer where the log leaves it open."""
    found = reprice(sliced, candidate, start_of(day), scale, current).cost
    return found.high if found else None


def months_from(day: date) -> list[date]:
    """The first days of the months in which a move of that day is followed."""
    found = [day]
    while len(found) < MONTHS:
        found.append((found[-1].replace(day=1) + timedelta(days=32)).replace(day=1))
    return found
