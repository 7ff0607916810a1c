"""What was spent, by anything: exact sums, each with what is missing from it.

List and contracted cost leave notional usage out and show it apart. A figure of which nothing is known is None,
never 0. Other currencies enter at the rate of their day; without one they stay out and are listed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from usage import late_rates
from usage.costs import Filters, Scope, columns_of, narrowed
from usage.coverage import of_total
from usage.exchange import Rates, days_of
from usage.models import Organisation, Period
from usage.period_querysets import smallest
from usage.questions import GROUPS, MONEY, NOBODY, TIMES, TOKENS, Question, tokens_of
from usage.summing import Part, Sums, is_foreign, part_of, summed

Span = tuple[date, date]
Groups = dict[tuple[Any, ...], Sums]


def report(
    organisation: Organisation,
    since: date | None = None,
    until: date | None = None,
    group_by: Sequence[str] = (),
    *,
    projects: Iterable[int] | None = None,
    grades: bool = True,
    filters: Filters | None = None,
    measure: str = "",
    before: Span | None = None,
    grain: str = "",
    prices_at: date | None = None,
) -> dict[str, Any]:
    """The `spend` answer of design section 7 for [since, until), of some projects or of all there is.

    With a `measure` every group and the total carry its `value` and are ordered by it; with `before`, the days to
    compare with, also its `before`. Groups sum to the total, exactly. A `grain` adds `series`, the groups over time.
    With `prices_at` list cost is that of the ledger's usage at the list prices of that day.
    """
    whose = None if projects is None else tuple(projects)
    scope = Scope(organisation, since, until, whose, filters or {}, prices_at)
    total, groups, series, unconverted = _sums(scope, group_by, grain)
    then_total, then_groups = Sums(), Groups()
    if before is not None:
        then_total, then_groups, *_ = _sums(replace(scope, since=before[0], until=before[1]), group_by)

    def measured(now: Sums, then: Sums) -> dict[str, Any]:
        found = {"value": value(now, measure)} if measure else {}
        return found | ({"before": value(then, measure)} if measure and before is not None else {})

    names = _names(group_by)
    every = {key: groups.get(key, Sums()) for key in [*groups, *then_groups]}
    return {
        "organisation": organisation.slug,
        "from": since and since.isoformat(),
        "until": until and until.isoformat(),
        "currency": organisation.display_currency,
        "prices_at": prices_at and prices_at.isoformat(),
        "total": total.money() | total.usage() | measured(total, then_total),
        "coverage": _coverage(scope, total, unconverted, grades=grades and prices_at is None)
        | {
            "pending": pending_months(
                organisation, since, until, whose, by_project="project" in group_by, filters=scope.filters
            )
        },
        "groups": [
            _group(names, key, sums) | measured(sums, then_groups.get(key, Sums()))
            for key, sums in _ordered(every, names, measure)
            if sums.is_something or key in then_groups
        ]
        if group_by
        else [],
    } | ({"series": _series(series, _with_grain(group_by, grain), measure)} if grain else {})


def _group(names: Sequence[str], key: tuple[Any, ...], sums: Sums) -> dict[str, Any]:
    found = dict(zip(names, key, strict=True))
    found.update(sums.figures())
    return found


def _series(series: Groups, keys: Sequence[str], measure: str) -> list[dict[str, Any]]:
    """The groups over time."""
    names, found = _names(keys), []
    for key, sums in _ordered(series, names, measure):
        if sums.is_something:
            group = _group(names, key, sums)
            if measure:
                group["value"] = value(sums, measure)
            found.append(group)
    return found


def _with_grain(group_by: Sequence[str], grain: str) -> tuple[str, ...]:
    return (*(name for name in group_by if name != grain), grain)


def answered(
    organisation: Organisation, question: Question, *, projects: Iterable[int] | None, grades: bool = True
) -> dict[str, Any]:
    """The report that a question asks for."""
    return report(
        organisation,
        question.since,
        question.until,
        question.group_by,
        projects=projects,
        grades=grades,
        filters=question.filters,
        measure=question.measure,
        before=question.before,
        grain=question.grain,
        prices_at=question.prices_at,
    )


def value(sums: Sums, measure: str) -> str | int | None:
    """One measure of `questions.MEASURES`: money as text, counts as numbers, None where unknown."""
    found = _number(sums, measure)
    return f"{found:f}" if isinstance(found, Decimal) else found


def _number(sums: Sums, measure: str) -> Decimal | int | None:
    if measure in MONEY:
        return sums.amount(measure)
    if measure == "tokens":
        return tokens_of(sums.usage())
    return sums.usage()[measure]


def _sums(
    scope: Scope, group_by: Sequence[str], grain: str = ""
) -> tuple[Sums, Groups, Groups, defaultdict[str, Decimal]]:
    """The total, the groups, the groups over time where a grain is asked for, and what could not be converted."""
    display = scope.organisation.display_currency
    finest = _with_grain(group_by, grain) if grain else tuple(group_by)
    rows = scope.rows(*finest)
    foreign = is_foreign(rows, display)
    if foreign and "day" not in finest:
        rows = scope.rows(*finest, "day")  # an amount of money is converted at the rate of its day
    rates = Rates(scope.organisation, foreign, days_of(rows))
    unconverted = defaultdict[str, Decimal](Decimal)
    finest_groups = _summed((_key(row, finest), part_of(row, rates, unconverted)) for row in rows)
    groups = _gathered(finest_groups, _names(finest), _names(group_by)) if grain else finest_groups
    total = _gathered(groups, _names(group_by), ()).get((), Sums())
    return total, groups, finest_groups if grain else Groups(), unconverted


def _gathered(groups: Groups, names: Sequence[str], wanted: Sequence[str]) -> Groups:
    """The same by some of their names: an answer by model and week has thousands of rows, and each is added once."""
    places = [names.index(name) for name in wanted]
    return _summed((tuple([key[place] for place in places]), sums.part) for key, sums in groups.items())


def _summed(parts: Iterable[tuple[tuple[Any, ...], Part]]) -> Groups:
    together: dict[tuple[Any, ...], list[Part]] = {}
    for key, part in parts:
        together.setdefault(key, []).append(part)
    return {key: Sums.of(each) for key, each in together.items()}


def _names(group_by: Sequence[str]) -> list[str]:
    return [name for key in group_by for name in (("model", "model_raw") if key == "model" else (key,))]


def _key(row: dict[str, Any], group_by: Sequence[str]) -> tuple[Any, ...]:
    found: list[Any] = []
    for key in group_by:
        if key == "model":
            found += [row["key_model"], row["key_model_raw"] or None]
        elif key == "provider":
            found.append(row["key_provider"] or row["key_host"] or None)
        elif key == "cost_kind":
            found.append(row["cost_kind"])
        elif key == "month":
            found.append(row["key_month"].strftime("%Y-%m"))
        else:
            one = row[f"key_{key}"]
            found.append(one.isoformat() if isinstance(one, date) else one)
    return tuple(found)


def _ordered(groups: Groups, names: Sequence[str], measure: str) -> list[tuple[tuple[Any, ...], Sums]]:
    """By time where there is one, then the most of the measure first, which else is money at list prices."""
    times = [place for place, name in enumerate(names) if name in TIMES]

    def order(item: tuple[tuple[Any, ...], Sums]) -> tuple[Any, ...]:
        key, sums = item
        most = (_number(sums, measure) or 0) if measure else sums.list_cost + sums.notional_cost
        return [key[place] for place in times], -most, [str(one or "") for one in key]

    return sorted(groups.items(), key=order)


def coverage(
    organisation: Organisation,
    since: date | None,
    until: date | None,
    *,
    projects: Iterable[int] | None = None,
    filters: Filters | None = None,
) -> dict[str, Any]:
    """The coverage of a total for pages that show it without asking for a report."""
    scope = Scope(organisation, since, until, None if projects is None else tuple(projects), filters or {})
    total, _, _, unconverted = _sums(scope, ())
    return _coverage(scope, total, unconverted, grades=True)


def _coverage(scope: Scope, total: Sums, unconverted: dict[str, Decimal], *, grades: bool) -> dict[str, Any]:
    lost, of = Sums(), scope.filters.get("project")
    if scope.projects is None and (of is None or NOBODY in of):
        lost = _sums(scope.narrower(project=[NOBODY]), ())[0]
    return of_total(scope, total, lost, unconverted, grades=grades)


def pending_months(
    organisation: Organisation,
    since: date | None,
    until: date | None,
    projects: Iterable[int] | None = None,
    *,
    by_project: bool,
    filters: Filters | None = None,
) -> list[dict[str, Any]]:
    """What the ledger holds of closed months beyond the figures of this answer: money by month, and on how many days.

    Of a project's answer also what went from or to it. `usage.pending` says why.
    """
    closed = Period.objects.of(organisation).touching(since, until).are_overtaken()
    if not closed:
        return []
    whole = not by_project and projects is None and "project" not in (filters or {})
    keys = ("day",) if whole else ("day", "project")
    whose = None if projects is None else list(projects)

    def of(view: str) -> Any:
        found = smallest(columns_of([*keys, *(filters or {})]), view).objects.of(organisation, since, until)
        return narrowed(found if whose is None else found.filter(project__in=whose), filters or {})

    months: dict[date, list[dict[str, Any]]] = defaultdict(list)
    for row in of("Pending").moved_by(*keys):
        months[row["key_day"].replace(day=1)].append(row)
    overtaken = [month for month, is_overtaken in closed.items() if is_overtaken]
    late = late_rates.by_month(organisation, overtaken, lambda: of("").sums_by("day"))
    found = []
    for month in sorted({*months, *late}):
        days, sums = {row["key_day"] for row in months[month]}, summed(organisation, months[month])
        if month in late:
            days |= late[month].days
            sums.add(late[month].sums.part)
        found.append({"month": f"{month:%Y-%m}", "days": len(days)} | sums.money())
    return found


__all__ = ["GROUPS", "TOKENS", "Sums", "answered", "coverage", "pending_months", "report", "summed", "value"]
