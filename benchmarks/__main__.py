"""`python -m benchmarks [NAME…] [--rows N]`, the names of `BENCHMARKS` and `ASKED_FOR`."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

from benchmarks import workspace
from benchmarks.measuring import Patience, Taken
from benchmarks.report import Report
from benchmarks.workspace import Workspace

BENCHMARKS = {
    "startup": "startup",
    "rating": "rating",
    "pricing": "pricing",
    "import": "importing",
    "claude": "claude",
    "panels": "panels",
    "recommending": "recommending",
    "serving": "serving",
    "backtest": "backtest",
    "mail_kills": "mail_kills",
    "catalogue": "catalogue",  # last: it changes every price
}
ASKED_FOR = {"crashes": "crashes", "uploads": "uploads"}
"""What runs only by name: it takes a quarter of an hour and measures no speed."""
"""What can be asked for, in the order in which it runs, and the module whose `run` does it."""


def main(argv: list[str]) -> int:
    """0 when everything ran, whatever it found; goals are for people to read."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure Ratecard beside yardsticks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--rows", type=int, default=int(os.environ.get("BENCH_ROWS") or 1_000_000))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    parser.add_argument(
        "--patience", type=float, default=120, help="seconds in all to wait for other processes to be quiet"
    )
    options = parser.parse_args(argv)
    known = BENCHMARKS | ASKED_FOR
    if unknown := sorted(set(options.names) - set(known)):
        parser.error(f"there is no benchmark {unknown[0]!r}: use some of {', '.join(known)}")
    if options.rows < 1000:
        parser.error("fewer than 1,000 rows measure nothing")
    chosen = [name for name in known if (name in options.names if options.names else name in BENCHMARKS)]
    # A closed terminal ends the run as Ctrl-C does: with the server stopped and the folder removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    report = Report(rows=options.rows)
    try:
        _run(chosen, report, options.rows, options.patience)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    print("\n" + report.table())
    if options.json:
        report.write_json(options.json)
    return 0


def _run(chosen: list[str], report: Report, rows: int, patience: float) -> None:
    with ExitStack() as stack:
        space = Workspace(stack.enter_context(workspace.folder()), rows, Patience(patience), report, Taken())
        for name in chosen:
            if name != "startup" and not space.first_load.wall:
                space.patience.wait()
                space.first_load = stack.enter_context(workspace.instance())
            report.begin(name)
            # Only now: models can be imported once the instance stands.
            importlib.import_module(f"benchmarks.{(BENCHMARKS | ASKED_FOR)[name]}").run(space)
        if space.patience.busiest > 0.5:
            report.section = "all"
            report.note(f"others used up to {space.patience.busiest:.0%} of the cores when a measurement began.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
