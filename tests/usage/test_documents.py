"""JSON documents as records: read in bounded memory, resumed after a crash, complete only when they say so."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import ijson
import pytest

from usage.importers import APPEND, UNTOLD, Covered, Ignored
from usage.ingest.reading import LONGEST_LINE, Place, Reader, Refused
from usage.ingest.windows import joined


class Numbers:
    """An importer of `{"data": [{"n": 1}, …]}`."""

    SLUG, NAME, MODE, MAPPED, DETAIL = "numbers", "Numbers", APPEND, False, 1

    @staticmethod
    def split(stream: IO[bytes]) -> Iterator[bytes]:
        for record in ijson.items(stream, "data.item", multiple_values=True):
            yield json.dumps(record, default=str).encode()

    @staticmethod
    def parse(lines, origin: str, mapping: Any) -> Iterator[Ignored]:
        for number, line in enumerate(lines, 1):
            yield Ignored(number, str(json.loads(line)["n"]))


def document(*numbers: object) -> bytes:
    return json.dumps({"data": [{"n": number} for number in numbers]}).encode()


def read(path: Path, lines: int = 1_000, limit: int = 1 << 40, place: Place | None = None) -> list[tuple[int, str]]:
    """Every outcome of the file, in chunks of so many lines, each chunk by a reader of its own as after a crash."""
    place, found = place or Place(), []
    while place.file == 0:
        reader = Reader([{"path": str(path), "origin": path.name}], Numbers, None, place, limit)
        with closing(reader):
            found += [(line, outcome.reason) for _, line, outcome in reader.chunk(lines)]
        place = reader.place
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "body.json"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("lines", [1, 3, 1_000])
def test_a_record_is_a_line_however_the_reading_is_cut(file, pack, lines):
    file.write_bytes(pack(document(*range(7)) + b"\n" + document(7, 8)))
    assert read(file, lines) == [(number + 1, str(number)) for number in range(9)]


def test_what_stands_before_a_damaged_place_is_kept_and_the_damage_is_one_rejected_line(file):
    file.write_bytes(document(*range(2))[:-2] + b', {"n": 2')
    *kept, (line, reason) = read(file)
    assert kept == [(1, "0"), (2, "1")]
    assert (line, reason) == (len(kept) + 1, "the document is no JSON from here on")


def test_a_record_without_end_is_named_before_it_fills_the_memory(file):
    file.write_bytes(document(1)[:-2] + b', {"n": "' + b"x" * (LONGEST_LINE + 100_000) + b'"}]}')
    *kept, (line, reason) = read(file)
    assert len(kept) <= 1
    assert (line, reason) == (len(kept) + 1, "a record is longer than 16 MiB")


def test_a_document_that_unpacks_to_more_than_allowed_is_refused(file):
    file.write_bytes(gzip.compress(document(*range(100_000))))
    with pytest.raises(Refused, match=f"^The compressed file {file.name} unpacks to more than"):
        read(file, limit=1 << 16)


def day(number: int) -> datetime:
    return datetime(2026, 10, number, tzinfo=UTC)


def pages(since: int, until: int, keys: str = "", *, whole: bool = True) -> Covered:
    return Covered(day(since), day(until), whole, keys)


@pytest.mark.parametrize(
    ("parts", "together"),
    [
        ([pages(1, 3)], [pages(1, 3)]),
        ([pages(3, 5), pages(1, 3, whole=False)], [pages(1, 5)]),
        ([pages(1, 3, whole=False)], []),
        ([pages(1, 2), pages(3, 4)], []),
        ([pages(1, 2), None], []),
        ([], []),
        ([pages(1, 3, "a:"), pages(2, 9, "b:")], [pages(1, 3, "a:"), pages(2, 9, "b:")]),
        ([pages(1, 3, "a:"), pages(2, 9, "b:", whole=False)], []),
        ([pages(1, 3, "a:", whole=False), pages(3, 9, UNTOLD)], [pages(1, 9, "a:")]),
        ([pages(1, 3, "a:"), pages(1, 9, UNTOLD)], [pages(1, 3, "a:")]),
        ([pages(1, 9, UNTOLD)], [pages(1, 9, UNTOLD)]),
    ],
)
def test_documents_are_complete_for_the_time_they_cover_together_without_a_gap_kind_by_kind(parts, together):
    assert joined(parts) == together
