"""The webhook against a real server: signed, tried again where that can help, once in the end, nowhere private."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboards import alerts, webhooks
from dashboards.alerts import Fact
from dashboards.alerts.words import Told
from dashboards.models import Alert, AuditEntry, Person, Webhook, WebhookDelivery
from dashboards.webhooks import sending
from dashboards.webhooks.payload import body_of
from tests.pricing.loopback import Exchange, Server, make_fetcher, serving
from tests.usage.factories import make_organisation
from usage.models import Organisation

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)


class Receiver:
    """What came in: bodies and headers; `script` answers instead of 200, call by call."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.script: list[Callable[[Exchange], None]] = []

    def __call__(self, exchange: Exchange) -> None:
        self.bodies.append(exchange.body)
        self.headers.append({name.lower(): value for name, value in exchange.headers.items()})
        if self.script:
            self.script.pop(0)(exchange)
        else:
            exchange.answer(b"ok")


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def server(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serving(receiver) as running:
        monkeypatch.setattr(sending, "default_fetcher", lambda: make_fetcher(reads_refusals=True))
        yield running


@pytest.fixture
def person(db: None) -> Person:
    return Person.objects.create_user("ada@acme.example")


@pytest.fixture
def organisation(db: None) -> Organisation:
    return make_organisation()


@pytest.fixture
def hook(server: Server, person: Person, organisation: Organisation) -> tuple[Webhook, str]:
    return webhooks.connect(person, organisation, server.url("/hook"), [])


def an_alert(organisation: Organisation, key: str = "feed 1") -> Alert:
    data = {
        "what": "feed",
        "name": "A <&> B",
        "fault": "The key may not read usage.",
        "url": "/connections/1",
        "last": "",
    }
    (alert,) = alerts.keep(organisation, [Fact("stale", key, data, is_whole=True)], NOW)
    return alert


def queued(organisation: Organisation, key: str = "feed 1") -> WebhookDelivery:
    found = webhooks.queue(an_alert(organisation, key), NOW)
    assert found is not None
    return found


def test_an_alert_arrives_once_signed_as_an_independent_reader_computes_it(
    hook: tuple[Webhook, str], receiver: Receiver, organisation: Organisation
) -> None:
    delivery = queued(organisation)
    assert webhooks.queue(delivery.alert, NOW) == delivery
    assert webhooks.deliver_due(NOW) == 1
    assert webhooks.deliver_due(NOW + timedelta(days=2)) == 0
    (body,), (headers,) = receiver.bodies, receiver.headers
    stamp, signed = (part.partition("=")[2] for part in headers["x-ratecard-signature"].split(","))
    assert signed == hmac.new(hook[1].encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert int(stamp) == NOW.timestamp()
    assert headers["x-ratecard-event"] == str(delivery.event_id)
    assert headers["content-type"] == "application/json"


def test_slack_can_read_it_and_a_program_finds_its_own_part(
    hook: tuple[Webhook, str], receiver: Receiver, organisation: Organisation
) -> None:
    delivery = queued(organisation)
    webhooks.deliver_due(NOW)
    sent = json.loads(receiver.bodies[0])
    assert sent["text"].startswith("The feed A &lt;&amp;&gt; B failed: The key may not read usage. http://")
    (block,) = sent["blocks"]
    assert block["text"]["text"].endswith("<http://127.0.0.1:8000/connections/1|See the connection>")
    event = sent["metadata"]["event_payload"]
    assert (event["id"], event["kind"], event["key"], event["title"]) == (
        str(delivery.event_id), "stale", "feed 1", "The feed A <&> B failed"
    )  # fmt: skip


@pytest.mark.parametrize("status", [500, 503, 408, 429])
def test_what_may_pass_is_tried_again_later_with_the_same_body_and_id(
    hook: tuple[Webhook, str], receiver: Receiver, organisation: Organisation, status: int
) -> None:
    receiver.script = [lambda exchange: exchange.answer(b"not now", status)]
    delivery = queued(organisation)
    assert webhooks.deliver(delivery.pk, NOW) == "waiting"
    delivery.refresh_from_db()
    assert (delivery.answer_status, delivery.tries) == (status, 1)
    assert delivery.next_try_at == NOW + webhooks.PAUSES[0]
    assert webhooks.deliver(delivery.pk, NOW + timedelta(seconds=59)) is None
    assert webhooks.deliver(delivery.pk, NOW + timedelta(minutes=1)) == "delivered"
    assert receiver.bodies[0] == receiver.bodies[1]
    assert receiver.headers[0]["x-ratecard-event"] == receiver.headers[1]["x-ratecard-event"]


def test_a_host_that_asks_to_come_later_is_left_alone_until_then(
    hook: tuple[Webhook, str], receiver: Receiver, organisation: Organisation
) -> None:
    receiver.script = [lambda exchange: exchange.answer(b"", 429, Retry_After="900")]
    delivery = queued(organisation)
    before = datetime.now(UTC)
    webhooks.deliver(delivery.pk, before)
    delivery.refresh_from_db()
    assert timedelta(seconds=898) < delivery.next_try_at - before < timedelta(seconds=905)


def test_a_slow_host_is_given_up_for_now(
    hook: tuple[Webhook, str], receiver: Receiver, organisation: Organisation
) -> None:
    receiver.script = [lambda exchange: exchange.drip(b"HTTP/1.1 200 OK\r\n\r\n", 0.2)]
    delivery = queued(organisation)
    assert webhooks.deliver(delivery.pk, NOW) == "waiting"
    delivery.refresh_from_db()
    assert "did not answer in time" in delivery.answer


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda exchange: exchange.answer(b"no_service", 404), "answers 404: the page has moved. no_service"),
        (lambda exchange: exchange.answer(b"", 302, Location="https://127.0.0.1/inside"), "is not followed"),
        (lambda exchange: exchange.answer(b"", 308, Location="https://elsewhere.test/"), "is not followed"),
    ],
)
def test_what_will_not_pass_ends_at_once_and_says_why(
    hook: tuple[Webhook, str],
    receiver: Receiver,
    organisation: Organisation,
    answer: Callable[[Exchange], None],
    said: str,
) -> None:
    receiver.script = [answer]
    delivery = queued(organisation)
    assert webhooks.deliver(delivery.pk, NOW) == "failed"
    delivery.refresh_from_db()
    assert said in delivery.answer
    assert len(receiver.bodies) == 1  # no redirect was followed, wherever it led


