"""The sources: each figure by its rule, what a failure says, and what one source says otherwise."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from decimal import Decimal as D
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from dashboards.pages import sources as page
from dashboards.pages.ledger import plain
from pricing.answers import sources as answers
from pricing.answers.sources import Run, Share, Standing, differences, standings
from pricing.models import Decision, Disagreement, Offering, Price, PriceEvent, PriceSource, SourceRun
from tests.dashboards.browser import Look, look  # noqa: F401
from tests.dashboards.market_cast import NOW, make_claim, make_offering, make_price, make_source, utc

ERROR = "The body is no list of models: <b>data</b> is missing."


def module(slug: str, **fields: Any) -> Any:
    given = {"SLUG": slug, "NAME": slug.title(), "TRUST": "curated", "PRECEDENCE": 1, "COPIES": (), "LICENCE": "MIT",
             "URL": f"https://{slug}.example", "FEED": f"https://{slug}.example/prices.json", "CADENCE_HOURS": 24,
             "STATES_HISTORY": False}  # fmt: skip
    return SimpleNamespace(**{**given, **fields})


@pytest.fixture(autouse=True)
def three_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """Alpha and beta read the same market; nobody ever read gamma, which comes as a file."""
    known = {"alpha": module("alpha"), "beta": module("beta", COPIES=("gamma",)), "gamma": module("gamma", FEED="")}
    for place in ("pricing.answers.sources", "dashboards.views.sources", "dashboards.pages.sources"):
        monkeypatch.setattr(f"{place}.all_sources", lambda: known)
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def offering(db: None) -> Offering:
    return make_offering("best-1", name="Best 1")


def make_run(slug: str, status: str = "changed", observed: str = "2026-11-16", **fields: Any) -> SourceRun:
    values = {"counts": {"claims": 3, "added": 2, "withdrawn": 1, "offerings": 1}, "started_at": utc(observed)}
    return SourceRun.objects.create(
        source=make_source(slug), status=status, observed_at=utc(observed), **{**values, **fields}
    )


def held(offering: Offering, unit: str, amount: str, by: str, agreeing: tuple[str, ...] = (), **fields: Any) -> Price:
    """An accepted price that rests on one source's claim, and on who agrees."""
    claim = make_claim(offering, unit, amount, source=by, **fields)
    price = make_price(offering, unit, amount, agreeing=(by, *agreeing), **fields)
    claim_of_cast = price.claim
    price.claim, price.source = claim, claim.source
    price.save()
    claim_of_cast.delete()
    return price


def of(slug: str) -> Standing:
    return next(one for one in standings(NOW) if one.slug == slug)


def get(client: Client, path: str = "/sources") -> str:
    return client.get(path).content.decode()


def text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


# The figures


def test_a_source_covers_the_accepted_lines_it_states_whatever_it_says_of_them(offering: Offering) -> None:
    held(offering, "input", "1", "alpha")
    held(offering, "output", "2", "alpha")
    make_claim(offering, "input", "9", source="beta")
    make_claim(offering, "cache_read", "0.1", source="beta")  # no accepted price
    make_claim(offering, "output", "2", source="beta", withdrawn_at=utc("2026-05-01"))
    assert of("alpha").covers == Share(2, 2)
    assert of("beta").covers == Share(1, 2)
    assert (of("beta").offerings, of("beta").providers, of("beta").lines) == (1, 1, 2)


def test_only_what_is_in_force_counts(offering: Offering) -> None:
    held(offering, "input", "1", "alpha")
    make_claim(offering, "input", "1", source="beta", effective_until=utc("2026-11-16"))
    make_claim(offering, "output", "1", source="beta", effective_from=utc("2026-11-17"))
    assert of("beta").lines == 0
    assert of("beta").covers == Share(0, 1)


def test_agreement_needs_somebody_else(offering: Offering) -> None:
    held(offering, "input", "1", "alpha")  # alpha alone
    assert of("alpha").agrees == Share(0, 0)
    make_claim(offering, "input", "1.004", source="beta")
    assert of("beta").agrees == Share(1, 1)
    Price.objects.update(agreeing=["alpha", "beta"])
    assert of("alpha").agrees == Share(1, 1)


@pytest.mark.parametrize(("amount", "agrees"), [("1.005", 1), ("1.0051", 0), ("0.995", 1), ("0.9949", 0)])
def test_amounts_agree_within_half_a_per_cent_of_the_dearer(offering: Offering, amount: str, agrees: int) -> None:
    held(offering, "input", "1", "alpha")
    make_claim(offering, "input", amount, source="beta")
    assert of("beta").agrees == Share(agrees, 1)


