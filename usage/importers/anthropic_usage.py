"""Anthropic's organisation usage: pages of `/v1/organizations/usage_report/messages`.

    {"has_more": false, "next_page": null, "data": [
      {"starting_at": "2026-09-01T00:00:00Z", "ending_at": "2026-09-02T00:00:00Z", "results": [
        {"uncached_input_tokens": 1500, "cache_read_input_tokens": 200,
         "cache_creation": {"ephemeral_5m_input_tokens": 500, "ephemeral_1h_input_tokens": 1000},
         "output_tokens": 500, "server_tool_use": {"web_search_requests": 10},
         "model": "claude-opus-4-6", "service_tier": "standard", "context_window": "0-200k",
         "inference_geo": "global", "speed": "fast", "workspace_id": "wrkspc_…", "api_key_id": "apikey_…",
         "account_id": null, "service_account_id": null}]}]}

Input excludes the cache. Requests are not counted: they are unknown. `context_window` says how long the requests of a
result were; without it (it has to be grouped by) a bucket's price tier is not known and it is priced at the base one.
Of a pull that is grouped by them a null workspace is the default one, and a null key is the Console's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

from usage.importers import REPLACE_WINDOW, Covered, Dimension, Fact, Ignored, Outcome, _buckets
from usage.importers._json import Unreadable, count, inner, place, text, tier
from usage.importers._results import Line, outcomes

SLUG = "anthropic_usage"
NAME = "Anthropic usage API"
MODE = REPLACE_WINDOW
MAPPED = False
DETAIL = 2

HOST = "anthropic"
_TOKENS = ("uncached_input_tokens", "cache_read_input_tokens", "cache_creation", "output_tokens")
GROUPED = (
    "model", "workspace_id", "api_key_id", "account_id", "service_account_id", "service_tier", "context_window",
    "inference_geo", "speed",
)  # fmt: skip
_LIFETIME = re.compile(r"ephemeral_(?P<lifetime>\d+[mhd])_input_tokens")
_WINDOW = re.compile(r"(?P<since>\d{1,6})(?P<unit>[km]?)-\d{1,6}[km]?", re.IGNORECASE)
_THOUSANDS = {"": 1, "k": 1_000, "m": 1_000_000}
WEB_SEARCH = "web_search"
"""The part of a result that counts searches: a price per search, not per token."""
_SHOWN = ("model", "workspace_id", "service_tier", "context_window", "uncached_input_tokens", "output_tokens")


def split(stream: IO[bytes]) -> Iterator[bytes]:
    """A line for each result, and one more for its web searches."""
    return _buckets.split(stream, _parts)


def covered(stream: IO[bytes]) -> list[Covered | None]:
    """The time the pages speak for."""
    return _buckets.covered(stream)


def parse(lines: Iterable[bytes], origin: str, mapping: Mapping[str, Any] | None) -> Iterator[Outcome]:
    """One outcome a line. `mapping` may say how the API was asked to group: {"group_by": ["workspace_id", "model"]}."""
    return outcomes(lines, mapping, _read, _SHOWN)


def _parts(result: Any) -> tuple[str, ...]:
    tools = result.get("server_tool_use") if isinstance(result, dict) else None
    return ("", WEB_SEARCH) if inner(tools).get("web_search_requests") else ("",)


def _read(line: Line) -> Fact | Ignored:
    result = line.result
    if not any(name in result for name in _TOKENS):
        raise Unreadable(
            "a result is not of Anthropic's messages usage: costs have an importer of their own, and other reports none"
        )
    dimension = _dimension(line, "messages")
    if line.part == WEB_SEARCH:
        searches = count(inner(result.get("server_tool_use")).get("web_search_requests"), "web_search_requests")
        key = line.key("messages", {name: result.get(name) for name in GROUPED})
        return line.fact(key, _dimension(line, WEB_SEARCH), requests=searches)
    context, window_known = context_of(result.get("context_window"))
    quality = ("requests_unknown",) if window_known else ("requests_unknown", "context_window_unknown")
    written, lifetimes = _cache_writes(result)
    return line.fact(
        line.key("messages", {name: result.get(name) for name in GROUPED}),
        dimension,
        in_uncached=count(result.get("uncached_input_tokens"), "uncached_input_tokens"),
        in_cache_read=count(result.get("cache_read_input_tokens"), "cache_read_input_tokens"),
        in_cache_write=written,
        cache_write_by_lifetime=lifetimes,
        out_total=count(result.get("output_tokens"), "output_tokens"),
        service_tier=_tier(result),
        context_tokens=context,
        quality=quality,
    )


def _dimension(line: Line, operation: str) -> Dimension:
    result = line.result
    return Dimension(
        model_raw=text(result.get("model")),
        host=HOST,
        operation=operation,
        region=place(result.get("inference_geo")),
        ext_project=named(line, "workspace_id", "default"),
        ext_api_key=named(line, "api_key_id", "console"),
        ext_user=text(result.get("account_id")) or text(result.get("service_account_id")),
    )


def named(line: Line, name: str, null: str) -> str:
    """The value of a dimension; what null stands for where the pull is known to be grouped by it."""
    return text(line.result.get(name)) or (null if name in line.grouped else "")


def context_of(window: object) -> tuple[int | None, bool]:
    """The fewest prompt tokens a request of a context window holds, and whether the window is one that is known.

    It chooses the price tier of what is in the window: "0-200k" is priced as 1 token of prompt, "200k-1M" as 200,001.
    """
    if window is None:
        return None, True
    found = _WINDOW.fullmatch(window) if isinstance(window, str) else None
    if found is None:
        return None, False
    return int(found["since"]) * _THOUSANDS[found["unit"].lower()] + 1, True


def _cache_writes(result: Mapping[str, Any]) -> tuple[int | None, dict[str, int]]:
    """Tokens written to the cache, and by lifetime."""
    split_up = result.get("cache_creation")
    if not isinstance(split_up, dict):
        return count(result.get("cache_creation_input_tokens"), "cache_creation_input_tokens"), {}
    lifetimes: dict[str, int] = {}
    for name, value in split_up.items():
        found = _LIFETIME.fullmatch(name)
        if tokens := count(value, "cache_creation"):
            lifetime = found["lifetime"] if found else ""
            lifetimes[lifetime] = lifetimes.get(lifetime, 0) + tokens
    return sum(lifetimes.values()), lifetimes


def _tier(result: Mapping[str, Any]) -> str:
    """Fast mode has a price of its own beside the tiers."""
    return "fast" if result.get("speed") == "fast" else tier(result.get("service_tier"))
