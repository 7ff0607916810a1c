"""OpenAI's organisation costs: pages of `/v1/organization/costs`, what is billed by UTC day.

    {"object": "page", "has_more": false, "next_page": null, "data": [
      {"object": "bucket", "start_time": 1788220800, "end_time": 1788307200, "results": [
        {"object": "organization.costs.result", "amount": {"value": 0.06, "currency": "usd"},
         "line_item": "gpt-5.5-2026-04-23, cached input", "project_id": "proj_…", "api_key_id": null,
         "quantity": 10000, "quantity_unit": "tokens"}]}]}

The specification makes `value` a number; answers with text have been seen. There is no model but in the text of
`line_item`, and no tokens: a bill is never a usage record with zero tokens, so they are unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

from usage.importers import REPLACE_WINDOW, Covered, Dimension, Fact, Ignored, Outcome, _buckets
from usage.importers._json import Unreadable, amount, currency, inner, text
from usage.importers._results import Line, outcomes

SLUG = "openai_costs"
NAME = "OpenAI costs API"
MODE = REPLACE_WINDOW
MAPPED = False
DETAIL = 1

HOST = "openai"
_OBJECT = "organization.costs.result"
# `MODEL, kind`: a name without spaces before what of it is billed; or the name alone ("text-embedding-3-small"), which
# the catalogue knows or not, like any reported name. Anything else names no model that can be told from a product
# ("Code interpreter sessions"), and is kept as it is.
_LINE_ITEM = re.compile(
    r"(?P<model>[\w.:/-]*[0-9][\w.:/-]*|ft[:-][\w.:/-]+)"
    r"(?:, (?P<kind>(?:(?:cached|audio|image|text|batch|flex|priority|cache) )*(?:input|output|writes?|training)))?"
)
_GROUPED = ("line_item", "project_id", "api_key_id", "user_id", "quantity_unit")
_SHOWN = ("object", "line_item", "project_id", "api_key_id")


def split(stream: IO[bytes]) -> Iterator[bytes]:
    """A line for each result."""
    return _buckets.split(stream)


def covered(stream: IO[bytes]) -> list[Covered | None]:
    """The time the pages speak for."""
    return _buckets.covered(stream)


def parse(lines: Iterable[bytes], origin: str, mapping: Mapping[str, Any] | None) -> Iterator[Outcome]:
    """One outcome a line. `mapping` may say how the API was asked to group: {"group_by": ["project_id"]}."""
    return outcomes(lines, mapping, _read, _SHOWN)


def _read(line: Line) -> Fact | Ignored:
    result = line.result
    if result.get("object") != _OBJECT:
        raise Unreadable("a result is not of OpenAI's costs: usage has an importer of its own")
    money = inner(result.get("amount"))
    cost = amount(money.get("value"), "the amount")
    if cost is None:
        raise Unreadable("a result has no amount")
    model, operation = _of_line_item(text(result.get("line_item")))
    dimension = Dimension(
        model_raw=model,
        host=HOST,
        operation=operation,
        ext_project=text(result.get("project_id")),
        ext_api_key=text(result.get("api_key_id")),
        ext_user=text(result.get("user_id")),
    )
    key = line.key("costs", {name: result.get(name) for name in _GROUPED} | {"currency": money.get("currency")})
    return line.fact(
        key,
        dimension,
        cost_reported=cost,
        currency=currency(money.get("currency")),
        cost_kind="billed",
    )


def _of_line_item(item: str) -> tuple[str, str]:
    """The model and what of it is billed, where the text says so; else no model and the text."""
    found = _LINE_ITEM.fullmatch(item)
    return (found["model"], found["kind"] or "") if found else ("", item)
