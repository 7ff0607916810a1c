"""How a decision is put into words: the move, its saving, its verdict, since when it waits. Pure."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Final

from dashboards import formatting
from dashboards.models import Proposal
from pricing.noninferiority import Verdict
from usage.advice import MONTH, Evidence, Kind, Range, Reason, Recommendation, Side

BADGES: Final = {
    Verdict.BETTER: ("good", "better"),
    Verdict.EQUAL: ("good", "equal"),
    Verdict.WORSE: ("worse", "worse"),
    Verdict.NOT_ENOUGH: ("thin", "not enough evidence"),
}
KINDS: Final = {
    Kind.SELLER: "the same model at another seller",
    Kind.BATCH: "the same model in batches",
    Kind.FLEX: "the same model at the flex tier",
    Kind.OFF_PEAK: "the same model in its cheap hours",
    Kind.CACHE_LIFETIME: "the same model with a longer cache",
    Kind.CACHED_PREFIX: "the same model with its prefix cached",
    Kind.COMMITMENT: "the same model on a contract you hold",
    Kind.SUBSTITUTION: "another model",
}
_SENTENCE: Final = re.compile(r"(?<=\.)\s+(?=[A-Z])")
FEW: Final = Decimal(10)
"""Money below which cents are told."""
REASONS: Final = {
    Reason.WORSE: "worse", Reason.NOT_ENOUGH: "not enough evidence", Reason.NO_EVIDENCE: "no evidence",
    Reason.NOT_CHEAPER: "not surely cheaper", Reason.UNPRICED: "a price is unknown", Reason.FREE: "a free offer",
    Reason.PREVIEW: "a preview", Reason.RETIRES: "retires", Reason.CONTEXT: "context too small",
    Reason.MODALITY: "a modality is missing", Reason.TOOLS: "no tools", Reason.CACHING: "caches otherwise",
    Reason.REGION: "region not allowed", Reason.PROVIDER: "provider not allowed",
    Reason.CLOSED_WEIGHTS: "closed weights", Reason.FLOOR: "below the floor", Reason.UNKNOWN: "a trait is unknown",
}  # fmt: skip
UNITS: Final = {
    "input": "Input, uncached", "cache_read": "Input, cached", "cache_write": "Cache writes", "output": "Output",
    "reasoning": "Reasoning", "cache_write_5m": "Cache writes, 5 minutes",
    "cache_write_30m": "Cache writes, 30 minutes", "cache_write_1h": "Cache writes, 1 hour",
    "cache_write_12h": "Cache writes, 12 hours",
}  # fmt: skip


HOURS: Final = {True: Decimal(4), False: Decimal(16)}
"""An engineer's hours that a move is taken to cost once unless told otherwise: with the same weights, or others."""
RATE: Final = Decimal(95)
"""What such an hour is taken to cost, in the organisation's currency."""


def name(side: Side, other: Side | None = None) -> str:
    """A side by its model, with what of effort and seller tells it from the other one."""
    said = side.model_name
    if other is not None and side.model == other.model and side.effort != other.effort:
        said += f" ({side.effort or 'no effort stated'})"
    if other is not None and side.model == other.model and side.provider != other.provider:
        said += f" at {side.provider_name}"
    if other is not None and side.offering_id == other.offering_id and side.service_tier != other.service_tier:
        said += f", {side.service_tier}"
    return said


def _seller(side: Side, other: Side) -> str:
    """Who sells it, and where, if both sides are one seller's."""
    if side.provider != other.provider:
        return side.provider_name
    return f"{side.provider_name} ({side.region or side.sku})"


