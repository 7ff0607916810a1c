"""Price sources: one module each turns the bytes of one publisher into statements, without touching the database.

A source module `pricing/sources/<slug>.py` declares

    SLUG, NAME        its own name and what a person calls it
    TRUST             OFFICIAL, VENDOR_API, CURATED or AGGREGATOR
    PRECEDENCE        int; among sources of equal trust the smaller is preferred, with the reason in a comment
    COPIES            slugs of sources it takes its prices from: copies are one voice
    LICENCE, URL      of what it publishes, and the page a person reads it on
    FEED              the https address its body is fetched from; '' where a body only comes as a file or a package
    MEDIA             (optional) json, yaml, html, markdown, csv or xml, where the FEED's suffix does not tell
    KEY               (optional) the environment variable with the key its vendor asks for, sent as a bearer token
    CADENCE_HOURS     how often reading it again makes sense
    STATES_HISTORY    True where one reading states all dated prices, so that what it no longer says it corrected;
                      False where it states the present, so that a change means the price changed

and `parse(body) -> Reading`, pure: the same bytes give the same reading. A body whose layout is not the one it
knows raises `SourceError`; it never yields an empty catalogue. A source that ships as a package also has
`bundled() -> Bundle`, and `release() -> str` where its release is not that of the package of its name; one whose feed
comes in pages has `next_page(body) -> str | None`, the address of the page after this one: the pages fetched are
joined in order, JSON into one list, text one after the other, which its `parse` takes as well as a single page.
Discovery is by module; a contract test picks each up and fails where its recording is missing.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Protocol, cast

OFFICIAL = "official"
VENDOR_API = "vendor_api"
CURATED = "curated"
AGGREGATOR = "aggregator"
TRUSTS = (OFFICIAL, VENDOR_API, CURATED, AGGREGATOR)
"""Best first."""

MTOK = 1_000_000


class SourceError(Exception):
    """A source could not be read, in a sentence. `permanent`: trying again cannot help until somebody acts."""

    def __init__(self, sentence: str, *, permanent: bool = True) -> None:
        super().__init__(sentence)
        self.permanent = permanent


@dataclass(frozen=True, slots=True)
class Statement:
    """One price as its source states it; `effective_*` None = not stated, `evidence_at` None = the reading itself.

    `until_known_at` is when the evidence of the end appeared where that was later than the price itself, as when a
    later price ends an earlier one.
    """

    provider: str
    sku: str
    unit: str
    amount: Decimal
    per: int = MTOK
    currency: str = "USD"
    qualifier: str = ""
    service_tier: str = "standard"
    context_from: int = 0
    context_op: str = ""
    context_mode: str = ""
    schedule: str = ""
    effective_from: datetime | None = None
    effective_until: datetime | None = None
    until_known_at: datetime | None = None
    basis: str = "observed"
    precision: str = "unknown"
    evidence_at: datetime | None = None
    url: str = ""
    region: str = ""
    note: str = ""
    """The source's own sentence for what is special about the price: a context tier, a promotion, a minimum."""


@dataclass(frozen=True, slots=True)
class OfferingFact:
    """What a source says of an offering besides its prices."""

    provider: str
    provider_name: str
    sku: str
    region: str = ""
    name: str = ""
    description: str = ""
    note: str = ""
    """What the source says beside the prices: how they were checked, what they cannot express."""
    context_window: int | None = None
    """Tokens."""
    max_output: int | None = None
    """Tokens."""
    modalities: tuple[str, ...] = ()
    """What it takes and gives: `text_in`, `image_in`, `audio_in`, `video_in`, `pdf_in`, `text_out`, `image_out`, …"""
    capabilities: tuple[str, ...] = ()
    """`tools`, `reasoning`, `vision`, `prompt_caching`, `structured_output`, `computer_use`, `web_search`."""
    open_weights: bool | None = None
    released_on: date | None = None
    retires_on: date | None = None
    deprecated: bool = False
    retired: bool = False
    """No longer sold, though its price is still the last one known."""
    retired_on: date | None = None
    """The day it was no longer sold, where that is stated; else the day its source first said so."""


@dataclass(frozen=True, slots=True)
class AliasFact:
    """Another name a source declares for an offering."""

    provider: str
    name: str
    sku: str
    dated: bool = False
    """Whether the name followed by a calendar date means it too."""
    url: str = ""
    valid_from: datetime | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RateFact:
    """What one unit of a currency was worth in USD on a day."""

    currency: str
    day: date
    usd: Decimal


@dataclass(frozen=True, slots=True)
class CalendarFact:
    """A holiday calendar a schedule may name."""

    slug: str
    utc_offset_hours: int
    dates: tuple[date, ...]
    covers_through: date
    url: str


@dataclass
class Reading:
    """Everything one body says; `unplaced` counts by kind what it says and no column takes."""

    statements: list[Statement] = field(default_factory=list)
    offerings: list[OfferingFact] = field(default_factory=list)
    aliases: list[AliasFact] = field(default_factory=list)
    calendars: list[CalendarFact] = field(default_factory=list)
    rates: list[RateFact] = field(default_factory=list)
    unplaced: Counter[str] = field(default_factory=Counter)

    def drop_contradictions(self) -> None:
        """Keep what the body says twice once, and nothing of what it gives two prices: which holds, it does not say."""
        said: dict[tuple[object, ...], Statement] = {}
        contradicted = set()
        for s in self.statements:
            key = (s.provider, s.sku, s.region, s.unit, s.qualifier, s.service_tier, s.context_from, s.schedule)
            kept = said.setdefault(key, s)
            if (kept.amount, kept.per, kept.currency) != (s.amount, s.per, s.currency):
                contradicted.add(key)
        self.statements = [s for key, s in said.items() if key not in contradicted]
        self.unplaced["price the page contradicts itself on"] += len(contradicted)


@dataclass(frozen=True)
class Bundle:
    """The body an installed package carries, its release, and when its publisher last looked."""

    body: bytes
    version: str
    observed_at: datetime


class Source(Protocol):
    """The contract of a source module."""

    SLUG: str
    NAME: str
    TRUST: str
    PRECEDENCE: int
    COPIES: tuple[str, ...]
    LICENCE: str
    URL: str
    FEED: str
    CADENCE_HOURS: int
    STATES_HISTORY: bool

    @staticmethod
    def parse(body: bytes) -> Reading: ...


@cache
def all_sources() -> dict[str, Source]:
    """Every source by slug, in alphabetical order."""
    found = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in found]
    return {module.SLUG: cast(Source, module) for module in modules}
