"""One line a change: the units of an offering that moved together, what they cost this reader, their evidence. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from dashboards import formatting
from dashboards.pages.events import PLAIN, EventRow, Terms
from dashboards.pages.ledger import UNIT_WORDS, UNITS, Figure, Sums, records_url
from dashboards.pages.periods import Span
from pricing.units import is_token_unit

ZERO = Decimal(0)
SHOWN_UNITS = 5
COLUMNS = {"input": "In", "output": "Out", "cache_read": "Cached"}
"""The units with a column of their own, and its head."""
_ORDER = {unit: place for place, unit in enumerate(("input", "output", "cache_read", "cache_write"))}
_TIERS = {"standard": 0, "batch": 1, "flex": 2, "priority": 3, "fast": 4}


@dataclass(frozen=True, slots=True)
class Step:
    """One change before its prices are read: whose it is, when, and by how much it is dearer or cheaper."""

    offering_id: int
    model_id: int
    model: str
    slug: str
    maker: str
    provider: str
    seller: str
    at: datetime
    other_time: datetime
    lines: int
    before: Decimal | None
    after: Decimal | None
    twins: int | None = None
    """How many more ids of the model made the same step at this seller; None where no other did."""

    @property
    def difference(self) -> Decimal:
        return ZERO if self.before is None or self.after is None else self.after - self.before

    @property
    def is_rise(self) -> bool:
        return self.difference > 0

    @property
    def relative(self) -> Decimal:
        """How far it moved, as a share of the price before; a step from free is endless."""
        if self.before is None or self.after is None or self.before == self.after:
            return ZERO
        return abs(self.after - self.before) / self.before if self.before else Decimal("Infinity")

    @property
    def url(self) -> str:
        return f"/models/{self.slug}"


def step_of(row: Mapping[str, Any], time: str) -> Step:
    """A row of `PriceEventQuerySet.steps`; where the plain prices cancel out or do not move, all that moved counts."""
    before, after = row["before"], row["after"]
    if before is None or after is None or before == after:
        before, after = row["others_before"], row["others_after"]
    return Step(
        row["offering_id"], row["offering__model_id"], row["offering__model__name"], row["offering__model__slug"],
        row["offering__model__maker"], row["offering__provider__slug"], row["offering__provider__name"], row[time],
        row["other_time"], row["lines"], before, after,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used on the days of `span`: tokens by offering and service tier, and of which models."""

    tokens: Mapping[tuple[int, str], Sums]
    models: frozenset[int]
    sellers: Mapping[int, str]
    """Where each of these models is bought: model → names of sellers."""
    span: Span

    def buys(self, offering_id: int) -> bool:
        return any(offering == offering_id for offering, _ in self.tokens)

    def weekly_effect(self, events: Sequence[EventRow]) -> Decimal | None:
        """What a week like these days costs more by the new prices than by the old; None where it cannot be told.

        Prices of long prompts, of hours and of qualifiers are left out: no rollup tells which tokens they met.
        """
        found: list[Decimal] = []
        for event in events:
            used = self.tokens.get((event.offering_id, event.service_tier))
            if event.unit not in UNITS or event.terms[1:] != PLAIN[1:] or event.old is None or event.new is None:
                continue
            tokens = getattr(used, UNITS[event.unit]) if used else 0
            found.append((event.new - event.old) / event.per * tokens)
        return sum(found, ZERO) * 7 / self.span.days if found else None


@dataclass(frozen=True, slots=True)
class Moved:
    """One unit of a line: from what to what, with its evidence; None is no price."""

    unit: str
    old: Decimal | None
    new: Decimal | None
    figure: Figure
    word: str


@dataclass(frozen=True, slots=True)
class Line:
    """One change as the table shows it."""

    step: Step
    seller: str
    sku: str
    moved: tuple[Moved, ...]
    terms: str
    besides: str
    since: datetime | None
    first_seen: datetime
    source: str
    source_name: str
    why: str
    currency: str
    effect: Decimal | None
    bought: bool
    elsewhere: str
    """Where the reader buys the model, if not here."""
    is_rise: bool
    used: Span | None = None
    corrects_unit: bool = False

    @property
    def ids(self) -> str:
        """The id where the model has several here that moved alike; '' where the names say it all."""
        twins = self.step.twins
        if twins is None:
            return ""
        return self.sku if not twins else f"{self.sku} and {twins} more {'id' if twins == 1 else 'ids'}"

    @property
    def used_url(self) -> str:
        """The ledger rows whose tokens weigh the effect."""
        return records_url(self.used, offering=self.step.offering_id) if self.used else ""

    @property
    def weekly(self) -> tuple[str, str]:
        """Direction and words of what it does to the reader's week."""
        assert self.effect is not None  # noqa: S101 — the template asks first
        direction = "up" if self.effect > 0 else "down" if self.effect < 0 else "flat"
        return direction, formatting.signed_money(self.effect, self.currency)

    @property
    def cells(self) -> tuple[Moved | None, ...]:
        """What the columns of `COLUMNS` show; None where the unit did not move."""
        by_unit = {one.unit: one for one in self.moved}
        return tuple(by_unit.get(unit) for unit in COLUMNS)

    @property
    def others(self) -> tuple[Moved, ...]:
        """Units without a column of their own."""
        return tuple(one for one in self.moved if one.unit not in COLUMNS)


