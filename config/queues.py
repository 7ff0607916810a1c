"""The pgmq schema behind the default broker."""

from django.db import connection, transaction

_LOCK = 0x7261_7465  # "rate": processes that start together install it once


def install() -> bool:
    """Make pgmq's schema, tables and functions unless they exist; true if this call made them.

    pgmq's own script must not run twice over one schema, so it is guarded and runs in one transaction.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute("SELECT to_regclass('pgmq.meta') IS NOT NULL")
        if cursor.fetchone()[0]:
            return False
        from pgmq import get_embedded_install_sql

        cursor.execute(get_embedded_install_sql())
    return True
