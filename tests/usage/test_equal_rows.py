"""Rows without ids: whatever was rejected, retried and imported again, a file ends in the ledger as it stands."""

from __future__ import annotations

import itertools
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.usage.factories import make_organisation
from usage import ingest, tasks
from usage.ingest.retrying import retry
from usage.models import ImportBatch, Organisation, RejectedRow, UsageRecord

SPEC: dict[str, Any] = {
    "columns": {"time": "day", "model": "model", "input": "in", "output": "out", "cost": "cost"},
    "grain": "1d",
    "currency": "USD",
}
CORRECTED = {**SPEC, "thousands": ","}
COUNTS = ("0", "7", "8", "1000", '"1,000"', '"2,000"', "ten", "900000000000", '"2,000,000,000,000"')
"""A count that both mappings read, that only the corrected one does, or that neither does."""
rows = st.tuples(
    st.sampled_from(["2026-09-01", "2026-09-02"]),
    st.just("m"),
    st.sampled_from(COUNTS),
    st.sampled_from(["0", "7", "1000"]),
    st.sampled_from(["", "0.25", '"1,000.5"']),
)
IMPORT, CORRECT, RETRY = "import", "import corrected", "retry"
steps = st.lists(st.sampled_from([IMPORT, CORRECT, RETRY]), max_size=4)
quick = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
numbers = itertools.count()


def day(count: str, out: str = "0", cost: str = "") -> tuple[str, ...]:
    return ("2026-09-01", "m", count, out, cost)


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_DIR = tmp_path / "data"
    monkeypatch.setattr(tasks.import_chunk, "delay", lambda _: None)


def body(rows: list[tuple[str, ...]]) -> str:
    return "".join(",".join(row) + "\n" for row in [("day", "model", "in", "out", "cost"), *rows])


def run(organisation: Organisation, file: Path, spec: dict[str, Any]) -> ImportBatch:
    return ingest.import_paths(organisation, "csv", [file], "export", spec)


def put_right(organisation: Organisation) -> None:
    """Retry what the file's newest import rejected, by the corrected mapping."""
    batch = ImportBatch.objects.filter(organisation=organisation, uploaded=False).order_by("-pk").first()
    if batch:
        with suppress(ingest.Refused):
            ingest.advance(retry(batch, CORRECTED, "ann").batch)


def held(organisation: Organisation) -> list[tuple[object, ...]]:
    found = UsageRecord.objects.filter(organisation=organisation)
    return sorted(found.values_list("record_key", "occurred_at", "in_uncached", "out_total", "cost_reported"), key=repr)


@pytest.mark.django_db
@quick
@given(rows=st.lists(rows, min_size=1, max_size=7), before=steps, after=steps, turn=st.integers(0, 6))
@example(rows=[day('"2,000"'), day("7"), day("8")], before=[IMPORT], after=[], turn=0)
@example(rows=[day("7", "8"), day("8", "7"), day('"1,000"', "7")], before=[IMPORT], after=[IMPORT, RETRY], turn=1)
def test_any_sequence_of_import_retry_and_import_again_ends_in_what_the_file_says(
    rows: list[tuple[str, ...]], before: list[str], after: list[str], turn: int, tmp_path: Path
) -> None:
    once, often = make_organisation(), make_organisation()
    file = tmp_path / f"{next(numbers)}.csv"
    file.write_text(body(rows))
    run(once, file, CORRECTED)
    for step in [*before, CORRECT, *after]:
        file.write_text(body(rows[turn:] + rows[:turn]))
        if step == RETRY:
            put_right(often)
        else:
            run(often, file, CORRECTED if step == CORRECT else SPEC)
    assert held(often) == held(once)


@pytest.mark.django_db
def test_a_retried_row_that_says_what_another_row_of_its_file_says_is_not_taken_for_that_row(
    organisation: Organisation, tmp_path: Path
) -> None:
    file = tmp_path / "usage.csv"
    file.write_text(body([day("1000"), day('"1,000"')]))
    batch = run(organisation, file, SPEC)
    with pytest.raises(ingest.Refused, match="import their whole file"):
        retry(batch, CORRECTED, "ann")
    assert not RejectedRow.objects.filter(batch=batch).put_right().exists()
    run(organisation, file, CORRECTED)
    assert [row[2] for row in held(organisation)] == [1000, 1000]
