"""AWS Price List: the public offer files of Amazon Bedrock, one product a model, region and kind of token.

    {"offerCode": "AmazonBedrock", "publicationDate": "…",
     "products": {"SKU1": {"sku": "SKU1", "attributes": {"model": "Nova Pro", "inferenceType": "Input tokens",
        "feature": "On-demand Inference", "regionCode": "us-east-1", "usagetype": "USE1-NovaPro-input-tokens"}}},
     "terms": {"OnDemand": {"SKU1": {"SKU1.JRTCKXETXF": {"sku": "SKU1", "effectiveDate": "2026-09-01T00:00:00Z",
        "priceDimensions": {"SKU1.JRTCKXETXF.6YS6EN2CT7": {"unit": "1K tokens", "beginRange": "0", "endRange": "Inf",
           "pricePerUnit": {"USD": "0.0008000000"}}}}}}}}

`AmazonBedrock` has Amazon's own and open models. `AmazonBedrockFoundationModels` has those sold through the
marketplace; there a product has a `servicename` (`Claude Haiku 4.5 (Amazon Bedrock Edition)`) and a `usagetype` in one
of two spellings (`USE1-MP:USE1_CacheReadInputTokenCount_Global-Units`, `USE1-MP:USE1_cache_read_tokens_global_standard-
Units`). Written from the documented schema: no file was at hand. So every word of a usage type must be known, its model
must spell the product's, and a name must be in the table below; all else is counted. A price for cross-region profiles
of all the world is the offering `global.…` without a region; every other is the region's own.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any, NamedTuple

from pricing.matching import cache_write_unit
from pricing.sources import MTOK, VENDOR_API, OfferingFact, Reading, SourceError, Statement

SLUG = "aws_price_list"
NAME = "AWS Price List"
TRUST = VENDOR_API
PRECEDENCE = 1  # the vendor's own list of Bedrock prices
COPIES = ()
LICENCE = "public facts"
URL = "https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/price-changes.html"
_OFFER = "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/{}/current/index.json"
FEED = _OFFER.format("AmazonBedrock")
CADENCE_HOURS = 24
STATES_HISTORY = False  # the current offer file; AWS keeps past ones under addresses of their own

_SCOPED: Mapping[str, str] = {
    # Sold both in a region and through global profiles, at two prices: the sku says which.
    "Claude 3 Haiku": "anthropic.claude-3-haiku-20240307-v1:0",
    "Claude 3 Opus": "anthropic.claude-3-opus-20240229-v1:0",
    "Claude 3 Sonnet": "anthropic.claude-3-sonnet-20240229-v1:0",
    "Claude 3.5 Haiku": "anthropic.claude-3-5-haiku-20241022-v1:0",
    "Claude 3.5 Sonnet": "anthropic.claude-3-5-sonnet-20240620-v1:0",
    "Claude 3.5 Sonnet v2": "anthropic.claude-3-5-sonnet-20241022-v2:0",
    "Claude 3.7 Sonnet": "anthropic.claude-3-7-sonnet-20250219-v1:0",
    "Claude Sonnet 4": "anthropic.claude-sonnet-4-20250514-v1:0",
    "Claude Sonnet 4.5": "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "Claude Sonnet 4.6": "anthropic.claude-sonnet-4-6-v1:0",
    "Claude Sonnet 5": "anthropic.claude-sonnet-5-v1:0",
    "Claude Sonnet 5.5": "anthropic.claude-sonnet-5-5",
    "Claude Haiku 4.5": "anthropic.claude-haiku-4-5-20251001-v1:0",
    "Claude Haiku 5.5": "anthropic.claude-haiku-5-5",
    "Claude Opus 4": "anthropic.claude-opus-4-20250514-v1:0",
    "Claude Opus 4.1": "anthropic.claude-opus-4-1-20250805-v1:0",
    "Claude Opus 4.5": "anthropic.claude-opus-4-5-v1:0",
    "Claude Opus 4.6": "anthropic.claude-opus-4-6-v1:0",
    "Claude Opus 4.7": "anthropic.claude-opus-4-7-v1:0",
    "Claude Opus 4.8": "anthropic.claude-opus-4-8-v1:0",
    "Claude Opus 5": "anthropic.claude-opus-5",
    "Claude Opus 5.5": "anthropic.claude-opus-5-5",
    "Nova 2.0 Lite": "amazon.nova-2-lite-v1:0",
}
_UNSCOPED: Mapping[str, str] = {
    "Nova Micro": "amazon.nova-micro-v1:0",
    "Nova Lite": "amazon.nova-lite-v1:0",
    "Nova Pro": "amazon.nova-pro-v1:0",
    "Nova Premier": "amazon.nova-premier-v1:0",
}
_EDITION = " (Amazon Bedrock Edition)"

_USAGE = re.compile(
    r"[A-Z0-9]+-(?P<model>.+?)-(?:text-)?(?P<kind>input-tokens|output-tokens|cache-read-input-token-count"
    r"|cache-write-input-token-count)(?:-(?P<tier>standard|batch|flex|priority))?(?:-cross-region-(?P<scope>global))?"
)
_MARKETPLACE = re.compile(r"[A-Z0-9]+-MP:[A-Z0-9]+_(?P<rest>.+)-Units")
_MARKETPLACE_REST = (
    re.compile(
        r"(?P<kind>InputTokenCount|OutputTokenCount|CacheReadInputTokenCount|CacheWriteInputTokenCount"
        r"|CacheWrite1hInputTokenCount)(?:_(?P<scope>Global))?(?:_(?P<tier>Batch))?"
    ),
    re.compile(
        r"(?P<kind>input_tokens|output_tokens|cache_read_tokens|cache_write_tokens(?:_1h|_30m)?)"
        r"(?:_(?P<scope>global))?(?:_(?P<tier>standard|batch|flex|priority))"
    ),
)
_KINDS = {
    "input-tokens": "input", "InputTokenCount": "input", "input_tokens": "input",
    "output-tokens": "output", "OutputTokenCount": "output", "output_tokens": "output",
    "cache-read-input-token-count": "cache_read", "CacheReadInputTokenCount": "cache_read",
    "cache_read_tokens": "cache_read",
    "cache-write-input-token-count": "cache_write", "CacheWriteInputTokenCount": "cache_write",
    "cache_write_tokens": "cache_write",
    "CacheWrite1hInputTokenCount": "cache_write_1h", "cache_write_tokens_1h": "cache_write_1h",
    "cache_write_tokens_30m": "cache_write_30m",
}  # fmt: skip
_TIMES = {"1K tokens": 1000, "1M tokens": 1}
_DECIMAL = re.compile(r"\d{1,9}(\.\d{1,12})?", re.ASCII)
_MOST = Decimal(10_000)


class _Key(NamedTuple):
    sku: str
    unit: str
    service_tier: str
    is_global: bool


class _Price(NamedTuple):
    region: str
    amount: Decimal
    start: datetime


def next_page(body: bytes) -> str | None:
    """The second offer file after the first."""
    try:
        offer = json.loads(body)["offerCode"]
    except (ValueError, KeyError, TypeError, RecursionError) as fault:
        raise SourceError(f"The body is no offer file of the AWS Price List: {fault!r}.") from fault
    return _OFFER.format("AmazonBedrockFoundationModels") if offer == "AmazonBedrock" else None


def parse(body: bytes) -> Reading:
    """Every price per token of an offer file, or of a list of them."""
    try:
        stated = json.loads(body)
        reading = Reading()
        prices: dict[_Key, set[_Price]] = defaultdict(set)
        for offer in stated if isinstance(stated, list) else [stated]:
            terms = offer["terms"]["OnDemand"]
            for sku, product in offer["products"].items():
                _read(product["attributes"], terms.get(sku) or {}, prices, reading)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as fault:
        raise SourceError(f"The body is no offer file of the AWS Price List: {fault!r}.") from fault
    _state(prices, reading)
    if not reading.statements:
        raise SourceError("The AWS Price List holds no known price per token; its names or units have changed.")
    reading.unplaced = +reading.unplaced
    return reading


def _read(
    attributes: Mapping[str, Any], terms: Mapping[str, Any], prices: dict[_Key, set[_Price]], reading: Reading
) -> None:
    key = _key(attributes)
    if isinstance(key, str):
        reading.unplaced[key] += 1
        return
    if not terms:
        reading.unplaced["product without an on-demand price"] += 1
    for term in terms.values():
        start = _moment(term["effectiveDate"])
        for dimension in term["priceDimensions"].values():
            amount = _amount(dimension)
            if isinstance(amount, str):
                reading.unplaced[amount] += 1
            else:
                prices[key].add(_Price(attributes["regionCode"], amount, start))


def _key(attributes: Mapping[str, Any]) -> _Key | str:
    """What the product is a price of, or the kind under which it is counted."""
    usage = attributes["usagetype"]
    if not isinstance(attributes["regionCode"], str) or not attributes["regionCode"]:
        return "product without a region"
    if found := _MARKETPLACE.fullmatch(usage):
        name = attributes.get("servicename", "")
        if not name.endswith(_EDITION):
            return "product of another service"
        name = name.removesuffix(_EDITION)
        known = next((match for rest in _MARKETPLACE_REST if (match := rest.fullmatch(found["rest"]))), None)
    else:
        name = attributes.get("model") or attributes.get("titanModel") or ""
        known = _USAGE.fullmatch(usage)
        if known and _letters(known["model"]) != _letters(name):
            # `NovaPro-latency-optimized`, `NovaPro-custom-model`: another product under the model's name.
            known = None
    if known is None:
        return "usage that is no known kind of token"
    base = _SCOPED.get(name) or _UNSCOPED.get(name)
    if base is None:
        return "unrecognised model"
    is_global = bool(known["scope"])
    lead = "global." if is_global else "regional." if name in _SCOPED else ""
    unit = _KINDS[known["kind"]]
    if unit == "cache_write":
        unit = cache_write_unit("bedrock", lead + base)
    return _Key(lead + base, unit, (known["tier"] or "standard").lower(), is_global)


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _amount(dimension: Mapping[str, Any]) -> Decimal | str:
    """USD per million tokens, or the kind under which the dimension is counted."""
    times = _TIMES.get(dimension["unit"])
    if times is None and dimension["unit"] == "Units" and "million" in dimension.get("description", "").lower():
        times = 1  # the marketplace's own spelling
    if times is None:
        return f"price per {dimension['unit']}"
    if dimension.get("beginRange", "0") != "0":
        return "price above a used quantity"
    if set(dimension["pricePerUnit"]) != {"USD"}:
        return "price in another currency"
    text = dimension["pricePerUnit"]["USD"]
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        return "amount that is no price"
    amount = Decimal(text) * times
    if amount >= _MOST:
        return "amount that is no price"
    return amount if amount else "price of zero"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def _state(prices: Mapping[_Key, set[_Price]], reading: Reading) -> None:
    offerings: dict[tuple[str, str], OfferingFact] = {}
    for key, stated in prices.items():
        for region, amount, start in _places(key, stated, reading):
            midnight = start.time() == time.min
            reading.statements.append(
                Statement(
                    provider="bedrock", sku=key.sku, region=region, unit=key.unit, amount=amount, per=MTOK,
                    service_tier=key.service_tier, effective_from=start, basis="documented",
                    precision="day" if midnight else "instant", url=URL,
                )
            )  # fmt: skip
            offerings.setdefault((key.sku, region), OfferingFact("bedrock", "AWS Bedrock", key.sku, region))
    reading.offerings += offerings.values()


def _places(key: _Key, stated: set[_Price], reading: Reading) -> Iterator[_Price]:
    """One price a region; one alone for a global profile, from the day its first region had it."""
    by_region: dict[str, set[_Price]] = defaultdict(set)
    for price in stated:
        by_region["" if key.is_global else price.region].add(price)
    for region, members in sorted(by_region.items()):
        if len({price.amount for price in members}) > 1:
            reading.unplaced["one price with several amounts"] += len(members)
            continue
        yield _Price(region, next(iter(members)).amount, min(price.start for price in members))
