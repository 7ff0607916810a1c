"""The ladder: what one answer costs over its orders of magnitude, beside one's own requests and a person. Pure."""

from dashboards.pages.ladder.ask import MOST, PATH, Ask, read
from dashboards.pages.ladder.page import CSV_HEAD, LATELY, Page, WorkloadRow, compose, csv_rows, own

__all__ = ["CSV_HEAD", "LATELY", "MOST", "PATH", "Ask", "Page", "WorkloadRow", "compose", "csv_rows", "own", "read"]
