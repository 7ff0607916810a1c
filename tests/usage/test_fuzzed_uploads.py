"""Whatever is uploaded: no 500, nothing imported in part or left behind; more in `benchmarks/uploads.py`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from benchmarks import hostile_uploads
from benchmarks.hostile_uploads import MARK, Upload
from benchmarks.uploading import Sender
from dashboards import access
from dashboards.models import Person
from tests.usage.factories import make_organisation
from usage import tasks
from usage.importers import all_importers
from usage.models import ImportBatch, UsageRecord
from usage.verification import checks

pytestmark = pytest.mark.django_db
SLUGS = sorted(all_importers())
FUNCTION_FIXTURES = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@pytest.fixture
def sender(db: None, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Sender:
    """A member who uploads; what waits for a worker is imported by the sender itself."""
    settings.DATA_DIR = tmp_path / "data"
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    settings.FILE_UPLOAD_TEMP_DIR = str(temporary)
    monkeypatch.setattr(tasks.import_chunk, "delay", lambda _: None)
    organisation = make_organisation("acme")
    person = Person.objects.create_user("ada@acme.example")
    access.grant(person, "member", organisation)
    client = Client()
    client.force_login(person)
    return Sender(organisation, client, access.create_token("fuzz", "member", organisation=organisation)[1])


def test_numbered_uploads_break_no_promise(sender: Sender) -> None:
    broken = [
        f"upload {number}: {sentence}"
        for number in range(60)
        for sentence in sender.send(hostile_uploads.upload(number), f"machine {number % 3}", mapped=number % 5 != 0)
    ]
    assert not broken
    assert {batch.status for batch in ImportBatch.objects.all()} >= {"done", "held"}
    assert not list(checks())


def test_numbered_calls_of_the_api_break_no_promise(sender: Sender) -> None:
    assert not [(number, sentence) for number in range(40) for sentence in sender.post(hostile_uploads.events(number))]
    assert UsageRecord.objects.exists()
    assert not list(checks())


@hypothesis_settings(max_examples=30, suppress_health_check=FUNCTION_FIXTURES)
@given(slug=st.sampled_from(SLUGS), body=st.binary(max_size=300))
def test_noise_breaks_no_promise(sender: Sender, slug: str, body: bytes) -> None:
    assert sender.send(Upload(slug, "noise", body)) == []


@pytest.mark.parametrize("slug", SLUGS)
def test_content_is_seen_nowhere_after_its_line_was_rejected(sender: Sender, slug: str) -> None:
    body = hostile_uploads.recorded(slug)[0]
    marked = re.sub(rb"\{", b'{"prompt": "%s", ' % MARK.encode(), body)
    for damaged in (marked, marked[: len(marked) * 2 // 3], marked.replace(b":", b"", 9), marked + b"\xff\0"):
        assert sender.send(Upload(slug, "content", damaged)) == []


@pytest.mark.parametrize("kind", ["long line", "long text", "long number", "deep", "many keys", "long quote"])
def test_a_line_of_many_megabytes_is_refused_or_rejected(
    sender: Sender, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hostile_uploads, "LONG", 18 << 20)
    numbers = range(hostile_uploads.EVERY_LONG - 1, 20 * hostile_uploads.EVERY_LONG, hostile_uploads.EVERY_LONG)
    found = next(upload for upload in map(hostile_uploads.upload, numbers) if upload.kind == kind)
    assert sender.send(found) == []


def test_the_sender_sees_a_promise_broken(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    good = Upload("events", "good", hostile_uploads.recorded("events")[0])
    assert sender.send(good) == []
    monkeypatch.setattr("usage.ingest.uploads.discard", lambda _: None)
    assert sender.send(good) == ["1 files are left"]
    monkeypatch.setattr("usage.tasks.import_chunk", lambda _: None)
    assert any("stays queued" in sentence for sentence in sender.send(good))
