"""What the address of the page of changes asks for. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dashboards import formatting
from dashboards.pages.asked import Option, address, day, midnight

PATH = "/changes"
DAYS = ("7", "30", "90")
KINDS = {
    "cut": "cheaper", "rise": "dearer", "coming": "to come", "held": "held apart", "correction": "corrected",
    "new": "new", "retired": "retired",
}  # fmt: skip
BY = {"effective": "took effect", "seen": "was first seen"}
_ONE_OF = {"days": set(DAYS), "by": set(BY), "kind": set(KINDS), "mine": {"yes"}, "sort": {"change"}}


@dataclass(frozen=True, slots=True)
class Ask:
    """The state of the page; '' is the default: 30 days, by the day it took effect, every kind, by date."""

    days: str = ""
    start: date | None = None
    until: date | None = None
    by: str = ""
    kind: str = ""
    provider: str = ""
    q: str = ""
    mine: str = ""
    sort: str = ""

    def url(self, **changes: object) -> str:
        """The page with some of its state replaced. Choosing a number of days ends a range and the reverse."""
        names = {"start": "from"}
        state = {names.get(name, name): getattr(self, name) for name in self.__slots__}
        if "days" in changes:
            state |= {"from": None, "until": None}
        return address(PATH, {**state, **{names.get(name, name): value for name, value in changes.items()}})

    @property
    def is_range(self) -> bool:
        return self.start is not None or self.until is not None

    @property
    def narrowed(self) -> bool:
        """Whether something but the days is asked for."""
        return bool(self.provider or self.q or self.mine or self.kind)

    def window(self, now: datetime) -> tuple[datetime, datetime]:
        """The span asked for, [start, end): whole UTC days back from now, or from one UTC midnight to another."""
        today = now.date()
        if not self.is_range:
            return _midnight(today - timedelta(days=int(self.days or 30))), now
        until = _midnight(self.until) if self.until else now
        return _midnight(self.start or until.date() - timedelta(days=30)), until

    def when(self, now: datetime) -> str:
        """The span as it stands in a sentence."""
        if not self.is_range:
            return f"in the last {self.days or 30} days"
        start, until = self.window(now)
        # A range that ends now includes today.
        last = until.date() if self.until else until.date() + timedelta(days=1)
        return f"in {formatting.period(start.date(), last)}"


def _midnight(asked: date) -> datetime:
    found = midnight(asked)
    assert found is not None  # noqa: S101 — a day always has one
    return found


def read(query: Mapping[str, str]) -> tuple[Ask, list[str]]:
    """The state in an address, and a sentence for every part that cannot be read."""
    given = {name: query.get(name, "").strip()[:120] for name in Ask.__slots__ if name not in {"start", "until"}}
    unread = [name for name, value in given.items() if value and value not in _ONE_OF.get(name, {value})]
    wrong = [f"“{name}” is one of {', '.join(sorted(_ONE_OF[name]))}, not “{given[name]}”." for name in unread]
    values = {name: "" if name in unread else value for name, value in given.items()}
    span = {}
    for name, key, words in (("start", "from", "“From”"), ("until", "until", "“Until”")):
        try:
            span[name] = day(query.get(key, ""), words)
        except ValueError as fault:
            wrong.append(str(fault))
    start, until = span.get("start"), span.get("until")
    if start and until and start >= until:
        wrong.append("“Until” must be later than “From”: the range ends before the day it names.")
        start = until = None
    values["by"] = "" if values["by"] == "effective" else values["by"]
    values["days"] = "" if values["days"] == "30" or start or until else values["days"]
    return Ask(start=start, until=until, **values), wrong


def kept(ask: Ask, *without: str) -> list[tuple[str, str]]:
    """What a form carries along beside its own fields."""
    names = {"start": "from"}
    pairs = ((names.get(name, name), getattr(ask, name)) for name in Ask.__slots__ if name not in without)
    return [(name, str(value)) for name, value in pairs if value]


def options(ask: Ask, providers: Iterable[tuple[str, str]], *, has_usage: bool) -> dict[str, list[Option]]:
    """The choices of each filter as links; `providers` are (slug, name)."""
    found = {
        "days": [
            Option(f"{n} days", ask.url(days="" if n == "30" else n), not ask.is_range and (ask.days or "30") == n)
            for n in DAYS
        ],
        "by": [Option(words, ask.url(by=value if value == "seen" else ""), (ask.by or "effective") == value)
               for value, words in BY.items()],
        "sort": [
            Option("date", ask.url(sort=""), not ask.sort),
            Option("how far it moved", ask.url(sort="change"), ask.sort == "change"),
        ],
        "kind": [
            Option("all", ask.url(kind=""), not ask.kind),
            *(Option(words, ask.url(kind=kind), ask.kind == kind) for kind, words in KINDS.items()),
        ],
        "provider": [
            Option("any", ask.url(provider=""), not ask.provider),
            *(Option(name, ask.url(provider=slug), ask.provider == slug)
              for slug, name in sorted(providers, key=lambda one: one[1].lower())),
        ],
    }  # fmt: skip
    if has_usage:
        found["mine"] = [
            Option("all", ask.url(mine=""), not ask.mine),
            Option("only those you use", ask.url(mine="yes"), bool(ask.mine)),
        ]
    return found
