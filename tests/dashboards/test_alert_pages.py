"""The list of alerts and what is chosen of them: whose, by whom, in which words, at what price in queries."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dashboards import alerts
from dashboards.alerts import Fact
from dashboards.models import Alert, AlertChoice, AlertMute, AlertThreshold, AuditEntry, Person, Webhook
from dashboards.webhooks import sending
from tests.dashboards.ledger_cast import NOW, World, world  # noqa: F401
from tests.pricing.loopback import Exchange, Server, make_fetcher, serving

pytestmark = pytest.mark.django_db


def text(answer: Any) -> str:
    bare = re.sub(r"<[^>]+>", "", answer.content.decode())
    return re.sub(r"\s+", " ", unescape(bare))


def feed(number: int) -> Fact:
    data = {"what": "feed", "name": f"OpenAI {number}", "fault": "The key may not read usage.", "url": "/connections/1",
            "last": "", "tone": "doubt"}  # fmt: skip
    return Fact("stale", f"feed {number}", data, is_whole=True)


def retiring(world: World, **parts: str) -> Fact:  # noqa: F811
    data = {"name": "Model A", "slug": "model-a", "on": "2026-12-10", "successor": "", "tone": "fault"}
    of = {"alpha": str(world.alpha.pk), "beta": str(world.beta.pk), "none": ""}
    return Fact("retires", "retires a", data, {of[name]: {"paid": paid} for name, paid in parts.items()}, "model-a")


def keep(world: World, *facts: Fact) -> list[Alert]:  # noqa: F811
    return alerts.keep(world.organisation, facts, NOW)


def test_each_reader_is_told_their_own_money_and_nothing_of_what_is_not_theirs(world: World) -> None:  # noqa: F811
    keep(world, feed(1), retiring(world, alpha="60", beta="10", none="8"))
    whole, part = text(world.admin.get("/alerts")), text(world.alpha_only.get("/alerts"))
    assert "The feed OpenAI 1 failed" in whole
    assert "You pay $78.00 a week for it." in whole
    assert "2 things need an eye." in whole
    assert "You pay $60.00 a week for it." in part
    assert "OpenAI" not in part
    assert world.charlie.get("/alerts").status_code == 404


def test_states_and_kinds_narrow_the_list_and_its_table(world: World) -> None:  # noqa: F811
    keep(world, feed(1), retiring(world, alpha="60"))
    Alert.objects.filter(kind="stale").update(resolved_at=NOW)
    for query, keys in (("", ["retires"]), ("state=gone", ["stale"]), ("state=all", ["retires", "stale"]),
                        ("state=all&kind=stale", ["stale"])):  # fmt: skip
        answer = world.admin.get(f"/alerts?{query}&format=csv").content.decode()
        assert [row["kind"] for row in csv.DictReader(io.StringIO(answer))] == keys


@pytest.mark.parametrize("query", ["state=nonsense", "kind=nonsense", "kind=%00"])
def test_a_state_or_kind_that_there_is_not_is_refused_and_never_an_all_clear(world: World, query: str) -> None:  # noqa: F811
    answer = world.admin.get(f"/alerts?{query}")
    assert answer.status_code == 400
    assert "of an alert: choose" in text(answer)


def test_before_anything_was_ever_seen_the_list_gives_no_all_clear(world: World) -> None:  # noqa: F811
    page = text(world.admin.get("/alerts"))
    assert "No alert so far." in page
    assert "Nothing needs you" not in page


def test_a_muted_alert_stays_on_the_list_and_says_so(world: World) -> None:  # noqa: F811
    keep(world, feed(1))
    sent = {"what": "kind:stale", "days": "9", "reason": "it moves"}
    assert world.admin.post("/settings/alerts/mute", sent).status_code == 302
    page = text(world.admin.get("/alerts"))
    assert "muted" in page
    assert "Nothing needs you now." in page
    number = AlertMute.objects.get().pk
    assert world.alpha_only.post(f"/settings/alerts/mutes/{number}/end").status_code == 404
    assert world.admin.post(f"/settings/alerts/mutes/{number}/end").status_code == 302
    assert "The feed OpenAI 1 failed." in text(world.admin.get("/alerts"))


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"what": "kind:stale", "days": "9", "reason": ""}, "Say why"),
        ({"what": "kind:stale", "days": "soon", "reason": "x"}, "Mute it for 1 to 365 days."),
        ({"what": "model:nothing", "days": "9", "reason": "x"}, "Choose what to mute"),
    ],
)
def test_a_mute_that_cannot_be_is_refused_in_a_sentence(
    world: World,  # noqa: F811
    sent: dict[str, str],
    said: str,
) -> None:
    answer = world.admin.post("/settings/alerts/mute", sent)
    assert answer.status_code == 422
    assert said in text(answer)


def test_a_person_chooses_kinds_projects_and_how_soon(world: World) -> None:  # noqa: F811
    sent = {"by_mail": "1", "kinds": ["price", "budget"], "at_once": ["budget", "stale"],
            "projects": [str(world.alpha.pk), str(world.beta.pk), "x"]}  # fmt: skip
    for client in (world.admin, world.alpha_only):
        assert client.post("/settings/alerts", sent).status_code == 302
    ada, bea = (AlertChoice.objects.get(person__email=f"{name}@acme.example") for name in ("ada", "bea"))
    assert (ada.by_mail, ada.at_once) == (True, ["budget"])  # what is not heard is not heard at once
    assert set(alerts.KINDS) - set(ada.kinds_off) == {"price", "budget"}
    assert ada.projects == [world.alpha.pk, world.beta.pk]
    assert bea.projects == [world.alpha.pk]  # the other is not hers to choose
    assert AuditEntry.objects.filter(action="changed their alerts").count() == 2


def test_thresholds_are_an_admins(world: World) -> None:  # noqa: F811
    sent = {"unpriced": "1,5", "unattributed": "10"}
    assert world.alpha_only.post("/settings/alerts/thresholds", sent).status_code == 404
    assert world.admin.post("/settings/alerts/thresholds", sent).status_code == 302
    kept = AlertThreshold.objects.get()
    assert (kept.unpriced_percent, kept.unattributed_percent) == (Decimal("1.5"), 10)
    for wrong in ("101", "-1", "many"):
        answer = world.admin.post("/settings/alerts/thresholds", sent | {"unpriced": wrong})
        assert answer.status_code == 422
    assert AlertThreshold.objects.get().unpriced_percent == Decimal("1.5")


def takes(exchange: Exchange) -> None:
    assert exchange.body
    exchange.answer(b"ok")


@pytest.fixture
def receiving(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serving(takes) as running:
        monkeypatch.setattr(sending, "default_fetcher", make_fetcher)
        yield running


def test_an_admin_sets_the_webhook_sees_its_secret_once_tests_pauses_and_removes_it(
    world: World,  # noqa: F811
    receiving: Server,
) -> None:
    sent = {"url": receiving.url("/hook"), "hook_kinds": list(alerts.KINDS)}
    assert world.alpha_only.post("/settings/alerts/webhook", sent).status_code == 404
    shown = re.findall(r"whsec_[\w-]{40,}", world.admin.post("/settings/alerts/webhook", sent).content.decode())
    assert len(shown) == 1
    assert shown[0] not in world.admin.get("/settings/alerts").content.decode()
    act: Callable[[str], Any] = lambda do: world.admin.post("/settings/alerts/webhook", {"do": do}, follow=True)  # noqa: E731
    assert "The test arrived." in text(act("test"))
    assert len(receiving.requests) == 1
    assert "delivered" in text(world.admin.get("/settings/alerts"))
    assert shown[0] not in act("rotate").content.decode()
    assert "paused" in text(act("pause"))
    assert "Let it go on" in text(act("test"))
    assert "It goes on." in text(act("resume"))
    assert "The webhook is removed." in text(act("remove"))
    assert not Webhook.objects.exists()
    assert AuditEntry.objects.filter(action__contains="webhook").count() == 5


def test_an_address_inside_is_refused_where_it_was_entered(world: World) -> None:  # noqa: F811
    answer = world.admin.post("/settings/alerts/webhook", {"url": "http://10.0.0.7/hook"})
    assert answer.status_code == 422
    assert "RATECARD_PRIVATE_HOSTS" in text(answer)
    assert not Webhook.objects.exists()


def test_more_alerts_cost_no_further_query(world: World) -> None:  # noqa: F811
    def queries(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert world.admin.get(address).status_code == 200
        return len(captured)

    keep(world, feed(1))
    few = {address: queries(address) for address in ("/alerts", "/settings/alerts")}
    keep(world, *(feed(number) for number in range(1, 9)), retiring(world, alpha="60"))
    assert {address: queries(address) for address in few} == few
    assert few["/alerts"] <= 16
    assert few["/settings/alerts"] <= 20


def test_the_list_without_alerts_teaches_what_comes_by_itself(world: World) -> None:  # noqa: F811
    assert "Alerts come by themselves" in text(world.admin.get("/alerts"))
    assert Person.objects.count() == 3
