"""Import usage from files and folders, now, in this process."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from usage import ingest
from usage.importers import all_importers
from usage.ingest.outcomes import as_json
from usage.models import ColumnMapping, ImportBatch, Organisation
from usage.organisations import UnknownOrganisation, chosen_for_import


class Command(BaseCommand):
    """Exit 0 when the import is done or held, 1 when it failed, 2 for what cannot be imported at all."""

    help = "Read usage from files or folders into the ledger. Importing the same again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("importer", help=f"one of {', '.join(all_importers())}")
        parser.add_argument("paths", nargs="+", metavar="PATH", help="a file, gzip too, or a folder")
        parser.add_argument("--scope", required=True, help="what the usage is of: a machine, an account, an export")
        parser.add_argument("--organisation", help="slug; default: the only one, made if there is none")
        parser.add_argument("--mapping", help="name of a saved column mapping, or a JSON file that holds one")
        parser.add_argument(
            "--with", action="append", default=[], metavar="NAME=VALUE", dest="with_settings",
            help="a setting of the importer: billing=api, occurred_at=2026-08-15T00:00:00Z …",
        )  # fmt: skip
        parser.add_argument("--dry-run", action="store_true", help="say what would happen and change nothing")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            organisation = chosen_for_import(options["organisation"])
            batch = ingest.import_paths(
                organisation,
                options["importer"],
                options["paths"],
                options["scope"],
                mapping_with(mapping_named(organisation, options["mapping"]), options["with_settings"]),
                dry_run=options["dry_run"],
            )
        except (ingest.Refused, UnknownOrganisation) as refusal:
            raise CommandError(str(refusal), returncode=2) from None
        self.stdout.write(json.dumps(as_json(batch), indent=1) if options["json"] else as_text(batch))
        if batch.status == ImportBatch.Status.FAILED:
            raise CommandError(batch.error, returncode=1)


def mapping_named(organisation: Organisation, name: str | None) -> ColumnMapping | dict[str, Any] | None:
    """A mapping by its name, or the one a JSON file holds."""
    if not name:
        return None
    if name.endswith(".json"):
        try:
            with open(name, encoding="utf-8") as file:
                spec = json.load(file)
        except (OSError, ValueError) as fault:
            raise ingest.Refused(f"{name} holds no mapping: {fault}.") from None
        if not isinstance(spec, dict):
            raise ingest.Refused(f"{name} holds no mapping: it must be a JSON object.")
        return spec
    found = ColumnMapping.objects.filter(organisation=organisation, name=name).first()
    if found is None:
        raise ingest.Refused(f"There is no mapping “{name}”: save it first, or name a JSON file.")
    return found


def mapping_with(
    mapping: ColumnMapping | dict[str, Any] | None, settings: list[str]
) -> ColumnMapping | dict[str, Any] | None:
    """The mapping with `NAME=VALUE` settings put in."""
    if not settings:
        return mapping
    if isinstance(mapping, ColumnMapping):
        raise ingest.Refused("A saved mapping stays as it is: name a JSON file, or leave --with away.")
    given = dict(mapping or {})
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name:
            raise ingest.Refused(f"“{setting}” is no setting: write it as NAME=VALUE.")
        given[name.strip()] = value
    return given


def as_text(batch: ImportBatch) -> str:
    lines = [
        f"{batch.lines:,} lines: {batch.imported:,} imported, {batch.updated:,} updated, {batch.duplicate:,} duplicate,"
        f" {sum(batch.ignored.values()):,} ignored, {sum(batch.rejected.values()):,} rejected",
        f"{batch.unpriced:,} records are unpriced, {batch.unattributed:,} unattributed; {batch.withdrawn:,} withdrawn",
    ]
    lines += [f"  ignored {count:,}: {reason}" for reason, count in sorted(batch.ignored.items())]
    lines += [f"  rejected {count:,}: {reason}" for reason, count in sorted(batch.rejected.items())]
    return "\n".join(lines + ([batch.error] if batch.error else []))
