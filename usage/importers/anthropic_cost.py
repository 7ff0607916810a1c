"""Anthropic's organisation costs: pages of `/v1/organizations/cost_report`, what is billed by UTC day.

    {"has_more": false, "next_page": null, "data": [
      {"starting_at": "2026-09-01T00:00:00Z", "ending_at": "2026-09-02T00:00:00Z", "results": [
        {"amount": "123.78912", "currency": "USD", "description": "Claude Opus 5 Usage - Input Tokens",
         "cost_type": "tokens", "token_type": "uncached_input_tokens", "model": "claude-opus-5",
         "service_tier": "standard", "context_window": "0-200k", "inference_geo": "global",
         "workspace_id": "wrkspc_…"}]}]}

`amount` is a decimal in text, in CENTS: this one is $1.2378912. Days without costs are returned empty. There are no
keys and no tokens, and Priority Tier is not in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

from usage.importers import REPLACE_WINDOW, Covered, Dimension, Fact, Ignored, Outcome, _buckets
from usage.importers._json import Unreadable, amount, currency, place, text, tier
from usage.importers._results import Line, outcomes
from usage.importers.anthropic_usage import HOST, context_of, named

SLUG = "anthropic_cost"
NAME = "Anthropic cost API"
MODE = REPLACE_WINDOW
MAPPED = False
DETAIL = 1

CENTS = 100
_GROUPED = (
    "workspace_id", "description", "cost_type", "token_type", "model", "service_tier", "context_window",
    "inference_geo", "speed", "currency",
)  # fmt: skip
_SHOWN = ("description", "cost_type", "token_type", "model", "workspace_id", "currency")


def split(stream: IO[bytes]) -> Iterator[bytes]:
    """A line for each result."""
    return _buckets.split(stream)


def covered(stream: IO[bytes]) -> list[Covered | None]:
    """The time the pages speak for."""
    return _buckets.covered(stream)


def parse(lines: Iterable[bytes], origin: str, mapping: Mapping[str, Any] | None) -> Iterator[Outcome]:
    """One outcome a line. `mapping` may say how the API was asked to group: {"group_by": ["workspace_id"]}."""
    return outcomes(lines, mapping, _read, _SHOWN)


def _read(line: Line) -> Fact | Ignored:
    result = line.result
    if "amount" not in result or "currency" not in result:
        raise Unreadable("a result is not of Anthropic's cost report: usage has an importer of its own")
    cents = amount(result["amount"], "the amount")
    if cents is None:
        raise Unreadable("a result has no amount")
    if currency(result["currency"]) != "USD":
        raise Unreadable("the amount is in the smallest unit of a currency other than USD, which is not known")
    operation = text(result.get("token_type")) or text(result.get("cost_type")) or text(result.get("description"))
    return line.fact(
        line.key("costs", {name: result.get(name) for name in _GROUPED}),
        Dimension(
            model_raw=text(result.get("model")),
            host=HOST,
            operation=operation,
            region=place(result.get("inference_geo")),
            ext_project=named(line, "workspace_id", "default"),
            tags=(("description", text(result["description"])),) if result.get("description") else (),
        ),
        cost_reported=cents / CENTS,
        currency="USD",
        cost_kind="billed",
        service_tier="fast" if result.get("speed") == "fast" else tier(result.get("service_tier")),
        context_tokens=context_of(result.get("context_window"))[0],
    )
