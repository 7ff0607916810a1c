"""The folder of a run: an instance with a server of its own, and the peers, which are kept between runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measuring import Patience, Taken, timed
from benchmarks.report import Report

ROOT = Path(__file__).resolve().parent.parent
KEPT = ("RATECARD_POSTGRES_BIN",)
LITELLM, CCUSAGE = "1.106.2", "20.0.24"
INSTALL_SECONDS = 300


class Missing(Exception):
    """A peer cannot be had here; one sentence."""


@dataclass
class Workspace:
    """What every benchmark is given."""

    folder: Path
    rows: int
    patience: Patience
    report: Report
    first_load: Taken

    def child(self, module: str, *arguments: str, **environment: str) -> dict[str, Any]:
        """Run a module of the benchmarks in a process of its own; the JSON it prints."""
        return run_json([sys.executable, "-m", module, *arguments], **environment)


@contextmanager
def folder() -> Iterator[Path]:
    """A temporary folder; nothing of an instance's own settings is left in the environment."""
    for name in [name for name in os.environ if name.startswith("RATECARD_") and name not in KEPT]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="ratecard-bench-", ignore_cleanup_errors=True) as made:
        os.environ["RATECARD_DATABASE_URL"] = f"embedded://{made}/instance"
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        yield Path(made)


@contextmanager
def instance() -> Iterator[Taken]:
    """Django on a fresh instance with the bundled catalogue; answers what the first load of it took."""
    import django
    from django.conf import settings
    from django.core.management import call_command

    from config import embedded
    from config.command_line import let_go

    django.setup()
    assert settings.DATA_DIR is not None
    with embedded.serving(settings.DATA_DIR):
        try:
            call_command("migrate", interactive=False, verbosity=0)
            from pricing import catalog

            with timed() as taken:
                catalog.load_bundled()
            yield taken
        finally:
            let_go()


def litellm_here() -> Path | None:
    """The Python of the environment that has LiteLLM, None where it was not made yet."""
    place = _litellm()
    return place / "bin" / "python" if (place / "complete").exists() else None


def litellm() -> Path:
    """The Python of an environment that has LiteLLM, made on first use; Missing where that fails."""
    place = _litellm()
    python = place / "bin" / "python"
    if litellm_here() is None:
        shutil.rmtree(place, ignore_errors=True)
        try:
            venv.create(place, with_pip=True)
            install = ("-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check")
            _quietly([str(python), *install, f"litellm=={LITELLM}"])
        except (OSError, subprocess.SubprocessError) as fault:
            raise Missing(f"LiteLLM {LITELLM} could not be installed ({_reason(fault)}), so it was not run.") from None
        (place / "complete").touch()
    return python


def _litellm() -> Path:
    return _kept() / f"litellm-{LITELLM}"


def ccusage() -> list[str]:
    """The command that starts ccusage, installed on first use; Missing where that fails."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        raise Missing("Node.js with npm is not here, so ccusage was not run.")
    place = _kept() / f"ccusage-{CCUSAGE}"
    script = place / "node_modules" / ".bin" / "ccusage"
    if not script.exists():
        place.mkdir(parents=True, exist_ok=True)
        try:
            options = ("--no-audit", "--no-fund", "--loglevel=error", "--prefix", str(place))
            _quietly([npm, "install", *options, f"ccusage@{CCUSAGE}"])
        except (OSError, subprocess.SubprocessError) as fault:
            raise Missing(f"ccusage {CCUSAGE} could not be installed ({_reason(fault)}), so it was not run.") from None
    return [node, str(script.resolve())]


def run_json(command: list[str], **environment: str) -> dict[str, Any]:
    """Run a command from the project's folder; the JSON object it prints last."""
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout[done.stdout.index("{") :])
    return found


def _kept() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(cache) / "ratecard-benchmarks"


def _quietly(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS)


def _reason(fault: Exception) -> str:
    if isinstance(fault, subprocess.CalledProcessError):
        lines = [line for line in (fault.stderr or "").strip().splitlines() if not line.startswith("WARNING")]
        with suppress(IndexError):
            return lines[-1].strip().rstrip(".")[:200]
    return type(fault).__name__


if __name__ == "__main__":  # for the tests marked `peers`
    print(litellm())
