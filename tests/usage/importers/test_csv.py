"""CSV by a saved mapping: what each setting means, who a row is, and what is refused with a sentence."""

from __future__ import annotations

import random
import time
import tracemalloc
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage.importers import APPEND, REPLACE_WINDOW, Fact, Ignored, Outcome, Rejected
from usage.importers import csv as importer
from usage.importers.csv import MappingError

SPEC: dict[str, Any] = {
    "columns": {"time": "day", "model": "model", "project": "project", "input": "in", "output": "out"},
    "grain": "1d",
}
HEADER = b"day,model,project,in,out\n"
ROW = b"2026-09-01,gpt-5.6-sol,ranker,1000,100\n"


def read(body: bytes, spec: dict[str, Any] | None = None) -> list[Outcome]:
    return list(importer.parse(body.splitlines(keepends=True), "usage.csv", SPEC if spec is None else spec))


def facts(body: bytes, spec: dict[str, Any] | None = None) -> list[Fact]:
    return [outcome for outcome in read(body, spec) if isinstance(outcome, Fact)]


def one(columns: dict[str, str], **settings: Any) -> Fact:
    """The fact of one row whose columns are named after the fields they are mapped to."""
    cells = {"time": "2026-09-01", "model": "m", **columns}
    spec = {"columns": {name: name for name in cells}, "grain": "1d", "currency": "EUR", **settings}
    body = ";".join(cells) + "\n" + ";".join(cells.values()) + "\n"
    [_, outcome] = read(body.encode(), {**spec, "delimiter": ";"})
    assert isinstance(outcome, Fact), outcome
    return outcome


def reason(columns: dict[str, str], **settings: Any) -> str:
    cells = {"time": "2026-09-01", "model": "m", **columns}
    spec = {"columns": {name: name for name in cells}, "grain": "1d", "currency": "EUR", **settings}
    body = ";".join(cells) + "\n" + ";".join(cells.values()) + "\n"
    [_, outcome] = read(body.encode(), {**spec, "delimiter": ";"})
    assert isinstance(outcome, Rejected), outcome
    return outcome.reason


# --- units and conventions ---


def test_inclusive_input_is_split_into_disjoint_counts() -> None:
    found = one({"input": "1000", "cache_read": "600", "cache_write": "100"}, cache="inclusive")
    assert (found.in_uncached, found.in_cache_read, found.in_cache_write) == (300, 600, 100)


def test_exclusive_input_is_taken_as_it_is() -> None:
    found = one({"input": "10", "cache_read": "5000", "cache_write": "1000"}, cache="exclusive")
    assert (found.in_uncached, found.in_cache_read, found.in_cache_write) == (10, 5000, 1000)


@pytest.mark.parametrize(
    ("stated", "tier"), [("default", "standard"), ("Batch", "batch"), ("auto", ""), ("scale", "scale"), ("", "")]
)
def test_a_service_tier_has_the_catalogues_name(stated: str, tier: str) -> None:
    assert one({"input": "10", "service_tier": stated}).service_tier == tier


@pytest.mark.parametrize(
    ("batch", "tier"), [("true", "batch"), ("1", "batch"), ("batch_68", "batch"), ("False", "flex"), ("", "flex")]
)
def test_what_came_in_a_batch_is_of_its_tier_whatever_tier_the_row_states(batch: str, tier: str) -> None:
    assert one({"input": "10", "service_tier": "flex", "batch": batch}).service_tier == tier


def test_rows_that_only_the_batch_tells_apart_are_two_and_the_others_keep_their_identity() -> None:
    whole, batch, other = (
        one({"input": "10", **said}).record_key for said in ({}, {"batch": "true"}, {"batch": "false"})
    )
    assert (whole == other, whole == batch) == (True, False)


def test_an_export_of_openais_usage_is_read_with_its_batches() -> None:
    header = ["start_time", "num_model_requests", "model", "batch", "input_tokens", "output_tokens", "service_tier"]
    assert importer.suggest_mapping(header)["columns"]["batch"] == "batch"


def test_a_row_keeps_the_identity_of_the_tier_it_states() -> None:
    default, standard = (one({"input": "10", "service_tier": tier}) for tier in ("default", "standard"))
    assert default.record_key != standard.record_key


