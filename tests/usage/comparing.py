"""What the database says of an organisation, in the shape of the reckoning, and whether it is what was reckoned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from pricing.models import Offering
from tests.usage.books import Books, Feed, Figures
from tests.usage.drawn import UNKNOWN, USD
from tests.usage.reckoning import BY_MODEL, BY_PROJECT, MEASURES, Reckoned, Sum, cell_of, official, plus, without
from usage import spending
from usage.models import (
    Connection,
    DailyCost,
    ModelDailyCost,
    OfferingDailyCost,
    OfficialDailyCost,
    OfficialModelDailyCost,
    OfficialOfferingDailyCost,
    OfficialProjectDailyCost,
    PendingDailyCost,
    PendingModelDailyCost,
    PendingOfferingDailyCost,
    PendingProjectDailyCost,
    ProjectDailyCost,
)
from usage.pending import pending

GROUPS = ("project", "model", "day", "source", "scope", "month")
ANSWERED = ("spent", "list", "contracted", "reported", "notional", "requests", "out_total")
SHOWN = 5
_LEAST = ("day", "cost_kind", "currency", "list_currency", "spent_currency", "counted", "tallied")
_NOT_FED = ("counted", "tallied", "spread", "project_id")


def ledger_is_as_reckoned(books: Books, now: Reckoned) -> None:
    """Every row of the ledger and of every rollup. So sum(ledger) = models + unknown = projects + unattributed, by day
    and as a whole, in every measure."""
    _same("ledger", _ledger(books), _expected_ledger(now))
    by_model = _figures(ModelDailyCost.objects.filter(organisation=books.organisation), BY_MODEL, books)
    by_project = _figures(DailyCost.objects.filter(organisation=books.organisation), BY_PROJECT, books)
    _alone("projects alone", ProjectDailyCost.objects.filter(organisation=books.organisation), by_project, "project_id")
    _alone("models alone", OfferingDailyCost.objects.filter(organisation=books.organisation), _of_nobody(by_model))
    _same("models", by_model, now.models)
    _same("projects", by_project, now.projects)
    but_day = tuple(name for name in BY_PROJECT if name != "day")
    ledger = plus(*({(record.key[0],): record.sums} for record in now.records))
    own = {key: sums for key, sums in by_project.items() if not key[BY_PROJECT.index("spread")]}
    _same("days of models", without(_of_nobody(by_model), *but_day), ledger)
    _same("days of projects", without(own, *but_day), ledger)


def official_is_as_reckoned(books: Books, now: Reckoned) -> None:
    """What was closed is as it was closed, with the restatements that stand."""
    found = _figures(OfficialDailyCost.objects.whole(books.organisation.pk), BY_PROJECT, books)
    _same("official", found, official(books, now.projects))


def pending_is_the_rest(books: Books, now: Reckoned) -> None:
    """What the ledger has more of closed months than is official, by project and by model, and on which days."""
    whole = books.organisation.pk
    by_project = official(books, now.projects)
    waiting = _figures(PendingDailyCost.objects.whole(whole), BY_PROJECT, books)
    _same("official + pending", plus(by_project, waiting), now.projects)
    _alone("official projects alone", OfficialProjectDailyCost.objects.whole(whole), by_project, "project_id")
    _alone("pending projects alone", PendingProjectDailyCost.objects.whole(whole), waiting, "project_id")
    by_model = _figures(OfficialModelDailyCost.objects.whole(whole), BY_MODEL, books)
    waiting_by_model = _figures(PendingModelDailyCost.objects.whole(whole), BY_MODEL, books)
    _same("official + pending by model", plus(by_model, waiting_by_model), now.models)
    _alone("official models alone", OfficialOfferingDailyCost.objects.whole(whole), _of_nobody(by_model))
    _alone("pending models alone", PendingOfferingDailyCost.objects.whole(whole), _of_nobody(waiting_by_model))
    # A row that does not count by its own attribution has its money in one that is spread.
    for flag in ("counted", "tallied"):
        models, projects = BY_MODEL.index(flag), BY_PROJECT.index(flag)
        of_models = {key: sums for key, sums in by_model.items() if key[models]}
        of_projects = {key: sums for key, sums in by_project.items() if key[projects]}
        _same(f"official {flag}", without(_of_nobody(of_models), *_NOT_FED), without(of_projects, *_NOT_FED))
    for month in books.closed:
        cells = {cell_of(key) for key in of_month(plus(now.projects, by_project, sign=-1), month)}
        known = {(day, books.feeds[importer, scope]) for day, importer, scope in cells}
        assert set(pending(books.organisation, month).cells) == known


def answer_adds_up(books: Books, now: Reckoned, group: str) -> None:
    """Groups of an answer sum to its total, in the display currency, and the total is what is official."""
    answer = spending.report(books.organisation, group_by=[group], grades=False)
    expected: dict[Any, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for key, sums in official(books, now.projects).items():
        row = dict(zip((*BY_PROJECT, *MEASURES), (*key, *sums), strict=True))
        for name, amount in _answered(row).items():
            expected[_group_of(books, row, group)][name] += amount
            expected["total"][name] += amount
    for name in ANSWERED:
        total = Decimal(answer["total"][name] or 0)
        parts: dict[Any, Decimal] = defaultdict(Decimal)
        for part in answer["groups"]:
            of = part["model"] or part["model_raw"] or "" if group == "model" else part[group]
            parts[of] += Decimal(part[name] or 0)
        assert sum(parts.values()) == total, (group, name)
        for of, amount in [*parts.items(), ("total", total)]:
            # Money is rounded where it is converted, by whichever rows the answer sums.
            assert abs(expected[of][name] - amount) <= Decimal("1e-9"), (group, of, name, expected[of][name], amount)


def connections(books: Books) -> dict[Feed, int]:
    rows = Connection.objects.filter(organisation=books.organisation).values_list("importer", "scope", "pk")
    return {(importer, scope): pk for importer, scope, pk in rows}


def skus() -> dict[int, str]:
    return dict(Offering.objects.values_list("pk", "sku"))


def of_month(figures: Figures, month: date) -> Figures:
    return {key: sums for key, sums in figures.items() if key[0].replace(day=1) == month}


def _same(what: str, found: Mapping[Any, Any], expected: Mapping[Any, Any]) -> None:
    if found != expected:
        keys = [key for key in {**found, **expected} if found.get(key) != expected.get(key)]
        shown = "\n".join(f"{key}\n  is {found.get(key)}\n  of {expected.get(key)}" for key in keys[:SHOWN])
        raise AssertionError(f"{what}: {len(keys)} differ\n{shown}")


def _of_nobody(by_model: Figures) -> Figures:
    return {(*key, False, None): sums for key, sums in by_model.items()}


def _figures(rows: QuerySet[Any], key: tuple[str, ...], books: Books) -> Figures:
    """The rows of a rollup, or of anything of its shape, summed by a key."""
    feeds = {pk: feed for feed, pk in books.feeds.items()}
    found = Sum()
    kept = ("day", "connection_id", "offering_id", "model_raw", *key[4:], *MEASURES)
    for day, connection_id, offering_id, model_raw, *row in rows.values_list(*kept):
        of = (day, *feeds[connection_id], books.skus[offering_id] if offering_id else model_raw)
        found.add((*of, *row[: len(key) - 4]), row[len(key) - 4 :])
    return found.figures()


def _alone(what: str, rows: QuerySet[Any], figures: Figures, *more: str) -> None:
    """The rows of a smaller rollup are the sums of those that tell more apart; a model by its sku or name."""
    known = {} if more else skus()
    kept = [name for name in BY_PROJECT if name in (*_LEAST, *(more or ("model",)))]
    found = Sum()
    for row in rows.values(*_LEAST, *MEASURES, *(more or ("offering_id", "model_raw"))):
        if not more:
            row["model"] = known.get(row["offering_id"], row["model_raw"])
        found.add(tuple(row[name] for name in kept), [row[name] for name in MEASURES])
    _same(what, found.figures(), without(figures, *(name for name in BY_PROJECT if name not in kept)))


_LEDGER = """
SELECT n.importer, n.scope, r.record_key, r.occurred_at, d.model_raw, o.sku, r.in_uncached, r.in_cache_read,
    r.out_total, r.requests, r.cost_reported, r.currency, r.cost_kind, r.list_cost, r.contracted_cost
