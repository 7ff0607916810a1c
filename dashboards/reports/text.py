"""The text part of a report: a report of its own at 72 columns, with the address of each figure that counts. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from dashboards import formatting
from dashboards.pages.ledger import Figure, plain
from dashboards.reports.mailed import Mailed
from dashboards.reports.report import Bridge, PriceChange, Report, Tile

WIDTH = 72
BAR = 12


def text(report: Report, mailed: Mailed) -> str:
    """The whole mail as text; lines that hold an address may be longer than `WIDTH`, so that it can be followed."""
    blocks = [
        [report.week_words],
        wrapped(plain(report.finding)),
        wrapped(plain(report.standing)),
        _tiles(report.tiles),
        *_decisions(report, mailed),
        *([_bridge(report.bridge, report, mailed)] if report.bridge else []),
        *_prices("Prices you pay", report.prices, report.scope.currency),
        *_prices("Models you use that retire", report.retiring, report.scope.currency),
        *_unknown(report),
        _foot(report, mailed),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def wrapped(said: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        said,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _head(title: str) -> list[str]:
    return [title, "-" * len(title)]


def _tiles(tiles: Iterable[Tile]) -> list[str]:
    lines = []
    for tile in tiles:
        moved = f"{tile.change.text} " if tile.change and tile.change.direction in ("up", "down") else ""
        lines += wrapped(f"{tile.label:<24}{tile.figure.text:>12}   {moved}{plain(tile.words)}")
    return lines


def _decisions(report: Report, mailed: Mailed) -> list[list[str]]:
    if not report.decisions:
        return [wrapped(plain(report.no_decision))] if report.no_decision else []
    lines = _head(report.decisions_title)
    for one in report.decisions:
        lines += [
            *wrapped(f"{one.saving} saved per month"),
            *wrapped(one.move.text, "  "),
            *wrapped(plain(one.why), "  "),
        ]
        lines.append(f"  {mailed.absolute(one.move.url)}")
    return [lines]


def _bridge(bridge: Bridge, report: Report, mailed: Mailed) -> list[str]:
    lines = _head(bridge.title)
    for part in bridge.parts:
        bar = "#" * max(1, round(BAR * abs(part.amount) / bridge.widest)) if bridge.widest else ""
        amount = formatting.signed_money(part.amount, report.scope.currency)
        lines.append(f"{part.name:<30}{bar:<{BAR + 2}}{amount:>{WIDTH - 32 - BAR}}")
        lines += wrapped(part.words, "  ")
    return [*lines, *wrapped(plain(bridge.note)), mailed.absolute(report.scope.bridge_url)]


def _prices(title: str, rows: Iterable[PriceChange], currency: str) -> list[list[str]]:
    lines = []
    for one in rows:
        effect = "" if one.effect is None else f"{formatting.signed_money(one.effect, currency)}/week"
        lines.append(f"{formatting.day(one.on):<13}{one.what.text[:40]:<40}{effect:>{WIDTH - 53}}")
        lines += wrapped(plain(one.words), " " * 13)
    return [[*_head(title), *lines]] if lines else []


def _unknown(report: Report) -> list[list[str]]:
    lines = [line for one in report.unknown for line in wrapped(f"{one.label}: {plain(one.words)}")]
    lines += [line for doubt in report.doubts for line in wrapped(f"In review: {plain(doubt)}")]
    return [[*_head("What we do not know"), *lines]] if lines else []


def _foot(report: Report, mailed: Mailed) -> list[str]:
    # "-- " and a line break: mail readers know it as the signature.
    sample = ["Sample workspace: spend is invented, prices are real."] if report.is_sample else []
    lines = ["-- ", *wrapped(mailed.why), *sample]
    lines.append(f"Week {report.scope.number} in Ratecard: {mailed.absolute(report.week_url)}")
    lines.append(f"Change day or projects: {mailed.absolute(mailed.change_path)}")
    if mailed.unsubscribe_path:
        lines.append(f"Unsubscribe: {mailed.absolute(mailed.unsubscribe_path)}")
    return lines


__all__ = ["Figure", "text"]
