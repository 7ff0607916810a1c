"""Panels of spend over a year and over five years of rollups, and free groupings of a month of the ledger's rows.

A ledger of ten million rows a year comes to some 680,000 rollup rows, 1,870 a day, so that many are generated: what a
panel over rollups takes depends on them alone. Free groupings read the ledger's rows: a month at ten million a year is
imported, as the other months are other partitions, which such a panel does not touch.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection

from benchmarks import importing
from benchmarks.measuring import median
from benchmarks.report import Figure
from benchmarks.workspace import Workspace
from usage import organisations, periods, questions, spending
from usage.models import (
    Connection,
    DailyCost,
    ModelDailyCost,
    OfferingDailyCost,
    Organisation,
    ProjectDailyCost,
)
from usage.rollups import KEY, MEASURES, OFFERING_KEY, OWNER_KEY

DENSITY = 10
"""Ledger rows of a year, in BENCH_ROWS."""
ROLLED_UP = 680_000 / 10_000_000
"""Rollup rows for a row of the ledger, as measured on ten million rows of forty projects."""
PROJECTS, YEARS = 40, 5
UNTIL = date(2026, 11, 1)
TIMES, RAW_TIMES = 12, 5
GOAL_YEAR, GOAL_YEARS, GOAL_RAW = 150, 200, 1_000  # ms
PANELS = {
    "thirty days by project": {"group_by": "project", "period": "30d", "measure": "spent", "compare": "previous"},
    "thirty days by model and day": {"group_by": "model", "period": "30d", "measure": "spent", "grain": "day"},
    "ninety days by project and week": {"group_by": "project", "period": "90d", "measure": "spent", "grain": "week"},
    "one project by model, ninety days": {"group_by": "model", "period": "90d", "project": "project-7"},
    "a year by provider and month": {"group_by": "provider", "period": "year", "measure": "list", "grain": "month"},
    "a year by tier and source": {"group_by": "service_tier,source", "period": "year", "measure": "tokens"},
    "everything by model": {"group_by": "model", "measure": "spent"},
    "everything by model and week": {"group_by": "model", "measure": "spent", "grain": "week"},
}  # fmt: skip
RAW = {
    "by key": {"group_by": "ext_api_key", "measure": "spent"},
    "by team and day": {"group_by": "ext_team", "measure": "spent", "grain": "day"},
    "by key and model": {"group_by": "ext_api_key,model", "measure": "tokens"},
    "by operation of one team": {"group_by": "operation", "measure": "spent", "ext_team": "team-1"},
}
PAGES = ("/", "/spend", "/spend?group_by=model&period=90d", "/projects/project-7")


def run(space: Workspace) -> None:
    gc.collect()
    gc.freeze()  # as the server does when it has loaded: config/wsgi.py
    rows = space.rows * DENSITY
    whole = organisations.create_organisation("Panels", "panels")
    cells = _cells(whole, rows)
    curve = {}
    until = UNTIL
    for years, goal in ((1, GOAL_YEAR), (YEARS, GOAL_YEARS)):
        since = UNTIL.replace(year=UNTIL.year - years)
        _generate(whole, cells, since, until)
        until = since
        name = f"{rows * years:,} rows"
        curve[name] = _measured(space, whole, PANELS, f"a panel over the rollups of {name}", goal, TIMES)
    _measured_pages(space, whole, rows * YEARS)
    for month in _months(UNTIL.replace(year=UNTIL.year - 1), date(2026, 10, 1)):
        periods.close(whole, month, "bench")
    _analyse()
    _measured(space, whole, PANELS, f"the same of {rows * YEARS:,} rows, a year of it closed", GOAL_YEARS, TIMES)
    space.report.note(
        "slowest panel in ms, median: "
        + "; ".join(f"{name}: {slowest[1]:.0f} ({slowest[0]})" for name, slowest in curve.items())
    )
    _raw(space, rows)


def _raw(space: Workspace, rows: int) -> None:
    slug = "panels-raw"
    importing.organisation(slug)
    per_day = max(1, rows // 365)
    file, mapping = space.folder / "month.csv", space.folder / "month.json"
    importing.write_csv(file, per_day * 30, per_day)
    mapping.write_text(json.dumps(importing.MAPPING))
    space.child("benchmarks.child", "csv", slug, str(file), "--mapping", str(mapping))
    _analyse()
    organisation = Organisation.objects.get(slug=slug)
    since = importing.START.date()
    asked = {name: found | {"from": str(since), "until": str(since + timedelta(30))} for name, found in RAW.items()}
    _measured(space, organisation, asked, f"a free grouping of 30 days of {rows:,} rows a year", GOAL_RAW, RAW_TIMES)


def _measured(
    space: Workspace, organisation: Organisation, panels: dict[str, dict[str, str]], what: str, goal: int, times: int
) -> tuple[str, float]:  # fmt: skip
    """The 95th percentile over all panels, each asked `times` times after once that does not count."""
    space.patience.wait()
    taken: dict[str, list[float]] = {}
    for name, asked in panels.items():
        question = questions.read(asked.items(), UNTIL, UNTIL - timedelta(1))

        def answer(question: questions.Question = question) -> Any:
            return spending.answered(organisation, question, projects=None, grades=False)

        taken[name] = _milliseconds(answer, times)
    return _told(space, taken, what, goal)


def _measured_pages(space: Workspace, organisation: Organisation, rows: int) -> None:
    """Whole pages with their grades, as the server makes them for an admin."""
    from django.conf import settings
    from django.test import Client

    from dashboards import access
    from dashboards.models import Person

    settings.ALLOWED_HOSTS = ["*"]
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    person = Person.objects.create_user("panels@example.com")
    access.grant(person, "admin", organisation)
    client = Client()
    client.force_login(person)

    def page(address: str) -> Callable[[], Any]:
        def asked() -> Any:
            response = client.get(address)
            assert response.status_code == 200, (address, response.status_code)

        return asked

    space.patience.wait()
    taken = {address: _milliseconds(page(address), TIMES) for address in PAGES}
    _told(space, taken, f"a whole page over {rows:,} rows", 0)


def _told(space: Workspace, taken: dict[str, list[float]], what: str, goal: int) -> tuple[str, float]:
    every = sorted(ms for each in taken.values() for ms in each)
    percentile = every[min(len(every) - 1, int(len(every) * 0.95))]
    middle = median(every)
    stated, holds = (f"<= {goal} ms", percentile <= goal) if goal else ("", None)
    space.report.add(
        Figure(f"{what}, 95th percentile", percentile, "ms", f"median {middle:.0f} ms", None, stated, holds, every)
    )
    space.report.note(what + ", medians: " + "; ".join(f"{name} {median(each):.0f} ms" for name, each in taken.items()))
    return max(((name, median(each)) for name, each in taken.items()), key=lambda found: found[1])


def _milliseconds(work: Callable[[], Any], times: int) -> list[float]:
    work()
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append((time.perf_counter() - start) * 1000)
    return found


@dataclass(frozen=True, slots=True)
class _Cell:
    """What stands in the rollup every day: one project's use of one model by one connection in one tier."""

    project: int | None
    connection: int
    offering: int
    tier: str


