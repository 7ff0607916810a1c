"""Rejected lines imported once more, without the file they stood in.

All there is of them is what a rejected row keeps: the cells of the columns that the mapping names, never content. They
are written as a small file of the same kind, which is imported like any other into the same connection, and each
remembers which import retried it and on which line. That file, downloaded, corrected and uploaded, is the other way.

Without an id column rows are told apart among all of one file. So a retried row that shares time and names with another
one of the ledger is left alone: nothing could say whether it is that row or one beside it. Only a row that came later
than the rejected ones and says the same may be one of them.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from django.db import transaction

from usage.importers import REPLACE_WINDOW, Fact, all_importers
from usage.importers.csv.mapping import DELIMITERS, MappingError, read_mapping
from usage.importers.csv.rows import KEPT_CELL
from usage.ingest.preparing import KEPT_REJECTIONS
from usage.ingest.reading import Refused
from usage.ingest.running import OPEN, mode_of
from usage.models import ColumnMapping, ImportBatch, RejectedRow, UsageRecord

MARK, WHY = "rejected row", "why"
"""Columns of the file to correct: which rejected row a line is, and what was wrong with it."""
MOST = KEPT_REJECTIONS
"""Lines a retry takes: as many as it could reject, and all of those are kept."""
LARGEST = 4 << 20
_OTHER_FILE = "This is not the file of rejected lines: download it, correct it and keep its kind."
TOLD_APART_BY = (
    "in_uncached", "in_cache_read", "in_cache_write", "out_total", "out_reasoning", "requests", "cost_reported",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """A line to be imported: its cells by column, and which rejected row it was; None: of none."""

    number: int | None
    reason: str
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Retried:
    """The import of the lines, and how many were left out as nothing tells them from rows of the ledger."""

    batch: ImportBatch
    left_out: int


def columns_of(batch: ImportBatch) -> list[str]:
    """The columns that its rejected rows keep; none where it was read without a mapping or cannot be retried."""
    if not all_importers()[batch.connection.importer].MAPPED or batch.status in OPEN:
        return []
    try:
        found = read_mapping(batch.mapping_spec).columns
    except MappingError:
        return []
    return list(dict.fromkeys(found.values()))


def lines_of(batch: ImportBatch) -> list[Line]:
    """The rejected lines that can be imported from what was kept of them, at most MOST."""
    if not columns_of(batch):
        return []
    columns = read_mapping(batch.mapping_spec).columns
    found: list[Line] = []
    for row in RejectedRow.objects.filter(batch=batch).waiting().exclude(raw="").order_by("origin", "line").iterator():
        cells = _whole(row.raw, columns)
        if cells is not None:
            found.append(Line(row.pk, row.reason, cells))
            if len(found) == MOST:
                break
    return found


def _whole(raw: str, columns: Mapping[str, str]) -> dict[str, str] | None:
    """The cells of a rejected row by column; None where one may be cut off."""
    try:
        kept = json.loads(raw)
    except ValueError:
        return None
    if not isinstance(kept, dict) or any(len(str(cell)) >= KEPT_CELL or "\n" in str(cell) for cell in kept.values()):
        return None
    return {columns[field]: str(cell) for field, cell in kept.items() if field in columns}


def document(batch: ImportBatch, lines: Sequence[Line], columns: Sequence[str], delimiter: str = ",") -> bytes:
    """Lines as a file of the batch's kind, a header first where that has one."""
    if batch.connection.importer == "jsonl":
        return b"".join(json.dumps(_filled(line.cells), ensure_ascii=False).encode() + b"\n" for line in lines)
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([line.cells.get(column, "") for column in columns] for line in lines)
    return text.getvalue().encode()


def _filled(cells: Mapping[str, str]) -> dict[str, str]:
    return {column: cell for column, cell in cells.items() if cell}


def retry(
    batch: ImportBatch,
    mapping: ColumnMapping | dict[str, Any] | None,
    requested_by: str,
    corrected: UploadedFile[Any] | None = None,
) -> Retried:
    """Queue a batch's rejected lines by this mapping, as they were or as somebody corrected them.

    Lines that were put right before are not among them. Refused says why nothing can be retried.
    """
    from usage.ingest import start_upload  # it imports the modules beside this one

    spec = mapping.spec if isinstance(mapping, ColumnMapping) else mapping
    wanted = _wanted(batch, spec)
    with transaction.atomic():
        held = ImportBatch.objects.select_for_update(of=("self",)).select_related("connection").get(pk=batch.pk)
        lines, columns = lines_of(held), columns_of(held)
        if corrected is not None:
            lines, columns = _corrected(held, corrected, wanted)
        elif missing := sorted(wanted - set(columns)):
            raise Refused(
                f"Nothing was kept of the column “{missing[0][:60]}” of rejected lines: choose the file again, or a"
                " mapping without it."
            )
        if not lines:
            raise Refused("None of the rejected lines can be imported from what was kept of them: choose the file.")
        delimiter = str((spec or {}).get("delimiter") or ",")
        apart = _told_apart(held, spec, lines, document(held, lines, columns, delimiter))
        if not apart:
            raise Refused(
                "Each of these lines shares its time and names with a row of the ledger, and nothing tells them apart:"
                " import their whole file, or give the rows an id."
            )
        name = f"rejected lines of import {held.pk}.{'jsonl' if held.connection.importer == 'jsonl' else 'csv'}"
        upload = SimpleUploadedFile(name, document(held, apart, columns, delimiter))
        made = start_upload(
            held.organisation, held.connection.importer, upload, held.connection.scope, mapping, requested_by
        )
        _note(held, made, apart)
    return Retried(made, len(lines) - len(apart))


