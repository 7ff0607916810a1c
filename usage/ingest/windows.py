"""Replace-window imports: a complete file for a span of time withdraws what an earlier one said and it does not.

Everything live of the connection in the window goes, whatever grouping the old rows had, where its key is of a kind
that the file speaks for. A file with rejected lines or missing pages is not complete, and one with less than half of
what was there is doubtful: such an import is held. It withdraws nothing, and where an earlier import speaks of the
same time it is taken back altogether, as its rows would stand beside the old ones or in their place.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from django.db import connection as db

from usage import rollups, settling
from usage.importers import UNTOLD, Covered
from usage.ingest.writing import EDGE_SQL, LEDGER_COLUMNS, STAGE, rate_again, supersede
from usage.models import ImportBatch
from usage.partitions import LEDGER

TAKEN_BACK = "not taken into the ledger, because the import was held"
HALVED = "The file holds less than half of what was there for its window, so nothing was withdrawn: check it."
_TOKENS = (
    "coalesce(sum(coalesce(in_uncached, 0) + coalesce(in_cache_read, 0) + coalesce(in_cache_write, 0)"
    " + coalesce(out_total, 0)), 0), coalesce(sum(cost_reported), 0)"
)
_IN_WINDOW = """r.occurred_at >= %(from)s AND r.occurred_at < %(until)s AND starts_with(r.record_key, %(keys)s)"""
_LIVE = f"""FROM {LEDGER} r WHERE r.organisation_id = %(organisation)s AND r.connection_id = %(connection)s
    AND {_IN_WINDOW}"""
_SEEN = "EXISTS (SELECT FROM usage_importedkey k WHERE k.batch_id = %(batch)s AND k.record_key = r.record_key)"


def joined(parts: Iterable[Covered | None]) -> list[Covered]:
    """The one span that documents cover without a gap, for each kind of record; nothing where one kind has a gap.

    A document that more follows is whole with the next in time. Pages that tell no kind, because they hold no record,
    belong to a kind that is not whole without them.
    """
    known = list(parts)
    kinds: dict[str, list[Covered]] = defaultdict(list)
    for part in known:
        if part is None:
            return []
        kinds[part.keys].append(part)
    untold = kinds.pop(UNTOLD, [])
    found = [_span(keys, some) or _span(keys, [*some, *untold]) for keys, some in sorted(kinds.items())]
    if not found and untold:
        found = [_span(UNTOLD, untold)]
    whole = [span for span in found if span]
    return whole if len(whole) == len(found) else []


def _span(keys: str, parts: Sequence[Covered]) -> Covered | None:
    in_time = sorted(parts, key=lambda part: (part.window_from, part.window_until))
    if not in_time[-1].whole:
        return None
    until = in_time[0].window_until
    for _, part in pairwise(in_time):
        if part.window_from > until:
            return None
        until = max(until, part.window_until)
    return Covered(in_time[0].window_from, until, keys=keys)


def withdraw(batch: ImportBatch, windows: Sequence[Covered]) -> str:
    """Withdraw what the batch does not confirm in its windows; returns '' or why the batch is held."""
    if windows:
        batch.window_from = min(window.window_from for window in windows)
        batch.window_until = max(window.window_until for window in windows)
    if reason := _doubt(batch, windows):
        stands = " What an earlier import said of this time stands as it was." if abandon(batch) else ""
        return reason + stands
    with db.cursor() as cursor:
        cursor.execute(STAGE)
        for window in windows:
            cursor.execute(
                f"WITH gone AS (DELETE {_LIVE} AND NOT {_SEEN} RETURNING r.*)"
                " INSERT INTO usage_gone SELECT * FROM gone",
                _values(batch, window),
            )
            batch.withdrawn += cursor.rowcount
        if batch.withdrawn:
            supersede(batch, withdrawn=True)
            _post("usage_gone", -1, batch)
    batch.keys.all().delete()
    return ""


def abandon(batch: ImportBatch) -> bool:
    """End a batch that is not complete: taken back, and true, if an earlier import speaks of the same time."""
    in_the_way = _in_the_way(batch)
    if in_the_way:
        _take_back(batch)
    batch.keys.all().delete()
    return in_the_way


def _doubt(batch: ImportBatch, windows: Sequence[Covered]) -> str:
    """Why a batch may not withdraw anything; '' where it may."""
    if not windows:
        return "The file does not say for which time it is complete, or a page of it is missing: nothing was withdrawn."
    if batch.rejected:
        return "Some lines were rejected, so the file is not complete and nothing was withdrawn."
    if not batch.accepted and any(_halved(_values(batch, window)) for window in windows):
        return HALVED
    return ""


def _values(batch: ImportBatch, window: Covered) -> dict[str, Any]:
    return {
        "batch": batch.pk,
        "organisation": batch.organisation_id,
        "connection": batch.connection_id,
        "from": window.window_from,
        "until": window.window_until,
        "keys": window.keys,
    }


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
            WHERE x.batch_id = %(batch)s AND NOT x.withdrawn AND {_IN_WINDOW}""",
            values,
        )
        replaced = cursor.fetchone()
    tokens, money = kept[0] + replaced[0], kept[1] + replaced[1]
    return bool(2 * now[0] < tokens if tokens else 2 * now[1] < money)


