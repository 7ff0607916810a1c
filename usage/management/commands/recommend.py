"""What a project should do about its models: the same work for less at equal quality, and what speaks against it."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from pricing.answers import BadQuestion
from pricing.answers.questions import moment
from usage import recommending
from usage.models import Organisation, Project
from usage.organisations import UnknownOrganisation, chosen
from usage.recommending.telling import as_json, as_text


class Command(BaseCommand):
    """Exit 0 when answered, also where nothing is recommended; 2 for a question that makes no sense."""

    help = "Moves that save money at equal quality, as ranges with their evidence, and why others are not recommended."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", help="slug")
        parser.add_argument("--organisation", help="slug; default: the only one")
        parser.add_argument("--on", default="", help="UTC day whose prices count, such as 2026-11-26; default: today")
        parser.add_argument("--known-at", default="", help="moment whose evidence counts; default: all there is")
        parser.add_argument("--days", type=int, default=recommending.DAYS, help="days of usage; default: %(default)s")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            organisation = chosen(options["organisation"])
        except UnknownOrganisation as fault:
            raise CommandError(str(fault), returncode=2) from None
        project = known_project(organisation, options["project"])
        days = options["days"]
        if not 1 <= days <= recommending.MOST_DAYS:
            raise CommandError(f"Ask for 1 to {recommending.MOST_DAYS} days of usage.", returncode=2)
        try:
            on = moment(options["on"], "on").date() if options["on"] else timezone.now().date()
            known_at = moment(options["known_at"], "known_at") if options["known_at"] else None
        except BadQuestion as fault:
            raise CommandError(str(fault), returncode=2) from None
        advice = recommending.advise(project, on, known_at=known_at, days=days)
        answer = json.dumps(as_json(advice), indent=1, ensure_ascii=False) if options["json"] else as_text(advice)
        self.stdout.write(answer)


def known_project(organisation: Organisation, slug: str) -> Project:
    """The project, refused with the slugs there are where the organisation has no such one."""
    own = Project.objects.filter(organisation=organisation)
    found = own.filter(slug=slug).first()
    if found is None:
        there = ", ".join(own.order_by("slug").values_list("slug", flat=True)) or "none yet"
        raise CommandError(f"There is no project “{slug}”: use one of {there}.", returncode=2)
    return found
