"""What a reported name may be written for: its sellers, and spellings that declared conventions call one id. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from pricing.matching import bedrock
from pricing.providers import canonical, declared, is_declared, maker_of

_EFFORT = re.compile(r"-(minimal|low|medium|high|xhigh)$")
_CONTEXT_MARKER = re.compile(r"\[[0-9a-z]+\]$")
FINE_TUNED = re.compile(r"ft:(?P<base>[^:]+):")
_SIZES = frozenset({"mistral", "microsoft", "cohere"})
"""Makers to whom `-medium` is a size of its own."""
_RESOURCES = (
    (re.compile(r"models/[^/]+"), "google", "the Gemini API's name of a resource"),
    (re.compile(r"publishers/[a-z0-9-]+/models/[^/]+"), "vertex", "Vertex's name of a resource"),
    (re.compile(r"claude-[a-z0-9-]+@(?:\d{8}|default)"), "vertex", "Vertex writes versions with @"),
    (re.compile(r"accounts/fireworks/models/[^/]+"), "fireworks", "Fireworks' name of a resource"),
    (re.compile(r"@cf/.+"), "cloudflare", "Cloudflare's name of a resource"),
)
"""Ids that tell their seller by how they are written."""
_PUBLISHED = re.compile(r"(?P<lead>models/|publishers/[a-z0-9-]+/models/)(?P<id>.+)")


def sellers(name: str, known: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """(provider, rest of the name, rule) a name without a provider may mean, most explicit first.

    `known`: the sellers of the catalogue, whose slugs are prefixes as declared ones are.
    """
    lowered = name.lower()
    if found := bedrock.ARN.fullmatch(name):
        yield "bedrock", found["id"], "Bedrock ARN"
        return
    for written, seller, rule in _RESOURCES:
        if written.fullmatch(lowered):
            yield seller, name, rule
            return
    prefix, slash, rest = name.partition("/")
    if slash and (is_declared(prefix) or canonical(prefix) in known):
        yield canonical(prefix), rest, f"provider prefix {prefix}/"
        return
    if bedrock.read(lowered):
        yield "bedrock", name, "Bedrock id"
        return
    if slash:
        return
    bare = lowered.removeprefix("ft:")
    if (maker := maker_of(bare)) and declared(maker):
        yield maker, name, "the maker's own offering"


def candidates(name: str, provider: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Spellings of a name that declared conventions call the same id, each with the conventions used, in order."""
    seen = set()

    def offer(candidate: str, *steps: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        if candidate and candidate not in seen:
            seen.add(candidate)
            yield candidate, steps

    yield from offer(name)
    prefix, slash, rest = name.partition("/")
    if slash and is_declared(prefix) and canonical(prefix) == provider:
        yield from ((c, (f"provider prefix {prefix}/", *steps)) for c, steps in candidates(rest, provider))
        return
    if found := FINE_TUNED.match(name):
        # A fine-tuned model has its own price; the entry `ft:BASE` is that price, the base model's is not.
        yield from offer(f"ft:{found['base']}", "fine-tuned models of one base share a price")
        return
    if provider == "bedrock" and (found := bedrock.ROUTE.fullmatch(name)):
        lead = f"route {found['lead']}"
        yield from ((c, (lead, *steps)) for c, steps in candidates(found["id"], provider))
        return
    if provider == "bedrock":
        yield from bedrock.candidates(name, offer)
    if provider in ("google", "vertex"):
        if found := _PUBLISHED.fullmatch(name):
            yield from offer(found["id"], f"prefix {found['lead']}")
        yield from offer(name.replace("@", "-"), "Vertex version @")
    if provider == "fireworks":
        yield from offer(name.removeprefix("accounts/fireworks/models/"), "Fireworks account prefix")
    stripped = _CONTEXT_MARKER.sub("", name)
    if stripped != name:
        yield from offer(stripped, "context marker")
    if provider == "anthropic" and "." in stripped:
        yield from offer(stripped.replace(".", "-"), "Anthropic writes versions with hyphens")
    found = _EFFORT.search(stripped)
    if found and not (found[1] == "medium" and maker_of(stripped.rpartition("/")[2]) in _SIZES):
        yield from offer(stripped[: found.start()], "effort suffix")
