"""One unit of every compared offering over time: steps in the currency they were asked in, and in USD by day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise

from dashboards.pages.asked import address
from dashboards.pages.compare.ask import Ask
from dashboards.pages.compare.table import MTOK, Column, blend_of, rate_words
from pricing.answers.rates import Rates
from pricing.answers.rows import PriceRow


@dataclass(frozen=True, slots=True)
class Stretch:
    """An amount per Mtok from one moment to the next; `usd` None: no rate was known then."""

    start: datetime
    end: datetime
    amount: Decimal
    currency: str
    price_id: int = 0
    starts_unknown: bool = False
    usd: Decimal | None = None
    rate: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One offering: `steps` as it asked, `drawn` the same in USD, cut wherever another rate begins to hold."""

    column: Column
    steps: tuple[Stretch, ...]
    drawn: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    lines: tuple[Line, ...]
    start: datetime
    end: datetime
    now: datetime

    @property
    def has_steps(self) -> bool:
        return any(line.steps for line in self.lines)

    @property
    def undrawn(self) -> tuple[str, ...]:
        """Offerings with prices of which none can be drawn: no rate is known."""
        return tuple(
            line.column.label for line in self.lines if line.steps and all(one.usd is None for one in line.drawn)
        )


def priced_over_time(
    ask: Ask, columns: Sequence[Column], prices: Sequence[PriceRow], rates: Rates, now: datetime
) -> Timeline:
    """The plain price of the unit asked for; blended where every part of the mix is known in one currency."""
    units = [unit for unit, _ in ask.mix.weights()] if ask.unit == "blend" else [ask.unit]
    own: dict[int, list[PriceRow]] = defaultdict(list)
    for price in prices:
        is_plain = price.service_tier == "standard" and not (price.context_from or price.schedule or price.qualifier)
        if is_plain and price.unit in units:
            own[price.offering_id].append(price)
    latest = max((price.effective_from for found in own.values() for price in found), default=now)
    end = max(now, latest + timedelta(days=14) if latest > now else now)
    lines = []
    for column in columns:
        # A line ends where its offering did, though its last price stays for late usage.
        steps = _steps(ask, own.get(column.item.id, ()), units, min(end, column.item.retired_at or end))
        lines.append(Line(column, steps, tuple(_in_usd(steps, rates))))
    start = min((line.steps[0].start for line in lines if line.steps), default=now)
    return Timeline(tuple(lines), start, end, now)


def _since(price: PriceRow) -> datetime:
    return max(price.effective_from, price.evidence_at) if price.precision == "unknown" else price.effective_from


def _steps(ask: Ask, prices: Iterable[PriceRow], units: Sequence[str], end: datetime) -> tuple[Stretch, ...]:
    """The stretches between moments at which any part changed; a stretch with an unknown part is left out."""
    found = list(prices)
    moments = {_since(price) for price in found} | {min(price.effective_until or end, end) for price in found}
    steps: list[Stretch] = []
    for start, until in pairwise(sorted(moment for moment in moments if moment <= end)):
        parts = {price.unit: price for price in found if _since(price) <= start < (price.effective_until or end)}
        if not all(unit in parts for unit in units):
            continue
        if ask.unit == "blend":
            amount, currency = blend_of(parts, ask.mix)
        else:
            price = parts[ask.unit]
            amount, currency = price.amount * MTOK / price.per, price.currency
        if amount is None:
            continue
        newest = max(parts.values(), key=_since)
        step = Stretch(start, until, amount, currency, newest.id, newest.precision == "unknown")
        if steps and (steps[-1].amount, steps[-1].currency, steps[-1].end) == (amount, currency, start):
            steps[-1] = replace(steps[-1], end=until)
        else:
            steps.append(step)
    return tuple(steps)


def _in_usd(steps: Iterable[Stretch], rates: Rates) -> Iterable[Stretch]:
    for step in steps:
        cuts = [datetime.combine(day, time.min, UTC) for day in rates.days(step.currency)]
        moments = [step.start, *(cut for cut in cuts if step.start < cut < step.end), step.end]
        for start, end in pairwise(moments):
            rate = rates.on(step.currency, start.astimezone(UTC).date())
            usd = step.amount * rate.usd if rate else None
            said = "" if step.currency == "USD" else rate_words(rate) if rate else "no rate known"
            yield replace(step, start=start, end=end, usd=usd, rate=said)


def step_rows(ask: Ask, timeline: Timeline) -> list[tuple[Column, Stretch, str, bool]]:
    """The steps as a table, the newest first: offering, step with its worth when it began, evidence, still open."""
    found = []
    for line in timeline.lines:
        worth = {one.start: one for one in line.drawn}
        for step in reversed(line.steps):
            shown = worth.get(step.start, step)
            url = address(f"/models/{line.column.item.model_slug}/evidence/{step.price_id}", {})
            found.append((line.column, replace(shown, end=step.end), url, step.end >= timeline.end))
    return found


STEPS_HEAD = (
    "provider", "sku", "region", "unit", "from", "until", "start_known", "amount_per_mtok", "currency",
    "usd_per_mtok_at_start", "rate",
)  # fmt: skip


def steps_for_a_program(ask: Ask, timeline: Timeline) -> Iterable[tuple[object, ...]]:
    unit = ask.unit if ask.unit != "blend" else f"blend {ask.mix}"
    for column, step, _, is_open in step_rows(ask, timeline):
        item = column.item
        yield (
            item.provider, item.sku, item.region, unit, step.start.isoformat(),
            "" if is_open else step.end.isoformat(), "no" if step.starts_unknown else "yes", step.amount,
            step.currency, step.usd, step.rate,
        )  # fmt: skip
