"""The usage of a response, whatever vendor's, as disjoint counts.

Five families differ in what they include. OpenAI's chat and responses: input with the cache, output with the
reasoning (a few sellers of that shape count reasoning beside it, which their total shows). Anthropic's messages and
Bedrock's Converse: input without the cache. Gemini: input with the cache and without the prompts of tools, output
without the thoughts. Cohere: the units it bills. Any other shape is looked for with the extractors of genai-prices,
which all add the cache to the input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from usage.importers._json import Unreadable
from usage.importers._logs import (
    COMPLETION_DETAILS,
    IMAGES_SENT,
    PROMPT_DETAILS,
    by_ttl,
    details_of,
    disjoint,
    first,
    is_beside,
    lifetimes,
    marked,
    modalities,
    nested,
    tokens,
)
from usage.importers._records import Json, at
from usage.importers.claude_code import tokens as anthropic


@dataclass(frozen=True, slots=True)
class Counts:
    """Disjoint counts of one response, and the family that says what they are."""

    family: str
    uncached: int | None
    read: int | None
    written: int | None
    out: int | None
    reasoning: int | None = None
    lifetimes: Mapping[str, int] = field(default_factory=dict)
    context: int | None = None
    quality: tuple[str, ...] = ()


def counts_of(body: Json, host: str = "") -> Counts | None:
    """The counts a response states; None where it has none; Unreadable where they cannot be."""
    usage = first(*(nested(body, root) or None for root in ("usage", "usageMetadata", "usage_metadata"))) or {}
    for belongs, read in FAMILIES:
        if belongs(body, usage):
            return read(usage or body)
    return _found_by_extractors(body, host)


def _is_gemini(body: Json, usage: Json) -> bool:
    return any(name in usage for name in ("promptTokenCount", "totalTokenCount", "prompt_token_count"))


def _is_converse(body: Json, usage: Json) -> bool:
    is_like_it = "inputTokens" in usage and ("outputTokens" in usage or "totalTokens" in usage)
    return is_like_it and not any(name in usage for name in _AI_SDK)


# Vercel's AI SDK counts under Converse's names, and the cache in or beside the input as its provider does.
_AI_SDK = ("cachedInputTokens", "reasoningTokens", "inputTokenDetails", "outputTokenDetails")


def _is_cohere(body: Json, usage: Json) -> bool:
    return bool(nested(usage, "billed_units") or at(body, "meta", "billed_units"))


def _is_anthropic(body: Json, usage: Json) -> bool:
    if "input_tokens" not in usage or "output_tokens" not in usage or "input_tokens_details" in usage:
        return False
    return body.get("type") == "message" or any(name in usage for name in ("cache_creation_input_tokens",
                                                "cache_read_input_tokens", "cache_creation"))  # fmt: skip


def _is_openai(body: Json, usage: Json) -> bool:
    return "prompt_tokens" in usage or "input_tokens" in usage


def _openai(usage: Json) -> Counts:
    """Chat (`prompt_tokens`) and responses (`input_tokens`), and all who copied them."""
    details = details_of(usage, PROMPT_DETAILS)
    total = tokens(first(usage.get("prompt_tokens"), usage.get("input_tokens")))
    read = tokens(
        first(
            details.get("cached_tokens"),
            details.get("cache_read"),  # LangChain
            usage.get("prompt_cache_hit_tokens"),  # DeepSeek
            usage.get("num_cached_tokens"),  # Mistral
            usage.get("cached_tokens"),  # Moonshot, Together
            details.get("cache_read_input_tokens"),  # Perplexity
            usage.get("cache_read_input_tokens"),  # Databricks
            usage.get("cached_prompt_text_tokens"),  # xAI
        )
    )
    written = tokens(
        first(
            details.get("cache_write_tokens"),
            details.get("cache_creation"),  # LangChain
            usage.get("cache_creation_input_tokens"),  # LiteLLM's proxy
            details.get("cache_creation_tokens"),
        )
    )
    split = _written_by_lifetime(details)
    if any(split.values()):  # of the whole LangChain then says 0
        written = max(written or 0, sum(count or 0 for count in split.values()))
    uncached, read, written, quality = disjoint(total, read, written, replayed=is_openrouters(usage))
    all_tokens = tokens(usage.get("total_tokens"))
    out, reasoning = _openai_output(usage, total, all_tokens)
    quality = (*quality, *marked(modalities(usage)))
    return Counts("openai", uncached, read, written, out, reasoning, lifetimes(split, written), quality=quality)


def _written_by_lifetime(details: Json) -> dict[str, int | None]:
    """Anthropic's cache writes by lifetime, as LiteLLM and LangChain hand them on."""
    stated = nested(details, "cache_creation_token_details") or details
    return {lifetime: tokens(stated.get(name)) for name, lifetime in anthropic.LIFETIMES.items()}


def is_openrouters(usage: Json) -> bool:
    """Whether a usage states its cost, and as one number, as OpenRouter does."""
    return "cost" in usage and not isinstance(usage["cost"], dict)


def _openai_output(usage: Json, total: int | None, all_tokens: int | None) -> tuple[int | None, int | None]:
    details = details_of(usage, COMPLETION_DETAILS)
    out = tokens(first(usage.get("completion_tokens"), usage.get("output_tokens")))
    reasoning = tokens(
        first(details.get("reasoning_tokens"), details.get("reasoning"), usage.get("reasoning_tokens"))  # LangChain
    )
    if out is None:  # embeddings: where all tokens are the input's, none came out
        return (0 if total is not None and all_tokens == total else None), None
    citations = tokens(usage.get("citation_tokens")) or 0  # Perplexity bills them as output, beside it
    return out + citations + (reasoning or 0) * is_beside(reasoning, out, total, all_tokens), reasoning


