"""The order of the page's lines and its table for programs. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from dashboards.pages.changes.lines import ZERO, Line, Step, Usage
from dashboards.pages.events import EventRow


def in_order(steps: Iterable[Step], sort: str = "") -> list[Step]:
    """The latest first, of one day the maker's own price before its resellers'; or by how far the price moved."""

    def place(step: Step) -> tuple[object, ...]:
        moved = -step.relative if sort == "change" else 0
        return (
            moved,
            -step.at.timestamp(),
            step.provider != step.maker,
            step.model.lower(),
            step.provider,
            step.offering_id,
        )

    return sorted(steps, key=place)


def ahead(steps: Iterable[Step], usage: Usage | None) -> list[Step]:
    """What is to come: models in use first, then the earliest."""

    def place(step: Step) -> tuple[object, ...]:
        return (
            usage is None or step.model_id not in usage.models,
            step.at,
            step.model.lower(),
            step.provider,
            step.offering_id,
        )

    return sorted(steps, key=place)


def by_effect(lines: Iterable[Line]) -> list[Line]:
    """Where the reader buys first, what moves most money before what moves less."""
    return sorted(lines, key=lambda line: (not line.bought, -abs(line.effect or ZERO)))


def mine_and_others(steps: Sequence[Step], usage: Usage | None) -> tuple[list[Step], list[Step]]:
    """Steps of models the reader uses, those bought from that very seller first; and the rest of the market."""
    if usage is None:
        return [], list(steps)
    mine = [step for step in steps if step.model_id in usage.models]
    mine.sort(key=lambda step: not usage.buys(step.offering_id))
    return mine, [step for step in steps if step.model_id not in usage.models]


def told_once(steps: Iterable[Step], usage: Usage | None) -> list[Step]:
    """Ids of one model that made the same step at one seller as one step, in the place of the first of them.

    An id the reader buys is told for the others; of several that are bought each is told, as each has its own tokens.
    """
    alike: dict[tuple[object, ...], list[Step]] = defaultdict(list)
    for step in steps:
        alike[step.model_id, step.provider, step.at, step.before, step.after].append(step)
    told = []
    for group in alike.values():
        bought = [step for step in group if usage and usage.buys(step.offering_id)]
        first, *others = bought or group[:1]
        twins = len(group) - 1 - len(others)
        told.append(replace(first, twins=twins if len(group) > 1 else None))
        told += [replace(step, twins=0) for step in others]
    return told


CSV_HEAD = (
    "kind", "status", "provider", "sku", "region", "model", "unit", "qualifier", "service_tier", "context_from",
    "schedule", "old", "new", "per", "currency", "effective_from", "first_seen", "source", "why",
)  # fmt: skip


def csv_row(event: EventRow) -> tuple[object, ...]:
    """One event in full digits, as stated: per whatever its source counts by."""
    return (
        event.kind, event.status, event.provider, event.sku, event.region, event.model_slug, event.unit,
        event.qualifier, event.service_tier, event.context_from, event.schedule, event.old, event.new, event.per,
        event.currency, event.effective_from.isoformat(), event.observed_at.isoformat(), event.source, event.why,
    )  # fmt: skip
