"""Every price that any of the offerings states, a row a unit and its terms, the cheapest of each row marked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from dashboards import formatting
from dashboards.pages.asked import address, blend_url
from dashboards.pages.compare.ask import Ask, mix_words
from dashboards.pages.model.terms import window_words
from pricing.acceptance import grade_of
from pricing.answers.compare import Item
from pricing.answers.rates import Rate, Rates
from pricing.answers.rows import PriceRow
from pricing.frontier import Mix, blend
from pricing.units import is_token_unit

MTOK = Decimal(1_000_000)
LEAST_MULTIPLE = Decimal("1.1")
UNIT_WORDS = {
    "input": "Input", "output": "Output", "cache_read": "Cached input", "cache_write": "Cache write",
    "cache_write_5m": "Cache write, 5 minutes", "cache_write_30m": "Cache write, 30 minutes",
    "cache_write_1h": "Cache write, 1 hour", "cache_write_12h": "Cache write, 12 hours",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """One offering as a head of the table; `series` is its colour in the chart."""

    item: Item
    series: int
    url: str
    without: str
    label: str
    short: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One price; `amount` None: not stated. `usd` is for the same quantity, None where no rate is known."""

    amount: Decimal | None = None
    currency: str = "USD"
    per: int = 1_000_000
    usd: Decimal | None = None
    conversion: str = ""
    grade: str = ""
    evidence: str = ""
    mark: str = ""
    is_cheapest: bool = False
    derived: bool = False
    is_gone: bool = False
    """The offering is no longer sold: it is set beside the others and is never the cheapest."""

    @property
    def text(self) -> str:
        """As its vendor lists it, or with 3 significant digits where we worked it out."""
        if self.amount is None:
            return ""
        return (formatting.derived_price if self.derived else formatting.price)(self.amount, self.currency)

    @property
    def usd_text(self) -> str:
        return formatting.derived_price(self.usd) if self.usd is not None else ""

    @property
    def is_free(self) -> bool:
        return self.amount == 0


@dataclass(frozen=True, slots=True)
class Row:
    """One unit at its terms; `note` says per what where that is not a million tokens."""

    name: str
    terms: str
    note: str
    cells: tuple[Cell, ...]
    key: tuple[object, ...] = ()


def columns(ask: Ask, items: Sequence[Item]) -> list[Column]:
    return [
        Column(
            item, place, f"/models/{item.model_slug}",
            ask.url(refs=[other.ref for other in items if other is not item]), label_of(item, items),
            short_of(item, items),
        )
        for place, item in enumerate(items, 1)
    ]  # fmt: skip


def label_of(item: Item, items: Sequence[Item]) -> str:
    """The model's name, with the seller, the region or the id where the name alone would not tell them apart."""
    same = [other for other in items if other.model == item.model]
    if len(same) == 1:
        return item.model
    if len({other.provider for other in same}) == len(same):
        return f"{item.model} at {item.provider_name}"
    if len({(other.provider, other.region) for other in same}) == len(same):
        return f"{item.model} at {item.provider_name}{f', {item.region}' if item.region else ''}"
    return f"{item.model} at {item.provider_name}, {item.sku}{f', {item.region}' if item.region else ''}"