def test_amounts_compare_whatever_they_are_counted_per_and_never_across_currencies(offering: Offering) -> None:
    held(offering, "input", "1", "alpha")
    make_claim(offering, "input", "0.001", source="beta", per=1000)
    assert of("beta").agrees == Share(1, 1)
    make_claim(offering, "input", "7", source="gamma", currency="CNY")
    assert of("gamma").agrees == Share(0, 0)


def make_move(offering: Offering, old: str, new: str, day: str, by: str = "alpha") -> PriceEvent:
    return PriceEvent.objects.create(
        offering=offering, unit="input", service_tier="standard", kind="cut", old=D(old), new=D(new), per=1_000_000,
        currency="USD", effective_from=utc(day), observed_at=utc(day), source=make_source(by), why="It says so.",
    )  # fmt: skip


def test_first_is_who_had_the_evidence_of_a_move_first_among_those_that_state_it(offering: Offering) -> None:
    make_move(offering, "2", "1", "2026-06-01")
    make_claim(offering, "input", "1", source="alpha", effective_from=None, evidence_at=utc("2026-06-03"))
    assert of("alpha").first == Share(0, 0), "alone there is nobody to be before"
    make_claim(offering, "input", "1", source="beta", effective_from=utc("2026-06-01"), evidence_at=utc("2026-05-20"))
    assert (of("alpha").first, of("beta").first) == (Share(0, 1), Share(1, 1))


def test_the_same_amount_long_before_a_move_is_another_price(offering: Offering) -> None:
    make_move(offering, "2", "1", "2026-06-01")
    make_claim(offering, "input", "1", source="alpha", effective_from=None, evidence_at=utc("2026-06-03"))
    make_claim(offering, "input", "1", source="beta", effective_from=utc("2026-01-01"), evidence_at=utc("2026-01-01"))
    assert of("beta").first == Share(0, 0)


def test_moves_older_than_a_year_do_not_count(offering: Offering) -> None:
    make_move(offering, "2", "1", "2025-11-16")
    for slug in ("alpha", "beta"):
        make_claim(
            offering, "input", "1", source=slug, effective_from=utc("2025-11-16"), evidence_at=utc("2025-11-16")
        )  # fmt: skip
    assert of("alpha").first == Share(0, 0)


def test_a_claim_shown_wrong_twice_counts_once(offering: Offering) -> None:
    wrong = held(offering, "input", "200", "beta")
    Price.objects.filter(pk=wrong.pk).update(known_until=utc("2026-06-01"))
    right = held(offering, "input", "0.2", "alpha", evidence_at=utc("2026-06-01"))
    make_claim(offering, "output", "1", source="beta")
    PriceEvent.objects.create(
        offering=offering, unit="input", service_tier="standard", kind="unit_fix", old=D(200), new=D("0.2"),
        per=1_000_000, currency="USD", effective_from=wrong.effective_from, observed_at=utc("2026-06-01"),
        source=make_source("alpha"), claim=right.claim, why="A unit error.",
    )  # fmt: skip
    Disagreement.objects.create(claim=wrong.claim, offering=offering, state="known_error", why="Known.")
    assert of("beta").wrong == Share(1, 2)
    assert of("beta").wrong_by == {"corrected": 1, "known_error": 1}
    assert of("alpha").wrong.part == 0


def test_what_contradicts_an_official_page_or_was_taken_back_or_rejected_is_wrong(offering: Offering) -> None:
    best = held(offering, "input", "1", "alpha")
    PriceSource.objects.filter(slug="alpha").update(trust="official")
    claims = [make_claim(offering, "input", str(n), source="beta") for n in (2, 3, 4, 5)]
    against = {"accepted": best.claim, "offering": offering, "why": "They differ."}
    Disagreement.objects.create(claim=claims[0], state="open", **against)
    Disagreement.objects.create(claim=claims[1], state="resolved", **against)  # settled, not taken back
    Disagreement.objects.create(claim=claims[2], state="resolved", **against)
    claims[2].withdrawn_at = utc("2026-06-01")
    claims[2].save()
    Decision.objects.create(claim=claims[3], verdict="reject", reason="No.", person="ada@larkfield.example")
    assert of("beta").wrong_by == {"official": 1, "taken_back": 1, "rejected": 1}
    PriceSource.objects.filter(slug="alpha").update(trust="curated")
    assert of("beta").wrong_by == {"taken_back": 1, "rejected": 1}


