"""What the pages of the ledger share: sums that never mix currencies, words with figures in them, evidence URLs."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from operator import add as plus
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode

from dashboards import formatting
from dashboards.pages.periods import Span
from pricing.providers import declared
from pricing.units import LIFETIMES as WRITE_LIFETIMES

ZERO = Decimal(0)
NOBODY = "none"
RECORDS = "/spend/records"
K = TypeVar("K", bound=Hashable)
Row = Mapping[str, Any]


class Sums(NamedTuple):
    """Usage of a group: money in the organisation's currency, and the tokens of each disjoint kind.

    `cost` is what was spent as far as anybody knows: reported, else at contract, else at list prices. `reported` and
    `billed` are what of it feeds said, and bills; `list_cost` and `contracted_cost` are of the tokens, whoever gives
    the money. `foreign_tokens` have a price in another currency; `unpriced_tokens` have none that is known.
    """

    cost: Decimal = ZERO
    list_cost: Decimal = ZERO
    contracted_cost: Decimal = ZERO
    reported: Decimal = ZERO
    billed: Decimal = ZERO
    records: int = 0
    spent_records: int = 0
    priced_records: int = 0
    requests: int = 0
    in_uncached: int = 0
    in_cache_read: int = 0
    in_cache_write: int = 0
    out_total: int = 0
    unpriced_requests: int = 0
    unpriced_tokens: int = 0
    foreign_tokens: int = 0

    @classmethod
    def of(cls, row: Row, currency: str) -> Sums:
        counts = [int(row[name]) if name in row else 0 for name in _COUNTS]
        records, spent_records, priced_records, requests, *tokens, unpriced_requests, unpriced_tokens = counts
        spent = reported = billed = list_cost = contracted_cost = ZERO
        foreign_tokens = 0
        if row["spent_currency"] in ("", currency):
            spent, reported = Decimal(row["spent"]), Decimal(row["reported"])
            billed = reported if row["cost_kind"] == "billed" else ZERO
        else:
            spent_records = 0
        if row["list_currency"] in ("", currency):
            list_cost, contracted_cost = Decimal(row["cost"]), Decimal(row["contracted"])
        else:
            priced_records, foreign_tokens = 0, sum(tokens) - unpriced_tokens
        money = (spent, list_cost, contracted_cost, reported, billed)
        known = (records, spent_records, priced_records, requests)
        return cls._make((*money, *known, *tokens, unpriced_requests, unpriced_tokens, foreign_tokens))

    def __add__(self, other: Sums) -> Sums:  # type: ignore[override]
        return Sums(*map(plus, self, other))

    @property
    def tokens(self) -> int:
        return self.in_uncached + self.in_cache_read + self.in_cache_write + self.out_total

    @property
    def priced_tokens(self) -> int:
        return self.tokens - self.unpriced_tokens - self.foreign_tokens

    @property
    def known_cost(self) -> Decimal | None:
        """None where there is usage and nothing is known of what any of it cost: unknown, never zero."""
        return None if self.records and not self.spent_records and not self.cost else self.cost

    @property
    def known_list(self) -> Decimal | None:
        """The same of list prices."""
        return None if self.records and not self.priced_records and not self.list_cost else self.list_cost

    @property
    def usd_per_mtok(self) -> Decimal | None:
        """Average list price, of the tokens that have one; None where there are none."""
        return self.list_cost * 1_000_000 / self.priced_tokens if self.priced_tokens > 0 else None

    @property
    def coverage(self) -> Decimal:
        """The share of tokens that have a price, 0 to 1; 1 where there are no tokens."""
        return 1 - Decimal(self.unpriced_tokens) / self.tokens if self.tokens else Decimal(1)

    @property
    def cached_share(self) -> Decimal | None:
        """Cache reads among all input tokens."""
        into = self.in_uncached + self.in_cache_read + self.in_cache_write
        return Decimal(self.in_cache_read) / into if into else None


_COUNTS = Sums._fields[5:-1]
NOTHING = Sums()


def total(parts: Iterable[Sums]) -> Sums:
    return sum(parts, NOTHING)


def is_notional(row: Row) -> bool:
    """Covered by a seat: shown, and in no total."""
    return bool(row["cost_kind"] == "notional")


def grouped(rows: Iterable[Row], currency: str, key: Callable[[Row], K]) -> dict[K, Sums]:
    found: dict[K, Sums] = {}
    for row in rows:
        at = key(row)
        found[at] = found.get(at, NOTHING) + Sums.of(row, currency)
    return found


def foreign_costs(rows: Iterable[Row], currency: str) -> dict[str, Decimal]:
    """What was spent in other currencies: never added to the total."""
    found: dict[str, Decimal] = {}
    for row in rows:
        if row["spent_currency"] not in {"", currency} and row["spent"]:
            found[row["spent_currency"]] = found.get(row["spent_currency"], ZERO) + Decimal(row["spent"])
    return dict(sorted(found.items()))


@dataclass(frozen=True)
class Figure:
    """A figure in a sentence, and the address of its evidence; `why` says of one that stands on no page why not."""

    text: str
    url: str
    why: str = ""


Words = tuple["str | Figure", ...]
"""A sentence: text, and figures that open their evidence."""


def plain(words: Iterable[str | Figure]) -> str:
    return "".join(part if isinstance(part, str) else part.text for part in words)


def records_url(span: Span, **filters: object) -> str:
    """The ledger rows behind a figure of these days; filters as `/spend/records` reads them."""
    wanted = {name: str(value) for name, value in filters.items() if value not in {None, ""}}
    return f"{RECORDS}?{urlencode({**wanted, 'from': f'{span.start}', 'until': f'{span.until}'})}"


@dataclass(frozen=True)
class ModelKey:
    """A model as it is sold, or a name that is not recognised."""

    offering_id: int | None
    model_raw: str
    host: str

    @property
    def filters(self) -> dict[str, object]:
        if self.offering_id is not None:
            return {"offering": self.offering_id}
        return {"name": self.model_raw, "host": self.host}


@dataclass(frozen=True)
class ModelName:
    """How a model reads in a table; `slug` is None where it is not recognised."""

    name: str
    seller: str
    slug: str | None


def model_key(row: Row) -> ModelKey:
    if row["offering_id"] is not None:
        return ModelKey(row["offering_id"], "", "")
    return ModelKey(None, row["model_raw"], row["host"])


MODEL_COLUMNS = ("offering_id", "host", "model_raw")
MODEL_KEYS = (
    *MODEL_COLUMNS,
    "offering__sku",
    "offering__model__name",
    "offering__model__slug",
    "offering__provider__name",
)


def seller_name(host: str) -> str:
    """A reported host by the name of the provider it means, else as it was reported."""
    seller = declared(host)
    return seller.name if seller else host


def model_names(rows: Iterable[Row]) -> dict[ModelKey, ModelName]:
    found = {}
    for row in rows:
        if row["offering_id"] is None:
            name = row["model_raw"] or "no model reported"
            found[model_key(row)] = ModelName(name, seller_name(row["host"]), None)
        else:
            found[model_key(row)] = ModelName(
                row["offering__model__name"], row["offering__provider__name"], row["offering__model__slug"]
            )
    return found


# Price changes of the models in use

UNITS = {
    "input": "in_uncached",
    "cache_read": "in_cache_read",
    "cache_write": "in_cache_write",
    "output": "out_total",
}
LIFETIMES = tuple(f"cache_write_{lifetime}" for lifetime in WRITE_LIFETIMES)
"""Units of cache writes with a stated lifetime. Their tokens are among those of `cache_write`."""
UNIT_WORDS = {
    "input": "in", "output": "out", "cache_read": "cached", "cache_write": "cache write",
    "cache_write_5m": "5 min cache write", "cache_write_30m": "30 min cache write",
    "cache_write_1h": "1 h cache write", "cache_write_12h": "12 h cache write",
}  # fmt: skip
STANDARD = "standard"
Prices = Mapping[str, tuple[Decimal, Decimal]]
"""Unit → (old, new) per token."""
Tokens = Mapping[str, Mapping[str, int]]
"""What was used of an offering: service tier → unit → tokens."""
NOT_USED: Tokens = {}
MOVE_COLUMNS = ("offering_id", "service_tier", "unit", "old", "new", "per", "currency", "effective_from")


@dataclass(frozen=True)
class Move:
    """What happened to the plain list prices of one offering on one day.

    `prices` are those of `tier`, of which its words speak; `others` those of other service tiers that moved, too.
    """

    offering_id: int
    on: date
    prices: Prices
    currency: str = "USD"
    tier: str = STANDARD
    others: Mapping[str, Prices] = field(default_factory=dict)

    @property
    def is_rise(self) -> bool:
        return sum((new - old for old, new in self.prices.values()), ZERO) > 0

    def paid(self, used: Tokens) -> Move | None:
        """The same of what is paid alone: of the service tiers and units of which something was used; None of none.

        Its words are of the standard tier where that is among them.
        """
        kept = {}
        for tier, prices in ((self.tier, self.prices), *self.others.items()):
            if of := {unit: moved for unit, moved in prices.items() if _tokens(used, tier, unit, prices)}:
                kept[tier] = of
        if not kept:
            return None
        tier = min(kept, key=lambda name: (name != STANDARD, name))
        return replace(self, tier=tier, prices=kept.pop(tier), others=kept)

    def effect(self, used: Tokens) -> Decimal:
        """What these tokens cost more at the new prices than at the old ones, each tier at its own."""
        return sum(
            (
                (new - old) * _tokens(used, tier, unit, prices)
                for tier, prices in ((self.tier, self.prices), *self.others.items())
                for unit, (old, new) in prices.items()
            ),
            ZERO,
        )

    def called(self, name: str) -> str:
        """`Argon`, and `Argon, batch,` where its words are of another tier than the standard one."""
        return name if self.tier == STANDARD else f"{name}, {self.tier},"

    @property
    def fact(self) -> str:
        """`doubles`, `−80%`, `−20% in, −33% out`, `stops being free`."""
        main = {unit: self.prices[unit] for unit in ("input", "output") if unit in self.prices} or dict(self.prices)
        if not any(old for old, _ in main.values()):
            return ENDS_FREE
        ratios = {new / old if old else None for old, new in main.values()}
        if ratios == {Decimal(2)}:
            return "doubles"
        if ratios == {Decimal("0.5")}:
            return "halves"
        said = {unit: _whole_change(new, old) for unit, (old, new) in main.items()}
        if len(set(said.values())) == 1:
            return next(iter(said.values()))
        return ", ".join(f"{text} {UNIT_WORDS[unit]}" for unit, text in said.items())


ENDS_FREE = "stops being free"
VERBS = frozenset({"doubles", "halves", ENDS_FREE})
"""Facts that are the verb of a sentence."""


def _tokens(used: Tokens, tier: str, unit: str, prices: Prices) -> int:
    """Of the unit at the tier. Writes whose lifetime has a price of its own among `prices` are not those of none."""
    of = used.get(tier, {})
    stated = sum(of.get(one, 0) for one in LIFETIMES if one in prices) if unit == "cache_write" else 0
    return of.get(unit, 0) - stated


def _whole_change(new: Decimal, old: Decimal) -> str:
    """`−80%`, `+12%`; one decimal below one per cent; `from free` where it cost nothing."""
    if not old:
        return "from free"
    exact = formatting.change(new, old).text
    per_cent = formatting.rounded((new - old) / old * 100, 0)
    return f"{exact[0]}{abs(per_cent)}%" if per_cent else exact


def moves(events: Iterable[Row]) -> list[Move]:
    """Events of plain list prices, put together by offering and day, earliest first. A price of 0 is one; None is not.

    Prices of one day in two currencies do not add up: only those of the first that is told are taken.
    """
    found: dict[tuple[int, date], dict[str, dict[str, tuple[Decimal, Decimal]]]] = {}
    currencies: dict[tuple[int, date], str] = {}
    for event in events:
        if event["unit"] not in UNIT_WORDS or event["old"] is None or event["new"] is None:
            continue
        at = (event["offering_id"], _day(event["effective_from"]))
        if currencies.setdefault(at, event["currency"]) != event["currency"]:
            continue
        tier = found.setdefault(at, {}).setdefault(event["service_tier"] or STANDARD, {})
        new = event["new"] / event["per"]
        # Of two steps on one day the first price and the last one count.
        tier[event["unit"]] = (tier.get(event["unit"], (event["old"] / event["per"], new))[0], new)
    made = []
    for (offering, on), tiers in found.items():
        main = min(tiers, key=lambda name: (name != STANDARD, name))
        made.append(Move(offering, on, tiers.pop(main), currencies[offering, on], main, tiers))
    return sorted(made, key=lambda move: (move.on, move.offering_id))


def with_moved_writes(found: Iterable[Move]) -> set[int]:
    """The offerings whose price of cache writes of some lifetime moves."""
    return {
        move.offering_id
        for move in found
        if any(unit in LIFETIMES for prices in (move.prices, *move.others.values()) for unit in prices)
    }


def moves_paid(found: Iterable[Move], used: Mapping[int, Tokens]) -> list[Move]:
    """Of the moves of prices those that somebody pays, and of each what is paid."""
    return [paid for move in found if (paid := move.paid(used.get(move.offering_id, NOT_USED))) is not None]


def tokens_used(rows: Iterable[Row], written: Iterable[Row] = ()) -> dict[int, dict[str, dict[str, int]]]:
    """Offering → service tier → unit → tokens, of rows of usage by these; `written` are cache writes by lifetime."""
    found: dict[int, dict[str, dict[str, int]]] = {}
    for units, part in ((UNITS, rows), (dict(zip(LIFETIMES, LIFETIMES, strict=True)), written)):
        for row in part:
            if row["offering_id"] is not None:
                of = found.setdefault(row["offering_id"], {}).setdefault(row["service_tier"] or STANDARD, {})
                for unit, column in units.items():
                    of[unit] = of.get(unit, 0) + int(row[column])
    return found


def _day(moment: datetime) -> date:
    return moment.date()


# Weeks


def weekly(rows: Iterable[Row], weeks: Sequence[date], currency: str) -> list[Sums]:
    """Sums by week; `weeks` are the Mondays and the one after the last."""
    by_week = grouped(rows, currency, lambda row: int(row["segment"]))
    return [by_week.get(i + 1, NOTHING) for i in range(len(weeks) - 1)]


def week_span(start: date) -> Span:
    return Span(start, start + timedelta(days=7))


def segments(cuts: Sequence[date], span: Span) -> set[int]:
    """The numbers of the segments between cuts that lie in a span."""
    return {i + 1 for i, cut in enumerate(cuts[:-1]) if span.start <= cut < span.until}


def cuts_of(*spans: Span) -> list[date]:
    return sorted({day for span in spans for day in (span.start, span.until)})
