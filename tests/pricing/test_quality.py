from __future__ import annotations

import gzip
import json
from collections import Counter
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, DjangoDbBlocker

from pricing import catalog
from pricing.benchmarks import (
    TABLES,
    NamedModel,
    ScoreFact,
    UnreadableBody,
    arena,
    benchmarks,
    read_map,
    read_table,
)
from pricing.matching import normal
from pricing.models import Benchmark, LanguageModel, Score
from pricing.quality import load_bundled, model_key, rated, record
from pricing.querysets import ScoreQuerySet

RECORDED = Path(__file__).resolve().parent.parent / "recorded" / "quality"
DAY = date(2026, 10, 20)
HEAD = "category,category_label,model,display_name,rating,rating_low,rating_high,votes,rank\n"
EARLIER = "rank,model,arena_score,95_pct_ci,votes,organization\n"
EARLIER_LINE = "1,Gemini-X,1474,+5/-4,19209,Google\n"
LINE = "overall,Everything (overall),openai / gpt-x,GPT-X (High),1400.5,1395.5,1405.5,100,1\n"

# Arena's makers that the catalogue calls otherwise; every other one has one name in both.
MAKERS = {
    "zhipu": "zai", "zhipu ai": "zai", "nous": "nousresearch", "01 ai": "01-ai", "ai21 labs": "ai21",
    "huggingface": "huggingfaceh4", "together ai": "together", "upstage ai": "upstage",
}  # fmt: skip
# Filed by Arena under the maker of the weights they were trained from, under a host, or under `other`.
FILED_ELSEWHERE = {
    "databricks / inkling": "thinkingmachines",
    "NousResearch / OpenHermes-2.5-Mistral-7B": "teknium",
    "NousResearch / OpenHermes-2.5-Mistral-7b": "teknium",
    "meta / llama-3.1-nemotron-70b-instruct": "nvidia",
    "meta / llama-3.1-nemotron-ultra-253b-v1": "nvidia",
    "meta / llama-3.3-nemotron-super-49b-v1": "nvidia",
    "meta / llama-3.3-nemotron-super-49b-v1.5": "nvidia",
    "other / inkling-small": "thinkingmachines",
    "other / olmo-3-32b-think": "allenai",
    "other / openhermes-2.5-mistral-7b": "teknium",
    "other / trinity-large-thinking": "arcee",
    "other / zephyr-7b-beta": "huggingfaceh4",
}


# The catalogue has a model of this name, and which weights Arena rated is not known.
AMBIGUOUS = {"Command R", "DeepSeek-V4-Flash", "DeepSeek-V4-Pro", "Gemini Pro"}


def make_fact(name: str = "GPT-X (High)", category: str = "overall", value: str = "1400.5", **rest: Any) -> ScoreFact:
    return ScoreFact(category, f"maker / {name.lower()}", name, Decimal(value), **rest)


def make_model(slug: str) -> LanguageModel:
    return LanguageModel.objects.create(slug=slug, key=f"maker/{slug}", maker="maker", name=slug.upper())


def make_named(monkeypatch: pytest.MonkeyPatch, *lines: tuple[str, str, str, str]) -> None:
    """Have the map of Arena say (display name, model, effort, note) and nothing else."""
    named = {name: NamedModel(f"maker / {name.lower()}", name, *rest) for name, *rest in lines}
    monkeypatch.setattr("pricing.quality.read_map", lambda benchmark: named)


def bundled_facts(day: date = DAY) -> list[ScoreFact]:
    return arena.parse(read_table(TABLES / arena.BUNDLED[day]))


def arena_map() -> dict[str, NamedModel]:
    return read_map(benchmarks()["arena"])


