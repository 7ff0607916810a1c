"""The ladder: exact costs with their evidence, unknown never zero, own requests only to who may see them."""

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

from dashboards import access
from dashboards.models import Person
from dashboards.pages import ladder as pages
from pricing.models import LanguageModel, Offering
from tests.dashboards.market_cast import NOW, make_offering, make_price, make_score
from tests.dashboards.test_money_evidence import read
from usage.models import Connection, DailyCost, Organisation, Project

ADDRESS = "/ladder"


@pytest.fixture(autouse=True)
def now(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboards.views.ladder.timezone.now", lambda: NOW)


@pytest.fixture
def market() -> dict[str, Offering]:
    found = {}
    for slug, into, out, rating, window in (
        ("tiny", "0.02", "0.05", "1200", 128_000), ("good", "0.10", "0.40", "1460", 1_000_000),
        ("best", "4", "20", "1500", 1_000_000), ("dear", "75", "150", "1400", 1_000_000),
    ):  # fmt: skip
        found[slug] = make_offering(slug, name=slug.title(), context_window=window)
        make_price(found[slug], "input", into)
        make_price(found[slug], "output", out)
        make_score(slug, slug.title(), rating)
    found["painter"] = make_offering("painter", name="Painter")
    for unit, amount in (("input", "0.5"), ("output_image", "30")):
        make_price(found["painter"], unit, amount)
    return found


def page(client: Client, url: str = ADDRESS, status: int = 200) -> str:
    answer = client.get(url)
    assert answer.status_code == status
    return answer.content.decode()


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def finding(client: Client, url: str = ADDRESS) -> str:
    found = re.search(r'<h1 class="finding">(.*?)</h1>', page(client, url), re.S)
    assert found is not None
    return re.sub(r"<[^>]*>", "", found[1])


def rows(client: Client, url: str = f"{ADDRESS}?format=csv") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(client.get(url).content.decode())))


def cost_of(lines: list[dict[str, str]], rung: str, model: str) -> str:
    return next(line["usd"] for line in lines if (line["name"], line["model"]) == (rung, model))


def test_the_finding_sets_the_cheapest_model_beside_a_person(client: Client, market: Any) -> None:
    # 215 × 0.02 + 198 × 0.05 = 14.2 millionths of a dollar, and 0.0241 hours of a call centre.
    assert finding(client) == (
        "A short reply costs $0.0000142 with Tiny; a person reading and speaking it at $10.00 an hour costs $0.241: "
        "16,972×."
    )


def test_without_a_choice_the_usual_models_stand_on_it(client: Client, market: Any) -> None:
    models = list(dict.fromkeys(line["model"] for line in rows(client)))
    assert models == ["Tiny", "Good", "Best", "Dear", "Painter"]


def test_costs_are_tokens_times_prices_exactly(client: Client, market: Any) -> None:
    lines = rows(client)
    assert cost_of(lines, "A short reply", "Best") == f"{(D(215) * 4 + D(198) * 20) / 1_000_000:f}"
    assert cost_of(lines, "An image", "Painter") == "0.03875"
    assert f"/models/tiny/evidence/blend/{market['tiny'].pk}?mix=215:198:0" in page(client)


def test_what_has_no_price_or_does_not_fit_is_unknown_and_says_why(client: Client, market: Any) -> None:
    lines = rows(client)
    long = next(line for line in lines if (line["name"], line["model"]) == ("A long document", "Tiny"))
    assert (long["usd"], long["reason"]) == ("", "does not fit: 128,000 tokens of context")
    image = next(line for line in lines if (line["name"], line["model"]) == ("An image", "Tiny"))
    assert (image["usd"], image["reason"]) == ("", "no price of output image is stated")
    assert "does not fit: 128,000 tokens" in page(client)


def test_a_long_prompt_pays_the_tier_it_reaches(client: Client, market: Any) -> None:
    make_price(
        market["best"], "input", "8", context_from=100_000, context_op=">", context_mode="whole_request"
    )  # fmt: skip
    lines = rows(client)
    assert cost_of(lines, "A long document", "Best") == f"{(D(192_000) * 8 + D(500) * 20) / 1_000_000:f}".rstrip("0")
    assert cost_of(lines, "A short reply", "Best") == "0.00482"


def test_a_free_model_costs_nothing_and_is_no_multiple(client: Client) -> None:
    free = make_offering("gift", name="Gift")
    for unit in ("input", "output"):
        make_price(free, unit, "0")
    html = page(client, "/ladder?m=gift")
    assert "None of these models" in finding(client, "/ladder?m=gift")
    assert 'class="badge free"' in html
    assert client.get("/ladder/figure.json?m=gift").status_code == 200


def test_the_models_are_those_of_the_address(client: Client, market: Any) -> None:
    lines = rows(client, "/ladder?m=best&m=tiny&format=csv")
    assert list(dict.fromkeys(line["model"] for line in lines)) == ["Best", "Tiny", "Painter"]
    assert "There is no model “none”" in page(client, "/ladder?m=none&m=best", status=400)
    many = "&".join(f"m=m{n}" for n in range(7))
    assert "left out: m5, m6" in page(client, f"/ladder?{many}", status=400)


