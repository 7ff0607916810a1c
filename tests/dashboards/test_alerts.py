"""Alerts over real rows: each kind once, muted, resolved and back; whose they are; mail, digest and at once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from dashboards import access, alerts
from dashboards.alerts import Fact
from dashboards.models import Alert, AlertMute, AlertNotice, AuditEntry, Message, Person
from pricing.models import LanguageModel, PriceEvent
from tests.dashboards.ledger_cast import HEAD, NOW, TIERED, World, world  # noqa: F401
from tests.usage.factories import at, make_organisation, make_source
from usage import budgets
from usage.models import Connection, Pull, UsageRecord

DAY = timedelta(days=1)


def announce(world: World, on: str = "2026-12-01 00:00", new: int = 2, seen: str = "2026-11-10 00:00") -> None:  # noqa: F811
    PriceEvent.objects.create(
        offering=world.offering, unit="input", service_tier="standard", kind="rise" if new > 1 else "cut", old=1,
        new=new, per=10**6, currency="USD", effective_from=at(on), observed_at=at(seen), source=make_source(), why="",
    )  # fmt: skip


def look(world: World, now: datetime = NOW) -> list[str]:  # noqa: F811
    return [alert.key for alert in alerts.watch(world.organisation, now).opened]


def person(name: str) -> Person:
    return Person.objects.get(email=f"{name}@acme.example")


@pytest.fixture
def quiet(world: World) -> World:  # noqa: F811
    """The cast's usage has tokens and money out of order on purpose: here that is below every threshold."""
    alerts.set_thresholds(person("ada"), world.organisation, Decimal(100), Decimal(100))
    return world


@pytest.mark.django_db
def test_every_kind_is_told_once_however_often_somebody_looks(world: World, settings: Any) -> None:  # noqa: F811
    settings.FETCH = True
    for day, seen in (("2026-12-01", "2026-11-10"), ("2027-01-15", "2026-11-10"), ("2026-11-12", "2026-11-12")):
        announce(world, f"{day} 00:00", seen=f"{seen} 00:00")
    LanguageModel.objects.update(retires_on=date(2026, 12, 10))
    number = budgets.enter(world.organisation, "", amount=Decimal(200), currency="USD", period="month",
                           effective_from=date(2026, 11, 1))[0].pk  # fmt: skip
    feed = Connection.objects.create(
        organisation=world.organisation, importer="openai_costs", scope="live", name="OpenAI", credential="x",
        schedule="daily",
    )  # fmt: skip
    Pull.objects.create(connection=feed, status="failed", window_from=NOW - DAY, window_until=NOW, part_from=NOW - DAY,
                        sentence="The key may not read usage.")  # fmt: skip
    model = world.offering.model.slug
    assert sorted(look(world)) == sorted([
        f"announced {world.offering.pk} 2027-01-15", f"promotion {world.offering.pk} 2026-12-01 14",
        f"price {world.offering.pk} 2026-11-12", f"retires {model} 2026-12-10 30", f"budget {number} 2026-11-01 50",
        "unpriced", "unattributed", f"feed {feed.pk}",
    ])  # fmt: skip
    assert look(world) == look(world, NOW + timedelta(hours=3)) == []


@pytest.mark.django_db
def test_a_stage_ahead_is_told_when_it_is_reached(quiet: World) -> None:
    announce(quiet, "2026-12-03 00:00")
    key = f"{quiet.offering.pk} 2026-12-03"
    told = {days: look(quiet, NOW + DAY * days) for days in (0, 1, 11, 12)}  # 15, 14, 4 and 3 days ahead
    assert told == {0: [f"announced {key}"], 1: [f"promotion {key} 14"], 11: [], 12: [f"promotion {key} 3"]}


@pytest.mark.django_db
def test_a_price_seen_after_the_look_is_not_told_of_it(quiet: World) -> None:
    announce(quiet, seen="2026-11-19 00:00")
    assert look(quiet) == []
    assert len(look(quiet, NOW + DAY)) == 1


