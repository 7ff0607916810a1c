"""Price per quality, the models, one model, and the evidence of a price: what each page promises."""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import expect
from pytest_django import DjangoAssertNumQueries

from dashboards.pages import model as model_page
from dashboards.pages import models as models_page
from dashboards.pages import quality
from dashboards.pages.ledger import plain
from dashboards.pages.quality.words import title
from dashboards.templatetags import ratecard
from pricing.answers import kept
from pricing.frontier import Mix, Point, frontier
from pricing.models import Disagreement, Offering, Price, Score
from tests.dashboards.browser import Look, axe_faults, look, settled  # noqa: F401
from tests.dashboards.market_cast import NOW, make_claim, make_market, make_offering, make_price, make_score, utc

NASTY = '<img src=x onerror="alert(1)">'


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("catalogue", "model", "quality"):
        monkeypatch.setattr(f"dashboards.views.{place}.timezone.now", lambda: NOW)


@pytest.fixture
def market(db: None, today: None) -> dict[str, Offering]:
    return make_market()


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def unlinked(html: str) -> str:
    """A page as its sentences read, where figures are links."""
    return re.sub(r"</?a\b[^>]*>", "", html)


def rows_of(html: str, table: str) -> list[str]:
    """The words of each row in the body of a table, by the table's class."""
    body = re.search(rf'<table class="{table}">.*?<tbody>(.*?)</tbody>', html, re.S)
    assert body is not None
    return [text_of(row).strip() for row in re.findall(r"<tr.*?</tr>", body[1], re.S)]


# Price per quality


def test_the_finding_names_the_best_rating_and_what_fifty_points_less_cost(client: Client, market: Any) -> None:
    html = unlinked(client.get("/quality").content.decode())
    # Best 1: (3 × 2 + 10) / 4; Cheap 1: (3 × 0.10 + 0.40) / 4.
    assert "The best rating costs $4.00 per Mtok; fifty points below it costs $0.175." in html


def test_the_table_has_every_point_with_its_cheapest_equal_and_multiple(client: Client, market: Any) -> None:
    rows = rows_of(client.get("/quality").content.decode(), "points")
    assert [row.split()[0] for row in rows] == ["Best", "Best", "Cheap", "&lt;img", "Open"]
    dear = rows[3]
    assert "Cheap 1" in dear
    assert "7.1×" in dear  # (3 × 1 + 2) / 4 = 1.25 against 0.175
    assert "high" in rows[0]


def test_the_mix_in_the_address_weighs_the_prices(client: Client, market: Any) -> None:
    assert "costs $6.00 per Mtok" in unlinked(client.get("/quality?mix=1:1:0").content.decode())
    own = unlinked(client.get("/quality", {"input": "1", "output": "1", "cached": "2"}).content.decode())
    assert "The best rating costs $3.10 per Mtok" in own  # (2 + 10 + 2 × 0.2) / 4
    # Whoever states no cached price has none for this mix: listed with the reason, never counted as free.
    assert "No seller states a list price for every unit of this mix" in own


def test_a_day_in_the_address_gives_the_prices_of_that_day(client: Client, market: Any) -> None:
    assert "The best rating costs $4.00" in unlinked(client.get("/quality?date=2026-11-30").content.decode())
    assert "The best rating costs $8.00" in unlinked(client.get("/quality?date=2026-12-01").content.decode())
    assert "The best rating costs $8.00" in unlinked(client.get("/quality?at=2026-12-01").content.decode())  # old links


def test_before_the_first_table_its_ratings_are_held_against_what_was_sold_by_then(client: Client, market: Any) -> None:
    html = text_of(client.get("/quality?date=2026-10-19").content.decode())
    assert "20 Oct 2026, its first table, younger than that day" in html
    nothing = text_of(client.get("/quality?date=2025-12-31").content.decode())
    assert "Nothing that Arena rates is known to have been sold that day" in nothing
    assert "Show 20 Oct 2026" in nothing


