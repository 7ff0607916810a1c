"""Parts of a page of spend that the overview and a project share: tiles, lines of tables, what a total leaves out.

Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from dashboards import formatting
from dashboards.pages.ledger import (
    NOTHING,
    Figure,
    ModelKey,
    ModelName,
    Row,
    Sums,
    Words,
    foreign_costs,
    grouped,
    is_notional,
    model_key,
    records_url,
    total,
)
from dashboards.pages.periods import Span

LEAST_MOVE = Decimal("0.01")
"""A change of less than one per cent is not worth a sentence."""


@dataclass(frozen=True)
class Line:
    """One row of the table by project or by model."""

    name: str
    url: str
    evidence: str
    sums: Sums
    before: Sums
    cost: Decimal | None
    """As shown: rounded so that the rows add up to the total."""
    note: str = ""
    seller: str = ""
    slug: str = ""
    swatch: int | str = ""
    trend: Sequence[Decimal] = ()
    unpriced_models: int = 0
    in_review: bool = False
    is_unattributed: bool = False

    @property
    def before_cost(self) -> Decimal | None:
        return self.before.known_cost


@dataclass(frozen=True)
class Tile:
    label: str
    figure: str
    url: str
    unit: str = ""
    now: Decimal | None = None
    before: Decimal | None = None
    compared: Words = ()
    known: Decimal | None = None
    """The share known, as the blue rule; None where the tile speaks of no coverage."""
    said: Words = ()
    words: Words = ()
    pace: tuple[Decimal, Decimal] | None = None
    """Of a budget: the share used and the share of its period that is gone, as the grey rule."""


@dataclass(frozen=True)
class Kind:
    """Tokens of one disjoint kind; `moved` says how far from the period before."""

    name: str
    now: int
    whole: int
    moved: str


def coverage_words(sums: Sums) -> str:
    return f"{formatting.share(sums.tokens - sums.unpriced_tokens, sums.tokens)} of tokens priced"


def made_of(sums: Sums, currency: str) -> str:
    """What the money is made of: `Spent, USD: 62.0% billed, 30.0% reported, 8.0% at list prices`."""
    rest = sums.cost - sums.reported
    at = "list prices" if sums.contracted_cost == sums.list_cost else "contract or list prices"
    if not sums.cost or not sums.reported:
        return f"{at.capitalize().removesuffix('s')}, {currency}"
    parts = ((sums.billed, "billed"), (sums.reported - sums.billed, "reported"), (rest, f"at {at}"))
    return f"Spent, {currency}: " + ", ".join(
        f"{formatting.share(part, sums.cost)} {how}" for part, how in parts if part
    )


def kinds_of(now: Sums, before: Sums) -> list[Kind]:
    """Tokens by disjoint kind, now and before; output includes reasoning."""
    named = {
        "Input, not cached": "in_uncached",
        "Cache read": "in_cache_read",
        "Cache write": "in_cache_write",
        "Output": "out_total",
    }
    return [
        Kind(
            name,
            getattr(now, column),
            now.tokens,
            formatting.change(Decimal(getattr(now, column)), Decimal(getattr(before, column))).text,
        )
        for name, column in named.items()
    ]


def change_words(now: Decimal, before: Decimal) -> str:
    """`3.2% more`, `14.8% less`, `as much as before`."""
    moved = formatting.change(now, before)
    if moved.direction == "flat":
        return "as much as before"
    return f"{moved.text[1:]} {'more' if moved.direction == 'up' else 'less'}"


def added_up(sums: Sequence[Sums]) -> list[Decimal | None]:
    """Costs to the cent that sum to the rounded total; None where unknown."""
    known = [one.known_cost for one in sums]
    shown = iter(formatting.add_up([cost for cost in known if cost is not None]))
    return [None if cost is None else next(shown) for cost in known]


def model_lines(
    now: Mapping[ModelKey, Sums],
    before: Mapping[ModelKey, Sums],
    names: Mapping[ModelKey, ModelName],
    doubtful: set[int],
    evidence: Callable[[ModelKey], str],
) -> list[Line]:
    """Models by spend, those of unknown price last, by tokens."""
    keys = sorted(
        {*now, *before},
        key=lambda key: (
            now.get(key, NOTHING).known_cost is None,
            -now.get(key, NOTHING).cost,
            -now.get(key, NOTHING).tokens,
            names[key].name,
        ),
    )
    costs = added_up([now.get(key, NOTHING) for key in keys])
    return [
        Line(
            name=names[key].name,
            seller=names[key].seller,
            url=f"/models/{names[key].slug}" if names[key].slug else evidence(key),
            evidence=evidence(key),
            sums=now.get(key, NOTHING),
            before=before.get(key, NOTHING),
            cost=cost,
            in_review=key.offering_id in doubtful,
        )
        for key, cost in zip(keys, costs, strict=True)
    ]


def outside(
    rows: Sequence[Row],
    inside: set[int],
    currency: str,
    span: Span,
    names: Mapping[ModelKey, ModelName],
    **filters: object,
) -> list[Words]:
    """What the total leaves out, a sentence each: unpriced usage, other currencies, notional cost."""
    here = [row for row in rows if row["segment"] in inside]
    counted = [row for row in here if not is_notional(row)]
    unpriced = {
        key: sums
        for key, sums in grouped(counted, currency, model_key).items()
        if sums.unpriced_tokens and sums.spent_records < sums.records
    }
    said: list[Words] = []
    if unpriced:
        tokens = sum(sums.unpriced_tokens for sums in unpriced.values())
        requests = sum(sums.unpriced_requests for sums in unpriced.values())
        biggest = sorted(unpriced, key=lambda key: -unpriced[key].unpriced_tokens)
        models = names[biggest[0]].name if len(biggest) == 1 else f"{len(biggest)} models"
        whose = "whose price is unknown" if len(biggest) == 1 else "whose prices are unknown"
        amount = Figure(f"{formatting.mtok(tokens)} Mtok", records_url(span, priced="no", **filters))
        noun = "request" if requests == 1 else "requests"
        said.append((amount, f" in {formatting.count(requests)} {noun} to {models}, {whose}."))
    for other, cost in foreign_costs(counted, currency).items():
        said.append((Figure(formatting.money(cost, other), records_url(span, **filters)), f", priced in {other}."))
    notional = total(Sums.of(row, currency) for row in here if is_notional(row))
    if notional.list_cost:
        amount = Figure(formatting.money(notional.list_cost, currency), records_url(span, kind="notional", **filters))
        said.append((amount, " of notional cost, covered by a seat."))
    return said
