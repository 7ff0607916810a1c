"""What one request of each project costs at list prices, from the rollups; requests known only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from usage.spend_querysets import SpendQuerySet

_KINDS = ("in_uncached", "in_cache_read", "in_cache_write", "out_total")


@dataclass(frozen=True, slots=True)
class Workload:
    """A project's requests that are known with their price, in one currency; `project_id` None is what nobody owns.

    `input_tokens` and `output_tokens` are what is known of those requests; `at_least`: some of them do not know a kind.
    `left_out` are requests without a known price, `silent_records` records of which nobody knows the requests.
    """

    project_id: int | None
    currency: str
    requests: int
    cost: Decimal
    input_tokens: int
    output_tokens: int
    at_least: bool
    left_out: int
    silent_records: int

    @property
    def per_request(self) -> Decimal:
        return self.cost / self.requests

    @property
    def tokens_per_request(self) -> dict[str, int]:
        """Input, cached or not, and output of the mean request, rounded to whole tokens."""
        return {
            "input": round(Decimal(self.input_tokens) / self.requests),
            "output": round(Decimal(self.output_tokens) / self.requests),
        }


def workloads(spend: SpendQuerySet, start: date, until: date) -> list[Workload]:
    """Every project with a request whose price is known in [start, until), the cheapest request first. One query."""
    found = []
    for row in spend.per_request(start, until):
        requests = row["known_requests"]
        if not requests:
            continue
        found.append(
            Workload(
                row["project_id"], row["list_currency"], requests, row["cost"],
                sum(row[f"known_{name}"] for name in _KINDS[:-1]), row["known_out_total"],
                any(row[f"known_unknown_{name}"] for name in _KINDS),
                row["all_requests"] - requests, row["silent_records"],
            )
        )  # fmt: skip
    return sorted(found, key=lambda one: (one.per_request, one.project_id or 0))
