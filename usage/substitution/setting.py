"""What the uses of a project are weighed by, and what is paid for one of them today. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

from usage.substitution.factors import TokenCounts
from usage.substitution.needs import Needs
from usage.substitution.offers import Candidate, start_of
from usage.substitution.quality import Scores, Standards
from usage.substitution.repricing import Repriced, Sliced, cost_of
from usage.token_log import Use

AHEAD: Final = timedelta(days=365)
"""How far announced prices are looked at."""
_EXACT: Final = Context(prec=80, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Setting:
    """What all uses of a project are weighed by on a day.

    `days` is the length of the token log's window; `providers` are those it buys from already. `wants_free` and
    `wants_previews` let in what is refused unless somebody asks for it.
    """

    on: date
    days: int
    currency: str
    needs: Needs
    standards: Standards
    scores: Scores = field(default_factory=Scores)
    counts: TokenCounts = field(default_factory=TokenCounts)
    providers: frozenset[str] = frozenset()
    wants_free: bool = False
    wants_previews: bool = False


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is in use: its tokens, its offer, what is paid for them in the window and what the cards of the day say."""

    sliced: Sliced
    offer: Candidate
    paying: Decimal
    priced: Repriced

    @property
    def paid_share(self) -> Decimal:
        """What part is paid of what today's cards say: 1 unless there is a discount that no card knows of."""
        if self.priced.cost is None or not self.priced.cost.low:
            return Decimal(1)
        return _EXACT.divide(self.paying, self.priced.cost.low)

    def paying_at(self, later: Repriced) -> Decimal:
        """What will be paid at later cards: the same part of what they say as is paid of today's."""
        if self.priced.cost is None or later.cost is None or not self.priced.cost.low:
            return self.paying
        return _EXACT.divide(_EXACT.multiply(self.paying, later.cost.low), self.priced.cost.low)


def baseline(use: Use, current: Candidate, on: date) -> Baseline | None:
    """What is really paid: the lesser of what was billed and what today's cards say; None where neither is known.

    So a discount that no card knows of, or a price that has since fallen, never makes a move look better than it is.
    """
    sliced, offer = Sliced(use), current.at(use.service_tier)
    priced = cost_of(sliced, offer, start_of(on))
    known = [amount for amount in (use.spent, priced.cost.low if priced.cost else None) if amount is not None]
    return Baseline(sliced, offer, min(known), priced) if known else None
