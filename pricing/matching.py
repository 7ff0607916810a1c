"""Which model a seller's id means, and which offering a reported name means. Pure; never guesses.

`identify` reads the identity of the weights out of a seller's sku by declared conventions alone. `Resolver`
finds the offering a reported name means by exact id, declared alias or a declared normalisation, and returns the
rule with the answer; what none of them finds stays unresolved. No rule shortens a name to a prefix, so a new
model can never be given an older model's price.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from pricing.providers import MAKER_OF_NAMESPACE, canonical, declared, is_declared, maker_of

_BEDROCK = re.compile(
    r"(?:(?P<scope>us-gov|us|eu|apac|jp|au|ca|global|regional)\.)?(?P<vendor>[a-z0-9]+)\.(?P<name>[a-z0-9].*)"
)
_BEDROCK_VENDORS = frozenset(
    {"amazon", "anthropic", "deepseek", "google", "meta", "mistral", "nvidia", "openai", "qwen", "writer", "cohere",
     "ai21", "zai", "moonshotai", "minimax", "stability", "twelvelabs", "luma"}
)  # fmt: skip
_BEDROCK_VERSION = re.compile(r"(?P<name>.+?)(?:-v(?P<version>\d+))?(?::(?P<revision>\d+)(?::\w+)?)?")
# Amazon's first embeddings are called by their version everywhere.
_BEDROCK_NAMED_BY_VERSION = frozenset({"titan-embed-text", "titan-embed-image"})
_VARIANT = re.compile(r":(free|batch|extended|thinking|beta|nitro|floor|online|exacto)$")
_EFFORT = re.compile(r"-(minimal|low|medium|high|xhigh)$")
_CONTEXT_MARKER = re.compile(r"\[[0-9a-z]+\]$")
_DATE = re.compile(r"-(\d{4})-?(\d{2})-?(\d{2})$")
_FINE_TUNED = re.compile(r"ft:(?P<base>[^:]+):")
# As gateways write where a deployment lies: `azure/eu/gpt-4o`, `bedrock/us-east-1/anthropic.claude-v2:1`.
_REGION_PREFIX = re.compile(r"(?P<region>[a-z]{2}(-gov)?(-[a-z]+-\d)?|global|global-standard)/(?P<name>.+)")
_REGION_WRITERS = frozenset({"azure", "bedrock"})
# A version is the API's where it is the first or a date says which weights; a later one may be another model.
_BEDROCK_SAME = re.compile(r"(?:-v1|(?<=-\d{8})-v\d+)(:\d+)?(:\w+)?$|(?<!-v\d):\d+$")
# Amazon writes the first version as `-v1:0`, as `-v1` or not at all, and sources write it otherwise than Amazon.
_BEDROCK_FIRST = re.compile(r"(?P<weights>.+?)(?:-v1(?::0)?)?")
_BEDROCK_VERSIONED = re.compile(r"-v\d+(?::\d+)?$|:\d+$")
_SIZES = frozenset({"mistral", "microsoft"})
"""Makers to whom `-medium` is a size of its own."""
_EVER = datetime.min.replace(tzinfo=UTC)
_ARN = re.compile(r"arn:aws[\w-]*:bedrock:[^:]*:[^:]*:(?:foundation-model|inference-profile)/(?P<id>.+)")

_RESOURCES = (
    (re.compile(r"models/[^/]+"), "google", "the Gemini API's name of a resource"),
    (re.compile(r"publishers/[a-z0-9-]+/models/[^/]+"), "vertex", "Vertex's name of a resource"),
    (re.compile(r"claude-[a-z0-9-]+@(?:\d{8}|default)"), "vertex", "Vertex writes versions with @"),
    (re.compile(r"accounts/fireworks/models/[^/]+"), "fireworks", "Fireworks' name of a resource"),
    (re.compile(r"@cf/.+"), "cloudflare", "Cloudflare's name of a resource"),
)
"""Ids that tell their seller by how they are written."""
_PUBLISHED = re.compile(r"(?P<lead>models/|publishers/[a-z0-9-]+/models/)(?P<id>.+)")
_BEDROCK_ROUTE = re.compile(r"(?P<lead>(?:converse|converse_like|invoke)/)(?P<id>.+)")
"""The API through which LiteLLM asks Bedrock, written before the id."""

# One snapshot is all there ever was behind these names, so the date is not part of the model's identity.
# Anthropic's 3.5 Sonnet is the exception: two snapshots with weights of their own.
_DATE_IS_PART_OF_THE_MODEL = re.compile(r"claude-3-5-sonnet")
_SAME_MODEL = {
    ("anthropic", "claude-opus-4-0"): "claude-opus-4",
    ("anthropic", "claude-4-opus"): "claude-opus-4",
    ("anthropic", "claude-sonnet-4-0"): "claude-sonnet-4",
    ("anthropic", "claude-4-sonnet"): "claude-sonnet-4",
    ("deepseek", "deepseek-flash"): "deepseek-v4.1-flash",
    ("mistral", "mistral-large-4-0"): "mistral-large-4",
}
LISTED_UNDER = {"vertex": "google"}
"""Sellers whose list a source publishes under another seller's name; the rule is returned with the answer."""


