"""The life of a decision: proposed of advice, decided by people once, kept true by the database."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal as D
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from dashboards import decision_tasks, proposals
from dashboards.models import AuditEntry, KeptAdvice, Person, Proposal
from dashboards.proposals import Refused, Taken
from dashboards.proposing import Standing, chosen
from pricing.noninferiority import Verdict
from tests.dashboards.decision_cast import AT, FLASH, LUNA, MOVE, ON, WINDOW, advice_of, move, proposed
from tests.usage.factories import make_organisation, make_project
from usage import recommending
from usage.advice import Range
from usage.models import Project

OTHER = replace(FLASH, offering_id=9, sku="other", model="other", model_name="Other")


# What is proposed, of plain values


def standing(of: Any, state: str, pk: int = 1) -> Standing:
    return Standing(pk, of.key, of.current.key, state, of.saving, of.verdict)


def test_the_best_move_of_each_model_in_use_is_proposed() -> None:
    second, luna = move(candidate=OTHER, low="7000"), move(LUNA, low="100", high="200")
    assert chosen([MOVE, second, luna], []).new == (MOVE, luna)


def test_what_stands_is_renewed_and_lapses_once_nobody_recommends_it() -> None:
    stood = standing(MOVE, "proposed")
    assert chosen([MOVE], [stood]).renewed == ((stood, MOVE),)
    assert chosen([], [stood]).lapsed == (stood,)


def test_another_move_takes_its_place_only_where_it_saves_a_tenth_more() -> None:
    stood = standing(MOVE, "proposed")
    near, far = move(candidate=OTHER, low="8139"), move(candidate=OTHER, low="8140")
    assert chosen([near, MOVE], [stood]).renewed == ((stood, MOVE),)
    assert (chosen([far, MOVE], [stood]).new, chosen([far, MOVE], [stood]).lapsed) == ((far,), (stood,))


@pytest.mark.parametrize("state", ["accepted", "done"])
def test_nothing_is_proposed_of_a_model_that_is_being_left(state: str) -> None:
    assert chosen([move(candidate=OTHER)], [standing(MOVE, state)]).new == ()


def test_a_rejected_move_gives_way_to_the_next_and_comes_back_as_another_matter_only() -> None:
    refused, second = standing(MOVE, "rejected"), move(candidate=OTHER, low="7000")
    assert chosen([MOVE, second], [refused]).new == (second,)
    assert chosen([move(low="11099.99")], [refused]).new == ()
    assert chosen([move(low="11100")], [refused]).new == (move(low="11100"),)
    assert chosen([move(verdict=Verdict.BETTER)], [refused]).new == (move(verdict=Verdict.BETTER),)


def test_what_may_save_nothing_is_measured_by_the_most_it_may_save() -> None:
    """Batch saves from nothing to all: nothing grown by half is nothing, and would come back the day it is rejected."""
    batch, refused = move(low="0", high="100"), standing(move(low="0", high="100"), "rejected")
    assert chosen([batch], [refused]).new == ()
    assert chosen([move(low="-1", high="149.99")], [refused]).new == ()
    assert chosen([move(low="0", high="150")], [refused]).new == (move(low="0", high="150"),)
    assert chosen([move(low="1", high="90")], [refused]).new == (move(low="1", high="90"),), "it is sure by now"
    assert chosen([batch], [standing(move(low="1", high="50"), "rejected")]).new == ()
    stood = standing(batch, "proposed")
    near, far = (move(candidate=OTHER, low="0", high=high) for high in ("109.99", "110"))
    assert chosen([near, batch], [stood]).renewed == ((stood, batch),)
    assert chosen([far, batch], [stood]).new == (far,)


def test_of_two_rejections_the_later_one_counts() -> None:
    later, earlier = standing(move(low="11100"), "rejected"), standing(MOVE, "rejected", 2)
    assert chosen([move(low="11100")], [later, earlier]).new == ()


# The table


@pytest.fixture
def project(db: None) -> Project:
    return make_project(make_organisation("acme"), "alpha", owner="lena@acme.example")


@pytest.fixture
def ann(db: None) -> Person:
    return Person.objects.create_user("ann@acme.example")


def test_advice_becomes_a_proposal_and_the_same_again_changes_nothing(project: Project) -> None:
    assert proposals.take(project, advice_of(MOVE), AT) == Taken(new=1)
    [one] = Proposal.objects.all()
    assert (one.move, one.since, one.until, one.currency) == (MOVE, *WINDOW, "USD")
    assert (one.saving_low, one.saving_high, one.owner, one.proposed_at) == (7400, 11100, "lena@acme.example", AT)
    before = list(Proposal.objects.values())
    assert proposals.take(project, advice_of(MOVE), datetime(2026, 11, 17, tzinfo=UTC)) == Taken(renewed=1)
    assert list(Proposal.objects.values()) == before
    assert KeptAdvice.objects.get().value == advice_of(MOVE)


def test_an_open_decision_follows_the_newest_advice_and_a_promise_stands_still(project: Project, ann: Person) -> None:
    [one] = proposed(project)
    proposals.take(project, advice_of(move(low="8000"), on=date(2026, 11, 17)))
    one.refresh_from_db()
    assert (one.saving_low, one.advised_on) == (8000, date(2026, 11, 17))
    proposals.accept(one, ann, "", date(2026, 12, 1))
    proposals.take(project, advice_of(move(low="9000")))
    one.refresh_from_db()
    assert (one.saving_low, one.move.saving) == (8000, Range(D(8000), D(11100)))
    assert Proposal.objects.count() == 1


def test_what_lapsed_is_taken_up_again_as_the_same_decision(project: Project) -> None:
    [one] = proposed(project)
    assert proposals.take(project, advice_of()) == Taken(lapsed=1)
    one.refresh_from_db()
    assert one.state == "lapsed"
    assert proposals.take(project, advice_of(MOVE)) == Taken(new=1)
    one.refresh_from_db()
    assert (one.state, Proposal.objects.count()) == ("proposed", 1)


def test_accepting_says_who_and_until_when_and_is_logged(project: Project, ann: Person) -> None:
    [one] = proposed(project)
    one = proposals.accept(one, ann, "lena@acme.example", date(2026, 12, 1))
    assert (one.state, one.decided_by, one.owner) == ("accepted", "ann@acme.example", "lena@acme.example")
    assert one.decided_at is not None
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.organisation_id, entry.before) == (
        "accepted a move", project.organisation_id, {"state": "proposed", "due": None}
    )  # fmt: skip
    assert entry.after is not None
    assert entry.after["due"] == "2026-12-01"
    assert entry.subject == "Alpha: GPT-5.6 Sol to Gemini 3.8 Flash (Google)"


def test_a_rejection_needs_its_reason_and_makes_room_for_the_next_move(project: Project, ann: Person) -> None:
    second = move(candidate=OTHER, low="7000")
    [one] = proposed(project, MOVE, second)
    with pytest.raises(Refused, match="Write why"):
        proposals.reject(one, ann, " \n ")
    proposals.reject(one, ann, "Legal wants\n no new vendor.")
    one.refresh_from_db()
    assert (one.state, one.reason, one.due) == ("rejected", "Legal wants no new vendor.", None)
    assert [found.move for found in proposed(project, MOVE, second)] == [second]


def test_a_decision_is_taken_once_and_taken_back(project: Project, ann: Person) -> None:
    [one] = proposed(project)
    proposals.accept(one, ann, "", None)
    with pytest.raises(Refused, match="this one is accepted"):
        proposals.accept(one, ann, "", None)
    assert proposals.reopen(one, ann).state == "proposed"
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == [
        "accepted a move", "took a decision back",
    ]  # fmt: skip


def test_the_log_has_what_a_decision_overwrites(project: Project, ann: Person) -> None:
    [one] = proposed(project)
    proposals.accept(one, ann, "", date(2026, 12, 1))
    proposals.reject(one, ann, "No new vendor")
    proposals.reopen(one, ann)
    rejected, reopened = AuditEntry.objects.order_by("pk")[1:]
    assert rejected.before == {"state": "accepted", "due": "2026-12-01", "reason": ""}
    assert reopened.before == {"state": "rejected", "reason": "No new vendor"}
    assert reopened.after is not None
    assert reopened.after["reason"] == ""


@pytest.mark.parametrize("meanwhile", ["nothing", "accept", "done"])
def test_what_is_rejected_cannot_be_taken_back_beside_the_same_open_move(
    project: Project, ann: Person, meanwhile: str
) -> None:
    [one] = proposed(project)
    proposals.reject(one, ann, "No.")
    proposals.take(project, advice_of(move(low="20000", high="30000")))
    again = Proposal.objects.get(state="proposed")
    if meanwhile == "accept":
        proposals.accept(again, ann, "", None)
    elif meanwhile == "done":
        proposals.done(again, ann)
    with pytest.raises(Refused, match="open already"):
        proposals.reopen(one, ann)


def test_what_has_moved_cannot_be_taken_back(project: Project, ann: Person) -> None:
    [one] = proposed(project)
    one = proposals.done(one, ann, ON)
    with pytest.raises(Refused, match="traffic has moved"):
        proposals.reopen(one, ann)


def test_an_owner_is_an_address(project: Project, ann: Person) -> None:
    [one] = proposed(project)
    with pytest.raises(Refused, match="e-mail address"):
        proposals.assign(one, ann, "the team", None)
    assert proposals.assign(one, ann, "lena@acme.example", ON).due == ON


@pytest.mark.parametrize(
    ("broken", "constraint"),
    [
        ({"state": "rejected", "decided_by": "a", "decided_at": AT, "reason": ""}, "proposal_rejected_with_reason"),
        ({"state": "accepted", "owner": "a@x.example"}, "proposal_decided_by_somebody"),
        ({"state": "accepted", "decided_by": "a", "decided_at": AT, "owner": ""}, "proposal_accepted_has_owner"),
        ({"owner": "", "due": ON}, "proposal_due_has_owner"),
        ({"state": "lapsed", "owner": "a@x.example", "due": ON}, "proposal_due_has_owner"),
        ({"moved_on": ON}, "proposal_moved_is_done"),
        ({"state": "realised", "moved_on": ON}, "proposal_realised_is_known"),
        ({"realised_low": 2, "realised_high": 1}, "proposal_realised_low_to_high"),
        ({"saving_low": 2, "saving_high": 1}, "proposal_low_to_high"),
        ({"since": ON, "until": ON}, "proposal_low_to_high"),
        ({"state": "pondered"}, "proposal_state_known"),
    ],
)
def test_the_database_refuses_what_cannot_be(project: Project, broken: dict[str, Any], constraint: str) -> None:
    [one] = proposed(project)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Proposal.objects.filter(pk=one.pk).update(**broken)


@pytest.mark.parametrize("state", ["proposed", "accepted", "done"])
def test_the_same_move_of_a_project_is_open_once(project: Project, state: str) -> None:
    [one] = proposed(project)
    kept = {"state": state, "owner": "a@x.example", "decided_by": "a", "decided_at": AT}
    Proposal.objects.filter(pk=one.pk).update(**kept)
    one.pk = None
    with pytest.raises(IntegrityError, match="proposal_open_once"), transaction.atomic():
        one.save()


# Day by day


def test_every_project_in_use_is_advised_once_a_day_and_in_a_task_of_its_own(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued: list[tuple[int, str]] = []
    monkeypatch.setattr("django.utils.timezone.now", lambda: AT)
    monkeypatch.setattr(decision_tasks.advise, "delay", lambda *args: queued.append(args))
    gone = make_project(project.organisation, "gone", archived_at=AT)
    decision_tasks.advise_due()
    assert queued == [(project.pk, "2026-11-16")]
    decision_tasks.advise(gone.pk, "2026-11-16")
    decision_tasks.advise(*queued[0])
    decision_tasks.advise_due()
    assert queued == [(project.pk, "2026-11-16")]
    assert [one.value.on for one in KeptAdvice.objects.all()] == [ON]


def test_the_command_does_what_the_task_does(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recommending, "advise", lambda project, on: advice_of(MOVE, on=on))
    out = io.StringIO()
    call_command("advise", "--on", "2026-11-16", stdout=out)
    assert out.getvalue() == "alpha: 1 new, 0 renewed, 0 lapsed, 0 moved\n"
    call_command("advise", "alpha", "--on", "2026-11-16", "--json", stdout=out)
    assert '"renewed": 1' in out.getvalue()
    for wrong, said in ((["beta"], "no project “beta”"), (["--on", "today"], "Write the day as 2026-11-26")):
        with pytest.raises(CommandError, match=said) as found:
            call_command("advise", *wrong)
        assert found.value.returncode == 2
