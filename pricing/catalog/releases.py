"""When rated models came out: the reviewed table `pricing/data/releases.csv`, written to the models it names.

    model,released_on,source,licence,url
    openai/gpt-4,2023-03-14,"Epoch AI, model versions",CC BY 4.0,https://epoch.ai/data/ai-models

A line names a model as the maps of benchmarks do, exactly; nothing is read off a name. It goes before what sources
state (`offerings.released`), so the order in which the two are written cannot matter.
"""

from __future__ import annotations

import csv
from datetime import date
from functools import cache
from importlib.resources import files

from pricing.catalog.rows import update_rows
from pricing.models import LanguageModel
from pricing.quality import model_key


@cache
def releases() -> dict[str, date]:
    """The day by the model's key."""
    text = files("pricing").joinpath("data/releases.csv").read_text("utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {model_key(row["model"]): date.fromisoformat(row["released_on"]) for row in rows}


def write_releases() -> None:
    """Give every model of the table that the catalogue holds its day."""
    told = releases()
    held = LanguageModel.objects.filter(key__in=told).values_list("pk", "key", "released_on")
    changed = [(pk, told[key]) for pk, key, known in held if known != told[key]]
    if changed:
        update_rows(LanguageModel._meta.db_table, ("released_on",), changed)
