"""`database`: look after the embedded PostgreSQL, or reach the one that DATABASE_URL names."""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config import embedded, postgres_binaries
from config.environment import Database


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
                _with_server(["psql"])
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
        partial = file.with_name(file.name + ".partial")  # a dump that was cut short never has the real name
        try:
            partial.touch(mode=0o600)
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.") from None
        _with_server(["pg_dump", "--format=custom", "--no-owner", f"--file={partial}"])
        partial.replace(file)
        self.stdout.write(f"{file}: {file.stat().st_size:,} bytes")

    def _restore(self, file: Path) -> None:
        if not file.is_file():
            raise CommandError(f"{file} is no file: name one that `database dump` wrote.")
        # One transaction: either everything is replaced or nothing is.
        options = ["--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error"]
        _with_server(["pg_restore", *options, f"--dbname={settings.DATABASE.conninfo(password='')}", str(file)])
        self.stdout.write(f"The database is what {file} holds.")


def _folder() -> Path:
    folder: Path | None = settings.DATA_DIR
    if folder is None:
        raise CommandError("RATECARD_DATABASE_URL names a PostgreSQL that runs elsewhere: start and stop it there.")
    return folder


def _with_server(command: list[str]) -> None:
    if settings.DATA_DIR is None:
        _client(command)
        return
    with embedded.serving(settings.DATA_DIR):
        _client(command)


def _client(command: list[str]) -> None:
    """Run one of PostgreSQL's own programs on the database; its message and status are the command's."""
    database: Database = settings.DATABASE
    where = {"PGHOST": database.host, "PGPORT": database.port, "PGUSER": database.user}
    where |= {"PGDATABASE": database.name, "PGPASSWORD": database.password}
    where |= {f"PG{key.upper()}": value for key, value in database.options.items() if key.startswith("ssl")}
    program = postgres_binaries.folder() / command[0]
    done = subprocess.run(
        [program, *command[1:]],
        env={**os.environ, **{key: value for key, value in where.items() if value}},
        check=False,
    )
    if done.returncode:
        raise CommandError(f"{command[0]} ended with status {done.returncode}.", returncode=done.returncode)
