"""The price of constant quality, as people see it: both estimators, their doubt, every point with its evidence.

A price of at least 1400 falls by half every half year from June 2024 on: seven record lows, each of another model;
the one of July 2025 is no longer sold a month later, so that the live minimum rises.
"""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client

from dashboards.charts import price_index as chart
from dashboards.pages import price_index as pages
from pricing.answers import kept
from pricing.models import Offering
from tests.dashboards.browser import Look, look, meeting, settled  # noqa: F401
from tests.dashboards.market_cast import NOW, make_offering, make_price, make_score

LOWS = (
    ("m1", "2024-06-20", "8"), ("m2", "2024-11-01", "5"), ("m3", "2025-02-15", "3"), ("m4", "2025-05-01", "2"),
    ("gone", "2025-07-05", "0.5"), ("m6", "2025-09-10", "1.2"), ("m7", "2026-03-01", "0.4"),
    ("m8", "2026-08-20", "0.2"),
)  # fmt: skip


@pytest.fixture
def market(db: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, Offering]:
    monkeypatch.setattr("dashboards.views.index.timezone.now", lambda: NOW)
    kept.forget()
    sold = {}
    for name, since, price in LOWS:
        sold[name] = make_offering(name, name=name.title())
        for unit in ("input", "output"):
            make_price(sold[name], unit, price, since=since)
        make_score(name, name.title(), "1420")
    sold["gone"].retired_at = datetime(2025, 8, 12, tzinfo=UTC)
    sold["gone"].save()
    weak = make_offering("weak", name="Weak")
    for unit in ("input", "output"):
        make_price(weak, unit, "0.01", since="2024-08-01")
    make_score("weak", "Weak", "1100")
    return sold


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html)).strip()


def page(client: Client, query: str = "?threshold=1400") -> str:
    return client.get(f"/index{query}").content.decode()


def rows_of(client: Client, query: str = "?threshold=1400") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(client.get(f"/index{query}&format=csv").content.decode())))


def traces(client: Client, query: str = "?threshold=1400", size: str = "wide") -> dict[str, Any]:
    found = json.loads(client.get(f"/index/figure.json{query}").content)
    return {trace["name"]: trace for trace in found[size]["data"]}


def test_the_finding_says_both_factors_with_their_doubt(client: Client, market: Any) -> None:
    html = page(client)
    found = re.search(r'<h1 class="finding">(.*?)</h1>', html, re.S)
    assert found
    assert re.fullmatch(
        r"The record low for at least 1400 on Arena fell [\d.]+× a year \(90% interval [\d.]+–[\d.]+×\); "
        r"the least one could really pay fell [\d.]+× a year \(90% interval [^)]*\)\.",
        found[1].strip(),
    )


def test_table_csv_and_figure_hold_the_same_points(client: Client, market: Any) -> None:
    rows = rows_of(client)
    html = page(client)
    for size in ("wide", "narrow"):
        drawn = traces(client, size=size)
        for key in ("record_low", "live_minimum"):
            told = [(row["date"], float(row["usd_per_mtok"])) for row in rows if row["estimator"] == key]
            assert list(zip(drawn[key]["x"], drawn[key]["y"], strict=True)) == told
            steps = drawn[f"{key} steps"]
            assert [(x, y) for x, y in zip(steps["x"], steps["y"], strict=True) if y is not None][:-1] == told
    tables = re.findall(r'<table class="points">.*?</table>', html, re.S)
    shown = [re.findall(r'<a class="ev" href="[^"]*">\$([\d.]+)</a>', table) for table in tables]
    told_prices = [
        [f"{float(row['usd_per_mtok']):.2f}" for row in rows if row["estimator"] == key][::-1]
        for key in ("record_low", "live_minimum")
    ]
    assert shown == told_prices
    assert len(told_prices[0]) == 7
    assert len(told_prices[1]) == 29


def test_a_rise_is_shown_as_a_rise_and_a_record_whose_model_is_gone_is_marked(client: Client, market: Any) -> None:
    rows = rows_of(client)
    rises = [row for row in rows if row["rises"] == "yes"]
    assert [(row["estimator"], row["date"], row["usd_per_mtok"]) for row in rises] == [
        ("live_minimum", "2025-09-01", "2")
    ]
    assert {row["model"] for row in rows if row["gone_on"]} == {"Gone"}
    assert {row["gone_on"] for row in rows if row["gone_on"]} == {"2025-08-12"}
    drawn = traces(client)
    assert drawn["record_low"]["marker"]["symbol"].count("circle-open") == 1
    assert drawn["live_minimum"]["marker"]["symbol"].count("triangle-up") == 1
    html = page(client)
    assert "no longer sold" in html
    assert "The live minimum rose 1 time" in html
    assert "1 of 7 record models can no longer be bought" in html


def test_every_point_says_how_many_models_there_were_to_choose_from(client: Client, market: Any) -> None:
    live = {row["date"]: row["live_models"] for row in rows_of(client) if row["estimator"] == "live_minimum"}
    assert (live["2024-08-01"], live["2025-08-01"], live["2025-09-01"], live["2026-11-01"]) == ("1", "5", "4", "7")


def test_every_price_leads_to_the_list_prices_it_was_worked_out_from(client: Client, market: Any) -> None:
    html = page(client)
    tables = "".join(re.findall(r'<table class="points">.*?</table>', html, re.S))
    links = re.findall(r'<a class="ev" href="([^"]*)">(\$[\d.]+)</a>', tables)
    assert len(links) == 36
    for url, price in dict(links).items():
        shown = client.get(url.replace("&amp;", "&") + ("&" if "?" in url else "?") + "part=evidence")
        assert shown.status_code == 200, url
        assert price in text_of(shown.content.decode()), url


