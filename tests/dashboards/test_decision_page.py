"""One decision in the browser: its range first, what it rests on, what people decide, what came of it."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal as D

import pytest

from dashboards import proposals
from dashboards.models import AuditEntry, Person, Proposal
from dashboards.pages.decisions import page as pages
from dashboards.pages.decisions.words import finding, order, pays_back, title
from pricing.noninferiority import Verdict
from tests.dashboards.decision_cast import ARENA, FLASH, MOVE, ON, OWN, SOL, advice_of, move, proposed
from tests.dashboards.ledger_cast import World, world  # noqa: F401
from tests.dashboards.test_decisions_page import TODAY, finding_of, page_of, part, text_of
from tests.dashboards.test_money_evidence import read
from tests.usage.factories import make_card, make_offering
from usage.advice import Kind, Range, Side

pytestmark = pytest.mark.django_db


@pytest.fixture
def one(world: World) -> Proposal:  # noqa: F811
    return proposed(world.alpha)[0]


@pytest.fixture
def ann(world: World) -> Person:  # noqa: F811
    return Person.objects.get(email="ada@acme.example")


def tile(html: str, label: str) -> str:
    found = re.search(rf'<dt>{label}</dt>(.*?)(?:<div class="stat">|</dl>)', html, re.S)
    return text_of(found[1]) if found else ""


def test_the_range_comes_first_with_what_it_rests_on(world: World, one: Proposal) -> None:  # noqa: F811
    html = page_of(world.admin, f"/decisions/{one.pk}")
    assert finding_of(html) == (
        "Move Alpha from GPT-5.6 Sol to Gemini 3.8 Flash: $7.4k–11.1k a month, at equal quality on your own Claims "
        "decisions."
    )
    assert tile(html, "Saving per month") == "$7.4k–11.1k of $13,522 today All 683 Mtok priced; at least 54.7% saved"
    assert tile(html, "Quality") == "Equal −0.4 points, −2.2 to +1.4 480 items, margin −3"
    assert tile(html, "Pays back in") == "4–6 days $1,520 once 16 engineer hours at $95.00, assumed"
    assert tile(html, "Waiting has cost") == (
        "$9,753 and $1.7k–2.6k more each week Since 20 Oct 2026, the first day something equal cost less"
    )
    scope = text_of(html.split('class="scope"')[1][:700])
    assert "Token log of 17 Oct–15 Nov 2026, 683 Mtok 88.0% of the project’s spend" in scope
    assert "The project last moved 8 months ago" in scope
    proposals.take(world.alpha, advice_of(MOVE, last_moved=None))
    html = page_of(world.admin, f"/decisions/{one.pk}")
    assert "The project has moved to no other model yet" in text_of(html.split('class="scope"')[1][:900])


def test_the_one_off_cost_is_asked_for_and_weighed(world: World, one: Proposal) -> None:  # noqa: F811
    html = page_of(world.admin, f"/decisions/{one.pk}?hours=40&rate=120")
    assert tile(html, "Pays back in") == "13–20 days $4,800 once 40 engineer hours at $120.00"
    assert f"/decisions/{one.pk}?hours=40&amp;rate=120" in html
    wrong = page_of(world.admin, f"/decisions/{one.pk}?hours=many")
    assert "Write the hours as a number from 0 to 1,000,000, such as 16, not “many”" in text_of(wrong)


def test_own_evidence_stands_before_public_and_says_which_decides(world: World, one: Proposal) -> None:  # noqa: F811
    html = page_of(world.admin, f"/decisions/{one.pk}")
    assert "Equal on your own evaluation; not so on Arena, expert questions" in html
    table = text_of(html.split('<th scope="col">Comparison</th>')[1].split("</table>")[0])
    assert table.index("Your evaluation: Claims decisions 480 items, paired, 31 Oct 2026 decides") < table.index(
        "Arena"
    )
    assert "1,400 would settle it" in table
    figure = world.admin.get(f"/decisions/{one.pk}/evidence.json").json()
    assert [trace["x"][0] for trace in figure["wide"]["data"]] == pytest.approx([-0.4, -6.9])
    lines = [shape for shape in figure["wide"]["layout"]["shapes"] if shape["line"].get("dash") == "dash"]
    assert [line["x0"] for line in lines] == [-3, -10]


def test_what_is_beside_the_verdict_has_no_margin(world: World) -> None:  # noqa: F811
    beside = replace(ARENA, margin=0.0, verdict=Verdict.NOT_ENOUGH)
    assert pages.evidence_row(beside).badge == ("", "beside the verdict")
    assert pages.evidence_claim(replace(MOVE, evidence=(OWN, beside))) == "Equal on your own evaluation"


def test_the_saving_ahead_has_its_announced_steps(world: World, one: Proposal) -> None:  # noqa: F811
    html = page_of(world.admin, f"/decisions/{one.pk}")
    assert "The saving steps down on 1 January and stays large" in html
    figure = world.admin.get(f"/decisions/{one.pk}/saving.json").json()["wide"]
    assert figure["data"][0]["y"] == [7400, 6100, 6100]
    assert figure["data"][1]["y"] == [11100, 8500, 8500]
    assert [row["from"] for row in table(world, one, "saving")] == ["2026-11-16", "2027-01-01"]


def table(world: World, one: Proposal, name: str) -> list[dict[str, str]]:  # noqa: F811
    body = page_of(world.admin, f"/decisions/{one.pk}?format=csv&of={name}")
    return list(csv.DictReader(io.StringIO(body)))


def test_both_prices_add_up_and_an_unknown_price_leaves_the_sum_unknown(world: World, one: Proposal) -> None:  # noqa: F811
    total = pages.both_prices(MOVE)[1]
    assert (total.tokens, total.current_cost, total.candidate_cost) == (683_000_000, D("3112"), D("583.50"))
    bare = replace(MOVE, lines=(replace(MOVE.lines[0], candidate_price=None, candidate_cost=None), *MOVE.lines[1:]))
    assert pages.both_prices(bare)[1].candidate_cost is None
    assert "Input, cached 210 $0.40 $84.00 $0.075 $15.75" in part(
        page_of(world.admin, f"/decisions/{one.pk}"), "prices"
    )
    assert [row["candidate_cost"] for row in table(world, one, "prices")] == ["301.5", "15.75", "266.25"]
    assert [row["margin"] for row in table(world, one, "evidence")] == ["0.03", "10"]
    assert world.admin.get(f"/decisions/{one.pk}?format=csv&of=nothing").status_code == 404


def test_the_configuration_names_the_candidate_as_its_seller_does(world: World, one: Proposal) -> None:  # noqa: F811
    html = page_of(world.admin, f"/decisions/{one.pk}")
    assert "model: gemini/gemini-3.8-flash" in html
    assert pages.litellm_name(replace(FLASH, provider="nobody-knows"), "") == ""


def test_alternatives_stand_below_until_it_is_decided(world: World, ann: Person) -> None:  # noqa: F811
    other = move(candidate=replace(FLASH, sku="x", model="x", model_name="X"), low="10", high="20")
    [one] = proposed(world.alpha, MOVE, other)
    assert "GPT-5.6 Sol to X" in part(page_of(world.admin, f"/decisions/{one.pk}"), "others")
    proposals.accept(one, ann, "", None)
    assert part(page_of(world.admin, f"/decisions/{one.pk}"), "others") == ""


# Deciding


def decide(world: World, one: Proposal, **sent: str) -> tuple[int, Proposal]:  # noqa: F811
    answer = world.admin.post(f"/decisions/{one.pk}/decide", sent)
    one.refresh_from_db()
    return answer.status_code, one


def test_it_is_accepted_with_owner_and_date(world: World, one: Proposal) -> None:  # noqa: F811
    status, one = decide(world, one, do="accept", owner="lena@acme.example", due="2026-12-01")
    assert (status, one.state, one.owner, one.due) == (302, "accepted", "lena@acme.example", date(2026, 12, 1))
    assert finding_of(page_of(world.admin, f"/decisions/{one.pk}")).startswith(
        "Accepted by 1 Dec 2026: move Alpha from"
    )


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"do": "reject", "reason": " "}, "Write why"),
        ({"do": "accept", "owner": "the team"}, "write name@example.org"),
        ({"do": "accept", "due": "tomorrow"}, "Write the day as 2026-12-01"),
        ({"do": "accept", "due": "2026-11-17"}, "from today on"),
        ({"do": "reopen"}, "this one is open"),
        ({"do": "sell"}, "Choose what to do"),
    ],
)
def test_a_decision_that_cannot_be_taken_says_what_to_do(
    world: World,  # noqa: F811
    one: Proposal,
    sent: dict[str, str],
    said: str,
) -> None:
    answer = world.admin.post(f"/decisions/{one.pk}/decide", sent)
    assert answer.status_code == 422
    assert said in text_of(answer.content.decode())
    one.refresh_from_db()
    assert (one.state, AuditEntry.objects.count()) == ("proposed", 0)


def test_a_rejected_one_shows_why_and_can_be_taken_back(world: World, one: Proposal) -> None:  # noqa: F811
    decide(world, one, do="reject", reason="Legal wants no new vendor.")
    html = page_of(world.admin, f"/decisions/{one.pk}")
    assert finding_of(html).startswith("Rejected: move Alpha")
    assert "Legal wants no new vendor." in html
    assert decide(world, one, do="reopen")[1].state == "proposed"


def test_a_viewer_reads_and_does_not_decide(world: World, one: Proposal) -> None:  # noqa: F811
    html = page_of(world.alpha_only, f"/decisions/{one.pk}")
    assert "Members of Alpha decide." in html
    assert 'name="do"' not in html
    assert world.alpha_only.post(f"/decisions/{one.pk}/decide", {"do": "accept"}).status_code == 404


# What came of it


def test_what_it_really_saved_stands_beside_the_promise(world: World, ann: Person) -> None:  # noqa: F811
    cheap = make_offering("cheap")
    make_card(cheap, input="0.5", output="1")
    old = Side(world.offering.pk, "model-a", "model-a", "seller", "seller", "model-a")
    new = Side(cheap.pk, "cheap", "cheap", "seller", "seller", "cheap")
    # Alpha's window holds 20 Mtok in and 10 out in 100 requests: 0.40 a request; 0.20 at the other.
    proposals.take(world.alpha, replace(
        advice_of(move(old, new, low="1", high="8")), since=date(2026, 10, 5), until=date(2026, 11, 4)
    ))  # fmt: skip
    one = Proposal.objects.get()
    world.imported(*(f"2026-11-{day},alpha,k-alpha,ann,seller,cheap,20000000,10000000,100" for day in (14, 15, 16)),
                   scope="after")  # fmt: skip
    assert proposals.follow(world.alpha, TODAY) == 1
    one.refresh_from_db()
    assert (one.state, one.moved_on) == ("done", date(2026, 11, 14))
    # 300 requests saved 0.20 each; a month of the window is 100 × 30.4375 / 30 of them.
    assert one.realised_low == one.realised_high == D("20.291666666667")
    html = page_of(world.admin, f"/decisions/{one.pk}")
    assert (
        finding_of(html)
        == "Alpha moved: model-a to cheap, on 14 Nov 2026. It saves $20 a month, of $1.00 to $8.00 promised."
    )
    assert "more than promised" in part(html, "kept")
    assert tile(html, "Promised per month").startswith("$1.00 to $8.00 of $13,522 then"), "it is paid no more"
    assert tile(html, "Waiting had cost").startswith("$9,753 by 16 Nov 2026"), "and costs nothing more"
    assert "Saved on 3 days so far $60" in part(html, "kept")
    assert [row["saved_low"] for row in table(world, one, "realised")] == ["20.000000000000"] * 3
    assert proposals.follow(world.alpha, date(2026, 12, 13)) == 1
    one.refresh_from_db()
    assert one.state == "done"
    proposals.follow(world.alpha, date(2026, 12, 14))
    one.refresh_from_db()
    assert one.state == "realised"
    assert proposals.follow(world.alpha, date(2027, 11, 14)) == 1
    assert proposals.follow(world.alpha, date(2027, 11, 15)) == 0


def test_a_move_that_traffic_cannot_show_counts_from_the_day_it_is_said(world: World) -> None:  # noqa: F811
    stays = replace(move(SOL, replace(SOL, effort="low")), kind=Kind.CACHE_LIFETIME)
    [one] = proposed(world.alpha, stays)
    html = page_of(world.admin, f"/decisions/{one.pk}")
    assert "Traffic does not show this move" in html
    assert "GPT-5.6 Sol for longer" in finding_of(html)
    assert decide(world, one, do="done")[1].moved_on == TODAY
    html = page_of(world.admin, f"/decisions/{one.pk}")
    assert "Take it back" in html
    again = decide(world, one, do="reopen")[1]
    assert (again.state, again.moved_on) == ("proposed", None), "a person said it, no traffic"


def test_what_may_save_nothing_is_a_bound_without_a_middle(world: World) -> None:  # noqa: F811
    batch = replace(
        move(SOL, replace(SOL, service_tier="batch"), low="0", high="7000", why="Half waits. Vendors say 24 hours."),
        kind=Kind.BATCH, evidence=(),
    )  # fmt: skip
    [one] = proposed(world.alpha, batch)
    html = page_of(world.admin, f"/decisions/{one.pk}")
    assert finding_of(html) == (
        "Send what of Alpha can wait to GPT-5.6 Sol in batches: up to $7.0k a month, with the same weights."
    )
    assert tile(html, "Saving per month") == "up to $7.0k of $13,522 today All 683 Mtok priced"
    assert "The weights stay" in text_of(html)
    figure = world.admin.get(f"/decisions/{one.pk}/saving.json").json()["wide"]
    assert [trace["y"][0] for trace in figure["data"]] == [0, 7000]
    assert "Half waits. Owner" not in text_of(page_of(world.admin))
    assert "Half waits." in text_of(page_of(world.admin))
    assert "Vendors say" not in page_of(world.admin)


def test_the_page_takes_few_queries(world: World, one: Proposal, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    url = f"/decisions/{one.pk}"
    page_of(world.admin, url)
    with django_assert_num_queries(12):
        page_of(world.admin, url)


@pytest.mark.parametrize(
    ("once", "low", "high", "said"),
    [
        ("1000", "1000", "2000", "15–30 days"),
        ("1000", "0", "2000", "15 days at least"),
        ("10000", "1000", "2000", "5–10 months"),
        ("4000", "1000", "2000", "61 days to 4 months"),
        ("1", "1000", "2000", "1 day"),
        ("0", "1000", "2000", "at once"),
        ("1000", "0", "0", ""),
    ],
)
def test_payback_is_told_in_days_or_months(once: str, low: str, high: str, said: str) -> None:
    assert pays_back(D(once), Range(D(low), D(high))) == said


def test_a_move_that_costs_more_than_before_says_so(world: World, one: Proposal) -> None:  # noqa: F811
    fields = {"state": "done", "moved_on": ON, "realised_low": D(-50), "realised_high": D(-40)}
    Proposal.objects.filter(pk=one.pk).update(**fields)
    one.refresh_from_db()
    assert finding(one, one.move, TODAY).endswith("It costs $40–50 a month more, where $7.4k–11.1k less were promised.")


def test_every_figure_of_money_leads_to_its_evidence(world: World, one: Proposal, ann: Person) -> None:  # noqa: F811
    [other] = proposed(world.beta, MOVE, move(candidate=replace(FLASH, sku="x", model="x", model_name="X")))
    fields = {"state": "realised", "moved_on": date(2026, 10, 1), "realised_low": D(1), "realised_high": D(2)}
    Proposal.objects.filter(pk=other.pk).update(realised_until=TODAY, **fields)
    pages_of_money = ("/decisions", "/decisions/refused", f"/decisions/{one.pk}", f"/decisions/{other.pk}", "/")
    for url in pages_of_money:
        found = read(page_of(world.admin, url))
        assert found.figures, url
        assert found.scope, url
        assert [figure for figure, evidence in found.figures if not evidence] == [], url


def test_another_seller_of_the_same_weights_is_named_and_not_the_model_twice() -> None:
    here = replace(SOL, provider="together", provider_name="Together AI")
    there = replace(SOL, provider="groq", provider_name="Groq")
    seller = replace(move(here, there), kind=Kind.SELLER)
    assert title(seller) == "GPT-5.6 Sol: Together AI to Groq"
    assert order(seller, "Alpha") == "Buy GPT-5.6 Sol for Alpha from Groq, not Together AI"
    region = replace(move(here, replace(here, region="eu")), kind=Kind.SELLER)
    assert title(region) == "GPT-5.6 Sol: Together AI (gpt-5.6-sol) to Together AI (eu)"