def test_cached_tokens_beyond_an_inclusive_input_are_refused() -> None:
    assert "exceed the input" in reason({"input": "10", "cache_read": "600"}, cache="inclusive")


def test_a_split_that_is_not_reported_is_unknown_and_flagged() -> None:
    found = one({"input": "1000"})
    assert (found.in_uncached, found.in_cache_read, found.quality) == (1000, None, ("cache_split_unknown",))


def test_a_blank_cell_is_unknown_unless_the_mapping_says_zero() -> None:
    cells = {"input": "", "output": "5"}
    assert (one(cells).in_uncached, one(cells).out_total) == (None, 5)
    assert one(cells, blank="zero").in_uncached == 0


def test_cache_writes_by_lifetime_sum_to_cache_writes() -> None:
    split = one({"input": "9", "cache_write_5m": "3", "cache_write_1h": "4"}, cache="exclusive")
    assert (split.in_cache_write, split.cache_write_by_lifetime) == (7, {"5m": 3, "1h": 4})
    part = one({"input": "9", "cache_write": "10", "cache_write_1h": "4"}, cache="exclusive")
    assert (part.in_cache_write, part.cache_write_by_lifetime) == (10, {"1h": 4, "": 6})


def test_reasoning_outside_output_is_added_to_it() -> None:
    cells = {"output": "100", "reasoning": "40"}
    outside, inside = one(cells, reasoning="excluded"), one(cells, reasoning="included")
    assert (outside.out_total, outside.out_reasoning) == (140, 40)
    assert (inside.out_total, inside.out_reasoning) == (100, 40)
    assert "reasoning exceeds" in reason({"output": "10", "reasoning": "40"}, reasoning="included")


@pytest.mark.parametrize(("unit", "tokens"), [(1, 2), (1000, 2000), (1_000_000, 2_000_000)])
def test_tokens_are_multiplied_by_their_unit(unit: int, tokens: int) -> None:
    assert one({"output": "2"}, tokens_per_unit=unit).out_total == tokens


def test_a_fraction_of_a_unit_is_exact_and_a_fraction_of_a_token_is_refused() -> None:
    assert one({"output": "1.234567"}, tokens_per_unit=1_000_000).out_total == 1_234_567
    assert reason({"output": "1.5"}) == "a count is not a whole number"


@pytest.mark.parametrize(
    ("said", "cost"),
    [("0.00000000005", "0.000000000001"), ("0.00000000015", "0.000000000002"), ("0.00000000014", "0.000000000001")],
)
def test_a_cost_is_rounded_once_half_away_from_zero(said: str, cost: str) -> None:
    assert one({"cost": said}, money_unit="cents", cost_kind="billed").cost_reported == Decimal(cost)


@pytest.mark.parametrize(("unit", "cost"), [("major", "1234.5"), ("cents", "12.345"), ("micro", "0.0012345")])
def test_money_is_read_in_its_unit(unit: str, cost: str) -> None:
    found = one({"cost": "1234.5"}, money_unit=unit, cost_kind="billed")
    assert (found.cost_reported, found.currency, found.cost_kind) == (Decimal(cost), "EUR", "billed")


def test_separators_are_read_only_where_the_mapping_declares_them() -> None:
    german = {"thousands": ".", "decimal": ","}
    assert one({"output": "1.234.567", "cost": "1.234,56"}, **german).out_total == 1_234_567
    assert one({"output": "1.234.567", "cost": "1.234,56"}, **german).cost_reported == Decimal("1234.56")
    for number in ("1,234", "1.234", "1 234"):
        assert "thousands separator" in reason({"output": number})


@pytest.mark.parametrize("number", ["-1", "1e3", "NaN", "0x10", "²", "--1", "1.2.3", "ten", "9" * 40])
def test_what_is_no_count_is_refused(number: str) -> None:
    assert reason({"output": number}).startswith(("a count is", "a cell is not a plain number"))


