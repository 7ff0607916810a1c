"""Bulk writes of the catalogue by COPY: 13,000 claims in 0.2 s, against 1.5 s by `bulk_create`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.models import Model
from django.db.models.expressions import RawSQL
from psycopg import sql


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """COPY the rows into the columns of a table; defaults fill the others."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def update_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Set the columns of the rows whose id comes first; 50 times as fast as `bulk_update` at 10,000 rows."""
    target, names = sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, ("id", *columns)))
    assignments = sql.SQL(", ").join(sql.SQL("{0} = staged.{0}").format(sql.Identifier(column)) for column in columns)
    with connection.cursor() as cursor:
        cursor.cursor.execute(
            sql.SQL("CREATE TEMP TABLE staged ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(names, target)
        )
        with cursor.cursor.copy(sql.SQL("COPY staged ({}) FROM STDIN").format(names)) as copy:
            for row in rows:
                copy.write_row(row)
        cursor.cursor.execute("ANALYZE staged")
        cursor.cursor.execute(
            sql.SQL("UPDATE {0} SET {1} FROM staged WHERE {0}.id = staged.id").format(target, assignments)
        )
        cursor.cursor.execute("DROP TABLE staged")


def among(ids: Iterable[int]) -> RawSQL:
    """Ids for `__in` as one array: 2,500 parameters of their own take Django and psycopg 0.07 s a query."""
    return RawSQL("SELECT unnest(%s::bigint[])", [list(ids)])


def analyze(*models: type[Model]) -> None:
    """Tell the planner what the tables hold now; allowed inside a transaction, about 0.1 s."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE " + ", ".join(model._meta.db_table for model in models))
