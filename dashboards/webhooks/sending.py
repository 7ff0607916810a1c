"""Handing deliveries over. A row is taken by moving its next try ahead, so two workers never hold one at a time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.utils import timezone

from dashboards.models import WebhookDelivery
from dashboards.webhooks.payload import EVENT, SIGNATURE, signature
from pricing.failures import SourceFailure
from pricing.fetching import Fetcher, Limits
from usage import credentials
from usage.connections import private_hosts

LIMITS: Final = Limits(connect=5, read=10, total=15, body=64 << 10, redirects=0)
HELD: Final = timedelta(minutes=2)
"""A worker that died leaves its delivery to the next one after this; longer than a try can take."""
PAUSES: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720))
TRIES: Final = len(PAUSES) + 1
LONGEST_WAIT: Final = timedelta(days=1)
Status = WebhookDelivery.Status


def default_fetcher() -> Fetcher:
    """Public addresses, and the hosts this installation vouches for."""
    return Fetcher(LIMITS, proxy=settings.HTTPS_PROXY, private=private_hosts(), reads_refusals=True)


def deliver_due(now: datetime | None = None, most: int = 50, fetcher: Fetcher | None = None) -> int:
    """Try what is due; how many were delivered."""
    due = list(WebhookDelivery.objects.due(now or timezone.now()).values_list("pk", flat=True)[:most])
    return sum(deliver(pk, now, fetcher) == Status.DELIVERED for pk in due)


def deliver(pk: int, now: datetime | None = None, fetcher: Fetcher | None = None) -> str | None:
    """Try one delivery and return its state then; None where it is not due, or another worker's."""
    at = now or timezone.now()
    if not WebhookDelivery.objects.due(at).order_by().filter(pk=pk).update(next_try_at=at + HELD):
        return None
    delivery = WebhookDelivery.objects.select_related("webhook").get(pk=pk)
    changes = _tried(delivery, at, fetcher or default_fetcher())
    WebhookDelivery.objects.filter(pk=pk, status=Status.WAITING).update(tries=delivery.tries + 1, **changes)
    return str(changes.get("status", Status.WAITING))


def _tried(delivery: WebhookDelivery, at: datetime, fetcher: Fetcher) -> dict[str, Any]:
    body = delivery.body.encode()
    try:
        headers = {
            "Content-Type": "application/json",
            EVENT: str(delivery.event_id),
            SIGNATURE: signature(_secrets(delivery, at), int(at.timestamp()), body),
        }
        status = fetcher.post(delivery.webhook.url, body, headers)
    except credentials.Unreadable:
        said = "The secret cannot be read, as the instance’s secret key has changed: make a new one."
        return {"status": Status.FAILED, "ended_at": at, "answer": said, "answer_status": None}
    except SourceFailure as failure:
        return _failed(delivery, at, failure)
    return {"status": Status.DELIVERED, "ended_at": at, "answer_status": status, "answer": ""}


def _failed(delivery: WebhookDelivery, at: datetime, failure: SourceFailure) -> dict[str, Any]:
    words = f"{failure} {failure.answer}" if failure.answer else str(failure)
    said = {"answer_status": failure.status or None, "answer": " ".join(words.replace("\x00", " ").split())[:300]}
    if failure.permanent or delivery.tries + 1 >= TRIES:
        return said | {"status": Status.FAILED, "ended_at": at}
    wanted = at + PAUSES[delivery.tries]
    if failure.retry_at is not None:
        wanted = min(max(wanted, failure.retry_at), at + LONGEST_WAIT)
    return said | {"next_try_at": wanted}


def _secrets(delivery: WebhookDelivery, at: datetime) -> list[str]:
    webhook = delivery.webhook
    holds = webhook.old_secret and webhook.old_secret_until is not None and at < webhook.old_secret_until
    return [credentials.opened(one) for one in (webhook.secret, *([webhook.old_secret] if holds else []))]
