"""Self-host or buy over HTTP: what a Mtok costs on rented GPUs beside the APIs of equal quality."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import Field

from dashboards.api.auth import CatalogueBearer
from dashboards.api.caching import answered
from dashboards.api.catalogue import Name, only
from dashboards.api.problem import documented
from dashboards.pages.self_host import Page, reading
from dashboards.pages.self_host.ask import NAMED
from dashboards.pages.self_host.page import source_of
from pricing.answers import BadQuestion
from pricing.answers.self_hosting import Api, Run
from pricing.answers.wording import decimal_text, moment_text
from pricing.models import GpuRate
from pricing.self_hosting import Plan, Served, Swing

router = Router(tags=["catalogue"], auth=CatalogueBearer())

Number = Annotated[str, Field(max_length=40)]


def _number(name: str, more: str = "") -> Any:
    field = NAMED[name]
    return Field("", description=f"{field.label}, {field.unit}. {more or field.hint}".strip())


class SelfHostQuestion(Schema):
    run: Name = Field("", description="A published measurement; default: the model's, else the reference case.")
    model: Name = Field("", description="Slug of a model with open weights.")
    gpu: Name = Field("", description="Type of GPU; default: the run's.")
    at: Annotated[str, Field(max_length=10)] = Field("", description="The day whose prices count; default: now.")
    rate: Number = _number("rate", "Default: the cheapest host's of the day.")
    gpus: Number = _number("gpus", "Default: the run's.")
    input: Number = _number("input")
    output: Number = _number("output")
    load: Number = _number("load")
    volume: Number = _number("volume")
    idle: Number = _number("idle")
    staff: Number = _number("staff")
    once: Number = _number("once")
    months: Number = _number("months")


class GpuRun(Schema):
    run: str
    model: str
    name: str
    gpu: str
    gpus: int
    engine: str
    input_per_second: str
    output_per_second: str
    workload: str
    measured_on: str
    source: str
    source_url: str
    licence: str


class RatePerGpu(Schema):
    host: str
    gpu: str
    terms: str
    usd_per_hour: str
    observed_on: str
    source: str
    source_url: str
    licence: str


class RentPlan(Schema):
    usd_per_gpu_hour: str
    gpus: int
    input_per_second: str
    output_per_second: str
    idle_hours: str
    usd_per_month: str = Field(description="What comes on top of the GPUs.")
    usd_a_month: str = Field(description="What one copy costs in a month, whatever it serves.")


class EqualApi(Schema):
    """A place to buy the same tokens; `rating` is set where another model stands in that is rated at least as high."""

    model: str
    name: str
    seller: str
    usd_per_mtok: str
    rating: str | None
    source: str


class Even(Schema):
    """`utilisation` above 1 is reached by no load; null where no price of equal quality is known."""

    utilisation: str | None
    tokens_a_month: str | None = Field(description="null where no number of copies pays.")
    copies: int | None


class ServedVolume(Schema):
    tokens_a_month: str
    copies: int
    utilisation: str
    usd_a_month: str
    usd_per_mtok: str
    api_usd_a_month: str | None


class AtLoad(Schema):
    utilisation: str
    tokens_a_month: str
    usd_per_mtok: str


class MovedAssumption(Schema):
    assumption: str
    low: str
    high: str
    usd_per_mtok_at_low: str | None
    usd_per_mtok_at_high: str | None
    break_even_at_low: str | None
    break_even_at_high: str | None


class SelfHostAnswer(Schema):
    """`plan` null: what a cost needs is unknown, and `missing` says what. Tokens are input and output counted alike."""

    at: str
    model: str = Field(description="Slug in the catalogue; empty where it holds none.")
    name: str
    gpu: str
    run: GpuRun | None
    rate: RatePerGpu | None = Field(description="null where the question states the rate, or none is known.")
    plan: RentPlan | None
    missing: list[str]
    load: str = Field(description="The highest utilisation, of 1.")
    usd_per_mtok: str | None = Field(description="At that load.")
    equal_by: str = Field(description="`weights`, `rating`, or empty where no API of equal quality is known.")
    apis: list[EqualApi] = Field(description="The cheapest first.")
    break_even: Even
    served: ServedVolume | None
    by_load: list[AtLoad]
    sensitivity: list[MovedAssumption]


@router.get("/self-host", response=documented(SelfHostAnswer), operation_id="self_host")
def self_host(request: HttpRequest, asked: Query[SelfHostQuestion]) -> HttpResponse:
    """What a Mtok costs on rented GPUs by load, and from which load or volume on that is less than an API asks."""
    only(request, SelfHostQuestion)

    def reply() -> dict[str, Any]:
        page, wrong = reading.page(asked.model_dump(), timezone.now())
        if wrong:
            raise BadQuestion(" ".join(wrong), "query")
        return told(page)

    return answered(request, reply, holds="minute")


def told(page: Page) -> dict[str, Any]:
    """The page as JSON."""
    return {
        "at": moment_text(page.read.at), "model": page.read.slug, "name": page.read.model_name, "gpu": page.gpu,
        "run": _run(page.read.run), "rate": _rate(page.rate), "plan": _plan(page.plan), "missing": list(page.missing),
        "load": decimal_text(page.ask.share), "usd_per_mtok": decimal_text(page.usd),
        "equal_by": page.read.market.kind, "apis": [_api(one) for one in page.read.market.apis],
        "break_even": {
            "utilisation": decimal_text(page.even),
            "tokens_a_month": decimal_text(page.volume.tokens) if page.volume else None,
            "copies": page.volume.copies if page.volume else None,
        },
        "served": _served(page, page.served),
        "by_load": [
            {
                "utilisation": decimal_text(row.utilisation), "tokens_a_month": decimal_text(row.tokens),
                "usd_per_mtok": decimal_text(row.usd),
            }
            for row in page.rows
        ],
        "sensitivity": [_swing(one) for one in page.swings],
    }  # fmt: skip


def _run(run: Run | None) -> dict[str, Any] | None:
    return None if run is None else {
        "run": run.run, "model": run.model, "name": run.name, "gpu": run.gpu, "gpus": run.gpus, "engine": run.engine,
        "input_per_second": decimal_text(run.input_per_second),
        "output_per_second": decimal_text(run.output_per_second), "workload": run.workload,
        "measured_on": run.measured_on.isoformat(), "source": run.source,
        "source_url": run.source_url, "licence": run.licence,
    }  # fmt: skip


def _rate(rate: GpuRate | None) -> dict[str, Any] | None:
    return None if rate is None else {
        "host": rate.host, "gpu": rate.gpu, "terms": rate.terms, "usd_per_hour": decimal_text(rate.usd_per_hour),
        "observed_on": rate.observed_on.isoformat(), "source": rate.source, "source_url": rate.source_url,
        "licence": rate.licence,
    }  # fmt: skip


def _plan(plan: Plan | None) -> dict[str, Any] | None:
    return None if plan is None else {
        "usd_per_gpu_hour": decimal_text(plan.usd_per_gpu_hour), "gpus": plan.gpus,
        "input_per_second": decimal_text(plan.input_per_second),
        "output_per_second": decimal_text(plan.output_per_second), "idle_hours": decimal_text(plan.idle_hours),
        "usd_per_month": decimal_text(plan.usd_per_month), "usd_a_month": decimal_text(plan.usd_a_month),
    }  # fmt: skip


def _api(api: Api) -> dict[str, Any]:
    return {
        "model": api.model, "name": api.model_name, "seller": api.seller,
        "usd_per_mtok": decimal_text(api.usd_per_mtok), "rating": decimal_text(api.rating), "source": source_of(api),
    }  # fmt: skip


def _served(page: Page, served: Served | None) -> dict[str, Any] | None:
    return None if served is None else {
        "tokens_a_month": decimal_text(served.tokens), "copies": served.plan.copies,
        "utilisation": decimal_text(served.utilisation), "usd_a_month": decimal_text(served.usd),
        "usd_per_mtok": decimal_text(served.usd_per_mtok), "api_usd_a_month": decimal_text(page.bought),
    }  # fmt: skip


def _swing(one: Swing) -> dict[str, Any]:
    return {
        "assumption": one.name, "low": decimal_text(one.low), "high": decimal_text(one.high),
        "usd_per_mtok_at_low": decimal_text(one.usd_at_low), "usd_per_mtok_at_high": decimal_text(one.usd_at_high),
        "break_even_at_low": decimal_text(one.even_at_low), "break_even_at_high": decimal_text(one.even_at_high),
    }  # fmt: skip