def _anthropic(usage: Json) -> Counts:
    try:
        found = anthropic.read_usage(usage)
    except anthropic.Unreadable as fault:
        raise Unreadable(str(fault)) from None
    return Counts(
        "anthropic", found.uncached, found.read, found.written, found.out, found.reasoning, found.lifetimes,
        found.context if usage.get("iterations") else None, found.quality,
    )  # fmt: skip


def _gemini(stated: Json) -> Counts:
    usage = {_camel(name): count for name, count in stated.items()}  # its Python library writes snake_case
    prompt, tool = tokens(usage.get("promptTokenCount")), tokens(usage.get("toolUsePromptTokenCount"))
    total = None if prompt is None and tool is None else (prompt or 0) + (tool or 0)
    # An absent count is one of zero: Gemini leaves out what is empty.
    uncached, read, written, quality = disjoint(total, tokens(usage.get("cachedContentTokenCount")) or 0, None)
    said = first(usage.get("candidatesTokenCount"), usage.get("responseTokenCount"))
    candidates, thoughts = tokens(said), tokens(usage.get("thoughtsTokenCount"))
    if candidates is None and thoughts is None:
        out = 0 if tokens(usage.get("totalTokenCount")) == total else None
    else:
        out = (candidates or 0) + (thoughts or 0)
    marks = (mark for side, marks in _MARKS.items() for modality, mark in marks.items() if _has(usage, side, modality))
    return Counts("gemini", uncached, read, written, out, thoughts, quality=(*quality, *marked(marks)))


# Text, images and video that are read have one price; audio has another, and so have images that are made.
_SENT, _MADE = {"AUDIO": "audio_sent", "IMAGE": IMAGES_SENT}, {"AUDIO": "audio_made", "IMAGE": "images_made"}
_MARKS = {
    "promptTokensDetails": _SENT,
    "promptTokenDetails": _SENT,  # of embeddings
    "cacheTokensDetails": _SENT,
    "toolUsePromptTokensDetails": _SENT,
    "candidatesTokensDetails": _MADE,
    "responseTokensDetails": _MADE,
}


def _has(usage: Json, side: str, modality: str) -> bool:
    """Whether tokens of a modality are among those of a side."""
    details = usage.get(side)
    return any(
        at(detail, "modality") == modality and bool(tokens(first(at(detail, "tokenCount"), at(detail, "token_count"))))
        for detail in (details if isinstance(details, list) else [])
    )


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _converse(usage: Json) -> Counts:
    read = tokens(first(usage.get("cacheReadInputTokens"), usage.get("cacheReadInputTokenCount")))
    written = tokens(first(usage.get("cacheWriteInputTokens"), usage.get("cacheWriteInputTokenCount")))
    split = lifetimes(by_ttl(usage.get("cacheDetails")), written)
    uncached, out = tokens(usage.get("inputTokens")), tokens(usage.get("outputTokens"))
    return Counts("converse", uncached, read or 0, written or 0, out, lifetimes=split)


def _cohere(usage: Json) -> Counts:
    billed = nested(usage, "billed_units") or nested(nested(usage, "meta"), "billed_units")
    quality = ("cache_split_unknown",) if tokens(usage.get("cached_tokens")) else ()
    uncached, out = tokens(billed.get("input_tokens")), tokens(billed.get("output_tokens"))
    if out is None and uncached is not None and not nested(usage, "tokens"):
        out = 0  # an embedding; a ranking is billed by the search, and says nothing of tokens
    return Counts("cohere", uncached, None, None, out, quality=quality)


FAMILIES: tuple[tuple[Callable[[Json, Json], bool], Callable[[Json], Counts]], ...] = (
    (_is_gemini, _gemini),
    (_is_converse, _converse),
    (_is_cohere, _cohere),
    (_is_anthropic, _anthropic),
    (_is_openai, _openai),
)


def _found_by_extractors(body: Json, host: str) -> Counts | None:
    """The first extractor of genai-prices that finds tokens, those of the host first."""
    for _, extractor in sorted(_extractors(), key=lambda found: found[0] != host):
        try:
            _, usage = extractor.extract(body)
        except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError):
            continue
        total, out = _said(usage, "input_tokens"), _said(usage, "output_tokens")
        if total is None and out is None:
            continue
        uncached, read, written, quality = disjoint(
            total, _said(usage, "cache_read_tokens"), _said(usage, "cache_write_tokens")
        )
        reasoning = _said(usage, "output_reasoning_tokens")
        if reasoning is not None and (out is None or reasoning > out):
            raise Unreadable("reasoning tokens exceed the output they are a part of")
        return Counts("extracted", uncached, read, written, out, reasoning, quality=quality)
    return None


def _said(usage: Any, name: str) -> int | None:
    return tokens(vars(usage).get(name))  # the attribute itself is 0 where nothing was said


@cache
def _extractors() -> tuple[tuple[str, Any], ...]:
    return tuple(_all_extractors())


def _all_extractors() -> Iterator[tuple[str, Any]]:
    from genai_prices.data import providers  # a large module, and needed by few files

    for provider in providers:
        for extractor in provider.extractors or ():
            yield provider.id, extractor
