"""What a reader wants of a model and its seller. Nothing is taken to fit that is not known to; what is not is counted.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from pricing.frontier.offers import Offer, Traits


@dataclass(frozen=True, slots=True)
class Wanted:
    """The empty wish is met by everything. `context` is in tokens, `staying` without an announced end."""

    maker: str = ""
    open_weights: bool = False
    context: int = 0
    modality: str = ""
    tools: bool = False
    staying: bool = False
    provider: str = ""
    region: str = ""
    tokens_per_second: Decimal = Decimal(0)

    def of_model(self, traits: Traits) -> Iterator[tuple[str, bool | None]]:
        """Each wish of a model by name and whether it is met; None where that is unknown."""
        if self.maker:
            yield "maker", traits.maker == self.maker if traits.maker else None
        if self.open_weights:
            yield "weights", traits.open_weights
        if self.context:
            yield "context", None if traits.context_window is None else traits.context_window >= self.context
        if self.modality:
            yield "modality", self.modality in traits.modalities if traits.modalities else None
        if self.tools:
            yield "tools", "tools" in traits.capabilities if traits.capabilities else None
        if self.staying:
            yield "retirement", not traits.leaves

    def of_seller(self, offer: Offer) -> Iterator[tuple[str, bool | None]]:
        """The same of who sells it. A seller that names no region may serve from anywhere: that is unknown."""
        if self.provider:
            yield "provider", offer.provider == self.provider
        if self.region:
            yield "region", offer.region == self.region if offer.region else None
        if self.tokens_per_second:
            speed = offer.tokens_per_second
            yield "speed", None if speed is None else speed >= self.tokens_per_second

    def __bool__(self) -> bool:
        return self != NOTHING


NOTHING: Final = Wanted()


@dataclass(frozen=True, slots=True)
class Narrowed:
    """The offers that are known to fit, and by wish the models of which only that it is unknown keeps them out."""

    offers: tuple[Offer, ...]
    unknown: dict[str, frozenset[str]]


def narrowed(offers: Iterable[Offer], wanted: Wanted) -> Narrowed:
    every = tuple(offers)
    if not wanted:
        return Narrowed(every, {})
    kept: list[Offer] = []
    doubtful: dict[str, set[str]] = {}
    for offer in every:
        verdicts = dict([*wanted.of_model(offer.traits), *wanted.of_seller(offer)])
        if all(verdicts.values()):
            kept.append(offer)
        elif False not in verdicts.values():
            doubtful.setdefault(offer.model, set()).update(name for name, met in verdicts.items() if met is None)
    fitting = {offer.model for offer in kept}
    unknown: dict[str, set[str]] = {}
    for model, names in doubtful.items():
        if model not in fitting:
            for name in names:
                unknown.setdefault(name, set()).add(model)
    return Narrowed(tuple(kept), {name: frozenset(models) for name, models in unknown.items()})
