"""All offerings as one map: each under every name LiteLLM may call it by, and never one name for two prices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pricing.exports.litellm.entries import Entry, Inexpressible, entry_of
from pricing.exports.litellm.names import keys, naming
from pricing.exports.litellm.sold import Sold


@dataclass(frozen=True, slots=True)
class CostMap:
    """The map by key, the offering of each key, and what is left over of each offering."""

    entries: dict[str, Entry]
    sold: dict[str, Sold]
    left: list[tuple[Sold, str, Inexpressible]]

    def as_json(self) -> dict[str, Any]:
        """The map as LiteLLM reads it, its keys in order."""
        return {key: _numbers(self.entries[key]) for key in sorted(self.entries)}

    def left_as_json(self) -> list[dict[str, Any]]:
        """One object for everything the map cannot say; `key` is '' where the offering is not in the map."""
        return [
            {
                "provider": sold.provider, "sku": sold.sku, "region": sold.region, "key": key, "kind": one.kind,
                "units": list(one.units), "service_tier": one.service_tier, "context_from": one.context_from,
                "schedule": one.schedule, "qualifier": one.qualifier, "ours": _text(one.ours),
                "litellm": _text(one.litellm), "why": one.why,
            }
            for sold, key, one in self.left
        ]  # fmt: skip


def cost_map(offerings: Iterable[Sold]) -> CostMap:
    """The map of all offerings. A seller's own id beats another's alias; a name of two different prices is left out."""
    drafted: list[tuple[Sold, Entry | None, list[tuple[str, bool]], list[Inexpressible]]] = []
    claims: dict[str, list[tuple[bool, int]]] = defaultdict(list)
    for sold in offerings:
        entry, names, left = _drafted(sold)
        for key, own in names:
            claims[key].append((own, len(drafted)))
        drafted.append((sold, entry, names, left))
    winner = {key: _winner(claimed, drafted) for key, claimed in claims.items()}
    entries: dict[str, Entry] = {}
    of_key: dict[str, Sold] = {}
    rest: list[tuple[Sold, str, Inexpressible]] = []
    for place, (sold, entry, names, left) in enumerate(drafted):
        won = [key for key, _ in names if winner[key] == place]
        for key in won:
            assert entry is not None  # noqa: S101 - names are of entries
            entries[key], of_key[key] = entry, sold
        rest += [(sold, won[0] if won else "", one) for one in left]
        for key, own in names:
            if own and winner[key] is None:
                rest.append((sold, "", Inexpressible("name", f"{key} would be the name of another price as well.")))
    return CostMap(entries, of_key, rest)


def _drafted(sold: Sold) -> tuple[Entry | None, list[tuple[str, bool]], list[Inexpressible]]:
    named = naming(sold)
    if sold.provider.startswith("huggingface"):
        return None, [], [Inexpressible("provider", "LiteLLM prices nothing that is called by way of Hugging Face.")]
    if named is None:
        return None, [], [Inexpressible("provider", f"LiteLLM has no provider {sold.provider}.")]
    entry, left = entry_of(sold, named.provider)
    if entry is None:
        return None, [], left
    names = list(keys(sold, named))
    if names:
        return entry, names, left
    why = f"LiteLLM has no name for {sold.sku}" + (f" in the region {sold.region}." if sold.region else ".")
    return None, [], [Inexpressible("name", why)]


def _winner(claimed: list[tuple[bool, int]], drafted: list[tuple[Sold, Entry | None, Any, Any]]) -> int | None:
    """Who gets the name: the only one, the one whose own id it is, or the first of several that say the same."""
    own = [place for is_own, place in claimed if is_own]
    rivals = own or [place for _, place in claimed]
    first = rivals[0]
    return first if all(_priced(drafted[place][1]) == _priced(drafted[first][1]) for place in rivals) else None


def _priced(entry: Entry | None) -> Entry:
    """The entry without the page its price was read on."""
    return {key: value for key, value in (entry or {}).items() if key != "source"}


def _numbers(value: Any) -> Any:
    """Exact decimals as the nearest doubles: LiteLLM computes in doubles, and JSON writes their shortest form."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: _numbers(part) for key, part in value.items()}
    return [_numbers(part) for part in value] if isinstance(value, list) else value


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount.normalize():f}" if amount else "0"
