"""What budgets are weighed by, read once for all of them: money by day and project, and announced price changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from pricing.models import PriceEvent
from usage.costs import Scope
from usage.exchange import Rates, days_of
from usage.forecast import WEEKS, Step
from usage.models import Organisation

VOLUME_DAYS: Final = 28
"""The present volume is that of the last four weeks."""
_COLUMNS: Final = {"input": "in_uncached", "output": "out_total", "cache_read": "in_cache_read"}
_STANDARD: Final = ("", "standard")
_DAY: Final = timedelta(days=1)
Row = dict[str, Any]


class BudgetSpend:
    """The official figures of an organisation up to a day, for periods within [since, until).

    `days` are the first day of usage that is looked at and the day after the last one: usage of `on` is not known
    where the last day lies before it. Notional cost is left out, as in every total.
    """

    def __init__(self, organisation: Organisation, on: date, since: date, until: date) -> None:
        self.organisation, self.on, self.until = organisation, on, until
        self._earliest = min(since, on - _DAY * 7 * (WEEKS + 1))
        scope = Scope(organisation, self._earliest, on + _DAY * 8)
        self._rows = scope.rollup("project").spent().sums_by("day", "project")
        told = [row["key_day"] for row in self._rows]
        # Usage begins with the first day that has any, not with the first that is looked at.
        self.days = (min(told, default=on), max(told) + _DAY if told else on)

    def by_day(self, whose: Collection[str] | None, currency: str) -> tuple[dict[date, Decimal], tuple[str, ...]]:
        """Money by day of some projects (by slug) or of everything, and the currencies that have no rate."""
        rates, found, unknown = self._rates(currency), defaultdict[date, Decimal](Decimal), set()
        for row in self._of(whose):
            amount = rates.converted(row["sum_spent"], row["spent_currency"], row["key_day"])
            if amount is None:
                unknown.add(row["spent_currency"])
            else:
                found[row["key_day"]] += amount
        return dict(found), tuple(sorted(unknown))

    def unknown_tokens(self, whose: Collection[str] | None, since: date, until: date) -> int:
        """Tokens of which neither a feed nor a price tells what they cost, in [since, until), up to the day."""
        until, unpaid = min(until, self.on + _DAY), (row for row in self._of(whose) if not row["spent_currency"])
        return sum(row["sum_unpriced_tokens"] for row in unpaid if since <= row["key_day"] < until)

    def steps(self, whose: Collection[str] | None, currency: str) -> list[Step]:
        """What announced price changes add to an average day at the present volume.

        In proportion to what is paid of list: a discount is one on the new price too.
        """
        if not self._announced:
            return []
        rates, by_day = self._rates(currency), defaultdict[date, Decimal](Decimal)
        for row in _of(self._volumes, whose):
            if row["key_service_tier"] not in _STANDARD:
                continue
            for event in self._announced.get(row["key_offering"], ()):
                effect = rates.converted(_effect(event, row), event["currency"], self.on)
                by_day[event["effective_from"].astimezone(UTC).date()] += effect or Decimal(0)
        return [Step(day, per_day) for day, per_day in sorted(by_day.items()) if per_day]

    def _of(self, whose: Collection[str] | None) -> Iterable[Row]:
        return (row for row in _of(self._rows, whose) if row["key_day"] <= self.on)

    def _rates(self, currency: str) -> Rates:
        foreign = any(row["spent_currency"] not in ("", currency) for row in self._rows)
        return Rates(
            self.organisation, foreign or currency != "USD", [*days_of(self._rows), self.on], currency=currency
        )

    @cached_property
    def _announced(self) -> dict[int, list[Row]]:
        """Moves of plain list prices after the day that were known on it, by offering."""
        first, last = (datetime.combine(day, time.min, UTC) for day in (self.on + _DAY, self.until))
        events = PriceEvent.objects.moves().filter(
            effective_from__gte=first, effective_from__lt=last, observed_at__lt=first
        )
        found: dict[int, list[Row]] = defaultdict(list)
        for event in events.values("offering_id", "unit", "old", "new", "per", "currency", "effective_from"):
            if event["old"] is not None and event["new"] is not None:
                found[event["offering_id"]].append({**event})
        return found

    @cached_property
    def _volumes(self) -> list[Row]:
        """Tokens, list cost and money of the last `VOLUME_DAYS` days with usage, by project, offering and tier."""
        until = min(self.days[1], self.on + _DAY)
        scope = Scope(self.organisation, until - _DAY * VOLUME_DAYS, until, filters={})
        keys = ("project", "offering", "service_tier")
        rows = scope.rollup(*keys).filter(offering__in=list(self._announced)).spent()
        found: list[Row] = rows.sums_by(*keys)
        return found


def _of(rows: Iterable[Row], whose: Collection[str] | None) -> Iterable[Row]:
    return rows if whose is None else (row for row in rows if row["key_project"] in whose)


def _effect(event: Row, row: Row) -> Decimal:
    tokens = row[f"sum_{_COLUMNS[event['unit']]}"]
    more: Decimal = (event["new"] - event["old"]) * tokens / event["per"] / VOLUME_DAYS
    same = row["spent_currency"] in ("", row["list_currency"])
    return more * row["sum_spent"] / row["sum_list_cost"] if same and row["sum_list_cost"] else more
