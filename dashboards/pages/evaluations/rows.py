"""The models of one suite, the best first, each against the current one; and the suites there are. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from dashboards.pages.evaluations.ask import compare_url, run_url, suite_url
from dashboards.pages.evaluations.words import (
    badge,
    finding,
    label,
    margin_words,
    per_thousand,
    points,
    settles,
    signed,
)
from usage.evaluation_comparisons import Comparison
from usage.evaluation_points import RatedPoint, Suite


@dataclass(frozen=True, slots=True)
class Row:
    """One model at one effort. `comparison` None: it is the current one."""

    point: RatedPoint
    name: str
    score: str
    interval: str
    usd_per_thousand: Decimal | None
    tokens: int | None
    evidence: str
    comparison: Comparison | None = None
    compare_url: str = ""
    current_url: str = ""
    badge: tuple[str, str] = ("", "")
    difference: str = ""
    settles: str = ""

    @property
    def is_current(self) -> bool:
        return self.comparison is None


@dataclass(frozen=True, slots=True)
class SuiteRow:
    """A suite in the list of all: how many models, the best of them, and where it is."""

    suite: Suite
    project: str
    models: int
    best: RatedPoint
    best_name: str
    best_score: str
    url: str
    is_current: bool


def current_of(
    found: Sequence[RatedPoint], asked: int | None, spent: Mapping[str, Decimal]
) -> tuple[RatedPoint, str] | None:
    """The point the others are compared with, and why it is that one; None without points.

    The one asked for; else of the models the project uses the one it spends most on; else the best.
    """
    if not found:
        return None
    for point in found:
        if point.run == asked:
            return point, "as chosen"
    used = [point for point in found if point.model and spent.get(point.model)]
    if used:
        # Of several efforts of one model nobody says which is in use: the best is the higher bar.
        return max(used, key=lambda one: (spent[one.model or ""], one.value, -one.run)), "most spent on, 30 days"
    return max(found, key=lambda one: (one.value, -one.run)), "the best"


def rows(found: Sequence[RatedPoint], comparisons: Mapping[int, Comparison], margin: Decimal | None) -> list[Row]:
    """The points of one suite, the best first. `comparisons` by run; the run without one is the current.

    `margin` is the one in the address, if any.
    """
    return [_row(point, comparisons.get(point.run), margin) for point in sorted(found, key=lambda one: -one.value)]


def _row(point: RatedPoint, comparison: Comparison | None, margin: Decimal | None) -> Row:
    of = comparison.difference if comparison else None
    told = point.output_tokens_per_answer
    return Row(
        point=point,
        name=label(point.name, point.effort),
        score=points(point.value),
        interval="" if point.low is None or point.high is None else f"{points(point.low)}–{points(point.high)}",
        usd_per_thousand=per_thousand(point.usd_per_answer),
        tokens=None if told is None else round(told),
        evidence=run_url(point.run),
        comparison=comparison,
        compare_url=compare_url(comparison.current.pk, point.run, margin) if comparison else "",
        current_url=suite_url(point.suite, current=point.run),
        badge=badge(comparison) if comparison else ("", ""),
        difference="" if of is None else f"{signed(of.value)} ({signed(of.low)} to {signed(of.high)})",
        settles=settles(comparison) if comparison else "",
    )


def suite_finding(found: Sequence[Row], margin: Decimal) -> str:
    """The finding of the suite whose rows these are."""
    current = next(row for row in found if row.is_current)
    others = [(row.name, row.comparison, row.usd_per_thousand) for row in found if row.comparison is not None]
    return finding(current.point.suite.name, current.name, margin, others, current.usd_per_thousand)


def suite_rows(found: Sequence[RatedPoint], projects: Mapping[str, str], chosen: Suite | None) -> list[SuiteRow]:
    """Every suite, by project and name."""
    of: dict[Suite, list[RatedPoint]] = {}
    for point in found:
        of.setdefault(point.suite, []).append(point)
    made = []
    for suite, own in of.items():
        best = max(own, key=lambda one: (one.value, -one.run))
        name = label(best.name, best.effort)
        made.append(
            SuiteRow(
                suite, projects.get(suite.project, suite.project), len(own), best, name, points(best.value),
                suite_url(suite), suite == chosen,
            )
        )  # fmt: skip
    return sorted(made, key=lambda one: (one.project, one.suite.name, one.suite.task, one.suite.metric))


TABLE_HEAD = (
    "project", "suite", "task", "measure", "model", "name", "effort", "score", "low_90", "high_90", "items",
    "usd_per_answer", "output_tokens_per_answer", "run_day", "verdict", "difference", "difference_low_90",
    "difference_high_90", "pairs", "margin", "items_to_settle", "run",
)  # fmt: skip


def table_rows(found: Sequence[Row]) -> list[list[Any]]:
    """The same for a program: shares, not points."""
    return [_for_a_program(row) for row in found]


def _for_a_program(row: Row) -> list[Any]:
    point, of = row.point, row.comparison
    said: list[Any] = ["current", None, None, None, None, None, None]
    if of is not None:
        d, j = of.difference, of.judgement
        said = [
            j.verdict.value if j else None, *([d.value, d.low, d.high] if d else [None] * 3), of.pairs or None,
            of.margin, j.items if j else None,
        ]  # fmt: skip
    suite = point.suite
    return [
        suite.project, suite.name, suite.task, suite.metric, point.model, point.name, point.effort, point.value,
        point.low, point.high, point.n, point.usd_per_answer, point.output_tokens_per_answer, point.ran_on, *said,
        point.run,
    ]  # fmt: skip


def scope(suite: Suite, project: str, found: Sequence[Row], margin: Decimal, why: str) -> list[str]:
    """The scope line of a suite."""
    days = sorted(row.point.ran_on for row in found if row.point.ran_on)
    when = [] if not days else [f"{days[0]:%-d %b %Y}" + (f" to {days[-1]:%-d %b %Y}" if days[-1] != days[0] else "")]
    current = next((row.name for row in found if row.is_current), "")
    return [
        project, " ".join(part for part in (suite.name, suite.task) if part), suite.metric, *when,
        f"current model: {current} ({why})", f"margin {margin_words(margin)}", "intervals of 90 %",
    ]  # fmt: skip
