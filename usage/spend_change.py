"""Why spend changed between two spans of days: `usage.bridge` over what the ledger holds.

Figures are official ones, of UTC days, in the organisation's currency; notional usage is left out. What items do not
explain of what was spent stands beside them:

- `corrections`: closed months whose official figure is not what their usage is rated at today, as prices were corrected
  since. A restatement moves it to where it belongs;
- `rated`: what the rating of each record knows and a plain price does not: long prompts, hours, lifetimes of caches, a
  price that changed within a day;
- `reported`: what bills and feeds say beyond the cost of the tokens.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from usage import bridge, priced_items, questions
from usage.baskets import exact_sum
from usage.bridge import ENDED, NEW, OF_ITEMS, Bridge
from usage.costs import Filters, Scope, narrowed
from usage.coverage import unknown_counts
from usage.exchange import Rates, days_of
from usage.models import DailyCost, Organisation, Period
from usage.priced_items import Item, Items, Used
from usage.questions import NOBODY, TOKENS, Question, Unanswerable
from usage.spending import pending_months
from usage.summing import Sums, add, is_foreign

CORRECTIONS, RATED, REPORTED = "corrections", "rated", "reported"
PARTS = (*OF_ITEMS, CORRECTIONS, RATED, REPORTED)
"""In the order in which they are told: what the market did, what the organisation did, what the books did."""
_KEYS = ("day", "offering", "service_tier", "project")
MOST = 20
"""Items of a part that are named; the others are one amount."""
Span = tuple[date, date]


class _Read(NamedTuple):
    period: bridge.Period
    sums: Sums
    tokens: int
    unpriced_tokens: int
    unconverted: Mapping[str, Decimal]


def read(asked: Iterable[tuple[str, str]], today: date, last: date | None = None) -> tuple[Question, Span]:
    """The question that names and values ask and the days it compares with; Unanswerable for what makes none.

    Days are those of `usage.questions`; without `compare` as many days before. `before_from` and `before_until` say
    other ones. Only what the rollups know can narrow it.
    """
    given = list(asked)
    question = questions.read(given, today, last)
    if raw := next((name for name in question.filters if questions.is_raw(name)), None):
        raise Unanswerable(f"A change of spend is not narrowed by {raw}: use {', '.join(questions.SUMMED)}.", raw)
    if question.since is None or question.until is None:
        raise Unanswerable("Say the days of the later span: from=2026-11-09 and until=2026-11-16.", "from")
    own = [(name.removeprefix("before_"), text) for name, text in given if name.startswith("before_")]
    if any(text.strip() for _, text in own):
        try:
            return question, questions.read(own, today).days
        except Unanswerable as fault:
            raise Unanswerable(f"Of the days before: {fault}", f"before_{fault.asked}") from None
    before = (question if question.compare else replace(question, compare=questions.COMPARISONS[0])).before
    assert before is not None  # noqa: S101 - both ends and a comparison are there
    return question, before


def where(item: Item) -> tuple[Any, ...]:
    """The model of an item, how it is sold, whether it is written or read, and its kind of token."""
    side = "output" if item.unit in ("output", "reasoning") else "input"
    return (item.model or (item.provider, item.sku), (*item[:3], item.service_tier), side, item.unit)


def change(
    organisation: Organisation,
    days: Span,
    before: Span,
    *,
    projects: Iterable[int] | None = None,
    filters: Filters | None = None,
) -> Bridge:
    """The bridge from the days `before` to `days`, both [since, until)."""
    scope = Scope(organisation, *days, None if projects is None else tuple(projects), filters or {})
    return bridge.bridge(_read(replace(scope, since=before[0], until=before[1])).period, _read(scope).period, where)


def answer(
    organisation: Organisation,
    days: Span,
    before: Span,
    *,
    projects: Iterable[int] | None = None,
    filters: Filters | None = None,
) -> dict[str, Any]:
    """The change of spend from the days `before` to `days`, part by part, each with the items that made it.

    The parts sum to `change`, and items with `others` to their part, exactly. Money as text.
    """
    whose = None if projects is None else tuple(projects)
    scope = Scope(organisation, *days, whose, filters or {})
    then, now = _read(replace(scope, since=before[0], until=before[1])), _read(scope)
    found = bridge.bridge(then.period, now.period, where)
    parts = found.parts
    return {
        "organisation": organisation.slug,
        "currency": organisation.display_currency,
        "before": _side(before, then),
        "after": _side(days, now),
        "change": f"{exact_sum((found.after, -found.before)):f}",
        "parts": [
            {"part": part, "amount": f"{parts[part]:f}", **_items(found, part), **_projects(found, part)}
            for part in PARTS
        ],
        "coverage": {
            "unknown_counts": unknown_counts(then.sums, now.sums),
            "unconverted": {
                name: f"{then.unconverted.get(name, Decimal(0)) + now.unconverted.get(name, Decimal(0)):f}"
                for name in sorted({*then.unconverted, *now.unconverted})
            },
            "pending": [
                month
                for span in (before, days)
                for month in pending_months(organisation, *span, whose, by_project=False, filters=scope.filters)
            ],
        },
    }


def _side(days: Span, read: _Read) -> dict[str, Any]:
    return {
        "from": days[0].isoformat(),
        "until": days[1].isoformat(),
        "spent": read.sums.money()["spent"],
        "tokens": read.tokens,
        "unpriced_tokens": read.unpriced_tokens,
    }


def _items(found: Bridge, part: str) -> dict[str, Any]:
    """The items that made a part, the largest first; ties in the order of their names."""
    moved = [(item, amounts[part]) for item, amounts in found.by_item.items() if amounts.get(part)]
    moved.sort(key=lambda one: (-abs(one[1]), one[0]))
    return {
        "items": [{**item._asdict(), "amount": f"{amount:f}"} for item, amount in moved[:MOST]],
        "others": f"{exact_sum(amount for _, amount in moved[MOST:]):f}",
    }


def _projects(found: Bridge, part: str) -> dict[str, Any]:
    if part not in (NEW, ENDED):
        return {}
    moved = sorted((name or NOBODY, amount) for name, amount in found.by_project[part].items())
    return {"projects": [{"project": name, "amount": f"{amount:f}"} for name, amount in moved]}


def _read(scope: Scope) -> _Read:
    """A scope's period as `usage.bridge` takes it, and what is not in it."""
    rows = scope.rollup(*_KEYS).spent().sums_by(*_KEYS)
    rates = Rates(scope.organisation, is_foreign(rows, scope.organisation.display_currency), days_of(rows))
    items = _by_project(scope, rows)
    basket = {item: used.line(rates) for item, used in _together(items).items()}
    sums, unconverted = Sums(), defaultdict[str, Decimal](Decimal)
    for row in scope.rollup().spent().sums_by("day"):  # as `spend` sums, which rounds once a day and currency
        add(row, (sums,), rates, unconverted)
    told = exact_sum(line.value for line in basket.values() if line.value is not None)
    corrections = _corrections(scope, rows, rates)
    beside = {
        CORRECTIONS: corrections,
        RATED: exact_sum((sums.contracted_cost, -told, -corrections)),
        REPORTED: exact_sum((sums.spent, -sums.contracted_cost)),
    }
    by_project = {
        project: {item: int(line.quantity) for item, one in used.items() if (line := one.line(rates)).has_price}
        for project, used in items.items()
    }
    there = frozenset(row["key_project"] for row in rows if _tokens(row) or row["sum_spent"])
    unpriced = sum(_tokens(row) for row in rows if not row["list_currency"])
    return _Read(bridge.Period(basket, by_project, there, beside), sums, sums.tokens, unpriced, unconverted)


