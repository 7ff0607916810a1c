"""The ledger rows behind a figure: a page, its fragment beside a number, and a CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, cast

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards.pages import records as pages
from dashboards.pages.explore import MEASURE_WORDS
from dashboards.pages.ledger import NOBODY
from dashboards.pages.periods import Period, Unusable
from dashboards.pages.records import LIFETIMES, Behind, Filters, behind, filters_of, record_lines, rows_url
from dashboards.views import member_page
from dashboards.views.overview import asked
from dashboards.views.spend import Reader, cell, reader_or_404, refused
from pricing.acceptance import grade_of
from pricing.models import Offering, Price, RateCard
from usage import record_costs, spend_segments
from usage.models import Unpriced, UsageRecord
from usage.questions import MONEY
from usage.spend_querysets import midnight

ROWS = 50
COLUMNS = (
    "id", "record_key", "occurred_at", "in_uncached", "in_cache_read", "in_cache_write", "out_total", "out_reasoning",
    *LIFETIMES, "unpriced_reason", "contract_card_id", "rate_card_id", "rate_card__currency", "rate_card__price_ids",
    "offering__model__name", "offering__model__slug", "offering__provider__name", "dimension__model_raw",
    "dimension__host", "dimension__ext_user", "dimension__ext_api_key", "dimension__path", "dimension__branch",
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
        return rows_url(self.period.now, self.filters.query)

    def asked(self, since: date | None = None, until: date | None = None) -> record_costs.Behind:
        """What is asked of the ledger, of the period or of some of its days."""
        return record_costs.Behind(
            self.reader.organisation.pk,
            since or self.period.now.start,
            until or self.period.now.until,
            None if self.wanted is None else sorted(self.wanted),
            self.filters.asked,
            self.filters.measure,
        )


class Rows:
    """The rows of a question as a paginator reads them."""

    def __init__(self, question: Question, n: int) -> None:
        self._question, self._n = question, n

    def count(self) -> int:
        return self._n

    def __getitem__(self, place: slice) -> list[dict[str, Any]]:
        start = place.start or 0
        return _in_full(self._question, self._question.asked().page(start, place.stop - start))


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
        "why": pages.why(found, question.filters.measure),
        "measure": question.filters.measure,
        "measure_words": MEASURE_WORDS[question.filters.measure],
        "is_money": question.filters.measure in MONEY,
        "question": question,
        "currency": reader.organisation.display_currency,
        "scope": _scope(question),
        "open_url": question.url,
    }
    if request.GET.get("part") == "evidence":
        return render(request, "dashboards/records_evidence.html", context)
    paginator: Paginator[Any] = Paginator(cast(Any, Rows(question, found.n + found.elsewhere)), ROWS)
    page = paginator.get_page(request.GET.get("page"))
    rows = list(page.object_list)
    context |= {
        "finding": pages.finding(found, question.filters.measure, context["currency"], question.url),
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
    names, measure = question.reader.names, question.filters.measure
    head = (
        "occurred at, UTC", "model", "seller", "project", "user", "key", "path", "branch", "input tokens",
        "cache read tokens", "cache write tokens", "output tokens", MEASURE_WORDS[measure].lower(), "currency",
        "why no cost", "rate card",
    )  # fmt: skip
    yield _csv_line(head)
    day = question.period.now.start
    while day < question.period.now.until:
        for row in _in_full(question, question.asked(day, day + timedelta(days=1)).every()):
            line = record_lines([row], names, question.wanted, {}, dict(Unpriced.choices))[0]
            yield _csv_line(
                (
                    row["occurred_at"], line.model, line.seller, line.owner, row["dimension__ext_user"],
                    row["dimension__ext_api_key"], row["dimension__path"], row["dimension__branch"], *line.tokens,
                    line.cost, line.currency if line.cost is not None and measure in MONEY else "",
                    line.why_not if line.cost is None else "", row["rate_card_id"],
                )
            )  # fmt: skip
        day += timedelta(days=1)


def _csv_line(values: tuple[object, ...]) -> str:
    return ",".join('"' + cell(value).replace('"', '""') + '"' for value in values) + "\r\n"


def _question(request: HttpRequest, reader: Reader) -> Question:
    """404 for a project the reader may not see; Unusable for what cannot be meant."""
    query = request.GET.dict()
    filters = filters_of(query)
    if "until" in query and "period" not in query:
        query["period"] = "custom"
    period = asked(query, reader).period
    if filters.project not in ("", NOBODY):
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
    words = MEASURE_WORDS[filters.measure]
    unit = f", {question.reader.organisation.display_currency}" if filters.measure in MONEY else ""
    return [*said, *filters.words, f"{words}{unit}", "Days in UTC"]


def _in_full(question: Question, counted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What counts of each row, with all else the ledger says of it, in their order."""
    if not counted:
        return []
    times = [one["at"] for one in counted]
    known = UsageRecord.objects.filter(
        organisation_id=question.reader.organisation.pk,
        occurred_at__gte=min(times),
        occurred_at__lte=max(times),
        id__in=[one["id"] for one in counted],
    )
    rows = {row["id"]: row for row in known.values(*COLUMNS)}
    is_contract = question.filters.measure in ("spent", "contracted")
    return [
        rows[one["id"]] | one | {"is_contracted": is_contract and rows[one["id"]]["contract_card_id"] is not None}
        for one in counted
        if one["id"] in rows
    ]