def title(move: Recommendation) -> str:
    """A move in a few words: `GPT-5.6 Sol to Gemini 3.8 Flash`, `GPT-5.6 Sol in batches`."""
    old, new = move.current, move.candidate
    match move.kind:
        case Kind.SUBSTITUTION:
            return f"{name(old, new)} to {name(new, old)}"
        case Kind.SELLER:
            return f"{old.model_name}: {_seller(old, new)} to {_seller(new, old)}"
        case Kind.BATCH:
            return f"{old.model_name} in batches"
        case Kind.FLEX:
            return f"{old.model_name} at the flex tier"
        case Kind.OFF_PEAK:
            return f"{old.model_name} in its cheap hours"
        case Kind.CACHE_LIFETIME:
            return f"{old.model_name} with a longer cache"
        case Kind.CACHED_PREFIX:
            return f"{old.model_name} with its prefix cached"
    return f"{old.model_name} on your contract at {new.provider_name}"


def order(move: Recommendation, project: str) -> str:
    """What is to be done, as the beginning of a sentence."""
    old, new = move.current, move.candidate
    match move.kind:
        case Kind.SELLER:
            return f"Buy {old.model_name} for {project} from {_seller(new, old)}, not {_seller(old, new)}"
        case Kind.SUBSTITUTION:
            return f"Move {project} from {name(old, new)} to {name(new, old)}"
        case Kind.BATCH:
            return f"Send what of {project} can wait to {old.model_name} in batches"
        case Kind.FLEX:
            return f"Send what of {project} can wait to {old.model_name} at the flex tier"
        case Kind.OFF_PEAK:
            return f"Run what of {project} can wait in the cheap hours of {old.model_name}"
        case Kind.CACHE_LIFETIME:
            return f"Keep the cache of {project} on {old.model_name} for longer"
        case Kind.CACHED_PREFIX:
            return f"Cache the prompts that {project} repeats to {old.model_name}"
    return f"Use the contract you hold for {project} on {old.model_name}"


def quality(move: Recommendation) -> str:
    """The end of the sentence: on what its being as good rests."""
    if move.kind.same_weights:
        return "with the same weights"
    how = "better" if move.verdict is Verdict.BETTER else "equal"
    own = next((one for one in move.evidence if one.decides and is_own(one)), None)
    if own is not None:
        return f"at {how} quality on your own {own.name}"
    public = next((one for one in move.evidence if one.decides), None)
    return f"at {how} quality by {public.name}" if public else f"at {how} quality"


def is_own(evidence: Evidence) -> bool:
    """Whether it is the organisation's own evaluation."""
    return evidence.source == "own"


def saving(of: Range, currency: str, per: str = "") -> str:
    """`$7.4k–11.1k`; from nothing on it is a bound: `up to $11.1k`. Ends far apart have a unit each."""
    ending = f"/{per}" if per else ""
    if of.low == 0 < of.high:
        return f"up to {_short(of.high, currency)}{ending}"
    if abs(of.high) < FEW or 0 < 20 * of.low < of.high:
        first, last = _short(of.low, currency), _short(of.high, currency)
        return f"{first}{ending}" if first == last else f"{first} to {last}{ending}"
    return formatting.money_range(of.low, of.high, per, currency)


def _short(amount: Decimal, currency: str) -> str:
    return formatting.money(amount, currency) if abs(amount) < FEW else formatting.short_money(amount, currency)


def weekly(of: Range) -> Range:
    """A month's saving as a week's."""
    return Range(of.low * 7 / MONTH, of.high * 7 / MONTH)


def days_to_pay_back(once: Decimal, of: Range) -> tuple[Decimal | None, Decimal | None]:
    """The least and the most days until a one-off cost is saved; None: it is not known to be, at that end."""
    least, most = (once / amount * MONTH if amount > 0 else None for amount in (of.high, of.low))
    return least, most


def once(move: Recommendation) -> Decimal:
    """What a move is taken to cost once where nobody says."""
    return HOURS[move.kind.same_weights] * RATE


