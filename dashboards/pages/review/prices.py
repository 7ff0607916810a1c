"""Prices in doubt: a ticket each for the queue, the question about one, and what the page finds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from dashboards import formatting
from dashboards.pages.asked import address
from dashboards.pages.model.terms import window_words
from dashboards.pages.review.stakes import DAYS, Stake
from pricing.answers.review import Doubt, Key, Said
from pricing.units import is_token_unit

UNIT_WORDS = {"input": "input", "output": "output", "cache_read": "cached input", "cache_write": "cache write"}
_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve")


@dataclass(frozen=True, slots=True)
class Tally:
    """What waits, for the tiles: of all doubts, of those in the reader's usage, and of names."""

    held: int
    open: int
    touching: int
    at_stake: Decimal
    unknown_stakes: int
    names: int
    name_tokens: int
    has_usage: bool
    known_errors: int = 0
    dearest: str = ""

    @property
    def doubts(self) -> int:
        return self.held + self.open


def finding(tally: Tally) -> str:
    """How many prices are in doubt and whether it is the reader's money; then what has no name."""
    said = [_doubt_words(tally), _name_words(tally.names, tally.name_tokens)]
    return " ".join(part for part in said if part) or "No price is in doubt, and every name is known."


def _doubt_words(tally: Tally) -> str:
    if not tally.doubts:
        return "No price is in doubt." if tally.names else ""
    noun = "price is" if tally.doubts == 1 else "prices are"
    start = f"{count_word(tally.doubts)} {noun} in doubt"
    if not tally.has_usage:
        return f"{start}."
    if not tally.touching:
        return f"{start}. None touches your money."
    if not tally.at_stake:
        verb = "is" if tally.touching == 1 else "are"
        return f"{start}. {count_word(tally.touching)} {verb} in your usage, for an unknown amount."
    amount = formatting.money_in_prose(tally.at_stake)
    if tally.doubts == 1:
        return f"{start}, and it touches your money: {tally.dearest}, up to {amount} in {DAYS} days."
    if tally.touching == 1:
        return f"{start}. One touches your money: {tally.dearest}, up to {amount} in {DAYS} days."
    return f"{start}. {count_word(tally.touching)} touch your money, up to {amount} in {DAYS} days."


def _name_words(names: int, tokens: int) -> str:
    if not names:
        return ""
    noun = "name means" if names == 1 else "names mean"
    return f"{count_word(names)} {noun} nothing here, and {formatting.mtok(tokens)} Mtok wait on a word."


LEAST_MULTIPLE = Decimal("1.1")
"""A smaller difference reads as per cent: 1.0× says nothing."""


def count_word(number: int) -> str:
    return _NUMBERS[number] if number < len(_NUMBERS) else formatting.count(number)


@dataclass(frozen=True, slots=True)
class Ticket:
    """One doubt in the queue."""

    id: int
    title: str
    multiple: str
    amounts: str
    stake: Stake
    is_held: bool
    grade: str
    url: str
    is_open: bool


def ticket(doubt: Doubt, stake: Stake, url: str, *, is_open: bool) -> Ticket:
    return Ticket(
        doubt.id, doubt.model, _multiple(doubt),
        f"{doubt.provider}, {key_words(doubt.key)}: {_either(doubt)}",
        stake, doubt.state == "held", doubt.serving.grade if doubt.serving else "", url, is_open,
    )  # fmt: skip


def _multiple(doubt: Doubt) -> str:
    """How many times as much one says as the other; '' where that has no number."""
    if doubt.served is None or doubt.served.currency != doubt.other.currency:
        return ""
    one, two = doubt.served.amount / doubt.served.per, doubt.other.amount / doubt.other.per
    if not one or not two:
        return "free or not"
    ratio = max(one, two) / min(one, two)
    return formatting.multiple(ratio) if ratio >= LEAST_MULTIPLE else formatting.change(two, one).text


def _either(doubt: Doubt) -> str:
    other = amount(doubt.other, doubt.key)
    return f"{amount(doubt.served, doubt.key)} or {other}" if doubt.served else f"{other}, or none"


def amount(said: Said, key: Key) -> str:
    """An amount as pages show prices: per Mtok where the unit counts tokens, else as it is billed."""
    shown = said.amount * 1_000_000 / said.per if is_token_unit(key.unit) else said.amount
    return formatting.price(shown, said.currency)


def per_words(said: Said, key: Key) -> str:
    if is_token_unit(key.unit):
        return "per Mtok"
    return "each" if said.per == 1 else f"per {formatting.count(said.per)}"


def key_words(key: Key) -> str:
    """`input, batch, over 200,000 tokens`."""
    parts = [
        UNIT_WORDS.get(key.unit, key.unit.replace("_", " ")),
        key.qualifier,
        key.service_tier if key.service_tier != "standard" else "",
        f"{'from' if key.context_op == '>=' else 'over'} {formatting.count(key.context_from)} tokens"
        if key.context_from else "",
        window_words(key.schedule) if key.schedule else "",
    ]  # fmt: skip
    return ", ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class Voice:
    """One source in the table of who says what: `role` is served, doubted or ''."""

    source: str
    amount: str
    role: str
    agrees: bool
    since: str
    first_seen: datetime
    last_seen: datetime
    withdrawn_at: datetime | None
    independence: str
    url: str