def test_nothing_to_compare_is_unknown_and_never_zero(client: Client, offering: Offering) -> None:
    held(offering, "input", "1", "alpha")
    make_run("alpha")
    alpha, gamma = page.Row(of("alpha"), NOW), page.Row(of("gamma"), NOW)
    assert (alpha.agrees.text, alpha.first.text, alpha.wrong) == ("–", "–", "–")
    assert (gamma.covers.text, gamma.agrees.text, gamma.first.text, gamma.wrong) == ("–", "–", "–", "–")
    rows = {row["source"]: row for row in csv.DictReader(io.StringIO(get(client, "/sources?format=csv")))}
    assert [rows["gamma"][name] for name in ("lines", "covers", "agrees", "first", "wrong")] == [""] * 5
    assert (rows["alpha"]["covers"], rows["alpha"]["agrees"]) == ("1", "")


def test_a_failed_run_leaves_the_last_good_one(db: None) -> None:
    make_run("alpha", observed="2026-11-10")
    make_run("alpha", "failed", "2026-11-15", error=ERROR)
    found = of("alpha")
    assert found.last_run is not None
    assert (found.last_run.status, found.last_good) == ("failed", utc("2026-11-10"))


def test_a_source_is_late_after_twice_its_cadence() -> None:
    def standing(age: timedelta) -> Standing:
        return Standing("alpha", module("alpha"), last_good=NOW - age)

    assert not standing(timedelta(hours=48)).is_late(NOW)
    assert standing(timedelta(hours=48, seconds=1)).is_late(NOW)
    assert not Standing("alpha", module("alpha")).is_late(NOW)


def test_differences_come_furthest_first_in_each_ones_own_unit(offering: Offering) -> None:
    held(offering, "input", "1", "alpha")
    held(offering, "output", "4", "alpha")
    held(offering, "cache_read", "0.1", "alpha")
    make_claim(offering, "input", "1.1", source="beta")
    make_claim(offering, "output", "0.001", source="beta", per=1000)
    make_claim(offering, "cache_read", "0.1", source="beta")
    found, count = differences("beta", NOW)
    assert count == 2
    assert [(one.unit, page.Gap(one).claimed, page.Gap(one).accepted) for one in found] == [
        ("output", D(1), D(4)), ("input", D("1.1"), D(1)),
    ]  # fmt: skip
    assert found[0].relative == D("0.75")
    assert differences("beta", NOW, skip=1, most=1)[0][0].unit == "input"
    assert differences("alpha", NOW) == ([], 0)


# The pages


def test_every_source_is_listed_also_who_was_never_read(client: Client, offering: Offering) -> None:
    held(offering, "input", "1", "alpha")
    make_run("alpha")
    html = text(get(client))
    assert "1 of 3 price sources is up to date; 2 were never read." in html
    assert html.index("Alpha curated by people") < html.index("Beta curated by people")
    assert "copies Gamma" in html


def test_a_source_that_failed_says_why_and_what_to_do(client: Client, db: None) -> None:
    make_run("alpha", "failed", error=ERROR)
    for path in ("/sources", "/sources/alpha"):
        html = get(client, path)
        assert ERROR not in html
        assert ERROR in text(html).replace("&lt;", "<").replace("&gt;", ">")
        assert "manage.py fetch_prices --source alpha" in html
    assert "Alpha was never read without fault." in get(client, "/sources/alpha")


def test_a_source_without_a_feed_is_read_from_a_file(client: Client, db: None) -> None:
    html = get(client, "/sources/gamma")
    assert "Gamma was never read." in html
    assert "manage.py fetch_prices --source gamma --file PATH --observed-at 2026-11-16T00:00Z" in html


def test_one_source_shows_its_runs_its_differences_and_what_it_could_not_place(
    client: Client, offering: Offering
) -> None:
    price = held(offering, "input", "1", "alpha")
    make_claim(offering, "input", "2", source="beta")
    make_run("beta", observed="2026-11-15", unplaced={"plan": 14, "rate": 146}, version="1.2")
    make_run("beta", "failed", "2026-11-16", error=ERROR, counts={})
    html = get(client, "/sources/beta")
    assert "Beta states 100.0% of the accepted prices and agrees with 0.0% of those that others state too" in html
    assert f'class="ev" href="/models/best-1/evidence/{price.pk}">$2.00' in html
    words = text(html)
    assert "Best 1 Acme, best-1, in $2.00 $1.00 50.0% alpha outvoted" in words
    assert "1.2 3 2 1 160" in words
    assert words.index("rate 146") < words.index("plan 14")
    rows = list(csv.DictReader(io.StringIO(get(client, "/sources/beta?format=csv"))))
    assert [(row["unit"], row["claimed"], row["accepted"]) for row in rows] == [("input", "2", "1")]


def test_a_page_past_the_end_is_the_first(client: Client, offering: Offering) -> None:
    held(offering, "input", "1", "alpha")
    make_claim(offering, "input", "2", source="beta")
    for wanted in ("7", "x", "-1"):
        assert "Best 1" in get(client, f"/sources/beta?page={wanted}")


