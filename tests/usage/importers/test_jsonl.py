"""JSON lines by the mapping of a CSV: dotted keys, digits as written, and the same identity for a row."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.usage.importers.logs import CANARY, counts, sample
from usage.importers import REPLACE_WINDOW, Fact, Ignored, Outcome, Rejected
from usage.importers import csv as table
from usage.importers import jsonl as importer
from usage.importers.csv import MappingError

SPEC: dict[str, Any] = {
    "columns": {
        "time": "ts",
        "id": "id",
        "project": "project",
        "model": "model",
        "input": "usage.prompt_tokens",
        "cache_read": "usage.prompt_tokens_details.cached_tokens",
        "output": "usage.completion_tokens",
        "cost": "cost",
    },
    "grain": "request",
    "cache": "inclusive",
    "currency": "USD",
}
USAGE = {"prompt_tokens": 1000, "completion_tokens": 200, "prompt_tokens_details": {"cached_tokens": 600}}


def line(**fields: Any) -> bytes:
    record = {"ts": "2026-09-01T10:00:00Z", "id": "r-1", "project": "ranker", "model": "m", "usage": USAGE, "cost": 0.1}
    return (
        json.dumps({name: value for name, value in {**record, **fields}.items() if value is not ...}).encode() + b"\n"
    )


def read(*lines: bytes, spec: dict[str, Any] | None = None, **settings: Any) -> list[Outcome]:
    return list(importer.parse(lines, "log.jsonl", {**(spec or SPEC), **settings}))


def one(spec: dict[str, Any] | None = None, **fields: Any) -> Fact:
    [found] = read(line(**fields), spec=spec)
    assert isinstance(found, Fact), found
    return found


def reason(*lines: bytes, **settings: Any) -> str:
    *_, found = read(*lines, **settings)
    assert isinstance(found, Rejected), found
    return found.reason


def test_nested_keys_are_columns_and_the_input_is_disjoint() -> None:
    found = one()
    assert (counts(found), found.record_key) == ((400, 600, None, 200, None), "r-1")
    assert (found.dimension.ext_project, found.cost_reported, found.requests) == ("ranker", Decimal("0.1"), 1)


def test_a_key_that_holds_dots_itself_is_found_first() -> None:
    flat = {"usage.prompt_tokens": 7, "usage.completion_tokens": 1, "usage.prompt_tokens_details.cached_tokens": 0}
    assert counts(one(**flat))[:2] == (7, 0)


def test_a_key_that_a_line_lacks_is_unknown_and_not_zero() -> None:
    usage = {"prompt_tokens": 50, "completion_tokens": 1}
    found, _ = read(line(usage=usage), line())
    assert isinstance(found, Fact)
    assert (counts(found)[:2], found.quality) == ((50, None), ("cache_split_unknown",))


def test_money_is_read_in_the_digits_that_were_written() -> None:
    text = line(cost=...).replace(b'"id"', b'"cost": 1.23456789012e-5, "id"')
    [found] = read(text)
    assert isinstance(found, Fact)
    assert found.cost_reported == Decimal("0.000012345679")


def test_a_number_needs_no_mark_of_the_mapping_and_a_text_does() -> None:
    spec = {**SPEC, "decimal": ",", "thousands": "."}
    assert one(spec, cost=0.5).cost_reported == Decimal("0.5")
    assert one(spec, cost="1.000,5").cost_reported == Decimal("1000.5")
    assert counts(one(usage={**USAGE, "completion_tokens": 1000.0}))[3] == 1000


def test_a_list_of_words_is_one_name_and_its_places_can_be_named() -> None:
    tags = {"all": "tags", "first": "tags.0", "third": "tags.3"}
    assert dict(one({**SPEC, "tags": tags}, tags=["prod", "eu"]).dimension.tags) == {"all": "prod, eu", "first": "prod"}


def test_rows_without_ids_are_told_apart_as_in_a_csv_whatever_their_order() -> None:
    columns = {name: key for name, key in SPEC["columns"].items() if name != "id"}
    lines = [line(cost=cost) for cost in (0.1, 0.2, 0.2, 0.3)]
    keys = {found.record_key for found in read(*lines, columns=columns) if isinstance(found, Fact)}
    random.Random(3).shuffle(lines)  # noqa: S311 - not a secret
    again = {found.record_key for found in read(*lines, columns=columns) if isinstance(found, Fact)}
    assert (len(keys), keys) == (4, again)


def test_a_row_has_the_identity_that_the_same_row_of_a_csv_has() -> None:
    columns = {name: key for name, key in SPEC["columns"].items() if name != "id"}
    header = (
        b"ts,project,model,usage.prompt_tokens,usage.prompt_tokens_details.cached_tokens,usage.completion_tokens,cost\n"
    )
    row = b"2026-09-01T10:00:00Z,ranker,m,1000,600,200,0.1\n"
    spec = {**SPEC, "columns": columns}
    [_, stated] = table.parse([header, row], "log.csv", spec)
    [found] = read(line(), spec=spec)
    assert isinstance(stated, Fact)
    assert isinstance(found, Fact)
    assert (found.record_key, counts(found)) == (stated.record_key, counts(stated))


def test_a_window_makes_a_file_complete_for_it() -> None:
    window = {"from": "2026-09-01", "until": "2026-09-02"}
    assert importer.mode_of({**SPEC, "window": window}) == REPLACE_WINDOW
    assert "outside the window" in reason(line(), line(ts="2026-09-03T00:00:00Z"), window=window)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (b'{"ts": "2026-09-01T10:0', "line is not complete JSON"),
        (b'{"cost": NaN}', "line is not complete JSON"),
        (b"\xff\xfe", "line is not complete JSON"),
        (b"[" * 100_000, "line is not complete JSON"),
        (b"[1]", "line is JSON but not an object"),
        (b'{"other": 1}', "line has none of the keys"),
        (line(project={"name": "x"}), "a mapped key holds an object"),
        (line(ts="noon"), "time cannot be read"),
        (line(usage={**USAGE, "completion_tokens": -1}), "a count is negative"),
        (line(usage={**USAGE, "completion_tokens": 1.5}), "a count is not a whole number"),
        (line(usage={**USAGE, "completion_tokens": True}), "a cell is not a plain number"),
        (line(usage={**USAGE, "completion_tokens": 10**16}), "a count is larger"),
        (line(cost=...).replace(b'"id"', b'"cost": 1e999999, "id"'), "a cell is not a plain number"),
        (line(usage={**USAGE, "prompt_tokens": 10}), "cached tokens exceed the input"),
    ],
)
def test_a_line_that_cannot_be_read_is_rejected_with_a_sentence(bad: bytes, why: str) -> None:
    assert reason(line(), bad).startswith(why)


def test_blank_lines_and_a_byte_order_mark_are_no_fault() -> None:
    first, blank = read(b"\xef\xbb\xbf" + line(), b"\r\n")
    assert isinstance(first, Fact)
    assert blank == Ignored(2, "blank line")


def test_a_mapping_whose_main_keys_are_nowhere_is_refused_before_any_line() -> None:
    columns = {**SPEC["columns"], "output": "usage.output_tokens"}
    with pytest.raises(MappingError, match=r"has a key “usage\.output_tokens”, which the mapping reads as output"):
        read(line(), columns=columns)
    with pytest.raises(MappingError, match="no file of JSON lines"):
        read(b"a,b\n", b"1,2\n")
    with pytest.raises(MappingError, match="empty"):
        read(b"\n")


def test_nothing_is_read_but_the_keys_that_are_mapped() -> None:
    content = {"prompt": CANARY, "messages": [{"content": CANARY}], "usage": {**USAGE, "note": CANARY}}
    bad = {**content, "ts": "noon"}
    assert CANARY not in repr(read(line(**content), line(**bad), (json.dumps({"prompt": CANARY})).encode()))


def test_a_mapping_is_suggested_from_known_names_at_any_depth() -> None:
    header = importer.read_header([line(), line(extra={"deep": {"request_id": "x"}})])
    assert "usage.prompt_tokens_details.cached_tokens" in header
    columns = importer.suggest_mapping(header)["columns"]
    assert columns["input"] == "usage.prompt_tokens"
    assert columns["cache_read"] == "usage.prompt_tokens_details.cached_tokens"
    assert columns["id"] == "id"
    assert importer.first_values([line()])["usage.prompt_tokens"] == "1000"
    with pytest.raises(MappingError):
        importer.read_header([b"a,b\n"])


@pytest.mark.shared
def test_the_sample_line_is_one_request_by_its_mapping(shared_data: Path) -> None:
    columns = {name: key for name, key in SPEC["columns"].items() if name != "cost"}
    [found] = read(sample(shared_data, "generic/usage.jsonl"), spec={**SPEC, "columns": columns})
    assert isinstance(found, Fact)
    assert (found.record_key, counts(found)) == ("req-1", (400, 600, None, 200, None))
