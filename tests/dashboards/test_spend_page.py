"""The spend explorer: what it says, that its rows add up, that CSV and API say the same, and to whom."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards import access
from dashboards.models import Person
from dashboards.pages.explore import CHILDREN, PARENTS, compose
from pricing.models import RateCard
from tests.dashboards.ledger_cast import HEAD, MAPPING, TIERED, World, world  # noqa: F401
from tests.usage.factories import make_card, make_organisation
from usage import contracts
from usage.models import DirectoryEntry
from usage.questions import NAME, RAW, SUMMED, Question
from usage.rerating import rerate

NOVEMBER = "from=2026-11-09&until=2026-11-16"
GROUPINGS = (
    "project", "model", "provider", "maker", "host", "scope", "source", "service_tier", "cost_kind", "ext_api_key",
    "ext_user", "ext_project", "path", "tag:team", "selectors", "project,model", "ext_user,project",
    "model,ext_api_key",
)  # fmt: skip


def text(answer: Any) -> str:
    bare = re.sub(r"<[^>]+>", "", answer.content.decode())
    return re.sub(r"\s+", " ", unescape(bare))


def lines(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def leaves(found: list[dict[str, str]]) -> list[dict[str, str]]:
    deepest = max((row["level"] for row in found if row["level"] != "total"), default="1")
    return [row for row in found if row["level"] == deepest]


def api(world: World, query: str) -> dict[str, Any]:  # noqa: F811
    secret = access.create_token("t", "viewer", organisation=world.organisation)[1]
    answer = Client().get(f"/api/v1/spend?{query}", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_the_page_says_the_total_how_it_moved_and_what_most_of_it_is(world: World) -> None:  # noqa: F811
    page = text(world.admin.get(f"/spend?{NOVEMBER}"))
    # Alpha 60, beta 10, nobody 8, after 40, 20 and 5.
    assert "Acme spent $78.00 in 9–15 Nov 2026, 20.0% more than the 7 days before; Alpha is 76.9% of it." in page


def test_a_group_of_what_was_not_reported_says_what_was_not(world: World) -> None:  # noqa: F811
    for dimension, name in (("session", "no session reported"), ("unpriced", "has a price")):
        answer = world.admin.get(f"/spend.csv?group_by={dimension}&from=2026-11-01&until=2026-12-01")
        assert name in {line["name"] for line in lines(answer)}


@pytest.mark.parametrize("grouping", GROUPINGS)
def test_groups_sum_to_the_total_by_whatever_they_are_grouped(world: World, grouping: str) -> None:  # noqa: F811
    found = lines(world.admin.get(f"/spend.csv?{NOVEMBER}&group_by={grouping}"))
    column = "spent, USD"
    assert sum(Decimal(row[column] or 0) for row in leaves(found)) == Decimal(found[-1][column]) == 78
    assert sum(int(row["tokens"]) for row in leaves(found)) == int(found[-1]["tokens"]) == 60_000_000


@pytest.mark.parametrize("grouping", GROUPINGS)
@pytest.mark.parametrize("measure", ["spent", "list", "tokens", "requests"])
def test_the_api_gives_the_pages_groups(world: World, grouping: str, measure: str) -> None:  # noqa: F811
    query = f"{NOVEMBER}&group_by={grouping}&measure={measure}&compare=previous"
    found = lines(world.admin.get(f"/spend.csv?{query}"))
    answer = api(world, query)
    (column,) = [name for name in found[0] if name.endswith(("USD", "tokens", "requests")) and ", " in name][:1]
    of_page = sorted((row[column], row[f"{column}, before"]) for row in leaves(found))
    of_api = sorted(
        tuple("" if group[name] is None else str(group[name]) for name in ("value", "before"))
        for group in answer["groups"]
    )
    assert of_page == of_api
    assert found[-1][column] == str(answer["total"]["value"])


@pytest.mark.parametrize("name", [*SUMMED[1:], *RAW, NAME, "tag:team"])
def test_the_api_filters_by_every_dimension_that_the_page_filters_by(world: World, name: str) -> None:  # noqa: F811
    query = f"{NOVEMBER}&measure=spent&{name}=no-such-value"
    total = {row["level"]: row["spent, USD"] for row in lines(world.admin.get(f"/spend.csv?{query}&group_by=model"))}
    assert Decimal(api(world, query)["total"]["value"] or 0) == Decimal(total["total"] or 0) == 0


def test_periods_end_with_the_usage_that_the_token_sees(world: World) -> None:  # noqa: F811
    """Alpha was last used on the 12th, the organisation on the 13th: when others last worked is not alpha's to know."""
    bea = Person.objects.get(email="bea@acme.example")
    ends = {}
    for who, person in (("all", None), ("alpha", bea)):
        secret = access.create_token("t", "viewer", person, world.organisation)[1]
        headers = {"Authorization": f"Bearer {secret}"}
        ends[who] = (
            Client().get("/api/v1/spend?period=7d", headers=headers).json()["until"],
            Client().get("/api/v1/bridge?period=7d", headers=headers).json()["after"]["until"],
        )
    assert ends == {"all": ("2026-11-14", "2026-11-14"), "alpha": ("2026-11-13", "2026-11-13")}


