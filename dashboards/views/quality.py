"""Price per quality: the page, its figure, its table as CSV. Readable without signing in where the catalogue is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards import formatting, market
from dashboards.charts import frontier as chart
from dashboards.pages import quality as pages
from dashboards.pages.asked import Option, midnight
from dashboards.pages.evaluations.ask import suite_url
from dashboards.pages.quality import marks
from dashboards.pages.quality.dates import dates
from dashboards.views import catalogue_page
from dashboards.views.catalogue import csv_response, figure_response
from dashboards.views.spend import Reader, reader_of
from pricing.answers import BadQuestion, filters
from pricing.answers import quality as read
from pricing.benchmarks import benchmarks
from pricing.frontier import default_delta
from pricing.models import Benchmark, Price
from usage import real_mixes
from usage.evaluation_points import points
from usage.own_measures import PREFIX, OwnMeasure, own_measures

SOON = timedelta(days=120)


@dataclass(frozen=True)
class _Asked:
    """What an address asks for. `usage` says in words what a project's mix was read from."""

    ask: pages.Ask
    wrong: list[str]
    reader: Reader | None
    now: datetime
    own: Mapping[str, OwnMeasure]
    usage: str = ""

    @property
    def at(self) -> datetime:
        return midnight(self.ask.at) or self.now


def _asked(request: HttpRequest) -> _Asked:
    """The state of the address; 404 for a project that is not the reader's to see."""
    reader = reader_of(request) if request.user.is_authenticated else None
    own = own_measures(points(reader.organisation, reader.project_ids)) if reader else {}
    _seen(reader, request.GET.get("benchmark", ""))
    ask, wrong = pages.read(request.GET, {slug: one.measure for slug, one in own.items()})
    asked = _Asked(_in_known_words(ask, wrong), wrong, reader, timezone.now(), own)
    return _by_project(asked) if ask.project else asked


def _in_known_words(ask: pages.Ask, wrong: list[str]) -> pages.Ask:
    """The same with aliases resolved; a word that the catalogue has not is left out, and a sentence says so."""

    def meant(name: str, asked: str) -> str:
        found = filters.word(name, asked) if asked else ""
        if found is None:
            called = "seller" if name == "provider" else name
            wrong.append(f"There is no {called} “{asked[:40]}”: choose one from the list.")
        return found or ""

    return replace(
        ask, maker=meant("maker", ask.maker), provider=meant("provider", ask.provider),
        region=meant("region", ask.region), modality=meant("modality", ask.modality),
    )  # fmt: skip


def _seen(reader: Reader | None, benchmark: str) -> None:
    """404 for an evaluation of a project that is not the reader's to see."""
    if benchmark.startswith(PREFIX):
        if reader is None:
            raise Http404("No such project")
        reader.project(benchmark.removeprefix(PREFIX).partition("/")[0])


def _by_project(asked: _Asked) -> _Asked:
    """The same with the mix of the project's own tokens; where it has none the mix stays and a sentence says so."""
    if asked.reader is None:
        raise Http404("No such project")
    project = asked.reader.project(asked.ask.project)
    window = asked.ask.window or real_mixes.last_window(project)
    used = real_mixes.real_mix(project, *window) if window else None
    if used is None or used.mix is None:
        told = f"{project.name} used no tokens {'in those days' if window else 'yet'}: prices are weighed 3 : 1."
        return replace(asked, ask=replace(asked.ask, project="", window=None), wrong=[*asked.wrong, told])
    return replace(
        asked, ask=asked.ask.weighed(used.mix, (used.since, used.until)), usage=_in_words(project.name, used)
    )


def _in_words(name: str, used: real_mixes.RealMix) -> str:
    last = used.until - timedelta(days=1)
    said = f"{name}’s {formatting.mtok(used.tokens)} Mtok of {formatting.day(used.since)} to {formatting.day(last)}"
    if used.other_tokens:
        said += f", {formatting.share(used.other_tokens, used.tokens)} of them at other tiers, weighed as standard"
    return said


def _drawn(asked: _Asked) -> read.Drawn:
    """What the catalogue holds for the question; nothing of a benchmark that was not loaded yet."""
    ask = asked.ask
    if ask.is_own:
        return read.drawn(asked.own[ask.benchmark].scores(ask.category), ask.wish, asked.at)
    try:
        return read.drawn_now(ask.benchmark, ask.category, ask.wish, midnight(ask.at), asked.now)
    except BadQuestion:
        scores = read.Scores(Benchmark(slug=ask.benchmark), ask.category, (), frozenset(), ())
        return read.drawn(scores, ask.wish, asked.at)


def _page(asked: _Asked, drawn: read.Drawn, *, whole: bool = True) -> pages.QualityPage:
    """The page; not `whole`: without what stands beside the chart only, which costs two queries."""
    upcoming, unrated = [], 0
    if whole:
        shown = {point.offer.offering_id for point in drawn.curve.selection.points if point.offer}
        upcoming = market.coming(asked.at, asked.at + SOON, shown) if shown else []
        priced = Price.objects.compared(asked.at).standard().exclude(offering__model__in=drawn.scores.model_ids)
        unrated = priced.values("offering__model").distinct().count()
    found = pages.Found(
        drawn.curve, drawn.scores.scores, drawn.offers, drawn.models, drawn.scores.rated_on, upcoming, unrated,
        asked.usage, drawn.credits,
    )  # fmt: skip
    return pages.compose(asked.ask, found, asked_at=asked.at)


