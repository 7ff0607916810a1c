"""How a connection stands, by rule from its last pull and its timetable. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboards import formatting

SCHEDULES = {"off": "only when told to", "hourly": "every hour", "6h": "every 6 hours", "daily": "every day"}
STATES = {
    "fresh": "up to date",
    "pulling": "pulling",
    "waiting": "tries again",
    "stopped": "stopped",
    "held": "held",
    "paused": "paused",
    "new": "not pulled yet",
}
NEEDS_SOMEBODY = ("stopped", "held")


@dataclass(frozen=True)
class Shown:
    """A live connection as it reads. `sentence` is what came of its last pull, '' where there is none."""

    pk: int
    name: str
    what: str
    scope: str
    state: str
    words: str
    sentence: str
    complete_until: datetime | None
    last_at: datetime | None
    next_at: datetime | None
    schedule: str

    @property
    def is_busy(self) -> bool:
        return self.state == "pulling"


def shown(connection: Any, api_name: str, pull: Any, *, is_held: bool = False) -> Shown:
    """`pull` is the connection's last one or None, `is_held` whether an import of it is held."""
    state = _state(connection, pull, is_held)
    waits = pull.next_try_at if state == "waiting" else None
    return Shown(
        pk=connection.pk,
        name=connection.name or connection.scope,
        what=api_name,
        scope=connection.scope,
        state=state,
        words=STATES[state],
        sentence=pull.sentence if pull is not None else "",
        complete_until=connection.pulled_until,
        last_at=(pull.finished_at or pull.touched_at) if pull is not None else None,
        next_at=waits or (connection.next_pull_at if connection.enabled else None),
        schedule=SCHEDULES[connection.schedule],
    )


def _state(connection: Any, pull: Any, is_held: bool) -> str:
    if pull is not None and pull.status == "running":
        return "pulling"
    if not connection.enabled:
        return "paused"
    if pull is None:
        return "new"
    if pull.status == "done":
        return "held" if is_held else "fresh"
    return "waiting" if pull.status == "waiting" else "stopped"


def finding(found: Sequence[Shown], files: int) -> str:
    """What a reader of the list must know first."""
    if not found:
        fed = f"; {formatting.count(files)} {'feed comes' if files == 1 else 'feeds come'} from files" if files else ""
        return f"No source brings its usage by itself yet{fed}."
    wrong = [one for one in found if one.state in NEEDS_SOMEBODY]
    if len(wrong) == 1:
        return f"{wrong[0].name} needs somebody: {_in_short(wrong[0].sentence)}"
    if wrong:
        return f"{len(wrong)} of {len(found)} connections need somebody, {wrong[0].name} first."
    noun = "connection brings" if len(found) == 1 else "connections bring"
    return f"{formatting.count(len(found))} {noun} usage by {'itself' if len(found) == 1 else 'themselves'}."


def finding_of_one(one: Shown) -> str:
    """The same of a single connection."""
    told = {
        "new": "is connected and has not been pulled yet.",
        "pulling": "is being pulled.",
        "paused": "is paused: nothing is pulled.",
    }
    if one.state in told:
        return f"{one.name} {told[one.state]}"
    if one.state == "waiting":
        return f"{one.name} tries again by itself: {_in_short(one.sentence)}"
    if one.state in NEEDS_SOMEBODY:
        return f"{one.name} needs somebody: {_in_short(one.sentence)}"
    return f"{one.name} is up to date: {one.sentence[:1].lower()}{one.sentence[1:]}"


def _in_short(text: str) -> str:
    """What is wrong, without what to do about it: that stands below. Of a held pull the counts come first."""
    counts, _, why = text.partition(" unchanged. ")
    clause = re.split(r"[:;](?=\s)|\.(?=\s|$)", why or counts)[0].strip()
    return f"{clause or 'Its last pull failed'}."


def pull_words(pull: Any) -> str:
    """The state of a pull in a table."""
    return {"running": "pulling", "waiting": "tries again", "done": "done", "failed": "stopped"}[pull.status]