@dataclass(frozen=True, slots=True)
class Question:
    """One doubt in full: what serves, what is said instead, by whom, what hangs on it, what a decision does."""

    doubt: Doubt
    title: str
    served: str
    served_url: str
    served_since: str
    other: str
    other_since: str
    per: str
    relative: str
    stake: Stake
    tokens: str
    voices: tuple[Voice, ...]
    accept: str
    reject: str
    model_url: str
    is_waiting: bool
    state_words: str


def question(doubt: Doubt, stake: Stake, claims: Sequence[Said]) -> Question:
    key, served, other = doubt.key, doubt.served, doubt.other
    words = key_words(key)
    said = amount(other, key)
    title = f"{doubt.model}, {words}: {f'{amount(served, key)} or ' if served else ''}{said}?"
    model_url = f"/models/{doubt.model_slug}"
    return Question(
        doubt=doubt, title=title,
        served=amount(served, key) if served else "",
        served_url=f"{model_url}/evidence/{doubt.serving.price_id}" if doubt.serving else model_url,
        served_since=_since(served) if served else "",
        other=said, other_since=_since(other), per=per_words(other, key),
        relative=_relative(served, other), stake=stake,
        tokens=f"{formatting.mtok(stake.tokens)} Mtok of it in {DAYS} days" if stake.tokens else "",
        voices=_voices(doubt, claims),
        accept=f"Take {said}", reject=f"Keep {amount(served, key)}" if served else f"Refuse {said}",
        model_url=address(f"/models/{doubt.model_slug}", {}),
        is_waiting=doubt.state in ("held", "open", "known_error"),
        state_words=_state_words(doubt),
    )  # fmt: skip


def _state_words(doubt: Doubt) -> str:
    opened = formatting.day(doubt.opened_at)
    if doubt.state == "held":
        return f"Held back since {opened}: the last good price serves"
    if doubt.state == "known_error":
        return f"A known error of its source, not heard since {opened}"
    if doubt.state == "resolved":
        return f"Settled{f' {formatting.day(doubt.resolved_at)}' if doubt.resolved_at else ''}"
    return f"Open since {opened}: the better-known price serves"


def _since(said: Said) -> str:
    """From when the source says it holds; else when it was first seen to say so."""
    if said.effective_from:
        return f"from {formatting.day(said.effective_from)}, {said.basis}"
    return f"first seen {formatting.day(said.first_seen_at)}, start not stated"


def _relative(served: Said | None, other: Said) -> str:
    if served is None or served.currency != other.currency:
        return ""
    moved = formatting.change(other.amount / other.per, served.amount / served.per)
    return moved.text


def _voices(doubt: Doubt, claims: Sequence[Said]) -> tuple[Voice, ...]:
    """One line a source and amount: the served, the doubted, then what else is or was said, the newest first."""
    ids = {doubt.served.claim_id if doubt.served else 0: "served", doubt.other.claim_id: "not heard"}
    lines: dict[tuple[str, Decimal, str], Voice] = {}
    order = sorted(claims, key=lambda claim: (claim.claim_id not in ids, claim.withdrawn_at is not None))
    for claim in order:
        at = (claim.slug, claim.amount / claim.per, claim.currency)
        if at in lines:
            continue
        lines[at] = Voice(
            f"{claim.source}, of {claim.lent_by}" if claim.lent_by else claim.source,
            amount(claim, doubt.key), ids.get(claim.claim_id, ""), _same(doubt.served, claim),
            f"{formatting.day(claim.effective_from)}, {claim.basis}" if claim.effective_from else "not stated",
            claim.first_seen_at, claim.last_seen_at, claim.withdrawn_at,
            f"copies {', '.join(claim.copies)}" if claim.copies else "yes",
            claim.url if claim.url.startswith(("https://", "http://")) else "",
        )  # fmt: skip
    return tuple(lines.values())


def _same(served: Said | None, claim: Said) -> bool:
    return served is not None and (served.amount / served.per, served.currency) == (
        claim.amount / claim.per,
        claim.currency,
    )


PRICES_HEAD = (
    "state", "provider", "sku", "region", "unit", "qualifier", "service_tier", "context_from", "schedule", "served",
    "served_source", "said", "said_source", "per", "currency", "said_last_seen", "opened",
    "at_stake_usd_30_days", "why",
)  # fmt: skip


def prices_rows(found: Iterable[tuple[Doubt, Stake]]) -> Iterable[tuple[object, ...]]:
    """The queue for a program; an unknown stake is empty, never 0."""
    for doubt, stake in found:
        key, served, other = doubt.key, doubt.served, doubt.other
        yield (
            doubt.state, doubt.provider_slug, doubt.sku, doubt.region, key.unit, key.qualifier, key.service_tier,
            key.context_from, key.schedule, served.amount * other.per / served.per if served else None,
            served.slug if served else "", other.amount, other.slug, other.per, other.currency,
            other.last_seen_at.date().isoformat(), doubt.opened_at.date().isoformat(),
            stake.usd if stake.in_use else Decimal(0), doubt.why,
        )  # fmt: skip


def last_days(now: datetime) -> tuple[datetime, datetime]:
    """The span stakes are worked out over."""
    return now - timedelta(days=DAYS - 1), now + timedelta(days=1)
