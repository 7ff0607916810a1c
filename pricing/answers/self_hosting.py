"""Renting GPUs against buying tokens: what the catalogue and the bundled tables know of either on a day."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final

from pricing.answers.list_prices import Listed, listed
from pricing.frontier import Mix, Point, blend, frontier, select, sellers
from pricing.models import GpuRate, LanguageModel, Price, Score
from pricing.quality import model_key, rated

TABLES: Final = Path(__file__).resolve().parent.parent / "data"
OLDEST_RATE: Final = timedelta(days=180)
"""A rate that nobody saw for half a year is no rate of the day."""
OLDEST_FACT: Final = timedelta(days=60)
RATING: Final = ("arena", "overall")


@dataclass(frozen=True, slots=True)
class Run:
    """A published measurement: tokens a second that `gpus` GPUs served of a model at full load, input and output."""

    run: str
    model: str
    """`maker/name`, as a benchmark's map names it."""
    name: str
    gpu: str
    gpus: int
    engine: str
    input_per_second: Decimal
    output_per_second: Decimal
    workload: str
    measured_on: date
    source: str
    source_url: str
    licence: str


@dataclass(frozen=True, slots=True)
class Fact:
    """What an API asked for a model on a day, from the bundled table; USD per Mtok."""

    model: str
    name: str
    seller: str
    input: Decimal
    output: Decimal
    observed_on: date
    source: str
    source_url: str
    licence: str


@dataclass(frozen=True, slots=True)
class Api:
    """One place to buy the same tokens: `usd_per_mtok` is blended by their input and output.

    `listed` is the catalogue's offering, `fact` the bundled one. `rating` is set where another model's stands in.
    `seen_on` is set where it was seen only after the day.
    """

    model: str
    model_name: str
    seller: str
    usd_per_mtok: Decimal
    usd_per_mtok_by_unit: Mapping[str, Decimal]
    listed: Listed | None = None
    fact: Fact | None = None
    rating: Decimal | None = None
    seen_on: date | None = None

    @property
    def witnessed(self) -> bool:
        return self.listed is None or self.listed.witnessed


