"""One ledger whatever happens to its imports: orders, chunks, overlaps, kill -9, restarts of PostgreSQL, a full disk.

Every import of the same file must end in the ledger, the rollups and the counts that an undisturbed one ends in. Runs
only when it is asked for: `python -m benchmarks crashes`, with BENCH_KILLS, BENCH_RESTARTS, BENCH_ORDERS and
BENCH_FILE_ROWS to make it shorter. A process is killed at a random moment of its import, so most of them leave a
partial ledger; the next goes on with what it finds.
"""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings
from django.db import Error, connection

from benchmarks.importing import organisation
from benchmarks.report import Figure
from benchmarks.workspace import Workspace
from config import embedded
from config.command_line import let_go
from usage import ingest
from usage.models import ImportBatch, Organisation
from usage.verification import checks

ROWS = int(os.environ.get("BENCH_FILE_ROWS") or 60_000)
ORDERS = int(os.environ.get("BENCH_ORDERS") or 10)
KILLS = int(os.environ.get("BENCH_KILLS") or 200)
RESTARTS = int(os.environ.get("BENCH_RESTARTS") or 20)
CHUNK = max(200, ROWS // 30)
DISK_KIB = ROWS // 6
"""About half of what the file's records take."""
_FINGERPRINT = """
    SELECT count(*), sum(list_cost), md5(string_agg(md5(concat_ws('|', r.record_key, r.occurred_at, r.in_uncached,
        r.in_cache_read, r.in_cache_write, r.out_total, r.list_cost, r.rate_card_id, d.model_raw, d.path)), ''
        ORDER BY r.record_key, r.occurred_at))
    FROM usage_usagerecord r JOIN usage_usagedimension d ON d.id = r.dimension_id WHERE r.organisation_id = %s"""
_ROLLUP = """
    SELECT md5(string_agg(md5(concat_ws('|', day, offering_id, model_raw, records, requests, in_uncached, in_cache_read,
        out_total, list_cost, unpriced_tokens)), '' ORDER BY day, offering_id, model_raw))
    FROM usage_modeldailycost WHERE organisation_id = %s"""


def run(space: Workspace) -> None:
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # PostgreSQL going away is what is wanted
    chance = random.Random(20261125)  # noqa: S311
    lines = list(transcript_lines(ROWS))
    file = space.folder / "calm" / "session.jsonl"
    write(file, lines)
    started = time.monotonic()
    undisturbed = imported(space, "calm", [file.parent], ROWS)
    length = time.monotonic() - started
    orders(space, lines, undisturbed, chance)
    kills(space, file.parent, undisturbed, length, chance)
    restarts(space, file.parent, undisturbed, length, chance)
    full_disk(space)
    findings = list(checks())
    space.report.add(Figure("promises that do not hold at the end", len(findings), "", goal="0", holds=not findings))


def orders(space: Workspace, lines: Sequence[bytes], undisturbed: object, chance: random.Random) -> None:
    """The file shuffled, in four overlapping parts that are imported at once, in chunks of many sizes."""
    equal = 0
    for number in range(ORDERS):
        slug = f"order-{number}"
        organisation(slug)
        shuffled = chance.sample(lines, len(lines))
        folders = []
        for part in range(4):
            start = part * len(lines) // 4
            piece = (shuffled + shuffled)[start : start + len(lines) * 2 // 5]
            folders.append(space.folder / slug / str(part))
            write(folders[-1] / "session.jsonl", piece)
        batches = [queued(slug, folder) for folder in folders]
        sizes = [chance.choice([500, 1_111, 7_000, 20_000]) for _ in batches]
        for child in [forked(lambda b=b, s=s: advance(b, s)) for b, s in zip(batches, sizes, strict=True)]:  # type: ignore[misc]
            os.waitpid(child, 0)
        for batch in batches:
            finish(batch)
        equal += fingerprint(slug) == undisturbed
    space.report.add(
        Figure(
            f"of {ORDERS} orders, chunks and overlaps: the same ledger",
            equal,
            "",
            goal=str(ORDERS),
            holds=equal == ORDERS,
        )
    )


def kills(space: Workspace, folder: Path, undisturbed: object, length: float, chance: random.Random) -> None:
    """kill -9 at random moments, several in one import; then the import is finished and compared."""
    killed = partial = ledgers = equal = 0
    while killed < KILLS:
        slug = f"killed-{ledgers}"
        organisation(slug)
        batch = queued(slug, folder)
        for _ in range(min(4, KILLS - killed)):
            child = forked(lambda b=batch: advance(b, CHUNK))  # type: ignore[misc]
            time.sleep(chance.uniform(0.15, 0.6) * length)
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            killed += os.WIFSIGNALED(status)
            if not os.WIFSIGNALED(status):
                break
            batch = ImportBatch.objects.get(pk=batch.pk)
            partial += 0 < batch.lines < ROWS
        finish(batch)
        ledgers += 1
        equal += fingerprint(slug) == undisturbed
    report = space.report
    report.add(Figure("kill -9", killed, "", goal=str(KILLS), holds=killed >= KILLS))
    report.add(
        Figure("of them with a partial ledger", partial, "", goal=f"{KILLS * 3 // 5}", holds=partial >= KILLS * 3 // 5)
    )
    report.add(Figure(f"of {ledgers} ledgers: as undisturbed", equal, "", goal=str(ledgers), holds=equal == ledgers))


def restarts(space: Workspace, folder: Path, undisturbed: object, length: float, chance: random.Random) -> None:
    """PostgreSQL ended at once, without a checkpoint, in the middle of imports; started again, they go on."""
    done = ledgers = equal = 0
    while done < RESTARTS:
        slug = f"restarted-{ledgers}"
        organisation(slug)
        batch = queued(slug, folder)
        for _ in range(min(4, RESTARTS - done)):
            child = forked(lambda b=batch: advance(b, CHUNK))  # type: ignore[misc]
            time.sleep(chance.uniform(0.05, 0.4) * length)
            let_go()
            end_postgresql_at_once()
            os.waitpid(child, 0)
            embedded.start(settings.DATA_DIR, on_demand=True)
            done += 1
        finish(ImportBatch.objects.get(pk=batch.pk))
        ledgers += 1
        equal += fingerprint(slug) == undisturbed
    space.report.add(
        Figure(
            f"of {ledgers} ledgers after {done} restarts: as undisturbed",
            equal,
            "",
            goal=str(ledgers),
            holds=equal == ledgers,
        )
    )


def full_disk(space: Workspace) -> None:
    """The ledger's months on a small disk: the import stops with an error, and goes on when there is room."""
    lines = list(transcript_lines(ROWS, year=2023))
    write(space.folder / "disk" / "session.jsonl", lines)
    with small_disk(space.folder / "small") as grow:
        if grow is None:
            space.report.note("A full disk was not tried: only root may mount one.")
            return
        organisation("full")
        batch = queued("full", space.folder / "disk")
        try:
            advance(batch, CHUNK)
            stopped = "nothing"
        except Error as fault:
            stopped = type(fault.__cause__).__name__
        let_go()
        at = ImportBatch.objects.get(pk=batch.pk).lines
        grow()
        finish(ImportBatch.objects.get(pk=batch.pk))
        whole = fingerprint("full")
        calm = imported(space, "roomy", [space.folder / "disk"], ROWS)
        space.report.add(
            Figure("lines in the ledger when the disk was full", at, "", goal=f"< {ROWS}", holds=stopped == "DiskFull")
        )
        space.report.add(
            Figure("the ledger with room again: as undisturbed", whole == calm, "", goal="1", holds=whole == calm)
        )
        for slug in ("full", "roomy"):
            Organisation.objects.filter(slug=slug).delete()
        _drop_months_of(2023)


@contextmanager
def small_disk(place: Path) -> Iterator[Callable[[], None] | None]:
    """A tablespace of DISK_KIB for new tables; yields what makes it larger, or None where none can be mounted."""
    place.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_KIB}k", "tmpfs", place], capture_output=True, check=False
    ).returncode:
        yield None
        return
    try:
        (place / "space").mkdir()
        owner = settings.DATA_DIR.stat() if os.geteuid() else _cluster().stat()
        os.chown(place, owner.st_uid, owner.st_gid)
        os.chown(place / "space", owner.st_uid, owner.st_gid)
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLESPACE small LOCATION '{place / 'space'}'")
            cursor.execute("ALTER DATABASE ratecard SET default_tablespace = small")
        let_go()
        yield lambda: subprocess.run(["mount", "-o", "remount,size=2g", place], check=True) and None
        with connection.cursor() as cursor:
            cursor.execute("ALTER DATABASE ratecard RESET default_tablespace")
            cursor.execute("DROP TABLESPACE small")
    finally:
        let_go()
        subprocess.run(["umount", "-l", place], check=False)


def _drop_months_of(year: int) -> None:
    with connection.cursor() as cursor:
        for month in range(1, 13):
            cursor.execute(f"DROP TABLE IF EXISTS usage_usagerecord_y{year}m{month:02}")


def transcript_lines(rows: int, year: int = 2026) -> Iterator[bytes]:
    """Messages of which a third are said twice, the first time with less output, over ten months and four models."""
    models = ("claude-opus-4-8", "claude-sonnet-4-5-20250929", "claude-haiku-4-5", "nobody-knows-me")
    for number in range(rows):
        message = number * 3 // 4
        usage = {
            "input_tokens": message % 977,
            "cache_read_input_tokens": message % 7919,
            "output_tokens": 1 + message % 613 + number % 2,
        }
        said = {"id": f"msg_{message}", "role": "assistant", "model": models[message % 4], "usage": usage}
        stamp = f"{year}-{1 + message % 10:02}-{1 + message % 28:02}T10:{message % 60:02}:00Z"
        line = {"type": "assistant", "timestamp": stamp, "cwd": f"/src/{message % 7}", "message": said}
        yield json.dumps(line).encode() + b"\n"


def write(file: Path, lines: Sequence[bytes]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"".join(lines))


def queued(slug: str, folder: Path) -> ImportBatch:
    """A batch that nobody works on yet."""
    return ingest.open_batch(Organisation.objects.get(slug=slug), "claude_code", [folder], "laptop")


def advance(batch: ImportBatch, chunk: int) -> None:
    from usage.ingest import running

    running.advance(ImportBatch.objects.select_related("connection").get(pk=batch.pk), chunk_lines=chunk)


def finish(batch: ImportBatch) -> None:
    """Go on until the batch is done; its lines must add up.

    A killed worker may have sent its COMMIT: PostgreSQL then writes that chunk after the batch was read, and whoever
    goes on from there finds another at it. Once, as each worker has one chunk under way.
    """
    done = ImportBatch.objects.get(pk=batch.pk)
    for _ in range(2):
        advance(done, 20_000)
        done = ImportBatch.objects.get(pk=batch.pk)
        if done.status == ImportBatch.Status.DONE:
            break
    assert done.status == ImportBatch.Status.DONE, (done.status, done.error)
    assert done.lines == done.imported + done.updated + done.duplicate + sum(done.ignored.values())


def imported(space: Workspace, slug: str, folders: Sequence[Path], rows: int) -> object:
    organisation(slug)
    for folder in folders:
        batch = queued(slug, folder)
        finish(batch)
        assert ImportBatch.objects.get(pk=batch.pk).lines == rows
    return fingerprint(slug)


def fingerprint(slug: str) -> tuple[object, ...]:
    """All that a ledger and its rollup say, free of when and how it was imported."""
    key = Organisation.objects.get(slug=slug).pk
    with connection.cursor() as cursor:
        cursor.execute(_FINGERPRINT, [key])
        ledger = cursor.fetchone()
        cursor.execute(_ROLLUP, [key])
        return (*ledger, *cursor.fetchone())


def forked(work: Callable[[], None]) -> int:
    """Do something in a process of its own, which has no connection of ours."""
    let_go()
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        work()
        status = 0
    except Error:
        status = 3  # PostgreSQL went away
    finally:
        sys.stdout.flush()
        os._exit(status)


def end_postgresql_at_once() -> None:
    """The immediate shutdown: as if the machine had lost its power, for PostgreSQL."""
    process = int((_cluster() / "postmaster.pid").read_text().split()[0])
    os.kill(process, signal.SIGQUIT)
    for _ in range(600):
        with suppress(ChildProcessError):
            os.waitpid(process, os.WNOHANG)
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise RuntimeError("PostgreSQL did not end within 30 s of SIGQUIT.")


def _cluster() -> Path:
    return next(Path(settings.DATA_DIR).glob("pg[0-9]*"))
