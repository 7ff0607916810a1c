"""Files are read column by column, block after block: what a row means never depends on the rows beside it."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from usage.importers import Fact, Outcome, Rejected
from usage.importers import csv as importer

COLUMNS = ("id", "time", "model", "input", "cache_read", "cache_write", "cache_write_1h", "output", "reasoning",
           "requests", "cost", "currency", "session")  # fmt: skip
TIMES = ("2026-01-01T10:00:00Z", "2026-01-01", "2026-10-25T02:30:00", "0001-01-01", "", "yesterday")
NUMBERS = ("", "0", "12", "1500", "1.5", "1,234", "-5", " 7 ", "1_0", "+3", "١٢", "NaN", "1e400", "4.5e-06", "9" * 15)
NAMES = ("", "a", "b", " a ", "x" * 250, "é")
CURRENCIES = ("USD", "eur", "", "US")


def _cell(column: str) -> st.SearchStrategy[str]:
    odd = {"time": TIMES, "currency": CURRENCIES}.get(
        column, NAMES if column in ("id", "model", "session") else NUMBERS
    )
    usual = {"time": "2026-01-02", "currency": "USD"}.get(column, "r" if column in ("id", "model", "session") else "40")
    return st.one_of(st.just(usual), st.just(usual), st.sampled_from(odd))


ROWS = st.lists(
    st.tuples(*map(_cell, COLUMNS)).map(list) | st.lists(st.just("40"), max_size=16), min_size=1, max_size=12
)
SETTINGS = st.fixed_dictionaries(
    {
        "cache": st.sampled_from(["inclusive", "exclusive"]),
        "reasoning": st.sampled_from(["included", "excluded"]),
        "blank": st.sampled_from(["unknown", "zero"]),
        "tokens_per_unit": st.sampled_from([1, 1000]),
        "money_unit": st.sampled_from(["major", "cents"]),
        "grain": st.sampled_from(["request", "1d"]),
    }
)


@given(ROWS, SETTINGS)
@settings(max_examples=300)
def test_a_row_among_others_means_what_it_means_alone(rows: list[list[str]], conventions: dict[str, Any]) -> None:
    spec = {"columns": {name: name for name in COLUMNS}, "currency": "USD", "delimiter": ";", **conventions}
    together = _read(rows, spec)
    alone = [outcome for row in rows for outcome in _read([row], spec)]
    assert [outcome._replace(line=0) for outcome in together] == [outcome._replace(line=0) for outcome in alone]
    assert [outcome.line for outcome in together] == list(range(2, len(rows) + 2))


def test_a_block_ends_and_the_next_begins_within_a_file() -> None:
    rows = [[str(number), "2026-01-02", "m", str(number), *[""] * 6, "", "", ""] for number in range(1_700)]
    rows[700][3] = rows[1_200][1] = "odd"
    spec = {"columns": {name: name for name in COLUMNS}, "grain": "1d", "cache": "exclusive", "currency": "USD",
            "reasoning": "included", "delimiter": ";"}  # fmt: skip
    found = _read(rows, spec)
    assert [outcome.line for outcome in found if isinstance(outcome, Rejected)] == [702, 1_202]
    read = [(int(outcome.record_key), outcome.in_uncached) for outcome in found if isinstance(outcome, Fact)]
    assert read == [(number, number) for number in range(1_700) if number not in (700, 1_200)]


def _read(rows: list[list[str]], spec: dict[str, Any]) -> list[Outcome]:
    body = "\n".join([";".join(COLUMNS), *map(";".join, rows)]) + "\n"
    return list(importer.parse(body.encode().splitlines(keepends=True), "usage.csv", spec))[1:]
