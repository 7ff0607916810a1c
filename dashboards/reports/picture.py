"""The chart of a mail: SVG of our own, drawn as PNG at twice its size with a font that ships with it.

Without a font file resvg leaves every letter out and says nothing, so the fonts are named and the system's are not
looked at. Paper stays white in the dark, as in any printed chart; what it shows is in the alternative text, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from resvg_py import svg_to_bytes

from dashboards.charts.spend import apart, tick_text, ticks
from dashboards.reports.report import Band, Chart

FONTS: Final = tuple(str(path) for path in sorted((Path(__file__).parent / "fonts").glob("*.ttf")))
FAMILY: Final = "Ratecard Chart"
WIDE, NARROW = 536, 284
"""The width of the mail's column on a desk and on a phone, in CSS pixels."""
INK, INK_2, RULE = "#13161f", "#474e5e", "#dcdfe7"
COLOURS: Final[dict[int | str, str]] = {
    1: "#2a44bc", 2: "#b08d28", 3: "#d15dad", 4: "#4394e8", 5: "#394051", "none": "#8f96a6",
}  # fmt: skip
IN_FULL: Final = 2
"""The compared weeks are in full colour, the ones before pale."""
LETTER: Final = 6.4
"""Width of a letter at 13 px, on the safe side."""


def pngs(chart: Chart) -> dict[str, bytes]:
    """The picture for a desk and the one redrawn for a phone, by content id."""
    return {"spend-wide": _png(svg(chart, WIDE)), "spend-narrow": _png(svg(chart, NARROW))}


def _png(drawing: str) -> bytes:
    found: bytes = svg_to_bytes(
        svg_string=drawing, font_files=list(FONTS), skip_system_fonts=True, font_family=FAMILY, zoom=2
    )
    return bytes(found)


def svg(chart: Chart, width: int) -> str:
    """Bars a week with the largest project at the base. Wide, names stand beside the last bar; narrow, below."""
    is_wide = width > NARROW
    legend_rows = 0 if is_wide else -(-len(chart.bands) // 2)
    left, right, top, plot = 42, (142 if is_wide else 4), 10, 150 if is_wide else 130
    height = top + plot + 26 + (legend_rows * 20 + 10 if legend_rows else 0)
    totals = [sum((band.values[n] for band in chart.bands), Decimal(0)) for n in range(len(chart.weeks))]
    marks = ticks(float(max(totals)))

    def down(value: float) -> float:
        return top + plot - value / marks[-1] * plot

    room = width - left - right
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        *_axis(chart, marks, down, left, width - right),
        *_bars(chart, down, left, room),
        *_weeks(chart.weeks, top + plot, left, room),
        *(_beside(chart, down, width - right + 8, plot + top) if is_wide else _below(chart.bands, top + plot + 40)),
        "</svg>",
    ]
    return "".join(parts)


def _text(x: float, y: float, said: str, *, fill: str = INK_2, anchor: str = "start", bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-family="{FAMILY}" font-size="13" fill="{fill}" '
        f'text-anchor="{anchor}"{weight}>{escape(said)}</text>'
    )


def _axis(chart: Chart, marks: Sequence[float], down: Callable[[float], float], left: float, end: float) -> list[str]:
    currency = chart.title.rsplit(" ", 1)[-1]
    lines = []
    for mark in marks:
        y = down(mark)
        colour = RULE if mark else INK
        lines.append(f'<path d="M{left} {y:.1f}H{end:.1f}" stroke="{colour}" stroke-width="1"/>')
        lines.append(_text(left - 6, y + 4.5, tick_text(mark, currency), anchor="end"))
    return lines


def _bars(chart: Chart, down: Callable[[float], float], left: float, room: float) -> list[str]:
    step = room / len(chart.weeks)
    drawn = []
    for n in range(len(chart.weeks)):
        base = 0.0
        pale = "" if n >= len(chart.weeks) - IN_FULL else ' opacity="0.66"'
        for band in chart.bands:
            value = float(max(band.values[n], Decimal(0)))
            high, low = down(base + value), down(base)
            x, base = left + n * step + step * 0.12, base + value
            drawn.append(
                f'<rect x="{x:.1f}" y="{high:.2f}" width="{step * 0.76:.1f}" height="{max(low - high - 0.6, 0):.2f}" '
                f'fill="{COLOURS[band.colour]}"{pale}/>'
            )
    return drawn


def _weeks(weeks: Sequence[date], foot: float, left: float, room: float) -> list[str]:
    """The months where they begin, and the last week by its Monday."""
    step = room / len(weeks)
    last = len(weeks) - 1
    said = [_text(left + room, foot + 18, f"{weeks[last].day} {weeks[last]:%b}", fill=INK, anchor="end", bold=True)]
    for n, week in enumerate(weeks[:last]):
        begins = n > 0 and weeks[n - 1].month != week.month
        if begins and (last - n) * step > 48:
            said.append(_text(left + n * step + step / 2, foot + 18, f"{week:%b}", anchor="middle"))
    return said


def _beside(chart: Chart, down: Callable[[float], float], x: float, foot: float) -> list[str]:
    """Names at the middles of the last bar's bands, moved apart where they would meet; the top one first."""
    base, middles = 0.0, []
    for band in chart.bands:
        value = float(max(band.values[-1], Decimal(0)))
        middles.append((down(base) + down(base + value)) / 2)
        base += value
    # Down the picture y grows, so the bands from the top on are the rising ones.
    places = reversed(apart(list(reversed(middles)), 18, foot))
    return [line for band, y in zip(chart.bands, places, strict=True) for line in _name(band, x, y, 17)]


def _below(bands: Sequence[Band], y: float) -> list[str]:
    return [line for n, band in enumerate(bands) for line in _name(band, 2 + n % 2 * 144, y + n // 2 * 20, 19)]


def _name(band: Band, x: float, y: float, letters: int) -> list[str]:
    name = drawable(band)
    cut = name if len(name) <= letters else f"{name[: letters - 1].rstrip()}…"
    return [
        f'<rect x="{x:.1f}" y="{y - 5:.1f}" width="10" height="10" fill="{COLOURS[band.colour]}"/>',
        _text(x + 15, y + 4.5, cut),
    ]


def drawable(band: Band) -> str:
    """The name, or the slug where the font lacks a letter: it holds Latin letters only."""
    return band.name if all(ord(letter) < 0x100 or letter in "–—‘’“”…" for letter in band.name) else band.slug
