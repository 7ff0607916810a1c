"""Weekly reports in the background: those that are due are composed and kept for delivery."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from dashboards.models import ReportSubscription
from dashboards.reports import mailing

MOST_AT_ONCE = 200


@shared_task(name="dashboards.send_report")
def send_report(subscription_id: int) -> None:
    """Compose the report that a subscription is due for and keep it for delivery. Twice changes nothing twice."""
    now = timezone.now()
    due = ReportSubscription.objects.due(now).select_related("person", "organisation")
    subscription = due.filter(pk=subscription_id).first()
    if subscription is not None:
        mailing.send_due(subscription, now)


@shared_task(name="dashboards.send_reports")
def send_reports() -> None:
    """Queue the reports whose hour has come; without a mail server they wait for one."""
    if not settings.SENDS_MAIL:
        return
    for pk in ReportSubscription.objects.due(timezone.now()).values_list("pk", flat=True)[:MOST_AT_ONCE]:
        send_report.delay(pk)


SCHEDULE = {"send-reports": {"task": "dashboards.send_reports", "schedule": 240.0}}
