"""Prompts so long that nobody states their price: where a seller's silence is no word on them. Pure.

Tables of prices that state tiers for long prompts of one offering of a model leave them out of others. Where three of
them did on 1 September 2026, whether one alone priced the offering or two, OpenRouter's and Azure's own lists have a
price apart in every case. So beyond the threshold at which the same seller prices the same model apart elsewhere
(Azure's other regions), or else the model's maker does, the price of an offering is unknown, unless

- some source states a tier of the offering itself, if only at the same price;
- the price is the seller's own word (its page, its API) or a person's, which would name a tier if there was one;
- it is free;
- the weights are open and it is the maker alone who prices long prompts apart: who hosts them sets a price of his own.

A price whose start nobody states reaches back to before its offering's own tiers, which are dated by when their source
learnt of them: there, too, it is unknown beyond the threshold that is known later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from pricing.sources import OFFICIAL, VENDOR_API

_Threshold = tuple[int, str]
"""Prompt tokens, and whether they are of what is beyond."""


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
    basis: str
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
    """By offering the long prompts of which nobody states the price, the latest first.

    `prices` are those of every offering of the models in question.
    """
    by_model: dict[int, list[ListPrice]] = defaultdict(list)
    for price in prices:
        by_model[price.model_id].append(price)
    found: dict[int, list[Unstated]] = defaultdict(list)
    for of_model in by_model.values():
        if not any(price.context_from for price in of_model):
            continue
        edges = sorted({edge for p in of_model for edge in (p.effective_from, p.effective_until) if edge})
        later: dict[int, set[_Threshold]] = defaultdict(set)
        for lo, hi in reversed([*zip(edges, [*edges[1:], None], strict=True)]):
            offerings: dict[int, list[ListPrice]] = defaultdict(list)
            for price in of_model:
                if price.holds_at(lo):
                    offerings[price.offering_id].append(price)
            steps = {offering: set(_steps(own)) for offering, own in offerings.items()}
            for offering, (above, op) in _silent(offerings, steps, later):
                spans, fresh = found[offering], Unstated(above, op, offerings[offering][0].currency, lo, hi)
                if spans and spans[-1].effective_from == hi and spans[-1][:3] == fresh[:3]:
                    fresh = spans.pop()._replace(effective_from=lo)
                spans.append(fresh)
            for offering, own in steps.items():
                later[offering] |= own
    return found


def _silent(
    offerings: Mapping[int, Sequence[ListPrice]],
    steps: Mapping[int, set[_Threshold]],
    later: Mapping[int, set[_Threshold]],
) -> Iterator[tuple[int, _Threshold]]:
    """Of what holds at a moment the silent offerings, each with the threshold beyond which it is."""
    by_seller: dict[str, set[_Threshold]] = defaultdict(set)
    for offering, own in offerings.items():
        by_seller[own[0].provider] |= steps[offering]
    for offering, own in offerings.items():
        if any(p.context_from or p.tells_all for p in own) or not any(p.amount for p in own):
            continue
        known = later.get(offering) if any(p.basis == "inferred" for p in own) else None
        known = known or by_seller[own[0].provider]
        if not known and not own[0].open_weights:
            known = by_seller.get(own[0].maker)
        if known:
            yield offering, min(known)


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