def line_of(
    step: Step, events: Sequence[EventRow], evidence: Mapping[int, str], usage: Usage | None, *, seller: str = ""
) -> Line:
    """The line of a step from its events; `evidence` has the address of each event's price, where there is one."""
    terms = min((event.terms for event in events), key=_place_of)
    latest = {}
    for event in sorted(events, key=lambda one: (one.effective_from, one.pk)):
        if event.terms == terms:
            latest[event.unit] = event
    chosen = sorted(latest.values(), key=lambda one: (_ORDER.get(one.unit, len(_ORDER)), one.unit))[:SHOWN_UNITS]
    first = chosen[0]
    effect = usage.weekly_effect(events) if usage and usage.buys(step.offering_id) else None
    bought = usage is not None and usage.buys(step.offering_id)
    elsewhere = usage.sellers.get(step.model_id, "") if usage and not bought else ""
    return Line(
        step=step, seller=seller or step.seller, sku=f"{first.sku}, {first.region}" if first.region else first.sku,
        moved=tuple(_moved(event, evidence.get(event.pk, "")) for event in chosen),
        terms=terms_words(terms), besides=_besides(events, chosen, terms),
        since=first.since, first_seen=min(event.observed_at for event in events),
        source=first.source, source_name=first.source_name, why=first.why, currency=first.currency, effect=effect,
        bought=bought, elsewhere=elsewhere, is_rise=effect > 0 if effect else step.is_rise,
        used=usage.span if usage else None, corrects_unit=any(event.kind == "unit_fix" for event in events),
    )  # fmt: skip


def _place_of(terms: Terms) -> tuple[object, ...]:
    tier, qualifier, context, schedule = terms
    return (terms != PLAIN, bool(schedule), context, bool(qualifier), _TIERS.get(tier, len(_TIERS)), terms)


def _moved(event: EventRow, url: str) -> Moved:
    old, new = (_as_shown(event, amount) for amount in (event.old, event.new))
    said = [formatting.price(amount, event.currency) for amount in (old, new) if amount is not None]
    return Moved(event.unit, old, new, Figure(" → ".join(said), url), unit_words(event.unit, event.per))


def _as_shown(event: EventRow, amount: Decimal | None) -> Decimal | None:
    if amount is None or not is_token_unit(event.unit):
        return amount
    return amount * 1_000_000 / event.per


def unit_words(unit: str, per: int) -> str:
    """`in`, `cached`, `cache write 1h`, `per 1,000 web search`; what counts tokens is per Mtok."""
    word = UNIT_WORDS.get(unit, unit.replace("_", " "))
    if is_token_unit(unit):
        return word
    return f"per {word}" if per == 1 else f"per {formatting.count(per)} {word}"


def terms_words(terms: Terms) -> str:
    """The terms of a price in words; '' for the plain list price."""
    tier, qualifier, context, schedule = terms
    parts = [
        "" if tier == "standard" else tier,
        qualifier,
        f"prompts from {formatting.count(context)} tokens" if context else "",
        schedule,
    ]
    return ", ".join(part for part in parts if part)


def _besides(events: Sequence[EventRow], shown: Sequence[EventRow], terms: Terms) -> str:
    """What moved with it and is not shown: `and 9 more: batch, flex, long prompts`."""
    rest = [event for event in events if event not in shown]
    if not rest:
        return ""
    kinds: dict[str, None] = {}
    for event in sorted(rest, key=lambda one: _place_of(one.terms)):
        if event.terms == terms:
            kinds[UNIT_WORDS.get(event.unit, event.unit.replace("_", " "))] = None
            continue
        if event.service_tier != terms[0]:
            kinds[event.service_tier] = None
        if event.context_from:
            kinds["long prompts"] = None
        if event.schedule:
            kinds["some hours"] = None
        if event.qualifier:
            kinds["variants"] = None
    said = list(kinds)
    named = ", ".join(said[:3]) + (" and more" if len(said) > 3 else "")
    return f"and {formatting.count(len(rest))} more: {named}" if said else f"and {formatting.count(len(rest))} more"