def test_a_small_cost_is_read_as_what_exports_floats_writes_it() -> None:
    assert one({"cost": "4.5e-06"}).cost_reported == Decimal("0.0000045")
    assert one({"cost": "4,5E-06"}, decimal=",", money_unit="cents").cost_reported == Decimal("0.000000045")
    assert one({"cost": "1.2e+3"}).cost_reported == 1200
    assert "larger than any bucket" in reason({"cost": "1e99"})
    assert "not a plain number" in reason({"cost": "1e999999"})


@pytest.mark.parametrize("number", ["12,50", "0,05", "1,2345", "1234,567", ",5"])
def test_a_separator_that_does_not_part_thousands_is_refused(number: str) -> None:
    declared = {"thousands": ",", "currency": "USD"}
    assert "groups of three" in reason({"cost": number}, **declared)
    assert one({"cost": "1,234,567.50"}, **declared).cost_reported == Decimal("1234567.5")


def test_a_row_that_says_nothing_is_refused() -> None:
    assert reason({"output": ""}) == "row has neither tokens nor requests nor cost"


# --- time ---


@pytest.mark.parametrize(
    ("form", "zone", "text", "instant"),
    [
        ("iso", "UTC", "2026-09-01T10:30:00.250Z", "2026-09-01T10:30:00.250+00:00"),
        ("iso", "UTC", "2026-09-01T10:30:00+02:00", "2026-09-01T08:30:00+00:00"),
        ("iso", "Europe/Berlin", "2026-09-01 10:30:00", "2026-09-01T08:30:00+00:00"),
        ("iso", "Europe/Berlin", "2026-09-01 10:30:00 UTC", "2026-09-01T10:30:00+00:00"),
        ("unix", "Europe/Berlin", "1788256200", "2026-09-01T09:50:00+00:00"),
        ("unix_ms", "UTC", "1788256200250", "2026-09-01T09:50:00.250+00:00"),
        ("unix_us", "UTC", "1788256200250125", "2026-09-01T09:50:00.250125+00:00"),
        ("%d.%m.%Y %H:%M", "America/New_York", "01.09.2026 10:30", "2026-09-01T14:30:00+00:00"),
        ("%d.%m.%Y %H:%M %z", "America/New_York", "01.09.2026 10:30 +0530", "2026-09-01T05:00:00+00:00"),
        ("%d.%m.%Y %H:%M %Z", "America/New_York", "01.09.2026 10:30 UTC", "2026-09-01T10:30:00+00:00"),
    ],
)
def test_times_are_read_in_the_declared_format_and_zone(form: str, zone: str, text: str, instant: str) -> None:
    found = one({"time": text, "output": "1"}, grain="request", time_format=form, time_zone=zone)
    assert found.occurred_at == datetime.fromisoformat(instant)
    assert (found.period_end, found.requests) == (None, 1)


