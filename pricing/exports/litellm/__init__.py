"""The catalogue as LiteLLM's cost map (`model_prices_and_context_window.json`), and what that map cannot say.

LiteLLM's map is one flat object, name → entry. An entry has no word for unknown, for a currency, a date or an hour:
what is absent it reads as another price, often the input's, or as 0. So nothing is taken on trust here: `entries`
writes an entry, `reading` reads it back as LiteLLM does, and every price that comes back other than it went in is
listed as inexpressible. Checked against LiteLLM 1.106.2 (tests/peers).
"""

from __future__ import annotations

from pricing.exports.litellm.entries import Entry, Inexpressible, entry_of
from pricing.exports.litellm.mapping import CostMap, cost_map
from pricing.exports.litellm.sold import Card, OtherPrice, Sold

__all__ = ["Card", "CostMap", "Entry", "Inexpressible", "OtherPrice", "Sold", "cost_map", "entry_of"]