def test_it_is_given_up_after_some_tries(
    hook: tuple[Webhook, str], receiver: Receiver, organisation: Organisation
) -> None:
    receiver.script = [lambda exchange: exchange.answer(b"", 500)] * 20
    delivery, now, states = queued(organisation), NOW, []
    for _ in range(webhooks.TRIES):
        states.append(webhooks.deliver(delivery.pk, now))
        now += timedelta(days=1)
    assert states == ["waiting"] * (webhooks.TRIES - 1) + ["failed"]
    assert webhooks.deliver(delivery.pk, now) is None


def test_two_workers_never_hold_one_delivery_at_a_time_and_a_dead_ones_is_taken_up(
    hook: tuple[Webhook, str], receiver: Receiver, organisation: Organisation
) -> None:
    delivery = queued(organisation)
    due = WebhookDelivery.objects.due(NOW).order_by().filter(pk=delivery.pk)
    assert due.update(next_try_at=NOW + sending.HELD) == 1  # a worker took it, and died
    assert webhooks.deliver(delivery.pk, NOW) is None
    assert webhooks.deliver(delivery.pk, NOW + sending.HELD) == "delivered"


def test_a_host_inside_is_not_sent_to_whatever_its_name_says(
    server: Server, person: Person, organisation: Organisation, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhooks.connect(person, organisation, server.url("/hook", host="rebound.test"), [])
    inside = make_fetcher(allow=lambda _: False)
    monkeypatch.setattr(sending, "default_fetcher", lambda: inside)
    delivery = queued(organisation)
    assert webhooks.deliver(delivery.pk, NOW) == "failed"
    delivery.refresh_from_db()
    assert "not on the public internet" in delivery.answer
    assert receiver.bodies == []


@pytest.mark.parametrize("url", ["http://hooks.example.org/x", "ftp://x", "https://user:pw@example.org/", "", "x y"])
def test_an_address_that_nobody_vouches_for_is_refused(person: Person, organisation: Organisation, url: str) -> None:
    with pytest.raises(webhooks.Refused):
        webhooks.connect(person, organisation, url, [])
    assert not Webhook.objects.exists()


def test_a_host_that_the_installation_vouches_for_may_be_plain_http(
    person: Person, organisation: Organisation, settings: Any, receiver: Receiver
) -> None:
    settings.PRIVATE_HOSTS = ["localhost"]
    with serving(receiver, tls=False) as running:
        webhooks.connect(person, organisation, f"http://localhost:{running.port}/hook", [])
        assert webhooks.deliver(queued(organisation).pk, NOW) == "delivered"


def test_a_new_secret_signs_beside_the_old_one_for_a_day(
    hook: tuple[Webhook, str], person: Person, receiver: Receiver, organisation: Organisation
) -> None:
    old = hook[1]
    new = webhooks.rotate(person, hook[0], NOW)
    for number, (now, secrets) in enumerate(
        ((NOW + timedelta(hours=23), [new, old]), (NOW + timedelta(hours=25), [new]))
    ):
        delivery = queued(organisation, f"feed {number}")
        webhooks.deliver(delivery.pk, now)
        stamp, *signed = [part.partition("=")[2] for part in receiver.headers[-1]["x-ratecard-signature"].split(",")]
        body = f"{stamp}.".encode() + receiver.bodies[-1]
        assert signed == [hmac.new(one.encode(), body, hashlib.sha256).hexdigest() for one in secrets]


def test_no_secret_is_kept_in_the_open_or_in_the_log(hook: tuple[Webhook, str], person: Person) -> None:
    webhooks.rotate(person, hook[0], NOW)
    webhooks.switch(person, hook[0], enabled=False)
    stored = Webhook.objects.get()
    assert hook[1] not in stored.secret + stored.old_secret
    logged = str([(one.subject, one.before, one.after) for one in AuditEntry.objects.all()])
    assert hook[1] not in logged
    assert "/hook" not in logged  # an address of Slack's is a secret itself
    assert AuditEntry.objects.count() == 3


def test_a_kind_that_is_off_and_a_paused_webhook_get_nothing(
    hook: tuple[Webhook, str], person: Person, receiver: Receiver, organisation: Organisation
) -> None:
    alert = an_alert(organisation)
    webhooks.connect(person, organisation, hook[0].url, ["stale"])
    assert webhooks.queue(alert, NOW) is None
    webhooks.connect(person, organisation, hook[0].url, [])
    delivery = webhooks.queue(alert, NOW)
    assert delivery is not None
    webhooks.switch(person, Webhook.objects.get(), enabled=False)
    assert webhooks.deliver_due(NOW) == 0
    webhooks.switch(person, Webhook.objects.get(), enabled=True)
    assert webhooks.deliver_due(NOW) == 1
    assert len(receiver.bodies) == 1


def test_a_long_text_is_cut_to_what_slack_takes_and_keeps_its_link() -> None:
    told = Told("stale", "The feed A&B failed", "<refused> " * 500, "/settings/connections/1", "See the connection", "")
    body = json.loads(body_of("id", "acme", "key", told, datetime(2026, 11, 18, tzinfo=UTC), "https://r.example", {}))
    [block] = body["blocks"]
    said = block["text"]["text"]
    assert len(said) == 3000
    assert said.startswith("*The feed A&amp;B failed*\n&lt;refused&gt; ")
    assert said.endswith("\n<https://r.example/settings/connections/1|See the connection>")
    assert body["metadata"]["event_payload"]["text"] == told.text, "programs get all of it"
