"""What can go wrong between a price source and the catalogue, each by a name, and when to try again."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from pricing.sources import SourceError

KINDS: Final = MappingProxyType(
    {
        # On the way
        "bad_url": "the address is not an https address that may be fetched",
        "dns": "the host's name has no address",
        "private_address": "the host is not on the public internet",
        "unreachable": "nobody answers there",
        "tls": "the host cannot prove who it is",
        "timeout": "the answer did not come in time",
        "broken_answer": "the answer is not HTTP",
        "redirect": "the redirect leads nowhere it may",
        # The answer
        "http_4xx": "the host refuses the request",
        "http_5xx": "the host is at fault",
        "rate_limited": "the host asks to come later",
        "no_content": "the host answers without a body",
        "too_large": "the body is larger than is read",
        "bomb": "the body unpacks to more than is read",
        "encoding": "the body is not packed as the host says",
        "truncated": "the body ends too early",
        # The body
        "empty": "the body holds nothing",
        "not_text": "the body is not text in UTF-8",
        "html_for_json": "a page came where data was expected",
        "html_for_text": "a page came where text was expected",
        "malformed": "the body is not what its format allows",
        "deep": "the body is nested deeper than any price list",
        "nan": "the body holds a number that is none",
        "duplicate_keys": "the body states one thing twice, differently",
        "layout": "the source's parser does not know the layout",
        "bug": "the source's parser failed",
        # The reading
        "negative": "a price is below zero",
        "amount": "a price cannot be kept",
        "implausible": "the reading as a whole is too unlike the last good one",
    }
)

OFFLINE: Final = frozenset({"dns", "unreachable", "timeout"})
"""What an installation without a network sees every time: worth a row, not a line in the log."""

FIRST_WAIT: Final = timedelta(minutes=15)
LONGEST_WAIT: Final = timedelta(days=7)
"""However long a host asks us to wait, after a week it is asked again."""


class SourceFailure(SourceError):
    """A source could not be read: which of `KINDS`, in a sentence. `retry_at`: not before, where the host says so.

    `status` is the answer's, 0 where there is none; `answer` the first of its words where the fetcher reads refusals.
    """

    def __init__(
        self,
        kind: str,
        sentence: str,
        *,
        permanent: bool = True,
        retry_at: datetime | None = None,
        status: int = 0,
        answer: str = "",
    ) -> None:
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is not a kind of failure")
        super().__init__(sentence, permanent=permanent)
        self.kind = kind
        self.retry_at = retry_at
        self.status = status
        self.answer = answer


def next_try(
    now: datetime, cadence: timedelta, failures: int, *, permanent: bool, retry_at: datetime | None, jitter: float
) -> datetime:
    """When to fetch again after the `failures`-th failure in a row.

    What somebody must mend first is tried again at the source's own cadence. Else the wait doubles from a quarter of
    an hour up to the cadence. `jitter` in [0, 1) lengthens it by up to a fifth, so that sources do not come in step. A
    host that named a moment is not asked before it.
    """
    wait = cadence
    if not permanent:
        wait = min(FIRST_WAIT * 2 ** min(failures - 1, 20), cadence)
    wait += wait * jitter / 5
    if retry_at is None:
        return now + wait
    return max(now + wait, min(retry_at, now + LONGEST_WAIT))