def short_of(item: Item, items: Sequence[Item], room: int = 25) -> str:
    """The same for a narrow place: the model's name gives way, never what tells it apart."""
    same = [other for other in items if other.model == item.model]
    if len(same) == 1:
        return _cut(item.model, room)
    by_seller = len({other.provider for other in same}) == len(same)
    told = item.provider_name if by_seller else item.region
    if len({(other.provider, other.region) for other in same}) < len(same):
        told = item.sku
    if not told:
        return _cut(item.model, room)
    tail = _cut(told, room // 2)
    return f"{_cut(item.model, room - len(tail) - 2)}, {tail}"


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"


def rate_words(rate: Rate) -> str:
    """`at 0.1406 USD per CNY, ECB, 20 Nov 2026`."""
    number = f"{_digits(rate.usd):f}"
    day = f", {formatting.day(rate.day)}" if rate.day else ""
    return f"at {number} USD per {rate.currency}{f', {rate.source}' if rate.source else ''}{day}"


def _digits(rate: Decimal, kept: int = 4) -> Decimal:
    return formatting.rounded(rate, max(0, kept - 1 - rate.adjusted())).normalize() if rate else rate


def held(prices: Iterable[PriceRow], at: datetime) -> list[PriceRow]:
    return [price for price in prices if price.holds_at(at)]


def plain(prices: Iterable[PriceRow], offering: int) -> dict[str, PriceRow]:
    """The standard prices of one offering by unit: no context tier, no hours, no qualifier."""
    return {
        price.unit: price
        for price in prices
        if price.offering_id == offering and price.service_tier == "standard"
        and not (price.context_from or price.schedule or price.qualifier)
    }  # fmt: skip


def rows(
    ask: Ask, items: Sequence[Item], prices: Sequence[PriceRow], rates: Rates, at: datetime
) -> tuple[Row, list[Row]]:
    """The blended row, and a row for every unit and terms that any offering states at a moment."""
    now = held(prices, at)
    by_key: dict[tuple[object, ...], dict[int, PriceRow]] = {}
    for price in sorted(now, key=lambda price: price.order):
        by_key.setdefault(_key(price), {})[price.offering_id] = price
    found = []
    for key, own in by_key.items():
        cells = [_of(item, _cell(ask, item, own.get(item.id), rates, at), at) for item in items]
        first = next(iter(own.values()))
        found.append(Row(_name(first), _terms(first), _per(own.values()), _marked(cells), key))
    blended = [_of(item, _blended(ask, item, plain(now, item.id), rates, at), at) for item in items]
    return Row(f"Blended {mix_words(ask.mix)}", "standard", "", _marked(blended)), found


def _of(item: Item, cell: Cell, at: datetime) -> Cell:
    return cell if item.sells_at(at) or cell.amount is None else replace(cell, is_gone=True, mark="no longer sold")


def _key(price: PriceRow) -> tuple[object, ...]:
    # A price per thousand and one per million of what is no token are set against each other each for one.
    return (price.service_tier, price.qualifier, price.context_from, price.context_op, price.schedule, price.unit)


def _name(price: PriceRow) -> str:
    words = UNIT_WORDS.get(price.unit, price.unit.replace("_", " ").capitalize())
    return f"{words}, {price.qualifier}" if price.qualifier else words


def _terms(price: PriceRow) -> str:
    parts = [
        price.service_tier,
        f"prompts {'from' if price.context_op == '>=' else 'over'} {formatting.count(price.context_from)} tokens"
        if price.context_from else "",
        f"{window_words(price.schedule)} UTC" if price.schedule else "",
    ]  # fmt: skip
    return ", ".join(part for part in parts if part)


def _per(prices: Iterable[PriceRow]) -> str:
    shown = {price.per for price in prices if not is_token_unit(price.unit)}
    if not shown:
        return ""
    return " or ".join("each" if per == 1 else f"per {formatting.count(per)}" for per in sorted(shown))


def _cell(ask: Ask, item: Item, price: PriceRow | None, rates: Rates, at: datetime) -> Cell:
    if price is None:
        return Cell()
    counts_tokens = is_token_unit(price.unit)
    amount = price.amount * MTOK / price.per if counts_tokens else price.amount
    graded = grade_of(price, at)
    evidence = address(f"/models/{item.model_slug}/evidence/{price.id}", {"at": ask.at})
    per = 1_000_000 if counts_tokens else price.per
    return in_usd(Cell(amount, price.currency, per, grade=graded, evidence=evidence), rates, at.date())


def _blended(ask: Ask, item: Item, prices: Mapping[str, PriceRow], rates: Rates, at: datetime) -> Cell:
    needed = [unit for unit, _ in ask.mix.weights()]
    amount, currency = blend_of(prices, ask.mix)
    if amount is None:
        return Cell(derived=True)
    evidence = blend_url(item.model_slug, item.id, ask.mix, at=ask.at) if currency == "USD" else ""
    worst = max(_cell(ask, item, prices[unit], rates, at).grade for unit in needed)
    return in_usd(Cell(amount, currency, grade=worst, evidence=evidence, derived=True), rates, at.date())


def blend_of(prices: Mapping[str, PriceRow], mix: Mix) -> tuple[Decimal | None, str]:
    """The blended price per Mtok in the one currency of its parts; None where a part is unknown."""
    parts = [prices[unit] for unit, _ in mix.weights() if unit in prices]
    currencies = {part.currency for part in parts}
    if len(currencies) != 1:
        return None, ""
    per_mtok: dict[str, Decimal | None] = {part.unit: part.amount * MTOK / part.per for part in parts}
    return blend(per_mtok, mix), currencies.pop()


def in_usd(cell: Cell, rates: Rates, day: date) -> Cell:
    """With its worth in USD by the rate of a day, said in words where it is not USD itself."""
    if cell.amount is None:
        return cell
    rate = rates.on(cell.currency, day)
    if rate is None:
        return replace(cell, conversion="no rate known")
    said = "" if cell.currency == "USD" else rate_words(rate)
    return replace(cell, usd=cell.amount * rate.usd, conversion=said)


def _times(one: Decimal, least: Decimal) -> str:
    """`5.0×`; a small difference as per cent, as 1.0× would say nothing."""
    if not least:
        return "not free"
    return formatting.multiple(one / least) if one / least >= LEAST_MULTIPLE else formatting.change(one, least).text


def _marked(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """The cheapest in words, every other as its multiple; nothing is marked where there is nothing to compare.

    What is no longer sold is marked as that and nothing is measured by it.
    """
    each = [cell.usd / cell.per if cell.usd is not None and not cell.is_gone else None for cell in cells]
    known = [one for one in each if one is not None]
    if len(known) < 2:
        return tuple(cells)
    least = min(known)
    best = "same" if max(known) == least else "cheapest"
    return tuple(
        cell if one is None
        else replace(cell, mark=best, is_cheapest=best == "cheapest") if one == least
        else replace(cell, mark=_times(one, least))
        for cell, one in zip(cells, each, strict=True)
    )  # fmt: skip


def groups(found: Iterable[Row]) -> list[tuple[str, list[Row]]]:
    """The rows by their terms, in their order."""
    by_terms: dict[str, list[Row]] = {}
    for row in found:
        by_terms.setdefault(row.terms, []).append(row)
    return list(by_terms.items())


TABLE_HEAD = (
    "unit", "terms", "provider", "sku", "region", "amount", "per", "currency", "usd", "conversion", "grade", "mark",
)  # fmt: skip


def table_rows(items: Sequence[Item], shown: Iterable[Row]) -> Iterable[tuple[object, ...]]:
    """A line a price: what is not stated has an empty amount, what has no rate an empty USD."""
    for row in shown:
        for item, cell in zip(items, row.cells, strict=True):
            yield (
                row.name, row.terms, item.provider, item.sku, item.region, cell.amount,
                cell.per if cell.amount is not None else None, cell.currency if cell.amount is not None else "",
                cell.usd, cell.conversion, cell.grade, cell.mark,
            )  # fmt: skip
