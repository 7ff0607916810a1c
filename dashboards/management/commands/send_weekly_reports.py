"""`send_weekly_reports`: the reports of a week to everybody who has subscribed, each once, whatever their hour."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from dashboards import outbox
from dashboards.models import ReportSubscription
from dashboards.reports import mailing, reading
from dashboards.reports.report import last_whole_week, week_name, week_start


class Command(BaseCommand):
    help = "Sends the weekly report to everybody who has subscribed and has not had it, and delivers what waits."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--week", metavar="2026-W46", help="an ISO week in UTC days; default: the last whole one")
        parser.add_argument("--dry-run", action="store_true", help="print the text parts, send and keep nothing")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, week: str | None, dry_run: bool, **options: Any) -> None:
        now = timezone.now()
        try:
            start = week_start(week) if week else last_whole_week(now.date())
        except ValueError as fault:
            raise CommandError(str(fault), returncode=2) from None
        if start > last_whole_week(now.date()):
            raise CommandError(f"{week_name(start)} is not over: name an earlier week.", returncode=2)
        if not dry_run and not settings.SENDS_MAIL:
            raise CommandError("No mail server is set: set RATECARD_EMAIL_URL, or use --dry-run.", returncode=2)
        found = ReportSubscription.objects.active().select_related("person", "organisation").order_by("pk")
        told: dict[str, Any] = {"week": week_name(start), "subscriptions": len(found)}
        if dry_run:
            told |= {"reports": [one for one in (self._text(sub, start, now) for sub in found) if one]}
        else:
            told |= {"kept": sum(mailing.send(sub, start, now) is not None for sub in found)}
            told |= {"ended": outbox.deliver_due()}
        self.stdout.write(json.dumps(told, indent=2) if options["json"] else self._words(told))

    def _text(self, subscription: ReportSubscription, start: Any, now: Any) -> dict[str, str] | None:
        try:
            made = mailing.rendered(subscription, start, now.date())
        except reading.NothingToSee:
            return None
        return {"to": subscription.person.email, "subject": made.report.subject, "text": made.text}

    def _words(self, told: dict[str, Any]) -> str:
        if "reports" in told:
            shown = [f"To: {one['to']}\nSubject: {one['subject']}\n\n{one['text']}" for one in told["reports"]]
            return "\n".join(shown) or f"Nobody would get a report of {told['week']}."
        ended = ", ".join(f"{count} {state}" for state, count in told["ended"].items()) or "nothing waited"
        return f"{told['week']}: {told['kept']} of {told['subscriptions']} reports were due; {ended}."
