"""The records behind a figure: which ones count in it, and with how much. The figure is their sum, exactly.

A record counts with what its measure says, in its own currency: reported cost, else at contract, else at list price for
what was spent. Records of feeds that give way to another one (`Settlement`) are not among them, and of a record that
belongs to several projects only the part of those asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from usage import raw_costs, rollups
from usage.questions import MONEY
from usage.raw_costs import Rows

_SPENT = "coalesce(r.cost_reported, r.contracted_cost, r.list_cost)"
_COUNTS = ("in_uncached", "in_cache_read", "in_cache_write", "out_total", "requests")
_VALUES = {
    "spent": _SPENT,
    "list": "r.list_cost",
    "contracted": "coalesce(r.contracted_cost, r.list_cost)",
    "reported": "r.cost_reported",
    "notional": "r.list_cost",
    **{name: f"r.{name}" for name in _COUNTS},
}
CURRENCY = {"spent": "spent_currency", "reported": "currency"}
"""In which of its currencies a record counts; all else is at `list_currency`."""
OF_MODEL = ("offering", "host", "model_raw", "rate_card")


@dataclass(frozen=True)
class Behind:
    """What is asked for: the days [since, until) of some projects (None: all there is), narrowed, by one measure."""

    organisation_id: int
    since: date | None
    until: date | None
    projects: Sequence[int] | None = None
    filters: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    measure: str = "spent"

    def by_model(self, *more: str) -> list[dict[str, Any]]:
        """Records `n`, those of unknown value, `value` and `reported` of it by offering, name, rate card, currency, and
        by what else is asked for."""
        by = (*OF_MODEL, *more)
        keys = ", ".join(f"key_{name}" for name in by)
        return self._asked(
            by,
            f"SELECT {keys}, {self._currency} AS currency, count(*) AS n,"
            f" count(*) FILTER (WHERE sum_known = 0) AS unknown, {self._value} AS value,"
            f" sum(sum_reported) AS reported, sum(sum_all_tokens) AS tokens"
            f" FROM {{rows}} GROUP BY {keys}, {self._currency}",
        )

    def page(self, offset: int, limit: int) -> list[dict[str, Any]]:
        """Records by their id, with `value` (None: unknown), currency, owners; the latest first."""
        return self._listed(f"ORDER BY key_at DESC, key_record_key LIMIT {limit:d} OFFSET {offset:d}")

    def every(self) -> list[dict[str, Any]]:
        """All of them, the earliest first."""
        return self._listed("ORDER BY key_at, key_record_key")

    def _listed(self, order: str) -> list[dict[str, Any]]:
        return self._asked(
            ("at", "record_key", "owners"),
            f"SELECT key_record AS id, min(key_at) AS at, min(key_owners) AS owners, {self._currency} AS currency,"
            f" CASE WHEN sum(sum_known) > 0 THEN {self._value} END AS value, sum(sum_reported) <> 0 AS is_reported"
            f" FROM {{rows}} GROUP BY key_record, key_at, key_record_key, {self._currency} {order}",
        )

    @property
    def _currency(self) -> str:
        return CURRENCY.get(self.measure, "list_currency")

    @property
    def _parts(self) -> Collection[str]:
        return _COUNTS[:4] if self.measure == "tokens" else (self.measure,)

    @property
    def _value(self) -> str:
        return "sum(" + " + ".join(f"sum_{name}" for name in self._parts) + ")"

    def _asked(self, keys: Sequence[str], wrapped: str) -> list[dict[str, Any]]:
        known = " OR ".join(f"{_VALUES[name]} IS NOT NULL" for name in self._parts)
        measures = {
            **{name: f"coalesce({_VALUES[name]}, 0)" for name in self._parts},
            "known": f"({known})::int",
            "reported": "coalesce(r.cost_reported, 0)" if self.measure in ("spent", "reported") else "0::numeric",
            "all_tokens": " + ".join(f"coalesce(r.{name}, 0)" for name in _COUNTS[:4]),
        }
        # What is known is split like money, so that no part of a record rounds to unknown.
        money = {"known", "reported"} | ({self.measure} if self.measure in MONEY else set())
        only = "counted" if self.measure in ("spent", "reported") else "tallied"
        filters = dict(self.filters)
        if self.measure in MONEY:
            filters["paid"] = ("false" if self.measure == "notional" else "true",)
        return raw_costs.one_by_one(
            self.organisation_id, self.since, self.until, keys, projects=self.projects, filters=filters,
            of=Rows(measures=measures, money=money, only=f"w.{only}"), wrapped=wrapped,
        )  # fmt: skip


def spent_by(
    organisation_id: int,
    since: date,
    until: date,
    keys: Sequence[str],
    *,
    projects: Sequence[int] | None = None,
    filters: Mapping[str, Sequence[Any]] | None = None,
) -> list[dict[str, Any]]:
    """What was spent by keys and `currency`: `spent` (None where nothing of it is known) of the `paid` records that
    give the money, `tokens` of the `told` ones that tell of the usage: mostly the same. Notional usage is in none."""
    tokens = " + ".join(f"coalesce(r.{name}, 0)" for name in _COUNTS[:4])
    measures = {
        "spent": f"CASE WHEN {rollups.COUNTED} THEN coalesce({_SPENT}, 0) ELSE 0 END",
        "known": f"({rollups.COUNTED} AND {_SPENT} IS NOT NULL)::int",
        "paid": f"({rollups.COUNTED})::int",
        "told": f"({rollups.TALLIED})::int",
        "tokens": f"CASE WHEN {rollups.TALLIED} THEN {tokens} ELSE 0 END",
    }
    named = ", ".join(f"key_{key}" for key in keys)
    return raw_costs.one_by_one(
        organisation_id, since, until, keys, projects=projects, filters={**(filters or {}), "paid": ("true",)},
        of=Rows(measures=measures, money=set(measures) - {"tokens"}, only="(w.counted OR w.tallied)"),
        wrapped=f"SELECT {named}, spent_currency AS currency,"
        f" CASE WHEN sum(sum_known) > 0 THEN sum(sum_spent) END AS spent, sum(sum_tokens)::bigint AS tokens,"
        f" count(*) FILTER (WHERE sum_paid > 0) AS paid, count(*) FILTER (WHERE sum_told > 0) AS told"
        f" FROM {{rows}} GROUP BY {named}, spent_currency",
    )  # fmt: skip
