"""What any test may ask for: the bundled catalogue with its quality, and a process that remembers nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from pytest_django.plugin import DjangoDbBlocker

Tables = dict[str, bytes]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Every example of a property begins with what the fixtures made, and not with what the examples before left."""
    marker = item.get_closest_marker("django_db")
    property_ = getattr(getattr(item, "obj", None), "hypothesis", None)
    if marker and not marker.kwargs.get("transaction") and property_ and not hasattr(property_.inner_test, "undone"):
        property_.inner_test = _undone(property_.inner_test)


def _undone(example: Callable[..., None]) -> Callable[..., None]:
    @wraps(example)
    def rolled_back(*args: Any, **kwargs: Any) -> None:
        try:
            with transaction.atomic():
                example(*args, **kwargs)
                connection.check_constraints()  # those that wait for a commit, which never comes
                transaction.set_rollback(True)
        finally:
            forget_answers()

    rolled_back.undone = True  # type: ignore[attr-defined]  # one function is the test of all its parameters
    return rolled_back


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers and names are kept in the process by the catalogue's version, which a rolled-back test reuses.

    What PostgreSQL has ready is read on the test's own connection: another would not see its transaction.
    """
    from pricing import direct

    def of_the_test() -> Any:
        connection.ensure_connection()
        link = connection.connection.pgconn
        if not link.exec_(b"SELECT 1 FROM pg_prepared_statements WHERE name = 'ratecard_ready'").ntuples:
            direct.prepare(link)
        return link

    monkeypatch.setattr(direct, "_connected", of_the_test)
    forget_answers()


def forget_answers() -> None:
    """Ask the database anew for whatever a process keeps of its answers."""
    from pricing import direct, ready
    from pricing.answers import kept

    direct.forget()
    ready.forget()
    kept.forget()


@pytest.fixture(scope="session")
def bundled_tables(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Tables:
    """The rows of the catalogue's tables as the bundled sources fill them, read once a run (7 s) and rolled back."""
    from pricing import catalog, gpu_rates, quality

    tables: Tables = {}
    with django_db_blocker.unblock(), transaction.atomic():
        catalog.load_bundled()
        quality.load_bundled()
        gpu_rates.load_bundled()
        with connection.cursor() as cursor:
            for model in apps.get_app_config("pricing").get_models():
                table = model._meta.db_table
                with cursor.copy(f"COPY {table} TO STDOUT (FORMAT binary)") as copy:
                    tables[table] = b"".join(bytes(part) for part in copy)
        transaction.set_rollback(True)
    return tables


def put(tables: Tables) -> None:
    """Write the rows of tables that have none, inside a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for table, rows in tables.items():
            with cursor.copy(f"COPY {table} FROM STDIN (FORMAT binary)") as copy:
                copy.write(rows)
        # Else every test would check all foreign keys of the load again when it ends.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(f"ANALYZE {', '.join(tables)}")


@pytest.fixture(scope="module")
def catalogue(bundled_tables: Tables, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The bundled catalogue with its quality, for every test of a module; use it beside `db`.

    It lies in a transaction around the module's tests and is gone afterwards, so no other module sees it. Not for
    tests with `transaction=True` or a live server: those open connections of their own.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        put(bundled_tables)
        yield
        transaction.set_rollback(True)
