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

from usage.importers import BY_LOCAL_DATE, Dimension, Fact
from usage.importers._json import FIRST_YEAR, LAST_YEAR, MAX_COUNT, rounded
from usage.importers.csv.mapping import DIMENSIONS, LIFETIMES, MONEY_UNITS, TOKENS, Columns

MAX_TEXT = 1000
MAX_KEY = 200
MAX_RAW, KEPT_CELL = 500, 60  # of a rejected row, and of each of its cells
MAX_COST = 10**11
"""What the ledger refuses is refused here: rows are numbered among those that are taken."""
_NUMBER = re.compile(r"-?\d{1,30}(?:\.\d{1,30})?", re.ASCII)
_AMOUNT = re.compile(rf"{_NUMBER.pattern}(?:[eE][+-]?\d{{1,2}})?", re.ASCII)
"""What exports floats (PostgreSQL, pandas, Excel) writes the cost of a short request as 4.5e-06."""


_GROUPED = re.compile(r"-?\d{1,3}(?:[,.'\s]\d{3})+(?:[.,]\d+)?")

TOO_LARGE = "a count is larger than any bucket can hold"
MISPLACED = "the thousands separator that the mapping declares does not stand between groups of three digits"
GROUPED = "a number has a thousands separator that the mapping does not declare"

AMBIGUOUS = "ambiguous_local_time"
"""The local time occurs twice."""


@dataclass(frozen=True, slots=True)
class Period:
    """The bucket a row is posted in, what is to say of it, and when it begins in the zone of the file."""

    start: datetime
    end: datetime | None
    quality: tuple[str, ...]
    stated: datetime


class Unreadable(Exception):
    """Why a row cannot be read: a sentence that is the same for every such row."""


@dataclass(frozen=True, slots=True)
class Place:
    """What is the same in many rows, and a digest of it for their keys."""

    dimension: Dimension
    service_tier: str
    digest: hashlib._Hash


