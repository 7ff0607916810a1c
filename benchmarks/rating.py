"""The ledger's rating statement over random requests, beside LiteLLM and genai-prices on a sample of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import connection, transaction

from benchmarks import peers
from benchmarks.measuring import Taken, backend_clock, median, timed
from benchmarks.report import Figure
from benchmarks.workload import SAMPLE, Request, requests
from benchmarks.workspace import Missing, Workspace, litellm, run_json

GOAL_ROWS, GOAL_LITELLM = 500_000, 35
_TABLES = """
DROP TABLE IF EXISTS bench_row, bench_rated;
CREATE UNLOGGED TABLE bench_row (
    id bigint, offering_id bigint, service_tier text, occurred_at timestamptz, period_end timestamptz, grain text,
    in_uncached bigint, in_cache_read bigint, in_cache_write bigint, cache_write_5m bigint, cache_write_30m bigint,
    cache_write_1h bigint, cache_write_12h bigint, out_total bigint, out_reasoning bigint, context_tokens bigint,
    quality text[]
);
CREATE UNLOGGED TABLE bench_rated (
    id bigint, list_cost numeric(24, 12), rate_card_id bigint, unpriced_reason text, rating_flags smallint
);
"""


def run(space: Workspace) -> None:
    report = space.report
    sample = list(islice(requests(space.rows), SAMPLE))
    offerings, first, last = load(requests(space.rows))
    laid_out, one_core, default, summed, unpriced = _rate(space, offerings, first, last)
    rates = [space.rows / taken.cpu for taken in one_core]
    rate = median(rates)
    report.versions["PostgreSQL"] = _server_version()
    report.add(
        Figure("rated and written, one core", rate, "rows/s of processor time",
               f"best {max(rates):,.0f}; on the wall {space.rows / min(t.wall for t in one_core):,.0f}",
               goal=f">= {GOAL_ROWS:,} rows/s", holds=rate >= GOAL_ROWS, samples=rates)
    )  # fmt: skip
    wall = [space.rows / taken.wall for taken in default]
    report.add(Figure("rated and written, default workers", median(wall), "rows/s on the wall", samples=wall))
    only = [space.rows / taken.cpu for taken in summed]
    report.add(Figure("rated and summed, one core", median(only), "rows/s of processor time", samples=only))
    report.note(
        f"{space.rows:,} rows over {len(offerings):,} offerings, {unpriced / space.rows:.1%} of them unpriced;"
        f" laying out the cards took {laid_out.wall:.2f} s."
    )
    if space.rows < 200_000:
        report.note("So few rows take a few hundredths of a second: the figures are rough.")
    _beside(space, "genai-prices calc_price", rate, peers.genai_prices(space.patience, sample), "")
    try:
        peer = litellm()
    except Missing as missing:
        report.note(str(missing))
        return
    path = space.folder / "sample.json"
    path.write_text(json.dumps([peers.as_litellm(request) for request in sample]))
    space.patience.wait()
    found = run_json([str(peer), "-m", "benchmarks.peer_litellm", str(path)], LITELLM_LOCAL_MODEL_COST_MAP="True")
    report.versions["LiteLLM"] = found["version"]
    _beside(space, "LiteLLM cost_per_token", rate, peers.Answers(**found["answers"]), f">= {GOAL_LITELLM} x")


def load(rows: Any) -> tuple[set[int], datetime, datetime]:
    """Put requests into `bench_row`; their offerings, first and last time."""
    offerings: set[int] = set()
    first = last = None
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        with cursor.copy("COPY bench_row FROM STDIN") as copy:
            for r in rows:
                offerings.add(r.offering_id)
                first, last = min(first or r.occurred_at, r.occurred_at), max(last or r.occurred_at, r.occurred_at)
                copy.write_row((
                    r.id, r.offering_id, r.service_tier, r.occurred_at, None, "request", r.uncached, r.cache_read,
                    r.written_5m + r.written_1h, r.written_5m, 0, r.written_1h, 0, r.output, r.reasoning, r.prompt, [],
                ))  # fmt: skip
        cursor.execute("ANALYZE bench_row")
    assert first is not None
    assert last is not None
    return offerings, first, last


def costs(sample: Sequence[Request]) -> list[Any]:
    """The list cost of each request by the ledger's statement; None where it is unknown."""
    from usage import rating

    with transaction.atomic():
        offerings, first, last = load(sample)
        rating.lay_out(offerings, first, last)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT list_cost FROM ({rating.rated('bench_row')}) x ORDER BY id")
            return [cost for (cost,) in cursor.fetchall()]


def _rate(
    space: Workspace, offerings: set[int], first: datetime, last: datetime
) -> tuple[Taken, list[Taken], list[Taken], list[Taken], int]:
    from usage import rating

    with transaction.atomic(), connection.cursor() as cursor:
        with timed() as laid_out:
            rating.lay_out(offerings, first, last)
        clock = backend_clock(connection.connection.info.backend_pid)

        def write() -> Taken:
            cursor.execute("TRUNCATE bench_rated")
            with timed(clock) as taken:
                cursor.execute(
                    "INSERT INTO bench_rated SELECT id, list_cost, rate_card_id, unpriced_reason, rating_flags"
                    f" FROM ({rating.rated('bench_row')}) x"
                )
            return taken

        def add_up() -> Taken:
            with timed(clock) as taken:
                cursor.execute(f"SELECT sum(list_cost), count(rate_card_id) FROM ({rating.rated('bench_row')}) x")
            return taken

        write()  # the first reads the table from disk
        default = space.patience.measured(write)
        cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        one_core = space.patience.measured(write)
        summed = space.patience.measured(add_up)
        cursor.execute("SELECT count(*) FROM bench_rated WHERE list_cost IS NULL")
        (unpriced,) = cursor.fetchone()
    return laid_out, one_core, default, summed, unpriced


def _beside(space: Workspace, name: str, rate: float, answers: peers.Answers, goal: str) -> None:
    least = float(goal.split()[1]) if goal else None
    ratio = rate / answers.per_second
    holds = None if least is None else ratio >= least
    yardstick = f"{name} {answers.per_second:,.0f}/s"
    space.report.add(
        Figure("rated and written, beside a peer", rate, "rows/s of processor time", yardstick, ratio, goal, holds)
    )
    space.report.note(f"{name} {answers.sentence}")


def _server_version() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return str(cursor.fetchone()[0])
