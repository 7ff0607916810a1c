"""Rows of a mapped file to facts: cells are read column by column (`cells`, `times`), facts made row by row."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import repeat
from types import MappingProxyType

import orjson

from usage.importers import Dimension, Fact, Rejected
from usage.importers._json import MAX_COUNT, tier
from usage.importers.csv.cells import TOO_LARGE, Block, Numbers, Unreadable
from usage.importers.csv.mapping import DIMENSIONS, LIFETIMES, NO, TOKENS, Columns
from usage.importers.csv.times import Period, time_reader

MAX_TEXT = 1000
MAX_KEY = 200
MAX_RAW, KEPT_CELL = 500, 60  # of a rejected row, and of each of its cells
_NO_LIFETIMES: Mapping[str, int] = MappingProxyType({})
NO_CURRENCY = "currency is not three letters"

Lined = tuple[int, Sequence[str]]
"""The line a row stands in, and its fields."""
Counts = tuple[int | None, ...]
"""The counts of a row in the order of TOKENS."""


@dataclass(frozen=True, slots=True)
class Place:
    """What is the same in many rows, and a digest of it for their keys."""

    dimension: Dimension
    service_tier: str
    digest: hashlib._Hash


class RowReader:
    """Reads rows of one file, block after block. A new one for each file: it remembers dimensions it has met."""

    def __init__(self, mapping: Columns, header: list[str], *, has_ids: bool) -> None:
        self._map, self._has_ids = mapping, has_ids
        at = {name: index for index, name in enumerate(header)}
        self._at = {field: at[column] for field, column in mapping.columns.items()}
        self._tags = sorted((name, at[column.strip()]) for name, column in mapping.tags.items())
        self._key = [at[column] for column in mapping.key]
        self._width = len(header)
        self._split_writes = any(f"cache_write_{name}" in self._at for name in LIFETIMES)
        self._input_to_split = self._split_writes or mapping.cache == "inclusive"
        self._named = [self._at[name] for name in DIMENSIONS if name in self._at] + [at for _, at in self._tags]
        self._places: dict[tuple[str, ...], Place] = {}
        self._dimensions: dict[Dimension, Dimension] = {}
        self._numbers = Numbers(mapping)
        self._read_time = time_reader(mapping)

    def keys(self, rows: Sequence[Lined]) -> list[str]:
        """The identity of each row, '' for a row that has none."""
        fitting = [fields for _, fields in rows if not self._misfit(fields)]
        if not fitting:
            return []
        block = Block(fitting)
        identities = self._identities(block, self._periods(block), self._placed(block, fitting))
        return ["" if number in block.faults else key for number, key in enumerate(identities)]

    def read(self, rows: Sequence[Lined]) -> Iterator[Fact | Rejected]:
        """For each row its fact, or why it is none."""
        fitting = [row for row in rows if not self._misfit(row[1])]
        facts = iter(self._facts(fitting)) if fitting else iter(())
        if len(fitting) == len(rows):
            yield from facts
            return
        for line, fields in rows:
            fault = self._misfit(fields)
            yield self._rejected(line, fields, fault) if fault else next(facts)

    def _facts(self, rows: Sequence[Lined]) -> Iterator[Fact | Rejected]:
        cells = [fields for _, fields in rows]
        block, at = Block(cells), self._at
        periods = self._periods(block)
        tokens = zip(*(self._numbers.counts(block, at.get(name), self._map.tokens_per_unit) for name in TOKENS),
                     strict=False)  # fmt: skip
        requests = self._numbers.counts(block, at.get("requests"))
        costs = block.read(at["cost"], self._numbers.amount) if "cost" in at else repeat(None)
        currencies = block.read(at["currency"], self._currency) if "currency" in at else repeat(None)
        contexts = self._numbers.counts(block, at.get("context"))
        places = self._placed(block, cells)
        keys = self._identities(block, periods, places)
        sessions = block.columns[at["session"]] if "session" in at else repeat("")
        lines = [line for line, _ in rows]
        columns = zip(
            lines, periods, tokens, requests, costs, currencies, contexts, places, keys, sessions, strict=False
        )
        for number, values in enumerate(columns):
            fault = block.faults.get(number) if block.faults else None
            if fault is None:
                try:
                    yield self._fact(*values)
                    continue
                except Unreadable as found:
                    fault = str(found)
            yield self._rejected(*rows[number], fault)

    def _fact(
        self,
        line: int,
        period: Period,
        tokens: Counts,
        requests: int | None,
        cost: Decimal | None,
        currency: str | None,
        context: int | None,
        place: Place,
        key: str,
        session: str,
    ) -> Fact:
        total, read, written, *split, out, reasoning = tokens
        uncached, lifetimes = total, _NO_LIFETIMES
        if self._input_to_split:
            uncached, written, lifetimes = self._input(total, read, written, split)
        if reasoning is not None:
            out, reasoning = self._output(out, reasoning)
        if cost is None:
            if uncached is None and read is None and written is None and out is None and not requests:
                raise Unreadable("row has neither tokens nor requests nor cost")
            currency = ""
        elif currency is None:
            currency = self._map.currency
        elif not currency:
            raise Unreadable(NO_CURRENCY)
        if (written or 0) >= MAX_COUNT or (out or 0) >= MAX_COUNT:
            raise Unreadable(TOO_LARGE)
        quality = period.quality if total is None or read is not None else ("cache_split_unknown", *period.quality)
        # The greater of two rows with one key wins: an export of a day that is not over grows.
        rank: tuple[int, ...] = (
            (uncached or 0) + (read or 0) + (written or 0) + (out or 0),
            requests or 0,
            0 if cost is None else int(cost * 1_000_000),
        )
        if not self._has_ids:
            # Rows that are equal in these have an order all the same, or an ordinal could mean another row than the
            # one that wins.
            told = (uncached, read, written, out, reasoning, requests, context, cost, currency)
            rank = (*rank, _digest((*told, sorted(lifetimes.items()))))
        return Fact(
            line,
            key,
            period.start,
            self._map.grain,
            place.dimension,
            uncached,
            read,
            written,
            out,
            reasoning,
            lifetimes,
            1 if requests is None and self._map.grain == "request" else requests,
            place.service_tier,
            context,
            period.end,
            cost,
            currency,
            self._map.cost_kind,
            session and session.strip()[:MAX_TEXT],
            quality,
            rank,
        )

    def _misfit(self, fields: Sequence[str]) -> str:
        if len(fields) == self._width:
            return ""
        if len(fields) < self._width:
            return "row has fewer fields than the header"
        return "row has more fields than the header" if any(fields[self._width :]) else ""

    def _rejected(self, line: int, fields: Sequence[str], fault: str) -> Rejected:
        """With the mapped cells of the row; nothing of columns that the mapping does not name."""
        if len(fields) < self._width:
            return Rejected(line, fault)
        shown = {name: fields[index].strip()[:KEPT_CELL] for name, index in self._at.items() if fields[index].strip()}
        return Rejected(line, fault, orjson.dumps(shown).decode("utf-8")[:MAX_RAW])

    def _periods(self, block: Block) -> list[Period]:
        return block.read(self._at["time"], self._period)

    def _period(self, text: str) -> Period:
        period, window = self._read_time(text.strip()), self._map.window
        if window and not window[0] <= period.start < window[1]:
            raise Unreadable("row lies outside the window that the mapping declares")
        return period

    def _input(
        self, total: int | None, read: int | None, written: int | None, split: Sequence[int | None]
    ) -> tuple[int | None, int | None, dict[str, int]]:
        """Disjoint counts: what no cache has to do with, cache writes, and these by lifetime ("" is what has none)."""
        lifetimes: dict[str, int] = {}
        if self._split_writes:
            lifetimes = {name: count for name, count in zip(LIFETIMES, split, strict=True) if count}
            if written is None and any(count is not None for count in split):
                written = sum(lifetimes.values())
            elif lifetimes and written is not None:
                rest = written - sum(lifetimes.values())
                if rest < 0:
                    raise Unreadable("cache writes by lifetime exceed the cache writes in all")
                if rest:
                    lifetimes[""] = rest
        if total is not None and self._map.cache == "inclusive":
            total -= (read or 0) + (written or 0)
            if total < 0:
                raise Unreadable("cached tokens exceed the input that the mapping says includes them")
        return total, written, lifetimes

    def _output(self, out: int | None, reasoning: int) -> tuple[int | None, int | None]:
        if out is None:
            return None, None
        if self._map.reasoning == "excluded":
            return out + reasoning, reasoning
        if reasoning > out:
            raise Unreadable("reasoning exceeds the output that the mapping says includes it")
        return out, reasoning

    def _currency(self, cell: str) -> str:
        """Three letters; '' for what is none, which matters where there is a cost."""
        currency = cell.strip()[:MAX_TEXT].upper() or self._map.currency
        return currency if len(currency) == 3 and currency.isascii() and currency.isalpha() else ""

    def _text(self, fields: Sequence[str], name: str) -> str:
        index = self._at.get(name)
        return self._map.constants.get(name, "") if index is None else fields[index].strip()[:MAX_TEXT]

    def _placed(self, block: Block, rows: Sequence[Sequence[str]]) -> list[Place]:
        """What the rows' names say: one look-up for names met before."""
        named = [block.columns[index] for index in self._named]
        cells = list(zip(*named, strict=True)) if named else [()] * len(rows)
        if len(self._places) >= 10_000:
            self._places.clear()
            self._dimensions.clear()
        for number, found in enumerate(cells):
            if found not in self._places:
                self._places[found] = self._new_place(rows[number])
        return [self._places[found] for found in cells]

    def _new_place(self, fields: Sequence[str]) -> Place:
        names = {name: self._text(fields, name) for name in DIMENSIONS}
        tags = tuple((name, cell) for name, at in self._tags if (cell := fields[at].strip()[:MAX_TEXT]))
        stated, batch = names.pop("service_tier"), ["batch"] * (names.pop("batch").lower() not in NO)
        dimension = Dimension(
            model_raw=names.pop("model"),
            ext_project=names.pop("project"),
            ext_api_key=names.pop("api_key"),
            ext_user=names.pop("user"),
            ext_team=names.pop("team"),
            tags=tags,
            **names,
        )
        dimension = self._dimensions.setdefault(dimension, dimension)
        identity = [self._map.grain, stated, *(str(getattr(dimension, name)) for name in Dimension.__slots__), *batch]
        return Place(dimension, "batch" if batch else tier(stated), hashlib.sha256(orjson.dumps(identity)))

    def _identities(self, block: Block, periods: Sequence[Period], places: Sequence[Place]) -> Iterable[str]:
        """Each row's id, or a digest of the key columns, or of its bucket and every mapped dimension."""
        if "id" in self._at:
            keys = [cell.strip() for cell in block.columns[self._at["id"]]]
            if all(keys) and len(max(keys, key=len)) <= MAX_KEY:
                return keys
            return block.read(self._at["id"], _id)
        if self._key:
            named = zip(*(block.columns[index] for index in self._key), strict=True)
            return [hashlib.sha256(orjson.dumps([cell.strip() for cell in cells])).hexdigest() for cells in named]
        return [
            "" if number in block.faults else _bucket(place, period.stated)
            for number, (place, period) in enumerate(zip(places, periods, strict=True))
        ]


def _id(cell: str) -> str:
    key = cell.strip()
    if not key:
        raise Unreadable("id is empty")
    return key if len(key) <= MAX_KEY else hashlib.sha256(key.encode()).hexdigest()


def _bucket(place: Place, stated: datetime) -> str:
    digest = place.digest.copy()
    digest.update(stated.isoformat().encode())
    return digest.hexdigest()


def _digest(contents: tuple[object, ...]) -> int:
    """63 bits of everything that tells two rows of equal dimensions apart."""
    return int.from_bytes(hashlib.blake2b(repr(contents).encode(), digest_size=8).digest()) >> 1
