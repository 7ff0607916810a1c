"""The page of price per quality: which model buys a rating for the least money. Pure.

Its address is its state: `Ask` reads and writes it. `compose` turns ratings and list prices into everything the
page, its chart and its CSV show, findings included.
"""

from dashboards.pages.quality.asked import MIXES, PATH, Ask, kept, name_of, own_mix, read
from dashboards.pages.quality.filters import options
from dashboards.pages.quality.page import compose, narrowed
from dashboards.pages.quality.rows import CSV_HEAD, SORTS, QualityPage, Row, ScoreRow, csv_rows
from dashboards.pages.quality.words import finding, mix_in_words

__all__ = [
    "CSV_HEAD",
    "MIXES",
    "PATH",
    "SORTS",
    "Ask",
    "QualityPage",
    "Row",
    "ScoreRow",
    "compose",
    "csv_rows",
    "finding",
    "kept",
    "mix_in_words",
    "name_of",
    "narrowed",
    "options",
    "own_mix",
    "read",
]
