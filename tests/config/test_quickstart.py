import http.client
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import psycopg
import pytest

from config import embedded
from config.postgres_binaries import EmbeddedError
from config.quickstart import web_arguments
from config.supervisor import RunLock
from tests.config.conftest import Start, processes_naming

pytestmark = pytest.mark.slow


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def quickstart(start: Start, port: int) -> "subprocess.Popen[str]":
    return start("manage.py", "quickstart", "--port", str(port), "--no-sources", "--no-sample")


def read_until(process: "subprocess.Popen[str]", words: str) -> str:
    """What the process said up to and including the line with `words`."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if words in line:
            return said
    pytest.fail(f"it ended without saying {words!r}:\n{said}")


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status < 500
    except OSError:
        return False
    finally:
        connection.close()


def wait_until_gone(folder: Path, seconds: float) -> dict[int, str]:
    until = time.monotonic() + seconds
    while (left := processes_naming(folder)) and time.monotonic() < until:
        time.sleep(0.1)
    return left


def wait_for_parts(folder: Path) -> None:
    for _ in range(200):
        if {"web", "worker", "beat"} <= {command.split()[4] for command in parts(folder).values()}:
            return
        time.sleep(0.05)
    pytest.fail(f"not every part was started: {parts(folder)}")


def parts_after(folder: Path, seconds: float) -> dict[int, str]:
    until = time.monotonic() + seconds
    while (left := parts(folder)) and time.monotonic() < until:
        time.sleep(0.1)
    return left


def parts(folder: Path) -> dict[int, str]:
    return {pid: command for pid, command in processes_naming(folder).items() if "config.child" in command}


def test_a_taken_port_is_said_before_anything_starts(folder: Path, start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = quickstart(start, port)
        said = process.communicate(timeout=60)[0]
    assert process.returncode == 1
    assert said.startswith(f"Error: Port {port} on 127.0.0.1 cannot be used (address already in use)")
    assert f"make run PORT={port + 1}" in said
    assert not embedded.answers(folder)


def test_ctrl_c_ends_everything_within_ten_seconds(folder: Path, start: Start, port: int) -> None:
    process = quickstart(start, port)
    read_until(process, "Ctrl-C stops everything")
    wait_for_parts(folder)
    assert answers(port)
    os.killpg(process.pid, signal.SIGINT)  # the whole group, as the terminal does it
    assert wait_until_gone(folder, 10) == {}
    assert process.wait(timeout=5) == 0


def test_an_interrupt_while_it_starts_leaves_nothing_either(folder: Path, start: Start, port: int) -> None:
    process = quickstart(start, port)
    while not list(folder.glob("pg*")):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    assert wait_until_gone(folder, 10) == {}


def test_a_killed_supervisor_leaves_nothing_that_stands_in_the_way(folder: Path, start: Start, port: int) -> None:
    first = quickstart(start, port)
    read_until(first, "Ctrl-C stops everything")
    wait_for_parts(folder)
    old = set(parts(folder))
    first.kill()
    first.wait()
    assert not parts_after(folder, 30), "the parts end by themselves, however busy the machine is"
    second = quickstart(start, port)
    read_until(second, "Ctrl-C stops everything")
    assert answers(port)
    assert not old & set(parts(folder)), "the parts of the killed run are gone"
    os.kill(second.pid, signal.SIGTERM)
    assert wait_until_gone(folder, 10) == {}


def test_the_second_start_keeps_the_data_and_the_key(folder: Path, start: Start) -> None:
    prepare = ("manage.py", "quickstart", "--no-serve", "--no-sources", "--no-sample")
    assert start(*prepare).wait(timeout=90) == 0
    key = (folder / "secret_key").read_text()
    with embedded.serving(folder), _connect(folder) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS figure")
    assert start(*prepare).wait(timeout=90) == 0
    assert processes_naming(folder) == {}
    assert (folder / "secret_key").read_text() == key
    with embedded.serving(folder), _connect(folder) as connection:
        assert connection.execute("SELECT figure FROM kept").fetchone() == (7,)


def test_a_part_that_dies_is_started_again_and_said(folder: Path, start: Start, port: int) -> None:
    process = quickstart(start, port)
    read_until(process, "Ctrl-C stops everything")
    wait_for_parts(folder)
    victim = next(pid for pid, command in parts(folder).items() if command.split()[4] == "beat")
    os.kill(victim, signal.SIGKILL)
    assert "beat ended with status -9; starting it again in 0.5 s" in read_until(process, "starting it again")
    wait_for_parts(folder)
    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=15)


HOLD = """
import fcntl, json, os, sys, time
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
json.dump({"supervisor": os.getpid() if "quickstart" in sys.argv else 0, "groups": [os.getpid()]}, file)
file.flush()
print("held", flush=True)
time.sleep(300)
"""


def test_a_second_supervisor_on_the_same_data_is_refused(folder: Path, start: Start) -> None:
    path = folder / "run" / "quickstart.lock"
    path.parent.mkdir(parents=True)
    holder = start("-c", HOLD, str(path), "quickstart")
    read_until(holder, "held")
    with pytest.raises(EmbeddedError, match=rf"already runs on .* \(process {holder.pid}\): stop it first"):
        RunLock(path, print)
    assert holder.poll() is None


def test_a_part_that_outlives_its_killed_supervisor_is_ended_by_the_next(folder: Path, start: Start) -> None:
    path = folder / "run" / "quickstart.lock"
    path.parent.mkdir(parents=True)
    part = start("-c", HOLD, str(path), "config.child")
    read_until(part, "held")
    RunLock(path, print).file.close()
    assert part.wait(timeout=5) == -signal.SIGKILL


def test_the_web_server_listens_where_it_was_told() -> None:
    from config.quickstart import Choices

    assert "--bind=127.0.0.1:9000" in web_arguments(Choices(port=9000))
    assert "--bind=[::1]:9000" in web_arguments(Choices(host="::1", port=9000))


def _connect(folder: Path) -> psycopg.Connection:
    return psycopg.connect(
        host=str(embedded.socket_folder(folder)), user="ratecard", dbname="ratecard", autocommit=True
    )


def test_the_sample_that_loads_behind_the_server_is_advised_and_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    from config import child
    from dashboards import first_look
    from usage import sample

    done: list[str] = []
    monkeypatch.setattr(child, "end_with_parent", lambda parent, name: None)
    monkeypatch.setattr(sample, "load", lambda: done.append("loaded"))
    monkeypatch.setattr(first_look, "prepare", lambda now: done.append("advised and watched"))
    child.main(["1", "sample"])
    assert done == ["loaded", "advised and watched"]
