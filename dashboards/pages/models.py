"""The list of models: who sells what at which list price, found, filtered and sorted. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from dashboards import formatting
from dashboards.market import Sold
from dashboards.pages.asked import Option, address
from dashboards.pages.quality import name_of
from pricing.frontier import CHAT_MIX, blend

PATH = "/models"
PER_PAGE = 50
UNIT_WORDS = {"input": "in", "output": "out", "cache_read": "cached"}
GRADES = {
    "A": "the vendor’s own page, lately, or a person’s decision",
    "B": "two independent sources agree",
    "C": "one source that is not the vendor",
    "D": "stale or disputed",
}


@dataclass(frozen=True, slots=True)
class Ask:
    """What the address asks for; '' is no filter, sort '' is by rating."""

    q: str = ""
    maker: str = ""
    provider: str = ""
    rated: str = ""
    weights: str = ""
    grade: str = ""
    sort: str = ""

    def url(self, **changes: object) -> str:
        state = {name: getattr(self, name) for name in self.__slots__}
        return address(PATH, {**state, **changes})


def read(query: Mapping[str, str]) -> Ask:
    """The state in an address; a value that means nothing is no filter."""
    given = {name: query.get(name, "").strip()[:120] for name in Ask.__slots__}
    allowed = {"rated": {"yes", "no"}, "weights": {"open"}, "grade": set(GRADES), "sort": set(SORTS)}
    return Ask(**{name: "" if name in allowed and value not in allowed[name] else value
                  for name, value in given.items()})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """The last time a list price moved: of which unit, from what, to what, when."""

    unit: str
    old: Decimal
    new: Decimal
    since: datetime

    @property
    def said(self) -> str:
        return UNIT_WORDS.get(self.unit, self.unit)


@dataclass(frozen=True, slots=True)
class Rating:
    value: Decimal
    low: Decimal | None
    high: Decimal | None


@dataclass(frozen=True, slots=True)
class Line:
    """One model as the list shows it: at its maker's list price, else its cheapest host's."""

    slug: str
    name: str
    maker: str
    maker_name: str
    open_weights: bool | None
    context_window: int | None
    shown: Sold
    sellers: int
    providers: frozenset[str]
    blended: Decimal | None
    rating: Rating | None
    change: Change | None

    @property
    def url(self) -> str:
        return f"{PATH}/{self.slug}"

    def usd(self, unit: str) -> Decimal | None:
        return self.shown.usd_per_mtok_by_unit.get(unit)

    def _evidence(self, unit: str) -> str:
        found = self.shown.price_ids.get(unit)
        return f"{self.url}/evidence/{found}" if found else ""

    @property
    def input(self) -> Decimal | None:
        return self.usd("input")

    @property
    def output(self) -> Decimal | None:
        return self.usd("output")

    @property
    def cached(self) -> Decimal | None:
        return self.usd("cache_read")

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
    def change_evidence(self) -> str:
        return self._evidence(self.change.unit) if self.change else ""

    @property
    def graded_prices(self) -> tuple[int, ...]:
        """The prices that the grade of the line is about."""
        return tuple(self.shown.price_ids[unit] for unit in ("input", "output") if unit in self.shown.price_ids)


def preferred(offerings: Iterable[Sold]) -> Sold:
    """The offering a model is shown at: a priced one, the maker's own, its plain name, the cheapest."""
    return min(offerings, key=_preference)


def _preference(one: Sold) -> tuple[object, ...]:
    price = blend(one.usd_per_mtok_by_unit, CHAT_MIX)
    theirs = one.first_party
    return (
        not one.usd_per_mtok_by_unit, not theirs, theirs and one.region not in ("", "global"),
        theirs and one.sku != one.model, price is None, not price, price or 0, one.provider, one.sku, one.region,
    )  # fmt: skip


def lines(offerings: Iterable[Sold], ratings: Mapping[str, Rating], changes: Mapping[int, Change]) -> list[Line]:
    """One line per model that anybody sells. `ratings` by slug, `changes` by offering."""
    by_model: dict[str, list[Sold]] = defaultdict(list)
    for one in offerings:
        by_model[one.model].append(one)
    found = []
    for slug, sold in by_model.items():
        shown = preferred(sold) if len(sold) > 1 else sold[0]
        providers = frozenset(one.provider for one in sold)
        found.append(
            Line(
                slug, shown.model_name, shown.maker, name_of(shown.maker), shown.open_weights, shown.context_window,
                shown, len(providers), providers, blend(shown.usd_per_mtok_by_unit, CHAT_MIX), ratings.get(slug),
                changes.get(shown.offering_id),
            )
        )  # fmt: skip
    return found


def found(ask: Ask, every: Iterable[Line], grades: Mapping[str, str] | None = None) -> list[Line]:
    """The lines asked for, in the order asked for. `grades` by slug are needed only where a grade is asked for."""
    words = ask.q.lower().split()
    kept = [
        line
        for line in every
        if all(word in f"{line.name} {line.slug} {line.maker_name} {line.maker}".lower() for word in words)
        and (not ask.maker or line.maker == ask.maker)
        and (not ask.provider or ask.provider in line.providers)
        and (not ask.rated or (line.rating is not None) == (ask.rated == "yes"))
        and (not ask.weights or line.open_weights)
        and (not ask.grade or (grades or {}).get(line.slug) == ask.grade)
    ]
    return sorted(kept, key=SORTS[ask.sort or "rating"])