@pytest.mark.parametrize("server", ["UTC", "Europe/Berlin"])
def test_of_zones_named_by_letters_only_utc_says_which_it_is(monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    monkeypatch.setenv("TZ", server)  # whose names of its own zone Python would read, and drop
    time.tzset()
    try:
        settings = {"grain": "request", "time_format": "%Y-%m-%d %H:%M %Z", "time_zone": "America/New_York"}
        assert "cannot be read" in reason({"time": "2026-09-01 10:30 CEST", "output": "1"}, **settings)
        found = one({"time": "2026-09-01 10:30 GMT", "output": "1"}, **settings)
        assert found.occurred_at == datetime(2026, 9, 1, 10, 30, tzinfo=UTC)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_local_time_that_occurs_twice_is_the_first_and_is_flagged() -> None:
    settings = {"grain": "request", "time_zone": "Europe/Berlin"}
    found = one({"time": "2026-10-25T02:30:00", "input": "1", "cache_read": "0"}, cache="inclusive", **settings)
    assert found.occurred_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert found.quality == ("ambiguous_local_time",)


def test_a_local_time_that_never_occurs_is_refused() -> None:
    settings = {"grain": "request", "time_zone": "Europe/Berlin"}
    assert "does not exist in Europe/Berlin" in reason({"time": "2026-03-29T02:30:00", "output": "1"}, **settings)


@pytest.mark.parametrize(
    ("grain", "zone", "text", "start", "end"),
    [
        ("1h", "UTC", "2026-09-01T10:00:00Z", "2026-09-01T10:00:00+00:00", "2026-09-01T11:00:00+00:00"),
        ("1d", "UTC", "2026-09-01", "2026-09-01T00:00:00+00:00", "2026-09-02T00:00:00+00:00"),
        ("1h", "Asia/Kolkata", "2026-09-01T10:00", "2026-09-01T04:30:00+00:00", "2026-09-01T05:30:00+00:00"),
        ("1d", "Europe/Berlin", "2026-10-25", "2026-10-25T00:00:00+00:00", "2026-10-26T00:00:00+00:00"),
        ("1d", "America/New_York", "2026-09-30", "2026-09-30T00:00:00+00:00", "2026-10-01T00:00:00+00:00"),
        ("1d", "Europe/Berlin", "2026-08-31T22:00:00Z", "2026-09-01T00:00:00+00:00", "2026-09-02T00:00:00+00:00"),
        # Cairo's clocks skip midnight: the day starts at 01:00.
        ("1d", "Africa/Cairo", "2026-04-24", "2026-04-24T00:00:00+00:00", "2026-04-25T00:00:00+00:00"),
        ("1mo", "Europe/Berlin", "2026-12-01", "2026-12-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00"),
        ("1mo", "America/New_York", "2026-12-01", "2026-12-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00"),
    ],
)
def test_hours_are_instants_and_days_and_months_stand_under_their_local_date(
    grain: str, zone: str, text: str, start: str, end: str
) -> None:
    found = one({"time": text, "output": "1"}, grain=grain, time_zone=zone)
    assert (found.occurred_at.isoformat(), found.period_end and found.period_end.isoformat()) == (start, end)


def test_a_bucket_by_local_date_says_so_and_keeps_the_key_of_its_instant() -> None:
    settings = {"grain": "1d", "cache": "inclusive"}
    row = {"output": "1", "input": "1", "cache_read": "0"}
    berlin = one({"time": "2026-09-01", **row}, time_zone="Europe/Berlin", **settings)
    utc = one({"time": "2026-09-01", **row}, **settings)
    assert (berlin.occurred_at, berlin.quality) == (utc.occurred_at, ("local_date",))
    assert utc.quality == ()
    # As it was told apart before days were posted by their date: an old file comes as duplicates.
    assert berlin.record_key == "d195f855430970e98ed8198c724355b25900b4748b7353b39d9bf35f8bc0ba2f" != utc.record_key


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_a_window_of_days_holds_the_days_that_begin_in_it(zone: str) -> None:
    window = {"from": "2026-09-02", "until": "2026-09-04"}
    spec = {**SPEC, "window": window, "time_zone": zone}
    rows = [ROW.replace(b"09-01", b"09-0%d" % day) for day in range(1, 6)]
    taken = [f.occurred_at for f in read(HEADER + b"".join(rows), spec) if isinstance(f, Fact)]
    assert taken == [datetime(2026, 9, day, tzinfo=UTC) for day in (2, 3)]
    assert importer.window_of(spec) == (datetime(2026, 9, 2, tzinfo=UTC), datetime(2026, 9, 4, tzinfo=UTC))
    noon = {**spec, "window": {"from": "2026-09-01T12:00", "until": "2026-09-03T12:00"}}
    assert importer.window_of(noon) == importer.window_of(spec)


def test_a_bucket_must_start_where_its_grain_says() -> None:
    assert "start of an hour" in reason({"time": "2026-09-01T10:30", "output": "1"}, grain="1h")
    assert "start of a day" in reason({"time": "2026-09-01T10:00", "output": "1"}, grain="1d")
    assert "start of a month" in reason({"time": "2026-09-02", "output": "1"}, grain="1mo")


def test_a_row_outside_the_declared_window_is_refused() -> None:
    window = {"from": "2026-09-01", "until": "2026-10-01"}
    body = HEADER + ROW + ROW.replace(b"09-01", b"10-01") + ROW.replace(b"09-01", b"09-30")
    kinds = [type(outcome) for outcome in read(body, {**SPEC, "window": window})]
    assert kinds == [Ignored, Fact, Rejected, Fact]
    assert importer.mode_of({**SPEC, "window": window}) == REPLACE_WINDOW
    assert importer.mode_of(SPEC) == APPEND


# --- identity ---


def test_an_id_column_is_the_key() -> None:
    spec = {**SPEC, "columns": {**SPEC["columns"], "id": "id"}}
    body = b"id,day,model,project,in,out\nr1,2026-09-01,m,p,1,1\n,2026-09-01,m,p,1,1\n" + b"x" * 300 + ROW[:0]
    found = read(body + b",2026-09-01,m,p,1,1\n", spec)
    assert [type(outcome) for outcome in found] == [Ignored, Fact, Rejected, Fact]
    assert [len(f.record_key) for f in found if isinstance(f, Fact)] == [2, 64]


def test_only_a_file_with_ids_may_be_read_in_pieces() -> None:
    assert importer.whole_file(SPEC)
    assert not importer.whole_file({**SPEC, "key": ["day", "model"]})
    assert not importer.whole_file({**SPEC, "columns": {**SPEC["columns"], "id": "id"}})


def test_rows_of_equal_dimensions_are_two_records_whatever_their_order() -> None:
    rows = [ROW, ROW.replace(b"1000", b"2000"), ROW, ROW.replace(b"ranker", b"other"), ROW]
    first = {(f.record_key, f.in_uncached) for f in facts(HEADER + b"".join(rows))}
    assert len({key for key, _ in first}) == 5
    for seed in range(5):
        random.Random(seed).shuffle(rows)  # noqa: S311 - not a secret
        assert {(f.record_key, f.in_uncached) for f in facts(HEADER + b"".join(rows))} == first


def test_a_bucket_keeps_its_key_when_its_figures_change() -> None:
    [before], [after] = facts(HEADER + ROW), facts(HEADER + ROW.replace(b"1000", b"2000"))
    assert before.record_key == after.record_key
    assert after.rank > before.rank


def test_rows_with_equal_key_columns_are_one_record() -> None:
    rows = HEADER + ROW + ROW.replace(b"1000", b"2000").replace(b"ranker", b"other")
    keys = [f.record_key for f in facts(rows, {**SPEC, "key": ["day", "model"]})]
    assert keys[0] == keys[1]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), max_size=12), st.randoms(use_true_random=False))
