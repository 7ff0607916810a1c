"""The spend explorer at `/spend`: the page, its chart and its tables as CSV."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from dashboards import formatting
from dashboards.charts.explore import bucket_words, stacked
from dashboards.pages import bridge, closing, covered, explore, explore_words
from dashboards.pages.explore import DIMENSION_WORDS, MEASURE_WORDS, Page, dimension_words, spoken, text_of, url_of
from dashboards.views import member_page
from dashboards.views.spend import Reader, csv_response, reader_of, reader_or_404, refused, today
from pricing.models import LanguageModel
from pricing.providers import declared
from usage import questions, spending
from usage.attribution import OF_DIRECTORY
from usage.questions import MONEY, NOBODY, Question, Unanswerable

PERIOD_WORDS = {
    "7d": "7 days", "30d": "30 days", "90d": "90 days", "month": "This month", "last-month": "Last month",
    "year": "This year",
}  # fmt: skip
LONGEST = 1_100


@dataclass(frozen=True)
class Shown:
    """A question, the answer to it, and the page of that."""

    reader: Reader
    question: Question
    answer: dict[str, Any]
    page: Page


@require_safe
@member_page
def spend(request: HttpRequest) -> HttpResponse:
    """`?group_by=&measure=&grain=&compare=&period=|from=&until=` and any dimension; `where` and `is` add a filter."""
    reader = reader_of(request)
    if reader is None or reader.days_of_usage()[1] is None:
        for slug in request.GET.getlist("project"):
            _project(reader, slug)
        organisation = reader and reader.organisation
        return render(request, "dashboards/overview_nothing.html", {"organisation": organisation})
    try:
        if "where" in request.GET:
            return HttpResponseRedirect(_filtered(request, reader))
        shown = _shown(request, reader)
    except Unanswerable as fault:
        return refused(request, str(fault))
    asked, query = shown.question, explore.query_of(shown.question)
    currency = reader.organisation.display_currency
    total = shown.answer["total"]
    now, then = explore.number(total["value"]), explore.number(total.get("before"))
    context = {
        "finding": explore_words.finding(asked, now, then, shown.page.lines, currency, reader.organisation.name),
        "claim": explore_words.claim(asked, shown.page.lines, now),
        "coverage": covered.parts(shown.answer["coverage"]),
        "list_rows": explore.records_of(replace(asked, measure="list")),
        "changed_inside": explore_words.changed_inside(shown.answer["coverage"], currency),
        "shown": shown.page,
        "question": asked,
        "answer": shown.answer,
        "currency": currency,
        "is_money": asked.measure in MONEY,
        "measure": MEASURE_WORDS[asked.measure],
        "measure_unit": f"{MEASURE_WORDS[asked.measure]}, {_unit(asked.measure, currency)}",
        "head": " and ".join(spoken(name) for name in asked.group_by) or "everything",
        "whole": reader.whole,
        "picks": _picks(asked),
        "chips": _chips(asked, _labels(reader, shown.answer)),
        "dimensions": DIMENSION_WORDS,
        "table": [_cells(line, asked, currency) for line in shown.page.lines],
        "total": _cells(shown.page.total, asked, currency),
        "bars": _bars(shown, currency),
        "legend": [{"series": one.colour, "name": one.name} for one in shown.page.series],
        "figure": f"{reverse('spend-figure')}?{query}",
        "csv": f"{reverse('spend-csv')}?{query}",
        "csv_time": f"{reverse('spend-csv')}?{query}&of=time",
        "api": f"/api/v1/spend?{query}",
        "selectors": url_of(asked, group_by="selectors"),
        "pending": closing.beside(shown.answer["coverage"]["pending"], currency, whole=reader.whole),
        "before": asked.before,
        "bridge": _bridge(asked),
    }
    return render(request, "dashboards/spend.html", context)


@require_safe
@member_page
def figure(request: HttpRequest) -> HttpResponse:
    """The stack as JSON."""
    reader = reader_or_404(request)
    try:
        shown = _shown(request, reader)
    except Unanswerable as fault:
        return JsonResponse({"detail": str(fault)}, status=400)
    asked, page = shown.question, shown.page
    currency = reader.organisation.display_currency
    return JsonResponse(stacked(page.buckets, page.series, asked.grain, asked.measure, currency))


@require_safe
@member_page
def table(request: HttpRequest) -> HttpResponse:
    """The rows of the page at full precision; `of=time` the table behind the chart."""
    reader = reader_or_404(request)
    try:
        shown = _shown(request, reader)
    except Unanswerable as fault:
        return refused(request, str(fault))
    asked, page, unit = shown.question, shown.page, _unit(shown.question.measure, reader.organisation.display_currency)
    name = f"spend-{asked.since}-{asked.until}"
    measure = f"{MEASURE_WORDS[asked.measure].lower()}, {unit}"
    if at := explore_words.at_prices(asked):
        measure, unit = f"{measure}, {at}", f"{unit}, {at}"
    if request.GET.get("of") == "time":
        head = [asked.grain, *(f"{one.name}, {unit}" for one in page.series)]
        rows = ([bucket, *(one.at(i) for one in page.series)] for i, bucket in enumerate(page.buckets))
        return csv_response(f"{name}-time", head, rows)
    head = ["level", *(spoken(one) for one in asked.group_by), "name", measure]
    head += [f"{measure}, before"] if asked.before else []
    priced = f", at the list prices of {formatting.day(asked.prices_at)}" if asked.prices_at else ""
    head += ["tokens", "requests", f"list cost, {reader.organisation.display_currency}{priced}"]
    width = len(asked.group_by)
    return csv_response(
        name,
        head,
        (
            [
                line.level + 1 if line is not page.total else "total", *(list(line.keys) + [""] * width)[:width],
                line.name, line.value, *([line.before] if asked.before else []), line.tokens, line.requests,
                line.list_cost,
            ]
            for line in [*page.lines, page.total]
        ),
    )  # fmt: skip


def _shown(request: HttpRequest, reader: Reader) -> Shown:
    """Unanswerable for what is no question; 404 for a project the reader may not see."""
    question = _question(request, reader)
    for slug in question.filters.get("project", ()):
        _project(reader, slug)
    answer = spending.answered(reader.organisation, question, projects=reader.project_ids)
    page = explore.compose(question, answer, _labels(reader, answer))
    return Shown(reader, question, answer, page)


def _project(reader: Reader | None, slug: str) -> None:
    """404 for a project that is not the reader's, also where there is nothing to show yet."""
    if slug == NOBODY:
        return
    if reader is None:
        raise Http404("No such project")
    reader.project(slug)


