"""Imports by page: every bad upload gets a sentence and a 4xx, every good one a run that accounts for its lines."""

from __future__ import annotations

import gzip
import os
import re
import time
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from dashboards import access, staging
from dashboards.models import AuditEntry, Person
from dashboards.pages import imports as pages
from tests.dashboards.ledger_cast import HEAD, MAPPING, ROWS, World, world  # noqa: F401
from tests.usage.factories import make_organisation
from usage import ingest, tasks
from usage.importers.csv import validate_mapping
from usage.models import ColumnMapping, ImportBatch, Organisation, RejectedRow, UsageRecord

GOOD = ("\n".join([HEAD, "2026-11-16,alpha,k,ann,seller,model-a,1000000,0,5"]) + "\n").encode()


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR = tmp_path / "data"


@pytest.fixture(autouse=True)
def worker(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The queue: batches handed to it, in order."""
    queued: list[int] = []
    monkeypatch.setattr(tasks.import_chunk, "delay", queued.append)
    return queued


@pytest.fixture
def saved(world: World) -> ColumnMapping:  # noqa: F811
    return ColumnMapping.objects.create(organisation=world.organisation, name="ours", spec=MAPPING)


def send(world: World, body: bytes, name: str = "usage.csv", **fields: str) -> Any:  # noqa: F811
    data = {"importer": "csv", "scope": "account", "mapping": "ours", **fields}
    return world.admin.post("/imports", {**data, "file": SimpleUploadedFile(name, body)})


def sentence(answer: Any) -> str:
    found = re.search(r'<p class="hint error"[^>]*>(.*?)</p>', answer.content.decode(), re.DOTALL)
    assert found, answer.content.decode()[-2000:]
    return unescape(found[1])


def nothing_was_kept() -> bool:
    return not [path for path in staging.uploads.folder().rglob("*") if path.is_file()]


# What cannot be imported


@pytest.mark.parametrize(
    ("body", "fields", "said"),
    [
        (b"", {}, "The submitted file is empty|The file is empty."),
        (b"\x00\x01\x02\xff" * 99, {}, "not a CSV text file"),
        (b"PK\x03\x04 zip", {}, "zip archive: unpack it"),
        (gzip.compress(GOOD, mtime=0)[:-9], {}, "compressed file is cut off"),
        (GOOD.replace(b"input", b"tokens"), {}, "The file has no column “input”"),
        (b"\n\n", {}, "first line of the file is blank"),
        (GOOD, {"mapping": "theirs"}, "There is no mapping “theirs”"),
        (GOOD, {"importer": "fax"}, "There is no importer “fax”"),
        (GOOD, {"importer": "<b>x</b>"}, "There is no importer “<b>x</b>”"),
        (GOOD, {"scope": "  "}, "Say what the file speaks for"),
        (b'[{"tag": "a", "api_requests": 3, "spend": 1}]', {"importer": "litellm_spend_logs"}, "stands in it twice"),
    ],
)
def test_a_bad_upload_gets_a_sentence_and_leaves_nothing(
    world: World,  # noqa: F811
    saved: ColumnMapping,
    body: bytes,
    fields: dict[str, str],
    said: str,
) -> None:
    batches = ImportBatch.objects.count()
    answer = send(world, body, **fields)
    assert answer.status_code == 422
    assert any(part in sentence(answer) for part in said.split("|"))
    assert "<b>x</b>" not in answer.content.decode()
    assert ImportBatch.objects.count() == batches
    assert nothing_was_kept()


def test_no_file_at_all_is_asked_for(world: World) -> None:  # noqa: F811
    answer = world.admin.post("/imports", {"importer": "csv", "scope": "here"})
    assert (answer.status_code, sentence(answer)) == (422, "Choose a file to import.")


def test_an_upload_over_the_limit_is_refused_before_it_is_read(
    world: World,  # noqa: F811
    saved: ColumnMapping,
    settings: Any,
) -> None:
    settings.MAX_UPLOAD = 1 << 20

    class Unread:
        def read(self, *_: int) -> bytes:
            raise AssertionError("the body was read")

        readline = read

        readline = read

    answer = world.admin.generic(
        "POST",
        "/imports",
        b"",
        "multipart/form-data; boundary=x",
        **{"wsgi.input": Unread(), "CONTENT_LENGTH": str(9 << 20)},
    )
    assert (answer.status_code, sentence(answer)) == (
        413,
        "The file is larger than 1 MiB: split it, or set RATECARD_MAX_UPLOAD.",
    )


def test_a_file_just_over_the_limit_is_refused_while_it_is_stored(
    world: World,  # noqa: F811
    saved: ColumnMapping,
    settings: Any,
) -> None:
    settings.MAX_UPLOAD = 1000
    answer = send(world, GOOD * 20)
    assert answer.status_code == 413
    assert "larger than 1000 bytes" in sentence(answer)
    assert nothing_was_kept()


def test_an_upload_needs_its_token(world: World, saved: ColumnMapping) -> None:  # noqa: F811
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.cookies = world.admin.cookies
    answer = strict.post("/imports", {"importer": "csv", "scope": "x", "file": SimpleUploadedFile("u.csv", GOOD)})
    assert answer.status_code == 403


def test_a_viewer_looks_and_cannot_import(world: World, saved: ColumnMapping) -> None:  # noqa: F811
    charlie = Person.objects.get(email="charlie@acme.example")
    access.grant(charlie, "viewer", world.organisation)
    assert "You may look at imports" in world.charlie.get("/imports").content.decode()
    for path in ("/imports", "/imports/transcripts", "/imports/sample/remove"):
        assert world.charlie.post(path, {"importer": "csv", "scope": "x", "sure": "yes"}).status_code == 404


# What can


def test_a_good_upload_shows_a_run_that_accounts_for_every_line(
    world: World,  # noqa: F811
    saved: ColumnMapping,
    worker: list[int],
    django_capture_on_commit_callbacks: Any,
) -> None:
    body = GOOD + b"2026-11-16,alpha,k,ann,seller,model-a,-5,0,1\n" + b"2026-11-17,beta,k,,seller,mystery,7,0,1\n"
    with django_capture_on_commit_callbacks(execute=True):
        answer = send(world, body, name="<script>.csv", scope="a new account")
    batch = ImportBatch.objects.latest("pk")
    assert (answer.status_code, answer["Location"], worker) == (302, f"/imports/{batch.pk}", [batch.pk])
    waiting = world.admin.get(answer["Location"]).content.decode()
    assert 'hx-trigger="every 2s"' in waiting
    assert "<script>.csv" not in waiting
    ingest.advance(batch)
    shown = world.admin.get(answer["Location"]).content.decode()
    assert 'hx-trigger="every 2s"' not in shown
    assert "2 rows of usage imported; 1 line was rejected." in shown
    run = pages.run_of(batch, "CSV file")
    assert sum(part.lines for part in run.parts) == run.lines == 4
    assert nothing_was_kept()


def test_the_moving_part_asks_again_only_while_it_moves(world: World, saved: ColumnMapping) -> None:  # noqa: F811
    send(world, GOOD)
    batch = ImportBatch.objects.latest("pk")
    moving = world.admin.get(f"/imports/{batch.pk}?part=progress")
    assert ("HX-Refresh" in moving, b"hx-get" in moving.content) == (False, True)
    assert b"hx-get" in world.admin.get("/imports/runs").content
    ingest.advance(batch)
    done = world.admin.get(f"/imports/{batch.pk}?part=progress")
    assert (done["HX-Refresh"], b"hx-get" in done.content) == ("true", False)
    assert b"hx-get" not in world.admin.get("/imports/runs").content


def test_rejected_lines_are_listed_and_downloadable(world: World) -> None:  # noqa: F811
    batch = world.imported("2026-11-16,alpha,k,=x,seller,model-a,-5,0,1", scope="bad")
    assert RejectedRow.objects.get(batch=batch).line == 2
    page = world.admin.get(f"/imports/{batch.pk}").content.decode()
    assert 'id="rejected"' in page
    body = world.admin.get(f"/imports/{batch.pk}/rejected.csv").content.decode()
    head, row = body.strip().split("\r\n")
    assert head == 'file,line,reason,"structure, without content"'
    assert row.startswith("export-1.csv,2,")


def test_rejected_lines_of_an_importer_without_columns_are_retried_from_their_file(world: World) -> None:  # noqa: F811
    body = b'{"id":"obs-1","projectId":"p","type":"GENERATION","startTime":"noon","usageDetails":{"input":1}}\n'
    answer = send(world, body, name="observations.jsonl", importer="langfuse", mapping="")
    batch = ImportBatch.objects.latest("pk")
    ingest.advance(batch)
    assert answer["Location"] == f"/imports/{batch.pk}"
    page = world.admin.get(f"/imports/{batch.pk}").content.decode()
    assert 'id="rejected"' in page
    assert "The file, mended or as it was" in page
    assert 'id="retry"' not in page
    assert "put right since" not in page
    mended = send(world, body.replace(b"noon", b"2026-11-16T12:00:00Z"), "o.jsonl", importer="langfuse", mapping="")
    again = ImportBatch.objects.latest("pk")
    ingest.advance(again)
    assert (mended.status_code, again.connection_id, again.imported) == (302, batch.connection_id, 1)


def test_a_run_of_another_organisation_does_not_exist(world: World) -> None:  # noqa: F811
    batch = ImportBatch.objects.latest("pk")
    access.grant(Person.objects.get(email="charlie@acme.example"), "admin", make_organisation("elsewhere"))
    for path in (f"/imports/{batch.pk}", f"/imports/{batch.pk}/rejected.csv"):
        assert world.charlie.get(path).status_code == 404
        assert world.admin.get(path).status_code == 200


# A CSV nobody has mapped yet


def test_a_header_becomes_a_mapping_that_is_checked_saved_and_used(world: World) -> None:  # noqa: F811
    answer = send(world, GOOD, name="export.csv", mapping="", scope="exports")
    assert (answer.status_code, answer["Location"]) == (302, "/imports/columns")
    page = world.admin.get("/imports/columns").content.decode()
    assert "Say what one row stands for" in page
    assert '<option value="model" selected>' in page
    values = {name: value for name, value in form_of(page).items() if value}
    unfinished = world.admin.post("/imports/columns", {**values, "import": "yes"})
    assert unfinished.status_code == 422
    checked = world.admin.post("/imports/columns", {**values, "grain": "1d", "check": "yes"})
    assert checked.status_code == 200
    assert "1,000,000" in checked.content.decode()
    before = ImportBatch.objects.count()
    answer = world.admin.post("/imports/columns", {**values, "grain": "1d", "name": "our export", "import": "yes"})
    batch = ImportBatch.objects.latest("pk")
    assert (answer.status_code, answer["Location"], ImportBatch.objects.count()) == (
        302,
        f"/imports/{batch.pk}",
        before + 1,
    )
    saved = ColumnMapping.objects.get(organisation=world.organisation, name="our export")
    assert validate_mapping(saved.spec) == []
    assert list(AuditEntry.objects.order_by("pk").values_list("action", "subject", "organisation")) == [
        ("saved a column mapping", "our export", world.organisation.pk),
        ("started an import", "export.csv", world.organisation.pk),
    ]
    ingest.advance(batch)
    assert (batch.lines, batch.imported, batch.connection.scope) == (2, 1, "exports")
    assert nothing_was_kept()
    assert world.admin.get("/imports/columns").status_code == 302


@pytest.mark.parametrize(
    ("importer", "chosen", "spec"),
    [
        ("codex", "", None),  # a seat pays unless somebody says otherwise
        ("codex", "api", {"billing": "api"}),
        ("claude_code", "subscription", {"billing": "subscription"}),
        ("langfuse", "subscription", None),  # no question there
    ],
)
def test_who_pays_is_asked_only_of_transcripts(
    world: World,  # noqa: F811
    importer: str,
    chosen: str,
    spec: dict[str, str] | None,
) -> None:
    page = world.admin.get("/imports").content.decode()
    assert '<select id="billing" name="billing"><option value="">as is usual' in page
    assert send(world, b'{"type": "x"}\n', importer=importer, mapping="", billing=chosen).status_code == 302
    assert ImportBatch.objects.latest("pk").mapping_spec == spec


def test_json_lines_get_their_columns_from_their_keys(world: World) -> None:  # noqa: F811
    line = b'{"date": "2026-09-01", "model": "claude-sonnet-4-5", "usage": {"input_tokens": 1000000}}\n'
    answer = send(world, line, importer="jsonl", name="log.jsonl", mapping="", scope="logs")
    assert (answer.status_code, answer["Location"]) == (302, "/imports/columns")
    page = world.admin.get("/imports/columns").content.decode()
    assert '<option value="usage.input_tokens" selected>' in page
    values = {name: value for name, value in form_of(page).items() if value}
    filled = {**values, "grain": "1d", "name": "our log", "import": "yes"}
    assert world.admin.post("/imports/columns", filled).status_code == 302
    batch = ImportBatch.objects.latest("pk")
    ingest.advance(batch)
    assert (batch.connection.importer, batch.lines, batch.imported) == ("jsonl", 1, 1)


def test_half_a_surrogate_pair_in_a_log_is_shown_as_what_it_is_not(world: World) -> None:  # noqa: F811
    line = rb'{"date": "2026-09-01", "model": "claude\ud800", "n\ud800te": 1, "usage": {"input_tokens": 10}}' + b"\n"
    assert send(world, line, importer="jsonl", name="log.jsonl", mapping="", scope="logs").status_code == 302
    page = world.admin.get("/imports/columns").content.decode()
    assert "claude\N{REPLACEMENT CHARACTER}" in page
    assert "\N{REPLACEMENT CHARACTER}te" not in page  # a name that no form can send back is no choice
    filled = {name: value for name, value in form_of(page).items() if value} | {"grain": "1d", "name": "log"}
    assert "claude\N{REPLACEMENT CHARACTER}" in world.admin.post("/imports/columns", filled).content.decode()
    assert world.admin.post("/imports/columns", {**filled, "import": "yes"}).status_code == 302
    batch = ImportBatch.objects.latest("pk")
    ingest.advance(batch)
    assert (batch.status, batch.imported) == ("done", 1)


def form_of(page: str) -> dict[str, str]:
    """The values a browser would send back of the form of columns."""
    values = dict(re.findall(r'<input id="[^"]+" name="([^"]+)"[^>]*value="([^"]*)"', page))
    for name, body in re.findall(r'<select id="[^"]+" name="([^"]+)">(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected>', body)
        values[name] = chosen[1] if chosen else ""
    return {name: unescape(value) for name, value in values.items()}


def test_a_mapping_survives_its_form() -> None:
    spec = {
        "columns": {"time": "day", "model": "m", "input": "in", "cache_read": "cr", "cost": "usd"},
        "grain": "1d",
        "cache": "inclusive",
        "currency": "USD",
        "tokens_per_unit": 1000,
        "constants": {"host": "openai"},
        "time_zone": "Europe/Berlin",
    }
    assert pages.spec_of(pages.form_values(spec)) == spec


def test_what_waits_for_its_columns_is_gone_after_a_day(world: World) -> None:  # noqa: F811
    send(world, GOOD, mapping="")
    [waiting] = list(staging.folder().iterdir())
    os.utime(waiting, (time.time(), time.time() - staging.LIVES_SECONDS - 5))
    staging.sweep()
    assert not waiting.exists()
    assert world.admin.get("/imports/columns")["Location"] == "/imports"


@pytest.mark.parametrize("token", ["../../etc/passwd", "", "0" * 31, "g" * 32, "0" * 32])
def test_only_a_token_of_ours_names_a_file(token: str) -> None:
    assert staging.path_of(token) is None


# The reader's own transcripts, and the sample


def test_one_click_imports_the_transcripts_of_a_local_instance(
    world: World,  # noqa: F811
    tmp_path: Path,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "home" / ".claude" / "projects" / "p"
    folder.mkdir(parents=True)
    (folder / "s.jsonl").write_text('{"type":"user"}\n')
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    settings.BASE_URL = "http://127.0.0.1:8000"
    assert "1 Claude Code transcript" in world.admin.get("/imports").content.decode()
    answer = world.admin.post("/imports/transcripts")
    batch = ImportBatch.objects.latest("pk")
    assert (answer.status_code, batch.connection.importer, batch.uploaded) == (302, "claude_code", False)
    settings.BASE_URL = "https://ratecard.example"
    assert "transcript</" not in world.admin.get("/imports").content.decode()
    assert world.admin.post("/imports/transcripts").status_code == 404


def test_an_import_into_the_sample_goes_to_an_organisation_of_ones_own(world: World) -> None:  # noqa: F811
    Organisation.objects.filter(pk=world.organisation.pk).update(is_sample=True)
    ColumnMapping.objects.create(organisation=world.organisation, name="ours", spec=MAPPING)
    assert send(world, GOOD).status_code == 422  # an administrator of the sample alone has nowhere to put it
    Person.objects.filter(email="ada@acme.example").update(is_instance_admin=True)
    rows = UsageRecord.objects.filter(organisation=world.organisation).count()
    assert send(world, b"\n\n").status_code == 422
    assert Organisation.objects.count() == 1  # what was refused made nothing
    assert not AuditEntry.objects.exists()
    answer = send(world, GOOD)
    batch = ImportBatch.objects.latest("pk")
    ingest.advance(batch)
    assert (batch.organisation.is_sample, batch.organisation.name) == (False, "My organisation")
    assert UsageRecord.objects.filter(organisation=world.organisation).count() == rows == len(ROWS)
    assert world.admin.get(answer["Location"]).status_code == 200  # and that is the one now shown


def test_the_sample_goes_with_one_click_that_was_meant(world: World) -> None:  # noqa: F811
    assert world.admin.post("/imports/sample/remove", {"sure": "yes"}).status_code == 404  # not a sample
    Organisation.objects.filter(pk=world.organisation.pk).update(is_sample=True)
    assert "Remove the sample" in world.admin.get("/imports").content.decode()
    assert world.admin.get("/imports/sample/remove").status_code == 405
    assert world.admin.post("/imports/sample/remove").status_code == 422
    assert Organisation.objects.filter(pk=world.organisation.pk).exists()
    assert world.admin.post("/imports/sample/remove", {"sure": "yes"}).status_code == 302
    assert not Organisation.objects.filter(pk=world.organisation.pk).exists()
    assert AuditEntry.objects.get().action == "removed the sample workspace"
    assert world.admin.get("/imports").status_code == 200
