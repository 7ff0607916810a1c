"""Rejected lines once more: by another mapping or corrected by hand, without the file, once each, without content."""

from __future__ import annotations

import json
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from dashboards import staging
from dashboards.models import AuditEntry
from dashboards.pages import imports as pages
from tests.dashboards.ledger_cast import HEAD, MAPPING, World, world  # noqa: F401
from usage import ingest, spending, tasks
from usage.models import ColumnMapping, ImportBatch, RejectedRow, UsageRecord

SECRET = "tell nobody"
PROMPTED = HEAD + ",prompt"
GROUPED = f'2026-11-16,alpha,k,ann,seller,model-a,"1,000,000",0,5,{SECRET}'
NEGATIVE = f"2026-11-17,alpha,=k,ann,seller,model-a,-5,1000000,1,{SECRET}"


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR = tmp_path / "data"


@pytest.fixture(autouse=True)
def worker(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    queued: list[int] = []
    monkeypatch.setattr(tasks.import_chunk, "delay", queued.append)
    return queued


@pytest.fixture(autouse=True)
def saved(world: World) -> ColumnMapping:  # noqa: F811
    return ColumnMapping.objects.create(organisation=world.organisation, name="ours", spec=MAPPING)


def latest() -> ImportBatch:
    """The newest import, finished."""
    batch = ImportBatch.objects.latest("pk")
    ingest.advance(batch)
    return batch


def sent(world: World, *rows: str, head: str = PROMPTED) -> ImportBatch:  # noqa: F811
    file = SimpleUploadedFile("usage.csv", "\n".join([head, *rows, ""]).encode())
    world.admin.post("/imports", {"importer": "csv", "scope": "new", "mapping": "ours", "file": file})
    return latest()


def mapped(spec: dict[str, Any], **more: str) -> dict[str, str]:
    """The filled form of a mapping."""
    return {"name": "ours", "import": "yes", "time_zone": "UTC", **pages.form_values(spec), **more}


def put_right(batch: ImportBatch) -> int:
    return RejectedRow.objects.filter(batch=batch).put_right().count()


def spent(world: World) -> float:  # noqa: F811
    return float(spending.report(world.organisation)["total"]["spent"])


def kept_files() -> list[Path]:
    return [path for path in staging.uploads.folder().rglob("*") if path.is_file()]


def test_another_mapping_imports_the_rejected_lines_without_the_file_and_once(world: World) -> None:  # noqa: F811
    batch, before = sent(world, GROUPED), spent(world)
    assert (sum(batch.rejected.values()), put_right(batch)) == (1, 0)
    page = world.admin.get(f"/imports/{batch.pk}/mapping").content.decode()
    assert "thousands separator" in page
    answer = world.admin.post(f"/imports/{batch.pk}/mapping", mapped(MAPPING, thousands=","))
    retry = latest()
    assert (answer.status_code, answer["Location"]) == (302, f"/imports/{retry.pk}")
    assert (retry.imported, retry.connection_id, put_right(batch)) == (1, batch.connection_id, 1)
    assert spent(world) == before + 1
    assert "<dd>1 of 1</dd>" in world.admin.get(f"/imports/{batch.pk}").content.decode()
    world.admin.post(f"/imports/{batch.pk}/retry")
    assert ImportBatch.objects.latest("pk") == retry  # there is nothing left to retry
    assert (sent(world, GROUPED).duplicate, spent(world)) == (1, before + 1)
    assert ColumnMapping.objects.get(name="ours").spec["thousands"] == ","
    actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert {"saved a column mapping", "retried rejected lines"} <= set(actions)


def test_a_retry_that_fails_again_puts_nothing_right_and_can_be_retried(world: World) -> None:  # noqa: F811
    batch = sent(world, GROUPED, NEGATIVE)
    world.admin.post(f"/imports/{batch.pk}/mapping", mapped(MAPPING, thousands=","))
    assert (latest().imported, put_right(batch)) == (1, 1)
    assert "1 of 2" in world.admin.get(f"/imports/{batch.pk}").content.decode()
    body = world.admin.get(f"/imports/{batch.pk}/rejected-lines").content.decode()
    assert body.count("\r\n") == 2  # the header and the line that is still wrong


def test_the_downloaded_lines_are_corrected_and_uploaded_in_one_step(world: World) -> None:  # noqa: F811
    batch, before = sent(world, NEGATIVE, GROUPED), spent(world)
    body = world.admin.get(f"/imports/{batch.pk}/rejected-lines").content.decode()
    assert body.startswith("rejected row,why,")
    assert "'=k" in body  # no spreadsheet takes it for a formula
    file = SimpleUploadedFile("mended.csv", body.replace("'-5", "5").encode())
    world.admin.post(f"/imports/{batch.pk}/retry", {"corrected": "yes", "file": file})
    assert (latest().imported, put_right(batch)) == (1, 1)
    assert spent(world) == before + 2.000005
    assert UsageRecord.objects.filter(dimension__ext_api_key="=k").count() == 1
    for _ in range(2):  # what was put right is not counted again
        file = SimpleUploadedFile("mended.csv", body.replace("'-5", "7").encode())
        world.admin.post(f"/imports/{batch.pk}/retry", {"corrected": "yes", "file": file})
        latest()
    assert spent(world) == before + 2.000005


def test_a_line_that_was_put_right_is_not_corrected_again(world: World, saved: ColumnMapping) -> None:  # noqa: F811
    saved.spec = MAPPING | {"columns": MAPPING["columns"] | {"id": "key"}}  # of two rows with one id the greater wins
    saved.save()
    batch = sent(world, NEGATIVE.replace("=k", "k7"))
    body = world.admin.get(f"/imports/{batch.pk}/rejected-lines").content.decode()
    for tokens in ("5", "7"):
        file = SimpleUploadedFile("mended.csv", body.replace("'-5", tokens).encode())
        world.admin.post(f"/imports/{batch.pk}/retry", {"corrected": "yes", "file": file})
        latest()
    assert UsageRecord.objects.get(record_key="k7").in_uncached == 5


def test_json_lines_are_retried_as_json_lines(world: World) -> None:  # noqa: F811
    spec = {"columns": {"time": "ts", "id": "id", "model": "model", "host": "host", "output": "usage.out"},
            "grain": "request"}  # fmt: skip
    ColumnMapping.objects.create(organisation=world.organisation, name="lines", spec=spec)
    line = {"ts": "2026-11-16T10:00:00Z", "id": "a", "model": "model-a", "host": "seller", "usage": {"out": "1,000"}}
    file = SimpleUploadedFile("log.jsonl", json.dumps(line | {"prompt": SECRET}).encode())
    world.admin.post("/imports", {"importer": "jsonl", "scope": "log", "mapping": "lines", "file": file})
    batch = latest()
    (row,) = world.admin.get(f"/imports/{batch.pk}/rejected-lines").content.decode().splitlines()
    assert json.loads(row)["usage.out"] == "1,000"
    world.admin.post(f"/imports/{batch.pk}/mapping", mapped(spec, thousands=",", name="lines"))
    assert (latest().imported, put_right(batch)) == (1, 1)


def test_nothing_of_a_line_is_kept_but_the_cells_its_mapping_names(world: World) -> None:  # noqa: F811
    batch = sent(world, GROUPED, NEGATIVE)
    body = world.admin.get(f"/imports/{batch.pk}/rejected-lines").content.decode()
    mended = body.replace("why", "prompt").replace("'-5", "5")
    file = SimpleUploadedFile("mended.csv", mended.replace("a count is negative", SECRET).encode())
    world.admin.post(f"/imports/{batch.pk}/retry", {"corrected": "yes", "file": file})
    (waiting,) = kept_files()
    assert SECRET not in waiting.read_text()
    latest()
    assert kept_files() == []
    assert SECRET not in body
    assert not RejectedRow.objects.filter(raw__contains=SECRET).exists()


def test_a_line_that_nothing_tells_from_another_row_is_left_alone(world: World) -> None:  # noqa: F811
    twin = GROUPED.replace('"1,000,000"', "700000")
    batch, before = sent(world, twin, GROUPED), spent(world)
    answer = world.admin.post(f"/imports/{batch.pk}/mapping", mapped(MAPPING, thousands=","))
    assert answer.status_code == 422
    assert "nothing tells them apart" in unescape(answer.content.decode())
    assert (ImportBatch.objects.latest("pk"), put_right(batch), spent(world)) == (batch, 0, before)
    assert "thousands" not in ColumnMapping.objects.get(name="ours").spec


def test_what_may_be_cut_off_is_not_retried_without_its_file(world: World) -> None:  # noqa: F811
    batch = sent(world, NEGATIVE.replace("=k", "k" * 60))
    page = world.admin.get(f"/imports/{batch.pk}").content.decode()
    assert 'id="retry"' not in page
    assert 'id="again"' in page
    world.admin.post(f"/imports/{batch.pk}/retry")
    assert ImportBatch.objects.latest("pk") == batch


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tags": {"say": "prompt"}}, "Nothing was kept of the column “prompt”"),
        ({"window": {"from": "2026-11-01", "until": "2026-12-01"}}, "choose the whole file again"),
    ],
)
def test_a_mapping_that_wants_more_than_was_kept_is_refused_with_a_sentence(
    world: World,  # noqa: F811
    saved: ColumnMapping,
    change: dict[str, Any],
    said: str,
) -> None:
    batch = sent(world, GROUPED)
    saved.spec = MAPPING | change
    saved.save()
    answer = world.admin.post(f"/imports/{batch.pk}/retry", follow=True)
    assert said in unescape(answer.content.decode())
    assert ImportBatch.objects.latest("pk") == batch


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00", b'rejected row,input\n1,"x\n', b"a,b\n1,2\n"])
def test_a_file_that_is_not_the_corrected_lines_is_refused_with_a_sentence(
    world: World,  # noqa: F811
    body: bytes,
) -> None:
    batch = sent(world, NEGATIVE)
    file = SimpleUploadedFile("mended.csv", body)
    answer = world.admin.post(f"/imports/{batch.pk}/retry", {"corrected": "yes", "file": file}, follow=True)
    assert answer.status_code == 200
    assert "This is not the file of rejected lines" in answer.content.decode()
    assert (ImportBatch.objects.latest("pk"), kept_files()) == (batch, [])
