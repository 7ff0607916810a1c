"""A move followed in the ledger: which usage is which side's, since when it moved, what it saved at each day's prices.

`old` costs 4 USD a Mtok in and 20 out, from 8 November on half of it; `new` 1 and 4. A request is 1,000 in and 100 out.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal as D
from pathlib import Path

import pytest

from pricing.models import Offering
from pricing.noninferiority import Verdict
from tests.usage.factories import at, make_card, make_offering, make_organisation, make_project, make_rule
from usage import ingest, realised
from usage.advice import Kind, Range, Recommendation, Side
from usage.models import Project

pytestmark = pytest.mark.django_db
WINDOW = (date(2026, 10, 22), date(2026, 11, 1))
TODAY = date(2026, 11, 12)
MAPPING = {
    "columns": {"time": "day", "project": "project", "host": "host", "model": "model", "service_tier": "tier",
                "input": "input", "output": "output", "requests": "requests"},
    "grain": "1d", "cache": "inclusive",
}  # fmt: skip


class Ledger:
    """Project alpha's usage of what a test sells."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        organisation = make_organisation("acme")
        self.alpha: Project = make_project(organisation, "alpha")
        other = make_project(organisation, "beta")
        for project in (self.alpha, other):
            make_rule(
                organisation, [{"field": "ext_project", "op": "equals", "value": project.slug}], {project.pk: "1"}
            )
        self.old, self.new = make_offering("old"), make_offering("new")
        half = at("2026-11-08 00:00")
        make_card(self.old, input="4", output="20", effective_until=half)
        make_card(self.old, input="2", output="10", effective_from=half)
        make_card(self.new, input="1", output="4")

    def used(self, *rows: tuple[str, str, int], tier: str = "", project: str = "alpha", host: str = "seller") -> None:
        """(day, model, requests); -1 requests: a hundred whose number nobody says."""
        lines = ["day,project,host,model,tier,input,output,requests"]
        for day, model, requests in rows:
            n, said = (100, "") if requests < 0 else (requests, requests)
            lines.append(f"2026-{day},{project},{host},{model},{tier},{n * 1000},{n * 100},{said}")
        path = self.folder / f"usage-{len(list(self.folder.iterdir()))}.csv"
        path.write_text("\n".join(lines) + "\n")
        ingest.import_paths(self.alpha.organisation, "csv", [path], "account", MAPPING)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


def side(of: Offering, **fields: str) -> Side:
    model = of.model
    return replace(Side(of.pk, model.slug, model.name, of.provider.slug, of.provider.name, of.sku), **fields)


def moving(old: Side, new: Side, kind: Kind = Kind.SUBSTITUTION) -> Recommendation:
    return Recommendation(kind, old, new, Verdict.EQUAL, D(1), Range(D(0), D(1)), "")


def saved(ledger: Ledger, move: Recommendation, since: date) -> Range:
    return realised.follow(ledger.alpha, move, WINDOW, TODAY).realised(since, TODAY).total


def test_it_is_followed_from_the_old_side_to_the_new_at_each_days_prices(ledger: Ledger) -> None:
    ledger.used(("10-23", "old", 600), ("10-30", "old", 400), ("11-05", "old", 100))
    ledger.used(("11-06", "new", 100), ("11-07", "new", 90), ("11-08", "new", 80), ("11-07", "old", 10))
    ledger.used(("11-06", "new", 5000), project="beta")
    found = realised.follow(ledger.alpha, moving(side(ledger.old), side(ledger.new)), WINDOW, TODAY)
    assert found.moved_on == date(2026, 11, 6)
    # Per request 0.006, from the 8th on 0.003, against 0.0014.
    days = found.realised(date(2026, 11, 6), TODAY).days
    assert [one.saving.low for one in days] == [D("0.46"), D("0.414"), D("0.128")]


def test_the_new_side_is_the_model_whoever_sells_it(ledger: Ledger) -> None:
    other = make_offering("other-host", "elsewhere")
    Offering.objects.filter(pk=other.pk).update(model=ledger.new.model)
    make_card(other, input="1", output="4")
    ledger.used(("10-23", "old", 1000))
    ledger.used(("11-06", "other-host", 100), host="elsewhere")
    move = moving(side(ledger.old), side(ledger.new))
    assert saved(ledger, move, date(2026, 11, 6)).low == D("0.46")
    # To another seller of the same weights it moves only there.
    assert saved(ledger, replace(move, kind=Kind.SELLER), date(2026, 11, 6)).low == 0


def test_a_move_to_another_tier_tells_the_sides_by_the_tier(ledger: Ledger) -> None:
    make_card(ledger.old, input="2", output="10", service_tier="batch")
    ledger.used(("10-23", "old", 1000), ("11-06", "old", 20))
    ledger.used(("11-06", "old", 80), tier="batch")
    move = moving(side(ledger.old), side(ledger.old, service_tier="batch"), Kind.BATCH)
    assert not realised.is_in_place(move)
    assert saved(ledger, move, date(2026, 11, 6)).low == D("0.24")


def test_a_move_that_stays_where_it_is_cannot_be_seen_but_what_it_saved_can(ledger: Ledger) -> None:
    ledger.used(("10-23", "old", 1000), ("11-06", "old", 100))
    move = moving(side(ledger.old), side(ledger.old, effort="low"), Kind.CACHED_PREFIX)
    found = realised.follow(ledger.alpha, move, WINDOW, TODAY)
    assert (found.in_place, found.moved_on) == (True, None)
    assert found.realised(date(2026, 11, 6), TODAY).total == Range(D(0), D(0))


def test_requests_that_nobody_counted_are_unknown_and_tokens_tell(ledger: Ledger) -> None:
    ledger.used(("10-23", "old", 1000), ("11-06", "new", -1))
    found = realised.follow(ledger.alpha, moving(side(ledger.old), side(ledger.new)), WINDOW, TODAY)
    months = found.realised(date(2026, 11, 6), TODAY)
    assert (months.by_requests, months.total.low) == (False, D("0.46"))


def test_a_day_without_a_price_of_the_new_side_is_unknown(ledger: Ledger) -> None:
    bare = make_offering("bare")
    ledger.used(("10-23", "old", 1000), ("11-06", "bare", 100))
    found = realised.follow(ledger.alpha, moving(side(ledger.old), side(bare)), WINDOW, TODAY)
    months = found.realised(date(2026, 11, 6), TODAY)
    assert (months.unknown, months.total, months.per_month) == ((date(2026, 11, 6),), Range(D(0), D(0)), None)


def test_it_takes_few_queries_however_many_days(ledger: Ledger, django_assert_num_queries: object) -> None:
    ledger.used(*((f"10-{n}", "old", 100) for n in range(22, 31)), *((f"11-0{n}", "new", 100) for n in range(1, 9)))
    move = moving(side(ledger.old), side(ledger.new))
    with django_assert_num_queries(5):  # type: ignore[operator]
        realised.follow(ledger.alpha, move, WINDOW, TODAY)
