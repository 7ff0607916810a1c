"""Starts the parts of Ratecard, starts a part again that ends by itself, and ends them all together."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from config.environment import BASE_DIR
from config.postgres_binaries import EmbeddedError

LONGEST_BACK_OFF = 30.0
HEALTHY_AFTER = 30.0  # seconds after which a part's next end counts as its first
# Of the ten seconds a stop may take: the worker may finish its task, then must drop it, then is killed.
GRACE = 2.5
SECOND_GRACE = 2.0


class RunLock:
    """One supervisor per data folder.

    Every part inherits the open file, so the lock outlives a killed supervisor exactly as long as one of its
    parts does.
    """

    def __init__(self, path: Path, say: Callable[[str], None]) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.file: IO[str] = path.open("a+")
        if not self._take():
            try:
                self._clear_remains(path, say)
            except EmbeddedError:
                self.file.close()
                raise
        self.note([])

    def note(self, groups: Sequence[int]) -> None:
        """Write down who holds the lock, for the next supervisor."""
        self.file.seek(0)
        self.file.truncate()
        json.dump({"supervisor": os.getpid(), "groups": list(groups)}, self.file)
        self.file.flush()

    def _take(self) -> bool:
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _clear_remains(self, path: Path, say: Callable[[str], None]) -> None:
        self.file.seek(0)
        try:
            holder = json.loads(self.file.read())
        except ValueError:
            holder = {"supervisor": 0, "groups": []}
        if _is_ours(holder["supervisor"]):
            raise EmbeddedError(
                f"Ratecard already runs on {path.parent.parent} (process {holder['supervisor']}): "
                "stop it first, or choose another folder with DATA_DIR=."
            )
        say("An earlier run was killed; waiting for its last processes to end")
        for step in range(100):
            if step == 30:
                for group in filter(_is_ours, holder["groups"]):
                    with suppress(ProcessLookupError, PermissionError):
                        os.killpg(group, signal.SIGKILL)
            if self._take():
                return
            time.sleep(0.1)
        raise EmbeddedError(f"Another Ratecard is starting or ending on {path.parent.parent}: try again in a moment.")


@dataclass
class Part:
    """One process of Ratecard with its group: how it starts and what became of it."""

    name: str
    arguments: tuple[str, ...]
    once: bool = False
    """Whether it is done when it ends, with any status."""
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    failures: int = 0
    not_before: float = 0.0


@dataclass
class Supervisor:
    """The parts that run, on one lock."""

    lock: RunLock
    say: Callable[[str], None]
    environment: dict[str, str]
    parts: list[Part] = field(default_factory=list)

    def start(self, part: Part) -> None:
        """Run `part` now; only from the main thread, as a part ends with the thread that started it."""
        part.process = subprocess.Popen(
            [sys.executable, "-m", "config.child", str(os.getpid()), part.name, *part.arguments],
            cwd=BASE_DIR,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            process_group=0,  # Ctrl-C reaches the supervisor only, which ends the parts in order
            pass_fds=[self.lock.file.fileno()],
        )
        part.started_at = time.monotonic()
        if part not in self.parts:
            self.parts.append(part)
        self.lock.note([known.process.pid for known in self.parts if known.process])

    def watch(self) -> None:
        """Look once at every part: restart what has ended, with a growing pause."""
        now = time.monotonic()
        for part in list(self.parts):
            if part.process is None:
                if now >= part.not_before:
                    self.start(part)
                continue
            status = part.process.poll()
            if status is None:
                continue
            if part.once:
                self.parts.remove(part)
                if status:
                    self.say(f"{part.name} ended with status {status}; the rest runs on without it")
                continue
            _kill_group(part.process.pid)  # what it may have left of its own children
            part.failures = 1 if now - part.started_at > HEALTHY_AFTER else part.failures + 1
            pause = min(LONGEST_BACK_OFF, 0.5 * 2 ** (part.failures - 1))
            self.say(f"{part.name} ended with status {status}; starting it again in {pause:g} s")
            part.process, part.not_before = None, now + pause

    def stop(self) -> None:
        """End every part within GRACE + SECOND_GRACE seconds; nothing of their groups is left."""
        processes = [part.process for part in self.parts if part.process is not None]
        for signum, seconds in ((signal.SIGTERM, GRACE), (signal.SIGQUIT, SECOND_GRACE)):
            for process in processes:
                if process.poll() is None:
                    with suppress(ProcessLookupError):
                        process.send_signal(signum)
            _wait_for(processes, seconds)
        for process in processes:
            _kill_group(process.pid)
            process.wait()
        self.parts.clear()


def _wait_for(processes: Sequence["subprocess.Popen[bytes]"], seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and any(process.poll() is None for process in processes):
        time.sleep(0.02)


def _kill_group(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _is_ours(pid: int) -> bool:
    """Whether `pid` is alive and, where that can be seen, a process of Ratecard and no later stranger."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return sys.platform != "linux"
    return b"quickstart" in command or b"config.child" in command
