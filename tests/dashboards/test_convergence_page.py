"""Convergence, as people see it: the same figures in chart, table and CSV, and no more than the tables can say."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client

from dashboards.charts import convergence as chart
from dashboards.pages import convergence as pages
from pricing.answers import kept
from pricing.answers.convergence import MONTHS, Standings, Who
from pricing.convergence import Snapshot, Standing
from pricing.models import Benchmark, Score
from tests.dashboards.browser import Look, look, meeting, settled  # noqa: F401
from tests.dashboards.market_cast import NOW, make_offering, make_price, make_score

URL = "/index/convergence"


def rate(model: str, day: str, value: str) -> None:
    make_score(model, f"{model} of {day}", value)
    Score.objects.filter(display_name=f"{model} of {day}").update(observed_on=date.fromisoformat(day))


@pytest.fixture
def market(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dear leads from the first table on; Cheap and Open come nearer; Later overtakes in the last one."""
    monkeypatch.setattr("dashboards.views.index_convergence.timezone.now", lambda: NOW)
    kept.forget()
    for name, price, since, is_open in (
        ("dear", "20", "2025-01-01", None), ("cheap", "0.5", "2025-03-01", None), ("open", "3", "2025-01-01", True),
        ("later", "10", "2026-02-01", False),
    ):  # fmt: skip
        offering = make_offering(name, name=name.title(), open_weights=is_open)
        for unit in ("input", "output"):
            make_price(offering, unit, price, since=since)
    for day, scores in (
        ("2025-02-01", {"dear": "1300", "cheap": "1180", "open": "1200"}),
        ("2025-09-01", {"dear": "1340.5", "cheap": "1280", "open": "1300"}),
        ("2026-10-20", {"dear": "1350", "cheap": "1360", "open": "1365", "later": "1400"}),
    ):
        for model, value in scores.items():
            rate(model, day, value)


def page(client: Client, query: str = "") -> str:
    return client.get(f"{URL}{query}").content.decode()


def finding(client: Client, query: str = "") -> str:
    found = re.search(r'<h1 class="finding">(.*?)</h1>', page(client, query), re.S)
    assert found
    return found[1].strip()


def table(client: Client, query: str = "?") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(client.get(f"{URL}{query}&format=csv").content.decode())))


def test_the_finding_sets_the_newest_gap_beside_the_first_known_one(client: Client, market: None) -> None:
    assert finding(client) == (
        "The best model for at most 1 USD per Mtok is 40 points behind the top (61 points in September 2025); "
        "the best with open weights is 35 points behind the top (100 points in February 2025)."
    )
    assert "3 tables since February 2025" in page(client)


def test_what_cheap_and_good_enough_mean_is_the_readers_choice(client: Client, market: None) -> None:
    assert finding(client, "?at_most=10").startswith("The best model for at most 10 USD per Mtok is the top itself (")
    assert finding(client, "?at_most=0.1").startswith("The best model for at most 0.1 USD per Mtok is not known;")
    assert [row["above_floor"] for row in table(client)] == ["1", "2", "4"]  # the best of the first table: 1300
    assert [row["above_floor"] for row in table(client, "?floor=1360")] == ["0", "0", "3"]


def test_chart_csv_and_table_hold_the_same_figures(client: Client, market: None) -> None:
    for by in ("tables", "months"):
        rows = table(client, f"?by={by}")
        drawn = json.loads(client.get(f"/index/convergence.json?by={by}").content)
        shared = json.loads(client.get(f"/index/convergence/share.json?by={by}").content)
        for size in ("wide", "narrow"):
            traces = {trace["name"]: trace for trace in drawn[size]["data"]}
            for key in ("best", "cheap", "open"):
                told = [(row["date"], float(row[f"{key}_score"]) if row[f"{key}_score"] else None) for row in rows]
                assert list(zip(traces[key]["x"], traces[key]["y"], strict=True)) == told
            (share,) = shared[size]["data"]
            assert share["y"] == [int(row["above_floor"]) / int(row["rated"]) for row in rows]
        html = page(client, f"?by={by}").split('<table class="days">')[1]
        shown = re.findall(r'datetime="([\d-]+)".*?(\d+) of (\d+)</div>', html, re.S)
        assert shown == [(row["date"], row["above_floor"], row["rated"]) for row in reversed(rows)]


def test_an_unknown_price_is_shown_as_unknown_and_never_as_cheap(client: Client, market: None) -> None:
    first, *_ = table(client)
    assert (first["cheap"], first["cheap_score"], first["unpriced"]) == ("", "", "1")
    html = page(client)
    assert "none known" in html
    assert "On 1 of 3 days no model is known to have cost so little" in html


