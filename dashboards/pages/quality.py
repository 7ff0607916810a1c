"""The page of price per quality: which model buys a rating for the least money. Pure.

Its address is its state: `Ask` reads and writes it. `compose` turns ratings and list prices into everything the
page, its chart and its CSV show, findings included.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from statistics import median
from urllib.parse import unquote_plus

from dashboards import formatting
from dashboards.market import Sold
from dashboards.pages.asked import Option, address, day
from pricing.benchmarks import benchmarks
from pricing.frontier import (
    CHAT_MIX,
    NOT_MATCHED,
    NOT_PRICED,
    NOT_SOLD,
    SAME_POINT,
    Frontier,
    Mix,
    Point,
    Rated,
    blend,
    frontier,
    select,
)
from pricing.providers import declared

PATH = "/quality"
NEAR = Decimal(50)
"""How far below the best rating the finding looks: Arena points that most work does not notice."""

MIXES = (
    ("3:1:0", "3 : 1 chat"),
    ("10:1:0", "10 : 1 retrieval"),
    ("3:2:3", "half cached"),
    ("2:1:18", "coding agent"),
)
"""Token mixes as people meet them: input : output : cached input; an agent re-reads nine tenths of its prompt."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What the address asks for. Empty strings and None are the defaults and never written into a link."""

    benchmark: str = "arena"
    category: str = ""
    mix: Mix = CHAT_MIX
    at: date | None = None
    maker: str = ""
    weights: str = ""
    effort: str = ""
    q: str = ""
    sort: str = ""

    @property
    def category_label(self) -> str:
        return benchmarks()[self.benchmark].CATEGORIES[self.category]

    def url(self, path: str = PATH, **changes: object) -> str:
        """The address of this state, some of it changed."""
        first = next(iter(benchmarks()[self.benchmark].CATEGORIES))
        state: dict[str, object] = {
            "benchmark": "" if self.benchmark == next(iter(benchmarks())) else self.benchmark,
            "category": "" if self.category == first else self.category,
            "mix": "" if self.mix == CHAT_MIX else str(self.mix),
            "at": self.at,
            "maker": self.maker,
            "weights": self.weights,
            "effort": self.effort,
            "q": self.q,
            "sort": self.sort,
        }
        return address(path, {**state, **changes})

    @property
    def is_narrowed(self) -> bool:
        return bool(self.maker or self.weights or self.effort)


def read(query: Mapping[str, str]) -> tuple[Ask, list[str]]:
    """The state in an address, and a sentence for each part that could not be read and stays at its default."""
    wrong: list[str] = []
    known = benchmarks()
    benchmark = query.get("benchmark") or next(iter(known))
    if benchmark not in known:
        wrong.append(f"There is no benchmark “{benchmark[:40]}”: choose one of {', '.join(known)}.")
        benchmark = next(iter(known))
    categories = known[benchmark].CATEGORIES
    category = query.get("category") or next(iter(categories))
    if category not in categories:
        wrong.append(f"{known[benchmark].NAME} has no category “{category[:40]}”: choose one from the list.")
        category = next(iter(categories))
    try:
        mix = _mix(query)
    except ValueError as fault:
        wrong.append(str(fault))
        mix = CHAT_MIX
    try:
        at = day(query.get("at", ""), "“Prices at”")
    except ValueError as fault:
        wrong.append(str(fault))
        at = None
    weights = query.get("weights", "")
    if weights not in {"", "any", "open"}:
        wrong.append("Weights are “open” or “any”.")
    return Ask(
        benchmark=benchmark, category=category, mix=mix, at=at, maker=query.get("maker", "")[:120],
        weights="open" if weights == "open" else "", effort=query.get("effort", "")[:60],
        q=query.get("q", "").strip()[:100], sort=query.get("sort", "") if query.get("sort") in SORTS else "",
    ), wrong  # fmt: skip


def _mix(query: Mapping[str, str]) -> Mix:
    parts = [query.get(name, "").strip() for name in ("input", "output", "cached")]
    if any(parts):  # the form of a mix of one's own
        return Mix.parse(":".join(part or "0" for part in parts))
    text = query.get("mix", "").strip()
    return Mix.parse(text) if text else CHAT_MIX


# Rows

