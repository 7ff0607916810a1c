"""From the two curves of a score to everything the page, its chart and its CSV show. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from dashboards import formatting
from dashboards.pages.asked import blend_url
from dashboards.pages.ledger import Figure, Words
from dashboards.pages.price_index import words
from dashboards.pages.price_index.asked import Ask, number
from pricing.answers.index_curves import Curves
from pricing.answers.rated_prices import Rated, RatedPrices
from pricing.constant_quality import Estimate
from pricing.constant_quality.published import Published, compared_with
from pricing.constant_quality.survival import Survival
from pricing.providers import declared


@dataclass(frozen=True, slots=True)
class PointRow:
    """One point of an estimator: the model, its price with its evidence, who asked it, and what became of it."""

    on: date
    label: str
    url: str
    price: Decimal
    evidence: str
    seller: str
    score: Decimal | None
    live: int
    gone_on: date | None
    is_rise: bool
    is_same: bool
    """As the point before: the same model at the same price."""


@dataclass(frozen=True, slots=True)
class Side:
    """One estimator: its figures in words, each '' where there is none."""

    key: str
    name: str
    asks: str
    estimate: Estimate
    rows: tuple[PointRow, ...]
    factor: str
    interval: str
    halving: str
    halving_interval: str
    spared: str
    why_not: str

    @property
    def rises(self) -> int:
        return sum(row.is_rise for row in self.rows)

    @property
    def gone(self) -> int:
        """Models of its points that can no longer be bought."""
        return len({row.label for row in self.rows if row.gone_on})

    @property
    def fit_share(self) -> str:
        found = self.estimate.r_squared
        return "" if found is None else f"{found:.2f}"


@dataclass(frozen=True, slots=True)
class StripRow:
    """One threshold of several: both factors, and what it costs today."""

    threshold: str
    url: str
    is_current: bool
    record: Side
    live: Side

    @property
    def newest(self) -> PointRow | None:
        return self.live.rows[-1] if self.live.rows else None


@dataclass(frozen=True, slots=True)
class IndexPage:
    ask: Ask
    threshold: Decimal
    finding: str
    title: Words
    scope: tuple[str, ...]
    record: Side
    live: Side
    strip: tuple[StripRow, ...]
    published: tuple[Published, ...]
    until: date
    care: tuple[str, ...]
    asides: str

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.record, self.live

    @property
    def points(self) -> int:
        return len(self.record.rows) + len(self.live.rows)


NAMES = {
    "record_low": ("Record low", "How fast do new lows arrive?"),
    "live_minimum": ("Live minimum", "What was the least one could really pay each month?"),
}


def compose(
    ask: Ask, prices: RatedPrices, every: Sequence[Curves], chosen: Decimal, asides: Iterable[str]
) -> IndexPage:
    """The page for a state; `every` holds the curves of each threshold of the strip, the chosen one among them."""
    strip = tuple(_strip_row(ask, prices, curves, chosen) for curves in every)
    curves, current = next((one, row) for one, row in zip(every, strip, strict=True) if one.threshold == chosen)
    record, live = current.record, current.live
    ends = [Figure(formatting.derived_price(row.price), row.evidence) for row in (*live.rows[:1], *live.rows[-1:])]
    counts = (prices.scores, prices.unmatched, prices.unpriced)
    return IndexPage(
        ask=ask,
        threshold=chosen,
        finding=words.finding(ask, chosen, record.estimate, live.estimate),
        title=words.title(*(ends or (None, None))),
        scope=tuple(words.scope(ask, live.estimate, record.estimate, counts, formatting.day(prices.observed_on))),
        record=record,
        live=live,
        strip=strip,
        published=tuple(compared_with(ask.benchmark, chosen)),
        until=curves.until,
        care=tuple(words.care(ask, live.rises, record.gone, record.estimate)),
        asides=" ".join(asides),
    )


def _strip_row(ask: Ask, prices: RatedPrices, curves: Curves, chosen: Decimal) -> StripRow:
    text = number(curves.threshold)
    return StripRow(
        text, ask.url(threshold=text), curves.threshold == chosen,
        _side(ask, prices.models, curves.record, curves.record_survivals),
        _side(ask, prices.models, curves.live, curves.live_survivals),
    )  # fmt: skip


def _side(ask: Ask, models: Mapping[str, Rated], found: Estimate, survivals: Sequence[Survival]) -> Side:
    name, asks = NAMES[found.estimator]
    rows: list[PointRow] = []
    for one in survivals:
        rows.append(_row(ask, models, one, rows[-1] if rows else None))
    halves = found.halving_months
    return Side(
        key=found.estimator, name=name, asks=asks, estimate=found, rows=tuple(rows),
        factor="" if found.per_year is None else words.moved(found.per_year).replace(" a year", ""),
        interval=words.interval(found.interval),
        halving="" if halves is None else words.in_months(halves),
        halving_interval=_halving(found),
        spared=_spared(models, found),
        why_not=words.why_not(found),
    )  # fmt: skip


def _halving(found: Estimate) -> str:
    if found.halving_interval is None:
        return ""
    low, high = found.halving_interval
    start = words.in_months(low) if low is not None else "0 months"
    return f"{start} to {words.in_months(high)}" if high is not None else f"{start} or never"


def _spared(models: Mapping[str, Rated], found: Estimate) -> str:
    """`3.3× without A to 6.8× without B`."""
    one = found.leave_one_out
    if one is None or one.low is None or one.high is None:
        return ""
    low, high = _label(models, one.without_for_low), _label(models, one.without_for_high)
    if low == high or abs(one.high - one.low) < 0.05:
        return f"{words.times(one.low)} whichever is left out"
    return f"{words.times(one.low)} without {low} to {words.times(one.high)} without {high}"


def _label(models: Mapping[str, Rated], key: str) -> str:
    known = models.get(key)
    if known is None:
        return key
    return f"{known.name} ({known.effort})" if known.effort else known.name


def _row(ask: Ask, models: Mapping[str, Rated], one: Survival, before: PointRow | None) -> PointRow:
    point = one.point
    known = models.get(point.model)
    seller, evidence = _asked(ask, known, point.on) if known else ("", "")
    label = _label(models, point.model)
    return PointRow(
        on=point.on, label=label, url=f"/models/{known.slug}" if known else "", price=point.price, evidence=evidence,
        seller=seller, score=point.score, live=one.live, gone_on=one.gone_on,
        is_rise=before is not None and point.price > before.price,
        is_same=before is not None and (before.label, before.price) == (label, point.price),
    )  # fmt: skip


def _asked(ask: Ask, known: Rated, on: date) -> tuple[str, str]:
    """Who asked the price of a day, in words, and its evidence; a median between two has both beside each other."""
    step = next((one for one in known.steps if one.since <= on and (one.until is None or on < one.until)), None)
    if step is None or not step.asked:
        return "", ""
    # A price that begins within its first day does not yet hold at the midnight that opens it.
    day = (
        on + timedelta(days=1)
        if step.since == on and (step.until is None or on + timedelta(days=1) < step.until)
        else on
    )
    first, *others = [one for one in step.asked if one.offering is not None]
    against = others[0].offering if others else None
    url = blend_url(known.slug, first.offering or 0, ask.mix, at=day, against=against)
    names = list(dict.fromkeys(_seller(one.seller) for one in step.asked))
    return ("between " if len(names) > 1 else "") + " and ".join(names), url


def _seller(slug: str) -> str:
    known = declared(slug)
    return known.name if known else slug


CSV_HEAD = (
    "estimator", "date", "model", "usd_per_mtok", "score", "seller", "live_models", "gone_on", "rises",
)  # fmt: skip


def csv_rows(page: IndexPage) -> Iterable[tuple[object, ...]]:
    """Every point of both estimators."""
    for side in page.sides:
        for row in side.rows:
            yield (
                side.key, row.on.isoformat(), row.label, row.price, row.score, row.seller, row.live,
                row.gone_on and row.gone_on.isoformat(), "yes" if row.is_rise else "no",
            )  # fmt: skip


STRIP_HEAD = (
    "threshold", "estimator", "per_year", "low", "high", "halving_months", "points", "indicative", "note",
)  # fmt: skip


def strip_csv(page: IndexPage) -> Iterable[tuple[object, ...]]:
    """Both factors of every threshold of the strip."""
    for row in page.strip:
        for side in (row.record, row.live):
            found = side.estimate
            low, high = found.interval or (None, None)
            yield (
                row.threshold, side.key, _six(found.per_year), _six(low), _six(high), _six(found.halving_months),
                found.n, "yes" if found.indicative else "no", side.why_not,
            )  # fmt: skip


def _six(value: float | None) -> str | None:
    return None if value is None else f"{value:.6g}"
