"""What the page and the API read of the catalogue for an address."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from dashboards.pages.self_host import Ask, Page, Read, compose, read
from pricing.answers import self_hosting as answers
from pricing.frontier import Mix
from pricing.models import LanguageModel
from pricing.quality import model_key


def page(query: Mapping[str, str], now: datetime) -> tuple[Page, list[str]]:
    """The page of an address and a sentence for each part of it that cannot be meant.

    Three queries: the model, the rates, its sellers; two more where nobody sells it.
    """
    ask, wrong = read(query)
    at = answers.moment_of(ask.at, now)
    run, model = _asked(ask, wrong)
    key = model.key if model else model_key(run.model) if run else ""
    name = run.name if run else model.name if model else ""
    into = ask.input if ask.input is not None else run.input_per_second if run else None
    out = ask.output if ask.output is not None else run.output_per_second if run else None
    mix = Mix(into, out) if into is not None and out is not None and into + out else Mix()
    market = answers.market(model, key, mix, at)
    slug = model.slug if model else ""
    return compose(ask, Read(run, name, slug, answers.rates_on(at.date()), market, at)), wrong


def _asked(ask: Ask, wrong: list[str]) -> tuple[answers.Run | None, LanguageModel | None]:
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