def test_by_todays_scores_only_what_was_for_sale_counts(client: Client, market: None) -> None:
    rows = {row["date"]: row for row in table(client, "?by=months")}
    assert (rows["2025-01-01"]["best"], rows["2025-01-01"]["best_score"]) == ("Open", "1365")
    assert (rows["2025-01-01"]["rated"], rows["2025-03-01"]["rated"], rows["2026-11-01"]["rated"]) == ("2", "3", "4")
    assert rows["2026-02-01"]["best"] == "Later"


def test_where_each_run_has_its_own_day_the_record_ends_with_the_last_run(client: Client, market: None) -> None:
    Benchmark.objects.filter(slug="arena").update(runs_dated=True)
    Score.objects.filter(observed_on="2026-10-20").delete()
    kept.forget()
    rows = table(client)
    assert [rows[0]["date"], rows[-1]["date"]] == ["2025-02-01", "2025-10-01"]
    assert len(rows) == 9
    assert {row["date"]: row["best_score"] for row in rows}["2025-08-01"] == "1300"


def test_a_stay_on_top_is_no_longer_than_the_tables_tell(client: Client, market: None) -> None:
    told = list(csv.DictReader(io.StringIO(client.get(f"{URL}?format=reigns").content.decode())))
    assert [(row["model"], row["least_days"], row["most_days"], row["overtaken_by"]) for row in told] == [
        ("Dear", "212", "", "2026-10-20"), ("Later", "0", "", ""),
    ]  # fmt: skip
    html = page(client)
    assert "212 days or more, on top when the record begins" in html
    assert "seen on one day, still on top" in html


def test_every_price_leads_to_its_evidence(client: Client, market: None) -> None:
    html = page(client)
    links = re.findall(r'<a class="ev" href="([^"]*)">(\$[\d.]+)</a>', html)
    assert len(links) > 6
    assert len(re.findall(r"\$\d", html.split("<main")[1])) == len(links)
    for url, price in links:
        shown = client.get(url.replace("&amp;", "&") + ("&" if "?" in url else "?") + "part=evidence")
        assert shown.status_code == 200
        assert price in re.sub(r"<[^>]*>", "", shown.content.decode())


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?at_most=0", "“At most” needs a price above 0"),
        ("?at_most=cheap", "“At most” needs a price in USD per Mtok such as 1 or 0.5, not “cheap”."),
        ("?floor=high", "“Good enough” needs a score"),
        ("?by=decade", "“By” is one of tables, months"),
        ("?benchmark=bogus", "There is no benchmark “bogus”"),
    ],
)
def test_what_cannot_be_read_is_said(client: Client, market: None, query: str, said: str) -> None:
    answer = client.get(f"{URL}{query}")
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert client.get(f"/index/convergence.json{query}").status_code == 400


def test_the_address_keeps_what_was_chosen(client: Client, market: None) -> None:
    html = page(client, "?at_most=2&floor=1350&by=months&mix=10:1&reasoning=out")
    links = re.findall(r'href="(/index/convergence\?[^"#]*)"', html)
    assert links
    kept_parts = ("at_most=2", "floor=1350", "mix=10:1", "reasoning=out", "by=months")
    for link in links:
        missing = [part for part in kept_parts if part not in link]
        assert len(missing) <= 1, link  # each link changes one thing


def test_without_scores_the_page_teaches_the_next_step(client: Client, db: None) -> None:
    kept.forget()
    assert "fetch_quality" in page(client)
    assert client.get("/index/convergence.json").status_code == 400


def test_the_page_asks_few_questions_once_kept(
    client: Client, market: None, django_assert_max_num_queries: Any
) -> None:
    page(client)
    with django_assert_max_num_queries(6):
        page(client)


def test_ten_years_of_months_are_a_figure_below_300_kilobytes() -> None:
    months = tuple(
        Snapshot(
            date(2016 + at // 12, at % 12 + 1, 1),
            tuple(Standing(f"m{n}", D(1000 + at + n), D(1), True) for n in range(30)),
        )
        for at in range(120)
    )
    who = {f"m{n}": Who(f"A model with quite a long name, {n}", f"m{n}", "acme", ()) for n in range(30)}
    found = Standings(Benchmark(slug="arena", name="Arena"), (date(2016, 1, 1),), (), months, who)
    ask, _ = pages.read({"by": MONTHS})
    composed = pages.compose(ask, found)
    assert len(composed.rows) == 120
    for figure in (chart.figure(composed, "Arena rating"), chart.share_figure(composed)):
        assert len(json.dumps(figure, separators=(",", ":"), ensure_ascii=False).encode()) < 300_000


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_page_is_sound_and_its_words_do_not_meet(look: Look, market: None) -> None:  # noqa: F811
    look.at(URL, "convergence")
    opened, faults = look.page(1440)
    opened.goto(f"{look.origin}{URL}?by=months")
    settled(opened)
    assert meeting(opened) == []
    assert faults.said == []
