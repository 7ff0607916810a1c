"""Which model a seller's id means, and which offering a reported name means. Pure; never guesses.

`identify` reads the identity of the weights out of a seller's sku by declared conventions alone. `Resolver`
finds the offering a reported name means by exact id, declared alias or a declared normalisation, and returns the
rule with the answer; what none of them finds stays unresolved. No rule shortens a name to a prefix, so a new
model can never be given an older model's price.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from pricing.matching import bedrock
from pricing.matching.dates import DATE, date_of, is_date
from pricing.matching.spellings import FINE_TUNED, candidates, sellers
from pricing.matching.weights import Identity, cache_write_unit, identify, normal
from pricing.providers import canonical

__all__ = ["AliasEntry", "Entry", "Identity", "Match", "Resolver", "cache_write_unit", "identify", "normal"]

# As gateways write where a deployment lies: `azure/eu/gpt-4o`, `bedrock/us-east-1/anthropic.claude-v2:1`.
_REGION_PREFIX = re.compile(r"(?P<region>[a-z]{2}(-gov)?(-[a-z]+-\d)?|global|global-standard)/(?P<name>.+)")
_REGION_WRITERS = frozenset({"azure", "bedrock"})
_EVER = datetime.min.replace(tzinfo=UTC)
LISTED_UNDER = {"vertex": "google"}
"""Sellers whose list a source publishes under another seller's name; the rule is returned with the answer."""

_RESIDENT = ("anthropic", "us")
"""US-only inference at Anthropic's own API (`inference_geo`) costs more from Claude 4.6 on; before it, the list price.
https://platform.claude.com/docs/en/about-claude/pricing#data-residency-pricing"""
_BEFORE_RESIDENCY = re.compile(r"claude-(?:instant|v?\d).*|claude-[a-z]+-4(?:-[0-5])?(?:-\d{8})?(?:-latest)?")


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
    _apart: set[str] = field(init=False, default_factory=set)
    """Bedrock's ids that some source prices by region."""
    _sellers: set[str] = field(init=False, default_factory=set)
    _aliases: dict[tuple[str, str], list[tuple[AliasEntry, Entry]]] = field(init=False, default_factory=dict)
    _mapped: dict[tuple[str, str], Entry] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        by_id: dict[int, Entry] = {}
        for entry in self.entries:
            by_id[entry.offering_id] = entry
            self._sellers.add(entry.provider)
            self._regional[entry.provider, entry.sku, entry.region] = entry
            if entry.provider == "bedrock" and bedrock.is_in_region(entry.region):
                self._apart.add(entry.sku)
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
        for seller, rest, rule in sellers(asked, self._sellers):
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
        for candidate, steps in candidates(asked, provider):
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
            for candidate, steps in candidates(found["name"], provider):
                if entry := self._regional.get((provider, candidate, region)) or self._in_region(candidate, region):
                    billed = f"{region} is billed at the regional price" if entry.region != region else ""
                    rule = _join(f"region prefix {found['region']}/", *steps, billed)
                    return Match(name, provider, rule, entry.offering_id, entry.sku, entry.region, entry.model_slug)
        if provider == "bedrock" and (found_id := bedrock.read(asked.lower())):
            scope, vendor, weights = found_id
            if entry := self._alias(weights, vendor, when, dated=False, official=True):
                snapshot = ".".join(filter(None, (scope, vendor, entry.sku)))
                match = self._at_provider(name, snapshot, provider, when)
                if match.resolved and entry.sku != weights:
                    return replace(match, rule=_join(f"{vendor}'s own name of {entry.sku}", match.rule))
        if FINE_TUNED.match(asked.lower()):
            return Match(name, provider, "unresolved: a fine-tuned model whose own price no source states")
        return Match(name, provider, "unresolved")

    def _in_region(self, sku: str, region: str) -> Entry | None:
        """Bedrock's in-region price, by which a region is billed that no source prices apart."""
        if sku in self._apart or not bedrock.is_in_region(region):
            return None
        return self._regional.get(("bedrock", sku, bedrock.IN_REGION))

    def _look_up(self, name: str, provider: str, when: datetime) -> tuple[Entry | None, str]:
        if entry := self._exact.get((provider, name)):
            return entry, "exact"
        if entry := self._mapped.get((provider, name.lower())):
            return entry, "mapped by a person"
        if entry := self._folded.get((provider, name.lower())):
            return entry, "exact but for case"
        if entry := self._alias(name, provider, when, dated=False):
            return entry, "declared alias"
        if (found := DATE.search(name)) and is_date(found) and date_of(found) <= when.date():
            base = name[: found.start()]
            if entry := self._alias(base, provider, when, dated=True):
                return entry, "declared dated name"
        return None, ""

    def _alias(self, name: str, provider: str, when: datetime, *, dated: bool, official: bool = False) -> Entry | None:
        """What the name was declared to mean: by its vendor first, by the youngest pointer, by the one that ends first
        (a list of the present never says since when); None where two sources contradict each other."""
        standing = [
            ((alias.official, alias.valid_from or _EVER, _ever_after(alias.valid_until)), entry)
            for alias, entry in self._aliases.get((provider, name.lower()), ())
            if alias.dated == dated
            and (alias.official or not official)
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
