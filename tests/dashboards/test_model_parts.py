"""The page of a model: how far its sellers differ, what happened to its prices, and when it goes."""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client

from dashboards import access
from dashboards.models import Person
from dashboards.pages.model import Facts, known_facts, retirement
from pricing.models import ExchangeRate, LanguageModel, Offering, PriceEvent
from tests.dashboards.browser import Look, look  # noqa: F401
from tests.dashboards.ledger_cast import World, client_of, world  # noqa: F401
from tests.dashboards.market_cast import NOW, make_offering, make_price, make_source, utc


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def part(html: str, name: str) -> str:
    """One panel of the page, by its id."""
    found = re.search(rf'<section class="panel" id="{name}">.*?</section>', html, re.S)
    assert found is not None, name
    return found[0]


@pytest.fixture
def sold(db: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, Offering]:
    """`wide` by its maker at 0.60, by hosts at 0.05, 0.30 and for nothing, and in yuan."""
    monkeypatch.setattr("dashboards.views.model.timezone.now", lambda: NOW)
    made = {
        "own": make_offering("wide", name="Wide", released_on=date(2026, 2, 3), max_output=64_000,
                             modalities=["text", "image"], capabilities=["tool_use"], open_weights=True),
        "cheap": make_offering("wide", "cheaphost", sku="w"),
        "middle": make_offering("wide", "middlehost", sku="w"),
        "gratis": make_offering("wide", "freehost", sku="w"),
        "china": make_offering("wide", "chinahost", sku="w"),
    }  # fmt: skip
    for name, amount in (("own", "0.6"), ("cheap", "0.05"), ("middle", "0.3"), ("gratis", "0")):
        make_price(made[name], "input", amount)
    make_price(made["china"], "input", "0.8", currency="CNY")
    return made


def make_rate() -> None:
    ExchangeRate.objects.create(currency="CNY", day=date(2026, 11, 13), usd=D("0.14"), source=make_source("ecb"))


def make_event(offering: Offering, kind: str, old: str | None, new: str | None, on: str, **fields: Any) -> PriceEvent:
    values: dict[str, Any] = {
        "unit": "input", "service_tier": "standard", "per": 1_000_000, "currency": "USD",
        "observed_at": utc(on), "source": make_source(), "why": "curated dates it.",
    } | fields  # fmt: skip
    return PriceEvent.objects.create(
        offering=offering, kind=kind, old=D(old) if old else None, new=D(new) if new else None, effective_from=utc(on),
        **values,
    )  # fmt: skip


# How far the sellers differ


def test_the_spread_names_both_ends_the_factor_and_the_median(client: Client, sold: Any) -> None:
    make_rate()
    said = text_of(part(client.get("/models/wide").content.decode(), "spread"))
    assert "Input from $0.05 to $0.60, a factor of 12; median $0.206, in 4 offerings of 4 sellers." in said
    assert "CN¥0.80 $0.112 at 0.14 USD per CNY, ecb, 13 Nov 2026" in said
    assert "Input: 1 free, not on the strip." in said


def test_a_price_without_a_rate_is_left_off_the_strip_and_said(client: Client, sold: Any) -> None:
    html = client.get("/models/wide").content.decode()
    said = text_of(part(html, "spread"))
    assert "in 3 offerings of 3 sellers" in said
    assert "1 free and 1 in a currency of which no rate is known, not on the strip" in said
    assert "no rate known" in said
    assert "In another currency, per Mtok: Chinahost w: CN¥0.80 in" in text_of(html)


def test_the_same_distance_is_the_same_factor_and_the_makers_dot_is_marked(client: Client, sold: Any) -> None:
    strip = part(client.get("/models/wide").content.decode(), "spread")
    dots = re.findall(r'<circle class="(\w+)" cx="([\d.]+)%"', strip)
    assert [css for css, _ in dots] == ["other", "other", "own"]
    low, middle, high = (float(x) for _, x in dots)
    assert (low, high) == (1.5, 98.5)
    assert middle == pytest.approx(1.5 + 97 * 0.7211, abs=0.02)  # log 6 / log 12


def test_one_price_is_no_spread(client: Client, sold: Any) -> None:
    make_price(make_offering("lone", name="Lone"), "input", "1")
    assert 'id="spread"' not in client.get("/models/lone").content.decode()


def test_a_seller_without_a_comparable_price_is_still_a_seller(client: Client, sold: Any) -> None:
    said = re.sub(r"<[^>]*>", "", client.get("/models/wide").content.decode().split("<h1")[1].split("</h1>")[0])
    assert said.endswith("Wide costs $0.60 in at Acme.")


