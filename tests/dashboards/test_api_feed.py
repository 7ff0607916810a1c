"""Price changes as Atom: valid, stable, newest first, in pages that lose and repeat nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client

from dashboards import feeds
from pricing.acceptance import FIRST_SALE
from pricing.models import PriceEvent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]

FEED = "/feeds/prices.atom"
ATOM = "{http://www.w3.org/2005/Atom}"
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def parsed(client: Client, url: str = FEED) -> ElementTree.Element:
    response = client.get(url)
    assert (response.status_code, response["Content-Type"]) == (200, "application/atom+xml; charset=utf-8")
    return ElementTree.fromstring(response.content)  # noqa: S314 - our own bytes


def link(element: ElementTree.Element, rel: str) -> str | None:
    found = [one.get("href") for one in element.findall(f"{ATOM}link") if one.get("rel") == rel]
    return found[0] if found else None


def ids(feed: ElementTree.Element) -> list[str]:
    return [text(entry, "id") for entry in feed.findall(f"{ATOM}entry")]


def text(element: ElementTree.Element, name: str) -> str:
    found = element.findtext(ATOM + name)
    assert found is not None
    return found


def pages(client: Client, url: str) -> Iterator[ElementTree.Element]:
    following: str | None = url
    while following:
        feed = parsed(client, following.removeprefix("http://127.0.0.1:8000"))
        yield feed
        following = link(feed, "next")


class TestForm:
    def test_it_is_what_rfc_4287_asks_of_a_feed_and_of_each_entry(self, client: Client) -> None:
        feed = parsed(client, f"{FEED}?limit=50")
        assert feed.tag == f"{ATOM}feed"
        for element in (feed, *feed.findall(f"{ATOM}entry")):
            for name in ("id", "title", "updated"):
                assert len(element.findall(ATOM + name)) == 1
            assert RFC3339.fullmatch(text(element, "updated"))
            assert re.fullmatch(r"tag:127\.0\.0\.1,2026:(prices|price-event/\d+)", text(element, "id"))
        assert feed.find(f"{ATOM}author/{ATOM}name") is not None
        assert link(feed, "self") == f"http://127.0.0.1:8000{FEED}?limit=50"
        assert len(set(ids(feed))) == 50

    def test_an_entry_links_to_its_models_page(self, client: Client) -> None:
        entry = parsed(client, f"{FEED}?model=gpt-4o&limit=1").find(f"{ATOM}entry")
        assert entry is not None
        href = link(entry, "alternate")
        assert href == "http://127.0.0.1:8000/models/gpt-4o"
        assert client.get(href.removeprefix("http://127.0.0.1:8000")).status_code == 200

    def test_the_newest_stand_first(self, client: Client) -> None:
        times = [text(entry, "updated") for entry in parsed(client, f"{FEED}?limit=500").findall(f"{ATOM}entry")]
        assert times == sorted(times, reverse=True)

    def test_what_is_held_is_no_change_yet(self, client: Client) -> None:
        event = PriceEvent.objects.newest_first().first()
        assert event is not None
        PriceEvent.objects.filter(pk=event.pk).update(status="held")
        assert f"tag:127.0.0.1,2026:price-event/{event.pk}" not in ids(parsed(client))


class TestPages:
    def test_they_hold_every_accepted_change_once(self, client: Client) -> None:
        told = [one for page in pages(client, f"{FEED}?limit=500") for one in ids(page)]
        assert len(told) == len(set(told)) == PriceEvent.objects.filter(status="accepted").count()

    def test_what_comes_in_meanwhile_moves_nothing(self, client: Client) -> None:
        walk = pages(client, f"{FEED}?provider=anthropic&limit=20")
        expected = [one for page in pages(client, f"{FEED}?provider=anthropic&limit=20") for one in ids(page)][:40]
        told = ids(next(walk))
        event = PriceEvent.objects.newest_first().first()
        assert event is not None
        event.pk, event.new, event.observed_at = None, Decimal(1), datetime(2026, 11, 25, tzinfo=UTC)
        event.save(force_insert=True)
        told += ids(next(walk))
        assert told == expected

    def test_filters_narrow_it_and_a_cursor_continues_its_own_question_only(self, client: Client) -> None:
        feed = parsed(client, f"{FEED}?provider=claude&limit=5")
        terms = {one.get("term") for one in feed.iter(f"{ATOM}category")}
        assert "anthropic" in terms
        assert "openai" not in terms
        following = link(feed, "next")
        assert following is not None
        cursor = following.partition("cursor=")[2]
        assert client.get(f"{FEED}?provider=openai&cursor={cursor}").status_code == 422
        assert ids(parsed(client, f"{FEED}?model=no-such-model")) == []


def event(kind: str, old: str | None, new: str | None, **more: Any) -> PriceEvent:
    found = PriceEvent.objects.select_related("offering__provider", "offering__model", "source").filter(
        offering__provider__slug="openai", offering__sku="gpt-4o"
    )[0]
    found.kind, found.unit, found.per, found.service_tier, found.context_from = kind, "input", 1_000_000, "standard", 0
    found.old, found.new = (Decimal(one) if one else None for one in (old, new))
    found.effective_from = datetime(2026, 8, 21, tzinfo=UTC)
    found.observed_at = datetime(2026, 8, 22, tzinfo=UTC)
    for name, value in more.items():
        setattr(found, name, value)
    return found


class TestSentences:
    @pytest.mark.parametrize(
        ("kind", "old", "new", "said"),
        [
            ("cut", "5", "4", "fell from $5.00 to $4.00 per million tokens (−20.0%) on 21 Aug 2026"),
            ("rise", "4", "5", "rose from $4.00 to $5.00 per million tokens (+25.0%) on 21 Aug 2026"),
            ("rise", "0", "5", "rose from $0.00 to $5.00 per million tokens on 21 Aug 2026"),
            ("new", None, "4", "costs $4.00 per million tokens since 21 Aug 2026"),
            ("retired", "4", None, "is no longer sold since 21 Aug 2026; it was $4.00 per million tokens"),
            ("correction", "5", "4", "is $4.00 per million tokens since 21 Aug 2026, not $5.00 as read before"),
            ("unit_fix", None, "4", "is $4.00 per million tokens since 21 Aug 2026, which was not known before"),
        ],
    )
    def test_each_kind_of_change(self, kind: str, old: str | None, new: str | None, said: str) -> None:
        one = event(kind, old, new)
        whole = (
            f"Input of {one.offering.model.name} at OpenAI {said}, as {one.source.name} first showed on 22 Aug 2026."
        )
        assert feeds.sentence(one) == whole

    @pytest.mark.parametrize(("kind", "old"), [("new", None), ("correction", "5"), ("unit_fix", "5")])
    def test_a_start_that_nobody_states_is_no_day(self, kind: str, old: str | None) -> None:
        said = feeds.sentence(event(kind, old, "4", effective_from=FIRST_SALE))
        assert "since" not in said
        assert "$4.00 per million tokens, " in said

    def test_a_character_that_xml_cannot_hold_breaks_no_feed(self) -> None:
        one = event("new", None, "4", why="")
        one.offering.model.name = "A\x0b\x1fB\ufffe"
        ElementTree.fromstring(feeds.price_feed([one], FEED, None))  # noqa: S314 - our own bytes

    def test_what_the_price_depends_on_is_said(self) -> None:
        one = event("cut", "5", "4", unit="cache_read", service_tier="batch", context_from=200_000)
        assert " (batch tier, prompts from 200,000 tokens) fell" in feeds.sentence(one)
        assert feeds.title(one).endswith(" at OpenAI: cached input −20.0%")

    def test_another_unit_and_another_currency(self) -> None:
        one = event("new", None, "0.03", unit="web_search", per=1000, currency="EUR")
        assert "Web search of" in feeds.sentence(one)
        assert "costs €0.03 per 1,000 since" in feeds.sentence(one)

    def test_a_sign_that_is_none_in_xml_is_escaped(self) -> None:
        one = event("new", None, "4")
        one.offering.model.name = "A & <B>"
        assert b"A &amp; &lt;B&gt;" in feeds.price_feed([one], FEED, None)
