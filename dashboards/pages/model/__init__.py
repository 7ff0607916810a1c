"""The page of one model: what each seller asks, since when, and what is known to change. Pure.

`Held` is one accepted price as a row of the database has it; everything else here is worked out from those.
"""

from dashboards.pages.model.facts import (
    COLUMNS,
    UNITS,
    Ask,
    Event,
    Facts,
    Held,
    History,
    HistoryLine,
    ModelPage,
    Seller,
    Step,
)
from dashboards.pages.model.history import history_rows
from dashboards.pages.model.page import CSV_HEAD, compose, csv_rows
from dashboards.pages.model.terms import window_words
from dashboards.pages.model.words import api_snippet, finding

__all__ = [
    "COLUMNS",
    "CSV_HEAD",
    "UNITS",
    "Ask",
    "Event",
    "Facts",
    "Held",
    "History",
    "HistoryLine",
    "ModelPage",
    "Seller",
    "Step",
    "api_snippet",
    "compose",
    "csv_rows",
    "finding",
    "history_rows",
    "window_words",
]
