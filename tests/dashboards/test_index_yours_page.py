"""An organisation's own index, as its people see it: sums that visibly add up, the same figures drawn and written."""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from dashboards.charts import own_index as chart
from dashboards.models import Person
from dashboards.pages import own_index as pages
from pricing.answers import kept
from tests.dashboards.browser import Look, look, meeting, settled  # noqa: F401
from tests.dashboards.ledger_cast import World, world  # noqa: F401
from usage import own_index

URL = "/index/yours"
PARTS = tuple(pages.PARTS)


def made(first: str, changes: list[dict[str, D]], levels: list[str | None]) -> dict[str, Any]:
    """An answer in the shape of `usage.own_index`: spend of the first month, then changes in parts."""
    spent, months = D(first), []
    for n, level in enumerate(levels):
        change = changes[n - 1] if n else None
        told: dict[str, str] | None = None
        if change is not None:
            spent += sum(change.values(), D(0))
            told = {name: f"{value:f}" for name, value in change.items()}
            told["spent"] = f"{sum(change.values(), D(0)):f}"
        months.append({
            "month": f"{2025 + (10 + n) // 12}-{(10 + n) % 12 + 1:02d}", "spent": f"{spent:f}", "laspeyres": level,
            "paasche": level, "fisher": level, "compared_with": None if not n else "2025-11",
            "matched_before": None if not n else "0.9", "matched_after": None if not n else "0.8",
            "reason": None if level else "Nothing has a known price in both months.",
            "change": told, "rated": "0", "reported": "0", "tokens": 1000, "unpriced_tokens": 10,
        })  # fmt: skip
    coverage = {"tokens": 1000 * len(months), "unpriced_tokens": 10, "unconverted": {}, "pending": []}
    return {"currency": "USD", "months": months, "coverage": coverage}


def parts(**named: str) -> dict[str, D]:
    return {name: D(named.get(name, "0")) for name in PARTS}


THREE = made(
    "5000.004",
    [parts(price="-100.004", volume="50.001", new="0.004"), parts(price="-10", ended="-200.5", rated="0.3")],
    ["100.000000", "90.000000", "88.250000"],
)  # fmt: skip

amounts = st.decimals(-100_000, 100_000, places=6, allow_nan=False)
answers = st.lists(st.fixed_dictionaries(dict.fromkeys(PARTS, amounts)), min_size=1, max_size=14).map(
    lambda changes: made("123456.789", changes, ["100"] * (len(changes) + 1))
)


@given(answers)
def test_what_is_shown_adds_up_to_the_cent_across_and_down(answer: dict[str, Any]) -> None:
    page = pages.compose(pages.Ask(), answer)
    exact = dict.fromkeys(PARTS, D(0))
    for row, month, before in zip(page.rows[1:], answer["months"][1:], page.rows, strict=False):
        assert row.change == row.spent - before.spent == sum(row.parts.values())
        for name in PARTS:
            exact[name] += D(month["change"][name])
            shown = sum((one.parts[name] for one in page.rows[1:] if one.first <= row.first), D(0))
            assert abs(shown - exact[name]) <= (D("0.06") if name == "volume" else D("0.005"))
    assert page.change == page.rows[-1].spent - page.rows[0].spent == sum(page.total.values())
    for name in PARTS:
        assert page.total[name] == sum((row.parts[name] for row in page.rows[1:]), D(0))


@given(answers)
def test_the_figures_draw_what_the_tables_say(answer: dict[str, Any]) -> None:
    page = pages.compose(pages.Ask(), answer)
    rows = [row for row in page.rows if row.change is not None]
    for size in ("wide", "narrow"):
        traces = {trace["name"]: trace for trace in chart.parts(page)[size]["data"]}
        told = rows[-chart.NARROW_MONTHS :] if size == "narrow" else rows
        assert traces["change"]["y"] == [float(row.change or 0) for row in told]
        for name in PARTS:
            if name in traces:
                assert traces[name]["y"] == [float(row.parts[name]) for row in told]
        levels = {trace["name"]: trace for trace in chart.levels(page)[size]["data"]}
        assert levels["fisher"]["y"] == [float(row.fisher or 0) for row in page.rows]


def test_a_part_that_never_moves_shows_no_cent_of_rounding() -> None:
    page = pages.compose(pages.Ask(), made("1.005", [parts(volume="1.005"), parts(volume="1.005")], ["100"] * 3))
    assert [row.parts.get("price") for row in page.rows] == [None, D(0), D(0)]
    assert page.shown_parts == [("volume", "Volume")]


@pytest.fixture
def three(world: World, monkeypatch: pytest.MonkeyPatch) -> Client:  # noqa: F811
    kept.forget()
    monkeypatch.setattr(own_index, "answer", lambda *_, **__: THREE)
    return world.admin


