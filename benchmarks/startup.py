"""From an empty folder to the first page, phase by phase, and again on a folder that is already prepared."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from benchmarks.report import Figure
from benchmarks.workspace import ROOT, Workspace

GOAL_SECONDS = 15
GIVE_UP_SECONDS = 180
_PHASE = re.compile(r"^\s*([\d.]+) s  (.+)$")


def run(space: Workspace) -> None:
    space.patience.wait()
    start = time.perf_counter()
    command = [sys.executable, "manage.py", "quickstart", "--no-serve"]
    environment = _environment(space.folder / "prepared")
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"quickstart --no-serve ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    _phases(space, done.stdout.splitlines(), "prepared, not served")
    space.report.add(Figure("prepared, not served: in all", time.perf_counter() - start, "s"))
    for name, goal in (("fresh folder", GOAL_SECONDS), ("second start", None)):
        space.patience.wait()
        seconds, lines = _serve(space.folder / "served")
        _phases(space, lines, name)
        holds = None if goal is None else seconds <= goal
        space.report.add(
            Figure(f"{name}: start to /readyz", seconds, "s", goal=f"<= {goal} s" if goal else "", holds=holds)
        )


def _phases(space: Workspace, lines: list[str], name: str) -> None:
    for line in lines:
        if found := _PHASE.match(line):
            space.report.add(Figure(f"{name}: {found[2]}", float(found[1]), "s"))


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "RATECARD_DATABASE_URL": f"embedded://{folder}"}


def _serve(folder: Path) -> tuple[float, list[str]]:
    """Seconds from the start of the command to the first 200 of /readyz, and what it printed until then."""
    port = free_port()
    lines: list[str] = []
    start = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, "manage.py", "quickstart", "--port", str(port)],
        cwd=ROOT, env=_environment(folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert server.stdout is not None
    reading = threading.Thread(target=lines.extend, args=(server.stdout,), daemon=True)
    reading.start()
    try:
        while not _ready(port):
            if server.poll() is not None or time.perf_counter() - start > GIVE_UP_SECONDS:
                raise RuntimeError("quickstart did not become ready: " + "".join(lines)[-2000:])
            time.sleep(0.02)
        seconds = time.perf_counter() - start
        time.sleep(1)  # it prints its last phase after its own look at /readyz
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(60)
        reading.join(10)
        server.stdout.close()
    return seconds, lines


def _ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
