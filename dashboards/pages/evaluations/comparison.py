"""The page of two models on one suite: tiles, the table of right and wrong, what to read with care. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from dashboards import formatting
from dashboards.pages.evaluations.ask import run_url
from dashboards.pages.evaluations.words import (
    label_of,
    margin_words,
    per_thousand,
    points,
    settles,
    signed,
)
from pricing.noninferiority import Verdict
from usage.evaluation_comparisons import Comparison
from usage.evaluation_points import interval
from usage.models import EvaluationRun

FEW_DIFFER = 10
VERDICTS = {
    Verdict.BETTER: "Better", Verdict.EQUAL: "Equal", Verdict.WORSE: "Worse", Verdict.NOT_ENOUGH: "Open",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure with what it is compared with and what it rests on; `money` where it is one."""

    label: str
    figure: str
    compared: str
    said: str
    money: Decimal | None = None
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs, as the table beside the chart shows it."""

    role: str
    name: str
    score: str
    interval: str
    items: int | None
    unscored: int
    usd_per_thousand: Decimal | None
    tokens: int | None
    ran_on: Any
    url: str


def tiles(of: Comparison) -> list[Tile]:
    """Verdict, difference, items, cost."""
    difference = of.difference
    verdict = VERDICTS[of.judgement.verdict] if of.judgement else "Unknown"
    ours, theirs = cost(of.candidate), cost(of.current)
    multiple = ""
    if ours is not None and theirs is not None and ours and theirs:
        ratio = ours / theirs
        multiple = f"{formatting.multiple(ratio)} the current one’s" if ratio >= 1 else (
            f"the current one costs {formatting.multiple(1 / ratio)} as much"
        )  # fmt: skip
    return [
        Tile("Verdict", verdict, f"with {margin_words(of.margin)} allowed", settles(of) or "settled by these items"),
        Tile(
            "Difference, points", "" if difference is None else signed(difference.value),
            "" if difference is None else f"{signed(difference.low)} to {signed(difference.high)}",
            "90 % interval of candidate − current",
        ),
        Tile(
            "Items", formatting.count(of.pairs) if of.pairs else "",
            "answered by both" if of.pairs else "none in common",
            f"{of.wins} won, {of.losses} lost, {of.ties} tied" if of.pairs else "compared unpaired",
        ),
        Tile(
            "USD per 1,000 answers", "", multiple or "nothing to compare with",
            _costed(of.candidate), money=ours, evidence=run_url(of.candidate.pk),
        ),
    ]  # fmt: skip


def claim(of: Comparison) -> str:
    """The title of the chart."""
    verdict = of.judgement.verdict if of.judgement else Verdict.NOT_ENOUGH
    return {
        Verdict.BETTER: "The whole interval lies above 0",
        Verdict.EQUAL: "The whole interval clears the margin",
        Verdict.WORSE: "The whole interval lies below the margin",
        Verdict.NOT_ENOUGH: "The interval reaches over the margin",
    }[verdict]


def cost(run: EvaluationRun) -> Decimal | None:
    """USD a thousand answers, of those that state a cost."""
    return per_thousand(None if run.cost_usd is None or not run.costed else run.cost_usd / run.costed)


def _costed(run: EvaluationRun) -> str:
    if not run.costed:
        return "the run states no cost"
    whole = "all" if run.costed == run.answers else f"{formatting.count(run.costed)} of"
    return f"stated of {whole} {formatting.count(run.answers or run.costed)} answers"


def sides(of: Comparison) -> list[Side]:
    return [_side("Current", of, "current"), _side("Candidate", of, "candidate")]


def _side(role: str, of: Comparison, which: str) -> Side:
    run = of.candidate if which == "candidate" else of.current
    ends = interval(run)
    return Side(
        role, label_of(of, which), points(run.mean), "" if ends is None else f"{points(ends[0])}–{points(ends[1])}",
        run.items, run.unscored, cost(run),
        None if run.output_tokens is None or not run.counted else round(run.output_tokens / run.counted),
        run.ran_on, run_url(run.pk),
    )  # fmt: skip


def care(of: Comparison) -> list[tuple[str, str]]:
    """What to read with care: a title and a sentence each."""
    found: list[tuple[str, str]] = []
    if of.difference is not None and not of.difference.is_paired:
        found.append(
            ("Not paired", f"The intervals of both runs are put together, as {of.why}. That is the weaker way.")
        )
    elif of.judgement is None:
        found.append(("No verdict", f"Nothing can be said, as {of.why}."))
    lone = sum(of.lone)
    if of.pairs and lone > of.pairs / 10:
        found.append(
            (
                "Items of one model only",
                f"{formatting.count(lone)} items were scored of one of the two and are left out.",
            )
        )
    if of.pairs and of.wins + of.losses < FEW_DIFFER:
        found.append(
            (
                "Few items tell them apart",
                f"Only {of.wins + of.losses} items are scored differently, so the interval is rough.",
            )
        )
    if of.judgement and of.judgement.verdict is Verdict.EQUAL and of.difference and of.difference.high < 0:
        found.append(
            ("Equal, and a little worse", "The whole interval lies below 0: worse, by less than what is allowed.")
        )
    unscored = [run for run in (of.current, of.candidate) if run.unscored]
    for run in unscored:
        name = label_of(of, "candidate" if run is of.candidate else "current")
        found.append((f"{formatting.count(run.unscored)} answers of {name} have no score",
                      "They ended in an error and count neither for nor against it."))  # fmt: skip
    unnamed = [run.raw_name for run in (of.current, of.candidate) if run.model is None]
    if unnamed:
        found.append(("A name without a model", f"{' and '.join(unnamed)}: no rule says which model that is."))
    days = [run.ran_on for run in (of.current, of.candidate) if run.ran_on]
    if len(days) == 2 and abs((days[0] - days[1]).days) > 60:
        found.append(("Run on different days", "The models, or what they were asked, may have changed in between."))
    return found


def scope(of: Comparison, project: str) -> list[str]:
    run = of.current
    how = "paired" if of.difference and of.difference.is_paired else "unpaired"
    items = [f"{formatting.count(of.pairs)} common items"] if of.pairs else []
    return [
        project,
        " ".join(part for part in (run.suite, run.task) if part),
        run.metric,
        *items,
        how,
        "intervals of 90 %",
    ]


TABLE_HEAD = (
    "role", "model", "name", "effort", "score", "low_90", "high_90", "items", "unscored", "usd_per_answer",
    "output_tokens_per_answer", "run_day", "difference", "difference_low_90", "difference_high_90", "pairs", "won",
    "lost", "tied", "verdict", "margin", "items_to_settle", "run",
)  # fmt: skip


def table_rows(of: Comparison) -> Sequence[list[Any]]:
    """Both runs for a program; the comparison stands in the candidate's line."""
    d, j = of.difference, of.judgement
    judged: list[Any] = [
        *([d.value, d.low, d.high] if d else [None] * 3),
        *([of.pairs, of.wins, of.losses, of.ties] if of.pairs else [None] * 4),
        j.verdict.value if j else None, of.margin, j.items if j else None,
    ]  # fmt: skip
    return [
        _for_a_program("current", of.current, [None] * len(judged)),
        _for_a_program("candidate", of.candidate, judged),
    ]


def _for_a_program(role: str, run: EvaluationRun, judged: list[Any]) -> list[Any]:
    ends = interval(run) or (None, None)
    usd = cost(run)
    return [
        role, run.model.slug if run.model else None, run.raw_name, run.effort, run.mean, *ends, run.items, run.unscored,
        None if usd is None else usd / 1000,
        None if run.output_tokens is None or not run.counted else Decimal(run.output_tokens) / run.counted,
        run.ran_on, *judged, run.pk,
    ]  # fmt: skip
