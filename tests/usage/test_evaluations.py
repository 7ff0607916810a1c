"""Evaluations in the ledger: once, whole, without content, by names that are never guessed, compared pair by pair."""

from __future__ import annotations

import io
import json
import statistics
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pricing.models import LanguageModel
from pricing.noninferiority import Verdict, paired
from tests.usage.factories import make_offering, make_organisation, make_project
from usage import evaluations, organisations
from usage.evaluation_comparisons import Comparison, compare, of_models
from usage.evaluation_formats import Source, Unreadable
from usage.evaluation_points import points
from usage.models import EvaluatedName, EvaluationItem, EvaluationRun, Organisation, Project

RECORDED = Path(__file__).parents[1] / "recorded" / "evaluations"
HEAD = "item,model,score,effort,run_date,suite,cost_usd,output_tokens"


@pytest.fixture
def project(db: None) -> Project:
    return make_project(make_organisation("acme"), "support")


def put(project: Project, *lines: str, name: str = "t.csv", **options: Any) -> evaluations.Imported:
    body = "\n".join([HEAD, *(line + "," * (HEAD.count(",") - line.count(",")) for line in lines)]).encode()
    return evaluations.import_sources(project, "csv", [Source(name, lambda: io.BytesIO(body))], **options)


def scored(project: Project, model: str, scores: list[D | int | str], **fields: str) -> EvaluationRun:
    """A run of a model with these scores, of items 0, 1, …"""
    tail = f",{fields.get('effort', '')},{fields.get('ran_on', '2026-11-03')},suite"
    put(project, *(f"i{n},{model},{score}{tail}" for n, score in enumerate(scores) if score != ""))
    return EvaluationRun.objects.filter(project=project, raw_name=model).latest("pk")


def compared(project: Project, current: list[Any], candidate: list[Any], margin: str = "0.03") -> Comparison:
    return compare(scored(project, "now", current), scored(project, "next", candidate), D(margin))


def recorded(slug: str) -> list[str]:
    return [str(path) for path in sorted((RECORDED / slug).glob("*")) if path.name != "expected.json"]


# Once


@pytest.mark.parametrize("slug", ["promptfoo", "inspect", "lm_eval", "csv"])
def test_the_same_file_twice_changes_nothing(project: Project, slug: str) -> None:
    def state() -> list[Any]:
        return [list(model.objects.order_by("pk").values_list()) for model in (EvaluationRun, EvaluationItem)]

    def run() -> dict[str, Any]:
        out = io.StringIO()
        call_command("import_evaluation", slug, *recorded(slug), "--project", "support", "--json", stdout=out)
        found: dict[str, Any] = json.loads(out.getvalue())
        return found

    first, before = run(), state()
    assert {one["outcome"] for one in first["runs"]} == {"new"}
    again = run()
    assert {one["outcome"] for one in again["runs"]} == {"unchanged"}
    assert state() == before
    assert [one["id"] for one in again["runs"]] == [one["id"] for one in first["runs"]]


def test_a_dry_run_says_the_same_and_writes_nothing(project: Project) -> None:
    told = put(project, "a,m,1", "b,m,0", dry_run=True)
    assert [(one.outcome.value, one.mean) for one in told.runs] == [("new", D("0.5"))]
    assert not EvaluationRun.objects.exists()


def test_a_file_that_says_something_else_of_a_run_replaces_it_whole(project: Project) -> None:
    put(project, "a,m,1", "b,m,0")
    told = put(project, "a,m,1", "c,m,1")
    assert [one.outcome.value for one in told.runs] == ["replaced"]
    run = EvaluationRun.objects.get()
    assert (run.mean, run.items) == (D(1), 2)
    assert sorted(EvaluationItem.objects.values_list("item_key", flat=True)) == ["a", "c"]


def test_a_refused_file_leaves_nothing(project: Project) -> None:
    with pytest.raises(Unreadable):
        put(project, "a,m,1", "b,m,7")
    assert not EvaluationRun.objects.exists()


# What is kept


def test_a_run_has_the_mean_of_its_items_not_of_its_answers(project: Project) -> None:
    """Item a is answered three times: it counts once, as two thirds."""
    put(project, "a,m,1", "a,m,1", "a,m,0", "b,m,0", "c,m,1")
    run = EvaluationRun.objects.get()
    means = [2 / 3, 0, 1]
    assert (run.items, run.answers) == (3, 5)
    assert float(run.mean) == pytest.approx(statistics.fmean(means), abs=1e-8)
    assert float(run.se or 0) == pytest.approx(statistics.stdev(means) / 3**0.5, abs=1e-8)


