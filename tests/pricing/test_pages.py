"""Pages of an answer while the catalogue changes between them: what stood throughout is told, and told once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from pricing import catalog
from pricing.answers import listing
from pricing.answers.changes import Window
from pricing.models import Offering, PriceEvent, PriceSource

pytestmark = pytest.mark.django_db

FIRST, SECOND, THIRD = (datetime(2026, 11, day, tzinfo=UTC) for day in (1, 8, 15))
SKUS = ["m-1", "m-2", "m-3", "m-4", "m-5"]


def read(when: datetime, **prices: str) -> None:
    """One more reading, in which every model costs 5 but those named."""
    models = [
        {"id": sku, "match": {"equals": sku}, "prices": {"input_mtok": prices.get(sku.replace("-", "_"), "5")}}
        for sku in SKUS
    ]
    body = json.dumps([{"id": "acme", "name": "Acme", "models": models}]).encode()
    assert catalog.record("genai_prices", body, observed_at=when).error == ""


def make_event(offering: Offering, why: str) -> None:
    PriceEvent.objects.create(
        offering=offering, unit="input", service_tier="standard", kind="cut", old=Decimal(5), new=Decimal(4),
        per=1_000_000, currency="USD", effective_from=SECOND, observed_at=SECOND, why=why,
        source=PriceSource.objects.get(slug="genai_prices"), claim=offering.claims.first() if why != "again" else None,
    )  # fmt: skip


def walk(
    ask: Callable[[str | None], dict[str, Any]], key: str, meanwhile: Iterator[Callable[[], None]]
) -> list[Any]:  # fmt: skip
    """Everything the pages tell, with something happening after each."""
    told: list[Any] = []
    cursor: str | None = None
    while True:
        page = ask(cursor)
        told += page[key]
        cursor = page["next"]
        if cursor is None:
            return told
        next(meanwhile, lambda: None)()


@pytest.mark.parametrize("at", [datetime(2026, 11, 2, tzinfo=UTC), None], ids=["before the change", "now"])
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_price_that_changes_between_two_pages_is_told_once(at: datetime | None, limit: int):
    read(FIRST)
    changes = iter([lambda: read(SECOND, m_1="4", m_4="4"), lambda: read(THIRD, m_1="3", m_2="3", m_5="3")])
    told = walk(lambda cursor: listing.prices(listing.Filters("acme", at=at), limit, cursor), "prices", changes)
    assert [one["sku"] for one in told] == SKUS


@pytest.mark.parametrize("by", ["observed", "effective"])
def test_a_change_is_told_once_though_others_of_its_moment_are_withdrawn_or_found_between_two_pages(by: str):
    read(FIRST)
    for sku in SKUS:
        offering = Offering.objects.get(sku=sku)
        make_event(offering, sku)
    window = Window(by=by, start=SECOND)

    def gone() -> None:
        PriceEvent.objects.filter(offering__sku="m-1").update(superseded_at=THIRD)

    def found() -> None:
        make_event(Offering.objects.get(sku="m-2"), "again")

    told = walk(lambda cursor: listing.changes(window, 2, cursor), "changes", iter([gone, found]))
    assert [one["why"] for one in told] == SKUS
