"""The finding of the page of changes and the words around it, by rule. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from dashboards import formatting
from dashboards.pages.changes.asked import KINDS, Ask
from dashboards.pages.changes.lines import ZERO, Line, Step
from dashboards.pages.ledger import Figure, Words

_NUMBERS = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip
LEAST_EFFECT = Decimal("0.005")
"""Less than half a cent a week is nothing."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many offerings became cheaper and dearer over the span, and what that does to the reader's week."""

    cheaper: int
    dearer: int
    own_cuts: int = 0
    own_rises: int = 0
    saved: Decimal = ZERO
    added: Decimal = ZERO

    @property
    def net(self) -> Decimal:
        return self.added - self.saved


def tally(steps: Iterable[Step], own: Iterable[Line], currency: str) -> Tally:
    """An offering counts once, by what its steps come to: to the reader in money where they buy it, else by price."""
    by_offering: dict[int, Decimal] = defaultdict(Decimal)
    for step in steps:
        by_offering[step.offering_id] += step.difference
    effects: dict[int, Decimal] = defaultdict(Decimal)
    for line in own:
        if line.effect is not None and line.currency == currency:
            effects[line.step.offering_id] += line.effect
    effects = defaultdict(Decimal, {pk: effect for pk, effect in effects.items() if abs(effect) >= LEAST_EFFECT})
    ways = {**by_offering, **effects}
    saved = [-effect for effect in effects.values() if effect < 0]
    added = [effect for effect in effects.values() if effect > 0]
    return Tally(
        sum(way < 0 for way in ways.values()), sum(way > 0 for way in ways.values()), len(saved), len(added),
        sum(saved, ZERO), sum(added, ZERO),
    )  # fmt: skip


def finding(found: Tally, when: str, *, knows_usage: bool, currency: str, coming: Step | None, narrowed: bool) -> Words:
    """What became cheaper and dearer, and what of it the reader pays."""
    # The noun follows the first number: "1 offering became cheaper and 3 dearer".
    subject = "offering" if (found.cheaper or found.dearer) == 1 else "offerings"
    among = " of those asked for" if narrowed else ""
    opening = f"{when[0].upper()}{when[1:]}"
    if not found.cheaper and not found.dearer:
        nothing: Words = (f"No list price{among} changed {when}.",)
        if coming is None:
            return nothing
        day = coming.at
        return (*nothing, f" The next known change is {coming.model} on {day.day} {day:%B %Y}.")
    if found.cheaper and found.dearer:
        said = f"{formatting.count(found.cheaper)} {subject}{among} became cheaper and "
        said += f"{formatting.count(found.dearer)} dearer"
    else:
        way = "cheaper" if found.cheaper else "dearer"
        said = f"{formatting.count(found.cheaper + found.dearer)} {subject}{among} became {way}"
        said += ", none dearer" if found.cheaper else ", none cheaper"
    if not knows_usage:
        return (f"{opening} {said}.",)
    return (f"{opening} {said}; ", *_own(found, currency), ".")


_ASIDE = {
    "held": "a source’s step was held apart", "correction": "a price was corrected",
    "new": "a price was stated for the first time", "retired": "a price left every list",
}  # fmt: skip


def aside_finding(kind: str, steps: Sequence[Step], when: str) -> Words:
    """The finding where only one kind of events is asked for that are neither cuts nor rises."""
    if kind == "coming":
        if not steps:
            return ("No price change is announced.",)
        first = min(steps, key=lambda step: step.at)
        count, verb = formatting.count(len(steps)), "is" if len(steps) == 1 else "are"
        noun = "change" if len(steps) == 1 else "changes"
        day = f"{first.at.day} {first.at:%B %Y}"
        return (f"{count} price {noun} {verb} announced; the next is {first.model} at {first.seller} on {day}.",)
    offerings = len({step.offering_id for step in steps})
    subject = "offering" if offerings == 1 else "offerings"
    count = formatting.count(offerings) if offerings else "no"
    return (f"{when[0].upper()}{when[1:]} {_ASIDE[kind]} for {count} {subject}.",)


def _own(found: Tally, currency: str) -> Words:
    def money(amount: Decimal) -> Figure:
        # "About" and cents do not go together.
        whole = Decimal(100) <= amount < Decimal(1000)
        said = formatting.short_money(amount, currency) if whole else formatting.money_in_prose(amount, currency)
        return Figure(said, "#yours")

    parts: list[Words] = []
    if found.own_cuts:
        subject, plural = _part(found.own_cuts, found.cheaper, "cut")
        parts.append((f"{subject} you use and save{'' if plural else 's'} you about ", money(found.saved), " a week"))
    if found.own_rises:
        subject, plural = _part(found.own_rises, found.dearer, "rise")
        verb = "cost" if plural else "costs"
        parts.append((f"{subject} you use and {verb} you about ", money(found.added), " a week more"))
    if not parts:
        alone = found.cheaper + found.dearer == 1
        return ("it does not move what you pay" if alone else "none of them moves what you pay",)
    return (*parts[0], *(("; ", *parts[1]) if len(parts) > 1 else ()))


def _part(some: int, whole: int, noun: str) -> tuple[str, bool]:
    """`two of the cuts are on models`, and whether that is more than one."""
    if some >= whole:
        if some == 1:
            return f"the {noun} is on a model", False
        return f"{'both' if some == 2 else f'all {_number(some)}'} {noun}s are on models", True
    if some == 1:
        return f"one of the {noun}s is on a model", False
    return f"{_number(some)} of the {noun}s are on models", True


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else formatting.count(count)


def scope(ask: Ask, weighed_by: str) -> list[str]:
    """What the figures speak of. `weighed_by`: the days of usage, '' without usage."""
    dated = "the day a source first showed it" if ask.by == "seen" else "the day it took effect"
    parts = [f"By {dated}", "List prices, per Mtok where a line says nothing else"]
    if ask.kind:
        parts.append(f"Only {KINDS[ask.kind]}")
    if ask.mine:
        parts.append("Only models you use")
    if ask.q:
        parts.append(f"Only “{ask.q}”")
    if weighed_by:
        parts.append(f"Weighed by your tokens of {weighed_by}")
    return [*parts, "Days in UTC"]


def headline(count: int, shown: int, noun: str) -> str:
    """`Corrections: 3 offerings`; more than are shown says so."""
    if count > shown:
        return f"{formatting.count(shown)} of {formatting.count(count)} {noun}s"
    return f"{formatting.count(count)} {noun}{'' if count == 1 else 's'}"