_RESIDENT = ("anthropic", "us")
"""US-only inference at Anthropic's own API (`inference_geo`) costs more from Claude 4.6 on; before it, the list price.
https://platform.claude.com/docs/en/about-claude/pricing#data-residency-pricing"""
_BEFORE_RESIDENCY = re.compile(r"claude-(?:instant|v?\d).*|claude-[a-z]+-4(?:-[0-5])?(?:-\d{8})?(?:-latest)?")


def normal(name: str) -> str:
    """A name as identities are compared: lower case, every separator a hyphen."""
    return re.sub(r"[\s._@/]+", "-", name.strip().lower())


@dataclass(frozen=True)
class Identity:
    """The weights behind a sku: maker ('' unknown), the name to show as slug, region scope, and the rule used."""

    maker: str
    slug: str
    region: str
    rule: str

    @property
    def key(self) -> str:
        """Equal for two skus exactly when they name the same weights."""
        return f"{self.maker}/{normal(self.slug)}"


def identify(provider: str, sku: str) -> Identity:
    """The identity of the model a provider sells under a sku, by declared conventions.

    A sku whose maker no convention tells is a model of its own of that provider.
    """
    name, region, rules = sku.strip().lower().lstrip("~"), "", []
    namespace = ""
    if provider == "bedrock" and (found := _bedrock(name)):
        region, namespace, name = found
        rules.append("bedrock id")
    elif provider == "cloudflare" and name.startswith("@cf/"):
        name = name.removeprefix("@cf/")
    if "/" in name:
        namespace, _, name = name.rpartition("/")
        rules.append("maker's namespace")
    if provider == "fireworks":
        name = re.sub(r"(?<=\d)p(?=\d)", ".", name)  # kimi-k2p5 is Fireworks' spelling of kimi-k2.5
        region = "us" if name.endswith("-us") else region
        name = name.removesuffix("-us")
    if provider == "databricks":
        name = name.removeprefix("databricks-")
    if provider in {"vertex", "google"}:
        name = name.removesuffix("-maas").replace("@", "-")
    if _VARIANT.search(name):
        rules.append("seller's variant")
        name = _VARIANT.sub("", name)
    known = declared(provider)
    maker = MAKER_OF_NAMESPACE.get(namespace.split("/")[-1], "") if namespace else ""
    if maker == provider and maker_of(name):
        # A maker that also hosts others puts its own name before theirs too (`perplexity/kimi-k3`).
        maker = maker_of(name)
    if not maker:
        maker = maker_of(name) or (namespace if namespace and known is None else "")
    if not maker and known is not None and known.maker and not namespace:
        maker = known.slug
    if not maker:
        own = namespace or provider
        return Identity(own if namespace else "", f"{own}-{name}", region, "seller's own name")
    name = _without_date(maker, name)
    name = _SAME_MODEL.get((maker, name), name)
    if maker == "zai":
        name = name.removeprefix("zai-")  # as Mistral lists it
    return Identity(maker, name, region, ", ".join(rules) or "maker's own name")


