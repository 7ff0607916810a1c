"""The ledger rows behind a figure: which ones a query asks for, and how they and their prices read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from dashboards import formatting
from dashboards.pages.explore import dimension_words, text_of
from dashboards.pages.ledger import NOBODY, RECORDS, ZERO, Figure, Words, seller_name
from dashboards.pages.periods import Span, Unusable
from usage.questions import MEASURES, MONEY, is_filter

BASIS_WORDS = {
    "spent": "what its feed reported, else its cost at contract, else at the list price in force at its moment",
    "list": "at the list price in force at its moment",
    "contracted": "at the contract price in force at its moment, else at the list price",
    "reported": "as its feed reported it",
    "notional": "at the list price in force at its moment, paid by a seat and in no total",
}
DIMENSIONS = {
    "key": ("ext_api_key", "Key"),
    "user": ("ext_user", "User"),
    "team": ("ext_team", "Team"),
    "path": ("path", "Path"),
    "branch": ("branch", "Branch"),
}
"""What tells usage apart on these pages: as addresses name it, as questions of spend do, and in words."""
SHORT = {name: dimension for name, (dimension, _) in DIMENSIONS.items()}
UNIT_NAMES = {
    "input": "in",
    "cache_read": "cache read",
    "cache_write": "cache write",
    "cache_write_5m": "cache write 5m",
    "cache_write_30m": "cache write 30m",
    "cache_write_1h": "cache write 1h",
    "cache_write_12h": "cache write 12h",
    "output": "out",
    "reasoning": "reasoning",
}
LIFETIMES = tuple(unit for unit in UNIT_NAMES if unit.startswith("cache_write_"))


@dataclass(frozen=True)
class Filters:
    """What a query asks for; '' or None where it does not say. `project` is a slug or "none"."""

    project: str = ""
    offering: int | None = None
    name: str = ""
    host: str = ""
    is_named: bool = False
    priced: str = ""
    measure: str = "spent"
    dimensions: Mapping[str, str] = field(default_factory=dict)

    @property
    def asked(self) -> dict[str, tuple[Any, ...]]:
        """As the ledger's rows are filtered, all but projects of a reader."""
        found: dict[str, tuple[Any, ...]] = {name: (value,) for name, value in self.dimensions.items()}
        if self.project == NOBODY:
            found["project"] = (NOBODY,)
        if self.offering is not None:
            found["offering"] = (self.offering,)
        if self.is_named:
            found |= {"known_model": ("false",), "model_raw": (self.name,), "host": (self.host,)}
        if self.priced:
            found["priced"] = (self.priced,)
        return found

    @property
    def query(self) -> dict[str, str]:
        """As an address says it; a dimension may be empty, for what was not reported."""
        texts = {"project": self.project, "offering": str(self.offering or ""), "priced": self.priced}
        found = {name: text for name, text in texts.items() if text} | dict(self.dimensions)
        if self.is_named:
            found |= {"name": self.name, "host": self.host}
        return found | ({"measure": self.measure} if self.measure != "spent" else {})

    @property
    def words(self) -> list[str]:
        """The narrower filters for the scope line."""
        said = [f"{dimension_words(name)} {value or '(none)'}" for name, value in self.dimensions.items()]
        if self.is_named:
            said.append(f"{self.name or 'no model reported'}, not recognised")
        if self.priced:
            said.append("without a list price" if self.priced == "no" else "with a list price")
        if self.measure == "notional":
            said.append("notional cost, in no total")
        return said


def filters_of(query: Mapping[str, str]) -> Filters:
    """Unusable for a value that cannot be meant."""
    offering = query.get("offering", "")
    if offering and not (offering.isascii() and offering.isdigit() and len(offering) < 16):
        raise Unusable(f"“{offering[:40]}” is no offering: follow a figure on the overview.")
    measures = {"", *MEASURES}
    for name, allowed in (("priced", {"", "yes", "no"}), ("kind", {"", "notional"}), ("measure", measures)):
        if query.get(name, "") not in allowed:
            raise Unusable(f"“{query[name][:40]}” is no value of {name}: leave it out or follow a figure.")
    texts = {name: text.replace("\0", "")[:1000] for name, text in query.items()}
    is_named = "name" in texts
    named = {SHORT.get(name, name): text for name, text in texts.items()}
    return Filters(
        project=texts.get("project", ""),
        offering=int(offering) if offering else None,
        name=texts.get("name", ""),
        host=texts.get("host", "") if is_named else "",
        is_named=is_named,
        priced=query.get("priced", ""),
        measure="notional" if query.get("kind") else query.get("measure") or "spent",
        dimensions={
            name: text
            for name, text in named.items()
            if is_filter(name) and name != "project" and not (is_named and name == "host")
        },
    )


