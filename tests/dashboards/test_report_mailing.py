"""Reports reach people: at their hour once a week whatever the clocks do, with their rights, until they unsubscribe."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from dashboards import access, outbox, report_tasks, tasks
from dashboards.models import AuditEntry, Message, Person, ReportSubscription
from dashboards.reports import mailing, subscriptions
from dashboards.reports.timetable import is_before_weeks_end, next_time
from tests.dashboards.ledger_cast import NOW, World, world
from tests.dashboards.smtp_sink import Sink, serving

__all__ = ["world"]
MONDAY = datetime(2026, 11, 23, 7, tzinfo=UTC)  # 08:00 in Berlin


@pytest.fixture(autouse=True)
def _a_mail_server_is_set(settings: Any) -> None:
    settings.SENDS_MAIL = True
    settings.BASE_URL = "https://ratecard.example"
    settings.DEFAULT_FROM_EMAIL = "ratecard@acme.example"


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    with serving() as found:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", found.port, False
        yield found


def subscribed(world: World, name: str = "ada", **more: Any) -> ReportSubscription:
    who = Person.objects.get(email=f"{name}@acme.example")
    made = subscriptions.begin(who, world.organisation)
    when = {"weekday": 0, "hour": 8, "time_zone": "Europe/Berlin", "now": NOW}
    return subscriptions.save(made, **(when | more))


# When


@pytest.mark.parametrize(
    ("zone", "weekday", "hour", "after", "due"),
    [
        ("Europe/Berlin", 0, 8, "2026-11-18T12:00Z", "2026-11-23T07:00Z"),
        ("Europe/Berlin", 2, 13, "2026-11-18T12:00Z", "2026-11-25T12:00Z"),  # that very moment has been
        ("Europe/Berlin", 2, 14, "2026-11-18T12:00Z", "2026-11-18T13:00Z"),
        ("Europe/Berlin", 6, 2, "2026-03-25T00:00Z", "2026-03-29T01:00Z"),  # clocks skip 02:00: as they do
        ("Europe/Berlin", 6, 2, "2026-03-29T01:00Z", "2026-04-05T00:00Z"),
        ("Europe/Berlin", 6, 2, "2026-10-20T00:00Z", "2026-10-25T00:00Z"),  # 02:00 comes twice: the first
        ("Europe/Berlin", 6, 2, "2026-10-25T00:00Z", "2026-11-01T01:00Z"),
        ("Pacific/Auckland", 0, 8, "2026-11-18T12:00Z", "2026-11-22T19:00Z"),
    ],
)
def test_a_report_is_due_at_the_readers_hour(zone: str, weekday: int, hour: int, after: str, due: str) -> None:
    assert next_time(weekday, hour, zone, datetime.fromisoformat(after)) == datetime.fromisoformat(due)


@given(
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kolkata"]),
    st.integers(0, 6),
    st.integers(0, 23),
    st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - as it asks
)
def test_there_is_one_moment_in_each_local_week(zone: str, weekday: int, hour: int, start: datetime) -> None:
    moments = [next_time(weekday, hour, zone, start)]
    for _ in range(30):
        moments.append(next_time(weekday, hour, zone, moments[-1]))
    days = [moment.astimezone(ZoneInfo(zone)).date() for moment in moments]
    assert {(b - a).days for a, b in zip(days, days[1:], strict=False)} == {7}
    assert {day.weekday() for day in days} == {weekday}
    assert moments[0] > start


def test_far_in_the_east_the_local_week_is_over_before_the_utc_one() -> None:
    assert is_before_weeks_end(0, 8, "Pacific/Auckland", NOW)
    assert not is_before_weeks_end(0, 14, "Pacific/Auckland", NOW)
    assert not is_before_weeks_end(0, 8, "America/Los_Angeles", NOW)


# Who and what


def test_one_subscription_a_subject_and_no_nonsense(world: World) -> None:
    first = subscribed(world)
    with pytest.raises(subscriptions.Refused, match="already"):
        subscribed(world)
    with pytest.raises(subscriptions.Refused, match="not both"):
        subscribed(world, projects=[world.alpha], cost_centre="4100")
    with pytest.raises(subscriptions.Refused, match="time zone"):
        subscribed(world, projects=[world.alpha], time_zone="Mars/Base")
    with pytest.raises(subscriptions.Refused, match="hour"):
        subscribed(world, projects=[world.alpha], hour=24)
    assert list(ReportSubscription.objects.all()) == [first]
    with pytest.raises(IntegrityError), transaction.atomic():
        ReportSubscription.objects.update(is_unsubscribed=True)


def test_the_projects_of_a_cost_centre_are_those_it_has_when_the_report_is_made(world: World) -> None:
    found = subscribed(world, cost_centre="4100")
    assert subscriptions.project_ids(found) == []
    world.beta.cost_centre = "4100"
    world.beta.save()
    assert subscriptions.project_ids(found) == [world.beta.pk]
    assert subscriptions.project_ids(subscribed(world)) is None


def test_a_report_of_projects_that_were_removed_is_not_one_of_everything(world: World) -> None:
    found = subscribed(world, projects=[world.beta])
    found.projects.clear()
    assert subscriptions.project_ids(found) == []
    assert mailing.send(found, date(2026, 11, 9), NOW) is None


# Once a week


def test_a_due_report_goes_once_and_comes_again_a_week_later(world: World, sink: Sink) -> None:
    found = subscribed(world)
    assert found.next_at == MONDAY
    assert mailing.send_due(found, MONDAY) is not None
    assert mailing.send_due(found, MONDAY) is None  # another worker, with the row as it was
    assert ReportSubscription.objects.get().next_at == MONDAY + timedelta(days=7)
    assert outbox.deliver_due(MONDAY) == {"sent": 1}
    (mail,) = sink.accepted
    assert mail["To"] == "ada@acme.example"
    assert mail["Subject"] == "Acme, week 47: no tokens used"
    assert [part.get_content_type() for part in mail.walk() if not part.is_multipart()][:2] == [
        "text/plain", "text/html",
    ]  # fmt: skip


def test_what_a_report_says_and_its_headers_arrive_whole(world: World, sink: Sink) -> None:
    found = subscribed(world)
    assert mailing.send(found, date(2026, 11, 9), NOW) is not None
    outbox.deliver_due(NOW)
    (mail,) = sink.accepted
    parts = {part.get_content_type(): part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart()}
    assert "Acme spent $78.00 last week" in " ".join(parts["text/plain"].decode().split())
    assert b"\x89PNG" in parts["image/png"]
    for picture in re.findall(rb'src="cid:([^"]+)"', parts["text/html"]):
        assert [part for part in mail.walk() if part["Content-ID"] == f"<{picture.decode()}>"]
    link = mail["List-Unsubscribe"].replace("\r\n", "").strip()
    assert link == f"<https://ratecard.example{mailing.unsubscribe_path(found)}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_week_is_told_once_however_it_is_asked_for(world: World) -> None:
    found = subscribed(world)
    week = date(2026, 11, 9)
    assert mailing.send(found, week, NOW) is not None
    assert mailing.send(found, week, NOW) is None
    subscriptions.save(found, weekday=4, hour=6, time_zone="UTC", now=NOW)
    assert mailing.send(found, week, NOW) is None
    assert mailing.send(subscribed(world, projects=[world.alpha]), week, NOW) is not None
    assert Message.objects.count() == 2


def test_a_worker_killed_before_the_mail_is_kept_leaves_the_report_due(world: World, monkeypatch: Any) -> None:
    found = subscribed(world)
    monkeypatch.setattr(outbox, "put", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        mailing.send_due(found, MONDAY)
    assert list(ReportSubscription.objects.due(MONDAY)) == [found]


def test_who_was_removed_gets_nothing_and_is_not_asked_again_before_next_week(world: World) -> None:
    found = subscribed(world, "bea")
    found.person.memberships.all().delete()
    assert mailing.send_due(found, MONDAY) is None
    assert not Message.objects.exists()
    assert not ReportSubscription.objects.due(MONDAY).exists()


def test_who_may_see_less_at_sending_time_is_told_less(world: World) -> None:
    found = subscribed(world)

    found.person.memberships.all().delete()
    access.grant(found.person, "viewer", world.organisation, world.beta)
    message = mailing.send(found, date(2026, 11, 9), NOW)
    assert message is not None
    assert message.subject == "Beta, week 46: $10.00, −50.0%"
    assert "Alpha" not in message.text + message.html


def test_nobody_paused_or_closed_is_due(world: World) -> None:
    paused, closed = subscribed(world), subscribed(world, "bea")
    subscriptions.pause(paused, NOW)
    access.set_active(closed.person, False)
    assert not ReportSubscription.objects.due(MONDAY + timedelta(days=30)).exists()
    assert not subscriptions.move_on(paused, MONDAY)
    subscriptions.resume(paused, MONDAY + timedelta(days=30))
    resumed = ReportSubscription.objects.get(pk=paused.pk)
    assert resumed.next_at == datetime(2026, 12, 28, 7, tzinfo=UTC)  # what was missed is not sent afterwards


def test_the_tasks_send_what_is_due_and_wait_for_a_mail_server(world: World, sink: Sink, settings: Any) -> None:
    found = subscribed(world)
    ReportSubscription.objects.update(next_at=NOW)
    settings.SENDS_MAIL = False
    report_tasks.send_reports()
    tasks.deliver_due()
    assert ReportSubscription.objects.due(NOW).exists()
    settings.SENDS_MAIL = True
    report_tasks.send_reports()
    report_tasks.send_reports()
    tasks.deliver_due()
    tasks.deliver_due()
    assert [mail["Subject"] for mail in sink.accepted] == ["Acme, week 46: $78.00, +20.0%"]
    assert ReportSubscription.objects.get(pk=found.pk).next_at == MONDAY


def test_a_test_is_sent_as_often_as_somebody_asks_and_beside_the_report(world: World, sink: Sink) -> None:
    found = subscribed(world)
    for minutes in range(2):
        assert mailing.send_test(found, NOW + timedelta(minutes=minutes)) is not None
    assert mailing.send(found, date(2026, 11, 9), NOW) is not None
    assert sorted(Message.objects.values_list("subject", flat=True)) == [
        "Acme, week 46: $78.00, +20.0%",
        *["Test: Acme, week 46: $78.00, +20.0%"] * 2,
    ]


# The link


def test_one_post_without_a_sign_in_unsubscribes_and_a_get_does_not(world: World) -> None:
    found = subscribed(world)
    path = mailing.unsubscribe_path(found)
    stranger = Client(enforce_csrf_checks=True)
    shown = stranger.get(path)
    assert shown.status_code == 200
    assert shown.content.count(b"<button") == 1
    assert ReportSubscription.objects.active().exists()
    for _ in range(2):
        assert stranger.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    ended = ReportSubscription.objects.get()
    assert (ended.is_unsubscribed, ended.paused_at) == (True, NOW)
    entry = AuditEntry.objects.get(action="unsubscribed from a report")
    assert (entry.who, entry.subject) == ("ada@acme.example", "All you may see")
    assert b"Turn it on again" in stranger.get(path).content
    world.admin.post(f"/reports/{found.pk}/resume")
    assert ReportSubscription.objects.active().get().is_unsubscribed is False


def test_a_link_that_nobody_signed_opens_nothing(world: World) -> None:
    found = subscribed(world)
    token = subscriptions.token(found)
    for wrong in (f"{found.pk}", token[:-1], token.replace(f"{found.pk}:", f"{found.pk + 1}:"), "x" * 300):
        assert Client().post(f"/reports/unsubscribe/{wrong}").status_code == 404
    assert ReportSubscription.objects.active().exists()


# By hand


def command(**options: Any) -> Any:
    out = StringIO()
    call_command("send_weekly_reports", stdout=out, **options)
    return out.getvalue()


def test_the_command_sends_a_week_once_and_a_dry_run_prints_it(world: World, sink: Sink) -> None:
    subscribed(world)
    subscribed(world, "bea")
    dry = command(week="2026-W46", dry_run=True)
    assert "Subject: Acme, week 46: $78.00, +20.0%" in dry
    assert "Subject: Alpha, week 46: $60.00, +50.0%" in dry
    assert not Message.objects.exists()
    assert json.loads(command(week="2026-W46", json=True)) == {
        "week": "2026-W46", "subscriptions": 2, "kept": 2, "ended": {"sent": 2},
    }  # fmt: skip
    assert command() == "2026-W46: 0 of 2 reports were due; nothing waited.\n"
    assert len(sink.accepted) == 2


@pytest.mark.parametrize(("week", "says"), [("2026-W47", "not over"), ("soon", "write 2026-W46")])
def test_the_command_names_what_is_no_week(world: World, week: str, says: str) -> None:
    with pytest.raises(CommandError, match=says) as fault:
        command(week=week)
    assert fault.value.returncode == 2


def test_the_commands_say_what_to_set_without_a_mail_server(world: World, settings: Any) -> None:
    settings.SENDS_MAIL = False
    for name in ("send_weekly_reports", "deliver_mail"):
        with pytest.raises(CommandError, match="RATECARD_EMAIL_URL"):
            call_command(name)
    assert "Nobody would get a report" in command(dry_run=True)


# Rights at each try


@pytest.mark.parametrize("lost", ["removed", "closed", "another project"])
def test_a_mail_whose_reader_lost_the_right_to_it_is_withdrawn_and_listed(world: World, sink: Sink, lost: str) -> None:
    found = subscribed(world, "bea")
    sink.answers["rcpt"] = "451 later"
    assert mailing.send(found, date(2026, 11, 9), NOW) is not None
    assert outbox.deliver_due(NOW) == {"claimed": 1}
    bea = found.person
    if lost == "closed":
        access.set_active(bea, False)
    else:
        access.remove(bea.memberships.get())
    if lost == "another project":
        access.grant(bea, "viewer", world.organisation, world.beta)
    sink.answers.clear()
    assert outbox.deliver_due(NOW + timedelta(minutes=2)) == {"withdrawn": 1}
    assert outbox.deliver_due(NOW + timedelta(hours=9)) == {}
    assert sink.accepted == []
    assert Message.objects.get().said == "its reader may not see what it shows any more"
    assert "withdrawn" in world.admin.get("/reports").content.decode()


def test_a_mail_goes_to_whom_may_still_see_all_of_it(world: World, sink: Sink) -> None:
    found = subscribed(world, projects=[world.alpha])
    sink.answers["rcpt"] = "451 later"
    mailing.send(found, date(2026, 11, 9), NOW)
    outbox.deliver_due(NOW)
    ada = found.person
    access.grant(Person.objects.get(email="charlie@acme.example"), "admin", world.organisation)
    access.remove(ada.memberships.get())
    access.grant(ada, "viewer", world.organisation, world.alpha)  # of the whole once, and of what this shows still
    sink.answers.clear()
    assert outbox.deliver_due(NOW + timedelta(minutes=2)) == {"sent": 1}


def test_an_alert_is_withdrawn_by_the_projects_it_tells_of(world: World, sink: Sink) -> None:
    bea = Person.objects.get(email="bea@acme.example")
    for name, shows, then in (("mine", {world.alpha.pk}, "sent"), ("theirs", {world.beta.pk}, "withdrawn"),
                              ("whole", None, "withdrawn")):  # fmt: skip
        made = outbox.put(bea, world.organisation, "alert", name, name, "text", shows=shows, now=NOW)
        assert made is not None
        assert outbox.deliver(made.pk, NOW) == then
    assert [mail["Subject"] for mail in sink.accepted] == ["mine"]


def test_what_one_may_not_see_any_more_is_not_shown_on_the_page_either(world: World, sink: Sink) -> None:
    mailing.send(subscribed(world, "bea"), date(2026, 11, 9), NOW)
    message, bea = Message.objects.get(), Person.objects.get(email="bea@acme.example")
    assert b"Alpha, week 46" in world.alpha_only.get("/reports").content
    assert world.alpha_only.get(f"/reports/sent/{message.pk}").status_code == 200
    access.remove(bea.memberships.get())
    access.grant(bea, "viewer", world.organisation, world.beta)
    for path in ("", "?format=csv"):
        page = world.alpha_only.get(f"/reports{path}").content
        assert b"what you may not see any more" in page
        assert b"$60" not in page
    for path in ("", "/mail"):
        assert world.alpha_only.get(f"/reports/sent/{message.pk}{path}").status_code == 404
    assert world.alpha_only.post(f"/reports/sent/{message.pk}/again").status_code == 404