def test_a_group_opened_is_the_group(world: World) -> None:  # noqa: F811
    for grouping in ("project", "model", "ext_user", "ext_api_key", "provider", "scope"):
        page = world.admin.get(f"/spend?{NOVEMBER}&group_by={grouping}").content.decode()
        table = page[page.index('id="table"') :]
        found = lines(world.admin.get(f"/spend.csv?{NOVEMBER}&group_by={grouping}"))
        urls = [unescape(url) for url in re.findall(r'scope="row">(?:<i[^>]*></i>)?<a href="(/spend\?[^"]+)"', table)]
        assert len(urls) == len(found) - 1
        for url, row in zip(urls, found, strict=False):
            narrower = lines(world.admin.get(url.replace("/spend?", "/spend.csv?")))
            assert narrower[-1]["spent, USD"] == row["spent, USD"], url


@pytest.mark.parametrize("grouping", ["model", "model,project", "project,model", "model,ext_user"])
def test_a_model_and_a_name_that_means_none_open_apart_though_spelt_alike(world: World, grouping: str) -> None:  # noqa: F811
    slug = world.offering.model.slug
    head = f"{HEAD},cost"
    mapping = MAPPING | {"columns": MAPPING["columns"] | {"cost": "cost"}, "currency": "USD", "cost_kind": "billed"}
    world.imported(
        f"2026-11-12,alpha,k-alpha,ann,nowhere,{slug},1000000,0,1,7", scope="nowhere", head=head, mapping=mapping
    )
    page = world.admin.get(f"/spend?{NOVEMBER}&group_by={grouping}").context["shown"]
    found = [line for line in page.lines if line.name in (f"{slug}, not recognised", world.offering.model.name)]
    by_name = {name: [line for line in found if line.name == name] for name in {line.name for line in found}}
    assert {name: sum(line.value for line in each) for name, each in by_name.items()} == {
        f"{slug}, not recognised": 7,
        world.offering.model.name: 78,
    }
    for line in found:
        assert world.admin.get(line.records).context["behind"].total == line.value
        answer = world.admin.get(line.url)
        total = answer.context["shown"].total if "shown" in answer.context else answer.context["behind"]
        assert getattr(total, "value", None) == line.value or getattr(total, "total", None) == line.value
    assert Decimal(api(world, f"{NOVEMBER}&measure=spent&model_raw={slug}")["total"]["value"]) == 7
    assert Decimal(api(world, f"{NOVEMBER}&measure=spent&model={slug}")["total"]["value"]) == 85


def test_the_page_says_where_a_price_changed_inside_a_day_and_only_there(world: World) -> None:  # noqa: F811
    assert "price changed inside" not in text(world.admin.get(f"/spend?{NOVEMBER}"))
    noon = datetime(2026, 11, 10, 12, tzinfo=UTC)
    RateCard.objects.filter(offering=world.offering).update(effective_until=noon)
    make_card(world.offering, effective_from=noon, input="2", output="1")
    rerate(world.organisation)
    # Alpha's day of the 10th: 20 Mtok in and 10 out, at 1 and 2 and then at 2 and 1.
    answer = world.admin.get(f"/spend?{NOVEMBER}&group_by=model")
    page = text(answer)
    rows = world.admin.get(answer.context["list_rows"])
    assert (rows.context["measure"], rows.context["behind"].total) == ("list", Decimal(83))
    assert (
        "In 1 record the price changed inside the time covered: $40.00 at the price of the start, which counts,"
        " $40.00 at the lowest and $50.00 at the highest inside." in page
    )
    assert "price changed inside" not in text(world.admin.get(f"/spend?{NOVEMBER}&project=beta"))
    found = api(world, f"{NOVEMBER}&group_by=project")["coverage"]["price_changed_inside"]
    assert (found["records"], Decimal(found["low"]), Decimal(found["high"])) == (1, 40, 50)


