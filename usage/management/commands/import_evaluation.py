"""Read results of evaluations from files into a project, now, in this process."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from usage import evaluations
from usage.evaluation_formats import Source, Unreadable, all_formats
from usage.evaluations import Imported, ImportedRun
from usage.models import Project
from usage.organisations import UnknownOrganisation, chosen


class Command(BaseCommand):
    """Exit 0 when read, also with names that mean no known model; 2 for what cannot be read: nothing changed."""

    help = "Read results of promptfoo, Inspect, lm-evaluation-harness or CSV into a project. Twice changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("format", help=f"one of {', '.join(all_formats())}")
        parser.add_argument("paths", nargs="+", metavar="PATH", help="files, or folders of them")
        parser.add_argument("--project", required=True, help="slug of the project whose evaluations these are")
        parser.add_argument("--organisation", help="slug; default: the only one")
        parser.add_argument("--suite", default="", help="name of the suite, in place of what the files say")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and change nothing")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            organisation = chosen(options["organisation"])
            project = Project.objects.filter(organisation=organisation, slug=options["project"]).first()
            if project is None:
                there = ", ".join(organisation.projects.order_by("slug").values_list("slug", flat=True)) or "none yet"
                raise Unreadable(f"There is no project “{options['project']}”; there are: {there}.")
            found = evaluations.import_sources(
                project, options["format"], sources(options["paths"], options["format"]),
                suite=options["suite"], dry_run=options["dry_run"], who="command line",
            )  # fmt: skip
        except (Unreadable, UnknownOrganisation) as refusal:
            raise CommandError(str(refusal), returncode=2) from None
        self.stdout.write(json.dumps(as_json(found), indent=1) if options["json"] else as_text(found))


def sources(paths: list[str], slug: str) -> list[Source]:
    """The files, and those below folders that the format's tool writes."""
    found: list[Path] = []
    for name in paths:
        path = Path(name)
        if path.is_dir():
            patterns = all_formats()[slug].FILES if slug in all_formats() else ()
            found += sorted({one for pattern in patterns for one in path.rglob(pattern) if one.is_file()})
        elif path.is_file():
            found.append(path)
        else:
            raise Unreadable(f"There is no file {name}.")
    return [Source(str(path), lambda path=path: path.open("rb")) for path in found]  # type: ignore[misc]


def as_json(found: Imported) -> dict[str, Any]:
    return {
        "runs": [_run(one) for one in found.runs],
        "left_out": dict(found.left_out),
        "unresolved": found.unresolved,
    }


def _run(one: ImportedRun) -> dict[str, Any]:
    return {
        "id": one.pk, "outcome": one.outcome.value,
        "suite": one.suite, "task": one.facts.task, "metric": one.facts.metric,
        "name": one.facts.model, "model": one.meant.model.slug if one.meant.model else None, "rule": one.meant.rule,
        "effort": one.meant.effort, "ran_on": one.facts.ran_on and one.facts.ran_on.isoformat(), "items": one.items,
        "answers": len(one.facts.answers) or None, "unscored": one.facts.unscored, "mean": f"{one.mean:f}",
    }  # fmt: skip


def as_text(found: Imported) -> str:
    counts = ", ".join(f"{found.count(outcome):,} {outcome.value}" for outcome in evaluations.Outcome)
    lines = [f"{len(found.runs):,} {'run' if len(found.runs) == 1 else 'runs'}: {counts}"]
    for one in found.runs:
        means = one.meant.model.slug if one.meant.model else "no known model"
        effort = f" at {one.meant.effort}" if one.meant.effort else ""
        where = " ".join(part for part in (one.suite, one.facts.task) if part)
        of = "items not stated" if one.items is None else f"{one.items:,} items"
        lines.append(f"  {one.outcome.value}: {one.facts.model}{effort} ({means}) on {where}, {one.facts.metric}: "
                     f"{one.mean:.4f} of {of}")  # fmt: skip
    lines += [f"  left out {count:,} {reason}" for reason, count in sorted(found.left_out.items())]
    if found.unresolved:
        lines.append("Say what these names mean at /evaluations/names: " + ", ".join(found.unresolved))
    return "\n".join(lines)
