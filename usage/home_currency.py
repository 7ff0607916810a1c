"""SQL of what a ledger row cost as far as anybody knows, in the currency of its organisation.

At the rate of its day, or the last one before it, as `usage.summing.Rates` converts; NULL without a rate.
"""

from __future__ import annotations

SPENT = "coalesce(r.cost_reported, r.contracted_cost, r.list_cost)"
"""Of a row `r`, in `CURRENCY`."""
CURRENCY = "CASE WHEN r.cost_reported IS NULL THEN coalesce(c.currency, k.currency, '') ELSE r.currency END"
"""Of a row `r` with the cards of `CARDS`."""
CARDS = """LEFT JOIN pricing_ratecard c ON c.id = r.rate_card_id
    LEFT JOIN usage_contractcard k ON k.id = r.contract_card_id"""


def at_home(amount: str, currency: str, day: str, home: str) -> str:
    """An amount of a currency and day in the currency `home`; names of columns with their table."""
    return (
        f"CASE WHEN {currency} IN ('', {home}) THEN {amount}"
        f" ELSE round({amount} * {_usd(currency, day)} / {_usd(home, day)}, 12) END"
    )


def _usd(currency: str, day: str) -> str:
    return (
        f"CASE {currency} WHEN 'USD' THEN 1 ELSE (SELECT x.usd FROM pricing_exchangerate x"
        f" WHERE x.currency = {currency} AND x.day <= {day} ORDER BY x.day DESC, x.source_id DESC LIMIT 1) END"
    )
