"""One request priced in Python: `choose` and `rate` of pricing.cost beside genai-prices' calc_price."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from itertools import islice

from benchmarks import peers, rating
from benchmarks.measuring import median, timed
from benchmarks.report import Figure
from benchmarks.workload import SAMPLE, Request, requests
from benchmarks.workspace import Workspace
from pricing import schedules
from pricing.cost import CardKey, CardPrices, Tokens, choose, rate
from pricing.models import HolidayCalendar, RateCard
from pricing.units import RATED_UNITS

GOAL = 10
_Line = tuple[list[CardKey], frozenset[str]]


def run(space: Workspace) -> None:
    sample = list(islice(requests(space.rows), min(SAMPLE, space.rows)))
    tokens = [
        Tokens(r.uncached, r.cache_read, r.written_5m + r.written_1h, r.output, r.reasoning,
               {"5m": r.written_5m, "1h": r.written_1h})
        for r in sample
    ]  # fmt: skip
    lines, prices = _cards({request.offering_id for request in sample})
    calendars = {
        row.slug: schedules.Calendar(row.utc_offset_hours, frozenset(row.dates))
        for row in HolidayCalendar.objects.all()
    }

    def price(request: Request, counts: Tokens) -> Decimal | None:
        cards, texts = lines.get((request.offering_id, request.service_tier), ((), ()))
        when = request.occurred_at
        hours = frozenset(text for text in texts if schedules.holds(text, when, calendars))
        card = choose(cards, counts.prompt, when, hours)
        return rate(prices[card.id], counts).amount if card else None

    pairs = list(zip(sample, tokens, strict=True))

    def ask() -> float:
        with timed() as taken:
            for request, counts in pairs:
                price(request, counts)
        return len(pairs) / taken.cpu

    rates = space.patience.measured(ask)
    genai = peers.genai_prices(space.patience, sample)
    ratio = median(rates) / genai.per_second
    space.report.add(
        Figure("choose and rate, exact", median(rates), "calls/s of processor time",
               f"genai-prices calc_price {genai.per_second:,.0f}/s", ratio, f">= {GOAL} x", ratio >= GOAL, rates)
    )  # fmt: skip

    def rate_all() -> float:
        chosen = [(prices[cards[0].id], c) for (cards, _), c in zip(_of(sample, lines), tokens, strict=True) if cards]
        with timed() as taken:
            for card, counts in chosen:
                rate(card, counts)
        return len(chosen) / taken.cpu

    rated = space.patience.measured(rate_all)
    space.report.add(
        Figure("rate alone, on a card at hand", median(rated), "calls/s of processor time",
               f"genai-prices calc_price {genai.per_second:,.0f}/s", median(rated) / genai.per_second, samples=rated)
    )  # fmt: skip
    space.report.note(f"genai-prices {genai.sentence}")
    wrong = sum(mine != theirs for mine, theirs in zip((price(*pair) for pair in pairs), _ledger(sample), strict=True))
    space.report.note(
        f"{len(sample):,} answers equal the ledger's to the last digit."
        if not wrong
        else f"{wrong:,} of {len(sample):,} answers differ from the ledger's."
    )


def _of(sample: Sequence[Request], lines: dict[tuple[int, str], _Line]) -> list[_Line]:
    return [lines.get((request.offering_id, request.service_tier), ([], frozenset())) for request in sample]


def _cards(offering_ids: set[int]) -> tuple[dict[tuple[int, str], _Line], dict[int, CardPrices]]:
    """The current cards by offering and tier with the schedules they name, and their prices by id."""
    keys: dict[tuple[int, str], list[CardKey]] = defaultdict(list)
    prices: dict[int, CardPrices] = {}
    fields = ("id", "context_from", "context_op", "schedule", "effective_from", "effective_until")
    rows = RateCard.objects.current().filter(offering__in=offering_ids, contract="")
    for offering_id, tier, currency, *rest in rows.values_list(
        "offering_id", "service_tier", "currency", *fields, *RATED_UNITS
    ):
        key = CardKey(*rest[: len(fields)])
        keys[offering_id, tier].append(key)
        amounts = zip(RATED_UNITS, rest[len(fields) :], strict=True)
        prices[key.id] = CardPrices(currency, {unit: amount for unit, amount in amounts if amount is not None})
    return {place: (cards, frozenset(card.schedule for card in cards) - {""}) for place, cards in keys.items()}, prices


def _ledger(sample: Sequence[Request]) -> list[Decimal | None]:
    return rating.costs(sample)
