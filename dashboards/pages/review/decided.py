"""Who decided what, when and why; each decision can be taken back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboards import formatting
from dashboards.pages.review.prices import amount, count_word, key_words, per_words
from pricing.answers.review import Decided
from pricing.providers import declared


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log."""

    kind: str
    id: int
    at: datetime
    verb: str
    what: str
    where: str
    model: str
    model_url: str
    reason: str
    person: str
    revoked_at: datetime | None


def entry(one: Decided) -> Entry:
    where = ", ".join(part for part in (one.provider, one.sku, one.region) if part)
    if one.kind == "name":
        known = declared(one.name_provider)
        verb, what = "Mapped", f"“{one.name}” at {known.name if known else one.name_provider}"
    else:
        verb, what = "Took" if one.verdict == "accept" else "Refused", ""
        if one.said and one.key:
            figure = f"{amount(one.said, one.key)} {per_words(one.said, one.key)}"
            what = f"{figure}, {key_words(one.key)}, as {one.said.source} says"
    return Entry(
        one.kind, one.id, one.decided_at, verb, what, where, one.model, f"/models/{one.model_slug}", one.reason,
        one.person, one.revoked_at,
    )  # fmt: skip


def decided_finding(count: int, newest: Sequence[Entry]) -> str:
    """How many decisions there are, and the last one."""
    if not newest:
        return "Nobody has decided anything yet."
    last = newest[0]
    noun = "decision" if count == 1 else "decisions"
    return f"{count_word(count)} {noun}; the last on {formatting.day(last.at)}, about {last.model}."


DECIDED_HEAD = ("decided_at", "decision", "what", "offering", "reason", "person", "revoked_at")


def decided_rows(entries: Iterable[Entry]) -> Iterable[tuple[object, ...]]:
    for one in entries:
        yield (
            one.at.isoformat(), one.verb.lower(), one.what, one.where, one.reason, one.person,
            one.revoked_at.isoformat() if one.revoked_at else "",
        )  # fmt: skip
