"""Instances of their own in temporary folders; whatever a test starts is ended by its number."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from config import embedded
from config.environment import BASE_DIR


def environment(folder: Path, **changes: str) -> dict[str, str]:
    """The environment of an instance in `folder`, free of the settings of the tests' own server."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("RATECARD_")}
    kept["DJANGO_SETTINGS_MODULE"] = "config.settings"
    # No test reaches for the network, and a look-up of a host that cannot be found holds up a worker that should end.
    return {**kept, "RATECARD_DATABASE_URL": f"embedded://{folder}", "RATECARD_FETCH": "false", **changes}


def processes_naming(folder: Path) -> dict[int, str]:
    """Every live process of an instance: its command line or its environment names the folder."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        if int(entry.name) == os.getpid():
            continue
        with suppress(OSError):
            command, variables = (entry / "cmdline").read_bytes(), (entry / "environ").read_bytes()
            if command and os.fsencode(folder) in command + variables:
                found[int(entry.name)] = command.replace(b"\0", b" ").decode(errors="replace")
    return found


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty data folder that an unprivileged user can reach; its processes are gone afterwards."""
    top = Path(tempfile.mkdtemp(prefix="ratecard-test-", dir="/var/tmp"))
    top.chmod(0o755)
    where = top / "data"
    try:
        yield where
    finally:
        with suppress(Exception):
            embedded.stop(where)
        for pid in processes_naming(top):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(top, ignore_errors=True)


@pytest.fixture(autouse=True)
def _as_a_terminal_would() -> Iterator[None]:
    """Have what is started heed Ctrl-C, which the background of a script, where tests may run, has processes ignore.

    A signal with a handler is at its default in a new program.
    """
    stood = {signum: signal.signal(signum, signal.default_int_handler) for signum in (signal.SIGINT, signal.SIGQUIT)}
    yield
    for signum, handler in stood.items():
        signal.signal(signum, handler)


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Start Python with some arguments on the instance in `folder`; both outputs come as one."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str, **changes: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=BASE_DIR,
            env=environment(folder, **changes),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()  # not read to its end: what a broken stop left running would hold it open
