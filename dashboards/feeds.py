"""Price changes as an Atom feed (RFC 4287, in pages after RFC 5005): one sentence a change, the newest first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.utils.feedgenerator import Atom1Feed
from django.utils.xmlutils import SimplerXMLGenerator

from dashboards import formatting
from pricing.acceptance import FIRST_SALE
from pricing.models import PriceEvent
from pricing.units import is_token_unit

TITLE = "Ratecard: what LLM tokens cost, and what changed"
_UNITS = {
    "cache_read": "Cached input",
    "cache_write": "Writing the cache",
    "cache_write_5m": "Writing the cache for 5 minutes",
    "cache_write_30m": "Writing the cache for 30 minutes",
    "cache_write_1h": "Writing the cache for 1 hour",
    "cache_write_12h": "Writing the cache for 12 hours",
}
_MTOK = 1_000_000
_UNSAYABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold: one such sign in a name would leave the whole feed unwritten."""


class PagedAtomFeed(Atom1Feed):
    """Atom with the link to the next page, where there is one."""

    def add_root_elements(self, handler: SimplerXMLGenerator) -> None:
        super().add_root_elements(handler)
        if self.feed.get("next_url"):
            handler.addQuickElement("link", "", {"rel": "next", "href": self.feed["next_url"]})


def price_feed(events: Sequence[PriceEvent], url: str, next_url: str | None) -> bytes:
    """The feed of some events, in their order; addresses are paths below RATECARD_BASE_URL."""
    feed = PagedAtomFeed(
        title=TITLE,
        link=f"{settings.BASE_URL}/models",
        description=None,
        feed_url=settings.BASE_URL + url,
        feed_guid=_tag("prices"),
        author_name="Ratecard",
        next_url=settings.BASE_URL + next_url if next_url else None,
    )
    for event in events:
        model = event.offering.model
        feed.add_item(
            title=_UNSAYABLE.sub("\ufffd", title(event)),
            link=f"{settings.BASE_URL}/models/{quote(model.slug)}",
            description=_UNSAYABLE.sub("\ufffd", sentence(event)),
            pubdate=event.observed_at,
            updateddate=event.observed_at,
            unique_id=_tag(f"price-event/{event.pk}"),
            categories=(event.kind, event.offering.provider.slug),
        )
    return feed.writeString("utf-8").encode()


def _tag(name: str) -> str:
    """A name that stays the same for ever (RFC 4151)."""
    return f"tag:{urlsplit(settings.BASE_URL).hostname},2026:{name}"


def title(event: PriceEvent) -> str:
    """`GPT-5 at OpenAI: input −20.0%`."""
    what = _UNITS.get(event.unit, event.unit.replace("_", " ")).lower()
    return f"{_sold(event)}: {what} {_outcome(event)}"


def sentence(event: PriceEvent) -> str:
    """What changed by how much, when, and by whose word."""
    unit = _UNITS.get(event.unit, event.unit.replace("_", " ").capitalize())
    shown = f"as {event.source.name} first showed on {formatting.day(event.observed_at)}"
    return f"{unit} of {_sold(event)}{_line(event)} {_change(event)}, {shown}."


def _sold(event: PriceEvent) -> str:
    region = f" ({event.offering.region})" if event.offering.region else ""
    return f"{event.offering.model.name} at {event.offering.provider.name}{region}"


def _line(event: PriceEvent) -> str:
    """What the price depends on, where it is not the plain list price."""
    said = [
        "" if event.service_tier == "standard" else f"{event.service_tier} tier",
        f"prompts from {event.context_from:,} tokens" if event.context_from else "",
        event.schedule,
        event.qualifier,
    ]
    depends = ", ".join(filter(None, said))
    return f" ({depends})" if depends else ""


def _change(event: PriceEvent) -> str:
    day = formatting.day(event.effective_from)
    since = "" if event.effective_from == FIRST_SALE else f" since {day}"  # else nobody states since when
    old, new = _amount(event, event.old), _amount(event, event.new)
    per = f"per million{' tokens' if is_token_unit(event.unit) else ''}" if event.per == _MTOK else f"per {event.per:,}"
    by = f" ({_outcome(event)})" if event.old else ""
    match event.kind:
        case PriceEvent.Kind.CUT:
            return f"fell from {old} to {new} {per}{by} on {day}"
        case PriceEvent.Kind.RISE:
            return f"rose from {old} to {new} {per}{by} on {day}"
        case PriceEvent.Kind.RETIRED:
            return f"is no longer sold since {day}; it was {old} {per}"
        case PriceEvent.Kind.CORRECTION | PriceEvent.Kind.UNIT_FIX:
            was = f"not {old} as read before" if event.old is not None else "which was not known before"
            return f"is {new} {per}{since}, {was}"
    return f"costs {new} {per}{since}"


def _amount(event: PriceEvent, amount: Decimal | None) -> str:
    return "an unknown price" if amount is None else formatting.price(amount, event.currency)


def _outcome(event: PriceEvent) -> str:
    if event.kind in (PriceEvent.Kind.CUT, PriceEvent.Kind.RISE):
        return formatting.change(event.new, event.old).text
    return {
        PriceEvent.Kind.NEW: "new",
        PriceEvent.Kind.RETIRED: "no longer sold",
        PriceEvent.Kind.CORRECTION: "corrected",
        PriceEvent.Kind.UNIT_FIX: "corrected",
    }[PriceEvent.Kind(event.kind)]
