"""The page of price per quality: which model buys a rating for the least money. Pure.

Its address is its state: `Ask` reads and writes it. `compose` turns a curve into everything the page, its chart and
its CSV show, findings included.
"""

from dashboards.pages.quality.asked import MIXES, PATH, Ask, kept, name_of, own_mix, plain, read, written
from dashboards.pages.quality.filters import Field, fields, options
from dashboards.pages.quality.page import Found, compose
from dashboards.pages.quality.rows import CSV_HEAD, SORTS, QualityPage, Row, csv_rows
from dashboards.pages.quality.words import empty, finding, mix_in_words

__all__ = [
    "CSV_HEAD", "MIXES", "PATH", "SORTS", "Ask", "Field", "Found", "QualityPage", "Row", "compose", "csv_rows", "empty",
    "fields", "finding", "kept", "mix_in_words", "name_of", "options", "own_mix", "plain", "read", "written",
]  # fmt: skip