def test_a_model_sold_in_another_currency_only_is_not_called_unpriced(client: Client, sold: Any) -> None:
    make_price(make_offering("yuan-only", "chinahost", name="Yuan Only"), "input", "3", currency="CNY")
    html = client.get("/models/yuan-only").content.decode()
    assert "Nobody states a price in USD for Yuan Only; one offering states one in another currency." in html
    assert "In another currency, per Mtok" in html


def test_what_the_reader_uses_is_ringed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    for offering in (world.offering, make_offering("model-a", "otherhost", sku="a")):
        make_price(offering, "input", "1" if offering == world.offering else "2")
    html = world.admin.get("/models/model-a").content.decode()
    assert len(re.findall(r'class="other yours"', part(html, "spread"))) == 1
    stranger = client_of(Person.objects.create_user("zoe@elsewhere.example"))
    assert "yours" not in part(stranger.get("/models/model-a").content.decode(), "spread")
    assert access.may_decide(None) is False


# What happened


def test_changes_are_listed_by_moment_with_seller_and_evidence(client: Client, sold: dict[str, Offering]) -> None:
    own = sold["own"]
    before = own.prices.get()
    before.effective_until = utc("2026-07-01")
    before.save()
    after = make_price(own, "input", "0.3", since="2026-07-01")
    make_event(own, "cut", "0.6", "0.3", "2026-07-01")
    make_event(own, "cut", "2", "1", "2026-07-01", unit="output")
    make_event(sold["cheap"], "rise", "0.02", "0.05", "2026-08-01", service_tier="batch")
    make_event(own, "cut", "9", "8", "2026-09-01", superseded_at=utc("2026-10-01"))
    html = client.get("/models/wide").content.decode()
    listed = part(html, "events")
    rows = [text_of(row).strip() for row in re.findall(r"<tr>.*?</tr>", listed.split("<tbody>")[1], re.S)]
    assert rows[0].startswith("1 Aug 2026 Cheaphost batch Input $0.02 → $0.05 up +150.0%")
    assert rows[1].startswith("1 Jul 2026 Acme Input $0.60 → $0.30 down −50.0% Output $2.00 → $1.00")
    assert len(rows) == 2
    assert f'href="/models/wide/evidence/{after.pk}"' in listed
    assert listed.index("curated") > 0


def test_what_was_not_known_on_a_day_is_not_listed(client: Client, sold: dict[str, Offering]) -> None:
    make_event(sold["own"], "cut", "0.9", "0.6", "2026-07-01", observed_at=utc("2026-07-09"))
    assert 'id="events"' in client.get("/models/wide?known_at=2026-07-10").content.decode()
    assert 'id="events"' not in client.get("/models/wide?known_at=2026-07-08").content.decode()


def test_a_start_nobody_states_is_first_seen_and_no_event_of_its_day(client: Client, sold: dict[str, Offering]) -> None:
    price = make_price(
        sold["own"], "output", "3", since="2020-06-11", precision="unknown", evidence_at=utc("2026-05-05")
    )
    make_event(sold["own"], "new", None, "3", "2020-06-11", unit="output", observed_at=price.evidence_at)
    said = text_of(part(client.get("/models/wide").content.decode(), "events"))
    assert "before 5 May 2026 Acme Output first seen $3.00" in said
    assert "2020" not in said


def test_moves_of_the_main_line_are_dots_on_the_chart(client: Client, sold: dict[str, Offering]) -> None:
    own = sold["own"]
    own.prices.update(effective_until=utc("2026-07-01"))
    make_price(own, "input", "0.3", since="2026-07-01")
    make_event(own, "cut", "0.6", "0.3", "2026-07-01")
    make_event(sold["cheap"], "cut", "0.6", "0.05", "2026-07-02")
    figure = json.loads(client.get("/models/wide/history.json").content)["wide"]
    (dots,) = [trace for trace in figure["data"] if trace["mode"] == "markers"]
    assert (dots["x"], dots["y"]) == (["2026-07-01 00:00:00"], [0.3])
    assert dots["hovertext"] == ["1 Jul 2026<br>Input falls: $0.60 to $0.30"]


# The weights


def facts(**fields: Any) -> Facts:
    return Facts(**({"slug": "m", "name": "M", "maker": "acme", "open_weights": None, "context_window": None} | fields))


