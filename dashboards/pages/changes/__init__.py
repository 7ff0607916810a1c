"""What changed in prices: cuts and rises first, what is to come, what was corrected, what is held. Pure."""

from dashboards.pages.changes.asked import BY, KINDS, PATH, Ask, kept, options, read
from dashboards.pages.changes.lines import COLUMNS, Line, Step, Usage, line_of, step_of
from dashboards.pages.changes.page import CSV_HEAD, ahead, by_effect, csv_row, in_order, mine_and_others, told_once
from dashboards.pages.changes.words import Tally, aside_finding, finding, headline, scope, tally

__all__ = [
    "BY", "COLUMNS", "CSV_HEAD", "KINDS", "PATH", "Ask", "Line", "Step", "Tally", "Usage", "ahead",
    "aside_finding", "by_effect", "csv_row", "finding", "headline", "in_order", "kept", "line_of", "mine_and_others",
    "options", "read", "scope", "step_of", "tally", "told_once",
]  # fmt: skip
