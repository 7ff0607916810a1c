"""Messages are kept here before anything is sent, and taken up again when a person says so."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils import timezone

from dashboards.models import Message, Person

if TYPE_CHECKING:
    from usage.models import Organisation

LIVES: Final = timedelta(days=3)
"""What has not been sent by then is given up: nobody wants last week's alarm."""


def put(
    person: Person,
    organisation: Organisation,
    kind: str,
    dedupe_key: str,
    subject: str,
    text: str,
    html: str = "",
    *,
    shows: Collection[int] | None = None,
    pictures: Mapping[str, bytes] | None = None,
    headers: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> Message | None:
    """Keeps a mail to a person; None where one with this `dedupe_key` is there already, or no mail server is set.

    `shows` are the ids of the projects whose money it shows, None where it is that of the whole organisation: its
    reader must still have the right to that at each try. `kind` is one of `Message.Kind`. The key says what may be told
    once only: `report 2026-W46`, `digest 2026-11-26`. `pictures` are PNGs by the content id that the HTML shows as
    `cid:…`. It is sent within a minute, by whichever worker comes first; call it inside the transaction that marks as
    told what it tells.
    """
    if not settings.SENDS_MAIL:
        return None
    at = now or timezone.now()
    made = Message(
        organisation=organisation,
        person=person,
        kind=Message.Kind(kind),
        dedupe_key=dedupe_key,
        address=person.email,
        subject=" ".join(subject.split())[:300],
        shows_whole=shows is None,
        shows_projects=sorted(shows or ()),
        text=text,
        html=html,
        pictures={name: base64.b64encode(png).decode("ascii") for name, png in (pictures or {}).items()},
        headers=dict(headers or {}),
        message_id=f"<{secrets.token_hex(12)}@{_domain()}>",  # short: some readers break on a folded one
        made_at=at,
        next_try_at=at,
        expires_at=at + LIVES,
    )
    Message.objects.bulk_create([made], ignore_conflicts=True)
    return Message.objects.filter(message_id=made.message_id).first()


def send_again(message: Message, now: datetime | None = None) -> bool:
    """Lets a message that is refused, given up or uncertain be tried anew; False where it is none of these by now.

    It keeps its Message-ID: who got it the first time may see it once.
    """
    at = now or timezone.now()
    found = Message.objects.filter(pk=message.pk, status__in=Message.SENT_AGAIN_BY_HAND)
    changes = {"status": Message.Status.CLAIMED, "tries": 0, "next_try_at": at, "expires_at": at + LIVES}
    return bool(found.update(**changes, data_began_at=None, said="to be sent again"))


def _domain() -> str:
    """Of the sender's address: a name that the mail server knows, and nothing of this machine."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
