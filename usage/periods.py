"""The only writer of closed months. Nothing that writes the ledger knows of them: what comes late is pending.

Closing, restating and undoing hold the organisation's lock, so the ledger stands still under them. Closing takes all
that the ledger has of a month into the official record; a restatement takes what has become pending since.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Sum
from django.db.models.functions import Now
from django.utils import timezone

from pricing.catalog import rates
from usage import rollups, spending
from usage.ingest import OPEN
from usage.locks import lock_organisation
from usage.models import (
    ImportBatch,
    OfficialCost,
    OfficialModelCost,
    OfficialOfferingCost,
    OfficialProjectCost,
    Organisation,
    Period,
    Restatement,
)

Cell = tuple[date, int]
"""A day of one connection: the smallest part of what is pending that a restatement can take."""

_EARLIEST = date(2015, 1, 1)


class PeriodFault(ValueError):
    """A month cannot be closed, restated or put back: one sentence that says what to do."""


def month_of(text: str) -> date:
    """The first day of a month written `2026-10`; PeriodFault for anything else."""
    try:
        if len(text) != len("2026-10"):
            raise ValueError
        month = date.fromisoformat(f"{text}-01")
    except ValueError:
        raise PeriodFault(f"“{text[:20]}” is no month: write it like 2026-10.") from None
    if not _EARLIEST <= month <= date(2100, 12, 1):
        raise PeriodFault(f"{month.year} is out of reach: choose a month between 2015 and 2100.")
    return month


def after(month: date) -> date:
    """The first day of the next month."""
    return (month + timedelta(days=31)).replace(day=1)


def obstacle(organisation: Organisation, month: date) -> str:
    """Why a month cannot be closed now, in a sentence; '' if it can."""
    if Period.objects.filter(organisation=organisation, month=month).exists():
        return f"{month:%B %Y} is closed already: what came later enters it by a restatement."
    until = after(month)
    now = timezone.now()
    if datetime(month.year, month.month, 1, tzinfo=UTC) > now:
        return f"{month:%B %Y} has not begun: close it when it is over, from {until.day} {until:%B %Y} UTC on."
    if datetime(until.year, until.month, 1, tzinfo=UTC) > now:
        return f"{month:%B %Y} is still running: close it when it is over, from {until.day} {until:%B %Y} UTC on."
    running = ImportBatch.objects.filter(organisation=organisation, status__in=OPEN).count()
    if running:
        imports = "An import is" if running == 1 else f"{running} imports are"
        return f"{imports} still being read and may bring usage of {month:%B %Y}: close it when they are done."
    return ""


def close(organisation: Organisation, month: date, by: str) -> Period:
    """Make what the ledger has of a month its official figures. PeriodFault says why it cannot be closed."""
    with transaction.atomic():
        lock_organisation(organisation.pk)
        rates.stand_still()
        if fault := obstacle(organisation, month):
            raise PeriodFault(fault)
        answer = spending.report(organisation, month, after(month))
        figures = {"currency": answer["currency"], "total": answer["total"], "coverage": answer["coverage"]}
        period = Period.objects.create(
            organisation=organisation, month=month, closed_at=timezone.now(), closed_by=by, figures=figures
        )
        period.sums = _take(period, None, None)
        period.save(update_fields=["sums"])
    return period


def restate(
    organisation: Organisation,
    month: date,
    reason: str,
    by: str,
    cells: Collection[Cell] | None = None,
    *,
    later_rates: bool | None = None,
) -> Restatement:
    """Take what is pending in a closed month into its official figures: all of it, or some cells.

    `later_rates`: whether also the rates of exchange that came since; by default, where all is taken.
    """
    reason = _stated(reason, "Say why the month is restated: the reason stays beside the figures.")
    with transaction.atomic():
        lock_organisation(organisation.pk)
        period = Period.objects.filter(organisation=organisation, month=month).first()
        if period is None:
            raise PeriodFault(f"{month:%B %Y} is open: its figures follow the ledger and need no restatement.")
        before = _total(period)
        restatement = Restatement.objects.create(
            period=period, reason=reason, made_at=timezone.now(), made_by=by, before=before, after=before
        )
        restatement.sums = _take(period, restatement, cells)
        if cells is None if later_rates is None else later_rates:
            _take_rates(period, restatement)
        restatement.after = _total(period)
        taken = OfficialCost.objects.filter(restatement=restatement).exists()
        if not taken and restatement.after == restatement.before:
            raise PeriodFault(f"Nothing is pending in {month:%B %Y}: the official figures are the ledger's.")
        restatement.save(update_fields=["sums", "after", "rates_before"])
    return restatement


def undo(restatement: Restatement, reason: str, by: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Take a restatement's rows out of the official figures, which are answered as they were and are now.

    What it took in is pending again.
    """
    reason = _stated(reason, "Say why the restatement is undone: the reason stays on record.")
    with transaction.atomic():
        lock_organisation(restatement.period.organisation_id)
        restatement.refresh_from_db()
        if restatement.undone_at is not None:
            raise PeriodFault("This restatement is undone already.")
        if later := _built_upon(restatement):
            raise PeriodFault(
                f"The restatement “{later.reason[:80]}” was made later and moves the same days: undo that one first."
            )
        before = _total(restatement.period)
        for rows in (OfficialCost, OfficialModelCost, OfficialProjectCost, OfficialOfferingCost):
            rows._default_manager.filter(restatement=restatement).update(undone=True)
        if restatement.rates_before is not None:
            Period.objects.filter(pk=restatement.period_id).update(rates_at=restatement.rates_before)
        restatement.undone_at, restatement.undone_by, restatement.undo_reason = timezone.now(), by, reason
        restatement.save(update_fields=["undone_at", "undone_by", "undo_reason"])
        return before, _total(restatement.period)


