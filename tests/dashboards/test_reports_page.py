"""The page of weekly reports: subscriptions, what was sent and may not have arrived, the mail in its frame."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dashboards import access, outbox
from dashboards.models import AuditEntry, Message, Person, ReportSubscription
from dashboards.reports import mailing, subscriptions
from tests.dashboards.ledger_cast import NOW, World, client_of, world

__all__ = ["world"]
ASKED = {"about": "all", "weekday": "0", "hour": "8", "time_zone": "Europe/Berlin"}


@pytest.fixture(autouse=True)
def _a_mail_server_is_set(settings: Any) -> None:
    settings.SENDS_MAIL = True


def ada() -> Person:
    return Person.objects.get(email="ada@acme.example")


def subscribed(world: World, who: Person | None = None) -> ReportSubscription:
    made = subscriptions.begin(who or ada(), world.organisation)
    return subscriptions.save(made, weekday=0, hour=8, time_zone="Europe/Berlin", now=NOW)


def said(answer: Any) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())))


def heading(answer: Any) -> str:
    """What the finding reads, without its marks."""
    (found,) = re.findall(r'<h1 class="finding">(.*?)</h1>', answer.content.decode(), re.S)
    return unescape(re.sub(r"<[^>]+>", "", found))


def message(world: World, who: Person | None = None, **fields: Any) -> Message:
    made = outbox.put(who or ada(), world.organisation, "report", f"k{Message.objects.count()}", "Week 46", "text",
                      "<html><head></head><body>Week</body></html>", now=NOW)  # fmt: skip
    assert made is not None
    Message.objects.filter(pk=made.pk).update(**fields)
    return Message.objects.get(pk=made.pk)


def uncertain(world: World, who: Person | None = None) -> Message:
    return message(world, who, status="uncertain", data_began_at=NOW, said="no answer to the text: TimeoutError")


# Subscriptions


def test_a_report_is_made_changed_paused_resumed_and_removed_by_its_reader(world: World) -> None:
    assert heading(world.admin.get("/reports")) == "You get no weekly report yet."
    assert world.admin.post("/reports", ASKED).status_code == 302
    made = ReportSubscription.objects.get()
    assert heading(world.admin.get("/reports")) == "Your weekly report comes on 23 Nov 2026, 07:00."
    changed = {**ASKED, "about": "projects", "projects": [world.alpha.pk], "weekday": "4"}
    world.admin.post(f"/reports/{made.pk}", changed)
    assert ReportSubscription.objects.get().scope == "projects alpha"
    world.admin.post(f"/reports/{made.pk}/pause")
    assert heading(world.admin.get("/reports")) == "Your weekly report is paused."
    world.admin.post(f"/reports/{made.pk}/resume")
    assert ReportSubscription.objects.active().exists()
    world.admin.post(f"/reports/{made.pk}/remove")
    assert not ReportSubscription.objects.exists()
    done = AuditEntry.objects.order_by("pk").values_list("action", "subject")
    assert list(done) == [
        ("subscribed to a report", "All you may see"), ("changed a report", "Alpha"), ("paused a report", "Alpha"),
        ("resumed a report", "Alpha"), ("removed a report", "Alpha"),
    ]  # fmt: skip
    before = AuditEntry.objects.latest("pk").before
    assert before is not None
    assert (before["scope"], before["weekday"]) == ("projects alpha", 4)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"about": "projects"}, "Choose at least one project"),
        ({"hour": "25"}, "Choose an hour"),
        ({"time_zone": "Mars"}, "Choose a time zone of the list"),
        ({"about": "cost centre 9"}, "Choose all you may see"),
    ],
)
def test_what_makes_no_report_is_said_at_its_field(world: World, asked: dict[str, str], says: str) -> None:
    answer = world.admin.post("/reports", {**ASKED, **asked})
    assert answer.status_code == 422
    assert says in said(answer)
    assert not ReportSubscription.objects.exists()


def test_the_same_report_twice_is_refused(world: World) -> None:
    world.admin.post("/reports", ASKED)
    answer = world.admin.post("/reports", ASKED)
    assert answer.status_code == 422
    assert "You have a report of these projects already" in said(answer)


def test_a_project_one_may_not_see_cannot_be_chosen(world: World) -> None:
    asked = {**ASKED, "about": "projects", "projects": [world.beta.pk]}
    assert "Choose projects of the list" in said(world.alpha_only.post("/reports", asked))
    assert "Beta" not in said(world.alpha_only.get("/reports"))


def test_anothers_report_is_not_there(world: World) -> None:
    theirs = subscribed(world)
    assert world.alpha_only.get(f"/reports?change={theirs.pk}").status_code == 404
    assert world.alpha_only.get(f"/reports/preview?subscription={theirs.pk}").status_code == 404
    assert world.alpha_only.post(f"/reports/{theirs.pk}", ASKED).status_code == 404
    assert world.alpha_only.post(f"/reports/{theirs.pk}/remove").status_code == 404
    assert ReportSubscription.objects.exists()


@pytest.mark.parametrize("number", ["²", "٣", "9" * 30, "first"])
def test_what_is_no_number_of_a_report_names_none(world: World, number: str) -> None:
    subscribed(world)
    for path, name in (("/reports", "change"), ("/reports/preview", "subscription")):
        assert world.admin.get(path, {name: number}).status_code == 200


def test_an_hour_before_the_end_of_the_utc_week_is_explained(world: World) -> None:
    made = subscribed(world)
    assert "not over in UTC" not in said(world.admin.get(f"/reports?change={made.pk}"))
    subscriptions.save(made, weekday=0, hour=8, time_zone="Pacific/Auckland", now=NOW)
    assert "not over in UTC" in said(world.admin.get(f"/reports?change={made.pk}"))


def test_without_a_mail_server_the_page_says_what_to_set(world: World, settings: Any) -> None:
    settings.SENDS_MAIL = False
    made = subscribed(world)
    answer = world.admin.get("/reports")
    assert heading(answer) == "No mail server is set, so no report is sent."
    assert "RATECARD_EMAIL_URL=" in said(answer)
    assert "Send a test now" not in said(answer)
    assert "RATECARD_EMAIL_URL" in said(world.admin.post(f"/reports/{made.pk}/test", follow=True))


# Mail


def test_a_test_is_on_its_way_at_once(world: World) -> None:
    made = subscribed(world)
    answer = world.admin.post(f"/reports/{made.pk}/test", follow=True)
    assert "is on its way to ada@acme.example" in said(answer)
    assert [one.subject for one in mail.outbox] == ["Test: Acme, week 46: $78.00, +20.0%"]
    assert Message.objects.get().status == "sent"


def test_what_may_not_have_arrived_stands_first_and_is_sent_again_by_a_person(world: World) -> None:
    found = uncertain(world)
    answer = world.admin.get("/reports")
    assert heading(answer).endswith("One mail may not have arrived.")
    assert "the line broke while it was sent: it may have arrived" in said(answer)
    for _ in range(2):  # the second press finds nothing to do
        world.admin.post(f"/reports/sent/{found.pk}/again")
    assert len(mail.outbox) == 1
    assert Message.objects.get().status == "sent"
    assert AuditEntry.objects.filter(action="sent a mail again").count() == 1


def test_an_admin_sees_of_others_what_may_not_have_arrived_and_nothing_else(world: World) -> None:
    bea = Person.objects.get(email="bea@acme.example")
    theirs, sent = uncertain(world, bea), message(world, bea, status="sent", sent_at=NOW)
    assert "bea@acme.example" in said(world.admin.get("/reports"))
    assert world.admin.get(f"/reports/sent/{theirs.pk}").status_code == 200
    assert world.admin.get(f"/reports/sent/{sent.pk}").status_code == 404
    mia = Person.objects.create_user("mia@acme.example")
    access.grant(mia, "member", world.organisation)
    assert "bea@acme.example" not in said(client_of(mia).get("/reports"))
    assert client_of(mia).post(f"/reports/sent/{theirs.pk}/again").status_code == 404


def test_the_table_is_there_as_csv(world: World) -> None:
    uncertain(world)
    answer = world.admin.get("/reports?format=csv")
    (row,) = csv.DictReader(io.StringIO(answer.content.decode()))
    assert (row["to"], row["state"], row["subject"]) == ("ada@acme.example", "uncertain", "Week 46")


def test_the_page_takes_a_known_number_of_queries(world: World) -> None:
    subscribed(world)
    uncertain(world)
    world.admin.get("/reports")
    with CaptureQueriesContext(connection) as caught:
        world.admin.get("/reports")
    assert len(caught) == 12


# The mail in a frame


def test_the_preview_frames_the_mail_under_a_policy_of_its_own(world: World) -> None:
    answer = world.admin.get("/reports/preview?week=2026-W46")
    assert heading(answer) == "Acme, week 46: $78.00, +20.0%"
    assert answer["Content-Security-Policy"].startswith("default-src 'self'")
    assert "style=" not in answer.content.decode()
    frame, same = re.findall(r'<iframe[^>]*src="([^"]+)"', answer.content.decode())
    assert frame == same
    framed = world.admin.get(unescape(frame))
    policy = framed["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert framed["X-Frame-Options"] == "SAMEORIGIN"
    assert "no-store" in framed["Cache-Control"]
    body = framed.content.decode()
    assert 'style="' in body
    assert 'src="data:image/png;base64,' in body
    assert "cid:" not in body


def test_what_was_sent_is_shown_as_it_went_under_the_same_policy(world: World) -> None:
    found = subscribed(world)
    made = mailing.send(found, NOW.date() - timedelta(days=9), NOW)
    assert made is not None
    assert f'src="/reports/sent/{made.pk}/mail"' in world.admin.get(f"/reports/sent/{made.pk}").content.decode()
    framed = world.admin.get(f"/reports/sent/{made.pk}/mail")
    assert "sandbox" in framed["Content-Security-Policy"]
    assert 'src="data:image/png;base64,' in framed.content.decode()


@pytest.mark.parametrize(("week", "says"), [("2026-W47", "not over"), ("soon", "write 2026-W46")])
def test_a_week_that_cannot_be_shown_is_named(world: World, week: str, says: str) -> None:
    answer = world.admin.get(f"/reports/preview?week={week}")
    assert answer.status_code == 400
    assert says in said(answer)
