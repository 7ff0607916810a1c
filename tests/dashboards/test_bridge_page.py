"""The page that says why spend changed: what is shown adds up, the drawing says the same, and to whom."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.charts.waterfall import Step, waterfall
from dashboards.pages.bridge import WORDS, compose, finding
from tests.dashboards.ledger_cast import World, world  # noqa: F401
from usage.spend_change import PARTS

PAGE = "/spend/bridge"
WEEK = "from=2026-11-09&until=2026-11-16"
money = st.integers(-(10**18), 10**18).map(lambda grains: Decimal(grains).scaleb(-12))


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())))


def answer_of(amounts: dict[str, Decimal], before: Decimal) -> dict[str, Any]:
    after = before + sum(amounts.values())
    return {
        "before": {"spent": f"{before:f}", "from": "2026-11-02", "until": "2026-11-09"},
        "after": {"spent": f"{after:f}", "from": "2026-11-09", "until": "2026-11-16"},
        "parts": [{"part": part, "amount": f"{amounts[part]:f}", "items": [], "others": "0"} for part in PARTS],
    }


def test_every_part_has_words() -> None:
    assert tuple(WORDS) == PARTS


@settings(max_examples=200, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(PARTS, money)), money)
def test_shown_parts_sum_to_the_cent_to_the_difference_of_the_shown_totals(
    amounts: dict[str, Decimal], before: Decimal
) -> None:
    page = compose(answer_of(amounts, before), {}, {})
    assert page.before + sum(row.shown for row in page.rows) == page.after
    assert all(abs(row.shown - row.amount) <= Decimal("0.02") for row in page.rows)


@settings(max_examples=200, deadline=None)
@given(st.lists(money, min_size=1, max_size=13), money.map(abs), st.booleans())
def test_each_bar_begins_where_the_one_above_ends(moves: list[Decimal], before: Decimal, narrow: bool) -> None:
    after = before + sum(moves)
    steps = [
        Step("before", "", "", before, is_total=True),
        *(Step("part", "", "", move) for move in moves),
        Step("after", "", "", after, is_total=True),
    ]
    drawn = waterfall(steps, narrow=narrow)
    ends = drawn.bars[0].end_x
    for bar, move in zip(drawn.bars[1:-1], moves, strict=True):
        assert bar.x == pytest.approx(min(ends, bar.end_x), abs=1.01)
        assert (bar.css == "pos") == (move > 0)
        ends = bar.end_x
    assert drawn.bars[-1].end_x == pytest.approx(ends, abs=0.01)
    assert all(0 <= bar.x <= bar.x + bar.width <= drawn.width for bar in drawn.bars)


@pytest.mark.parametrize(
    ("moved", "said"),
    [
        ({"volume": Decimal(665), "cache": Decimal(-262)},
         "Spend rose by $403.00 to $503.00: more tokens added $665.00, a larger cached share took off $262.00."),
        ({"price": Decimal(-60), "volume": Decimal(10)},
         "Spend fell by $50.00 to $50.00: lower prices took off $60.00, more tokens added $10.00."),
        ({}, "Spend did not change: $100.00 in week 46."),
    ],
)  # fmt: skip
def test_the_finding_names_what_did_most_each_way(moved: dict[str, Decimal], said: str) -> None:
    page = compose(answer_of(dict.fromkeys(PARTS, Decimal(0)) | moved, Decimal(100)), {}, {})
    assert finding(page, "USD", "week 46") == said


@pytest.mark.django_db
def test_the_page_says_the_weeks_its_bars_and_its_items(world: World) -> None:  # noqa: F811
    said = text(world.admin.get(f"{PAGE}?{WEEK}"))
    assert "Spend rose by $13.00 to $78.00: more tokens added" in said
    assert "9–15 Nov 2026 against 2–8 Nov 2026" in said
    assert "3.00 Mtok after" in said
    assert text(world.admin.get(f"{PAGE}?{WEEK}&project=alpha")).count("$20.00")


@pytest.mark.django_db
def test_the_csv_has_every_part_exactly(world: World) -> None:  # noqa: F811
    rows = list(csv.DictReader(io.StringIO(world.admin.get(f"{PAGE}.csv?{WEEK}").content.decode())))
    amount = {"before": Decimal(0), "after": Decimal(0)} | {
        row["part"]: Decimal(row["amount, USD"]) for row in rows if row["level"] in ("part", "total")
    }
    assert amount.pop("before") + sum(amount[part] for part in PARTS) == amount["after"] == 78
    for part in PARTS:
        inner = [
            Decimal(row["amount, USD"]) for row in rows if row["part"] == part and row["level"] in ("item", "others")
        ]
        assert sum(inner, Decimal(0)) == amount[part]


@pytest.mark.django_db
def test_spend_links_to_why_it_changed_with_the_same_question(world: World) -> None:  # noqa: F811
    page = world.admin.get(f"/spend?{WEEK}&project=alpha").content.decode()
    link = unescape(re.search(r'href="(/spend/bridge[^"]+)"', page)[1])  # type: ignore[index]
    assert "Spend rose by $20.00 to $60.00" in text(world.admin.get(link))
    assert "/spend/bridge" not in world.admin.get(f"/spend?{WEEK}&ext_user=ann").content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["from=2026-11-09", f"{WEEK}&before_from=x&before_until=y", f"{WEEK}&ext_user=ann"])
def test_a_question_that_makes_no_sense_is_told_in_a_sentence(world: World, query: str) -> None:  # noqa: F811
    assert world.admin.get(f"{PAGE}?{query}").status_code == 400


@pytest.mark.django_db
def test_who_sees_one_project_sees_its_bridge_alone(world: World) -> None:  # noqa: F811
    assert "Spend rose by $20.00 to $60.00" in text(world.alpha_only.get(f"{PAGE}?{WEEK}"))
    assert world.alpha_only.get(f"{PAGE}?{WEEK}&project=beta").status_code == 404
