"""What a request costs, worked out a second time: from `Price` rows read by plain SQL, in exact fractions.

Written from the rules of `pricing.units`, `pricing.ratecards` and `pricing.cost`, not from their code, and sharing none
of it. The rules:

- A price counts where it is accepted by today's evidence, has no qualifier, and holds at the moment.
- The request's tier offers *levels*, each a context threshold with or without hours. A level is there where the tier
  states any price at it, and states input or output at it or below it. The request pays at the highest threshold its
  prompt reaches; at equal thresholds the one with hours goes before the one without.
- At that level a unit's price is the first of: the tier's own prices in those hours, from that threshold downwards;
  the tier's prices at all hours, downwards; then the same of the standard tier.
- A prompt beyond the shortest at which the offering itself steps later, if nobody states the start of its price, or
  else the seller's other offerings of the model step, or else the maker's, has no price where the offering itself tells
  of no step, costs something, is priced by neither its seller's word nor a person's, and, where only the maker steps,
  is of weights that are not open. A step is a price of input or output, at the standard tier and at all hours, other
  than the short prompt's; one voice beside several of the short prompt's is none, but the seller's or a person's is.
- A cache write of a stated lifetime has that lifetime's price, else the plain one. Reasoning has its own price where
  there is one, and is output where there is none. Tokens without a price make the cost unknown.
- The sum is rounded once, to 1e-12, half away from zero.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any, Protocol

from django.db import connection

PRICES = """
SELECT unit, service_tier, context_from, context_op, schedule, amount::text, per, effective_from, effective_until
FROM pricing_price
WHERE offering_id = %s AND superseded_at IS NULL AND known_until IS NULL AND qualifier = ''
AND context_mode <> 'marginal'
"""
OF_MODEL = """
SELECT p.offering_id, r.slug, m.maker, m.open_weights, p.unit, p.context_from, p.context_op, p.amount::text, p.per,
    p.currency, CASE WHEN p.trust IN ('official', 'vendor_api', 'decision') THEN 99 ELSE cardinality(p.agreeing) END,
    p.basis,
    p.effective_from, p.effective_until
FROM pricing_price p
JOIN pricing_offering o ON o.id = p.offering_id
JOIN pricing_languagemodel m ON m.id = o.model_id
JOIN pricing_provider r ON r.id = o.provider_id
WHERE o.model_id = (SELECT model_id FROM pricing_offering WHERE id = %s)
AND p.superseded_at IS NULL AND p.known_until IS NULL AND p.qualifier = '' AND p.schedule = ''
AND p.service_tier = 'standard' AND p.unit IN ('input', 'output')
"""
HOLIDAYS = "SELECT slug, utc_offset_hours, dates FROM pricing_holidaycalendar"
COUNTED = {
    "input", "output", "reasoning", "cache_read", "cache_write", "cache_write_5m", "cache_write_30m", "cache_write_1h",
    "cache_write_12h",
}  # fmt: skip


class Tokens(Protocol):
    """Disjoint counts; None counts as nothing."""

    @property
    def input(self) -> int | None: ...

    @property
    def cache_read(self) -> int | None: ...

    @property
    def cache_write(self) -> int | None: ...

    @property
    def output(self) -> int | None: ...

    @property
    def reasoning(self) -> int | None: ...

    @property
    def cache_write_by_lifetime(self) -> Mapping[str, int]: ...


@dataclass(frozen=True)
class Row:
    unit: str
    tier: str
    threshold: int
    op: str
    hours: str
    price: Fraction
    start: datetime
    end: datetime | None


class Oracle:
    """Reads each offering's prices once; make a new one after a price has changed."""

    def __init__(self) -> None:
        self._rows: dict[int, list[Row]] = {}
        self._beside: dict[int, list[tuple[Any, ...]]] = {}
        with connection.cursor() as cursor:
            cursor.execute(HOLIDAYS)
            self._holidays: dict[str, tuple[int, set[date]]] = {s: (o, set(d)) for s, o, d in cursor.fetchall()}

    def cost(self, offering_id: int, tier: str, tokens: Tokens, at: datetime) -> Fraction | None:
        """The cost in the price's currency, None where it cannot be known."""
        prompt = (tokens.input or 0) + (tokens.cache_read or 0) + (tokens.cache_write or 0)
        rows = [row for row in self._read(offering_id) if row.start <= at and (row.end is None or at < row.end)]
        own = [row for row in rows if row.tier == tier]
        levels = {
            (row.threshold, row.hours)
            for row in own
            if _reaches(prompt, row) and (row.hours == "" or self._is_hour(row.hours, at)) and _is_sold(own, row)
        }
        unsaid = self._is_unsaid(offering_id, prompt, at)
        if not levels or _says_nothing_of_long_prompts(tier, rows, prompt, unsaid=unsaid):
            return None
        threshold, hours = max(levels, key=lambda level: (level[0], level[1] != "", level[1]))
        prices = _prices(rows, tier, threshold, hours)
        total = Fraction(0)
        for unit, count in _counts(tokens, reasoning_apart="reasoning" in prices):
            price = prices.get(unit)
            if price is None and unit.startswith("cache_write_"):
                price = prices.get("cache_write")
            if count and price is None:
                return None
            total += count * (price or 0)
        return _rounded(total)

    def _read(self, offering_id: int) -> list[Row]:
        if offering_id not in self._rows:
            with connection.cursor() as cursor:
                cursor.execute(PRICES, [offering_id])
                self._rows[offering_id] = [
                    Row(unit, tier, threshold, op, hours, Fraction(amount) / per, start, end)
                    for unit, tier, threshold, op, hours, amount, per, start, end in cursor.fetchall()
                    if unit in COUNTED
                ]
        return self._rows[offering_id]

    def _is_unsaid(self, offering_id: int, prompt: int, at: datetime) -> bool:
        """Whether the same model steps elsewhere before this prompt, and of this offering nobody says."""
        if offering_id not in self._beside:
            with connection.cursor() as cursor:
                cursor.execute(OF_MODEL, [offering_id])
                self._beside[offering_id] = cursor.fetchall()

        def held_at(moment: datetime) -> list[tuple[Any, ...]]:
            rows = self._beside[offering_id]
            return [row for row in rows if row[-2] <= moment and (row[-1] is None or moment < row[-1])]

        held = held_at(at)
        own = [row for row in held if row[0] == offering_id]
        if not any(Fraction(row[7]) for row in own) or any(row[5] or row[10] == 99 for row in own):
            return False
        steps = _steps(held)
        first: set[int] = set()
        if any(row[11] == "inferred" for row in own):
            starts = {row[-2] for row in self._beside[offering_id] if row[0] == offering_id and row[-2] > at}
            for start in starts:
                first |= _steps([row for row in held_at(start) if row[0] == offering_id]).get(own[0][1], set())
        _, seller, maker, is_open, *_ = own[0]
        first = first or steps.get(seller) or (set() if is_open else steps.get(maker)) or {prompt + 1}
        return prompt >= min(first)

    def _is_hour(self, hours: str, at: datetime) -> bool:
        found = re.fullmatch(r"(daily|mon-fri) (\S+) UTC(?: except (\S+))?", hours)
        assert found, hours
        at = at.astimezone(UTC)
        if found[1] == "mon-fri" and at.isoweekday() > 5:
            return False
        if found[3] in self._holidays:
            offset, days = self._holidays[found[3]]
            if (at + timedelta(hours=offset)).date() in days:
                return False
        clock = f"{at:%H:%M:%S.%f}"
        windows = (window.split("-") for window in found[2].split(","))
        return any(a <= clock < b if a < b else clock >= a or clock < b for a, b in windows)


