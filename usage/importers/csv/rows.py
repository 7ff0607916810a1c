"""One row of a mapped CSV to the numbers and names of a fact."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import orjson

from usage.importers import Dimension
from usage.importers.csv.mapping import LIFETIMES, MONEY_UNITS, TOKENS, Columns

MAX_TEXT = 1000
MAX_KEY = 200
MAX_RAW = 500
MAX_COUNT = 10**15
MAX_COST = 10**11
FIRST_YEAR, LAST_YEAR = 2015, 2100
_NUMBER = re.compile(r"-?\d{1,30}(?:\.\d{1,30})?", re.ASCII)


class Unreadable(Exception):
    """Why a row cannot be read: a sentence that is the same for every such row."""


@dataclass(slots=True)
class Row:
    """What one row says, in the ledger's conventions."""

    occurred_at: datetime
    period_end: datetime | None
    dimension: Dimension
    service_tier: str
    uncached: int | None
    read: int | None
    written: int | None
    lifetimes: Mapping[str, int]
    out: int | None
    reasoning: int | None
    requests: int | None
    context: int | None
    cost: Decimal | None
    currency: str
    session: str
    quality: tuple[str, ...]
    key: str

    def contents(self) -> tuple[object, ...]:
        """Everything that tells two rows of equal dimensions apart."""
        lifetimes = tuple(sorted(self.lifetimes.items()))
        counts = (
            self.uncached,
            self.read,
            self.written,
            self.out,
            self.reasoning,
            self.requests,
            self.context,
        )
        return (*counts, lifetimes, str(self.cost), self.currency, self.session)

    def rank(self) -> tuple[int, ...]:
        """The greater of two rows with one key wins: an export of a day that is not over grows."""
        tokens = sum(count or 0 for count in (self.uncached, self.read, self.written, self.out))
        return (tokens, self.requests or 0, int((self.cost or 0) * 1_000_000))


