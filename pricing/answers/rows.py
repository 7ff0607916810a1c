"""Prices and sellers as the answers read them: one query each, plain values, written as JSON by one function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from pricing import schedules
from pricing.acceptance import grade_of
from pricing.answers.rates import Rates
from pricing.answers.wording import decimal_text, moment_text, per_mtok
from pricing.matching import bedrock
from pricing.models import HolidayCalendar, Offering, Price
from pricing.querysets import PriceQuerySet
from pricing.sources import AGGREGATOR, CURATED
from pricing.units import RATED_UNITS, is_token_unit

_UNIT_ORDER = {unit: place for place, unit in enumerate(RATED_UNITS)}
_COLUMNS = (
    "id", "offering_id", "unit", "qualifier", "service_tier", "schedule", "context_from", "context_op", "context_mode",
    "amount", "per", "currency", "effective_from", "effective_until", "precision", "evidence_at", "observed_at",
    "seen_at", "recorded_at", "known_from", "known_until", "basis", "trust", "agreeing", "disputed", "why",
    "source__slug", "source__url", "claim_id", "claim__url", "claim__note",
)  # fmt: skip


class PriceRow(NamedTuple):
    """One stored price with its source; `url` is where the claim was read."""

    id: int
    offering_id: int
    unit: str
    qualifier: str
    service_tier: str
    schedule: str
    context_from: int
    context_op: str
    context_mode: str
    amount: Decimal
    per: int
    currency: str
    effective_from: datetime
    effective_until: datetime | None
    precision: str
    evidence_at: datetime
    observed_at: datetime
    seen_at: datetime
    recorded_at: datetime
    known_from: datetime
    known_until: datetime | None
    basis: str
    trust: str
    agreeing: list[str]
    disputed: bool
    why: str
    source: str
    source_url: str
    claim_id: int
    claim_url: str
    note: str

    @property
    def contested(self) -> bool:
        """One source against another, and neither the vendor's nor a person's word."""
        return self.disputed and len(self.agreeing) == 1 and self.trust in (CURATED, AGGREGATOR)

    @property
    def line(self) -> tuple[str, str, str, int]:
        """The rows among which the hour of the day decides."""
        return (self.service_tier, self.qualifier, self.unit, self.context_from)

    @property
    def order(self) -> tuple[Any, ...]:
        """Standard tier first, base context first, always before hours, then units as people list them."""
        return (
            self.service_tier != "standard", self.service_tier, self.qualifier, self.context_from, self.schedule,
            _UNIT_ORDER.get(self.unit, len(_UNIT_ORDER)), self.unit, self.effective_from, self.known_from,
        )  # fmt: skip

    def holds_at(self, moment: datetime) -> bool:
        return self.effective_from <= moment and (self.effective_until is None or moment < self.effective_until)

    def known_at(self, moment: datetime | None) -> bool:
        """Whether the evidence of a moment gave this row; None = all evidence there is."""
        if moment is None:
            return self.known_until is None
        return self.known_from <= moment and (self.known_until is None or moment < self.known_until)

    def reached(self, prompt_tokens: int) -> bool:
        """Whether a request of this many prompt tokens is in the row's context tier."""
        if not self.context_from:
            return True
        return prompt_tokens >= self.context_from if self.context_op == ">=" else prompt_tokens > self.context_from

    @property
    def usd_per_mtok(self) -> Decimal | None:
        """USD per million tokens; None where the unit is not tokens or the currency is not USD."""
        return per_mtok(self.amount, self.per) if self.currency == "USD" and is_token_unit(self.unit) else None


class Seller(NamedTuple):
    """One offering by name."""

    id: int
    provider: str
    sku: str
    region: str
    model: str
    maker: str
    retired_at: datetime | None
    """Since when it is no longer sold; its last price stays, for usage that comes in late."""

    def as_json(self) -> dict[str, Any]:
        return {
            "provider": self.provider, "sku": self.sku, "region": self.region, "model": self.model,
            "retired_at": moment_text(self.retired_at),
        }  # fmt: skip


