from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from pricing.benchmarks import (
    NamedModel,
    ScoreFact,
    benchmarks,
)
from pricing.models import Alias, Benchmark, LanguageModel, Offering, PriceSource, Provider, Score
from pricing.quality import load_bundled, rated, record
from pricing.quality_querysets import ScoreQuerySet

DAY = date(2026, 10, 20)
HEAD = "category,category_label,model,display_name,rating,rating_low,rating_high,votes,rank\n"
LINE = "overall,Everything (overall),openai / gpt-x,GPT-X (High),1400.5,1395.5,1405.5,100,1\n"


def make_fact(name: str = "GPT-X (High)", category: str = "overall", value: str = "1400.5", **rest: Any) -> ScoreFact:
    return ScoreFact(category, f"maker / {name.lower()}", name, Decimal(value), **rest)


def make_model(slug: str) -> LanguageModel:
    return LanguageModel.objects.create(slug=slug, key=f"maker/{slug}", maker="maker", name=slug.upper())


def make_named(monkeypatch: pytest.MonkeyPatch, *lines: tuple[str, str, str, str]) -> None:
    """Have the map of Arena say (display name, model, effort, note) and nothing else."""
    named = {name: NamedModel(f"maker / {name.lower()}", name, *rest) for name, *rest in lines}
    monkeypatch.setattr("pricing.quality.read_map", lambda benchmark: named)


