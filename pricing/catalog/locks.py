"""The one lock under which the catalogue is written."""

from __future__ import annotations

from django.db import connection

LOCK = 0x7261_7465  # "rate"


def lock() -> None:
    """Wait until no other transaction writes the catalogue; held until this one ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
