"""Price look-ups over HTTP beside a bare WSGI hello on the same server, and look-ups that PostgreSQL has to answer."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.db import connection

from benchmarks.measuring import median
from benchmarks.report import Figure
from benchmarks.startup import free_port
from benchmarks.workspace import ROOT, Workspace, run_json
from pricing.models import Offering

GOAL_KEPT, GOAL_DATABASE = 0.5, 2_000
SECONDS, ROUNDS = 3.0, 3
HOT = 50
MOMENTS, FEWER = 20_000, 5_000
"""Questions of one measurement and of what comes before it: more than it answers, so that none is asked twice."""
READY = 2_000
"""Offerings whose answers PostgreSQL has ready."""
ARGUMENTS = (
    "--worker-class=gthread", "--workers=1", "--threads=4", "--keep-alive=5", "--log-level=warning",
    "--no-control-socket",
)  # fmt: skip
"""As `quickstart` starts it, but one process."""

DAY = "2026-11-01"
PACKED = {"Accept-Encoding": "gzip"}
"""As every common client asks."""

Target = tuple[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Taken:
    """What a server answered: how many, and in how much processor time of its own and of PostgreSQL."""

    answers: int
    seconds: float
    cpu: float
    database_cpu: float

    @property
    def per_cpu_second(self) -> float:
        return self.answers / (self.cpu + self.database_cpu)


def run(space: Workspace) -> None:
    report = space.report
    skus = list(Offering.objects.filter(prices__isnull=False).distinct().values_list("provider__slug", "sku"))
    hot = [_target(provider, sku) for provider, sku in skus[:HOT]]
    ready = skus[-READY:]
    new = _Moments()
    bare_hello: list[Target] = [("/", {})]
    with _server("benchmarks.hello:application") as hello, _server("config.wsgi:application") as ours:
        # Of a stated moment: the tag of an answer about now changes by the minute, and a minute may end meanwhile.
        dated = [f"{path}&at=2026-11-01" for path, _ in hot]
        copies = [(path, PACKED | {"If-None-Match": _etag(ours.port, path)}) for path in dated]
        for path, _ in hot:
            _etag(ours.port, path)  # each is rendered once before it is hot
        rounds: dict[str, list[Taken]] = {}
        for _ in range(ROUNDS):
            space.patience.wait()
            for name, server, targets in (
                ("hello", hello, bare_hello), ("kept", ours, hot), ("copy", ours, copies),
            ):  # fmt: skip
                rounds.setdefault(name, []).append(_load(space, server, name, targets))
        space.patience.wait()
        never = skus[HOT:-READY]
        rounds["first"] = [_load(space, ours, "first", new.of(never, len(never) // 2), new.of(never[-99:], 99))]
        _ask_each(ours.port, [_target(provider, sku, at=DAY) for provider, sku in ready])
        space.patience.wait()
        rounds["ready"] = [
            _load(space, ours, "ready", new.of(ready, MOMENTS), new.of(ready, FEWER)) for _ in range(ROUNDS)
        ]
    bare = [taken.per_cpu_second for taken in rounds["hello"]]
    report.add(Figure("bare WSGI hello", median(bare), "requests/s of processor time", samples=bare))
    for name, what in (("kept", "a price, kept in memory"), ("copy", "304, the copy still holds")):
        rates = [taken.per_cpu_second for taken in rounds[name]]
        ratio = median([rate / beside for rate, beside in zip(rates, bare, strict=True)])
        report.add(
            Figure(what, median(rates), "requests/s of processor time", f"hello {median(bare):,.0f}/s", ratio,
                   f">= {GOAL_KEPT} x", ratio >= GOAL_KEPT, rates)
        )  # fmt: skip
    first = rounds["first"][0]
    report.add(Figure("a price never asked for before", first.per_cpu_second, "requests/s of processor time"))
    rates = [taken.per_cpu_second for taken in rounds["ready"]]
    shares = [taken.database_cpu / (taken.cpu + taken.database_cpu) for taken in rounds["ready"]]
    report.add(
        Figure("a price, from PostgreSQL", median(rates), "requests/s of processor time",
               f"{median(shares):.0%} of it in PostgreSQL", goal=f">= {GOAL_DATABASE:,}/s",
               holds=median(rates) >= GOAL_DATABASE, samples=rates)
    )  # fmt: skip
    on_the_wall = {name: median([taken.answers / taken.seconds for taken in found]) for name, found in rounds.items()}
    report.note(
        "on the wall: " + ", ".join(f"{name} {rate:,.0f}/s" for name, rate in on_the_wall.items())
        + "; gunicorn, one process of four threads, eight connections that stay open."
    )  # fmt: skip


class _Moments:
    """Questions of one day, each of a second of its own."""

    def __init__(self) -> None:
        self.second = 0

    def of(self, skus: list[tuple[str, str]], count: int) -> list[Target]:
        first, self.second = self.second, self.second + count
        return [
            _target(*skus[n % len(skus)], at=f"{DAY}T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}Z")
            for n in range(first, self.second)
        ]


def _target(provider: str, sku: str, **more: str) -> Target:
    return f"/api/v1/price?{urlencode({'provider': provider, 'sku': sku, **more})}", PACKED


def _etag(port: int, path: str) -> str:
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        asked.request("GET", path, headers={"Host": "localhost", **PACKED})
        return str(asked.getresponse().headers["ETag"])
    finally:
        asked.close()


def _ask_each(port: int, targets: list[Target]) -> None:
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for path, headers in targets:
        asked.request("GET", path, headers={"Host": "localhost", **headers})
        asked.getresponse().read()
    asked.close()


@dataclass(frozen=True, slots=True)
class _Server:
    port: int
    worker: int


@contextmanager
def _server(application: str) -> Iterator[_Server]:
    """gunicorn with one worker on the first core this process may use, so that the load has the others."""
    port = free_port()
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

    environment = {**os.environ, "RATECARD_RATE_LIMIT": "1000000000", "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", application, f"--bind=127.0.0.1:{port}", *ARGUMENTS],
        cwd=ROOT,
        env=environment,
    )
    if len(cores) > 1:
        os.sched_setaffinity(process.pid, {cores[0]})  # before it forks its worker
    try:
        yield _Server(port, _worker(process, port))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _worker(process: subprocess.Popen[bytes], port: int) -> int:
    """The process number of the worker, once it answers."""
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        try:
            asked = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            asked.request("GET", "/healthz", headers={"Host": "localhost"})
            asked.getresponse().read()
            asked.close()
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            return int(children[0])
        except (OSError, IndexError):
            time.sleep(0.1)
    raise RuntimeError("gunicorn did not answer")


def _load(
    space: Workspace, server: _Server, name: str, targets: list[Target], before_it: list[Target] | None = None
) -> Taken:  # fmt: skip
    """What is measured for some seconds, after half a second of the same, or of `before_it`, that is not."""
    path = space.folder / f"{name}.json"
    path.write_text(json.dumps(before_it or targets))
    _run(server, path, 0.5)
    path.write_text(json.dumps(targets))
    before, database = _cpu(server.worker), _database_cpu()
    found = _run(server, path, SECONDS)
    if wrong := set(found["statuses"]) - ({"304"} if name == "copy" else {"200"}):
        raise RuntimeError(f"{name}: the server answered {', '.join(sorted(wrong))}")
    return Taken(found["answers"], found["seconds"], _cpu(server.worker) - before, _database_cpu() - database)


def _run(server: _Server, path: Path, seconds: float) -> dict[str, Any]:
    return run_json([sys.executable, "-m", "benchmarks.load", str(server.port), str(seconds), str(path)])


def _cpu(pid: int) -> float:
    """Processor seconds of a process; its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _database_cpu() -> float:
    """Processor seconds of the backends that serve this database, but this one's own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        pids = [pid for (pid,) in cursor.fetchall()]
    total = 0.0
    for pid in pids:
        try:
            total += _cpu(pid)
        except OSError:
            continue
    return total
