"""How good each source is, worked out from what it said and what was held true. Every figure has its rule here.

A *line* is what a price is a price of: offering, unit, qualifier, service tier, context tier and schedule. A claim is
*in force* when its source still makes it and it holds at the moment asked for. Two amounts *agree* when they differ by
at most `AGREES_WITHIN`, in the same currency, whatever they are counted per. A figure nobody can tell is None, never 0.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from pricing.acceptance import AGREES_WITHIN
from pricing.models import SourceRun
from pricing.sources import Source, all_sources

GOOD = (SourceRun.Status.CHANGED, SourceRun.Status.UNCHANGED)
YEAR = timedelta(days=365)
HEAD_START = timedelta(days=31)
"""How long before a move takes effect a claim may state it and still mean this move."""


@dataclass(frozen=True, slots=True)
class Run:
    """The outcome of one reading."""

    pk: int
    status: str
    observed_at: datetime
    started_at: datetime
    finished_at: datetime | None
    version: str
    error: str
    counts: dict[str, int]
    unplaced: dict[str, int]


@dataclass(frozen=True, slots=True)
class Share:
    """Some of a whole; of nothing it is unknown."""

    part: int = 0
    whole: int = 0

    @property
    def ratio(self) -> Decimal | None:
        return Decimal(self.part) / self.whole if self.whole else None


@dataclass(frozen=True, slots=True)
class Standing:
    """One source: what its module declares, how lately it was read, and how it compares.

    `covers` of all accepted prices in force, those whose line it has a claim in force for.
    `agrees` of its claims in force on lines whose accepted price rests on somebody else too, those that agree with it.
    `first` of the moves (cuts and rises) of the last year that it and another source state, those whose evidence it
    had first.
    `wrong` of all claims it ever made, those that turned out wrong (`wrong_by` says how many by which sign): what a
    correction or unit fix replaced, what the registry of known errors names, what it took back after contradicting
    the accepted price, what contradicts an official page, what a person rejected. A claim counts once.
    """

    slug: str
    source: Source
    last_run: Run | None = None
    last_good: datetime | None = None
    offerings: int = 0
    providers: int = 0
    lines: int = 0
    covers: Share = Share()
    agrees: Share = Share()
    first: Share = Share()
    wrong: Share = Share()
    wrong_by: dict[str, int] = field(default_factory=dict)

    @property
    def was_read(self) -> bool:
        return self.last_good is not None

    def is_late(self, now: datetime) -> bool:
        """Whether it was last read longer ago than twice its cadence; never read is not late."""
        return self.last_good is not None and now - self.last_good > 2 * timedelta(hours=self.source.CADENCE_HOURS)

    @property
    def knows_wrong(self) -> bool:
        """Whether anything could have shown a claim of it wrong: something to compare with, or something shown."""
        return self.wrong.whole > 0 and (self.agrees.whole > 0 or self.wrong.part > 0)


def standings(now: datetime) -> list[Standing]:
    """Every source there is a module of, also those never read, in the order of their slugs. Six queries."""
    runs, good = _last_runs()
    held, total = _coverage(now)
    agrees, first, wrong = _agreement(now), _first(now), _wrong()
    made = []
    for slug, source in all_sources().items():
        offerings, providers, lines, ever, stated = held.get(slug, (0, 0, 0, 0, 0))
        by = wrong.get(slug, {})
        made.append(
            Standing(
                slug, source, runs.get(slug), good.get(slug), offerings, providers, lines,
                Share(stated, total if slug in held else 0), agrees.get(slug, Share()), first.get(slug, Share()),
                Share(by.get("", 0), ever), {sign: n for sign, n in by.items() if sign},
            )
        )  # fmt: skip
    return made


def _rows(sql: str, values: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or {})
        return list(cursor.fetchall())


def _last_runs() -> tuple[dict[str, Run], dict[str, datetime]]:
    """The run that was started last, and the newest moment a good run observed."""
    columns = ("pk", "status", "observed_at", "started_at", "finished_at", "version", "error", "counts", "unplaced")
    latest = SourceRun.objects.order_by("source", "-started_at", "-pk").distinct("source")
    runs = {slug: Run(*rest) for slug, *rest in latest.values_list("source__slug", *columns)}
    good = SourceRun.objects.filter(status__in=GOOD).order_by("source", "-observed_at").distinct("source")
    return runs, dict(good.values_list("source__slug", "observed_at"))


_LINE = ("offering_id", "unit", "qualifier", "service_tier", "context_from", "schedule")
_SAME_LINE = " AND ".join(f"c.{column} = p.{column}" for column in _LINE)
_IN_FORCE = """c.withdrawn_at IS NULL AND (c.effective_from IS NULL OR c.effective_from <= %(now)s)
    AND (c.effective_until IS NULL OR c.effective_until > %(now)s)"""
_HELD_TRUE = """p.superseded_at IS NULL AND p.known_until IS NULL AND p.effective_from <= %(now)s
    AND (p.effective_until IS NULL OR p.effective_until > %(now)s)"""


def _agree(one: str, other: str) -> str:
    """SQL: whether two amounts per one agree."""
    return f"abs({one} - {other}) <= {AGREES_WITHIN} * greatest({one}, {other})"


def _coverage(now: datetime) -> tuple[dict[str, tuple[int, int, int, int, int]], int]:
    """By source: offerings, providers and lines of its claims in force, claims ever made, accepted lines it states;
    and how many accepted lines there are."""
    line = ", ".join(f"c.{column}" for column in _LINE)
    rows = _rows(
        f"""
        WITH held AS (SELECT DISTINCT {", ".join(_LINE)} FROM pricing_price p WHERE {_HELD_TRUE}),
        made AS (SELECT source_id, count(*) AS n FROM pricing_claim GROUP BY source_id),
        said AS (
            SELECT DISTINCT c.source_id, {line} FROM pricing_claim c WHERE {_IN_FORCE}
        )
        SELECT s.slug, count(DISTINCT c.offering_id), count(DISTINCT o.provider_id), count(c.offering_id),
            coalesce(max(made.n), 0), count(p.offering_id), (SELECT count(*) FROM held)
        FROM pricing_pricesource s
        JOIN made ON made.source_id = s.id
        LEFT JOIN said c ON c.source_id = s.id
        LEFT JOIN pricing_offering o ON o.id = c.offering_id
        LEFT JOIN held p ON {_SAME_LINE}
        GROUP BY s.slug
        """,
        {"now": now},
    )
    return {slug: tuple(numbers) for slug, *numbers, _ in rows}, rows[0][-1] if rows else 0


def _agreement(now: datetime) -> dict[str, Share]:
    """By source, over lines whose accepted price is another's or which another says too."""
    rows = _rows(
        f"""
        SELECT s.slug, count(*) FILTER (WHERE {_agree("c.amount / c.per", "p.amount / p.per")}), count(*)
        FROM pricing_claim c
        JOIN pricing_pricesource s ON s.id = c.source_id
        JOIN pricing_price p ON {_SAME_LINE} AND p.currency = c.currency AND {_HELD_TRUE}
        WHERE {_IN_FORCE} AND (p.source_id <> c.source_id OR cardinality(array_remove(p.agreeing, s.slug)) > 0)
        GROUP BY s.slug
        """,
        {"now": now},
    )
    return {slug: Share(part, whole) for slug, part, whole in rows}


