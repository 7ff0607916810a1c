"""The page of one model: what each seller asks, since when, and what is known to change. Pure.

`Held` is one accepted price as a row of the database has it; everything else here is worked out from those.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode

from dashboards import formatting
from dashboards.pages.asked import address
from dashboards.pages.quality import name_of
from pricing.frontier import CHAT_MIX, blend
from pricing.schedules import parse

UNITS = ("input", "output", "cache_read")
WRITES = ("cache_write", "cache_write_5m")
"""Whichever of these a seller prices first is its price of a cache write; longer lifetimes are listed apart."""
WORDS = {"input": "input", "output": "output", "cache_read": "cached input"}
COLUMNS = {"input": "In", "output": "Out", "cache_read": "Cached", "cache_write": "Cache write"}
CALENDARS = {"cn": "Chinese public holidays"}


@dataclass(frozen=True, slots=True)
class Seller:
    """One offering of the model."""

    offering_id: int
    provider: str
    name: str
    sku: str
    region: str
    first_party: bool
    context_window: int | None = None
    retired_at: datetime | None = None
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Held:
    """One accepted price. `usd_per_mtok` is None where it is not USD per token."""

    price_id: int
    offering_id: int
    unit: str
    qualifier: str
    service_tier: str
    context_from: int
    context_op: str
    schedule: str
    usd_per_mtok: Decimal | None
    amount: Decimal
    per: int
    currency: str
    effective_from: datetime
    effective_until: datetime | None
    known_from: datetime
    known_until: datetime | None
    evidence_at: datetime
    precision: str
    grade: str

    @property
    def is_plain(self) -> bool:
        """Standard tier, base context, at all hours, without a qualifier."""
        return self.service_tier == "standard" and not (self.context_from or self.schedule or self.qualifier)

    @property
    def starts_unknown(self) -> bool:
        """Nobody states when it began: it held before it was first seen."""
        return self.precision == "unknown"

    @property
    def since(self) -> datetime:
        """When it began; where nobody states that, when it was first seen."""
        return max(self.effective_from, self.evidence_at) if self.starts_unknown else self.effective_from

    def held_at(self, when: datetime) -> bool:
        return self.effective_from <= when and (self.effective_until is None or when < self.effective_until)

    def known_at(self, when: datetime | None) -> bool:
        if when is None:
            return self.known_until is None
        return self.known_from <= when and (self.known_until is None or when < self.known_until)


@dataclass(frozen=True, slots=True)
class Ask:
    """The state of the page: which day's prices, by the evidence of which day."""

    slug: str
    at: date | None = None
    known_at: date | None = None

    def url(self, path: str = "", **changes: object) -> str:
        return address(f"/models/{self.slug}{path}", {"at": self.at, "known_at": self.known_at, **changes})


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the model besides prices."""

    slug: str
    name: str
    maker: str
    open_weights: bool | None
    context_window: int | None
    deprecated: bool = False
    retires_on: date | None = None
    successor: str = ""
    rating: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One price in a table: its amount and its evidence; `amount` None is unknown."""

    amount: Decimal | None
    evidence: str = ""
    decimals: int = 2


@dataclass(frozen=True, slots=True)
class Offered:
    """One seller's row."""

    seller: Seller
    cells: tuple[Cell, ...]
    blended: Decimal | None
    since: datetime | None
    since_unknown: bool
    grade: str
    has_peak: bool
    batch: str
    is_main: bool


@dataclass(frozen=True, slots=True)
class Variant:
    """Other terms of the main seller: a tier, a context tier or hours, with a price per unit."""

    name: str
    said: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Other:
    """A price that is not per token: a search, a page, a second."""

    name: str
    figure: str
    per: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A change of the main seller's price that is known before it begins; `said` ends a sentence."""

    begins: datetime
    said: str
    detail: str
    is_dearer: bool

    @property
    def short(self) -> str:
        """What happens, without the day."""
        return self.said.removesuffix(f" on {self.begins.day} {self.begins:%B}")


