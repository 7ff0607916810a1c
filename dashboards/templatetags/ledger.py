"""Sentences with figures in them (`dashboards.pages.ledger.Words`), each figure a link to its evidence."""

from collections.abc import Iterable
from decimal import Decimal

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from dashboards import formatting
from dashboards.pages.ledger import RECORDS, Figure

register = template.Library()


@register.simple_tag
def figure(one: Figure) -> SafeString:
    """A figure as a link; evidence opens beside it, stands below or elsewhere; anything else is a page."""
    if not one.url:
        return format_html("{}", one.text)
    if one.url.startswith((RECORDS, "#", "https://")) or "/evidence/" in one.url:
        return format_html('<a class="ev" href="{}">{}</a>', one.url, one.text)
    return format_html('<a href="{}">{}</a>', one.url, one.text)


@register.simple_tag
def words(parts: Iterable[str | Figure]) -> SafeString:
    return format_html_join("", "{}", ((part if isinstance(part, str) else figure(part),) for part in parts))


@register.simple_tag
def signed(amount: Decimal, currency: str) -> str:
    """Money that was added or taken off: `+$12.30`, `−$4.00`."""
    return formatting.signed_money(amount, currency)
