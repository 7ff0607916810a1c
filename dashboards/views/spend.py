"""What the pages of the ledger share: whose usage the reader may see, and reading it once for a page."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from dashboards import access
from dashboards.models import Person
from dashboards.pages import covered
from dashboards.pages.alerts import Doubt
from dashboards.pages.ledger import MOVE_COLUMNS, Move, moves
from dashboards.pages.periods import Span
from pricing.answers import review
from pricing.models import PriceEvent
from usage import record_costs, spend_segments, spending
from usage.models import Organisation, Period, Project, ProjectDailyCost
from usage.period_querysets import Days, official_spend
from usage.questions import NOBODY
from usage.spend_querysets import SpendQuerySet, midnight

WEEKS = 26
AHEAD = timedelta(days=120)
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Reader:
    """Whose usage is shown. `project_ids` None: the whole organisation, unattributed included."""

    organisation: Organisation
    projects: Mapping[int, Project]
    project_ids: frozenset[int] | None

    @property
    def whole(self) -> bool:
        return self.project_ids is None

    @property
    def names(self) -> dict[int, tuple[str, str]]:
        return {pk: (project.name, project.slug) for pk, project in self.projects.items()}

    def project(self, slug: str) -> Project:
        """A project the reader may see, else 404: a stranger does not learn that it exists."""
        found = next((one for one in self.projects.values() if one.slug == slug), None)
        if found is None:
            raise Http404("No such project")
        return found

    def spend(self, *columns: str) -> SpendQuerySet:
        """The official figures of what the reader may see, by some columns."""
        return official_spend(self.organisation.pk, self.project_ids, self._closed, *columns)

    def segments(self, spend: SpendQuerySet, cuts: Sequence[date], *keys: str, **more: Any) -> list[dict[str, Any]]:
        """`in_segments` of what is read, in the currency of the organisation."""
        return spend_segments.in_currency(spend, self.organisation, cuts, *keys, **more)

    @cached_property
    def _closed(self) -> list[Days]:
        return Period.objects.spans(self.organisation.pk)

    def days_of_usage(self) -> tuple[date | None, date | None]:
        """The first and the last day with usage, official or pending."""
        return SpendQuerySet(ProjectDailyCost).seen(self.organisation.pk, self.project_ids).span_of_days()

    def pending(self, span: Span, project: Project | None = None) -> list[dict[str, Any]]:
        """What is pending in the closed months of a span, by month: of a project, or of all the reader may see."""
        ids = self.project_ids if project is None else {project.pk}
        return spending.pending_months(self.organisation, span.start, span.until, ids, by_project=True)

    def known(self, span: Span, project: Project | None = None) -> str:
        """How much is known of the money of a span, in a line: of a project, or of all the reader may see."""
        ids = self.project_ids if project is None else {project.pk}
        found = spending.coverage(self.organisation, span.start, span.until, projects=ids)
        return covered.line(covered.parts(found, whole=ids is None))

    def spent_by(self, span: Span, *keys: str, project: Project | None = None) -> list[dict[str, Any]]:
        """What was spent by what only the ledger's rows know, in the currency of the organisation: of a project, or of
        what no project has."""
        ids = self.project_ids if project is None else {project.pk}

        def asked(*by: str) -> list[dict[str, Any]]:
            return record_costs.spent_by(
                self.organisation.pk, span.start, span.until, by, projects=None if ids is None else sorted(ids),
                filters={} if project else {"project": (NOBODY,)},
            )  # fmt: skip

        rows, amounts = asked(*keys), {"currency": ("spent",)}
        if not spend_segments.is_foreign(rows, self.organisation.display_currency, amounts):
            return rows
        summed = ("spent", "tokens", "paid", "told")
        return spend_segments.at_home(asked(*keys, "day"), self.organisation, amounts, summed, "key_day")


def reader_of(request: HttpRequest) -> Reader | None:
    """The reader's organisation and what of it they may see; None where they belong to none."""
    organisation = access.current_organisation(request)
    if organisation is None or not isinstance(request.user, Person):
        return None
    return reader_for(request.user, organisation)


def reader_for(person: Person, organisation: Organisation) -> Reader:
    """What a person may see of an organisation, on a page or in a mail."""
    whole = access.may(person, "viewer", organisation)
    seen = access.projects_seen(person, organisation) if not whole else organisation.projects.all()
    projects = {project.pk: project for project in seen.order_by("name")}
    return Reader(organisation, projects, None if whole else frozenset(projects))


def reader_or_404(request: HttpRequest) -> Reader:
    reader = reader_of(request)
    if reader is None:
        raise Http404("No organisation")
    return reader


def today() -> date:
    """The UTC day, as the ledger's days are."""
    return timezone.now().date()


def price_moves(offering_ids: Iterable[int], since: date, until: date) -> list[Move]:
    """Changes of the plain list prices of these offerings that take effect in [since, until)."""
    events = PriceEvent.objects.plain_moves().filter(
        offering_id__in=list(offering_ids), effective_from__gte=midnight(since), effective_from__lt=midnight(until)
    )
    return moves(events.values(*MOVE_COLUMNS))


def doubts(offering_ids: Iterable[int]) -> list[Doubt]:
    """Open or held disagreements nobody has decided about the plain price of these offerings that is in force now."""
    now = timezone.now()
    held_now = Q(accepted__effective_from=None) | Q(accepted__effective_from__lte=now)
    holds_now = Q(accepted__effective_until=None) | Q(accepted__effective_until__gt=now)
    found = (
        review.waiting()
        .filter(
            held_now & holds_now,
            offering_id__in=list(offering_ids),
            accepted__isnull=False,
            claim__service_tier="standard",
            claim__context_from=0,
            claim__schedule="",
            claim__qualifier="",
            claim__currency="USD",
            accepted__currency="USD",
        )
        .select_related("accepted", "claim__source", "offering__model")
        .order_by("-opened_at", "id")
    )
    return [
        Doubt(
            offering_id=one.offering_id,
            unit=one.claim.unit,
            accepted=one.accepted.amount / one.accepted.per,
            claimed=one.claim.amount / one.claim.per,
            source=one.claim.source.name,
            since=one.claim.first_seen_at,
            model_slug=one.offering.model.slug,
        )
        for one in found
        if one.accepted is not None
    ]


def refused(request: HttpRequest, sentence: str, status: int = 400) -> HttpResponse:
    """The page of a question that cannot be answered, with what to write instead."""
    return render(request, "dashboards/overview_refused.html", {"sentence": sentence}, status=status)


# CSV


def cell(value: object) -> str:
    """A value as a CSV cell that no spreadsheet takes for a formula; None is empty."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat()
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) and not isinstance(value, int | float) else text


def csv_response(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> HttpResponse:
    """A table as a CSV download: full precision, units in the head."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([cell(value) for value in row] for row in rows)
    response = HttpResponse(buffer.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
