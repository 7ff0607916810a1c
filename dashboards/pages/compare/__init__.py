"""Offerings side by side: what they are, every price any of them states, the ratio on each basis, and time. Pure.

Amounts stay in the currency they are asked in; USD stands beside them by a dated rate, or "no rate known".
"""

from dashboards.pages.compare.ask import UNITS, Ask, read
from dashboards.pages.compare.facts import FactRow, fact_rows
from dashboards.pages.compare.steps import (
    STEPS_HEAD,
    Line,
    Stretch,
    Timeline,
    priced_over_time,
    step_rows,
    steps_for_a_program,
)
from dashboards.pages.compare.table import TABLE_HEAD, Cell, Column, Row, columns, groups, rows, table_rows
from dashboards.pages.compare.words import Basis, bases, finding, scope

__all__ = [
    "STEPS_HEAD",
    "TABLE_HEAD",
    "UNITS",
    "Ask",
    "Basis",
    "Cell",
    "Column",
    "FactRow",
    "Line",
    "Row",
    "Stretch",
    "Timeline",
    "bases",
    "columns",
    "fact_rows",
    "finding",
    "groups",
    "priced_over_time",
    "read",
    "rows",
    "scope",
    "step_rows",
    "steps_for_a_program",
    "table_rows",
]
