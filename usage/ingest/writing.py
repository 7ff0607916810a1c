"""One chunk into the ledger: staged, rated, merged with what is there, rolled up. One transaction, a few statements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time

from django.db import connection as db

from usage import assignments, rating, rollups, settling, telling_apart
from usage.dimensions import Names, interned, matches_of, note_matches
from usage.importers import REPLACE_WINDOW
from usage.ingest import rows
from usage.ingest.merging import EDGE, first_of
from usage.ingest.preparing import Prepared
from usage.models import ImportBatch
from usage.partitions import LEDGER, existing, leaf

STAGE = f"""
CREATE TEMP TABLE IF NOT EXISTS usage_stage (
    place integer, content_hash bigint, record_key text, occurred_at timestamptz, period_end timestamptz, grain text,
    in_uncached bigint, in_cache_read bigint, in_cache_write bigint, cache_write_5m bigint, cache_write_30m bigint,
    cache_write_1h bigint, cache_write_12h bigint, out_total bigint, out_reasoning bigint, requests bigint,
    context_tokens bigint, service_tier text, cost_reported numeric, currency text, cost_kind text, quality text[],
    rank bigint[], session text, dimension_id bigint
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS usage_place (
    place integer, dimension_id bigint, day date, offering_id bigint
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS usage_hit (
    staged tid, leaf oid, row tid, batch_id bigint, wins boolean
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS usage_gone (LIKE {LEDGER}) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS usage_fresh (LIKE {LEDGER}) ON COMMIT DELETE ROWS;
TRUNCATE usage_stage, usage_place, usage_hit, usage_gone, usage_fresh;
SET LOCAL jit = off;
"""
_OF_STAGE = ", ".join(f"s.{name}" for name in rows.COLUMNS)
_RATED = ("offering_id", "list_cost", "rate_card_id", "contracted_cost", "contract_card_id", "unpriced_reason",
          "rating_flags")  # fmt: skip

EDGE_SQL = f"{EDGE.total_seconds():.0f} seconds"


@dataclass(frozen=True, slots=True)
class Written:
    """What became of the records of a chunk."""

    imported: int = 0
    updated: int = 0
    duplicate: int = 0
    unpriced: int = 0
    unattributed: int = 0


def write(batch: ImportBatch, chunk: Prepared, names: Names, mode: str) -> Written:
    """Put a chunk's records into the ledger and its rollups. The caller holds the locks and the transaction."""
    if not chunk.records:
        return Written()
    with db.cursor() as cursor:
        cursor.execute(STAGE)
        with cursor.copy(f"COPY usage_stage (place, content_hash, {', '.join(rows.COLUMNS)}) FROM STDIN") as copy:
            copy.write(chunk.copied)
    if mode == REPLACE_WINDOW:
        _remember_keys(batch)
    replacing, updated, left = 0, 0, chunk.records
    if _probe(batch, chunk, replacing=mode == REPLACE_WINDOW):
        replacing, updated, left = _make_room(batch)
    if not left:
        return Written(duplicate=chunk.records)
    contracted = _place(batch, chunk, names)
    inserted = _insert(batch, contracted=contracted)
    unpriced, unattributed = _tally("usage_fresh", batch)
    if replacing:
        rollups.post("usage_gone", -1)
        rollups.sweep(batch.organisation_id, settling.days_of("usage_gone"))
        before = _tally("usage_gone", batch)
        unpriced, unattributed = unpriced - before[0], unattributed - before[1]
    settling.settle(batch.organisation_id, settling.days_of("usage_fresh") | settling.days_of("usage_gone"))
    imported = inserted - replacing
    return Written(imported, updated, chunk.records - imported - updated, unpriced, unattributed)


def _place(batch: ImportBatch, chunk: Prepared, names: Names) -> bool:
    """Intern the dimensions of a chunk, look up what their names meant on each day, and lay out the prices.

    Whether contracted prices are among them.
    """
    ids = interned(batch.connection, chunk.dimensions)
    latest: dict[int, tuple[datetime, str]] = {}
    offerings: set[int] = set()
    with db.cursor() as cursor:
        found = {}
        with cursor.copy("COPY usage_place FROM STDIN") as copy:
            for place, (digest, day) in enumerate(chunk.places):
                dimension = chunk.dimensions[digest]
                match = names.match(dimension.model_raw, dimension.host, day, dimension.region)
                copy.write_row((place, ids[digest], day, match.offering_id))
                when = datetime.combine(day, time.min, UTC)
                if ids[digest] not in latest or latest[ids[digest]][0] <= when:
                    latest[ids[digest]] = (when, digest)
                    found[ids[digest]] = match
                if match.offering_id is not None:
                    offerings.add(match.offering_id)
        cursor.execute("ANALYZE usage_stage (place), usage_place (place)")
    rules = assignments.rules_of(batch.organisation_id)
    told_from = telling_apart.tell_staged(batch.organisation_id, rules, assignments.assign)
    note_matches(found | {new: found[old] for new, old in told_from.items()}, names.version)
    return rating.lay_out(offerings, chunk.first, chunk.last, batch.organisation_id)


def rate_again(organisation_id: int) -> None:
    """Rate the rows of `usage_fresh` by the names and prices of now: out of the ledger nobody did."""
    with db.cursor() as cursor:
        cursor.execute(
            "SELECT dimension_id, (occurred_at AT TIME ZONE 'UTC')::date, min(occurred_at), max(occurred_at)"
            " FROM usage_fresh GROUP BY 1, 2"
        )
        found = cursor.fetchall()
        if not found:
            return
        matches = matches_of([(dimension, day) for dimension, day, *_ in found], Names())
        cursor.execute("TRUNCATE usage_place")
        with cursor.copy("COPY usage_place (dimension_id, day, offering_id) FROM STDIN") as copy:
            for (dimension, day), match in matches.items():
                copy.write_row((dimension, day, match.offering_id))
        offerings = {match.offering_id for match in matches.values() if match.offering_id is not None}
        first, last = min(row[2] for row in found), max(row[3] for row in found)
        contracted = rating.lay_out(offerings, first, last, organisation_id)
        cursor.execute(
            f"""WITH staged AS (
                SELECT s.id, p.offering_id, {_OF_STAGE} FROM usage_fresh s JOIN usage_place p
                    ON p.dimension_id = s.dimension_id AND p.day = (s.occurred_at AT TIME ZONE 'UTC')::date
            )
            UPDATE usage_fresh f SET {", ".join(f"{name} = x.{name}" for name in _RATED)}
            FROM ({rating.rated("staged", contracted=contracted)}) x WHERE x.id = f.id"""
        )


def _remember_keys(batch: ImportBatch) -> None:
    with db.cursor() as cursor:
        cursor.execute(
            "INSERT INTO usage_importedkey (batch_id, record_key)"
            " SELECT DISTINCT %s::bigint, record_key FROM usage_stage ON CONFLICT DO NOTHING",
            [batch.pk],
        )


def _probe(batch: ImportBatch, chunk: Prepared, *, replacing: bool) -> bool:
    """Find the live rows with a key of this chunk, month by month; true if there are any."""
    wins = "(s.rank, r.occurred_at, s.content_hash) > (r.rank, s.occurred_at, r.content_hash)"
    if replacing:  # a later file of a window is right about it, whatever it says
        wins = f"CASE WHEN r.batch_id = %(batch)s THEN {wins} ELSE s.content_hash <> r.content_hash END"
    found = existing()
    with db.cursor() as cursor:
        # LIMIT makes it one look-up of the identity index a key. A young partition has no statistics, and by the
        # guess that it is empty the planner would scan it, or the chunk once for each of its rows.
        cursor.execute("SET LOCAL enable_seqscan = off")
        for month in chunk.probed:
            table = leaf(first_of(month))
            if table in found:
                cursor.execute(
                    f"""INSERT INTO usage_hit
                    SELECT s.ctid, r.tableoid, r.ctid, r.batch_id, {wins}
                    FROM usage_stage s CROSS JOIN LATERAL (
                        SELECT tableoid, ctid, batch_id, rank, occurred_at, content_hash FROM {table}
                        WHERE organisation_id = %(organisation)s AND connection_id = %(connection)s
                            AND record_key = s.record_key LIMIT 1) r
                    WHERE (s.occurred_at >= %(from)s AND s.occurred_at < %(until)s)
                        OR (s.occurred_at >= %(from)s - %(edge)s::interval AND s.occurred_at < %(from)s
                            AND r.occurred_at < %(from)s + %(edge)s::interval)
                        OR (s.occurred_at >= %(until)s AND s.occurred_at < %(until)s + %(edge)s::interval
                            AND r.occurred_at >= %(until)s - %(edge)s::interval)""",
                    {
                        "batch": batch.pk,
                        "organisation": batch.organisation_id,
                        "connection": batch.connection_id,
                        "from": first_of(month),
                        "until": first_of(month + 1),
                        "edge": EDGE_SQL,
                    },
                )
        cursor.execute("SET LOCAL enable_seqscan = on")
        cursor.execute("SELECT EXISTS (SELECT FROM usage_hit)")
        (any_hit,) = cursor.fetchone()
    return bool(any_hit)


def _make_room(batch: ImportBatch) -> tuple[int, int, int]:
    """Drop staged rows that lose or change nothing and delete ledger rows that lose.

    Returns how many staged rows replace one, how many of those replace one of an earlier batch, and how many are
    left. A row of this very batch that is replaced was counted when it came: its line stays, the new one is the
    duplicate.
    """
    with db.cursor() as cursor:
        cursor.execute(
            "ANALYZE usage_hit (wins); DELETE FROM usage_stage s USING usage_hit h WHERE s.ctid = h.staged AND NOT wins"
        )
        cursor.execute("DELETE FROM usage_hit WHERE staged IN (SELECT staged FROM usage_hit WHERE NOT wins)")
        cursor.execute("SELECT count(*) FROM usage_stage")
        (left,) = cursor.fetchone()
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE earlier) FROM (SELECT bool_or(batch_id <> %s) AS earlier"
            " FROM usage_hit GROUP BY staged) replaced",
            [batch.pk],
        )
        replacing, updated = cursor.fetchone()
        cursor.execute("SELECT DISTINCT leaf::regclass::text FROM usage_hit")
        leaves = [name for (name,) in cursor.fetchall()]
        cursor.execute("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")  # by row address
        for name in leaves:
            cursor.execute(
                f"""WITH beaten AS MATERIALIZED (SELECT DISTINCT row FROM usage_hit WHERE leaf = %s::regclass),
                gone AS (DELETE FROM {name} r USING beaten b WHERE r.ctid = b.row RETURNING r.*)
                INSERT INTO usage_gone SELECT * FROM gone""",
                [name],
            )
        cursor.execute("SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on")
    if replacing:
        supersede(batch, withdrawn=False)
    return replacing, updated, left


def supersede(batch: ImportBatch, *, withdrawn: bool) -> None:
    """Keep what an earlier batch had said of the rows in `usage_gone`."""
    with db.cursor() as cursor:
        cursor.execute(
            "INSERT INTO usage_supersededrecord (organisation_id, connection_id, record_key, row, batch_id, withdrawn)"
            " SELECT organisation_id, connection_id, record_key, to_jsonb(g), %s, %s FROM usage_gone g"
            " WHERE batch_id <> %s OR %s",
            [batch.pk, withdrawn, batch.pk, withdrawn],
        )


def _insert(batch: ImportBatch, *, contracted: bool) -> int:
    """Rate what is staged and put it into the ledger and the rollups; how many rows."""
    with db.cursor() as cursor:
        cursor.execute(
            f"""
            WITH staged AS (
                SELECT coalesce(s.dimension_id, p.dimension_id) AS dimension_id, p.offering_id, p.day, s.content_hash,
                    {_OF_STAGE}
                FROM usage_stage s JOIN usage_place p USING (place)
            )
            INSERT INTO usage_fresh (organisation_id, connection_id, batch_id, dimension_id, offering_id, content_hash,
                {", ".join(rows.COLUMNS)}, list_cost, rate_card_id, contracted_cost, contract_card_id, unpriced_reason,
                rating_flags, revision, id)
            SELECT %(organisation)s, %(connection)s, %(batch)s, x.dimension_id, x.offering_id, x.content_hash,
                {", ".join(f"x.{name}" for name in rows.COLUMNS)}, x.list_cost, x.rate_card_id,
                x.contracted_cost, x.contract_card_id, x.unpriced_reason, x.rating_flags,
                coalesce((SELECT max(g.revision + (g.batch_id <> %(batch)s)::int) FROM usage_gone g
                    WHERE g.record_key = x.record_key), 1), nextval('{LEDGER}_id_seq')
            FROM ({rating.rated("staged", contracted=contracted)}) x""",
            {"organisation": batch.organisation_id, "connection": batch.connection_id, "batch": batch.pk},
        )
        cursor.execute(f"INSERT INTO {LEDGER} ({LEDGER_COLUMNS}) SELECT {LEDGER_COLUMNS} FROM usage_fresh")
        inserted: int = cursor.rowcount
    settling.enter(batch.organisation_id)
    rollups.post("usage_fresh", 1)
    return inserted


def _tally(table: str, batch: ImportBatch) -> tuple[int, int]:
    """How many rows of this batch in a table are unpriced, and how many unattributed."""
    with db.cursor() as cursor:
        cursor.execute(
            f"""SELECT coalesce(sum(n.unpriced), 0),
                coalesce(sum(n.records) FILTER (WHERE cardinality(t.projects) = 0), 0)
            FROM (
                SELECT dimension_id, (occurred_at AT TIME ZONE 'UTC')::date AS day, count(*) AS records,
                    count(*) FILTER (WHERE list_cost IS NULL) AS unpriced
                FROM {table} WHERE batch_id = %s GROUP BY 1, 2
            ) n JOIN usage_assignment a ON a.dimension_id = n.dimension_id
                AND n.day >= a.valid_from AND n.day < a.valid_until
            JOIN usage_attribution t ON t.id = a.attribution_id""",
            [batch.pk],
        )
        unpriced, unattributed = cursor.fetchone()
    return int(unpriced), int(unattributed)


LEDGER_COLUMNS = ", ".join(
    (
        *("id", "organisation_id", "connection_id", "batch_id", "dimension_id", "offering_id", "content_hash"),
        *rows.COLUMNS,
        *("list_cost", "rate_card_id", "contracted_cost", "contract_card_id"),
        *("unpriced_reason", "rating_flags", "revision"),
    )
)
