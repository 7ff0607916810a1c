"""Recommendations with what their past says: since when they would have paid, and what waiting has cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from pricing.answers.candidates import Offered
from pricing.cost import Tokens, summed
from pricing.models import Offering
from pricing.ratecards import STANDARD
from usage.advice import Recommendation, Side
from usage.costs import Scope
from usage.exchange import Rates, days_of
from usage.models import Organisation, Project
from usage.querysets import NOTIONAL
from usage.recommending.offers import in_the_past
from usage.recommending.waiting import LONGEST, Week, cheaper_since, last_moved, waited
from usage.substitution import factors as counting
from usage.substitution.offers import Candidate
from usage.summing import is_foreign
from usage.token_log import Use

Line = tuple[int, str]
"""Offering and service tier."""


def line(one: Use | Side) -> Line:
    """What a use and the current side of a move are known by."""
    return (one.offering_id, one.service_tier)


def with_histories(
    organisation: Organisation,
    project: Project,
    offered: Mapping[int, Offered],
    uses: Mapping[Line, Use],
    moves: Sequence[Recommendation],
    when: tuple[date, datetime | None],
) -> tuple[list[Recommendation], date | None]:
    """The moves with `since` and `waited`, and the day on which the project last moved by itself.

    `when` is the day that is asked for and from which moment's evidence, None for all there is. A move that pays at
    most, and not surely, has no past.
    """
    on, known_at = when
    weeks = weeks_of(organisation, project, on)
    sure = [one for one in moves if one.saving.low > 0]
    asked = {side.offering_id for one in sure for side in (one.current, one.candidate)}
    days = (on - LONGEST, on + timedelta(days=1))
    past = in_the_past(organisation, {pk: offered[pk] for pk in asked}, days, known_at) if asked else {}
    told = [_with_history(one, uses[line(one.current)], past, weeks, on) if one in sure else one for one in moves]
    return told, last_moved(weeks)


def _with_history(
    move: Recommendation, use: Use, past: Mapping[int, Candidate], weeks: Sequence[Week], on: date
) -> Recommendation:
    current, candidate = (
        past[side.offering_id].at(side.service_tier, side.effort) for side in (move.current, move.candidate)
    )
    scale = counting.scale(move.factors)
    since = cheaper_since(use, current, candidate, scale, on)
    if since is None:
        return move
    return replace(move, since=since, waited=waited(use, weeks, current, candidate, scale, since))


def weeks_of(organisation: Organisation, project: Project, on: date) -> list[Week]:
    """What a project used by week, offering and tier in the two years up to a day, from the rollups. Two queries."""
    first = on - LONGEST
    scope = Scope(organisation, first - timedelta(days=first.weekday()), on, (project.pk,))
    rows = [row | {"key_day": row["key_week"]} for row in scope.rows("week", "offering", "service_tier")]
    rows = [row for row in rows if row["cost_kind"] != NOTIONAL and row["key_offering"] is not None]
    rates = Rates(organisation, is_foreign(rows, organisation.display_currency), days_of(rows))
    sold = Offering.objects.filter(pk__in={row["key_offering"] for row in rows})
    models = dict(sold.values_list("pk", "model__slug"))
    found: dict[tuple[date, int, str], Week] = {}
    for row in rows:
        tier, offering = row["key_service_tier"] or STANDARD, row["key_offering"]
        known = row["sum_spent_records"] or row["sum_spent"]
        spent = rates.converted(row["sum_spent"], row["spent_currency"], row["key_day"]) if known else None
        week = Week(row["key_week"], offering, tier, models[offering], _tokens(row), spent)
        at = (week.monday, offering, tier)
        found[at] = _joined(found[at], week) if at in found else week
    return sorted(found.values(), key=lambda one: (one.monday, one.offering_id, one.service_tier))


def _tokens(row: Mapping[str, int]) -> Tokens:
    return Tokens(
        row["sum_in_uncached"], row["sum_in_cache_read"], row["sum_in_cache_write"], row["sum_out_total"],
        min(row["sum_out_reasoning"], row["sum_out_total"]),
    )  # fmt: skip


def _joined(one: Week, other: Week) -> Week:
    """The same week from another feed or at another kind of cost."""
    known = [spent for spent in (one.spent, other.spent) if spent is not None]
    return replace(one, tokens=summed([one.tokens, other.tokens]), spent=sum(known[1:], known[0]) if known else None)
