"""What needs a person: prices to come, prices in doubt, models without a price, money without a project. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from dashboards import formatting
from dashboards.pages.ledger import (
    NOBODY,
    NOT_USED,
    UNIT_WORDS,
    UNITS,
    ZERO,
    Figure,
    ModelKey,
    ModelName,
    Move,
    Sums,
    Tokens,
    Words,
    records_url,
)
from dashboards.pages.periods import Span

OF_A_KIND = 3
"""No kind of alert says more than this many things: the page is a page, not a queue."""
LONG_WORDS = {"input": "input", "output": "output", "cache_read": "cache reads", "cache_write": "cache writes"}


@dataclass(frozen=True)
class Doubt:
    """An open disagreement about the plain price of an offering in force now: what serves, what else is said."""

    offering_id: int
    unit: str
    accepted: Decimal
    claimed: Decimal
    source: str
    since: datetime
    model_slug: str


@dataclass(frozen=True)
class Key:
    """Money that no rule gives to a project, by the key it was spent with."""

    name: str
    cost: Decimal


@dataclass(frozen=True)
class Alert:
    kind: str
    title: Words
    text: Words
    action: tuple[str, str] | None = None


@dataclass(frozen=True)
class Used:
    """The usage alerts weigh themselves by: of these days, by offering."""

    span: Span
    currency: str
    today: date
    by_offering: Mapping[int | None, Sums]
    names: Mapping[ModelKey, ModelName]
    tokens: Mapping[int, Tokens] = field(default_factory=dict)
    """What was used of an offering, by service tier and kind of token: what price changes are weighed by."""

    def name(self, offering_id: int) -> ModelName | None:
        return self.names.get(ModelKey(offering_id, "", "")) if offering_id in self.by_offering else None

    def money(self, amount: Decimal, **filters: object) -> Figure:
        return Figure(formatting.money(amount, self.currency), records_url(self.span, **filters))


def needs_an_eye(
    used: Used,
    moves: Iterable[Move],
    doubts: Iterable[Doubt],
    unpriced: Mapping[ModelKey, Sums],
    loose: Decimal | None,
    keys: Sequence[Key],
) -> list[Alert]:
    """All alerts, those about prices to come first. `loose`: money without a project as the table shows it."""
    return [
        *_to_come(used, moves),
        *_in_doubt(used, doubts),
        *_unpriced(used, unpriced),
        *_without_project(used, loose, keys),
    ]


def _to_come(used: Used, moves: Iterable[Move]) -> list[Alert]:
    """Price changes ahead, with what a week like this one costs before and after."""
    alerts = []
    for move in moves:
        name = used.name(move.offering_id)
        if name is None or move.on <= used.today or move.currency != used.currency:
            continue
        sums, week = used.by_offering[move.offering_id], Decimal(7) / used.span.days
        effect = move.effect(used.tokens.get(move.offering_id, NOT_USED)) * week
        if not effect:
            continue
        paid = sums.cost * week
        alerts.append(
            Alert(
                "dear" if effect > 0 else "cheap",
                (f"{formatting.day(move.on)}: {move.called(name.name)} {move.fact}",),
                (
                    *_from_to(move, f"/models/{name.slug}"),
                    " per Mtok. You pay ",
                    used.money(paid, offering=move.offering_id),
                    " a week; from then ",
                    used.money(paid + effect, offering=move.offering_id),
                    ".",
                ),
            )
        )
    return alerts[:OF_A_KIND]


def _from_to(move: Move, url: str) -> list[str | Figure]:
    """`$2.00 to $4.00 in, $10.00 to $20.00 out`; of cached tokens where only those move."""
    units = [unit for unit in ("input", "output") if unit in move.prices] or [*move.prices]
    said: list[str | Figure] = []
    for unit in units:
        old, new = (formatting.price(per_token * 1_000_000, move.currency) for per_token in move.prices[unit])
        said += [", " if said else "", Figure(old, url), " to ", Figure(new, url), f" {UNIT_WORDS[unit]}"]
    return said


def _in_doubt(used: Used, doubts: Iterable[Doubt]) -> list[Alert]:
    """One alert an offering, dearest first: the price that matters most in its title, all units in the effect."""
    by_offering: dict[int, list[Doubt]] = {}
    for doubt in doubts:
        if used.name(doubt.offering_id) is not None and doubt.unit in UNITS:
            by_offering.setdefault(doubt.offering_id, []).append(doubt)
    weighed = []
    for offering, found in by_offering.items():
        sums = used.by_offering[offering]
        effects = [(one.claimed - one.accepted) * getattr(sums, UNITS[one.unit]) for one in found]
        order = sorted(zip(found, effects, strict=True), key=lambda pair: -abs(pair[1]))
        weighed.append((sum(effects, ZERO), [one for one, _ in order]))
    weighed.sort(key=lambda pair: -abs(pair[0]))
    return [_doubted(used, effect, found) for effect, found in weighed[:OF_A_KIND]]


def _doubted(used: Used, effect: Decimal, found: Sequence[Doubt]) -> Alert:
    main, name = found[0], used.name(found[0].offering_id)
    assert name is not None  # noqa: S101 — asked before
    model = f"/models/{main.model_slug}"
    served, claimed = (Figure(formatting.price(p * 1_000_000), model) for p in (main.accepted, main.claimed))
    units = list(dict.fromkeys(LONG_WORDS[one.unit] for one in found))
    listed = units[0] if len(units) == 1 else f"{', '.join(units[:-1])} and {units[-1]}"
    since = min(one.since for one in found)
    text: Words = (f"{main.source} says otherwise of {listed} since {since.day} {since:%b}, per Mtok.",)
    if effect:
        more = "dearer" if effect > 0 else "cheaper"
        text += (" If it is right, these days were ", used.money(abs(effect), offering=main.offering_id), f" {more}.")
    title: Words = (f"Is {name.name} ", served, " or ", claimed, f" {UNIT_WORDS[main.unit]}?")
    return Alert("doubt", title, text, ("See the price", model))


def _unpriced(used: Used, found: Mapping[ModelKey, Sums]) -> list[Alert]:
    """Models whose tokens have no price, the largest first."""
    alerts = []
    for key in sorted(found, key=lambda key: -found[key].unpriced_tokens)[:OF_A_KIND]:
        name, sums = used.names[key], found[key]
        tokens = f"{formatting.mtok(sums.unpriced_tokens)} Mtok"
        noun = "request" if sums.unpriced_requests == 1 else "requests"
        through = f"through {name.seller}" if name.seller else "through no known seller"
        requests = f"{formatting.count(sums.unpriced_requests)} {noun}"
        alerts.append(
            Alert(
                "doubt",
                (f"{name.name} has no known price",),
                (
                    Figure(tokens, records_url(used.span, priced="no", **key.filters)),
                    f" in {requests} {through}. Counted, and in no total at list prices.",
                ),
            )
        )
    return alerts


def _without_project(used: Used, loose: Decimal | None, keys: Sequence[Key]) -> list[Alert]:
    if not loose:
        return []
    named = [key for key in keys if key.cost and key.name]
    if not named:
        text: Words = ("It carries no key that a rule could go by.",)
    elif len([key for key in keys if key.cost]) == 1:
        text = (f"All of it comes from one key, {_tail(named[0].name)}.",)
    else:
        most = used.money(named[0].cost, project=NOBODY, key=named[0].name)
        others = len([key for key in keys if key.cost]) - 1
        noun = "key" if others == 1 else "keys"
        text = ("Most of it, ", most, f", comes from the key {_tail(named[0].name)}; the rest from {others} {noun}.")
    return [Alert("", (used.money(loose, project=NOBODY), " has no project"), text)]


def _tail(key: str) -> str:
    """A key by its end, as its owner knows it."""
    return key if len(key) <= 24 else f"ending {key[-4:]}"