@dataclass(frozen=True, slots=True)
class Step:
    """One stretch of a line: an amount from one moment to the next."""

    start: datetime
    end: datetime
    amount: Decimal
    price_id: int = 0
    starts_unknown: bool = False


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One unit's price at one seller over time."""

    seller: str
    unit: str
    is_main: bool
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Event:
    at: datetime
    said: str


@dataclass(frozen=True, slots=True)
class History:
    lines: tuple[HistoryLine, ...]
    events: tuple[Event, ...]
    start: datetime
    end: datetime
    now: datetime

    @property
    def has_changes(self) -> bool:
        return any(len(line.steps) > 1 for line in self.lines)


@dataclass(frozen=True)
class ModelPage:
    """Everything the page shows; `main` is the maker's own offering, else the cheapest host's."""

    ask: Ask
    facts: Facts
    finding: str
    scope: tuple[str, ...]
    main: Seller | None
    columns: tuple[str, ...]
    offered: tuple[Offered, ...]
    unpriced: tuple[Seller, ...]
    table_title: str
    history: History
    history_title: str
    hours: tuple[Variant, ...]
    hours_said: str
    tiers: tuple[Variant, ...]
    services: tuple[Variant, ...]
    others: tuple[Other, ...]
    upcoming: tuple[Upcoming, ...]
    notes: tuple[tuple[str, str], ...]

    @property
    def blended_decimals(self) -> int:
        """How many decimals the column of blended prices stands on."""
        shown = [formatting.derived_price(row.blended) for row in self.offered if row.blended is not None]
        return max((len(text.partition(".")[2]) for text in shown), default=2)


def compose(
    ask: Ask, facts: Facts, sellers: Sequence[Seller], prices: Sequence[Held], *, at: datetime, now: datetime,
    known_at: datetime | None = None, holidays_through: date | None = None,
) -> ModelPage:  # fmt: skip
    """The page of a model from all its offerings and all their prices, past, present and to come."""
    known = [price for price in prices if price.known_at(known_at)]
    held = [price for price in known if price.held_at(at)]
    plain: dict[int, dict[str, Held]] = defaultdict(dict)
    for price in held:
        if price.is_plain and price.usd_per_mtok is not None:
            plain[price.offering_id][price.unit] = price
    for own_prices in plain.values():
        written = next((own_prices[unit] for unit in WRITES if unit in own_prices), None)
        if written:
            own_prices["cache_write"] = written
    columns = _columns(plain)
    main = _main(facts, sellers, plain)
    offered = _offered(ask, sellers, plain, held, columns, main)
    own = [price for price in held if main and price.offering_id == main.offering_id]
    history = _history(sellers, known, main, offered, at, now)
    hours = _hours(ask, own, columns)
    upcoming = _upcoming(known, main, at)
    return ModelPage(
        ask=ask, facts=facts,
        finding=finding(facts, main, offered, upcoming),
        scope=_scope(ask, facts, at, known_at),
        main=main, columns=columns, offered=offered,
        unpriced=tuple(seller for seller in sellers if not plain.get(seller.offering_id)),
        table_title=_table_title(offered),
        history=history, history_title=_history_title(history, main, upcoming),
        hours=hours, hours_said=_hours_said(own, holidays_through),
        tiers=_tiers(ask, own, columns), services=_services(ask, own, columns),
        others=_others(ask, own), upcoming=upcoming,
        notes=tuple((slug.replace("_", "-"), text) for slug, text in sorted(main.notes.items())) if main else (),
    )  # fmt: skip


def _usd(prices: Mapping[str, Held]) -> dict[str, Decimal | None]:
    return {unit: price.usd_per_mtok for unit, price in prices.items()}