class TestContract:
    @pytest.mark.parametrize("slug", sorted(benchmarks()))
    def test_a_benchmark_says_what_it_is_and_whose(self, slug: str) -> None:
        module = benchmarks()[slug]

        assert module.SLUG == slug == normal(slug)
        for stated in (module.NAME, module.UNIT, module.DOMAIN, module.LICENCE, module.ATTRIBUTION):
            assert stated.strip()
        assert module.URL.startswith("https://")
        assert module.LICENCE in module.ATTRIBUTION
        assert module.CATEGORIES
        assert (TABLES / module.MAP).is_file()

    @pytest.mark.parametrize("slug", sorted(benchmarks()))
    def test_its_recorded_body_gives_the_facts_a_person_checked(self, slug: str) -> None:
        (body,) = (RECORDED / slug).glob("body.*")
        expected = json.loads((RECORDED / slug / "expected.json").read_text())

        found = benchmarks()[slug].parse(body.read_bytes())

        assert found == [
            ScoreFact(category, raw, name, Decimal(value), Decimal(low), Decimal(high), n)
            for category, raw, name, value, low, high, n in expected
        ]

    @pytest.mark.parametrize("slug", sorted(benchmarks()))
    def test_its_marks_are_sentences(self, slug: str) -> None:
        module = benchmarks()[slug]

        for sentence in (module.SATURATION, module.CONTAMINATION):
            assert sentence.endswith(".")
            assert len(sentence) <= 500

    @pytest.mark.parametrize("slug", sorted(benchmarks()))
    def test_its_bundled_tables_hold_known_categories_only(self, slug: str) -> None:
        module = benchmarks()[slug]
        for table in module.BUNDLED.values():
            assert {fact.category for fact in module.parse(read_table(TABLES / table))} <= set(module.CATEGORIES)