def _scene(asked: _Asked, page: pages.QualityPage) -> chart.Scene:
    price = (
        "USD per task, as measured" if asked.ask.is_measured else f"USD per Mtok, {pages.mix_in_words(asked.ask.mix)}"
    )
    level = page.band.of.rating if page.band else next(
        (row.point.rating for row in page.all_rows if row.model == asked.ask.sold), None
    )  # fmt: skip
    return chart.Scene(page.all_rows, asked.ask.measure.unit, price, page.band, page.sellers, page.sold, level)


@require_safe
@catalogue_page
def page(request: HttpRequest) -> HttpResponse:
    asked = _asked(request)
    drawn = _drawn(asked)
    shown, ask = _page(asked, drawn), asked.ask
    if request.GET.get("format") == "csv" and not asked.wrong:
        return csv_response("price-per-quality", pages.CSV_HEAD, pages.csv_rows(shown))
    context = {
        "ask": ask,
        "quality": shown,
        "wrong": asked.wrong,
        "options": pages.options(ask, drawn.scores.scores, _whose(asked)) | {"project": _projects(asked)},
        "fields": pages.fields(ask, drawn.offers, drawn.models, drawn.scores.scores),
        "own_mix": pages.own_mix(ask),
        "mix_in_words": pages.mix_in_words(ask.mix),
        "benchmark": ask.measure,
        "marks": _marks(asked),
        "figure_url": ask.url("/quality/figure.json", sort=""),
        "csv_url": ask.url(format="csv"),
        "link": request.build_absolute_uri(ask.url()),
        "below": chart.below(_scene(asked, shown)),
        "dates": dates(ask, drawn.scores.days, asked.now.astimezone(UTC).date()),
        "measured": sum(score.usd_per_task is not None for score in drawn.scores.scores),
        "weights": [
            pages.plain(one) for one in (ask.mix.input, ask.mix.output, ask.mix.cache_read, ask.mix.cache_write)
        ],
        "window": pages.written(ask.window),
        "delta": pages.plain(shown.band.delta if shown.band else default_delta(shown.frontier)),
        "votes": "Votes" if ask.benchmark == "arena" else "Items" if ask.is_own else "Tasks",
        "empty": pages.empty(ask, drawn.scores.days),
        "narrowing": [field for field in FIELDS if getattr(ask, field)],
        "urls": _urls(ask) | _suite(asked),
        "kept": {
            "mix": pages.kept(ask, "mix", "project", "window", "axis"),
            "date": pages.kept(ask, "date"),
            "filters": pages.kept(ask, *FIELDS),
            "near": pages.kept(ask, "near", "delta", "sold"),
            "q": pages.kept(ask, "q"),
        },
    }
    return render(request, "dashboards/quality.html", context, status=400 if asked.wrong else 200)


def _marks(asked: _Asked) -> tuple[marks.Mark, ...]:
    """Of the benchmark as known on the day; none before it was ever loaded."""
    day, ask = asked.at.astimezone(UTC).date(), asked.ask
    if ask.is_own:
        return ()
    try:
        known = Benchmark.objects.marks(ask.benchmark, ask.category, day)
    except Benchmark.DoesNotExist:
        return ()
    return marks.marks(benchmarks()[ask.benchmark], known, day)


FIELDS = (
    "maker", "weights", "context", "modality", "tools", "retirement", "provider", "region", "speed", "within", "free",
    "previews",
)  # fmt: skip
"""What the form of filters sets."""


def _projects(asked: _Asked) -> list[Option]:
    if asked.reader is None:
        return []
    return [
        Option(one.name, asked.ask.url(project=one.slug, mix="", window="", axis=""), asked.ask.project == one.slug)
        for one in asked.reader.projects.values()
    ]


def _whose(asked: _Asked) -> dict[str, str]:
    """Of each evaluation of one's own the name of its project."""
    names = {slug: name for name, slug in asked.reader.names.values()} if asked.reader else {}
    return {slug: names[one.project] for slug, one in asked.own.items()}


def _suite(asked: _Asked) -> dict[str, str]:
    """Where the evaluation that is drawn stands model by model."""
    if not asked.ask.is_own:
        return {}
    return {"suite": suite_url(asked.own[asked.ask.benchmark].points[asked.ask.category][0].suite)}


def _urls(ask: pages.Ask) -> dict[str, Any]:
    return {
        "today": ask.url(date=None),
        "everything": ask.url(**dict.fromkeys(FIELDS, "")),
        "all": ask.url(q="") + "#points",
        "far": ask.url(near="", delta="", sold=""),
        "list": ask.url(axis=""),
        "measured": ask.url(axis="measured", project="", window="", mix=""),
        "sort": {key: ask.url(sort="" if key == "rating" else key) + "#points" for key in pages.SORTS},
    }


@require_safe
@catalogue_page
def figure(request: HttpRequest) -> HttpResponse:
    asked = _asked(request)
    if asked.wrong:
        return HttpResponse(" ".join(asked.wrong), status=400, content_type="text/plain; charset=utf-8")
    return figure_response(chart.figure(_scene(asked, _page(asked, _drawn(asked), whole=False))))
