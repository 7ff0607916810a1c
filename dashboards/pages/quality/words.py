"""What the page says in sentences, by rule."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from statistics import median

from dashboards import formatting
from dashboards.pages.ledger import Figure, Words
from dashboards.pages.quality.asked import Ask, name_of
from dashboards.pages.quality.rows import Row
from pricing.benchmarks import Measure
from pricing.frontier import (
    BATCH,
    NOT_MATCHED,
    NOT_MEASURED,
    NOT_PRICED,
    NOT_SOLD,
    NOT_YET_SOLD,
    SAME_POINT,
    Band,
    Frontier,
    Mix,
    Point,
    multiple,
)

Evidence = Callable[[Point], str]


def decimals(edge: Frontier) -> int:
    """Ratings of some hundred points are shown whole, shares of tasks to a tenth."""
    return 0 if not edge.points or edge.points[-1].rating >= 200 else 1


def _near(edge: Frontier) -> tuple[Decimal, str]:
    """How far below the best rating the finding looks, in words: what most work does not notice."""
    return (Decimal(5), "five") if decimals(edge) else (Decimal(50), "fifty")


def _costs(point: Point, evidence: Evidence) -> Figure | str:
    """A price with its evidence; what a task was measured to cost has none but the table it stands in."""
    text = formatting.derived_price(point.price)
    return Figure(text, evidence(point)) if point.offer or evidence(point) else text


def finding(edge: Frontier, ask: Ask | None = None, evidence: Evidence = lambda _: "") -> Words:
    """What the frontier says in one sentence; with nothing to say, what is missing. `evidence` is a price's address."""
    among = _among(ask) if ask else ""
    measured = bool(ask and ask.is_measured)
    best = edge.best
    if best is None:
        return (_nothing(ask, among),)
    start = f"{among[0].upper()}{among[1:]}, the best rating costs " if among else "The best rating costs "
    costs, per = _costs(best, evidence), "a task" if measured else "per Mtok"
    distance, said = _near(edge)
    near = edge.within(distance, best)
    if near is None or near is best:
        tied = edge.cheapest_tied(best)
        if tied is not None and tied is not best:
            told = f"; {tied.label} cannot be told apart from it and costs "
            return (start, costs, told, _costs(tied, evidence), ".")
        return (start, costs, f" {per}, and nothing within {said} points of it costs less.")
    return (start, costs, f" {per}; {said} points below it costs ", _costs(near, evidence), ".")


def _nothing(ask: Ask | None, among: str) -> str:
    if ask and ask.is_measured:
        return f"No run {among + ' ' if among else ''}of this benchmark publishes what it cost."
    return f"No rated model {among + ' ' if among else ''}has a list price for this mix of tokens."


def near(band: Band, ask: Ask, evidence: Evidence = lambda _: "") -> Words:
    """What is cheapest among all that is nearly as good as a chosen model, and how sure "nearly" is."""
    name, shown = band.of.display_name, decimals_of(band)
    about = f"{_points(band.delta)} of {name} ({formatting.rounded(band.of.rating, shown)})"
    cheapest = band.cheapest
    if cheapest is None:
        return (f"Nothing with a price here is rated within {about}.",)
    if band.own and band.own.price == cheapest.price:
        costs = _costs(band.own, evidence)
        return (f"Nothing within {about} costs less than its own ", costs, ".", *_ties(band, band.own))
    rating = formatting.rounded(cheapest.rating, shown)
    told = (f"The cheapest within {about} is {cheapest.label} ({rating}) at ", _costs(cheapest, evidence))
    return (*told, *_against(band, evidence), *_sure(band), *_ties(band, cheapest))


def decimals_of(band: Band) -> int:
    return 0 if band.of.rating >= 200 else 1


def _points(delta: Decimal) -> str:
    return f"{delta.normalize():f} point{'' if delta == 1 else 's'}"


def _against(band: Band, evidence: Evidence) -> Words:
    own, cheapest = band.own, band.cheapest
    if own is None or cheapest is None:
        return (f"; {short(band.of.display_name)} has no price here",)
    ratio = multiple(own.price, cheapest.price)
    times = f", {formatting.multiple(ratio)} as much" if ratio is not None else ""
    return (f"; {short(band.of.display_name)} costs ", _costs(own, evidence), times)


def _sure(band: Band) -> Words:
    if band.overlaps is None:
        return ("; no interval says whether the difference is chance.",)
    if band.overlaps:
        return ("; their intervals overlap, so which is better may be chance.",)
    return ("; their intervals do not overlap.",)


