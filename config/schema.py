"""The tables of a first start in one step: `schema.sql` is what the migrations come to on an empty database.

Replaying them takes Django 3 s of computing, most of it for models as they once were; the file takes 0.3 s. It brings
the record of the migrations it stands for, and `migrate` does the rest: a file older than the newest migration costs
time and is never wrong. `make schema` writes it anew.
"""

import re
import subprocess
from pathlib import Path

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, transaction

from config import postgres_binaries
from config.environment import BASE_DIR

FILE = BASE_DIR / "config" / "schema.sql"

_EMPTY = "SELECT NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace)"
_APPLIED = "SELECT app, name FROM django_migrations ORDER BY app, name"
# What pg_dump says of itself and the session it would like; settings that an older server may not know.
_PREAMBLE = re.compile(r"^(--|SET |SELECT pg_catalog\.set_config|\\).*\n", re.MULTILINE)


def install(using: str = DEFAULT_DB_ALIAS) -> bool:
    """Make the tables of an empty database; true if it was empty."""
    with transaction.atomic(using), connections[using].cursor() as cursor:
        cursor.execute(_EMPTY)
        (empty,) = cursor.fetchone()
        if empty:
            cursor.execute(FILE.read_text())
        return bool(empty)


def dump(database: str) -> str:
    """The tables of a database with the record of its migrations, as SQL for PostgreSQL 15 and newer."""
    where = settings.DATABASE.conninfo(dbname=database)
    program: Path = postgres_binaries.folder() / "pg_dump"
    options = ["--schema-only", "--no-owner", "--no-privileges", "--no-comments", f"--dbname={where}"]
    done = subprocess.run([program, *options], capture_output=True, text=True, check=True)
    with psycopg.connect(where) as reading:
        applied = [f"('{app}', '{name}', now())" for app, name in reading.execute(_APPLIED)]
    tables = re.sub(r"\n{2,}", "\n", _PREAMBLE.sub("", done.stdout)).strip()
    rows = ",\n".join(applied)
    return f"{tables}\nINSERT INTO public.django_migrations (app, name, applied) VALUES\n{rows};\n"
