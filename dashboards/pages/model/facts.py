"""What the page of one model stands on and what it shows, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from dashboards import formatting
from dashboards.pages.asked import address, blend_url
from dashboards.pages.ledger import Words
from pricing.frontier import CHAT_MIX

UNITS = ("input", "output", "cache_read")

WRITES = ("cache_write", "cache_write_5m")
"""Whichever of these a seller prices first is its price of a cache write; longer lifetimes are listed apart."""

WORDS = {"input": "input", "output": "output", "cache_read": "cached input"}

COLUMNS = {"input": "In", "output": "Out", "cache_read": "Cached", "cache_write": "Cache write"}

CALENDARS = {"cn": "Chinese public holidays"}


@dataclass(frozen=True, slots=True)
class Seller:
    """One offering of the model."""

    offering_id: int
    provider: str
    name: str
    sku: str
    region: str
    first_party: bool
    context_window: int | None = None
    retired_at: datetime | None = None
    notes: Mapping[str, str] = field(default_factory=dict, hash=False)

    def sells_at(self, when: datetime) -> bool:
        """Whether it was not retired by then; a price it had stays for late usage and is compared with nothing."""
        return self.retired_at is None or when < self.retired_at


@dataclass(frozen=True, slots=True)
class Held:
    """One accepted price. `usd_per_mtok` is None where it is not USD per token."""

    price_id: int
    offering_id: int
    unit: str
    qualifier: str
    service_tier: str
    context_from: int
    context_op: str
    schedule: str
    usd_per_mtok: Decimal | None
    amount: Decimal
    per: int
    currency: str
    effective_from: datetime
    effective_until: datetime | None
    known_from: datetime
    known_until: datetime | None
    evidence_at: datetime
    precision: str
    grade: str

    @property
    def is_plain(self) -> bool:
        """Standard tier, base context, at all hours, without a qualifier."""
        return self.service_tier == "standard" and not (self.context_from or self.schedule or self.qualifier)

    @property
    def starts_unknown(self) -> bool:
        """Nobody states when it began: it held before it was first seen."""
        return self.precision == "unknown"

    @property
    def since(self) -> datetime:
        """When it began; where nobody states that, when it was first seen."""
        return max(self.effective_from, self.evidence_at) if self.starts_unknown else self.effective_from

    def held_at(self, when: datetime) -> bool:
        return self.effective_from <= when and (self.effective_until is None or when < self.effective_until)

    def known_at(self, when: datetime | None) -> bool:
        if when is None:
            return self.known_until is None
        return self.known_from <= when and (self.known_until is None or when < self.known_until)


@dataclass(frozen=True, slots=True)
class Ask:
    """The state of the page: which day's prices, by the evidence of which day."""

    slug: str
    at: date | None = None
    known_at: date | None = None

    def url(self, path: str = "", **changes: object) -> str:
        return address(f"/models/{self.slug}{path}", {"at": self.at, "known_at": self.known_at, **changes})


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the model besides prices."""

    slug: str
    name: str
    maker: str
    open_weights: bool | None
    context_window: int | None
    deprecated: bool = False
    retires_on: date | None = None
    successor: str = ""
    rating: str = ""
    released_on: date | None = None
    max_output: int | None = None
    modalities: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    licence: str = ""
    family: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One price in a table: its amount and its evidence; `amount` None is unknown."""

    amount: Decimal | None
    evidence: str = ""
    decimals: int = 2


@dataclass(frozen=True, slots=True)
class Offered:
    """One seller's row."""

    seller: Seller
    cells: tuple[Cell, ...]
    blended: Decimal | None
    since: datetime | None
    since_unknown: bool
    grade: str
    has_peak: bool
    batch: str
    is_main: bool
    blended_evidence: str = ""
    batch_evidence: str = ""


@dataclass(frozen=True, slots=True)
class Variant:
    """Other terms of the main seller: a tier, a context tier or hours, with a price per unit."""

    name: str
    said: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Other:
    """A price that is not per token: a search, a page, a second."""

    name: str
    figure: str
    per: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A change of the main seller's price that is known before it begins; `said` ends a sentence."""

    begins: datetime
    said: str
    detail: Words
    is_dearer: bool

    @property
    def short(self) -> str:
        """What happens, without the day."""
        return self.said.removesuffix(f" on {self.begins.day} {self.begins:%B}")


@dataclass(frozen=True, slots=True)
class Step:
    """One stretch of a line: an amount from one moment to the next."""

    start: datetime
    end: datetime
    amount: Decimal
    price_id: int = 0
    starts_unknown: bool = False


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One unit's price at one seller over time."""

    seller: str
    unit: str
    is_main: bool
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """What a dotted line over the chart says."""

    at: datetime
    said: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A change as a dot on a line of the chart."""

    at: datetime
    unit: str
    amount: Decimal
    said: str


@dataclass(frozen=True, slots=True)
class History:
    lines: tuple[HistoryLine, ...]
    events: tuple[Event, ...]
    start: datetime
    end: datetime
    now: datetime
    marks: tuple[Mark, ...] = ()

    @property
    def has_changes(self) -> bool:
        return any(len(line.steps) > 1 for line in self.lines)


@dataclass(frozen=True)
class ModelPage:
    """Everything the page shows; `main` is the maker's own offering, else the cheapest host's, of those still sold."""

    ask: Ask
    facts: Facts
    finding: Words
    scope: tuple[str, ...]
    main: Seller | None
    columns: tuple[str, ...]
    offered: tuple[Offered, ...]
    unpriced: tuple[Seller, ...]
    table_title: str
    history: History
    history_title: str
    hours: tuple[Variant, ...]
    hours_said: str
    tiers: tuple[Variant, ...]
    services: tuple[Variant, ...]
    others: tuple[Other, ...]
    upcoming: tuple[Upcoming, ...]
    notes: tuple[tuple[str, str], ...]
    notes_evidence: str
    foreign: tuple[Words, ...] = ()
    """Offerings that ask in another currency only, a sentence's part each."""
    gone: tuple[Words, ...] = ()
    """Offerings that are no longer sold, with the day and the last price, a sentence's part each."""

    @property
    def blended_decimals(self) -> int:
        """How many decimals the column of blended prices stands on."""
        shown = [formatting.derived_price(row.blended) for row in self.offered if row.blended is not None]
        return max((len(text.partition(".")[2]) for text in shown), default=2)


def evidence_url(ask: Ask, price_id: int) -> str:
    return ask.url(f"/evidence/{price_id}")


def blend_evidence_url(ask: Ask, offering_id: int) -> str:
    return blend_url(ask.slug, offering_id, CHAT_MIX, at=ask.at, known_at=ask.known_at)
