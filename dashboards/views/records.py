"""The ledger rows behind a figure: a page, its fragment beside a number, and a CSV."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.core.paginator import Paginator
from django.db.models import F
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards.pages import records as pages
from dashboards.pages.ledger import NOBODY, records_url
from dashboards.pages.periods import Period, Unusable
from dashboards.pages.records import LIFETIMES, Behind, Filters, behind, filters_of, record_lines
from dashboards.views import member_page
from dashboards.views.overview import asked
from dashboards.views.spend import Reader, cell, reader_or_404, refused
from pricing.acceptance import grade
from pricing.models import Offering, Price, RateCard
from usage.models import Unpriced
from usage.spend_querysets import RecordQuerySet

ROWS = 50
COLUMNS = (
    "record_key", "occurred_at", "in_uncached", "in_cache_read", "in_cache_write", "out_total", "out_reasoning",
    *LIFETIMES, "list_cost", "unpriced_reason", "rate_card_id", "rate_card__currency", "rate_card__price_ids",
    "offering__model__name", "offering__model__slug", "offering__provider__name", "dimension__model_raw",
    "dimension__host", "dimension__ext_user", "dimension__ext_api_key", "dimension__path", "dimension__branch",
)  # fmt: skip
BY_MODEL = (
    "offering_id", "offering__model__name", "offering__provider__name", "dimension__model_raw", "dimension__host",
    "rate_card_id",
)  # fmt: skip


@dataclass(frozen=True)
class Question:
    """Whose rows of which days, narrowed how. `wanted`: the projects whose part is meant; None: whole records."""

    reader: Reader
    period: Period
    filters: Filters
    wanted: set[int] | None

    @property
    def url(self) -> str:
        one = self.filters
        return records_url(
            self.period.now, project=one.project, offering=one.offering, model=one.model, name=one.name, host=one.host,
            priced=one.priced, kind=one.kind, **one.dimensions,
        )  # fmt: skip

    def rows(self, wanted: Collection[int] | None = None) -> RecordQuerySet:
        of = () if self.filters.project == NOBODY else self.wanted if wanted is None else wanted
        found = self.reader.records(self.period.now, of).filter(**self.filters.conditions)
        return found.filter(cost_kind="notional") if self.filters.kind else found.spent()

    def sums(self) -> list[dict[str, Any]]:
        if self.wanted is None:
            return self.rows().cost_by(None, *BY_MODEL)
        return [row for pk in sorted(self.wanted) for row in self.rows([pk]).cost_by(pk, *BY_MODEL)]


@require_safe
@member_page
def records(request: HttpRequest) -> HttpResponse:
    """`?project=&offering=|model=|name=&host=&key=&user=&path=&branch=&priced=&from=&until=`."""
    reader = reader_or_404(request)
    try:
        question = _question(request, reader)
    except Unusable as fault:
        return refused(request, str(fault))
    found = _behind(question)
    context: dict[str, Any] = {
        "behind": found,
        "why": pages.why(found),
        "question": question,
        "currency": reader.organisation.display_currency,
        "scope": _scope(question),
        "open_url": question.url,
    }
    if request.GET.get("part") == "evidence":
        return render(request, "dashboards/records_evidence.html", context)
    wanted = question.rows().order_by("-occurred_at", "record_key")
    paginator: Paginator[Any] = Paginator(_with_names(wanted), ROWS)
    page = paginator.get_page(request.GET.get("page"))
    rows = list(page.object_list)
    context |= {
        "finding": pages.finding(found, context["currency"], question.url),
        "page_obj": page,
        "lines": record_lines(rows, reader.names, question.wanted, _prices(rows), dict(Unpriced.choices)),
        "csv": question.url.replace("/records?", "/records.csv?"),
    }
    return render(request, "dashboards/records.html", context)


@require_safe
@member_page
def table(request: HttpRequest) -> HttpResponse:
    """All rows of the question, streamed."""
    reader = reader_or_404(request)
    try:
        question = _question(request, reader)
    except Unusable as fault:
        return refused(request, str(fault))
    name = f"records-{question.period.now.start}-{question.period.now.until}.csv"
    response = StreamingHttpResponse(_csv(question), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return cast(HttpResponse, response)  # a guard hands on whatever answers


def _csv(question: Question) -> Iterator[str]:
    names = question.reader.names
    head = (
        "occurred at, UTC", "model", "seller", "project", "user", "key", "path", "branch", "input tokens",
        "cache read tokens", "cache write tokens", "output tokens", "list cost", "currency", "why no cost", "rate card",
    )  # fmt: skip
    yield _csv_line(head)
    for row in _with_names(question.rows().order_by("occurred_at", "record_key")).iterator(2000):
        line = record_lines([row], names, question.wanted, {}, dict(Unpriced.choices))[0]
        yield _csv_line(
            (
                row["occurred_at"], line.model, line.seller, line.owner, row["dimension__ext_user"],
                row["dimension__ext_api_key"], row["dimension__path"], row["dimension__branch"], *line.tokens,
                line.cost, line.currency if line.cost is not None else "", line.why_not, row["rate_card_id"],
            )
        )  # fmt: skip


def _csv_line(values: tuple[object, ...]) -> str:
    return ",".join('"' + cell(value).replace('"', '""') + '"' for value in values) + "\r\n"


def _question(request: HttpRequest, reader: Reader) -> Question:
    """404 for a project the reader may not see; Unusable for what cannot be meant."""
    query = request.GET.dict()
    filters = filters_of(query)
    if "until" in query and "period" not in query:
        query["period"] = "custom"
    period = asked(query, reader).period
    if filters.project == NOBODY:
        return Question(reader, period, filters, None)
    if filters.project:
        return Question(reader, period, filters, {reader.project(filters.project).pk})
    return Question(reader, period, filters, None if reader.project_ids is None else set(reader.project_ids))


def _scope(question: Question) -> list[str]:
    filters, said = question.filters, [question.period.now.words]
    if filters.project == NOBODY:
        said.append("Unattributed")
    elif filters.project:
        said.append(question.reader.project(filters.project).name)
    else:
        said.append("all projects" if question.reader.whole else "your projects")
    if filters.offering is not None:
        offering = Offering.objects.select_related("model", "provider").filter(pk=filters.offering).first()
        said.append(f"{offering.model.name}, {offering.provider.name}" if offering else "no such offering")
    if filters.model:
        said.append(filters.model)
    return [*said, *filters.words, f"List price, {question.reader.organisation.display_currency}", "Days in UTC"]


def _with_names(rows: RecordQuerySet) -> Any:
    return rows.values(
        *COLUMNS,
        projects=F("dimension__assignments__attribution__projects"),
        weights=F("dimension__assignments__attribution__weights"),
    )


def _behind(question: Question) -> Behind:
    groups = question.sums()
    cards = {row["rate_card_id"] for row in groups if row["rate_card_id"] is not None}
    until = min(timezone.now(), _end(question))
    return behind(
        groups, _grades(cards, until), question.reader.organisation.display_currency, question.period.now,
        question.filters,
    )  # fmt: skip


def _end(question: Question) -> datetime:
    from usage.spend_querysets import midnight

    return midnight(question.period.now.until)


def _grades(cards: set[int], asked_at: datetime) -> dict[int, str]:
    """The worst grade among the prices of each rate card, as known at the end of the period."""
    price_ids = dict(RateCard.objects.filter(pk__in=cards).values_list("pk", "price_ids"))
    every = {pk for ids in price_ids.values() for pk in ids}
    grades = {
        price.pk: grade(
            trust=price.trust, agreeing=price.agreeing, disputed=price.disputed, evidence_at=price.evidence_at,
            observed_at=price.observed_at, effective_until=price.effective_until, asked_at=asked_at,
        )
        for price in Price.objects.filter(pk__in=every)
    }  # fmt: skip
    return {card: max((grades.get(pk, "D") for pk in ids), default="D") for card, ids in price_ids.items()}


def _prices(rows: list[dict[str, Any]]) -> dict[int, Mapping[str, Any]]:
    ids = {pk for row in rows for pk in row["rate_card__price_ids"] or ()}
    wanted = ("id", "unit", "amount", "per", "currency", "offering__model__slug")
    return {
        row[0]: dict(zip(wanted, row, strict=True)) for row in Price.objects.filter(pk__in=ids).values_list(*wanted)
    }
