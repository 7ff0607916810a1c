"""The page of weekly reports: what comes when, what went, and what may not have arrived. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from dashboards import formatting
from dashboards.models import Message

Status = Message.Status
STATES: Mapping[str, tuple[str, str]] = {
    Status.CLAIMED: ("waits", "is tried within a minute, and again where the mail server does not take it"),
    Status.SENDING: ("being sent", "a worker has it in hand"),
    Status.SENT: ("sent", "the mail server took it"),
    Status.REFUSED: ("refused", "the mail server said no for good"),
    Status.GIVEN_UP: ("given up", "it could not be handed over in all its tries"),
    Status.UNCERTAIN: ("uncertain", "the line broke while it was sent: it may have arrived"),
    Status.WITHDRAWN: ("withdrawn", "its reader may not see what it shows any more, so it was not sent"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A subscription as the page shows it."""

    pk: int
    about: str
    when: str
    next_at: datetime
    is_paused: bool
    is_unsubscribed: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as the page shows it."""

    pk: int
    subject: str
    kind: str
    address: str
    at: datetime
    state: str
    means: str
    said: str
    tries: int
    may_be_sent_again: bool
    is_readable: bool


HIDDEN = "A mail about what you may not see any more"
"""The subject of a report says what was spent."""


def sent(message: Message, projects: Collection[int] | None) -> Sent:
    """A message as a reader of these projects (None: of the whole organisation) sees it."""
    state, means = STATES[message.status]
    subject = message.subject if message.shows_only(projects) else HIDDEN
    return Sent(
        message.pk, subject, message.kind, message.address, message.sent_at or message.made_at, state, means,
        message.said, message.tries, message.status in Message.SENT_AGAIN_BY_HAND,
        message.shows_only(projects),
    )  # fmt: skip


def finding(rows: Sequence[Row], unsettled: int, zone: tzinfo, *, sends_mail: bool) -> str:
    """What comes next, and what did not arrive for certain, in a sentence."""
    active = [row for row in rows if not row.is_paused]
    if not sends_mail:
        said = "No mail server is set, so no report is sent."
    elif not rows:
        said = "You get no weekly report yet."
    elif not active:
        said = "Your weekly report is paused." if len(rows) == 1 else f"All {len(rows)} of your reports are paused."
    else:
        first = min(row.next_at for row in active)
        what = "Your weekly report comes"
        if len(active) > 1:
            what = f"You get {len(active)} reports a week; the next comes"
        said = f"{what} on {formatting.moment(first, zone)}."
    if not unsettled:
        return said
    mails = "One mail" if unsettled == 1 else f"{unsettled} mails"
    return f"{said} {mails} may not have arrived."
