"""Since when an equal offering has cost less, what waiting has cost since, and when a project last moved. Pure.

On a project's own tokens by week, at the prices of each week's beginning. What is claimed is what is certain: the
candidate counts with the high end of its factors, and not before the first day that anything says it was on sale.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from pricing.cost import Tokens
from usage.substitution.offers import Candidate, start_of
from usage.substitution.repricing import Scale, Sliced, cost_of, reprice
from usage.token_log import Use

LONGEST: Final = timedelta(days=730)
"""How far back waiting is counted."""
WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Week:
    """What a project used of one offering and tier in the UTC week from `monday`; `spent` None is unknown."""

    monday: date
    offering_id: int
    service_tier: str
    model: str
    tokens: Tokens
    spent: Decimal | None

    @property
    def count(self) -> int:
        return self.tokens.prompt + (self.tokens.output or 0)


def cheaper_since(use: Use, current: Candidate, candidate: Candidate, scale: Scale, until: date) -> date | None:
    """The first day from which on the candidate has cost less without a break; None where a price is not known.

    Both have the cards of the past. The mix is that of the window.
    """
    sliced, earliest = Sliced(use), until - LONGEST
    if candidate.known_since is None:
        return None
    first = max(candidate.known_since, earliest)
    days = sorted(
        {first, *(edge.date() for edge in (*current.edges, *candidate.edges) if first < edge.date() <= until)}
    )
    since: date | None = None
    for day in days:
        now = cost_of(sliced, current, start_of(day)).cost
        then = reprice(sliced, candidate, start_of(day), scale, current).cost
        is_cheaper = now is not None and then is not None and then.high < now.low
        since = (since or day) if is_cheaper else None
    return since


def waited(
    use: Use, weeks: Sequence[Week], current: Candidate, candidate: Candidate, scale: Scale, since: date
) -> Decimal | None:
    """What was spent on a use from a day on, whole weeks, less what the candidate would have cost at the most; 0 where
    that is less than nothing, as with a discount that has ended since: waiting has surely cost nothing then.

    None where nothing is known of a week's money or price; weeks without usage cost nothing.
    """
    total: Decimal | None = None
    for week in weeks:
        if (week.offering_id, week.service_tier) != (use.offering_id, use.service_tier) or week.monday < since:
            continue
        if week.spent is None:
            continue
        of_week = Sliced(_like(use, week.tokens))
        cost = reprice(of_week, candidate, start_of(week.monday), scale, current).cost
        if cost is not None:
            total = (total or Decimal(0)) + week.spent - cost.high
    return None if total is None else max(total, Decimal(0))


def _like(use: Use, tokens: Tokens) -> Use:
    """A week's tokens as a use; how they were told apart by prompt and hour nobody knows any more."""
    return Use(use.offering_id, use.service_tier, tokens, None, None, None)


def last_moved(weeks: Sequence[Week]) -> date | None:
    """The Monday of the week in which most tokens last went over to another model; None where they never did."""
    by_week: dict[date, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for week in weeks:
        by_week[week.monday][week.model] += week.count
    moved, before = None, ""
    for monday in sorted(by_week):
        first = _first(by_week[monday])
        if before and first and first != before:
            moved = monday
        before = first or before
    return moved


def _first(models: Mapping[str, int]) -> str:
    """The model of most of the tokens, the one that comes first by name of equals; '' where there are none."""
    best = max(models.items(), key=lambda one: (one[1], [-ord(letter) for letter in one[0]]), default=("", 0))
    return best[0] if best[1] else ""
