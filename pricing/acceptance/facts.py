"""The plain values acceptance reads and gives: sources, claims, witnesses, accepted prices and what is held back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

FIRST_SALE = datetime(2020, 6, 11, tzinfo=UTC)
"""The OpenAI API was announced on this day; no LLM token was on sale before. A start nobody states begins here."""

AGREES_WITHIN = Decimal("0.005")
"""Two amounts within half a percent of each other agree (the tolerance of the price audits)."""

FRESH = timedelta(days=14)
"""An official price seen this recently is grade A, and beats a younger change that only others state."""

ACCEPT, REJECT, KNOWN_ERROR = "accept", "reject", "known_error"
"""What may have been decided of a claim: by a person, or by the registry of known upstream errors."""


@dataclass(frozen=True, slots=True)
class SourceFact:
    """What acceptance needs to know of a source.

    `copies`: every source its prices come from, also by way of another (`with_origins`). `began`: its first reading,
    None where it has none yet.
    """

    slug: str
    name: str
    trust: str
    precedence: int
    copies: tuple[str, ...] = ()
    states_history: bool = True
    began: datetime | None = None

    def is_kin(self, other: SourceFact) -> bool:
        """Whether the two are one voice: the same source, one a copy of the other, or both of a third."""
        return not {self.slug, *self.copies}.isdisjoint((other.slug, *other.copies))


def with_origins(sources: Mapping[str, SourceFact]) -> dict[str, SourceFact]:
    """The sources with copies of copies among their copies."""

    def origins(slug: str, known: frozenset[str]) -> frozenset[str]:
        source = sources.get(slug)
        for other in source.copies if source else ():
            if other not in known:
                known = origins(other, known | {other})
        return known

    return {slug: replace(s, copies=tuple(sorted(origins(slug, frozenset())))) for slug, s in sources.items()}


@dataclass(frozen=True, slots=True)
class ClaimFact:
    """One claim; the key is all that makes it a price *of* something."""

    id: int
    source: str
    unit: str
    qualifier: str
    service_tier: str
    context_from: int
    context_op: str
    context_mode: str
    schedule: str
    amount: Decimal
    per: int
    currency: str
    effective_from: datetime | None
    effective_until: datetime | None
    basis: str
    precision: str
    evidence_at: datetime
    first_seen_at: datetime
    last_seen_at: datetime
    withdrawn_at: datetime | None = None
    until_known_at: datetime | None = None
    """From when the evidence of the end existed; None: with the claim itself."""
    url: str = ""

    @property
    def slot(self) -> tuple[str, str, str, int]:
        """What sources compete for, with all their schedules at once.

        Without the operator and mode of a context tier: two sources that read one threshold as `>` and as `>=` speak
        of one price.
        """
        return (self.unit, self.qualifier, self.service_tier, self.context_from)

    @property
    def each(self) -> Decimal:
        """The price of one unit."""
        return self.amount / self.per

    def known_by(self, moment: datetime) -> bool:
        """Whether its evidence existed at a moment and its source had not taken it back."""
        return self.evidence_at <= moment and (self.withdrawn_at is None or self.withdrawn_at > moment)


SIBLING, MAKERS_LIST = "sibling", "maker's list"


@dataclass(frozen=True, slots=True)
class Witness:
    """What another offering costs: of the same weights (`sibling`), or others of the same maker (`maker's list`)."""

    kind: str
    name: str
    """provider/sku, for the sentence."""
    unit: str
    each: Decimal
    currency: str
    evidence_at: datetime
    withdrawn_at: datetime | None
    effective_from: datetime | None
    effective_until: datetime | None

    def speaks_of(self, moment: datetime) -> bool:
        """Whether it was said, and said to hold, at a moment."""
        said = self.evidence_at <= moment and (self.withdrawn_at is None or self.withdrawn_at > moment)
        starts = self.effective_from is None or self.effective_from <= moment
        return said and starts and (self.effective_until is None or self.effective_until > moment)


@dataclass(frozen=True, slots=True)
class Accepted:
    """One accepted price: held [effective), known [known), by this claim, for this reason."""

    claim: ClaimFact
    effective_from: datetime
    effective_until: datetime | None
    known_from: datetime
    known_until: datetime | None
    basis: str
    precision: str
    observed_at: datetime
    seen_at: datetime
    """When any of those who agree was last seen to say it."""
    evidence_at: datetime
    """From when anybody said it of those who agree."""
    trust: str
    agreeing: tuple[str, ...]
    disputed_by: tuple[ClaimFact, ...]
    why: str
    repairs: ClaimFact | None = None
    """The claim whose unit error this price mends."""

    @property
    def identity(self) -> tuple[object, ...]:
        """What makes two epochs' segments the same price."""
        claim = self.claim
        return (claim.slot, claim.schedule, self.effective_from, self.effective_until, claim.amount, claim.per,
                claim.currency)  # fmt: skip

    @property
    def contested(self) -> bool:
        """One voice against another, and neither the vendor's nor a person's: a coin toss, not knowledge."""
        return self.trust in ("curated", "aggregator") and len(self.agreeing) == 1 and bool(self.disputed_by)


@dataclass(frozen=True, slots=True)
class Hold:
    """A claim that could be a unit error and is not believed: `refused` on evidence, or `held` for want of it."""

    claim: ClaimFact
    instead: ClaimFact | None
    """The last good claim, served meanwhile; None where the first price there was is not believed."""
    verdict: str
    why: str


@dataclass(slots=True)
class Acceptance:
    """All there is to say of an offering's prices: the rows of every epoch, and what is held back today."""

    prices: list[Accepted] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)


def same_price(one: ClaimFact, other: ClaimFact) -> bool:
    return (one.amount, one.per, one.currency) == (other.amount, other.per, other.currency)


def agrees(one: ClaimFact, other: ClaimFact) -> bool:
    """Whether two claims name the same price within half a percent."""
    return one.currency == other.currency and near(one.each, other.each)


def near(one: Decimal, other: Decimal) -> bool:
    """Whether two amounts agree within half a percent of the larger."""
    return abs(one - other) <= AGREES_WITHIN * max(one, other)