def cost(offering_id: int, tier: str, tokens: Tokens, at: datetime) -> Fraction | None:
    """What one request costs by the prices as they stand in the database now."""
    return Oracle().cost(offering_id, tier, tokens, at)


def _steps(held: list[tuple[Any, ...]]) -> dict[str, set[int]]:
    """Seller → the shortest prompts at which a price of its offerings changes, of what holds at one moment."""
    short = {(row[0], row[4]): (Fraction(row[7]) / row[8], row[9], row[10]) for row in held if not row[5]}
    steps: dict[str, set[int]] = {}
    for offering, seller, _, _, unit, threshold, op, amount, per, currency, voices, *_ in held:
        base = short.get((offering, unit))
        if threshold and base and base[:2] != (Fraction(amount) / per, currency) and (voices > 1 or base[2] == 1):
            steps.setdefault(seller, set()).add(threshold + (op == ">"))
    return steps


def _reaches(prompt: int, row: Row) -> bool:
    return row.threshold == 0 or prompt > row.threshold or (row.op == ">=" and prompt == row.threshold)


def _says_nothing_of_long_prompts(tier: str, rows: list[Row], prompt: int, *, unsaid: bool) -> bool:
    """Whether the prompt is priced apart at the standard tier, or maybe, and this tier has no price of long ones."""
    if tier == "standard":
        return unsaid
    own = [row for row in rows if row.tier == tier]
    if any(row.threshold and row.hours == "" and _is_sold(own, row) for row in own):
        return False
    if unsaid:
        return True
    standard = [row for row in rows if row.tier == "standard"]
    apart = (row for row in standard if row.threshold and row.hours == "" and _is_sold(standard, row))
    return any(_reaches(prompt, row) for row in apart)


def _is_sold(own: list[Row], level: Row) -> bool:
    return any(
        row.unit in ("input", "output") and row.threshold <= level.threshold and row.hours in ("", level.hours)
        for row in own
    )


def _prices(rows: list[Row], tier: str, threshold: int, hours: str) -> dict[str, Fraction]:
    """By unit, the price that stands first: written last here, so that it is what remains."""
    prices: dict[str, Fraction] = {}
    reached: dict[str, int] = {}
    for when in ("", hours):
        for row in sorted(rows, key=lambda row: row.threshold):
            if row.tier == tier and row.hours == when and row.threshold <= threshold:
                prices[row.unit], reached[row.unit] = row.price, row.threshold
    # A write of a lifetime is a multiple of the input price: of another input price it says nothing.
    longer = (unit for unit in [*prices] if unit.startswith("cache_write_") and reached[unit] < reached.get("input", 0))
    for unit in longer:
        del prices[unit]
    return prices


def _counts(tokens: Tokens, *, reasoning_apart: bool) -> list[tuple[str, int]]:
    reasoning = (tokens.reasoning or 0) if reasoning_apart else 0
    by_lifetime = dict(tokens.cache_write_by_lifetime)
    return [
        ("input", tokens.input or 0),
        ("cache_read", tokens.cache_read or 0),
        ("output", (tokens.output or 0) - reasoning),
        ("reasoning", reasoning),
        ("cache_write", (tokens.cache_write or 0) - sum(by_lifetime.values())),
        *((f"cache_write_{lifetime}", count) for lifetime, count in by_lifetime.items()),
    ]


def _rounded(exact: Fraction) -> Fraction:
    grains = exact * 10**12
    whole = grains.numerator // grains.denominator
    return Fraction(whole + (grains - whole >= Fraction(1, 2)), 10**12)
