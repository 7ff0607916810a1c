"""What the compared offerings are, before what they cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dashboards import formatting
from pricing.answers.compare import Item


@dataclass(frozen=True, slots=True)
class FactRow:
    """One property; a value '' is unknown."""

    name: str
    values: tuple[str, ...]


def _count(number: int | None) -> str:
    return formatting.count(number) if number else ""


def _weights(item: Item) -> str:
    return "" if item.open_weights is None else "open" if item.open_weights else "closed"


def _retires(item: Item) -> str:
    if item.retired_at:
        return f"no longer sold, since {formatting.day(item.retired_at)}"
    if item.retires_on:
        return formatting.day(item.retires_on)
    return "deprecated, no day stated" if item.deprecated else ""


_FACTS: tuple[tuple[str, Callable[[Item], str]], ...] = (
    ("Context window, tokens", lambda item: _count(item.context_window)),
    ("Longest output, tokens", lambda item: _count(item.max_output)),
    ("Modalities", lambda item: ", ".join(item.modalities)),
    ("Capabilities", lambda item: ", ".join(one.replace("_", " ") for one in item.capabilities)),
    ("Weights", _weights),
    ("Released", lambda item: formatting.day(item.released_on) if item.released_on else ""),
    ("Retires", _retires),
)


def fact_rows(items: Sequence[Item]) -> list[FactRow]:
    """Every property that a source states of any of them."""
    rows = [FactRow(name, tuple(value(item) for item in items)) for name, value in _FACTS]
    return [row for row in rows if any(row.values)]