def test_keys_depend_on_what_rows_say_and_not_on_their_order(rows: list[tuple[int, int]], chance: Any) -> None:
    lines = [f"2026-09-01,m{model},p,{tokens},1\n".encode() for model, tokens in rows]
    once = sorted((f.record_key, f.in_uncached or 0) for f in facts(HEADER + b"".join(lines)))
    chance.shuffle(lines)
    assert sorted((f.record_key, f.in_uncached or 0) for f in facts(HEADER + b"".join(lines))) == once
    assert len({key for key, _ in once}) == len(rows)


# --- the file ---


def test_every_physical_line_has_its_own_outcome() -> None:
    spec = {**SPEC, "columns": {**SPEC["columns"], "session": "note"}}
    body = b'day,model,project,in,out,note\n2026-09-01,m,p,1,1,"a\nb ""c""\n"\n\n2026-09-02,m,p,2,2,x\n'
    found = read(body, spec)
    assert [outcome.line for outcome in found] == [1, 2, 3, 4, 5, 6]
    assert [getattr(outcome, "reason", "fact") for outcome in found] == [
        "header",
        "fact",
        "continues the row above",
        "continues the row above",
        "blank line",
        "fact",
    ]


def test_a_quote_that_is_never_closed_costs_one_line() -> None:
    body = HEADER + b'2026-09-01,"m,p,1,1\n' + ROW * 3 + b'2026-09-01,5" disk,p,1,1\n' + ROW
    found = read(body)
    assert [type(outcome) for outcome in found] == [Ignored, Rejected, Fact, Fact, Fact, Fact, Fact]
    assert [f.dimension.model_raw for f in found if isinstance(f, Fact)][3] == '5" disk'


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_finds_the_mapped_columns(delimiter: str) -> None:
    body = (HEADER + ROW).replace(b",", delimiter.encode())
    assert len(facts(body)) == 1
    assert len(facts(body, {**SPEC, "delimiter": delimiter})) == 1


