"""Prompts so long that nobody states their price: where a seller's silence is no word on them. Pure.

Tables of prices that state tiers for long prompts of one offering of a model leave them out of others. Where three of
them did on 1 September 2026, whether one alone priced the offering or two, OpenRouter's and Azure's own lists have a
price apart in every case. So beyond the threshold at which the same seller prices the same model apart elsewhere
(Azure's other regions), or else the model's maker does, the price of an offering is unknown, unless

- some source states a tier of the offering itself, if only at the same price;
- the price is the seller's own word (its page, its API) or a person's, which would name a tier if there was one;
- it is free;
- the weights are open and it is the maker alone who prices long prompts apart: who hosts them sets a price of his own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from pricing.sources import OFFICIAL, VENDOR_API


class ListPrice(NamedTuple):
    """A standard price of input or output at any hour, of one of a model's offerings, as accepted."""

    offering_id: int
    model_id: int
    provider: str
    maker: str
    open_weights: bool | None
    unit: str
    context_from: int
    context_op: str
    amount: Decimal
    per: int
    currency: str
    trust: str
    agreeing: Sequence[str]
    """The independent sources that state it."""
    effective_from: datetime
    effective_until: datetime | None

    @property
    def each(self) -> tuple[str, Decimal]:
        """What a token costs, to be compared."""
        return self.currency, self.amount / self.per

    @property
    def tells_all(self) -> bool:
        """Whether who states it would state a tier if there was one: the seller, or a person."""
        return self.trust in (OFFICIAL, VENDOR_API, "decision")

    @property
    def is_borne_out(self) -> bool:
        """Whether it is more than one dataset's word."""
        return self.tells_all or len(self.agreeing) > 1

    def holds_at(self, moment: datetime) -> bool:
        return self.effective_from <= moment and (self.effective_until is None or moment < self.effective_until)


class Unstated(NamedTuple):
    """From this many prompt tokens on nobody states what an offering costs in [from, until)."""

    context_from: int
    context_op: str
    currency: str
    """That of its other prices."""
    effective_from: datetime
    effective_until: datetime | None

    def holds_at(self, moment: datetime) -> bool:
        return self.effective_from <= moment and (self.effective_until is None or moment < self.effective_until)

    def reached(self, prompt_tokens: int) -> bool:
        """Whether a prompt is so long."""
        return prompt_tokens >= self.context_from if self.context_op == ">=" else prompt_tokens > self.context_from


def sentence(context_from: int, context_op: str) -> str:
    """Why the price of a long prompt is unknown."""
    over = f"of {context_from:,} tokens and more" if context_op == ">=" else f"over {context_from:,} tokens"
    return f"No source states what prompts {over} cost here, and elsewhere they are priced apart: it is unknown."


def unstated(prices: Iterable[ListPrice]) -> dict[int, list[Unstated]]:
    """By offering the long prompts of which nobody states the price, from all offerings of the models in question."""
    by_model: dict[int, list[ListPrice]] = defaultdict(list)
    for price in prices:
        by_model[price.model_id].append(price)
    found: dict[int, list[Unstated]] = defaultdict(list)
    for of_model in by_model.values():
        if not any(price.context_from for price in of_model):
            continue
        edges = sorted({edge for p in of_model for edge in (p.effective_from, p.effective_until) if edge})
        for lo, hi in zip(edges, [*edges[1:], None], strict=True):
            for offering, above, op, currency in _silent([price for price in of_model if price.holds_at(lo)]):
                spans, fresh = found[offering], Unstated(above, op, currency, lo, hi)
                if spans and spans[-1].effective_until == lo and spans[-1][:3] == fresh[:3]:
                    fresh = spans.pop()._replace(effective_until=hi)
                spans.append(fresh)
    return found


def _silent(prices: Sequence[ListPrice]) -> Iterator[tuple[int, int, str, str]]:
    """The offerings that are silent at the moment at which the prices hold: each its threshold and its currency."""
    offerings: dict[int, list[ListPrice]] = defaultdict(list)
    for price in prices:
        offerings[price.offering_id].append(price)
    by_seller: dict[str, set[tuple[int, str]]] = defaultdict(set)
    for own in offerings.values():
        by_seller[own[0].provider].update(_steps(own))
    for offering, own in offerings.items():
        if any(p.context_from or p.tells_all for p in own) or not any(p.amount for p in own):
            continue
        steps = by_seller[own[0].provider]
        if not steps and not own[0].open_weights:
            steps = by_seller.get(own[0].maker, set())
        if steps:
            yield offering, *min(steps), own[0].currency


def _steps(own: Sequence[ListPrice]) -> Iterator[tuple[int, str]]:
    """The thresholds at which an offering's price changes, other than by the word of one source beside others that
    price the offering too and tell of none: LiteLLM alone has tiers of xAI's and Anthropic's that are no more."""
    base = {price.unit: price for price in own if not price.context_from}
    for price in own:
        short = base.get(price.unit)
        if not price.context_from or short is None or short.each == price.each:
            continue
        if price.is_borne_out or not short.is_borne_out:
            yield price.context_from, price.context_op
