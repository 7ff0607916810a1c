"""What an import on the command line may be told beside its files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.usage.factories import make_organisation
from usage.models import ColumnMapping, UsageRecord

pytestmark = pytest.mark.django_db
USAGE = {"model": "gpt-5", "usage": {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}}


@pytest.fixture
def body(tmp_path: Path) -> Path:
    path = tmp_path / "responses.jsonl"
    path.write_text(json.dumps(USAGE) + "\n")
    return path


def test_a_setting_of_an_importer_needs_no_file(body: Path) -> None:
    make_organisation()
    call_command("import_usage", "responses", str(body), "--scope", "s", "--with", "occurred_at=2026-08-15T00:00:00Z")
    assert [f"{when:%Y-%m-%d}" for when in UsageRecord.objects.values_list("occurred_at", flat=True)] == ["2026-08-15"]


def test_a_setting_without_a_value_or_beside_a_saved_mapping_is_refused_in_a_sentence(body: Path) -> None:
    ColumnMapping.objects.create(organisation=make_organisation(), name="ours", spec={})
    with pytest.raises(CommandError, match="write it as NAME=VALUE"):
        call_command("import_usage", "responses", str(body), "--scope", "s", "--with", "nonsense")
    with pytest.raises(CommandError, match="A saved mapping stays as it is"):
        call_command("import_usage", "csv", str(body), "--scope", "s", "--mapping", "ours", "--with", "a=b")
