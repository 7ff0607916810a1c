"""Tables of a vendor's HTML page as grids: every cell in its place, line by line, merged cells repeated. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

_HEADING = re.compile(r"h[1-6]")
_STRUCTURE = "table, h1, h2, h3, h4, h5, h6"
_BLOCKS = frozenset({"p", "div", "li", "ul", "ol", "blockquote", "br", "pre", "section", "table", "tr", "td", "th"})
_INLINE = frozenset({"a", "b", "code", "em", "i", "small", "span", "strong", "sub", "sup", "u"})
_SILENT = frozenset({"script", "style", "template"})
_WIDEST = 60
"""Columns; a span that claims more is no table of prices."""


@dataclass(frozen=True, eq=False)
class Cell:
    """What a cell shows, its blocks as lines. A merged cell is one object in every place it covers."""

    lines: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return " ".join(self.lines)


@dataclass(frozen=True)
class Heading:
    """A heading of the page and its level, 1 the highest."""

    level: int
    text: str


@dataclass(frozen=True)
class Table:
    """Columns by the headings above them, the outer first; rows as wide as the columns."""

    columns: tuple[tuple[Cell, ...], ...]
    rows: tuple[tuple[Cell, ...], ...]

    def titles(self) -> tuple[str, ...]:
        """What stands above each column, on one line."""
        return tuple(" ".join(cell.text for cell in column) for column in self.columns)


def read_page(html: str) -> Iterator[Heading | Table | str]:
    """The headings, tables and lines of text of a page, in their order.

    A table without a row below its headings is left out. One whose rows differ in width raises `ValueError`: under
    which heading a cell of it stands is not known.
    """
    body = LexborHTMLParser(html).body
    if body is not None:
        yield from _walk(body)


def _walk(node: LexborNode) -> Iterator[Heading | Table | str]:
    said: list[str] = []
    for child in node.iter(include_text=True):
        tag = str(child.tag)
        if tag == "-text":
            said.append(child.text_content or "")
            continue
        if tag in _INLINE and child.css_first(_STRUCTURE) is None:
            said += (line + " " for line in _lines(child))
            continue
        if line := _plain(said):
            yield line
        said = []
        if _HEADING.fullmatch(tag):
            yield Heading(int(tag[1]), " ".join(_lines(child)))
        elif tag == "table":
            if table := _table(child):
                yield table
        elif tag not in _SILENT:
            yield from _walk(child)
    if line := _plain(said):
        yield line


def _table(node: LexborNode) -> Table | None:
    rows = list(_rows(node))
    if not rows:
        return None
    grid = _grid(rows)
    depth = _header_depth(rows)
    if len(grid) <= depth:
        return None
    columns = tuple(tuple(dict.fromkeys(column)) for column in zip(*grid[:depth], strict=True))
    return Table(columns, tuple(grid[depth:]))


def _rows(table: LexborNode) -> Iterator[LexborNode]:
    for child in table.iter():
        if child.tag == "tr":
            yield child
        elif child.tag in ("thead", "tbody", "tfoot"):
            yield from (row for row in child.iter() if row.tag == "tr")


def _header_depth(rows: list[LexborNode]) -> int:
    """How many rows the headings take: those of the `thead`, or as many as the tallest cell of the first row."""
    in_head = sum(1 for row in rows if row.parent is not None and row.parent.tag == "thead")
    return in_head or max((_span(cell, "rowspan", len(rows)) for cell in _cells(rows[0])), default=1)


def _cells(row: LexborNode) -> list[LexborNode]:
    return [cell for cell in row.iter() if cell.tag in ("td", "th")]


def _span(cell: LexborNode, name: str, limit: int) -> int:
    written = cell.attributes.get(name) or "1"
    return min(int(written), limit) if re.fullmatch("[1-9][0-9]{0,5}", written) else 1


def _grid(rows: list[LexborNode]) -> list[tuple[Cell, ...]]:
    placed: list[dict[int, Cell]] = [{} for _ in rows]
    for y, row in enumerate(rows):
        x = 0
        for node in _cells(row):
            while x in placed[y]:
                x += 1
            cell = Cell(tuple(_lines(node)))
            width = _span(node, "colspan", max(_WIDEST - x, 1))
            for below in placed[y : y + _span(node, "rowspan", len(rows))]:
                for place in range(x, x + width):
                    below.setdefault(place, cell)
            x += width
    columns = max((max(row, default=-1) for row in placed), default=-1) + 1
    for cells in placed:
        if len(cells) != columns:
            said = " ".join(cell.text for _, cell in sorted(cells.items()))
            raise ValueError(f"a row of a table has {len(cells)} cells where another has {columns}: {said[:100]}")
    return [tuple(row[x] for x in range(columns)) for row in placed]


def _lines(node: LexborNode) -> Iterator[str]:
    lines: list[list[str]] = [[]]
    _collect(node, lines)
    return filter(None, map(_plain, lines))


def _plain(parts: list[str]) -> str:
    return " ".join("".join(parts).replace("\u200b", "").split())


def _collect(node: LexborNode, lines: list[list[str]]) -> None:
    for child in node.iter(include_text=True):
        tag = child.tag
        if tag == "-text":
            lines[-1].append(child.text_content or "")
        elif tag in _BLOCKS:
            lines.append([])
            _collect(child, lines)
            lines.append([])
        elif tag not in _SILENT:
            _collect(child, lines)
