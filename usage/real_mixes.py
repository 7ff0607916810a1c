"""The token mix that a project really uses: its tokens by kind, cached ones apart, and what of them went by batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from pricing.frontier import Mix
from usage.costs import Scope
from usage.models import DailyCost, Project

BATCH = "batch"
WINDOW = timedelta(days=30)
_KINDS = ("in_uncached", "out_total", "in_cache_read", "in_cache_write")


@dataclass(frozen=True, slots=True)
class RealMix:
    """The UTC days [since, until) of a project. `mix` is None without tokens.

    `tokens` are all there are, `batch_tokens` those of the batch tier among them and `other_tokens` those of tiers
    beside standard and batch, which are weighed like standard. `unknown_records` are by kind those that did not say how
    many tokens of it they used: such tokens are in no figure here.
    """

    since: date
    until: date
    mix: Mix | None
    tokens: int
    batch_tokens: int
    other_tokens: int
    records: int
    unknown_records: Mapping[str, int]


def last_window(project: Project) -> tuple[date, date] | None:
    """The thirty UTC days that end with the last one on which the project used anything; None without usage."""
    last = DailyCost.objects.of(project.organisation).attributed_to([project.pk]).last_day()
    return None if last is None else (last + timedelta(days=1) - WINDOW, last + timedelta(days=1))


def real_mix(project: Project, since: date, until: date) -> RealMix:
    """What a project used in [since, until) by kind of token, notional usage included: its tokens are as real.

    Of feeds that tell of the same usage the one that tallies counts. One query.
    """
    rows = Scope(project.organisation, since, until, (project.pk,)).rows("service_tier")
    by_tier: dict[str, list[int]] = {}
    for row in rows:
        tier = row["key_service_tier"] or ""
        own = by_tier.setdefault(tier, [0] * len(_KINDS))
        for n, kind in enumerate(_KINDS):
            own[n] += row[f"sum_{kind}"]
    batch = by_tier.pop(BATCH, [0] * len(_KINDS))
    standard = [sum(of_tier[n] for of_tier in by_tier.values()) for n in range(len(_KINDS))]
    tokens = sum(standard) + sum(batch)
    return RealMix(
        since=since,
        until=until,
        mix=_mix(standard, batch) if tokens else None,
        tokens=tokens,
        batch_tokens=sum(batch),
        other_tokens=sum(sum(own) for tier, own in by_tier.items() if tier not in ("", "standard")),
        records=sum(row["sum_records"] for row in rows),
        unknown_records={kind: found for kind in _KINDS if (found := sum(row[f"sum_unknown_{kind}"] for row in rows))},
    )


def _mix(standard: list[int], batch: list[int]) -> Mix:
    own, batched = ([Decimal(tokens) for tokens in kinds] for kinds in (standard, batch))
    return Mix.of(own, Mix.of(batched) if any(batch) else None)
