"""Sums by the numbers of projects, offerings and connections, as sums by what these are called."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from operator import itemgetter
from typing import Any

from django.apps import apps

COLUMNS = {
    "project": "project_id",
    "model": "offering_id",
    "maker": "offering_id",
    "offering": "offering_id",
    "provider": "offering_id",
    "source": "connection_id",
    "scope": "connection_id",
    "model_raw": "model_raw",
    "host": "host",
    "service_tier": "service_tier",
    "day": "day",
    "week": "week_starts",
    "month": "month_starts",
    "cost_kind": "",  # always among the keys
}
"""What rollups can be grouped by, and the column of theirs that tells it."""
_SOURCES = {
    "project_id": ("usage.Project", {"project": "slug"}),
    "offering_id": (
        "pricing.Offering",
        {"model": "model__slug", "maker": "model__maker", "provider": "provider__slug"},
    ),
    "connection_id": ("usage.Connection", {"source": "importer", "scope": "scope"}),
}
_UNKNOWN = {"maker": ""}
Row = dict[str, Any]


def named(rows: Iterable[Row], keys: Sequence[str]) -> list[Row]:
    """Rows with `key_<name>` for each key in the place of its column, those of one name summed. One query a table."""
    told = list(rows)
    if not told:
        return []
    wanted: dict[str, list[str]] = {}
    for key in keys:
        if COLUMNS[key]:
            wanted.setdefault(COLUMNS[key], []).append(key)
    sums = [name for name in told[0] if name.startswith("sum_")]
    names = {column: _names(column, {row[column] for row in told}, asked) for column, asked in wanted.items()}
    for row in told:
        for column, known in names.items():
            row.update(known[row.pop(column)])
    group = itemgetter(*(name for name in told[0] if not name.startswith("sum_")))
    groups: dict[Any, Row] = {}
    for row in told:
        if (same := groups.setdefault(group(row), row)) is not row:
            for name in sums:
                same[name] += row[name]
    return list(groups.values())


def _names(column: str, values: Collection[Any], keys: Sequence[str]) -> dict[Any, dict[str, Any]]:
    """What each value of a column is called under the keys that it tells."""
    model, fields = _SOURCES.get(column, ("", {}))
    found: dict[Any, Sequence[Any]] = {}
    asked = [key for key in keys if key in fields]
    if asked:
        rows = apps.get_model(model)._default_manager.filter(pk__in=set(values) - {None})
        found = {pk: names for pk, *names in rows.values_list("pk", *(fields[key] for key in asked))}
    unknown = [_UNKNOWN.get(key) for key in asked]
    return {
        value: {f"key_{key}": value for key in keys if key not in fields}
        | {f"key_{key}": name for key, name in zip(asked, found.get(value, unknown), strict=True)}
        for value in values
    }
