"""The evidence of one price: what it is, why it is held true, its three times, what each source says. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal

from dashboards import formatting
from dashboards.pages.models import GRADES
from pricing.acceptance import AGREES_WITHIN
from pricing.frontier import BATCH, Mix, blend, stated

UNIT_WORDS = {
    "input": "input", "output": "output", "cache_read": "cached input", "cache_write": "cache write",
}  # fmt: skip
STARTS = {
    "announced": "announced by the vendor", "documented": "documented", "observed": "seen to change",
    "inferred": "not stated by any source", "manual": "a person’s decision",
}  # fmt: skip
PRECISIONS = {"instant": "to the instant", "day": "to the day", "gap": "between two observations", "unknown": ""}


@dataclass(frozen=True, slots=True)
class Fact:
    """The price itself, as its row holds it."""

    seller: str
    sku: str
    region: str
    unit: str
    qualifier: str
    service_tier: str
    context_from: int
    context_op: str
    schedule: str
    amount: Decimal
    per: int
    currency: str
    is_tokens: bool
    effective_from: datetime
    effective_until: datetime | None
    known_from: datetime
    known_until: datetime | None
    recorded_at: datetime
    evidence_at: datetime
    seen_at: datetime
    basis: str
    precision: str
    why: str
    grade: str


@dataclass(frozen=True, slots=True)
class Said:
    """What one source claims for the same price in the same time."""

    source: str
    amount: Decimal
    per: int
    last_seen: datetime
    is_withdrawn: bool
    url: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Blend:
    """A blended price and the list prices it was worked out from: [(what, weight, price, its evidence)]."""

    title: str
    parts: tuple[tuple[str, str, str, str], ...]
    weight: str
    figure: str
    url: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What `partials/evidence.html` shows; texts are plain and escaped there. `url` is its own address."""

    title: str
    figure: str
    unit: str
    subject: str
    why: str
    times: tuple[tuple[str, str], ...]
    says: tuple[tuple[str, str, bool, str], ...]
    says_unit: str
    windows: tuple[tuple[str, str, str], ...]
    checks: tuple[str, ...]
    hash: str
    url: str
    blends: tuple[Blend, ...] = ()
    actions: tuple[tuple[str, str], ...] = ()


def compose(
    fact: Fact, claims: Sequence[Said], *, windows: Sequence[tuple[str, Decimal, str]] = (), snapshot: str = "",
    release: str = "", disagreements: Sequence[str] = (), zone: tzinfo, url: str = "",
) -> Shown:  # fmt: skip
    """The evidence of a price. Amounts are per Mtok where the unit counts tokens, else as the seller bills."""
    return Shown(
        title="Evidence for one price",
        figure=formatting.price(_scaled(fact, fact.amount, fact.per), fact.currency),
        unit=_unit(fact),
        subject=_subject(fact),
        why=" ".join([f"Grade {fact.grade}: {GRADES[fact.grade]}.", fact.why, *disagreements]),
        times=_times(fact, zone),
        says=tuple(dict.fromkeys(_said(fact, claim, zone) for claim in _newest(claims))),
        says_unit=_says_unit(fact),
        windows=tuple((name, formatting.price(amount, fact.currency), link) for name, amount, link in windows),
        checks=tuple(dict.fromkeys(claim.url for claim in claims if claim.url.startswith(("https://", "http://")))),
        hash=f"{release}, sha256 {snapshot}" if snapshot and release else f"sha256 {snapshot}" if snapshot else "",
        url=url,
    )


@dataclass(frozen=True, slots=True)
class Blended:
    """An offering and what its blended price stands on: the price of each unit and the address of its evidence."""

    model: str
    seller: str
    sku: str
    region: str
    prices: Mapping[str, tuple[Decimal, str]]
    url: str

    def price(self, mix: Mix) -> Decimal | None:
        return blend({unit: amount for unit, (amount, _) in self.prices.items()}, mix)


def compose_blend(own: Blended, against: Blended | None, mix: Mix, *, subject: Sequence[str], url: str) -> Shown | None:
    """How a blended price was worked out, beside the one it is compared with; None where a price is unknown."""
    price, other = own.price(mix), against.price(mix) if against else None
    if price is None:
        return None
    times = f"It is {formatting.multiple(price / other)} what {against.model} costs." if against and other else ""
    blends = [_blend(one, mix) for one in (own, against) if one and one.price(mix) is not None]
    return Shown(
        title="How a blended price is worked out",
        figure=formatting.derived_price(price), unit="per Mtok",
        subject=", ".join(part for part in (own.seller, own.sku, own.region, *subject) if part),
        why=f"Each list price counts as often as the mix has tokens of its kind. {times}".strip(),
        times=(), says=(), says_unit="", windows=(), checks=(), hash="", url=url, blends=tuple(blends),
    )  # fmt: skip


