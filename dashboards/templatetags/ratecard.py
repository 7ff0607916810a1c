"""Tags that turn a value into its mark-up. Usage with examples: docs/look.md.

Each escapes what it is given, and shows None as the dashed `? unknown` badge.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django import template
from django.http import QueryDict
from django.template.defaultfilters import urlizetrunc
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from dashboards import formatting

register = template.Library()

BADGES = {
    "unknown": "unknown",
    "free": "free",
    "estimated": "estimated",
    "notional": "notional",
    "held": "in review",
    "corrected": "corrected",
    "sample": "Sample",
    "good": "Equal",
    "worse": "Worse",
    "thin": "Not enough evidence",
}


@register.simple_tag
def badge(kind: str, text: str = "") -> SafeString:
    """A state as a word in a shape; the kinds are in BADGES."""
    return format_html('<span class="badge {}">{}</span>', kind, text or BADGES.get(kind, kind))


@register.simple_tag
def unknown(text: str = "unknown") -> SafeString:
    return badge("unknown", text)


def _linked(text: str, evidence: str) -> SafeString:
    if not evidence:
        return format_html("{}", text)
    return format_html('<a class="ev" href="{}">{}</a>', evidence, text)


def _idle_zeros(text: str, decimals: int | None) -> SafeString:
    """Zeros nobody sees, so that a column stands on its decimal point."""
    shown = len(text.partition(".")[2])
    missing = (decimals or 0) - shown
    if missing <= 0:
        return SafeString()
    dot = "" if shown else "."
    return format_html('<i class="z" aria-hidden="true">{}{}</i>', dot, "0" * missing)


_REMEMBERED = lru_cache(maxsize=8192)
"""For the cells of long tables: the same price is the same mark-up, and a page of 200 rows shows the same for hours."""


@register.simple_tag
@_REMEMBERED
def price(amount: Decimal | None, evidence: str = "", decimals: int | None = None, currency: str = "USD") -> SafeString:
    """A listed price: linked to its evidence, aligned on `decimals`; unknown and free say so."""
    if amount is None:
        return badge("unknown")
    text = formatting.price(amount, currency)
    shown = _linked(text, evidence) + _idle_zeros(text, decimals)
    if amount:
        return shown
    # In an aligned column the badge stands before, so that the digits stay on their point.
    first, second = (badge("free"), shown) if decimals else (shown, badge("free"))
    return format_html("{} {}", first, second)


@register.simple_tag
@_REMEMBERED
def derived(
    amount: Decimal | None, evidence: str = "", decimals: int | None = None, currency: str = "USD"
) -> SafeString:
    """A price we worked out: 3 significant digits."""
    if amount is None:
        return badge("unknown")
    text = formatting.derived_price(amount, currency)
    return _linked(text, evidence) + _idle_zeros(text, decimals)


@register.simple_tag
def money(amount: Decimal | None, evidence: str = "", currency: str = "USD") -> SafeString:
    """Money in a table, to the cent."""
    return badge("unknown") if amount is None else _linked(formatting.money(amount, currency), evidence)


@register.simple_tag
def without_records(unknown: int, amount: Decimal | None = Decimal(0)) -> SafeString:
    """After a sum of money: how many records are not in it, of which nothing is known. Nothing after “unknown”."""
    if not unknown or amount is None:
        return SafeString("")
    noun = "record" if unknown == 1 else "records"
    return format_html('<span class="unit"> without {} {}</span>', formatting.count(unknown), noun)


@register.simple_tag
def prose(amount: Decimal | None, evidence: str = "", currency: str = "USD") -> SafeString:
    """Money in a sentence or a tile: whole from a thousand on."""
    if amount is None:
        return badge("unknown")
    return _linked(formatting.money_in_prose(amount, currency), evidence)


@register.simple_tag
def span(low: Decimal | None, high: Decimal | None, per: str = "", currency: str = "USD") -> SafeString:
    """A range of money: `$7.4k–11.1k/month`."""
    if low is None or high is None:
        return badge("unknown")
    return format_html("{}", formatting.money_range(low, high, per, currency))


@register.simple_tag
def mtok(tokens: int | Decimal | None, decimals: int | None = None) -> SafeString:
    return badge("unknown") if tokens is None else format_html("{}", formatting.mtok(tokens, decimals))


@register.simple_tag
def share(part: Decimal | None, whole: Decimal | None) -> SafeString:
    if part is None or whole is None:
        return badge("unknown")
    return format_html("{}", formatting.share(part, whole))


@register.simple_tag
def change(now: Decimal | None, before: Decimal | None) -> SafeString:
    """A change against before, with triangle and sign."""
    moved = formatting.change(now, before)
    if moved.direction == "unknown":
        return badge("unknown")
    if moved.direction == "new":
        return format_html("{}", moved.text)
    spoken = format_html('<span class="visually-hidden">{}</span>', moved.spoken) if moved.spoken else ""
    return format_html('<span class="d {}">{}{}</span>', moved.direction, spoken, moved.text)


@register.simple_tag
@_REMEMBERED
def multiple(ratio: Decimal | None) -> SafeString:
    """How many times as dear: `▲ 5.3×`."""
    if ratio is None:
        return badge("unknown")
    direction = "up" if ratio > 1 else "down" if ratio < 1 else "flat"
    return format_html('<span class="d {}">{}</span>', direction, formatting.multiple(ratio))


@register.simple_tag
@_REMEMBERED
def rating(
    score: Decimal | None, low: Decimal | None = None, high: Decimal | None = None, decimals: int = 0
) -> SafeString:
    """A rating with its interval set smaller."""
    if score is None:
        return badge("unknown", "not rated")
    text, _, interval = formatting.rating(score, low, high, decimals).partition(" (")
    if not interval:
        return format_html("{}", text)
    return format_html('{} <span class="unit">{}</span>', text, interval.removesuffix(")"))


def _time(value: date | datetime, text: str) -> SafeString:
    if not isinstance(value, datetime):
        return format_html('<time datetime="{}">{}</time>', value.isoformat(), text)
    utc = value.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        utc.strftime("%Y-%m-%d %H:%M UTC"),
        text,
    )


@register.filter
def day(value: date | datetime | None) -> SafeString:
    """`16 Nov 2026` in the reader's zone, UTC on hover."""
    if value is None:
        return badge("unknown")
    return _time(value, formatting.day(value, timezone.get_current_timezone()))