def _columns(plain: Mapping[int, Mapping[str, Held]]) -> tuple[str, ...]:
    """In, out and cached always; cache writes where anybody prices them."""
    there = {unit for prices in plain.values() for unit in prices}
    return tuple(unit for unit in COLUMNS if unit in UNITS or unit in there)


def _main(facts: Facts, sellers: Sequence[Seller], plain: Mapping[int, Mapping[str, Held]]) -> Seller | None:
    """The maker's own offering, its plain name first; else the cheapest seller's."""

    def preference(seller: Seller) -> tuple[object, ...]:
        usd = _usd(plain.get(seller.offering_id, {}))
        price = blend(usd, CHAT_MIX)
        theirs = seller.first_party
        return (
            not usd, not theirs, theirs and seller.region not in ("", "global"), theirs and seller.sku != facts.slug,
            price is None, not price, price or 0, seller.provider, seller.sku, seller.region,
        )  # fmt: skip

    return min(sellers, key=preference, default=None)


def evidence_url(ask: Ask, price_id: int) -> str:
    return ask.url(f"/evidence/{price_id}")


def _cells(
    ask: Ask, prices: Mapping[str, Held], columns: Sequence[str], decimals: Mapping[str, int]
) -> tuple[Cell, ...]:
    return tuple(
        Cell(prices[unit].usd_per_mtok, evidence_url(ask, prices[unit].price_id), decimals.get(unit, 2))
        if unit in prices
        else Cell(None)
        for unit in columns
    )


def _decimals(groups: Iterable[Mapping[str, Held]], columns: Sequence[str]) -> dict[str, int]:
    kept = list(groups)
    return {
        unit: formatting.decimals_of([group[unit].usd_per_mtok for group in kept if unit in group]) for unit in columns
    }


def _offered(
    ask: Ask, sellers: Sequence[Seller], plain: Mapping[int, Mapping[str, Held]], held: Sequence[Held],
    columns: Sequence[str], main: Seller | None,
) -> tuple[Offered, ...]:  # fmt: skip
    peaks = {price.offering_id for price in held if price.schedule}
    batch: dict[int, dict[str, Held]] = defaultdict(dict)
    for price in held:
        if price.service_tier == "batch" and not (price.context_from or price.schedule or price.qualifier):
            batch[price.offering_id][price.unit] = price
    decimals = _decimals(plain.values(), columns)
    rows = []
    for seller in sellers:
        prices = plain.get(seller.offering_id)
        if not prices:
            continue
        shown = [prices[unit] for unit in ("input", "output") if unit in prices] or list(prices.values())
        newest = max(shown, key=lambda price: price.since)
        rows.append(
            Offered(
                seller, _cells(ask, prices, columns, decimals), blend(_usd(prices), CHAT_MIX), newest.since,
                newest.starts_unknown, max(price.grade for price in shown), seller.offering_id in peaks,
                _batch_said(prices, batch.get(seller.offering_id, {})), seller is main,
            )
        )  # fmt: skip
    return tuple(sorted(rows, key=lambda row: (row.blended is None, row.blended or 0, row.seller.name, row.seller.sku)))


def _batch_said(prices: Mapping[str, Held], batch: Mapping[str, Held]) -> str:
    """What batch costs against standard, where both are known: `−50%`."""
    ratios = {
        (batch[unit].usd_per_mtok or 0) / (prices[unit].usd_per_mtok or 1)
        for unit in ("input", "output")
        if unit in batch and unit in prices and prices[unit].usd_per_mtok
    }
    if not ratios:
        return ""
    low, high = min(ratios), max(ratios)
    if low != high:
        return f"{formatting.MINUS}{(1 - high) * 100:.0f} to {(1 - low) * 100:.0f}%"
    return f"{formatting.MINUS}{(1 - low) * 100:.0f}%" if low <= 1 else f"+{(low - 1) * 100:.0f}%"


# Words


