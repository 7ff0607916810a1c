"""What importers of JSON logs share: any shape of document to records, and values read with guards."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage.importers import _logs, _records
from usage.importers._json import Unreadable
from usage.ingest.reading import UNREADABLE

ROWS = [{"n": 1, "deep": {"a": [1, {"b": None}]}}, {"n": 2}, {"n": 3.5, "text": "x" * 40}]


class Pieces(io.BytesIO):
    """A stream that gives a few bytes at a time and cannot be read by line."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(7, size) if size is not None and size >= 0 else 7)

    def readline(self, size: int | None = -1) -> bytes:
        raise AssertionError("read in pieces")


def records(body: bytes, *wrappers: str) -> list[Any]:
    return list(_records.records(Pieces(body), wrappers))


def shapes(rows: list[Any]) -> dict[str, bytes]:
    pages = [{"meta": {"data": 1}, "data": rows[:2], "next": None}, {"data": rows[2:]}]
    return {
        "array": json.dumps(rows).encode(),
        "pretty array": json.dumps(rows, indent=2).encode(),
        "lines": b"\n".join(json.dumps(row).encode() for row in rows),
        "lines with a byte order mark": b"\xef\xbb\xbf" + b"\r\n\r\n".join(json.dumps(row).encode() for row in rows),
        "page": json.dumps(pages[0] | {"data": rows}).encode(),
        "pages": b"\n".join(json.dumps(page).encode() for page in pages),
        "pretty pages": b"\n".join(json.dumps(page, indent=1).encode() for page in pages),
        "one a document": b"".join(json.dumps({"data": row}, indent=1).encode() for row in rows),
    }


@pytest.mark.parametrize("head", [1 << 20, 16])
@pytest.mark.parametrize("shape", list(shapes(ROWS)))
def test_a_document_of_any_shape_has_the_same_records(shape: str, head: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_records, "HEAD", head)
    assert records(shapes(ROWS)[shape], "data") == ROWS


@pytest.mark.parametrize("damaged", [0, 1, 2])
def test_a_damaged_line_of_a_log_loses_no_other(damaged: int) -> None:
    lines = [json.dumps(row).encode() for row in ROWS]
    lines[damaged] = lines[damaged][:-2]
    assert records(b"\n".join(lines)) == [None if n == damaged else row for n, row in enumerate(ROWS)]


def test_an_object_without_its_wrapper_is_a_record() -> None:
    assert records(b'{"usage": 1, "meta": {"x": [1]}}', "data") == [{"usage": 1, "meta": {"x": [1]}}]


def test_a_line_that_does_not_end_is_named_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_records, "LONGEST_LINE", 1 << 10)
    with pytest.raises(ValueError, match="longer than"):
        list(_records.byte_lines(Pieces(b"x" * 5_000)))


@given(body=st.binary(max_size=200))
def test_bytes_that_are_no_document_raise_only_what_the_reader_knows(body: bytes) -> None:
    with suppress(*UNREADABLE):
        records(body, "data")


@pytest.mark.parametrize(
    ("value", "expected"), [(None, None), ("", None), (0, 0), (7, 7), (7.0, 7), ("12", 12), (10**11, 10**11)]
)
def test_a_count_is_a_whole_number_and_an_absent_one_is_unknown(value: object, expected: int | None) -> None:
    assert _logs.tokens(value) == expected


@pytest.mark.parametrize("value", [True, -1, 1.5, "1.5", "-3", [], {}, 10**13, float("inf")])
def test_what_is_no_count_is_refused(value: object) -> None:
    with pytest.raises(Unreadable):
        _logs.tokens(value)


def test_money_keeps_the_digits_that_were_written() -> None:
    assert _logs.money(0.1) == Decimal("0.1")
    assert _logs.money(1.1165000000000002e-05) == Decimal("0.000011165000")
    assert _logs.money("123.78912") == Decimal("123.78912")
    assert _logs.money(None) is None
    for bad in (True, "x", float("nan"), -1, 10**12, [1]):
        with pytest.raises(Unreadable):
            _logs.money(bad)


NOON = datetime(2026, 9, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    ["2026-09-01T12:00:00Z", "2026-09-01T14:00:00+02:00", "2026-09-01 12:00:00 UTC", 1788264000, 1788264000.0,
     1788264000000, "1788264000"],
)  # fmt: skip
def test_a_time_is_read_in_the_forms_that_logs_use(value: object) -> None:
    assert _logs.instant(value) == NOON


@pytest.mark.parametrize("value", [None, True, "noon", "2026-09-01T12:00:00", "1066-01-01T00:00:00Z", [], 10**30])
def test_what_is_no_time_is_refused(value: object) -> None:
    with pytest.raises(Unreadable):
        _logs.instant(value)


def test_a_key_is_the_id_itself_or_a_digest_of_its_parts() -> None:
    assert _logs.record_key("req-1") == "req-1"
    assert len(_logs.record_key("x" * 300)) == len(_logs.record_key("a", "b")) == 64
    assert _logs.record_key("a", "b") != _logs.record_key("ab")


def test_what_is_kept_of_a_rejected_record_is_short_and_no_number_without_end() -> None:
    record = {
        "model": "m" * 100,
        "prompt": "secret",
        "tokens": 10**30,
        "usage": {"prompt": "secret"},
        "cost_type": "tokens",
    }
    assert json.loads(_records.shown(record, ("model", "tokens", "usage", "cost_type"))) == {
        "model": "m" * 60,
        "tokens": "a very large number",
        "usage": "a dict",
        "cost_type": "tokens",
    }


def test_a_rejected_record_shows_only_the_names_that_are_asked_for() -> None:
    record = {"id": "r-1", "usage": {"n": 3, "text": ["secret"], "said": "secret"}, "content": "secret"}
    assert json.loads(_records.shown(record, ("id", "usage.n", "usage.text", "usage.said"))) == {
        "id": "r-1",
        "usage.n": 3,
        "usage.text": "a list",
        "usage.said": "a str",
    }