def _behind(question: Question) -> Behind:
    groups, is_converted = _by_model(question)
    cards = {row["key_rate_card"] for row in groups if row["key_rate_card"] is not None}
    used = {row["key_offering"] for row in groups if row["key_offering"] is not None}
    named = Offering.objects.filter(pk__in=used).values_list("pk", "model__name", "provider__name")
    until = min(timezone.now(), _end(question))
    found = behind(
        groups, {pk: (model, seller) for pk, model, seller in named}, _grades(cards, until),
        question.reader.organisation.display_currency, question.period.now, question.filters,
    )  # fmt: skip
    return replace(found, is_converted=is_converted)


def _by_model(question: Question) -> tuple[list[dict[str, Any]], bool]:
    """Money in the currency of the organisation, at the rate of its day; and whether any is of another one."""
    rows, organisation = question.asked().by_model(), question.reader.organisation
    amounts = {"currency": ("value", "reported")}
    foreign = spend_segments.is_foreign(rows, organisation.display_currency, amounts)
    if question.filters.measure not in MONEY or not foreign:
        return rows, False
    summed = ("n", "unknown", "value", "reported", "tokens")
    return spend_segments.at_home(question.asked().by_model("day"), organisation, amounts, summed, "key_day"), True


def _end(question: Question) -> datetime:
    return midnight(question.period.now.until)


def _grades(cards: set[int], asked_at: datetime) -> dict[int, str]:
    """The worst grade among the prices of each rate card, as known at the end of the period."""
    price_ids = dict(RateCard.objects.filter(pk__in=cards).values_list("pk", "price_ids"))
    every = {pk for ids in price_ids.values() for pk in ids}
    grades = {
        price.pk: grade_of(price, asked_at)
        for price in Price.objects.filter(pk__in=every)
    }  # fmt: skip
    return {card: max((grades.get(pk, "D") for pk in ids), default="D") for card, ids in price_ids.items()}


def _prices(rows: list[dict[str, Any]]) -> dict[int, Mapping[str, Any]]:
    ids = {pk for row in rows for pk in row["rate_card__price_ids"] or ()}
    wanted = ("id", "unit", "amount", "per", "currency", "offering__model__slug")
    return {
        row[0]: dict(zip(wanted, row, strict=True)) for row in Price.objects.filter(pk__in=ids).values_list(*wanted)
    }