_OWN = f"""FROM {LEDGER} r WHERE r.organisation_id = %(organisation)s AND r.connection_id = %(connection)s
    AND r.batch_id = %(batch)s"""


def _own(batch: ImportBatch) -> dict[str, Any]:
    return {"batch": batch.pk, "organisation": batch.organisation_id, "connection": batch.connection_id}


def _in_the_way(batch: ImportBatch) -> bool:
    """Whether the batch replaced rows of an earlier one, or put new ones into a bucket that has others it did not see.

    Where keys tell kinds of record apart (`Covered.keys`), only those of one kind can be the same usage.
    """
    kind = "substring({}.record_key FROM '^([a-z_]+:)[0-9a-f]{{64}}$')"
    with db.cursor() as cursor:
        cursor.execute(
            f"""SELECT EXISTS (SELECT FROM usage_supersededrecord WHERE batch_id = %(batch)s AND NOT withdrawn)
            OR EXISTS (
                SELECT FROM (SELECT DISTINCT r.occurred_at, {kind.format("r")} AS kind {_OWN}) own
                JOIN {LEDGER} r ON r.organisation_id = %(organisation)s AND r.connection_id = %(connection)s
                    AND r.occurred_at = own.occurred_at AND r.batch_id <> %(batch)s
                    AND {kind.format("r")} IS NOT DISTINCT FROM own.kind
                WHERE NOT {_SEEN})""",
            _own(batch),
        )
        (found,) = cursor.fetchone()
    return bool(found)


def _one_record(one: str, other: str) -> str:
    """SQL of whether two rows of one key are one record, as `merging.same_record` says it."""
    month = "date_trunc('month', {}, 'UTC')".format
    edge = month(f"greatest({one}, {other})")
    near = f"interval '{EDGE_SQL}'"
    return f"""({month(one)} = {month(other)} OR (least({one}, {other}) >= {edge} - {near}
        AND greatest({one}, {other}) < {edge} + {near}))"""


def _take_back(batch: ImportBatch) -> None:
    """Take the batch's rows out of the ledger, and put back those it had replaced and nothing else replaced since.

    Another import may have gone on between its chunks: of what the batch replaced of one record the last is put back,
    and nothing where one stands that came since. They are rated anew, as nobody has while they were out of the ledger.
    """
    with db.cursor() as cursor:
        cursor.execute(STAGE)
        cursor.execute(
            f"WITH gone AS (DELETE {_OWN} RETURNING r.*) INSERT INTO usage_gone SELECT * FROM gone", _own(batch)
        )
        _post("usage_gone", -1, batch)
        cursor.execute(
            f"""WITH back AS (
                DELETE FROM usage_supersededrecord WHERE batch_id = %(batch)s AND NOT withdrawn RETURNING *
            ), replaced AS (
                SELECT x.id AS nth, r FROM back x, jsonb_populate_record(NULL::{LEDGER}, x.row) r
            )
            INSERT INTO usage_fresh SELECT (x.r).* FROM replaced x
            WHERE NOT EXISTS (SELECT FROM {LEDGER} l WHERE l.organisation_id = (x.r).organisation_id
                AND l.connection_id = (x.r).connection_id AND l.record_key = (x.r).record_key
                AND {_one_record("l.occurred_at", "(x.r).occurred_at")})
            AND NOT EXISTS (SELECT FROM replaced l WHERE l.nth > x.nth AND (l.r).record_key = (x.r).record_key
                AND {_one_record("(l.r).occurred_at", "(x.r).occurred_at")})""",
            _own(batch),
        )
        rate_again(batch.organisation_id)
        cursor.execute(f"INSERT INTO {LEDGER} ({LEDGER_COLUMNS}) SELECT {LEDGER_COLUMNS} FROM usage_fresh")
        _post("usage_fresh", 1, batch)
    batch.ignored = dict(Counter(batch.ignored) + Counter({TAKEN_BACK: batch.imported + batch.updated}))
    batch.imported = batch.updated = batch.unpriced = batch.unattributed = 0


def _post(table: str, sign: int, batch: ImportBatch) -> None:
    settling.enter(batch.organisation_id)
    rollups.post(table, sign)
    days = settling.days_of(table)
    rollups.sweep(batch.organisation_id, days)
    settling.settle(batch.organisation_id, days)