def _ties(band: Band, named: Point) -> Words:
    ties = [point for point in band.inside if point.price == named.price and point.key != named.key]
    if not ties:
        return ()
    others = f" and {len(ties) - 1} more" if len(ties) > 1 else ""
    return (f" {ties[0].label}{others} cost{'' if others else 's'} the same.",)


def empty(ask: Ask, tables: Sequence[date]) -> dict[str, str]:
    """What to do where nothing is drawn."""
    if not tables and not ask.is_own:
        return {
            "title": f"{ask.measure.name} is not loaded yet",
            "text": "Read the scores that ship with Ratecard and this page fills itself: run manage.py fetch_quality.",
        }
    if ask.at and tables and ask.at < min(tables):
        first = min(tables)
        return {
            "title": f"Nothing that {ask.measure.name} rates is known to have been sold that day",
            "text": f"Its first scores here are of {formatting.day(first)}; another benchmark may reach back further.",
            "url": ask.url(date=first), "action": f"Show {formatting.day(first)}",
        }  # fmt: skip
    if ask.is_measured:
        return {
            "title": "No run says what it cost", "text": "List prices are known: weigh them by a token mix.",
            "url": ask.url(axis=""), "action": "Show list prices",
        }  # fmt: skip
    return {
        "title": "No rated model has a price here", "text": "Take another mix of tokens, or widen the filters.",
        "url": "/quality", "action": "Show all models",
    }  # fmt: skip


def _among(ask: Ask) -> str:
    parts = []
    if ask.weights:
        parts.append("with open weights")
    if ask.maker:
        parts.append(f"of {name_of(ask.maker)}")
    if ask.effort:
        parts.append("without a stated effort" if ask.effort == "none" else f"at {ask.effort} effort")
    if ask.wanted.provider:
        parts.append(f"at {name_of(ask.provider)}")
    if ask.wanted.region:
        parts.append(f"in {ask.region}")
    if ask.context:
        parts.append(f"with a context of {formatting.count(ask.context)} tokens")
    if ask.modality:
        parts.append(f"that take {ask.modality}")
    if ask.tools:
        parts.append("with tools")
    if ask.retirement:
        parts.append("without an announced end")
    if ask.wanted.tokens_per_second:
        parts.append(f"at {ask.speed.normalize():f} tokens a second")
    if ask.within is not None:
        parts.append(f"that took {ask.within.normalize():f} seconds a task at most")
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


_UNITS = {"cache_read": "cached input", "cache_write": "cache writes"}


def mix_in_words(mix: Mix) -> str:
    """`3 input : 1 output, no caching`; a mix of counted tokens in shares, `61% cached input, 36% input, 3% output`."""
    weights = mix.weights()
    total = sum(weight for _, weight in weights)
    if total < 1000:
        named = [f"{weight.normalize():f} {_UNITS.get(unit, unit)}" for unit, weight in weights]
        return " : ".join(named) + ("" if mix.cache_read else ", no caching")
    by_kind: dict[str, Decimal] = {}
    for unit, weight in weights:
        kind = unit.removeprefix(BATCH)
        by_kind[kind] = by_kind.get(kind, Decimal(0)) + weight
    shares = sorted(by_kind.items(), key=lambda item: -item[1])
    said = [f"{formatting.share(part, total)} {_UNITS.get(unit, unit)}" for unit, part in shares]
    batch = sum(weight for unit, weight in weights if unit.startswith(BATCH))
    return ", ".join(said) + (f"; {formatting.share(batch, total)} of all in batch" if batch else "")


def scope(
    ask: Ask, drawn: int, rated: int, asked_at: datetime, rated_on: date | None, usage: str = "",
    missing: Sequence[str] = (),
) -> tuple[str, ...]:  # fmt: skip
    """`usage` says what a project's mix was read from, `missing` what is left out for being unknown."""
    measure = ask.measure
    on = f", {_rated(measure, rated_on, ask.at or asked_at.date())}" if rated_on else ""
    what = f"{measure.name}, {ask.category_label[0].lower()}{ask.category_label[1:]}{on}"
    if ask.is_measured:
        return (
            "What a task of the run cost, as its benchmark publishes it",
            what,
            f"{drawn} of {rated} runs say so",
            *missing,
        )
    return (
        f"List prices on {formatting.day(ask.at or asked_at)}, standard{' and batch' if ask.mix.batch else ''} tier",
        mix_in_words(ask.mix),
        *([usage] if usage else []),
        what,
        f"{drawn} of {rated} rated models matched to a price",
        *missing,
    )


