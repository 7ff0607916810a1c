"""Mail goes at most once, and is listed where it may not have arrived: against a real SMTP server that misbehaves."""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction

from dashboards import outbox
from dashboards.models import Message
from dashboards.outbox import sending
from tests.dashboards.people_cast import Cast, cast
from tests.dashboards.smtp_sink import DROP, HANG, Sink, serving

__all__ = ["cast"]
NOW = datetime(2026, 11, 16, 7, tzinfo=UTC)
Status = Message.Status
SMTP = "django.core.mail.backends.smtp.EmailBackend"


@pytest.fixture(autouse=True)
def _a_mail_server_is_set(settings: Any) -> None:
    settings.SENDS_MAIL = True
    settings.DEFAULT_FROM_EMAIL = "Ratecard <ratecard@larkfield.example>"


def through(sink: Sink, settings: Any) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", sink.port
    settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL, settings.EMAIL_TIMEOUT = False, False, 0.6


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    with serving() as found:
        through(found, settings)
        yield found


def kept(cast: Cast, key: str = "report 2026-W46", **more: Any) -> Message:
    made = outbox.put(cast.ada, cast.larkfield, "report", key, "Spend rose", ".A text\nof lines", now=NOW, **more)
    assert made is not None
    return made


def after(message: Message) -> Message:
    return Message.objects.get(pk=message.pk)


# What is kept


def test_one_key_is_one_message_of_a_person(cast: Cast) -> None:
    first = kept(cast)
    assert outbox.put(cast.ada, cast.larkfield, "report", first.dedupe_key, "Other", "text", now=NOW) is None
    others = [
        outbox.put(cast.mia, cast.larkfield, "report", first.dedupe_key, "Other", "text", now=NOW),
        outbox.put(cast.ada, cast.other, "report", first.dedupe_key, "Other", "text", now=NOW),
        outbox.put(cast.ada, cast.larkfield, "report", "report 2026-W47", "Other", "text", now=NOW),
    ]
    assert len({one.pk for one in others if one} | {first.pk}) == 4
    assert first.message_id.endswith("@larkfield.example>")


def test_without_a_mail_server_nothing_is_kept(cast: Cast, settings: Any) -> None:
    settings.SENDS_MAIL = False
    assert outbox.put(cast.ada, cast.larkfield, "report", "report 2026-W46", "Spend rose", "text", now=NOW) is None
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": Status.SENDING},
        {"status": Status.SENT},
        {"status": Status.UNCERTAIN},
        {"sent_at": NOW},
    ],
)
def test_the_database_refuses_a_state_that_cannot_be(cast: Cast, wrong: dict[str, Any]) -> None:
    message = kept(cast)
    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.filter(pk=message.pk).update(**wrong)


# What a server may do


def test_an_accepted_mail_is_sent_once_with_its_parts(cast: Cast, sink: Sink) -> None:
    html = '<p>Spend rose <img src="cid:chart"></p>' + "x" * 2000
    message = kept(cast, html=html, pictures={"chart": b"\x89PNG"}, headers={"List-Unsubscribe": "<https://a.example>"})
    assert outbox.deliver_due(NOW) == {"sent": 1}
    assert outbox.deliver_due(NOW + timedelta(hours=1)) == {}
    assert (after(message).status, after(message).sent_at, after(message).tries) == (Status.SENT, NOW, 1)
    (found,) = sink.accepted
    assert found["Message-ID"] == message.message_id
    assert (found["To"], found["Subject"]) == ("ada@larkfield.example", "Spend rose")
    assert found["Auto-Submitted"] == "auto-generated"
    assert found["List-Unsubscribe"] == "<https://a.example>"
    parts = {part.get_content_type(): part for part in found.walk() if not part.is_multipart()}
    assert list(parts) == ["text/plain", "text/html", "image/png"]
    assert parts["text/plain"].get_payload(decode=True).splitlines() == [b".A text", b"of lines"]
    assert parts["text/html"].get_payload(decode=True).decode().strip() == html
    assert parts["image/png"]["Content-ID"] == "<chart>"