def _first(now: datetime) -> dict[str, Share]:
    """By source, over the moves of the last year that at least two sources state; of a tie both were first."""
    rows = _rows(
        f"""
        WITH moves AS (
            SELECT * FROM pricing_priceevent
            WHERE superseded_at IS NULL AND status = 'accepted' AND kind IN ('cut', 'rise')
                AND effective_from > %(since)s AND effective_from <= %(now)s
        ),
        shown AS (
            SELECT p.id, c.source_id, min(c.evidence_at) AS shown_at
            FROM moves p JOIN pricing_claim c ON {_SAME_LINE} AND c.currency = p.currency
                AND {_agree("c.amount / c.per", "p.new / p.per")}
                AND coalesce(c.effective_from, c.evidence_at) >= p.effective_from - %(head_start)s
            GROUP BY p.id, c.source_id
        ),
        ranked AS (
            SELECT source_id, shown_at = min(shown_at) OVER (PARTITION BY id) AS is_first,
                count(*) OVER (PARTITION BY id) AS sources
            FROM shown
        )
        SELECT s.slug, count(*) FILTER (WHERE is_first), count(*)
        FROM ranked JOIN pricing_pricesource s ON s.id = ranked.source_id
        WHERE sources > 1
        GROUP BY s.slug
        """,
        {"now": now, "since": now - YEAR, "head_start": HEAD_START},
    )
    return {slug: Share(part, whole) for slug, part, whole in rows}


WRONG_BY = {
    "corrected": "corrected later", "known_error": "known errors", "taken_back": "taken back",
    "official": "against an official page", "rejected": "rejected by a person",
}  # fmt: skip
"""What shows a claim wrong, in words."""


