"""Hands one upload in as a signed-in member does, lets it be imported, and says which promises were broken.

An upload is refused with a sentence and leaves nothing, or becomes a batch in which every line is accounted for: the
ledger then has exactly the batch's new rows more and the withdrawn ones less, whether it was done, held or failed.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import Client

from benchmarks import hostile_uploads
from benchmarks.hostile_uploads import MARK, Upload
from usage import tasks
from usage.ingest import uploads
from usage.models import ColumnMapping, ImportBatch, Organisation, UsageRecord

_ENDED = (ImportBatch.Status.DONE, ImportBatch.Status.HELD, ImportBatch.Status.FAILED)
_BOUNDARY = "----------------------------fuzz"
_SENTENCE = re.compile(r"[A-Z“].{8,}[.!?”]", re.DOTALL)


class Sender:
    """A member of an organisation with a browser and a token. `send` and `post` answer what was broken."""

    def __init__(self, organisation: Organisation, client: Client, token: str) -> None:
        self.organisation, self.client, self.token = organisation, client, token
        client.raise_request_exception = False
        for slug in ("csv", "jsonl"):
            spec = hostile_uploads.mapping(slug)
            ColumnMapping.objects.get_or_create(organisation=organisation, name=slug, defaults={"spec": spec})

    def send(self, upload: Upload, scope: str = "a machine", *, mapped: bool = True) -> list[str]:
        """Through the page. A file whose columns nobody mapped goes on to the page that asks for them."""
        batches, rows = self._batches(), self._rows()
        fields = {"importer": upload.importer, "scope": scope}
        if mapped and hostile_uploads.mapping(upload.importer):
            fields["mapping"] = upload.importer
        answer = self._form(upload, fields)
        place = answer.headers.get("Location", "")
        broken = []
        if answer.status_code >= 500:
            broken.append(f"the answer is {answer.status_code}")
        elif place == "/imports/columns":
            broken += self._columns()
        elif answer.status_code == 302:
            return [*self._imported(rows), *self._left()]
        elif not _SENTENCE.search(_said(answer)):
            broken.append(f"an answer {answer.status_code} without a sentence: {answer.content[:200]!r}")
        if (self._batches(), self._rows()) != (batches, rows):
            broken.append("a refused upload has changed the ledger")
        if MARK in _said(answer):
            broken.append("the answer repeats content")
        return [*broken, *self._left()]

    def post(self, body: bytes) -> list[str]:
        """Through `POST /api/v1/usage/events`."""
        batches, rows = self._batches(), self._rows()
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = self.client.post("/api/v1/usage/events", body, content_type="application/json", headers=headers)
        text = answer.content.decode()
        if answer.status_code == 200:
            broken = self._accounts(ImportBatch.objects.filter(organisation=self.organisation).latest("pk"), rows)
        else:
            broken = ["the call was refused and has changed the ledger"] * (
                (self._batches(), self._rows()) != (batches, rows)
            )
            if answer.status_code >= 500 or not _SENTENCE.search(text):
                broken.append(f"an answer {answer.status_code}: {text[:200]}")
        if MARK in text:
            broken.append("the answer repeats content")
        return [*broken, *self._left()]

    def _form(self, upload: Upload, fields: dict[str, str]) -> Any:
        form = _Form(upload, fields)
        return self.client.generic(
            "POST",
            "/imports",
            b"",
            **{
                "wsgi.input": form,
                "CONTENT_LENGTH": str(form.length),
                "CONTENT_TYPE": f"multipart/form-data; boundary={_BOUNDARY}",
            },  # type: ignore[arg-type]
        )

    def _columns(self) -> list[str]:
        page = self.client.get("/imports/columns")
        for path in (uploads.folder() / "waiting").iterdir():
            path.unlink()
        return [f"the page of columns answers {page.status_code}"] * (page.status_code >= 500)

    def _imported(self, rows: int) -> list[str]:
        """Import what was queued, as the worker does, and look at its page."""
        batch = ImportBatch.objects.filter(organisation=self.organisation).latest("pk")
        before = None
        while batch.status not in _ENDED and batch.checkpoint != before:
            before = batch.checkpoint
            tasks.import_chunk(batch.pk)
            batch.refresh_from_db()
        broken = self._accounts(batch, rows)
        for path in (f"/imports/{batch.pk}", *[f"/imports/{batch.pk}/rejected.csv"] * bool(batch.rejected)):
            page = self.client.get(path)
            text = b"".join(page).decode()
            if page.status_code != 200:
                broken.append(f"{path} answers {page.status_code}")
            if MARK in text:
                broken.append(f"{path} repeats content")
        return broken

    def _accounts(self, batch: ImportBatch, rows: int) -> list[str]:
        broken = []
        if batch.status not in _ENDED:
            broken.append(f"the batch stays {batch.status}")
        if batch.status in (ImportBatch.Status.HELD, ImportBatch.Status.FAILED) and not _SENTENCE.match(batch.error):
            broken.append(f"a {batch.status} batch without a sentence: {batch.error!r}")
        if "unexpected fault" in batch.error:
            broken.append(batch.error)
        known = batch.imported + batch.updated + batch.duplicate
        told = known + sum(batch.ignored.values()) + sum(batch.rejected.values())
        if told != batch.lines:
            broken.append(f"{batch.lines} lines of which {told} are accounted for")
        if self._rows() != rows + batch.imported - batch.withdrawn:
            broken.append(f"{self._rows() - rows} rows more, where {batch.imported} came and {batch.withdrawn} went")
        rejected = list(batch.rejected_rows.values_list("reason", "raw"))
        if MARK in json.dumps([batch.error, batch.rejected, batch.ignored, rejected]):
            broken.append("content is kept with the rejected lines")
        return broken

    def _batches(self) -> int:
        return ImportBatch.objects.filter(organisation=self.organisation).count()

    def _rows(self) -> int:
        return UsageRecord.objects.filter(organisation=self.organisation).count()

    def _left(self) -> list[str]:
        """Files that nobody needs any more."""
        folders = [uploads.folder(), Path(settings.FILE_UPLOAD_TEMP_DIR or uploads.folder())]
        left = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        for path in left:
            path.unlink()
        return [f"{len(left)} files are left"] if left else []


def _said(answer: Any) -> str:
    """What the page says is wrong: at the form's field, or as its heading."""
    text = answer.content.decode()
    found = re.search(r'<p class="hint error"[^>]*>(.*?)</p>', text, re.DOTALL)
    found = found or re.search(r'<h1 class="finding">(Nothing.*?)</h1>', text, re.DOTALL)
    return unescape(found[1]) if found else ""


class _Form:
    """A form with a file as a stream, so that a long file is nowhere held whole."""

    def __init__(self, upload: Upload, fields: dict[str, str]) -> None:
        head = "".join(
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        )
        head += f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{upload.name}"\r\n\r\n'
        ends = head.encode(), f"\r\n--{_BOUNDARY}--\r\n".encode()
        self.length = sum(map(len, ends)) + sum(len(piece) for piece in upload.pieces())
        self._pieces = _chained(ends[0], upload, ends[1])
        self._rest = io.BytesIO()

    def read(self, size: int = -1) -> bytes:
        size = 1 << 20 if size < 0 else size
        while True:
            if found := self._rest.read(size):
                return found
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = io.BytesIO(piece)

    readline = read  # asked for, and never called

    def close(self) -> None: ...


def _chained(head: bytes, upload: Upload, tail: bytes) -> Iterator[bytes]:
    yield head
    yield from upload.pieces()
    yield tail