def _wanted(batch: ImportBatch, spec: Mapping[str, Any] | None) -> set[str]:
    """The columns a mapping reads; Refused where it cannot be one for some lines of a file."""
    importer = all_importers()[batch.connection.importer]
    try:
        found = read_mapping(spec)
    except MappingError as fault:
        raise Refused(str(fault)) from None
    if mode_of(importer, dict(spec or {})) == REPLACE_WINDOW:
        raise Refused("The mapping says that a file is complete for its window: choose the whole file again.")
    return {*found.columns.values(), *found.tags.values(), *found.key}


def _corrected(batch: ImportBatch, upload: UploadedFile[Any], wanted: set[str]) -> tuple[list[Line], list[str]]:
    """The lines of a corrected file with the columns that the mapping reads; everything else of it is dropped."""
    if (upload.size or 0) > LARGEST:
        raise Refused(f"The file of corrected lines is larger than {LARGEST >> 20} MiB: import it as a file.")
    try:
        text = upload.read().decode("utf-8-sig")
        rows = _json_rows(text) if batch.connection.importer == "jsonl" else _csv_rows(text)
    except (ValueError, RecursionError, csv.Error):
        raise Refused(_OTHER_FILE) from None
    columns = [name for name in dict.fromkeys(name for row in rows for name in row) if name in wanted]
    if not columns:
        raise Refused(_OTHER_FILE)
    if len(rows) > MOST:
        raise Refused(f"The file has more than {MOST} lines: import it as a file.")
    known = set(RejectedRow.objects.filter(batch=batch).waiting().values_list("pk", flat=True))
    lines = []
    for row in rows:
        cells = {name: _unescaped(row.get(name) or "") for name in columns}
        if any("\n" in cell or "\r" in cell for cell in cells.values()):
            raise Refused("A cell holds a line break: write each line on one.")
        mark = row.get(MARK, "").strip()
        number = int(mark) if mark.isascii() and mark.isdecimal() and len(mark) < 19 else None
        if not mark or number in known:  # a line that was put right since says nothing new
            lines.append(Line(number, "", cells))
    if not lines:
        raise Refused("Every line of this file was put right before: there is nothing to import.")
    return lines, columns


def _csv_rows(text: str) -> list[dict[str, str]]:
    head = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=head.count)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restkey="", strict=True)
    return [{name.strip(): value for name, value in row.items() if name and isinstance(value, str)} for row in rows]


def _json_rows(text: str) -> list[dict[str, str]]:
    found = [json.loads(line) for line in text.split("\n") if line.strip()]
    if not all(isinstance(row, dict) for row in found):
        raise ValueError
    return [{name: str(value) for name, value in row.items() if isinstance(value, str | int | float)} for row in found]


def _unescaped(cell: str) -> str:
    """A cell without the mark that keeps spreadsheets from taking it for a formula."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in ("=", "+", "-", "@", "\t", "\r") else cell


def _told_apart(
    batch: ImportBatch, spec: Mapping[str, Any] | None, lines: Sequence[Line], written: bytes
) -> list[Line]:
    """The lines that are no other row's: all where rows have ids, else whose key is free or its row came since."""
    importer: Any = all_importers()[batch.connection.importer]
    if not importer.whole_file(spec):
        return list(lines)
    first = 1 if batch.connection.importer == "jsonl" else 2
    try:
        outcomes = importer.parse(io.BytesIO(written), "", spec)
        facts = {outcome.line - first: outcome for outcome in outcomes if isinstance(outcome, Fact)}
    except MappingError as fault:
        raise Refused(str(fault)) from None
    there = _standing(batch, [fact.record_key for fact in facts.values()])
    taken = {_bare(fact) for fact in facts.values() if not _is_free(fact, there, batch)}
    return [line for n, line in enumerate(lines) if n not in facts or _bare(facts[n]) not in taken]


def _bare(fact: Fact) -> str:
    """The key that rows of equal names and time share, without the number that tells them apart."""
    return fact.record_key.partition("-")[0]


def _standing(batch: ImportBatch, keys: Iterable[str]) -> dict[str, tuple[Any, ...]]:
    found = UsageRecord.objects.filter(
        organisation=batch.organisation_id, connection=batch.connection_id, record_key__in=set(keys)
    )
    return {row[0]: row[1:] for row in found.values_list("record_key", "batch_id", *TOLD_APART_BY)}


def _is_free(fact: Fact, there: Mapping[str, tuple[Any, ...]], batch: ImportBatch) -> bool:
    if fact.record_key not in there:
        return True
    imported_by, *says = there[fact.record_key]
    return imported_by > batch.pk and says == [getattr(fact, name) for name in TOLD_APART_BY]


def _note(batch: ImportBatch, made: ImportBatch, lines: Sequence[Line]) -> None:
    """Each rejected row remembers its retry."""
    first = 1 if batch.connection.importer == "jsonl" else 2
    rows = [
        RejectedRow(pk=line.number, retried_by=made, retried_line=first + n)
        for n, line in enumerate(lines)
        if line.number is not None
    ]
    RejectedRow.objects.bulk_update(rows, ["retried_by", "retried_line"])
