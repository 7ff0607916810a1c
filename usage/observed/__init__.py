"""What projects really used in a window: the rollups' sums, told apart by what a sample of the ledger looks like.

Usage that a subscription covers (notional) is in none of it: moving it saves nobody anything. Money is converted at the
rates of its days, as in every sum of spend.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from pricing.cost import Tokens
from pricing.models import Price
from pricing.ratecards import STANDARD
from usage.costs import Scope
from usage.exchange import Rates, days_of
from usage.models import Organisation, Project
from usage.observed.sampling import Seen, seen
from usage.observed.slicing import sliced
from usage.querysets import NOTIONAL
from usage.questions import TOKENS
from usage.summing import is_foreign
from usage.token_log import TokenLog, Use

__all__ = ["Observed", "token_log", "token_logs"]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Observed:
    """A project's token log, and what it leaves out: tokens that a subscription covers, money without a rate."""

    log: TokenLog
    notional_tokens: int = 0
    unconverted: Mapping[str, Decimal] = field(default_factory=dict)


def token_log(project: Project, since: date, until: date) -> TokenLog:
    """What a project used in the UTC days [since, until)."""
    return token_logs(project.organisation, [project], since, until)[project.pk].log


def token_logs(
    organisation: Organisation, projects: Sequence[Project], since: date, until: date
) -> dict[int, Observed]:
    """The same of several projects of one organisation by key, from one look at the ledger."""
    keys = [project.pk for project in projects]
    rows = Scope(organisation, since, until, tuple(keys)).rows("project", "offering", "service_tier", "day")
    rates = Rates(organisation, is_foreign(rows, organisation.display_currency), days_of(rows))
    sample = seen(organisation.pk, keys, since, until, _edges())
    by_project: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_project[row["key_project"]].append(row)
    return {
        project.pk: _observed(project.pk, by_project[project.slug], rates, sample, (since, until))
        for project in projects
    }


def _edges() -> list[int]:
    """The prompt lengths from which any price that holds by all evidence differs."""
    tiers = Price.objects.known_at().filter(superseded_at=None, context_from__gt=0).order_by()
    found = tiers.values_list("context_from", "context_op").distinct()
    return sorted({above + (op != ">=") for above, op in found})


@dataclass(slots=True)
class _Sum:
    """Measures of one offering and tier, money in the organisation's currency."""

    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    spent: Decimal = Decimal(0)
    listed: Decimal = Decimal(0)
    spent_records: int = 0
    listed_records: int = 0

    def add(self, row: Row, spent: Decimal | None, listed: Decimal | None) -> None:
        for name in _COUNTED:
            self.counts[name] += row[f"sum_{name}"]
        if spent is not None:
            self.spent, self.spent_records = self.spent + spent, self.spent_records + row["sum_spent_records"]
        if listed is not None:
            self.listed, self.listed_records = self.listed + listed, self.listed_records + row["sum_priced_records"]


_UNKNOWN = ("unknown_requests", *(f"unknown_{name}" for name in TOKENS))
_COUNTED = ("records", "requests", *TOKENS, "out_reasoning", *_UNKNOWN)


def _observed(
    project: int,
    rows: Sequence[Row],
    rates: Rates,
    sample: Mapping[tuple[int, int, str], Seen],
    days: tuple[date, date],
) -> Observed:
    uses: dict[tuple[int, str], _Sum] = defaultdict(_Sum)
    lost: dict[str, Decimal] = defaultdict(Decimal)
    total, unpriced, notional = Decimal(0), 0, 0
    unknown: dict[str, int] = defaultdict(int)
    for row in rows:
        tokens = sum(row[f"sum_{name}"] for name in TOKENS)
        if row["cost_kind"] == NOTIONAL:
            notional += tokens
            continue
        spent = rates.converted(row["sum_spent"], row["spent_currency"], row["key_day"])
        listed = rates.converted(row["sum_list_cost"], row["list_currency"], row["key_day"])
        if spent is None:
            lost[row["spent_currency"]] += row["sum_spent"]
        total += spent or 0
        for name in _UNKNOWN:
            unknown[name.removeprefix("unknown_")] += row[f"sum_{name}"]
        if row["key_offering"] is None:
            unpriced += tokens
        else:
            uses[row["key_offering"], row["key_service_tier"] or STANDARD].add(row, spent, listed)
    found = [_use(line, own, sample.get((project, *line))) for line, own in uses.items()]
    found = [use for use in found if _counts(use)]
    found.sort(key=lambda use: (-(use.spent or 0), use.offering_id, use.service_tier))
    told = {name: count for name, count in unknown.items() if count}
    return Observed(TokenLog(*days, tuple(found), total, unpriced, told), notional, dict(lost))


def _use(line: tuple[int, str], own: _Sum, sample: Seen | None) -> Use:
    tokens = Tokens(
        input=own.counts["in_uncached"],
        cache_read=own.counts["in_cache_read"],
        cache_write=own.counts["in_cache_write"],
        output=own.counts["out_total"],
        reasoning=min(own.counts["out_reasoning"], own.counts["out_total"]),
    )
    requests = None if own.counts["unknown_requests"] else own.counts["requests"]
    slices, tokens = sliced(tokens, requests, sample.parts if sample else ())
    use = Use(
        *line, tokens, requests, own.spent if own.spent_records or own.spent else None,
        own.listed if own.listed_records or own.listed else None, slices,
    )  # fmt: skip
    if sample is None:
        return use
    return replace(
        use, sampled_requests=sample.records, prompt_p99=sample.prompt_p99, prompt_max=sample.prompt_max,
        marks=sample.marks,
    )  # fmt: skip


def _counts(use: Use) -> bool:
    return bool(use.tokens.prompt or use.tokens.output or use.spent)
