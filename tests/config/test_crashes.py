"""A short run of the crash harness: the whole of it is `python -m benchmarks crashes`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.slow
def test_an_import_ends_in_one_ledger_after_kills_restarts_and_a_full_disk(tmp_path: Path) -> None:
    found = tmp_path / "found.json"
    sizes = {"BENCH_FILE_ROWS": "8000", "BENCH_ORDERS": "1", "BENCH_KILLS": "6", "BENCH_RESTARTS": "2"}
    command = [sys.executable, "-m", "benchmarks", "crashes", "--patience", "0", "--json", str(found)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "RATECARD_"))}
    done = subprocess.run(
        command, cwd=ROOT, env=environment | sizes, capture_output=True, text=True, timeout=540, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    figures = {figure["name"]: figure for figure in json.loads(found.read_text())["figures"]["crashes"]}
    assert figures.pop("of them with a partial ledger")["value"] > 0, figures
    assert figures["kill -9"]["value"] == 6
    assert not [name for name, figure in figures.items() if figure["holds"] is not True]