def _blend(one: Blended, mix: Mix) -> Blend:
    amounts = {unit: amount for unit, (amount, _) in one.prices.items()}
    parts = []
    for unit, weight in mix.weights():
        priced_by = stated(amounts, unit)[0]
        amount, url = one.prices[priced_by]
        parts.append((_weighed(unit, priced_by), _tokens(weight), formatting.price(amount), url))
    whole = Decimal(sum(weight for _, weight in mix.weights()))
    figure = formatting.derived_price(one.price(mix) or Decimal(0))
    return Blend(f"{one.model} at {one.seller}", tuple(parts), _tokens(whole), figure, one.url)


def _weighed(unit: str, priced_by: str) -> str:
    """`Cache write in batch, at the price of input`."""
    tier = " in batch" if unit.startswith(BATCH) else ""
    said = f"{UNIT_WORDS[unit.removeprefix(BATCH)].capitalize()}{tier}"
    other = priced_by.removeprefix(BATCH)
    if priced_by == unit:
        return said
    return f"{said}, at the price of {UNIT_WORDS.get(other, other.replace('_', ' '))}"


def _tokens(weight: Decimal) -> str:
    """A weight as the mix writes it; of counted tokens in millions."""
    return f"{formatting.mtok(weight)} Mtok" if weight >= 100_000 else f"{weight.normalize():f}"


def _newest(claims: Sequence[Said]) -> list[Said]:
    """Each source's amounts once, as it last said them: a history repeats itself where only a note changed."""
    newest: dict[tuple[str, Decimal], Said] = {}
    for claim in claims:
        amount = claim.amount / claim.per
        kept = newest.get((claim.source, amount))
        if kept is None or (kept.is_withdrawn, -kept.last_seen.timestamp()) > (
            claim.is_withdrawn, -claim.last_seen.timestamp(),
        ):  # fmt: skip
            newest[claim.source, amount] = claim
    return list(newest.values())


def _scaled(fact: Fact, amount: Decimal, per: int) -> Decimal:
    return amount * 1_000_000 / per if fact.is_tokens else amount


def _unit(fact: Fact) -> str:
    if fact.is_tokens:
        return "per Mtok"
    return "each" if fact.per == 1 else f"per {formatting.count(fact.per)}"


def _says_unit(fact: Fact) -> str:
    return f"{fact.currency} per Mtok" if fact.is_tokens else f"{fact.currency} {_unit(fact)}"


def _subject(fact: Fact) -> str:
    parts = [
        fact.seller, fact.sku, fact.region, UNIT_WORDS.get(fact.unit, fact.unit.replace("_", " ")), fact.qualifier,
        f"{fact.service_tier} tier",
        f"prompts {'from' if fact.context_op == '>=' else 'over'} {formatting.count(fact.context_from)} tokens"
        if fact.context_from else "",
        fact.schedule,
    ]  # fmt: skip
    return ", ".join(part for part in parts if part)


def _times(fact: Fact, zone: tzinfo) -> tuple[tuple[str, str], ...]:
    """Held, known, recorded: three times that never stand for each other."""
    until = f"until {formatting.moment(fact.effective_until, zone)}" if fact.effective_until else "open"
    if fact.precision == "unknown":
        held = f"since before {formatting.day(fact.evidence_at, zone)}, {until}"
    else:
        held = f"from {formatting.moment(fact.effective_from, zone)}, {until}"
    how = STARTS.get(fact.basis, fact.basis)
    precision = PRECISIONS.get(fact.precision, "")
    known = formatting.moment(fact.known_from, zone)
    if fact.known_until:
        known += f" until better evidence on {formatting.moment(fact.known_until, zone)}"
    return (
        ("Held in the world", held),
        ("Start known by", f"{how}, {precision}" if precision else how),
        ("Known from", known),
        ("Last seen", formatting.moment(fact.seen_at, zone)),
        ("Recorded here", formatting.moment(fact.recorded_at, zone)),
    )


def _said(fact: Fact, claim: Said, zone: tzinfo) -> tuple[str, str, bool, str]:
    mine, theirs = _scaled(fact, fact.amount, fact.per), _scaled(fact, claim.amount, claim.per)
    differs = abs(mine - theirs) > AGREES_WITHIN * max(mine, theirs)
    name = f"{claim.source} (no longer)" if claim.is_withdrawn else claim.source
    shown = formatting.rounded(theirs, formatting.price_decimals(theirs))
    return (name, f"{shown:,}", differs, formatting.day(claim.last_seen, zone))
