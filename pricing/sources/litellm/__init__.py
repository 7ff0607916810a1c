"""LiteLLM's model_prices_and_context_window.json (MIT): prices of what its gateway can route to, kept by contributors.

    {"claude-opus-5": {"litellm_provider": "anthropic", "mode": "chat", "max_input_tokens": 1000000,
       "input_cost_per_token": 5e-06, "output_cost_per_token": 2.5e-05, "cache_read_input_token_cost": 5e-07,
       "cache_creation_input_token_cost": 6.25e-06, "cache_creation_input_token_cost_above_1hr": 1e-05,
       "input_cost_per_token_batches": 2.5e-06, "search_context_cost_per_query": {"search_context_size_low": 0.01, …},
       "provider_specific_entry": {"us": 1.1, "fast": 2.0}, "supports_vision": true, "source": "https://…"},
     "dashscope/qwen-flash": {"tiered_pricing": [{"range": [0, 256000], "input_cost_per_token": 5e-08, …}, …]}}

USD for one token, image or second, at present. `names` reads the keys of the table, `keys` those of a row.

A tier of `tiered_pricing` is the one whose range the whole input falls in, its start excluded, and holds for every
token of the request; `_above_200k_tokens` likewise. So does LiteLLM's own arithmetic (llms/dashscope and
litellm_core_utils/llm_cost_calc of the project).

A zero is mostly what fills a required key: of an embedding's output, of a model one hosts, of a price nobody looked
up. It is a price only of an offering that says it is free, by its name, in its row or in its seller's documents.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pricing.matching import cache_write_unit
from pricing.sources import AGGREGATOR, OfferingFact, Reading, SourceError, Statement
from pricing.sources.litellm import facts, names
from pricing.sources.litellm.keys import FLAT, IS_PRICE, STATED_PER_THOUSAND, Meaning, meaning
from pricing.sources.litellm.names import Place
from pricing.units import is_token_unit

SLUG = "litellm"
NAME = "LiteLLM"
TRUST = AGGREGATOR
PRECEDENCE = 0  # the widest of the aggregators, with service tiers, context tiers and regions the others leave out
COPIES = ()
# Rows are contributed one by one and cite sellers' own pages; nothing in the table names another source. Its
# `openrouter/*` rows follow OpenRouter so loosely that they are no copy: of 85 comparable ones 41 differed in 2026
# (BerriAI/litellm#39501).
LICENCE = "MIT"
URL = "https://github.com/BerriAI/litellm/blob/main/model_prices_and_context_window.json"
FEED = "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json"
CADENCE_HOURS = 24
STATES_HISTORY = False  # the table of today; most of what changes in it are corrections

_PLACES = Decimal("1e-12")
_MOST = Decimal(10) ** 12
_LEAST_AN_IMAGE = Decimal("0.00001")
"""USD for looking at an image; what is less is the price of one of its tokens under the wrong key."""
_FREE = re.compile(
    # OpenAI: "The moderation endpoint is free to use". Google: experimental models are offered free of charge.
    # Z.ai lists the flash models of 4.5 and 4.7 as free.
    r"openai/(text|omni)-moderation-.+|(google|vertex)/.+(-exp(-.+)?|-experimental)|zai/glm-4\.[57]-flash"
    r"|[^/]+/.+[:-]free|openrouter/openrouter/free",
    re.IGNORECASE,
)
_SAYS_FREE = re.compile(r"\bis free\b|\bat no cost\b", re.IGNORECASE)
_SPEEDS = ("fast",)
_UPLIFT = re.compile(r"regional_processing_uplift_multiplier_(?P<region>[a-z]{2})")
_REGIONS = ("us", "eu")


@dataclass(frozen=True, slots=True)
class _Price:
    """One amount of a row: its key, and what a list or an object around it adds."""

    key: str
    amount: Any
    context_from: int = 0
    qualifier: str = ""


@dataclass(frozen=True, slots=True)
class _Row:
    key: str
    at: Place
    body: Mapping[str, Any]
    prices: tuple[_Price, ...]


def parse(body: bytes) -> Reading:
    """Every price of the table, and what it says of each model."""
    reading = Reading()
    try:
        table = json.loads(body, parse_float=Decimal)
        if not isinstance(table, dict):
            raise SourceError("The body is not LiteLLM's price table: it is no object of models by name.")
        for rows in _by_offering(table, reading).values():
            _offering(rows, reading)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as fault:
        raise SourceError(f"The body is not LiteLLM's price table: {fault!r}.") from fault
    if not reading.statements:
        raise SourceError("LiteLLM's price table holds no price at all; its layout must have changed.")
    reading.unplaced = +reading.unplaced
    return reading


def _by_offering(table: Mapping[str, Any], reading: Reading) -> dict[tuple[str, str, str], list[_Row]]:
    """The rows of each offering; those that name none are counted, with each of their prices."""
    offerings: dict[tuple[str, str, str], list[_Row]] = defaultdict(list)
    for key, body in table.items():
        if not isinstance(body, Mapping):
            reading.unplaced["row that is no object"] += 1
            continue
        prices = tuple(_prices(body))
        provider = body.get("litellm_provider")
        at = names.place(key, provider if isinstance(provider, str) else "")
        if isinstance(at, Place) and at.provider == "bedrock":
            at = _bedrock(at, body, table)
        if isinstance(at, str):
            reading.unplaced[at] += len(prices)
        else:
            offerings[at.provider, at.sku, at.region].append(_Row(key, at, body, prices))
    return offerings


def _bedrock(at: Place, body: Mapping[str, Any], table: Mapping[str, Any]) -> Place | str:
    placed = names.in_region(at, table)
    if placed.sku == at.sku or at.region:
        return placed
    # Where global profiles are cheaper than geographic ones, a price in a region is the geographic one. A row that
    # states the global price for the in-region id states it for nothing that is sold.
    amount = body.get("input_cost_per_token")
    twins = [table.get(f"{scope}.{at.sku}") for scope in ("global", "us", "eu")]
    said = [twin.get("input_cost_per_token") if isinstance(twin, Mapping) else None for twin in twins]
    if amount == said[0] and any(other not in (None, amount) for other in said[1:]):
        return "price of Bedrock's global profile under the id of a region"
    return placed


def _prices(body: Mapping[str, Any]) -> Iterator[_Price]:
    """Every amount of a row, whether or not it can be read; tiers first, as LiteLLM looks at them first."""
    yield from _tiers(body.get("tiered_pricing"))
    for key, value in body.items():
        if key == "tiered_pricing" or not IS_PRICE.search(key):
            continue
        if not isinstance(value, Mapping):
            yield _Price(key, value)
            continue
        alike = len(set(map(str, value.values()))) == 1
        for part, amount in value.items():
            size = part.removeprefix("search_context_size_")
            qualifier = "" if alike or size == part else f"search_context={size}"
            yield _Price(key, amount, qualifier=qualifier)


def _tiers(stated: Any) -> Iterator[_Price]:
    for tier in stated if isinstance(stated, list) else ():
        bounds = tier.get("range") or tier.get("max_results_range") or [None]
        start = facts.tokens(bounds[0]) or 0 if "range" in tier else 0
        results = f"results={bounds[0]}-{bounds[-1]}" if "max_results_range" in tier else ""
        for key, amount in tier.items():
            if key not in ("range", "max_results_range"):
                yield _Price(key, amount, start, results)


def _offering(rows: list[_Row], reading: Reading) -> None:
    """The prices of one offering. Of two rows that contradict each other the one with the plainer key holds."""
    # The key with the least before the id is the primary one: `gpt-4o` before `openai/gpt-4o`. Azure's is an exception:
    # `azure/gpt-4o` may be the price of any deployment, `azure/global/gpt-4o` says which.
    rows.sort(key=lambda row: (not row.key.startswith("azure/global"), len(row.key), row.key))
    held: dict[tuple[object, ...], Statement] = {}
    derived: list[Statement] = []
    for row in rows:
        said = _statements(row, reading)
        if any(key in held and held[key].amount != statement.amount for key, statement in said.items()):
            reading.unplaced["price of a row that contradicts its twin with the plainer key"] += len(said)
            continue
        reading.unplaced["price its twin says too"] += sum(key in held for key in said)
        held = {**said, **held}
        derived += _multiplied(row, said, reading)
    reading.statements += held.values()
    apart = {_key(statement): statement for statement in reversed(derived)}
    reading.statements += (statement for key, statement in apart.items() if key not in held)
    reading.offerings.append(facts.offering(rows[0].at, rows[0].body))
    for region in {statement.region for statement in apart.values()} - {rows[0].at.region}:
        at = rows[0].at
        reading.offerings.append(OfferingFact(at.provider, at.provider_name, at.sku, region))


def _key(s: Statement) -> tuple[object, ...]:
    return (s.region, s.unit, s.qualifier, s.service_tier, s.context_from)


def _statements(row: _Row, reading: Reading) -> dict[tuple[object, ...], Statement]:
    """The prices of one row by key; what is none is counted."""
    amounts = [_number(price.amount) for price in row.prices]
    free = not any(amounts) and _is_free(row)
    said: dict[tuple[object, ...], Statement] = {}
    url = facts.page(row.body)
    for price, amount in zip(row.prices, amounts, strict=True):
        if _UPLIFT.fullmatch(price.key):
            continue
        read = _statement(row, price, amount, url, free=free, billed=any(amounts))
        if isinstance(read, str):
            reading.unplaced[read] += 1
        elif (key := _key(read)) in said:
            same = said[key].amount == read.amount
            alike = price.key == "search_context_cost_per_query" and same
            reading.unplaced[
                "search price that is alike for every context size" if alike
                else "price a row says twice" if same else "second price of one thing in a row"
            ] += 1  # fmt: skip
        else:
            said[key] = read
    return said


def _statement(
    row: _Row, price: _Price, amount: Decimal | None, url: str, *, free: bool, billed: bool
) -> Statement | str:
    """The price, or the kind under which it is counted."""
    mode = row.body.get("mode")
    means = _meaning(row, price, mode if isinstance(mode, str) else "")
    if isinstance(means, str):
        return means
    if amount is None or amount < 0:
        return "amount that is no price"
    if amount == 0 and not free:
        return "zero beside other prices, not billed" if billed else "zero of an offering that does not say it is free"
    if amount == 0 and price.key.startswith("output") and mode in ("moderation", "moderations", "embedding", "rerank"):
        return "zero beside other prices, not billed"
    if means.unit == "input_images" and 0 < amount < _LEAST_AN_IMAGE:
        return "price of a token under the name of an image"
    if means.unit.startswith("cache_write") and amount < (_number(row.body.get("input_cost_per_token")) or 0):
        return "price of a cache read under the name of a write"
    times = 1 if STATED_PER_THOUSAND.search(price.key) else means.per
    # Binary floats left tails such as 0.0000029999900000000002; the catalogue keeps twelve places.
    kept = (amount * times).quantize(_PLACES, ROUND_HALF_UP)
    if (kept == 0) != (amount == 0):
        return "amount that is no price"
    return Statement(
        provider=row.at.provider, sku=row.at.sku, region=row.at.region, unit=means.unit, amount=kept.normalize(),
        per=means.per, qualifier=means.qualifier, service_tier=means.service_tier, context_from=means.context_from,
        context_op=">" if means.context_from else "", context_mode="whole_request" if means.context_from else "",
        url=url,
    )  # fmt: skip


def _meaning(row: _Row, price: _Price, mode: str) -> Meaning | str:
    if price.key == "search_context_cost_per_query":
        return Meaning("web_search", 1000, qualifier=price.qualifier)
    if price.key == "input_cost_per_image" and "output_cost_per_image" in row.body:
        mode = ""  # where what is generated has a price of its own, this is that of an image looked at
    means = meaning(price.key, mode)
    if isinstance(means, str):
        return means
    if price.qualifier and price.key != FLAT:
        return f"price of {price.key}"
    if price.context_from and means.context_from:
        return "context tier within a context tier"
    return replace(
        means,
        unit=cache_write_unit(row.at.provider, row.at.sku) if means.unit == "cache_write" else means.unit,
        context_from=means.context_from or price.context_from,
        qualifier=" ".join(word for word in (row.at.qualifier, price.qualifier, means.qualifier) if word),
    )


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Decimal(value)
    return number if number.is_finite() and abs(number) < _MOST / 1_000_000 else None


def _is_free(row: _Row) -> bool:
    metadata = row.body.get("metadata")
    notes = metadata.get("notes") if isinstance(metadata, Mapping) else None
    said = isinstance(notes, str) and _SAYS_FREE.search(notes) is not None
    return said or _FREE.fullmatch(f"{row.at.provider}/{row.at.sku}") is not None


def _multiplied(row: _Row, said: Mapping[tuple[object, ...], Statement], reading: Reading) -> Iterator[Statement]:
    """What a row states as a multiple of its prices: a faster service, or processing within one region."""
    for name, factor, scaled in _factors(row.body):
        if factor is None or not 0 < factor < 100 or name not in (*_SPEEDS, *_REGIONS):
            reading.unplaced[f"multiple of prices for {name}"] += 1
            continue
        note = f"Stated as {factor.normalize():f} times the price of {row.at.sku}."
        for s in said.values():
            if s.qualifier or not scaled(s.unit):
                continue
            amount = (s.amount * factor).quantize(_PLACES, ROUND_HALF_UP).normalize()
            if name in _REGIONS and not s.region:
                yield replace(s, region=name, amount=amount, note=note)
            elif name in _SPEEDS and s.service_tier == "standard":
                yield replace(s, service_tier=name, amount=amount, note=note)


def _factors(body: Mapping[str, Any]) -> Iterator[tuple[str, Decimal | None, Callable[[str], bool]]]:
    """What each multiple is for, its factor, and the units LiteLLM applies it to."""
    entry = body.get("provider_specific_entry")
    for name, value in entry.items() if isinstance(entry, Mapping) else ():
        if not isinstance(value, str):
            # Anthropic's speed and region. The prices of its cache are left as they are.
            yield name, _number(value), ("input", "output").__contains__
    for key, value in body.items():
        if found := _UPLIFT.fullmatch(key):
            yield found["region"], _number(value), is_token_unit
