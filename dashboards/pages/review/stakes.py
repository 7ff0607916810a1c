"""How much money hangs on a doubt: the reader's usage of the offering and unit, times the difference of the amounts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from dashboards import formatting
from pricing.answers.review import Key, Size
from pricing.units import is_token_unit

DAYS = 30
"""Stakes are of the last so many UTC days."""
_STANDARD = "standard"
_COLUMNS = {"input": "in_uncached", "cache_read": "in_cache_read", "output": "out_total"}

Used = Mapping[tuple[int, str], Mapping[str, int]]
"""(offering, service tier) → tokens of each disjoint kind."""
InUsd = Callable[[Decimal, str], Decimal | None]
"""An amount of a currency in USD; None where no rate is known."""


@dataclass(frozen=True, slots=True)
class Stake:
    """Money that hangs on a doubt, in USD, at most; None with tokens above 0 is unknown, not nothing."""

    usd: Decimal | None
    tokens: int
    in_use: bool
    why_unknown: str = ""

    @property
    def said(self) -> str:
        """As a row of the queue says it."""
        if not self.in_use:
            return "Not in your usage"
        if self.usd is None:
            return f"In your usage; {self.why_unknown}"
        if not self.tokens:
            return f"No tokens of it in {DAYS} days"
        return f"Up to {formatting.money(self.usd)} in {DAYS} days"

    @property
    def weight(self) -> tuple[bool, Decimal]:
        """Orders stakes, the largest last: what is not in use, what is unknown, then by money."""
        return (self.in_use, self.usd if self.usd is not None else Decimal(0))


def used(rows: Iterable[Mapping[str, Any]]) -> Used:
    """Rollup rows by offering and tier; an unreported tier is the standard one. Notional usage costs nothing."""
    found: dict[tuple[int, str], dict[str, int]] = {}
    for row in rows:
        if row["offering_id"] is None or row["cost_kind"] == "notional":
            continue
        kinds = found.setdefault((row["offering_id"], row["service_tier"] or _STANDARD), {})
        for kind in ("in_uncached", "in_cache_read", "in_cache_write", "out_total"):
            kinds[kind] = kinds.get(kind, 0) + int(row[kind])
    return found


def stake(size: Size, usage: Used, in_usd: InUsd) -> Stake:
    """At most: tokens of a prompt length, an hour, a qualifier or a cache lifetime are not counted apart."""
    in_use = any(offering == size.offering_id for offering, _ in usage)
    if not in_use:
        return Stake(Decimal(0), 0, False)
    column = _column(size.key)
    if column is None:
        return Stake(None, 0, True, f"{size.key.unit.replace('_', ' ')} is not counted apart")
    tokens = usage.get((size.offering_id, size.key.service_tier), {}).get(column, 0)
    if not tokens:
        return Stake(Decimal(0), 0, True)
    if size.served is None:
        return Stake(None, tokens, True, "nothing serves instead")
    served, said = in_usd(size.served, size.served_currency), in_usd(size.said, size.currency)
    if served is None or said is None:
        unknown = size.served_currency if served is None else size.currency
        return Stake(None, tokens, True, f"no rate known for {unknown}")
    return Stake(abs(said - served) * tokens, tokens, True)


def together(stakes: Iterable[tuple[Size, Stake]]) -> Decimal:
    """What hangs on several doubts, in USD, at most: tokens cost one price, so of the doubts about the same tokens (two
    sources' words on one price, or the prices of two prompt lengths) the largest counts."""
    largest: dict[tuple[int, str, str | None], Decimal] = {}
    for size, one in stakes:
        about = (size.offering_id, size.key.service_tier, _column(size.key))
        largest[about] = max(largest.get(about, Decimal(0)), one.usd or Decimal(0))
    return sum(largest.values(), Decimal(0))


def _column(key: Key) -> str | None:
    if key.unit.startswith("cache_write") and is_token_unit(key.unit):
        return "in_cache_write"
    return _COLUMNS.get(key.unit)