FROM usage_usagerecord r JOIN usage_usagedimension d ON d.id = r.dimension_id
JOIN usage_connection n ON n.id = r.connection_id LEFT JOIN pricing_offering o ON o.id = r.offering_id
WHERE r.organisation_id = %s AND n.organisation_id = %s AND d.organisation_id = %s"""


def _ledger(books: Books) -> dict[Any, Any]:
    with connection.cursor() as cursor:
        cursor.execute(_LEDGER, [books.organisation.pk] * 3)
        rows = cursor.fetchall()
    found = {row[:3]: row[3:] for row in rows}
    assert len(found) == len(rows), "a key stands twice"
    return found


def _expected_ledger(now: Reckoned) -> dict[Any, Any]:
    return {
        (*record.feed, fact.record_key): (
            fact.occurred_at, fact.dimension.model_raw,
            None if fact.dimension.model_raw in (UNKNOWN, "") else fact.dimension.model_raw,
            fact.in_uncached, fact.in_cache_read, fact.out_total, fact.requests, fact.cost_reported, fact.currency,
            fact.cost_kind, *record.costs,
        )
        for record in now.records
        for fact in [record.fact]
    }  # fmt: skip


def _answered(row: dict[str, Any]) -> dict[str, Decimal]:
    """What one row of official figures adds to an answer."""

    def usd(name: str, currency: str) -> Decimal:
        return Decimal(row[name] * USD[row[currency]]).quantize(Decimal("1e-12"), ROUND_HALF_UP)

    found: dict[str, Decimal] = {}
    if row["tallied"]:
        found |= {"requests": row["requests"], "out_total": row["out_total"]}
        found["notional" if row["cost_kind"] == "notional" else "list"] = usd("list_cost", "list_currency")
    if row["tallied"] and row["cost_kind"] != "notional":
        found["contracted"] = usd("contracted_cost", "list_currency")
    if row["counted"] and row["cost_kind"] != "notional":
        found |= {"reported": usd("reported_cost", "currency"), "spent": usd("spent", "spent_currency")}
    return found


def _group_of(books: Books, row: dict[str, Any], group: str) -> Any:
    if group == "project":
        return next((project.slug for project in books.projects if project.pk == row["project_id"]), None)
    if group in ("day", "month"):
        return row["day"].isoformat()[: 10 if group == "day" else 7]
    return row["importer" if group == "source" else group]