def test_an_id_stands_with_its_newest_name_of_the_directory(world: World) -> None:  # noqa: F811
    stranger = make_organisation()
    for organisation, name, since in (
        (world.organisation, "Search, old", None),
        (world.organisation, "Search", date(2026, 11, 1)),
        (stranger, "Somebody else’s", date(2026, 11, 2)),
    ):
        DirectoryEntry.objects.create(
            organisation=organisation, kind="api_key", external_id="k-alpha", name=name, valid_from=since
        )
    found = lines(world.admin.get(f"/spend.csv?{NOVEMBER}&group_by=ext_api_key"))
    assert [(row["API key"], row["name"]) for row in found[:2]] == [
        ("k-alpha", "Search (k-alpha)"),
        ("k-beta", "k-beta"),
    ]


def test_the_past_at_another_days_prices_is_that_in_all_that_the_page_leads_to(world: World) -> None:  # noqa: F811
    """Input cost 3 in October: every link keeps the day asked for, and no row of the ledger has its prices."""
    RateCard.objects.filter(offering=world.offering).update(effective_from=datetime(2026, 11, 1, tzinfo=UTC))
    make_card(world.offering, input="3", effective_until=datetime(2026, 11, 1, tzinfo=UTC))
    rerate(world.organisation)
    query = f"{NOVEMBER}&prices_at=2026-10-10&measure=spent"
    answer = world.admin.get(f"/spend?{query}")
    # 36 Mtok in and 21 out.
    assert "Acme would have spent $150.00 at the list prices of 10 Oct 2026 in 9–15 Nov 2026" in text(answer)
    assert answer.context["chips"][-1]["value"] == "10 Oct 2026"
    assert "prices_at" not in answer.context["chips"][-1]["url"]
    assert not any(line.records for line in [*answer.context["shown"].lines, answer.context["shown"].total])
    for name in ("csv", "csv_time", "figure", "api"):
        assert "prices_at=2026-10-10" in answer.context[name]
    links = [unescape(url) for url in re.findall(r'href="(/spend\?[^"]+)"', answer.content.decode())]
    assert links
    assert [url for url in links if "prices_at" not in url] == [answer.context["chips"][-1]["url"]]
    assert (
        lines(world.admin.get(answer.context["csv"]))[-1]["spent, USD, at the list prices of 10 Oct 2026"]
        == (api(world, query)["total"]["value"])
    )
    figure = world.admin.get(answer.context["figure"]).json()
    assert sum(sum(bar["y"]) for bar in figure["wide"]["data"]) == 150


def test_every_page_of_money_says_how_much_of_it_is_known(world: World) -> None:  # noqa: F811
    make_card(world.offering, service_tier="batch")
    world.imported(
        "2026-11-14,alpha,k-alpha,ann,seller,model-a,20000000,1000000,1,standard",
        head=f"{HEAD},tier", scope="tiers", mapping=TIERED,
    )  # fmt: skip
    days = {"effective_from": date(2026, 12, 1), "effective_until": None}
    contracts.save(
        world.organisation, "ada", name="c", kind="discount", value=Decimal(5), provider=world.offering.provider, **days
    )
    # Of 100 dollars 22 are of a reported tier and 8 of nobody; of 81 Mtok 3 have no price.
    of_all = ("96.3% of tokens priced", "22.0% of list money with its selectors reported")
    for path in (f"/?period=week&{NOVEMBER}", f"/unpriced?{NOVEMBER}", "/contracts", "/periods?month=2026-11"):
        page = text(world.admin.get(path))
        if "/?" in path or "/unpriced" in path:
            assert all(words in page for words in ("92.0% of the money attributed", *of_all)), path
        else:
            assert "selectors reported" in page, path
    assert "0.0% of list money with its selectors reported" in text(world.admin.get(f"/unattributed?{NOVEMBER}"))
    mine = text(world.admin.get(f"/projects/alpha?period=week&{NOVEMBER}"))
    assert "26.8% of list money with its selectors reported" in mine  # 22 of 82
    assert "of the money attributed" not in mine
    spend = text(world.admin.get(f"/spend?{NOVEMBER}"))
    assert "Attributed to a project92.0%" in spend
    assert "List money with its selectors reported22.0%" in spend


