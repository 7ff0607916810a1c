"""Who may hand a message over, when, and what its row says afterwards. Every change is a compare-and-update."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from dashboards import access
from dashboards.models import Message
from dashboards.outbox import transport
from dashboards.outbox.transport import Answer, NotOurs, Outcome

log = logging.getLogger(__name__)

PAUSES: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 120, 240, 480))
TRIES: Final = len(PAUSES) + 1
"""Over some fifteen hours: a mail of Monday morning comes on Monday or is listed."""
STALE: Final = timedelta(minutes=10)
"""Longer than every step of one try may wait for its answer together."""
Status = Message.Status
_WITHDRAWN: Final = {
    "status": Status.WITHDRAWN, "attempt": None, "sending_since": None, "data_began_at": None,
    "said": "its reader may not see what it shows any more",
}  # fmt: skip


def deliver_due(now: datetime | None = None, most: int = 50) -> dict[str, int]:
    """Settles what dead workers left and tries what waits; how many ended in which state."""
    ended: dict[str, int] = {}
    sweep(now)
    for pk in list(Message.objects.due(now or timezone.now()).values_list("pk", flat=True)[:most]):
        status = deliver(pk, now)
        if status:
            ended[status] = ended.get(status, 0) + 1
    return ended


def deliver(pk: int, now: datetime | None = None) -> str | None:
    """Hands one message over and returns its state then; None where it is not due, or another worker's.

    Whose reader has lost the right to what it shows is withdrawn instead.
    """
    at = now or timezone.now()
    attempt = uuid.uuid4()
    taken = Message.objects.due(at).filter(pk=pk).order_by()
    message = Message.objects.filter(pk=pk).first() if taken.update(**_taken(attempt, at)) else None
    if message is None:
        return None
    mine = Message.objects.filter(pk=pk, status=Status.SENDING, attempt=attempt)
    if not _may_be_read(message):
        return str(Status.WITHDRAWN) if mine.update(**_WITHDRAWN) else None
    try:
        answer = transport.hand_over(message, lambda: bool(mine.update(data_began_at=now or timezone.now())))
    except NotOurs:
        return None
    changes = _after(message, answer, now or timezone.now())
    if answer.outcome is not Outcome.ACCEPTED:
        log.warning("Mail %s: %s", message.pk, answer.said)
    if answer.outcome is Outcome.ACCEPTED and not mine.exists():
        # Slow enough to be swept: now it is known, unless somebody has sent it again by hand.
        mine = Message.objects.filter(pk=pk, status=Status.UNCERTAIN)
    return str(changes["status"]) if mine.update(**changes) else None


def sweep(now: datetime | None = None) -> int:
    """Settles the rows whose worker died: tried again where their text had not begun, else uncertain; how many."""
    at = now or timezone.now()
    settled = 0
    for message in Message.objects.left_behind(at - STALE):
        began = message.data_began_at is not None
        answer = Answer(
            Outcome.UNKNOWN if began else Outcome.LATER,
            f"the worker ended {'while the text was sent' if began else 'before the text was sent'}",
        )
        same = Message.objects.filter(
            pk=message.pk, status=Status.SENDING, attempt=message.attempt, data_began_at=message.data_began_at
        )
        settled += same.update(**_after(message, answer, at))
    return settled


def _may_be_read(message: Message) -> bool:
    """Whether its reader may see now all that it shows."""
    person, organisation = message.person, message.organisation
    if access.may(person, "viewer", organisation):
        return True
    seen = set(access.projects_seen(person, organisation).values_list("pk", flat=True))
    return person.is_active and bool(seen) and message.shows_only(seen)


def _taken(attempt: uuid.UUID, at: datetime) -> dict[str, Any]:
    return {"status": Status.SENDING, "attempt": attempt, "sending_since": at, "data_began_at": None}


def _after(message: Message, answer: Answer, at: datetime) -> dict[str, Any]:
    """What a row says after a try: its changes."""
    tries = message.tries + 1
    changes: dict[str, Any] = {"attempt": None, "sending_since": None, "tries": tries, "said": answer.said[:300]}
    if answer.outcome is Outcome.ACCEPTED:
        return changes | {"status": Status.SENT, "sent_at": at}
    if answer.outcome is Outcome.UNKNOWN:
        return changes | {"status": Status.UNCERTAIN}
    changes["data_began_at"] = None
    if answer.outcome is Outcome.NEVER:
        return changes | {"status": Status.REFUSED}
    if tries >= TRIES or at >= message.expires_at:
        return changes | {"status": Status.GIVEN_UP}
    return changes | {"status": Status.CLAIMED, "next_try_at": at + PAUSES[tries - 1]}
