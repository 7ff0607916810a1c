"""Rate the ledger again by today's names and prices."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from usage.management.commands.spend import day
from usage.organisations import UnknownOrganisation, chosen
from usage.rerating import rerate


class Command(BaseCommand):
    """Exit 0 when done, 2 for a question that makes no sense."""

    help = "Rate usage again by what names mean and cost by all evidence there is; only what differs is changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organisation", help="slug; default: the only one")
        parser.add_argument("--from", dest="since", type=day, help="first UTC day")
        parser.add_argument("--until", type=day, help="first UTC day that is not included")
        parser.add_argument("--reason", default="", help="why, for whoever reads the answer later")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            organisation = chosen(options["organisation"])
        except UnknownOrganisation as fault:
            raise CommandError(str(fault), returncode=2) from None
        found = asdict(rerate(organisation, options["since"], options["until"]))
        if options["json"]:
            self.stdout.write(json.dumps({"organisation": organisation.slug, "reason": options["reason"]} | found))
            return
        self.stdout.write(
            f"{found['records']:,} records: {found['changed']:,} changed, {found['newly_priced']:,} newly priced,"
            f" {found['newly_unpriced']:,} no longer priced, {found['unpriced']:,} unpriced in all"
        )
