"""Self-host or buy: the page, its figure and its table as CSV."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards.charts import self_host as chart
from dashboards.pages import self_host as pages
from dashboards.pages.self_host import words
from dashboards.views import catalogue_page
from dashboards.views.catalogue import csv_response, figure_response
from pricing.answers import self_hosting as answers
from pricing.frontier import Mix
from pricing.models import LanguageModel
from pricing.quality import model_key

REFERENCE = pages.PATH + "?at=2024-09-05"


def _page(request: HttpRequest) -> tuple[pages.Page, list[str]]:
    """Three queries: the model, the rates, its sellers; two more where nobody sells it."""
    ask, wrong = pages.read(request.GET.dict())
    at = answers.moment_of(ask.at, timezone.now())
    run, model = _asked(ask, wrong)
    key = model.key if model else model_key(run.model) if run else ""
    name = run.name if run else model.name if model else ""
    into = ask.input if ask.input is not None else run.input_per_second if run else None
    out = ask.output if ask.output is not None else run.output_per_second if run else None
    mix = Mix(into, out) if into is not None and out is not None and into + out else Mix()
    market = answers.market(model, key, mix, at)
    slug = model.slug if model else ""
    return pages.compose(ask, pages.Read(run, name, slug, answers.rates_on(at.date()), market, at)), wrong


def _asked(ask: pages.Ask, wrong: list[str]) -> tuple[answers.Run | None, LanguageModel | None]:
    """The run and the model that the address means: a model's own run where it names none."""
    runs = {run.run: run for run in answers.runs()}
    if ask.run and ask.run not in runs:
        wrong.append(f"There is no published run “{ask.run[:60]}”: choose one from the list.")
    if ask.model:
        model = LanguageModel.objects.filter(slug=ask.model).first()
        if model is None:
            wrong.append(f"There is no model “{ask.model[:60]}” in the catalogue: open it from the list of models.")
        own = [run for run in runs.values() if model and model_key(run.model) == model.key]
        return next((run for run in own if run.run == ask.run or not ask.run), None), model
    run = runs.get(ask.run) or answers.runs()[0]
    return run, answers.model_of(run)


@require_safe
@catalogue_page
def self_host(request: HttpRequest) -> HttpResponse:
    page, wrong = _page(request)
    ask = page.ask
    if request.GET.get("format") == "csv" and not wrong:
        return csv_response("self-host", pages.CSV_HEAD, pages.csv_rows(page))
    context = {
        "shown": page,
        "ask": ask,
        "wrong": wrong,
        "finding": words.finding(page),
        "scope": words.scope(page),
        "equal": words.equal(page),
        "workings": words.workings(page),
        "chart_title": words.chart_title(page),
        "note": words.note(page),
        "volume": words.volume(page),
        "even_volume": words.even_volume(page),
        "compared": page.api_rows[0] if page.api_rows else None,
        "apis": page.api_rows,
        "unseen": page.unseen_rows,
        "hosts": [row for row in page.rate_rows if row.is_host],
        "other_rates": [row for row in page.rate_rows if not row.is_host],
        "swings": words.swings(page),
        "runs": (runs := pages.run_options(page, answers.runs())),
        "run_label": next((one.label for one in runs if one.is_current), "none"),
        "rate_sources": words.rate_sources(page),
        "kept": [(name, value) for name, value in (("run", ask.run), ("model", ask.model), ("gpu", ask.gpu)) if value],
        "figure_url": ask.url("/self-host/figure.json"),
        "csv_url": ask.url(format="csv"),
        "link": request.build_absolute_uri(ask.url()),
        "today_url": ask.url(at=None),
        "reference_url": REFERENCE,
    }  # fmt: skip
    return render(request, "dashboards/self_host.html", context, status=400 if wrong else 200)


@require_safe
@catalogue_page
def figure(request: HttpRequest) -> HttpResponse:
    page, wrong = _page(request)
    if wrong:
        return HttpResponse(" ".join(wrong), status=400, content_type="text/plain; charset=utf-8")
    return figure_response(chart.figure(page))
