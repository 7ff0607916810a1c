"""Z.ai's pricing page: what Z.ai charges in USD at its own API.

    <h3>Text Models</h3> <span>Prices per 1M tokens.</span>
    <table><thead><tr><th>Model</th> <th>Input</th> <th>Cached Input</th> <th>Cached Input Storage</th> …</tr></thead>
    <tbody><tr><td>GLM-5.2</td> <td>$1.4</td> <td>$0.26</td> <td>Limited-time Free</td> <td>$4.4</td></tr>
           <tr><td>GLM-4.7-Flash</td> <td>Free</td> <td>Free</td> <td>Free</td> <td>Free</td></tr></tbody></table>
    <h3>Image Generation Models</h3> <span>Prices per image.</span> <table>… <td>GLM-Image</td> <td>$0.015</td> …
    <h3>Built-in Tools</h3> <table>… <td>Web Search</td> <td>$0.01 / use</td> …

The page writes models by display names; the API takes the same names in lower case. `-` and `\\` mean *not sold*. A
price for a limited time ends where its cell says so, as `$1 (until December 31, 2026)`; else its note says that no end
is stated. A sentence above a table says what its prices are per; where it is missing the table's prices are counted,
not guessed.
"""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal

from pricing import promotions
from pricing.sources import MTOK, OFFICIAL, OfferingFact, Reading, SourceError, Statement
from pricing.tables import Heading, Table, read_page

SLUG = "zai_page"
NAME = "Z.ai's pricing page"
TRUST = OFFICIAL
PRECEDENCE = 1  # the only page of Z.ai's that we read
COPIES = ()
LICENCE = "Z.ai's own page; its prices are carried as single facts"
URL = "https://docs.z.ai/guides/overview/pricing"
FEED = URL
CADENCE_HOURS = 24
STATES_HISTORY = False

PROVIDER = "zai"
PROVIDER_NAME = "Z.ai"

_TOKENS = {
    "Input": "input", "Cached Input": "cache_read", "Cached Input Storage": "cache_storage", "Output": "output"
}  # fmt: skip
_MEASURE = re.compile(r"Prices per (1M tokens|image|video)\.")
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,99}")
_AMOUNT = re.compile(r"\$(?P<amount>[0-9]{1,9}(?:\.[0-9]{1,12})?)")
_USE = re.compile(_AMOUNT.pattern + r" / use")
_TOOLS = {"Web Search": ("web_search", "web_search")}
"""Tool → (sku, unit). A tool is an offering of its own, priced once for every model that calls it."""

_NOT_SOLD = frozenset({"", "-", "\\"})
_PRICE = re.compile(
    rf"(?P<limited>Limited[- ]time )?(?:(?P<free>Free)|{_AMOUNT.pattern})(?: \((?P<words>[^()]{{1,200}})\))?"
)
_CURRENCY = "All prices are in USD."


def parse(body: bytes) -> Reading:
    """Every row of every table of the page."""
    try:
        reading = _read(body.decode())
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as fault:
        raise SourceError(f"The body is not Z.ai's pricing page: {fault!r:.300}.") from fault
    if not reading.statements:
        raise SourceError("Z.ai's pricing page holds no price at all; its layout must have changed.")
    return reading


def _read(html: str) -> Reading:
    reading = Reading()
    measure, currency_said = "", False
    for item in read_page(html):
        if isinstance(item, Heading):
            measure = ""
        elif isinstance(item, Table):
            _table(item, measure, reading)
        else:
            currency_said |= item.endswith(_CURRENCY)
            measure = found[1] if (found := _MEASURE.fullmatch(item)) else measure
    if not currency_said:
        raise SourceError("Z.ai's pricing page no longer says that its prices are in USD.")
    reading.drop_contradictions()
    reading.unplaced = Counter({kind: count for kind, count in reading.unplaced.items() if count})
    return reading


def _table(table: Table, measure: str, reading: Reading) -> None:
    titles = table.titles()
    if titles[0] == "Model" and measure == "1M tokens" and set(titles[1:]) <= _TOKENS.keys():
        units = [(_TOKENS[title], MTOK) for title in titles[1:]]
    elif titles == ("Model", "Price") and measure in ("image", "video"):
        units = [(measure, 1)]
    elif titles == ("Tool", "Cost"):
        for tool, cost in table.rows:
            _tool(tool.text, cost.text, reading)
        return
    else:
        # Agents and speech recognition: an amount per tokens that says neither of which model nor which way they go.
        reading.unplaced["row of a table without units"] += len(table.rows)
        return
    for row in table.rows:
        _model(row[0].text, [(unit, per, cell.text) for (unit, per), cell in zip(units, row[1:], strict=True)], reading)


def _model(name: str, prices: list[tuple[str, int, str]], reading: Reading) -> None:
    if not _MODEL.fullmatch(name):
        reading.unplaced["row without a model's name"] += 1
        return
    sku = name.lower()
    twice = any(offering.sku == sku for offering in reading.offerings)
    reading.unplaced["model that stands there twice"] += twice
    stated = 0
    for unit, per, shown in prices:
        found = _PRICE.fullmatch(shown)
        limited = found and promotions.LIMITED.search(shown)
        if found and (limited or not found["words"]):
            amount, ends = Decimal(0 if found["free"] else found["amount"]), promotions.ends_at(shown)
            note = promotions.note(shown, ends) if limited else ""
            one = Statement(PROVIDER, sku, unit, amount, per=per, url=URL, note=note, effective_until=ends)
            reading.statements.append(one)
            stated += 1
        elif shown not in _NOT_SOLD:
            reading.unplaced["cell that is no price"] += 1
    reading.unplaced["row without a price"] += all(shown in _NOT_SOLD for _, _, shown in prices)
    if stated and not twice:
        reading.offerings.append(OfferingFact(PROVIDER, PROVIDER_NAME, sku, name=name))


def _tool(tool: str, cost: str, reading: Reading) -> None:
    found = _USE.fullmatch(cost)
    if tool not in _TOOLS or found is None:
        reading.unplaced["tool in an unknown form"] += 1
        return
    sku, unit = _TOOLS[tool]
    reading.statements.append(Statement(PROVIDER, sku, unit, Decimal(found["amount"]), per=1, url=URL, note=cost))
    reading.offerings.append(OfferingFact(PROVIDER, PROVIDER_NAME, sku, name=tool))
