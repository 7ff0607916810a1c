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
_NOTHING = (None,) * 5


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
        if len(fitting) == len(rows):
            return self._facts(rows)
        faults = {number: fault for number, (_, fields) in enumerate(rows) if (fault := self._misfit(fields))}
        return self._beside(rows, faults, self._facts(fitting))

    def _facts(self, rows: Sequence[Lined]) -> Iterator[Fact | Rejected]:
        if not rows:
            return iter(())
        cells = [fields for _, fields in rows]
        block, at, spec = Block(cells), self._at, self._map
        periods = self._periods(block)
        total, read, written, *split, out, reasoning = (
            self._numbers.counts(block, at.get(name), spec.tokens_per_unit) for name in TOKENS
        )
        requests = self._numbers.counts(block, at.get("requests"))
        costs = block.read(at["cost"], self._numbers.amount) if "cost" in at else block.none
        contexts = self._numbers.counts(block, at.get("context"))
        places = self._placed(block, cells)
        keys = self._identities(block, periods, places)
        if block.faults:  # once more without the rows of which a cell cannot be read
            readable = [row for number, row in enumerate(rows) if number not in block.faults]
            return self._beside(rows, block.faults, self._facts(readable))
        uncached, lifetimes = total, [_NO_LIFETIMES] * len(rows)
        if self._input_to_split:
            uncached, written, lifetimes = self._inputs(block, total, read, written, split)
        if reasoning is not block.none:
            out = self._outputs(block, out, reasoning)
            reasoning = [None if all_of is None else part for all_of, part in zip(out, reasoning, strict=True)]
        _refuse_the_empty(block, (uncached, read, written, out, requests, costs))
        currencies = self._currencies(block, costs)
        _refuse_the_large(block, (written, out))
        ranks = _ranks(uncached, read, written, out, requests, costs)
        if not self._has_ids:
            # Rows that are equal in these have an order all the same, or an ordinal could mean another row than the
            # one that wins.
            told = zip(uncached, read, written, out, reasoning, requests, contexts, costs, currencies, strict=True)
            ranks = [
                (*rank, _digest((*each, sorted(stated.items()))))
                for rank, each, stated in zip(ranks, told, lifetimes, strict=True)
            ]
        if spec.grain == "request":
            requests = [1 if count is None else count for count in requests]
        facts = map(
            Fact._make,
            zip(
                [line for line, _ in rows],
                keys,
                [period.start for period in periods],
                repeat(spec.grain),
                [place.dimension for place in places],
                uncached,
                read,
                written,
                out,
                reasoning,
                lifetimes,
                requests,
                [place.service_tier for place in places],
                contexts,
                [period.end for period in periods],
                costs,
                currencies,
                repeat(spec.cost_kind),
                self._sessions(block),
                _qualities(periods, total, read),
                ranks,
                strict=False,  # what is repeated has no end
            ),
        )
        if not block.faults:
            return facts
        kept = (fact for number, fact in enumerate(facts) if number not in block.faults)
        return self._beside(rows, block.faults, kept)

    def _beside(
        self, rows: Sequence[Lined], faults: Mapping[int, str], others: Iterator[Fact | Rejected]
    ) -> Iterator[Fact | Rejected]:
        """What is wrong with some rows, by number, and of the others what is said of each in turn."""
        for number, row in enumerate(rows):
            yield self._rejected(*row, faults[number]) if number in faults else next(others)

    def _sessions(self, block: Block) -> Iterable[str]:
        if "session" not in self._at:
            return repeat("")
        return [session.strip()[:MAX_TEXT] for session in block.columns[self._at["session"]]]

    def _currencies(self, block: Block, costs: Sequence[Decimal | None]) -> Sequence[str]:
        """Of each cost its currency; '' where there is no cost."""
        if "currency" not in self._at:
            own = self._map.currency
            return ["" if cost is None else own for cost in costs]
        stated = block.read(self._at["currency"], self._currency)
        for number, (cost, currency) in enumerate(zip(costs, stated, strict=True)):
            if cost is not None and not currency:
                block.faults.setdefault(number, NO_CURRENCY)
        return ["" if cost is None else currency for cost, currency in zip(costs, stated, strict=True)]

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

    def _inputs(
        self,
        block: Block,
        total: Sequence[int | None],
        read: Sequence[int | None],
        written: Sequence[int | None],
        split: Sequence[Sequence[int | None]],
    ) -> tuple[Sequence[int | None], Sequence[int | None], list[Mapping[str, int]]]:
        """Disjoint counts: what no cache has to do with, cache writes, and these by lifetime ("" is what has none)."""
        lifetimes: list[Mapping[str, int]] = [_NO_LIFETIMES] * len(total)
        if self._split_writes:
            both = []
            for number, (whole, parts) in enumerate(zip(written, zip(*split, strict=True), strict=True)):
                lifetimes[number] = stated = {name: n for name, n in zip(LIFETIMES, parts, strict=True) if n}
                known = sum(stated.values())
                if whole is None and any(count is not None for count in parts):
                    both.append(known)
                    continue
                both.append(whole)
                if stated and whole is not None:
                    if whole < known:
                        block.faults.setdefault(number, "cache writes by lifetime exceed the cache writes in all")
                    elif whole > known:
                        stated[""] = whole - known
            written = both
        if self._map.cache == "inclusive":
            total = [
                None if count is None else count - (cached or 0) - (stored or 0)
                for count, cached, stored in zip(total, read, written, strict=True)
            ]
            for number, count in enumerate(total):
                if count is not None and count < 0:
                    block.faults.setdefault(
                        number, "cached tokens exceed the input that the mapping says includes them"
                    )
        return total, written, lifetimes

    def _outputs(
        self, block: Block, out: Sequence[int | None], reasoning: Sequence[int | None]
    ) -> Sequence[int | None]:
        """All that was written, with what was thought."""
        if self._map.reasoning == "excluded":
            return [
                whole if whole is None or part is None else whole + part
                for whole, part in zip(out, reasoning, strict=True)
            ]
        for number, (whole, part) in enumerate(zip(out, reasoning, strict=True)):
            if part is not None and whole is not None and part > whole:
                block.faults.setdefault(number, "reasoning exceeds the output that the mapping says includes it")
        return out

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


