"""The documentation is complete: every command and option, every setting, every address of the API."""

from __future__ import annotations

import re
from argparse import Action
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import find_commands, load_command_class
from django.core.management.base import BaseCommand

from config.api import api

ROOT = Path(__file__).resolve().parent.parent
OWN = ("config", "pricing", "usage", "dashboards")
DOCS = {path.name: path.read_text("utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
PYTHON = [path for app in OWN for path in sorted((ROOT / app).rglob("*.py"))]
READS = re.compile(r"""\benvironment\.(?:text|boolean|integer|size|names|url)\(\s*"([A-Z_]+)\"""")
DEFAULTS = re.compile(r"""def \w+\([^)]*\bname: str = "([A-Z_]+)\"""")
NAMED = re.compile(r"\bRATECARD_[A-Z_]*[A-Z]\b")


def commands() -> dict[str, BaseCommand]:
    found = {}
    for app in OWN:
        folder = Path(apps.get_app_config(app).path) / "management"
        for name in find_commands(str(folder)):
            found[name] = load_command_class(app, name)
    return found


def own_actions(command: BaseCommand) -> list[Action]:
    """What the command itself adds, without what every Django command takes."""
    everybodys = {action.dest for action in BaseCommand().create_parser("manage.py", "x")._actions}
    actions = command.create_parser("manage.py", "x")._actions
    return [action for action in actions if action.dest not in everybodys]


def section(name: str) -> str:
    found = re.search(rf"^### `{name}\b.*?(?=^##|\Z)", DOCS["commands.md"], re.MULTILINE | re.DOTALL)
    assert found, f"docs/commands.md has no section ### `{name}`"
    return found[0]


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_and_each_of_its_options_is_documented(name: str) -> None:
    text = section(name)
    command = commands()[name]
    options = [option for action in own_actions(command) for option in action.option_strings]
    assert [option for option in options if not re.search(rf"`{option}\b", text)] == []
    choices = [one for action in own_actions(command) if not action.option_strings for one in action.choices or ()]
    assert [choice for choice in choices if choice not in text and choice not in DOCS["importers.md"]] == []
    assert command.help or import_module(type(command).__module__).__doc__


def test_no_command_is_documented_that_does_not_exist() -> None:
    told = set(re.findall(r"^### `(\w+)", DOCS["commands.md"], re.MULTILINE))
    assert told - set(commands()) == set()


def settings_read() -> set[str]:
    """Every RATECARD_ variable the code reads."""
    found = set()
    for path in PYTHON:
        text = path.read_text("utf-8")
        found |= {f"RATECARD_{name}" for name in READS.findall(text)}
        if path.name == "environment.py":
            found |= {f"RATECARD_{name}" for name in DEFAULTS.findall(text)}
        if path.name not in ("settings_tests.py", "environment.py"):
            found |= set(NAMED.findall(text))
    return found


def test_the_settings_are_found() -> None:
    expected = {"RATECARD_DATABASE_URL", "RATECARD_SECRET_KEY", "RATECARD_PUBLIC_CATALOG", "RATECARD_EMAIL_URL"}
    assert expected <= settings_read()


@pytest.mark.parametrize("name", sorted(settings_read()))
def test_every_setting_is_documented(name: str) -> None:
    assert [page for page, text in DOCS.items() if re.search(rf"\b{name}\b", text)]


def test_every_setting_the_documentation_names_exists() -> None:
    told = set(NAMED.findall("\n".join(DOCS[page] for page in DOCS if page != "design.md")))
    assert told - settings_read() - {"RATECARD_CHROMIUM"} == set()  # read by the tests alone


def addresses() -> list[str]:
    return sorted(api.get_openapi_schema(path_prefix="/api/v1/")["paths"])


@pytest.mark.parametrize("address", [*addresses(), "/api/v1/openapi.json", "/healthz", "/readyz"])
def test_every_address_is_documented(address: str) -> None:
    assert re.search(rf"{re.escape(address)}(?![\w/-])", DOCS["api.md"])


def operations() -> list[tuple[str, str]]:
    paths = api.get_openapi_schema(path_prefix="/api/v1/")["paths"]
    return sorted((address, method) for address, methods in paths.items() for method in methods)


@pytest.mark.parametrize(("address", "method"), operations())
def test_every_operation_and_its_parameters_are_documented(address: str, method: str) -> None:
    operation = api.get_openapi_schema(path_prefix="/api/v1/")["paths"][address][method]
    told = re.compile(rf"{method.upper()} {re.escape(address)}(?![\w/-])")
    row = next((line for line in DOCS["api.md"].splitlines() if told.search(line)), None)
    assert row is not None
    paged = {"limit", "cursor"}
    names = {parameter["name"] for parameter in operation["parameters"]} - paged
    assert [name for name in sorted(names) if not re.search(rf"\b{name}\b", row)] == []