def finding(facts: Facts, main: Seller | None, offered: Sequence[Offered], upcoming: Sequence[Upcoming]) -> str:
    """Who sells it for what; what is about to change; who asks less."""
    if main is None or not offered:
        return f"Nobody states a list price for {facts.name}."
    own = next((row for row in offered if row.is_main), None)
    if own is None:
        return f"Nobody states a list price for {facts.name}."
    asked = _asked(own)
    if not own.seller.first_party:
        if len({row.seller.provider for row in offered}) == 1:
            return f"Only {own.seller.name} sells {facts.name}, at {asked}."
        return f"Only other hosts sell {facts.name}, from {asked}."
    start = f"{facts.name} costs {asked} at {own.seller.name}"
    if upcoming:
        return f"{start}; {upcoming[0].said}."
    paid = [row for row in offered if row.blended and row.seller.provider != own.seller.provider]
    cheapest = min(paid, key=lambda row: row.blended or 0, default=None)
    if cheapest and own.blended and cheapest.blended and cheapest.blended < own.blended * Decimal("0.98"):
        return f"{start}; {cheapest.seller.name} asks {_asked(cheapest)}."
    if paid:
        return f"{start}, and no other host asks less."
    return f"{start}, the only seller."


def _asked(row: Offered) -> str:
    parts = [
        f"{formatting.price(cell.amount)} {word}"
        for cell, word in zip(row.cells, ("in", "out"), strict=False)
        if cell.amount is not None
    ]
    if not parts:
        return "a price of its own kind"
    return "nothing" if all(not cell.amount for cell in row.cells[:2]) else " and ".join(parts)


def _scope(ask: Ask, facts: Facts, at: datetime, known_at: datetime | None) -> tuple[str, ...]:
    window = facts.context_window
    context = f"{formatting.count(window)} tokens of context" if window else "context unknown"
    parts = [
        name_of(facts.maker) if facts.maker else "maker unknown",
        "open weights" if facts.open_weights else "",
        context,
        facts.rating or "not rated",
        f"List prices on {formatting.day(ask.at or at)}, standard tier, USD per Mtok",
        f"as known on {formatting.day(known_at)}" if known_at else "",
        f"retires {formatting.day(facts.retires_on)}" if facts.retires_on else "deprecated" if facts.deprecated else "",
    ]
    return tuple(part for part in parts if part)


def _table_title(offered: Sequence[Offered]) -> str:
    if not offered:
        return "No list price"
    hosts = len({row.seller.provider for row in offered})
    priced = [row.blended for row in offered if row.blended]
    noun = "One seller" if hosts == 1 else f"{_count_word(hosts)} sellers"
    if hosts == 1 or not priced or max(priced) <= min(priced) * Decimal("1.02"):
        return f"{noun}, one price" if hosts > 1 and priced else noun
    return f"{noun}, up to {formatting.multiple(max(priced) / min(priced))} the lowest price"


def _count_word(count: int) -> str:
    words = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve")
    return words[count] if count < len(words) else formatting.count(count)


# Terms of the main seller


def _hours(ask: Ask, own: Sequence[Held], columns: Sequence[str]) -> tuple[Variant, ...]:
    """The windows with prices of their own, in UTC, and the price otherwise."""
    plain = {price.unit: price for price in own if price.is_plain and price.usd_per_mtok is not None}
    windows: dict[str, dict[str, Held]] = defaultdict(dict)
    for price in own:
        if price.schedule and price.service_tier == "standard" and not (price.context_from or price.qualifier):
            windows[price.schedule][price.unit] = price
    if not windows:
        return ()
    decimals = _decimals([plain, *windows.values()], columns)
    shown = columns[:3]
    rows = [
        Variant(window_words(schedule), "", _cells(ask, prices, shown, decimals))
        for schedule, prices in sorted(windows.items())
    ]
    return (*rows, Variant("At all other hours", "", _cells(ask, plain, shown, decimals)))


