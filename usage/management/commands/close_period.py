"""Close a month: what the ledger has of it becomes its official figures."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from usage import periods, spending
from usage.management.commands.spend import as_text
from usage.models import Organisation, Period, Restatement
from usage.organisations import UnknownOrganisation, chosen
from usage.pending import pending
from usage.periods import PeriodFault, month_of


class Command(BaseCommand):
    """Exit 0 when the month is closed, also if it was before; 2 where it cannot be, with the reason."""

    help = (
        "Close a month of usage. Its figures then move by restatements only; what comes late is pending. "
        "A month that is closed already is shown with what is pending in it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("month", help="such as 2026-10")
        parser.add_argument("--organisation", help="slug; default: the only one")
        parser.add_argument("--dry-run", action="store_true", help="show what would be closed and close nothing")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            organisation, month = chosen(options["organisation"]), month_of(options["month"])
            closed = Period.objects.filter(organisation=organisation, month=month).exists()
            if options["dry_run"] and not closed and (fault := periods.obstacle(organisation, month)):
                raise PeriodFault(fault)
            if not closed and not options["dry_run"]:
                periods.close(organisation, month, "close_period")
        except (UnknownOrganisation, PeriodFault) as fault:
            raise CommandError(str(fault), returncode=2) from None
        found = answer(organisation, month)
        self.stdout.write(json.dumps(found, indent=1, ensure_ascii=False) if options["json"] else as_words(found))


def answer(organisation: Organisation, month: date) -> dict[str, Any]:
    """A month's official figures, when they were closed and by whom, and what is pending by its cause."""
    period = Period.objects.filter(organisation=organisation, month=month).first()
    spent = spending.report(organisation, month, periods.after(month))
    waiting = pending(organisation, month)
    return {
        "organisation": organisation.slug,
        "month": f"{month:%Y-%m}",
        "closed_at": period and period.closed_at.isoformat(),
        "closed_by": period and period.closed_by,
        "currency": spent["currency"],
        "official": spent["total"],
        "coverage": spent["coverage"],
        "pending": waiting.sums.money()
        | {"days": waiting.days, "causes": {one.name: one.sums.money() | {"days": one.days} for one in waiting.causes}},
        "restatements": [_restated(one) for one in (period.restatements.all() if period else ())],
    }


def _restated(one: Restatement) -> dict[str, Any]:
    return {
        "reason": one.reason,
        "made_at": one.made_at.isoformat(),
        "made_by": one.made_by,
        "before": one.before,
        "after": one.after,
        "undone_at": one.undone_at and one.undone_at.isoformat(),
        "undone_by": one.undone_by,
        "undo_reason": one.undo_reason,
    }


def as_words(found: dict[str, Any]) -> str:
    """A head line, the totals as `spend` writes them, and what is pending."""
    state = f"closed {found['closed_at']} by {found['closed_by']}" if found["closed_at"] else "open"
    figures = as_text(
        {"currency": found["currency"], "total": found["official"], "coverage": found["coverage"], "groups": []}
    )
    waiting = found["pending"]
    late = f"pending on {waiting['days']} days: list {waiting['list']}" if waiting["days"] else "nothing pending"
    return f"{found['month']} {state}\n{figures}\n{late}"
