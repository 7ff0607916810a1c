"""SQL of what a ledger row cost as far as anybody knows, in the currency of its organisation.

At the rate of its day, or the last one before it, as `usage.exchange.Rates` converts; NULL without a rate.
"""

from __future__ import annotations

SPENT = "coalesce(r.cost_reported, r.contracted_cost, r.list_cost)"
"""Of a row `r`, in `CURRENCY`."""
CURRENCY = "CASE WHEN r.cost_reported IS NULL THEN coalesce(c.currency, k.currency, '') ELSE r.currency END"
"""Of a row `r` with the cards of `CARDS`."""
CARDS = """LEFT JOIN pricing_ratecard c ON c.id = r.rate_card_id
    LEFT JOIN usage_contractcard k ON k.id = r.contract_card_id"""


def at_home(amount: str, currency: str, day: str, home: str, organisation: str) -> str:
    """An amount of a currency and day in the currency `home`; names of columns with their table."""
    source, target = (_usd(one, day, organisation) for one in (currency, home))
    return f"CASE WHEN {currency} IN ('', {home}) THEN {amount} ELSE round({amount} * {source} / {target}, 12) END"


def _usd(currency: str, day: str, organisation: str) -> str:
    at = f"""coalesce((
        SELECT p.rates_at FROM usage_period p
        WHERE p.organisation_id = {organisation} AND p.month = date_trunc('month', {day})::date
    ), 'infinity')"""
    return f"""CASE {currency} WHEN 'USD' THEN 1 ELSE (
        SELECT x.usd FROM pricing_exchangerate x
        WHERE x.currency = {currency} AND x.day <= {day}
            AND x.recorded_at <= {at} AND (x.superseded_at IS NULL OR x.superseded_at > {at})
        ORDER BY x.day DESC, x.source_id DESC LIMIT 1
    ) END"""