def test_cost_and_tokens_are_of_the_answers_that_state_them_and_unknown_is_not_zero(project: Project) -> None:
    put(project, "a,m,1,,,s,0.5,10", "b,m,1,,,s,,30", "a,n,1,,,s")
    (known,) = points(project.organisation, suite="s", project="support")[:1]
    runs = {run.raw_name: run for run in EvaluationRun.objects.all()}
    assert (runs["m"].cost_usd, runs["m"].costed, runs["m"].output_tokens, runs["m"].counted) == (D("0.5"), 1, 40, 2)
    assert (runs["n"].cost_usd, runs["n"].output_tokens) == (None, None)
    assert (known.usd_per_answer, known.output_tokens_per_answer) == (D("0.5"), D(20))


@pytest.mark.parametrize("slug", ["promptfoo", "inspect", "lm_eval", "csv"])
def test_no_column_holds_content(project: Project, slug: str) -> None:
    call_command("import_evaluation", slug, *recorded(slug), "--project", "support", stdout=io.StringIO())
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(r::text, ' ') FROM usage_evaluationrun r")
        text = str((cursor.fetchone() or [""])[0])
        cursor.execute("SELECT string_agg(i::text, ' ') FROM usage_evaluationitem i")
        text += str((cursor.fetchone() or [""])[0])
    words = ("invoice", "contract end", "31 March", "notice", "apples", "Question", "Which team", "Expected output")
    assert [word for word in words if word in text] == []


@pytest.mark.parametrize(
    "nonsense",
    [
        {"mean": D("1.1")}, {"mean": D("-0.1")}, {"se": D("-1")}, {"items": 0, "answers": 0},
        {"items": 5, "answers": 4}, {"items": 5, "answers": None},
        {"cost_usd": D(1), "costed": None}, {"cost_usd": D(-1), "costed": 1}, {"output_tokens": 4, "counted": None},
        {"suite": ""}, {"input_tokens": -1},
    ],
)  # fmt: skip
def test_the_database_refuses_a_run_that_cannot_be(project: Project, nonsense: dict[str, Any]) -> None:
    plain: dict[str, Any] = {
        "organisation": project.organisation, "project": project, "run_key": "k", "suite": "s", "metric": "score",
        "raw_name": "m", "mean": D("0.5"), "importer": "csv",
    }  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        EvaluationRun.objects.create(**plain | nonsense)


@pytest.mark.parametrize(
    "nonsense", [{"score": D("1.01")}, {"score": D(-1)}, {"item_key": ""}, {"epoch": 0}, {"cost_usd": D(-1)}]
)
def test_the_database_refuses_an_item_that_cannot_be(project: Project, nonsense: dict[str, Any]) -> None:
    run = scored(project, "m", [1, 0])
    plain: dict[str, Any] = {"organisation": project.organisation, "run": run, "item_key": "x", "score": D(1)}
    with pytest.raises(IntegrityError), transaction.atomic():
        EvaluationItem.objects.create(**plain | nonsense)
    with pytest.raises(IntegrityError), transaction.atomic():
        EvaluationItem.objects.create(**plain | {"item_key": "i0"})


def test_a_sample_workspace_goes_with_its_evaluations(db: None) -> None:
    sample = organisations.create_organisation("Sample", sample=True)
    put(make_project(sample, "support"), "a,m,1", "b,m,0")
    own = put(make_project(make_organisation("own"), "support"), "a,m,1", "b,m,0")
    organisations.remove_sample()
    assert list(EvaluationRun.objects.values_list("pk", flat=True)) == [own.runs[0].pk]
    assert EvaluationItem.objects.count() == 2
    evaluations.remove_run(EvaluationRun.objects.get())
    assert EvaluationItem.objects.count() == 0


# Names


@pytest.fixture
def catalogue(db: None) -> dict[str, LanguageModel]:
    made = {sku: make_offering(sku, seller).model for sku, seller in (("gpt-5-mini", "openai"), ("o3", "openai"))}
    made["llama"] = LanguageModel.objects.create(
        slug="llama-3.1-8b-instruct", name="Llama 3.1 8B", key="meta/llama-3-1-8b-instruct", maker="meta"
    )
    return made


def model_of(organisation: Organisation, name: str) -> tuple[str | None, str]:
    run = EvaluationRun.objects.filter(organisation=organisation, raw_name=name).latest("pk")
    return (run.model.slug if run.model else None, run.effort)


