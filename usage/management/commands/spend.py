"""What was spent, in total and by anything, with what is missing from it."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from usage import questions, spending
from usage.organisations import UnknownOrganisation, chosen


class Command(BaseCommand):
    """Exit 0 when answered, 2 for a question that makes no sense."""

    help = "What usage cost at list, contracted and reported prices, and which part of it is not known."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organisation", help="slug; default: the only one")
        parser.add_argument("--from", default="", help="first UTC day")
        parser.add_argument("--until", default="", help="first UTC day that is not included")
        groups = f"any of {', '.join(spending.GROUPS)} or tag:KEY, separated by commas"
        parser.add_argument("--group-by", default="", help=groups)
        parser.add_argument("--prices-at", default="", help="the same usage at the list prices of this UTC day")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        asked = [(name, str(options[name] or "")) for name in ("from", "until", "group_by", "prices_at")]
        try:
            question = questions.read(asked, timezone.now().date())
            organisation = chosen(options["organisation"])
        except (questions.Unanswerable, UnknownOrganisation) as fault:
            raise CommandError(str(fault), returncode=2) from None
        answer = spending.answered(organisation, question, projects=None)
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
        told = group | {"model": group.get("model") or group.get("model_raw")}
        keys = [
            str(told[name] or ("unattributed" if name == "project" else "not reported"))
            for name in group
            if name in spending.GROUPS or name.startswith(questions.TAG)
        ]
        lines.append(f"  {' · '.join(keys):<60} {shown(group['list']):>20} {shown(group['requests']):>12} requests")
    return "\n".join(lines)


def shown(value: object) -> str:
    return "unknown" if value is None else str(value)