@pytest.mark.django_db
def test_a_fact_that_was_gone_for_a_day_and_comes_back_is_told_again(quiet: World) -> None:
    fact = Fact("stale", "feed 1", {"name": "x"}, is_whole=True)
    keep = lambda facts, hours: alerts.keep(quiet.organisation, facts, NOW + timedelta(hours=hours))  # noqa: E731
    assert len(keep([fact], 0)) == 1
    assert keep([], 1) == keep([fact], 2) == []  # it flickered
    assert keep([], 3) == []
    assert Alert.objects.open().count() == 1
    assert keep([], 28) == []
    assert Alert.objects.open().count() == 0
    assert len(keep([fact], 29)) == 1


@pytest.mark.django_db
def test_another_organisation_hears_nothing(world: World) -> None:  # noqa: F811
    announce(world)
    other = make_organisation()
    assert alerts.watch(other, NOW).opened == []
    assert not Alert.objects.filter(organisation=other).exists()


class TestAnyOrder(TestCase):
    """Any order and repetition of looks at the same facts gives the same alerts."""

    KEYS = ("a", "b", "c", "d")

    @given(
        st.lists(st.sampled_from(KEYS), unique=True),
        st.lists(st.integers(0, 72), min_size=1, max_size=8),
        st.randoms(use_true_random=False),
    )
    def test_the_same_facts_give_the_same_alerts(self, keys: list[str], hours: list[int], random: Any) -> None:
        organisation = make_organisation()
        opened = []
        for hour in hours:
            shuffled = [Fact("stale", key, {}, is_whole=True) for key in random.sample(keys, len(keys))]
            opened += alerts.keep(organisation, shuffled, datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=hour))
        assert sorted(alert.key for alert in opened) == sorted(keys)
        standing = Alert.objects.open().filter(organisation=organisation)
        assert sorted(standing.values_list("key", flat=True)) == sorted(keys)


# To whom


@pytest.fixture
def mailing(quiet: World, settings: Any) -> World:
    settings.SENDS_MAIL = True
    return quiet


def mails(name: str) -> list[Message]:
    return list(Message.objects.filter(person=person(name)).order_by("pk"))


@pytest.mark.django_db
def test_an_admin_gets_one_digest_a_day_and_each_alert_once(mailing: World) -> None:
    announce(mailing, "2026-12-10 00:00")
    announce(mailing, "2027-01-10 00:00", new=3)
    for hours in (0, 1, 5, 24, 30):
        look(mailing, NOW + timedelta(hours=hours))
    (mail,) = mails("ada")
    assert (mail.kind, mail.dedupe_key) == ("alert", "digest 2026-11-18")
    assert mail.subject == "10 Dec 2026: model-a doubles, and 1 more (Acme)"
    assert "http://127.0.0.1:8000/models/model-a" in mail.text
    assert max(map(len, mail.text.splitlines())) <= 72
    assert AlertNotice.objects.filter(person=person("ada")).count() == 2
    assert mails("bea") == mails("charlie") == []  # no admins: they have not asked


@pytest.mark.django_db
def test_a_digest_waits_for_the_morning_of_its_reader(mailing: World) -> None:
    announce(mailing)
    Person.objects.filter(email="ada@acme.example").update(time_zone="America/New_York")
    for hour, sent in ((11, 0), (12, 1)):  # 06:00 and 07:00 there
        look(mailing, datetime(2026, 11, 18, hour, 30, tzinfo=UTC))
        assert len(mails("ada")) == sent


