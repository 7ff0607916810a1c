"""Several workers run the tests at once: what one of them makes, no other touches."""

from __future__ import annotations

import ast
import os
from collections import defaultdict
from pathlib import Path

import pytest
from django.db import connection

from conftest import LONGEST

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.django_db
def test_the_database_is_this_processs_own() -> None:
    assert connection.settings_dict["NAME"].startswith(f"test_ratecard_{os.getpid()}")


def test_files_that_are_begun_first_exist() -> None:
    assert [name for name in LONGEST if not (ROOT / name).is_file()] == []


def test_no_picture_is_taken_by_two_files() -> None:
    """The later one would stay, and which that is depends on the workers."""
    takers: dict[str, set[str]] = defaultdict(set)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(attr="at"), args=[_, ast.Constant(value=str(name)), *_]):
                    takers[name].add(path.name)
    assert "overview" in takers
    assert {name: files for name, files in takers.items() if len(files) > 1} == {}
