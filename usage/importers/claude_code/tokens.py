"""The token counts of one Claude Code reply, as Anthropic reports them: input excludes the cache."""

from __future__ import annotations

from typing import Any

LIFETIMES = {"ephemeral_5m_input_tokens": "5m", "ephemeral_1h_input_tokens": "1h"}
MAX_TOKENS = 10**12


class Unreadable(Exception):
    """Why a line that should carry usage cannot be read: a sentence that is the same for every such line."""


class Tokens:
    """The counts of one reply. `context` is that of its longest single inference."""

    __slots__ = ("context", "lifetimes", "out", "quality", "read", "reasoning", "uncached", "written")

    uncached: int | None
    read: int | None
    written: int | None
    out: int | None
    reasoning: int | None
    context: int
    lifetimes: dict[str, int]
    quality: tuple[str, ...]


def read_usage(usage: object) -> Tokens:
    """The counts of a usage object; Unreadable where they cannot be what they say."""
    if usage.__class__ is not dict or not ("input_tokens" in usage or "output_tokens" in usage):
        raise Unreadable("usage is not in Anthropic's shape: it has neither input_tokens nor output_tokens")
    get = usage.get
    tokens = Tokens()
    tokens.uncached = uncached = _tokens(get("input_tokens"))
    tokens.read = read = _tokens(get("cache_read_input_tokens"))
    tokens.out = _tokens(get("output_tokens"))
    tokens.quality = ()
    written, tokens.lifetimes = _cache_writes(get("cache_creation_input_tokens"), get("cache_creation"))
    tokens.written = written
    tokens.context = uncached + read + written
    tokens.reasoning = None
    if details := get("output_tokens_details"):
        _add_reasoning(tokens, details)
    if (tools := get("server_tool_use")) and isinstance(tools, dict) and tools.get("web_search_requests"):
        tokens.quality = ("web_searches_not_kept",)  # billed by the search
    if iterations := get("iterations"):
        _add_iterations(tokens, iterations)
    if "input_tokens" not in usage or "output_tokens" not in usage:
        _forget_what_was_not_said(tokens, usage)
    return tokens


def _add_reasoning(tokens: Tokens, details: object) -> None:
    if isinstance(details, dict) and details.get("thinking_tokens") is not None:
        tokens.reasoning = _tokens(details["thinking_tokens"])
        if tokens.reasoning > (tokens.out or 0):
            raise Unreadable("thinking tokens exceed output tokens, of which they are a part")


def _forget_what_was_not_said(tokens: Tokens, usage: dict[str, Any]) -> None:
    """Half a usage object: what it does not mention is unknown, not zero."""
    if "input_tokens" not in usage:
        tokens.uncached = None
    if "output_tokens" not in usage:
        tokens.out = None
    if "cache_read_input_tokens" not in usage:
        tokens.read = None
    if "cache_creation_input_tokens" not in usage and "cache_creation" not in usage:
        tokens.written = None


def _add_iterations(tokens: Tokens, iterations: object) -> None:
    """Add compactions, which are billed and not in the top-level figures (Anthropic's SDK says so).

    An advisor's turn is billed at another model's price, which one record cannot hold: flagged, not added.
    """
    if not isinstance(iterations, list):
        raise Unreadable("usage.iterations is not a list of objects")
    longest = 0
    for iteration in iterations:
        if not isinstance(iteration, dict):
            raise Unreadable("usage.iterations is not a list of objects")
        kind = iteration.get("type")
        if kind not in ("message", "compaction"):
            tokens.quality = (*tokens.quality, "other_iterations_not_counted")
            continue
        uncached, read = (
            _tokens(iteration.get("input_tokens")),
            _tokens(iteration.get("cache_read_input_tokens")),
        )
        written, lifetimes = _cache_writes(
            iteration.get("cache_creation_input_tokens"), iteration.get("cache_creation")
        )
        longest = max(longest, uncached + read + written)
        if kind == "compaction":
            tokens.lifetimes = _joined(tokens.lifetimes, tokens.written or 0, lifetimes, written)
            tokens.uncached = (tokens.uncached or 0) + uncached
            tokens.read = (tokens.read or 0) + read
            tokens.written = (tokens.written or 0) + written
            tokens.out = (tokens.out or 0) + _tokens(iteration.get("output_tokens"))
    tokens.context = longest or tokens.context


def _tokens(value: object) -> int:
    if value.__class__ is not int:
        if value is None:
            return 0
        raise Unreadable("a token count is not a whole number")
    if value < 0:
        raise Unreadable("a token count is negative")
    if value > MAX_TOKENS:
        raise Unreadable("a token count is larger than any request can hold")
    return value


def _cache_writes(stated: object, split: object) -> tuple[int, dict[str, int]]:
    """Tokens written to the cache, and by lifetime where that is said; "" is what has none."""
    total = _tokens(stated)
    if split.__class__ is not dict:
        return total, {}
    lifetimes = {}
    known = 0
    for name, lifetime in LIFETIMES.items():
        if tokens := _tokens(split.get(name)):
            lifetimes[lifetime] = tokens
            known += tokens
    if known >= total:  # some gateways send the split alone
        return known, lifetimes
    if lifetimes:
        lifetimes[""] = total - known
    return total, lifetimes


def _joined(one: dict[str, int], one_total: int, other: dict[str, int], other_total: int) -> dict[str, int]:
    """The lifetimes of two sums of cache writes; nothing where neither has any."""
    if not one and not other:
        return {}
    one, other = one or {"": one_total}, other or {"": other_total}
    both = {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}
    return {name: tokens for name, tokens in both.items() if tokens}
