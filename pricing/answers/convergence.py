"""What was known of one benchmark's models on one day after the other: the snapshots of `pricing.convergence`, kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from pricing.answers.index_curves import Market, answer_kept
from pricing.answers.rated_prices import held_prices
from pricing.constant_quality.reasoning import OUT, reasons
from pricing.constant_quality.sellers import Step, steps
from pricing.convergence import Snapshot, Standing
from pricing.models import Benchmark, Price, Score

TABLES: Final = "tables"
MONTHS: Final = "months"


@dataclass(frozen=True, slots=True)
class Who:
    """A name in a snapshot; `slug` is '' where it is no model of the catalogue. `steps` are its prices over time."""

    name: str
    slug: str
    maker: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Standings:
    """Snapshots by two bases: scores as they were known on a day (`tables`), and today's scores held against what could
    be bought on the first of each month (`months`). `days` are the days on which the benchmark was read or run.
    `credits` name who says the prices."""

    benchmark: Benchmark
    days: tuple[date, ...]
    tables: tuple[Snapshot, ...]
    months: tuple[Snapshot, ...]
    who: Mapping[str, Who]
    credits: tuple[str, ...] = ()


def standings(market: Market, now: datetime) -> Standings | None:
    """None where the category has no score. Kept until midnight; four queries where it is not."""
    stamp, today = Score.objects.stamp(market.benchmark, market.category), now.astimezone(UTC).date()
    midnight = datetime.combine(today + timedelta(days=1), time.min, UTC)
    return answer_kept(("standings", market, stamp, today), now, midnight, lambda: _read(market, today))


def _read(market: Market, today: date) -> Standings | None:
    own = Score.objects.filter(benchmark__slug=market.benchmark, category=market.category)
    scores = [
        score for score in own.filter(observed_on__lte=today).select_related("model", "benchmark")
        if market.reasoning != OUT or not _reasons(score)
    ]  # fmt: skip
    if not scores:
        return None
    models = {score.model_id for score in scores if score.model_id is not None}
    held = held_prices(models, market.mix)
    who: dict[str, Who] = {}
    for score in scores:
        if _key(score) not in who:
            prices = tuple(steps(held.get(score.model_id or 0, ()), market.sellers))
            model = score.model
            who[_key(score)] = (
                Who(model.name, model.slug, model.maker, prices) if model else Who(score.display_name, "", "", ())
            )
    days = sorted({score.observed_on for score in scores})
    benchmark = scores[0].benchmark
    # After the month that follows the last run nothing new is known: to go on would say that nobody was overtaken.
    asked = list(_firsts(days[0], min(today, days[-1] + timedelta(days=31)))) if benchmark.runs_dated else days
    tables = tuple(_snapshot(day, _known_on(scores, day, runs_dated=benchmark.runs_dated), who) for day in asked)
    newest = _known_on(scores, today, runs_dated=benchmark.runs_dated)
    begun = min((step.since for one in who.values() for step in one.steps), default=today)
    months = tuple(_for_sale(_snapshot(day, newest, who)) for day in _firsts(begun, today))
    history = Price.objects.list_history(models, {unit for unit, _ in market.mix.weights()})
    return Standings(benchmark, tuple(days), tables, months, who, history.credits())


def _reasons(score: Score) -> bool | None:
    model = score.model
    return reasons(score.effort, *((model.slug, model.capabilities) if model else ("", ())))


def _key(score: Score) -> str:
    return score.model.slug if score.model else f"? {score.display_name}"


def _firsts(first: date, today: date) -> Iterator[date]:
    """First days of months from `first` to today."""
    month = first if first.day == 1 else date(first.year + first.month // 12, first.month % 12 + 1, 1)
    while month <= today:
        yield month
        month = date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _known_on(scores: Sequence[Score], day: date, *, runs_dated: bool) -> list[Score]:
    """As `Score.objects.known_on` has it, of scores that are read already."""
    until = [score for score in scores if score.observed_on <= day]
    if not runs_dated:
        table = max((score.observed_on for score in until), default=None)
        return [score for score in until if score.observed_on == table]
    newest: dict[tuple[str, str], Score] = {}
    for score in sorted(until, key=lambda score: score.observed_on):
        newest[score.display_name, score.setting] = score
    return list(newest.values())


def _snapshot(day: date, scores: Iterable[Score], who: Mapping[str, Who]) -> Snapshot:
    """A model counts with its best score of the day, and with the price that held at its beginning."""
    best: dict[str, Decimal] = defaultdict(lambda: Decimal("-Infinity"))
    weights: dict[str, bool | None] = {}
    for score in scores:
        key = _key(score)
        best[key] = max(best[key], score.value)
        weights[key] = score.model.open_weights if score.model else None
    return Snapshot(
        day, tuple(Standing(key, value, _price(who[key].steps, day), weights[key]) for key, value in best.items())
    )


def _price(found: Iterable[Step], day: date) -> Decimal | None:
    return next((one.price for one in found if one.since <= day and (one.until is None or day < one.until)), None)


def _for_sale(snapshot: Snapshot) -> Snapshot:
    return Snapshot(snapshot.on, tuple(one for one in snapshot.standings if one.price is not None))
