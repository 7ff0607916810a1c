"""A worker killed in the middle of an import: the next goes on from the checkpoint; nothing is lost or twice."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from config import embedded
from tests.config.conftest import Start

LINES = 120_000
WORKER = ("-m", "celery", "--quiet", "-A", "config", "worker", "-c", "1", "--without-mingle")

SET_UP = """
import django, sys; django.setup()
from django.core.management import call_command
from config import queues
from pricing import catalog
from usage import ingest, organisations
call_command("migrate", verbosity=0); queues.install(); catalog.load_bundled()
killed, calm = (organisations.create_organisation(name) for name in ("killed", "calm"))
ingest.import_paths(calm, "claude_code", [sys.argv[1]], "laptop")
print(ingest.start_paths(killed, "claude_code", [sys.argv[1]], "laptop").pk)
"""
LEDGER = """
import django; django.setup()
from django.db import connection
for organisation in ("killed", "calm"):
    with connection.cursor() as cursor:
        cursor.execute('''
            SELECT count(*), sum(list_cost), md5(string_agg(md5(concat_ws('|', r.record_key, r.occurred_at,
                r.in_uncached, r.in_cache_read, r.in_cache_write, r.out_total, r.list_cost, r.rate_card_id,
                d.model_raw)), '' ORDER BY r.record_key))
            FROM usage_usagerecord r JOIN usage_usagedimension d ON d.id = r.dimension_id
            JOIN usage_organisation o ON o.id = r.organisation_id WHERE o.slug = %s''', [organisation])
        print(*cursor.fetchone())
from usage.verification import checks
print(len(list(checks())))
"""


def _transcript(path: Path) -> None:
    with path.open("w") as file:
        for number in range(LINES):
            usage = {
                "input_tokens": number % 977,
                "cache_read_input_tokens": number % 7919,
                "output_tokens": 1 + number % 613,
            }
            message = {"id": f"msg_{number}", "role": "assistant", "model": "claude-opus-4-8", "usage": usage}
            stamp = f"2026-10-{1 + number % 28:02}T10:00:00Z"
            file.write(json.dumps({"type": "assistant", "timestamp": stamp, "cwd": "/src", "message": message}) + "\n")


def _said(process: subprocess.Popen[str]) -> str:
    output = process.communicate(timeout=300)[0]
    assert process.returncode == 0, output
    return output.strip().splitlines()[-1]


@pytest.mark.slow
def test_an_import_whose_worker_was_killed_ends_as_if_nothing_had_happened(folder: Path, start: Start) -> None:
    embedded.start(folder)
    transcript = folder.parent / "session.jsonl"
    _transcript(transcript)
    batch = _said(start("-c", SET_UP, str(transcript)))
    settings = {"RATECARD_TASK_SECONDS": "15"}

    def progress() -> tuple[Any, ...]:
        where = {"host": str(embedded.socket_folder(folder)), "dbname": "ratecard", "user": "ratecard"}
        with psycopg.connect(**where) as looking:
            columns = "status, lines, imported, duplicate, error"
            found = looking.execute(f"SELECT {columns} FROM usage_importbatch WHERE id = %s", [batch]).fetchone()
        assert found is not None
        return found

    first = start(*WORKER, **settings)
    reached = 0
    while reached < 0.4 * LINES:
        time.sleep(0.02)
        reached = progress()[1]
    os.killpg(first.pid, signal.SIGKILL)
    reached = progress()[1]
    assert 0.4 * LINES <= reached <= 0.75 * LINES, f"{reached} of {LINES} lines when the worker was killed"

    killed_at = time.monotonic()
    start(*WORKER, **settings)
    while (state := progress())[0] != "done":
        assert time.monotonic() - killed_at < 150, state
        time.sleep(1)
    assert state == ("done", LINES, LINES, 0, "")
    ledger = start("-c", LEDGER).communicate(timeout=120)[0].strip().splitlines()
    assert ledger[-3] == ledger[-2]
    assert ledger[-3].split()[0] == str(LINES)
    assert ledger[-1] == "0"