def test_the_prices_are_those_of_the_day(client: Client, market: Any) -> None:
    offering = make_offering("moved", name="Moved")
    for unit in ("input", "output"):
        make_price(offering, unit, "10", until="2026-06-01")
        make_price(offering, unit, "1", since="2026-06-01")
    for at, usd in (("2026-05-31", "0.00413"), ("2026-06-01", "0.000413")):
        assert cost_of(rows(client, f"/ladder?m=moved&at={at}&format=csv"), "A short reply", "Moved") == usd


def test_another_hour_and_another_pace_move_the_person_alone(client: Client, market: Any) -> None:
    usual = rows(client, "/ladder?m=best&person=tutoring&format=csv")[0]
    own = rows(client, "/ladder?m=best&person=tutoring&tutoring=60-150&speak=20000&read=100000&format=csv")[0]
    assert (usual["person_usd_low"], usual["person_usd_high"]) == ("1.205", "4.82")
    assert (own["person_usd_low"], own["person_usd_high"]) == ("0.723", "1.8075")
    assert own["usd"] == usual["usd"]
    assert "tokens an hour, as entered" in page(client, "/ladder?speak=20000")


def test_what_cannot_be_meant_is_said(client: Client, market: Any) -> None:
    html = page(client, "/ladder?at=soon&person=nobody&manager=much&tutoring=9-5&speak=0&read=-1", status=400)
    for said in (
        "needs a day such as", "“Person” is one of", "“Manager” is USD an hour", "“Tutoring” is USD an hour",
        "“Speaking” is a number", "“Reading” is a number",
    ):  # fmt: skip
        assert said in html
    assert client.get("/ladder/figure.json?speak=0").status_code == 400


def test_what_is_assumed_is_called_assumed(client: Client, market: Any) -> None:
    html = page(client)
    table = html.split('id="counts"')[1].split("</table>", maxsplit=1)[0]
    assert table.count('class="badge estimated"') == 2
    assert table.count(">measured<") == 8
    assert "1,000–10,000" in html


def test_the_figure_draws_the_numbers_of_the_table(client: Client, market: Any) -> None:
    answer = client.get("/ladder/figure.json?person=tutoring")
    assert len(answer.content) < 300_000
    drawn = {x for trace in json.loads(answer.content)["wide"]["data"] for x in trace["x"]}
    lines = rows(client, "/ladder?person=tutoring&format=csv")
    told = {float(line[name]) for line in lines for name in ("usd", "person_usd_low", "person_usd_high") if line[name]}
    assert sorted(drawn) == pytest.approx(sorted(told))


def test_the_address_is_read_as_it_is_written() -> None:
    query = {"at": "2026-06-01", "person": "manager", "manager": "900-1200", "speak": "12000"}
    asked, wrong = pages.read(query, ["best", "tiny", "best"])
    assert wrong == []
    assert asked.url() == "/ladder?m=best&m=tiny&at=2026-06-01&person=manager&speak=12000&manager=900-1200"
    assert pages.Ask().url() == "/ladder"


@pytest.fixture
def ledger() -> tuple[Organisation, dict[str, Project]]:
    acme = Organisation.objects.create(slug="acme", name="Acme")
    projects = {
        slug: Project.objects.create(organisation=acme, slug=slug, name=slug.title()) for slug in ("alpha", "beta")
    }
    feed = Connection.objects.create(organisation=acme, importer="csv", scope="x", name="feed")
    common: dict[str, Any] = {
        "organisation": acme, "connection": feed, "day": date(2026, 11, 10), "list_currency": "USD",
        "spent_currency": "USD", "cost_kind": "estimated",
    }  # fmt: skip

    def day(host: str, **fields: Any) -> None:
        DailyCost.objects.create(**{**common, "host": host, **fields})

    day("a", project=projects["alpha"], requests=100, records=100, list_cost=D("2.5"), in_uncached=50_000,
        in_cache_read=450_000, out_total=20_000)  # fmt: skip
    day("b", project=projects["alpha"], requests=7, records=3, unknown_requests=3, list_cost=D(900))
    day("c", project=projects["alpha"], requests=40, records=40, unpriced_requests=40, unpriced_tokens=9)
    day("d", project=projects["alpha"], requests=50, records=50, list_cost=D(700), cost_kind="notional")
    day("e", project=projects["beta"], requests=10, records=10, list_cost=D("1"), in_uncached=10,
        unknown_in_cache_write=10, out_total=10)  # fmt: skip
    day("f", project=None, requests=5, records=5, list_cost=D("9"), list_currency="EUR", spent_currency="EUR")
    day("g", project=projects["beta"], requests=10, records=10, list_cost=D(500), day=date(2026, 9, 1))
    return acme, projects