def _wrong() -> dict[str, dict[str, int]]:
    """By source: claims shown wrong, by what showed it; '' counts each claim once."""
    rows = _rows(
        f"""
        WITH signs AS (
            SELECT c.claim_id, 'corrected' AS sign
            FROM pricing_price c JOIN pricing_priceevent p ON {_SAME_LINE}
                AND c.effective_from = p.effective_from AND c.known_until = p.observed_at
            WHERE p.superseded_at IS NULL AND c.superseded_at IS NULL AND p.status = 'accepted'
                AND p.kind IN ('correction', 'unit_fix')
            UNION
            SELECT d.claim_id, CASE WHEN d.state = 'known_error' THEN 'known_error'
                WHEN d.state = 'resolved' THEN 'taken_back' ELSE 'official' END
            FROM pricing_disagreement d
            JOIN pricing_claim c ON c.id = d.claim_id
            JOIN pricing_pricesource own ON own.id = c.source_id
            LEFT JOIN pricing_claim a ON a.id = d.accepted_id
            LEFT JOIN pricing_pricesource winner ON winner.id = a.source_id
            WHERE d.state = 'known_error'
                OR (d.state = 'resolved' AND c.withdrawn_at IS NOT NULL AND a.withdrawn_at IS NULL)
                OR (d.state IN ('open', 'held') AND winner.trust = 'official' AND own.trust <> 'official')
            UNION
            SELECT claim_id, 'rejected' FROM pricing_decision WHERE verdict = 'reject' AND revoked_at IS NULL
        )
        SELECT s.slug, coalesce(signs.sign, ''), count(DISTINCT signs.claim_id)
        FROM signs JOIN pricing_claim c ON c.id = signs.claim_id JOIN pricing_pricesource s ON s.id = c.source_id
        GROUP BY GROUPING SETS ((s.slug, signs.sign), (s.slug))
        """
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for slug, sign, count in rows:
        found[slug][sign] = count
    return found


@dataclass(frozen=True, slots=True)
class Difference:
    """A claim in force that contradicts the accepted price of its line; amounts are per `per` of each."""

    price_id: int
    model: str
    model_slug: str
    provider: str
    sku: str
    region: str
    unit: str
    qualifier: str
    service_tier: str
    context_from: int
    schedule: str
    claimed: Decimal
    claimed_per: int
    accepted: Decimal
    accepted_per: int
    currency: str
    winner: str
    winner_name: str
    state: str
    relative: Decimal


def differences(slug: str, now: datetime, *, skip: int = 0, most: int | None = None) -> tuple[list[Difference], int]:
    """What a source says otherwise than the accepted price of another, the furthest first; and how many there are.

    `relative` is the distance as a share of the dearer of the two. `state` is that of the disagreement where one is
    recorded ('' where the claim is merely outvoted).
    """
    rows = _rows(
        f"""
        SELECT p.id, m.name, m.slug, pr.name, o.sku, o.region, c.unit, c.qualifier, c.service_tier, c.context_from,
            c.schedule, c.amount, c.per, p.amount, p.per, p.currency, w.slug, w.name, coalesce(d.state, ''),
            abs(c.amount / c.per - p.amount / p.per) / greatest(c.amount / c.per, p.amount / p.per) AS relative,
            count(*) OVER ()
        FROM pricing_claim c
        JOIN pricing_pricesource s ON s.id = c.source_id AND s.slug = %(slug)s
        JOIN pricing_price p ON {_SAME_LINE} AND p.currency = c.currency AND {_HELD_TRUE}
        JOIN pricing_pricesource w ON w.id = p.source_id
        JOIN pricing_offering o ON o.id = c.offering_id
        JOIN pricing_languagemodel m ON m.id = o.model_id
        JOIN pricing_provider pr ON pr.id = o.provider_id
        LEFT JOIN pricing_disagreement d ON d.claim_id = c.id AND d.state <> 'resolved'
        WHERE {_IN_FORCE} AND NOT {_agree("c.amount / c.per", "p.amount / p.per")}
            AND (p.source_id <> c.source_id OR cardinality(array_remove(p.agreeing, s.slug)) > 0)
        ORDER BY relative DESC, pr.name, o.sku, c.unit, c.id
        OFFSET %(skip)s LIMIT %(most)s
        """,
        {"now": now, "slug": slug, "skip": skip, "most": most},
    )
    return [Difference(*row[:-1]) for row in rows], rows[0][-1] if rows else 0