class TestArenaTable:
    def test_the_bundled_table_is_that_of_20_october_2026(self) -> None:
        facts = bundled_facts()
        best = max((fact for fact in facts if fact.category == "overall"), key=lambda fact: fact.value)

        assert (len(facts), len({fact.display_name for fact in facts})) == (5648, 355)
        assert sum(fact.category == "overall" for fact in facts) == 245
        assert best == ScoreFact(
            "overall",
            "google / gemini-4-argon",
            "Gemini 4 Argon (High)",
            Decimal("1523.9"),
            Decimal("1515.1"),
            Decimal("1532.7"),
            4900,
        )

    def test_the_bundled_table_credits_its_author_in_itself(self) -> None:
        head = read_table(TABLES / arena.BUNDLED[DAY]).decode()[:400]

        assert "LMArena" in head
        assert "CC BY 4.0" in head
        assert "https://lmarena.ai" in head
        assert str(DAY) in head

    @pytest.mark.shared
    def test_the_bundled_table_says_what_the_published_one_says(self, shared_data: Path) -> None:
        for day in arena.BUNDLED:
            (published,) = (shared_data / "quality" / "arena").glob(f"*{day}*")

            assert set(arena.parse(published.read_bytes())) == set(bundled_facts(day))

    def test_the_tables_of_2024_and_2025_state_the_interval_as_distances(self) -> None:
        (new,) = arena.parse((EARLIER + EARLIER_LINE).encode())
        (old,) = arena.parse((EARLIER + EARLIER_LINE).replace("arena_score", "arena_elo").encode())

        assert new == old
        assert new == ScoreFact(
            "overall", "Google / Gemini-X", "Gemini-X", Decimal(1474), Decimal(1470), Decimal(1479), 19209
        )

    def test_comments_blank_lines_and_a_byte_order_mark_are_no_facts(self) -> None:
        body = "\ufeff# Arena\n\n" + HEAD + "# more\n" + LINE

        assert len(arena.parse(body.encode())) == 1

    def test_missing_interval_and_votes_are_unknown_not_zero(self) -> None:
        (fact,) = arena.parse((HEAD + "overall,x,a / b,B,1400,,,,1\n").encode())

        assert (fact.low, fact.high, fact.n) == (None, None, None)

    @pytest.mark.parametrize(
        ("body", "sentence"),
        [
            (b"", "The table is empty"),
            (b"\n \n# only a comment\n", "The table is empty"),
            (HEAD.encode(), "no scores"),
            (b"a,b\n1,2\n", "lacks category, model, display_name"),
            (b"\x1f\x8b\x00\xff", "not a text file in UTF-8"),
            ((HEAD + "overall,x,a / b,B\n").encode(), "Line 2 has 4 fields, the header 9"),
            ((HEAD + LINE + LINE[:40]).encode(), "Line 3 has"),
            ((HEAD + LINE + LINE).encode(), "Line 3 repeats 'GPT-X (High)' in 'overall'"),
            ((HEAD + LINE.replace("1400.5", "high")).encode(), "Line 2: rating is 'high'"),
            ((HEAD + LINE.replace("1400.5", "NaN")).encode(), "Line 2: rating is 'NaN'"),
            ((HEAD + LINE.replace("1400.5", "1e999")).encode(), "Line 2: rating is '1e999'"),
            ((HEAD + LINE.replace("1400.5", "1406")).encode(), "outside its interval"),
            ((HEAD + LINE.replace("1400.5", "1390")).encode(), "outside its interval"),
            ((HEAD + LINE.replace(",100,", ",-1,")).encode(), "Line 2: votes is '-1'"),
            ((HEAD + LINE.replace(",100,", ",99999999999,")).encode(), "Line 2: votes is"),
            ((HEAD + LINE.replace("GPT-X (High)", "")).encode(), "Line 2 lacks"),
            ((HEAD + LINE.replace("GPT-X (High)", "G" * 301)).encode(), "longer than any model's"),
            ((HEAD + LINE.replace("GPT-X (High)", "GPT\0X")).encode(), "zero byte"),
            ((HEAD + LINE.replace("GPT-X (High)", '"GPT-X')).encode(), "Line 2 "),
            ((EARLIER + EARLIER_LINE.replace("+5/-4", "5")).encode(), "Line 2: 95_pct_ci is '5'"),
            ((EARLIER + EARLIER_LINE.replace("1474", "")).encode(), "Line 2: the rating is ''"),
            ((EARLIER + EARLIER_LINE.replace("Google", "")).encode(), "Line 2 lacks"),
            ((EARLIER + EARLIER_LINE * 2).encode(), "Line 3 repeats 'Gemini-X'"),
        ],
    )
    def test_a_broken_table_is_refused_whole_in_a_sentence(self, body: bytes, sentence: str) -> None:
        with pytest.raises(UnreadableBody) as refusal:
            arena.parse(body)

        assert sentence in str(refusal.value)
        assert str(refusal.value).endswith(".")

    @given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: (HEAD + text).encode())))
    def test_any_bytes_are_facts_or_refused(self, body: bytes) -> None:
        with suppress(UnreadableBody):
            assert arena.parse(body)

    def test_a_cut_off_archive_is_refused_in_a_sentence(self, tmp_path: Path) -> None:
        path = tmp_path / "arena.csv.gz"
        path.write_bytes(gzip.compress((HEAD + LINE).encode())[:-9])

        with pytest.raises(UnreadableBody, match="not whole gzip"):
            read_table(path)

    def test_an_archive_that_unpacks_to_too_much_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("pricing.benchmarks.MAX_BODY", 1 << 20)
        path = tmp_path / "arena.csv.gz"
        path.write_bytes(gzip.compress(bytes((1 << 20) + 1)))

        with pytest.raises(UnreadableBody, match="larger than 1 MiB"):
            read_table(path)


