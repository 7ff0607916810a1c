"""Decisions brought up to date: every project advised anew, its moves followed. The daily task does the same."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from dashboards import proposals
from usage.models import Project
from usage.organisations import UnknownOrganisation, chosen


class Command(BaseCommand):
    """Exit 0 when done; 2 for an organisation, a project or a day that is none."""

    help = "Advise every project anew and bring /decisions up to date, as the daily task does."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", nargs="*", help="slug; default: all that are not archived")
        parser.add_argument("--organisation", help="slug; default: the only one")
        parser.add_argument("--on", default="", help="UTC day such as 2026-11-26; default: today")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            organisation = chosen(options["organisation"])
            on = date.fromisoformat(options["on"]) if options["on"] else timezone.now().date()
        except UnknownOrganisation as fault:
            raise CommandError(str(fault), returncode=2) from None
        except ValueError:
            raise CommandError(f"Write the day as 2026-11-26, not “{options['on']}”.", returncode=2) from None
        found = {
            project.slug: asdict(proposals.keep_up(project, on))
            for project in _projects(organisation.pk, options["project"])
        }
        self.stdout.write(json.dumps(found, indent=1) if options["json"] else _as_text(found))


def _projects(organisation_id: int, slugs: list[str]) -> list[Project]:
    own = Project.objects.filter(organisation=organisation_id, archived_at=None).select_related("organisation")
    found = list(own.order_by("slug") if not slugs else own.filter(slug__in=slugs).order_by("slug"))
    missing = set(slugs) - {one.slug for one in found}
    if missing:
        raise CommandError(f"There is no project “{min(missing)}” in use: look at /settings/projects.", returncode=2)
    return found


def _as_text(found: dict[str, dict[str, int]]) -> str:
    if not found:
        return "There is no project to advise yet."
    return "\n".join(
        f"{slug}: {counts['new']} new, {counts['renewed']} renewed, {counts['lapsed']} lapsed, {counts['moved']} moved"
        for slug, counts in found.items()
    )
