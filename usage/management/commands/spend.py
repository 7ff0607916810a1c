"""What was spent, in total and by anything, with what is missing from it."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from usage import spending
from usage.organisations import UnknownOrganisation, chosen


class Command(BaseCommand):
    """Exit 0 when answered, 2 for a question that makes no sense."""

    help = "What usage cost at list, contracted and reported prices, and which part of it is not known."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organisation", help="slug; default: the only one")
        parser.add_argument("--from", dest="since", type=day, help="first UTC day")
        parser.add_argument("--until", type=day, help="first UTC day that is not included")
        parser.add_argument("--group-by", default="", help=f"any of {', '.join(spending.GROUPS)}, separated by commas")
        parser.add_argument("--prices-at", type=day, help="the same usage at the list prices of this UTC day")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        group_by = [name.strip() for name in options["group_by"].split(",") if name.strip()]
        unknown = [name for name in group_by if name not in spending.GROUPS]
        if unknown:
            raise CommandError(f"Nothing is grouped by “{unknown[0]}”: use {', '.join(spending.GROUPS)}.", returncode=2)
        try:
            organisation = chosen(options["organisation"])
        except UnknownOrganisation as fault:
            raise CommandError(str(fault), returncode=2) from None
        answer = spending.report(
            organisation, options["since"], options["until"], group_by, prices_at=options["prices_at"]
        )
        self.stdout.write(json.dumps(answer, indent=1, ensure_ascii=False) if options["json"] else as_text(answer))


def day(text: str) -> date:
    """A UTC day; argparse turns the ValueError into its own sentence."""
    return date.fromisoformat(text)


def as_text(answer: dict[str, Any]) -> str:
    """Totals, coverage, and one line a group."""
    total, currency = answer["total"], answer["currency"]
    lines = [
        f"list {shown(total['list'])} {currency} · contracted {shown(total['contracted'])} · "
        f"reported {shown(total['reported'])} · notional {shown(total['notional'])} (in no total)",
        f"priced tokens {shown(answer['coverage']['priced_tokens'])} · "
        f"attributed {shown(answer['coverage']['attributed'])} · "
        f"selectors reported {shown(answer['coverage'].get('known_selectors'))} · "
        f"unpriced requests {answer['coverage']['unpriced_requests']:,}",
    ]
    inside = answer["coverage"].get("price_changed_inside")
    if inside and inside["records"]:
        lines.append(
            f"price changed inside {inside['records']:,} records: {shown(inside['list'])} as rated, "
            f"{shown(inside['low'])} to {shown(inside['high'])} at prices inside"
        )
    for group in answer["groups"]:
        keys = [str(value or "unattributed") for name, value in group.items() if name in spending.GROUPS]
        lines.append(f"  {' · '.join(keys):<60} {shown(group['list']):>20} {shown(group['requests']):>12} requests")
    return "\n".join(lines)


def shown(value: object) -> str:
    return "unknown" if value is None else str(value)
