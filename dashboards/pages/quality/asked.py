"""The state of the page: how its address is read and written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import unquote_plus

from dashboards.pages.asked import address, day
from pricing.benchmarks import DEFAULT, Measure, measures
from pricing.frontier import AXES, CHAT_MIX, LIST, MEASURED, Mix, Terms, Wanted, Wish
from pricing.providers import declared

PATH = "/quality"

MIXES = (
    ("3:1:0", "3 : 1 chat"),
    ("10:1:0", "10 : 1 retrieval"),
    ("3:2:3", "half cached"),
    ("2:1:18", "coding agent"),
)
"""Token mixes as people meet them: input : output : cached input; an agent re-reads nine tenths of its prompt."""

Window = tuple[date, date]


@dataclass(frozen=True, slots=True)
class Ask:
    """What the address asks for. Empty strings and None are the defaults and never written into a link.

    `project` weighs prices by what that project used in `window`, UTC days [since, until); who reads the usage puts
    its mix and window here. `near` is the key of a rated model, `sold` the slug of one whose sellers are shown.
    `measures` are what quality can be measured by for this reader.
    """

    benchmark: str = "arena"
    category: str = ""
    mix: Mix = CHAT_MIX
    axis: str = LIST
    project: str = ""
    window: Window | None = None
    at: date | None = None
    maker: str = ""
    weights: str = ""
    effort: str = ""
    provider: str = ""
    region: str = ""
    context: int = 0
    modality: str = ""
    tools: str = ""
    retirement: str = ""
    speed: Decimal = Decimal(0)
    within: Decimal | None = None
    free: str = ""
    previews: str = ""
    near: str = ""
    delta: Decimal | None = None
    sold: str = ""
    q: str = ""
    sort: str = ""
    measures: Mapping[str, Measure] = field(default_factory=measures, compare=False, repr=False)

    @property
    def measure(self) -> Measure:
        return self.measures[self.benchmark]

    @property
    def is_own(self) -> bool:
        """Whether quality is measured by an evaluation of one's own."""
        return self.benchmark not in measures()

    @property
    def category_label(self) -> str:
        return self.measure.categories[self.category]

    @property
    def is_measured(self) -> bool:
        return self.axis == MEASURED

    def url(self, path: str = PATH, **changes: object) -> str:
        """The address of this state, some of it changed."""
        first = next(iter(self.measure.categories))
        state: dict[str, object] = {
            "benchmark": "" if self.benchmark == DEFAULT else self.benchmark,
            "category": "" if self.category == first else self.category,
            "mix": "" if self.mix == CHAT_MIX or self.project else str(self.mix),
            "axis": "" if self.axis == LIST else self.axis,
            "project": self.project,
            "window": written(self.window),
            "date": self.at,
            **{name: getattr(self, name) for name in _TEXTS},
            "context": self.context or "",
            "speed": plain(self.speed) if self.speed else "",
            "within": "" if self.within is None else plain(self.within),
            "delta": "" if self.delta is None else plain(self.delta),
            "q": self.q,
            "sort": self.sort,
        }
        return address(path, {**state, **changes})

    @property
    def wanted(self) -> Wanted:
        """What is wanted of models and sellers; of sellers nothing where a price is not theirs."""
        of_sellers = {} if self.is_measured else {"provider": self.provider, "region": self.region}
        return Wanted(
            maker=self.maker, open_weights=bool(self.weights), context=self.context, modality=self.modality,
            tools=bool(self.tools), staying=bool(self.retirement),
            tokens_per_second=Decimal(0) if self.is_measured else self.speed, **of_sellers,
        )  # fmt: skip

    @property
    def is_narrowed(self) -> bool:
        return bool(self.wanted or self.effort or self.within is not None)

    @property
    def wish(self) -> Wish:
        effort = None if not self.effort else "" if self.effort == "none" else self.effort
        return Wish(
            self.mix, self.axis, self.wanted, Terms(free=bool(self.free), previews=bool(self.previews)), effort,
            self.near, self.delta, self.sold, self.within,
        )  # fmt: skip

    def weighed(self, mix: Mix, window: Window) -> "Ask":
        """The same with what the project really used."""
        return replace(self, mix=mix, window=window)


_TEXTS = (
    "maker", "weights", "effort", "provider", "region", "modality", "tools", "retirement", "free", "previews", "near",
    "sold",
)  # fmt: skip
_CHOICES = {
    "weights": ("open", "Weights are “open” or “any”."),
    "tools": ("yes", "Tools are “yes” or left out."),
    "retirement": ("none", "Retirement is “none” or left out."),
    "free": ("yes", "Free offers are “yes” or left out."),
    "previews": ("yes", "Previews are “yes” or left out."),
}
SORT_KEYS = ("rating", "price", "multiple", "votes", "name", "maker")


def plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def written(window: Window | None) -> str:
    """`2026-10-27..2026-11-26`, the last day not included; '' for none."""
    return f"{window[0]}..{window[1]}" if window else ""


class _Reading:
    """The query as it is read, part by part; what cannot be read is said and stays at its default."""

    def __init__(self, query: Mapping[str, str]) -> None:
        self.query = query
        self.wrong: list[str] = []

    def text(self, name: str, longest: int = 200) -> str:
        return self.query.get(name, "").strip()[:longest]

    def part(self, read: Callable[[], Any], default: Any) -> Any:
        try:
            return read()
        except ValueError as fault:
            self.wrong.append(str(fault))
            return default

    def chosen(self, name: str) -> str:
        value, said = _CHOICES[name]
        asked = self.text(name)
        if asked not in {"", "any", value}:
            self.wrong.append(said)
        return value if asked == value else ""

    def one_of(self, name: str, known: Mapping[str, object] | tuple[str, ...], said: str) -> str:
        asked = self.text(name, 600) or next(iter(known))
        if asked in known:
            return asked
        self.wrong.append(said.format(asked[:40]))
        return next(iter(known))


def read(query: Mapping[str, str], own: Mapping[str, Measure] = {}) -> tuple[Ask, list[str]]:
    """The state in an address, and a sentence for each part that could not be read and stays at its default.

    `own` are the reader's own evaluations, which stand beside the public benchmarks.
    """
    of = _Reading(query)
    known = {**measures(), **own}
    benchmark = of.one_of("benchmark", known, f"There is no benchmark “{{}}”: choose one of {', '.join(known)}.")
    measure = known[benchmark]
    name = measure.name.replace("{", "(").replace("}", ")")
    sort = of.text("sort")
    ask = Ask(
        benchmark=benchmark,
        category=of.one_of("category", measure.categories, f"{name} has no category “{{}}”: choose one from the list."),
        mix=of.part(lambda: _mix(query), CHAT_MIX),
        axis=of.one_of("axis", AXES, "There is no axis “{}”: prices are “list” or “measured”."),
        project=of.text("project"),
        window=of.part(lambda: _window(of.text("window")), None),
        at=of.part(lambda: day(query.get("date") or query.get("at", ""), "The date"), None),
        maker=of.text("maker"), provider=of.text("provider"), region=of.text("region"), modality=of.text("modality"),
        effort=of.text("effort", 60), near=of.text("near", 500), sold=of.text("sold", 500),
        weights=of.chosen("weights"), tools=of.chosen("tools"), retirement=of.chosen("retirement"),
        free=of.chosen("free"), previews=of.chosen("previews"),
        context=of.part(lambda: int(_number(of.text("context"), "The context", 10**9) or 0), 0),
        speed=of.part(lambda: _number(of.text("speed"), "The speed", 10**6) or Decimal(0), Decimal(0)),
        within=of.part(lambda: _number(of.text("within"), "The time of a task", 10**6), None),
        delta=of.part(lambda: _number(of.text("delta"), "The distance", 10**6), None),
        q=of.text("q", 100), sort=sort if sort in SORT_KEYS else "", measures=known,
    )  # fmt: skip
    return ask, of.wrong


def _mix(query: Mapping[str, str]) -> Mix:
    parts = [query.get(name, "").strip() for name in ("input", "output", "cached", "written")]
    if any(parts):  # the form of a mix of one's own
        return Mix.parse(":".join(part or "0" for part in parts))
    text = query.get("mix", "").strip()
    return Mix.parse(text) if text else CHAT_MIX


def _window(text: str) -> Window | None:
    if not text:
        return None
    since, until = (day(part, "A window of usage") for part in [*text.split("..", 1), ""][:2])
    if since is None or until is None or since >= until:
        raise ValueError("A window of usage is two days, the later one not included: 2026-10-27..2026-11-26.")
    return since, until


def _number(text: str, what: str, most: int) -> Decimal | None:
    if not text:
        return None
    try:
        number = Decimal(text)
        if not 0 <= number <= most:
            raise InvalidOperation
    except InvalidOperation:
        raise ValueError(f"{what} is a number from 0 to {most:,}, not “{text[:40]}”.") from None
    return number


def name_of(maker: str) -> str:
    """What people call a maker; the slug where nobody declared one, a dash where no source says."""
    known = declared(maker)
    return known.name if known else maker or "–"


def kept(ask: Ask, *replaced: str) -> list[tuple[str, str]]:
    """What a form on the page carries along beside its own fields, which it names."""
    pairs = [part.partition("=") for part in ask.url().partition("?")[2].split("&") if part]
    return [(name, unquote_plus(value)) for name, _, value in pairs if name not in replaced]


def own_mix(ask: Ask) -> str:
    """A mix that is none of the named ones, in figures; '' for a named one and for a project's."""
    mix = str(ask.mix)
    return "" if ask.project or mix in dict(MIXES) else " : ".join(mix.removesuffix(":0").split(":"))