def signed_in(client: Client, acme: Organisation, project: Project | None = None) -> Client:
    person = Person.objects.create_user("vic@acme.example")
    access.grant(person, "viewer", acme, project)
    client.force_login(person)
    return client


def test_own_requests_stand_on_it_where_their_number_and_price_are_known(
    client: Client, market: Any, ledger: Any
) -> None:
    lines = {line["name"]: line for line in rows(signed_in(client, ledger[0])) if line["kind"] == "workload"}
    assert set(lines) == {"Alpha", "Beta"}
    alpha = lines["Alpha"]
    assert (alpha["usd"], alpha["input_tokens"], alpha["output_tokens"], alpha["reason"]) == (
        "0.025",
        "5000",
        "200",
        "",
    )
    # 5,000 read and 200 spoken are 0.12 hours.
    assert (alpha["person_usd_low"], alpha["person_times_model"]) == ("1.2", "48")
    assert (lines["Beta"]["usd"], lines["Beta"]["reason"]) == ("0.1", "some tokens are not known")
    html = text_of(page(client))
    assert "left out: 47 without a price, 3 records that do not count requests" in html
    assert "Not drawn, as their prices are not in USD: Unattributed" in html
    assert "≥ 1" in html
    evidence = "/spend/records?project=alpha&amp;from=2026-10-17&amp;until=2026-11-16"
    assert evidence in page(client)


def test_own_requests_over_http_are_those_of_the_page_and_of_the_tokens_projects(
    client: Client, market: Any, ledger: Any
) -> None:
    acme, projects = ledger
    secret = access.create_token("reader", "viewer", None, acme)[1]

    def asked(token: str, own: str = "true") -> Any:
        return Client(headers={"Authorization": f"Bearer {token}"}).get("/api/v1/ladder", {"own": own})

    found = asked(secret)
    assert found["Cache-Control"] == "private, no-store"
    own = found.json()["own"]
    assert (own["from"], own["until"], own["other_currencies"]) == ("2026-10-17", "2026-11-16", ["Unattributed"])
    alpha, beta = own["projects"]
    assert alpha == {
        "project": "alpha", "name": "Alpha", "requests": 100, "usd": "0.025", "input_tokens": 5000,
        "output_tokens": 200, "at_least": False, "left_out": 47, "silent_records": 3,
        "person": {"low": "1.2", "high": "1.2"},
    }  # fmt: skip
    assert (beta["project"], beta["usd"], beta["at_least"]) == ("beta", "0.1", True)
    person = Person.objects.create_user("pat@acme.example")
    access.grant(person, "viewer", acme, projects["beta"])
    theirs = asked(access.create_token("theirs", "viewer", person, acme)[1]).json()["own"]
    assert [one["name"] for one in theirs["projects"]] == ["Beta"]
    assert theirs["other_currencies"] == []
    assert asked(secret, "false").json()["own"] is None
    assert client.get("/api/v1/ladder?own=true").status_code == 403


def test_own_requests_are_nobody_elses(client: Client, market: Any, ledger: Any) -> None:
    acme, projects = ledger
    assert "Alpha" not in page(client)
    assert [line for line in rows(client) if line["kind"] == "workload"] == []
    lines = rows(signed_in(client, acme, projects["beta"]))
    assert {line["name"] for line in lines if line["kind"] == "workload"} == {"Beta"}
    assert "Alpha" not in page(client)
    assert "Alpha" not in client.get("/ladder/figure.json").content.decode()


def test_without_requests_the_page_says_what_brings_some(client: Client, market: Any) -> None:
    acme = Organisation.objects.create(slug="acme", name="Acme")
    assert "No request with a known price in 30 days" in page(signed_in(client, acme))


def test_the_page_asks_few_questions(client: Client, market: Any, django_assert_max_num_queries: Any) -> None:
    page(client)
    with django_assert_max_num_queries(9):
        page(client)


def test_an_empty_catalogue_teaches_the_next_step(client: Client) -> None:
    assert finding(client) == "No model with a known price is on the ladder: choose one."
    assert "No model to price" in page(client)


def test_the_moment_is_a_day_in_utc() -> None:
    from pricing.answers.self_hosting import moment_of

    assert moment_of(date(2026, 6, 1), NOW) == datetime(2026, 6, 1, tzinfo=UTC)
    assert moment_of(None, NOW) == NOW


def test_every_model_of_the_choice_has_ratings_of_its_own(client: Client, market: Any) -> None:
    LanguageModel.objects.create(slug="unrated", key="acme/unrated", maker="acme", name="Unrated")
    choices = page(client).split('<datalist id="slugs">')[1].split("</datalist>", maxsplit=1)[0]
    assert 'value="tiny"' in choices
    assert "unrated" not in choices


def test_every_money_figure_leads_to_its_evidence(client: Client, market: Any) -> None:
    for url in ("/ladder", "/ladder?person=manager"):
        found = read(page(client, url))
        assert found.figures
        assert [figure for figure, evidence in found.figures if evidence is None] == []
