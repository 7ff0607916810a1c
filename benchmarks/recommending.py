"""What advice takes: of each project of an organisation, over a year of ten times BENCH_ROWS ledger rows.

A month at that density is imported, so that sample and token log are read from as many rows as there would be; the
rollups of the months before are copies of it, as advice reads nothing else of them. Every project uses thirteen models.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any, Final

from django.db import connection

from benchmarks import importing
from benchmarks.measuring import median
from benchmarks.report import Figure
from benchmarks.workspace import Workspace
from pricing import quality
from usage import organisations, questions, recommending, spending
from usage.models import DailyCost, Organisation, Project

SLUG: Final = "recommending"
DENSITY: Final = 10
"""Ledger rows of a year, in BENCH_ROWS."""
DAYS, COPIES = 30, 11
GOAL_MS: Final = 1_000
TIMES: Final = 2


def run(space: Workspace) -> None:
    quality.load_bundled()
    rows = space.rows * DENSITY
    organisation = _ledger(space, rows)
    projects = list(Project.objects.filter(organisation=organisation).order_by("slug"))
    on = importing.START.date() + timedelta(days=DAYS)
    space.patience.wait()
    cold = _milliseconds(partial(recommending.advise, projects[0], on))
    taken, panels, own = [], [], []
    for _ in range(TIMES):
        for project in projects:
            panels.append(_milliseconds(partial(_panel, organisation, project, on)))
            began = time.process_time()
            taken.append(_milliseconds(partial(recommending.advise, project, on)))
            own.append((time.process_time() - began) * 1000)
    slowest = sorted(taken)[min(len(taken) - 1, int(len(taken) * 0.95))]
    ratios = [mine / panel for mine, panel in zip(taken, panels, strict=True)]
    name = f"advice for a project over {rows:,} rows a year, 95th percentile"
    space.report.add(
        Figure(name, slowest, "ms", f"a panel of the same project, median {median(panels):.0f} ms", median(ratios),
               f"<= {GOAL_MS} ms", slowest <= GOAL_MS, taken)
    )  # fmt: skip
    every = _milliseconds(partial(recommending.advise_all, organisation, on)) / len(projects)
    found = recommending.advise(projects[0], on)
    space.report.note(
        f"median {median(taken):.0f} ms, of which {median(own):.0f} ms are Python's own processor time; the first of a"
        f" process {cold:.0f} ms; of all projects at once {every:.0f} ms"
        f" each; {len(found.recommendations)} moves and {len(found.refused)} refusals of"
        f" {found.coverage.sampled_requests:,} sampled records."
    )


def _ledger(space: Workspace, rows: int) -> Organisation:
    importing.organisation(SLUG)
    per_day = max(1, rows // 365)
    file, mapping = space.folder / "recommending.csv", space.folder / "recommending.json"
    importing.write_csv(file, per_day * DAYS, per_day)
    mapping.write_text(json.dumps(importing.MAPPING))
    space.child("benchmarks.child", "csv", SLUG, str(file), "--mapping", str(mapping))
    organisation = Organisation.objects.get(slug=SLUG)
    _copy_back(organisation)
    return organisation


def _copy_back(organisation: Organisation) -> None:
    """The rollups by project of the months before, each the imported one moved back."""
    table = DailyCost._meta.db_table
    names = [field.column for field in DailyCost._meta.concrete_fields if field.column not in ("id", "day")]
    columns = ", ".join(names)
    months = f"generate_series(1, {COPIES}) n"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO {table} (day, {columns})
            SELECT day - {DAYS} * n, {columns} FROM {table}, {months} WHERE organisation_id = %s""",
            [organisation.pk],
        )
        for model in organisations.SUMMED:
            cursor.execute(f"VACUUM ANALYZE {model._meta.db_table}")
        cursor.execute("ANALYZE usage_usagerecord")


def _panel(organisation: Organisation, project: Project, on: date) -> Any:
    asked = {"group_by": "model", "period": "30d", "project": project.slug, "measure": "spent"}
    question = questions.read(asked.items(), on, on - timedelta(days=1))
    return spending.answered(organisation, question, projects=None, grades=False)


def _milliseconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000