def _ranks(
    uncached: Sequence[int | None],
    read: Sequence[int | None],
    written: Sequence[int | None],
    out: Sequence[int | None],
    requests: Sequence[int | None],
    costs: Sequence[Decimal | None],
) -> Iterable[tuple[int, ...]]:
    """The greater of two rows with one key wins: an export of a day that is not over grows."""
    tokens = zip(uncached, read, written, out, strict=True)
    return zip(
        [(a or 0) + (b or 0) + (c or 0) + (d or 0) for a, b, c, d in tokens],
        [count or 0 for count in requests],
        [0 if cost is None else int(cost * 1_000_000) for cost in costs],
        strict=True,
    )


def _qualities(
    periods: Sequence[Period], total: Sequence[int | None], read: Sequence[int | None]
) -> Iterable[tuple[str, ...]]:
    return [
        period.quality if count is None or cached is not None else ("cache_split_unknown", *period.quality)
        for period, count, cached in zip(periods, total, read, strict=True)
    ]


def _refuse_the_empty(block: Block, columns: Sequence[Sequence[object]]) -> None:
    uncached, read, written, out, requests, costs = columns
    for number, known in enumerate(zip(uncached, read, written, out, costs, strict=True)):
        if known == _NOTHING and not requests[number]:
            block.faults.setdefault(number, "row has neither tokens nor requests nor cost")


def _refuse_the_large(block: Block, columns: Iterable[Sequence[int | None]]) -> None:
    for column in columns:
        for number, count in enumerate(column):
            if count is not None and count >= MAX_COUNT:
                block.faults.setdefault(number, TOO_LARGE)


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