def _cells(organisation: Organisation, rows: int) -> list[_Cell]:
    """So many that `rows` ledger rows a year fill as many rollup rows."""
    from pricing.models import Offering

    projects = [organisations.create_project(organisation, f"Project {number}").pk for number in range(PROJECTS)]
    feeds = [
        Connection.objects.create(organisation=organisation, importer=importer, scope=scope).pk
        for importer, scope in (("litellm_spend_logs", "gateway"), ("claude_code", "laptops"), ("csv", "exports"))
    ]
    sold = [
        Offering.objects.get(provider__slug=provider, sku=sku, region="").pk
        for provider, sku in importing.MODELS
        if Offering.objects.filter(provider__slug=provider, sku=sku, region="").exists()
    ]
    every = [
        _Cell(project, feed, offering, tier)
        for tier in ("", "batch")
        for offering in sold
        for feed in feeds
        for project in [*projects, None]
    ]
    wanted = max(1, round(rows * ROLLED_UP / 365))
    return every[:: max(1, len(every) // wanted)][:wanted]


def _generate(organisation: Organisation, cells: Sequence[_Cell], first: date, until: date) -> None:
    """Every rollup of the days [first, until)."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_cell")
        cursor.execute("CREATE TEMP TABLE bench_cell (project bigint, feed bigint, offering bigint, tier text)")
        with cursor.copy("COPY bench_cell FROM STDIN") as copy:
            for cell in cells:
                copy.write_row((cell.project, cell.connection, cell.offering, cell.tier))
        drawn = {name: _DRAWN.get(name, "0") for name in MEASURES}
        columns, key = ", ".join(drawn), ", ".join(KEY)
        cursor.execute(
            f"""INSERT INTO {DailyCost._meta.db_table} ({key}, project_id, {columns})
            SELECT %s, d::date, 'estimated', '', 'USD', 'USD', true, true, feed, offering, '', '', tier, false, project,
                {", ".join(drawn.values())}
            FROM generate_series(%s::date, %s::date, interval '1 day') d, bench_cell ORDER BY d""",
            [organisation.pk, first, until - timedelta(1)],
        )
        summed = ", ".join(f"sum({name})" for name in MEASURES)
        for model, kept in (
            (ModelDailyCost, key),
            (ProjectDailyCost, ", ".join(OWNER_KEY)),
            (OfferingDailyCost, ", ".join(OFFERING_KEY)),
        ):
            cursor.execute(
                f"""INSERT INTO {model._meta.db_table} ({kept}, {columns})
                SELECT {kept}, {summed} FROM {DailyCost._meta.db_table}
                WHERE organisation_id = %s AND day >= %s AND day < %s GROUP BY {kept} ORDER BY 2""",
                [organisation.pk, first, until],
            )
    _analyse()


_DRAWN = {
    "records": "1 + (random() * 30)::int", "requests": "1 + (random() * 30)::int",
    "in_uncached": "(random() * 1e6)::bigint", "in_cache_read": "(random() * 1e6)::bigint",
    "out_total": "(random() * 1e5)::bigint", "list_cost": "round((random() * 9)::numeric, 12)",
    "contracted_cost": "1", "spent": "1", "priced_records": "1", "spent_records": "1",
}  # fmt: skip


def _months(first: date, last: date) -> Sequence[date]:
    found = [first]
    while found[-1] < last:
        found.append(periods.after(found[-1]))
    return found


def _analyse() -> None:
    """As autovacuum leaves the tables some minutes later."""
    with connection.cursor() as cursor:
        for model in organisations.SUMMED:
            cursor.execute(f"VACUUM ANALYZE {model._meta.db_table}")