@register.filter
def moment(value: datetime | None) -> SafeString:
    """`16 Nov 2026, 07:02` in the reader's zone, UTC on hover."""
    if value is None:
        return badge("unknown")
    return _time(value, formatting.moment(value, timezone.get_current_timezone()))


@register.filter
def count(number: int) -> str:
    return formatting.count(number)


@register.filter
def seconds(time: Decimal) -> str:
    return formatting.seconds(time)


@register.simple_tag
def coverage(known: Decimal | None, said: str = "") -> SafeString:
    """The 3 px rule under a figure, blue for the known share (0 to 1), and its words."""
    width = formatting.coverage_width(Decimal(0) if known is None else known)
    return format_html(
        '<svg class="cov" aria-hidden="true"><rect class="of" width="100%" height="3"/>'
        '<rect class="is" width="{}%" height="3"/></svg>{}',
        width,
        format_html('<span class="said">{}</span>', said) if said else "",
    )


@register.simple_tag
def pace(used: Decimal, elapsed: Decimal, said: str = "") -> SafeString:
    """The grey rule of a budget: the share used, a tick for today (both 0 to 1)."""
    return format_html(
        '<svg class="cov pace" aria-hidden="true"><rect class="of" y="2" width="100%" height="3"/>'
        '<rect class="is" y="2" width="{}%" height="3"/><rect class="tick" x="{}%" width="1.5" height="7"/>'
        "</svg>{}",
        formatting.rounded(min(used, Decimal(1)) * 100, 1),
        formatting.rounded(min(elapsed, Decimal(1)) * 100, 1),
        format_html('<span class="said">{}</span>', said) if said else "",
    )


@register.simple_tag
def sparkline(values: Sequence[Any], label: str = "", width: int = 84, height: int = 22) -> SafeString:
    """A line without axes, a dot at its end, gaps where unknown; `label` where no table says it."""
    lines = formatting.sparkline(values, width, height)
    if not lines:
        return SafeString()
    drawn = format_html_join(
        "",
        '<polyline points="{}" class="lm"/>',
        [(" ".join(f"{x},{y}" for x, y in line),) for line in lines],
    )
    x, y = lines[-1][-1]
    hidden = mark_safe('aria-hidden="true"')
    role = format_html('role="img" aria-label="{}"', label) if label else hidden
    return format_html(
        '<svg class="spark" width="{}" height="{}" {}>{}<circle cx="{}" cy="{}" r="2.4" class="f1"/></svg>',
        width, height, role, drawn, x, y,
    )  # fmt: skip


@register.simple_tag
def swatch(series: int | str) -> SafeString:
    """The square that ties a row to its series in the chart: 1 to 8, or "none"."""
    return format_html('<i class="sw b{}"></i>', series)


@register.simple_block_tag
def evidence(content: str, url: str = "") -> SafeString:
    """Anything as a link to its evidence: `{% evidence url %}…{% endevidence %}`; without a URL as it is."""
    inner = mark_safe(content)  # noqa: S308 — template output, escaped when it was rendered
    return format_html('<a class="ev" href="{}">{}</a>', url, inner) if url else inner


_RANGE = re.compile(r"((?:CN)?[$€£¥]\S*–\S*)")


@register.filter
def unbroken(text: str) -> SafeString:
    """A sentence whose ranges of money stay on one line."""
    parts = _RANGE.split(text)
    whole = ((format_html('<span class="nb">{}</span>', part) if i % 2 else part,) for i, part in enumerate(parts))
    return format_html_join("", "{}", whole)


_MONEY = re.compile(r"((?:CN)?[$€£¥]\s?\d(?:[\d.,]*\d)?)")


@register.simple_tag
def quoted(text: str, url: str = "") -> SafeString:
    """What a source wrote, its addresses as links, its money linked to where the source can be checked."""
    parts = _MONEY.split(text)
    return format_html_join(
        "", "{}", ((_linked(part, url) if i % 2 else urlizetrunc(part, 40),) for i, part in enumerate(parts))
    )


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: object) -> str:
    """This page's query with some values replaced, None or '' removing one: `href="{% query page=2 %}"`.

    Any change but of the page itself goes back to the first page.
    """
    request = context.get("request")
    values: QueryDict = request.GET.copy() if request else QueryDict(mutable=True)
    if "page" not in changes:
        values.pop("page", None)
    for name, value in changes.items():
        values.pop(name, None)
        if value not in {None, ""}:
            values[name] = str(value)
    pairs = [(name, value) for name in values for value in values.getlist(name) if name != "part"]
    return "?" + urlencode(pairs)