def test_several_thresholds_stand_beside_each_other_and_the_asked_one_is_marked(client: Client, market: Any) -> None:
    html = page(client)
    strip = html.split('class="strip-table"')[1].split("</table>")[0]
    scores = [D(one) for one in re.findall(r'<th scope="row"><a href="[^"]*"[^>]*>([\d.]+)</a>', strip)]
    assert D(1106) in scores
    assert D(1186) in scores  # Epoch AI published of both
    assert len(scores) >= 4
    assert strip.count('aria-current="true"') == 1
    told = list(csv.DictReader(io.StringIO(client.get("/index?threshold=1400&format=strip").content.decode())))
    assert {D(row["threshold"]) for row in told} == set(scores)


def test_without_a_factor_the_page_says_why(client: Client, market: Any) -> None:
    html = page(client, "?threshold=1400&from=2026-06-01")
    assert "No factor: a line wants at least 4 record lows, and there are 1." in html
    assert "No factor a year for at least 1400 on Arena yet: too few dated prices." in html
    nothing = page(client, "?threshold=1600")
    assert "No model with at least 1600 on Arena has a price in these days." in nothing
    assert "fit" not in " ".join(traces(client, "?threshold=1600"))


def test_few_points_are_indicative(client: Client, market: Any) -> None:
    html = page(client, "?threshold=1400&until=2025-10-01")
    assert "indicative" in re.search(r'<h1 class="finding">(.*?)</h1>', html, re.S)[1]  # type: ignore[index]
    assert '<span class="badge thin">indicative</span>' in html


def test_reasoning_models_can_be_left_out(client: Client, market: Any) -> None:
    make_score("m8", "M8 (High)", "1450", effort="high")
    assert "M8 (high)" in page(client)
    out = page(client, "?threshold=1400&reasoning=out")
    assert "M8 (high)" not in out
    assert ">M8<" in out
    assert "Scores reached by reasoning, left out: 1;" in out


def test_a_new_score_is_seen_at_once(client: Client, market: Any) -> None:
    before = len(rows_of(client))
    make_score("m8", "M8 again", "1100")
    new = make_offering("m9", name="M9")
    for unit in ("input", "output"):
        make_price(new, unit, "0.1", since="2026-09-01")
    make_score("m9", "M9", "1500")
    assert len(rows_of(client)) == before + 1


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?benchmark=bogus", "There is no benchmark “bogus”"),
        ("?category=bogus", "There is no category “bogus”"),
        ("?threshold=much", "“At least” needs a score such as 1300 or 43.9, not “much”."),
        ("?threshold=1e9", "“At least” needs a score"),
        ("?mix=3", "Write a token mix as"),
        ("?sellers=bogus", "There is no sellers “bogus”"),
        ("?from=2026-05-01&until=2026-05-01", "“Until” must be after “From”."),
        ("?from=yesterday", "“From” needs a day such as"),
    ],
)
def test_what_cannot_be_read_is_said_and_stays_at_its_default(
    client: Client, market: Any, query: str, said: str
) -> None:
    answer = client.get(f"/index{query}")
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert client.get(f"/index/figure.json{query}").status_code == 400


def test_without_scores_the_page_teaches_the_next_step(client: Client, db: None) -> None:
    kept.forget()
    html = page(client, "")
    assert "There is no score of Arena here yet." in html
    assert "fetch_quality" in html
    assert client.get("/index/figure.json").status_code == 400


def test_the_page_asks_few_questions_of_the_database_once_its_curves_are_kept(
    client: Client, market: Any, django_assert_max_num_queries: Any
) -> None:
    page(client)
    with django_assert_max_num_queries(6):
        page(client)
    with django_assert_max_num_queries(3):
        traces(client)


def many(months: int, models: int) -> pages.IndexPage:
    """The page of ten years in which the cheapest changes every month."""
    rows = tuple(
        pages.PointRow(
            on=date(2016 + at // 12, at % 12 + 1, 1), label=f"A model with a long name, number {at}",
            url=f"/models/{at}", price=D(60) / (at + 1), evidence="", seller="Somebody who sells it",
            score=D("1400.5"), live=models, gone_on=date(2026, 1, 1), is_rise=False, is_same=False,
        )
        for at in range(months)
    )  # fmt: skip
    from pricing.constant_quality import Observation, live_minimum, record_low

    seen = [Observation(row.label, row.on, row.price, row.score) for row in rows]
    sides = [
        pages.Side(key, name, "", estimator(seen), rows, "fell 2×", "1–2×", "", "", "", "")
        for key, name, estimator in (
            ("record_low", "Record low", record_low), ("live_minimum", "Live minimum", live_minimum),
        )
    ]  # fmt: skip
    ask = pages.Ask("arena", "overall")
    return pages.IndexPage(ask, D(1400), "", (), (), sides[0], sides[1], (), (), date(2026, 1, 2), (), "")


def test_ten_years_of_months_are_a_figure_below_300_kilobytes() -> None:
    figure = chart.figure(many(120, 500))
    body = json.dumps(figure, separators=(",", ":"), ensure_ascii=False).encode()
    assert len(body) < 300_000
    assert len(figure["wide"]["data"][-1]["x"]) == 120


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_page_is_sound_and_its_words_do_not_meet(look: Look, market: Any) -> None:  # noqa: F811
    look.at("/index?threshold=1400", "index")
    opened, faults = look.page(1440)
    opened.goto(f"{look.origin}/index?threshold=1400")
    settled(opened)
    assert meeting(opened) == []
    assert faults.said == []