def window_words(schedule: str) -> str:
    """A schedule's hours: `Monday to Friday, 01:00–04:00 and 06:00–10:00`."""
    windows = " and ".join(f"{start:%H:%M}–{end:%H:%M}" for start, end in parse(schedule).windows)
    days = "Monday to Friday, " if parse(schedule).days == "mon-fri" else ""
    return f"{days}{windows}"


def _hours_said(own: Sequence[Held], holidays_through: date | None) -> str:
    schedules = sorted({price.schedule for price in own if price.schedule})
    if not schedules:
        return ""
    calendars = sorted({parse(schedule).calendar for schedule in schedules} - {""})
    said = "Times in UTC, as the seller bills."
    for calendar in calendars:
        until = f", known through {formatting.day(holidays_through)}" if holidays_through else ""
        said += f" Not on {CALENDARS.get(calendar, f'holidays of the calendar “{calendar}”')}{until}."
    return said


def _tiers(ask: Ask, own: Sequence[Held], columns: Sequence[str]) -> tuple[Variant, ...]:
    """Prices above a prompt length."""
    tiers: dict[tuple[int, str], dict[str, Held]] = defaultdict(dict)
    for price in own:
        if price.context_from and price.service_tier == "standard" and not (price.schedule or price.qualifier):
            tiers[price.context_from, price.context_op][price.unit] = price
    if not tiers:
        return ()
    plain = {price.unit: price for price in own if price.is_plain and price.usd_per_mtok is not None}
    decimals = _decimals([plain, *tiers.values()], columns)
    first = formatting.count(min(start for start, _ in tiers))
    rows = [Variant(f"Up to {first}", "", _cells(ask, plain, columns[:3], decimals))]
    for (start, operator), prices in sorted(tiers.items()):
        name = f"{'From' if operator == '>=' else 'Over'} {formatting.count(start)}"
        rows.append(Variant(name, "", _cells(ask, prices, columns[:3], decimals)))
    return tuple(rows)


def _services(ask: Ask, own: Sequence[Held], columns: Sequence[str]) -> tuple[Variant, ...]:
    """Other service tiers and qualified prices: batch, flex, priority, thinking."""
    found: dict[tuple[str, str], dict[str, Held]] = defaultdict(dict)
    for price in own:
        if price.context_from or price.schedule or price.usd_per_mtok is None or price.is_plain:
            continue
        if price.unit in COLUMNS:
            found[price.service_tier, price.qualifier][price.unit] = price
    decimals = _decimals(found.values(), columns)
    return tuple(
        Variant(tier if not qualifier else f"{tier}, {qualifier}", "", _cells(ask, prices, columns[:3], decimals))
        for (tier, qualifier), prices in sorted(found.items())
    )


def _others(ask: Ask, own: Sequence[Held]) -> tuple[Other, ...]:
    """What the seller charges beside plain input, output and cached input."""
    rows = [
        Other(_unit_words(price), formatting.price(price.amount, price.currency), _per_words(price),
              evidence_url(ask, price.price_id))
        for price in own
        if price.unit not in COLUMNS and price.service_tier == "standard" and not (price.schedule or price.context_from)
    ]  # fmt: skip
    return tuple(sorted(rows, key=lambda row: row.name))


_LIFETIMES = {"5m": "5 minutes", "30m": "30 minutes", "1h": "1 hour", "12h": "12 hours"}


def _unit_words(price: Held) -> str:
    lifetime = price.unit.removeprefix("cache_write_")
    name = f"cache write, kept {_LIFETIMES[lifetime]}" if lifetime in _LIFETIMES else price.unit.replace("_", " ")
    words = f"{name}, {price.qualifier}" if price.qualifier else name
    return words[0].upper() + words[1:]


def _per_words(price: Held) -> str:
    if price.usd_per_mtok is not None and price.per == 1_000_000:
        return "per Mtok"
    return "each" if price.per == 1 else f"per {formatting.count(price.per)}"