def cache_write_unit(provider: str, sku: str) -> str:
    """The unit of a cache-write price stated without a lifetime: Anthropic documents five minutes, others none."""
    return "cache_write_5m" if identify(provider, sku).maker == "anthropic" else "cache_write"


def _bedrock(name: str) -> tuple[str, str, str] | None:
    found = _BEDROCK.fullmatch(name)
    if found is None or found["vendor"] not in _BEDROCK_VENDORS:
        return None
    return found["scope"] or "", found["vendor"], _bedrock_weights(found["name"])


def _bedrock_weights(name: str) -> str:
    """A name without its version where that is the API's: the first one, or one beside a date that says which weights.

    Any other is a model of its own, with its revision: `claude-v2`, `claude-v2:1`.
    """
    found = _BEDROCK_VERSION.fullmatch(name)
    if found is None:
        return name
    bare, version, revision = found["name"], found["version"], found["revision"]
    if version is None or _DATE.search(bare):
        return bare
    if (version == "1" and bare not in _BEDROCK_NAMED_BY_VERSION) or (version == "0" and revision):
        return bare
    return f"{bare}-v{version}" if version == "1" or revision in (None, "0") else f"{bare}-v{version}:{revision}"


def _is_named_by_version(weights: str) -> bool:
    return weights.partition(".")[2] in _BEDROCK_NAMED_BY_VERSION


def _without_date(maker: str, name: str) -> str:
    """The name without its date or `-latest`, for the maker whose date is no part of the identity."""
    if maker != "anthropic":
        return name
    name = name.replace(".", "-")
    if _DATE_IS_PART_OF_THE_MODEL.match(name):
        return name
    return _DATE.sub("", name).removesuffix("-latest")


@dataclass(frozen=True)
class Entry:
    """One offering the resolver may answer with."""

    offering_id: int
    provider: str
    sku: str
    region: str
    model_slug: str


@dataclass(frozen=True)
class AliasEntry:
    """One declared alias; `dated` also accepts the name followed by a calendar date."""

    provider: str
    name: str
    offering_id: int
    dated: bool = False
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    official: bool = False
    """Whether the vendor itself declares it."""


@dataclass(frozen=True)
class Match:
    """What a name means and by which rule; `offering_id` is None where nothing declared says."""

    name: str
    provider: str
    rule: str
    offering_id: int | None = None
    sku: str = ""
    region: str = ""
    model_slug: str = ""

    @property
    def resolved(self) -> bool:
        return self.offering_id is not None