class RowReader:
    """Reads rows of one file. A new one for each file: it remembers times and dimensions it has met."""

    def __init__(self, mapping: Columns, header: list[str]) -> None:
        self._map = mapping
        at = {name: index for index, name in enumerate(header)}
        self._at = {field: at[column] for field, column in mapping.columns.items()}
        self._tags = sorted((name, at[column.strip()]) for name, column in mapping.tags.items())
        self._key = [at[column] for column in mapping.key]
        self._width = len(header)
        self._time = self._at["time"]
        self._tokens = [(name, self._at[name]) for name in TOKENS if name in self._at]
        self._lifetimes = [f"cache_write_{name}" for name in LIFETIMES if f"cache_write_{name}" in self._at]
        self._named = [self._at[name] for name in DIMENSIONS if name in self._at] + [at for _, at in self._tags]
        self._times: dict[str, Period] = {}
        self._places: dict[tuple[str, ...], Place] = {}
        self._dimensions: dict[Dimension, Dimension] = {}
        self._read_time = _time_reader(mapping)
        mark, point = re.escape(mapping.thousands), re.escape(mapping.decimal)
        self._grouped = re.compile(rf"-?\d{{1,3}}(?:{mark}\d{{3}})+(?:{point}\d+)?", re.ASCII)

    def key(self, fields: list[str]) -> str:
        """The row's identity; raises Unreadable with a sentence where it has none."""
        self._check_width(fields)
        return self._key_of(fields, self._when(fields[self._time]).stated, self._place(fields))

    def read(self, line: int, fields: list[str]) -> Fact:
        """The row's facts; raises Unreadable with a sentence."""
        self._check_width(fields)
        period = self._when(fields[self._time])
        tokens = {name: self._count(fields[index], self._map.tokens_per_unit) for name, index in self._tokens}
        uncached, read, written, lifetimes, quality = self._input(tokens)
        out, reasoning = self._output(tokens)
        requests = self._plain(fields, "requests")
        cost, currency = self._cost(fields) if "cost" in self._at else (None, "")
        if cost is None and uncached is None and read is None and written is None and out is None and not requests:
            raise Unreadable("row has neither tokens nor requests nor cost")
        context = self._plain(fields, "context")
        if max(written or 0, out or 0) >= MAX_COUNT:
            raise Unreadable(TOO_LARGE)
        place = self._place(fields)
        total = (uncached or 0) + (read or 0) + (written or 0) + (out or 0)
        counts = (uncached, read, written, out, reasoning, requests, context, cost, currency, sorted(lifetimes.items()))
        return Fact(
            line,
            self._key_of(fields, period.stated, place),
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
            self._text(fields, "session") if "session" in self._at else "",
            (*quality, *period.quality),
            # The greater of two rows with one key wins: an export of a day that is not over grows. Rows that are equal
            # in these have an order all the same, or an ordinal could mean another row than the one that wins.
            (total, requests or 0, 0 if cost is None else int(cost * 1_000_000), _digest(counts)),
        )

    def _check_width(self, fields: list[str]) -> None:
        if len(fields) != self._width:
            if len(fields) < self._width:
                raise Unreadable("row has fewer fields than the header")
            if any(fields[self._width :]):
                raise Unreadable("row has more fields than the header")

    def structure(self, fields: list[str]) -> str:
        """The mapped cells of a rejected row; nothing of columns that the mapping does not name."""
        if len(fields) < self._width:
            return ""
        shown = {name: fields[index].strip()[:KEPT_CELL] for name, index in self._at.items() if fields[index].strip()}
        return orjson.dumps(shown).decode("utf-8")[:MAX_RAW]

    def _when(self, text: str) -> Period:
        known = self._times.get(text)
        if known is None:
            known = self._read_time(text.strip())
            if len(self._times) >= 10_000:
                self._times.clear()
            self._times[text] = known
        window = self._map.window
        if window and not window[0] <= known.start < window[1]:
            raise Unreadable("row lies outside the window that the mapping declares")
        return known

    def _number(self, cell: str, form: re.Pattern[str] = _NUMBER) -> Decimal | None:
        text = cell.strip()
        if not text:
            return Decimal(0) if self._map.blank == "zero" else None
        if self._map.thousands and self._map.thousands in text:
            if not self._grouped.fullmatch(text):  # 12,50 is no 1250
                raise Unreadable(MISPLACED)
            text = text.replace(self._map.thousands, "")
        if self._map.decimal == ",":
            text = text.replace(",", ".") if "." not in text else "?"
        if not form.fullmatch(text):
            if _GROUPED.fullmatch(cell.strip()):
                raise Unreadable(GROUPED)
            raise Unreadable("a cell is not a plain number")
        return Decimal(text)

    def _count(self, cell: str, unit: int = 1) -> int | None:
        if cell.isdigit() and cell.isascii() and len(cell) < 10:  # nearly every cell
            return int(cell) * unit
        number = self._number(cell)
        if number is None:
            return None
        if unit == 1 and not self._map.thousands and _GROUPED.fullmatch(cell.strip()):
            raise Unreadable(GROUPED)  # 1.000 may be a thousand
        number *= unit
        if number < 0:
            raise Unreadable("a count is negative")
        if number >= MAX_COUNT:
            raise Unreadable(TOO_LARGE)
        if number != int(number):
            raise Unreadable("a count is not a whole number")
        return int(number)

    def _plain(self, fields: list[str], name: str) -> int | None:
        index = self._at.get(name)
        return None if index is None else self._count(fields[index])

    def _input(
        self, tokens: Mapping[str, int | None]
    ) -> tuple[int | None, int | None, int | None, dict[str, int], tuple[str, ...]]:
        """Disjoint input counts. A split that is not reported is unknown: flagged, and not taken for zero."""
        total, read, written = tokens.get("input"), tokens.get("cache_read"), tokens.get("cache_write")
        split = self._split(tokens, written) if self._lifetimes else {}
        if written is None and any(tokens[name] is not None for name in self._lifetimes):
            written = sum(split.values())
        if total is None:
            return None, read, written, split, ()
        if self._map.cache == "inclusive":
            total -= (read or 0) + (written or 0)
            if total < 0:
                raise Unreadable("cached tokens exceed the input that the mapping says includes them")
        return total, read, written, split, () if read is not None else ("cache_split_unknown",)

    def _split(self, tokens: Mapping[str, int | None], written: int | None) -> dict[str, int]:
        """Cache writes by lifetime; "" is what has none."""
        split = {name.removeprefix("cache_write_"): count for name in self._lifetimes if (count := tokens[name])}
        if split and written is not None:
            rest = written - sum(split.values())
            if rest < 0:
                raise Unreadable("cache writes by lifetime exceed the cache writes in all")
            if rest:
                split[""] = rest
        return split

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
        amount = self._number(fields[self._at["cost"]], _AMOUNT)
        if amount is None:
            return None, ""
        if amount < 0:
            raise Unreadable("cost is negative: record a credit as a fixed cost")
        if amount >= MAX_COST:
            raise Unreadable("cost is larger than any bucket can hold")
        currency = self._map.currency
        if "currency" in self._at:
            currency = self._text(fields, "currency").upper() or currency
            if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
                raise Unreadable("currency is not three letters")
        return rounded(amount / MONEY_UNITS[self._map.money_unit]), currency

    def _text(self, fields: list[str], name: str) -> str:
        index = self._at.get(name)
        return self._map.constants.get(name, "") if index is None else fields[index].strip()[:MAX_TEXT]

    def _place(self, fields: list[str]) -> Place:
        """What the row's names say: one look-up for names met before."""
        cells = tuple([fields[index] for index in self._named])
        place = self._places.get(cells)
        if place is None:
            if len(self._places) >= 10_000:
                self._places.clear()
                self._dimensions.clear()
            place = self._places[cells] = self._new_place(fields)
        return place

    def _new_place(self, fields: list[str]) -> Place:
        names = {name: self._text(fields, name) for name in DIMENSIONS}
        tags = tuple((name, cell) for name, at in self._tags if (cell := fields[at].strip()[:MAX_TEXT]))
        tier = names.pop("service_tier")
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
        identity = [self._map.grain, tier, *(str(getattr(dimension, name)) for name in Dimension.__slots__)]
        return Place(dimension, tier, hashlib.sha256(orjson.dumps(identity)))

    def _key_of(self, fields: list[str], occurred_at: datetime, place: Place) -> str:
        """The row's id, or a digest of the key columns, or of its bucket and every mapped dimension."""
        if "id" in self._at:
            key = fields[self._at["id"]].strip()
            if not key:
                raise Unreadable("id is empty")
            return key if len(key) <= MAX_KEY else hashlib.sha256(key.encode()).hexdigest()
        if self._key:
            return hashlib.sha256(orjson.dumps([fields[index].strip() for index in self._key])).hexdigest()
        digest = place.digest.copy()
        digest.update(occurred_at.isoformat().encode())
        return digest.hexdigest()


