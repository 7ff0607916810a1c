"""From offerings and their prices, past, present and to come, to the page of one model."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from dashboards.pages.model import history, terms, words
from dashboards.pages.model.facts import (
    COLUMNS,
    UNITS,
    WRITES,
    Ask,
    Facts,
    Held,
    ModelPage,
    Offered,
    Seller,
    blend_evidence_url,
    evidence_url,
)
from dashboards.pages.model.words import finding
from pricing.frontier import CHAT_MIX, blend


def compose(
    ask: Ask, facts: Facts, sellers: Sequence[Seller], prices: Sequence[Held], *, at: datetime, now: datetime,
    known_at: datetime | None = None, holidays_through: date | None = None,
) -> ModelPage:  # fmt: skip
    """The page of a model from all its offerings and all their prices, past, present and to come."""
    known = [price for price in prices if price.known_at(known_at)]
    held = [price for price in known if price.held_at(at)]
    plain: dict[int, dict[str, Held]] = defaultdict(dict)
    for price in held:
        if price.is_plain and price.usd_per_mtok is not None:
            plain[price.offering_id][price.unit] = price
    for own_prices in plain.values():
        written = next((own_prices[unit] for unit in WRITES if unit in own_prices), None)
        if written:
            own_prices["cache_write"] = written
    columns = _columns(plain)
    main = _main(facts, sellers, plain, at)
    rows = _offered(ask, sellers, plain, held, columns, main)
    offered = tuple(row for row in rows if row.seller.sells_at(at))
    gone = tuple(row for row in rows if not row.seller.sells_at(at))
    foreign = _foreign([seller for seller in sellers if seller.sells_at(at)], held, plain)
    own = [price for price in held if main and price.offering_id == main.offering_id]
    past = history.history(ask, sellers, known, main, [*gone, *offered], at, now)
    hours = terms.hours(ask, own, columns)
    upcoming = history.upcoming(ask, known, main, at) if main and main.sells_at(at) else ()
    return ModelPage(
        ask=ask, facts=facts,
        finding=finding(facts, main, offered, upcoming, len(foreign), gone, _left(sellers, at)),
        scope=words.scope(ask, facts, at, known_at),
        main=main, columns=columns, offered=offered,
        unpriced=tuple(
            seller
            for seller in sellers
            if seller.sells_at(at) and not plain.get(seller.offering_id) and seller not in foreign
        ),
        foreign=tuple(words.foreign(ask, seller, own) for seller, own in foreign.items()),
        gone=tuple(words.gone(row) for row in gone),
        table_title=words.table_title(offered, gone),
        history=past, history_title=history.title(past, main, upcoming),
        hours=hours, hours_said=terms.hours_said(own, holidays_through),
        tiers=terms.tiers(ask, own, columns), services=terms.services(ask, own, columns),
        others=terms.others(ask, own), upcoming=upcoming,
        notes=tuple((slug.replace("_", "-"), text) for slug, text in sorted(main.notes.items())) if main else (),
        notes_evidence=_notes_evidence(ask, own),
    )  # fmt: skip


def _left(sellers: Sequence[Seller], at: datetime) -> str:
    """The maker's name where it sold the model and sells it no longer, under no id."""
    own = [seller for seller in sellers if seller.first_party]
    return own[0].name if own and not any(seller.sells_at(at) for seller in own) else ""


def _foreign(
    sellers: Sequence[Seller], held: Sequence[Held], plain: Mapping[int, Mapping[str, Held]]
) -> dict[Seller, list[Held]]:
    """Offerings whose only list prices are in another currency than USD, with their input and output."""
    asked: dict[int, list[Held]] = defaultdict(list)
    for price in held:
        if price.is_plain and price.currency != "USD" and price.unit in ("input", "output"):
            asked[price.offering_id].append(price)
    return {s: asked[s.offering_id] for s in sellers if s.offering_id in asked and not plain.get(s.offering_id)}