_DATED = re.compile(r"[- ]20\d\d-?[01]\d-?[0-3]\d$")


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One rating as the catalogue joined it; the model's facts are empty where the name is not matched."""

    rated: Rated
    model_name: str = ""
    maker: str = ""
    open_weights: bool | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One point of the chart as the table shows it."""

    point: Point
    name: str
    maker: str
    host: str
    price_ids: Mapping[str, int]
    on_frontier: bool
    cheapest_equal: Point
    multiple: Decimal | None
    to_best: Decimal
    is_asked: bool
    has_peak_prices: bool
    dearer_from: tuple[int, ...]

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
        return f"/models/{self.point.model}"

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
        found = self.price_ids.get(unit)
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
    def blended_evidence(self) -> str:
        """The part of the blended price that weighs most for most mixes: what the model is paid for."""
        return self.output_evidence or self.input_evidence or self.cached_evidence

    @property
    def distance(self) -> str:
        """Rating points to the best: `−28`, `0`."""
        points = formatting.rounded(self.to_best, 0)
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
    then: Decimal
    said: str

    @property
    def is_dearer(self) -> bool:
        return self.then > self.now


@dataclass(frozen=True)
class QualityPage:
    """Everything the page shows.

    `rows` are the table's, in the order asked for and only those searched for; `all_rows` are the chart's, best
    first; `frontier_rows` the ones that nothing beats, best first.
    """

    ask: Ask
    finding: str
    title: str
    table_title: str
    scope: tuple[str, ...]
    frontier: Frontier
    rows: tuple[Row, ...]
    all_rows: tuple[Row, ...]
    frontier_rows: tuple[Row, ...]
    free: tuple[Point, ...]
    undrawn: tuple[Undrawn, ...]
    endings: tuple[Ending, ...]
    unrated: int
    note: str
    care: tuple[str, ...]
    rated_on: date | None

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
    def free_count(self) -> int:
        return len(self.free)

    @property
    def undrawn_count(self) -> int:
        return sum(len(group.names) for group in self.undrawn)


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


def narrowed(ask: Ask, scores: Iterable[ScoreRow]) -> list[ScoreRow]:
    """The ratings asked for. What is not known to be open, or of the maker, is not taken to be."""
    return [
        score
        for score in scores
        if (not ask.maker or score.maker == ask.maker)
        and (not ask.weights or score.open_weights)
        and (not ask.effort or score.rated.effort == _effort(ask.effort))
    ]


def _effort(asked: str) -> str:
    return "" if asked == "none" else asked


def compose(
    ask: Ask, scores: Sequence[ScoreRow], offerings: Sequence[Sold], *, asked_at: datetime,
    upcoming: Iterable[tuple[int, str, Decimal, datetime]] = (), unrated: int = 0, rated_on: date | None = None,
) -> QualityPage:  # fmt: skip
    """The page for a state, from all ratings of the category and all offerings of the rated models.

    `upcoming` are list prices that begin later: (offering, unit, USD per Mtok, from when), earliest first.
    """
    taken = narrowed(ask, scores)
    selection = select([score.rated for score in taken], [one.offer() for one in offerings], ask.mix)
    edge = frontier(selection.points)
    names: dict[str | None, ScoreRow] = {score.rated.model: score for score in taken if score.rated.model}
    sold_by_key = {one.key: one for one in offerings}
    rows = _rows(ask, edge, names, sold_by_key)
    best_first = sorted(rows, key=SORTS["rating"])
    shown = [row for row in rows if not ask.q or row.is_asked]
    return QualityPage(
        ask=ask,
        finding=finding(edge, ask),
        title=_title(edge, len(rows)),
        table_title=_table_title(edge),
        scope=_scope(ask, len(rows), len(taken), asked_at, rated_on),
        frontier=edge,
        rows=tuple(sorted(shown, key=SORTS[ask.sort or "rating"])),
        all_rows=tuple(best_first),
        frontier_rows=tuple(row for row in best_first if row.on_frontier),
        free=selection.free,
        undrawn=_undrawn(selection.unmatched),
        endings=_endings(ask, edge, sold_by_key, upcoming),
        unrated=unrated,
        note=_note(ask, rows, len(selection.unmatched) + len(selection.free)),
        care=_care(edge),
        rated_on=rated_on,
    )


def _rows(
    ask: Ask, edge: Frontier, names: Mapping[str | None, ScoreRow], sold_by_key: Mapping[tuple[str, str, str], Sold]
) -> list[Row]:
    best = edge.best.rating if edge.best else Decimal(0)
    of_frontier = [(point, point, Decimal(1)) for point in edge.points]
    others = [(one.point, one.cheapest_equal, one.multiple) for one in edge.dominated]
    words = ask.q.lower().split()
    rows = []
    for point, cheapest, ratio in [*of_frontier, *others]:
        one = sold_by_key[(point.provider, point.sku, point.region)]
        maker = name_of(names[point.model].maker)
        about = f"{point.label} {point.model} {maker} {point.effort}".lower()
        rows.append(
            Row(
                point, names[point.model].model_name, maker, one.provider_name, one.price_ids, point is cheapest,
                cheapest, ratio, point.rating - best, bool(words) and all(word in about for word in words),
                one.has_peak_prices, one.dearer_from,
            )
        )  # fmt: skip
    return rows


def name_of(maker: str) -> str:
    """What people call a maker; the slug where nobody declared one, a dash where no source says."""
    known = declared(maker)
    return known.name if known else maker or "–"


# Findings, by rule


def finding(edge: Frontier, ask: Ask | None = None) -> str:
    """What the frontier says in one sentence; with nothing to say, what is missing."""
    among = _among(ask) if ask else ""
    best = edge.best
    if best is None:
        return f"No rated model {among + ' ' if among else ''}has a list price for this mix of tokens."
    top = formatting.derived_price(best.price)
    start = f"{among[0].upper()}{among[1:]}, the best rating costs" if among else "The best rating costs"
    near = edge.within(NEAR, best)
    if near is None or near is best:
        tied = edge.cheapest_tied(best)
        if tied is not None and tied is not best:
            less = formatting.derived_price(tied.price)
            return f"{start} {top}; {tied.label} cannot be told apart from it and costs {less}."
        return f"{start} {top} per Mtok, and nothing within fifty points of it costs less."
    return f"{start} {top} per Mtok; fifty points below it costs {formatting.derived_price(near.price)}."


def _among(ask: Ask) -> str:
    parts = []
    if ask.weights:
        parts.append("with open weights")
    if ask.maker:
        parts.append(f"of {name_of(ask.maker)}")
    if ask.effort:
        parts.append("without a stated effort" if ask.effort == "none" else f"at {ask.effort} effort")
    return f"among models {' '.join(parts)}" if parts else ""


def _title(edge: Frontier, drawn: int) -> str:
    if not edge.points:
        return "Nothing to draw"
    if len(edge.points) == 1:
        return f"{edge.points[0].label} has the best rating and the lowest price of {drawn}"
    return f"{_number(len(edge.points))} of {drawn} rated models have no equal for less"


def _table_title(edge: Frontier) -> str:
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


def _scope(ask: Ask, drawn: int, rated: int, asked_at: datetime, rated_on: date | None) -> tuple[str, ...]:
    module = benchmarks()[ask.benchmark]
    on = f", {formatting.day(rated_on)}" if rated_on else ""
    return (
        f"List prices on {formatting.day(ask.at or asked_at)}, standard tier",
        mix_in_words(ask.mix),
        f"{module.NAME}, {ask.category_label[0].lower()}{ask.category_label[1:]}{on}",
        f"{drawn} of {rated} rated models matched to a price",
    )


def _note(ask: Ask, rows: Sequence[Row], undrawn: int) -> str:
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


def _care(edge: Frontier) -> tuple[str, ...]:
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


_REASONS = {
    NOT_MATCHED: "No model in the catalogue is declared to be this one",
    NOT_SOLD: "Nobody in the catalogue sells it now",
    NOT_PRICED: "No seller states a list price for every unit of this mix",
    SAME_POINT: "Another name of the same model and effort has more votes",
}


def _undrawn(unmatched: Iterable[object]) -> tuple[Undrawn, ...]:
    names: dict[str, list[str]] = {}
    for one in unmatched:
        names.setdefault(getattr(one, "reason", ""), []).append(getattr(one, "display_name", ""))
    counted = Counter({reason: len(found) for reason, found in names.items()})
    return tuple(Undrawn(_REASONS.get(reason, reason), tuple(names[reason])) for reason, _ in counted.most_common())


def _endings(
    ask: Ask, edge: Frontier, sold_by_key: Mapping[tuple[str, str, str], Sold],
    upcoming: Iterable[tuple[int, str, Decimal, datetime]],
) -> tuple[Ending, ...]:  # fmt: skip
    changes: dict[tuple[datetime, int], dict[str, Decimal]] = {}
    for offering, unit, usd, begins in upcoming:
        changes.setdefault((begins, offering), {})[unit] = usd
    points = [*edge.points, *(one.point for one in edge.dominated)]
    by_offering: dict[int, list[Point]] = {}
    for point in points:
        by_offering.setdefault(sold_by_key[(point.provider, point.sku, point.region)].offering_id, []).append(point)
    found = []
    for (begins, offering), units in sorted(changes.items(), key=lambda item: item[0]):
        for point in by_offering.get(offering, ())[:1]:
            then = blend({**point.usd_per_mtok_by_unit, **units}, ask.mix)
            if then is None or then == point.price:
                continue
            found.append(
                Ending(begins, _short(point.label), point.model, point.price, then, _stays(points, point, then))
            )
    return tuple(found)


def _stays(points: Sequence[Point], point: Point, then: Decimal) -> str:
    """Whether the change moves the point on or off the frontier, all else equal."""
    if not then:
        return ""
    before = point in frontier(points).points
    moved = [replace(other, price=then) if other is point else other for other in points]
    after = any(other.key == point.key for other in frontier(moved).points)
    if before and after:
        return "It stays on the frontier."
    if before:
        return "It leaves the frontier."
    return "It joins the frontier." if after else ""


def _short(label: str) -> str:
    """A display name without the setting it was rated at."""
    return label.partition(" (")[0]


# Filters


def options(ask: Ask, scores: Sequence[ScoreRow]) -> dict[str, list[Option]]:
    """The choices of each filter as links, the present one marked."""
    makers = Counter(score.maker for score in scores if score.maker)
    efforts = Counter(score.rated.effort for score in scores)
    mix = str(ask.mix)
    return {
        "mix": [
            Option(label, ask.url(mix="" if text == str(CHAT_MIX) else text), mix == text) for text, label in MIXES
        ],
        "category": [
            Option(label, ask.url(category=slug), ask.category == slug)
            for slug, label in benchmarks()[ask.benchmark].CATEGORIES.items()
        ],
        "maker": [
            Option("any", ask.url(maker=""), not ask.maker),
            *(
                Option(name_of(maker), ask.url(maker=maker), ask.maker == maker, str(makers[maker]))
                for maker in sorted(makers, key=lambda maker: name_of(maker).lower())
            ),
        ],
        "weights": [
            Option("any", ask.url(weights=""), not ask.weights),
            Option("open", ask.url(weights="open"), bool(ask.weights)),
        ],
        "effort": [
            Option("any", ask.url(effort=""), not ask.effort),
            *(
                Option(effort or "none stated", ask.url(effort=effort or "none"), ask.effort == (effort or "none"),
                       str(efforts[effort]))
                for effort in sorted(efforts)
            ),
        ],
    }  # fmt: skip


def kept(ask: Ask) -> list[tuple[str, str]]:
    """What a form on the page carries along beside its own fields; the mix apart, as one form replaces it."""
    pairs = [part.partition("=") for part in ask.url(mix="").partition("?")[2].split("&") if part]
    return [(name, unquote_plus(value)) for name, _, value in pairs]


def own_mix(ask: Ask) -> str:
    """A mix that is none of the named ones, in figures; '' for a named one."""
    mix = str(ask.mix)
    return "" if mix in dict(MIXES) else " : ".join(mix.removesuffix(":0").split(":"))


CSV_HEAD = (
    "name", "model", "maker", "effort", "on_frontier", "seller", "sku", "region", "input_usd_per_mtok",
    "output_usd_per_mtok", "cache_read_usd_per_mtok", "blended_usd_per_mtok", "rating", "rating_low", "rating_high",
    "votes", "cheapest_equal", "cheapest_equal_usd_per_mtok", "multiple",
)  # fmt: skip


def csv_rows(page: QualityPage) -> Iterable[tuple[object, ...]]:
    """The table for a program: full digits, nothing where unknown."""
    for row in page.rows:
        point = row.point
        yield (
            point.label, point.model, row.maker, point.effort, "yes" if row.on_frontier else "no", point.provider,
            point.sku, point.region, row.input_usd, row.output_usd, row.cached_usd, point.price, point.rating,
            point.low, point.high, point.votes, row.cheapest_equal.label, row.cheapest_equal.price, row.multiple,
        )  # fmt: skip