def finding(html: str) -> str:
    found = re.search(r'<h1 class="finding">(.*?)</h1>', html, re.S)
    assert found
    return re.sub(r"<[^>]*>", "", found[1]).strip()


def test_the_finding_is_the_index_and_its_money(three: Client) -> None:
    html = three.get(URL).content.decode()
    assert finding(html) == (
        "The prices of what you kept using fell 11.8% since November 2025; "
        "that took $110.00 off the monthly bill, which went from $5,000 to $4,740."
    )
    assert "What cost 100 costs 88.3" in html
    assert "80.0%" in html  # the share of the basket that the index speaks of


def test_every_amount_leads_to_the_spend_of_its_month(three: Client) -> None:
    main = three.get(URL).content.decode().split("<main")[1]
    linked = re.findall(r'<a [^>]*href="(/spend[^"]*)"[^>]*>[+−]?\$[\d,.]+</a>', main)
    assert len(linked) == len(re.findall(r"\$\d", main)) > 15
    assert any("from=2026-01-01&amp;until=2026-02-01" in url for url in linked)
    assert three.get(linked[0].replace("&amp;", "&")).status_code == 200


def test_the_csv_has_all_digits(three: Client) -> None:
    rows = list(csv.DictReader(io.StringIO(three.get(f"{URL}?format=csv").content.decode())))
    assert [(row["month"], row["price"], row["change"]) for row in rows] == [
        ("2025-11", "", ""), ("2025-12", "-100.004", "-49.999"), ("2026-01", "-10", "-210.2"),
    ]  # fmt: skip


def test_without_an_index_the_reason_stands_instead(three: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.forget()
    broken = made("10", [parts(new="5"), parts()], ["100", None, "90"])
    monkeypatch.setattr(own_index, "answer", lambda *_, **__: broken)
    html = three.get(URL).content.decode()
    assert "Nothing has a known price in both months." in html
    drawn = json.loads(three.get(f"{URL}/levels.json").content)
    assert drawn["wide"]["data"][0]["y"] == [100.0, None, 90.0]


def test_it_is_the_organisations_own_answer_and_nobody_elses(world: World) -> None:  # noqa: F811
    kept.forget()
    member = world.admin
    told = list(
        csv.DictReader(io.StringIO(member.get(f"{URL}?from=2026-11&until=2026-12&format=csv").content.decode()))
    )
    assert [(row["month"], row["spent"]) for row in told] == [("2026-11", "143.000000000000")]
    own = world.alpha_only.get(f"{URL}?from=2026-11&until=2026-12&format=csv").content.decode()
    assert [row["spent"] for row in csv.DictReader(io.StringIO(own))] == ["100.000000000000"]
    assert finding(world.charlie.get(URL).content.decode()) == "You belong to no organisation yet."
    assert world.charlie.get(f"{URL}?project=alpha").status_code == 404
    assert world.alpha_only.get(f"{URL}?project=beta").status_code == 404
    assert "has no usage in these months" in finding(member.get(URL).content.decode())  # November is not over
    anonymous = Client().get(URL)
    assert anonymous.status_code == 302
    assert "/sign-in" in anonymous["Location"]
    assert "/index/yours" not in Client().get("/index").content.decode()
    assert "/index/yours" in member.get("/index").content.decode()


def test_months_that_mean_nothing_are_refused_with_a_sentence(world: World) -> None:  # noqa: F811
    member = world.admin
    answer = member.get(f"{URL}?from=November")
    assert answer.status_code == 400
    assert "This part of the address could not be read" in answer.content.decode()
    assert member.get(f"{URL}/parts.json?from=November").status_code == 400
    assert member.get(f"{URL}?project=nobody").status_code == 404


def test_ten_years_are_figures_below_300_kilobytes() -> None:
    changes = [{name: D(n * 1000 - 7) / 3 for n, name in enumerate(PARTS)} for _ in range(119)]
    page = pages.compose(pages.Ask(), made("1e6", changes, ["98.123456"] * 120))
    for figure in (chart.levels(page), chart.parts(page)):
        assert len(json.dumps(figure, separators=(",", ":"), ensure_ascii=False).encode()) < 300_000


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_page_is_sound_and_its_words_do_not_meet(look: Look, three: Client, world: World) -> None:  # noqa: F811
    look.signed_in_as(Person.objects.get(email="ada@acme.example"))
    look.at(URL, "index-yours")
    opened, faults = look.page(1440)
    opened.goto(f"{look.origin}{URL}")
    settled(opened)
    assert meeting(opened) == []
    assert faults.said == []
