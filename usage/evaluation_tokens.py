"""How many tokens two models took for the same items of an own evaluation: sums, item by item, without any content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from usage.models import EvaluationRun

UNITS: Final = ("input", "output")


@dataclass(frozen=True, slots=True)
class TokenSums:
    """Over `n` items that both counted: of the current's tokens x and the candidate's y. An item is its mean answer.

    x², y² and xy are None where items are not known one by one; then the sums are means times `n`.
    """

    unit: str
    n: int
    current: Decimal
    candidate: Decimal
    current_squares: Decimal | None = None
    candidate_squares: Decimal | None = None
    products: Decimal | None = None


def of_runs(current: EvaluationRun, candidates: Sequence[EvaluationRun]) -> dict[int, list[TokenSums]]:
    """By candidate run, what it and the current run took by unit; a run that counted nothing is not in it. One query.

    By the items of both where there are two at least, else by the means of all that each counted.
    """
    paired = [run for run in candidates if current.has_items and run.has_items]
    found = _paired(current, paired) if paired else {}
    for run in candidates:
        units = {one.unit for one in found.get(run.pk, ())}
        rest = [_of_means(unit, current, run) for unit in UNITS if unit not in units]
        if told := [one for one in rest if one is not None]:
            found.setdefault(run.pk, []).extend(told)
    return found


def _of_means(unit: str, current: EvaluationRun, candidate: EvaluationRun) -> TokenSums | None:
    means = [_mean(unit, run) for run in (current, candidate)]
    n = min(current.counted or 0, candidate.counted or 0)
    if not n or means[0] is None or means[1] is None:
        return None
    return TokenSums(unit, n, means[0] * n, means[1] * n)


def _mean(unit: str, run: EvaluationRun) -> Decimal | None:
    tokens = run.input_tokens if unit == "input" else run.output_tokens
    return None if tokens is None or not run.counted else Decimal(tokens) / run.counted


def _paired(current: EvaluationRun, candidates: Sequence[EvaluationRun]) -> dict[int, list[TokenSums]]:
    asked: dict[str, Any] = {
        "organisation": current.organisation_id, "current": current.pk,
        "runs": [current.pk, *(run.pk for run in candidates)],
    }  # fmt: skip
    found: dict[int, list[TokenSums]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, asked)
        for run, *by_unit in cursor.fetchall():
            halves = (by_unit[:6], by_unit[6:])
            found[run] = [TokenSums(unit, *sums) for unit, sums in zip(UNITS, halves, strict=True) if sums[0] > 1]
    return found


def _of_unit(unit: str) -> str:
    a, b = f"a_{unit}", f"b_{unit}"
    return f"count({a} + {b}), " + ", ".join(
        f"sum({what}) FILTER (WHERE {a} + {b} IS NOT NULL)" for what in (a, b, f"{a} * {a}", f"{b} * {b}", f"{a} * {b}")
    )


# A window and no join, as in `usage.evaluation_comparisons`.
_SUMS = f"""
    WITH taken AS (
        SELECT run_id, item_key COLLATE "C" AS item, avg(input_tokens) AS input, avg(output_tokens) AS output
        FROM usage_evaluationitem WHERE organisation_id = %(organisation)s AND run_id = ANY(%(runs)s) GROUP BY 1, 2
    ), beside AS (
        SELECT run_id, input AS b_input, output AS b_output,
            max(input) FILTER (WHERE run_id = %(current)s) OVER (PARTITION BY item) AS a_input,
            max(output) FILTER (WHERE run_id = %(current)s) OVER (PARTITION BY item) AS a_output
        FROM taken
    )
    SELECT run_id, {_of_unit("input")}, {_of_unit("output")}
    FROM beside WHERE run_id <> %(current)s GROUP BY 1
"""
