"""From a run, the rates of a day and the market to the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from dashboards import formatting
from dashboards.pages.asked import Option, blend_url
from dashboards.pages.self_host.ask import FIELDS, Ask, Field
from pricing.answers.self_hosting import Api, Market, Run, cheapest_rate, type_of
from pricing.frontier import CHAT_MIX
from pricing.models import GpuRate
from pricing.self_hosting import (
    MTOK,
    BreakEven,
    Plan,
    Served,
    Swing,
    at_volume,
    break_even_utilisation,
    break_even_volume,
    sensitivity,
)

STEPS = tuple(Decimal(step) / 100 for step in range(5, 101, 5))
WORKINGS = "#workings"


@dataclass(frozen=True, slots=True)
class Read:
    """What the page stands on: the run if there is one, the rates and the market of the moment."""

    run: Run | None
    model_name: str
    slug: str
    rates: Sequence[GpuRate]
    market: Market
    at: datetime


@dataclass(frozen=True, slots=True)
class Row:
    """One utilisation of the table behind the chart; `api` None: no price of equal quality is known."""

    utilisation: Decimal
    tokens: Decimal
    usd: Decimal
    api: Decimal | None

    @property
    def times(self) -> Decimal | None:
        return self.usd / self.api if self.api else None


@dataclass(frozen=True, slots=True)
class ApiRow:
    """One place to buy the same tokens, with where its price is proven."""

    api: Api
    evidence: str
    source: str
    is_compared: bool


@dataclass(frozen=True, slots=True)
class RateRow:
    """A rate that could be taken instead."""

    rate: GpuRate
    url: str
    is_taken: bool

    @property
    def is_host(self) -> bool:
        """One host's rate on demand, as the default is."""
        return self.rate.terms == "on_demand"

    @property
    def terms(self) -> str:
        return "" if self.is_host else self.rate.terms


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of the form: what is asked, and what stands where nothing is."""

    field: Field
    value: str
    stands_in: str


@dataclass(frozen=True, slots=True)
class Page:
    """`plan` None: something that a cost needs is unknown, and `missing` says what, in sentences."""

    ask: Ask
    read: Read
    gpu: str
    rate: GpuRate | None
    plan: Plan | None
    missing: tuple[str, ...]
    api: Api | None
    rows: tuple[Row, ...] = ()
    even: Decimal | None = None
    volume: BreakEven | None = None
    served: Served | None = None
    swings: tuple[Swing, ...] = ()

    @property
    def day(self) -> date:
        return self.ask.at or self.read.at.date()

    @property
    def api_usd(self) -> Decimal | None:
        return self.api.usd_per_mtok if self.api else None

    @property
    def usd(self) -> Decimal | None:
        """A Mtok at the highest load."""
        return self.plan.usd_per_mtok(self.ask.share) if self.plan else None

    @property
    def bought(self) -> Decimal | None:
        """What the volume costs at the API in a month."""
        if self.served is None or self.api_usd is None:
            return None
        return self.served.tokens * self.api_usd / MTOK

    @property
    def mix(self) -> str:
        return str(self.plan.mix) if self.plan else ""

    @property
    def api_rows(self) -> list[ApiRow]:
        return [ApiRow(one, evidence_of(one, self), source_of(one), one is self.api) for one in self.read.market.apis]

    @property
    def unseen_rows(self) -> list[ApiRow]:
        return [ApiRow(one, evidence_of(one, self), source_of(one), False) for one in self.read.market.unseen]

    @property
    def rate_rows(self) -> list[RateRow]:
        """Rates of this type of GPU, the cheapest first."""
        return [
            RateRow(one, self.ask.url(rate=one.usd_per_hour.normalize()), one is self.rate)
            for one in self.read.rates
            if type_of(one.gpu) == self.gpu
        ]

    @property
    def form(self) -> list[FormField]:
        plan = self.plan
        stands_in: Mapping[str, Decimal | int | None] = {
            "rate": self.rate.usd_per_hour if self.rate else None,
            "gpus": plan.gpus if plan else self.read.run.gpus if self.read.run else 1,
            "input": self.read.run.input_per_second if self.read.run else None,
            "output": self.read.run.output_per_second if self.read.run else None,
        }
        return [
            FormField(field, _text(getattr(self.ask, field.name)), _text(stands_in.get(field.name))) for field in FIELDS
        ]

    @property
    def gpu_options(self) -> list[Option]:
        types = sorted({type_of(one.gpu) for one in self.read.rates})
        return [Option(one, self.ask.url(gpu=one, rate=None), one == self.gpu) for one in types]


def run_options(page: Page, runs: Iterable[Run]) -> list[Option]:
    """The published runs as links; what is entered of another run or GPU does not go along."""
    return [
        Option(
            f"{run.name}, {run.gpus} × {run.gpu}, {run.engine}",
            page.ask.url(run=run.run, model="", gpu="", rate=None, gpus=None, input=None, output=None),
            page.read.run == run,
        )
        for run in runs
    ]  # fmt: skip


def _text(value: Decimal | int | None) -> str:
    return "" if value is None else f"{Decimal(value).normalize():f}"


def compose(ask: Ask, read: Read) -> Page:
    """The page for a state; without a plan only what is missing for one."""
    run = read.run
    gpu = ask.gpu or (run.gpu if run else "H100")
    # A run on other GPUs says nothing of these.
    measured = run if run and run.gpu == gpu else None
    rate = cheapest_rate(read.rates, gpu) if ask.rate is None else None
    usd = ask.rate if ask.rate is not None else rate.usd_per_hour if rate else None
    into = ask.input if ask.input is not None else measured.input_per_second if measured else None
    out = ask.output if ask.output is not None else measured.output_per_second if measured else None
    missing = _missing(ask, read, gpu, usd, into, out)
    api = read.market.apis[0] if read.market.apis else None
    if missing or usd is None or into is None or out is None:
        return Page(ask, _without(read, measured), gpu, rate, None, tuple(missing), api)
    gpus = int(ask.gpus) if ask.gpus is not None else measured.gpus if measured else 1
    plan = Plan(usd, into, out, gpus, 1, ask.idle, ask.usd_per_month)
    price = api.usd_per_mtok if api else None
    return Page(
        ask, _without(read, measured), gpu, rate, plan, (), api,
        rows=tuple(_rows(plan, price)),
        even=break_even_utilisation(plan, price),
        volume=break_even_volume(plan, price, ask.share),
        served=at_volume(plan, ask.volume * MTOK, ask.share) if ask.volume else None,
        swings=tuple(sensitivity(plan, ask.share, price)),
    )  # fmt: skip


def _without(read: Read, measured: Run | None) -> Read:
    return Read(measured, read.model_name, read.slug, read.rates, read.market, read.at)


def _missing(
    ask: Ask, read: Read, gpu: str, usd: Decimal | None, into: Decimal | None, out: Decimal | None
) -> list[str]:
    said = []
    if not read.model_name:
        said.append("Choose a model with open weights: one of the published runs, or any model’s page leads here.")
    if usd is None:
        day = formatting.day(ask.at or read.at)
        said.append(f"No host’s rate of {gpu} is known in the half year before {day}: enter what you would pay.")
    if into is None or out is None:
        what = f"No published run of {read.model_name or 'the model'} on {gpu} says how many tokens a second it serves"
        said.append(f"{what}: enter what you measured at full load, input and output.")
    elif not into + out:
        said.append("A copy that serves 0 tokens a second has no cost per token: enter what you measured.")
    return said


def _rows(plan: Plan, api: Decimal | None) -> Iterable[Row]:
    for step in STEPS:
        usd = plan.usd_per_mtok(step)
        if usd is not None:
            yield Row(step, plan.tokens_a_month(step), usd, api)


def evidence_of(api: Api, page: Page) -> str:
    """Where an API's blended price is proven."""
    if api.listed is None:
        return api.fact.source_url if api.fact else ""
    mix = page.plan.mix if page.plan else CHAT_MIX
    return blend_url(api.listed.model, api.listed.offering_id, mix, at=page.ask.at)


def source_of(api: Api) -> str:
    """Who states it, and how it is known of the day."""
    if api.fact:
        return f"{api.fact.source}, {formatting.day(api.fact.observed_on)}; {api.fact.licence}"
    if not api.witnessed:
        return "price catalogue, first seen after this day"
    return "price catalogue"


CSV_HEAD = (
    "model", "gpu", "gpus", "usd_per_gpu_hour", "input_per_second", "output_per_second", "utilisation",
    "tokens_a_month", "usd_per_mtok", "api_model", "api_seller", "api_usd_per_mtok", "break_even_utilisation",
)  # fmt: skip


def csv_rows(page: Page) -> Iterable[tuple[object, ...]]:
    """A line a utilisation; what is not known is empty."""
    plan, api = page.plan, page.api
    if plan is None:
        return
    for row in page.rows:
        yield (
            page.read.model_name, page.gpu, plan.gpus, plan.usd_per_gpu_hour, plan.input_per_second,
            plan.output_per_second, row.utilisation, row.tokens, row.usd, api.model_name if api else "",
            api.seller if api else "", row.api, page.even,
        )  # fmt: skip
