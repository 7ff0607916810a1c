"""The ledger rows behind a figure: which ones a query asks for, and how they and their prices read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from dashboards import formatting
from dashboards.pages.ledger import NOBODY, ZERO, Figure, Words, records_url
from dashboards.pages.periods import Span, Unusable
from usage.attribution import split

DIMENSIONS = {
    "key": ("dimension__ext_api_key", "Key"),
    "user": ("dimension__ext_user", "User"),
    "team": ("dimension__ext_team", "Team"),
    "path": ("dimension__path", "Path"),
    "branch": ("dimension__branch", "Branch"),
}
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
SCALE = Decimal(10) ** 12
LIFETIMES = tuple(unit for unit in UNIT_NAMES if unit.startswith("cache_write_"))


@dataclass(frozen=True)
class Filters:
    """What a query asks for; '' or None where it does not say. `project` is a slug or "none"."""

    project: str = ""
    offering: int | None = None
    model: str = ""
    name: str = ""
    host: str = ""
    priced: str = ""
    kind: str = ""
    dimensions: Mapping[str, str] = field(default_factory=dict)

    @property
    def conditions(self) -> dict[str, object]:
        """Look-ups on ledger rows for all but the project."""
        found: dict[str, object] = {DIMENSIONS[name][0]: value for name, value in self.dimensions.items()}
        if self.offering is not None:
            found["offering_id"] = self.offering
        if self.model:
            found["offering__model__slug"] = self.model
        if self.name:
            found |= {"dimension__model_raw": self.name, "dimension__host": self.host, "offering_id": None}
        if self.priced:
            found["list_cost__isnull"] = self.priced == "no"
        return found

    @property
    def words(self) -> list[str]:
        """The narrower filters for the scope line."""
        said = [f"{DIMENSIONS[name][1]} {value or '(none)'}" for name, value in self.dimensions.items()]
        if self.name:
            said.append(f"{self.name}, not recognised")
        if self.priced:
            said.append("without a price" if self.priced == "no" else "with a price")
        if self.kind:
            said.append("notional cost, in no total")
        return said


def filters_of(query: Mapping[str, str]) -> Filters:
    """Unusable for a value that cannot be meant."""
    offering = query.get("offering", "")
    if offering and not (offering.isascii() and offering.isdigit() and len(offering) < 16):
        raise Unusable(f"“{offering[:40]}” is no offering: follow a figure on the overview.")
    for name, allowed in (("priced", {"", "yes", "no"}), ("kind", {"", "notional"})):
        if query.get(name, "") not in allowed:
            raise Unusable(f"“{query[name][:40]}” is no value of {name}: leave it out or follow a figure.")
    texts = {name: query.get(name, "").replace("\0", "") for name in ("project", "model", "name", "host")}
    return Filters(
        offering=int(offering) if offering else None,
        priced=query.get("priced", ""),
        kind=query.get("kind", ""),
        dimensions={name: query[name].replace("\0", "")[:1000] for name in DIMENSIONS if name in query},
        **texts,
    )


@dataclass(frozen=True)
class UsedPrice:
    """One price a row was rated with, and the page of its evidence."""

    unit: str
    text: str
    url: str


@dataclass(frozen=True)
class RecordLine:
    """One ledger row. `cost` is the part of the projects shown; None is unknown, and `why_not` says why."""

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
    is_part: bool
    key: str


def part_of(cost: Decimal, weights: Sequence[Decimal], projects: Sequence[int], wanted: set[int]) -> Decimal:
    """What these projects carry of a cost, split as the rollups split it."""
    parts = split(int(cost * SCALE), weights)
    return sum((Decimal(part) for part, pk in zip(parts, projects, strict=True) if pk in wanted), ZERO) / SCALE


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
    owners = row["projects"]
    cost = row["list_cost"]
    is_part = wanted is not None and len(owners) > 1
    if cost is not None and wanted is not None and is_part:
        cost = part_of(cost, row["weights"], owners, wanted)
    shown = [pk for pk in owners if wanted is None or pk in wanted]
    slug = row["offering__model__slug"]
    tokens = [row[name] for name in ("in_uncached", "in_cache_read", "in_cache_write", "out_total")]
    return RecordLine(
        occurred_at=row["occurred_at"],
        model=row["offering__model__name"] or row["dimension__model_raw"] or "no model reported",
        seller=row["offering__provider__name"] or row["dimension__host"],
        model_url=f"/models/{slug}" if slug else "",
        owner=", ".join(projects[pk][0] for pk in shown if pk in projects) or "nobody",
        used_by=row["dimension__ext_user"] or row["dimension__ext_api_key"] or row["dimension__path"],
        tokens=tokens,
        cost=cost,
        currency=row["rate_card__currency"] or "USD",
        why_not=why.get(row["unpriced_reason"] or "", ""),
        prices=_used(row, tokens, prices),
        is_part=is_part,
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


def behind(
    groups: Sequence[Mapping[str, Any]],
    grades: Mapping[int, str],
    currency: str,
    span: Span,
    filters: Filters,
) -> Behind:
    """`groups`: cost, n, tokens by model, rate card and currency."""
    costs: dict[tuple[Any, ...], tuple[int, Decimal | None]] = {}
    by_grade: dict[str, Decimal] = {}
    others: dict[str, Decimal] = {}
    unpriced = 0
    for row in groups:
        if row["priced_in"] not in {None, currency}:
            others[row["priced_in"]] = others.get(row["priced_in"], ZERO) + row["cost"]
            continue
        key = (
            row["offering_id"],
            row["offering__model__name"] or row["dimension__model_raw"] or "no model reported",
            row["offering__provider__name"] or row["dimension__host"],
            "" if row["offering_id"] else row["dimension__model_raw"],
            "" if row["offering_id"] else row["dimension__host"],
        )
        n, cost = costs.get(key, (0, None))
        if row["cost"] is not None:
            cost = (cost or ZERO) + row["cost"]
            grade = grades.get(row["rate_card_id"], "unknown")
            by_grade[grade] = by_grade.get(grade, ZERO) + row["cost"]
        else:
            unpriced += row["n"]
        costs[key] = (n + row["n"], cost)
    fixed = {"project": filters.project, "kind": filters.kind, "priced": filters.priced, **filters.dimensions}
    sums = [
        Sum(
            name,
            seller,
            n,
            cost,
            currency,
            records_url(span, **fixed, **({"offering": offering} if offering else {"name": raw, "host": host})),
        )
        for (offering, name, seller, raw, host), (n, cost) in costs.items()
    ]
    sums.sort(key=lambda one: (one.cost is None, -(one.cost or ZERO), -one.n, one.name))
    known = [one.cost for one in sums if one.cost is not None]
    n = sum(one.n for one in sums)
    return Behind(
        total=sum(known, ZERO) if known or not n else None,
        n=n,
        tokens=sum(row["tokens"] or 0 for row in groups),
        sums=sums,
        grades=sorted(by_grade.items()),
        others=sorted(others.items()),
        unpriced=unpriced,
    )


def _rows(n: int, what: str = "row") -> str:
    return f"{formatting.count(n)} {what}{'' if n == 1 else 's'}"


def why(found: Behind) -> str:
    """How the figure came about, in a sentence."""
    if found.total is None:
        return f"No known price for {_rows(found.n, 'ledger row')}: unknown, and in no total."
    left = f"; {formatting.count(found.unpriced)} more without a known price are in no total" if found.unpriced else ""
    priced = _rows(found.n - found.unpriced, "ledger row")
    return f"The sum of {priced}, each at the list price in force at its moment{left}."


def finding(found: Behind, currency: str, url: str) -> Words:
    if not found.n:
        return ("No ledger row answers to this.",)
    if found.total is None:
        amount = Figure(f"{formatting.mtok(found.tokens)} Mtok", url)
        return (amount, f" in {_rows(found.n)}, of unknown price.")
    return (
        Figure(formatting.money(found.total, currency), url),
        f" stands on {_rows(found.n - found.unpriced)} of the ledger.",
    )


__all__ = ["DIMENSIONS", "NOBODY", "Behind", "Filters", "behind", "filters_of", "finding", "record_lines", "why"]