def test_a_byte_order_mark_windows_line_ends_and_a_repeated_header_are_no_fault() -> None:
    body = b"\xef\xbb\xbf" + (HEADER + ROW + HEADER + ROW).replace(b"\n", b"\r\n")
    assert [type(outcome) for outcome in read(body)] == [Ignored, Fact, Ignored, Fact]


def test_a_row_of_another_width_or_another_encoding_is_refused_alone() -> None:
    body = HEADER + ROW + b"2026-09-01,m\n" + ROW[:-1] + b",extra\n" + ROW[:-1] + b",,\n" + b"\xe9" + ROW
    assert [getattr(outcome, "reason", "fact") for outcome in read(body)[1:]] == [
        "fact",
        "row has fewer fields than the header",
        "row has more fields than the header",
        "fact",
        "row is not UTF-8 text",
    ]


def test_a_rejected_row_keeps_only_the_cells_that_are_mapped() -> None:
    body = b"day,model,project,in,out,prompt\n2026-09-01,m,p,-1,1,secret words\n"
    [_, outcome] = read(body)
    assert isinstance(outcome, Rejected)
    assert "secret" not in outcome.raw
    assert '"in' not in outcome.raw.replace('"input"', "")
    assert '"input":"-1"' in outcome.raw


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The file is empty."),
        (b"\n", "The first line of the file is blank"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "This is not a CSV text file."),
        ("day,model\n".encode("utf-16"), "The file is UTF-16"),
        (b"d\xe9y,model\n", "This is not a CSV text file in UTF-8"),
        (b"day,model,project,in,out,model\n", "two columns named “model”"),
        (b"day,model,project,in\n" + ROW, "The file has no column “out”, which the mapping reads as output."),
        (b"day,model,project,in,out\rx,y\r", "carriage returns alone"),
        (
            b"day,model," + b"x" * 201 + b"\n",
            "The first line is no header: a column's name is longer than 200 characters.",
        ),
        (b"".join(b"c%d," % n for n in range(2_001)) + b"\n", "The file has more than 2000 columns."),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_before_any_row(body: bytes, sentence: str) -> None:
    with pytest.raises(MappingError, match=sentence):
        next(importer.parse(body.splitlines(keepends=True) if b"\r" not in body else [body], "", SPEC))


