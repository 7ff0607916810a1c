"""What the address of a comparison asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from urllib.parse import urlencode

from dashboards.pages.asked import Option, day
from pricing.frontier import CHAT_MIX, Mix

PATH = "/compare"
UNITS = {"input": "input", "output": "output", "blend": "blended"}
MIXES = ("3:1", "1:1", "10:1", "1:3")


@dataclass(frozen=True, slots=True)
class Ask:
    """Which offerings, of which day, by which mix; which unit is drawn and compared; what is looked for."""

    refs: tuple[str, ...] = ()
    unit: str = "input"
    mix: Mix = field(default_factory=Mix)
    at: date | None = None
    q: str = ""

    def url(self, path: str = "", **changes: object) -> str:
        """The address with some of it changed; what is the default is left out."""
        state: dict[str, object] = {
            "unit": "" if self.unit == "input" else self.unit, "mix": self.mix_text,
            "at": self.at, "q": self.q,
        }  # fmt: skip
        state |= changes
        refs = state.pop("refs", self.refs)
        assert isinstance(refs, Sequence)  # noqa: S101
        pairs = [("o", str(ref)) for ref in refs]
        pairs += [(name, str(value)) for name, value in state.items() if value not in {None, ""}]
        return f"{PATH}{path}?{urlencode(pairs, safe=':/@')}" if pairs else f"{PATH}{path}"

    @property
    def mix_text(self) -> str:
        """As a form keeps it; '' where it is the default."""
        return "" if self.mix == CHAT_MIX else short(self.mix)

    def known_as(self, refs: Sequence[str]) -> Ask:
        """The same with the offerings as they are called here."""
        return replace(self, refs=tuple(refs))

    def unit_options(self) -> list[Option]:
        return [
            Option(words.capitalize(), self.url(unit="" if unit == "input" else unit), unit == self.unit)
            for unit, words in UNITS.items()
        ]

    def mix_options(self) -> list[Option]:
        shown = dict.fromkeys((*MIXES, short(self.mix)))
        return [
            Option(mix_words(Mix.parse(mix)), self.url(mix="" if mix == "3:1" else mix), mix == short(self.mix))
            for mix in shown
        ]


def short(mix: Mix) -> str:
    """`3:1`, and `3:1:2` only where cached input counts."""
    text = str(mix)
    return text.removesuffix(":0")


def mix_words(mix: Mix) -> str:
    """`3 : 1`, in the order in : out : cached."""
    return short(mix).replace(":", " : ")


def read(query: Mapping[str, str], named: Sequence[str]) -> tuple[Ask, list[str]]:
    """The state in an address with the offerings it names, and a sentence for each part that cannot be meant."""
    wrong: list[str] = []
    mix, at = Mix(), None
    try:
        mix = Mix.parse(query.get("mix") or "3:1")
        if mix.batch is not None:
            raise ValueError("Prices are compared tier by tier: write a mix without a batch part, such as 3:1.")
    except ValueError as fault:
        wrong.append(str(fault))
        mix = Mix()
    try:
        at = day(query.get("at", ""), "“Prices at”")
    except ValueError as fault:
        wrong.append(str(fault))
    unit = query.get("unit", "")
    if unit and unit not in UNITS:
        wrong.append(f"“Unit” is one of {', '.join(UNITS)}, not “{unit[:40]}”.")
    refs = tuple(dict.fromkeys(ref.strip()[:600] for ref in named[:60] if ref.strip()))
    text = query.get("q", "").replace("\0", "").strip()[:120]
    return Ask(refs, unit if unit in UNITS else "input", mix, at, text), wrong
