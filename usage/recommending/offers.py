"""What could be bought, as the rules weigh it: offers of the catalogue under the organisation's contracts and rates.

Contracts hold as they are entered now: nobody recorded when an agreement became known, so what was known at a past
moment leaves them out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from pricing.answers.candidates import Offered, past_cards
from pricing.cost import CardKey, CardPrices
from pricing.models import ExchangeRate
from pricing.ratecards import STANDARD, Card
from pricing.units import RATED_UNITS
from usage import contract_cards
from usage.advice import Side
from usage.bands import BEGINNING, ENDLESS
from usage.contract_terms import OVERRIDE, Sold, Term, contracted, pieces
from usage.models import Organisation
from usage.substitution.offers import Candidate, PricedCard, start_of

Rates = Mapping[str, Decimal]
Terms = Mapping[int, tuple[Sold, Sequence[Term]]]


def candidates(
    organisation: Organisation, offered: Mapping[int, Offered], on: date, known_at: datetime | None = None
) -> dict[int, Candidate]:
    """Offers as candidates, by offering. At most four queries."""
    terms = {} if known_at else terms_of(organisation, offered, on)
    rates = rates_on(organisation.display_currency, _currencies(offered.values(), terms), on)
    at_maker = {one.model_id for one in offered.values() if one.provider == one.maker and one.cards}
    return {
        pk: replace(_candidate(one, rates, terms.get(pk)), is_resold=_is_resold(one, at_maker))
        for pk, one in offered.items()
    }


def _is_resold(one: Offered, at_maker: Collection[int]) -> bool:
    return one.open_weights is not True and one.provider != one.maker and one.model_id in at_maker


def in_the_past(
    organisation: Organisation, offered: Mapping[int, Offered], days: tuple[date, date], known_at: datetime | None
) -> dict[int, Candidate]:
    """The same with the cards of the UTC days [since, until), at the rates of the last. At most five queries.

    `known_since` is the first day of which anything says that it was on sale.
    """
    since, until = days
    cards, firsts = past_cards(list(offered), since, until, known_at)
    past = {
        pk: replace(one, cards=tuple(cards.get(pk, ())), known_since=_earliest(one.known_since, firsts.get(pk)))
        for pk, one in offered.items()
    }
    terms = {} if known_at else terms_of(organisation, offered, since, until)
    rates = rates_on(organisation.display_currency, _currencies(past.values(), terms), until)
    return {pk: _candidate(one, rates, terms.get(pk)) for pk, one in past.items()}


def _earliest(*days: date | None) -> date | None:
    return min((day for day in days if day is not None), default=None)


def terms_of(organisation: Organisation, offerings: Collection[int], on: date, until: date | None = None) -> Terms:
    """The contracts that concern each of some offerings on a day or until another; those without any are left out."""
    found = contract_cards.terms_of(organisation.pk, list(offerings), start_of(on), start_of(until or on))
    return {sold.id: (sold, terms) for sold, terms in found.items()}


def rates_on(display: str, currencies: Collection[str], on: date) -> dict[str, Decimal]:
    """What one unit of each currency is worth in `display` on a day; what nobody says is not in it."""
    wanted = {*currencies, display} - {""}
    found = {display: Decimal(1)}
    if wanted == {display}:
        return found
    usd = ExchangeRate.objects.for_days((currency, on) for currency in wanted)
    own = usd.get((display, on))
    if own is not None:
        found |= {currency: rate.usd / own.usd for (currency, _), rate in usd.items() if currency != display}
    return found


def _currencies(offered: Iterable[Offered], terms: Terms) -> set[str]:
    listed = {card.currency for one in offered for card in one.cards}
    return listed | {term.currency for _, held in terms.values() for term in held if term.kind == OVERRIDE}


def _candidate(one: Offered, rates: Rates, terms: tuple[Sold, Sequence[Term]] | None) -> Candidate:
    by_tier: dict[str, list[PricedCard]] = defaultdict(list)
    laid = one.cards if terms is None else list(_contracted(one.cards, *terms))
    for number, card in enumerate(laid):
        key = CardKey(
            number, card.context_from, card.context_op, card.schedule, card.effective_from, card.effective_until
        )
        by_tier[card.service_tier].append(PricedCard(key, CardPrices(card.currency, dict(card.prices))))
    return Candidate(
        Side(one.offering_id, one.model, one.model_name, one.provider, one.provider_name, one.sku, one.region),
        {tier: tuple(own) for tier, own in by_tier.items()},
        rates,
        maker=one.maker,
        known_since=one.known_since,
        retires_on=one.retires_on,
        context_window=one.context_window,
        max_output=one.max_output,
        modalities=one.modalities,
        capabilities=one.capabilities,
        open_weights=one.open_weights,
        is_preview=one.is_preview,
        quantisation=one.quantisation,
        is_contracted=terms is not None,
    )


def _contracted(cards: Sequence[Card], sold: Sold, terms: Sequence[Term]) -> Iterator[Card]:
    """Each card, cut where a term begins or ends, at the prices agreed; what only an override prices has one, too."""
    tiers = {card.service_tier for card in cards}
    named = {term.service_tier or STANDARD for term in terms if term.kind == OVERRIDE} - tiers
    bare = [Card(tier, 0, "", "", BEGINNING, None, "", (), ()) for tier in sorted(named)]
    for card in (*cards, *bare):
        own = [term for term in terms if term.holds_for(sold, card.service_tier)]
        for starts, ends, holding in pieces(card.effective_from, card.effective_until or ENDLESS, own):
            prices: dict[str, Decimal | None] = dict(card.prices)
            agreed = contracted(prices, card.currency, holding)
            if agreed is not None:
                prices = dict(zip(RATED_UNITS, agreed.prices, strict=True))
            known = tuple((unit, price) for unit, price in prices.items() if price is not None)
            if known or card.currency:
                yield Card(
                    card.service_tier, card.context_from, card.context_op, card.schedule, starts,
                    None if ends == ENDLESS else ends, agreed.currency if agreed else card.currency, known,
                    card.price_ids,
                )  # fmt: skip