def _notes_evidence(ask: Ask, own: Sequence[Held]) -> str:
    """Where the sources of the main seller's terms can be checked: the evidence of its first price."""
    plainest = min(own, key=lambda price: (not price.is_plain, price.unit not in UNITS, price.price_id), default=None)
    return evidence_url(ask, plainest.price_id) if plainest else ""


def _usd(prices: Mapping[str, Held]) -> dict[str, Decimal | None]:
    return {unit: price.usd_per_mtok for unit, price in prices.items()}


def _columns(plain: Mapping[int, Mapping[str, Held]]) -> tuple[str, ...]:
    """In, out and cached always; cache writes where anybody prices them."""
    there = {unit for prices in plain.values() for unit in prices}
    return tuple(unit for unit in COLUMNS if unit in UNITS or unit in there)


def _main(
    facts: Facts, sellers: Sequence[Seller], plain: Mapping[int, Mapping[str, Held]], at: datetime
) -> Seller | None:
    """The maker's own offering, its plain name first; else the cheapest seller's. Of those still sold, if any is."""

    def preference(seller: Seller) -> tuple[object, ...]:
        usd = _usd(plain.get(seller.offering_id, {}))
        price = blend(usd, CHAT_MIX)
        theirs = seller.first_party
        return (
            not usd, not seller.sells_at(at), not theirs, theirs and seller.region not in ("", "global"),
            theirs and seller.sku != facts.slug,
            price is None, not price, price or 0, seller.provider, seller.sku, seller.region,
        )  # fmt: skip

    return min(sellers, key=preference, default=None)


def _offered(
    ask: Ask, sellers: Sequence[Seller], plain: Mapping[int, Mapping[str, Held]], held: Sequence[Held],
    columns: Sequence[str], main: Seller | None,
) -> tuple[Offered, ...]:  # fmt: skip
    peaks = {price.offering_id for price in held if price.schedule}
    batch: dict[int, dict[str, Held]] = defaultdict(dict)
    for price in held:
        if price.service_tier == "batch" and not (price.context_from or price.schedule or price.qualifier):
            batch[price.offering_id][price.unit] = price
    decimals = terms.decimals_by_unit(plain.values(), columns)
    rows = []
    for seller in sellers:
        prices = plain.get(seller.offering_id)
        if not prices:
            continue
        shown = [prices[unit] for unit in ("input", "output") if unit in prices] or list(prices.values())
        newest = max(shown, key=lambda price: price.since)
        rows.append(
            Offered(
                seller, terms.cells(ask, prices, columns, decimals), blend(_usd(prices), CHAT_MIX), newest.since,
                newest.starts_unknown, max(price.grade for price in shown), seller.offering_id in peaks,
                terms.batch_said(prices, batch.get(seller.offering_id, {})), seller is main,
                blend_evidence_url(ask, seller.offering_id), _batch_evidence(ask, batch.get(seller.offering_id, {})),
            )
        )  # fmt: skip
    return tuple(sorted(rows, key=lambda row: (row.blended is None, row.blended or 0, row.seller.name, row.seller.sku)))


def _batch_evidence(ask: Ask, batch: Mapping[str, Held]) -> str:
    first = next((batch[unit] for unit in ("input", "output") if unit in batch), None)
    return evidence_url(ask, first.price_id) if first else ""


CSV_HEAD = (
    "seller", "sku", "region", "unit", "usd_per_mtok", "since", "start_known", "blended_3_1_usd_per_mtok",
    "batch", "grade",
)  # fmt: skip


def csv_rows(page: ModelPage) -> Iterable[tuple[object, ...]]:
    """Every seller's list prices for a program, a line per unit; a unit nobody states has an empty amount."""
    for row in page.offered:
        for unit, cell in zip(page.columns, row.cells, strict=True):
            yield (
                row.seller.provider, row.seller.sku, row.seller.region, unit, cell.amount,
                row.since.date().isoformat() if row.since else None, "no" if row.since_unknown else "yes", row.blended,
                row.batch, row.grade,
            )  # fmt: skip
