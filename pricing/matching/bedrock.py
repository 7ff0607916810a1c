"""How Bedrock writes ids: `us.anthropic.claude-sonnet-4-5-20250929-v1:0`, a profile's region, a vendor, a name, the
version of the API or of the weights; as a resource `arn:aws:bedrock:…`. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from pricing.matching.dates import DATE

Offer = Callable[..., Iterator[tuple[str, tuple[str, ...]]]]
"""Takes a spelling and the conventions that lead to it; yields them if they are new."""
_ID = re.compile(
    r"(?:(?P<scope>us-gov|us|eu|apac|jp|au|ca|global|regional)\.)?(?P<vendor>[a-z0-9]+)\.(?P<name>[a-z0-9].*)"
)
_VENDORS = frozenset(
    {"amazon", "anthropic", "deepseek", "google", "meta", "mistral", "nvidia", "openai", "qwen", "writer", "cohere",
     "ai21", "zai", "moonshotai", "minimax", "stability", "twelvelabs", "luma"}
)  # fmt: skip
_VERSION = re.compile(r"(?P<name>.+?)(?:-v(?P<version>\d+))?(?::(?P<revision>\d+)(?::\w+)?)?")
# Amazon's first embeddings are called by their version everywhere.
_NAMED_BY_VERSION = frozenset({"titan-embed-text", "titan-embed-image"})
# A version is the API's where it is the first or a date says which weights; a later one may be another model.
_SAME = re.compile(r"(?:-v1|(?<=-\d{8})-v\d+)(:\d+)?(:\w+)?$|(?<!-v\d):\d+$")
# Amazon writes the first version as `-v1:0`, as `-v1` or not at all, and sources write it otherwise than Amazon.
_FIRST = re.compile(r"(?P<weights>.+?)(?:-v1(?::0)?)?")
_VERSIONED = re.compile(r"-v\d+(?::\d+)?$|:\d+$")
ARN = re.compile(r"arn:aws[\w-]*:bedrock:[^:]*:[^:]*:(?:foundation-model|inference-profile)/(?P<id>.+)")
ROUTE = re.compile(r"(?P<lead>(?:converse|converse_like|invoke)/)(?P<id>.+)")
"""The API through which LiteLLM asks Bedrock, written before the id."""

IN_REGION = "regional"
"""The region of an offering whose price is that of every commercial region which no source prices apart."""
# Commercial regions, and the geographic profiles that are billed at their price. GovCloud (`us-gov-west-1`) has prices
# of its own.
_IN_REGION = re.compile(r"(?:af|ap|ca|eu|il|me|mx|sa|us)-[a-z]+-\d|us|eu|apac|jp|au|ca")


def is_in_region(region: str) -> bool:
    """Whether it is a commercial region of AWS, or a geographic profile over some."""
    return _IN_REGION.fullmatch(region) is not None


def read(name: str) -> tuple[str, str, str] | None:
    """Region scope, vendor and weights of an id; None where it is none."""
    found = _ID.fullmatch(name)
    if found is None or found["vendor"] not in _VENDORS:
        return None
    return found["scope"] or "", found["vendor"], _weights(found["name"])


def _weights(name: str) -> str:
    """A name without its version where that is the API's: the first one, or one beside a date that says which weights.

    Any other is a model of its own, with its revision: `claude-v2`, `claude-v2:1`.
    """
    found = _VERSION.fullmatch(name)
    if found is None:
        return name
    bare, version, revision = found["name"], found["version"], found["revision"]
    if version is None or DATE.search(bare):
        return bare
    if (version == "1" and bare not in _NAMED_BY_VERSION) or (version == "0" and revision):
        return bare
    return f"{bare}-v{version}" if version == "1" or revision in (None, "0") else f"{bare}-v{version}:{revision}"


def _is_named_by_version(weights: str) -> bool:
    return weights.partition(".")[2] in _NAMED_BY_VERSION


def candidates(name: str, offer: Offer) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Spellings under which sources list the id."""
    if found := ARN.fullmatch(name):
        name = found["id"]
        yield from offer(name, "Bedrock ARN")
    found = _ID.fullmatch(name)
    if found is None or found["vendor"] not in _VENDORS:
        return
    scope, bare = found["scope"], f"{found['vendor']}.{found['name']}"
    if scope not in (None, "global", "regional"):
        # A geographic profile is billed at the regional price, never at the global one.
        yield from offer(f"regional.{bare}", f"Bedrock profile {scope}. is sold at the regional price")
    if scope is None:
        yield from offer(f"regional.{bare}", "Bedrock in-region id is sold at the regional price")
    lead = "global" if scope == "global" else "regional"
    if _SAME.search(bare):
        yield from offer(f"{lead}.{_SAME.sub('', bare)}", "Bedrock version suffix")
    first = _FIRST.fullmatch(bare)
    if first is None or _VERSIONED.search(first["weights"]) or _is_named_by_version(first["weights"]):
        return
    for way in ("", "-v1", "-v1:0"):
        yield from offer(f"{lead}.{first['weights']}{way}", "Bedrock's first version")
