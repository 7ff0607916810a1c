"""What is known of quality and of tokens taken as of a day: published scores, and a project's own runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple, cast

from django.db.models import Q, QuerySet

from pricing.benchmarks import benchmarks
from pricing.models import Benchmark, Score
from usage import evaluation_tokens
from usage.evaluation_comparisons import compare_all
from usage.models import EvaluationRun, Project
from usage.substitution.factors import Counted, Run
from usage.substitution.offers import Rated
from usage.substitution.quality import Own, Rating

ARENA: Final = "arena"
OVERALL: Final = next(iter(benchmarks()[ARENA].CATEGORIES))


@dataclass(frozen=True, slots=True)
class Published:
    """What benchmarks say by a day. `arena` is by category; `models` are the keys of the rated ones by category."""

    arena: dict[str, dict[Rated, Rating]]
    models: dict[str, set[int]]
    others: dict[Rated, list[Rating]]
    runs: dict[Rated, list[Run]]


def category_of(project: Project) -> str:
    """The category of Arena in which a project's floor and margin count."""
    return project.quality_category or OVERALL


class _Row(NamedTuple):
    model: str
    model_id: int
    effort: str
    setting: str
    value: Decimal
    low: Decimal | None
    high: Decimal | None
    n: int | None
    observed_on: date
    url: str
    benchmark_id: int
    benchmark: str
    benchmark_name: str
    display_name: str
    cases: int | None
    input_tokens: int | None
    output_tokens: int | None

    @property
    def rated(self) -> Rated:
        """The model and its effort without the rest of how the table says that it was run (`Score.setting`)."""
        effort = self.effort.removesuffix(self.setting).rstrip(" ,") if self.setting else self.effort
        return Rated(self.model, effort)

    def rating(self, name: str) -> Rating:
        return Rating(self.benchmark, name, self.value, self.low, self.high, self.n, self.observed_on, self.url)


_COLUMNS = (
    "model__slug", "model_id", "effort", "setting", "value", "low", "high", "n", "observed_on", "source_url",
    "benchmark_id", "benchmark__slug", "benchmark__name", "display_name", "cases", "input_tokens", "output_tokens",
)  # fmt: skip


def published(categories: Iterable[str], day: date) -> Published:
    """The scores of some categories of Arena, and what other benchmarks' first categories say: three queries, and one
    more for each further category.

    Where two names of one table mean one model at one effort, the one of more votes speaks.
    """
    found = Published({}, {}, defaultdict(list), defaultdict(list))
    for category in sorted(set(categories)):
        rows = _read(Score.objects.known_on(ARENA, category, day))
        by_votes = sorted(rows, key=lambda row: (row.n or 0, row.value, row.display_name))
        found.arena[category] = {row.rated: row.rating(_named(category)) for row in by_votes}
        found.models[category] = {row.model_id for row in rows}
    for row in _others(day):
        found.others[row.rated].append(row.rating(row.benchmark_name))
        if row.cases and (row.input_tokens or row.output_tokens):
            found.runs[row.rated].append(
                Run(
                    row.benchmark_name, row.setting, row.cases, row.input_tokens, row.output_tokens, row.observed_on,
                    row.url,
                )
            )  # fmt: skip
    return found


def _read(scores: QuerySet[Score]) -> list[_Row]:
    """Of names that mean a model."""
    return [_Row(*cast(Any, row)) for row in scores.exclude(model=None).values_list(*_COLUMNS)]


def _others(day: date) -> list[_Row]:
    """The newest scores of every other benchmark's first category, of runs each name's newest."""
    firsts = Q(pk__in=[])
    for one in benchmarks().values():
        if one.SLUG != ARENA:
            firsts |= Q(benchmark__slug=one.SLUG, category=next(iter(one.CATEGORIES)))
    newest_table: dict[int, date] = {}
    newest_run: dict[tuple[int, str, str], _Row] = {}
    for row in _read(Score.objects.filter(firsts, observed_on__lte=day).order_by("observed_on", "pk")):
        newest_table[row.benchmark_id] = row.observed_on
        newest_run[row.benchmark_id, row.display_name, row.setting] = row
    dated = set(Benchmark.objects.filter(runs_dated=True).values_list("pk", flat=True))
    return [
        row for row in newest_run.values()
        if row.benchmark_id in dated or row.observed_on == newest_table[row.benchmark_id]
    ]  # fmt: skip


def _named(category: str) -> str:
    return f"Arena, {benchmarks()[ARENA].CATEGORIES.get(category, category)}"


@dataclass(frozen=True, slots=True)
class OwnEvidence:
    """What a project's own evaluations say of candidates against the models it uses. `models` are all it evaluated."""

    scores: dict[tuple[Rated, Rated], list[Own]]
    counts: dict[tuple[Rated, Rated], list[Counted]]
    models: set[int]


def own_runs(projects: Collection[Project], day: date) -> dict[int, list[EvaluationRun]]:
    """The newest runs by project that were made by a day, of models that the catalogue knows. One query."""
    made = Q(ran_on__lte=day) | Q(ran_on=None, imported_at__date__lte=day)
    rows = EvaluationRun.objects.filter(made, project__in=[one.pk for one in projects]).exclude(model=None)
    found: dict[int, list[EvaluationRun]] = defaultdict(list)
    for run in rows.newest().select_related("model"):
        found[run.project_id].append(run)
    return found


def own_evidence(project: Project, runs: Sequence[EvaluationRun], currents: Collection[Rated]) -> OwnEvidence:
    """What runs say of every other model than those in use. Two queries for each suite of a model in use.

    A model in use at no stated effort is each of its runs in a suite that has none without one.
    """
    by_suite: dict[tuple[str, ...], dict[Rated, EvaluationRun]] = defaultdict(dict)
    for run in runs:
        by_suite[run.suite, run.task, run.metric][_of(run)] = run
    found = OwnEvidence(defaultdict(list), defaultdict(list), {run.model_id for run in runs if run.model_id})
    for suite in by_suite.values():
        for current in sorted(one for one in suite if one in currents or _may_be(one, currents, suite)):
            others = [run for rated, run in sorted(suite.items()) if rated != current]
            _compare(project, suite[current], others, found)
    return found


def _may_be(one: Rated, currents: Collection[Rated], suite: Mapping[Rated, EvaluationRun]) -> bool:
    unstated = Rated(one.model)
    return unstated in currents and unstated not in suite


def _compare(project: Project, current: EvaluationRun, others: list[EvaluationRun], found: OwnEvidence) -> None:
    if not others:
        return
    name = f"{current.suite} · {current.task}" if current.task else current.suite
    for made in compare_all(current, others, project.evaluation_margin):
        own = Own(name, made.difference, _earlier(current.ran_on, made.candidate.ran_on), why=made.why)
        found.scores[_of(current), _of(made.candidate)].append(own)
    taken = evaluation_tokens.of_runs(current, others)
    for run in others:
        for one in taken.get(run.pk, ()):
            found.counts[_of(current), _of(run)].append(
                Counted(
                    one.unit, name, one.n, one.current, one.candidate, one.current_squares, one.candidate_squares,
                    one.products,
                )
            )  # fmt: skip


def _of(run: EvaluationRun) -> Rated:
    if run.model is None:
        raise ValueError("A name that means no model is compared with none.")
    return Rated(run.model.slug, run.effort)


def _earlier(one: date | None, other: date | None) -> date | None:
    return min(one, other) if one and other else one or other
