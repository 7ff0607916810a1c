"""The writer of webhooks and of what waits to be delivered. A secret is returned once, when it is made."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings as instance
from django.db import transaction

from dashboards import audit
from dashboards.alerts.words import Told, told
from dashboards.models import Alert, AlertKind, Person, Webhook, WebhookDelivery
from dashboards.webhooks.payload import body_of
from pricing import addresses
from pricing.failures import SourceFailure
from usage import credentials
from usage.connections import private_hosts
from usage.models import Organisation

OVERLAP: Final = timedelta(days=1)
"""How long a secret that was replaced signs beside its successor."""


class Refused(ValueError):
    """Why a webhook cannot be kept: one sentence."""


def connect(person: Person, organisation: Organisation, url: str, kinds_off: Iterable[str]) -> tuple[Webhook, str]:
    """Where alerts go from now on, and the secret where it is new ('' where the webhook was there)."""
    url = url.strip()
    try:
        addresses.target(url, private_hosts())
    except SourceFailure as failure:
        raise Refused(f"{failure} A host of this network is named in RATECARD_PRIVATE_HOSTS first.") from None
    if len(url) > 500:
        raise Refused("The address is too long: 500 signs at most.")
    off = [kind for kind in AlertKind.values if kind in set(kinds_off)]
    with transaction.atomic():
        found = Webhook.objects.select_for_update().filter(organisation=organisation).first()
        before = _told(found) if found else None
        secret = "" if found else _secret()
        if found is None:
            sealed = {"secret": credentials.sealed(secret), "secret_end": credentials.end_of(secret)}
            found = Webhook(organisation=organisation, **sealed)
        found.url, found.kinds_off, found.enabled = url, off, True
        found.save()
        audit.record(person, "set the webhook", _host(url), before, _told(found), organisation)
    return found, secret


def rotate(person: Person, webhook: Webhook, now: datetime) -> str:
    """A new secret, returned once; the old one signs, too, for `OVERLAP`."""
    secret = _secret()
    with transaction.atomic():
        webhook.old_secret, webhook.old_secret_until = webhook.secret, now + OVERLAP
        webhook.secret, webhook.secret_end = credentials.sealed(secret), credentials.end_of(secret)
        webhook.save(update_fields=["secret", "secret_end", "old_secret", "old_secret_until"])
        audit.record(person, "changed the webhook’s secret", _host(webhook.url), None, None,
                     webhook.organisation)  # fmt: skip
    return secret


def switch(person: Person, webhook: Webhook, *, enabled: bool) -> None:
    """Pause a webhook or let it go on: what waited is sent then."""
    with transaction.atomic():
        before = _told(webhook)
        webhook.enabled = enabled
        webhook.save(update_fields=["enabled"])
        audit.record(person, "switched the webhook", _host(webhook.url), before, _told(webhook),
                     webhook.organisation)  # fmt: skip


def disconnect(person: Person, webhook: Webhook) -> None:
    """Take the webhook away with its log."""
    with transaction.atomic():
        audit.record(person, "removed the webhook", _host(webhook.url), _told(webhook), None,
                     webhook.organisation)  # fmt: skip
        webhook.delete()


def queue(alert: Alert, now: datetime) -> WebhookDelivery | None:
    """Let an alert go to its organisation's webhook, once; None where there is none that wants it."""
    webhook = Webhook.objects.filter(organisation=alert.organisation_id).first()
    if webhook is None or alert.kind in webhook.kinds_off:
        return None
    words = told(
        alert.kind, alert.data, alert.parts, alert.is_whole, alert.organisation.display_currency, None, now.date()
    )
    return _queued(webhook, alert, words, now) if words is not None else None


def send_test(webhook: Webhook, now: datetime) -> WebhookDelivery:
    """A delivery that says that it is a test."""
    words = told("test", {}, {}, True, webhook.organisation.display_currency, None, now.date())
    assert words is not None  # noqa: S101 - a test is everybody's
    return _queued(webhook, None, words, now)


def _queued(webhook: Webhook, alert: Alert | None, words: Told, now: datetime) -> WebhookDelivery:
    event = uuid.uuid4()
    key, opened_at, data = (alert.key, alert.opened_at, alert.data) if alert else ("test", now, {})
    body = body_of(str(event), webhook.organisation.slug, key, words, opened_at, instance.BASE_URL, data)
    made = WebhookDelivery(webhook=webhook, alert=alert, event_id=event, body=body, next_try_at=now, made_at=now)
    WebhookDelivery.objects.bulk_create([made], ignore_conflicts=True)
    same = {"event_id": event} if alert is None else {"webhook": webhook, "alert": alert}
    return WebhookDelivery.objects.get(**same)


def _secret() -> str:
    return f"whsec_{secrets.token_urlsafe(32)}"


def _told(webhook: Webhook) -> dict[str, object]:
    """Without what may be a secret in the address: Slack's is one."""
    return {"host": _host(webhook.url), "enabled": webhook.enabled, "kinds_off": list(webhook.kinds_off)}


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""
