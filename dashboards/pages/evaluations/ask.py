"""What an address of the evaluations asks for. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from urllib.parse import quote_plus

from dashboards.pages.asked import address
from usage.evaluation_points import RatedPoint, Suite

PATH = "/evaluations"


@dataclass(frozen=True, slots=True)
class Ask:
    """Which suite, which run counts as the current one (None: by rule), and which margin (None: the project's)."""

    project: str = ""
    suite: str = ""
    task: str | None = None
    metric: str = ""
    current: int | None = None
    margin: Decimal | None = None

    def chosen(self, suites: Sequence[Suite]) -> Suite | None:
        """The first suite that is asked for, of those there are in order of preference; None where none is."""
        for one in suites:
            said = (self.project in {"", one.project}, self.suite in {"", one.name}, self.metric in {"", one.metric})
            if all(said) and self.task in {None, one.task}:
                return one
        return None


def read(query: Mapping[str, str]) -> tuple[Ask, list[str]]:
    """The state in an address, and a sentence for each part that cannot be meant."""
    wrong: list[str] = []
    texts = {name: query.get(name, "").replace("\0", "")[:200] for name in ("project", "suite", "metric")}
    task = query["task"].replace("\0", "")[:200] if "task" in query else None
    return Ask(**texts, task=task, current=number(query, "current", wrong), margin=margin(query, wrong)), wrong


def number(query: Mapping[str, str], name: str, wrong: list[str]) -> int | None:
    """The number of a run in an address."""
    said = query.get(name, "").strip()
    if not said:
        return None
    if not (said.isascii() and said.isdigit() and len(said) < 18):
        wrong.append(f"“{name}” is the number of a run, not “{said[:40]}”.")
        return None
    return int(said)


def margin(query: Mapping[str, str], wrong: list[str]) -> Decimal | None:
    """A margin in points of 100, as a share."""
    said = query.get("margin", "").strip()
    if not said:
        return None
    try:
        found = Decimal(said)
    except InvalidOperation:
        found = Decimal(-1)
    if not (found.is_finite() and 0 < found < 100 and len(said) <= 12):
        wrong.append(f"The margin is a number of points between 0 and 100, such as 3, not “{said[:40]}”.")
        return None
    return found / 100


def suite_url(suite: Suite, path: str = "", **more: object) -> str:
    """The address of one suite."""
    state = {"project": suite.project, "suite": suite.name, "metric": suite.metric} | more
    url = address(f"{PATH}{path}", state)
    # The task is said even where it is empty: without it the address would mean any.
    return f"{url}&task={quote_plus(suite.task)}"


def compare_url(current: int, candidate: int, margin: Decimal | None = None, path: str = "") -> str:
    """The address of a comparison; the margin only where it is not the project's."""
    shown = None if margin is None else f"{(margin * 100).normalize():f}"
    return address(f"{PATH}/compare{path}", {"current": current, "candidate": candidate, "margin": shown})


def run_url(run: int) -> str:
    return f"{PATH}/{run}"


def preferred(points: Sequence[RatedPoint]) -> list[Suite]:
    """Suites in the order in which one is shown unasked: most models, then the newest day, then by name."""
    of: dict[Suite, list[RatedPoint]] = {}
    for point in points:
        of.setdefault(point.suite, []).append(point)

    def rank(suite: Suite) -> tuple[int, int, tuple[str, ...]]:
        days = [point.ran_on.toordinal() for point in of[suite] if point.ran_on]
        return (-len(of[suite]), -max(days, default=0), (suite.project, suite.name, suite.task, suite.metric))

    return sorted(of, key=rank)
