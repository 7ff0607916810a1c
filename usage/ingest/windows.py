"""Replace-window imports: a complete file for a span of time withdraws what an earlier one said and it does not.

Everything live of the connection in the window goes, whatever grouping the old rows had. A file with rejected
lines is not complete, and one with less than half of what was there is held: neither withdraws anything.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection as db

from usage import rollups
from usage.ingest.writing import STAGE, supersede
from usage.models import ImportBatch
from usage.partitions import LEDGER

_TOKENS = (
    "coalesce(sum(coalesce(in_uncached, 0) + coalesce(in_cache_read, 0) + coalesce(in_cache_write, 0)"
    " + coalesce(out_total, 0)), 0), coalesce(sum(cost_reported), 0)"
)
_LIVE = f"""FROM {LEDGER} r WHERE r.organisation_id = %(organisation)s AND r.connection_id = %(connection)s
    AND r.occurred_at >= %(from)s AND r.occurred_at < %(until)s"""
_SEEN = "EXISTS (SELECT FROM usage_importedkey k WHERE k.batch_id = %(batch)s AND k.record_key = r.record_key)"


def withdraw(batch: ImportBatch, window: tuple[datetime, datetime] | None) -> str:
    """Withdraw what the batch does not confirm in its window; returns '' or why nothing was withdrawn."""
    if window is None:
        return "The file does not say for which time it is complete, so nothing was withdrawn."
    batch.window_from, batch.window_until = window
    if batch.rejected:
        return "Some lines were rejected, so the file is not complete and nothing was withdrawn."
    values: dict[str, Any] = {
        "batch": batch.pk,
        "organisation": batch.organisation_id,
        "connection": batch.connection_id,
        "from": window[0],
        "until": window[1],
    }
    if _halved(values):
        return "The file holds less than half of what was there for its window, so nothing was withdrawn: check it."
    with db.cursor() as cursor:
        cursor.execute(STAGE)
        cursor.execute(
            f"WITH gone AS (DELETE {_LIVE} AND NOT {_SEEN} RETURNING r.*) INSERT INTO usage_gone SELECT * FROM gone",
            values,
        )
        batch.withdrawn = cursor.rowcount
        if batch.withdrawn:
            supersede(batch, withdrawn=True)
            rollups.post("usage_gone", -1)
            cursor.execute("SELECT DISTINCT (occurred_at AT TIME ZONE 'UTC')::date FROM usage_gone")
            rollups.sweep(batch.organisation_id, [day for (day,) in cursor.fetchall()])
        cursor.execute("DELETE FROM usage_importedkey WHERE batch_id = %s", [batch.pk])
    return ""


def _halved(values: dict[str, Any]) -> bool:
    """Whether the window holds less than half the tokens (or, without tokens, the money) it held before."""
    with db.cursor() as cursor:
        cursor.execute(f"SELECT {_TOKENS} {_LIVE} AND {_SEEN}", values)
        now = cursor.fetchone()
        cursor.execute(f"SELECT {_TOKENS} {_LIVE} AND r.batch_id <> %(batch)s", values)
        kept = cursor.fetchone()
        cursor.execute(
            f"""SELECT {_TOKENS} FROM usage_supersededrecord x,
                jsonb_populate_record(NULL::{LEDGER}, x.row) r
            WHERE x.batch_id = %(batch)s AND NOT x.withdrawn
                AND r.occurred_at >= %(from)s AND r.occurred_at < %(until)s""",
            values,
        )
        replaced = cursor.fetchone()
    tokens, money = kept[0] + replaced[0], kept[1] + replaced[1]
    return bool(2 * now[0] < tokens if tokens else 2 * now[1] < money)