class RowReader:
    """Reads rows of one file. A new one for each file: it remembers times and dimensions it has met."""

    def __init__(self, mapping: Columns, header: list[str]) -> None:
        self._map = mapping
        at = {name: index for index, name in enumerate(header)}
        self._at = {field: at[column] for field, column in mapping.columns.items()}
        self._tags = sorted((name, at[column.strip()]) for name, column in mapping.tags.items())
        self._key = [at[column] for column in mapping.key]
        self._width = len(header)
        self._times: dict[str, tuple[datetime, datetime | None, bool]] = {}
        self._dimensions: dict[Dimension, Dimension] = {}
        self._read_time = _time_reader(mapping)
        self._tokens = [(name, self._at[name]) for name in TOKENS if name in self._at]

    def read(self, fields: list[str]) -> Row:
        """The row's facts; raises Unreadable with a sentence."""
        if len(fields) != self._width:
            if len(fields) < self._width:
                raise Unreadable("row has fewer fields than the header")
            if any(fields[self._width :]):
                raise Unreadable("row has more fields than the header")
        occurred_at, period_end, ambiguous = self._when(fields[self._at["time"]].strip())
        tokens = {name: self._count(fields[index], "tokens") for name, index in self._tokens}
        uncached, read, written, lifetimes, quality = self._input(tokens)
        out, reasoning = self._output(tokens)
        cost, currency = self._cost(fields)
        requests = self._plain(fields, "requests")
        if cost is None and all(count is None for count in (uncached, read, written, out, requests)):
            raise Unreadable("row has neither tokens nor requests nor cost")
        dimension = self._dimension(fields)
        tier = self._text(fields, "service_tier")
        return Row(
            occurred_at,
            period_end,
            dimension,
            tier,
            uncached,
            read,
            written,
            lifetimes,
            out,
            reasoning,
            1 if requests is None and self._map.grain == "request" else requests,
            self._plain(fields, "context"),
            cost,
            currency,
            self._text(fields, "session"),
            (*quality, "ambiguous_local_time") if ambiguous else quality,
            self._key_of(fields, occurred_at, dimension, tier),
        )

    def structure(self, fields: list[str]) -> str:
        """The mapped cells of a rejected row; nothing of columns that the mapping does not name."""
        if len(fields) < self._width:
            return ""
        shown = {
            name: fields[index].strip()[:60] for name, index in self._at.items() if fields[index].strip()
        }
        return orjson.dumps(shown).decode("utf-8")[:MAX_RAW]

    def _when(self, text: str) -> tuple[datetime, datetime | None, bool]:
        known = self._times.get(text)
        if known is None:
            known = self._read_time(text)
            if len(self._times) >= 10_000:
                self._times.clear()
            self._times[text] = known
        window = self._map.window
        if window and not window[0] <= known[0] < window[1]:
            raise Unreadable("row lies outside the window that the mapping declares")
        return known

    def _number(self, cell: str, what: str) -> Decimal | None:
        text = cell.strip()
        if not text:
            return Decimal(0) if self._map.blank == "zero" else None
        if self._map.thousands:
            text = text.replace(self._map.thousands, "")
        if self._map.decimal == ",":
            text = text.replace(",", ".") if "." not in text else "?"
        if not _NUMBER.fullmatch(text):
            if re.fullmatch(r"-?\d{1,3}(?:[,.'   ]\d{3})+(?:[.,]\d+)?", text):
                raise Unreadable(f"{what} has a thousands separator that the mapping does not declare")
            raise Unreadable(f"{what} is not a plain number")
        return Decimal(text)

    def _count(self, cell: str, what: str) -> int | None:
        if cell.isdigit() and cell.isascii() and len(cell) < 10:  # nearly every cell
            return int(cell) * (self._map.tokens_per_unit if what == "tokens" else 1)
        number = self._number(cell, what)
        if number is None:
            return None
        if what == "tokens":
            number *= self._map.tokens_per_unit
        if number < 0:
            raise Unreadable(f"{what} is negative" if what != "tokens" else "a token count is negative")
        if number > MAX_COUNT:
            raise Unreadable(f"{what} is larger than any bucket can hold")
        if number != int(number):
            raise Unreadable(
                f"{what} is not a whole number" if what != "tokens" else "tokens are not a whole number"
            )
        return int(number)

    def _plain(self, fields: list[str], name: str) -> int | None:
        index = self._at.get(name)
        return None if index is None else self._count(fields[index], name)

    def _input(
        self, tokens: Mapping[str, int | None]
    ) -> tuple[int | None, int | None, int | None, dict[str, int], tuple[str, ...]]:
        """Disjoint input counts. A split that is not mapped is unknown: flagged, and not taken for zero."""
        total, read = tokens.get("input"), tokens.get("cache_read")
        quality: tuple[str, ...] = ()
        split = {name: count for name in LIFETIMES if (count := tokens.get(f"cache_write_{name}"))}
        said = "cache_write" in tokens or any(f"cache_write_{name}" in tokens for name in LIFETIMES)
        written = tokens.get("cache_write")
        if written is None and any(tokens.get(f"cache_write_{name}") is not None for name in LIFETIMES):
            written = sum(split.values())
        elif split and (rest := (written or 0) - sum(split.values())):
            if rest < 0:
                raise Unreadable("cache writes by lifetime exceed the cache writes in all")
            split[""] = rest  # written with no lifetime stated
        if total is None:
            return None, read, written, split, quality
        if self._map.cache == "exclusive":
            if "cache_read" not in tokens:
                quality = (*quality, "cache_split_unknown")
            return total, read, written, split, quality
        uncached = total - (read or 0) - (written or 0)
        if uncached < 0:
            raise Unreadable("cached tokens exceed the input that the mapping says includes them")
        if read is None or (said and written is None):
            quality = (*quality, "cache_split_unknown")
        return uncached, read, written, split, quality

    def _output(self, tokens: Mapping[str, int | None]) -> tuple[int | None, int | None]:
        out, reasoning = tokens.get("output"), tokens.get("reasoning")
        if out is None or reasoning is None:
            return out, reasoning if out is not None else None
        if self._map.reasoning == "excluded":
            return out + reasoning, reasoning
        if reasoning > out:
            raise Unreadable("reasoning exceeds the output that the mapping says includes it")
        return out, reasoning

    def _cost(self, fields: list[str]) -> tuple[Decimal | None, str]:
        index = self._at.get("cost")
        if index is None:
            return None, ""
        amount = self._number(fields[index], "cost")
        if amount is None:
            return None, ""
        if amount < 0:
            raise Unreadable("cost is negative: record a credit as a fixed cost")
        if amount > MAX_COST:
            raise Unreadable("cost is larger than any bucket can hold")
        currency = (self._text(fields, "currency") or self._map.currency).upper()
        if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
            raise Unreadable("currency is not three letters")
        return round(amount / MONEY_UNITS[self._map.money_unit], 12), currency

    def _text(self, fields: list[str], name: str) -> str:
        index = self._at.get(name)
        return self._map.constants.get(name, "") if index is None else fields[index].strip()[:MAX_TEXT]

    def _dimension(self, fields: list[str]) -> Dimension:
        text = self._text
        dimension = Dimension(
            model_raw=text(fields, "model"),
            host=text(fields, "host"),
            operation=text(fields, "operation"),
            region=text(fields, "region"),
            ext_project=text(fields, "project"),
            ext_api_key=text(fields, "api_key"),
            ext_user=text(fields, "user"),
            ext_team=text(fields, "team"),
            path=text(fields, "path"),
            branch=text(fields, "branch"),
            tags=tuple((name, cell) for name, at in self._tags if (cell := fields[at].strip()[:MAX_TEXT])),
        )
        if len(self._dimensions) >= 10_000:
            self._dimensions.clear()
        return self._dimensions.setdefault(dimension, dimension)

    def _key_of(self, fields: list[str], occurred_at: datetime, dimension: Dimension, tier: str) -> str:
        """The row's id, or a digest of the key columns, or of its bucket and every mapped dimension."""
        if "id" in self._at:
            key = fields[self._at["id"]].strip()
            if not key:
                raise Unreadable("id is empty")
            return key if len(key) <= MAX_KEY else hashlib.sha256(key.encode()).hexdigest()
        if self._key:
            return _digest([fields[index].strip() for index in self._key])
        names = [
            dimension.model_raw,
            dimension.host,
            dimension.operation,
            dimension.region,
            dimension.ext_project,
        ]
        names += [
            dimension.ext_api_key,
            dimension.ext_user,
            dimension.ext_team,
            dimension.path,
            dimension.branch,
        ]
        tags = [f"{name}={text}" for name, text in dimension.tags]
        return _digest([self._map.grain, occurred_at.isoformat(), *names, tier, *tags])


