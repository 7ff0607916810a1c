"""Which sellers of a model are weighed: a model has dozens, which differ in little but the price. Pure.

By the plain prices of short prompts, before any factor. Of a model that is good enough the cheapest few that the work
can use are weighed, and of those it cannot use the cheapest for each reason, so that the reason is told; of another
model the first alone, which tells what it would save.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from pricing.cost import Tokens
from usage.advice import Reason
from usage.substitution.needs import Needs, unmet
from usage.substitution.offers import WAITING, Candidate, Rated, best_tier, start_of
from usage.substitution.quality import Scores
from usage.substitution.setting import Baseline, Setting

SELLERS: Final = 4
NEW_VENDOR: Final = Decimal("1.02")
"""How many times the price of a known seller a new one counts as: a contract and a review are worth some per cent."""
BY_AGREEMENT: Final = ("azure", "bedrock", "vertex")
"""Providers that sell makers' models by agreement with them, under terms that both publish."""
_DEAREST: Final = Decimal("Infinity")


@dataclass(frozen=True, slots=True)
class Ranked:
    """An offer with what it costs at plain prices and what speaks against it before anything is weighed."""

    offer: Candidate
    cost: Decimal
    reason: Reason | None


def by_model(offers: Iterable[Candidate], base: Baseline, setting: Setting, needs: Needs) -> dict[Rated, list[Ranked]]:
    """Offers of other models at the tier they would be bought at, the cheapest first."""
    moment, tokens = start_of(setting.on), base.sliced.by()[0].tokens
    found: dict[Rated, list[Ranked]] = defaultdict(list)
    for one in offers:
        if one.side.model == base.offer.side.model or (one.is_batch_id and base.offer.side.service_tier not in WAITING):
            continue
        offer = best_tier(one, base.offer.side.service_tier, moment)
        against = resold(offer, setting) or refusal(offer, setting, needs)
        found[offer.rated].append(Ranked(offer, plain_cost(offer, tokens, moment), against[0] if against else None))
    return {rated: _in_order(ranked, setting.providers) for rated, ranked in found.items()}


def _in_order(ranked: Iterable[Ranked], providers: Collection[str]) -> list[Ranked]:
    """The cheapest first, a seller that is bought from already before others that are hardly cheaper; those without a
    price only where nobody states one."""

    def order(one: Ranked) -> tuple[Decimal, str]:
        return (one.cost if one.offer.side.provider in providers else one.cost * NEW_VENDOR, one.offer.side.key)

    every = sorted(ranked, key=order)
    return [one for one in every if one.cost != _DEAREST] or every


def first(ranked: Sequence[Ranked], *, is_good: bool) -> list[Candidate]:
    """Those of a model's offers that are weighed."""
    fitting = [one.offer for one in ranked if one.reason is None]
    if not is_good:
        return fitting[:1] or [ranked[0].offer]
    told: dict[Reason, Candidate] = {}
    for one in ranked:
        if one.reason is not None:
            told.setdefault(one.reason, one.offer)
    return [*fitting[:SELLERS], *told.values()]


def refusal(
    offer: Candidate, setting: Setting, needs: Needs, input_factor: Decimal = Decimal(1)
) -> tuple[Reason, str] | None:
    """What speaks against an offer before its price and quality are looked at: what it is, and what the work needs."""
    if offer.is_preview and not setting.wants_previews:
        return Reason.PREVIEW, "It is a preview: it may be changed, limited or ended at any time."
    if offer.is_free(start_of(setting.on)) and not setting.wants_free:
        return Reason.FREE, "It is free: such offers are limited, may train on what is sent, and end unannounced."
    return unmet(offer, needs, setting.on, input_factor)


def resold(offer: Candidate, setting: Setting) -> tuple[Reason, str] | None:
    """That a seller is a stranger between the work and the maker; None where it is no reseller, known or named."""
    if not offer.is_resold or offer.side.provider in {*setting.needs.allowed, *setting.providers, *BY_AGREEMENT}:
        return None
    said = "resells what the maker sells: name it among the project's providers to allow it."
    return Reason.PROVIDER, f"{offer.side.provider_name} {said}"


def plain_cost(offer: Candidate, tokens: Tokens, moment: datetime) -> Decimal:
    """What tokens cost at the plain prices, to rank sellers by; what has no price comes last."""
    card = offer.plain(moment)
    if card is None or (rate := offer.rates.get(card.currency)) is None:
        return _DEAREST
    sent, written = card.price("input"), card.price("output")
    if sent is None or written is None:
        return _DEAREST
    read, cached = card.price("cache_read"), card.price("cache_write_5m")
    cost = (tokens.input or 0) * sent + (tokens.output or 0) * written
    cost += (tokens.cache_read or 0) * (sent if read is None else read)
    return (cost + (tokens.cache_write or 0) * (sent if cached is None else cached)) * rate


def other_efforts(scores: Scores, current: Rated) -> list[str]:
    """The other efforts of the model in use that something sets beside its own: each is another candidate."""
    rated = {one.effort for one in scores.arena if one.model == current.model} if current in scores.arena else set()
    own = {then.effort for now, then in scores.own if now == current and then.model == current.model}
    return sorted((rated | own) - {current.effort})
