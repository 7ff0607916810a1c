"""Imports that are interrupted, repeated, corrected, or fed with what is no usage at all."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction

from pricing.models import RateCard
from tests.usage.conftest import ImportFacts
from tests.usage.factories import adds_up, at, make_card, make_fact, make_offering, make_organisation
from usage import ingest, partitions
from usage.importers import Outcome, langfuse
from usage.importers._json import Unreadable
from usage.ingest import running
from usage.ingest.merging import EDGE
from usage.ingest.windows import withdraw
from usage.models import ImportBatch, Organisation, SupersededRecord, UsageRecord
from usage.rerating import rerate
from usage.tasks import import_chunk
from usage.verification import checks

pytestmark = pytest.mark.django_db
Ledger = Callable[[Organisation], list[tuple[object, ...]]]


def transcript(key: str, when: str = "2026-03-10T12:00:00Z", **usage: int) -> dict[str, Any]:
    counts = {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
    message = {"id": key, "model": "claude-x", "role": "assistant", "usage": counts | usage}
    return {"type": "assistant", "timestamp": when, "message": message, "cwd": "/srv/shop", "sessionId": "s"}


def jsonl(path: Path, count: int) -> Path:
    path.write_text("".join(json.dumps(transcript(f"msg_{n:05d}")) + "\n" for n in range(count)))
    return path


@pytest.mark.django_db(transaction=True)
def test_an_import_killed_between_chunks_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ledger: Ledger
) -> None:
    organisation, undisturbed = make_organisation(), make_organisation()
    make_card(make_offering("claude-x", "anthropic"))
    path = jsonl(tmp_path / "a.jsonl", 50)
    monkeypatch.setattr(running.advance, "__defaults__", (None, 7))
    expected = ingest.import_paths(undisturbed, "claude_code", [path], "laptop")
    write, written = running.write, []

    def killed(*args: Any) -> Any:
        if len(written) == 3:
            raise KeyboardInterrupt
        written.append(write(*args))
        return written[-1]

    with monkeypatch.context() as patch:
        patch.setattr(running, "write", killed)
        patch.setattr("usage.tasks.import_chunk.delay", lambda _: None)
        batch = ingest.start_paths(organisation, "claude_code", [path], "laptop")
        with pytest.raises(KeyboardInterrupt):
            import_chunk(batch.pk)
    batch.refresh_from_db()
    assert (batch.status, batch.lines, batch.checkpoint["line"]) == ("running", 21, 21)
    import_chunk(batch.pk)
    import_chunk(batch.pk)  # delivered twice
    batch.refresh_from_db()
    counts = ("status", "lines", "imported", "updated", "duplicate", "unpriced", "unattributed")
    assert [getattr(batch, name) for name in counts] == [getattr(expected, name) for name in counts]
    assert ledger(organisation) == ledger(undisturbed)
    assert not list(checks())


def test_a_chunk_another_worker_has_written_is_not_written_again(tmp_path: Path, organisation: Organisation) -> None:
    batch = ingest.import_paths(organisation, "claude_code", [jsonl(tmp_path / "a.jsonl", 3)], "laptop")
    ImportBatch.objects.filter(pk=batch.pk).update(status="running")
    stale = ImportBatch.objects.get(pk=batch.pk)
    stale.checkpoint = {}
    running.advance(stale)
    batch.refresh_from_db()
    assert (batch.lines, batch.imported, UsageRecord.objects.count()) == (3, 3, 3)


@pytest.mark.parametrize(
    ("early", "late", "rows"),
    [
        ("2026-03-31 23:59:59.999999", "2026-04-01 00:00", 1),
        ("2026-03-29 00:00", "2026-04-03 23:59", 1),
        ("2026-03-28 23:59", "2026-04-01 00:00", 2),  # further than 72 h from the edge
        ("2026-03-01 00:00", "2026-03-31 23:59", 1),
    ],
)
def test_a_key_is_one_record_across_a_months_edge(early: str, late: str, rows: int, import_facts: ImportFacts) -> None:
    for times in ((early, late), (late, early)):
        organisation = make_organisation()
        for time in times:
            import_facts([make_fact("same", time)], into=organisation)
        kept = sorted(UsageRecord.objects.filter(organisation=organisation).values_list("occurred_at", flat=True))
        assert kept == [at(early), at(late)][:rows]
    assert timedelta(hours=72) == EDGE


def test_a_better_copy_replaces_an_earlier_batchs_and_leaves_a_trace(import_facts: ImportFacts) -> None:
    make_card(make_offering())
    import_facts([make_fact("a", rank=(1,), out_total=5)])
    better = import_facts([make_fact("a", rank=(2,), out_total=9), make_fact("a", rank=(0,))])
    assert (better.imported, better.updated, better.duplicate) == (0, 1, 1)
    record = UsageRecord.objects.get()
    assert (record.out_total, record.revision) == (9, 2)
    assert SupersededRecord.objects.get().row["out_total"] == 5
    assert not list(checks())


WINDOW = (at("2026-03-01 00:00"), at("2026-04-01 00:00"))


def test_a_complete_window_withdraws_whatever_it_does_not_confirm(import_facts: ImportFacts) -> None:
    make_card(make_offering())
    import_facts(
        [make_fact("a"), make_fact("b"), make_fact("old", "2026-02-27 00:00")], mode="replace_window", window=WINDOW
    )
    regrouped = [make_fact("x", in_uncached=2_000), make_fact("y", "2026-03-11 00:00")]
    batch = import_facts(regrouped, mode="replace_window", window=WINDOW)
    assert (batch.status, batch.imported, batch.withdrawn) == ("done", 2, 2)
    assert set(UsageRecord.objects.values_list("record_key", flat=True)) == {"x", "y", "old"}
    assert not list(checks())


def test_half_a_response_withdraws_nothing(import_facts: ImportFacts) -> None:
    import_facts([make_fact(str(n)) for n in range(5)], mode="replace_window", window=WINDOW)
    batch = import_facts([make_fact("0"), make_fact("1")], mode="replace_window", window=WINDOW)
    assert (batch.status, batch.withdrawn) == ("held", 0)
    assert "less than half" in batch.error
    assert UsageRecord.objects.count() == 5


def test_a_row_that_is_put_back_costs_what_it_would_if_it_came_now(
    import_facts: ImportFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_card(make_offering())
    facts = [make_fact(str(n), out_total=100) for n in range(5)]
    import_facts(facts, mode="replace_window", window=WINDOW)

    def withdraw_later(batch: ImportBatch, windows: Any) -> str:
        RateCard.objects.update(output=Decimal("0.5"))
        rerate(batch.organisation)
        return withdraw(batch, windows)

    monkeypatch.setattr("usage.ingest.running.withdraw", withdraw_later)
    held = import_facts(
        [make_fact("0", out_total=9), make_fact("1", out_total=9)], mode="replace_window", window=WINDOW
    )
    rows = UsageRecord.objects.values_list("out_total", "list_cost")
    assert (held.status, len(rows), len(set(rows))) == ("held", 5, 1)
    assert (rerate(held.organisation).changed, list(checks())) == (0, [])


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize(
    ("first", "second", "third"),
    [
        ("2026-03-10T12:00", "2026-03-10T12:00", "2026-03-11T12:00"),  # in one month at another time
        ("2026-03-31T23:00", "2026-04-01T01:00", "2026-04-01T02:00"),  # across the edge of two
        ("2026-03-31T23:00", "2026-04-01T01:00", "2026-03-31T22:00"),
    ],
)
def test_a_held_import_leaves_what_another_said_while_it_was_read(
    organisation: Organisation, tmp_path: Path, first: str, second: str, third: str, twice: bool
) -> None:
    """Also where the held one goes on to replace that too (`twice`)."""
    mapping = {
        "columns": {"id": "id", "time": "time", "model": "model", "output": "output"},
        "grain": "request",
        "window": {"from": "2026-03-01", "until": "2026-04-15"},
    }

    def opened(name: str, *rows: str) -> ImportBatch:
        (tmp_path / name).write_text("\n".join(("id,time,model,output", *rows, "")))
        return ingest.open_batch(organisation, "csv", [tmp_path / name], "gateway", mapping)

    ingest.advance(opened("a.csv", f"k,{first},m,10", "other,2026-03-05T00:00,m,7"))
    again = [f"k,{second},m,30"] if twice else []
    held = opened("b.csv", f"k,{second},m,20", *again, "broken,no time,m,1")
    ingest.advance(held, 0, 2)  # the header and the first row
    ingest.advance(opened("c.csv", f"k,{third},m,15", "other,2026-03-05T00:00,m,8"))
    ingest.advance(held)
    assert (held.status, adds_up(held)) == ("held", True)
    rows = UsageRecord.objects.values_list("record_key", "occurred_at", "out_total")
    assert sorted(rows) == [("k", at(third), 15), ("other", at("2026-03-05 00:00"), 8)]
    assert not list(checks())


def test_a_later_file_corrects_a_bucket(import_facts: ImportFacts) -> None:
    import_facts([make_fact("a", out_total=100)], mode="replace_window", window=WINDOW)
    batch = import_facts([make_fact("a", out_total=90)], mode="replace_window", window=WINDOW)
    assert (batch.updated, UsageRecord.objects.get().out_total) == (1, 90)
    assert not list(checks())


@pytest.mark.parametrize(
    ("body", "lines", "reasons"),
    [
        (b"\x00\xff\xfe binary \x00\n\x89PNG\r\n", 2, 2),
        (b'{"type":"assistant","message":{"id":"a"', 1, 1),
        (json.dumps(transcript("a", input_tokens=-5)).encode() + b"\n", 1, 1),
        (json.dumps(transcript("a\x00b")).encode() + b"\nlast line without its end", 2, 1),
        (json.dumps(transcript("a", input_tokens=10**30)).encode(), 1, 1),
    ],
)
def test_what_cannot_be_read_is_rejected_line_by_line(
    body: bytes, lines: int, reasons: int, tmp_path: Path, organisation: Organisation
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(body)
    batch = ingest.import_paths(organisation, "claude_code", [path], "laptop")
    assert (batch.status, batch.lines, sum(batch.rejected.values())) == ("done", lines, reasons)
    assert adds_up(batch)


def test_rejected_lines_of_an_importer_without_columns_are_read_once_it_understands_them(
    tmp_path: Path, organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept of them is no line, so the file is read again: all else of it is there already."""
    usages = [{"input": 10, "output": 5}, {"input": 7, "output": 3, "input_of_next_year": 4}]
    rows = [
        {"id": f"obs-{n}", "projectId": "p", "type": "GENERATION", "startTime": "2026-03-10T12:00:00Z",
         "providedModelName": "claude-x", "usageDetails": usage}
        for n, usage in enumerate(usages)
    ]  # fmt: skip
    path = tmp_path / "observations.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    outcome = langfuse._outcome

    def of_last_year(line: int, record: dict[str, Any], metadata: frozenset[str]) -> Outcome:
        if "input_of_next_year" in record["usageDetails"]:
            raise Unreadable("a count of a kind that is not known")
        return outcome(line, record, metadata)

    with monkeypatch.context() as patch:
        patch.setattr(langfuse, "_outcome", of_last_year)
        before = ingest.import_paths(organisation, "langfuse", [path], "cloud")
    [row] = before.rejected_rows.values_list("origin", "line", "reason")
    assert row == ("observations.jsonl", 2, "a count of a kind that is not known")
    assert ingest.may_be_read_again(before)
    again = ingest.read_again(before)
    ingest.advance(again)
    assert (again.status, again.imported, again.duplicate, again.rejected) == ("done", 1, 1, {})
    inputs = UsageRecord.objects.filter(organisation=organisation).values_list("in_uncached", flat=True)
    assert sorted(count or 0 for count in inputs) == [10, 11]


