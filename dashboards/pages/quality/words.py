"""What the page says in sentences, by rule."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from statistics import median

from dashboards import formatting
from dashboards.pages.ledger import Figure, Words
from dashboards.pages.quality.asked import Ask, name_of
from dashboards.pages.quality.rows import Row
from pricing.benchmarks import benchmarks
from pricing.frontier import (
    NOT_MATCHED,
    NOT_PRICED,
    NOT_SOLD,
    SAME_POINT,
    Frontier,
    Mix,
    Point,
)

NEAR = Decimal(50)
"""How far below the best rating the finding looks: Arena points that most work does not notice."""


def finding(edge: Frontier, ask: Ask | None = None, evidence: Callable[[Point], str] = lambda _: "") -> Words:
    """What the frontier says in one sentence; with nothing to say, what is missing. `evidence` is a price's address."""

    def costs(point: Point) -> Figure:
        return Figure(formatting.derived_price(point.price), evidence(point))

    among = _among(ask) if ask else ""
    best = edge.best
    if best is None:
        return (f"No rated model {among + ' ' if among else ''}has a list price for this mix of tokens.",)
    start = f"{among[0].upper()}{among[1:]}, the best rating costs " if among else "The best rating costs "
    near = edge.within(NEAR, best)
    if near is None or near is best:
        tied = edge.cheapest_tied(best)
        if tied is not None and tied is not best:
            told = f"; {tied.label} cannot be told apart from it and costs "
            return (start, costs(best), told, costs(tied), ".")
        return (start, costs(best), " per Mtok, and nothing within fifty points of it costs less.")
    return (start, costs(best), " per Mtok; fifty points below it costs ", costs(near), ".")


def _among(ask: Ask) -> str:
    parts = []
    if ask.weights:
        parts.append("with open weights")
    if ask.maker:
        parts.append(f"of {name_of(ask.maker)}")
    if ask.effort:
        parts.append("without a stated effort" if ask.effort == "none" else f"at {ask.effort} effort")
    return f"among models {' '.join(parts)}" if parts else ""


def title(edge: Frontier, drawn: int) -> str:
    if not edge.points:
        return "Nothing to draw"
    if len(edge.points) == 1:
        return f"{edge.points[0].label} has the best rating and the lowest price of {drawn}"
    return f"{_number(len(edge.points))} of {drawn} rated models have no equal for less"


def table_title(edge: Frontier) -> str:
    ratios = [one.multiple for one in edge.dominated if one.multiple is not None]
    if len(ratios) < 3:
        return "Every model beside the cheapest one rated as high"
    return f"Half of the others cost over {formatting.multiple(median(ratios))} what an equal rating costs"


_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve")


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else formatting.count(count)


def mix_in_words(mix: Mix) -> str:
    """`3 input : 1 output, no caching`."""
    named = [f"{weight.normalize():f} {unit.replace('cache_read', 'cached input')}" for unit, weight in mix.weights()]
    return " : ".join(named) + ("" if mix.cache_read else ", no caching")


def scope(ask: Ask, drawn: int, rated: int, asked_at: datetime, rated_on: date | None) -> tuple[str, ...]:
    module = benchmarks()[ask.benchmark]
    on = f", {formatting.day(rated_on)}" if rated_on else ""
    return (
        f"List prices on {formatting.day(ask.at or asked_at)}, standard tier",
        mix_in_words(ask.mix),
        f"{module.NAME}, {ask.category_label[0].lower()}{ask.category_label[1:]}{on}",
        f"{drawn} of {rated} rated models matched to a price",
    )


def note(ask: Ask, rows: Sequence[Row], undrawn: int) -> str:
    module = benchmarks()[ask.benchmark]
    said = [
        f"{module.ATTRIBUTION}; whiskers are 95% intervals.",
        "The maker’s list price; where the maker does not sell it, the cheapest host’s.",
    ]
    off_peak = [row for row in rows if row.has_peak_prices]
    if off_peak:
        said.append(f"{_number(len(off_peak))} cost more at peak hours and stand at their off-peak price.")
    long_prompts = [row for row in rows if row.dearer_from]
    if long_prompts:
        said.append(f"{_number(len(long_prompts))} cost more for long prompts and stand at their base price.")
    if undrawn:
        said.append(f"{formatting.count(undrawn)} rated models without a matched price are not drawn.")
    return " ".join(said)


def care(edge: Frontier) -> tuple[str, ...]:
    said = ["The rating is people’s preference in conversation, not your task. Test the candidates on your own work."]
    tie = _tie(edge)
    if tie:
        said.append(f"Ratings whose intervals overlap may be in the other order: {tie} are a tie.")
    said.append(
        "A token price is not the price of an answer: at a higher effort the same model writes more tokens at the same"
        " price each."
    )
    return tuple(said)


def _tie(edge: Frontier) -> str:
    for better, other in zip(reversed(edge.points), reversed(edge.points[:-1]), strict=False):
        if better.overlaps(other):
            return f"{better.label} and {other.label}"
    return ""


REASONS = {
    NOT_MATCHED: "No model in the catalogue is declared to be this one",
    NOT_SOLD: "Nobody in the catalogue sells it now",
    NOT_PRICED: "No seller states a list price for every unit of this mix",
    SAME_POINT: "Another name of the same model and effort has more votes",
}


def short(label: str) -> str:
    """A display name without the setting it was rated at."""
    return label.partition(" (")[0]
