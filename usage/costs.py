"""Rows of measures by any dimension: from the rollups, and from the ledger itself where only it knows the dimension.

The rollups are official figures; the ledger's rows are what is known now, so of a closed month the two may differ by
what is pending. Filters hold values of one dimension each, '' for what was not reported; `project` takes "none".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, TypeVar

from django.db.models import Q
from django.db.models.functions import Coalesce

from usage import raw_costs
from usage.models import Organisation, Project
from usage.naming import COLUMNS
from usage.period_querysets import smallest
from usage.querysets import KEYS, RollupQuerySet
from usage.questions import NOBODY, TIMES, is_raw

Filters = Mapping[str, Sequence[str]]
Rollups = TypeVar("Rollups", bound=RollupQuerySet)
_PAIRS = {"model": ("model", "model_raw"), "provider": ("provider", "host")}
"""A model or provider that the catalogue does not know goes by the name that was reported."""


@dataclass(frozen=True)
class Scope:
    """Whose usage of which days [since, until) is asked for, narrowed how. `projects` None: all there is."""

    organisation: Organisation
    since: date | None = None
    until: date | None = None
    projects: tuple[int, ...] | None = None
    filters: Filters = field(default_factory=dict)
    prices_at: date | None = None

    def rows(self, *keys: str) -> list[dict[str, Any]]:
        """Every measure by keys, currencies and cost kind, as `sums_by` gives it."""
        wanted = list(dict.fromkeys(name for key in keys for name in _PAIRS.get(key, (key,))))
        if self.prices_at is not None or any(is_raw(name) for name in (*wanted, *self.filters)):
            return raw_costs.sums_by(
                self.organisation.pk,
                self.since,
                self.until,
                wanted,
                projects=self.projects,
                filters=self.filters,
                prices_at=self.prices_at,
            )
        return self.rollup(*wanted).sums_by(*wanted)

    def rollup(self, *keys: str) -> RollupQuerySet:
        """The rows to sum by keys: of the smallest rollup that knows these and what the scope is narrowed by."""
        view = smallest(columns_of([*keys, *self.filters, *(["project"] if self.projects is not None else [])]))
        found: RollupQuerySet = view.objects.of(self.organisation, self.since, self.until)
        return narrowed(found if self.projects is None else found.filter(project__in=self.projects), self.filters)

    def narrower(self, **filters: Sequence[str]) -> Scope:
        return replace(self, filters={**self.filters, **filters})


def columns_of(names: Iterable[str]) -> set[str]:
    """The columns of the rollups that dimensions are told by; times, which every rollup knows, have none here."""
    whole = {name for one in names for name in _PAIRS.get(one, (one,))}
    return {COLUMNS[name] for name in whole if not is_raw(name) and name not in TIMES} - {""}


def narrowed(rows: Rollups, filters: Filters) -> Rollups:
    """Rollup rows that answer to every filter of a dimension they know."""
    for name, values in filters.items():
        if not is_raw(name):
            rows = _narrowed(rows, name, values)
    return rows


def _narrowed(rows: Rollups, name: str, values: Iterable[str]) -> Rollups:
    wanted = list(values)
    if name == "project":
        if wanted == [NOBODY]:
            return rows.filter(project=None)  # by an index of its own
        nobody = Q(project=None) if NOBODY in wanted else Q(pk__in=[])
        return rows.filter(Q(project__in=Project.objects.filter(slug__in=wanted)) | nobody)
    if name == "cost_kind":
        return rows.filter(cost_kind__in=wanted)
    first, second = _PAIRS.get(name, (name, ""))
    asked = Coalesce(KEYS[first], KEYS[second]) if second else KEYS[name]
    return rows.annotate(**{f"is_{name}": asked}).filter(**{f"is_{name}__in": wanted})
