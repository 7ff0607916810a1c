"""The page of the price of constant quality: what at least a score costs over time, by two estimators. Pure.

Its address is its state: `Ask` reads and writes it. `compose` turns the curves of several thresholds into everything
the page, its chart and its CSVs show, findings included.
"""

from dashboards.pages.price_index.asked import (
    PATH,
    REASONING,
    SELLERS,
    Ask,
    kept,
    number,
    options,
    read,
    thresholds,
)
from dashboards.pages.price_index.page import (
    CSV_HEAD,
    STRIP_HEAD,
    IndexPage,
    PointRow,
    Side,
    StripRow,
    compose,
    csv_rows,
    strip_csv,
)

__all__ = [
    "CSV_HEAD",
    "PATH",
    "REASONING",
    "SELLERS",
    "STRIP_HEAD",
    "Ask",
    "IndexPage",
    "PointRow",
    "Side",
    "StripRow",
    "compose",
    "csv_rows",
    "kept",
    "number",
    "options",
    "read",
    "strip_csv",
    "thresholds",
]
