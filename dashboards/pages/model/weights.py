"""What the sources know of the weights, and when they are withdrawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dashboards import formatting
from dashboards.pages.model.facts import Facts


@dataclass(frozen=True, slots=True)
class Farewell:
    """That the model goes, or has gone: a title, and what follows it."""

    title: str
    text: str
    is_over: bool


def known_facts(facts: Facts) -> tuple[tuple[str, str], ...]:
    """(property, value) of what any source states; '' where it is unknown and its absence matters."""
    weights = "" if facts.open_weights is None else "open" if facts.open_weights else "closed"
    if facts.open_weights and facts.licence:
        weights = f"open, {facts.licence}"
    always = (
        ("Released", formatting.day(facts.released_on) if facts.released_on else ""),
        ("Weights", weights),
        ("Context window", f"{formatting.count(facts.context_window)} tokens" if facts.context_window else ""),
        ("Longest output", f"{formatting.count(facts.max_output)} tokens" if facts.max_output else ""),
    )
    where_stated = (
        ("Modalities", ", ".join(facts.modalities)),
        ("Capabilities", ", ".join(one.replace("_", " ") for one in facts.capabilities)),
        ("Family", facts.family),
    )
    return (*always, *(pair for pair in where_stated if pair[1]))


def retirement(facts: Facts, now: datetime) -> Farewell | None:
    """A warning where the model is deprecated or has a last day."""
    to = f" {facts.successor} is named as its successor." if facts.successor else ""
    if facts.retires_on is None:
        if not facts.deprecated:
            return None
        return Farewell("Deprecated", f"No source states the last day.{to}", is_over=False)
    day, left = formatting.day(facts.retires_on), (facts.retires_on - now.date()).days
    if left < 0:
        return Farewell(f"Retired on {day}", f"Requests to it may fail by now.{to}", is_over=True)
    when = "today" if not left else "tomorrow" if left == 1 else f"in {left} days"
    return Farewell(f"Retires on {day}, {when}", f"Whoever still calls it has to move by then.{to}", is_over=False)