def _digest(parts: list[str]) -> str:
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()


type_of_time = tuple[datetime, datetime | None, bool]


def _time_reader(mapping: Columns) -> Callable[[str], type_of_time]:
    """Text to [start, end) in UTC, and whether the local time occurs twice.

    A local time that occurs twice (clocks going back) is taken as the first of the two and flagged. One that
    never occurs (clocks going forward) is refused, except the start of a day or month: its first instant.
    """
    form, grain, zone = mapping.time_format, mapping.grain, mapping.time_zone

    def read(text: str) -> type_of_time:
        try:
            moment = _moment(text, form)
        except (ValueError, OverflowError, OSError):
            raise Unreadable("time cannot be read with the mapping's format") from None
        if not FIRST_YEAR <= moment.year < LAST_YEAR:
            raise Unreadable(f"time is not between {FIRST_YEAR} and {LAST_YEAR}")
        if moment.tzinfo is None:
            local, ambiguous = moment, _occurs_twice(moment, zone)
            moment = moment.replace(tzinfo=zone).astimezone(UTC)
            missing = moment.astimezone(zone).replace(tzinfo=None) != local
            if missing and grain not in ("1d", "1mo"):
                raise Unreadable(f"local time does not exist in {zone.key}: the clocks went forward")
            day = local.date() if local.time() == datetime.min.time() else None
            if missing and day:
                moment = _first_instant(day, zone)
        else:
            moment, ambiguous = moment.astimezone(UTC), False
            local = moment.astimezone(zone).replace(tzinfo=None)
            day = local.date() if moment == _first_instant(local.date(), zone) else None
        return moment, _period_end(moment, day, grain, zone), ambiguous

    return read


def _moment(text: str, form: str) -> datetime:
    if form == "iso":
        # An export may write "2026-09-01 10:00:00 UTC"; the rest fromisoformat reads.
        return datetime.fromisoformat(f"{text[:-4]}+00:00" if text.endswith(" UTC") else text)
    if form in ("unix", "unix_ms"):
        if not re.fullmatch(r"\d{1,14}(?:\.\d{1,9})?", text, re.ASCII):
            raise ValueError
        seconds = Decimal(text) / (1000 if form == "unix_ms" else 1)
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(seconds * 1_000_000))
    return datetime.strptime(text, form)  # noqa: DTZ007 - without a zone in the pattern the mapping's applies


def _occurs_twice(local: datetime, zone: ZoneInfo) -> bool:
    first, second = local.replace(tzinfo=zone, fold=0), local.replace(tzinfo=zone, fold=1)
    return bool(first.utcoffset() != second.utcoffset() and first.astimezone(UTC).astimezone(zone) == first)


def _first_instant(day: date, zone: ZoneInfo) -> datetime:
    """When a local day starts, also where the clocks skip midnight."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    moment = midnight.astimezone(UTC)
    if moment.astimezone(zone).date() < day:  # pragma: no cover - a zone whose gap ends the day before
        moment += timedelta(hours=1)
    return moment


def _period_end(start: datetime, day: date | None, grain: str, zone: ZoneInfo) -> datetime | None:
    if grain == "request":
        return None
    if grain in ("1m", "1h"):
        length = timedelta(minutes=1) if grain == "1m" else timedelta(hours=1)
        if start.timestamp() % 60 or (grain == "1h" and start.astimezone(zone).minute):
            raise Unreadable(f"time is not the start of a {'minute' if grain == '1m' else 'hour'}")
        return start + length
    if day is None:
        raise Unreadable(f"time is not the start of a day in {zone.key}")
    if grain == "1d":
        return _first_instant(day + timedelta(days=1), zone)
    if day.day != 1:
        raise Unreadable(f"time is not the start of a month in {zone.key}")
    return _first_instant((day + timedelta(days=31)).replace(day=1), zone)