def sellers(**where: Any) -> list[Seller]:
    """Offerings by any filter: the maker's own first, then by provider, sku and region."""
    found = [
        Seller(*row)
        for row in Offering.objects.filter(**where).values_list(
            "pk", "provider__slug", "sku", "region", "model__slug", "model__maker", "retired_at"
        )
    ]
    return sorted(found, key=lambda s: (s.provider != s.maker, s.provider, s.sku, s.region))


def billed_in(provider: str, sku: str, region: str) -> list[Seller]:
    """Bedrock's in-region offering of an id, by which a region is billed that no source prices apart; else nothing."""
    if provider != "bedrock" or not bedrock.is_in_region(region):
        return []
    found = sellers(provider__slug=provider, sku=sku)
    if any(bedrock.is_in_region(one.region) for one in found):
        return []
    return [one for one in found if one.region == bedrock.IN_REGION]


def price_rows(prices: PriceQuerySet, most: int | None = None) -> list[PriceRow]:
    """The rows of a query that a recomputation still gives, at most so many."""
    return [PriceRow(*row) for row in prices.filter(superseded_at=None).values_list(*_COLUMNS)[:most]]


def rows_of(offering_ids: Iterable[int]) -> list[PriceRow]:
    """Every standing row of some offerings, whenever effective or known."""
    return price_rows(Price.objects.of_offerings(offering_ids))


def calendars() -> dict[str, schedules.Calendar]:
    """The holiday calendars by slug."""
    return {
        slug: schedules.Calendar(offset, frozenset(dates))
        for slug, offset, dates in HolidayCalendar.objects.values_list("slug", "utc_offset_hours", "dates")
    }


def in_force(rows: Iterable[PriceRow], at: datetime, holidays: Mapping[str, schedules.Calendar]) -> frozenset[str]:
    """The schedules of the rows whose hours include a moment."""
    return frozenset(text for text in {row.schedule for row in rows} - {""} if schedules.holds(text, at, holidays))


def applying(rows: Iterable[PriceRow], hours: frozenset[str]) -> set[int]:
    """Ids of the rows that a request in these hours pays by: of one line the specific beats always."""
    best: dict[tuple[str, str, str, int], PriceRow] = {}
    for row in rows:
        if row.schedule and row.schedule not in hours:
            continue
        rival = best.get(row.line)
        if rival is None or rival.schedule < row.schedule:
            best[row.line] = row
    return {row.id for row in best.values()}


def price_json(
    row: PriceRow, at: datetime, *, applies: bool | None = None, rates: Rates | None = None
) -> dict[str, Any]:  # fmt: skip
    """One price with its evidence; `grade` is its grade at the moment asked for.

    Of another currency, `usd_per_mtok` is at the last rate known of that day or before, which `fx` names with its day;
    null where none is known.
    """
    rate = None if row.currency == "USD" or rates is None else rates.on(row.currency, at.date())
    usd = row.usd_per_mtok
    if rate is not None and is_token_unit(row.unit):
        usd = rate.in_usd(per_mtok(row.amount, row.per))
    answer: dict[str, Any] = {
        "unit": row.unit,
        "qualifier": row.qualifier,
        "service_tier": row.service_tier,
        "schedule": row.schedule,
        "context_from": row.context_from,
        "context_op": row.context_op,
        "context_mode": row.context_mode,
        "amount": decimal_text(row.amount),
        "per": row.per,
        "currency": row.currency,
        "usd_per_mtok": decimal_text(usd),
        "fx": rate and rate.as_json(),
        "effective_from": moment_text(row.effective_from),
        "effective_until": moment_text(row.effective_until),
        "effective_precision": row.precision,
        "observed_at": moment_text(row.observed_at),
        "seen_at": moment_text(row.seen_at),
        "recorded_at": moment_text(row.recorded_at),
        "known_from": moment_text(row.known_from),
        "known_until": moment_text(row.known_until),
        "basis": row.basis,
        "grade": grade_of(row, at),
        "source": row.source,
        "url": row.claim_url or row.source_url,
        "why": row.why,
        "note": row.note,
        "price_id": row.id,
    }  # fmt: skip
    if applies is not None:
        answer["applies"] = applies
    return answer


def status_of(amounts: Iterable[Decimal]) -> str:
    """`unknown` without a price, `free` where every price is 0, else `priced`."""
    known = list(amounts)
    if not known:
        return "unknown"
    return "priced" if any(known) else "free"
