"""Pull usage from connected APIs, now, in this process."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from usage import connections
from usage.models import Connection, Organisation, Pull
from usage.organisations import UnknownOrganisation, chosen
from usage.pulling import running

_LONGEST_WAIT = 300


class Command(BaseCommand):
    """Exit 0 when every pull is done, 1 when one failed or has to wait for long, 2 for what cannot be pulled at all."""

    help = "Pull usage from the APIs of connections, and import it. A pull that broke off goes on where it stood."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("connections", nargs="*", metavar="CONNECTION", help="names; default: all not paused")
        parser.add_argument("--organisation", help="slug; default: the only one")
        parser.add_argument("--days", type=int, help="go back so many days, whatever is there already")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            wanted = named(chosen(options["organisation"]), options["connections"])
        except (connections.Refused, UnknownOrganisation) as refusal:
            raise CommandError(str(refusal), returncode=2) from None
        answers = [pulled(connection, options["days"]) for connection in wanted]
        if options["json"]:
            self.stdout.write(json.dumps({"pulls": answers}, indent=1))
        else:
            for answer in answers:
                self.stdout.write(f"{answer['connection']}: {answer['status']}. {answer['sentence']}")
        if any(answer["status"] not in ("done", "nothing") for answer in answers):
            raise CommandError("Not every pull is done; the same command goes on where they stopped.", returncode=1)


def named(organisation: Organisation, names: list[str]) -> list[Connection]:
    """The live connections of those names; all that are not paused where none is named."""
    live = Connection.objects.live().filter(organisation=organisation).order_by("name", "pk")
    if not names:
        found = list(live.filter(enabled=True))
        if not found:
            raise connections.Refused("There is no live connection: make one on the page Connections.")
        return found
    found = list(live.filter(name__in=names))
    if missing := sorted(set(names) - {connection.name for connection in found}):
        raise connections.Refused(f"There is no live connection “{missing[0]}”.")
    return found


def pulled(connection: Connection, days: int | None) -> dict[str, Any]:
    """Pull to the end, through waits that are not too long."""
    try:
        pull = connections.start(connection, days, requested_by="pull_usage")
    except connections.Refused as refusal:
        return {"connection": connection.name, "importer": connection.importer, "status": "nothing",
                "from": None, "until": None, "pages": 0, "sentence": str(refusal)}  # fmt: skip
    while pull.is_open:
        before = (pull.asked, pull.touched_at)
        running.advance(pull)
        if pull.next_try_at is not None:
            left = (pull.next_try_at - timezone.now()).total_seconds()
            if left > _LONGEST_WAIT:
                break
            time.sleep(max(0.0, left))
        elif pull.is_open and before == (pull.asked, pull.touched_at):
            break  # another worker is at it
    return as_json(pull)


def as_json(pull: Pull) -> dict[str, Any]:
    """What came of a pull."""
    return {
        "connection": pull.connection.name,
        "importer": pull.connection.importer,
        "status": pull.status,
        "from": pull.window_from.isoformat(),
        "until": pull.window_until.isoformat(),
        "pages": pull.asked,
        "sentence": pull.sentence,
    }