@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "text"])
def test_a_5xx_to_the_message_is_for_good_and_listed(cast: Cast, sink: Sink, step: str) -> None:
    sink.answers[step] = "550 nobody of that name"
    message = kept(cast)
    assert outbox.deliver_due(NOW) == {"refused": 1}
    sink.answers.clear()
    assert outbox.deliver_due(NOW + timedelta(days=1)) == {}
    assert sink.accepted == []
    assert list(Message.objects.unsettled()) == [message]
    assert "550 nobody of that name" in after(message).said


@pytest.mark.parametrize(
    ("step", "word"),
    [
        *[(step, "451 later") for step in ("greeting", "mail", "rcpt", "data", "text")],
        ("greeting", "554 not from here"),
        *[(step, DROP) for step in ("greeting", "helo", "mail", "rcpt", "data")],
        *[(step, HANG) for step in ("greeting", "mail", "rcpt", "data")],
    ],
)
def test_what_was_certainly_not_taken_is_tried_again_and_arrives_once(
    cast: Cast, sink: Sink, step: str, word: str
) -> None:
    sink.answers[step] = word
    message = kept(cast)
    assert outbox.deliver_due(NOW) == {"claimed": 1}
    assert after(message).next_try_at == NOW + sending.PAUSES[0]
    assert after(message).said
    assert sink.accepted == []
    sink.answers.clear()
    assert outbox.deliver_due(NOW) == {}
    assert outbox.deliver_due(NOW + sending.PAUSES[0]) == {"sent": 1}
    assert sink.message_ids == [message.message_id]


