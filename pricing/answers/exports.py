"""The catalogue as files of other programs: what they are made of, read from the tables and kept as bytes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from django.db.models import Q

from pricing import ratecards
from pricing.answers import kept
from pricing.answers.edges import next_edge
from pricing.exports import litellm
from pricing.long_prompts import Unstated
from pricing.models import Alias, Offering, Price
from pricing.ratecards import PriceFact
from pricing.units import RATED_UNITS

_PRICE: Final = (
    "id", "unit", "service_tier", "context_from", "context_op", "schedule", "amount", "per", "currency",
    "effective_from", "effective_until",
)  # fmt: skip
_OFFERING: Final = (
    "pk", "provider__slug", "sku", "region", "model__slug", "model__maker", "context_window", "model__context_window",
    "model__max_output", "model__modalities", "model__capabilities", "model__retires_on",
)  # fmt: skip
NOTES: Final = (
    "What is absent from an entry LiteLLM reads as another price: a cached token as input (at Fireworks as half of it),"
    " a service tier as standard, a batch as half of standard.",
    "The map holds the prices of the moment it was asked for; it has no dates.",
    "Amounts are the doubles nearest to the exact prices, in their shortest form: the numbers LiteLLM computes with.",
)


def litellm_map(now: datetime | None = None) -> bytes:
    """The prices in force in the shape of LiteLLM's cost map, by its names of models, as JSON."""
    return _litellm(now)[0]


def litellm_inexpressible(now: datetime | None = None) -> bytes:
    """Everything the map cannot say, as JSON: how many of each kind, and each with the offering it is of."""
    return _litellm(now)[1]


def _litellm(now: datetime | None) -> tuple[bytes, bytes]:
    clock, current = now or datetime.now(UTC), kept.version()
    files: tuple[bytes, bytes] | None = kept.recall("litellm", current, clock)
    if files is None:
        made = litellm.cost_map(sold_at(clock))
        left = made.left_as_json()
        kinds = dict(sorted(Counter(one["kind"] for one in left).items()))
        listed = {"models": len(made.entries), "notes": NOTES, "kinds": kinds, "inexpressible": left}
        files = (orjson.dumps(made.as_json()), orjson.dumps(listed))
        kept.keep("litellm", current, files, next_edge(clock, current), len(files[0]) + len(files[1]))
    return files


def sold_at(now: datetime) -> list[litellm.Sold]:
    """Every offering with the prices in force at a moment, in the order they were first seen. Four queries."""
    cards: dict[int, list[PriceFact]] = defaultdict(list)
    others: dict[int, list[litellm.OtherPrice]] = defaultdict(list)
    pages: dict[int, str] = {}
    standing = Price.objects.known_at().effective_at(now).filter(superseded_at=None).order_by("effective_from", "id")
    for offering, mode, qualifier, url, *columns in standing.values_list(
        "offering_id", "context_mode", "qualifier", "claim__url", *_PRICE
    ):
        fact = PriceFact(*columns)
        if fact.unit in RATED_UNITS and not qualifier and mode != "marginal":
            cards[offering].append(fact)
        else:
            others[offering].append(_other(fact, qualifier, mode))
        if url:
            pages.setdefault(offering, url)
    names = _aliases(now)
    unstated = ratecards.unstated_of(cards)
    offerings = Offering.objects.exclude(retired_at__lte=now).order_by("pk").values_list(*_OFFERING)
    return [
        _sold(
            row,
            _in_force(cards[row[0]], unstated.get(row[0], ()), now),
            others[row[0]],
            names.get(row[0], ()),
            pages.get(row[0], ""),
        )
        for row in offerings
    ]


def _in_force(facts: list[PriceFact], unstated: Iterable[Unstated], now: datetime) -> list[litellm.Card]:
    """The rate cards of a moment, as the export needs them."""
    return [
        litellm.Card(c.service_tier, c.context_from, c.context_op, c.schedule, c.currency, dict(c.prices))
        for c in ratecards.layout(facts, unstated)
        if c.effective_from <= now and (c.effective_until is None or now < c.effective_until)
    ]


def _other(fact: PriceFact, qualifier: str, mode: str) -> litellm.OtherPrice:
    return litellm.OtherPrice(
        fact.unit, qualifier, fact.service_tier, fact.schedule, fact.context_from, mode, fact.currency, fact.amount,
        fact.per,
    )  # fmt: skip


def _aliases(now: datetime) -> Mapping[int, tuple[str, ...]]:
    """The names that mean an offering now, other than by a date at their end."""
    found: dict[int, dict[str, None]] = defaultdict(dict)
    holds = Q(valid_from=None) | Q(valid_from__lte=now), Q(valid_until=None) | Q(valid_until__gt=now)
    rows = Alias.objects.filter(*holds, dated=False).order_by("pk").values_list("offering_id", "name")
    for offering, name in rows:
        found[offering][name] = None
    return {offering: tuple(names) for offering, names in found.items()}


def _sold(
    row: tuple[Any, ...], cards: list[litellm.Card], others: list[litellm.OtherPrice], names: tuple[str, ...],
    url: str,
) -> litellm.Sold:  # fmt: skip
    _, provider, sku, region, model, maker, window, model_window, most, modalities, capabilities, retires = row
    return litellm.Sold(
        provider, sku, region, model, maker, names,
        cards, others, window or model_window, most, tuple(modalities), tuple(capabilities), retires, url,
    )  # fmt: skip
