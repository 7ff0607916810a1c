"""OpenAI's pricing page, as it is served: what OpenAI charges at its own API today.

    <h2 id="text-tokens">Flagship models</h2> … <div data-content-switcher-pane data-value="batch">
    <astro-island component-url="/_astro/pricing.DHLXDKMN.js" component-export="TextTokenPricingTables"
      props='{"tier":[0,"batch"],"rows":[1,[[1,[[0,"gpt-5.6-sol"],[0,2.5],[0,0.25],[0,3.125],[0,15]]], …]]}'>
      <table>…<td>gpt-5.6-sol</td><td>$2.50</td>…<td>$22.50</td>…</table>
    </astro-island>

A table's rows lie in the properties of its island (each value wrapped as [kind, value]); the page itself shows only
the first few of them. The prices of long prompts are the other way about: the rendered table alone holds them, for the
rows it shows. `-` and null mean *not sold*. The pane around an island says the service tier, and the sentence `Prices
per 1M tokens.` under the heading of a section what its prices are per: without it the page is refused.

`page` reads the islands, `tables` and `tools` what their rows say.
"""

from __future__ import annotations

from pricing.sources import OFFICIAL, Reading, SourceError
from pricing.sources.openai_page.ledger import Ledger
from pricing.sources.openai_page.page import read_page
from pricing.sources.openai_page.tables import enter

SLUG = "openai_page"
NAME = "OpenAI's pricing page"
TRUST = OFFICIAL
PRECEDENCE = 1  # the only page of OpenAI's that we read
COPIES = ()
LICENCE = "OpenAI's own page; its prices are carried as single facts"
URL = "https://developers.openai.com/api/docs/pricing"
FEED = URL
CADENCE_HOURS = 24
STATES_HISTORY = False


def parse(body: bytes) -> Reading:
    """Every row of every table of the page."""
    try:
        page = read_page(body.decode())
        ledger = Ledger(URL)
        for table in page.tables:
            enter(table, page, ledger)
        for name, sku in page.aliases:
            ledger.alias(name, sku)
        reading = ledger.reading()
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, AssertionError, RecursionError) as fault:
        raise SourceError(f"The body is not OpenAI's pricing page: {fault!r:.300}.") from fault
    if not reading.statements:
        raise SourceError("OpenAI's pricing page holds tables but no price at all; its layout must have changed.")
    return reading
