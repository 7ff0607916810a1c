"""The page's islands as plain tables: headings, rows, service tier and what stands around them."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

from pricing.sources import SourceError

TEXT_TOKENS = "TextTokenPricingTables"
GROUPED = "GroupedPricingTable"
PLAIN = "PricingTable"

_PRICING_SCRIPT = re.compile(r"/pricing\.[^/]*$")
_TIERS = ("standard", "batch", "flex", "priority", "fast")
_THRESHOLD = re.compile(r"(?P<op>>=?)\s*(?P<thousands>\d+)K input tokens")
_MEASURE = re.compile(r"Prices per (?P<measure>[^.]{1,60}?)(?: unless noted)?\.")
_ALIASES = re.compile(
    r"(?P<one>[\w.-]+) and (?P<two>[\w.-]+) are aliases that currently point to "
    r"(?P<first>[\w.-]+) and (?P<second>[\w.-]+) ?, respectively"
)

Cell = str | int | Decimal | None


@dataclass(frozen=True)
class Table:
    """One table. `rows` begin with the group they stand in, where the table is grouped."""

    component: str
    tier: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    rendered: tuple[tuple[str, ...], ...] = ()
    footnote: str = ""
    measure: str = ""
    """What the sentence above it says its prices are per, as `1M tokens`; '' where none does."""


@dataclass(frozen=True)
class LongContext:
    """From how many input tokens a prompt counts as long, in the page's own words too."""

    tokens: int
    op: str
    sentence: str


@dataclass(frozen=True)
class Page:
    """All tables in the page's order, and what it says once for several of them."""

    tables: tuple[Table, ...]
    long_context: LongContext | None
    fast_is_priority: bool
    """The page says that `service_tier: "priority"` asks for Fast mode too."""
    aliases: tuple[tuple[str, str], ...]


def read_page(text: str) -> Page:
    """The pricing tables of the page; a SourceError where it has none or their layout is another."""
    parser = _Parser()
    parser.feed(text)
    parser.close()
    if not parser.islands:
        raise SourceError("The page holds no island of the pricing tables; OpenAI's page must have changed its layout.")
    said = " ".join(" ".join(parser.said).split())
    aliases = [
        pair
        for found in _ALIASES.finditer(said)
        for pair in ((found["one"], found["first"]), (found["two"], found["second"]))
    ]
    return Page(
        tuple(_table(island) for island in parser.islands),
        next((long for island in parser.islands if (long := _long_context(island.props))), None),
        'service_tier: "priority"' in said,
        tuple(aliases),
    )


@dataclass
class _Island:
    component: str
    pane: str
    props: Mapping[str, Any]
    measure: str
    headings: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


class _Parser(HTMLParser):
    """Collects the pricing islands with the tables rendered inside them, and all text that is shown."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.islands: list[_Island] = []
        self.said: list[str] = []
        self._open: _Island | None = None
        self._panes: list[tuple[int, str]] = []
        self._depth = 0
        self._silent = ""
        self._section: list[str] = []
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in ("script", "style"):
            self._silent = tag
        elif tag == "div":
            self._depth += 1
            if "data-content-switcher-pane" in given:
                self._panes.append((self._depth, given.get("data-value", "")))
        elif tag in ("h2", "h3"):
            self._panes.clear()  # a pane never reaches into the next section
            self._section = []
        elif tag == "astro-island" and _PRICING_SCRIPT.search(given.get("component-url", "")):
            pane = self._panes[-1][1] if self._panes else "standard"
            props = _properties(given.get("props", ""))
            self._open = _Island(given.get("component-export", ""), pane, props, self._measure())
            self.islands.append(self._open)
        elif self._open is not None and tag == "tr":
            self._open.rows.append([])
        elif self._open is not None and tag in ("td", "th"):
            self._cell = []

    def handle_endtag(self, tag: str) -> None:
        if tag == self._silent:
            self._silent = ""
        elif tag == "div":
            while self._panes and self._panes[-1][0] >= self._depth:
                self._panes.pop()
            self._depth -= 1
        elif tag == "astro-island":
            self._open = None
        elif self._open is not None and tag == "thead":
            # Of several header rows the last names the columns.
            self._open.headings = self._open.rows[-1] if self._open.rows else []
            self._open.rows = []
        elif tag in ("td", "th") and self._open is not None and self._cell is not None:
            self._open.rows[-1].append(" ".join("".join(self._cell).split()))
            self._cell = None

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        self.said.append(data)
        if self._open is None:
            self._section.append(data)
        if self._cell is not None:
            self._cell.append(data)

    def _measure(self) -> str:
        """What the section says its prices are per; of two sentences neither."""
        said = {found["measure"] for found in _MEASURE.finditer(" ".join(" ".join(self._section).split()))}
        return said.pop() if len(said) == 1 else ""


def _properties(text: str) -> Mapping[str, Any]:
    props = json.loads(text, parse_float=Decimal)
    return {name: _plain(value) for name, value in props.items()}


def _plain(wrapped: Any) -> Any:
    """A value without the [kind, value] its framework wraps it in; kind 0 is the value, kind 1 a list.

    JavaScript's `undefined` is a kind alone.
    """
    kind: Any = wrapped[0]
    value: Any = wrapped[1] if len(wrapped) > 1 else None
    if kind == 1:
        return [_plain(item) for item in value]
    if kind != 0:
        raise SourceError(f"A pricing table holds a value of the unknown kind {kind!r:.40}.")
    return {name: _plain(item) for name, item in value.items()} if isinstance(value, dict) else value


def _table(island: _Island) -> Table:
    if island.pane not in _TIERS or island.props.get("tier", island.pane) != island.pane:
        raise SourceError(f"A pricing table stands under the unknown service tier {island.pane!r:.60}.")
    if island.component not in (TEXT_TOKENS, GROUPED, PLAIN):
        raise SourceError(f"The page has a pricing table of the unknown kind {island.component!r:.60}.")
    if island.component == TEXT_TOKENS:
        headings, rendered = island.headings, island.rows
    else:
        headings, rendered = [str(plain_text(cell)) for cell in island.props["headings"]], []
    rows: list[list[Any]]
    if island.component == GROUPED:
        rows = [[group["model"], *row] for group in island.props["groups"] for row in group["rows"]]
    else:
        rows = island.props["rows"]
    return Table(
        island.component,
        island.pane,
        tuple(heading.lower() for heading in headings),
        tuple(tuple(plain_text(cell) for cell in row) for row in rows),
        tuple(tuple(row) for row in rendered),
        str(plain_text(island.props.get("allModelsFootnote")) or ""),
        island.measure,
    )


def plain_text(cell: Any) -> Cell:
    """What a cell shows: an amount as it is, text without its markup, a heading without its tooltip."""
    if isinstance(cell, Mapping):
        if "__pricingHtml" in cell:
            return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", cell["__pricingHtml"])).split())
        return plain_text(cell["__pricingTooltipHeading"]["label"])
    if cell is None or isinstance(cell, str | Decimal) or (isinstance(cell, int) and not isinstance(cell, bool)):
        return cell
    raise SourceError(f"A cell of a pricing table holds {cell!r:.60}, which is neither text nor an amount.")


def _long_context(props: Mapping[str, Any]) -> LongContext | None:
    for group in props.get("headingGroups") or ():
        tip = group["label"]["__pricingTooltipHeading"] if isinstance(group["label"], Mapping) else None
        if tip and tip["label"] == "Long context" and (found := _THRESHOLD.fullmatch(tip["tooltip"])):
            return LongContext(int(found["thousands"]) * 1000, found["op"], f"Long context: {tip['tooltip']}")
    return None