def test_filters_leave_out_what_is_not_known_to_fit(client: Client, market: Any) -> None:
    only = unlinked(client.get("/quality?weights=open").content.decode())
    assert len(rows_of(only, "points")) == 1
    assert "Among models with open weights, the best rating costs $0.45" in only
    assert len(rows_of(unlinked(client.get("/quality?maker=acme").content.decode()), "points")) == 3
    assert len(rows_of(unlinked(client.get("/quality?effort=high").content.decode()), "points")) == 1
    assert len(rows_of(unlinked(client.get("/quality?effort=none").content.decode()), "points")) == 4


def test_a_search_narrows_the_table_and_leaves_the_frontier(client: Client, market: Any) -> None:
    html = unlinked(client.get("/quality?q=open").content.decode())
    assert len(rows_of(html, "points")) == 1
    assert "The best rating costs $4.00" in html


def test_what_is_not_drawn_is_counted_and_named_with_its_reason(client: Client, market: Any) -> None:
    html = text_of(client.get("/quality").content.decode())
    assert "3 rated models are not drawn" in html
    assert "No model in the catalogue is declared to be this one Nobody Knows 9" in html
    assert "No seller states a list price for every unit of this mix Silent 1" in html
    assert "a log axis has no zero Gratis 1" in html


def test_a_price_known_to_change_is_announced_beside_the_chart(client: Client, market: Any) -> None:
    html = text_of(unlinked(client.get("/quality").content.decode()))
    assert re.search(r"1 Dec 2026 ?: Best 1 \$4.00 blended becomes \$8.00. It stays on the frontier", html)


def test_the_map_of_prices_credits_the_ratings_and_dates_them(client: Client, market: Any) -> None:
    html = client.get("/quality").content.decode()
    assert "Arena ratings by LMArena (lmarena.ai), CC BY 4.0" in html
    assert "20 Oct 2026" in html


def test_every_price_of_the_table_opens_its_evidence(client: Client, market: Any) -> None:
    html = client.get("/quality").content.decode()
    links = set(re.findall(r'class="ev" href="([^"]+)"', html))
    assert links
    for link in links:
        assert client.get(link, {"part": "evidence"}).status_code == 200, link


