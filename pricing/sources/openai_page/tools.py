"""The prices of tools, which are called by a model and billed beside its tokens.

A tool is an offering of its own, named as the API names it: the page prices it once for every model that calls it.
"""

from __future__ import annotations

import re
from decimal import Decimal

from pricing.sources import Statement
from pricing.sources.openai_page.ledger import PROVIDER, Ledger, fits

_RATE = re.compile(r"\$(?P<amount>\d+(?:\.\d+)?)(?: /|-| per) ?(?P<base>1k calls|GB per day|GB-day)\b.*")
_SESSIONS = re.compile(r"(?P<sizes>.+) per 20-minute session per container\.")
_SIZE = re.compile(r"(?P<gb>\d+) GB \$(?P<amount>\d+(?:\.\d+)?)")

_TOOLS = {
    # row → (sku, name, unit, qualifier)
    "Web search (all models)": ("web_search", "Web search", "web_search", ""),
    "Image Web search (all models)": ("web_search", "Web search", "web_search", "image"),
    "Web search preview (reasoning models, including gpt-5 , o-series )": (
        "web_search_preview", "Web search preview", "web_search", "reasoning"
    ),
    "Web search preview (non-reasoning models)": (
        "web_search_preview", "Web search preview", "web_search", "non_reasoning"
    ),
    "Tool call": ("file_search", "File search", "file_search", ""),
    "Storage": ("file_search", "File search", "storage_gb_day", ""),
    "ChatKit file and image upload storage": ("chatkit", "ChatKit", "storage_gb_day", ""),
}  # fmt: skip
_CONTAINERS = "Hosted Shell and Code Interpreter"
_PER = {"1k calls": 1000, "GB per day": 1, "GB-day": 1}


def enter_tool(row: str, pricing: str, tier: str, ledger: Ledger) -> None:
    """One row of the table of tools; what it says beside the rate is the note."""
    if row == _CONTAINERS and (sessions := _SESSIONS.fullmatch(pricing)):
        ledger.offer("container", name="Code interpreter and hosted shell container")
        for part in sessions["sizes"].split(", "):
            size = _SIZE.fullmatch(part)
            if size is None:
                ledger.unplaced["size of a container in an unknown form"] += 1
                continue
            _state("container", "container_session", size["amount"], 1, f"{size['gb']}GB", tier, pricing, ledger)
        return
    rate = _RATE.fullmatch(pricing)
    if row not in _TOOLS or rate is None:
        ledger.unplaced["tool in an unknown form"] += 1
        return
    sku, name, unit, qualifier = _TOOLS[row]
    ledger.offer(sku, name=name)
    _state(sku, unit, rate["amount"], _PER[rate["base"]], qualifier, tier, pricing, ledger)


def _state(
    sku: str, unit: str, written: str, per: int, qualifier: str, tier: str, note: str, ledger: Ledger
) -> None:  # fmt: skip
    amount = Decimal(written)
    if fits(amount):
        ledger.state(Statement(PROVIDER, sku, unit, amount, per=per, qualifier=qualifier, service_tier=tier, note=note))
    else:
        ledger.unplaced["cell that is no price"] += 1