def _digest(contents: tuple[object, ...]) -> int:
    """63 bits of everything that tells two rows of equal dimensions apart."""
    return int.from_bytes(hashlib.blake2b(repr(contents).encode(), digest_size=8).digest()) >> 1


def _time_reader(mapping: Columns) -> Callable[[str], Period]:
    """Text to the bucket it begins.

    A day or month is posted as the UTC day or month of its local date, so that it stands under the date that the file
    says. A local time that occurs twice (clocks going back) is taken as the first of the two and flagged. One that
    never occurs (clocks going forward) is refused, except the start of a day or month: its first instant.
    """
    form, grain, zone = mapping.time_format, mapping.grain, mapping.time_zone

    def read(text: str) -> Period:
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
        elif grain == "request":
            moment = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
            return Period(moment, None, (), moment)
        else:
            moment, ambiguous = moment.astimezone(UTC), False
            local = moment.astimezone(zone).replace(tzinfo=None)
            day = local.date() if moment == _first_instant(local.date(), zone) else None
        end = _period_end(moment, day, grain, zone)
        quality = (AMBIGUOUS,) if ambiguous else ()
        if day is None or grain not in ("1d", "1mo"):
            return Period(moment, end, quality, moment)
        start = _midnight(day)
        until = _midnight(day + timedelta(days=1) if grain == "1d" else (day + timedelta(days=31)).replace(day=1))
        if (start, until) != (moment, end):
            quality = (*quality, BY_LOCAL_DATE)
        return Period(start, until, quality, moment)

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


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


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
            raise Unreadable(f"time is not the start of {'a minute' if grain == '1m' else 'an hour'}")
        return start + length
    if day is None:
        raise Unreadable(f"time is not the start of a day in {zone.key}")
    if grain == "1d":
        return _first_instant(day + timedelta(days=1), zone)
    if day.day != 1:
        raise Unreadable(f"time is not the start of a month in {zone.key}")
    return _first_instant((day + timedelta(days=31)).replace(day=1), zone)
