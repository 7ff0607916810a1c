"""Which model a name is: every line of every map, held against the tables that ship and the catalogue."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from pricing import catalog
from pricing.benchmarks import NamedModel, ScoreFact, arena, benchmarks, read_map
from pricing.matching import normal
from pricing.models import LanguageModel
from pricing.quality import model_key
from tests.pricing.quality_cases import SHIPPED, bundled

# Publishers' words for makers that the catalogue calls otherwise; every other one has one name in both.
MAKERS = {
    "zhipu": "zai", "zhipu ai": "zai", "nous": "nousresearch", "01 ai": "01-ai", "ai21 labs": "ai21",
    "huggingface": "huggingfaceh4", "together ai": "together", "upstage ai": "upstage", "mistral ai": "mistral",
    "qwen": "alibaba", "moonshotai": "moonshot",
}  # fmt: skip
# Filed under the maker of the weights they were trained from, under a host, or under `other`.
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
# The catalogue has a model of this name, and which weights were rated is not known, or it is another's name.
AMBIGUOUS = {
    "Command R", "DeepSeek-V4-Flash", "DeepSeek-V4-Pro", "GPT-3.5 Turbo", "GPT-4", "Gemini Pro", "Grok-2", "Yi-large",
    "command-r-plus", "deepseek-v4-flash", "deepseek-v4-pro", "gemini-2.0-flash-exp",
}  # fmt: skip
MAPS = sorted({module.MAP for module in benchmarks().values()})
SHIPPED_MAPS = sorted({benchmarks()[slug].MAP for slug in SHIPPED})


def facts_of(table: str) -> list[ScoreFact]:
    modules = [module for module in benchmarks().values() if table == module.MAP]
    return [fact for module in modules for _, facts in bundled(module) for fact in facts]


def lines_of(table: str) -> dict[str, NamedModel]:
    return read_map(next(module for module in benchmarks().values() if table == module.MAP))


def point(fact: ScoreFact, line: NamedModel) -> tuple[str, str, str, str]:
    return fact.category, model_key(line.model), line.effort, fact.setting


class TestEveryMap:
    @pytest.mark.parametrize("table", SHIPPED_MAPS)
    def test_every_name_of_what_ships_was_decided_and_no_other(self, table: str) -> None:
        assert set(lines_of(table)) == {fact.display_name for fact in facts_of(table)}

    @pytest.mark.parametrize("table", SHIPPED_MAPS)
    def test_a_line_names_what_the_publisher_calls_it(self, table: str) -> None:
        published = {(fact.raw_name, fact.display_name) for fact in facts_of(table)}

        assert {(line.raw_name, line.display_name) for line in lines_of(table).values()} <= published

    @pytest.mark.parametrize("table", MAPS)
    def test_a_name_without_a_model_says_why(self, table: str) -> None:
        assert [name for name, line in lines_of(table).items() if not line.model and not line.note] == []

    @pytest.mark.parametrize("table", MAPS)
    def test_no_line_maps_across_makers(self, table: str) -> None:
        """Where the publisher files a name under a maker it is that one; else the name starts as the model's does.

        Perhaps after its maker's name or its family's.
        """
        for line in lines_of(table).values():
            maker, name = line.model.split("/", 1) if line.model else ("", "")
            filed, slash, _ = line.raw_name.partition(" / ")
            if not line.model:
                continue
            if slash:
                filed = FILED_ELSEWHERE.get(line.raw_name) or MAKERS.get(filed.lower(), filed.lower())
                assert filed.removesuffix(" for ai") == maker, line
            else:
                said = re.findall(r"[a-z]+", normal(line.display_name.rpartition("/")[2]))
                assert any(part in normal(name) for part in said[:2]), line

    @pytest.mark.parametrize("slug", SHIPPED)
    def test_no_category_has_two_points_of_one_model_and_effort(self, slug: str) -> None:
        module = benchmarks()[slug]
        named = read_map(module)
        for _, facts in bundled(module):
            lines = [(fact, named[fact.display_name]) for fact in facts]
            # A newer run of one name and setting stands for the older.
            points = Counter({(point(fact, line), fact.display_name) for fact, line in lines if line.model})
            counted = Counter(found for found, _ in points)
            assert [found for found, count in counted.items() if count > 1] == []

    @pytest.mark.parametrize("table", MAPS)
    def test_an_effort_is_written_one_way(self, table: str) -> None:
        efforts = {line.effort for line in lines_of(table).values()}

        assert {effort for effort in efforts if effort != effort.lower().strip() or len(effort) > 40} == set()


class TestArenaMap:
    def test_dated_snapshots_stay_apart(self) -> None:
        named = lines_of(arena.MAP)

        assert named["GPT-4o (2024-05-13)"].model == "openai/gpt-4o-2024-05-13"
        assert named["GPT-4o (2024-08-06)"].model == "openai/gpt-4o-2024-08-06"
        assert named["ChatGPT-4o Latest (20250326)"].model == "openai/chatgpt-4o-latest"
        assert named["DeepSeek-V4.1-Flash-20260910 (Max)"].model != named["DeepSeek-V4.1-Flash-20261017 (Max)"].model

    def test_a_preview_is_not_the_release_it_preceded(self) -> None:
        named = lines_of(arena.MAP)

        assert named["Qwen3-Max-Preview"].model != named["Qwen3-Max (2025-09-23)"].model
        assert named["Grok 3 Preview (02-24)"].model == ""
        assert named["MiniMax-M2.1 Preview"].model == ""

    def test_a_name_twice_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "twice.csv").write_text("raw_name,display_name,model,effort,note\na,A,m,,\na,A,n,,\n")
        monkeypatch.setattr("pricing.benchmarks.TABLES", tmp_path)
        monkeypatch.setattr(arena, "MAP", "twice.csv")

        with pytest.raises(ValueError, match="names 'A' twice"):
            read_map(benchmarks()["arena"])


@pytest.fixture(scope="module")
def catalogue_keys(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> set[str]:
    """The identities of the models in the bundled catalogue, which is gone again afterwards."""
    with django_db_blocker.unblock(), transaction.atomic():
        catalog.load_bundled()
        keys = set(LanguageModel.objects.values_list("key", flat=True))
        transaction.set_rollback(True)
    return keys


@pytest.mark.django_db
class TestAgainstTheCatalogue:
    @pytest.mark.parametrize("table", MAPS)
    def test_every_mapped_model_is_in_the_bundled_catalogue(self, table: str, catalogue_keys: set[str]) -> None:
        models = {line.model for line in lines_of(table).values() if line.model}

        assert {model for model in models if model_key(model) not in catalogue_keys} == set()

    @pytest.mark.parametrize("table", MAPS)
    def test_what_is_said_to_be_missing_is(self, table: str, catalogue_keys: set[str]) -> None:
        """A name left empty is not, letter for letter, a model of the catalogue."""
        empty = [line for line in lines_of(table).values() if not line.model]
        here = {key.partition("/")[2] for key in catalogue_keys}

        assert {line.display_name for line in empty if normal(line.display_name) in here} <= AMBIGUOUS

    @pytest.mark.parametrize(
        ("slug", "category", "matched", "names"),
        [("arena", "overall", 220, 245), ("aider-polyglot", "overall", 52, 68), ("bfcl", "overall", 75, 109)],
    )
    def test_most_of_the_newest_table_is_matched(self, slug: str, category: str, matched: int, names: int) -> None:
        module = benchmarks()[slug]
        named = read_map(module)
        _, facts = max(bundled(module))
        models = {fact.display_name: named[fact.display_name].model for fact in facts if fact.category == category}

        assert len(models) == names
        assert sum(map(bool, models.values())) >= matched

    def test_the_document_says_how_much_is_known(self) -> None:
        text = (Path(__file__).resolve().parents[2] / "docs" / "quality.md").read_text()
        stated = re.findall(r"^\| `([a-z-]+)`(?: of ([0-9-]{10}))? \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", text, re.M)

        assert len(stated) == 4
        for slug, day, *counts in stated:
            module = benchmarks()[slug]
            tables = dict(bundled(module))
            facts = tables[date.fromisoformat(day) if day else max(tables)]
            names = {fact.display_name for fact in facts if fact.category == "overall"}
            lines = [read_map(module).get(name) for name in names]
            models = sum(bool(line and line.model) for line in lines)
            known = [len(names), models, sum(line is not None for line in lines) - models, lines.count(None)]
            assert [int(count) for count in counts] == known, slug

    def test_the_best_twenty_of_august_2025_are_matched_but_for_what_nobody_sold(self) -> None:
        facts = dict(bundled(benchmarks()["arena"]))[date(2025, 8, 1)]
        best = sorted(facts, key=lambda fact: -fact.value)[:20]
        named = lines_of(arena.MAP)

        assert {fact.display_name for fact in best if not named[fact.display_name].model} == {
            "Grok-3-Preview-02-24", "Hunyuan-Turbos-20250416",
        }  # fmt: skip