def _upcoming(known: Sequence[Held], main: Seller | None, at: datetime) -> tuple[Upcoming, ...]:
    """Changes of the main seller's plain prices that begin after the moment asked for."""
    if main is None:
        return ()
    own = [price for price in known if price.offering_id == main.offering_id and price.is_plain]
    begins: dict[datetime, dict[str, Held]] = defaultdict(dict)
    for price in own:
        if price.effective_from > at and price.unit in UNITS and price.usd_per_mtok is not None:
            begins[price.effective_from][price.unit] = price
    found = []
    for start in sorted(begins):
        before = {price.unit: price for price in own if price.held_at(start - timedelta(microseconds=1))}
        moved = [
            (unit, before[unit].usd_per_mtok, price.usd_per_mtok)
            for unit, price in begins[start].items()
            if unit in before and before[unit].usd_per_mtok != price.usd_per_mtok
        ]
        if moved:
            up = sum((new or 0) - (old or 0) for _, old, new in moved) > 0
            found.append(Upcoming(start, _move_words(start, moved), _move_detail(moved), up))
    return tuple(found)


def _move_words(start: datetime, moved: Sequence[tuple[str, Decimal | None, Decimal | None]]) -> str:
    ratios = {new / old for _, old, new in moved if old and new is not None}
    when = f"on {start.day} {start:%B}"
    if len(ratios) == 1:
        ratio = ratios.pop()
        if ratio == 2:
            return f"the price doubles {when}"
        if ratio == Decimal("0.5"):
            return f"the price halves {when}"
    up = sum((new or 0) - (old or 0) for _, old, new in moved) > 0
    return f"the price {'rises' if up else 'falls'} {when}"


def _move_detail(moved: Sequence[tuple[str, Decimal | None, Decimal | None]]) -> str:
    """Each price before and after, in the order of the table."""
    ordered = sorted(moved, key=lambda one: UNITS.index(one[0]))
    said = "; ".join(
        f"{WORDS[unit]} {formatting.price(old)} becomes {formatting.price(new)}"
        for unit, old, new in ordered
        if old is not None and new is not None
    )
    return f"{said[0].upper()}{said[1:]}." if said else ""


# History


def _history(
    sellers: Sequence[Seller], known: Sequence[Held], main: Seller | None, offered: Sequence[Offered], at: datetime,
    now: datetime,
) -> History:  # fmt: skip
    """The main seller's input and output over time, three other sellers' muted, and what happened when."""
    by_offering: dict[int, list[Held]] = defaultdict(list)
    for price in known:
        if price.is_plain and price.unit in ("input", "output") and price.usd_per_mtok is not None:
            by_offering[price.offering_id].append(price)
    future = max((price.effective_from for prices in by_offering.values() for price in prices), default=now)
    end = max(now, at, future + timedelta(days=14) if future > now else now)
    lines = []
    if main:
        lines += _lines(main.name, by_offering.get(main.offering_id, ()), end, is_main=True)
    others = [row.seller for row in offered if not main or row.seller.provider != main.provider]
    others.sort(key=lambda seller: -len(by_offering.get(seller.offering_id, ())))
    for seller in others[:2]:
        lines += _lines(seller.name, by_offering.get(seller.offering_id, ()), end, is_main=False)
    starts = [line.steps[0].start for line in lines if line.steps]
    start = min(starts, default=now)
    return History(tuple(lines), _events(known, main, now), start, end, now)