@pytest.mark.django_db
def test_what_is_wanted_at_once_does_not_wait_and_is_not_in_the_digest(mailing: World) -> None:
    announce(mailing)
    announce(mailing, "2027-01-10 00:00", new=3)
    alerts.choose(person("ada"), mailing.organisation, by_mail=True, kinds=alerts.KINDS, at_once=["promotion"],
                  projects=[])  # fmt: skip
    look(mailing, datetime(2026, 11, 18, 3, tzinfo=UTC))
    look(mailing, datetime(2026, 11, 18, 9, tzinfo=UTC))
    at_once, digest = mails("ada")
    assert "in 13 days" in at_once.subject
    assert digest.dedupe_key == "digest 2026-11-18"
    assert "in 13 days" not in digest.text


@pytest.mark.django_db
def test_a_reader_of_one_project_is_told_its_money_and_of_nothing_else(mailing: World) -> None:
    announce(mailing)
    budgets.enter(mailing.organisation, "", amount=Decimal(100), currency="USD", period="month",
                  effective_from=date(2026, 11, 1))  # fmt: skip
    bea = person("bea")
    alerts.choose(bea, mailing.organisation, by_mail=True, kinds=alerts.KINDS, at_once=[], projects=[])
    look(mailing)
    (mail,) = mails("bea")
    # Alpha's last seven days: 10 and 5 Mtok out of 60 USD; the whole is 78.
    assert "You pay $60.00 a week; from then $90.00." in " ".join(mail.text.split())
    assert "78.00" not in mail.text + mail.html
    assert "budget" not in mail.text


@pytest.mark.django_db
def test_who_was_removed_is_told_nothing(mailing: World) -> None:
    announce(mailing)
    ada = person("ada")
    access.grant(person("charlie"), "admin", mailing.organisation)
    access.remove(ada.memberships.get())
    look(mailing)
    assert mails("ada") == []
    assert len(mails("charlie")) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("what", ["kind:promotion", "model:model-a"])
def test_what_is_muted_is_silent_until_it_ends_and_is_told_then(mailing: World, what: str) -> None:
    announce(mailing)
    ada = person("ada")
    alerts.mute(ada, mailing.organisation, NOW, what=what, days=3, reason="we know", everybody=False)
    look(mailing)
    look(mailing, NOW + DAY * 2)
    assert mails("ada") == []
    look(mailing, NOW + DAY * 4)
    (mail,) = mails("ada")
    assert "doubles" in mail.subject
    assert AuditEntry.objects.filter(action="muted alerts").count() == 1


@pytest.mark.django_db
def test_a_mute_for_everybody_is_an_admins_and_needs_a_reason(world: World) -> None:  # noqa: F811
    ada, bea = person("ada"), person("bea")
    known = {"what": "kind:stale", "days": 9, "reason": "known", "everybody": True}
    for who, changes, said in (
        (bea, {}, "Only administrators"), (ada, {"reason": "  "}, "Say why"), (ada, {"days": 0}, "for 1 to 365 days"),
        (ada, {"what": "project:999999"}, "Choose what to mute"), (ada, {"what": "kind:nothing"}, "Choose what"),
    ):  # fmt: skip
        with pytest.raises(alerts.Refused, match=said):
            alerts.mute(who, world.organisation, NOW, **(known | changes))
    assert not AlertMute.objects.exists()
    alerts.mute(ada, world.organisation, NOW, **known)
    assert [str(one) for one in alerts.mutes_of(bea, world.organisation, NOW)] == ["stale"]


@pytest.mark.django_db
def test_without_a_mail_server_nothing_is_marked_as_told(quiet: World) -> None:
    announce(quiet)
    assert alerts.watch(quiet.organisation, NOW).mails == []
    assert not AlertNotice.objects.exists()


@pytest.mark.django_db
def test_the_command_says_what_is_so_and_keeps_nothing_in_a_dry_run(quiet: World, capsys: Any) -> None:
    announce(quiet)
    call_command("send_alerts", "--dry-run")
    assert "new: model-a doubles in " in capsys.readouterr().out
    assert not Alert.objects.exists()
    call_command("send_alerts")
    assert "Facts: 1, new: 1; mails kept: 0" in capsys.readouterr().out
    assert Alert.objects.count() == 1


