"""What a run found: figures beside their yardsticks, as a table and as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Figure:
    """One measured number. `ratio` is to the yardstick; `goal` and `holds` are of DESIGN section 9."""

    name: str
    value: float
    unit: str
    yardstick: str = ""
    ratio: float | None = None
    goal: str = ""
    holds: bool | None = None
    samples: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Report:
    """The figures of a run, the sentences that belong to them, and where they were taken."""

    rows: int
    figures: dict[str, list[Figure]] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    section: str = ""
    say: Callable[[str], None] = print

    def begin(self, section: str) -> None:
        self.section = section
        self.say(f"\n{section}")

    def add(self, figure: Figure) -> None:
        self.figures.setdefault(self.section, []).append(figure)
        self.say("  " + "  ".join(part for part in _cells(figure) if part))

    def note(self, sentence: str) -> None:
        self.notes.setdefault(self.section, []).append(sentence)
        self.say(f"  {sentence}")

    def as_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "machine": machine(),
            "versions": self.versions,
            "figures": {name: [asdict(figure) for figure in figures] for name, figures in self.figures.items()},
            "notes": self.notes,
        }

    def write_json(self, path: Path) -> None:
        path.write_text(json.dumps(self.as_json(), indent=1) + "\n")

    def table(self) -> str:
        """The figures as a Markdown table, the sentences below it."""
        head = ["", "figure", "value", "yardstick", "ratio", "goal", "holds"]
        lines = [
            [section if place == 0 else "", *_cells(figure)]
            for section, figures in self.figures.items()
            for place, figure in enumerate(figures)
        ]
        widths = [max(len(line[column]) for line in [head, *lines]) for column in range(len(head))]
        rule = ["-" * width for width in widths]
        table = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in [head, rule, *lines]]
        notes = [f"{section}: {sentence}" for section, found in self.notes.items() for sentence in found]
        where = ", ".join(f"{name} {value}" for name, value in {**machine(), **self.versions}.items())
        return "\n".join([*table, "", *notes, "", where])


def machine() -> dict[str, str]:
    """Where and on what the figures were taken."""
    return {
        "cores": str(os.cpu_count()),
        "Python": platform.python_version(),
        "Django": version("django"),
        "psycopg": version("psycopg"),
        "genai-prices": version("genai-prices"),
        "load now": f"{os.getloadavg()[0]:.1f}",
    }


def _cells(figure: Figure) -> list[str]:
    ratio = "" if figure.ratio is None else f"{figure.ratio:,.2f} x" if figure.ratio < 10 else f"{figure.ratio:,.0f} x"
    holds = "" if figure.holds is None else "yes" if figure.holds else "NO"
    return [figure.name, f"{_number(figure.value)} {figure.unit}", figure.yardstick, ratio, figure.goal, holds]


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.1f}" if abs(value) >= 1 else f"{value:.2f}"
