"""The page of one model: what each seller asks, since when, and what is known to change. Pure.

`Held` is one accepted price as a row of the database has it; everything else here is worked out from those.
"""

from dashboards.pages.model.events import EventLine, event_lines
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
from dashboards.pages.model.history import history_rows, with_marks
from dashboards.pages.model.page import CSV_HEAD, compose, csv_rows
from dashboards.pages.model.spread import Strip, strips
from dashboards.pages.model.terms import window_words
from dashboards.pages.model.weights import Farewell, known_facts, retirement
from dashboards.pages.model.words import api_snippet, finding

__all__ = [
    "COLUMNS",
    "CSV_HEAD",
    "UNITS",
    "Ask",
    "Event",
    "EventLine",
    "Facts",
    "Farewell",
    "Held",
    "History",
    "HistoryLine",
    "ModelPage",
    "Seller",
    "Step",
    "Strip",
    "api_snippet",
    "compose",
    "csv_rows",
    "event_lines",
    "finding",
    "history_rows",
    "known_facts",
    "retirement",
    "strips",
    "window_words",
    "with_marks",
]