# --- the mapping ---


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"columns": {"model": "model", "input": "in"}}, "Say which column holds the time."),
        ({"columns": {"time": "day", "input": "in"}}, "Say which column holds the model"),
        ({"columns": {"time": "day", "model": "model"}}, "Map at least one column of tokens"),
        ({"columns": {**SPEC["columns"], "colour": "x"}}, "“colour” is not a field"),
        ({"columns": {**SPEC["columns"], "cache_read": "x"}}, "whether the input column includes cached tokens"),
        ({"columns": {**SPEC["columns"], "reasoning": "x"}}, "whether the output column includes reasoning"),
        ({"columns": {**SPEC["columns"], "cost": "x"}}, "in which currency"),
        ({"columns": ["day"]}, "“columns” must pair names with texts."),
        ({"constants": {"model": "x"}}, "“model” is both a column and a constant."),
        ({"constants": {"input": "x"}}, "“input” cannot be set to a constant."),
        ({"grain": "1w"}, "“grain” must be one of"),
        ({"tokens_per_unit": 100}, "“tokens_per_unit” must be one of"),
        ({"tokens_per_unit": True}, "“tokens_per_unit” must be one of"),
        ({"money_unit": "pence"}, "“money_unit” must be one of"),
        ({"time_zone": "Mars/Base"}, "“time_zone” must be a name"),
        ({"time_zone": "../etc"}, "“time_zone” must be a name"),
        ({"time_format": "day"}, "“time_format” must be"),
        ({"time_format": "%H:%M"}, "cannot be read"),
        ({"window": {"from": "2026-10-01", "until": "2026-09-01"}}, "must end after it starts"),
        ({"window": {"from": "soon"}}, "must give “from” and “until”"),
        ({"key": "day"}, "“key” must be a list"),
        ({"key": ["day"], "columns": {**SPEC["columns"], "id": "x"}}, "both an id column and key columns"),
        ({"thousands": ".", "decimal": "."}, "are the same"),
        ({"currency": "dollars"}, "three letters"),
        ({"colour": 1}, "has no setting “colour”"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused_in_a_sentence(change: dict[str, Any], sentence: str) -> None:
    faults = importer.validate_mapping({**SPEC, **change})
    assert any(sentence in fault for fault in faults), faults
    assert importer.validate_mapping(SPEC) == []


@pytest.mark.parametrize("spec", [None, {}, [], "x"])
def test_no_mapping_is_refused_in_a_sentence(spec: Any) -> None:
    with pytest.raises(MappingError, match="needs a mapping"):
        next(importer.parse([HEADER], "", spec))


def test_known_exports_are_suggested_whole_and_unknown_ones_ask() -> None:
    openrouter = ["generation_id", "created_at", "cost_total", "tokens_prompt", "tokens_completion"]
    openrouter += ["tokens_reasoning", "tokens_cached", "model_permaslug", "api_key_name"]
    spec = importer.suggest_mapping(openrouter)
    assert importer.validate_mapping(spec, openrouter) == []
    assert (spec["columns"]["id"], spec["cache"], spec["constants"]) == (
        "generation_id",
        "inclusive",
        {"host": "openrouter"},
    )
    anthropic = ["usage_date_utc", "model_version", "api_key", "workspace", "usage_input_tokens_no_cache"]
    anthropic += ["usage_input_tokens_cache_write_5m", "usage_input_tokens_cache_write_1h"]
    anthropic += ["usage_input_tokens_cache_read", "usage_output_tokens"]
    spec = importer.suggest_mapping(anthropic)
    assert importer.validate_mapping(spec, anthropic) == []
    assert spec["cache"] == "exclusive"
    own = ["Date", "Model", "Input tokens", "Cached tokens", "Output tokens", "Colour"]
    spec = importer.suggest_mapping(own)
    assert spec["columns"] == {
        "time": "Date",
        "model": "Model",
        "input": "Input tokens",
        "cache_read": "Cached tokens",
        "output": "Output tokens",
    }
    assert len(importer.validate_mapping(spec, own)) == 2
    assert importer.suggest_mapping(["a", "b"]) == {"columns": {}}


@pytest.mark.shared
def test_the_shared_company_file_reads_to_its_figures(shared_data: Path) -> None:
    body = (shared_data / "usage" / "generic" / "usage.csv").read_bytes()
    header = importer.read_header(body.splitlines(keepends=True))
    spec = importer.suggest_mapping(header) | {"grain": "1d", "cache": "exclusive"}
    [fact] = facts(body, spec)
    assert (fact.in_uncached, fact.in_cache_read, fact.in_cache_write, fact.out_total) == (10, 5000, 1000, 100)
    assert (fact.cost_reported, fact.currency, fact.requests) == (Decimal("0.00678"), "USD", 1)
    export = shared_data / "usage" / "openrouter" / "activity_export_generation_csv.header.csv"
    header = importer.read_header(export.read_bytes().splitlines(keepends=True))
    assert importer.validate_mapping(importer.suggest_mapping(header), header) == []


def test_rows_without_ids_that_share_their_minute_are_held_by_their_ranks_alone() -> None:
    rows, body = 20_000, bytearray(HEADER)
    for number in range(rows):
        body += b"2026-09-01,gpt-5.6-sol,ranker,%d,100\n" % (1_000 + number)
    lines = bytes(body).splitlines(keepends=True)
    tracemalloc.start()
    outcomes = importer.parse(lines, "usage.csv", SPEC)
    first = next(outcome for outcome in outcomes if isinstance(outcome, Fact))
    before, _ = tracemalloc.get_traced_memory()
    others = {next(outcomes).record_key for _ in range(rows - 1)}  # type: ignore[union-attr]
    del others
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert first.out_total == 100
    assert held - before < 50 * rows
