"""The organisation's own price index, for who belongs to it: levels, and each change of spend in its parts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards.charts import own_index as chart
from dashboards.pages import own_index as pages
from dashboards.views import member_page
from dashboards.views.catalogue import figure_response
from dashboards.views.spend import Reader, csv_response, reader_of, reader_or_404
from pricing.answers.index_curves import answer_kept
from usage import own_index
from usage.models import ImportBatch
from usage.questions import NOBODY, Unanswerable

OLDEST = timedelta(minutes=1)
"""So long an answer is good for the page and its two figures; after an import it is worked out anew at once."""


def _answer(reader: Reader, ask: pages.Ask) -> Mapping[str, Any]:
    """The index of what the reader may see; Unanswerable for months that mean nothing. 404 for a project of others."""
    now = timezone.now()
    since, until = own_index.span(ask.since, ask.until, now.date())
    if ask.project and not (ask.project == NOBODY and reader.whole):
        reader.project(ask.project)
    projects = None if reader.project_ids is None else tuple(sorted(reader.project_ids))
    filters = {"project": (ask.project,)} if ask.project else None
    own = ImportBatch.objects.filter(organisation=reader.organisation)
    imported = tuple(own.aggregate(last=Max("pk"), at=Max("finished_at")).values())
    key = ("own index", reader.organisation.pk, imported, projects, ask.project, ask.by, since, until)
    return answer_kept(
        key, now, now + OLDEST,
        lambda: own_index.answer(reader.organisation, since, until, projects=projects, filters=filters, by=ask.by),
    )  # fmt: skip


@require_safe
@member_page
def yours(request: HttpRequest) -> HttpResponse:
    reader, ask = reader_of(request), pages.read(request.GET.dict())
    if reader is None:
        if ask.project:
            raise Http404("No such project")
        return render(request, "dashboards/index_yours.html", {"ask": ask})
    try:
        answer = _answer(reader, ask)
    except Unanswerable as fault:
        context = {"ask": ask, "organisation": reader.organisation, "wrong": str(fault)}
        return render(request, "dashboards/index_yours.html", context, status=400)
    if request.GET.get("format") == "csv":
        return csv_response("own-index", pages.CSV_HEAD, pages.csv_rows(answer))
    page = pages.compose(ask, answer)
    names = {project.slug: project.name for project in reader.projects.values()}
    context = {
        "ask": ask, "organisation": reader.organisation, "page_of": page if page.rows else None,
        "options": pages.options(ask, names, whole=reader.whole), "by": pages.BY_WORDS[ask.by],
        "project": names.get(ask.project, "unattributed" if ask.project else "all"),
        "levels_url": ask.url("/index/yours/levels.json"), "parts_url": ask.url("/index/yours/parts.json"),
        "csv_url": ask.url(format="csv"), "link": request.build_absolute_uri(ask.url()),
        "legend": [(name, chart.STACKS[name][0]) for name in chart.used(page.rows)],
    }  # fmt: skip
    return render(request, "dashboards/index_yours.html", context)


@require_safe
@member_page
def levels(request: HttpRequest) -> HttpResponse:
    return _figure(request, chart.levels)


@require_safe
@member_page
def parts(request: HttpRequest) -> HttpResponse:
    return _figure(request, chart.parts)


def _figure(request: HttpRequest, draw: Any) -> HttpResponse:
    reader, ask = reader_or_404(request), pages.read(request.GET.dict())
    try:
        return figure_response(draw(pages.compose(ask, _answer(reader, ask))))
    except Unanswerable as fault:
        return HttpResponse(str(fault), status=400, content_type="text/plain; charset=utf-8")
