"""Clocks, and the patience to use them while the machine is quiet."""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
QUIET = 0.25
"""The share of all cores that others may use when a measurement begins."""


@dataclass(slots=True)
class Taken:
    """Seconds of a piece of work: on the wall, and of processor time by whoever did it."""

    wall: float = 0.0
    cpu: float = 0.0


@contextmanager
def timed(cpu: Callable[[], float] = time.process_time) -> Iterator[Taken]:
    """Seconds inside the block; `cpu` reads the clock of the process that works."""
    taken = Taken()
    start, start_cpu = time.perf_counter(), cpu()
    yield taken
    taken.wall, taken.cpu = time.perf_counter() - start, cpu() - start_cpu
    taken.cpu = taken.cpu or taken.wall  # where the kernel tells nothing


def backend_clock(pid: int) -> Callable[[], float]:
    """Processor seconds of a PostgreSQL backend on this machine."""

    def read() -> float:
        with suppress(OSError, ValueError, IndexError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return 0.0

    return read


def peak_mib() -> float:
    """The most memory this process ever held. `ru_maxrss` would include what its parent held when it forked."""
    with suppress(OSError, StopIteration):
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Patience:
    """Waits for others to be quiet, within a budget for the whole run, and remembers where they were not."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self.busiest = 0.0

    def wait(self) -> None:
        """Return when the machine is quiet or patience has run out."""
        while (busy := _busy()) > QUIET and self._left > 0:
            time.sleep(1)
            self._left -= 1.3
        self.busiest = max(self.busiest, busy)

    def measured(self, work: Callable[[], T], times: int = 3, seconds: float = 60) -> list[T]:
        """Do the work `times` times, each in a quiet moment; fewer where that takes more than `seconds`."""
        until = time.monotonic() + seconds
        results: list[T] = []
        while len(results) < times and (not results or time.monotonic() < until):
            self.wait()
            results.append(work())
        return results


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def _busy() -> float:
    """The share of all cores in use over a third of a second; 0 where the kernel does not tell."""

    def read() -> tuple[int, int]:
        ticks = [int(part) for part in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        return sum(ticks), ticks[3] + ticks[4]

    with suppress(OSError, ValueError):
        total, idle = read()
        time.sleep(0.3)
        later, idle_later = read()
        return 1 - (idle_later - idle) / max(1, later - total)
    return 0.0
