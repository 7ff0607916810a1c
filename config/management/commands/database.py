"""`database`: look after the embedded PostgreSQL, or reach the one that DATABASE_URL names."""

import argparse
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config import dumps, embedded


class Command(BaseCommand):
    help = "Start, stop or look at the embedded PostgreSQL; open psql; write and read a dump."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("start", help="start it, until `stop`")
        actions.add_parser("stop", help="stop it and end its connections")
        actions.add_parser("status", help="say whether it answers; exit 3 if not")
        actions.add_parser("psql", help="open psql on the database")
        dump = actions.add_parser("dump", help="write the whole database to FILE")
        dump.add_argument("file", type=Path)
        restore = actions.add_parser("restore", help="replace the database by what `dump` wrote to FILE")
        restore.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        match options["action"]:
            case "start":
                started = embedded.start(_folder())
                self.stdout.write("PostgreSQL was started." if started else "PostgreSQL already runs.")
            case "stop":
                stopped = embedded.stop(_folder())
                self.stdout.write("PostgreSQL was stopped." if stopped else "PostgreSQL does not run.")
            case "status":
                self._status(_folder())
            case "psql":
                with _server():
                    dumps.run(["psql"])
            case "dump":
                self._dump(options["file"])
            case "restore":
                self._restore(options["file"])

    def _status(self, folder: Path) -> None:
        if not (folder / "run").is_dir() or not embedded.answers(folder):
            self.stdout.write(f"PostgreSQL does not run; its data is in {folder}.")
            sys.exit(3)
        self.stdout.write(f"PostgreSQL runs; its data is in {folder}, its socket in {settings.DATABASE.host}.")

    def _dump(self, file: Path) -> None:
        with _server():
            dumps.write(file)
        self.stdout.write(f"{file}: {file.stat().st_size:,} bytes")

    def _restore(self, file: Path) -> None:
        with _server():
            dumps.restore(file)
        self.stdout.write(f"The database is what {file} holds.")


def _folder() -> Path:
    folder: Path | None = settings.DATA_DIR
    if folder is None:
        raise CommandError("RATECARD_DATABASE_URL names a PostgreSQL that runs elsewhere: start and stop it there.")
    return folder


def _server() -> AbstractContextManager[object]:
    """The embedded server while it is needed; nothing where PostgreSQL runs elsewhere."""
    return nullcontext() if settings.DATA_DIR is None else embedded.serving(settings.DATA_DIR)