def test_a_source_nobody_knows_is_not_there(client: Client, db: None) -> None:
    assert client.get("/sources/delta").status_code == 404


def test_where_the_catalogue_is_not_public_a_stranger_signs_in(client: Client, db: None, settings: Any) -> None:
    settings.PUBLIC_CATALOG = False
    assert [client.get(path).status_code for path in ("/sources", "/sources/alpha")] == [302, 302]


def test_the_pages_ask_as_much_for_one_claim_as_for_many(
    client: Client, offering: Offering, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def read_all() -> None:
        with django_assert_num_queries(7):
            get(client)
        with django_assert_num_queries(11):
            get(client, "/sources/beta")

    held(offering, "input", "1", "alpha")
    make_claim(offering, "input", "2", source="beta")
    make_run("alpha")
    make_run("beta")
    read_all()
    for number in range(10):
        one = make_offering(f"model-{number}")
        held(one, "input", "1", "alpha")
        make_claim(one, "input", "2", source="beta")
        make_run("beta")
    read_all()


def test_changes_are_in_the_navigation_and_the_sources_behind_the_age_of_the_prices(client: Client, db: None) -> None:
    make_run("alpha")
    html = get(client, "/changes")
    assert '<a href="/changes" aria-current="page">Changes</a>' in html
    assert '<a href="/sources">Prices read</a>' in html


def test_the_age_of_the_prices_is_that_of_a_source_that_states_prices_of_today(client: Client, db: None) -> None:
    make_run("alpha", observed="2026-11-10")
    make_run("ecb_rates", observed="2026-11-12", counts={"claims": 0, "added": 0, "withdrawn": 0, "offerings": 0})
    make_run("early_prices", observed="2026-11-13")
    make_run("beta", "failed", observed="2026-11-14")
    assert "10 Nov 2026" in get(client, "/changes").split("Prices read")[1].split("</span>")[0]


def test_who_states_no_prices_or_none_of_today_covers_nothing_rather_than_none(client: Client, offering: Any) -> None:
    make_run("beta")
    make_run("alpha")
    make_claim(
        offering, "input", "1", source="alpha", effective_from=utc("2022-01-01"), effective_until=utc("2023-01-01")
    )
    html = get(client)
    assert "states no prices" in html
    assert "past prices only" in html
    assert '0 <span class="unit">offerings' not in html


def test_many_failures_leave_the_table_in_sight(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"source{n}" for n in range(5)]
    known = {slug: module(slug) for slug in names}
    for place in ("pricing.answers.sources", "dashboards.pages.sources"):
        monkeypatch.setattr(f"{place}.all_sources", lambda: known)
    for slug in names:
        make_run(slug, "failed", error=f"{slug} has no address.")
    html = get(client)
    assert html.count('class="alert fault"') == 5
    before, after = html.split("<summary>2 more failed</summary>")
    assert (before.count('class="alert fault"'), after.split("</details>")[0].count('class="alert fault"')) == (3, 2)


def row(slug: str, *, read: bool = True, late: bool = False, failed: bool = False) -> page.Row:
    run = Run(1, "failed" if failed else "changed", NOW, NOW, NOW, "", "", {}, {})
    last = NOW - timedelta(days=9 if late else 0) if read else None
    return page.Row(Standing(slug, module(slug), run if read or failed else None, last), NOW)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "There is no price source."),
        ([row("a"), row("b")], "All 2 price sources are up to date."),
        ([row("a", read=False)], "None of the 1 price sources was ever read."),
        ([row("a"), row("b", failed=True), row("c", late=True), row("d", read=False)],
         "2 of 4 price sources are up to date; B failed, C is late, D was never read."),
        ([row("a", late=True), row("b", late=True)], "None of 2 price sources are up to date; 2 are late."),
    ],
)  # fmt: skip
def test_the_finding_counts_who_is_up_to_date_and_names_who_is_not(rows: list[page.Row], said: str) -> None:
    assert plain(page.finding(rows)) == said


def test_each_sign_of_a_wrong_claim_has_its_words() -> None:
    assert set(answers.WRONG_BY) == {"corrected", "known_error", "taken_back", "official", "rejected"}


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_pages_are_sound(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    one = make_offering("best-1", name="Best 1")
    held(one, "input", "1", "alpha")
    held(one, "output", "4", "alpha", agreeing=("beta",))
    make_claim(one, "input", "2", source="beta")
    make_claim(one, "output", "4", source="beta")
    make_run("alpha", unplaced={"plan": 14})
    make_run("beta", "failed", error=ERROR)
    look.at("/sources", "sources-small")
    look.at("/sources/alpha", "source-small")
    look.at("/sources/beta", "source-failed")
    look.at("/sources/gamma", "source-never-read")
    look.at("/sources/delta", "source-missing", expect_status=404)
