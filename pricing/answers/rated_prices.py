"""What the catalogue knows of rated models' prices over time, as observations of the price of constant quality."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pricing.constant_quality import Observation
from pricing.constant_quality.reasoning import IN, OUT, reasons
from pricing.constant_quality.sellers import Held, Step, steps
from pricing.frontier import Mix, blend
from pricing.models import Benchmark, Price, Score
from pricing.models.evidence import Basis, Precision


@dataclass(frozen=True, slots=True)
class Rated:
    """The model behind the name that observations carry, and its prices over time, with who asked them."""

    slug: str
    name: str
    effort: str
    maker: str
    open_weights: bool | None
    score: Decimal
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class RatedPrices:
    """The observations of one category of a benchmark, and how much of it they cover.

    `models` are the rated models by the name that observations carry. Asked without reasoning models,
    `reasoning_left_out` counts the scores that were reached so, and `reasoning_unknown` the models of which no source
    says whether they reason, which stay. `credits` name who says the prices.
    """

    benchmark: Benchmark
    observed_on: date
    observations: tuple[Observation, ...]
    scores: int
    unmatched: int
    unpriced: int
    models: Mapping[str, Rated] = field(default_factory=dict)
    reasoning_left_out: int = 0
    reasoning_unknown: int = 0
    credits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _UnitPrice:
    usd_per_mtok: Decimal
    since: date
    until: date | None
    dated: bool


def rated_prices(
    benchmark: Benchmark, category: str, mix: Mix, sellers: str, reasoning: str = IN
) -> RatedPrices | None:
    """Every rated model's list price over time; None where the category has no score. Three queries.

    A model counts with its best score, which names the effort it was reached at; with `reasoning` "out" with its best
    that is not known to have been reached by reasoning. The newest scores are held against all prices: a benchmark
    says what a model is, not when.
    """
    scores = list(Score.objects.newest(benchmark.slug, category).select_related("model"))
    if not scores:
        return None
    ways = {
        score.pk: reasons(score.effort, *((score.model.slug, score.model.capabilities) if score.model else ("", ())))
        for score in scores
    }
    counted = [score for score in scores if reasoning != OUT or not ways[score.pk]]
    best: dict[int, Score] = {}
    for score in sorted(counted, key=lambda score: (score.value, score.effort, score.display_name)):
        if score.model_id is not None:
            best[score.model_id] = score
    held = held_prices(best, mix)
    models = {_label(score): _rated(score, held.get(model_id, ()), sellers) for model_id, score in best.items()}
    observations = [one for score in best.values() for one in _observations(score, models[_label(score)].steps)]
    return RatedPrices(
        benchmark=benchmark,
        observed_on=max(score.observed_on for score in scores),
        observations=tuple(sorted(observations, key=Observation.order)),
        scores=len(scores),
        unmatched=sum(1 for score in scores if score.model_id is None),
        unpriced=len(best.keys() - {model for model, prices in held.items() if prices}),
        models=models,
        reasoning_left_out=len(scores) - len(counted),
        reasoning_unknown=sum(1 for score in best.values() if ways[score.pk] is None),
        credits=Price.objects.list_history(best, {unit for unit, _ in mix.weights()}).credits(),
    )


def _label(score: Score) -> str:
    slug = score.model.slug if score.model else score.display_name
    return f"{slug}@{score.effort}" if score.effort else slug


def _rated(score: Score, held: Sequence[Held], sellers: str) -> Rated:
    model = score.model
    assert model is not None  # noqa: S101 - only matched scores are held against prices
    return Rated(
        model.slug, model.name, score.effort, model.maker, model.open_weights, score.value, tuple(steps(held, sellers))
    )


def _observations(score: Score, found: Iterable[Step]) -> list[Observation]:
    return [
        Observation(
            model=_label(score),
            observed_on=step.since,
            price=step.price,
            score=score.value,
            family=score.model.family if score.model else "",
            withdrawn_on=step.until,
            dated=step.dated,
        )
        for step in found
    ]


def held_prices(models: Iterable[int], mix: Mix) -> dict[int, list[Held]]:
    """Each model's blended list prices by seller."""
    units = {unit for unit, _ in mix.weights()}
    by_offering: dict[int, dict[str, list[_UnitPrice]]] = defaultdict(lambda: defaultdict(list))
    named: dict[int, tuple[int, str, bool]] = {}
    for row in Price.objects.list_history(models, units).values_list(
        "offering_id", "offering__model_id", "offering__provider__slug", "offering__model__maker",
        "offering__model__released_on", "offering__model__retires_on", "offering__retired_at",
        "unit", "amount", "per", "effective_from", "effective_until", "basis", "precision", "evidence_at",
        "claim__effective_until",
    ):  # fmt: skip
        offering, model, provider, maker, released_on, retires_on, retired_at, unit, amount, per, *when = row
        named[offering] = (model, provider, provider == maker)
        released_on = released_on if provider == maker else None
        if released_on is None and _is_cut_off(when):
            continue
        since, until, dated = _days(when, released_on)
        ends = [day for day in (until, _day(retired_at), retires_on if provider == maker else None) if day is not None]
        if not ends or since < min(ends):
            price = _UnitPrice(amount * 1_000_000 / per, since, min(ends, default=None), dated)
            by_offering[offering][unit].append(price)
    held: dict[int, list[Held]] = defaultdict(list)
    for offering, prices in by_offering.items():
        model, provider, first_party = named[offering]
        held[model] += _blended(prices, mix, provider, offering, first_party=first_party)
    return held


