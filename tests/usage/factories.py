"""Small makers of what usage tests need; each has a default for all that the test does not speak of."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pricing import names
from pricing.models import LanguageModel, Offering, PriceSource, Provider, RateCard
from usage import assignments, organisations
from usage.importers import APPEND, Dimension, Fact, Ignored, Outcome, Rejected
from usage.models import AttributionRule, ImportBatch, Organisation, Project

_numbers = itertools.count(1)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    """'2026-03-31 23:59' as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def make_organisation(slug: str = "", **fields: Any) -> Organisation:
    return organisations.create_organisation("Acme", slug or f"acme-{next(_numbers)}", **fields)


def make_project(organisation: Organisation, slug: str = "", **fields: Any) -> Project:
    slug = slug or f"project-{next(_numbers)}"
    return organisations.create_project(organisation, slug.title(), slug, **fields)


def make_rule(
    organisation: Organisation,
    conditions: list[dict[str, Any]],
    shares: Mapping[int, str],
    **fields: Any,
) -> AttributionRule:
    outcome = [{"project": project, "weight": weight} for project, weight in shares.items()]
    return assignments.save_rule(organisation, name="rule", conditions=conditions, shares=outcome, **fields)


def make_offering(sku: str = "model-a", provider: str = "seller") -> Offering:
    seller, _ = Provider.objects.get_or_create(slug=provider, defaults={"name": provider})
    model, _ = LanguageModel.objects.get_or_create(slug=sku, defaults={"name": sku, "key": sku})
    offering, _ = Offering.objects.get_or_create(provider=seller, sku=sku, region="", defaults={"model": model})
    names.forget()
    return offering


def make_card(offering: Offering, **fields: Any) -> RateCard:
    """A current card: input 1, output 2, cache read 0.1, cache write 1.25 USD per million unless said otherwise."""
    prices = {"input": "1", "output": "2", "cache_read": "0.1", "cache_write": "1.25"} | {
        name: fields.pop(name) for name in list(fields) if name in _UNITS
    }
    defaults: dict[str, Any] = {
        "service_tier": "standard",
        "effective_from": LONG_AGO,
        "currency": "USD",
        "price_ids": [],
        "content_hash": f"{next(_numbers):064d}",
    }
    per_token = {unit: None if price is None else Decimal(price) / 10**6 for unit, price in prices.items()}
    return RateCard.objects.create(offering=offering, **(defaults | per_token | fields))


_UNITS = {
    "input", "output", "cache_read", "cache_write", "cache_write_5m", "cache_write_30m", "cache_write_1h",
    "cache_write_12h", "reasoning",
}  # fmt: skip


def make_source(slug: str = "test") -> PriceSource:
    found, _ = PriceSource.objects.get_or_create(
        slug=slug, defaults={"name": slug, "trust": "manual", "licence": "none", "cadence_hours": 24}
    )
    return found


def make_fact(key: str, when: str | datetime = "2026-03-10 12:00", **fields: Any) -> Fact:
    """A request of `model-a` at `seller`: 1,000 uncached input and 100 output tokens unless said otherwise."""
    dimension = Dimension(
        model_raw=fields.pop("model", "model-a"),
        host=fields.pop("host", "seller"),
        **{name: fields.pop(name) for name in list(fields) if name in Dimension.__slots__},
    )
    defaults: dict[str, Any] = {
        "line": 0,
        "grain": "request",
        "in_uncached": 1_000,
        "in_cache_read": 0,
        "in_cache_write": 0,
        "out_total": 100,
        "requests": 1,
    }
    occurred_at = at(when) if isinstance(when, str) else when
    return Fact(record_key=key, occurred_at=occurred_at, dimension=dimension, **(defaults | fields))


class ListedFacts:
    """An importer whose 'file' names facts by number, one a line: what the ledger does with them is the test."""

    NAME = "Listed facts"
    MAPPED = False

    def __init__(
        self, facts: Iterable[Fact | Ignored | Rejected], mode: str = APPEND, slug: str = "listed", detail: int = 1
    ) -> None:
        self.facts = list(facts)
        self.MODE, self.SLUG, self.DETAIL = mode, slug, detail

    def parse(self, lines: Iterable[bytes], origin: str, mapping: Mapping[str, Any] | None) -> Iterator[Outcome]:
        for number, line in enumerate(lines, 1):
            yield self.facts[int(line)]._replace(line=number)


def adds_up(batch: ImportBatch) -> bool:
    """Whether every line of the batch has become one thing."""
    outcomes = batch.imported + batch.updated + batch.duplicate
    return batch.lines == outcomes + sum(batch.ignored.values()) + sum(batch.rejected.values())
