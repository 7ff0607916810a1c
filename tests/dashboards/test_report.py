"""The weekly report: what it says and to whom, that its figures are those of the pages it links to, how it is drawn."""

from __future__ import annotations

import re
import struct
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dashboards import access, alerts, first_look, formatting, proposals
from dashboards.models import Alert, KeptAdvice, Person, Proposal
from dashboards.pages.alerts import Used
from dashboards.pages.ledger import ModelKey, ModelName, Sums, moves, plain
from dashboards.pages.periods import Span
from dashboards.reports import composing, html, picture, prices, reading, text
from dashboards.reports.mailed import Mailed
from dashboards.reports.read import Proposed, Read, Retiring
from dashboards.reports.report import (
    BUDGETS,
    CHANGE,
    CUT,
    EFFECT,
    MEAN,
    TOKENS,
    Band,
    Chart,
    Report,
    last_whole_week,
    numbers_in,
    week_name,
    week_start,
)
from pricing.models import ExchangeRate, LanguageModel, PriceEvent
from tests.dashboards.decision_cast import SOL, advice_of, move
from tests.dashboards.ledger_cast import HEAD, NOW, TIERED, World, client_of, world
from tests.usage.factories import at, make_organisation, make_source
from usage import budgets, periods, sample
from usage.advice import Kind, Range
from usage.models import Organisation
from usage.spend_querysets import midnight

__all__ = ["world"]
OF_SAMPLE = {"organisation__is_sample": True}
FIRST_LOOK: tuple[Any, ...] = (
    (KeptAdvice, {"project__organisation__is_sample": True}), (Proposal, OF_SAMPLE), (Alert, OF_SAMPLE),
)  # fmt: skip
TODAY, WEEK = date(2026, 11, 18), date(2026, 11, 9)
MAILED = Mailed("https://ratecard.example", "Sent Mondays.", "/reports", "/reports/unsubscribe/x")


def person(name: str) -> Person:
    return Person.objects.get(email=f"{name}@acme.example")


def read(world: World, name: str = "ada", projects: Any = None) -> Read:
    return reading.read(person(name), world.organisation, WEEK, TODAY, projects)


def report(world: World, name: str = "ada", projects: Any = None) -> Report:
    return composing.compose(read(world, name, projects))


