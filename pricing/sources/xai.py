"""xAI's own list of its models, `GET /v1/language-models`, with the key of an account.

    {"models": [{"id": "grok-4.3", "aliases": ["grok-4.3-latest", "grok-latest"], "version": "…", "created": 1776384000,
       "input_modalities": ["text", "image"], "output_modalities": ["text"],
       "prompt_text_token_price": 12500, "cached_prompt_text_token_price": 2000, "prompt_image_token_price": 12500,
       "completion_text_token_price": 25000, "long_context_threshold": 200000,
       "prompt_text_token_price_long_context": 25000, "completion_text_token_price_long_context": 50000, …}]}

Written from the documented schema: no response was at hand. Token prices are US cents per 100 million tokens, which is
1e-10 dollars a token; a price of an image is in the same 1e-10 dollars. `/v1/models` answers the same fields under
`data` with a `context_length`, `/v1/image-generation-models` under `models`; both are read here too. A zero means that
the model takes no such input. The unit of `search_price` is not documented, so it is counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from pricing.sources import MTOK, VENDOR_API, AliasFact, OfferingFact, Reading, SourceError, Statement

SLUG = "xai"
NAME = "xAI API"
TRUST = VENDOR_API
PRECEDENCE = 1  # the vendor's own list
COPIES = ()
LICENCE = "public facts"
URL = "https://docs.x.ai/developers/rest-api-reference/inference/models"
FEED = "https://api.x.ai/v1/language-models"
KEY = "XAI_API_KEY"
CADENCE_HOURS = 24
STATES_HISTORY = False  # the prices of today

_TOKENS = {
    "prompt_text_token_price": "input",
    "cached_prompt_text_token_price": "cache_read",
    "prompt_image_token_price": "input_image",
    "completion_text_token_price": "output",
    "generated_image_token_price": "output_image",
}
_LONG = "_long_context"
_ONE = Decimal("1e-10")  # dollars
_MOST_A_MTOK = Decimal(10_000)
_IMAGE = (Decimal("0.001"), Decimal(10))
"""What an image may cost: outside, the scale is not the one known."""
_MODALITIES = frozenset({"text", "image", "audio", "video"})
_MOST_TOKENS = 10**9


def parse(body: bytes) -> Reading:
    """Every price and name of the models xAI sells."""
    try:
        answer = json.loads(body, parse_float=Decimal)
        models = answer["models"] if "models" in answer else answer["data"]
        reading = Reading()
        for model in models:
            _model(model, reading)
        _names(models, reading)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as fault:
        raise SourceError(f"The body is no list of models of xAI's API: {fault!r}.") from fault
    if not reading.statements:
        raise SourceError("xAI's list of models holds no price at all; its layout must have changed.")
    return reading


def _model(model: Mapping[str, Any], reading: Reading) -> None:
    sku = model["id"]
    if not isinstance(sku, str) or any(o.sku == sku for o in reading.offerings):
        reading.unplaced["model listed twice"] += 1
        return
    reading.offerings.append(
        OfferingFact(
            "xai", "xAI", sku, context_window=_tokens(model.get("context_length")),
            modalities=(*_modalities(model, "in"), *_modalities(model, "out")),
        )
    )  # fmt: skip
    threshold = _tokens(model.get("long_context_threshold"))
    for name, stated in model.items():
        if "price" not in name or stated is None:
            continue
        if name.removesuffix(_LONG) in _TOKENS:
            context_from = (threshold or 0) if name.endswith(_LONG) else 0
            if name.endswith(_LONG) and not threshold:
                # Zero beside a threshold of zero: the model has no long-context price.
                reading.unplaced["long-context price without a threshold"] += bool(stated)
                continue
            amount = _amount(stated, MTOK)
            if amount is None or amount >= _MOST_A_MTOK:
                reading.unplaced["zero price" if stated == 0 else "amount that is no price"] += 1
                continue
            reading.statements.append(
                Statement(
                    provider="xai", sku=sku, unit=_TOKENS[name.removesuffix(_LONG)], amount=amount, url=URL,
                    context_from=context_from, context_op=">" if context_from else "",
                    context_mode="whole_request" if context_from else "",
                )
            )  # fmt: skip
        elif name == "image_price":
            amount = _amount(stated, 1)
            if amount is None or not _IMAGE[0] <= amount <= _IMAGE[1]:
                reading.unplaced["zero price" if stated == 0 else "amount that is no price"] += 1
                continue
            reading.statements.append(
                Statement(provider="xai", sku=sku, unit="image", amount=amount, per=1, url=URL)
            )  # fmt: skip
        else:
            reading.unplaced[f"price of {name}"] += 1


def _amount(stated: Any, per: int) -> Decimal | None:
    """Dollars per `per`; None where it is no amount above zero."""
    if isinstance(stated, bool) or not isinstance(stated, int | Decimal):
        return None
    amount = Decimal(stated)
    return amount * per * _ONE if amount.is_finite() and amount > 0 else None


def _tokens(stated: Any) -> int | None:
    return stated if type(stated) is int and 0 < stated < _MOST_TOKENS else None


def _modalities(model: Mapping[str, Any], way: str) -> Iterator[str]:
    for kind in model.get(f"{way}put_modalities") or ():
        if kind in _MODALITIES:
            yield f"{kind}_{way}"


def _names(models: list[Mapping[str, Any]], reading: Reading) -> None:
    """The aliases; a name two models claim is the name of neither."""
    skus = {model["id"] for model in models}
    claimed = [alias for model in models for alias in model.get("aliases") or ()]
    for model in models:
        for alias in model.get("aliases") or ():
            if alias in skus:
                continue
            if claimed.count(alias) > 1:
                reading.unplaced["alias of two models"] += 1
            else:
                reading.aliases.append(AliasFact("xai", alias, model["id"], url=URL))
    reading.unplaced = +reading.unplaced
