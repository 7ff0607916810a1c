"""What the tables said so far: each price once, contradictions out, the rest counted by kind."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from pricing.sources import AliasFact, OfferingFact, Reading, Statement

PROVIDER = "alibaba"
PROVIDER_NAME = "Alibaba Cloud"
HOME = "cn"

_Key = tuple[str, str, str, str, str, int]


class Ledger:
    """Collects statements; one price may stand in several tables of the page, and must then be the same."""

    def __init__(self, url: str) -> None:
        self.unplaced: Counter[str] = Counter()
        self._url = url
        self._statements: dict[_Key, Statement] = {}
        self._contradicted: set[_Key] = set()
        self._offerings: dict[tuple[str, str], OfferingFact] = {}
        self._pointers: dict[str, str] = {}
        self._counted: set[object] = set()

    def state(self, statement: Statement) -> None:
        key = (
            statement.sku, statement.region, statement.unit, statement.qualifier, statement.service_tier,
            statement.context_from,
        )  # fmt: skip
        kept = self._statements.setdefault(key, replace(statement, url=self._url))
        if (kept.amount, kept.per) != (statement.amount, statement.per):
            self._contradicted.add(key)

    def offer(self, fact: OfferingFact) -> None:
        self._offerings.setdefault((fact.sku, fact.region), fact)

    def point(self, name: str, sku: str) -> None:
        """In mainland China, a name now means a snapshot."""
        self._pointers.setdefault(name, sku)

    def count_once(self, kind: str, what: object) -> None:
        """Count something that stands beside several rows once."""
        if (kind, what) not in self._counted:
            self._counted.add((kind, what))
            self.unplaced[kind] += 1

    def reading(self) -> Reading:
        # Two prices for one thing: which of them holds, the page does not say.
        self.unplaced["price the page contradicts itself on"] += len(self._contradicted)
        sold = {sku for sku, region in self._offerings if region == HOME}
        aliases = [AliasFact(PROVIDER, name, sku, url=self._url) for name, sku in self._pointers.items() if sku in sold]
        self.unplaced["pointer to a snapshot without a price"] += len(self._pointers) - len(aliases)
        return Reading(
            statements=[s for key, s in self._statements.items() if key not in self._contradicted],
            offerings=list(self._offerings.values()),
            aliases=aliases,
            unplaced=+self.unplaced,
        )
