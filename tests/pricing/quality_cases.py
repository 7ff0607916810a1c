"""What the tests of benchmarks share: facts as JSON states them, what ships, and the recordings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from pricing.benchmarks import TABLES, Benchmark, ScoreFact, benchmarks, read_scores, read_table

RECORDED = Path(__file__).resolve().parent.parent / "recorded" / "quality"


def fact_of(stated: Mapping[str, Any]) -> ScoreFact:
    """A fact as a person wrote it down: amounts as strings, days as dates; what is not stated is unknown."""
    kinds = {field.name: str(field.type) for field in fields(ScoreFact)}
    return ScoreFact(**{name: _read(kinds[name], value) for name, value in stated.items()})


def _read(kind: str, value: Any) -> Any:
    if value is None or kind.startswith(("str", "int")):
        return value
    return date.fromisoformat(value) if kind.startswith("date") else Decimal(value)


def bundled(module: Benchmark) -> Iterator[tuple[date, list[ScoreFact]]]:
    """Every table of a benchmark that ships, with its day."""
    for day, table in module.BUNDLED.items():
        yield day, read_scores(module, read_table(TABLES / table))


SHIPPED = [slug for slug, module in benchmarks().items() if module.BUNDLED]