def test_names_resolve_by_the_one_resolver_or_by_the_weights_they_name_and_are_never_guessed(
    project: Project, catalogue: Any
) -> None:
    names = (
        "openai/gpt-5-mini",
        "gpt-5-mini",
        "meta-llama/Llama-3.1-8B-Instruct",
        "o3-high",
        "gpt-5-mini-ultra",
        "mystery",
    )
    told = put(project, *(f"a,{name},1" for name in names))
    found = {name: model_of(project.organisation, name) for name in names}
    assert found == {
        "openai/gpt-5-mini": ("gpt-5-mini", ""), "gpt-5-mini": ("gpt-5-mini", ""),
        "meta-llama/Llama-3.1-8B-Instruct": ("llama-3.1-8b-instruct", ""), "o3-high": ("o3", "high"),
        "gpt-5-mini-ultra": (None, ""), "mystery": (None, ""),
    }  # fmt: skip
    assert told.unresolved == ["gpt-5-mini-ultra", "mystery"]


def test_a_persons_decision_on_a_name_holds_for_every_run_and_survives_imports(
    project: Project, catalogue: Any
) -> None:
    put(project, "a,house-model,1", "a,gpt-5-mini,1")
    organisation = project.organisation
    assert evaluations.decide_name(organisation, "house-model", catalogue["o3"], "low", "ada@acme.example") == 1
    put(project, "a,house-model,1,,2026-11-09", "a,gpt-5-mini,0")
    assert set(EvaluationRun.objects.filter(raw_name="house-model").values_list("model__slug", "effort")) == {
        ("o3", "low")
    }
    evaluations.decide_name(organisation, "gpt-5-mini", None)
    assert model_of(organisation, "gpt-5-mini") == (None, "")
    evaluations.forget_name(organisation, "gpt-5-mini")
    assert model_of(organisation, "gpt-5-mini") == ("gpt-5-mini", "")
    assert EvaluatedName.objects.get().decided_by == "ada@acme.example"


def test_a_decision_of_one_organisation_is_nobody_elses(project: Project, catalogue: Any) -> None:
    other = make_project(make_organisation("other"), "support")
    for one in (project, other):
        put(one, "a,house-model,1")
    evaluations.decide_name(project.organisation, "house-model", catalogue["o3"])
    assert model_of(other.organisation, "house-model") == (None, "")


def test_a_model_the_catalogue_learns_later_is_found_with_the_next_import(project: Project) -> None:
    put(project, "a,gpt-5-mini,1")
    assert model_of(project.organisation, "gpt-5-mini") == (None, "")
    make_offering("gpt-5-mini", "openai")
    put(project, "a,other,1")
    assert model_of(project.organisation, "gpt-5-mini") == ("gpt-5-mini", "")


def test_the_newest_run_of_each_model_and_effort_is_the_point(project: Project, catalogue: Any) -> None:
    for day, score in (("2026-10-01", 0), ("2026-11-01", 1)):
        put(project, f"a,gpt-5-mini,{score},,{day},s", f"b,gpt-5-mini,1,,{day},s", f"a,openai/gpt-5-mini,1,low,{day},s")
    found = {(one.model, one.effort): (one.value, str(one.ran_on)) for one in points(project.organisation)}
    assert found == {("gpt-5-mini", ""): (1, "2026-11-01"), ("gpt-5-mini", "low"): (1, "2026-11-01")}


# Compared


share = st.integers(0, 20).map(lambda n: D(n) / 20)
side = st.lists(st.one_of(share, st.just("")), min_size=4, max_size=12)


@given(current=side, candidate=side)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_comparison_in_the_database_is_the_pure_one(project: Project, current: Any, candidate: Any) -> None:
    with transaction.atomic():
        got = compared(project, [D(1), *current], [D(0), *candidate])
        transaction.set_rollback(True)
    a, b = (
        {f"i{n}": float(s) for n, s in enumerate([D(1), *x] if x is current else [D(0), *x]) if s != ""}
        for x in (current, candidate)
    )
    pure = paired(a, b)
    if pure is None:
        assert "one item" in got.why or "single item" in got.why
        return
    assert got.difference is not None
    assert (got.difference.low, got.difference.high) == pytest.approx((pure.low, pure.high), abs=1e-9)
    common = a.keys() & b.keys()
    assert got.pairs == len(common)
    assert got.wins == sum(b[item] > a[item] for item in common)
    assert got.losses == sum(b[item] < a[item] for item in common)
    assert got.lone == (len(a) - len(common), len(b) - len(common))
    is_binary = all(side[item] in (0, 1) for side in (a, b) for item in common)
    assert (got.table is not None) == is_binary
    if got.table:
        assert got.table.both + got.table.neither == got.ties


