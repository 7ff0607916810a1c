"""What a project really used in a window, as far as a price can depend on it. Pure; `usage.observed` reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from pricing.cost import Tokens

EVERY_HOUR: Final = -1
MARKS: Final = (
    "images_at_the_price_of_text", "images_not_kept", "seconds_not_kept", "characters_not_kept", "priced_apart",
    "audio_sent", "audio_made", "images_made",
)  # fmt: skip
"""Marks of records by which importers say that what was sent or answered was no text alone."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Requests alike: of about as many prompt tokens each, in the same hour of the UTC week (0 = Monday 00:00).

    `hour` is `EVERY_HOUR` and `prompt_tokens` 0 where nobody knows.
    """

    prompt_tokens: int
    hour: int
    requests: int
    tokens: Tokens


@dataclass(frozen=True, slots=True)
class Use:
    """What was used of one offering at one service tier.

    `slices` sum to `tokens`, exactly: how the whole is told apart is known from a sample of `sampled_requests`.
    `prompt_p99` and `prompt_max` are of one request, None where only sums over many are known. `spent` is what it cost
    as far as anybody knows, in the organisation's currency, `list_cost` what it costs at list price. `marks` are those
    of `MARKS` that some record of the sample bears.
    """

    offering_id: int
    service_tier: str
    tokens: Tokens
    requests: int | None
    spent: Decimal | None
    list_cost: Decimal | None
    slices: tuple[Slice, ...] = ()
    sampled_requests: int = 0
    prompt_p99: int | None = None
    prompt_max: int | None = None
    marks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TokenLog:
    """The usage of a project in the UTC days [since, until), by offering and tier, the dearest first.

    `unpriced_tokens` are of no use here; `unknown` counts records that did not say how many of a kind they used.
    """

    since: date
    until: date
    uses: tuple[Use, ...]
    spent: Decimal
    unpriced_tokens: int = 0
    unknown: Mapping[str, int] = field(default_factory=dict)

    @property
    def days(self) -> int:
        return (self.until - self.since).days
