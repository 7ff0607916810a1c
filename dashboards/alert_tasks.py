"""Alerts in the background; `send_alerts` is the twin."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from dashboards import alerts, webhooks
from dashboards.models import WebhookDelivery
from usage.models import Organisation


@shared_task(name="dashboards.watch_alerts")
def watch_alerts() -> None:
    """Queue a look at each organisation, a task of its own: none waits for another."""
    for number in Organisation.objects.order_by("pk").values_list("pk", flat=True):
        watch_organisation.delay(number)


@shared_task(name="dashboards.watch_organisation")
def watch_organisation(number: int) -> None:
    """Look at one. Delivered twice or after a kill, it tells nothing twice."""
    organisation = Organisation.objects.filter(pk=number).first()
    if organisation is not None:
        alerts.watch(organisation, timezone.now())


@shared_task(name="dashboards.deliver_webhooks")
def deliver_webhooks() -> None:
    """Queue the deliveries that are due: a host that is slow holds up one, not all."""
    for number in WebhookDelivery.objects.due(timezone.now()).values_list("pk", flat=True)[:200]:
        deliver_webhook.delay(number)


@shared_task(name="dashboards.deliver_webhook")
def deliver_webhook(number: int) -> None:
    """Try one delivery, at least once in the end; its id tells the receiver of a repetition."""
    webhooks.deliver(number)


SCHEDULE = {
    "watch-alerts": {"task": "dashboards.watch_alerts", "schedule": 30 * 60.0},
    "deliver-webhooks": {"task": "dashboards.deliver_webhooks", "schedule": 60.0},
}