def pays_back(once: Decimal, of: Range) -> str:
    """`6–9 days`, `2–3 months`, `at least 3 days`; '' where it never does."""
    least, most = days_to_pay_back(once, of)
    if least is None:
        return ""
    if not once:
        return "at once"
    if most is None:
        return f"{_days(least)} at least"
    return _span(least, most)


def _span(least: Decimal, most: Decimal) -> str:
    first, last = _days(least), _days(most)
    if first == last:
        return first
    number, _, unit = first.partition(" ")
    return f"{number}–{last}" if unit.rstrip("s") == last.partition(" ")[2].rstrip("s") else f"{first} to {last}"


def _days(days: Decimal) -> str:
    number, unit = max(1, round(days)), "day"
    if days > 90:
        number, unit = round(days / MONTH), "month"
    return f"{number} {unit}{'' if number == 1 else 's'}"


def verdict(move: Recommendation) -> tuple[str, str]:
    """The badge of a move: its kind and words."""
    if move.kind.same_weights:
        return "good", "same weights"
    kind, said = BADGES[move.verdict]
    own = next((one for one in move.evidence if one.decides and is_own(one)), None)
    if own is not None and own.n:
        return kind, f"{said} on your {formatting.count(own.n)} items"
    public = next((one for one in move.evidence if one.decides), None)
    return kind, f"{said} by {public.name}" if public else said


def first_sentence(text: str) -> str:
    """What a reason begins with, where there is little room."""
    return _SENTENCE.split(text, maxsplit=1)[0]


def signed(value: float, unit: str, decimals: int = 1) -> str:
    """A difference in the points that are shown: shares of 1 as points of 100."""
    found = formatting.rounded(Decimal(repr(value)) * (100 if unit == "share" else 1), decimals)
    sign = "+" if found > 0 else formatting.MINUS if found < 0 else ""
    return f"{sign}{abs(found):f}"


def since_words(when: date | None, today: date) -> str:
    """How long ago a day is: `8 months`, `3 weeks`, `5 days`; '' where it never was."""
    if when is None:
        return ""
    days = (today - when).days
    if days >= 60:
        number, unit = int(days / MONTH), "month"
    elif days >= 14:
        number, unit = days // 7, "week"
    else:
        number, unit = max(0, days), "day"
    return f"{number} {unit}{'' if number == 1 else 's'}"


def finding(one: Proposal, move: Recommendation, today: date) -> str:
    """The finding of one decision, by its state."""
    project, of = one.project.name, Range(one.saving_low, one.saving_high)
    told = saving(of, one.currency)
    match one.state:
        case "accepted":
            late = f", {since_words(one.due, today)} late" if one.is_overdue(today) else ""
            due = f" by {formatting.day(one.due)}{late}" if one.due else ""
            return f"Accepted{due}: {_lower(order(move, project))} for {told} a month, {quality(move)}."
        case "rejected":
            return f"Rejected: {_lower(order(move, project))} for {told} a month."
        case "lapsed":
            return f"No longer recommended: {_lower(order(move, project))}."
        case "done" | "realised":
            return _moved(one, move, told)
    return f"{order(move, project)}: {told} a month, {quality(move)}."


def _moved(one: Proposal, move: Recommendation, told: str) -> str:
    what = f"{one.project.name} moved: {title(move)}"
    if one.moved_on is None:
        return f"{what}. The traffic does not show it yet; {told} a month are promised."
    if one.realised_low is None or one.realised_high is None:
        return (
            f"{what}, on {formatting.day(one.moved_on)}. {told} a month are promised; what it saves is not known yet."
        )
    saved = Range(one.realised_low, one.realised_high)
    amount = saving(saved, one.currency)
    if saved.high < 0:
        lost = saving(Range(-saved.high, -saved.low), one.currency)
        return (
            f"{what}, on {formatting.day(one.moved_on)}. It costs {lost} a month more, where {told} less were promised."
        )
    return f"{what}, on {formatting.day(one.moved_on)}. It saves {amount} a month, of {told} promised."


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]
