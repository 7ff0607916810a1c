"""What the addresses under `/review` ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dashboards.pages.asked import Option, address

PATH = "/review"
STATES = {"": "held or open", "held": "held", "open": "open", "known_error": "known upstream errors"}


@dataclass(frozen=True, slots=True)
class Ask:
    """The queue of prices: which states, which page, and the doubt that is opened (0: the first)."""

    state: str = ""
    page: int = 1
    doubt: int = 0

    @property
    def states(self) -> tuple[str, ...]:
        return (self.state,) if self.state else ("held", "open")

    def url(self, **changes: object) -> str:
        state = {"state": self.state, "page": self.page if self.page > 1 else "", "doubt": self.doubt or ""}
        return address(PATH, {**state, **changes})

    @property
    def words(self) -> str:
        return STATES[self.state]

    def options(self) -> list[Option]:
        return [
            Option(words, self.url(state=state, page="", doubt=""), state == self.state)
            for state, words in STATES.items()
        ]


def read(query: Mapping[str, str]) -> Ask:
    """The state in an address; a value that means nothing is not there."""
    state = query.get("state", "")
    return Ask(state if state in STATES else "", _number(query.get("page", "")) or 1, _number(query.get("doubt", "")))


@dataclass(frozen=True, slots=True)
class NamesAsk:
    """The queue of names: the one that is opened, and what its offering is looked for by."""

    host: str = ""
    name: str = ""
    q: str = ""

    @property
    def is_open(self) -> bool:
        return bool(self.name)

    def url(self, **changes: object) -> str:
        return address(f"{PATH}/names", {"host": self.host, "name": self.name, "q": self.q, **changes})


def read_names(query: Mapping[str, str]) -> NamesAsk:
    return NamesAsk(*(query.get(name, "").replace("\0", "").strip()[:400] for name in ("host", "name", "q")))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
