"""Price per quality: today's list prices against one benchmark's newest scores."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pricing.answers.questions import BadQuestion
from pricing.answers.questions import name as as_name
from pricing.answers.wording import decimal_text, moment_text
from pricing.frontier import Mix, Offer, Point, frontier, select
from pricing.models import Benchmark, Price, Score
from pricing.quality import rated
from pricing.units import RATED_UNITS


def offers(at: datetime, known_at: datetime | None = None) -> list[Offer]:
    """Every seller's list price of every model at a moment, in USD per Mtok. One query."""
    rows = (
        Price.objects.known_at(known_at).effective_at(at).standard()
        .filter(superseded_at=None, currency="USD", unit__in=RATED_UNITS, offering__retired_at=None)
        .values_list(
            "offering_id", "offering__model__slug", "offering__provider__slug", "offering__sku", "offering__region",
            "offering__model__maker", "unit", "amount", "per",
        )
    )  # fmt: skip
    named: dict[int, tuple[str, str, str, str, str]] = {}
    prices: dict[int, dict[str, Decimal | None]] = defaultdict(dict)
    for offering, model, provider, sku, region, maker, unit, amount, per in rows:
        named[offering] = (model, provider, sku, region, maker)
        prices[offering][unit] = amount * 1_000_000 / per
    return [
        Offer(model, provider, sku, prices[offering], first_party=provider == maker, region=region)
        for offering, (model, provider, sku, region, maker) in named.items()
    ]


def price_per_quality(
    benchmark: str = "arena", category: str = "overall", mix: str = "3:1", now: datetime | None = None
) -> dict[str, Any]:
    """The rated models with a price, which of them nothing beats, and every score without a price, with the reason."""
    at = now or datetime.now(UTC)
    try:
        weights = Mix.parse(mix)
    except ValueError as fault:
        raise BadQuestion(str(fault), "mix") from None
    known = Benchmark.objects.filter(slug=as_name(benchmark, "benchmark")).first()
    if known is None:
        there = ", ".join(Benchmark.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
        raise BadQuestion(f"There is no benchmark {benchmark[:60]!r}; there are: {there}.", "benchmark")
    scores = list(Score.objects.newest(benchmark, as_name(category, "category")).select_related("model"))
    if not scores:
        there = ", ".join(sorted(set(Score.objects.filter(benchmark=known).values_list("category", flat=True))))
        raise BadQuestion(f"{known.name} has no category {category[:60]!r}; it has: {there}.", "category")
    chosen = select(rated(scores), offers(at), weights)
    front = frontier(chosen.points)
    return {
        "benchmark": benchmark, "category": category, "unit": known.unit, "attribution": known.attribution,
        "url": known.url, "observed_on": scores[0].observed_on.isoformat(), "mix": str(weights), "at": moment_text(at),
        "frontier": [_point(point) for point in front.points],
        "dominated": [
            {**_point(lost.point), "cheapest_equal": lost.cheapest_equal.key, "multiple": decimal_text(lost.multiple)}
            for lost in front.dominated
        ],
        "free": [_point(point) for point in chosen.free],
        "unmatched": [
            {"name": name.display_name, "model": name.model, "effort": name.effort,
             "rating": decimal_text(name.rating), "reason": name.reason}
            for name in chosen.unmatched
        ],
    }  # fmt: skip


def _point(point: Point) -> dict[str, Any]:
    return {
        "key": point.key, "label": point.label, "model": point.model, "effort": point.effort,
        "provider": point.provider, "sku": point.sku, "region": point.region, "first_party": point.first_party,
        "usd_per_mtok": decimal_text(point.price), "rating": decimal_text(point.rating),
        "low": decimal_text(point.low), "high": decimal_text(point.high), "votes": point.votes,
    }  # fmt: skip
