"""Mail in the background: what is due is handed to the mail server, one message a task."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from dashboards import alert_tasks, decision_tasks, outbox, report_tasks
from dashboards.models import Message

MOST_AT_ONCE = 200


@shared_task(name="dashboards.deliver")
def deliver(message_id: int) -> None:
    """Hand one message over. Delivered twice or after a kill, the message still goes at most once."""
    outbox.deliver(message_id)


@shared_task(name="dashboards.deliver_due")
def deliver_due() -> None:
    """Settle what dead workers left and queue what waits: a server that is slow holds up one message, not all."""
    if not settings.SENDS_MAIL:
        return
    outbox.sweep()
    for pk in Message.objects.due(timezone.now()).values_list("pk", flat=True)[:MOST_AT_ONCE]:
        deliver.delay(pk)


SCHEDULE = {
    "deliver-mail": {"task": "dashboards.deliver_due", "schedule": 60.0},
    **alert_tasks.SCHEDULE,
    **decision_tasks.SCHEDULE,
    **report_tasks.SCHEDULE,
}
