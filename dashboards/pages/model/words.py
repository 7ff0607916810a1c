"""What the page of one model says in sentences, by rule."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from urllib.parse import urlencode

from dashboards import formatting
from dashboards.pages.ledger import Figure, Words
from dashboards.pages.model.facts import Ask, Facts, Held, Offered, Seller, Upcoming, evidence_url
from dashboards.pages.quality import name_of


def finding(
    facts: Facts, main: Seller | None, offered: Sequence[Offered], upcoming: Sequence[Upcoming], foreign: int = 0,
    gone: Sequence[Offered] = (), left: str = "",
) -> Words:  # fmt: skip
    """Who sells it for what; what is about to change; who asks less. `left` is a maker who no longer sells it."""
    start: Words
    own = next((row for row in offered if row.is_main), None) if main else None
    if own is None and foreign:
        who = "one offering states" if foreign == 1 else f"{foreign} offerings state"
        return (f"Nobody states a price in USD for {facts.name}; {who} one in another currency.",)
    last = next((row for row in gone if row.is_main), None)
    if own is None and last:
        start = (f"Nobody lists a price for {facts.name} any more; it was last ",)
        return (*start, *_asked(last), f" at {last.seller.name}.")
    if own is None:
        return (f"Nobody states a list price for {facts.name}.",)
    asked = _asked(own)
    if left and not own.seller.first_party:
        return (f"{left} no longer sells {facts.name}; {own.seller.name} does, at ", *asked, ".")
    if not own.seller.first_party:
        if len({row.seller.provider for row in offered}) == 1:
            return (f"Only {own.seller.name} sells {facts.name}, at ", *asked, ".")
        return (f"Only other hosts sell {facts.name}, from ", *asked, ".")
    start = (f"{facts.name} costs ", *asked, f" at {own.seller.name}")
    if upcoming:
        return (*start, f"; {upcoming[0].said}.")
    paid = [row for row in offered if row.blended and row.seller.provider != own.seller.provider]
    cheapest = min(paid, key=lambda row: row.blended or 0, default=None)
    if cheapest and own.blended and cheapest.blended and cheapest.blended < own.blended * Decimal("0.98"):
        return (*start, f"; {cheapest.seller.name} asks ", *_asked(cheapest), ".")
    if paid:
        return (*start, ", and no other host asks less.")
    if any(row.seller.provider != own.seller.provider for row in offered):
        return (*start, ".")
    return (*start, ", the only seller.")


def foreign(ask: Ask, seller: Seller, prices: Sequence[Held]) -> Words:
    """`Alibaba Cloud qwen3.5-plus (cn): CN¥0.80 in, CN¥4.80 out`."""
    said: list[str | Figure] = [f"{seller.name} {seller.sku}{f' ({seller.region})' if seller.region else ''}: "]
    for place, price in enumerate(sorted(prices, key=lambda price: price.unit)):
        amount = formatting.price(price.amount * 1_000_000 / price.per, price.currency)
        said += [", " if place else "", Figure(amount, evidence_url(ask, price.price_id))]
        said.append(" in" if price.unit == "input" else " out")
    return tuple(said)


def gone(row: Offered) -> Words:
    """`xAI grok-2 since 26 Oct 2026, last $2.00 in and $10.00 out`."""
    seller = row.seller
    since = f" since {formatting.day(seller.retired_at)}" if seller.retired_at else ""
    where = f" ({seller.region})" if seller.region else ""
    return (f"{seller.name} {seller.sku}{where}{since}, last ", *_asked(row))


def _asked(row: Offered) -> Words:
    if all(cell.amount is None for cell in row.cells[:2]):
        return ("a price of its own kind",)
    if all(not cell.amount for cell in row.cells[:2]):
        return ("nothing",)
    said: list[str | Figure] = []
    for cell, word in zip(row.cells, ("in", "out"), strict=False):
        if cell.amount is not None:
            said += [*([" and "] if said else []), Figure(formatting.price(cell.amount), cell.evidence), f" {word}"]
    return tuple(said)


def scope(ask: Ask, facts: Facts, at: datetime, known_at: datetime | None) -> tuple[str, ...]:
    window = facts.context_window
    context = f"{formatting.count(window)} tokens of context" if window else "context unknown"
    parts = [
        name_of(facts.maker) if facts.maker else "maker unknown",
        "open weights" if facts.open_weights else "",
        context,
        facts.rating or "not rated",
        f"List prices on {formatting.day(ask.at or at)}, standard tier, USD per Mtok",
        f"as known on {formatting.day(known_at)}" if known_at else "",
        f"retires {formatting.day(facts.retires_on)}" if facts.retires_on else "deprecated" if facts.deprecated else "",
    ]
    return tuple(part for part in parts if part)


def table_title(offered: Sequence[Offered], gone: Sequence[Offered] = ()) -> str:
    if not offered and gone:
        return "No longer sold"
    if not offered:
        return "No list price"
    hosts = len({row.seller.provider for row in offered})
    priced = [row.blended for row in offered if row.blended]
    noun = "One seller" if hosts == 1 else f"{count_word(hosts)} sellers"
    if hosts == 1 or not priced or max(priced) <= min(priced) * Decimal("1.02"):
        return f"{noun}, one price" if hosts > 1 and priced else noun
    return f"{noun}, up to {formatting.multiple(max(priced) / min(priced))} the lowest price"


def count_word(count: int) -> str:
    words = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve")
    return words[count] if count < len(words) else formatting.count(count)


def api_snippet(seller: Seller, at: date | None, origin: str = "$RATECARD") -> str:
    """The same question asked of the API by a program."""
    query = urlencode({"provider": seller.provider, "sku": seller.sku, **({"at": at.isoformat()} if at else {})})
    return f'curl -H "Authorization: Bearer $TOKEN" \\\n  "{origin}/api/v1/price?{query}"'
