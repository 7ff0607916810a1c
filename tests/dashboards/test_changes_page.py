"""What changed in prices: what counts as a change, whose money it moves, and what stands apart."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from dashboards.models import Person
from dashboards.pages import changes as page
from dashboards.pages.ledger import NOTHING, plain
from dashboards.pages.periods import Span
from pricing.acceptance import FIRST_SALE
from pricing.models import Offering, PriceEvent
from tests.dashboards.browser import Look, look  # noqa: F401
from tests.dashboards.ledger_cast import NOW as TODAY
from tests.dashboards.ledger_cast import World, world  # noqa: F401
from tests.dashboards.market_cast import make_claim, make_offering, make_price, make_source, utc

NASTY = '<img src=x onerror="alert(1)">'


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: TODAY)


def make_event(
    offering: Offering, unit: str, old: str | None, new: str | None, day: str = "2026-11-10", **fields: Any
) -> PriceEvent:
    kind = "new" if old is None else "retired" if new is None else "cut" if D(new) < D(old) else "rise"
    values: dict[str, Any] = {
        "service_tier": "standard", "kind": kind, "per": 1_000_000, "currency": "USD", "effective_from": utc(day),
        "observed_at": utc(day), "source": make_source(), "why": "curated dates it.",
    }  # fmt: skip
    amounts = {"old": D(old) if old else None, "new": D(new) if new else None}
    return PriceEvent.objects.create(offering=offering, unit=unit, **amounts, **values | fields)


def section(html: str, name: str) -> list[str]:
    """The words of each line of a section's table, by the section's id; none where the section is not there."""
    found = re.search(rf'<section [^>]*id="{name}">(.*?)</section>', html, re.S)
    body = re.search(r"<tbody>(.*?)</tbody>", found[1], re.S) if found else None
    rows = re.findall(r"<tr.*?</tr>", body[1], re.S) if body else []
    # What a phone shows under the name is said again in the columns.
    rows = [re.sub(r'<div class="sub show-s">.*?</div></th>|<div class="sub show-s">.*?</th>', "</th>", row, flags=re.S)
            for row in rows]  # fmt: skip
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", row)).strip() for row in rows]


def finding(html: str) -> str:
    found = re.search(r'<h1 class="finding">(.*?)</h1>', html, re.S)
    assert found
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", found[1])).strip()


def get(client: Client, query: str = "") -> str:
    return client.get(f"/changes{query}").content.decode()


# What is a change


def test_units_that_moved_together_are_one_line(client: Client, db: None, today: None) -> None:
    offering = make_offering("best-1", name="Best 1")
    make_event(offering, "output", "30", "20")
    make_event(offering, "input", "5", "4")
    make_event(offering, "input", "2.5", "2", service_tier="batch")
    make_event(offering, "input", "10", "8", context_from=200_000)
    (line,) = section(get(client), "market")
    assert line == (
        "Best 1 Acme and 2 more: batch, long prompts $5.00 → $4.00 down −20.0% $30.00 → $20.00 down −33.3% – "
        "10 Nov 2026 10 Nov 2026 curated"
    )


def test_ids_of_one_model_that_moved_alike_at_one_seller_are_one_line(client: Client, db: None, today: None) -> None:
    first = make_offering("best-1", name="Best 1")
    for offering in (first, make_offering("best-1", sku="best-1-0"), make_offering("best-1", sku="best-latest")):
        make_event(offering, "input", "5", "4")
    make_event(make_offering("best-1", sku="best-1-eu"), "input", "6", "4")
    make_event(make_offering("best-1", "hoster", sku="acme/best-1"), "input", "5", "4")
    html = get(client)
    assert [line.split(" $")[0] for line in section(html, "market")] == [
        "Best 1 Acme, best-1 and 2 more ids", "Best 1 Acme", "Best 1 Hoster",
    ]  # fmt: skip
    assert "5 offerings became cheaper" in finding(html)


def test_a_window_takes_its_first_moment_and_not_its_end(client: Client, db: None, today: None) -> None:
    for day in ("2026-10-31", "2026-11-01", "2026-11-07", "2026-11-08"):
        make_event(make_offering(f"m-{day}", name=f"On {day}"), "input", "2", "1", day)
    lines = section(get(client, "?from=2026-11-01&until=2026-11-08"), "market")
    assert [line.split(" Acme")[0] for line in lines] == ["On 2026-11-07", "On 2026-11-01"]
    assert len(section(get(client, "?days=7"), "market")) == 0
    assert len(section(get(client, "?days=30"), "market")) == 4


def test_a_change_counts_by_the_day_it_took_effect_or_was_first_seen(client: Client, db: None, today: None) -> None:
    late = make_offering("late", name="Late")
    make_event(late, "input", "2", "1", "2026-03-01", observed_at=utc("2026-11-12"))
    assert section(get(client), "market") == []
    (line,) = section(get(client, "?by=seen"), "market")
    assert "1 Mar 2026 12 Nov 2026" in line


def test_what_is_announced_takes_effect_by_itself_and_is_no_change_yet(client: Client, db: None, today: None) -> None:
    promised = make_offering("promised", name="Promised")
    make_event(promised, "input", "2", "4", "2027-01-01", observed_at=utc("2026-11-10"))
    for query in ("", "?by=seen"):
        html = get(client, query)
        assert finding(html) == (
            "No list price changed in the last 30 days. The next known change is Promised on 1 January 2027."
        )
        assert section(html, "market") == []
        assert "1 Jan 2027" in section(html, "coming")[0]


def test_corrections_and_held_steps_stand_apart_and_are_no_changes(client: Client, db: None, today: None) -> None:
    offering = make_offering("best-1", name="Best 1")
    make_event(offering, "input", "200", "0.2", "2025-01-01", kind="unit_fix", observed_at=utc("2026-11-10"))
    make_event(offering, "output", "3", "2", "2025-01-01", kind="correction", observed_at=utc("2026-11-11"))
    make_event(offering, "input", "0.2", "20", status="held", why="curated went from 0.2 to 20.")
    html = get(client)
    assert finding(html) == "No list price changed in the last 30 days."
    assert section(html, "market") == []
    assert [line.split(" Acme")[0] for line in section(html, "correction")] == ["Best 1", "Best 1 unit fixed"]
    assert "curated went from 0.2 to 20." in section(html, "held")[0]


def test_a_start_that_nobody_states_is_no_day(client: Client, db: None, today: None) -> None:
    make_event(make_offering("m"), "input", "2", "1", kind="correction", effective_from=FIRST_SALE)
    (line,) = section(get(client), "correction")
    assert "its first day 10 Nov 2026" in line


def test_superseded_events_are_gone(client: Client, db: None, today: None) -> None:
    make_event(make_offering("best-1"), "input", "2", "1", superseded_at=utc("2026-11-12"))
    assert finding(get(client)) == "No list price changed in the last 30 days."


def test_new_and_retired_are_folded_and_one_click_away(client: Client, db: None, today: None) -> None:
    make_event(make_offering("fresh", name="Fresh"), "input", None, "1")
    make_event(make_offering("gone", name="Gone"), "input", "1", None)
    html = get(client)
    assert "1 offering with a new price" in html
    assert "1 offering with a retired price" in html
    assert section(html, "market") == []
    assert section(get(client, "?kind=new"), "new")[0].startswith("Fresh Acme $1.00")
    assert section(get(client, "?kind=retired"), "retired")[0].startswith("Gone Acme $1.00")


def test_filters_leave_the_sellers_models_and_kinds_asked_for(client: Client, db: None, today: None) -> None:
    make_event(make_offering("best-1", name="Best 1"), "input", "2", "1")
    make_event(make_offering("open-1", "hoster", maker="umbra", name="Open 1"), "input", "1", "2")
    assert len(section(get(client), "market")) == 2
    for query, name in {
        "?provider=hoster": "Open 1", "?q=umbra": "Open 1", "?q=best": "Best 1", "?kind=rise": "Open 1",
        "?kind=cut": "Best 1",
    }.items():  # fmt: skip
        assert [line.split(" Hoster")[0].split(" Acme")[0] for line in section(get(client, query), "market")] == [name]
    assert finding(get(client, "?q=umbra")) == (
        "In the last 30 days 1 offering of those asked for became dearer, none cheaper."
    )


def test_sorted_by_how_far_it_moved(client: Client, db: None, today: None) -> None:
    make_event(make_offering("a", name="Little"), "input", "10", "9", "2026-11-12")
    make_event(make_offering("b", name="Much"), "input", "1", "9", "2026-11-10")
    assert [line.split(" ")[0] for line in section(get(client), "market")] == ["Little", "Much"]
    assert [line.split(" ")[0] for line in section(get(client, "?sort=change"), "market")] == ["Much", "Little"]


def test_each_price_opens_the_evidence_of_its_own_row(client: Client, db: None, today: None) -> None:
    offering = make_offering("best-1", name="Best 1")
    before = make_price(offering, "input", "5", until="2026-11-10")
    after = make_price(offering, "input", "4", since="2026-11-10")
    make_event(offering, "input", "5", "4", claim=after.claim)
    make_event(offering, "input", "5", None, kind="retired", claim=before.claim)
    claimed = make_claim(offering, "input", "400", source="second")
    make_event(offering, "input", "4", "400", status="held", claim=claimed)
    html = get(client)
    link = f"/models/best-1/evidence/{after.pk}"
    assert f'class="ev" href="{link}">$5.00 → $4.00' in html
    assert f'class="ev" href="{link}">$4.00 → $400.00' in html, "a held step shows the price that stays in force"
    assert f'class="ev" href="/models/best-1/evidence/{before.pk}">$5.00' in get(client, "?kind=retired")
    assert client.get(link, {"part": "evidence"}).status_code == 200


def test_a_price_that_rests_on_another_names_claim_opens_its_own_evidence(
    client: Client, db: None, today: None
) -> None:
    offering, name = make_offering("best-1", name="Best 1"), make_offering("best-latest", name="Best latest")
    price = make_price(offering, "input", "4", since="2026-11-10")
    lent = make_price(name, "input", "4", since="2026-11-10")
    type(lent).objects.filter(pk=lent.pk).update(claim=price.claim)
    for one in (offering, name):
        make_event(one, "input", "5", "4", claim=price.claim)
    html = get(client)
    for link in (f"/models/best-1/evidence/{price.pk}", f"/models/best-latest/evidence/{lent.pk}"):
        assert f'href="{link}"' in html
        assert client.get(link).status_code == 200


def test_prices_that_are_not_per_token_say_per_what(client: Client, db: None, today: None) -> None:
    make_event(make_offering("best-1", name="Best 1"), "web_search", "10", "14", per=1000)
    (line,) = section(get(client), "market")
    assert line.startswith("Best 1 Acme $10.00 → $14.00 per 1,000 web search up +40.0%")


def test_the_csv_has_every_event_in_full_digits(client: Client, db: None, today: None) -> None:
    offering = make_offering("best-1", sku="=best")
    make_event(offering, "input", "0.123456789012", "0.1")
    make_event(offering, "input", "0.1", "9", status="held")
    answer = client.get("/changes?format=csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [(row["kind"], row["status"], row["old"], row["sku"]) for row in rows] == [
        ("cut", "accepted", "0.123456789012", "'=best"), ("rise", "held", "0.1", "'=best"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?from=yesterday", "“From” needs a day such as 2026-09-01, not “yesterday”."),
        ("?from=2026-11-08&until=2026-11-08", "“Until” must be later than “From”"),
    ],
)
def test_a_range_that_is_none_is_refused_in_a_sentence(
    client: Client, db: None, today: None, query: str, sentence: str
) -> None:
    answer = client.get(f"/changes{query}")
    assert answer.status_code == 400
    assert sentence in answer.content.decode()


def test_names_are_escaped(client: Client, db: None, today: None) -> None:
    make_event(make_offering("markup", name=NASTY), "input", "2", "1", why=NASTY, status="held")
    make_event(make_offering("markup-2", name=NASTY), "input", "2", "1")
    assert NASTY not in get(client, f"?q={NASTY}") + get(client)


def test_where_the_catalogue_is_not_public_a_stranger_signs_in(client: Client, db: None, settings: Any) -> None:
    settings.PUBLIC_CATALOG = False
    assert client.get("/changes").status_code == 302


def test_the_page_asks_as_much_for_one_change_as_for_a_hundred(
    client: Client, db: None, today: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    kinds = [("2", "1", {}), ("1", "2", {"day": "2027-01-01"}), ("2", "1", {"kind": "correction"}),
             ("2", "1", {"status": "held"}), (None, "1", {}), ("1", None, {})]  # fmt: skip

    def add(name: str) -> None:
        for number, (old, new, fields) in enumerate(kinds):
            offering = make_offering(f"{name}-{number}")
            price = make_price(offering, "input", "1")
            make_event(offering, "input", old, new, claim=price.claim, **fields)

    add("first")
    with django_assert_num_queries(18):
        get(client)
    for number in range(12):
        add(f"more-{number}")
    with django_assert_num_queries(18):
        get(client)


# Whose money it moves


def test_models_in_use_stand_first_with_what_a_week_changes(world: World) -> None:  # noqa: F811
    make_event(world.offering, "input", "2", "1")
    make_event(world.offering, "output", "1", "2")
    make_event(make_offering("other", name="Other"), "input", "3", "1")
    html = get(world.admin)
    # 67 Mtok in and 38 out in the 30 days: (38 − 67) × 7/30 = −6.77.
    assert finding(html) == (
        "In the last 30 days 2 offerings became cheaper, none dearer; "
        "one of the cuts is on a model you use and saves you about $6.77 a week."
    )
    (mine,) = section(html, "yours")
    assert "−$6.77" in mine
    assert [line.split(" ")[0] for line in section(html, "market")] == ["Other"]
    assert "−$6.77" in html[html.index("To your week") :]


def test_who_sees_one_project_weighs_by_its_tokens_alone(world: World) -> None:  # noqa: F811
    make_event(world.offering, "input", "2", "1")
    assert "saves you about $15.63 a week" in finding(get(world.admin))  # 67 × 7/30
    assert "saves you about $11.67 a week" in finding(get(world.alpha_only))  # 50 × 7/30


def test_a_model_in_use_sold_elsewhere_moves_no_money(world: World) -> None:  # noqa: F811
    elsewhere = make_offering("model-a", "hoster", sku="hosted/model-a")
    make_event(elsewhere, "input", "2", "1")
    html = get(world.admin)
    assert finding(html).endswith("became cheaper, none dearer; it does not move what you pay.")
    assert "you buy it from seller" in section(html, "yours")[0]


def test_an_id_the_reader_buys_is_told_for_the_models_other_ids(world: World) -> None:  # noqa: F811
    make_event(make_offering("model-a", world.offering.provider.slug, sku="another-name"), "input", "2", "1")
    make_event(world.offering, "input", "2", "1")
    (line,) = section(get(world.admin), "yours")
    assert f"{world.offering.sku} and 1 more id" in line
    assert "−$15.63" in line


def test_of_two_ids_that_are_bought_each_is_told() -> None:
    def step(offering: int) -> page.Step:
        return page.Step(offering, 1, "m", "m", "acme", "acme", "Acme", TODAY, TODAY, 1, D(2), D(1))

    used = {(offering, "standard"): NOTHING for offering in (2, 3)}
    usage = page.Usage(used, frozenset({1}), {1: "Acme"}, Span(TODAY.date() - timedelta(days=1), TODAY.date()))
    told = page.told_once([step(1), step(2), step(3)], usage)
    assert [(one.offering_id, one.twins) for one in told] == [(2, 1), (3, 0)]
    assert page.told_once([step(1)], usage) == [step(1)]


def test_prices_whose_tokens_no_rollup_tells_have_an_unknown_effect(world: World) -> None:  # noqa: F811
    make_event(world.offering, "input", "2", "1", context_from=200_000)
    make_event(make_offering("other"), "input", "2", "1")
    (line,) = section(get(world.admin), "yours")
    assert "unknown" in line


def test_only_models_in_use_leaves_the_market_out(world: World) -> None:  # noqa: F811
    make_event(world.offering, "input", "2", "1")
    make_event(make_offering("other"), "input", "2", "1")
    html = get(world.admin, "?mine=yes")
    assert len(section(html, "yours")) == 1
    assert 'id="market"' not in html
    assert finding(html).startswith("In the last 30 days 1 offering of those asked for became cheaper")


def test_who_belongs_to_nothing_sees_the_market_without_a_week(world: World) -> None:  # noqa: F811
    make_event(world.offering, "input", "2", "1")
    for client in (world.charlie, Client()):
        html = get(client)
        assert 'id="yours"' not in html
        assert finding(html) == "In the last 30 days 1 offering became cheaper, none dearer."


# The finding


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (page.Tally(14, 3, 2, 0, D("311.6")), "14 offerings became cheaper and 3 dearer; two of the cuts are on models "
         "you use and save you about $312 a week."),
        (page.Tally(1, 0, 1, 0, D("5")), "1 offering became cheaper, none dearer; the cut is on a model you use and "
         "saves you about $5.00 a week."),
        (page.Tally(2, 9, 2, 1, D("1250.4"), D("8")), "2 offerings became cheaper and 9 dearer; both cuts are on "
         "models you use and save you about $1,250 a week; one of the rises is on a model you use and costs you about "
         "$8.00 a week more."),
        (page.Tally(0, 3, 0, 3, D(0), D("30")), "3 offerings became dearer, none cheaper; all three rises are on "
         "models you use and cost you about $30.00 a week more."),
        (page.Tally(1, 1), "1 offering became cheaper and 1 dearer; none of them moves what you pay."),
        (page.Tally(2, 1), "2 offerings became cheaper and 1 dearer; none of them moves what you pay."),
    ],
)  # fmt: skip
def test_the_finding_says_what_changed_and_whose_money_it_is(found: page.Tally, said: str) -> None:
    words = page.finding(
        found, "in the last 30 days", knows_usage=True, currency="USD", coming=None, narrowed=False
    )  # fmt: skip
    assert plain(words).replace("In the last 30 days ", "") == said


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("retired", "In the last 30 days a price left every list for 1 offering."),
        ("new", "In the last 30 days a price was stated for the first time for 1 offering."),
        ("held", "In the last 30 days a source’s step was held apart for 1 offering."),
        ("correction", "In the last 30 days a price was corrected for 1 offering."),
        ("coming", "1 price change is announced; the next is M at Acme on 18 November 2026."),
    ],
)
def test_the_finding_of_one_kind_speaks_of_that_kind(kind: str, said: str) -> None:
    step = page.Step(1, 1, "M", "m", "acme", "acme", "Acme", TODAY, TODAY, 1, D(1), None)
    assert plain(page.aside_finding(kind, [step], "in the last 30 days")) == said
    assert " for no offerings." in plain(page.aside_finding("new", [], "in the last 30 days"))


def test_an_offering_that_went_down_and_up_again_counts_once_by_what_is_left() -> None:
    def step(before: str, after: str) -> page.Step:
        return page.Step(1, 1, "m", "m", "acme", "acme", "Acme", TODAY, TODAY, 1, D(before), D(after))

    assert page.tally([step("4", "1"), step("1", "3")], [], "USD") == page.Tally(1, 0)
    assert page.tally([step("4", "1"), step("1", "4")], [], "USD") == page.Tally(0, 0)


def test_a_custom_range_says_its_days() -> None:
    ask, wrong = page.read({"from": "2026-10-01", "until": "2026-11-01"})
    assert (ask.when(TODAY), wrong) == ("in 1–31 Oct 2026", [])
    assert page.Ask(days="7").window(TODAY)[0] == (TODAY - timedelta(days=7)).replace(hour=0)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_page_is_sound(look: Look, world: World) -> None:  # noqa: F811
    make_event(world.offering, "input", "2", "1")
    make_event(world.offering, "output", "1", "2", "2027-01-01", observed_at=utc("2026-11-10"))
    other = make_offering("other", name="Another model with rather a long name of its own (preview)")
    for unit in ("input", "output", "cache_read", "cache_write_1h", "web_search"):
        make_event(other, unit, "0.0875", "0.1234")
        make_event(other, unit, "0.0875", "0.1234", service_tier="batch")
    make_event(other, "input", "200", "0.2", "2025-01-01", kind="unit_fix", observed_at=utc("2026-11-10"))
    make_event(other, "input", "0.2", "20", status="held", why="curated went from 0.2 to 20: held, a lone jump.")
    make_event(make_offering("fresh", name="Fresh"), "input", None, "1")
    look.at("/changes", "changes-signed-out")
    look.signed_in_as(Person.objects.get(email="ada@acme.example"))
    look.at("/changes", "changes-small")
    look.at("/changes?kind=new", "changes-new")
    look.at("/changes?q=nothing-of-this-name&from=never", "changes-refused", expect_status=400)


@pytest.mark.parametrize(
    ("name", "value"), [("days", "abc"), ("kind", "free"), ("by", "x"), ("sort", "1"), ("mine", "no")]
)
def test_a_choice_there_is_not_is_said_and_not_ignored(name: str, value: str) -> None:
    ask, wrong = page.read({name: value})
    assert getattr(ask, name) == ""
    assert len(wrong) == 1
    assert f"not “{value}”" in wrong[0]
    assert page.read({name: ""})[1] == []
