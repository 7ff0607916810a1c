"""The map from names in evaluations to models, as people review it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from usage.models import EvaluatedName


@dataclass(frozen=True, slots=True)
class NameRow:
    """A name with the model it means ('' none), and whether a person said so."""

    name: str
    model: str
    model_name: str
    efforts: str
    rule: str
    runs: int
    decided_by: str = ""
    decided_effort: str = ""
    is_decided: bool = False


def named(found: Iterable[Mapping[str, Any]], decided: Mapping[str, EvaluatedName]) -> list[NameRow]:
    """Rows of `EvaluationRunQuerySet.names`, those without a model first."""
    rows = []
    for one in found:
        decision = decided.get(one["raw_name"])
        efforts = ", ".join(effort for effort in sorted(one["efforts"]) if effort)
        row = NameRow(
            one["raw_name"], one["model__slug"] or "", one["model__name"] or "", efforts, one["rule"], one["runs"]
        )
        if decision is not None:
            row = replace(row, decided_by=decision.decided_by, decided_effort=decision.effort, is_decided=True)
        rows.append(row)
    return sorted(rows, key=lambda row: (bool(row.model), row.name.lower()))


def refs(rows: Iterable[NameRow]) -> Iterable[tuple[object, ...]]:
    """The same for a program."""
    return ((row.name, row.model or None, row.efforts, row.rule, row.decided_by, row.runs) for row in rows)