@pytest.mark.django_db
def test_each_level_of_a_budget_is_told_once_however_often_it_is_reached(mailing: World) -> None:
    whole = budgets.enter(mailing.organisation, "", amount=Decimal(280), currency="USD", period="month",
                          effective_from=date(2026, 11, 1))[0]  # fmt: skip
    levels = []
    for day, amount in enumerate((280, 170, 170, 170, 280, 280, 280, 170, 170)):  # 51 and 84 % of it
        budgets.change(whole, amount=Decimal(amount))
        levels += [key.rsplit(" ", 1)[-1] for key in look(mailing, NOW + DAY * day)]
    assert levels == ["50", "80"]
    assert [one.data["level"] for one in Alert.objects.open().filter(missing_since=None)] == ["80"]
    assert ["50%" in one.subject for one in mails("ada")] == [True, False]


def price_event(world: World, unit: str, tier: str, old: int, new: int, on: str = "2026-12-20 00:00") -> None:  # noqa: F811
    PriceEvent.objects.create(
        offering=world.offering, unit=unit, service_tier=tier, kind="rise" if new > old else "cut", old=old, new=new,
        per=10**6, currency="USD", effective_from=at(on), observed_at=at("2026-11-10 00:00"), source=make_source(),
        why="",
    )  # fmt: skip


def batch(world: World) -> None:  # noqa: F811
    """Besides, 4 Mtok of alpha at the batch tier on the last day of usage."""
    world.imported("2026-11-13,alpha,k,ann,seller,model-a,4000000,0,1,batch", scope="batch", head=f"{HEAD},tier",
                   mapping=TIERED)  # fmt: skip


@pytest.mark.django_db
def test_the_end_of_a_free_price_is_told(quiet: World) -> None:
    price_event(quiet, "input", "standard", 0, 1)
    (alert,) = alerts.watch(quiet.organisation, NOW).opened
    assert (alert.kind, alert.data["fact"], alert.data["from_to"]) == (
        "announced", "stops being free", "$0.00 to $1.00 in",
    )  # fmt: skip


@pytest.mark.django_db
def test_a_price_of_another_tier_is_told_where_that_tier_is_bought(quiet: World) -> None:
    price_event(quiet, "input", "batch", 1, 3)
    price_event(quiet, "input", "flex", 1, 9)
    assert look(quiet) == []
    batch(quiet)
    (alert,) = alerts.watch(quiet.organisation, NOW + timedelta(hours=1)).opened
    assert (alert.key, alert.data["name"]) == (f"announced {quiet.offering.pk} 2026-12-20", "model-a, batch,")
    assert Decimal(alert.parts[str(quiet.alpha.pk)]["more"]) == 8  # 2 USD on each of 4 Mtok
    assert alert.data["from_to"] == "$1.00 to $3.00 in"


@pytest.mark.django_db
def test_a_price_of_tokens_nobody_uses_is_no_fact(quiet: World) -> None:
    price_event(quiet, "cache_read", "standard", 1, 3)
    price_event(quiet, "cache_write_1h", "standard", 1, 3)
    assert look(quiet) == []


@pytest.mark.django_db
def test_a_price_of_cache_writes_is_weighed_by_the_lifetime_that_is_used(quiet: World) -> None:
    price_event(quiet, "cache_write_5m", "standard", 1, 3)
    price_event(quiet, "cache_write_1h", "standard", 1, 9)
    written = UsageRecord.objects.filter(organisation=quiet.organisation, occurred_at__date=date(2026, 11, 12))
    assert written.update(in_cache_write=2_000_000, cache_write_5m=2_000_000) == 1  # of alpha
    (alert,) = alerts.watch(quiet.organisation, NOW).opened
    assert Decimal(alert.parts[str(quiet.alpha.pk)]["more"]) == 4
    assert Decimal(alert.parts[str(quiet.beta.pk)]["more"]) == 0
    assert alert.data["from_to"] == "$1.00 to $3.00 5 min cache write"