def _question(request: HttpRequest, reader: Reader) -> Question:
    """What the URL asks, with what it leaves out: 30 days of what was spent by project, against those before."""
    pairs = questions.pairs(request.GET)
    named = {name for name, _ in pairs}
    has_days = bool(request.GET.get("from") or request.GET.get("until"))
    if not has_days and not request.GET.get("period"):
        pairs.append(("period", "30d"))
    given = {"group_by": "project", "measure": "spent", "compare": "previous"}
    pairs += [(name, text) for name, text in given.items() if name not in named or not request.GET.get(name)]
    question = questions.read(pairs, today(), reader.days_of_usage()[1])
    days = (question.days[1] - question.days[0]).days
    if days > LONGEST:
        raise Unanswerable(f"The page shows at most {LONGEST} days: choose fewer.", "from")
    if len(question.group_by) > 2 or any(name in questions.TIMES for name in question.group_by):
        raise Unanswerable("The page groups by one or two dimensions; time is the grain.", "group_by")
    if question.grain:
        return question
    grain = "day" if days <= 45 else "week" if days <= 200 else "month"
    return questions.read([*pairs, ("grain", grain)], today(), reader.days_of_usage()[1])


def _filtered(request: HttpRequest, reader: Reader) -> str:
    """The address with the filter that the form adds."""
    name, text = request.GET["where"], request.GET.get("is", "").strip()
    if name == "tag":
        key, _, text = text.partition("=")
        name = f"{questions.TAG}{key.strip()}"
    if not questions.is_dimension(name):
        raise Unanswerable(f"Nothing is filtered by {name[:40]!r}: choose a dimension; a tag reads KEY=VALUE.", "where")
    asked = _question(request, reader)
    return url_of(asked, filters={name: (*asked.filters.get(name, ()), text)})


def _labels(reader: Reader, answer: dict[str, Any]) -> explore.Label:
    """Names of projects, models, makers and sellers for what an answer calls by slug."""
    slugs = {group["model"] for group in answer["groups"] if group.get("model")}
    models = dict(LanguageModel.objects.filter(slug__in=slugs).values_list("slug", "name")) if slugs else {}
    projects = {project.slug: project.name for project in reader.projects.values()}
    called = _called(reader, answer)

    def label(dimension: str, value: str) -> str:
        if dimension == "project":
            return "Unattributed" if value == NOBODY else projects.get(value, value)
        if dimension == "model":
            return models.get(value, value) or "no model reported"
        if dimension == questions.NAME:
            return value or "none"
        if dimension == "cost_kind":
            return explore.KIND_WORDS.get(value, value)
        if dimension in ("provider", "maker", "host"):
            known = declared(value)
            return known.name if known else value or "not reported"
        if name := called.get((dimension, value)):
            return f"{name} ({value})"
        if dimension == "source":
            return value.replace("_", " ")
        if dimension == "unpriced":
            return value or "has a price"
        return value or f"no {spoken(dimension)} reported"

    return label


