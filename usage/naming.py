"""Sums by the numbers of projects, offerings and connections, as sums by what these are called."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
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
    wanted = [key for key in keys if COLUMNS[key]]
    columns = dict.fromkeys(COLUMNS[key] for key in wanted)
    names = {
        column: _names(column, {row[column] for row in told} - {None}, wanted)
        for column in columns
        if column in _SOURCES and any(key in _SOURCES[column][1] for key in wanted)
    }
    sums = [name for name in (told[0] if told else ()) if name.startswith("sum_")]
    apart = [name for name in (told[0] if told else ()) if not name.startswith("sum_") and name not in columns]
    groups: dict[tuple[Any, ...], Row] = {}
    for row in told:
        for key in wanted:
            known = None if key == "offering" else names.get(COLUMNS[key])
            value = row[COLUMNS[key]]
            row[f"key_{key}"] = value if known is None else known.get(value, {}).get(key, _UNKNOWN.get(key))
        for column in columns:
            del row[column]
        group = (*[row[f"key_{key}"] for key in wanted], *[row[name] for name in apart])
        if (same := groups.setdefault(group, row)) is not row:
            for name in sums:
                same[name] += row[name]
    return list(groups.values())


def _names(column: str, ids: Collection[int], wanted: Sequence[str]) -> dict[int, dict[str, Any]]:
    model, fields = _SOURCES[column]
    asked = [key for key in wanted if key in fields]
    rows = apps.get_model(model)._default_manager.filter(pk__in=ids).values_list("pk", *(fields[key] for key in asked))
    return {pk: dict(zip(asked, values, strict=True)) for pk, *values in rows}