def _is_cut_off(when: Sequence[Any]) -> bool:
    """Whether a price is only thought to have held before another one, because its source states no start.

    The catalogue serves such a price for old usage, at a low grade. As an observation it has no evidence: its source
    speaks of later days, and its claim ends only where another source's dated price begins.
    """
    _, effective_until, basis, _, evidence_at, claimed_until = when
    if basis != Basis.INFERRED or effective_until is None or effective_until == claimed_until:
        return False
    return bool(evidence_at >= effective_until)


def _days(when: Sequence[Any], released_on: date | None) -> tuple[date, date | None, bool]:
    """[since, until) of a price in days, and whether somebody knows the first of them.

    A start nobody states is the release of the model where its maker sells it, as Epoch AI takes it, unless another
    price is known to have held before; else the day of the first evidence, before which it began at an unknown time.
    """
    effective_from, effective_until, basis, precision, evidence_at, _ = when
    until = _day(effective_until)
    if basis != Basis.INFERRED:
        return effective_from.date(), until, True
    if released_on is not None and precision == Precision.UNKNOWN:
        return released_on, until, True
    seen = evidence_at.date()
    # Evidence of a price that ended before it was written down says of its last day that it held.
    return (seen if until is None or seen < until else until - timedelta(days=1)), until, False


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _blended(
    prices: Mapping[str, Sequence[_UnitPrice]], mix: Mix, seller: str, offering: int, *, first_party: bool
) -> list[Held]:
    """One seller's price of the mix over time; nothing where a unit that the mix needs has none."""
    spans = [one for of_unit in prices.values() for one in of_unit]
    edges = sorted({one.since for one in spans} | {one.until for one in spans if one.until is not None})
    found = []
    for at, since in enumerate(edges):
        until = edges[at + 1] if at + 1 < len(edges) else None
        by_unit = {
            unit: next(
                (
                    one.usd_per_mtok
                    for one in of_unit
                    if one.since <= since and (one.until is None or since < one.until)
                ),
                None,
            )
            for unit, of_unit in prices.items()
        }
        price = blend(by_unit, mix)
        if price is not None:
            dated = all(one.dated for one in spans if one.since == since)
            found.append(Held(seller, price, since, until, first_party, dated, offering))
    return found