@dataclass
class Resolver:
    """Names → offerings, over one state of the catalogue. Look-ups are dictionary look-ups."""

    entries: Iterable[Entry]
    aliases: Iterable[AliasEntry] = ()
    decided: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """(provider, lower-case name) → the offering a person mapped it to."""
    _exact: dict[tuple[str, str], Entry] = field(init=False, default_factory=dict)
    _folded: dict[tuple[str, str], Entry | None] = field(init=False, default_factory=dict)
    _regional: dict[tuple[str, str, str], Entry] = field(init=False, default_factory=dict)
    _sellers: set[str] = field(init=False, default_factory=set)
    _aliases: dict[tuple[str, str], list[tuple[AliasEntry, Entry]]] = field(init=False, default_factory=dict)
    _mapped: dict[tuple[str, str], Entry] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        by_id: dict[int, Entry] = {}
        for entry in self.entries:
            by_id[entry.offering_id] = entry
            self._sellers.add(entry.provider)
            self._regional[entry.provider, entry.sku, entry.region] = entry
            kept = self._exact.get((entry.provider, entry.sku))
            if kept is None or (kept.region and not entry.region):
                self._exact[entry.provider, entry.sku] = entry
            folded = (entry.provider, entry.sku.lower())
            clash = self._folded.get(folded)
            # Two skus that differ by case alone are two offerings: folding may not choose between them.
            self._folded[folded] = None if clash and clash.sku != entry.sku else entry
        for alias in self.aliases:
            entry = by_id[alias.offering_id]
            self._aliases.setdefault((alias.provider, alias.name.lower()), []).append((alias, entry))
        self._mapped = {key: by_id[offering] for key, offering in self.decided.items()}

    def resolve(self, name: str, provider: str | None = None, at: datetime | None = None) -> Match:
        """The offering a reported name means at a moment (now by default), with the rule; never a guess."""
        when = at or datetime.now(UTC)
        asked = name.strip()
        if not asked or "\x00" in asked or len(asked) > 400:
            return Match(name, provider or "", "not a model name")
        if provider:
            return self._at_provider(name, asked, canonical(provider), when)
        for seller, rest, rule in _sellers(asked, self._sellers):
            found = self._at_provider(name, rest, seller, when)
            if found.resolved:
                return Match(name, seller, _join(rule, found.rule), found.offering_id, found.sku, found.region,
                             found.model_slug)  # fmt: skip
        return Match(name, "", "unresolved")

    def located(self, match: Match, region: str) -> Match:
        """The same where a seller's price depends on where a request ran; unresolved where no source states it there.

        Of a region that is not declared to have prices of its own nothing is asked.
        """
        if match.offering_id is None or (match.provider, region.lower()) != _RESIDENT:
            return match
        if entry := self._regional.get((match.provider, match.sku, region.lower())):
            rule = _join(match.rule, f"in {entry.region}")
            return replace(match, rule=rule, offering_id=entry.offering_id, region=entry.region)
        if _BEFORE_RESIDENCY.fullmatch(match.sku):
            return match
        return Match(match.name, match.provider, f"unresolved: no source states what it costs in {region.lower()}")

    def _at_provider(self, name: str, asked: str, provider: str, when: datetime) -> Match:
        for candidate, steps in _candidates(asked, provider):
            for seller in (provider, LISTED_UNDER.get(provider)):
                if seller is None:
                    continue
                entry, rule = self._look_up(candidate, seller, when)
                if entry is not None:
                    listed = f"listed under {seller}" if seller != provider else ""
                    return Match(name, provider, _join(*steps, listed, rule), entry.offering_id, entry.sku,
                                 entry.region, entry.model_slug)  # fmt: skip
        if provider in _REGION_WRITERS and (found := _REGION_PREFIX.fullmatch(asked)):
            region = "" if found["region"].startswith("global") else found["region"]
            for candidate, steps in _candidates(found["name"], provider):
                if entry := self._regional.get((provider, candidate, region)):
                    rule = _join(f"region prefix {found['region']}/", *steps)
                    return Match(name, provider, rule, entry.offering_id, entry.sku, region, entry.model_slug)
        if _FINE_TUNED.match(asked.lower()):
            return Match(name, provider, "unresolved: a fine-tuned model whose own price no source states")
        return Match(name, provider, "unresolved")

    def _look_up(self, name: str, provider: str, when: datetime) -> tuple[Entry | None, str]:
        if entry := self._exact.get((provider, name)):
            return entry, "exact"
        if entry := self._mapped.get((provider, name.lower())):
            return entry, "mapped by a person"
        if entry := self._folded.get((provider, name.lower())):
            return entry, "exact but for case"
        if entry := self._alias(name, provider, when, dated=False):
            return entry, "declared alias"
        if (found := _DATE.search(name)) and _is_date(found) and _date_of(found) <= when.date():
            base = name[: found.start()]
            if entry := self._alias(base, provider, when, dated=True):
                return entry, "declared dated name"
        return None, ""

    def _alias(self, name: str, provider: str, when: datetime, *, dated: bool) -> Entry | None:
        """What the name was declared to mean: by its vendor first, by the youngest pointer, by the one that ends first
        (a list of the present never says since when); None where two sources contradict each other."""
        standing = [
            ((alias.official, alias.valid_from or _EVER, _ever_after(alias.valid_until)), entry)
            for alias, entry in self._aliases.get((provider, name.lower()), ())
            if alias.dated == dated
            and (alias.valid_from is None or alias.valid_from <= when)
            and (alias.valid_until is None or when < alias.valid_until)
        ]
        best = max((word for word, _ in standing), default=None)
        meant = {entry.offering_id: entry for word, entry in standing if word == best}
        return next(iter(meant.values())) if len(meant) == 1 else None