class TestArenaMap:
    def test_every_name_of_the_bundled_table_was_decided_and_no_other(self) -> None:
        names = {fact.display_name for day in arena.BUNDLED for fact in bundled_facts(day)}

        assert set(arena_map()) == names
        assert {(line.raw_name, line.display_name) for line in arena_map().values()} >= {
            (fact.raw_name, fact.display_name) for fact in bundled_facts()
        }

    def test_a_name_without_a_model_says_why(self) -> None:
        assert [line.display_name for line in arena_map().values() if not line.model and not line.note] == []

    def test_no_line_maps_across_makers(self) -> None:
        for line in arena_map().values():
            filed_under = line.raw_name.partition(" / ")[0].lower()
            maker = FILED_ELSEWHERE.get(line.raw_name) or MAKERS.get(filed_under, filed_under)
            assert not line.model or line.model.partition("/")[0] == maker, line

    @pytest.mark.parametrize("day", arena.BUNDLED)
    def test_no_category_has_two_points_of_one_model_and_effort(self, day: date) -> None:
        named = arena_map()
        lines = [(fact.category, named[fact.display_name]) for fact in bundled_facts(day)]
        points = Counter((category, model_key(line.model), line.effort) for category, line in lines if line.model)

        assert [point for point, count in points.items() if count > 1] == []

    def test_an_effort_is_written_one_way(self) -> None:
        efforts = {line.effort for line in arena_map().values()}

        assert {effort for effort in efforts if effort != effort.lower().strip() or len(effort) > 60} == set()

    def test_dated_snapshots_stay_apart(self) -> None:
        named = arena_map()

        assert named["GPT-4o (2024-05-13)"].model == "openai/gpt-4o-2024-05-13"
        assert named["GPT-4o (2024-08-06)"].model == "openai/gpt-4o-2024-08-06"
        assert named["ChatGPT-4o Latest (20250326)"].model == "openai/chatgpt-4o-latest"
        assert named["DeepSeek-V4.1-Flash-20260910 (Max)"].model != named["DeepSeek-V4.1-Flash-20261017 (Max)"].model

    def test_a_preview_is_not_the_release_it_preceded(self) -> None:
        named = arena_map()

        assert named["Qwen3-Max-Preview"].model != named["Qwen3-Max (2025-09-23)"].model
        assert named["Grok 3 Preview (02-24)"].model == ""
        assert named["MiniMax-M2.1 Preview"].model == ""

    def test_a_name_twice_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "twice.csv").write_text("raw_name,display_name,model,effort,note\na,A,m,,\na,A,n,,\n")
        monkeypatch.setattr("pricing.benchmarks.TABLES", tmp_path)
        monkeypatch.setattr(arena, "MAP", "twice.csv")

        with pytest.raises(ValueError, match="names 'A' twice"):
            arena_map()


@pytest.fixture(scope="module")
def catalogue_keys(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> set[str]:
    """The identities of the models in the bundled catalogue, which is gone again afterwards."""
    with django_db_blocker.unblock(), transaction.atomic():
        catalog.load_bundled()
        keys = set(LanguageModel.objects.values_list("key", flat=True))
        transaction.set_rollback(True)
    return keys


class TestArenaMapAgainstTheCatalogue:
    def test_every_mapped_model_is_in_the_bundled_catalogue(self, catalogue_keys: set[str]) -> None:
        models = {line.model for line in arena_map().values() if line.model}

        assert {model for model in models if model_key(model) not in catalogue_keys} == set()

    def test_what_is_said_to_be_missing_is(self, catalogue_keys: set[str]) -> None:
        """A name left empty is not, letter for letter, a model of the catalogue."""
        empty = [line for line in arena_map().values() if not line.model]
        here = {key.partition("/")[2] for key in catalogue_keys}

        assert {line.display_name for line in empty if normal(line.display_name) in here} <= AMBIGUOUS

    def test_most_rated_models_are_matched(self) -> None:
        named = arena_map()
        overall = [named[fact.display_name] for fact in bundled_facts() if fact.category == "overall"]

        assert len(overall) == 245
        assert sum(bool(line.model) for line in overall) >= 220


@pytest.mark.django_db
class TestRecord:
    def test_the_bundled_table_is_kept_whole_and_the_second_time_writes_nothing(self) -> None:
        *earlier, first = load_bundled(["arena"])
        with CaptureQueriesContext(connection) as queries:
            *_, second = load_bundled(["arena"])

        assert [table.inserted for table in earlier] == [109, 164, 185, 218]
        assert (first.scores, first.names, first.categories, first.inserted) == (5648, 355, 26, 5648)
        assert (second.inserted, second.updated, second.unchanged) == (0, 0, 5648)
        assert [query["sql"] for query in queries if not query["sql"].startswith("SELECT")] == []
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
        with django_assert_max_num_queries(3 * tables):
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

        self.run("--file", str(path), "--observed-at", "2026-10-21T23:30:00-02:00")

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
            self.run(*(argument.format(path) for argument in arguments))

        assert refusal.value.returncode == 2
        assert not Score.objects.exists()

    def test_today_is_not_the_future(self, tmp_path: Path) -> None:
        path = tmp_path / "arena.csv"
        path.write_text(HEAD + LINE)

        self.run("--file", str(path), "--observed-at", str(datetime.now(UTC).date()))

        assert Score.objects.count() == 1
