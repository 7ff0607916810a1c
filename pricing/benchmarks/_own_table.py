"""The table in which Ratecard carries scores; every benchmark takes it beside its publisher's.

    category,raw_name,display_name,setting,observed_on,value,low,high,n,cost_usd,input_tokens,output_tokens,cases,…
    overall,o3,o3 (high),diff,2025-06-25,81.3,,,225,21.2259,3148932,2047615,225,197.3,

The first four columns but `setting` and the value are needed, the others may be missing or empty: unknown. Lines that
start with `#` say where the facts are from.
"""

from __future__ import annotations

from typing import Final

from pricing.benchmarks import ScoreFact
from pricing.benchmarks._reading import amount, count, day, only_once, optional, points, table, whole, word

_NEEDED: Final = ("category", "raw_name", "display_name", "value")
COLUMNS: Final = (
    "category", "raw_name", "display_name", "setting", "observed_on", "value", "low", "high", "n", "cost_usd",
    "input_tokens", "output_tokens", "cases", "seconds_mean", "seconds_p95",
)  # fmt: skip


def is_own(body: bytes) -> bool:
    """Whether the first line that is no comment starts as this table's header does."""
    lines = (line for line in body[:4096].removeprefix(b"\xef\xbb\xbf").splitlines() if line and line[:1] != b"#")
    return next(lines, b"").startswith(b"category,raw_name,display_name,")


def parse(body: bytes) -> list[ScoreFact]:
    """Facts in the order of the table; UnreadableBody names the first line that is not one."""
    return only_once((where, _fact(row, where)) for where, row in table(body, _NEEDED))


def _fact(row: dict[str, str], where: str) -> ScoreFact:
    given = {column: row.get(column, "") for column in COLUMNS}
    return ScoreFact(
        category=word(given["category"], where, "a category"),
        raw_name=word(given["raw_name"], where, "the publisher's name"),
        display_name=word(given["display_name"], where, "a name"),
        setting=given["setting"],
        observed_on=optional(day, given["observed_on"], "observed_on", where),
        value=points(given["value"], "value", where),
        low=optional(points, given["low"], "low", where),
        high=optional(points, given["high"], "high", where),
        n=optional(count, given["n"], "n", where),
        cost_usd=optional(amount, given["cost_usd"], "cost_usd", where),
        input_tokens=optional(whole, given["input_tokens"], "input_tokens", where),
        output_tokens=optional(whole, given["output_tokens"], "output_tokens", where),
        cases=optional(count, given["cases"], "cases", where),
        seconds_mean=optional(amount, given["seconds_mean"], "seconds_mean", where),
        seconds_p95=optional(amount, given["seconds_p95"], "seconds_p95", where),
    )