def _called(reader: Reader, answer: dict[str, Any]) -> dict[tuple[str, str], str]:
    """What the directory calls ids of an answer, by their dimension: the newest name of each."""
    found: dict[tuple[str, str], str] = {}
    for dimension, kinds in OF_DIRECTORY.values():
        ids = {group[dimension] for group in answer["groups"] if group.get(dimension)}
        if ids:
            entries = reader.organisation.directory.filter(kind__in=kinds, external_id__in=ids)
            names = entries.order_by(F("valid_from").asc(nulls_first=True), "pk").values_list("external_id", "name")
            found |= {(dimension, external_id): name for external_id, name in names}
    return found


def _bridge(question: Question) -> str:
    """Where it says why spend changed; '' where that is not asked, or of what the bridge does not know."""
    if question.measure != "spent" or question.is_raw or question.prices_at or not question.before:
        return ""
    return f"{bridge.PATH}?{bridge.query_of(question, question.before)}"


def _unit(measure: str, currency: str) -> str:
    return currency if measure in MONEY else "requests" if measure == "requests" else "tokens"


def _cells(line: explore.Line, question: Question, currency: str) -> dict[str, Any]:
    return {"line": line, "figure": text_of(line.shown, question.measure, currency)}


def _bars(shown: Shown, currency: str) -> list[dict[str, Any]]:
    """The table behind the chart, the latest first."""
    page, asked = shown.page, shown.question
    return [
        {
            "name": bucket_words(bucket, asked.grain),
            "parts": [text_of(one.at(i), asked.measure, currency) or "unknown" for one in page.series],
        }
        for i, bucket in reversed(list(enumerate(page.buckets)))
    ]


def _chips(question: Question, label: explore.Label) -> list[dict[str, str]]:
    """Each filter in words, with the address without it."""
    found = []
    for name, values in question.filters.items():
        rest = {key: kept for key, kept in question.filters.items() if key != name}
        without = explore.query_of(Question(**{**vars(question), "filters": rest}))
        words = " or ".join(label(name, value) for value in values)
        found.append({"name": dimension_words(name), "value": words, "url": f"{explore.PATH}?{without}"})
    if question.prices_at:
        prices = {"name": "List prices of", "value": formatting.day(question.prices_at)}
        found.append(prices | {"url": url_of(question, prices_at="")})
    return found


def _picks(question: Question) -> list[dict[str, Any]]:
    first, second = (*question.group_by, "", "")[:2]

    def options(words: dict[str, str], now: str, **make: Any) -> list[dict[str, Any]]:
        name = make["name"]
        return [
            {"label": text, "url": url_of(question, **{name: make["value"](key)}), "is_current": key == now}
            for key, text in words.items()
        ]

    def plain(key: str) -> str:
        return key

    days = formatting.period(*question.days)
    others = {"": "nothing more"} | {name: text for name, text in DIMENSION_WORDS.items() if name != first}
    return [
        {"label": "By", "value": spoken(first) if first else "nothing",
         "options": options(DIMENSION_WORDS, first, name="group_by",
                            value=lambda key: ",".join(dict.fromkeys(one for one in (key, second) if one)))},
        {"label": "then", "value": spoken(second) if second else "nothing more",
         "options": options(others, second, name="group_by",
                            value=lambda key: ",".join(one for one in (first, key) if one))},
        {"label": "Measure", "value": MEASURE_WORDS[question.measure].lower(),
         "options": options(MEASURE_WORDS, question.measure, name="measure", value=plain)},
        {"label": "Per", "value": question.grain,
         "options": options({name: name.capitalize() for name in questions.TIMES}, question.grain, name="grain",
                            value=plain)},
        {"label": "Period", "value": days,
         "options": options(PERIOD_WORDS, question.period, name="period", value=plain)},
        {"label": "against", "value": {"previous": "the days before", "year": "last year"}.get(question.compare,
                                                                                              "nothing"),
         "options": options({"previous": "The days before", "year": "The same days last year", "none": "Nothing"},
                            question.compare or "none", name="compare", value=plain)},
    ]  # fmt: skip
