"""DeepInfra's own list of models, `GET /models/list`, public.

    [{"model_name": "tencent/Hy3", "type": "text-generation", "max_tokens": 262144, "deprecated": null, "private": 0,
      "replaced_by": null, "pricing": {"type": "tokens", "cents_per_input_token": 1.4e-05,
         "cents_per_output_token": 5.8e-05, "rate_per_input_token_cached": 0.25,
         "rate_per_service_tier_priority": null, "discount": null, "short": null, "full": null, "table": null}}, …]

Written from the documented schema: no response was at hand. Prices are US cents a token, second, character or image;
a cache rate is a multiple of the input price. `deprecated` is null or the time a model goes. A pricing type counts
tokens, audio in, characters in, video out or images; a second of computing (`time`), a frame, and an image unit that
scales with size and iterations are no price of anything a request counts. `full` and `table` say in words what the
fields do not: the price of a long context. `/v1/openai/models` answers `{"data": [{"id": …, "metadata": {"pricing":
{"input_tokens": 0.14, …}}}]}` in dollars per million and is read here too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pricing.matching import cache_write_unit
from pricing.sources import MTOK, VENDOR_API, OfferingFact, Reading, SourceError, Statement

SLUG = "deepinfra"
NAME = "DeepInfra API"
TRUST = VENDOR_API
PRECEDENCE = 1  # the vendor's own list
COPIES = ()
LICENCE = "public facts"
URL = "https://docs.deepinfra.com/api-reference/models"
FEED = "https://api.deepinfra.com/models/list"
CADENCE_HOURS = 24
STATES_HISTORY = False  # the prices of today

_PRICES: Mapping[tuple[str, str], tuple[str, int]] = {
    # (pricing type, field in cents) → (unit, per)
    ("tokens", "cents_per_input_token"): ("input", MTOK),
    ("tokens", "cents_per_output_token"): ("output", MTOK),
    ("input_tokens", "cents_per_input_token"): ("input", MTOK),
    ("input_character_length", "cents_per_input_chars"): ("input_characters", MTOK),
    ("input_length", "cents_per_input_sec"): ("input_audio_second", 1),
    ("output_length", "cents_per_output_sec"): ("output_video_second", 1),
    ("image_units", "cents_per_image_unit"): ("image", 1),
}
_SCALED = ("default_width", "default_height", "default_iterations", "default_price_cents", "usage_from_cost")
_CACHE_RATES = {"rate_per_input_token_cached": "cache_read", "rate_per_input_token_cache_write": "cache_write"}
_DOLLARS = {"input_tokens": "input", "output_tokens": "output", "cache_read_tokens": "cache_read"}
_MOST = Decimal(1000)
"""Dollars a million tokens or one of anything else: no host has charged as much, so more is another unit."""
_PLACES = Decimal("1e-12")


def parse(body: bytes) -> Reading:
    """Every price of the models DeepInfra lists."""
    try:
        answer = json.loads(body, parse_float=Decimal)
        reading = Reading()
        if isinstance(answer, Mapping):
            for model in answer["data"]:
                _openai_model(model, reading)
        else:
            for model in answer:
                _model(model, reading)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, OSError, RecursionError) as fault:
        raise SourceError(f"The body is no list of models of DeepInfra's API: {fault!r}.") from fault
    if not reading.statements:
        raise SourceError("DeepInfra's list of models holds no price at all; its layout must have changed.")
    reading.unplaced = +reading.unplaced
    return reading


def _model(model: Mapping[str, Any], reading: Reading) -> None:
    sku, pricing = model["model_name"], model["pricing"]
    if model.get("private") or not _is_new(sku, reading):
        reading.unplaced["private or repeated model"] += 1
        return
    gone = _day(model.get("deprecated"))
    reading.offerings.append(
        OfferingFact(
            "deepinfra", "DeepInfra", sku, context_window=_tokens(model.get("max_tokens")), retires_on=gone,
            deprecated=gone is not None or bool(model.get("replaced_by")),
        )
    )  # fmt: skip
    if not pricing:
        reading.unplaced["model without a price"] += 1
        return
    kind = pricing.get("type") or "tokens"
    if pricing.get("discount"):
        # Whether the prices beside it are before or after the discount is not documented.
        reading.unplaced["prices under a discount"] += 1
        return
    for field in ("full", "table", "rate_per_service_tier_priority", "rate_per_service_tier_flex",
                  "rate_per_explicit_cache_write_token"):  # fmt: skip
        reading.unplaced[f"pricing's {field}"] += bool(pricing.get(field))
    if kind == "image_units" and any(pricing.get(field) for field in _SCALED):
        reading.unplaced["image unit that scales with size and iterations"] += 1
        return
    if kind == "output_length" and model.get("type") != "text-to-video":
        reading.unplaced["second of output that is no video"] += 1
        return
    amounts = list(_amounts(kind, pricing, reading))
    if not amounts:
        reading.unplaced[f"pricing of type {kind} without a price"] += 1
    for unit, per, amount in amounts:
        own = cache_write_unit("deepinfra", sku) if unit == "cache_write" else unit
        reading.statements.append(Statement(provider="deepinfra", sku=sku, unit=own, per=per, amount=amount, url=URL))


def _amounts(kind: str, pricing: Mapping[str, Any], reading: Reading) -> Iterator[tuple[str, int, Decimal]]:
    for (of_kind, field), (unit, per) in _PRICES.items():
        if of_kind != kind or pricing.get(field) is None:
            continue
        cents = _number(pricing[field])
        amount = None if cents is None else _dollars(cents / 100 * per)
        if amount is None:
            reading.unplaced["price of zero" if cents == 0 else "amount that is no price"] += 1
            continue
        yield unit, per, amount
        if unit != "input" or kind != "tokens":
            continue
        for rate_field, cached in _CACHE_RATES.items():
            if pricing.get(rate_field) is None:
                continue
            rate = _number(pricing[rate_field])
            cached_amount = None if rate is None else _dollars(cents * rate / 100 * per) if cents else None
            if cached_amount is None:
                reading.unplaced["cache rate that is no price"] += 1
            else:
                yield cached, per, cached_amount


def _openai_model(model: Mapping[str, Any], reading: Reading) -> None:
    sku, metadata = model["id"], model["metadata"]
    if not _is_new(sku, reading):
        reading.unplaced["private or repeated model"] += 1
        return
    pricing = (metadata or {}).get("pricing") or {}
    reading.offerings.append(
        OfferingFact("deepinfra", "DeepInfra", sku, context_window=_tokens((metadata or {}).get("context_length")))
    )
    for field, stated in pricing.items():
        number = _number(stated)
        amount = None if number is None else _dollars(number)
        if field not in _DOLLARS:
            reading.unplaced[f"price of {field}"] += 1
        elif amount is None:
            reading.unplaced["price of zero" if number == 0 else "amount that is no price"] += 1
        else:
            reading.statements.append(
                Statement(provider="deepinfra", sku=sku, unit=_DOLLARS[field], amount=amount, url=URL)
            )  # fmt: skip
    reading.unplaced["model without a price"] += not pricing


def _is_new(sku: Any, reading: Reading) -> bool:
    return isinstance(sku, str) and all(offering.sku != sku for offering in reading.offerings)


def _number(stated: Any) -> Decimal | None:
    if isinstance(stated, bool) or not isinstance(stated, int | Decimal):
        return None
    number = Decimal(stated)
    return number if number.is_finite() and 0 <= number < 10**6 else None


def _dollars(amount: Decimal) -> Decimal | None:
    """The amount without the tail of a binary float; None where it is not above zero and plausible."""
    rounded = amount.quantize(_PLACES)
    return rounded if 0 < rounded < _MOST else None


def _tokens(stated: Any) -> int | None:
    return stated if type(stated) is int and 0 < stated < 10**9 else None


def _day(stated: Any) -> date | None:
    if isinstance(stated, bool) or not isinstance(stated, int | Decimal) or not stated:
        return None
    return datetime.fromtimestamp(int(stated), UTC).date()
