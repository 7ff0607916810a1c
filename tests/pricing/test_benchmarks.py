"""Each benchmark's module: what it declares, what it reads, and what it refuses."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.benchmarks import (
    TABLES,
    ScoreFact,
    UnreadableBody,
    _own_table,
    aider_edit,
    aider_polyglot,
    arena,
    benchmarks,
    bfcl,
    read_scores,
    read_table,
)
from pricing.matching import normal
from tests.pricing.quality_cases import RECORDED, SHIPPED, bundled, fact_of

DAY = date(2026, 10, 20)
HEAD = "category,category_label,model,display_name,rating,rating_low,rating_high,votes,rank\n"
LINE = "overall,Everything (overall),openai / gpt-x,GPT-X (High),1400.5,1395.5,1405.5,100,1\n"
EARLIER = "rank,model,arena_score,95_pct_ci,votes,organization\n"
EARLIER_LINE = "1,Gemini-X,1474,+5/-4,19209,Google\n"
EPOCH_RUNS = ("frontiermath", "gpqa-diamond", "math-level-5", "otis-mock-aime", "swe-bench-verified")
SHARED_FILE: dict[str, Callable[[date], str]] = {
    "arena": lambda day: f"arena/*{day}*",
    "aider-polyglot": lambda day: "aider/polyglot_leaderboard.yml",
    "aider-edit": lambda day: "aider/edit_leaderboard.yml",
    "bfcl": lambda day: f"bfcl/{day}*",
    "mmlu": lambda day: "epoch/external_benchmark_mmlu.csv",
    **dict.fromkeys(EPOCH_RUNS, lambda day: "epoch/benchmarks_runs.csv"),
}


def arena_facts(day: date = DAY) -> list[ScoreFact]:
    return arena.parse(read_table(TABLES / arena.BUNDLED[day]))


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
    def test_its_marks_are_sentences(self, slug: str) -> None:
        module = benchmarks()[slug]

        for sentence in (module.SATURATION, module.CONTAMINATION):
            assert sentence.endswith(".")
            assert len(sentence) <= 500

    @pytest.mark.parametrize("slug", sorted(benchmarks()))
    def test_its_recorded_body_gives_the_facts_a_person_checked(self, slug: str) -> None:
        (body,) = (RECORDED / slug).glob("body.*")
        expected = json.loads((RECORDED / slug / "expected.json").read_text())

        assert benchmarks()[slug].parse(body.read_bytes()) == [fact_of(stated) for stated in expected]

    @pytest.mark.parametrize("slug", sorted(benchmarks()))
    def test_anything_but_its_own_shape_is_refused_in_a_sentence(self, slug: str) -> None:
        others = [path for path in RECORDED.glob("*/body.*") if path.parent.name != slug]
        same_shape = {"aider-edit", "aider-polyglot"}
        hostile = [
            b"",
            b"{}",
            b"[]",
            b"null",
            b"\xff\xfe",
            b"<html></html>",
            b"[" * 100_000,
            b"- [" * 2_000,
            b"a: &a [*a]",
        ]
        bodies = [path.read_bytes() for path in others if {slug, path.parent.name} != same_shape]

        for body in [*bodies, *hostile]:
            with pytest.raises(UnreadableBody) as refusal:
                benchmarks()[slug].parse(body)
            assert str(refusal.value).endswith(".")

    @pytest.mark.parametrize("slug", sorted(benchmarks()))
    def test_a_body_with_any_byte_changed_is_facts_or_refused(self, slug: str) -> None:
        (path,) = (RECORDED / slug).glob("body.*")
        whole = path.read_bytes()

        for place in range(0, len(whole), max(1, len(whole) // 150)):
            for other in (b"", b"\0", b"9", b"-", b'"', b"\n"):
                with suppress(UnreadableBody):
                    assert benchmarks()[slug].parse(whole[:place] + other + whole[place + 1 :])


class TestWhatShips:
    @pytest.mark.parametrize("slug", SHIPPED)
    def test_it_holds_known_categories_only(self, slug: str) -> None:
        for _, facts in bundled(benchmarks()[slug]):
            assert {fact.category for fact in facts} <= set(benchmarks()[slug].CATEGORIES)

    @pytest.mark.parametrize("slug", SHIPPED)
    def test_it_credits_its_author_in_itself_and_the_licence_lets_it(self, slug: str) -> None:
        module = benchmarks()[slug]

        assert module.LICENCE in {"CC BY 4.0", "CC BY", "Apache-2.0", "MIT", "MPL-2.0"}
        for table in module.BUNDLED.values():
            head = read_table(TABLES / table).decode().split("\ncategory,")[0]
            assert head.startswith("# ")
            assert module.LICENCE in head
            assert "https://" in head

    @pytest.mark.parametrize("slug", SHIPPED)
    def test_a_dated_run_is_not_younger_than_its_table(self, slug: str) -> None:
        module = benchmarks()[slug]
        for day, facts in bundled(module):
            assert all((fact.observed_on is not None) == module.RUNS_DATED for fact in facts)
            assert all(fact.observed_on is None or fact.observed_on <= day for fact in facts)

    @pytest.mark.shared
    @pytest.mark.parametrize("slug", sorted(SHARED_FILE))
    def test_it_says_what_the_published_one_says(self, slug: str, shared_data: Path) -> None:
        module = benchmarks()[slug]
        for day, facts in bundled(module):
            (published,) = (shared_data / "quality").glob(SHARED_FILE[slug](day))
            assert set(module.parse(published.read_bytes())) == set(facts)


class TestOwnTable:
    HEAD = "category,raw_name,display_name,value\n"

    def test_columns_left_out_are_unknown(self) -> None:
        body = (self.HEAD + "overall,a,A,81.3\n").encode()

        assert read_scores(benchmarks()["bfcl"], body) == [ScoreFact("overall", "a", "A", Decimal("81.3"))]

    def test_every_column_reads_back(self) -> None:
        row = "overall,a,A,diff,2025-06-25,81.3,80,82.5,225,21.2259,3,4,225,197.3,200"
        body = ",".join(_own_table.COLUMNS) + "\n" + row + "\n"

        assert _own_table.parse(body.encode()) == [
            ScoreFact(
                "overall", "a", "A", Decimal("81.3"), low=Decimal(80), high=Decimal("82.5"), n=225,
                cost_usd=Decimal("21.2259"), input_tokens=3, output_tokens=4, cases=225, seconds_mean=Decimal("197.3"),
                seconds_p95=Decimal(200), setting="diff", observed_on=date(2025, 6, 25),
            )
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("line", "sentence"),
        [
            ("overall,a,A,much", "Line 2: value is 'much'"),
            ("overall,a,A,1e999", "more than it can be"),
            ("overall,a,,1", "Line 2 lacks a name"),
            ("overall,a,A,1\noverall,a,A,1", "Line 3 repeats 'A'"),
        ],
    )
    def test_a_broken_line_is_named(self, line: str, sentence: str) -> None:
        with pytest.raises(UnreadableBody, match=sentence):
            _own_table.parse((self.HEAD + line + "\n").encode())

    @given(st.text(max_size=80))
    def test_any_text_is_facts_or_refused(self, text: str) -> None:
        with suppress(UnreadableBody):
            assert _own_table.parse((self.HEAD + text).encode())


class TestAider:
    RUN = (RECORDED / "aider-polyglot" / "body.yml").read_text()

    def test_a_cost_of_nothing_is_unknown(self) -> None:
        facts = {fact.display_name: fact for fact in reversed(aider_polyglot.parse(self.RUN.encode()))}

        assert facts["maker-small"].cost_usd is None
        assert facts["maker-large (high)"].cost_usd == Decimal("21.2259")

    def test_what_the_run_took_is_said_once(self) -> None:
        others = [fact for fact in aider_polyglot.parse(self.RUN.encode()) if fact.category != "overall"]

        assert {(fact.cost_usd, fact.output_tokens, fact.cases, fact.seconds_mean) for fact in others} == {(None,) * 4}

    def test_a_run_of_more_exercises_than_there_are_is_anothers(self) -> None:
        names = {fact.display_name for fact in aider_edit.parse((RECORDED / "aider-edit" / "body.yml").read_bytes())}

        assert names == {"maker-opus"}

    @pytest.mark.parametrize(
        ("old", "new", "sentence"),
        [
            ("pass_rate_2: 81.3", "pass_rate_2: 813", "not a share from 0 to 100"),
            ("pass_rate_2: 81.3", "pass_rate_2: .nan", "not a number"),
            ("date: 2025-06-25", "date: June", "not a day"),
            ("total_cost: 21.2259", "total_cost: -1", "below zero"),
            ("  edit_format: diff\n", "", "lacks its edit_format"),
            ("test_cases: 225", "test_cases: all", "not a whole number"),
            ("test_cases: 225", "test_cases: 0", "a run of nothing"),
            ("pass_rate_1: 40.0", "pass_rate_1: &a 40.0\n  pass_rate_3: *a", "repeats parts of itself"),
        ],
    )
    def test_a_broken_run_is_named(self, old: str, new: str, sentence: str) -> None:
        assert old in self.RUN
        with pytest.raises(UnreadableBody, match=sentence):
            aider_polyglot.parse(self.RUN.replace(old, new, 1).encode())


class TestBfcl:
    def test_a_cost_by_the_thousand_is_that_of_a_thousand_cases(self) -> None:
        body = (RECORDED / "bfcl" / "body.csv").read_text().replace("Total Cost ($)", "Cost ($ Per 1k Function Calls)")

        fact = bfcl.parse(body.encode())[0]

        assert (fact.cost_usd, fact.cases) == (Decimal("86.55"), 1000)

    def test_the_total_of_a_run_has_no_known_number_of_cases(self) -> None:
        fact = bfcl.parse((RECORDED / "bfcl" / "body.csv").read_bytes())[0]

        assert (fact.cost_usd, fact.cases) == (Decimal("86.55"), None)


class TestArenaTable:
    def test_the_bundled_table_is_that_of_20_october_2026(self) -> None:
        facts = arena_facts()
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
