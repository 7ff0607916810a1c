"""What the page shows, as plain values: points, endings, what is not drawn, and the table as CSV."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property

from dashboards import formatting
from dashboards.pages.ledger import Words
from dashboards.pages.quality.asked import Ask
from pricing.frontier import Band, Frontier, Point

_DATED = re.compile(r"[- ]20\d\d-?[01]\d-?[0-3]\d$")


@dataclass(frozen=True, slots=True)
class Row:
    """One point of the chart as the table shows it.

    `decimals` are those of ratings. `in_band` says how it stands to the chosen model: `chosen`, `cheapest`, `tie`,
    `inside` or nothing.
    """

    point: Point
    maker: str
    on_frontier: bool
    cheapest_equal: Point
    multiple: Decimal | None
    to_best: Decimal
    is_asked: bool
    decimals: int = 0
    in_band: str = ""
    blended_evidence: str = ""
    multiple_evidence: str = ""

    @property
    def label(self) -> str:
        return self.point.label

    @property
    def short(self) -> str:
        """The name without the effort it was rated at, which stands in a column of its own."""
        name, opened, setting = self.point.label.partition(" (")
        return name if opened and setting.rstrip(")").lower() == self.point.effort else self.point.label

    @property
    def mark(self) -> str:
        """The name at its mark in the chart: without settings and release dates."""
        return _DATED.sub("", self.point.label.partition(" (")[0])

    @property
    def model(self) -> str:
        return self.point.model

    @property
    def url(self) -> str:
        return f"/models/{self.point.model}" if self.point.model else ""

    @property
    def band_words(self) -> str:
        """How the row stands to the chosen model, where that is worth a mark."""
        return {"chosen": "chosen", "cheapest": "cheapest within the band", "tie": "costs the same"}.get(
            self.in_band, ""
        )

    @property
    def host(self) -> str:
        return self.point.offer.provider_name if self.point.offer else ""

    @property
    def is_hosted(self) -> bool:
        """Whether the price is that of somebody who did not make the model."""
        return bool(self.point.offer and not self.point.first_party)

    @property
    def speed(self) -> Decimal | None:
        return self.point.offer.tokens_per_second if self.point.offer else None

    @property
    def seconds(self) -> Decimal | None:
        """How long a task of the benchmark's run took."""
        return self.point.seconds_per_task

    def _usd(self, unit: str) -> Decimal | None:
        return self.point.usd_per_mtok_by_unit.get(unit)

    @property
    def input_usd(self) -> Decimal | None:
        return self._usd("input")

    @property
    def output_usd(self) -> Decimal | None:
        return self._usd("output")

    @property
    def cached_usd(self) -> Decimal | None:
        return self._usd("cache_read")

    def _evidence(self, unit: str) -> str:
        found = self.point.offer.price_ids.get(unit) if self.point.offer else None
        return f"/models/{self.model}/evidence/{found}" if found else ""

    @property
    def input_evidence(self) -> str:
        return self._evidence("input")

    @property
    def output_evidence(self) -> str:
        return self._evidence("output")

    @property
    def cached_evidence(self) -> str:
        return self._evidence("cache_read")

    @property
    def distance(self) -> str:
        """Rating points to the best: `−28`, `0`."""
        points = formatting.rounded(self.to_best, self.decimals)
        return f"{formatting.MINUS if points < 0 else ''}{abs(points)}"


@dataclass(frozen=True, slots=True)
class Undrawn:
    """Names that are rated and not drawn, for one reason."""

    reason: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ending:
    """A price of a drawn model that changes on a day known now."""

    begins: datetime
    name: str
    model: str
    now: Decimal
    now_evidence: str
    then: Decimal
    then_evidence: str
    said: str

    @property
    def is_dearer(self) -> bool:
        return self.then > self.now


@dataclass(frozen=True, slots=True)
class SellerRow:
    """One seller of the model whose sellers are shown, with its cheapest list price."""

    name: str
    sku: str
    region: str
    price: Decimal
    evidence: str
    is_maker: bool
    multiple: Decimal | None


