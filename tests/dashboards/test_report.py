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

from dashboards import access, formatting, proposals
from dashboards.models import Person
from dashboards.pages.alerts import Used
from dashboards.pages.ledger import ModelKey, ModelName, Move, Sums, plain
from dashboards.pages.periods import Span
from dashboards.reports import composing, html, picture, prices, reading, text
from dashboards.reports.mailed import Mailed
from dashboards.reports.read import Proposed, Read, Retiring
from dashboards.reports.report import Band, Chart, Report, last_whole_week, week_name, week_start
from pricing.models import LanguageModel, PriceEvent
from tests.dashboards.decision_cast import SOL, advice_of, move
from tests.dashboards.ledger_cast import World, client_of, world
from tests.usage.factories import at, make_organisation, make_source
from usage import sample
from usage.advice import Kind, Range
from usage.models import Organisation

__all__ = ["world"]
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
        Proposed(n, "Alpha", f"Model A to Model {n}", Range(Decimal(low), Decimal(high)), "USD", "Equal.")
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


def moved(on: date, tier: str, old: str, new: str) -> tuple[str, Move]:
    return tier, Move(7, on, {"input": (Decimal(old) / 1_000_000, Decimal(new) / 1_000_000)})


def with_prices(world: World, *moves: tuple[str, Move]) -> tuple[Any, ...]:
    """A week of 3 Mtok at the standard tier and 10 as batch, which cost 11 USD together."""
    sums = {"standard": Sums(in_uncached=3_000_000), "batch": Sums(in_uncached=10_000_000)}
    names = {ModelKey(7, "", ""): ModelName("Argon", "Seller", "argon")}
    spent = {7: Sums(cost=Decimal(11), records=1, spent_records=1)}
    used = Used(Span(WEEK, WEEK + timedelta(days=7)), "USD", TODAY, spent, names)
    by_tier = {(7, tier): found for tier, found in sums.items()}
    return prices.changed(replace(read(world), used=used, by_tier=by_tier, moves=moves, sold={7: ("argon", "seller")}))


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


def test_a_reader_of_one_project_may_open_every_link(world: World) -> None:
    for said, url in linked(report(world, "bea")):
        assert said.split(", ")[0].split(" of ")[0] in seen(world.alpha_only, url), (said, url)


def test_every_figure_of_the_sample_workspace_stands_on_its_page(db: None, catalogue: None) -> None:
    sample.load(force=True)
    organisation = Organisation.objects.get(slug=sample.SLUG)
    ada = Person.objects.create_user("ada@larkfield.example")
    access.grant(ada, "admin", organisation)
    today = timezone.now().date()
    proposals.advise_sample(today)
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
    bridge = seen(reader, found.scope.bridge_url)
    assert found.bridge.title.rsplit(" ", 1)[-1] in bridge
    drawn = sum((sum(band.values) for band in found.chart.bands), Decimal(0))
    assert formatting.money_in_prose(drawn) in seen(reader, found.chart.url)


def test_a_report_takes_a_known_number_of_queries(world: World) -> None:
    report(world)
    with CaptureQueriesContext(connection) as caught:
        report(world)
    assert len(caught) == 57


# How it is drawn


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
