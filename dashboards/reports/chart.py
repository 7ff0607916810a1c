"""The picture of a report as data: thirteen weeks of spend, the largest projects in bands. Pure."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from dashboards import formatting
from dashboards.pages.ledger import NOBODY, ZERO
from dashboards.pages.periods import Span
from dashboards.reports.read import Read
from dashboards.reports.report import WEEKS, Band, Chart

BANDS = 5
"""Projects with a band of their own; with more, the smallest are one."""


def weeks_of(read: Read) -> tuple[date, ...]:
    return tuple(read.scope.week.start - timedelta(days=7 * n) for n in reversed(range(WEEKS)))


def chart(read: Read) -> Chart | None:
    """None where fewer than two of the weeks have money: one bar says nothing that the figure does not."""
    weeks = weeks_of(read)
    spent = {(start, slug): amount for start, slug, amount in read.by_week}
    slugs = {slug for _, slug in spent}
    rows = {slug: tuple(spent.get((week, slug), ZERO) for week in weeks) for slug in slugs}
    totals = [sum((values[n] for values in rows.values()), ZERO) for n in range(len(weeks))]
    if sum(total > 0 for total in totals) < 2:
        return None
    bands = _bands(read, rows)
    span = Span(weeks[0], read.scope.week.until)
    title = f"Spend per week by project, {read.scope.currency}"
    url = read.scope.spend_url(span, grain="week", compare="none")
    return Chart(title, weeks, tuple(bands), _spoken(read, weeks, totals, bands), url)


def _bands(read: Read, rows: dict[str, tuple[Decimal, ...]]) -> list[Band]:
    """The largest of the last week at the base; unattributed on top and grey."""
    named = sorted(
        (slug for slug in rows if slug != NOBODY), key=lambda slug: (-rows[slug][-1], -sum(rows[slug]), slug)
    )
    own = named if len(named) <= BANDS else named[: BANDS - 1]
    found = [Band(read.project_names.get(slug, slug), slug, n, rows[slug]) for n, slug in enumerate(own, 1)]
    if smaller := named[len(own) :]:
        summed = tuple(sum(values, ZERO) for values in zip(*(rows[slug] for slug in smaller), strict=True))
        found.append(Band(f"{len(smaller)} smaller", f"{len(smaller)} smaller", BANDS, summed))
    if NOBODY in rows and any(rows[NOBODY]):
        found.append(Band("Unattributed", NOBODY, "none", rows[NOBODY]))
    return found


def _spoken(read: Read, weeks: tuple[date, ...], totals: list[Decimal], bands: list[Band]) -> str:
    """The picture in words and numbers, for who does not see it."""
    first = next(n for n, total in enumerate(totals) if total)
    currency = read.scope.currency
    said = (
        f"Spend per week by project, {len(weeks) - first} weeks: "
        f"{formatting.money_in_prose(totals[first], currency)} in the week of {formatting.day(weeks[first])}, "
        f"{formatting.money_in_prose(totals[-1], currency)} in the last."
    )
    if not totals[-1]:
        return said
    parts = [f"{band.name} {formatting.share(band.values[-1], totals[-1])}" for band in bands if band.values[-1]]
    return f"{said} Of the last: {', '.join(parts)}."
