"""The whole database as one file, and back. A restore replaces everything, in one transaction, or changes nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

from django.apps import apps
from django.conf import settings
from django.core.management.base import CommandError
from django.db.migrations.loader import MigrationLoader

from config import postgres_binaries
from config.environment import Database

# Not pg_restore's --clean, which drops only what the dump holds: tables that came after it would stand in the way, or
# stay. Ours are these two schemas, the second the queue's; the new one is as `initdb` leaves it.
_EMPTIED = b"""SET client_min_messages = warning;
BEGIN;
DROP SCHEMA IF EXISTS public, pgmq CASCADE;
CREATE SCHEMA public AUTHORIZATION pg_database_owner;
GRANT USAGE ON SCHEMA public TO PUBLIC;
"""
_MIGRATION = re.compile(r"^\d+\t(?P<app>\w+)\t(?P<name>\w+)\t", re.MULTILINE)
_PIECE = 1 << 20


def write(file: Path) -> None:
    """Write the database to a file that nobody else reads. A dump that was cut short never has its name."""
    partial = file.with_name(file.name + ".partial")
    try:
        partial.touch(mode=0o600)
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}.") from None
    run(["pg_dump", "--format=custom", "--no-owner", f"--file={partial}"])
    partial.replace(file)


def restore(file: Path) -> None:
    """Replace the database by what `write` wrote to a file; CommandError, and nothing changed, where that fails."""
    if not file.is_file():
        raise CommandError(f"{file} is no file: name one that `database dump` wrote.")
    _refuse_foreign(file)
    reader = [_program("pg_restore"), "--no-owner", "--file=-", str(file)]
    writer = [_program("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]
    with (
        subprocess.Popen(reader, stdout=subprocess.PIPE) as reading,
        subprocess.Popen(writer, env=_environment(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as writing,
    ):
        script, statements = cast(IO[bytes], reading.stdout), cast(IO[bytes], writing.stdin)
        try:
            statements.write(_EMPTIED)
            shutil.copyfileobj(script, statements, _PIECE)
            # A dump that could be read only in part must not become the database.
            if reading.wait() == 0:
                statements.write(b"\nCOMMIT;\n")
            statements.close()
        except BrokenPipeError:  # psql ended and said why
            reading.kill()
            with suppress(BrokenPipeError):  # of what it was not told any more
                statements.close()
    if reading.returncode or writing.returncode:
        raise CommandError(f"{file} could not be restored; the database is as it was.")


def _refuse_foreign(file: Path) -> None:
    """CommandError for a file that is no dump of Ratecard's, and for one of a release that is newer than this."""
    options = ["--data-only", "--table=django_migrations", "--file=-"]
    found = subprocess.run([_program("pg_restore"), *options, str(file)], stdout=subprocess.PIPE, check=False)
    if found.returncode:
        raise CommandError(f"{file} cannot be read as a dump; the database is as it was.")
    applied = {(row["app"], row["name"]) for row in _MIGRATION.finditer(found.stdout.decode(errors="replace"))}
    if not applied:
        raise CommandError(f"{file} is no dump of Ratecard's; the database is as it was.")
    own = {config.label for config in apps.get_app_configs()}
    known = MigrationLoader(None).disk_migrations
    newer = sorted(f"{app}.{name}" for app, name in applied - known.keys() if app in own)
    if newer:
        raise CommandError(
            f"{file} was written by a newer release, with {newer[-1]}: install that release, then restore. "
            "The database is as it was."
        )


def run(command: list[str]) -> None:
    """One of PostgreSQL's own programs on the database; its message and status are the command's."""
    done = subprocess.run([_program(command[0]), *command[1:]], env=_environment(), check=False)
    if done.returncode:
        raise CommandError(f"{command[0]} ended with status {done.returncode}.", returncode=done.returncode)


def _program(name: str) -> str:
    return str(postgres_binaries.folder() / name)


def _environment() -> dict[str, str]:
    database: Database = settings.DATABASE
    where = {"PGHOST": database.host, "PGPORT": database.port, "PGUSER": database.user}
    where |= {"PGDATABASE": database.name, "PGPASSWORD": database.password}
    where |= {f"PG{key.upper()}": value for key, value in database.options.items() if key.startswith("ssl")}
    return {**os.environ, **{key: value for key, value in where.items() if value}}
