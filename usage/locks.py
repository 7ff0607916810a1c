"""Who waits for whom while the ledger changes. Locks end with the transaction; always taken in this order:

an import holds its organisation *shared* and its connection *exclusively*, and then, while it posts to the rollups,
the organisation's settlement exclusively: imports of one organisation share rows of the rollup by project.
Whatever changes the map from dimensions to projects, or the prices of rows that are already there, holds the
organisation exclusively. Rows that others refer to, such as connections, are locked `no_key` by whoever may want one of
these afterwards: an import writes references to them while it holds its own.
"""

from __future__ import annotations

from django.db import connection


def share_organisation(organisation_id: int) -> None:
    _lock("pg_advisory_xact_lock_shared", f"usage.organisation:{organisation_id}")


def lock_organisation(organisation_id: int) -> None:
    _lock("pg_advisory_xact_lock", f"usage.organisation:{organisation_id}")


def lock_connection(connection_id: int) -> None:
    _lock("pg_advisory_xact_lock", f"usage.connection:{connection_id}")


def lock_settlement(organisation_id: int) -> None:
    _lock("pg_advisory_xact_lock", f"usage.settlement:{organisation_id}")


def _lock(function: str, name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtextextended(%s, 0))", [name])