def _last(value: Decimal | int | None) -> tuple[bool, Decimal | int]:
    """Unknown is last in either direction: it is neither cheap nor dear."""
    return (value is None, value or 0)


SORTS: dict[str, Callable[[Line], tuple[object, ...]]] = {
    "rating": lambda line: (line.rating is None, -(line.rating.value if line.rating else 0), line.name.lower()),
    "name": lambda line: (line.name.lower(), line.slug),
    "maker": lambda line: (line.maker_name == "–", line.maker_name.lower(), line.name.lower()),
    "input": lambda line: (*_last(line.input), line.name.lower()),
    "output": lambda line: (*_last(line.output), line.name.lower()),
    "cached": lambda line: (*_last(line.cached), line.name.lower()),
    "sellers": lambda line: (-line.sellers, line.name.lower()),
    "context": lambda line: (line.context_window is None, -(line.context_window or 0), line.name.lower()),
    "changed": lambda line: (line.change is None, -(line.change.since.timestamp() if line.change else 0), line.slug),
}
DESCENDING = {"rating", "sellers", "context", "changed"}


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column: a link where the column can be sorted by."""

    label: str
    css: str = ""
    url: str = ""
    sorted: str = ""


_HEADS = (
    ("Model", "name", ""), ("Maker", "maker", "hide-s"), ("In", "input", "n"), ("Out", "output", "n"),
    ("Cached", "cached", "n hide-s"), ("Sellers", "sellers", "n hide-s"), ("Context", "context", "n hide-s"),
    ("Rating", "rating", "n"), ("Last change", "changed", "n hide-s"), ("Grade", "", "n hide-s"),
)  # fmt: skip


def heads(ask: Ask) -> list[Head]:
    """The heads of the table, the sorted one marked."""
    current = ask.sort or "rating"
    direction = "descending" if current in DESCENDING else "ascending"
    return [
        Head(
            label, css, ask.url(sort="" if key == "rating" else key) if key else "", direction if key == current else ""
        )
        for label, key, css in _HEADS
    ]


def kept(ask: Ask) -> list[tuple[str, str]]:
    """What the search form carries along."""
    pairs = ((name, getattr(ask, name)) for name in Ask.__slots__ if name != "q")
    return [(name, value) for name, value in pairs if value]


CSV_HEAD = (
    "model", "name", "maker", "seller", "sku", "region", "input_usd_per_mtok", "output_usd_per_mtok",
    "cache_read_usd_per_mtok", "sellers", "context_tokens", "rating", "last_change", "grade",
)  # fmt: skip


def csv_rows(shown: Iterable[Line], grades: Mapping[str, str]) -> Iterable[tuple[object, ...]]:
    """The list for a program: full digits, nothing where unknown."""
    for line in shown:
        yield (
            line.slug, line.name, line.maker, line.shown.provider, line.shown.sku, line.shown.region, line.input,
            line.output, line.cached, line.sellers, line.context_window, line.rating.value if line.rating else None,
            line.change.since.date().isoformat() if line.change else None, grades.get(line.slug),
        )  # fmt: skip


def finding(models: int, sellers: int, changed: int) -> str:
    """How large the market is and how restless."""
    if not models:
        return "The catalogue is empty."
    moved = (
        "no list price changed in the last 30 days" if not changed
        else f"{formatting.count(changed)} list {'price' if changed == 1 else 'prices'} changed in the last 30 days"
    )  # fmt: skip
    noun = "seller" if sellers == 1 else "sellers"
    return f"{formatting.count(models)} models from {formatting.count(sellers)} {noun}; {moved}."


def options(ask: Ask, every: Sequence[Line], names: Mapping[str, str]) -> dict[str, list[Option]]:
    """The choices of each filter as links. `names` are the providers' by slug."""
    makers = Counter(line.maker for line in every if line.maker)
    providers = Counter(slug for line in every for slug in line.providers)
    return {
        "maker": _counted(ask, "maker", makers, name_of),
        "provider": _counted(ask, "provider", providers, lambda slug: names.get(slug, slug)),
        "rated": [
            Option(label, ask.url(rated=value), ask.rated == value)
            for value, label in (("", "any"), ("yes", "rated"), ("no", "not rated"))
        ],
        "weights": [
            Option(label, ask.url(weights=value), ask.weights == value)
            for value, label in (("", "any"), ("open", "open"))
        ],
        "grade": [
            Option("any", ask.url(grade=""), not ask.grade),
            *(Option(f"{grade}: {said}", ask.url(grade=grade), ask.grade == grade) for grade, said in GRADES.items()),
        ],
    }


def _counted(ask: Ask, name: str, counts: Mapping[str, int], label: Callable[[str], str]) -> list[Option]:
    current = getattr(ask, name)
    return [
        Option("any", ask.url(**{name: ""}), not current),
        *(
            Option(label(slug), ask.url(**{name: slug}), current == slug, formatting.count(counts[slug]))
            for slug in sorted(counts, key=lambda slug: label(slug).lower())
        ),
    ]