def test_over_time_the_bars_sum_to_the_total(world: World) -> None:  # noqa: F811
    for grain in ("day", "week", "month"):
        found = lines(world.admin.get(f"/spend.csv?{NOVEMBER}&grain={grain}&of=time"))
        assert sum(Decimal(value) for row in found for name, value in row.items() if name != grain) == 78


def test_what_has_no_room_stands_as_other_and_sums_stay_exact(world: World) -> None:  # noqa: F811
    world.imported(*(f"2026-11-14,,k{n},,seller,model-a,{n + 1}0000,0,1" for n in range(40)), scope="many")
    found = lines(world.admin.get(f"/spend.csv?{NOVEMBER}&group_by=ext_api_key"))
    assert (len(found), found[PARENTS]["name"]) == (PARENTS + 2, "Other, 18 smaller")
    assert sum(Decimal(row["spent, USD"]) for row in found[:-1] if row["spent, USD"]) == Decimal(
        found[-1]["spent, USD"]
    )
    assert CHILDREN < PARENTS


def test_a_person_of_one_project_sees_that_project(world: World) -> None:  # noqa: F811
    for grouping in ("project", "ext_api_key"):
        found = lines(world.alpha_only.get(f"/spend.csv?{NOVEMBER}&group_by={grouping}"))
        assert [(row["name"], Decimal(row["spent, USD"])) for row in found] in (
            [("Alpha", 60), ("Total", 60)],
            [("k-alpha", 60), ("Total", 60)],
        )
    assert world.alpha_only.get(f"/spend?{NOVEMBER}&project=beta").status_code == 404
    assert "Unattributed" not in text(world.alpha_only.get(f"/spend?{NOVEMBER}"))


def test_somebody_of_no_organisation_gets_none_of_it(world: World) -> None:  # noqa: F811
    for url in (f"/spend.csv?{NOVEMBER}", f"/spend/figure.json?{NOVEMBER}"):
        assert world.charlie.get(url).status_code == 404
    assert "$" not in text(world.charlie.get(f"/spend?{NOVEMBER}"))


def test_who_administers_the_instance_is_led_to_create_an_organisation(world: World) -> None:  # noqa: F811
    """And not told to ask an administrator, as anybody else is who belongs to none."""
    asked = {url: text(world.charlie.get(url)) for url in ("/", "/spend", "/index/yours", "/review/names")}
    told = "Ask an administrator to invite you|An administrator can invite you"
    assert all(re.search(told, page) for page in asked.values())
    assert all("You belong to no organisation yet." in page for page in asked.values())
    Person.objects.filter(email__startswith="charlie").update(is_instance_admin=True)
    for url in asked:
        page = world.charlie.get(url).content.decode()
        assert not re.search(told, page)
        link = re.search(r'href="([^"]+)"[^>]*>Create an organisation<', page)
        assert link is not None
        assert "New organisation" in text(world.charlie.get(link[1]))


def test_a_cell_is_never_a_formula(world: World) -> None:  # noqa: F811
    world.imported("2026-11-14,,=1+1,,seller,model-a,10000,0,1", scope="evil")
    found = lines(world.admin.get(f"/spend.csv?{NOVEMBER}&group_by=ext_api_key"))
    assert "'=1+1" in {row["name"] for row in found}


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("group_by=colour", "Nothing is grouped by 'colour'"),
        ("group_by=project,model,host", "one or two dimensions"),
        ("measure=happiness", "'happiness' is no measure"),
        ("from=2026-11-09", "needs both days"),
        ("from=2026-11-09&until=2026-11-09", "until must be after from"),
        ("from=soon&until=2026-11-09", "'soon' is no day"),
        ("where=colour&is=red", "Nothing is filtered by 'colour'"),
    ],
)
def test_a_bad_question_gets_a_sentence(world: World, query: str, sentence: str) -> None:  # noqa: F811
    answer = world.admin.get(f"/spend?{query}")
    assert answer.status_code == 400
    assert sentence in text(answer)


