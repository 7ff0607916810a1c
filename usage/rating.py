"""Usage × price → cost, set-based: one range join from records to the current rate cards, one rounding a record.

`usage.bands` turns the cards of some offerings into boxes (time × prompt tokens × schedule) of which exactly one
holds a record; `rated` joins rows to them. The Python twin is `pricing.cost`. Unknown is not zero: any count whose
price is unknown leaves the whole record unpriced, with the reason. Contracted prices stand beside the list's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from pricing import ratecards
from pricing.models import HolidayCalendar, RateCard
from pricing.schedules import ALWAYS, Calendar, occurrences
from pricing.units import RATED_UNITS
from usage import contract_cards
from usage.bands import BEGINNING, Band, CardKey, bands

CONTEXT_TIER_UNKNOWN, PRICE_CHANGED_INSIDE = 1, 2
LONGEST_BUCKET = timedelta(days=31)
PRICED_APART = "priced_apart"
"""The quality of tokens that no rate card prices, such as audio: their price is unknown, and never that of text."""

_TABLES = f"""
CREATE TEMP TABLE IF NOT EXISTS usage_band (
    offering_id bigint, service_tier text, starts timestamptz, ends timestamptz,
    context_min bigint, context_until bigint, plain boolean, schedule text, beaten_by text[], tiered boolean,
    card_id bigint, card_until timestamptz, list_currency text, {", ".join(f"{unit} numeric" for unit in RATED_UNITS)},
    contract_card_id bigint, {", ".join(f"contracted_{unit} numeric" for unit in RATED_UNITS)}
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS usage_hours (schedule text, starts timestamptz, ends timestamptz) ON COMMIT DELETE ROWS;
CREATE INDEX IF NOT EXISTS usage_hours_start ON pg_temp.usage_hours (schedule, starts);
TRUNCATE usage_band, usage_hours;
"""


_LAID = ("offering_id", "service_tier", "starts", "ends", "context_min", "context_until", "plain", "schedule",
         "beaten_by", "tiered", "card_id", "card_until")  # fmt: skip
_LIST = ("list_currency", *RATED_UNITS)
_COLUMNS = ", ".join((*_LAID, *_LIST))
_CONTRACT_COLUMNS = ", ".join((_COLUMNS, "contract_card_id", *(f"contracted_{unit}" for unit in RATED_UNITS)))


def lay_out(
    offering_ids: Collection[int],
    first: datetime,
    last: datetime,
    organisation_id: int | None = None,
    at: datetime | None = None,
) -> bool:
    """Put the current cards of these offerings for [first, last] where `rated` finds them (this transaction).

    With an organisation its contracts stand beside them; whether any does is the answer, and what `rated` must be told.
    With `at` the cards of that moment hold over all of [first, last].
    """
    ratecards.ensure(offering_ids)
    cards, prices = _cards(offering_ids, first, last, at)
    terms = contract_cards.terms_of(organisation_id, offering_ids, first, last) if organisation_id else {}
    # Past the last start, for the windows inside a bucket that begins there.
    hours = list(_hours({card.schedule for card in cards} - {ALWAYS}, first, last + LONGEST_BUCKET))
    laid = bands(cards)
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        if terms and organisation_id:
            # Before the COPY: cards are interned on the same connection.
            rows = list(contract_cards.beside(organisation_id, laid, prices, terms))
            copied = ((*_laid(band), *_listed(band, prices), *more) for band, more in rows)
            columns = _CONTRACT_COLUMNS
        else:
            copied, columns = ((*_laid(band), *_listed(band, prices)) for band in laid), _COLUMNS
        with cursor.copy(f"COPY usage_band ({columns}) FROM STDIN") as copy:
            for row in copied:
                copy.write_row(row)
        if hours:
            with cursor.copy("COPY usage_hours FROM STDIN") as copy:
                for row in hours:
                    copy.write_row(row)
        cursor.execute("ANALYZE usage_band")
    return bool(terms)


def _cards(
    offering_ids: Collection[int], first: datetime, last: datetime, at: datetime | None
) -> tuple[list[CardKey], dict[int, tuple[Any, ...]]]:
    """The cards for [first, last], or those of `at` without beginning and end; and their currency and prices by id."""
    fields = ("id", "offering_id", "service_tier", "context_from", "context_op", "schedule")
    rows = (
        RateCard.objects.current()
        .filter(offering__in=list(offering_ids), contract="", effective_from__lte=at or last)
        .exclude(effective_until__lte=at or first)
        .values_list(*fields, "effective_from", "effective_until", "currency", *RATED_UNITS)
    )
    cards: list[CardKey] = []
    prices: dict[int, tuple[Any, ...]] = {}
    for row in rows:
        cards.append(CardKey(*(row[:8] if at is None else (*row[:6], BEGINNING, None))))
        prices[row[0]] = row[8:]
    return cards, prices


def _laid(band: Band) -> tuple[Any, ...]:
    card = band.card
    plain = card.schedule == ALWAYS and not band.beaten_by
    return (
        card.offering_id, card.service_tier, band.starts, band.ends, band.context_min, band.context_until,
        plain, card.schedule, list(band.beaten_by), band.tiered, card.id or None, card.effective_until,
    )  # fmt: skip


def _listed(band: Band, prices: Mapping[int, tuple[Any, ...]]) -> tuple[Any, ...]:
    return prices.get(band.card.id) or (None,) * len(_LIST)


def _hours(schedules: Collection[str], first: datetime, last: datetime) -> Iterator[tuple[str, datetime, datetime]]:
    if not schedules:
        return
    calendars = {
        calendar.slug: Calendar(calendar.utc_offset_hours, frozenset(calendar.dates))
        for calendar in HolidayCalendar.objects.all()
    }
    for schedule in schedules:
        for starts, ends in occurrences(schedule, first.date(), last.date(), calendars):
            yield schedule, starts, ends


def _cost(count: str, price: str) -> str:
    """A known zero costs nothing whether or not its price is known."""
    return f"CASE WHEN coalesce({count}, 0) = 0 THEN 0 ELSE {count} * {price} END"


_LIFETIMES = ("5m", "30m", "1h", "12h")


def _sum(of: str) -> str:
    """The cost of a row `s` at the prices `{of}input`, `{of}output` and so on."""
    apart = f"CASE WHEN {of}reasoning IS NULL THEN 0 ELSE coalesce(s.out_reasoning, 0) END"
    stated = " + ".join(
        f"CASE WHEN s.cache_write_{lifetime} = 0 THEN 0"
        f" ELSE s.cache_write_{lifetime} * coalesce({of}cache_write_{lifetime}, {of}cache_write) END"
        for lifetime in _LIFETIMES
    )
    unstated = "(s.in_cache_write - s.cache_write_5m - s.cache_write_30m - s.cache_write_1h - s.cache_write_12h)"
    return f"""round(
    {_cost("s.in_uncached", f"{of}input")}
    + {_cost("s.in_cache_read", f"{of}cache_read")}
    + CASE WHEN coalesce(s.in_cache_write, 0) = 0 THEN 0 ELSE
        {stated} + {_cost(unstated, f"{of}cache_write")} END
    + {_cost(f"(s.out_total - {apart})", f"{of}output")}
    + CASE WHEN coalesce(s.out_reasoning, 0) = 0 OR {of}reasoning IS NULL THEN 0
        ELSE s.out_reasoning * {of}reasoning END, 12)"""


_COST, _CONTRACTED = _sum("b."), _sum("b.contracted_")

_HOURS_HOLD = """
    SELECT FROM usage_hours h WHERE h.schedule {which} AND h.starts <= s.occurred_at AND s.occurred_at < h.ends"""


_HOURS_CHANGE = """
    SELECT FROM usage_hours h WHERE h.schedule = ANY(b.beaten_by || b.schedule)
        AND ((h.starts > s.occurred_at AND h.starts < s.period_end)
            OR (h.ends > s.occurred_at AND h.ends < s.period_end))"""


_BY_CONTRACT = (
    "x.contract_id IS NOT NULL AND x.contracted IS NOT NULL AND (x.reason IS NULL OR x.reason IN ('card', 'tier'))"
)
_NO_CONTRACT = "NULL::numeric AS contracted_cost, NULL::bigint AS contract_card_id"


def rated(rows: str, *, contracted: bool = False) -> str:
    """SELECT of `rows` (a relation with the ledger's token columns, `quality` and `offering_id`) plus `rate_card_id`,
    `list_cost`, `unpriced_reason`, `rating_flags`, `contracted_cost` and `contract_card_id`; the last two are NULL
    without `contracted`, which is what `lay_out` found. 500,000 to 800,000 rows/s on one core."""
    also = f", b.contract_card_id AS contract_id, {_CONTRACTED} AS contracted" if contracted else ""
    by_contract = (
        f"CASE WHEN {_BY_CONTRACT} THEN x.contracted END AS contracted_cost,"
        f" CASE WHEN {_BY_CONTRACT} THEN x.contract_id END AS contract_card_id"
        if contracted
        else _NO_CONTRACT
    )
    return f"""
    SELECT x.*, CASE WHEN x.cost IS NOT NULL AND x.reason IS NULL THEN x.cost END AS list_cost,
        CASE WHEN x.cost IS NOT NULL AND x.reason IS NULL THEN x.card_id END AS rate_card_id,
        {by_contract},
        CASE WHEN x.reason IS NOT NULL THEN x.reason WHEN x.cost IS NULL THEN 'price' END AS unpriced_reason
    FROM (
        SELECT s.*, b.card_id, {_COST} AS cost{also},
            CASE WHEN s.offering_id IS NULL THEN 'model'
                WHEN s.in_uncached IS NULL AND s.out_total IS NULL THEN 'tokens'
                WHEN '{PRICED_APART}' = ANY(s.quality) THEN 'price'
                WHEN b.card_id IS NULL THEN CASE WHEN s.service_tier IN ('', 'standard') THEN 'card' ELSE 'tier' END
            END AS reason,
            (CASE WHEN b.tiered AND s.context_tokens IS NULL AND s.grain NOT IN ('request', 'delta')
                THEN {CONTEXT_TIER_UNKNOWN} ELSE 0 END
            + CASE WHEN b.card_until < s.period_end
                OR (NOT b.plain AND s.period_end IS NOT NULL AND EXISTS ({_HOURS_CHANGE}))
                THEN {PRICE_CHANGED_INSIDE} ELSE 0 END)::smallint AS rating_flags
        FROM {rows} s LEFT JOIN usage_band b ON b.offering_id = s.offering_id
            AND b.service_tier = CASE s.service_tier WHEN '' THEN 'standard' ELSE s.service_tier END
            AND b.starts <= s.occurred_at AND s.occurred_at < b.ends
            AND CASE WHEN NOT b.tiered THEN true ELSE
                coalesce(s.context_tokens, CASE WHEN s.grain IN ('request', 'delta') THEN coalesce(s.in_uncached, 0)
                    + coalesce(s.in_cache_read, 0) + coalesce(s.in_cache_write, 0) ELSE 0 END)
                BETWEEN b.context_min AND b.context_until - 1 END
            AND CASE WHEN b.plain THEN true ELSE
                (b.schedule = '' OR EXISTS ({_HOURS_HOLD.format(which="= b.schedule")}))
                AND NOT EXISTS ({_HOURS_HOLD.format(which="= ANY(b.beaten_by)")}) END
    OFFSET 0) x"""  # without OFFSET 0 the planner computes the cost anew for each column that mentions it
