"""Projects by another feed's tokens: what a rule with `by_tokens_of` comes to on each day, from the ledger.

The weights of a day are that day's tokens of the other feed by project, by rules that name projects themselves, so no
rule can depend on itself. A day without such tokens is unattributed; tokens that nobody has leave their part to nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, timedelta

from django.db import connection

from usage.attribution import Outcome, Span, TokensOf, split
from usage.feeds import weights

Shares = tuple[tuple[int | None, object], ...]


def expanded(organisation_id: int, wanted: Mapping[int, list[Span]]) -> dict[int, list[Span]]:
    """Spans by dimension with every `by_tokens_of` replaced by the shares of each day that has records."""
    asking = {dimension for dimension, spans in wanted.items() if any(span.outcome.by_tokens_of for span in spans)}
    if not asking:
        return dict(wanted)
    days = _days(organisation_id, asking)
    sources = {one.outcome.by_tokens_of for dimension in asking for one in wanted[dimension]} - {None}
    every = sorted({day for found in days.values() for day in found})
    known = {source: _outcomes(organisation_id, source, every) for source in sources if source is not None}
    return {
        dimension: [part for span in spans for part in _by_day(span, days.get(dimension, []), known)]
        if dimension in asking
        else spans
        for dimension, spans in wanted.items()
    }


def _by_day(
    span: Span, days: Collection[date], known: Mapping[TokensOf, Mapping[date, tuple[tuple[int | None, object], ...]]]
) -> list[Span]:
    """One span in parts: a part for each day that has shares, unattributed between them."""
    source = span.outcome.by_tokens_of
    if source is None:
        return [span]
    nobody = replace(span.outcome, by_tokens_of=None)
    found: list[Span] = []
    start = span.valid_from
    for day in days:
        shares = known[source].get(day)
        if not shares or not span.valid_from <= day < span.valid_until:
            continue
        if start < day:
            found.append(Span(start, day, nobody))
        start = day + timedelta(days=1)
        found.append(Span(day, start, Outcome(nobody.rule_id, nobody.rule_version, shares)))  # type: ignore[arg-type]
    if start < span.valid_until:
        found.append(Span(start, span.valid_until, nobody))
    return found


def _outcomes(organisation_id: int, source: TokensOf, days: list[date]) -> dict[date, Shares]:
    """The shares of each day on which the source has tokens that somebody has."""
    tokens: dict[date, dict[int | None, int]] = defaultdict(lambda: defaultdict(int))
    with connection.cursor() as cursor:
        importer, number = source
        cursor.execute(
            _TOKENS, {"organisation": organisation_id, "importer": importer, "connection": number, "days": days}
        )
        for day, projects, parts, amount in cursor.fetchall():
            owners = projects or [None]
            for project, part in zip(owners, split(int(amount), parts) if projects else [int(amount)], strict=True):
                tokens[day][project] += part
    return {
        day: weights(shares, sum(shares.values()))
        for day, shares in tokens.items()
        if any(amount > 0 for project, amount in shares.items() if project is not None)
    }


def _days(organisation_id: int, dimension_ids: Collection[int]) -> dict[int, list[date]]:
    """The UTC days on which each dimension has records, ascending."""
    found: dict[int, list[date]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT dimension_id, (occurred_at AT TIME ZONE 'UTC')::date FROM usage_usagerecord"
            " WHERE organisation_id = %s AND dimension_id = ANY(%s) ORDER BY 1, 2",
            [organisation_id, list(dimension_ids)],
        )
        for dimension, day in cursor.fetchall():
            found[dimension].append(day)
    return found


_DAY = "(r.occurred_at AT TIME ZONE 'UTC')::date"
_TOKENS = f"""
    SELECT {_DAY}, t.projects, t.weights, sum(coalesce(r.in_uncached, 0) + coalesce(r.in_cache_read, 0)
        + coalesce(r.in_cache_write, 0) + coalesce(r.out_total, 0))
    FROM usage_usagerecord r JOIN usage_connection n ON n.id = r.connection_id
    JOIN usage_assignment a ON a.dimension_id = r.dimension_id AND {_DAY} >= a.valid_from AND {_DAY} < a.valid_until
    JOIN usage_attribution t ON t.id = a.attribution_id
    LEFT JOIN usage_attributionrule u ON u.id = t.rule_id
    WHERE r.organisation_id = %(organisation)s AND (n.importer = %(importer)s OR n.id = %(connection)s)
        AND {_DAY} = ANY(%(days)s) AND (u.id IS NULL OR jsonb_typeof(u.outcome) = 'array')
    GROUP BY 1, t.id, t.projects, t.weights
"""
