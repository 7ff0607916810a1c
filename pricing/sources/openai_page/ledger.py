"""What the tables said so far: each price once, contradictions out, the rest counted by kind."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal

from pricing.sources import AliasFact, OfferingFact, Reading, Statement

PROVIDER = "openai"

_Key = tuple[str, str, str, str, int]


class Ledger:
    """Collects statements; one price may stand in two tables of the page, and must then be the same."""

    def __init__(self, url: str) -> None:
        self.unplaced: Counter[str] = Counter()
        self._url = url
        self._statements: dict[_Key, Statement] = {}
        self._contradicted: set[_Key] = set()
        self._offerings: dict[str, OfferingFact] = {}
        self._aliases: list[AliasFact] = []

    def state(self, statement: Statement) -> None:
        key = (statement.sku, statement.unit, statement.qualifier, statement.service_tier, statement.context_from)
        kept = self._statements.setdefault(key, replace(statement, url=self._url))
        if kept.amount * statement.per != statement.amount * kept.per:
            self._contradicted.add(key)

    def offer(self, sku: str, *, name: str = "", note: str = "", deprecated: bool = False) -> None:
        kept = self._offerings.get(sku) or OfferingFact(PROVIDER, "OpenAI", sku)
        self._offerings[sku] = replace(
            kept, name=kept.name or name, note=kept.note or note, deprecated=kept.deprecated or deprecated
        )

    def alias(self, name: str, sku: str) -> None:
        if sku in self._offerings:
            self._aliases.append(AliasFact(PROVIDER, name, sku, url=self._url))
        else:
            self.unplaced["alias of a model without a price"] += 1

    def reading(self) -> Reading:
        # Two prices for one thing: which of them holds, the page does not say.
        self.unplaced["price the page contradicts itself on"] += len(self._contradicted)
        return Reading(
            statements=[s for key, s in self._statements.items() if key not in self._contradicted],
            offerings=list(self._offerings.values()),
            aliases=self._aliases,
            unplaced=+self.unplaced,
        )


def fits(amount: Decimal) -> bool:
    """Whether an amount is a price the catalogue can hold: finite, not negative, twelve digits either side."""
    if not amount.is_finite() or amount < 0:
        return False
    exponent = amount.normalize().as_tuple().exponent
    return amount.adjusted() < 12 and isinstance(exponent, int) and exponent >= -12