def test_a_server_that_is_not_there_is_asked_again_until_it_is_given_up(cast: Cast, settings: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        through(Sink(port=free.getsockname()[1]), settings)
        message, at = kept(cast), NOW
        for number in range(1, sending.TRIES + 1):
            outbox.deliver_due(at)
            assert after(message).tries == number
            at = after(message).next_try_at
    assert after(message).status == Status.GIVEN_UP
    assert "ConnectionRefusedError" in after(message).said
    assert list(Message.objects.unsettled()) == [message]


def test_what_could_not_be_sent_for_days_is_given_up_at_the_next_failure(cast: Cast, sink: Sink) -> None:
    sink.answers["rcpt"] = "451 later"
    message = kept(cast)
    assert outbox.deliver_due(NOW + outbox.LIVES) == {"given up": 1}
    assert after(message).tries == 1


@pytest.mark.parametrize(
    ("word", "status"), [("25", "uncertain"), ("2", "uncertain"), ("Ok: queued", "uncertain"), ("251 taken", "sent")]
)
def test_an_answer_to_the_text_that_is_none_sends_nothing_twice(cast: Cast, sink: Sink, word: str, status: str) -> None:
    sink.answers["text"] = word
    kept(cast)
    assert outbox.deliver_due(NOW) == {status: 1}
    assert outbox.deliver_due(NOW + timedelta(hours=1)) == {}


@pytest.mark.parametrize("word", [DROP, HANG])
def test_a_line_that_breaks_after_the_text_leaves_the_mail_uncertain(cast: Cast, sink: Sink, word: str) -> None:
    sink.answers["text"] = word
    message = kept(cast)
    assert outbox.deliver_due(NOW) == {"uncertain": 1}
    sink.answers.clear()
    assert outbox.deliver_due(NOW + timedelta(days=2)) == {}
    assert len(sink.accepted) == 1
    assert list(Message.objects.unsettled()) == [message]


# Decisions of a person


def test_a_person_may_send_again_what_is_uncertain_and_it_keeps_its_id(cast: Cast, sink: Sink) -> None:
    sink.answers["text"] = DROP
    message = kept(cast)
    outbox.deliver_due(NOW)
    sink.answers.clear()
    assert outbox.send_again(message, NOW + timedelta(days=9))
    assert not outbox.send_again(message, NOW + timedelta(days=9))
    assert outbox.deliver_due(NOW + timedelta(days=9)) == {"sent": 1}
    assert sink.message_ids == [message.message_id] * 2
    assert not outbox.send_again(message, NOW + timedelta(days=9))


# Workers


def taken_by_a_worker_that_died(message: Message, *, began: bool) -> None:
    Message.objects.filter(pk=message.pk).update(
        **sending._taken(uuid.uuid4(), NOW) | ({"data_began_at": NOW} if began else {})
    )


@pytest.mark.parametrize(("began", "then"), [(False, Status.CLAIMED), (True, Status.UNCERTAIN)])
def test_what_a_dead_worker_left_is_tried_again_or_uncertain(cast: Cast, began: bool, then: str) -> None:
    message = kept(cast)
    taken_by_a_worker_that_died(message, began=began)
    assert outbox.sweep(NOW + outbox.STALE) == 0
    assert outbox.sweep(NOW + outbox.STALE + timedelta(seconds=1)) == 1
    assert after(message).status == then


def test_a_slow_worker_whose_row_was_given_to_another_sends_nothing(cast: Cast, sink: Sink, monkeypatch: Any) -> None:
    message = kept(cast)
    whole = sending.transport.hand_over

    def slow(mine: Message, began: Any) -> Any:
        monkeypatch.setattr(sending.transport, "hand_over", whole)
        outbox.sweep(NOW + timedelta(hours=1))
        assert outbox.deliver(mine.pk, after(mine).next_try_at) == "sent"
        return whole(mine, began)

    monkeypatch.setattr(sending.transport, "hand_over", slow)
    assert outbox.deliver(message.pk, NOW) is None
    assert sink.message_ids == [message.message_id]
    assert after(message).status == Status.SENT


def test_a_slow_worker_that_was_swept_still_says_that_its_mail_was_taken(
    cast: Cast, sink: Sink, monkeypatch: Any
) -> None:
    message = kept(cast)
    whole = sending.transport.hand_over

    def slow(mine: Message, began: Any) -> Any:
        answer = whole(mine, began)
        outbox.sweep(NOW + timedelta(hours=1))
        assert after(mine).status == Status.UNCERTAIN
        return answer

    monkeypatch.setattr(sending.transport, "hand_over", slow)
    assert outbox.deliver(message.pk, NOW) == "sent"
    assert after(message).status == Status.SENT


def test_a_message_in_hand_is_nobody_elses(cast: Cast, sink: Sink, monkeypatch: Any) -> None:
    message = kept(cast)
    whole = sending.transport.hand_over

    def with_a_rival(mine: Message, began: Any) -> Any:
        assert outbox.deliver(mine.pk, NOW) is None
        return whole(mine, began)

    monkeypatch.setattr(sending.transport, "hand_over", with_a_rival)
    assert outbox.deliver(message.pk, NOW) == "sent"
    assert len(sink.accepted) == 1


def test_a_console_or_a_folder_takes_mail_too(cast: Cast) -> None:
    kept(cast)
    assert outbox.deliver_due(NOW) == {"sent": 1}
    assert [one.subject for one in mail.outbox] == ["Spend rose"]


WORKER = """
import sys, django; django.setup()
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
settings.SENDS_MAIL, settings.EMAIL_BACKEND = True, "django.core.mail.backends.smtp.EmailBackend"
settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", int(sys.argv[2]), False
from dashboards import outbox
from dashboards.models import Message
Message.objects.count()
print("ready", flush=True); sys.stdin.readline()
from datetime import datetime
print(outbox.deliver(int(sys.argv[3]), datetime.fromisoformat(sys.argv[4])), flush=True)
"""


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_workers_killed_around_sending_send_no_mail_twice_and_lose_none(cast: Cast, sink: Sink) -> None:
    chance = random.Random(20261126)  # noqa: S311
    sink.pause = 0.03
    for number in range(8):
        message = kept(cast, f"report {number}")
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, connection.settings_dict["NAME"], *map(str, (sink.port, message.pk, NOW))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert worker.stdin is not None
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        worker.stdin.write("\n")
        worker.stdin.flush()
        time.sleep(chance.uniform(0, 0.3))
        worker.send_signal(signal.SIGKILL)
        worker.communicate(timeout=30)
    sink.pause = 0.0
    time.sleep(0.3)
    for hours in (1, 2, 3):
        outbox.deliver_due(NOW + timedelta(hours=hours))
    came = sink.message_ids
    assert len(came) == len(set(came))
    for message in Message.objects.all():
        assert message.status in (Status.SENT, Status.UNCERTAIN)
        assert message.message_id in came or message.status == Status.UNCERTAIN
