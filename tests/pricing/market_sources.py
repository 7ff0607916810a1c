"""Small sources for tests of live refreshes: a body is `{"sku": {"unit": amount, …}, …}` in USD per Mtok."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from functools import partial
from types import ModuleType
from typing import Any

import pytest

from pricing.sources import CURATED, OfferingFact, Reading, SourceError, Statement

PRICES = {f"model-{n}": {"input": n, "output": 4 * n} for n in range(1, 11)}
"""Ten models at 1 to 10 USD."""


def body_of(prices: Any) -> bytes:
    return json.dumps(prices).encode()


def parse(body: bytes, provider: str = "acme") -> Reading:
    try:
        table = json.loads(body, parse_float=Decimal)
        pages = table if isinstance(table, list) else [table]
        reading = Reading()
        for page in pages:
            for sku, units in page.items():
                if sku == "next":
                    continue
                currency = units.pop("currency", "USD")
                reading.offerings.append(OfferingFact(provider, provider.title(), sku))
                for unit, amount in units.items():
                    if not isinstance(amount, int | Decimal) or isinstance(amount, bool):
                        raise SourceError(f"{sku} has {amount!r} where a number is expected.")
                    reading.statements.append(Statement(provider, sku, unit, Decimal(amount), currency=currency))
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as fault:
        raise SourceError(f"These are not prices: {fault!r}.") from fault
    return reading


def make_source(slug: str, feed: str, **changes: Any) -> ModuleType:
    module = ModuleType(slug)
    known = {
        "SLUG": slug, "NAME": slug.title(), "TRUST": CURATED, "PRECEDENCE": 1, "COPIES": (), "LICENCE": "MIT",
        "URL": "https://acme.test", "FEED": feed, "CADENCE_HOURS": 24, "STATES_HISTORY": False,
        "parse": partial(parse, provider=slug),
    }  # fmt: skip
    vars(module).update(known | changes)
    return module


def install(monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
    """Make these the only sources there are."""
    found = {module.SLUG: module for module in modules}
    import pricing.catalog
    import pricing.refreshing  # noqa: F401 - for sys.modules below

    for name in ("pricing.catalog", "pricing.catalog.prices", "pricing.refreshing"):
        monkeypatch.setattr(sys.modules[name], "all_sources", lambda: found)
