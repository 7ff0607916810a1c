"""What the index finds, by rule, and how sure that is. Pure."""

from __future__ import annotations

from decimal import Decimal

from dashboards import formatting
from dashboards.pages.ledger import Figure, Words
from dashboards.pages.price_index.asked import SELLERS, Ask, number
from dashboards.pages.quality import mix_in_words
from pricing.benchmarks import benchmarks
from pricing.constant_quality import Estimate
from pricing.constant_quality.estimates import Ends, too_few

STILL = 1.005
"""A factor nearer to 1 than this is no move."""
BEYOND = 9_999
NAMED = {"record_low": "record lows", "live_minimum": "months with a live model"}


def times(factor: float) -> str:
    """`5.7×`, `12×`."""
    return f"over {BEYOND:,}×" if factor > BEYOND else formatting.multiple(Decimal(repr(factor)))


def moved(factor: float) -> str:
    """`fell 5.7× a year`, `rose 1.2× a year`."""
    if 1 / STILL < factor < STILL:
        return "did not move"
    return f"fell {times(factor)} a year" if factor > 1 else f"rose {times(1 / factor)} a year"


def interval(ends: Ends | None) -> str:
    """`3.1–10×`; where it reaches below 1, in words: a price that may also have risen."""
    if ends is None:
        return ""
    low, high = ends
    if low is not None and low >= 1 / STILL:
        # Nearer to 1 than a half per cent reads as 1.0.
        return f"{_bare(max(low, 1.0))}–{times(high)}" if high is not None else f"{times(max(low, 1.0))} or more"
    start = f"a rise of {times(1 / low)}" if low else "a rise"
    if high is not None and high < 1:
        return f"a rise of {times(1 / high)} to {start.removeprefix('a rise of ')}"
    return f"{start} to a fall of {times(high)}" if high is not None else f"{start} to any fall"


def _bare(factor: float) -> str:
    return times(factor).removesuffix("×")


def in_months(months: float) -> str:
    """`6.2 months`, `3.4 years`."""
    if months >= 24:
        return f"{months / 12:.1f} years" if months < 1200 else "over 100 years"
    return f"{months:.1f} months"


def why_not(found: Estimate) -> str:
    """Why an estimate has no factor; '' where it has one."""
    return "" if found.per_year is not None else too_few(found.points, NAMED[found.estimator])


def doubt(found: Estimate) -> str:
    """` (90% interval 3.1–10×, indicative)`."""
    parts = []
    if ends := interval(found.interval):
        parts.append(f"{round(found.level * 100)}% interval {ends}")
    if found.interval is None:
        parts.append("no interval")
    if found.indicative:
        parts.append("indicative")
    return f" ({', '.join(parts)})"


def subject(ask: Ask, threshold: Decimal) -> str:
    """`at least 1300 on Arena`, with the category where it is not the first."""
    module = benchmarks()[ask.benchmark]
    first = next(iter(module.CATEGORIES))
    where = "" if ask.category == first else f" ({_lower(ask.category_label)})"
    return f"at least {number(threshold)} on {module.NAME}{where}"


def finding(ask: Ask, threshold: Decimal, record: Estimate, live: Estimate) -> str:
    """Both estimators in one sentence each, the doubt in them."""
    what = subject(ask, threshold)
    if record.per_year is not None and live.per_year is not None:
        return (
            f"The record low for {what} {moved(record.per_year)}{doubt(record)}; "
            f"the least one could really pay {moved(live.per_year)}{doubt(live)}."
        )
    if live.per_year is not None:
        return f"The least one could pay for {what} {moved(live.per_year)}{doubt(live)}; record lows give no factor."
    if record.per_year is not None:
        return f"The record low for {what} {moved(record.per_year)}{doubt(record)}; the live minimum gives no factor."
    if not record.points and not live.points:
        return f"No model with {what} has a price in these days."
    return f"No factor a year for {what} yet: too few dated prices."


def scope(ask: Ask, live: Estimate, record: Estimate, counts: tuple[int, int, int], rated_on: str) -> list[str]:
    scores, unmatched, unpriced = counts
    days = [point.on for point in (*live.points, *record.points)]
    when = f"Prices {formatting.day(min(days))} to {formatting.day(max(days))}" if days else "No price in these days"
    short = [f"{unmatched} of no model here" if unmatched else "", f"{unpriced} without a price" if unpriced else ""]
    covered = ", ".join(part for part in short if part)
    said = [
        when, f"USD per Mtok, {mix_in_words(ask.mix)}", f"Sold by {SELLERS[ask.sellers]}",
        f"{scores} scores of {rated_on}" + (f", {covered}" if covered else ""),
    ]  # fmt: skip
    return [*said, "Without reasoning models"] if ask.reasoning == "out" else said


def title(first: Figure | None, last: Figure | None) -> Words:
    """What the chart claims: from what to what the cheapest live price went."""
    if first is None or last is None:
        return ("Nothing to draw yet",)
    if first.text == last.text:
        return ("The cheapest live price is ", last, ", as at the start")
    return ("The cheapest live price went from ", first, " to ", last)


def care(ask: Ask, rises: int, gone: int, record: Estimate) -> list[str]:
    """What a reader must know before quoting a figure."""
    said = [
        "A record low can only fall, and its model may be gone the month after. The live minimum is what was for sale, "
        "and it rises where the cheapest is withdrawn or made dearer.",
        "A threshold is a choice: quote the strip, not its fastest row.",
        "A price per token is not a price per answer: models that reason write many more tokens.",
    ]
    if gone:
        said.insert(1, f"{gone} of {record.n} record models can no longer be bought (hollow marks).")
    if rises:
        said.insert(1, f"The live minimum rose {rises} time{'s' if rises > 1 else ''} (▲ in the table).")
    return said


def _lower(label: str) -> str:
    return f"{label[0].lower()}{label[1:]}"
