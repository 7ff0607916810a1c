"""The page of what waits for a person: prices in doubt, names nobody knows, and what was decided. Pure.

`stakes` says how much of the reader's money hangs on a doubt, `prices` and `names` make the queues, `decided` the log.
"""

from dashboards.pages.review.ask import Ask, NamesAsk, read, read_names
from dashboards.pages.review.decided import DECIDED_HEAD, Entry, decided_finding, decided_rows, entry
from dashboards.pages.review.names import (
    NAMES_HEAD,
    Candidate,
    Waiting,
    names_finding,
    names_rows,
    near,
    rule_words,
    waiting,
)
from dashboards.pages.review.prices import PRICES_HEAD, Question, Tally, Ticket, finding, prices_rows, question, ticket
from dashboards.pages.review.stakes import DAYS, Stake, Used, stake, together, used

__all__ = [
    "DAYS",
    "DECIDED_HEAD",
    "NAMES_HEAD",
    "PRICES_HEAD",
    "Ask",
    "Candidate",
    "Entry",
    "NamesAsk",
    "Question",
    "Stake",
    "Tally",
    "Ticket",
    "Used",
    "Waiting",
    "decided_finding",
    "decided_rows",
    "entry",
    "finding",
    "names_finding",
    "names_rows",
    "near",
    "prices_rows",
    "question",
    "read",
    "read_names",
    "rule_words",
    "stake",
    "ticket",
    "together",
    "used",
    "waiting",
]
