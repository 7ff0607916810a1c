"""A CSV through the ledger, whole, beside a raw COPY of the same rows into a copy of the same table."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection

from benchmarks.measuring import median, timed
from benchmarks.report import Figure
from benchmarks.workspace import Workspace
from usage import assignments, organisations, partitions, rollups

ORGANISATION = "bench"
ROWS_PER_DAY = 2_740
"""Density of the file: a million rows are a year. A smaller file covers less time and not fewer rows a day."""
START = datetime(2025, 11, 1, tzinfo=UTC)
PROJECTS, KEYS = 12, 40
GOAL_COPY, GOAL_REPLAY, GOAL_MIB = 0.5, 1.5, 300
SMALLER, GOAL_CURVE = (64, 16, 4), 1.5
"""The parts of the file of which the curve is made, and what a row of the whole may cost beside one of the least."""
MODELS = (
    ("anthropic", "claude-sonnet-4-5-20250929"), ("anthropic", "claude-haiku-4-5-20251001"),
    ("anthropic", "claude-opus-4-1-20250805"), ("openai", "gpt-5"), ("openai", "gpt-5-mini"), ("openai", "gpt-4o"),
    ("openai", "gpt-4o-mini"), ("openai", "gpt-4.1"), ("openai", "o3-mini"), ("google", "gemini-2.5-pro"),
    ("google", "gemini-2.5-flash"), ("deepseek", "deepseek-chat"), ("mistral", "mistral-large-latest"),
    ("openai", "a-model-nobody-knows"),
)  # fmt: skip
COLUMNS = (
    "id", "time", "provider", "model", "project", "key_name", "team", "operation", "input_tokens", "cached_tokens",
    "written_tokens", "output_tokens", "reasoning_tokens", "requests", "cost_usd",
)  # fmt: skip
MAPPING = {
    "columns": {
        "id": "id", "time": "time", "host": "provider", "model": "model", "project": "project", "api_key": "key_name",
        "team": "team", "operation": "operation", "input": "input_tokens", "cache_read": "cached_tokens",
        "cache_write": "written_tokens", "output": "output_tokens", "reasoning": "reasoning_tokens",
        "requests": "requests", "cost": "cost_usd",
    },
    "grain": "request", "cache": "exclusive", "reasoning": "included", "currency": "USD",
}  # fmt: skip


def run(space: Workspace) -> None:
    report = space.report
    organisation(ORGANISATION)
    file, mapping = space.folder / "usage.csv", space.folder / "mapping.json"
    write_csv(file, space.rows)
    mapping.write_text(json.dumps(MAPPING))
    copied = space.folder / "ledger.copy"

    def once() -> tuple[dict[str, Any], dict[str, Any], float]:
        _empty_ledger()
        first = _import(space, file, mapping)
        again = _import(space, file, mapping)
        if not copied.exists():
            _copy_out(copied)
        _checkpoint()
        space.patience.wait()
        return first, again, _copy_in(copied)

    runs = space.patience.measured(once, seconds=240)
    first, again = runs[0][:2]
    assert first["imported"] == space.rows == again["duplicate"], (first, again)
    rates = [space.rows / found["wall"] for found, _, _ in runs]
    raw = [space.rows / seconds for *_, seconds in runs]
    ratios = [mine / theirs for mine, theirs in zip(rates, raw, strict=True)]
    report.add(
        Figure("file to ledger and rollups", median(rates), "rows/s", f"raw COPY {median(raw):,.0f} rows/s",
               median(ratios), f">= {GOAL_COPY} x", median(ratios) >= GOAL_COPY, rates)
    )  # fmt: skip
    replays = [space.rows / found["wall"] for _, found, _ in runs]
    ratio = median([mine / theirs for mine, theirs in zip(replays, rates, strict=True)])
    report.add(
        Figure("the same file again", median(replays), "rows/s", "the first import", ratio, f">= {GOAL_REPLAY} x",
               ratio >= GOAL_REPLAY, replays)
    )  # fmt: skip
    memory = max(found["peak_mib"] for each in runs for found in each[:2])
    report.add(Figure("peak memory of the importer", memory, "MiB", "", None, f"<= {GOAL_MIB} MiB", memory <= GOAL_MIB))
    processor = median([space.rows / found["cpu"] for found, _, _ in runs])
    report.add(Figure("the importer's own share", processor, "rows/s of processor time"))
    _curve(space, mapping, rates)
    report.note(
        f"{file.stat().st_size / 1e6:,.0f} MB, {first['unpriced'] / space.rows:.1%} unpriced and"
        f" {first['unattributed'] / space.rows:.1%} unattributed; ratios are of pairs measured one after the other."
    )


def _curve(space: Workspace, mapping: Path, whole: list[float]) -> None:
    """What a row costs in files of more and more rows, each into an empty ledger."""
    seconds: dict[int, float] = {}
    for part in SMALLER:
        file = space.folder / f"usage-{part}.csv"
        rows = space.rows // part
        write_csv(file, rows)

        def once(file: Path = file, rows: int = rows) -> float:
            _empty_ledger()
            found = _import(space, file, mapping)
            return float(rows / found["wall"])

        seconds[rows] = 1 / median(space.patience.measured(once, seconds=30))
        file.unlink()
    seconds[space.rows] = 1 / median(whole)
    least = space.rows // SMALLER[0]
    ratio = seconds[space.rows] / seconds[least]
    space.report.add(
        Figure("a row of the whole file", seconds[space.rows] * 1e6, "µs", f"a row of a file of {least:,}", ratio,
               f"<= {GOAL_CURVE} x", ratio <= GOAL_CURVE)
    )  # fmt: skip
    told = ", ".join(f"{each * 1e6:.1f} of {rows:,}" for rows, each in seconds.items())
    space.report.note(f"Microseconds a row in files {told} rows.")


def organisation(slug: str) -> None:
    """An organisation whose rules map most keys to projects, one of them to two projects at 70 and 30 %."""
    made = organisations.create_organisation(slug.title(), slug)
    projects = [organisations.create_project(made, f"Project {number}").pk for number in range(PROJECTS)]
    for number, project in enumerate(projects):
        shares = [{"project": project, "weight": "1"}]
        if number == 0:
            shares = [{"project": project, "weight": "0.7"}, {"project": projects[1], "weight": "0.3"}]
        keys = [f"key-{key:02d}" for key in range(KEYS - 2) if key % PROJECTS == number]
        conditions = [{"field": "ext_api_key", "op": "in", "value": keys}]
        assignments.save_rule(made, name=f"keys of project {number}", conditions=conditions, shares=shares)


def write_csv(file: Path, rows: int, per_day: int = ROWS_PER_DAY) -> None:
    """An export in order of time, as exports are."""
    with file.open("w", encoding="ascii", newline="") as out:
        out.write(",".join(COLUMNS) + "\n")
        out.writelines(_lines(rows, per_day))


def _lines(rows: int, per_day: int) -> Iterator[str]:
    chance = random.Random(7)  # noqa: S311 - not a secret
    dice = chance.random
    step = timedelta(days=1) / per_day
    for number in range(rows):
        host, model = MODELS[int(dice() * (len(MODELS) - 1))] if dice() > 0.01 else MODELS[-1]
        key = int(dice() * KEYS)
        read = int(30_000 * dice()) if dice() < 0.45 else 0
        written = int(4_000 * dice()) if host == "anthropic" and dice() < 0.3 else 0
        output = int(1 + 2_000 * dice())
        when = (START + number * step).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        yield (
            f"req_{chance.getrandbits(96):024x},{when},{host},{model},project-{key % 15},key-{key:02d},team-{key % 4},"
            f"chat,{int(8_000 * dice())},{read},{written},{output},0,1,{dice():.6f}\n"
        )


def _import(space: Workspace, file: Path, mapping: Path) -> dict[str, Any]:
    _checkpoint()
    space.patience.wait()
    return space.child("benchmarks.child", "csv", ORGANISATION, str(file), "--mapping", str(mapping))


def _empty_ledger() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join((partitions.LEDGER, *rollups.ROLLUPS))}")


def _checkpoint() -> None:
    """Nobody pays for what another wrote."""
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")


def _copy_out(file: Path) -> None:
    with file.open("wb") as out, connection.cursor() as cursor, cursor.copy(
        f"COPY (SELECT * FROM {partitions.LEDGER}) TO STDOUT"
    ) as rows:  # fmt: skip
        for block in rows:
            out.write(block)


def _copy_in(file: Path) -> float:
    """Seconds of one COPY into an empty table with the ledger's columns, checks, partitions and indexes."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""DROP TABLE IF EXISTS bench_ledger;
            CREATE TABLE bench_ledger (LIKE {partitions.LEDGER} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)
                PARTITION BY RANGE (occurred_at)"""
        )
        for name in sorted(partitions.existing()):
            table = name.replace(partitions.LEDGER, "bench_ledger")
            month = datetime.strptime(name[-8:], "y%Ym%m").replace(tzinfo=UTC)
            cursor.execute(
                f"""CREATE TABLE {table} PARTITION OF bench_ledger
                    FOR VALUES FROM ('{month.isoformat()}') TO ('{partitions.next_month(month).isoformat()}');
                CREATE UNIQUE INDEX ON {table} (organisation_id, connection_id, record_key);
                CREATE INDEX ON {table} USING brin (occurred_at) WITH (pages_per_range = 32, autosummarize)"""
            )
    into = "COPY bench_ledger FROM STDIN"
    with file.open("rb") as rows, connection.cursor() as cursor, timed() as taken, cursor.copy(into) as copy:
        while block := rows.read(1 << 18):
            copy.write(block)
    return taken.wall