def _ever_after(until: datetime | None) -> float:
    return float("-inf") if until is None else -until.timestamp()


def _join(*rules: str) -> str:
    kept = [rule for rule in rules if rule and rule != "exact"]
    return ", ".join(kept) or "exact"


def _is_date(found: re.Match[str]) -> bool:
    try:
        return _date_of(found) >= date(2020, 1, 1)
    except ValueError:
        return False


def _date_of(found: re.Match[str]) -> date:
    return date(int(found[1]), int(found[2]), int(found[3]))


def _sellers(name: str, known: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """(provider, rest of the name, rule) a name without a provider may mean, most explicit first.

    `known`: the sellers of the catalogue, whose slugs are prefixes as declared ones are.
    """
    lowered = name.lower()
    if found := _ARN.fullmatch(name):
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
    if (found := _BEDROCK.fullmatch(lowered)) and found["vendor"] in _BEDROCK_VENDORS:
        yield "bedrock", name, "Bedrock id"
        return
    if slash:
        return
    bare = lowered.removeprefix("ft:")
    if (maker := maker_of(bare)) and declared(maker):
        yield maker, name, "the maker's own offering"


def _candidates(name: str, provider: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Spellings of a name that declared conventions call the same id, each with the conventions used, in order."""
    seen = set()

    def offer(candidate: str, *steps: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        if candidate and candidate not in seen:
            seen.add(candidate)
            yield candidate, steps

    yield from offer(name)
    prefix, slash, rest = name.partition("/")
    if slash and is_declared(prefix) and canonical(prefix) == provider:
        yield from ((c, (f"provider prefix {prefix}/", *steps)) for c, steps in _candidates(rest, provider))
        return
    if found := _FINE_TUNED.match(name):
        # A fine-tuned model has its own price; the entry `ft:BASE` is that price, the base model's is not.
        yield from offer(f"ft:{found['base']}", "fine-tuned models of one base share a price")
        return
    if provider == "bedrock" and (found := _BEDROCK_ROUTE.fullmatch(name)):
        lead = f"route {found['lead']}"
        yield from ((c, (lead, *steps)) for c, steps in _candidates(found["id"], provider))
        return
    if provider == "bedrock":
        yield from _bedrock_candidates(name, offer)
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


def _bedrock_candidates(name: str, offer: object) -> Iterator[tuple[str, tuple[str, ...]]]:
    assert callable(offer)  # noqa: S101 - a closure of _candidates
    if found := _ARN.fullmatch(name):
        name = found["id"]
        yield from offer(name, "Bedrock ARN")
    found = _BEDROCK.fullmatch(name)
    if found is None or found["vendor"] not in _BEDROCK_VENDORS:
        return
    scope, bare = found["scope"], f"{found['vendor']}.{found['name']}"
    if scope not in (None, "global", "regional"):
        # A geographic profile is billed at the regional price, never at the global one.
        yield from offer(f"regional.{bare}", f"Bedrock profile {scope}. is sold at the regional price")
    if scope is None:
        yield from offer(f"regional.{bare}", "Bedrock in-region id is sold at the regional price")
    lead = "global" if scope == "global" else "regional"
    if _BEDROCK_SAME.search(bare):
        yield from offer(f"{lead}.{_BEDROCK_SAME.sub('', bare)}", "Bedrock version suffix")
    first = _BEDROCK_FIRST.fullmatch(bare)
    if first is None or _BEDROCK_VERSIONED.search(first["weights"]) or _is_named_by_version(first["weights"]):
        return
    for way in ("", "-v1", "-v1:0"):
        yield from offer(f"{lead}.{first['weights']}{way}", "Bedrock's first version")
