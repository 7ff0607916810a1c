"""Reading the price sources: for the first time, again, and with every price changed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from benchmarks.measuring import Taken, backend_clock, median, timed
from benchmarks.report import Figure
from benchmarks.workspace import Workspace
from pricing import catalog, sources
from pricing.models import Offering, Price

OFFERINGS = 6_000
GOAL_SAME, GOAL_CHANGED = 3, 20
ONCE_SECONDS = 30
"""What takes longer than this is done once."""


def run(space: Workspace) -> None:
    report = space.report
    report.add(Figure("first load of the bundled sources", space.first_load.wall, "s"))
    report.note(f"the bundled sources make {Offering.objects.count():,} offerings, {Price.objects.count():,} prices.")
    source = sources.all_sources()["genai_prices"]
    body = _padded(json.loads(source.bundled().body, parse_float=Decimal), OFFERINGS)  # type: ignore[attr-defined]

    connection.ensure_connection()
    backend = backend_clock(connection.connection.info.backend_pid)

    def record(factor: Decimal, number: int) -> Taken:
        changed = _dump(_scaled(body, factor))
        space.patience.wait()
        with timed(lambda: time.process_time() + backend()) as taken:
            outcome = catalog.record(source.SLUG, changed, observed_at=datetime.now(UTC), version=f"bench {number}")
        if outcome.error:
            raise RuntimeError(outcome.error)
        return taken

    models = sum(len(provider["models"]) for provider in body)
    report.add(_figure(f"{models:,} offerings of one source, the added ones new", [record(Decimal(1), 1)]))
    same = [record(Decimal(1), number) for number in (2, 3, 4)]
    report.add(_figure("the same body again", same, GOAL_SAME))
    changed = [record(Decimal("1.01"), 5)]
    if changed[0].wall < ONCE_SECONDS:
        changed += [record(Decimal("1.02"), 6), record(Decimal("1.03"), 7)]
    report.add(_figure("every price 1 % higher", changed, GOAL_CHANGED))


def _figure(name: str, taken: list[Taken], goal: int | None = None) -> Figure:
    """Seconds on the wall, and beside them those of the processor: of Python and PostgreSQL together."""
    seconds = [each.wall for each in taken]
    figure = Figure(name, median(seconds), "s", f"{min(each.cpu for each in taken):.1f} s of processor time")
    figure.samples = seconds
    if goal is not None:
        figure.goal, figure.holds = f"<= {goal} s", median(seconds) <= goal
    return figure


def _padded(providers: list[dict[str, Any]], wanted: int) -> list[dict[str, Any]]:
    """The catalogue with copies of its models under other names, until it has as many as wanted."""
    have = sum(len(provider["models"]) for provider in providers)
    originals = [(provider, list(provider["models"])) for provider in providers]
    copy = 1
    while have < wanted:
        copy += 1
        for provider, models in originals:
            for model in models[: wanted - have]:
                name = f"{model['id']}-copy-{copy}"
                provider["models"].append({**model, "id": name, "match": {"equals": name}})
                have += 1
    return providers


def _scaled(body: Any, factor: Decimal) -> Any:
    """The body with every amount times the factor; where a tier starts is no amount."""
    if factor == 1:
        return body

    def walk(value: Any, priced: bool) -> Any:
        if isinstance(value, dict):
            return {
                key: text if key == "start" else walk(text, priced or (key == "prices" and isinstance(text, dict)))
                for key, text in value.items()
            }
        if isinstance(value, list):
            return [walk(item, priced) for item in value]
        return _amount(value, factor) if priced else value

    return walk(body, False)


def _amount(value: Any, factor: Decimal) -> Any:
    """Amounts are numbers, or texts that say one."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return value
    scaled = Decimal(value) * factor
    return str(scaled) if isinstance(value, str) else scaled


def _dump(body: Any) -> bytes:
    default: Callable[[Any], Any] = float
    return json.dumps(body, separators=(",", ":"), default=default).encode()