@pytest.mark.parametrize(
    ("given", "title"),
    [
        ({}, None),
        ({"deprecated": True}, "Deprecated"),
        ({"retires_on": date(2026, 11, 26)}, "Retires on 26 Nov 2026, in 10 days"),
        ({"retires_on": date(2026, 11, 17)}, "Retires on 17 Nov 2026, tomorrow"),
        ({"retires_on": date(2026, 11, 16)}, "Retires on 16 Nov 2026, today"),
        ({"retires_on": date(2026, 11, 15)}, "Retired on 15 Nov 2026"),
    ],
)
def test_a_last_day_is_a_warning(given: dict[str, Any], title: str | None) -> None:
    found = retirement(facts(**given), NOW)
    assert (found.title if found else None) == title


def test_what_is_known_of_the_weights_is_listed_and_unknown_is_not_blank(client: Client, sold: Any) -> None:
    html = client.get("/models/wide").content.decode()
    said = text_of(html.split("What is known of the weights")[1].split("</section>")[0])
    assert said.split(" Released ")[1].startswith(
        "3 Feb 2026 Weights open Context window unknown Longest output 64,000"
    )
    assert "Modalities text, image Capabilities tool use" in said
    assert dict(known_facts(facts()))["Weights"] == ""


def test_a_model_that_goes_names_its_successor(client: Client, sold: Any) -> None:
    after = LanguageModel.objects.create(slug="wider", key="acme/wider", maker="acme", name="Wider")
    LanguageModel.objects.filter(slug="wide").update(retires_on=date(2026, 12, 1), successor=after)
    said = text_of(client.get("/models/wide").content.decode())
    assert "Retires on 1 Dec 2026, in 15 days" in said
    assert "Wider is named as its successor." in said


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_page_with_all_its_parts_is_sound(look: Look, sold: dict[str, Offering]) -> None:  # noqa: F811
    make_rate()
    sold["own"].prices.update(effective_until=utc("2026-07-01"))
    make_price(sold["own"], "input", "0.3", since="2026-07-01")
    for day in range(1, 9):
        make_event(sold["own"], "cut", "0.6", "0.3", f"2026-07-0{day}")
    LanguageModel.objects.filter(slug="wide").update(retires_on=date(2026, 12, 1))
    look.at("/models/wide", "model-parts")


def retire(offering: Offering, on: str) -> None:
    offering.retired_at = utc(on)
    offering.save()


def test_who_no_longer_sells_it_is_named_and_compared_with_nothing(client: Client, sold: dict[str, Offering]) -> None:
    retire(sold["own"], "2026-10-26")
    retire(sold["cheap"], "2026-11-01")
    html = client.get("/models/wide").content.decode()
    assert "Acme no longer sells Wide; Freehost does, at nothing." in text_of(html)
    rows = part(html, "sellers").split("<tbody>")[1].split("</tbody>")[0]
    assert re.findall(r'scope="row">(\w+)', rows) == ["Freehost", "Middlehost"]
    assert 'id="spread"' not in html  # one price is left
    said = text_of(part(html, "sellers"))
    assert "Acme wide since 26 Oct 2026, last $0.60 in" in said
    assert "Cheaphost w since 1 Nov 2026, last $0.05 in" in said
    table = client.get("/models/wide?format=csv").content.decode()
    assert {line.split(",")[0] for line in table.splitlines()[1:]} == {"middlehost", "freehost"}


def test_while_it_was_sold_it_is_compared(client: Client, sold: dict[str, Offering]) -> None:
    retire(sold["own"], "2026-10-26")
    retire(sold["cheap"], "2026-11-01")
    before = client.get("/models/wide?at=2026-10-25").content.decode()
    assert re.sub(r"<[^>]*>", "", before).count("Wide costs $0.60 in at Acme.") == 1
    assert "Cheaphost" in part(before, "spread")
    assert "o longer sold" not in before


def test_what_nobody_sells_any_more_keeps_its_last_price_and_says_so(client: Client, sold: dict[str, Offering]) -> None:
    for offering in sold.values():
        retire(offering, "2026-10-26")
    make_price(sold["own"], "output", "1", until="2026-09-01")
    make_price(sold["own"], "output", "2", since="2026-09-01")
    html = client.get("/models/wide").content.decode()
    assert "Nobody lists a price for Wide any more; it was last $0.60 in and $2.00 out at Acme." in text_of(html)
    assert "<h2>No longer sold</h2>" in html
    drawn = json.loads(client.get("/models/wide/history.json").content)["wide"]["data"]
    assert max(x for trace in drawn if trace["mode"] == "lines" for x in trace["x"])[:10] == "2026-10-26"