@dataclass(frozen=True, slots=True)
class Market:
    """Every API of equal quality, the cheapest first. `own_rating` is the model's, where it took the rule to find one.

    `kind`: `weights`, the same model; `rating`, another that is rated at least as high; '' where none is known.
    `credits` name who says the catalogue's prices.
    """

    kind: str = ""
    apis: tuple[Api, ...] = ()
    own_rating: Decimal | None = None
    rated_on: date | None = None
    unseen: tuple[Api, ...] = field(default=())
    """The same weights at prices first seen after the day: nobody states since when they hold, so they are left out."""
    credits: tuple[str, ...] = ()


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (TABLES / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(line for line in file if not line.startswith("#"))


@cache
def runs() -> tuple[Run, ...]:
    """The published measurements that ship, the reference case first."""
    return tuple(
        Run(
            row["run"], row["model"], row["name"], row["gpu"], int(row["gpus"]), row["engine"],
            Decimal(row["input_per_second"]), Decimal(row["output_per_second"]), row["workload"],
            date.fromisoformat(row["measured_on"]), row["source"],
            row["source_url"], row["licence"],
        )
        for row in _rows("gpu_throughputs.csv")
    )  # fmt: skip


@cache
def facts() -> tuple[Fact, ...]:
    """Prices of APIs in days of which the price sources that ship state nothing."""
    return tuple(
        Fact(
            row["model"], row["name"], row["seller"], Decimal(row["input"]), Decimal(row["output"]),
            date.fromisoformat(row["observed_on"]), row["source"], row["source_url"], row["licence"],
        )
        for row in _rows("api_prices.csv")
    )  # fmt: skip


def model_of(run: Run) -> LanguageModel | None:
    """The catalogue's model of a run; None where it holds none by that identity."""
    return LanguageModel.objects.filter(key=model_key(run.model)).first()


def rates_on(day: date) -> list[GpuRate]:
    """The newest rate of each host, GPU and terms seen in the half year up to a day, the cheapest first."""
    return sorted(GpuRate.objects.as_of(day, OLDEST_RATE), key=lambda one: (one.usd_per_hour, one.host, one.gpu))


def type_of(gpu: str) -> str:
    """What a GPU is called without its memory and form: `H100 80GB SXM` and `H100 PCIe` are an H100."""
    words = gpu.replace("NVIDIA ", "").split()
    kept = words[:1]
    for word in words[1:]:
        if word.endswith("GB") or word in {"SXM", "PCIe", "NVL"} or word.startswith("("):
            break
        kept.append(word)
    return " ".join(kept)


def market(model: LanguageModel | None, key: str, mix: Mix, at: datetime) -> Market:
    """Where tokens of equal quality are sold: hosts of the same weights, else models rated at least as high.

    A price of the catalogue counts where there was evidence of it by then; what the bundled facts say of the day counts
    beside it, and only where neither says anything what they say of the next days. Free offers are rationed, previews
    may end any day, batches answer within one: none is ever the cheapest.
    """
    sold = listed(at, [model.pk]) if model else []
    before, after = _facts_of(key, mix, at.date())
    told = _sold([one for one in sold if one.witnessed], mix) + before or after
    unseen = tuple(sorted(_sold([one for one in sold if not one.witnessed], mix), key=_order))
    if told:
        found = Market("weights", tuple(sorted(told, key=_order)))
    else:
        found = _rated_as_high(model, mix, at) if model else Market()
    ids = [pk for api in found.apis if api.listed for pk in api.listed.price_ids.values()]
    return replace(found, unseen=unseen, credits=Price.objects.filter(pk__in=ids).credits())


def _order(api: Api) -> tuple[Decimal, str, str]:
    return (api.usd_per_mtok, api.seller, api.listed.sku if api.listed else "")


def _sold(sold: Sequence[Listed], mix: Mix) -> list[Api]:
    """Every seller's cheapest list price, by the frontier's rule: nothing free, no preview, no batch."""
    by_key = {one.key: one for one in sold}
    found = []
    for usd, offer in sellers([one.offer() for one in sold], mix):
        one = by_key[offer.provider, offer.sku, offer.region]
        found.append(Api(one.model, one.model_name, one.provider_name, usd, one.usd_per_mtok_by_unit, one))
    return found


def _facts_of(key: str, mix: Mix, day: date) -> tuple[list[Api], list[Api]]:
    """Of each seller the nearest fact seen by the day, and the nearest seen after it, neither too far from it."""
    own = [fact for fact in facts() if model_key(fact.model) == key and abs(fact.observed_on - day) <= OLDEST_FACT]
    farthest_first = sorted(own, key=lambda fact: abs(fact.observed_on - day), reverse=True)
    before = {fact.seller: fact for fact in farthest_first if fact.observed_on <= day}
    after = {fact.seller: fact for fact in farthest_first if fact.observed_on > day}
    return _of_facts(before.values(), mix), [
        replace(one, seen_on=one.fact.observed_on) for one in _of_facts(after.values(), mix) if one.fact
    ]


def _of_facts(told: Iterable[Fact], mix: Mix) -> list[Api]:
    found = []
    for fact in told:
        units = {"input": fact.input, "output": fact.output}
        usd = blend(units, mix)
        if usd:
            found.append(Api(fact.model, fact.name, fact.seller, usd, units, fact=fact))
    return found


def _rated_as_high(model: LanguageModel, mix: Mix, at: datetime) -> Market:
    """The frontier's rule: of the models whose rating is at least this one's, the cheapest, at its list price as it was
    known by then."""
    scores = list(Score.objects.as_of(*RATING, at.date()).select_related("model"))
    own = max((score.value for score in scores if score.model_id == model.pk), default=None)
    if own is None:
        return Market(rated_on=scores[0].observed_on if scores else None)
    as_high = [score for score in scores if score.value >= own and score.model_id not in {None, model.pk}]
    every = listed(at, {score.model_id for score in as_high if score.model_id})
    sold = [one for one in every if one.witnessed]
    by_key = {one.key: one for one in sold}
    edge = frontier(select(rated(as_high), [one.offer() for one in sold], mix).points)
    apis = tuple(_of_point(point, by_key) for point in edge.points)
    return Market("rating" if apis else "", apis, own, scores[0].observed_on)


def _of_point(point: Point, by_key: Mapping[tuple[str, str, str], Listed]) -> Api:
    one = by_key[point.provider, point.sku, point.region]
    return Api(
        one.model, point.label, one.provider_name, point.price, one.usd_per_mtok_by_unit, one, rating=point.rating
    )


def moment_of(day: date | None, now: datetime) -> datetime:
    """The UTC midnight of a day that is asked for, else now."""
    return now if day is None else datetime.combine(day, time.min, UTC)


def cheapest_rate(rates: Sequence[GpuRate], gpu: str) -> GpuRate | None:
    """The cheapest rate on demand of a type of GPU that a named host asks; None where none is known."""
    return next((one for one in rates if one.terms == "on_demand" and type_of(one.gpu) == gpu), None)
