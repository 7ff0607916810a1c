"""The house rules of docs/design.md section 3, read from the code itself."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
APPS = ("pricing", "usage", "dashboards", "config")
MAY_IMPORT = {
    "pricing": {"pricing"},
    "usage": {"usage", "pricing"},
    "dashboards": {"dashboards", "usage", "pricing"},
    "config": {"config", "dashboards", "usage", "pricing"},
}
RULES = (
    "pricing/acceptance/events.py", "pricing/acceptance/facts.py", "pricing/acceptance/grades.py",
    "pricing/acceptance/moves.py", "pricing/acceptance/spans.py", "pricing/acceptance/timeline.py",
    "pricing/bodies.py", "pricing/plausibility.py", "pricing/audit.py", "pricing/cost.py",
    "pricing/frontier/curve.py", "pricing/frontier/mix.py", "pricing/frontier/offers.py", "pricing/frontier/points.py",
    "pricing/frontier/selecting.py", "pricing/frontier/wanted.py",
    "pricing/constant_quality/estimates.py", "pricing/constant_quality/live_minimum.py",
    "pricing/constant_quality/observations.py", "pricing/constant_quality/reading.py",
    "pricing/constant_quality/published.py", "pricing/constant_quality/reasoning.py",
    "pricing/constant_quality/record_low.py", "pricing/constant_quality/regression.py",
    "pricing/constant_quality/survival.py", "pricing/convergence.py",
    "pricing/constant_quality/sellers.py", "pricing/constant_quality/student.py",
    "pricing/matching/__init__.py", "pricing/matching/bedrock.py", "pricing/matching/dates.py",
    "pricing/matching/spellings.py", "pricing/matching/weights.py",
    "pricing/ladder.py", "pricing/long_prompts.py", "pricing/noninferiority.py", "pricing/repriced.py",
    "pricing/self_hosting.py",
    "pricing/exports/litellm/entries.py", "pricing/exports/litellm/hours.py", "pricing/exports/litellm/mapping.py",
    "pricing/exports/litellm/names.py", "pricing/exports/litellm/reading.py", "pricing/exports/litellm/sold.py",
    "pricing/providers.py", "pricing/schedules.py", "pricing/units.py", "usage/attribution.py",
    "usage/content.py", "usage/patterns.py", "usage/pulling/windows.py", "usage/rule_terms.py",
    "usage/bands.py", "usage/baskets.py", "usage/bridge.py", "usage/commitments.py", "usage/contract_terms.py",
    "usage/fixed_costs.py", "usage/forecast.py", "usage/observed/slicing.py", "usage/pacing.py",
    "usage/recommending/choosing.py", "usage/recommending/sieving.py", "usage/recommending/telling.py",
    "usage/recommending/waiting.py",
    "usage/counterfactual.py", "dashboards/proposing.py",
    "dashboards/formatting.py", "dashboards/alerts/facts.py", "dashboards/alerts/words.py",
    "dashboards/pages/alert_list.py", "dashboards/webhooks/payload.py",
)  # fmt: skip
"""Pure modules: plain values in, plain values out."""

LINES = 420
"""A module past about 400 lines becomes a package named by subject."""


def modules(*apps: str) -> Iterator[Path]:
    for app in apps:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


@pytest.mark.parametrize("app", APPS)
def test_imports_go_down_only(app):
    upward = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(app)
        for name in imports(path)
        if name.split(".")[0] in APPS and name.split(".")[0] not in MAY_IMPORT[app]
    ]
    assert upward == []


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_knows_no_database(rule):
    reached = [name for name in imports(ROOT / rule) if name.split(".")[0] == "django" or name.endswith(".models")]
    assert reached == []


@pytest.mark.parametrize(
    "folder",
    ["pricing/sources", "pricing/benchmarks", "usage/importers", "usage/evaluation_formats", "usage/pulling/apis"],
)
def test_a_plug_in_touches_no_database(folder):
    reached = [
        f"{path.name} imports {name}"
        for path in (ROOT / folder).glob("*.py")
        for name in imports(path)
        if name.split(".")[0] == "django" or name.endswith((".models", ".catalog", ".ingest"))
    ]
    assert reached == []


def test_no_module_outgrows_its_room():
    long = [f"{p.relative_to(ROOT)}: {n}" for p in modules(*APPS) if (n := len(p.read_text().splitlines())) > LINES]
    assert long == []


def test_rooms_are_named_by_subject():
    vague = {"utils", "helpers", "services", "manager", "managers", "misc", "common"}
    assert [str(p.relative_to(ROOT)) for p in modules(*APPS) if p.stem in vague or p.parent.name in vague] == []


MONEY = (
    "pricing/acceptance", "pricing/cost.py", "pricing/ratecards.py", "pricing/catalog", "usage/contract_terms.py",
    "pricing/ladder.py", "pricing/self_hosting.py", "usage/baskets.py", "usage/contract_cards.py",
    "usage/budgets.py", "usage/budget_spend.py", "usage/forecast.py", "usage/pacing.py",
    "usage/ingest/writing.py",
    "usage/rating.py", "usage/rollups.py",
)  # fmt: skip


def test_no_float_in_code_that_handles_money():
    found = []
    for place in MONEY:
        path = ROOT / place
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                is_float = isinstance(node, ast.Constant) and isinstance(node.value, float)
                if is_float or (isinstance(node, ast.Name) and node.id == "float"):
                    found.append(f"{file.relative_to(ROOT)}:{node.lineno}")
    assert found == []


def test_templates_carry_no_inline_style_or_script():
    wrong = []
    for path in sorted((ROOT / "templates").rglob("*.html")):
        if "emails" in path.parts:
            continue
        text = path.read_text()
        if re.search(r"\sstyle=|\son\w+=\"|<style|<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")", text):
            wrong.append(str(path.relative_to(ROOT)))
    assert wrong == []


def test_every_migration_is_reversible_or_says_why_not():
    silent = [
        str(path.relative_to(ROOT))
        for app in APPS
        for path in (ROOT / app).glob("migrations/0*.py")
        if re.search(r"RunSQL\(|RunPython\(", path.read_text())
        and not re.search(r"reverse_sql|reverse_code|noop|, *\w+\)|irreversible", path.read_text())
    ]
    assert silent == []
