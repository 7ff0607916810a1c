"""What models take, give and can do: the reviewed table `pricing/data/model_traits.csv`, written to its models.

    model,modalities,capabilities,open_weights,source,observed_on,licence,url
    openai/o4-mini,image_in text_in text_out,reasoning structured_output tools vision,no,models.dev,2026-03-01,MIT,…

The sources that ship as packages state prices and hardly anything else, so without it an installation that fetches
nothing could not say which models call tools. What sources say adds to it (`offerings._describe`), in either order.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from pricing.catalog.rows import update_rows
from pricing.models import LanguageModel
from pricing.quality import model_key

_COLUMNS = ("modalities", "capabilities", "open_weights")


class Traits(NamedTuple):
    """A line of the table; `open_weights` None is not stated."""

    modalities: frozenset[str]
    capabilities: frozenset[str]
    open_weights: bool | None


@cache
def model_traits() -> dict[str, Traits]:
    """The lines by the model's key; ValueError where a word of the table is none."""
    text = files("pricing").joinpath("data/model_traits.csv").read_text("utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {model_key(row["model"]): _traits(row) for row in rows}


def _traits(row: dict[str, str]) -> Traits:
    words = {"yes": True, "no": False, "": None}
    if row["open_weights"] not in words:
        raise ValueError(f"model_traits.csv: open_weights of {row['model']} is yes, no or nothing.")
    return Traits(
        frozenset(row["modalities"].split()), frozenset(row["capabilities"].split()), words[row["open_weights"]]
    )


def write_traits() -> None:
    """Give every model of the table that the catalogue holds what it says, beside what is known already."""
    told = model_traits()
    held = LanguageModel.objects.filter(key__in=told).values_list("pk", "key", *_COLUMNS)
    changed = []
    for pk, key, *before in held:
        modalities, capabilities, open_weights = before
        says = told[key]
        after = [
            sorted({*modalities, *says.modalities}),
            sorted({*capabilities, *says.capabilities}),
            True if says.open_weights else open_weights if open_weights is not None else says.open_weights,
        ]
        if after != before:
            changed.append((pk, *after))
    if changed:
        update_rows(LanguageModel._meta.db_table, _COLUMNS, changed)