def _lines(name: str, prices: Iterable[Held], end: datetime, *, is_main: bool) -> list[HistoryLine]:
    by_unit: dict[str, list[Held]] = defaultdict(list)
    for price in sorted(prices, key=lambda price: price.effective_from):
        by_unit[price.unit].append(price)
    lines = []
    for unit in ("output", "input"):
        steps: list[Step] = []
        for price in by_unit.get(unit, ()):
            start, until = price.since, min(price.effective_until or end, end)
            amount = price.usd_per_mtok or Decimal(0)
            if start >= until:
                continue
            if steps and steps[-1].amount == amount and steps[-1].end == start:
                steps[-1] = replace(steps[-1], end=until)
            else:
                steps.append(Step(start, until, amount, price.price_id, price.starts_unknown))
        if steps:
            lines.append(HistoryLine(name, unit, is_main, tuple(steps)))
    return lines


def _events(known: Sequence[Held], main: Seller | None, now: datetime) -> tuple[Event, ...]:
    if main is None:
        return ()
    own = [price for price in known if price.offering_id == main.offering_id and price.service_tier == "standard"]
    found = []
    peaks = [price.effective_from for price in own if price.schedule]
    if peaks and not all(price.starts_unknown for price in own if price.schedule):
        found.append(Event(min(peaks), "prices by hour start"))
    found += [Event(one.begins, one.short) for one in _upcoming(known, main, now)[:2]]
    return tuple(sorted(found, key=lambda event: event.at))


def _history_title(history: History, main: Seller | None, upcoming: Sequence[Upcoming]) -> str:
    own = [line for line in history.lines if line.is_main]
    if not own or main is None:
        return "No price history"
    moves = sorted({step.start for line in own for step in line.steps[1:]})
    past = [move for move in moves if move <= history.now]
    if not past and upcoming:
        return f"{upcoming[0].said[0].upper()}{upcoming[0].said[1:]}"
    if not past:
        return f"{main.name} has not changed the price since {_month(history.start)}, as far as is known"
    times = {1: "once", 2: "twice"}.get(len(past), f"{_count_word(len(past)).lower()} times")
    return f"{main.name} changed the price {times} since {_month(history.start)}{_last_move(own, past[-1])}"


def _last_move(own: Sequence[HistoryLine], at: datetime) -> str:
    for line in own:
        for before, after in zip(line.steps, line.steps[1:], strict=False):
            if after.start == at and before.amount:
                moved = formatting.change(after.amount, before.amount)
                return f"; last, {line.unit} {moved.text} on {at.day} {at:%B}"
    return ""


def _month(when: datetime) -> str:
    return f"{when:%B %Y}"


def history_rows(page: ModelPage) -> list[tuple[HistoryLine, Step, str, bool]]:
    """The history as a table, the newest first: line, step, its evidence, whether it still holds or is to come."""
    rows = [
        (line, step, evidence_url(page.ask, step.price_id), step.end >= page.history.end)
        for line in page.history.lines
        for step in line.steps
    ]
    return sorted(rows, key=lambda row: (not row[0].is_main, row[0].seller, row[0].unit, -row[1].start.timestamp()))


CSV_HEAD = (
    "seller", "sku", "region", "unit", "usd_per_mtok", "since", "start_known", "blended_3_1_usd_per_mtok",
    "batch", "grade",
)  # fmt: skip


def csv_rows(page: ModelPage) -> Iterable[tuple[object, ...]]:
    """Every seller's list prices for a program, a line per unit; a unit nobody states has an empty amount."""
    for row in page.offered:
        for unit, cell in zip(page.columns, row.cells, strict=True):
            yield (
                row.seller.provider, row.seller.sku, row.seller.region, unit, cell.amount,
                row.since.date().isoformat() if row.since else None, "no" if row.since_unknown else "yes", row.blended,
                row.batch, row.grade,
            )  # fmt: skip


def api_snippet(seller: Seller, at: date | None, origin: str = "$RATECARD") -> str:
    """The same question asked of the API by a program."""
    query = urlencode({"provider": seller.provider, "sku": seller.sku, **({"at": at.isoformat()} if at else {})})
    return f'curl -H "Authorization: Bearer $TOKEN" \\\n  "{origin}/api/v1/price?{query}"'
