"""Why spend changed from one span of days to another."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from usage import spend_change
from usage.management.commands.own_index import known_projects
from usage.management.commands.spend import shown
from usage.models import ModelDailyCost
from usage.organisations import UnknownOrganisation, chosen
from usage.questions import COMPARISONS, PERIODS, Unanswerable

_NAMED = {"since": "from", "until": "until", "period": "period", "compare": "compare", "before_from": "before_from",
          "before_until": "before_until"}  # fmt: skip


class Command(BaseCommand):
    """Exit 0 when answered; 2 for a question that makes no sense."""

    help = "The change of spend in prices, exchange, volume, mix, sellers, cache, projects and corrections, exactly."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organisation", help="slug; default: the only one")
        parser.add_argument("--project", action="append", default=[], help="slug; repeat for several; none: of nobody")
        parser.add_argument("--from", dest="since", default="", help="first UTC day of the later span")
        parser.add_argument("--until", default="", help="first UTC day that is not included")
        parser.add_argument("--period", default="", choices=["", *PERIODS], help="instead of days")
        parser.add_argument("--compare", default="", choices=["", *COMPARISONS[:2]], help="default: previous")
        parser.add_argument("--before-from", default="", help="instead of --compare: first UTC day of the span before")
        parser.add_argument("--before-until", default="", help="its first UTC day that is not included")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        asked = [(name, options[option]) for option, name in _NAMED.items() if options[option]]
        try:
            organisation = chosen(options["organisation"])
            days = ModelDailyCost.objects.span(organisation)
            question, before = spend_change.read(asked, timezone.now().date(), days and days[1])
        except (UnknownOrganisation, Unanswerable) as fault:
            raise CommandError(str(fault), returncode=2) from None
        wanted = known_projects(organisation, options["project"])
        answer = spend_change.answer(
            organisation, question.days, before, filters={"project": wanted} if wanted else None
        )  # fmt: skip
        self.stdout.write(json.dumps(answer, indent=1, ensure_ascii=False) if options["json"] else as_text(answer))


def as_text(answer: dict[str, Any]) -> str:
    """Both spans, then one line a part that is not nothing, with the item that moved most of it."""
    lines = [
        f"{side['from']} to {side['until']}  spent {shown(side['spent'])} {answer['currency']}"
        for side in (answer["before"], answer["after"])
    ]
    for part in answer["parts"]:
        if float(part["amount"]):
            first = next(iter(part["items"]), None)
            most = f"most: {first['provider']} {first['sku']} {first['unit']} {first['amount']}" if first else ""
            lines.append(f"  {part['part']:<12} {part['amount']:>24}  {most}".rstrip())
    return "\n".join([*lines, f"change {answer['change']}"])
