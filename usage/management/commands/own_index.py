"""The price index of what an organisation really uses, and what prices made of its spend, month by month."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from usage import own_index
from usage.management.commands.spend import shown
from usage.models import Organisation, Project
from usage.organisations import UnknownOrganisation, chosen
from usage.priced_items import BY
from usage.questions import NOBODY, Unanswerable


class Command(BaseCommand):
    """Exit 0 when answered, also with months that have no index; 2 for a question that makes no sense."""

    help = "Monthly Laspeyres, Paasche and Fisher of the real basket, and each change of spend split into its parts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organisation", help="slug; default: the only one")
        parser.add_argument("--project", action="append", default=[], help="slug; repeat for several; none: of nobody")
        parser.add_argument("--from", dest="since", default="", help="first month, such as 2026-01")
        parser.add_argument("--until", default="", help="first month that is not included; default: the running one")
        parser.add_argument("--by", choices=BY, default=BY[0], help="what is one thing")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            organisation = chosen(options["organisation"])
            since, until = own_index.span(options["since"], options["until"], timezone.now().date())
        except (UnknownOrganisation, Unanswerable) as fault:
            raise CommandError(str(fault), returncode=2) from None
        wanted = known_projects(organisation, options["project"])
        filters = {"project": wanted} if wanted else None
        answer = own_index.answer(organisation, since, until, filters=filters, by=options["by"])
        self.stdout.write(json.dumps(answer, indent=1, ensure_ascii=False) if options["json"] else as_text(answer))


def known_projects(organisation: Organisation, slugs: list[str]) -> list[str]:
    """The slugs, refused where the organisation has no such project."""
    known = {NOBODY, *Project.objects.filter(organisation=organisation).values_list("slug", flat=True)}
    if unknown := [slug for slug in slugs if slug not in known]:
        raise CommandError(f"There is no project “{unknown[0]}”: use {', '.join(sorted(known))}.", returncode=2)
    return slugs


def as_text(answer: dict[str, Any]) -> str:
    """One line a month, its change below it."""
    lines = [f"first priced month = 100 · money in {answer['currency']}"]
    for month in answer["months"]:
        indices = " · ".join(f"{name.title()} {shown(month[name])}" for name in ("laspeyres", "paasche", "fisher"))
        lines.append(f"{month['month']}  spent {shown(month['spent'])}  {month['reason'] or indices}")
        if month["change"]:
            lines.append("         " + " · ".join(f"{name} {amount}" for name, amount in month["change"].items()))
    if not answer["months"]:
        lines.append("There is no usage in these months.")
    return "\n".join(lines)
