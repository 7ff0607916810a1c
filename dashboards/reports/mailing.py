"""Reports on their way to people: composed with their rights at that moment and given to the outbox, once a week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from email.utils import parseaddr
from hashlib import sha256

from django.conf import settings
from django.db import transaction

from dashboards import outbox
from dashboards.models import Message, ReportSubscription
from dashboards.reports import html, picture, reading, subscriptions, text
from dashboards.reports.mailed import Mailed
from dashboards.reports.report import Report, last_whole_week, week_name


@dataclass(frozen=True, slots=True)
class Rendered:
    report: Report
    mailed: Mailed
    text: str

    def html(self, pictures: str = "cid:{}") -> str:
        return html.html(self.report, self.mailed, picture=pictures)

    def pictures(self) -> dict[str, bytes]:
        return picture.pngs(self.report.chart) if self.report.chart else {}


def send_due(subscription: ReportSubscription, now: datetime) -> Message | None:
    """Sends the last whole week to whom a subscription is due for; None where nothing is to be sent, or was already.

    The subscription moves on in the transaction that keeps the mail: killed in between, it is due again.
    """
    with transaction.atomic():
        if not subscriptions.move_on(subscription, now):
            return None
        return send(subscription, last_whole_week(now.date()), now)


def send(subscription: ReportSubscription, week: date, now: datetime) -> Message | None:
    """Gives the report of a week to the outbox, once for each week, person and subject; None where it has it already,
    where no mail server is set, or where its reader may see nothing of it any more."""
    return _put(subscription, week, now, Message.Kind.REPORT, report_key(subscription, week))


def report_key(subscription: ReportSubscription, week: date) -> str:
    """`report 2026-W46 cost centre 4100`; many projects by the hash of their names, as a key has an end."""
    key = f"report {week_name(week)} {subscription.scope}".strip()
    return key if len(key) <= 200 else f"report {week_name(week)} {sha256(key.encode()).hexdigest()}"


def send_test(subscription: ReportSubscription, now: datetime) -> Message | None:
    """The last whole week once more, as a test: as often as somebody asks, and beside the real one."""
    return _put(subscription, last_whole_week(now.date()), now, Message.Kind.TEST, f"test {subscription.pk} {now}")


def rendered(subscription: ReportSubscription, week: date, today: date) -> Rendered:
    """A report as its reader gets it; `reading.NothingToSee` where they may see nothing of it."""
    report = reading.report_for(
        subscription.person, subscription.organisation, week, today, subscriptions.project_ids(subscription)
    )
    mailed = Mailed(
        settings.BASE_URL,
        f"Sent {subscriptions.when_words(subscription)} to {subscription.person.email}, for the projects they may see.",
        "/reports",
        unsubscribe_path(subscription) if subscription.pk else "",
    )
    return Rendered(report, mailed, text.text(report, mailed))


def unsubscribe_path(subscription: ReportSubscription) -> str:
    return f"/reports/unsubscribe/{subscriptions.token(subscription)}"


def _put(subscription: ReportSubscription, week: date, now: datetime, kind: str, key: str) -> Message | None:
    if not settings.SENDS_MAIL or _has(subscription, key):
        return None
    try:
        made = rendered(subscription, week, now.date())
    except reading.NothingToSee:
        return None
    subject = made.report.subject if kind == Message.Kind.REPORT else f"Test: {made.report.subject}"
    return outbox.put(
        subscription.person, subscription.organisation, kind, key, subject, made.text, made.html(),
        shows=made.report.shows, pictures=made.pictures(), headers=headers(subscription), now=now,
    )  # fmt: skip


def _has(subscription: ReportSubscription, key: str) -> bool:
    """Asked before the report is composed, which takes a second; the outbox's key decides all the same."""
    kept = Message.objects.filter(organisation=subscription.organisation_id, person=subscription.person_id)
    return kept.filter(dedupe_key=key).exists()


def headers(subscription: ReportSubscription) -> dict[str, str]:
    """RFC 8058: a mail reader stops the subscription with one POST, without a sign-in. RFC 2919: a name to sort by."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return {
        "List-Unsubscribe": f"<{settings.BASE_URL}{unsubscribe_path(subscription)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Id": f"Ratecard weekly report <weekly-report.{domain}>",
    }
