"""What a project is advised to do about its models, and why: the values that a page, a mail and a decision are made of.

Pure. `usage.recommending` makes them; they go to JSON and come back, so that a decision keeps what was promised.
Money is of a month (`MONTH` days) at the token log's volume, in the organisation's currency.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any, Final, TypeVar

from pricing.noninferiority import Verdict

T = TypeVar("T")
MONTH: Final = Decimal("30.4375")
"""Days of a month: a twelfth of 365.25."""
MOST: Final = 3
"""Decisions that are told at once."""


class Kind(StrEnum):
    """What a move is. All but the last keep the weights, so none of them needs an evaluation."""

    SELLER = "seller"
    BATCH = "batch"
    FLEX = "flex"
    OFF_PEAK = "off_peak"
    CACHE_LIFETIME = "cache_lifetime"
    CACHED_PREFIX = "cached_prefix"
    COMMITMENT = "commitment"
    SUBSTITUTION = "substitution"

    @property
    def same_weights(self) -> bool:
        return self is not Kind.SUBSTITUTION


class Reason(StrEnum):
    """Why a candidate is not recommended."""

    WORSE = "worse"
    NOT_ENOUGH = "not_enough_evidence"
    NO_EVIDENCE = "no_evidence"
    NOT_CHEAPER = "not_cheaper"
    UNPRICED = "unpriced"
    FREE = "free"
    PREVIEW = "preview"
    RETIRES = "retires"
    CONTEXT = "context"
    MODALITY = "modality"
    TOOLS = "tools"
    CACHING = "caching"
    REGION = "region"
    PROVIDER = "provider"
    CLOSED_WEIGHTS = "closed_weights"
    FLOOR = "floor"
    UNKNOWN = "unknown_trait"


@dataclass(frozen=True, slots=True)
class Side:
    """What is bought: a model as one provider sells it, at a service tier, at an effort ('' where none is stated)."""

    offering_id: int
    model: str
    model_name: str
    provider: str
    provider_name: str
    sku: str
    region: str = ""
    service_tier: str = "standard"
    effort: str = ""

    @property
    def key(self) -> str:
        return "|".join((self.provider, self.sku, self.region, self.service_tier, self.effort))


@dataclass(frozen=True, slots=True)
class Range:
    """From `low` to `high`, both in it; a negative saving is a loss."""

    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Evidence:
    """One comparison of quality, candidate less current, with its 90 % interval in `unit`, against `margin`.

    `items` would settle one that is not enough. Own evaluations come before public ones; `decides` marks what the
    verdict rests on.
    """

    source: str
    name: str
    unit: str
    verdict: Verdict
    value: float | None
    low: float | None
    high: float | None
    margin: float
    n: int | None = None
    is_paired: bool = False
    items: int | None = None
    observed_on: date | None = None
    url: str = ""
    note: str = ""
    decides: bool = False


@dataclass(frozen=True, slots=True)
class Factor:
    """By how much the candidate uses more of a kind of token (`input`, `output`) for the same work, and who says so."""

    unit: str
    low: Decimal
    high: Decimal
    evidence: str
    url: str = ""
    assumed: bool = False


@dataclass(frozen=True, slots=True)
class CostLine:
    """Tokens of a unit in the window, what they cost and what they would cost, before any factor. Prices per Mtok.

    None is unknown. What hours and long prompts add is in the costs and not in the plain prices.
    """

    unit: str
    tokens: int
    current_price: Decimal | None
    current_cost: Decimal | None
    candidate_price: Decimal | None
    candidate_cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is different afterwards: `what` it is, as it is `now` and as it is `then`."""

    what: str
    now: str
    then: str


@dataclass(frozen=True, slots=True)
class Caution:
    """What could go wrong or is not known: `tone` is `dear`, `doubt` or ''."""

    tone: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """What is saved in a month from a day on, where an announced price changes it."""

    on: date
    saving: Range


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A move that pays. `paying` and `saving` are of a month; `steps` begin with today's saving.

    `share` is what part of the window's money of the project the current side is. `since` is the first day on which
    an offering that is equal by today's evidence cost less, `waited` the money that not moving has cost since then,
    None where unknown.
    """

    kind: Kind
    current: Side
    candidate: Side
    verdict: Verdict
    paying: Decimal
    saving: Range
    why: str
    evidence: tuple[Evidence, ...] = ()
    factors: tuple[Factor, ...] = ()
    lines: tuple[CostLine, ...] = ()
    changes: tuple[Change, ...] = ()
    cautions: tuple[Caution, ...] = ()
    steps: tuple[Step, ...] = ()
    share: Decimal | None = None
    since: date | None = None
    waited: Decimal | None = None

    @property
    def key(self) -> str:
        """What makes two recommendations of a project the same one on different days."""
        return " > ".join((self.kind, self.current.key, self.candidate.key))


@dataclass(frozen=True, slots=True)
class Refused:
    """A candidate that would cost less and is not recommended, with the reason in a sentence.

    `saving` is what it would save of `current` if it were equal, None where it has no price; `evidence` says how far
    it is from a verdict.
    """

    current: Side
    candidate: Side
    reason: Reason
    why: str
    saving: Range | None = None
    evidence: tuple[Evidence, ...] = ()
    items: int | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the project's usage the advice weighs. `spent` and `weighed` are money of the window."""

    spent: Decimal
    weighed: Decimal
    tokens: int
    unpriced_tokens: int
    requests: int | None
    sampled_requests: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Advice:
    """All that is advised of a project for a day, from the token log of the UTC days [since, until), dearest first.

    `decisions` are at most `MOST` that can be followed side by side: one of each current side. `last_moved` is the
    day on which most of its tokens last went over to another model, None where they never did.
    """

    project: str
    on: date
    since: date
    until: date
    currency: str
    recommendations: tuple[Recommendation, ...]
    refused: tuple[Refused, ...]
    coverage: Coverage
    last_moved: date | None = None

    @property
    def decisions(self) -> tuple[Recommendation, ...]:
        best: dict[str, Recommendation] = {}
        for one in self.recommendations:
            best.setdefault(one.current.key, one)
        return tuple(best.values())[:MOST]


def told(value: Any) -> Any:
    """Any of these values as JSON: money as text, days in ISO form."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: told(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, tuple | list):
        return [told(one) for one in value]
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value


def read(kind: type[T], found: Mapping[str, Any]) -> T:
    """What `told` made of a value, as it was. A field it does not know is left out, one it lacks has its default."""
    hints = typing.get_type_hints(kind)
    known = {one.name for one in fields(typing.cast(Any, kind))} & found.keys()
    return kind(**{name: _back(hints[name], found[name]) for name in known})


def _back(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    inner = typing.get_args(hint)
    if isinstance(hint, types.UnionType):
        return _back(next(one for one in inner if one is not types.NoneType), value)
    if typing.get_origin(hint) is tuple:
        return tuple(_back(inner[0], one) for one in value)
    if is_dataclass(hint):
        return read(typing.cast(Any, hint), value)
    if hint is Decimal:
        return Decimal(value)
    if hint is date:
        return date.fromisoformat(value)
    return hint(value) if isinstance(hint, type) and issubclass(hint, Enum) else value