@dataclass(frozen=True)
class UsedPrice:
    """One price a row was rated with, and the page of its evidence."""

    unit: str
    text: str
    url: str


@dataclass(frozen=True)
class RecordLine:
    """One ledger row. `cost` is what counts of it, of the projects shown; None is unknown, and `why_not` says why."""

    occurred_at: datetime
    model: str
    seller: str
    model_url: str
    owner: str
    used_by: str
    tokens: Sequence[int | None]
    cost: Decimal | None
    currency: str
    why_not: str
    prices: Sequence[UsedPrice]
    basis: str
    is_part: bool
    key: str


def record_lines(
    rows: Sequence[Mapping[str, Any]],
    projects: Mapping[int, tuple[str, str]],
    wanted: set[int] | None,
    prices: Mapping[int, Mapping[str, Any]],
    why: Mapping[str, str],
) -> list[RecordLine]:
    """Rows as they read. `wanted`: the projects whose part is shown, None for whole records."""
    return [_line(row, projects, wanted, prices, why) for row in rows]


def _line(
    row: Mapping[str, Any],
    projects: Mapping[int, tuple[str, str]],
    wanted: set[int] | None,
    prices: Mapping[int, Mapping[str, Any]],
    why: Mapping[str, str],
) -> RecordLine:
    owners = row["owners"] or ()
    shown = [pk for pk in owners if wanted is None or pk in wanted]
    slug = row["offering__model__slug"]
    tokens = [row[name] for name in ("in_uncached", "in_cache_read", "in_cache_write", "out_total")]
    said = "reported" if row["is_reported"] else "at contract" if row["is_contracted"] else ""
    return RecordLine(
        occurred_at=row["occurred_at"],
        model=row["offering__model__name"] or row["dimension__model_raw"] or "no model reported",
        seller=row["offering__provider__name"] or seller_name(row["dimension__host"]),
        model_url=f"/models/{slug}" if slug else "",
        owner=", ".join(projects[pk][0] for pk in shown if pk in projects) or "nobody",
        used_by=row["dimension__ext_user"] or row["dimension__ext_api_key"] or row["dimension__path"],
        tokens=tokens,
        cost=row["value"],
        currency=row["currency"] or "USD",
        why_not=why.get(row["unpriced_reason"] or "", ""),
        prices=() if row["is_reported"] else _used(row, tokens, prices),
        basis=said,
        is_part=wanted is not None and len(owners) > 1,
        key=row["record_key"],
    )


def _used(
    row: Mapping[str, Any], tokens: Sequence[int | None], prices: Mapping[int, Mapping[str, Any]]
) -> list[UsedPrice]:
    """The prices that had tokens to price, in the order of the columns."""
    found = [prices[pk] for pk in row["rate_card__price_ids"] or () if pk in prices]
    uncached, read, _, out = (bool(count) for count in tokens)
    has = {"input": uncached, "cache_read": read, "output": out, "reasoning": bool(row["out_reasoning"])}
    stated = {name: row[name] for name in LIFETIMES}
    has |= {name: bool(count) for name, count in stated.items()}
    own = {price["unit"] for price in found}  # a lifetime without a price of its own has that of cache_write
    has["cache_write"] = (tokens[2] or 0) > sum(count for name, count in stated.items() if name in own)
    used = [price for price in found if has.get(price["unit"], False)]
    order = list(UNIT_NAMES)
    used.sort(key=lambda price: order.index(price["unit"]) if price["unit"] in order else len(order))
    return [
        UsedPrice(
            UNIT_NAMES.get(price["unit"], price["unit"]),
            formatting.price(price["amount"] * 1_000_000 / price["per"], price["currency"]),
            f"/models/{price['offering__model__slug']}/evidence/{price['id']}",
        )
        for price in used
    ]


@dataclass(frozen=True)
class Sum:
    """One line of the sum behind a figure: a model and its part."""

    name: str
    seller: str
    n: int
    cost: Decimal | None
    currency: str
    url: str