def test_the_form_without_script_adds_a_filter_to_the_address(world: World) -> None:  # noqa: F811
    answer = world.admin.get(f"/spend?{NOVEMBER}&where=ext_user&is=bob")
    assert answer.status_code == 302
    assert "ext_user=bob" in answer["Location"]
    assert "Acme spent $20.00 in 9–15 Nov 2026" in text(world.admin.get(answer["Location"]))


def test_the_rollup_answers_what_it_knows(world: World) -> None:  # noqa: F811
    world.admin.get(f"/spend?{NOVEMBER}")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        world.admin.get(f"/spend?{NOVEMBER}&group_by=project,model&measure=list")
    touching = [one["sql"] for one in queries if "usage_usagerecord" in one["sql"]]
    of_few_rows = ("rating_flags > 0", "r.grain = '1mo'")  # by indexes of their own
    assert [sql for sql in touching if not any(index in sql for index in of_few_rows)] == []
    by_table: dict[str, int] = defaultdict(int)
    for one in queries:
        by_table[re.search(r'FROM "?(\w+)', one["sql"])[1] if " FROM " in one["sql"] else one["sql"][:20]] += 1  # type: ignore[index]
    assert by_table["usage_officialdailycost"] <= 5, dict(by_table)


AMOUNTS = st.one_of(st.none(), st.decimals(min_value=0, max_value=10**6, places=12))
KEYS = st.tuples(st.sampled_from([f"p{n}" for n in range(40)]), st.sampled_from([f"m{n}" for n in range(20)]))


@given(st.dictionaries(KEYS, AMOUNTS, max_size=200), st.sampled_from([("project",), ("project", "model")]))
@settings(max_examples=150, deadline=None)
def test_rows_and_other_sum_to_the_total_for_any_groups(found: dict[Any, Any], group_by: tuple[str, ...]) -> None:
    wanted: dict[Any, Any] = {}
    for (project, model), amount in found.items():
        key = (project, model)[: len(group_by)]
        wanted[key] = amount if wanted.get(key) is None else wanted[key] + (amount or 0)
    groups = [
        {"project": key[0], "model": key[-1], "model_raw": None, **_nothing(), "value": amount and f"{amount:f}"}
        for key, amount in wanted.items()
    ]
    known = [Decimal(group["value"]) for group in groups if group["value"]]
    whole = {**_nothing(), "value": f"{sum(known)}"}
    question = Question(
        group_by=group_by, measure="spent", grain="day", since=date(2026, 11, 1), until=date(2026, 11, 2)
    )
    page = compose(question, {"groups": groups, "total": whole, "series": []}, lambda _, key: key)
    rows = [line for line in page.lines if line.level == len(group_by) - 1]
    parents = [line for line in page.lines if line.level == 0]
    assert sum((line.value or 0 for line in rows), Decimal(0)) == page.total.value
    assert sum((line.value or 0 for line in parents), Decimal(0)) == page.total.value
    assert sum((line.shown or 0 for line in parents), Decimal(0)) == page.total.shown
    assert page.total.shown == round_half_up(page.total.value)


def _nothing() -> dict[str, Any]:
    counts = dict.fromkeys(("in_uncached", "in_cache_read", "in_cache_write", "out_total", "requests"), 0)
    return {**counts, "list": "0", "unpriced_tokens": 0}


def round_half_up(amount: Decimal | None) -> Decimal:
    return (amount or Decimal(0)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def test_a_day_whose_money_is_unknown_is_no_day_of_nothing_in_the_table_of_the_chart(world: World) -> None:  # noqa: F811
    mapping = {
        "columns": {"time": "day", "model": "model", "cost": "usd"}, "constants": {"host": "seller"},
        "grain": "1d", "currency": "USD", "cost_kind": "billed",
    }  # fmt: skip
    world.imported("2026-11-12,,33", scope="finance", head="day,model,usd", mapping=mapping)  # names no model
    asked = f"{NOVEMBER}&group_by=model&measure=spent&grain=day"
    rows = list(csv.DictReader(io.StringIO(world.admin.get(f"/spend.csv?{asked}&of=time").content.decode())))
    by_day = {row["day"]: row["model-a, USD"] for row in rows}
    assert (by_day["2026-11-12"], Decimal(by_day["2026-11-13"]), Decimal(by_day["2026-11-14"])) == ("", 8, 0)
    table = world.admin.get(f"/spend?{asked}").content.decode()
    assert '12 Nov 2026</th><td class="n">unknown</td><td class="n">$33.00</td>' in table