def seen(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", answer.content.decode())))


def linked(found: Report) -> list[tuple[str, str]]:
    """The figures that are numbers, with their addresses; a name with a digit in it is none."""
    return [(one.text, one.url) for one in found.links() if one.url and re.search(r"\$\d|\d%|\d Mtok", one.text)]


# What it says


def test_the_finding_is_last_weeks_spend_and_what_did_most_of_its_change(world: World) -> None:
    found = report(world)
    # 60 + 10 + 8 = 78 after 40 + 20 + 5 = 65; the mix of input and output moved, too.
    assert plain(found.finding).startswith("Acme spent $78.00 last week, 20.0% more. More tokens added ")
    assert found.subject == "Acme, week 46: $78.00, +20.0%"
    assert found.week_words == "Acme, week 46, 9–15 Nov 2026"
    assert plain(found.standing) == (
        "List price, USD. 89.7% of the money attributed, 95.0% of tokens priced. "
        "No usage has come in after 13 Nov 2026. Days in UTC."
    )


def test_the_tiles_are_the_week_the_weeks_before_and_the_month(world: World) -> None:
    assert [(one.label, one.figure.text, plain(one.words)) for one in report(world).tiles] == [
        ("Last week", "$78.00", "on $65.00 in week 45"),
        ("Mean of 4 weeks before", "–", "fewer than four whole weeks of usage"),
        ("November to 15 Nov", "$143.00", "no budget set"),
    ]


def test_a_week_without_usage_is_nothing_spent_and_compared(world: World) -> None:
    found = reading.report_for(person("ada"), world.organisation, WEEK + timedelta(days=7), date(2026, 11, 23))
    week = found.tiles[0]
    assert (week.figure.text, plain(week.words)) == ("$0.00", "on $78.00 in week 46")
    assert week.change is not None
    assert week.change.text == "−100.0%"
    assert found.subject == "Acme, week 47: no tokens used"
    for said, url in linked(found):
        assert said.split(", ")[0] in seen(world.admin, url), (said, url)
    after = reading.report_for(person("ada"), world.organisation, WEEK + timedelta(days=14), date(2026, 11, 30))
    assert plain(after.tiles[0].words) == "on $0.00 in week 47"
    first = reading.report_for(person("ada"), world.organisation, WEEK - timedelta(days=7), TODAY)
    assert plain(first.tiles[0].words) == "no week before to compare with"


def budgeted(world: World, amount: int, period: str = "month", currency: str = "USD", **scope: Any) -> None:
    first = date(2026, 10, 1) if period == "quarter" else date(2026, 11, 1)
    budgets.enter(world.organisation, "ada", amount=Decimal(amount), currency=currency, period=period,
                  effective_from=first, **scope)  # fmt: skip


def month(found: Report) -> tuple[str, str, str]:
    tile = found.tiles[2]
    return tile.label, tile.figure.text, plain(tile.words).split(";")[0]


def test_a_budget_tile_is_of_the_budgets_own_period(world: World) -> None:
    world.imported("2026-10-09,alpha,k-alpha,ann,seller,model-a,300000000,0,1", scope="early")
    budgeted(world, 1000, "quarter")
    found = report(world)
    assert month(found) == ("4th quarter", "$443.00", "of $1,000")
    assert "$443.00" in seen(world.admin, found.tiles[2].figure.url)


def test_a_budget_tile_is_in_the_budgets_own_currency(world: World) -> None:
    ExchangeRate.objects.create(currency="EUR", day=date(2026, 8, 1), usd=Decimal("1.25"), source=make_source())
    budgeted(world, 1000, currency="EUR")
    found = report(world)
    assert month(found) == ("November", "€114.40", "of €1,000")
    for said, url in linked(found):
        assert said.split(", ")[0].split(" of ")[0] in seen(world.admin, url), (said, url)


def test_a_cost_centre_of_one_project_has_its_budget(world: World) -> None:
    world.alpha.cost_centre = "4100"
    world.alpha.save()
    budgeted(world, 500, cost_centre="4100")
    found = report(world, projects=[world.alpha.pk])
    assert month(found) == ("November", "$100.00", "of $500.00")
    assert found.shows is None  # the amount is for readers of the whole


def test_the_budget_of_a_cost_centre_is_for_readers_of_the_whole_on_the_page_and_in_the_mail(world: World) -> None:
    for project in (world.alpha, world.beta):
        project.cost_centre = "4100"
        project.save()
    budgeted(world, 777, cost_centre="4100")
    dee = Person.objects.create_user("dee@acme.example")
    for project in (world.alpha, world.beta):
        access.grant(dee, "viewer", world.organisation, project)
    of_dee = reading.report_for(dee, world.organisation, WEEK, TODAY)
    assert month(of_dee) == ("November to 15 Nov", "$130.00", "no budget set")
    assert of_dee.shows == {world.alpha.pk, world.beta.pk}
    for url in ("/budgets", "/"):
        assert "777" not in seen(client_of(dee), url)
    assert month(report(world, projects=[world.alpha.pk, world.beta.pk]))[2] == "of $777.00"


def test_a_mean_is_of_four_whole_weeks(world: World) -> None:
    world.imported("2026-10-09,alpha,k-alpha,ann,seller,model-a,10000000,0,1", scope="early")
    world.imported("2026-10-20,alpha,k-alpha,ann,seller,model-a,15000000,0,1", scope="earlier")
    (_, mean, _) = report(world).tiles
    # 15 and 65 in the four weeks before, 10 in the week before those
    assert (mean.figure.text, plain(mean.words)) == ("$20.00", "since; $80.00 in all")
    assert mean.change is not None
    assert mean.change.text == "+290.0%"


def test_the_parts_of_the_bridge_add_up_to_the_change(world: World) -> None:
    found = report(world).bridge
    assert found is not None
    assert found.title == "Why it rose by $13.00"
    assert sum(part.amount for part in found.parts) == 13


def test_what_is_not_known_is_said(world: World) -> None:
    told = [(one.label, plain(one.words)) for one in report(world).unknown]
    assert told == [
        ("Not priced", "3.00 Mtok in 30 requests to mystery through seller. In no total above."),
        ("Not attributed", "$8.00 on the key k-stray. In the total. Give it a project."),
    ]


def test_a_reader_of_one_project_sees_that_project(world: World) -> None:
    found = report(world, "bea")
    assert plain(found.finding).startswith("Alpha spent $60.00 last week, 50.0% more.")
    assert found.unknown == ()
    said = text.text(found, MAILED) + html.html(found, MAILED)
    assert not [word for word in ("Beta", "beta", "mystery", "k-stray", "Unattributed", "$78") if word in said]


def test_projects_narrow_what_one_may_see_and_never_widen_it(world: World) -> None:
    both = [world.alpha.pk, world.beta.pk]
    assert plain(report(world, "ada", [world.beta.pk]).finding).startswith("Beta spent $10.00 last week, 50.0% less.")
    assert plain(report(world, "ada", both).finding).startswith("Alpha and Beta spent $70.00 last week")
    assert plain(report(world, "bea", both).finding).startswith("Alpha spent $60.00 last week")
    with pytest.raises(reading.NothingToSee):
        read(world, "bea", [world.beta.pk])


@pytest.mark.parametrize("gone", ["removed", "closed", "never"])
def test_who_may_see_nothing_gets_no_report(world: World, gone: str) -> None:
    who = person("charlie" if gone == "never" else "ada")
    if gone == "removed":
        who.memberships.all().delete()
    if gone == "closed":
        access.set_active(person("ada"), False)
        who = person("ada")
    with pytest.raises(reading.NothingToSee):
        reading.read(who, world.organisation, WEEK, TODAY)


def test_an_organisation_without_usage_gets_a_mail_that_says_so(world: World) -> None:
    empty = make_organisation("empty")
    access.grant(person("ada"), "admin", empty)
    found = reading.report_for(person("ada"), empty, WEEK, TODAY)
    assert plain(found.finding) == "Acme used no tokens last week."
    assert found.subject == "Acme, week 46: no tokens used"
    assert (found.bridge, found.chart, found.prices, found.unknown) == (None, None, (), ())
    assert "unknown" not in text.text(found, MAILED).split("Days in UTC")[0]
    assert html.html(found, MAILED)


def test_a_first_week_of_which_no_price_is_known_says_how_much_was_used(world: World) -> None:
    found = reading.report_for(person("ada"), world.organisation, WEEK, TODAY, None)
    first = replace(
        read(world),
        week=replace(read(world).week, spent=None, tokens=3_000_000, unpriced_tokens=3_000_000),
        bridge=None,
    )
    nothing = composing.compose(first)
    assert plain(nothing.finding) == "Acme used 3.00 Mtok last week, and none of it has a known price."
    assert nothing.tiles[0].figure.text == "unknown"
    assert nothing.bridge is None
    assert found.bridge is not None


def test_decisions_come_first_and_say_what_they_would_cut(world: World) -> None:
    moves = [
        Proposed(n, "Alpha", f"Model A to Model {n}", Range(Decimal(low), Decimal(high)), "USD", ("Equal.",))
        for n, (low, high) in enumerate([(60, 90), (30, 30), (10, 20), (1, 2)], 1)
    ]
    found = composing.compose(replace(read(world), proposed=tuple(moves)))
    # 100 to 140 of 78 a week, which is 339.16 a month
    assert plain(found.finding) == "Acme spent $78.00 last week, 20.0% more. Three model moves would cut 29–41%."
    assert found.subject.endswith(". Three decisions.")
    assert [(one.saving, one.move.text, one.move.url) for one in found.decisions] == [
        ("$60–90", "Alpha: Model A to Model 1", "/decisions/1"),
        ("$30", "Alpha: Model A to Model 2", "/decisions/2"),
        ("$10–20", "Alpha: Model A to Model 3", "/decisions/3"),
    ]
    assert found.preheader.startswith("Alpha $60–90/month, Alpha $30/month")


# Prices


def moved(on: date, tier: str, old: str, new: str, unit: str = "input") -> dict[str, Any]:
    return {
        "offering_id": 7, "service_tier": tier, "unit": unit, "old": Decimal(old), "new": Decimal(new), "per": 10**6,
        "currency": "USD", "effective_from": midnight(on),
    }  # fmt: skip


def with_prices(world: World, *events: dict[str, Any]) -> tuple[Any, ...]:
    """A week of 3 Mtok at the standard tier and 10 as batch, which cost 11 USD together; 2 Mtok written for an hour."""
    tokens = {7: {"standard": {"input": 3_000_000, "cache_write": 2_000_000, "cache_write_1h": 2_000_000},
                  "batch": {"input": 10_000_000}}}  # fmt: skip
    names = {ModelKey(7, "", ""): ModelName("Argon", "Seller", "argon")}
    spent = {7: Sums(cost=Decimal(11), records=1, spent_records=1)}
    used = Used(Span(WEEK, WEEK + timedelta(days=7)), "USD", TODAY, spent, names)
    sold = {7: ("argon", "seller")}
    return prices.changed(replace(read(world), used=used, tokens=tokens, moves=moves(events), sold=sold))


def test_a_price_change_is_weighed_by_each_tiers_own_tokens_and_prices(world: World) -> None:
    first = date(2026, 12, 1)
    (found,) = with_prices(world, moved(first, "batch", "0.5", "1"), moved(first, "standard", "2", "4"))
    # 3 Mtok × 2 + 10 Mtok × 0.5
    assert (found.on, found.what.text, found.effect) == (first, "Argon doubles", Decimal(11))
    assert plain(found.words) == "Seller: $2.00 to $4.00 in per Mtok. You paid $11.00 in the week."


def test_changes_of_the_week_are_past_tense_and_earlier_ones_are_old_news(world: World) -> None:
    found = with_prices(
        world,
        moved(WEEK - timedelta(days=1), "standard", "8", "4"),
        moved(WEEK, "standard", "4", "2"),
        moved(date(2027, 1, 1), "batch", "0.5", "1"),
    )
    assert [(one.on, one.what.text, one.effect) for one in found] == [
        (WEEK, "Argon halved", Decimal(-6)),
        (date(2027, 1, 1), "Argon, batch, doubles", Decimal(5)),
    ]


def test_the_end_of_a_free_price_and_a_cache_write_by_lifetime_are_told_and_what_is_not_used_is_not(
    world: World,
) -> None:
    first = date(2026, 12, 1)
    found = with_prices(
        world,
        moved(first, "batch", "0", "1"),
        moved(first, "flex", "1", "9"),
        moved(date(2026, 12, 2), "standard", "4", "6", "cache_write_1h"),
        moved(date(2026, 12, 2), "standard", "4", "9", "cache_write_5m"),
    )
    assert [(one.what.text, one.effect) for one in found] == [
        ("Argon, batch, stops being free", Decimal(10)),
        ("Argon +50%", Decimal(4)),
    ]
    assert plain(found[1].words).startswith("Seller: $4.00 to $6.00 1 h cache write per Mtok.")


def test_two_steps_on_one_day_are_one_from_the_first_price_to_the_last(world: World) -> None:
    first = date(2026, 12, 1)
    (found,) = with_prices(world, moved(first, "standard", "1", "3"), moved(first, "standard", "3", "2"))
    assert found.effect == 3


def test_the_overview_the_report_and_the_alerts_weigh_a_price_to_come_alike(world: World) -> None:
    world.imported("2026-11-13,alpha,k,ann,seller,model-a,4000000,0,1,batch", scope="batch", head=f"{HEAD},tier",
                   mapping=TIERED)  # fmt: skip
    for tier, old, new in (("standard", 1, 2), ("batch", 1, 3)):
        PriceEvent.objects.create(
            offering=world.offering, unit="input", service_tier=tier, kind="rise", old=old, new=new, per=10**6,
            currency="USD", effective_from=at("2026-12-20 00:00"), observed_at=at("2026-11-10 00:00"),
            source=make_source(), why="",
        )  # fmt: skip
    # 36 Mtok at the standard tier, 1 USD more each, and 4 Mtok of batch, 2 more each.
    (told,) = report(world).prices
    (alert,) = [one for one in alerts.watch(world.organisation, NOW).opened if one.kind == "announced"]
    effect = sum(Decimal(part["more"]) for part in alert.parts.values())
    page = seen(world.admin, "/?period=week&from=2026-11-09")
    paid, then = (Decimal(one) for one in re.findall(r"You pay \$([\d.]+) a week; from then \$([\d.]+)\.", page)[0])
    assert told.effect == effect == then - paid == 44


def test_the_same_weights_elsewhere_do_not_succeed_a_model_that_retires(world: World) -> None:
    now = replace(SOL, offering_id=world.offering.pk, model="model-a", model_name="Model A")
    elsewhere = move(now, replace(now, provider_name="Bedrock"), low="9000", kind=Kind.SELLER)
    LanguageModel.objects.update(retires_on=date(2026, 12, 10))
    proposals.take(world.alpha, advice_of(elsewhere))
    assert [one.successor for one in read(world).retiring] == [""]
    proposals.take(world.alpha, advice_of(elsewhere, move(now)))
    assert [one.successor for one in read(world).retiring] == ["Equal and cheaper: Gemini 3.8 Flash at Google."]
    LanguageModel.objects.update(retires_on=date(2026, 11, 10))
    assert "Retires already." in plain(report(world).retiring[0].words)


def test_a_correction_is_no_price_that_changed(world: World) -> None:
    PriceEvent.objects.create(
        offering=world.offering, unit="output", service_tier="standard", kind="unit_fix", old=2000, new=2, per=10**6,
        currency="USD", effective_from=at("2026-11-10 00:00"), observed_at=at("2026-11-10 00:00"),
        source=make_source(), why="",
    )  # fmt: skip
    assert report(world).prices == ()


def test_a_model_that_retires_says_when_and_what_is_equal(world: World) -> None:
    retire = Retiring("Model A", "model-a", date(2026, 12, 1), 7, Decimal(60), "Equal and cheaper: Model B.")
    base = replace(read(world), retiring=(retire,), sold={7: ("model-a", "seller")})
    (found,) = prices.retiring(base)
    assert plain(found.words) == ("Retires in 13 days. You paid $60.00 for it in the week. Equal and cheaper: Model B.")
    (alone,) = prices.retiring(replace(base, retiring=(replace(retire, successor=""),)))
    assert plain(alone.words).endswith("No equal successor is known.")


# Every figure is the one of the page it links to


@pytest.mark.parametrize("narrowed", [None, ["alpha"], ["alpha", "beta"]])
def test_every_figure_stands_on_the_page_it_links_to(world: World, narrowed: list[str] | None) -> None:
    ids = None if narrowed is None else [getattr(world, name).pk for name in narrowed]
    found = report(world, projects=ids)
    assert len(linked(found)) >= 7
    for said, url in linked(found):
        if (said, url) != (
            found.tiles[1].figure.text,
            found.tiles[1].figure.url,
        ):  # the mean is a quarter of what is there
            for part in said.split(", "):
                assert part.split(" of ")[0] in seen(world.admin, url), (said, url)


def check_numbers(found: Report, reader: Client) -> set[str]:
    """Each number of the mail stands on the page it links to or says why on none; the reasons that were given."""
    said = numbers_in(" ".join(text.text(found, MAILED).split()))
    known = found.numbers()
    assert set(said) <= {one.text for one in known}
    pages: dict[str, str] = {}
    for one in known:
        if not one.why:
            assert one.url, one
            shown = pages.setdefault(one.url, seen(reader, one.url))
            assert one.text in shown, one
    return {one.why for one in known if one.why}


def test_each_number_of_the_mail_stands_on_its_page_or_says_why_on_none(world: World) -> None:
    world.imported("2026-10-09,alpha,k-alpha,ann,seller,model-a,10000000,0,1", scope="early")
    budgeted(world, 1000, "quarter")
    for unit, old, new in (("input", 1, 3), ("output", 2, 5)):
        PriceEvent.objects.create(
            offering=world.offering, unit=unit, service_tier="standard", kind="rise", old=old, new=new, per=10**6,
            currency="USD", effective_from=at("2026-11-20 00:00"), observed_at=at("2026-11-10 00:00"),
            source=make_source(), why="",
        )  # fmt: skip
    proposals.take(world.alpha, advice_of(move(replace(SOL, offering_id=world.offering.pk), low="60", high="90")))
    found = report(world)
    assert found.prices
    assert found.decisions
    assert check_numbers(found, world.admin) == {CHANGE, MEAN, CUT, TOKENS, EFFECT}
    for one in (world.alpha, world.beta):
        budgeted(world, 300, project=one)
    assert BUDGETS in check_numbers(report(world, projects=[world.alpha.pk, world.beta.pk]), world.admin)
    check_numbers(report(world, "bea"), world.alpha_only)


def test_what_is_pending_in_a_closed_month_is_said_as_on_the_page(world: World) -> None:
    world.imported("2026-10-20,alpha,k-alpha,ann,seller,model-a,10000000,0,1", scope="october")
    periods.close(world.organisation, date(2026, 10, 1), "ada")
    world.imported("2026-10-21,alpha,k-alpha,ann,seller,model-a,5000000,0,1", scope="late")
    for name, reader in (("ada", world.admin), ("bea", world.alpha_only)):
        found = reading.report_for(person(name), world.organisation, date(2026, 10, 19), TODAY)
        assert found.tiles[0].figure.text == "$10.00"
        said = "October is closed: +$5.00 on 1 day pending: in the ledger's rows, not in these totals."
        assert [(one.label, plain(one.words)) for one in found.unknown] == [("Pending", said)]
        check_numbers(found, reader)


def test_a_reader_of_one_project_may_open_every_link(world: World) -> None:
    for said, url in linked(report(world, "bea")):
        assert said.split(", ")[0].split(" of ")[0] in seen(world.alpha_only, url), (said, url)


def test_every_figure_of_the_sample_workspace_stands_on_its_page(db: None, catalogue: None) -> None:
    sample.load(force=True)
    organisation = Organisation.objects.get(slug=sample.SLUG)
    ada = Person.objects.create_user("ada@larkfield.example")
    access.grant(ada, "admin", organisation)
    today = timezone.now().date()
    first_look.prepare(timezone.now())
    # A first look has decisions and alerts, and another one on the same day changes nothing.
    counts = [model.objects.filter(**of).count() for model, of in FIRST_LOOK]
    assert all(counts), counts
    first_look.prepare(timezone.now())
    assert [model.objects.filter(**of).count() for model, of in FIRST_LOOK] == counts
    found = reading.report_for(ada, organisation, last_whole_week(today), today)
    reader, mean = client_of(ada), found.tiles[1]
    assert found.bridge is not None
    assert found.chart is not None
    assert found.prices
    assert len(linked(found)) > 15
    for said, url in linked(found):
        if (said, url) == (mean.figure.text, mean.figure.url):
            continue
        for part in said.split(", "):
            assert part.split(" of ")[0] in seen(reader, url), (said, url)
    assert found.decisions
    for one in found.decisions:
        assert one.saving in seen(reader, one.move.url)
    check_numbers(found, reader)
    bridge = seen(reader, found.scope.bridge_url)
    assert found.bridge.title.rsplit(" ", 1)[-1] in bridge
    drawn = sum((sum(band.values) for band in found.chart.bands), Decimal(0))
    assert formatting.money_in_prose(drawn) in seen(reader, found.chart.url)


def test_a_report_takes_a_known_number_of_queries(world: World) -> None:
    report(world)
    with CaptureQueriesContext(connection) as caught:
        report(world)
    assert len(caught) == 60


# How it is drawn


def test_an_address_is_never_broken_at_its_hyphens() -> None:
    said = f"At equal quality on your own Claims decisions. Owner: claims-{'x' * 30}-platform@larkfield.example."
    assert any(line.endswith("-platform@larkfield.example.") and "claims-" in line for line in text.wrapped(said))


def test_the_text_part_is_at_most_72_columns_but_for_addresses(world: World) -> None:
    lines = text.text(report(world), MAILED).splitlines()
    assert [line for line in lines if len(line) > 72 and "https://" not in line] == []
    assert "Unsubscribe: https://ratecard.example/reports/unsubscribe/x" in lines


def test_the_html_part_is_what_mail_readers_take(world: World) -> None:
    made = html.html(report(world), MAILED)
    assert len(made.encode()) < html.GMAIL_CLIPS_AT / 2
    assert "<script" not in made
    assert "<link" not in made
    assert "prefers-color-scheme:dark" in made
    assert "<!--[if mso]>" in made
    assert '<meta name="color-scheme" content="light dark">' in made
    sources = re.findall(r'(?:src|href)="([^"]*)"', made)
    assert sources
    assert [one for one in sources if not one.startswith(("https://ratecard.example/", "cid:"))] == []
    # What Gmail drops with the style sheet is in the elements.
    assert 'class="ink2 standing" style="' in made
    assert re.findall(r'<table(?![^>]*role="presentation")[^>]*>', made) == []


def test_the_bars_of_the_bridge_are_cells_as_wide_as_their_money(world: World) -> None:
    found = report(world).bridge
    assert found is not None
    made = html.bars(found)
    assert made[0]["width"] == html.BAR
    assert all(2 <= one["width"] <= html.BAR for one in made)


def chart(*names: str) -> Chart:
    weeks = tuple(WEEK - timedelta(days=7 * n) for n in reversed(range(13)))
    bands = tuple(Band(name, f"slug-{n}", n + 1, tuple(Decimal(50 + n) for _ in weeks)) for n, name in enumerate(names))
    return Chart("Spend per week by project, USD", weeks, bands, "spoken", "/spend")


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG")
    return struct.unpack(">II", png[16:24])  # type: ignore[return-value]


def test_the_pictures_are_drawn_at_twice_their_size_with_letters(world: World) -> None:
    made = picture.pngs(chart("Alpha", "Beta"))
    assert {name: size(png)[0] for name, png in made.items()} == {"spend-wide": 1072, "spend-narrow": 568}
    without = picture.svg_to_bytes(svg_string=picture.svg(chart("Alpha", "Beta"), picture.WIDE), skip_system_fonts=True,
                                   font_files=[], zoom=2)  # fmt: skip
    assert len(made["spend-wide"]) > len(bytes(without)) * 1.5  # resvg leaves letters without a font out, silently


def test_a_name_the_font_cannot_write_is_told_by_its_slug() -> None:
    drawn = picture.svg(chart("Übersetzung", "翻訳", "<b>&"), picture.WIDE)
    assert "Übersetzung" in drawn
    assert "slug-1" in drawn
    assert "翻訳" not in drawn
    assert "&lt;b&gt;&amp;" in drawn


def test_a_picture_says_its_numbers_in_words(world: World) -> None:
    found = report(world).chart
    assert found is not None
    assert found.spoken == (
        "Spend per week by project, 2 weeks: $65.00 in the week of 2 Nov 2026, $78.00 in the last. "
        "Of the last: Alpha 76.9%, Beta 12.8%, Unattributed 10.3%."
    )


# Weeks


def test_a_week_is_the_iso_week_of_utc_days() -> None:
    assert week_start("2026-W46") == WEEK
    assert week_name(date(2027, 1, 1)) == "2026-W53"
    assert last_whole_week(date(2026, 11, 15)) == date(2026, 11, 2)
    assert last_whole_week(date(2026, 11, 16)) == WEEK
    for wrong in ("2026-46", "2026-W54", "W46", ""):
        with pytest.raises(ValueError, match="write 2026-W46"):
            week_start(wrong)
