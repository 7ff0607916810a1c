"""A small market that a project buys from: prices with their evidence, ratings, and thirty days of its usage.

Today is Monday 16 November 2026. The project asks `now-1` of its maker, at 10 USD per Mtok in and 40 out; each day of
17 October to 15 November it sends 1 Mtok and reads 0.1 Mtok: 14 USD a day, 420 in the window, 426.125 in a month.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pricing import names
from pricing.models import Offering, Score
from tests.dashboards.market_cast import make_offering, make_price, make_score, utc
from tests.usage.conftest import ImportFacts
from tests.usage.factories import make_fact, make_organisation, make_project, make_rule
from usage.importers import Fact
from usage.models import Organisation, Project

ON = date(2026, 11, 16)
FIRST = date(2026, 10, 17)
DAYS = 30
PAYING = Decimal("426.125")


@dataclass
class Buyer:
    """An organisation with one project that buys, and what imports for it."""

    organisation: Organisation
    project: Project
    import_facts: ImportFacts

    def use(self, model: str = "now-1", host: str = "vendor", **fields: Any) -> None:
        """Usage of the window, as one record a day unless `fields` say otherwise."""
        scope = fields.pop("scope", f"{host} {model}")
        self.import_facts(list(daily(model, host, **fields)), scope=scope, into=self.organisation)

    def use_on(self, days: Iterable[date], model: str = "now-1", host: str = "vendor") -> None:
        """Usage on some days."""
        facts = [fact for day in days for fact in daily(model, host, day, 1)]
        self.import_facts(facts, scope=f"{host} {model}", into=self.organisation)


def daily(model: str, host: str, first: date = FIRST, days: int = DAYS, **fields: Any) -> Iterator[Fact]:
    for n in range(days):
        day = first + timedelta(days=n)
        yield make_fact(
            f"{model}-{day}", datetime.combine(day, datetime.min.time()).strftime("%Y-%m-%d 12:00"), model=model,
            host=host, ext_project="alpha",
            **({"grain": "1d", "in_uncached": 1_000_000, "out_total": 100_000, "requests": 500} | fields),
        )  # fmt: skip


def make_buyer(import_facts: ImportFacts, **fields: Any) -> Buyer:
    """The project with its usage of `now-1`; `fields` are of the project."""
    organisation = make_organisation()
    project = make_project(organisation, "alpha", **fields)
    make_rule(organisation, [{"field": "ext_project", "op": "equals", "value": "alpha"}], {project.pk: "1"})
    sell("now-1", "vendor", "10", "40", rating="1500")
    buyer = Buyer(organisation, project, import_facts)
    buyer.use()
    return buyer


def sell(
    model: str, provider: str, sent: str, written: str, *, rating: str = "", maker: str = "", since: str = "2026-01-01",
    votes: int = 5000, sku: str = "", context: int | None = 1_000_000, price: dict[str, Any] | None = None,
    open_weights: bool | None = True,
) -> Offering:  # fmt: skip
    """A model that is sold at a price, '' for none, and rated by Arena with an interval of five points."""
    traits = {"context_window": context, "open_weights": open_weights}
    found = make_offering(model, provider, maker=maker or provider, sku=sku, **traits)
    for unit, amount in (("input", sent), ("output", written)):
        if amount:
            make_price(found, unit, amount, since=since, **({"evidence_at": utc(since)} | (price or {})))
    if rating:
        rate(model, rating, votes=votes)
    names.forget()
    return found


def rate(model: str, value: str, *, effort: str = "", votes: int = 5000) -> Score:
    return make_score(model, f"{model} {effort}", value, effort=effort, votes=votes)
