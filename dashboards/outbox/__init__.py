"""Mail to people, each at most once: kept as a row first, then handed to the mail server step by step.

    claimed ──► sending ──► sent             the server took it (250 after the text)
       ▲           ├──────► refused          it said 5xx to sender, recipient or text: for good, never tried again
       └───────────┤                         certainly not taken (4xx, or it broke before the text): tried again later
                   ├──────► given up         the same, `TRIES` times over or for `LIVES`
                   ├──────► uncertain        the text was being sent and no answer was seen: never tried by itself
                   └──────► withdrawn        its reader lost the right to what it shows: no server was asked

`put` keeps a message and says whether it is a new one; `deliver` hands one over; `deliver_due` all that wait;
`send_again` is a person's decision on one that is refused, given up or uncertain. A row is taken by compare-and-update,
so two workers never hold the same one; a worker that died leaves a row in `sending`, which `sweep` settles: tried again
where the text had not begun, else uncertain. Before each try the reader's rights are asked for anew. So a mail can be
missing only where it is listed, and doubled only where a person sent it again.

The server is the one of RATECARD_EMAIL_URL; where none is set, `put` keeps nothing.
"""

from dashboards.outbox.queue import LIVES, put, send_again
from dashboards.outbox.sending import STALE, TRIES, deliver, deliver_due, sweep
from dashboards.outbox.transport import Answer, Outcome

__all__ = [
    "LIVES", "STALE", "TRIES", "Answer", "Outcome", "deliver", "deliver_due", "put", "send_again", "sweep",
]  # fmt: skip
