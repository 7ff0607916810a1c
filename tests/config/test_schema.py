"""What a first start finds in `config/schema.sql` is what the migrations make."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections

from config import schema

Empty = Callable[[str], str]


@contextmanager
def _database(purpose: str) -> Iterator[str]:
    """An empty database, also as the Django connection of its name."""
    name = f"test_ratecard_{os.getpid()}_{purpose}"
    with psycopg.connect(settings.DATABASE.conninfo(dbname="postgres"), autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        connections.databases[name] = {**connection.settings_dict, "NAME": name}
        try:
            yield name
        finally:
            connections[name].close()
            del connections[name], connections.databases[name]
            server.execute(f'DROP DATABASE "{name}"')


@pytest.fixture
def empty(django_db_blocker: Any) -> Iterator[Empty]:
    with django_db_blocker.unblock(), ExitStack() as stack:
        yield lambda purpose: stack.enter_context(_database(purpose))


def _migrate(database: str) -> None:
    call_command("migrate", database=database, interactive=False, verbosity=0, skip_checks=True)


def _tables(database: str) -> list[str]:
    # PostgreSQL writes a condition with other casts and brackets once it has read its own writing.
    return re.sub(r"::(text|character varying)(\[\])?|[()]", "", schema.dump(database)).splitlines()


def test_the_file_and_the_migrations_make_the_same_tables(empty: Empty) -> None:
    by_migrations, by_file = empty("migrations"), empty("file")

    _migrate(by_migrations)
    assert schema.install(by_file)
    _migrate(by_file)  # what is newer than the file

    assert _tables(by_file) == _tables(by_migrations)


@pytest.mark.django_db
def test_a_database_that_holds_tables_is_left_to_the_migrations() -> None:
    assert not schema.install()