def test_the_csv_is_the_table_in_full_digits_and_runs_no_formula(client: Client, market: Any) -> None:
    formula = make_offering("formula", name="=1+1")
    make_price(formula, "input", "5")
    make_price(formula, "output", "5")
    make_score("formula", "=1+1", "1300")
    answer = client.get("/quality?format=csv")
    assert answer["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert len(rows) == 6
    assert rows[-1]["name"] == "'=1+1"
    assert rows[2]["blended_usd_per_mtok"] == "0.175"
    assert rows[3]["cache_read_usd_per_mtok"] == ""
    assert D(rows[3]["multiple"]) == D("7.142857142857")


def test_the_figure_has_an_etag_and_is_not_sent_twice(client: Client, market: Any) -> None:
    first = client.get("/quality/figure.json?mix=10:1:0")
    assert set(json.loads(first.content)) == {"wide", "narrow"}
    again = client.get("/quality/figure.json?mix=10:1:0", headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/quality/figure.json")["ETag"] != first["ETag"]


@pytest.mark.parametrize(
    "query", ["mix=x", "mix=1:-1:0", "mix=0:0:0", "at=yesterday", "at=1999-01-01", "benchmark=no", "category=no",
              "weights=some", "input=a&output=1"],
)  # fmt: skip
def test_an_address_that_cannot_be_read_gets_a_sentence_and_the_default(
    client: Client, market: Any, query: str
) -> None:
    answer = client.get(f"/quality?{query}")
    assert answer.status_code == 400
    assert "This part of the address could not be read" in answer.content.decode()
    assert "The best rating costs" in answer.content.decode()
    assert client.get(f"/quality/figure.json?{query}").status_code == 400


def test_the_state_is_in_the_address_without_its_defaults() -> None:
    ask, wrong = quality.read({"mix": "10:1", "maker": "acme", "category": "overall", "weights": "any"})
    assert wrong == []
    assert ask.url() == "/quality?mix=10:1:0&maker=acme"
    assert quality.read({})[0].url() == "/quality"
    assert ask.url(maker="") == "/quality?mix=10:1:0"
    assert quality.kept(quality.read({"q": "a&b c", "mix": "1:1"})[0], "mix") == [("q", "a&b c")]


def points(*given: tuple[str, str, str]) -> list[Point]:
    return [Point(name, name, D(price), D(rating), D(rating) - 3, D(rating) + 3) for name, price, rating in given]


def test_findings_say_what_is_missing_and_what_is_a_tie() -> None:
    ask = quality.Ask(category="overall", mix=Mix())
    assert plain(quality.finding(frontier([]), ask)) == "No rated model has a list price for this mix of tokens."
    alone = frontier(points(("only", "3", "1400")))
    assert (
        plain(quality.finding(alone))
        == "The best rating costs $3.00 per Mtok, and nothing within fifty points of it costs less."
    )
    assert title(alone, 1) == "only has the best rating and the lowest price of 1"
    tied = frontier(points(("a", "3", "1401"), ("b", "1", "1400"), ("c", "0.5", "1100")))
    assert plain(quality.finding(tied)) == "The best rating costs $3.00 per Mtok; fifty points below it costs $1.00."


# The list of models


def test_the_list_says_how_large_the_market_is_and_how_restless(client: Client, market: Any) -> None:
    html = client.get("/models").content.decode()
    assert "6 models from 3 sellers; 1 list price changed in the last 30 days." in html


def test_a_model_stands_at_its_makers_price_even_where_a_host_asks_less(client: Client, market: Any) -> None:
    row = next(row for row in rows_of(client.get("/models").content.decode(), "models") if row.startswith("Open 1"))
    assert "$0.30" in row
    assert "$0.20" not in row


def test_unknown_is_not_zero_and_free_is_a_badge(client: Client, market: Any) -> None:
    rows = {row.split()[0]: row for row in rows_of(client.get("/models").content.decode(), "models")}
    assert "unknown" in rows["Silent"]
    assert "$0.00" not in rows["Silent"]
    assert "free" in rows["Gratis"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=CHEAP", ["Cheap 1"]), ("q=umbra+open", ["Open 1"]), ("maker=acme", ["Best 1", "Cheap 1"]),
        ("provider=hoster", ["Open 1"]), ("weights=open", ["Open 1"]), ("grade=B", ["Best 1"]),
        ("provider=hoster&maker=acme", []), ("sort=input&maker=acme", ["Cheap 1", "Best 1"]),
    ],
)  # fmt: skip
def test_models_are_found_and_filtered(client: Client, market: Any, query: str, names: list[str]) -> None:
    html = client.get(f"/models?{query}").content.decode()
    found = re.findall(r'<th class="name" scope="row"><a href="[^"]+">([^<]+)</a>', html)
    assert found == names
    if not names:
        assert "No model answers to this" in html


def test_unknown_prices_come_last_however_the_list_is_sorted(client: Client, market: Any) -> None:
    for sort in ("input", "output", "cached"):
        rows = rows_of(client.get(f"/models?sort={sort}").content.decode(), "models")
        assert rows[-1].startswith("Silent")


def test_pages_of_the_list_hold_fifty(client: Client, market: Any) -> None:
    for n in range(60):
        make_offering(f"filler-{n}")
    first = client.get("/models?sort=name").content.decode()
    assert len(rows_of(first, "models")) == 50
    assert len(rows_of(client.get("/models?sort=name&page=2").content.decode(), "models")) == 16
    assert "page=2" in first
    assert client.get("/models?page=junk").status_code == 200


def test_an_empty_catalogue_says_what_to_do(client: Client, db: None) -> None:
    assert "No model yet" in client.get("/models").content.decode()
    assert "No rated model has a list price for this mix of tokens." in client.get("/quality").content.decode()
    assert client.get("/quality/figure.json").status_code == 200


def test_the_makers_own_price_is_preferred_then_its_plain_name_then_the_cheapest() -> None:
    assert models_page.finding(0, 0, 0) == "The catalogue is empty."
    assert models_page.finding(1392, 64, 0).endswith("no list price changed in the last 30 days.")


# One model


def test_a_model_says_what_it_costs_and_what_is_about_to_change(client: Client, market: Any) -> None:
    html = unlinked(client.get("/models/best-1").content.decode())
    assert "Best 1 costs $2.00 in and $10.00 out at Acme; the price doubles on 1 December." in html
    assert "Arena overall 1520 (1515–1525) at high, 20 Oct 2026" in text_of(html)


def test_another_host_that_asks_less_is_named(client: Client, market: Any) -> None:
    html = unlinked(client.get("/models/open-1").content.decode())
    assert "Open 1 costs $0.30 in and $0.90 out at Umbra; Hoster asks $0.20 in and $0.60 out." in html
    assert "Two sellers, up to 1.5× the lowest price" in html


def test_a_model_only_hosts_sell_says_so(client: Client, market: Any) -> None:
    make_price(make_offering("left-1", "hoster", maker="umbra", name="Left 1"), "input", "1")
    html = unlinked(client.get("/models/left-1").content.decode())
    assert "Only Hoster sells Left 1, at $1.00 in." in html
    assert "unknown" in rows_of(html, "sellers")[0]


def test_a_model_without_a_price_is_unknown_and_not_free(client: Client, market: Any) -> None:
    html = client.get("/models/silent-1").content.decode()
    assert "Nobody states a list price for Silent 1." in html
    assert "$0.00" not in html


def test_hours_prompt_lengths_tiers_and_other_charges_are_shown(client: Client, market: Any) -> None:
    html = text_of(client.get("/models/best-1").content.decode())
    # What has no price of its own in a window or above a length costs what it costs otherwise.
    assert "Monday to Friday, 01:00–04:00 $3.00 $10.00 $0.20" in html
    assert "Not on Chinese public holidays, known through 31 Dec 2026." in html
    assert re.search(r"Up to 200,000 \$2.00.*Over 200,000 \$8.00 \$10.00", html)
    assert re.search(r"batch \$1.00 \$5.00 \$0.20", html)
    assert re.search(r"Web search \$14.00 per 1,000", html)
    assert "−50%" in html


def test_the_days_in_the_address_ask_what_held_and_what_was_known(client: Client, market: Any) -> None:
    best = market["best"]
    Price.objects.filter(offering=best, unit="input", effective_from=utc("2026-09-10")).update(
        known_from=utc("2026-09-20")
    )
    assert "costs $4.00 in and $20.00 out" in unlinked(client.get("/models/best-1?at=2026-09-09").content.decode())
    assert "costs $2.00 in" in unlinked(client.get("/models/best-1?at=2026-09-15").content.decode())
    assert "costs $10.00 out" in unlinked(
        client.get("/models/best-1?at=2026-09-15&known_at=2026-09-18").content.decode()
    )
    assert "costs $4.00 in and $20.00 out" in unlinked(client.get("/models/best-1?at=2026-12-01").content.decode())
    assert client.get("/models/best-1?at=soon").status_code == 400


def test_the_history_is_steps_with_the_announced_price_apart(client: Client, market: Any) -> None:
    answer = client.get("/models/best-1/history.json")
    wide = json.loads(answer.content)["wide"]
    lines = [trace for trace in wide["data"] if trace["mode"] == "lines"]
    assert all(trace["line"]["shape"] == "hv" for trace in lines)
    assert [trace["y"] for trace in lines if trace["line"]["dash"] == "dot"] == [[10, 10, 20, 20], [2, 2, 4, 4]]
    # Nobody states when $4.00 began, so the line starts where it was first seen, not in 2020.
    assert wide["layout"]["xaxis"]["range"][0] == "2026-02-01 00:00:00"
    assert "1 Dec: the price doubles" in [note["text"] for note in wide["layout"]["annotations"]]
    assert client.get("/models/best-1/history.json", headers={"if-none-match": answer["ETag"]}).status_code == 304


def test_the_snippet_asks_the_api_the_same_question(client: Client, market: Any) -> None:
    html = client.get("/models/open-1").content.decode()
    assert "/api/v1/price?provider=umbra&amp;sku=open-1" in html


def test_the_evidence_holds_three_times_each_claim_the_bytes_and_the_grade(client: Client, market: Any) -> None:
    price = Price.objects.get(offering=market["best"], unit="output", effective_from=utc("2026-09-10"))
    other = make_claim(market["best"], "output", "12", source="second", effective_from=utc("2026-09-10"))
    Disagreement.objects.create(accepted=price.claim, claim=other, offering=market["best"], why="They differ.")
    fragment = client.get(f"/models/best-1/evidence/{price.pk}?part=evidence").content.decode()
    assert "<html" not in fragment
    said = text_of(fragment)
    parts = [
        "$10.00 per Mtok", "Grade B: two independent sources agree.", "Held in the world", "Known from",
        "Recorded here", "Last seen", "https://vendor.example/prices", "1.0, sha256", "Disagreement open since",
    ]  # fmt: skip
    for part in parts:
        assert part in said, part
    assert "12.00 differs" in said
    page = client.get(f"/models/best-1/evidence/{price.pk}").content.decode()
    assert "<html" in page
    assert "Evidence for one price" in page


def hrefs(html: str, within: str) -> list[str]:
    """The links to evidence in what a pattern finds, as addresses."""
    found = re.search(within, html, re.S)
    assert found is not None
    return [link.replace("&amp;", "&") for link in re.findall(r'class="ev" href="([^"]+)"', found[0])]


def test_a_blended_price_shows_the_prices_it_was_worked_out_from(client: Client, market: Any) -> None:
    page = client.get("/quality?mix=1:1:2").content.decode()
    best, _ = hrefs(page, r"<h1.*?</h1>")
    assert best == f"/models/best-1/evidence/blend/{market['best'].pk}?mix=1:1:2"
    fragment = client.get(f"{best}&part=evidence").content.decode()
    assert "<html" not in fragment
    said = text_of(fragment)
    assert "$3.10 per Mtok" in said
    assert "1 input : 1 output : 2 cached input, list prices on 16 Nov 2026, standard tier" in said
    assert re.search(r"Input 1 \$2.00 Output 1 \$10.00 Cached input 2 \$0.20 Blended 4 \$3.10", said)
    for link in hrefs(fragment, r"<tbody>.*?</tbody>"):
        assert client.get(link).status_code == 200
    whole = client.get(best).content.decode()
    assert "<html" in whole
    assert "How a blended price is worked out" in whole


def test_a_multiple_shows_both_prices(client: Client, market: Any) -> None:
    row = hrefs(client.get("/quality").content.decode(), r'<table class="points">.*<a href="/models/markup-1">.*?</tr>')
    said = text_of(client.get(f"{row[-1]}&part=evidence").content.decode())
    assert "It is 7.1× what Cheap 1 costs." in said
    assert "Blended 4 $1.25 Cheap 1 at Acme" in said
    assert "Blended 4 $0.175" in said


def test_what_a_price_becomes_shows_the_prices_of_that_day(client: Client, market: Any) -> None:
    now, then = hrefs(client.get("/quality").content.decode(), r'<div class="alert dear">.*?</div>')
    assert "$4.00 per Mtok" in text_of(client.get(f"{now}?part=evidence").content.decode())
    assert then == f"{now}?at=2026-12-01"
    assert "$8.00 per Mtok" in text_of(client.get(f"{then}&part=evidence").content.decode())


def test_a_known_change_leads_to_the_price_before_and_after(client: Client, market: Any) -> None:
    own = Price.objects.filter(offering=market["best"], service_tier="standard", schedule="", context_from=0)
    links = hrefs(client.get("/models/best-1").content.decode(), r"Known to change</h2>.*?</section>")
    before, after = own.get(unit="input", amount=2), own.get(unit="input", effective_from=utc("2026-12-01"))
    assert links[:2] == [f"/models/best-1/evidence/{before.pk}", f"/models/best-1/evidence/{after.pk}"]
    assert len(links) == 4


@pytest.mark.parametrize(
    ("path", "status"),
    [("best-1/evidence/blend/999999999", 404), ("open-1/evidence/blend/{best}", 404),
     ("silent-1/evidence/blend/{unpriced}", 404), ("open-1/evidence/blend/{open}?mix=0:0:1", 404),
     ("best-1/evidence/blend/{best}?mix=x", 400), ("best-1/evidence/blend/{best}?against=x", 200),
     ("best-1/evidence/blend/{best}?against=999999999999999999", 200),
     ("markup-1/evidence/blend/{markup}?against={gratis}", 200)],
)  # fmt: skip
def test_a_blend_that_cannot_be_worked_out_says_so(client: Client, market: Any, path: str, status: int) -> None:
    answer = client.get("/models/" + path.format(**{name: one.pk for name, one in market.items()}))
    assert answer.status_code == status
    assert "<img src=x" not in answer.content.decode()


def test_what_a_source_wrote_keeps_its_links_and_leads_from_its_money_to_evidence() -> None:
    html = ratecard.quoted("Fast is $10/$50.5, see https://vendor.example/fast. <b>", "/x")
    assert html.startswith('Fast is <a class="ev" href="/x">$10</a>/<a class="ev" href="/x">$50.5</a>, see <a href=')
    assert html.endswith(". &lt;b&gt;")
    assert ratecard.quoted("<i>$1") == "&lt;i&gt;$1"


def test_a_start_nobody_states_is_never_shown_as_a_date(client: Client, market: Any) -> None:
    price = Price.objects.get(offering=market["best"], unit="input", effective_until=utc("2026-09-10"), context_from=0,
                              service_tier="standard", schedule="")  # fmt: skip
    said = text_of(client.get(f"/models/best-1/evidence/{price.pk}?part=evidence").content.decode())
    assert "since before 1 Jan 2026, until 10 Sep 2026, 00:00" in said
    assert "not stated by any source" in said


@pytest.mark.parametrize("path", ["nobody", "best-1/evidence/999999999", "open-1/evidence/{}", "a/b/c"])
def test_what_is_not_there_gets_a_sentence_and_a_search_box(client: Client, market: Any, path: str) -> None:
    elsewhere = Price.objects.filter(offering=market["best"]).first()
    assert elsewhere is not None
    answer = client.get(f"/models/{path.format(elsewhere.pk)}")
    assert answer.status_code == 404
    html = answer.content.decode()
    assert re.search(r"<h1[^>]*>(No model|There is no price)", html)
    assert 'name="q"' in html


@pytest.mark.parametrize(
    "path",
    ["/quality", "/quality?q=<b>x", "/quality/figure.json", "/models", f"/models?q={NASTY}", "/models/<b>x",
     "/models/markup-1", "/models/markup-1/history.json", "/quality?maker=<b>x", "/quality?effort=<b>x"],
)  # fmt: skip
def test_a_name_is_never_markup(client: Client, market: Any, path: str) -> None:
    body = client.get(path).content.decode()
    assert "<img src=x" not in body
    assert "<b>x" not in body


def test_windows_read_as_hours() -> None:
    assert model_page.window_words("mon-fri 01:00-04:00,06:00-10:00 UTC except cn") == (
        "Monday to Friday, 01:00–04:00 and 06:00–10:00"
    )


# The door and the cost


@pytest.mark.parametrize(
    "path", ["/quality", "/quality/figure.json", "/models", "/models/best-1", "/models/best-1/history.json"]
)
def test_a_private_catalogue_asks_who_you_are(client: Client, market: Any, settings: Any, path: str) -> None:
    assert client.get(path).status_code == 200
    settings.PUBLIC_CATALOG = False
    assert client.get(path).status_code == 302


@pytest.mark.parametrize(
    ("path", "queries"),
    [("/quality", 20), ("/quality/figure.json", 14), ("/models", 7), ("/models?grade=B", 7), ("/models/best-1", 7)],
)
def test_a_page_costs_the_same_queries_however_large_the_market(
    client: Client, market: Any, path: str, queries: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for n in range(70):
        offering = make_offering(f"more-{n}", name=f"More {n}")
        make_price(offering, "input", "1")
        make_price(offering, "output", f"{n + 1}")
        make_score(f"more-{n}", f"More {n}", f"{1300 + n}")
    kept.forget()
    with django_assert_num_queries(queries):
        html = client.get(path).content.decode()
    if path == "/quality":
        assert html.count("<tr") >= 60


@pytest.mark.parametrize(("path", "queries"), [("/quality", 7), ("/quality/figure.json", 1)])
def test_a_curve_is_read_once_until_a_price_could_change_or_a_score_did(
    client: Client, market: Any, path: str, queries: int, django_assert_num_queries: DjangoAssertNumQueries,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(kept, "CHECKED_SECONDS", 600.0)
    first = client.get(path).content
    with django_assert_num_queries(queries):
        assert client.get(path).content == first
    Score.objects.filter(display_name="Cheap 1").update(low="1479")
    assert client.get("/quality/figure.json").content != first


@pytest.mark.parametrize("path", ["/quality/figure.json?mix=1:{}", "/index/figure.json?threshold=14{:02}"])
def test_asking_for_ever_other_curves_fills_no_memory(
    client: Client, market: Any, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "CHECKED_SECONDS", 600.0)
    monkeypatch.setattr(kept, "MOST_BYTES", 3_000_000)
    for n in range(1, 40):
        assert client.get(path.format(n)).status_code == 200
        if n == 1:
            one = kept._bytes
    assert 0 < one < kept._bytes <= 3_000_000


def test_evidence_as_a_page_stays_under_twelve_queries(
    client: Client, market: Any, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    price = Price.objects.filter(offering=market["best"]).first()
    assert price is not None
    with django_assert_max_num_queries(12):
        client.get(f"/models/best-1/evidence/{price.pk}")


# In a browser

browser = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def shown_market(transactional_db: None, today: None) -> dict[str, Offering]:
    return make_market()


class TestLook:
    pytestmark = browser

    def test_price_per_quality_is_sound(self, look: Look, shown_market: Any) -> None:  # noqa: F811
        look.at("/quality?q=open", "quality-small")

    def test_the_list_of_models_is_sound(self, look: Look, shown_market: Any) -> None:  # noqa: F811
        look.at("/models", "models-small")

    def test_a_model_is_sound(self, look: Look, shown_market: Any) -> None:  # noqa: F811
        look.at("/models/best-1", "model-small")

    def test_the_drawer_is_sound(self, look: Look, shown_market: Any) -> None:  # noqa: F811
        price = Price.objects.filter(offering=shown_market["best"], unit="output").first()
        assert price is not None
        look.at(f"/models/best-1/evidence/{price.pk}", "evidence-small")

    def test_what_is_not_there_is_sound(self, look: Look, shown_market: Any) -> None:  # noqa: F811
        look.at("/models/nobody", "model-missing-small", expect_status=404)

    def test_evidence_opens_beside_the_price_and_a_custom_mix_needs_no_script(
        self,
        look: Look,  # noqa: F811
        shown_market: Any,
    ) -> None:
        page, faults = look.page()
        page.goto(f"{look.origin}/quality")
        settled(page)
        page.locator("table.points a.ev").first.click()
        expect(page.locator("#evidence-popover")).to_contain_text("Why we hold it true")
        assert axe_faults(page) == []
        assert faults.said == []
        plain, _ = look.page(390, java_script_enabled=False)
        plain.goto(f"{look.origin}/quality")
        plain.locator(".filters summary", has_text="Mix").click()
        plain.get_by_label("Input", exact=True).fill("1")
        plain.get_by_role("button", name="Weigh prices so").click()
        expect(plain.locator("h1")).to_contain_text("costs $6.00 per Mtok")

    def test_a_filter_swaps_the_list_and_the_address(self, look: Look, shown_market: Any) -> None:  # noqa: F811
        page, faults = look.page()
        page.goto(f"{look.origin}/models")
        page.locator("#filters input[name=q]").fill("open")
        page.get_by_role("button", name="Find", exact=True).click()
        expect(page.locator("table.models tbody tr")).to_have_count(1)
        expect(page).to_have_url(re.compile(r"\?q=open$"))
        expect(page.locator("#filters input[name=q]")).to_have_value("open")
        # The page was not loaded anew, so the evidence still opens in its place.
        page.locator("table.models a.ev").first.click()
        expect(page.locator("#evidence-popover")).to_be_visible()
        assert faults.said == []
