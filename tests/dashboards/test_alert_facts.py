"""Which facts are told, under which key, and in which words: the rules of alerts, without a database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from dashboards.alerts import facts
from dashboards.alerts.facts import Budgeted, Fact, Retiring, Shares, Silent, Used
from dashboards.alerts.words import Told, told
from dashboards.pages.ledger import Move, Sums
from usage.forecast import Forecast
from usage.pacing import Pace

TODAY = date(2026, 11, 16)
NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
MTOK = 10**6
DAY = timedelta(days=1)


def move(days: int, old: str = "2", new: str = "4", currency: str = "USD") -> Move:
    return Move(1, TODAY + DAY * days, {"input": (Decimal(old) / MTOK, Decimal(new) / MTOK)}, currency)


def used(**projects: int) -> dict[int, Used]:
    """Mtok of input of offering 1 at 2 USD each, by project: `p7=100`, `none=5`."""
    sums = {
        None if name == "none" else int(name[1:]): Sums(cost=Decimal(2 * mtok), records=1, spent_records=1,
                                                        in_uncached=mtok * MTOK)
        for name, mtok in projects.items()
    }  # fmt: skip
    tokens = {project: {"standard": {"input": of.in_uncached}} for project, of in sums.items()}
    return {1: Used("argon", "Argon", sums, tokens)}


def price_facts(*moves: Move, **projects: int) -> list[Fact]:
    return facts.price_facts(moves, used(**(projects or {"p7": 100})), "USD", TODAY)


def said(fact: Fact, sees: set[int] | None = None, hides: set[int] = frozenset()) -> Told | None:
    return told(fact.kind, fact.data, fact.parts, fact.is_whole, "USD", sees, TODAY, hides)


@pytest.mark.parametrize(
    ("days", "keys"),
    [
        (0, ["price 1 2026-11-16"]),
        (-5, ["price 1 2026-11-11"]),
        (15, ["announced 1 2026-12-01"]),
        (14, ["promotion 1 2026-11-30 14"]),
        (4, ["promotion 1 2026-11-20 14"]),
        (3, ["promotion 1 2026-11-19 3"]),
    ],
)
def test_a_price_is_told_when_it_is_announced_ahead_of_its_day_and_when_it_holds(days: int, keys: list[str]) -> None:
    assert [fact.key for fact in price_facts(move(days))] == keys


def test_a_price_that_falls_ends_no_low_price_and_what_nobody_uses_is_no_fact() -> None:
    assert [fact.kind for fact in price_facts(move(3, "4", "2"))] == ["announced"]
    assert facts.price_facts([move(3)], {}, "USD", TODAY) == []


def test_the_words_of_a_price_are_what_when_and_in_whose_money() -> None:
    ahead, promotion = price_facts(move(15), move(14), p7=100, none=5)
    whole = said(ahead)
    assert whole is not None
    assert (whole.title, whole.text, whole.url) == (
        "1 Dec 2026: Argon doubles",
        "$2.00 to $4.00 in per Mtok. You pay $210.00 a week; from then $420.00.",
        "/models/argon",
    )
    mine, other, soon = said(ahead, {7}), said(ahead, {8}), said(promotion)
    assert mine is not None
    assert "You pay $200.00 a week; from then $400.00." in mine.text
    assert other is None  # another project's money
    assert soon is not None
    assert soon.title == "Argon doubles in 14 days"


def test_a_price_in_another_currency_is_told_without_money_it_would_not_be() -> None:
    (fact, *_) = price_facts(move(20, currency="EUR"))
    words = said(fact)
    assert words is not None
    assert words.text == "€2.00 to €4.00 in per Mtok."


def test_a_muted_project_takes_its_money_out_and_the_rest_is_told() -> None:
    (fact, *_) = price_facts(move(20), p7=100, p8=50)
    words = said(fact, None, {7})
    assert words is not None
    assert "You pay $100.00 a week" in words.text
    assert said(fact, {7}, {7}) is None


@pytest.mark.parametrize(
    ("days", "stage"), [(91, None), (90, 90), (31, 90), (30, 30), (8, 30), (7, 7), (1, 7), (0, 0), (-3, 0)]
)
def test_a_model_that_retires_is_told_at_each_stage(days: int, stage: int | None) -> None:
    on = TODAY + DAY * days
    found = facts.retirement_facts([Retiring("argon", "Argon", on, {7: Decimal(9)})], TODAY)
    assert [fact.key for fact in found] == ([] if stage is None else [f"retires argon {on} {stage}"])


def test_the_words_of_a_retirement_name_what_its_maker_names() -> None:
    model = Retiring("argon", "Argon", TODAY + DAY * 30, {7: Decimal(9), None: Decimal(1)}, "Argon 2")
    (fact,) = facts.retirement_facts([model], TODAY)
    words = said(fact, {7})
    assert words is not None
    assert (words.title, words.text) == (
        "Argon retires in 30 days, on 16 Dec 2026",
        "You pay $9.00 a week for it. Its maker names Argon 2 in its place.",
    )


def budget(spent: int, middle: int = 0, project: int | None = None) -> Budgeted:
    ahead = Forecast(Decimal(middle), Decimal(middle), Decimal(middle), 8) if middle else None
    since, until = date(2026, 11, 1), date(2026, 12, 1)
    return Budgeted(3, project, Pace("Alpha", "USD", Decimal(100), since, until, TODAY, TODAY, Decimal(spent), ahead))


@pytest.mark.parametrize(
    ("spent", "middle", "told"),
    [
        (49, 90, []),
        (50, 90, ["50"]),
        (79, 90, ["50"]),
        (80, 90, ["80"]),
        (60, 101, ["50", "forecast"]),
        (100, 120, ["100", "forecast"]),
        (101, 120, ["100"]),
    ],
)
def test_a_budget_tells_its_highest_level_and_that_it_will_be_over(spent: int, middle: int, told: list[str]) -> None:
    found = facts.budget_facts([budget(spent, middle)])
    assert [fact.key.removeprefix("budget 3 2026-11-01 ") for fact in found] == told


def test_a_budget_of_a_project_is_told_to_its_readers_and_any_other_to_who_reads_everything() -> None:
    (of_project,), (whole,) = (facts.budget_facts([budget(50, project=project)]) for project in (7, None))
    assert [said(of_project, sees) is not None for sees in (None, {7}, {8})] == [True, True, False]
    assert [said(whole, sees) is not None for sees in (None, {7})] == [True, False]


@pytest.mark.parametrize(
    ("unpriced", "loose", "keys"),
    [(20, 50, []), (21, 50, ["unpriced"]), (20, 51, ["unattributed"]), (0, 0, [])],
)
def test_coverage_is_told_above_its_thresholds_and_not_at_them(unpriced: int, loose: int, keys: list[str]) -> None:
    shares = Shares(1000, unpriced, Decimal(1000), Decimal(loose), Decimal("0.02"), Decimal("0.05"))
    assert [fact.key for fact in facts.coverage_facts(shares)] == keys


@pytest.mark.parametrize(
    ("hours", "fault", "told"), [(2, "", False), (2.01, "", True), (1, "The key may not read usage.", True)]
)
def test_a_feed_is_told_when_it_failed_or_is_late_by_twice_its_cadence(hours: float, fault: str, told: bool) -> None:
    one = Silent("feed 1", "OpenAI", "/connections/1", NOW - timedelta(hours=hours), timedelta(hours=1), True, fault)
    assert bool(facts.silence_facts([one], NOW)) is told


def test_a_source_that_was_never_read_is_not_late() -> None:
    assert facts.silence_facts([Silent("source x", "X", "/sources/x", None, DAY)], NOW) == []


def test_every_kind_has_its_words() -> None:
    silent = Silent("feed 1", "OpenAI", "/connections/1", NOW, DAY, True, "The key may not read usage.")
    shares = Shares(100, 50, Decimal(100), Decimal(50), Decimal("0.02"), Decimal("0.05"))
    every: list[Any] = [
        *price_facts(move(-1), move(20), move(2)), *facts.budget_facts([budget(60, 120)]),
        *facts.coverage_facts(shares), *facts.silence_facts([silent], NOW),
        *facts.retirement_facts([Retiring("argon", "Argon", TODAY, {7: Decimal(9)})], TODAY),
    ]  # fmt: skip
    titles = [words.title for fact in every if (words := said(fact)) is not None]
    assert titles == [
        "15 Nov 2026: Argon doubles", "6 Dec 2026: Argon doubles", "Argon doubles in 2 days",
        "Alpha has used 50% of its budget for November", "Alpha will be over its budget",
        "50.0% of your tokens have no price", "50.0% of your money has no project", "The feed OpenAI failed",
        "Argon was to be switched off on 16 Nov 2026",
    ]  # fmt: skip
