"""A report as HTML that survives Outlook, Gmail and dark mode: tables, styles in the elements, under 102 kB.

Outlook draws with Word: widths and colours stand as attributes too, and a table for it alone holds the sheet at 600.
Gmail drops style sheets, so css-inline writes them into the elements; what is left in the head are the @media rules for
phones and for the dark, which need `!important` to win over what is inline.
"""

from __future__ import annotations

from typing import Any

from css_inline import CSSInliner
from django.template.loader import render_to_string

from dashboards.reports.mailed import Mailed
from dashboards.reports.report import Bridge, Report

GMAIL_CLIPS_AT = 102_000
"""Bytes of HTML beyond which Gmail cuts a mail off and hides its end, the link to unsubscribe with it."""
BAR = 150
_inliner = CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


def html(report: Report, mailed: Mailed, *, picture: str = "cid:{}") -> str:
    """The HTML part. `picture` is the address of an inline picture by its content id."""
    context: dict[str, Any] = {
        "report": report,
        "mailed": mailed,
        "bars": bars(report.bridge),
        "wide": picture.format("spend-wide"),
        "narrow": picture.format("spend-narrow"),
    }
    return str(_inliner.inline(render_to_string("emails/report.html", context)))


def bars(bridge: Bridge | None) -> list[dict[str, Any]]:
    """The parts of a bridge with the width of their bars in pixels, the widest `BAR`, none too thin to be seen."""
    if bridge is None:
        return []
    return [
        {
            "part": part,
            "width": max(2, int(BAR * abs(part.amount) / bridge.widest)),
            "is_dear": part.amount > 0,
        }
        for part in bridge.parts
    ]