def _rated(measure: Measure, rated_on: date, day: date) -> str:
    """The day of the ratings, and whether the reader's day is before it."""
    if measure.runs_dated:
        return f"runs up to {formatting.day(rated_on)}"
    first = ", its first table, younger than that day" if rated_on > day else ""
    return f"{formatting.day(rated_on)}{first}"


def note(ask: Ask, rows: Sequence[Row], undrawn: int, credits: Sequence[str] = ()) -> str:
    measure = ask.measure
    intervals = any(row.point.low is not None for row in rows)
    sure = f"whiskers are {measure.interval}% intervals" if intervals else "no intervals are published"
    said = [f"{measure.attribution}; {sure}."]
    if ask.is_measured:
        said.append("USD of the whole run ÷ its tasks, at the prices of its day: verbosity and thinking included.")
    else:
        said += ["The maker’s list price; where the maker does not sell it, the cheapest host’s.", *_prices(ask, rows)]
        if credits:
            said.append(f"Prices: {', '.join(credits)}.")
    if undrawn:
        s, verb = ("", "is") if undrawn == 1 else ("s", "are")
        what = f"run{s} without a cost" if ask.is_measured else f"rated model{s} without a matched price"
        said.append(f"{formatting.count(undrawn)} {what} {verb} not drawn.")
    return " ".join(said)


def _prices(ask: Ask, rows: Sequence[Row]) -> list[str]:
    offers = [row.point.offer for row in rows if row.point.offer]
    counted = (
        (sum(one.has_peak_prices for one in offers), "cost more at peak hours and stand at their off-peak price."),
        (sum(bool(one.dearer_from) for one in offers), "cost more for long prompts and stand at their base price."),
        (sum(one.undated for one in offers), "stand at the oldest price any source states: none says that it began by "
         "then."),
        (sum(_writes_as_input(one.usd_per_mtok_by_unit, ask.mix) for one in offers), "price no cache writes: what is "
         "written there is weighed as the input it is billed as."),
    )  # fmt: skip
    return [f"{_number(count)} {said}" for count, said in counted if count]


def _writes_as_input(prices: Mapping[str, Decimal | None], mix: Mix) -> bool:
    return any(
        unit.endswith("cache_write") and not any(name.startswith(unit) for name in prices) for unit, _ in mix.weights()
    )


def care(ask: Ask, edge: Frontier, band: Band | None) -> tuple[str, ...]:
    said = ["The rating is not of your task. Test the candidates on your own work."]
    if ask.is_own:
        said = ["The rating is of your own items: as good as they are like your work, and as sure as its interval."]
    if ask.benchmark == "arena":
        said = [
            "The rating is people’s preference in conversation, not your task. Test the candidates on your own work."
        ]
    if band and band.undecided:
        one, more = band.undecided[0], len(band.undecided) - 1
        told = f" ({more} more like it)" if more else ""
        said.append(
            f"{one.label} is rated below the band, but its interval meets that of {band.of.display_name}, and it costs"
            f" {formatting.derived_price(one.price)}{told}."
        )
    tie = _tie(edge)
    if tie:
        said.append(f"Ratings whose intervals overlap may be in the other order: {tie} are a tie.")
    if not ask.is_measured:
        said.append(
            "A token price is not the price of an answer: at a higher effort the same model writes more tokens at the"
            " same price each."
        )
    return tuple(said)


def _tie(edge: Frontier) -> str:
    for better, other in zip(reversed(edge.points), reversed(edge.points[:-1]), strict=False):
        if better.overlaps(other):
            return f"{better.label} and {other.label}"
    return ""


_WISHES = {
    "maker": "maker", "weights": "weights", "context": "context", "modality": "modalities", "tools": "tools",
    "retirement": "retirement", "provider": "seller", "region": "region", "speed": "speed",
    "seconds": "time of a task",
}  # fmt: skip


def left_out(wish: str, count: int) -> str:
    """`12 models with unknown context left out`."""
    return f"{formatting.count(count)} model{'' if count == 1 else 's'} with unknown {_WISHES[wish]} left out"


REASONS = {
    NOT_MATCHED: "No model in the catalogue is declared to be this one",
    NOT_SOLD: "Nobody in the catalogue sells it now",
    NOT_YET_SOLD: "Nothing says that it was on sale by that day",
    NOT_PRICED: "No seller states a list price for every unit of this mix",
    NOT_MEASURED: "Its run publishes no cost",
    SAME_POINT: "Another name of the same model and effort has more votes",
}


def short(label: str) -> str:
    """A display name without the setting it was rated at."""
    return label.partition(" (")[0]
