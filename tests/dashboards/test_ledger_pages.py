"""The overview, one project and the rows behind a figure: what they say, to whom, and at what price in queries."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from html import unescape
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from dashboards import access
from dashboards.charts.spend import apart, price_paid, stacked_weeks, ticks
from dashboards.models import Person
from dashboards.pages import periods
from dashboards.pages.ledger import Move
from dashboards.pages.periods import Span, Unusable
from dashboards.pages.weeks import Event, Series, stack, stack_claim
from dashboards.views.spend import cell
from pricing.models import ExchangeRate
from tests.dashboards.browser import Look, look, meeting, picture, settled  # noqa: F401
from tests.dashboards.ledger_cast import World, world  # noqa: F401
from tests.usage.factories import make_organisation, make_project, make_rule, make_source
from usage import assignments, ingest, sample
from usage.models import AttributionRule, DailyCost, Organisation

TODAY = date(2026, 11, 18)


def text(answer: Any) -> str:
    """What a reader sees of a page, on one line."""
    bare = re.sub(r"<[^>]+>", "", answer.content.decode())
    return re.sub(r"\s+", " ", unescape(bare))


def finding(answer: Any) -> str:
    found = re.search(r'<h1 class="finding">(.*?)</h1>', answer.content.decode(), re.DOTALL)
    assert found
    return re.sub(r"<[^>]+>", "", unescape(found[1])).strip()


def rows(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


# The overview


def test_the_finding_is_last_weeks_spend_and_who_moved_it(world: World) -> None:  # noqa: F811
    # 60 + 10 + 8 = 78 after 40 + 20 + 5 = 65
    assert finding(world.admin.get("/")) == "Acme spent $78.00 last week, 20.0% more. Alpha added $20.00."


def test_with_nothing_before_the_finding_is_the_total(world: World) -> None:  # noqa: F811
    answer = world.admin.get("/?period=week&from=2026-11-02")
    assert finding(answer) == "Acme spent $65.00 in the week of 2 Nov 2026."


def test_projects_stand_by_spend_and_unattributed_last(world: World) -> None:  # noqa: F811
    world.imported("2026-11-14,,k-stray,,seller,model-a,90000000,0,1", scope="late")
    found = rows(world.admin.get("/overview.csv"))
    assert [(row["project"], Decimal(row["list cost, USD"])) for row in found] == [
        ("Alpha", 60),
        ("Beta", 10),
        ("Unattributed", 98),
    ]


def test_rows_of_the_table_add_up_to_its_total_to_the_cent(world: World) -> None:  # noqa: F811
    for n in range(7):
        make = make_project(world.organisation, f"p{n}")
        field = {"field": "ext_project", "op": "equals", "value": f"p{n}"}
        make_rule(world.organisation, [field], {make.pk: "1"})
    world.imported(*(f"2026-11-14,p{n},k,,seller,model-a,3334,0,1" for n in range(7)), scope="odd")
    page = world.admin.get("/").content.decode()
    table = page[page.index('id="projects"') :]
    body, foot = table[: table.index("<tfoot>")], table[table.index("<tfoot>") : table.index("</table>")]
    money = r'<td class="n"><a class="ev" href="[^"]+">(?:&lt;)?\$([\d,.]+)</a>'
    parts = [Decimal(found.replace(",", "")) for found in re.findall(money, body)]
    assert len(parts) == 10
    assert sum(parts) == Decimal(re.findall(money, foot)[0].replace(",", ""))


def test_usage_without_a_price_is_outside_the_total_and_said(world: World) -> None:  # noqa: F811
    page = text(world.admin.get("/"))
    assert "Not in the total: 3.00 Mtok in 30 requests to mystery, whose price is unknown." in page
    assert "mystery has no known price" in page
    assert "Counted, and in no total at list prices." in page
    row = next(row for row in rows(world.admin.get("/overview.csv?of=models")) if row["model"] == "mystery")
    assert (row["list cost, USD"], row["unpriced tokens"]) == ("", "3000000")  # unknown, never zero


def test_a_month_of_only_unknown_prices_claims_no_money(world: World) -> None:  # noqa: F811
    world.imported("2026-03-05,alpha,k,,seller,mystery,500000,0,1", scope="spring")
    answer = world.admin.get("/?period=month&from=2026-03-01")
    assert finding(answer) == "Acme used 0.500 Mtok in March, and none of it has a known price."
    assert "$0.00" not in finding(answer)


def test_notional_cost_is_in_no_total(world: World) -> None:  # noqa: F811
    DailyCost.objects.filter(project=world.beta).update(cost_kind="notional")
    page = world.admin.get("/")
    assert finding(page).startswith("Acme spent $68.00 last week")
    assert "$10.00 of notional cost, covered by a seat." in text(page)


def test_the_table_of_who_and_where_is_exact(world: World) -> None:  # noqa: F811
    world.imported("2026-11-12,alpha,k-alpha,cy,seller,model-a,1,0,1", scope="one token")
    lines = csv.DictReader(io.StringIO(world.admin.get("/projects/alpha.csv?of=parts&by=user").content.decode()))
    assert {one["user"]: Decimal(one["spent, USD"]) for one in lines}["cy"] == Decimal("0.000001")


def test_times_on_the_page_of_an_address_that_is_none_are_in_the_readers_zone(world: World) -> None:  # noqa: F811
    Person.objects.filter(email="ada@acme.example").update(time_zone="Asia/Tokyo")

    def frame(url: str) -> str:
        said = text(world.admin.get(url))
        return said[said.index("Spend imported") :]

    assert frame("/nowhere") == frame("/budgets")


def test_another_currency_counts_at_the_rate_of_its_day_wherever_the_money_is_shown(world: World) -> None:  # noqa: F811
    """An organisation in EUR whose prices are in USD: 1 EUR is 2 USD until 11 November, then 4."""
    source = make_source("rates")
    for day, usd in ((date(2026, 11, 1), "2"), (date(2026, 11, 12), "4")):
        ExchangeRate.objects.create(currency="EUR", day=day, usd=Decimal(usd), source=source)
    Organisation.objects.filter(pk=world.organisation.pk).update(display_currency="EUR")
    # Alpha 40 USD on the 10th and 20 on the 12th, beta 10 on the 11th, nobody 8 on the 13th.
    page = world.admin.get("/")
    assert finding(page).startswith("Acme spent €32.00 last week")
    assert "priced in USD" not in text(page)
    week = "from=2026-11-09&until=2026-11-16"
    asked = {"/spend?" + week: "32.00", "/projects/alpha": "25.00", f"/spend/records?{week}&project=alpha": "25.00"}
    for url, euros in asked.items():
        assert f"€{euros}" in text(world.admin.get(url)), url
    rows = world.admin.get(f"/spend/records?{week}&project=alpha")
    assert (rows.context["behind"].total, rows.context["behind"].others) == (25, [])
    assert "What is in another currency counts at the rate of its day." in text(rows)
    tables = {"/overview.csv": ("project", "Beta", 5), "/projects/alpha.csv?of=parts&by=user": ("user", "ann", 20)}
    for url, (head, name, euros) in tables.items():
        lines = csv.DictReader(io.StringIO(world.admin.get(url).content.decode()))
        assert {one[head]: Decimal(one["spent, EUR"]) for one in lines}[name] == euros


def test_another_currency_without_a_rate_is_never_added(world: World) -> None:  # noqa: F811
    DailyCost.objects.filter(project=world.beta, list_cost__gt=0).update(list_currency="CNY", spent_currency="CNY")
    page = world.admin.get("/")
    assert finding(page).startswith("Acme spent $68.00 last week")
    assert "CN¥10.00, priced in CNY." in text(page)


def test_a_bill_alone_is_money_and_the_page_says_what_it_is_made_of(world: World) -> None:  # noqa: F811
    path = world.folder / "bill.csv"
    path.write_text("day,host,model,cost\n2026-11-12,elsewhere,support plan,39\n")
    columns = {"time": "day", "host": "host", "model": "model", "cost": "cost"}
    ingest.import_paths(
        world.organisation,
        "csv",
        [path],
        "bill",
        {"columns": columns, "grain": "1d", "cost_kind": "billed", "currency": "USD"},
    )
    page = world.admin.get("/")
    assert finding(page).startswith("Acme spent $117.00 last week")
    assert "Spent, USD: 33.3% billed, 66.7% at list prices" in text(page)
    assert re.search(r"Average price paid\s*\$1.37", text(page))  # 78 USD of 57 Mtok: a bill has no tokens


def test_money_without_a_project_names_its_key(world: World) -> None:  # noqa: F811
    page = text(world.admin.get("/"))
    assert "$8.00 has no project" in page
    assert "All of it comes from one key, k-stray." in page


def test_an_organisation_without_usage_is_told_the_next_step(world: World) -> None:  # noqa: F811
    empty = make_organisation("empty")
    access.grant(Person.objects.get(email="charlie@acme.example"), "admin", empty)
    answer = world.charlie.get("/")
    assert "has no usage yet" in finding(answer)
    assert 'href="/imports"' in answer.content.decode()


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("period=fortnight", "“fortnight” is no period: choose week, month or custom."),
        ("period=custom&from=2026-11-02", "needs both days"),
        ("period=custom&from=2026-11-09&until=2026-11-09", "must end after it begins"),
        ("period=custom&from=2000-01-01&until=2026-11-09", "out of reach"),
        ("period=custom&from=2020-01-01&until=2026-11-09", "at most 731 days"),
        ("from=yesterday", "“yesterday” is no day"),
        ("from=<script>alert(1)</script>", "&lt;script&gt;"),
    ],
)
@pytest.mark.parametrize("path", ["/", "/overview.csv", "/projects/alpha", "/spend/records"])
def test_a_period_that_cannot_be_meant_gets_a_sentence(
    world: World,  # noqa: F811
    path: str,
    query: str,
    sentence: str,
) -> None:
    answer = world.admin.get(f"{path}?{query}")
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert "<script>alert" not in answer.content.decode()


# Who may see what


@pytest.mark.parametrize("path", ["/", "/projects/alpha", "/spend/records", "/imports", "/overview/weeks.json"])
def test_a_stranger_signs_in_first(world: World, path: str, client: Any) -> None:  # noqa: F811
    answer = client.get(path)
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/sign-in")


@pytest.mark.parametrize("path", ["/projects/alpha", "/projects/alpha/price.json", "/projects/alpha.csv"])
def test_somebody_elses_project_does_not_exist(world: World, path: str) -> None:  # noqa: F811
    access.grant(Person.objects.get(email="charlie@acme.example"), "admin", make_organisation("elsewhere"))
    assert world.charlie.get(path).status_code == 404
    assert world.charlie.get("/spend/records?project=alpha").status_code == 404


def test_a_member_of_one_project_sees_that_project_only(world: World) -> None:  # noqa: F811
    page = world.alpha_only.get("/")
    assert finding(page).startswith("Acme spent $60.00 last week")
    assert "Beta" not in text(page)
    assert "Unattributed" not in text(page)
    assert "mystery" not in text(page)
    assert world.alpha_only.get("/projects/alpha").status_code == 200
    assert world.alpha_only.get("/projects/beta").status_code == 404
    assert world.alpha_only.get("/spend/records?project=beta").status_code == 404
    assert finding(world.alpha_only.get("/spend/records")) == "$60.00 stands on 2 rows of the ledger."
    assert finding(world.alpha_only.get("/spend/records?project=none")) == "No ledger row answers to this."
    assert {row["project"] for row in rows(world.alpha_only.get("/overview.csv"))} == {"Alpha"}
    assert world.alpha_only.get("/imports").status_code == 404


# The rows behind a figure


def test_every_figure_of_the_table_is_the_sum_of_its_rows(world: World) -> None:  # noqa: F811
    for project, amount in (("alpha", "$60.00"), ("beta", "$10.00"), ("none", "$8.00")):
        answer = world.admin.get(f"/spend/records?project={project}")
        assert finding(answer).startswith(f"{amount} stands on")
    fragment = world.admin.get("/spend/records?project=beta&part=evidence")
    assert 'class="evidence"' in fragment.content.decode()
    assert "<html" not in fragment.content.decode()
    assert "The sum of 1 ledger row, each what its feed reported, else its cost at contract, else at the list" in text(
        fragment
    )
    assert "price in force at its moment; 1 more" in text(fragment)


def test_rows_can_be_narrowed_by_model_price_and_dimension(world: World) -> None:  # noqa: F811
    asked = {
        f"offering={world.offering.pk}": "$78.00 stands on 4 rows of the ledger.",
        "name=mystery&host=seller": "3.00 Mtok in 1 row, of unknown price.",
        "priced=no": "3.00 Mtok in 1 row, of unknown price.",
        "user=bob": "$20.00 stands on 1 row of the ledger.",
        "key=k-stray&from=2026-11-02&until=2026-11-09": "$5.00 stands on 1 row of the ledger.",
        "kind=notional": "No ledger row answers to this.",
    }
    assert {query: finding(world.admin.get(f"/spend/records?{query}")) for query in asked} == asked
    assert world.admin.get("/spend/records?offering=1%20OR%201").status_code == 400
    assert world.admin.get("/spend/records?priced=maybe").status_code == 400


def test_a_split_record_shows_each_project_its_part(world: World) -> None:  # noqa: F811
    rule = AttributionRule.objects.get(organisation=world.organisation, outcome__0__project=world.alpha.pk)
    assignments.save_rule(
        world.organisation,
        rule=rule,
        name="shared",
        conditions=rule.conditions,
        shares=[{"project": world.alpha.pk, "weight": "0.7"}, {"project": world.beta.pk, "weight": "0.3"}],
        position=rule.position,
    )
    alpha, beta = (world.admin.get(f"/spend/records?project={slug}") for slug in ("alpha", "beta"))
    assert finding(alpha) == "$42.00 stands on 2 rows of the ledger."
    assert finding(beta) == "$28.00 stands on 3 rows of the ledger."
    assert "its part" in text(alpha)
    by_project = {row["project"]: row["list cost, USD"] for row in rows(world.admin.get("/overview.csv"))}
    assert {name: Decimal(by_project[name]) for name in ("Alpha", "Beta")} == {"Alpha": 42, "Beta": 28}
    assert sum(Decimal(row["spent"]) for row in rows_of_stream(world, "project=alpha")) == 42


def rows_of_stream(world: World, query: str) -> list[dict[str, str]]:  # noqa: F811
    body = b"".join(world.admin.get(f"/spend/records.csv?{query}").streaming_content).decode()
    return list(csv.DictReader(io.StringIO(body)))


def test_a_cell_never_starts_a_formula(world: World) -> None:  # noqa: F811
    world.imported('2026-11-14,,"=HYPERLINK(""x"")",@bob,seller,+model,5,0,1', scope="evil")
    row = next(row for row in rows_of_stream(world, "priced=no") if "HYPERLINK" in row["key"])
    assert (row["key"][:2], row["user"], row["model"]) == ("'=", "'@bob", "'+model")
    assert [cell(value) for value in ("-1", "\tx", Decimal("-1.50"), -3, None)] == ["'-1", "'\tx", "-1.50", "-3", ""]


def test_a_name_with_markup_is_text(world: World) -> None:  # noqa: F811
    world.imported("2026-11-14,,<b>k</b>,,seller,<img src=x onerror=alert(1)>,5,0,1", scope="<i>evil</i>")
    for path in ("/", "/spend/records?priced=no", "/imports"):
        assert "<img src=x" not in world.admin.get(path).content.decode()
        assert "<i>evil" not in world.admin.get(path).content.decode()


# One project


def test_a_project_says_what_it_spent_and_shows_its_settings(world: World) -> None:  # noqa: F811
    world.alpha.owner, world.alpha.cost_centre, world.alpha.needs = "ann@acme.example", "4100", ["tools"]
    world.alpha.save()
    answer = world.admin.get("/projects/alpha")
    assert finding(answer).startswith("Alpha spent $60.00 last week, 50.0% more.")
    for shown in ("ann@acme.example", "4100", "tools"):
        assert shown in text(answer)


def test_a_projects_money_is_told_apart_by_a_dimension(world: World) -> None:  # noqa: F811
    found = rows(world.admin.get("/projects/alpha.csv?of=parts&by=user"))
    assert [(row["user"], Decimal(row["spent, USD"])) for row in found] == [("ann", 40), ("bob", 20)]
    assert world.admin.get("/projects/alpha?by=shoe").status_code == 400


def test_the_price_paid_is_the_money_over_the_tokens_that_have_a_price(world: World) -> None:  # noqa: F811
    week = rows(world.admin.get("/projects/beta.csv?of=weeks"))[-1]
    assert (week["priced tokens"], Decimal(week["list cost, USD"])) == ("7000000", Decimal(10))
    assert Decimal(week["USD per Mtok"]).quantize(Decimal("0.0001")) == Decimal("1.4286")


# What a page costs


@pytest.mark.parametrize(("path", "most"), [("/", 34), ("/projects/alpha", 33), ("/imports", 8)])
def test_a_page_asks_few_questions_however_many_projects_there_are(
    world: World,  # noqa: F811
    path: str,
    most: int,
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert world.admin.get(path).status_code == 200
        return len(asked)

    few = queries()
    for n in range(5):
        project = make_project(world.organisation, f"q{n}")
        field = {"field": "ext_project", "op": "equals", "value": f"q{n}"}
        make_rule(world.organisation, [field], {project.pk: "1"})
        world.imported(f"2026-11-14,q{n},k{n},,seller,unknown-{n},7,0,1", scope=f"more-{n}")
    assert queries() == few
    assert few <= most


# Rules without a database


def test_the_default_period_is_the_last_whole_week_that_has_usage() -> None:
    chosen = periods.chosen({}, TODAY, date(2026, 11, 17))
    assert (chosen.now, chosen.when) == (Span(date(2026, 11, 9), date(2026, 11, 16)), "last week")
    old = periods.chosen({}, TODAY, date(2026, 3, 4))
    assert (old.now.start, old.when) == (date(2026, 3, 2), "in the week of 2 Mar 2026")


def test_a_period_that_is_not_over_is_compared_with_as_many_days() -> None:
    week = periods.chosen({"period": "week", "from": "2026-11-17"}, TODAY, TODAY)
    assert (week.now, week.before) == (
        Span(date(2026, 11, 16), date(2026, 11, 19)),
        Span(date(2026, 11, 9), date(2026, 11, 12)),
    )
    march = periods.chosen({"period": "month", "from": "2026-03-31"}, date(2026, 3, 31), TODAY)
    assert march.now == Span(date(2026, 3, 1), date(2026, 4, 1))
    assert march.before == Span(date(2026, 2, 1), date(2026, 3, 1))


def test_a_custom_period_follows_the_one_of_the_same_length() -> None:
    period = periods.chosen({"period": "custom", "from": "2026-11-02", "until": "2026-11-05"}, TODAY, None)
    assert period.before == Span(date(2026, 10, 30), date(2026, 11, 2))
    with pytest.raises(Unusable):
        periods.chosen({"period": "custom"}, TODAY, None)


@pytest.mark.parametrize(
    ("prices", "fact"),
    [
        ({"input": ("2", "4"), "output": ("10", "20")}, "doubles"),
        ({"input": ("2", "1")}, "halves"),
        ({"input": ("1", "0.2"), "output": ("6", "1.2")}, "−80%"),
        ({"input": ("5", "4"), "output": ("30", "20")}, "−20% in, −33% out"),
        ({"cache_read": ("1", "1.5")}, "+50%"),
        ({"input": ("0", "1"), "output": ("0", "2")}, "stops being free"),
        ({"input": ("0", "1"), "output": ("2", "3")}, "from free in, +50% out"),
    ],
)
def test_a_price_change_is_said_in_few_words(prices: dict[str, tuple[str, str]], fact: str) -> None:
    move = Move(1, TODAY, {unit: (Decimal(old), Decimal(new)) for unit, (old, new) in prices.items()})
    assert move.fact == fact


def test_the_effect_of_a_price_change_is_the_difference_on_each_kind_of_token() -> None:
    move = Move(1, TODAY, {"input": (Decimal("2e-6"), Decimal("4e-6")), "output": (Decimal("1e-5"), Decimal("2e-5"))})
    assert move.effect({"standard": {"input": 10**6, "output": 10**6, "cache_read": 10**9}}) == 12


def test_the_stack_has_at_most_six_bands_and_claims_the_largest() -> None:
    names = [*(str(n) for n in range(1, 5)), "5", "5", "5"]
    series = stack((colour, f"p{i}", f"p{i}", [Decimal(9 - i)] * 6) for i, colour in enumerate(names))
    assert [one.name for one in series] == ["p0", "p1", "p2", "p3", "3 smaller projects"]
    assert series[-1].values[0] == 5 + 4 + 3
    assert stack_claim(series) == "p0: 21% of the bill"
    assert stack_claim([]) == "Spend per week"


@pytest.mark.parametrize("top", [0.004, 1, 7, 999, 11_253, 2_000_000])
def test_an_axis_starts_at_zero_and_ends_at_or_above_its_highest_bar(top: float) -> None:
    marks = ticks(top)
    assert marks[0] == 0
    assert marks[-1] >= top * 0.999
    assert 3 <= len(marks) <= 6


def test_figures_carry_no_markup_that_the_policy_refuses() -> None:
    weeks = periods.weeks_until(TODAY, 26)[:-1]
    series = [Series("R&D <b>", 1, [Decimal(3)] * 26), Series("Unattributed", "none", [Decimal(1)] * 26)]
    events = [Event(date(2026, 10, 20), "20 Oct: A doubles", "20 Oct: A", Decimal(1))]
    for figure in (
        stacked_weeks(weeks, series, [True] * 26, events, "USD"),
        price_paid(weeks, [None, *[Decimal("0.6")] * 25], events, "USD"),
    ):
        for shape in figure.values():
            said = [note["text"] for note in shape["layout"]["annotations"]]
            assert not any("<" in words for words in said)
            assert all(trace["y"][0] is None or trace["y"][0] >= 0 for trace in shape["data"])


BANDS = st.lists(st.decimals(0, 500, places=2), min_size=1, max_size=6)


@given(BANDS, st.integers(0, 3))
def test_names_at_the_bands_keep_a_line_apart_and_inside_the_plot(values: list[Decimal], happened: int) -> None:
    figure = stacked_weeks(*thin(values, happened), "USD")["wide"]["layout"]
    plot = figure["height"] - figure["margin"]["t"] - figure["margin"]["b"]
    names = [note for note in figure["annotations"] if note["text"].startswith("Project")]
    assert all(note["yanchor"] == "middle" for note in names)
    heights = [note["y"] * plot for note in names]
    assert [note["text"] for note in names] == [f"Project {n}" for n in range(len(values))]
    assert all(after - before >= 15 for before, after in pairwise(heights))
    assert heights[0] >= 7.5
    assert heights[-1] <= plot - 7.5


@given(st.lists(st.floats(0, 300), min_size=1, max_size=6).map(sorted))
def test_names_that_have_room_stand_at_their_bands(middles: list[float]) -> None:
    gaps = [after - before for before, after in pairwise([-8, *middles, 308])]
    if min(gaps) >= 16:
        assert apart(middles, 16, 300) == middles


def thin(values: Sequence[Decimal], happened: int) -> tuple[list[date], list[Series], list[bool], list[Event]]:
    """Weeks whose last bar has these bands, with events in the last months."""
    weeks = list(periods.weeks_until(TODAY, 26)[:-1])
    series = [Series(f"Project {n}", n + 1, [value] * len(weeks)) for n, value in enumerate(values)]
    days = (date(2026, 7, 30), date(2026, 8, 21), date(2026, 10, 20))[:happened]
    events = [
        Event(day, f"{day:%-d %b}: a model fell by 33% out", f"{day:%-d %b}: a model", Decimal(1)) for day in days
    ]
    return weeks, series, [True] * len(weeks), events


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_no_two_texts_of_the_chart_of_weeks_meet(look: Look) -> None:  # noqa: F811
    sample.load(force=True)
    ada = Person.objects.create_user("ada@larkfield.example", is_instance_admin=True)
    access.join_orphan_organisations(ada)
    look.signed_in_as(ada)
    values = ["4900", "3000", "8", "5", "2", "1"]
    drawn = stacked_weeks(*thin([Decimal(value) for value in values], 3), "USD")
    for width in (1440, 390):
        page, faults = look.page(width)
        page.route("**/overview/weeks.json*", lambda route: route.fulfill(json=drawn))
        page.goto(look.origin + "/")
        settled(page)
        picture(page, f"overview-thin-{width}")
        assert page.locator(".plot .annotation-text").count() >= 1
        assert (meeting(page), faults.said) == ([], [])
        page.context.close()