@dataclass(frozen=True)
class Behind:
    """The figure that rows add up to: by model, by grade of the prices, with what is not in it."""

    total: Decimal | None
    n: int
    tokens: int
    sums: Sequence[Sum]
    grades: Sequence[tuple[str, Decimal]]
    others: Sequence[tuple[str, Decimal]]
    unpriced: int
    elsewhere: int = 0
    """Rows in other currencies without a rate."""
    is_converted: bool = False


def behind(
    groups: Sequence[Mapping[str, Any]],
    names: Mapping[int, tuple[str, str]],
    grades: Mapping[int, str],
    currency: str,
    span: Span,
    filters: Filters,
) -> Behind:
    """`groups`: `value`, n, tokens and more by model, rate card and currency; `names` of offerings and sellers."""
    costs: dict[tuple[Any, ...], tuple[int, Decimal | None]] = {}
    by_grade: dict[str, Decimal] = {}
    others: dict[str, Decimal] = {}
    unpriced, elsewhere, is_money = 0, 0, filters.measure in MONEY
    for row in groups:
        if is_money and row["currency"] not in {"", currency}:
            others[row["currency"]] = others.get(row["currency"], ZERO) + row["value"]
            elsewhere += row["n"]
            continue
        offering, raw, host = row["key_offering"], row["key_model_raw"], row["key_host"]
        key = (offering, "", "") if offering is not None else (None, raw, host)
        n, cost = costs.get(key, (0, None))
        unpriced += row["unknown"]
        if row["n"] > row["unknown"]:
            cost = (cost or ZERO) + row["value"]
        costs[key] = (n + row["n"], cost)
        at_price = row["value"] - row["reported"]
        for grade, part in (("reported", row["reported"]), (grades.get(row["key_rate_card"], "unknown"), at_price)):
            if part and is_money:
                by_grade[grade] = by_grade.get(grade, ZERO) + part
    query = {name: text for name, text in filters.query.items() if name not in ("offering", "name", "host")}
    sums = [
        Sum(
            names[offering][0] if offering in names else raw or "no model reported",
            names[offering][1] if offering in names else seller_name(host),
            n,
            cost,
            currency,
            rows_url(span, query | ({"offering": f"{offering}"} if offering else {"name": raw, "host": host})),
        )
        for (offering, raw, host), (n, cost) in costs.items()
    ]
    sums.sort(key=lambda one: (one.cost is None, -(one.cost or ZERO), -one.n, one.name))
    known = [one.cost for one in sums if one.cost is not None]
    n = sum(one.n for one in sums)
    return Behind(
        total=sum(known, ZERO) if known or not n else None,
        n=n,
        tokens=sum(int(row["tokens"]) for row in groups),
        sums=sums,
        grades=sorted(by_grade.items()),
        others=sorted(others.items()),
        unpriced=unpriced,
        elsewhere=elsewhere,
    )


def rows_url(span: Span, query: Mapping[str, str]) -> str:
    """The address of rows, with filters that may be empty."""
    return f"{RECORDS}?{urlencode({**query, 'from': f'{span.start}', 'until': f'{span.until}'})}"


def _rows(n: int, what: str = "row") -> str:
    return f"{formatting.count(n)} {what}{'' if n == 1 else 's'}"


def why(found: Behind, measure: str) -> str:
    """How the figure came about, in a sentence."""
    if found.total is None:
        return f"Nothing is known of {_rows(found.n, 'ledger row')}: unknown, and in no total."
    left = f"; {formatting.count(found.unpriced)} more without a known one are in no total" if found.unpriced else ""
    counted = _rows(found.n - found.unpriced, "ledger row")
    basis = BASIS_WORDS.get(measure, "as its feed counted it")
    rates = " What is in another currency counts at the rate of its day." if found.is_converted else ""
    return f"The sum of {counted}, each {basis}{left}.{rates}"


def finding(found: Behind, measure: str, currency: str, url: str) -> Words:
    if not found.n:
        return ("No ledger row answers to this.",)
    if found.total is None:
        amount = Figure(f"{formatting.mtok(found.tokens)} Mtok", url)
        return (amount, f" in {_rows(found.n)}, of unknown {'price' if measure in MONEY else 'count'}.")
    figure = text_of(found.total, measure, currency) or ""
    unit = "" if measure in MONEY else " requests" if measure == "requests" else " Mtok"
    stands = "stands" if measure in MONEY else "stand"
    return (Figure(f"{figure}{unit}", url), f" {stands} on {_rows(found.n - found.unpriced)} of the ledger.")


__all__ = ["DIMENSIONS", "NOBODY", "Behind", "Filters", "behind", "filters_of", "finding", "record_lines", "why"]