def _take_rates(period: Period, restatement: Restatement) -> None:
    """Have the month stand on the rates of now, if any came since those it stands on."""
    rates.stand_still()
    if Period.objects.filter(pk=period.pk).overtaken().exists():
        restatement.rates_before = period.rates_at
        Period.objects.filter(pk=period.pk).update(rates_at=Now())


def _built_upon(restatement: Restatement) -> Restatement | None:
    """The latest standing restatement that starts from figures which this one made."""
    mine = OfficialCost.objects.filter(restatement=restatement)
    for later in restatement.period.restatements.standing().filter(pk__gt=restatement.pk).order_by("-pk"):
        theirs = OfficialCost.objects.filter(restatement=later)
        if set(mine.values_list("day", "connection_id")) & set(theirs.values_list("day", "connection_id")):
            return later
        if restatement.rates_before is not None and later.rates_before is not None:
            return later
    return None


def _stated(reason: str, missing: str) -> str:
    reason = " ".join(reason.split())
    if not reason:
        raise PeriodFault(missing)
    if len(reason) > 1000:
        raise PeriodFault("A reason has at most 1,000 characters: shorten it.")
    return reason


def _total(period: Period) -> dict[str, Any]:
    """The official total, and in which currency it is: the organisation may show another one some day."""
    answer = spending.report(period.organisation, period.month, after(period.month), grades=False)
    return {**answer["total"], "currency": answer["currency"]}


def _take(period: Period, restatement: Restatement | None, cells: Collection[Cell] | None) -> dict[str, str]:
    """Write what is pending into the official record; measure → its sum.

    The rows of the smaller rollups are summed from those by project and model, so that they can never disagree.
    """
    taken = """usage_officialcost WHERE period_id = %(period)s
        AND restatement_id IS NOT DISTINCT FROM %(restatement)s::bigint"""
    summed = ", ".join(f"sum({name}) AS {name}" for name in rollups.MEASURES)
    something = " OR ".join(f"sum({name}) <> 0" for name in rollups.MEASURES)
    chosen = (
        ""
        if cells is None
        else "AND (day, connection_id) IN (SELECT * FROM unnest(%(days)s::date[], %(connections)s::bigint[]))"
    )
    asked: dict[str, Any] = {
        "organisation": period.organisation_id,
        "from": period.month,
        "until": after(period.month),
        "period": period.pk,
        "restatement": restatement and restatement.pk,
        "days": [day for day, _ in cells or ()],
        "connections": [connection_id for _, connection_id in cells or ()],
    }
    with connection.cursor() as cursor:
        for table, source, key in (
            (
                "usage_officialcost",
                f"""usage_pendingdailycost WHERE organisation_id = %(organisation)s
                AND day >= %(from)s AND day < %(until)s AND NOT undone {chosen}""",
                rollups.PROJECT_KEY,
            ),
            ("usage_officialmodelcost", taken, rollups.KEY),
            ("usage_officialprojectcost", taken, rollups.OWNER_KEY),
            ("usage_officialofferingcost", taken, rollups.OFFERING_KEY),
        ):
            columns = ", ".join(key)
            cursor.execute(
                f"""INSERT INTO {table} ({columns}, {", ".join(rollups.MEASURES)}, period_id, restatement_id, undone)
                SELECT {columns}, {summed}, %(period)s, %(restatement)s::bigint, false FROM {source}
                GROUP BY {columns} HAVING {something}""",
                asked,
            )
    return sums_of(period, restatement)


def sums_of(period: Period, restatement: Restatement | None) -> dict[str, str]:
    """measure → its exact sum over the official rows of a closing (None) or of a restatement."""
    rows = OfficialCost.objects.filter(period=period, restatement=restatement)
    found = rows.aggregate(**{f"sum_{name}": Sum(name) for name in rollups.MEASURES})
    return {name: f"{found[f'sum_{name}'] or 0:f}" for name in rollups.MEASURES}