def test_an_empty_file_fails_with_a_sentence(tmp_path: Path, organisation: Organisation) -> None:
    (tmp_path / "a.jsonl").touch()
    batch = ingest.import_paths(organisation, "claude_code", [tmp_path / "a.jsonl"], "laptop")
    assert (batch.status, batch.error) == ("failed", "The file is empty.")


def test_a_line_that_is_too_long_is_one_rejected_line(
    tmp_path: Path, organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("usage.ingest.reading.LONGEST_LINE", 1_000)
    path = tmp_path / "a.jsonl"
    good = json.dumps(transcript("a"))
    path.write_text(f"{good}\n{'x' * 5_000}\n{good.replace('msg', 'other')}\n{'y' * 2_000}")
    batch = ingest.import_paths(organisation, "claude_code", [path], "laptop")
    assert (batch.lines, batch.imported + batch.duplicate, sum(batch.rejected.values())) == (4, 2, 2)
    assert list(batch.rejected_rows.values_list("line", flat=True).order_by("line")) == [2, 4]


def test_gzip_is_read_and_a_damaged_one_keeps_what_came_before(tmp_path: Path, organisation: Organisation) -> None:
    packed = gzip.compress(jsonl(tmp_path / "a.txt", 4_000).read_bytes())
    whole, cut = tmp_path / "whole.jsonl.gz", tmp_path / "cut.jsonl.gz"
    whole.write_bytes(packed)
    cut.write_bytes(packed[: len(packed) * 2 // 3])
    assert ingest.import_paths(organisation, "claude_code", [whole], "one").imported == 4_000
    batch = ingest.import_paths(organisation, "claude_code", [cut], "two")
    assert 0 < batch.imported < 4_000
    assert "the compressed file is damaged from here on" in batch.rejected
    assert adds_up(batch)


def test_a_dry_run_counts_and_changes_nothing(tmp_path: Path, organisation: Organisation) -> None:
    batch = ingest.import_paths(organisation, "claude_code", [jsonl(tmp_path / "a.jsonl", 3)], "laptop", dry_run=True)
    assert (batch.imported, UsageRecord.objects.count(), ImportBatch.objects.count()) == (3, 0, 0)


def test_an_upload_is_imported_and_not_kept(
    tmp_path: Path, organisation: Organisation, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.DATA_DIR = tmp_path
    body = gzip.compress(jsonl(tmp_path / "a.txt", 3).read_bytes())
    with django_capture_on_commit_callbacks(execute=True):
        batch = ingest.start_upload(organisation, "claude_code", SimpleUploadedFile("../a.jsonl.gz", body), "laptop")
    batch.refresh_from_db()
    assert (batch.status, batch.imported, list((tmp_path / "uploads").iterdir())) == ("done", 3, [])


@pytest.mark.parametrize(
    ("name", "body", "sentence"),
    [
        ("a.jsonl", b"", "empty"),
        ("a.jsonl", b"x" * 2_000, "larger than"),
        ("a.gz", gzip.compress(b"\0" * (100 << 20), mtime=0)[:1_000_000], "larger than"),
        ("a.zip", b"PK\x03\x04....", "zip"),
        ("a.gz", gzip.compress(b"some lines\n" * 9, mtime=0)[:-9], "cut off"),
    ],
)
def test_an_upload_that_cannot_be_is_refused_with_a_sentence(
    name: str, body: bytes, sentence: str, tmp_path: Path, organisation: Organisation, settings: Any
) -> None:
    settings.DATA_DIR, settings.MAX_UPLOAD = tmp_path, 1_000
    with pytest.raises(ingest.Refused, match=sentence):
        ingest.start_upload(organisation, "claude_code", SimpleUploadedFile(name, body), "laptop")
    assert list((tmp_path / "uploads").iterdir()) == []


def test_a_table_without_a_mapped_column_is_refused_by_its_name(tmp_path: Path, organisation: Organisation) -> None:
    path = tmp_path / "a.csv"
    path.write_text("date,model,in\n2026-03-01,model-a,5\n")
    spec = {"columns": {"time": "date", "model": "model", "input": "input_tokens"}, "grain": "1d"}
    batch = ingest.import_paths(organisation, "csv", [path], "export", spec)
    assert batch.status == "failed"
    assert "input_tokens" in batch.error


@pytest.mark.parametrize(
    "values",
    [
        {"out_reasoning": 9},
        {"in_uncached": -1},
        {"cache_write_5m": 3},
        {"list_cost": 1},
        {"unpriced_reason": None},
    ],
)
def test_the_database_refuses_a_record_that_cannot_be(values: dict[str, Any], import_facts: ImportFacts) -> None:
    import_facts([make_fact("a", out_total=5)])
    with pytest.raises(IntegrityError), transaction.atomic():
        UsageRecord.objects.update(**values)


def test_the_database_refuses_a_key_twice_in_a_month_whatever_the_time(import_facts: ImportFacts) -> None:
    import_facts([make_fact("a"), make_fact("b", "2026-03-20 00:00")])
    with pytest.raises(IntegrityError), transaction.atomic():
        UsageRecord.objects.filter(record_key="b").update(record_key="a")


def test_a_partition_is_made_once_for_each_month_with_usage(organisation: Organisation) -> None:
    partitions.ensure(at("2031-11-30 23:59"), at("2032-01-01 00:00"))
    partitions.ensure(at("2031-12-01 00:00"), at("2031-12-31 00:00"))
    made = {name for name in partitions.existing() if "y2031" in name or "y2032" in name}
    assert made == {f"usage_usagerecord_{month}" for month in ("y2031m11", "y2031m12", "y2032m01")}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE tablename = 'usage_usagerecord_y2031m12'")
        # Its rows' own, that of a key, and the ledger's of flagged rows and of months told in one sum.
        assert cursor.fetchone() == (4,)
