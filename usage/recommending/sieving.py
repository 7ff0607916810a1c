"""Which offers are worth weighing against a use: weighing prices every slice of it, and most sellers cannot win. Pure.

Of each model those that may be bought, the cheapest first, and the cheapest that each need turns away; of a model that
is worse at every effort, or of which nothing is known, the cheapest alone: it is refused whoever sells it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final

from pricing.cost import CardPrices
from pricing.noninferiority import Verdict
from usage.advice import Reason
from usage.substitution.needs import Needs, observed, unmet
from usage.substitution.offers import Candidate, Rated, best_tier, start_of
from usage.substitution.quality import judged
from usage.substitution.setting import Setting
from usage.token_log import Use

SELLERS: Final = 3
"""Sellers of a model that are weighed: the plain prices that choose them leave out long prompts and hours."""
_BATCH_ID: Final = ":batch"
_DEAREST: Final = Decimal("Infinity")


def worth_weighing(
    use: Use, current: Candidate, candidates: Iterable[Candidate], setting: Setting
) -> tuple[list[Candidate], list[Candidate]]:
    """Other sellers of the weights in use, all of them, and the offers of other models that are worth weighing."""
    sellers: list[Candidate] = []
    by_model: dict[str, list[Candidate]] = defaultdict(list)
    for offer in candidates:
        if offer.side.offering_id == current.side.offering_id or _answers_too_late(offer, use):
            continue
        if offer.side.model == current.side.model:
            sellers.append(offer)
        else:
            by_model[offer.side.model].append(offer)
    needs = observed(setting.needs, use)
    kept: list[Candidate] = []
    for model, offers in by_model.items():
        ordered = sorted(offers, key=lambda offer: (_plainly(use, offer, setting), offer.side.key))
        kept += _kept(ordered, needs, setting) if _may_do(model, current, setting) else ordered[:1]
    return sellers, kept


def _answers_too_late(offer: Candidate, use: Use) -> bool:
    """OpenRouter sells its batch tier under ids of its own, which are no place for what is not asked in batch."""
    return offer.side.sku.endswith(_BATCH_ID) and use.service_tier != "batch"


def _may_do(model: str, current: Candidate, setting: Setting) -> bool:
    """Whether a model is not known to be worse, at one effort at least, and anything is known of it."""
    verdicts = {
        judged(current.rated, Rated(model, effort), setting.scores, setting.standards).verdict
        for effort in setting.scores.efforts(model, current.rated)
    }
    return bool(verdicts - {Verdict.WORSE, None})


def _kept(ordered: Sequence[Candidate], needs: Needs, setting: Setting) -> Iterator[Candidate]:
    fitting, told = 0, set[Reason]()
    for offer in ordered:
        reason = _reason(offer, needs, setting)
        if reason is None and fitting < SELLERS:
            fitting += 1
            yield offer
        elif reason is not None and reason not in told:
            told.add(reason)
            yield offer


def _reason(offer: Candidate, needs: Needs, setting: Setting) -> Reason | None:
    moment = start_of(setting.on)
    if offer.is_preview and not setting.wants_previews:
        return Reason.PREVIEW
    if offer.is_free(moment) and not setting.wants_free:
        return Reason.FREE
    if offer.plain(moment) is None:
        return Reason.UNPRICED
    missed = unmet(offer, needs, setting.on)
    return missed[0] if missed else None


def _plainly(use: Use, offer: Candidate, setting: Setting) -> Decimal:
    """About what a use costs there: the prices for short prompts at all hours, unknown ones last."""
    moment = start_of(setting.on)
    same = offer if use.service_tier == offer.side.service_tier else best_tier(offer, use.service_tier, moment)
    card = same.plain(moment)
    rate = None if card is None else offer.rates.get(card.currency)
    if card is None or rate is None:
        return _DEAREST
    parts = [(tokens or 0) * price for tokens, price in _priced(use, card)]
    return sum(parts, Decimal(0)) * rate


def _priced(use: Use, card: CardPrices) -> Iterator[tuple[int | None, Decimal]]:
    sent, read = card.price("input"), card.price("cache_read")
    written = card.price("cache_write")
    plain = sent if sent is not None else Decimal(0)
    yield use.tokens.input, plain
    yield use.tokens.cache_read, plain if read is None else read
    yield use.tokens.cache_write, plain if written is None else written
    yield use.tokens.output, card.price("output") or Decimal(0)
