"""The evidence of one price: what it is, why it is held true, its three times, what each source says. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal

from dashboards import formatting
from dashboards.pages.models import GRADES
from pricing.acceptance import AGREES_WITHIN

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
    observed_at: datetime
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
class Shown:
    """What `partials/evidence.html` shows; texts are plain and escaped there."""

    title: str
    figure: str
    unit: str
    subject: str
    why: str
    times: tuple[tuple[str, str], ...]
    says: tuple[tuple[str, str, bool, str], ...]
    says_unit: str
    windows: tuple[tuple[str, str], ...]
    checks: tuple[str, ...]
    hash: str
    actions: tuple[tuple[str, str], ...] = ()


def compose(
    fact: Fact, claims: Sequence[Said], *, windows: Sequence[tuple[str, Decimal]] = (), snapshot: str = "",
    release: str = "", disagreements: Sequence[str] = (), zone: tzinfo,
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
        windows=tuple((name, formatting.price(amount, fact.currency)) for name, amount in windows),
        checks=tuple(dict.fromkeys(claim.url for claim in claims if claim.url.startswith(("https://", "http://")))),
        hash=f"{release}, sha256 {snapshot}" if snapshot and release else f"sha256 {snapshot}" if snapshot else "",
    )


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
        ("Last seen", formatting.moment(fact.observed_at, zone)),
        ("Recorded here", formatting.moment(fact.recorded_at, zone)),
    )


def _said(fact: Fact, claim: Said, zone: tzinfo) -> tuple[str, str, bool, str]:
    mine, theirs = _scaled(fact, fact.amount, fact.per), _scaled(fact, claim.amount, claim.per)
    differs = abs(mine - theirs) > AGREES_WITHIN * max(mine, theirs)
    name = f"{claim.source} (no longer)" if claim.is_withdrawn else claim.source
    shown = formatting.rounded(theirs, formatting.price_decimals(theirs))
    return (name, f"{shown:,}", differs, formatting.day(claim.last_seen, zone))
