"""What the address of the ladder asks for: which models of which day, whose hour, at which pace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from urllib.parse import urlencode

from dashboards.pages.asked import Option, day
from pricing.ladder import PEOPLE, Pace, Person

PATH = "/ladder"
MOST = 5
"""Models that can be told apart on one axis."""
DEAREST = Decimal(1_000_000)
FASTEST = Decimal(10_000_000)
_USUAL = {person.slug: person for person in PEOPLE}


@dataclass(frozen=True, slots=True)
class Ask:
    """`models` empty: the usual ones. `person` is who is drawn; `people` are all, at the rates asked for."""

    models: tuple[str, ...] = ()
    at: date | None = None
    person: str = PEOPLE[0].slug
    people: tuple[Person, ...] = PEOPLE
    pace: Pace = field(default_factory=Pace)

    def url(self, path: str = PATH, **changes: object) -> str:
        """The address of this state, some of it changed; what is the default is left out."""
        usual = Pace()
        state: dict[str, object] = {
            "at": self.at,
            "person": "" if self.person == PEOPLE[0].slug else self.person,
            "speak": "" if self.pace.speaking == usual.speaking else _plain(self.pace.speaking),
            "read": "" if self.pace.reading == usual.reading else _plain(self.pace.reading),
        }
        state |= {one.slug: rate_text(one) for one in self.people if one != _USUAL[one.slug]}
        state |= changes
        models = state.pop("models", self.models)
        assert isinstance(models, Sequence)  # noqa: S101
        pairs = [("m", str(slug)) for slug in models]
        pairs += [(name, str(value)) for name, value in state.items() if value not in {None, ""}]
        return f"{path}?{urlencode(pairs, safe=':/')}" if pairs else path

    @property
    def who(self) -> Person:
        return next(one for one in self.people if one.slug == self.person)

    def person_options(self) -> list[Option]:
        return [
            Option(one.name, self.url(person="" if one.slug == PEOPLE[0].slug else one.slug), one.slug == self.person,
                   f"${rate_words(one)}")
            for one in self.people
        ]  # fmt: skip


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


def rate_text(person: Person) -> str:
    """`10`, or `50-200`, as the address and the form have it."""
    low, high = _plain(person.low), _plain(person.high)
    return low if low == high else f"{low}-{high}"


def rate_words(person: Person) -> str:
    """`10`, or `1,000–10,000`, as people write it."""
    low, high = (f"{one.normalize():,f}" for one in (person.low, person.high))
    return low if low == high else f"{low}–{high}"


def read(query: Mapping[str, str], named: Sequence[str]) -> tuple[Ask, list[str]]:
    """The state in an address with the models it names, and a sentence for each part that cannot be meant."""
    wrong: list[str] = []
    try:
        at = day(query.get("at", ""), "“Prices at”")
    except ValueError as fault:
        wrong.append(str(fault))
        at = None
    person = query.get("person") or PEOPLE[0].slug
    if person not in _USUAL:
        wrong.append(f"“Person” is one of {', '.join(_USUAL)}, not “{person[:40]}”.")
        person = PEOPLE[0].slug
    people = []
    for one in PEOPLE:
        try:
            people.append(_person(one, query.get(one.slug, "")))
        except ValueError as fault:
            wrong.append(str(fault))
            people.append(one)
    slugs = tuple(dict.fromkeys(slug.replace("\0", "").strip()[:400] for slug in named[:60] if slug.strip()))
    if len(slugs) > MOST:
        wrong.append(f"Five models can be told apart on one axis; left out: {', '.join(slugs[MOST:])[:300]}.")
    return Ask(slugs[:MOST], at, person, tuple(people), _pace(query, wrong)), wrong


def _pace(query: Mapping[str, str], wrong: list[str]) -> Pace:
    def tokens(name: str, label: str, usual: Decimal) -> Decimal:
        text = query.get(name, "").strip().replace(",", "")
        try:
            found = _number(text, FASTEST) if text else usual
        except ValueError:
            found = Decimal(0)
        if not found:
            wrong.append(f"“{label}” is a number of tokens an hour above 0, not “{text[:40]}”.")
        return found or usual

    usual = Pace()
    return Pace(tokens("speak", "Speaking", usual.speaking), tokens("read", "Reading", usual.reading))


def _person(usual: Person, text: str) -> Person:
    """A rate such as `10`, or a range such as `50-200`."""
    if not text.strip():
        return usual
    parts = text.replace("–", "-").replace(",", "").split("-")
    try:
        rates = [_number(part, DEAREST) for part in parts]
        if len(rates) > 2:
            raise ValueError
        return Person(usual.slug, usual.name, rates[0], rates[-1])
    except ValueError:
        raise ValueError(
            f"“{usual.name}” is USD an hour such as 10, or a range such as 50-200, not “{text[:40]}”."
        ) from None


def _number(text: str, most: Decimal) -> Decimal:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        raise ValueError(text) from None
    if not number.is_finite() or not 0 <= number <= most or number != round(number, 6):
        raise ValueError(text)
    return number
