"""Sentences with figures in a mail: links with the host before them, and money as a change with its triangle."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from dashboards import formatting
from dashboards.formatting import Change
from dashboards.pages.ledger import Figure
from dashboards.reports.mailed import Mailed

register = template.Library()
_TRIANGLE = {"up": "▲ ", "down": "▼ "}
_TONE = {"up": "dear", "down": "cheap"}


@register.simple_tag
def mail_figure(mailed: Mailed, one: Figure, look: str = "acc") -> SafeString:
    """A figure as a link of the mail, in one of its looks; plain where it has no address."""
    if not one.url:
        return format_html("{}", one.text)
    return format_html('<a class="{}" href="{}">{}</a>', look, mailed.absolute(one.url), one.text)


@register.simple_tag
def mail_words(mailed: Mailed, parts: Iterable[str | Figure], look: str = "quiet") -> SafeString:
    """A sentence whose figures are links."""
    told = ((part if isinstance(part, str) else mail_figure(mailed, part, look),) for part in parts)
    return format_html_join("", "{}", told)


@register.simple_tag
def mail_change(change: Change | None) -> SafeString:
    """`▲ +3.2%`, in the colour of its direction; nothing where it did not move."""
    if change is None or change.direction not in _TONE:
        return SafeString()
    tone, sign = _TONE[change.direction], _TRIANGLE[change.direction]
    return format_html('<span class="{} nb">{}{}</span> ', tone, sign, change.text)


@register.simple_tag
def mail_effect(amount: Decimal, currency: str) -> SafeString:
    """`▲ +$409.00`; the colour is the cell's."""
    sign = _TRIANGLE["up" if amount > 0 else "down"] if amount else ""
    return format_html("{}{}", sign, formatting.signed_money(amount, currency))


@register.simple_tag
def mail_href(mailed: Mailed, path: str) -> str:
    return mailed.absolute(path)
