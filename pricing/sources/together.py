"""Together AI's own list of models, `GET /v1/models`, with the key of an account.

    [{"id": "meta-llama/Llama-3.3-70B-Instruct-Turbo", "object": "model", "created": 1733466629, "type": "chat",
      "display_name": "…", "organization": "Meta", "link": "…", "license": "…", "context_length": 131072,
      "pricing": {"hourly": 0, "input": 0.88, "output": 0.88, "base": 0, "finetune": 0, "cached_input": 0.18}}, …]

Written from the documented schema: no response was at hand. `input`, `output` and `cached_input` are dollars per
million tokens for models of text. A model whose prices are all zero is sold on dedicated hardware only, so its zeros
are no prices; only an id that ends in `-Free` is free. What `input` and `base` count for images, audio and video is
not documented, so such prices are counted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pricing.sources import VENDOR_API, OfferingFact, Reading, SourceError, Statement

SLUG = "together"
NAME = "Together AI API"
TRUST = VENDOR_API
PRECEDENCE = 1  # the vendor's own list
COPIES = ()
LICENCE = "public facts"
URL = "https://docs.together.ai/reference/models-1"
FEED = "https://api.together.xyz/v1/models"
KEY = "TOGETHER_API_KEY"
CADENCE_HOURS = 24
STATES_HISTORY = False  # the prices of today

_UNITS = {"input": "input", "output": "output", "cached_input": "cache_read"}
_OF_TEXT = frozenset({"chat", "language", "code", "embedding", "moderation", "rerank"})
_MOST = Decimal(1000)
"""Dollars a million tokens: no host has charged as much, so more is another unit."""


def parse(body: bytes) -> Reading:
    """Every price per token of the models Together sells without a machine of one's own."""
    try:
        models = json.loads(body, parse_float=Decimal)
        reading = Reading()
        for model in {json.dumps(model, default=str): model for model in models}.values():
            _model(model, reading)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as fault:
        raise SourceError(f"The body is no list of models of Together's API: {fault!r}.") from fault
    if not reading.statements:
        raise SourceError("Together's list of models holds no price at all; its layout must have changed.")
    reading.unplaced = +reading.unplaced
    return reading


def _model(model: Mapping[str, Any], reading: Reading) -> None:
    sku, pricing = model["id"], model["pricing"]
    if not isinstance(sku, str) or any(offering.sku == sku for offering in reading.offerings):
        reading.unplaced["model listed twice with other prices"] += 1
        return
    reading.offerings.append(
        OfferingFact(
            "together", "Together AI", sku, name=model.get("display_name") or "",
            context_window=_tokens(model.get("context_length")),
        )
    )  # fmt: skip
    kind = model.get("type")
    if kind not in _OF_TEXT:
        reading.unplaced[f"price of a model of type {kind}"] += 1
        return
    free = sku.endswith("-Free")
    for name, stated in pricing.items():
        if name not in _UNITS:
            reading.unplaced[f"price of {name}"] += bool(stated)
            continue
        amount = _amount(stated)
        if amount is None:
            reading.unplaced["amount that is no price"] += stated is not None
        elif amount == 0 and not free:
            reading.unplaced["price of zero"] += 1
        else:
            reading.statements.append(
                Statement(provider="together", sku=sku, unit=_UNITS[name], amount=amount, url=URL)
            )  # fmt: skip


def _tokens(stated: Any) -> int | None:
    return stated if type(stated) is int and 0 < stated < 10**9 else None


def _amount(stated: Any) -> Decimal | None:
    if isinstance(stated, bool) or not isinstance(stated, int | Decimal):
        return None
    amount = Decimal(stated)
    return amount.quantize(Decimal("1e-12")) if amount.is_finite() and 0 <= amount < _MOST else None
