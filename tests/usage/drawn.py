"""What the machine of the ledger is told: feeds and their facts, rules and contracts, drawn by hypothesis."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from hypothesis import strategies as st

from pricing.models import ExchangeRate
from tests.usage.books import Feed, Price
from tests.usage.factories import at, make_card, make_fact, make_offering, make_source
from tests.usage.reckoning import PARTS
from usage.importers import Fact

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
DAYS = {MARCH: ["2026-03-05", "2026-03-20", "2026-03-31"], APRIL: ["2026-04-01", "2026-04-12"]}
EDGES = [date(2026, 3, 5), date(2026, 3, 20), date(2026, 3, 31), date(2026, 4, 1), date(2026, 4, 2)]
WINDOWS = [
    (at(since), at(until))
    for since, until in (
        ("2026-03-01 00:00", "2026-04-01 00:00"),
        ("2026-03-20 00:00", "2026-04-02 00:00"),
        ("2026-03-01 00:00", "2026-05-01 00:00"),
    )
]
BILL, USAGE_API, ADMIN_API = ("bill", "main"), ("usage_api", "main"), ("usage_api", "admin")
GATEWAY, LAPTOP, DESKTOP = ("gateway", "main"), ("transcripts", "main"), ("transcripts", "desktop")
APPENDED, REPLACED = [GATEWAY, LAPTOP, DESKTOP], [BILL, USAGE_API, ADMIN_API]
IN_USD, IN_CNY, UNKNOWN = MODELS = ("model-usd", "model-cny", "nobody-knows")
BILLED = ("", IN_USD, UNKNOWN)
"""What the lines of the bill name: on a day nothing, something, or both."""
USD = {"USD": Decimal(1), "EUR": Decimal("1.0873"), "CNY": Decimal("0.1379"), "": Decimal(1)}
PRICES: dict[str, list[tuple[str, str, str, str, date | None]]] = {
    IN_USD: [("USD", "1", "2", "0.1", None), ("USD", "0.7", "1.9", "0.07", date(2026, 3, 20))],
    IN_CNY: [("CNY", "7", "9", "0.5", None)],
}
"""Per million tokens of input, output and cached input, from a day on."""
CONDITIONS: list[tuple[list[dict[str, Any]], Callable[[Feed, str, Fact], bool]]] = [
    ([], lambda feed, account, fact: True),
    (
        [{"field": "path", "op": "prefix", "value": "/a"}],
        lambda feed, account, fact: fact.dimension.path.startswith("/a"),
    ),
    (
        [{"field": "path", "op": "is_empty", "not": True}, {"field": "source", "op": "equals", "value": "gateway"}],
        lambda feed, account, fact: fact.dimension.path != "" and feed[0] == "gateway",
    ),
    (
        [{"field": "model", "op": "equals", "value": IN_CNY}],
        lambda feed, account, fact: fact.dimension.model_raw == IN_CNY,
    ),
    ([{"field": "account", "op": "equals", "value": "second"}], lambda feed, account, fact: account == "second"),
    ([{"field": "source", "op": "equals", "value": "bill"}], lambda feed, account, fact: feed[0] == "bill"),
    (
        [{"field": "session", "op": "prefix", "value": "ci-"}],
        lambda feed, account, fact: fact.session.startswith("ci-"),
    ),
    (
        [{"field": "session", "op": "equals", "value": "dev", "not": True}, {"field": "path", "op": "is_empty"}],
        lambda feed, account, fact: fact.session != "dev" and fact.dimension.path == "",
    ),
]

whose = st.integers(0, 1)
months = st.sampled_from([MARCH, APRIL])
tokens = st.integers(0, 3_000)
money = st.integers(0, 10**12).map(lambda units: Decimal(units).scaleb(-12))
weights = st.one_of(
    st.just([PARTS]),
    st.integers(1, PARTS - 1).map(lambda one: [one, PARTS - one]),
    st.tuples(st.integers(1, PARTS // 2 - 1), st.integers(1, PARTS // 2)).map(lambda two: [*two, PARTS - sum(two)]),
)
named_tokens = st.sampled_from([None, None, "gateway", "transcripts", LAPTOP, "usage_api"])
conditions = st.sampled_from(range(len(CONDITIONS)))
spans = st.sampled_from(
    [(None, None), (None, None), *((day, None) for day in EDGES), (None, EDGES[3]), (EDGES[1], EDGES[2])]
)
contract_days = st.sampled_from([(MARCH, None), (MARCH, EDGES[1]), (EDGES[1], EDGES[3]), (EDGES[2], None)])
values = st.integers(0, 10**8).map(lambda units: Decimal(units).scaleb(-6))  # per cent, or a price per million
numbers, _day, _path, kinds = st.integers(0, 5), st.integers(0, 2), st.sampled_from(["", "/a/x", "/b"]), st.booleans()
seldom = st.sampled_from([False, False, False, True])
appended, replaced, windows = st.sampled_from(APPENDED), st.sampled_from(REPLACED), st.sampled_from(WINDOWS)
feeds, accounts = st.sampled_from([*REPLACED, GATEWAY, LAPTOP]), st.sampled_from(["", "second"])
models, prices = st.sampled_from([IN_USD, IN_CNY]), st.one_of(st.none(), st.integers(0, 10_000))
_session = st.sampled_from(["", "ci-1", "ci-2", "dev"])
_hour, _currency, _requests = st.integers(0, 23), st.sampled_from(["USD", "EUR"]), st.sampled_from([1, 1, 3, None])


class Begun(NamedTuple):
    """How a sequence begins: of what the gateway saw the vendor says so many per cent; conditions and whose tokens of
    the first rules; whether there is a contract; what is closed at once."""

    percent: int
    rules: list[tuple[int, str | None]]
    weights: list[int]
    agreed: bool
    closed: list[tuple[int, date]]


begun = st.builds(
    Begun,
    st.sampled_from([100, 101, 105]),
    st.sampled_from([[], [(1, None), (0, "gateway")]]),
    weights,
    kinds,
    st.sampled_from([[], [(0, MARCH)], [(0, MARCH), (1, APRIL)], [(0, APRIL), (1, MARCH)]]),
)


@st.composite
def facts(draw: st.DrawFn, feed: Feed, prefix: str = "") -> Fact:
    """What a feed tells; a key is of one month and model whenever it is told."""
    number = draw(numbers)
    days = DAYS[MARCH if number % 2 else APRIL]
    day = days[draw(_day) % len(days)]
    told: dict[str, Any] = {"model": MODELS[number // 2], "path": draw(_path)}
    if feed == BILL:
        told |= {"model": BILLED[number // 2]}
        told |= dict.fromkeys(("in_uncached", "in_cache_read", "in_cache_write", "out_total", "requests"))
        told |= {"cost_reported": draw(money), "currency": "EUR", "cost_kind": "billed", "grain": "1d"}
    else:
        told |= {"in_uncached": draw(tokens), "out_total": draw(tokens), "requests": draw(_requests)}
        told |= {"in_cache_read": told["in_uncached"] // 3}
    if feed in APPENDED:
        told |= {"session": draw(_session)}
    if feed == GATEWAY and draw(kinds):
        told |= {"cost_reported": draw(money), "currency": draw(_currency)}
        if draw(seldom):
            told |= {"cost_kind": "billed"}
    if feed in (LAPTOP, DESKTOP) and draw(kinds):
        told |= {"cost_kind": "notional"}
    hour = 0 if feed in REPLACED else draw(_hour)
    return make_fact(f"{prefix}key-{number}", f"{day} {hour:02d}:00", **told)


@cache
def listed(feed: Feed, prefix: str = "") -> st.SearchStrategy[list[Fact]]:
    return st.lists(facts(feed, prefix), min_size=1, max_size=5, unique_by=lambda fact: fact.record_key)


def seen_by_vendor(fact: Fact, percent: int) -> Fact:
    """What the vendor's usage API says of a request that the gateway saw, and of others beside it."""
    midnight = _midnight(fact.occurred_at.date())
    more = {name: (getattr(fact, name) or 0) * percent // 100 for name in ("in_uncached", "in_cache_read", "out_total")}
    return fact._replace(occurred_at=midnight, grain="1d", cost_reported=None, currency="", **more)


def listed_prices() -> dict[str, list[Price]]:
    """What is published, in the books."""
    return {
        model: [
            Price(currency, _per_token(input), _per_token(output), _per_token(read), since or date.min)
            for currency, input, output, read, since in known
        ]
        for model, known in PRICES.items()
    }


def publish_prices() -> None:
    """Rate cards that follow each other, and a rate of each currency."""
    for model, known in PRICES.items():
        ends = [*(since for *_, since in known[1:]), None]
        for (currency, input, output, read, since), until in zip(known, ends, strict=True):
            days = {"effective_from": _midnight(since)} if since else {}
            days |= {"effective_until": _midnight(until)} if until else {}
            make_card(make_offering(model), currency=currency, input=input, output=output, cache_read=read, **days)
    for currency in ("EUR", "CNY"):
        ExchangeRate.objects.create(currency=currency, day=MARCH, usd=USD[currency], source=make_source())


def _per_token(price: str) -> Decimal:
    return Decimal(price) / 10**6


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
