"""What the list of alerts and their settings show. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboards.alerts.words import Told

STATES = {"open": "open", "gone": "over", "all": "all"}


@dataclass(frozen=True)
class Line:
    """An alert as its reader is told it. `state` is a badge: open, muted, over."""

    told: Told
    kind: str
    state: str
    opened_at: datetime
    resolved_at: datetime | None
    was_told: bool


@dataclass(frozen=True)
class Choice:
    """A kind of alert and whether the reader hears of it, and how soon."""

    kind: str
    words: str
    is_on: bool
    at_once: bool


@dataclass(frozen=True)
class Thing:
    """Something that can be muted: `kind:stale`, `model:slug`, `project:7`."""

    value: str
    words: str


def finding(lines: Sequence[Line]) -> str:
    """How many stand open, and the newest of them; that nothing does is known only where something ever did."""
    if not lines:
        return "No alert so far. Prices and usage are looked at twice an hour."
    standing = [line for line in lines if line.state == "open"]
    if not standing:
        return "Nothing needs you now."
    newest = max(standing, key=lambda line: line.opened_at)
    if len(standing) == 1:
        return f"{newest.told.title}."
    return f"{len(standing)} things need an eye. The newest: {newest.told.title}."


def mutable(kinds: Mapping[str, str], models: Sequence[tuple[str, str]], projects: Sequence[tuple[int, str]]) -> list[
    tuple[str, list[Thing]]
]:  # fmt: skip
    """What can be muted, by group."""
    groups = [
        ("A kind", [Thing(f"kind:{kind}", words) for kind, words in kinds.items()]),
        ("A project", [Thing(f"project:{number}", name) for number, name in projects]),
        ("A model", [Thing(f"model:{slug}", name) for slug, name in models]),
    ]
    return [(name, things) for name, things in groups if things]


def settings_finding(by_mail: bool, sends_mail: bool, on: int, has_webhook: bool) -> str:
    """How the reader is told, in a sentence."""
    if not sends_mail:
        mail = "No mail server is set, so alerts stand on the list only"
    elif not by_mail:
        mail = "You get no alerts by mail"
    else:
        mail = f"You are mailed {on} {'kind' if on == 1 else 'kinds'} of alerts"
    return f"{mail}{'; the webhook gets its own' if has_webhook else ''}."
