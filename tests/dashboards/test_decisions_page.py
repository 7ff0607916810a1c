"""Decisions in the browser: three on top, what waits, what was promised and what came of it, who may see which."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal as D

import pytest
from django.test import Client

from dashboards import access, proposals
from dashboards.models import Person, Proposal
from pricing.noninferiority import Verdict
from tests.dashboards.decision_cast import LUNA, MOVE, REFUSED, SOL, advice_of, move, proposed
from tests.dashboards.ledger_cast import NOW, World, client_of, world  # noqa: F401
from usage.advice import Evidence, Kind, Range

pytestmark = pytest.mark.django_db
TODAY = NOW.date()


def sides(n: int) -> list[object]:
    return [replace(SOL, sku=f"model-{one}", model=f"model-{one}", model_name=f"Model {one}") for one in range(n)]


def page_of(client: Client, url: str = "/decisions") -> str:
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html)).strip()


def finding_of(html: str) -> str:
    found = re.search(r'<h1 class="finding">(.*?)</h1>', html, re.S)
    assert found is not None
    return text_of(found[1])


def part(html: str, name: str) -> str:
    """The section of an id, as text."""
    found = re.search(rf'<section class="[^"]*" id="{name}">(.*?)</section>', html, re.S)
    return text_of(found[1]) if found else ""


@pytest.fixture
def ann(world: World) -> Person:  # noqa: F811
    return Person.objects.get(email="ada@acme.example")


def test_without_advice_the_page_teaches_the_next_step(world: World) -> None:  # noqa: F811
    html = page_of(world.admin)
    assert finding_of(html) == "No advice yet: it is made of each project’s usage once a day."
    assert "Import usage" in html


def test_an_archived_project_has_nothing_to_decide_until_it_is_back(world: World, ann: Person) -> None:  # noqa: F811
    luna = move(LUNA, low="100", high="200")
    first, second = proposed(world.alpha, MOVE, luna)
    proposals.accept(second, ann, "lena@acme.example", TODAY)
    world.admin.post(f"/settings/projects/{world.alpha.pk}", {"do": "archive"})
    html = page_of(world.admin)
    assert "GPT-5.6 Sol to Gemini 3.8 Flash" not in part(html, "open")
    assert "No advice yet." in part(html, "waiting")
    assert "lena@acme.example" in part(html, "accepted"), "a person's decision stays"
    proposals.take(world.alpha, advice_of(MOVE))  # by a task that had begun before
    states = {one.pk: one.state for one in Proposal.objects.all()}
    assert states == {first.pk: "lapsed", second.pk: "accepted"}
    world.admin.post(f"/settings/projects/{world.alpha.pk}", {"do": "restore"})
    proposals.take(world.alpha, advice_of(MOVE, luna))
    assert Proposal.objects.get(pk=first.pk).state == "proposed"


def test_at_most_three_are_on_top_and_they_surely_save_most(world: World) -> None:  # noqa: F811
    proposed(world.alpha, *(move(side, low=f"{n}00", high="900") for n, side in enumerate(sides(3), 1)))  # type: ignore[arg-type]
    proposed(world.beta, MOVE)
    html = page_of(world.admin)
    assert finding_of(html) == "4 decisions save $8.0k–13.8k a month."
    assert re.findall(r'class="saves"><a[^>]*>([^<]*)', html) == ["$7.4k–11.1k", "$300–900", "$200–900"]
    assert part(html, "open").count("equal on your 480 items") == 4


def test_what_only_may_save_never_stands_before_what_surely_does(world: World) -> None:  # noqa: F811
    sure, maybe = (
        move(low="1", high="2"),
        replace(
            move(replace(SOL, sku="x"), replace(SOL, sku="x", service_tier="batch"), low="0", high="9000"),
            kind=Kind.BATCH,
        ),
    )
    proposed(world.alpha, maybe, sure)
    assert re.findall(r'class="saves"><a[^>]*>([^<]*)', page_of(world.admin)) == ["$1.00 to $2.00", "up to $9.0k"]


def test_accepted_ones_show_owner_and_date_and_what_is_late(world: World, ann: Person) -> None:  # noqa: F811
    [one] = proposed(world.alpha)
    proposals.accept(one, ann, "lena@acme.example", date(2026, 11, 16))
    html = page_of(world.admin)
    assert finding_of(html) == "Nothing new to decide. One accepted move is overdue."
    assert "lena@acme.example 16 Nov 2026 2 days late" in part(html, "accepted")
    assert part(html, "open") == ""


def test_due_today_is_not_late(world: World, ann: Person) -> None:  # noqa: F811
    [one] = proposed(world.alpha)
    proposals.accept(one, ann, "lena@acme.example", TODAY)
    assert "late" not in part(page_of(world.admin), "accepted")


def test_what_was_realised_stands_beside_the_promise_with_how_often_promises_were_kept(world: World) -> None:  # noqa: F811
    made = proposed(world.alpha, *(move(side, low="100", high="200") for side in sides(5)))  # type: ignore[arg-type]
    states = ("realised", "realised", "realised", "realised", "done")
    for one, low, high, state in zip(
        made, ("100", "80", "300", "89", "150"), ("120", "100", "300", "89", "150"), states, strict=True
    ):
        Proposal.objects.filter(pk=one.pk).update(
            state=state, moved_on=date(2026, 10, 1), realised_low=D(low), realised_high=D(high), realised_until=TODAY
        )
    html = page_of(world.admin)
    shown = part(html, "moved")
    said = ("kept", "more than promised", "less than promised", "measured after 30 days")
    assert [shown.count(word) for word in said] == [2, 1, 1, 1]
    tile = text_of(html.split("Promises kept")[1][:300])
    assert "2 of 4" in tile


def test_a_rejected_one_keeps_its_reason_and_by_whom(world: World, ann: Person) -> None:  # noqa: F811
    [one] = proposed(world.alpha)
    proposals.reject(one, ann, "Legal wants no new vendor.")
    shown = part(page_of(world.admin), "rejected")
    assert "Legal wants no new vendor. ada@acme.example" in shown


def test_what_waiting_has_cost_stands_by_project_the_dearest_first(world: World) -> None:  # noqa: F811
    proposed(world.alpha, move(waited=D(10)))
    proposals.take(world.beta, advice_of(move(waited=D(20)), last_moved=None))
    assert part(page_of(world.admin), "waiting").split("Beta")[1].startswith(" never $20.00")
    assert "Alpha 1 not recommended 8 months ago 9 Mar 2026 $10.00 since 20 Oct 2026" in part(
        page_of(world.admin), "waiting"
    )


def test_what_is_not_recommended_is_one_click_away_with_its_reason_and_what_would_settle_it(world: World) -> None:  # noqa: F811
    proposed(world.alpha)
    assert 'href="/decisions/refused?project=alpha"' in page_of(world.admin)
    html = page_of(world.admin, "/decisions/refused?project=alpha")
    assert finding_of(html) == (
        "One candidate would cost less and is not recommended; an evaluation could settle 1 of them, the nearest with "
        "620 items."
    )
    assert "Mistral Large 4 at Mistral Alpha GPT-5.6 Sol not enough evidence" in part(html, "refused")
    assert REFUSED.why in text_of(html)


def test_votes_of_a_public_rating_are_not_items_to_run(world: World) -> None:  # noqa: F811
    votes = Evidence("arena", "Arena", "points", Verdict.NOT_ENOUGH, -21.0, -27.4, -14.6, 15.0, 9_000, decides=True)
    by_votes = replace(REFUSED, evidence=(votes,), items=26_360, candidate=replace(REFUSED.candidate, sku="other"))
    proposals.take(world.alpha, advice_of(move(), refused=[REFUSED, by_votes]))
    html = page_of(world.admin, "/decisions/refused?project=alpha")
    assert finding_of(html) == (
        "The 2 nearest candidates would cost less and are not recommended; an evaluation could settle 1 of them, the "
        "nearest with 620 items."
    )
    assert "Run 620 items" in text_of(html)
    assert "26,360" not in text_of(html)


def test_filters_narrow_to_a_project_and_a_state(world: World, ann: Person) -> None:  # noqa: F811
    [one] = proposed(world.alpha)
    proposed(world.beta)
    proposals.reject(one, ann, "No.")
    assert part(page_of(world.admin, "/decisions?project=beta"), "rejected") == ""
    assert part(page_of(world.admin, "/decisions?state=rejected"), "open") == ""
    assert world.admin.get("/decisions?project=nothing").status_code == 404
    refused = world.admin.get("/decisions?state=maybe")
    assert refused.status_code == 400
    assert "choose open, accepted" in refused.content.decode()


def test_the_csv_has_every_decision_in_full(world: World, ann: Person) -> None:  # noqa: F811
    [one] = proposed(world.alpha)
    proposals.reject(one, ann, "=1+1")
    [row] = csv.DictReader(io.StringIO(page_of(world.admin, "/decisions?format=csv")))
    assert (row["project"], row["state"], row["saving_low_per_month"]) == ("alpha", "rejected", "7400.000000000000")
    assert row["reason"] == "'=1+1"
    [left_out] = csv.DictReader(io.StringIO(page_of(world.admin, "/decisions/refused?format=csv")))
    assert (left_out["reason"], left_out["items_to_settle"]) == ("not_enough_evidence", "620")


def test_everybody_sees_the_decisions_of_their_own_projects_only(world: World) -> None:  # noqa: F811
    proposed(world.alpha, move(low="1", high="2"))
    proposed(world.beta)
    html = page_of(world.alpha_only)
    assert finding_of(html) == "One decision saves $1.00 to $2.00 a month."
    assert "Beta" not in html
    assert world.alpha_only.get("/decisions?project=beta").status_code == 404
    other = Person.objects.create_user("otto@other.example")
    access.grant(other, "admin", _other())
    assert "Alpha" not in page_of(client_of(other))


def test_the_header_counts_the_open_ones_that_the_reader_may_see(world: World, ann: Person) -> None:  # noqa: F811
    def counted(client: Client) -> str:
        found = re.search(r'<a href="/decisions"[^>]*>Decisions(.*?)</a>', page_of(client, "/imports"))
        return text_of(found[1]) if found else ""

    assert counted(world.admin) == ""
    proposed(world.alpha)
    [one] = proposed(world.beta)
    assert counted(world.admin) == "2 open"
    found = re.search(r'<a href="/decisions"[^>]*>Decisions(.*?)</a>', page_of(world.alpha_only, "/spend"))
    assert found is not None
    assert text_of(found[1]) == "1 open"
    proposals.reject(one, ann, "No.")
    assert counted(world.admin) == "1 open"


def _other():  # type: ignore[no-untyped-def]
    from tests.usage.factories import make_organisation

    return make_organisation("other")


def test_the_list_takes_few_queries_however_many_decisions(  # type: ignore[no-untyped-def]
    world: World,  # noqa: F811
    django_assert_num_queries,
) -> None:
    proposed(world.alpha, *(move(side) for side in sides(8)))  # type: ignore[arg-type]
    proposed(world.beta)
    page_of(world.admin)
    with django_assert_num_queries(9):
        page_of(world.admin)


def test_a_range_that_begins_at_nothing_is_a_bound() -> None:
    from dashboards.pages.decisions.words import saving

    assert saving(Range(D(0), D(9000)), "USD", "month") == "up to $9.0k/month"
    assert saving(Range(D(1), D(9000)), "USD") == "$1.00 to $9.0k"
    assert saving(Range(D("0.4"), D("3")), "USD", "month") == "$0.40 to $3.00/month"


def test_the_overview_and_the_project_lead_to_what_is_decided_first(world: World) -> None:  # noqa: F811
    assert part(page_of(world.admin, "/"), "decide-first") == ""
    proposed(world.alpha, *(move(side, low=f"{n}00", high="900") for n, side in enumerate(sides(4), 1)))  # type: ignore[arg-type]
    [top] = proposed(world.beta)
    overview = page_of(world.admin, "/")
    assert re.findall(r'class="saves"><a[^>]*>([^<]*)', overview) == ["$7.4k–11.1k", "$400–900", "$300–900"]
    assert f'<a href="/decisions/{top.pk}">Beta: GPT-5.6 Sol to Gemini 3.8 Flash</a>' in overview
    project = page_of(world.alpha_only, "/projects/alpha")
    assert re.findall(r'class="saves"><a[^>]*>([^<]*)', project) == ["$400–900"]
    assert "$7.4k" not in page_of(world.alpha_only, "/")