@dataclass(frozen=True)
class QualityPage:
    """Everything the page shows.

    `rows` are the table's, in the order asked for and only those searched for; `all_rows` are the chart's, best
    first; `frontier_rows` the ones that nothing beats, best first.
    """

    ask: Ask
    finding: Words
    title: str
    table_title: str
    scope: tuple[str, ...]
    frontier: Frontier
    rows: tuple[Row, ...]
    all_rows: tuple[Row, ...]
    frontier_rows: tuple[Row, ...]
    free: tuple[Point, ...]
    previews: tuple[Point, ...]
    undrawn: tuple[Undrawn, ...]
    endings: tuple[Ending, ...]
    unrated: int
    note: str
    care: tuple[str, ...]
    rated_on: date | None
    left_out: tuple[Undrawn, ...] = ()
    near: Words = ()
    band: Band | None = None
    sellers: tuple[SellerRow, ...] = ()
    sold: str = ""
    decimals_of_ratings: int = 0

    @cached_property
    def decimals(self) -> dict[str, int]:
        """How many decimals each column of prices stands on."""
        return {
            "input": formatting.decimals_of([row.input_usd for row in self.all_rows]),
            "output": formatting.decimals_of([row.output_usd for row in self.all_rows]),
            "cached": formatting.decimals_of([row.cached_usd for row in self.all_rows]),
            "blended": max((_shown_decimals(row.point.price) for row in self.all_rows), default=2),
        }

    @property
    def undrawn_count(self) -> int:
        return sum(len(group.names) for group in self.undrawn) + len(self.free) + len(self.previews)

    @property
    def by_name(self) -> list[Row]:
        return sorted(self.all_rows, key=lambda row: (row.point.label.lower(), row.point.key))

    @cached_property
    def has_intervals(self) -> bool:
        return any(row.point.low is not None for row in self.all_rows)

    @cached_property
    def has_speeds(self) -> bool:
        return any(row.speed is not None for row in self.all_rows)

    @cached_property
    def has_seconds(self) -> bool:
        return any(row.seconds is not None for row in self.all_rows)


def _shown_decimals(amount: Decimal) -> int:
    return len(formatting.derived_price(amount).partition(".")[2])


SORTS = {
    "rating": lambda row: (-row.point.rating, row.point.key),
    "price": lambda row: (row.point.price, row.point.key),
    "multiple": lambda row: (-(row.multiple or 0), row.point.price, row.point.key),
    "votes": lambda row: (-(row.point.votes or 0), row.point.key),
    "name": lambda row: (row.point.label.lower(), row.point.key),
    "maker": lambda row: (row.maker.lower(), -row.point.rating),
}

CSV_HEAD = (
    "name", "model", "maker", "effort", "on_frontier", "seller", "sku", "region", "input_usd_per_mtok",
    "output_usd_per_mtok", "cache_read_usd_per_mtok", "blended_usd_per_mtok", "usd_per_task", "rating", "rating_low",
    "rating_high", "votes", "cheapest_equal", "cheapest_equal_usd", "multiple", "band", "open_weights",
    "context_window", "output_tokens_per_second", "seconds_per_task",
)  # fmt: skip


def csv_rows(page: QualityPage) -> Iterable[tuple[object, ...]]:
    """The table for a program: full digits, nothing where unknown."""
    for row in page.rows:
        point, traits = row.point, row.point.offer.traits if row.point.offer else None
        blended, measured = (point.price, None) if point.offer else (None, point.price)
        yield (
            point.label, point.model, row.maker, point.effort, "yes" if row.on_frontier else "no", point.provider,
            point.sku, point.region, row.input_usd, row.output_usd, row.cached_usd, blended, measured, point.rating,
            point.low, point.high, point.votes, row.cheapest_equal.label, row.cheapest_equal.price, row.multiple,
            row.in_band, "yes" if traits and traits.open_weights else "", traits and traits.context_window, row.speed,
            row.seconds,
        )  # fmt: skip