@pytest.mark.django_db
class TestRecord:
    def test_the_bundled_table_is_kept_whole_and_the_second_time_writes_nothing(self) -> None:
        *earlier, first = load_bundled(["arena"])
        with CaptureQueriesContext(connection) as queries:
            *_, second = load_bundled(["arena"])

        assert [table.inserted for table in earlier] == [109, 164, 185, 218]
        assert (first.scores, first.names, first.categories, first.inserted) == (5648, 355, 26, 5648)
        assert (second.inserted, second.updated, second.unchanged) == (0, 0, 5648)
        reads = ("SELECT", "SAVEPOINT", "RELEASE")
        assert [query["sql"] for query in queries if not query["sql"].startswith(reads)] == []
        assert Score.objects.count() == 6324
        assert Benchmark.objects.values("slug", "licence", "attribution").get() == {
            "slug": "arena",
            "licence": "CC BY 4.0",
            "attribution": "Arena ratings by LMArena (lmarena.ai), CC BY 4.0",
        }

    def test_a_score_reads_back_as_it_was_published(self) -> None:
        load_bundled()

        score = Score.objects.get(category="overall", display_name="Claude Opus 4.5 (High, 32K, 20251101)")

        assert (score.raw_name, score.effort, score.observed_on) == (
            "anthropic / claude-opus-4.5",
            "high, 32k",
            DAY,
        )
        assert (score.value, score.low, score.high, score.n) == (
            Decimal("1473.7"),
            Decimal("1469.8"),
            Decimal("1477.5"),
            37500,
        )
        assert (score.cost_usd, score.output_tokens) == (None, None)

    def test_a_name_joins_by_its_line_in_the_map_and_by_nothing_else(self, monkeypatch: pytest.MonkeyPatch) -> None:
        mapped = make_model("x-1")
        make_model("x-2")
        make_named(
            monkeypatch,
            ("X 1 (High)", "maker/X.1", "high", ""),
            ("X 3", "maker/x-3", "", ""),
            ("X 4", "", "", "sold by none"),
        )

        found = record("arena", [make_fact(name) for name in ("X 1 (High)", "X 2", "x-2", "X 3", "X 4")], DAY)

        assert dict(Score.objects.values_list("display_name", "model_id")) == {
            "X 1 (High)": mapped.pk,
            "X 2": None,
            "x-2": None,
            "X 3": None,
            "X 4": None,
        }
        assert found.matched == 1
        assert [(name.display_name, name.model, name.reason) for name in found.unmatched] == [
            ("X 2", "", "no line of arena_map.csv names it"),
            ("X 3", "maker/x-3", "the catalogue holds no model maker/x-3"),
            ("X 4", "", "sold by none"),
            ("x-2", "", "no line of arena_map.csv names it"),
        ]

    def test_scores_find_their_model_once_the_catalogue_has_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        make_named(monkeypatch, ("X", "maker/x", "", ""))
        record("arena", [make_fact("X"), make_fact("X", "coding")], DAY)
        first_recorded = set(Score.objects.values_list("id", "recorded_at"))
        model = make_model("x")

        found = record("arena", [make_fact("X"), make_fact("X", "coding")], DAY)

        assert (found.inserted, found.updated, found.unmatched) == (0, 2, ())
        assert set(Score.objects.values_list("model_id", flat=True)) == {model.pk}
        assert set(Score.objects.values_list("id", "recorded_at")) == first_recorded

    def test_a_corrected_table_corrects_and_what_it_drops_stays(self, monkeypatch: pytest.MonkeyPatch) -> None:
        make_named(monkeypatch)
        record("arena", [make_fact("A"), make_fact("B"), make_fact("B", "coding"), make_fact("C")], DAY)

        corrected = [make_fact("A"), make_fact("B", value="1401", n=7), make_fact("B", "coding", value="1402")]
        found = record("arena", corrected, DAY)

        assert (found.inserted, found.updated, found.unchanged, found.absent) == (0, 2, 1, 1)
        scores = Score.objects.order_by("display_name", "category")
        assert list(scores.values_list("display_name", "category", "value", "n")) == [
            ("A", "overall", Decimal("1400.5"), None),
            ("B", "coding", Decimal(1402), None),
            ("B", "overall", Decimal(1401), 7),
            ("C", "overall", Decimal("1400.5"), None),
        ]

    def test_another_day_is_another_score(self, monkeypatch: pytest.MonkeyPatch) -> None:
        make_named(monkeypatch)
        record("arena", [make_fact("A")], DAY)

        assert record("arena", [make_fact("A")], DAY + timedelta(days=1)).inserted == 1
        assert Score.objects.count() == 2

    def test_more_digits_than_the_column_keeps_are_not_a_correction_every_time(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_named(monkeypatch)
        fine = [make_fact("A", value="1400.123456", cost_usd=Decimal("0.1234567890123456"))]
        record("arena", fine, DAY)

        assert record("arena", fine, DAY).unchanged == 1
        assert Score.objects.get().value == Decimal("1400.1235")

    def test_a_dry_run_answers_the_same_and_writes_nothing(self) -> None:
        would_be = load_bundled(dry_run=True)

        assert (Score.objects.count(), Benchmark.objects.count()) == (0, 0)
        assert load_bundled() == would_be

    def test_a_benchmark_nobody_declared_is_refused(self) -> None:
        with pytest.raises(KeyError):
            record("gut-feeling", [make_fact()], DAY)

    def test_a_table_of_any_length_takes_a_few_statements(
        self, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        tables = sum(len(module.BUNDLED) for module in benchmarks().values())
        with django_assert_max_num_queries(15 * tables):
            load_bundled()
        with django_assert_max_num_queries(3 * tables + 3):
            load_bundled()

    def test_rated_is_a_score_with_its_models_slug(self, monkeypatch: pytest.MonkeyPatch) -> None:
        make_model("x")
        make_named(monkeypatch, ("X", "maker/x", "max", ""))
        record("arena", [make_fact("X", low=Decimal(1390), high=Decimal(1410), n=9), make_fact("Y")], DAY)

        scores = Score.objects.select_related("model").order_by("display_name")
        one, other = rated(scores)

        assert (one.model, one.effort, one.rating, one.low, one.high, one.votes) == (
            "x",
            "max",
            Decimal("1400.5"),
            Decimal(1390),
            Decimal(1410),
            9,
        )
        assert (other.model, other.effort) == (None, "")


@pytest.mark.django_db
class TestKnownOn:
    def make(self, *, runs_dated: bool) -> None:
        bench = Benchmark.objects.create(slug="b", runs_dated=runs_dated)
        for name, setting, day in (
            ("A", "diff", 1), ("B", "diff", 1), ("B", "whole", 1), ("B", "diff", 5), ("C", "diff", 9),
        ):  # fmt: skip
            Score.objects.create(
                benchmark=bench,
                category="c",
                display_name=name,
                setting=setting,
                value=day,
                observed_on=date(2026, 1, day),
            )
        Score.objects.create(benchmark=bench, category="other", display_name="D", value=1, observed_on=date(2026, 1, 7))

    def names(self, scores: ScoreQuerySet) -> list[tuple[str, str, int]]:
        found = scores.order_by("display_name", "setting").values_list("display_name", "setting", "observed_on")
        return [(name, setting, day.day) for name, setting, day in found]

    def on(self, day: int) -> list[tuple[str, str, int]]:
        return self.names(Score.objects.known_on("b", "c", date(2026, 1, day)))

    def test_a_whole_table_replaces_the_one_before_it(self) -> None:
        self.make(runs_dated=False)

        assert self.on(4) == [("A", "diff", 1), ("B", "diff", 1), ("B", "whole", 1)]
        assert self.on(5) == self.on(8) == [("B", "diff", 5)]
        assert self.on(9) == [("C", "diff", 9)]

    def test_a_dated_run_stands_until_a_newer_one_of_its_name_and_setting(self) -> None:
        self.make(runs_dated=True)

        assert self.on(4) == [("A", "diff", 1), ("B", "diff", 1), ("B", "whole", 1)]
        assert self.on(5) == [("A", "diff", 1), ("B", "diff", 5), ("B", "whole", 1)]
        assert self.on(9) == [*self.on(5), ("C", "diff", 9)]

    @pytest.mark.parametrize("runs_dated", [False, True])
    def test_nothing_is_known_before_the_first_score(self, runs_dated: bool) -> None:
        self.make(runs_dated=runs_dated)
        before = date(2025, 12, 31)

        assert not Score.objects.known_on("b", "c", before).exists()
        assert self.names(Score.objects.as_of("b", "c", before)) == self.on(1)
        assert self.names(Score.objects.as_of("b", "c", date(2026, 1, 5))) == self.on(5)
        assert self.names(Score.objects.newest("b", "c")) == self.on(9)

    def test_its_days_are_those_on_which_something_changed(self) -> None:
        self.make(runs_dated=True)

        assert [day.day for day in Score.objects.days("b", "c")] == [1, 5, 9]

    def test_a_read_is_one_query(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        self.make(runs_dated=True)
        with django_assert_num_queries(2):
            self.on(5)
            list(Score.objects.as_of("b", "c", date(2026, 1, 5)))

    def test_marks_count_what_is_above_the_ceiling_and_when_a_new_name_came_last(self) -> None:
        self.make(runs_dated=True)
        Benchmark.objects.update(ceiling=5)

        marks = Benchmark.objects.marks("b", "c", date(2026, 1, 8))

        assert (marks.names, marks.above, marks.saturated) == (3, 1, Decimal(1) / 3)
        assert marks.newest_name_on == date(2026, 1, 1)
        assert Benchmark.objects.marks("b", "c", date(2026, 1, 9)).newest_name_on == date(2026, 1, 9)

    def test_without_a_ceiling_nothing_is_said_to_be_above_it(self) -> None:
        self.make(runs_dated=False)

        marks = Benchmark.objects.marks("b", "c", date(2025, 1, 1))

        assert (marks.names, marks.above, marks.saturated, marks.newest_name_on) == (0, None, None, None)

    def test_a_task_costs_its_share_of_the_run(self) -> None:
        run = Score(cost_usd=Decimal("21.2259"), output_tokens=2047615, cases=225)

        assert run.usd_per_task == Decimal("0.094337333333")
        assert run.output_tokens_per_task == Decimal("9100.511111111111")

    @pytest.mark.parametrize("run", [Score(cases=225), Score(cost_usd=Decimal(1), output_tokens=1), Score(cases=0)])
    def test_a_run_without_cost_or_cases_has_no_cost_of_a_task(self, run: Score) -> None:
        assert (run.usd_per_task, run.output_tokens_per_task) == (None, None)


@pytest.mark.django_db
class TestFetchQuality:
    def run(self, *arguments: str) -> str:
        out = StringIO()
        call_command("fetch_quality", *arguments, stdout=out)
        return out.getvalue()

    def test_it_counts_and_lists_what_it_could_not_match(self) -> None:
        said = self.run()

        assert "Arena, 2026-10-20: 5,648 scores of 355 names in 26 categories" in said
        assert "5,648 new, 0 corrected, 0 unchanged." in said
        assert "ERNIE 5.1 (baidu / ernie-5.1): Nobody in the catalogue sells it" in said

    def test_its_json_says_the_same(self) -> None:
        *_, table = json.loads(self.run("--json", "--benchmark", "arena"))["benchmarks"]

        assert (table["scores"], table["inserted"], table["matched"] + len(table["unmatched"])) == (
            5648,
            5648,
            355,
        )
        assert {"raw_name", "display_name", "model", "reason"} == set(table["unmatched"][0])

    @pytest.mark.parametrize("packed", [False, True])
    def test_a_file_is_recorded_under_its_day(self, tmp_path: Path, packed: bool) -> None:
        path = tmp_path / "arena.csv"
        body = (HEAD + LINE).encode()
        path.write_bytes(gzip.compress(body) if packed else body)

        self.run("--benchmark", "arena", "--file", str(path), "--observed-at", "2026-10-21T23:30:00-02:00")

        assert Score.objects.get().observed_on == date(2026, 10, 22)

    def test_a_dry_run_says_so_and_writes_nothing(self) -> None:
        assert "Would be: 5,648 new" in self.run("--dry-run")
        assert not Score.objects.exists()

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (["--file", "{}", "--observed-at", "2026-10-20"], "no scores"),
            (["--file", "{}/none.csv", "--observed-at", "2026-10-20"], "cannot be read"),
            (["--file", "/", "--observed-at", "2026-10-20"], "cannot be read"),
            (["--file", "{}"], "add --observed-at"),
            (["--file", "{}", "--observed-at", "yesterday"], "is not a date"),
            (["--file", "{}", "--observed-at", "2026-02-30"], "is not a date"),
            (["--file", "{}", "--observed-at", "2999-01-01"], "in the future"),
            (["--observed-at", "2026-10-20"], "name the file"),
        ],
    )
    def test_bad_input_is_a_sentence_and_exit_2(self, tmp_path: Path, arguments: list[str], sentence: str) -> None:
        path = tmp_path / "arena.csv"
        path.write_text(HEAD)

        with pytest.raises(CommandError, match=sentence) as refusal:
            self.run("--benchmark", "arena", *(argument.format(path) for argument in arguments))

        assert refusal.value.returncode == 2
        assert not Score.objects.exists()

    def test_today_is_not_the_future(self, tmp_path: Path) -> None:
        path = tmp_path / "arena.csv"
        path.write_text(HEAD + LINE)

        self.run("--benchmark", "arena", "--file", str(path), "--observed-at", str(datetime.now(UTC).date()))

        assert Score.objects.count() == 1


@pytest.mark.django_db
class TestIdsOfASeller:
    """Names that are a provider's own ids need no line of a map."""

    SLUG = "openrouter-benchmarks"

    def fact(self, name: str) -> ScoreFact:
        return ScoreFact("gpqa_diamond", name, f"The {name}", Decimal(70), observed_on=DAY)

    def test_they_are_the_models_sold_under_exactly_that_id_or_that_the_provider_calls_so(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        large, small = make_model("large"), make_model("small")
        named = {"The maker/other": NamedModel("maker/other", "The maker/other", "", "", "looked for in vain")}
        monkeypatch.setattr("pricing.quality.read_map", lambda benchmark: named)
        here, elsewhere = (Provider.objects.create(slug=slug, name=slug) for slug in ("openrouter", "elsewhere"))
        sold = Offering.objects.create(provider=here, model=large, sku="maker/large")
        Offering.objects.create(provider=here, model=small, sku="maker/other")
        Offering.objects.create(provider=elsewhere, model=small, sku="maker/small")
        source = PriceSource.objects.create(
            slug="openrouter", name="OpenRouter", trust="vendor_api", licence="facts", cadence_hours=1
        )
        Alias.objects.create(provider=here, name="maker/large-20260131", offering=sold, source=source)
        Alias.objects.create(
            provider=here,
            name="maker/latest",
            offering=sold,
            source=source,
            valid_from=datetime(2026, 1, 1, tzinfo=UTC),
        )
        facts = [
            self.fact(f"maker/{name}") for name in ("large", "large-20260131", "Large", "other", "small", "latest")
        ]
        found = record(self.SLUG, facts, DAY)
        assert {name.raw_name for name in found.unmatched} == {
            "maker/Large", "maker/other", "maker/small", "maker/latest",
        }  # fmt: skip
        assert set(Score.objects.exclude(model=None).values_list("raw_name", "model__slug")) == {
            ("maker/large", "large"), ("maker/large-20260131", "large"),
        }  # fmt: skip

    def test_what_is_sold_later_finds_its_scores_at_the_next_load(self) -> None:
        record(self.SLUG, [self.fact("maker/large")], DAY)
        here = Provider.objects.create(slug="openrouter", name="OpenRouter")
        Offering.objects.create(provider=here, model=make_model("large"), sku="maker/large")
        load_bundled([self.SLUG])
        assert Score.objects.get().model == LanguageModel.objects.get()
