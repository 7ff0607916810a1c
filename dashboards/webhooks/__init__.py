"""An organisation's webhook: each alert once as JSON that Slack shows and a program reads, signed, tried until taken.

    waiting ──► delivered      a 2xx answer
       ▲  └───► failed         a 4xx that will not change, a redirect, or `TRIES` tries
       └── 5xx, 408, 425, 429, a time-out: tried again later, not before `Retry-After`

At least once: an answer that is lost is a delivery that is repeated, with the same id and body. Who receives it takes
`X-Ratecard-Event` for what was seen already. Only public addresses are sent to, and RATECARD_PRIVATE_HOSTS.
"""

from dashboards.webhooks.payload import EVENT, SIGNATURE, body_of, signature
from dashboards.webhooks.sending import PAUSES, TRIES, deliver, deliver_due
from dashboards.webhooks.settings import OVERLAP, Refused, connect, disconnect, queue, rotate, send_test, switch

__all__ = [
    "EVENT", "OVERLAP", "PAUSES", "SIGNATURE", "TRIES", "Refused", "body_of", "connect", "deliver", "deliver_due",
    "disconnect", "queue", "rotate", "send_test", "signature", "switch",
]  # fmt: skip