def _tokens(row: Mapping[str, Any]) -> int:
    return sum(row[f"sum_{name}"] for name in TOKENS)


def _by_project(scope: Scope, rows: Sequence[dict[str, Any]]) -> dict[Any, Items]:
    if scope.since is None or scope.until is None:
        raise ValueError("A change is between days: say both ends of each span.")
    return priced_items.used(scope.organisation, rows, (scope.since, scope.until), lambda row: row["key_project"])


def _together(items: Mapping[Any, Items]) -> Items:
    found: Items = defaultdict(Used)
    for of_project in items.values():
        for item, used in of_project.items():
            found[item].take(used)
    return found


def _corrections(scope: Scope, official: Sequence[dict[str, Any]], rates: Rates) -> Decimal:
    """What official rows of closed days have beyond plain prices, less what the ledger's rows of these days have."""
    spans = Period.objects.touching(scope.since, scope.until).spans(scope.organisation.pk)
    if not spans:
        return Decimal(0)

    def closed(row: Mapping[str, Any]) -> bool:
        return any(starts <= row["key_day"] < until for starts, until in spans)

    found = narrowed(DailyCost.objects.of(scope.organisation, scope.since, scope.until), scope.filters).spent()
    found = found if scope.projects is None else found.filter(project__in=scope.projects)
    ledger = found.sums_by(*_KEYS)
    beyond = [_beyond_plain(scope, [row for row in rows if closed(row)], rates) for rows in (official, ledger)]
    return exact_sum((beyond[0], -beyond[1]))


def _beyond_plain(scope: Scope, rows: Sequence[dict[str, Any]], rates: Rates) -> Decimal:
    sums = Sums()
    for row in rows:
        add(row, (sums,), rates, defaultdict(Decimal))
    lines = [used.line(rates) for used in _together(_by_project(scope, rows)).values()]
    return exact_sum([sums.contracted_cost, *(-line.value for line in lines if line.value is not None)])
