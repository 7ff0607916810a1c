"""SQL of what a ledger row cost as far as anybody knows, in the currency of its organisation.

At the rate of its day, or the last one before it, as `usage.exchange.Rates` converts; NULL without a rate.
"""

from __future__ import annotations

SPENT = "coalesce(r.cost_reported, r.contracted_cost, r.list_cost)"
"""Of a row `r`, in `CURRENCY`."""
CURRENCY = "CASE WHEN r.cost_reported IS NULL THEN coalesce(c.currency, k.currency, '') ELSE r.currency END"
"""Of a row `r` with the cards of `CARDS`."""
PAID = "r.cost_kind <> 'notional'"
"""Whether a row `r` is in totals: what a seat covers is not, and costs nothing more."""
KNOWN = f"sum({SPENT}) FILTER (WHERE {PAID}) AS spent, count({SPENT}) FILTER (WHERE {PAID}) AS known,\
 count(*) FILTER (WHERE {PAID}) AS paid"
"""Of rows `r`: their money, how many have any, and how many should."""
CARDS = """LEFT JOIN pricing_ratecard c ON c.id = r.rate_card_id
    LEFT JOIN usage_contractcard k ON k.id = r.contract_card_id"""


def at_home(amount: str, currency: str, day: str, home: str, organisation: str) -> str:
    """An amount of a currency and day in the currency `home`; names of columns with their table."""
    source, target = (_usd(one, day, organisation) for one in (currency, home))
    return f"CASE WHEN {currency} IN ('', {home}) THEN {amount} ELSE round({amount} * {source} / {target}, 12) END"


def summed_at_home(rows: str, home: str, organisation: str) -> str:
    """Of sums `KNOWN` by `day` and `currency`: `spent` in the currency `home`, NULL where nothing of it is known, and
    how many records are `unknown`: without a cost, or without a rate for it."""
    spent = at_home(f"{rows}.spent", f"{rows}.currency", f"{rows}.day", home, organisation)
    unknown = f"sum({rows}.paid - CASE WHEN {spent} IS NULL THEN 0 ELSE {rows}.known END)"
    return f"""CASE WHEN {unknown} = 0 THEN coalesce(sum({spent}), 0) ELSE sum({spent}) END AS spent,
        ({unknown})::bigint AS unknown"""


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