def test_a_candidate_as_good_on_the_same_items_is_equal_and_one_that_fails_more_is_worse(project: Project) -> None:
    now = [int(n % 10 != 0) for n in range(300)]
    got = compared(project, now, [1 - s if n in (5, 100) else s for n, s in enumerate(now)])
    assert got.judgement is not None
    assert (got.judgement.verdict, got.wins, got.losses, got.ties) == (Verdict.EQUAL, 1, 1, 298)
    assert got.table is not None
    assert (got.table.both, got.table.only_current, got.table.only_candidate, got.table.neither) == (269, 1, 1, 29)
    worse = compare(got.current, scored(project, "bad", [s * int(n % 4 != 0) for n, s in enumerate(now)]), D("0.03"))
    assert worse.judgement is not None
    assert worse.judgement.verdict is Verdict.WORSE


def test_few_items_are_not_enough_and_the_number_that_settles_it_is_said(project: Project) -> None:
    got = compared(project, [1, 0] * 15, [1, 0] * 14 + [0, 0])
    assert got.judgement is not None
    assert got.judgement.verdict is Verdict.NOT_ENOUGH
    got = compared(project, [1, 0] * 30, ([1, 0] * 29) + [0, 1])
    assert got.judgement is not None
    assert got.judgement.items is not None
    assert got.judgement.items > 60


def test_runs_without_common_items_are_compared_unpaired_and_say_why(project: Project) -> None:
    current = scored(project, "now", [1] * 80 + [0] * 20)
    put(project, *(f"other{n},next,{int(n < 80)},,2026-11-03,suite" for n in range(100)))
    got = compare(current, EvaluationRun.objects.get(raw_name="next"), D("0.03"))
    assert got.difference is not None
    assert not got.difference.is_paired
    assert got.why.startswith("the two runs have no item in common")
    assert got.difference.se == pytest.approx(2**0.5 * statistics.stdev([1] * 80 + [0] * 20) / 10, abs=1e-8)


def test_a_run_that_states_no_error_is_not_judged(project: Project) -> None:
    current = scored(project, "now", [1, 0, 1])
    alone = EvaluationRun.objects.create(
        organisation=project.organisation, project=project, run_key="k", suite="suite", metric="score",
        raw_name="stated", mean=D("0.6"), importer="lm_eval",
    )  # fmt: skip
    got = compare(current, alone, D("0.03"))
    assert (got.difference, got.judgement) == (None, None)
    assert "of stated no standard error is known" in got.why


def test_what_the_evaluations_of_a_project_say_of_two_models(project: Project, catalogue: Any) -> None:
    for suite, n in (("few", 3), ("many", 40)):
        put(project, *(f"i{i},gpt-5-mini,1,,2026-11-03,{suite}" for i in range(n)),
            *(f"i{i},o3,{int(i > 0)},high,2026-11-03,{suite}" for i in range(n)))  # fmt: skip
    put(project, "i0,gpt-5-mini,1,,2026-11-03,alone")
    found = of_models(project, ("gpt-5-mini", ""), ("o3", "high"))
    assert [(one.current.suite, one.pairs, one.losses) for one in found] == [("many", 40, 1), ("few", 3, 1)]
    assert found[0].margin == D("0.03")
    assert of_models(project, ("gpt-5-mini", ""), ("o3", "low")) == []  # another effort is another model
    assert of_models(make_project(project.organisation, "other"), ("gpt-5-mini", ""), ("o3", "high")) == []


# The command


def test_the_command_refuses_with_a_sentence(project: Project) -> None:
    for arguments, sentence in (
        (
            ["nonsense", *recorded("csv"), "--project", "support"],
            "no format “nonsense”: choose one of csv, inspect",
        ),
        (["csv", *recorded("csv"), "--project", "nobody"], "There is no project “nobody”; there are: support"),
        (["csv", "/nowhere/x.csv", "--project", "support"], "There is no file"),
        (["csv", *recorded("promptfoo"), "--project", "support"], "no column item"),
    ):
        with pytest.raises(CommandError, match=sentence):
            call_command("import_evaluation", *arguments)


def test_the_command_reads_a_folder_and_names_the_suite(project: Project) -> None:
    out = io.StringIO()
    call_command(
        "import_evaluation",
        "lm_eval",
        str(RECORDED / "lm_eval"),
        "--project",
        "support",
        "--suite",
        "maths",
        stdout=out,
    )
    assert "on maths 5-shot, exact_match,strict-match: 0.5000 of 4 items" in out.getvalue()
    assert "Say what these names mean" in out.getvalue()
