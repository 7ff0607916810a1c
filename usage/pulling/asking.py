"""One page over the network: with the connection's key, and what a refusal means for whoever made it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.utils import timezone

from pricing.failures import SourceFailure
from pricing.fetching import Fetcher, Limits
from usage import credentials
from usage.connections import private_hosts
from usage.models import Connection
from usage.pulling import Api, Ask, all_apis, spool, windows

LIMITS: Final = Limits(connect=5, read=15, total=20, redirects=2)
_SCOPES: Final = re.compile(r"missing scopes?:?\s*([\w.:]+(?:\s*,\s*[\w.:]+)*)", re.IGNORECASE)
_LATER: Final = frozenset({408, 421, 425, 429})


@dataclass(frozen=True, slots=True)
class Page:
    """An answer: its bytes and its value."""

    body: bytes
    value: Any


class Fault(Exception):
    """Why a page did not come, in a sentence. `passing`: trying again can help; `stale`: a cursor may be too old."""

    def __init__(
        self,
        sentence: str,
        *,
        passing: bool = False,
        retry_at: datetime | None = None,
        stale: bool = False,
        absent: bool = False,
    ) -> None:
        super().__init__(sentence)
        self.passing, self.retry_at, self.stale, self.absent = passing, retry_at, stale, absent


def default_fetcher() -> Fetcher:
    """The fetcher of connections: public addresses, and the hosts this installation vouches for."""
    return Fetcher(LIMITS, proxy=settings.HTTPS_PROXY, private=private_hosts(), reads_refusals=True)


def base_url(connection: Connection, api: Api) -> str:
    return str(connection.settings.get("base_url") or api.BASE_URL).rstrip("/")


def group_by(connection: Connection, api: Api) -> list[str]:
    """What the answers are asked to be grouped by, in the API's own order."""
    chosen = connection.settings.get("group_by")
    wanted = api.GROUPED if chosen is None else chosen
    return [name for name in api.GROUPS if name in wanted]


def page_of(connection: Connection, api: Api, ask: Ask, fetcher: Fetcher) -> Page:
    """One page; Fault says what went wrong. The key is in no sentence and no address."""
    url = f"{base_url(connection, api)}{ask.path}?{urlencode(ask.params)}"
    try:
        headers = api.headers(credentials.opened(connection.credential))
        fetched = fetcher.fetch(url, headers=headers)
    except credentials.Unreadable as fault:
        raise Fault(str(fault)) from None
    except SourceFailure as failure:
        raise _fault(failure, api) from None
    try:
        return Page(fetched.body or b"", spool.read(fetched.body or b""))
    except ValueError:
        raise Fault(f"{api.NAME} answers with something that is no JSON.", passing=True) from None


def _fault(failure: SourceFailure, api: Api) -> Fault:
    status = failure.status
    if status in (401, 403):
        return Fault(refusal(status, failure.answer, api))
    return Fault(
        str(failure),
        passing=not failure.permanent or failure.kind in ("encoding", "no_content"),
        retry_at=failure.retry_at,
        stale=400 <= status < 500 and status not in _LATER,
        absent=status == 404,
    )


def refusal(status: int, answer: str, api: Api) -> str:
    """What the key lacks, and how to get it. Of the answer only the names of scopes are repeated."""
    scopes = _SCOPES.search(answer)
    if scopes:
        return f"The key may not read usage: it lacks the scope {scopes[1]}. To mend it, {api.PERMISSION}."
    if status == 403:
        return f"The key may not read usage: {api.PERMISSION}."
    wrong = "it was revoked, is cut off, or is of the wrong kind"
    return f"{api.NAME} does not take the key (401): {wrong}; {api.PERMISSION}."


def check(connection: Connection, fetcher: Fetcher | None = None) -> str:
    """Ask for the last complete day as a pull would; '' where it answers, else what is missing, in a sentence."""
    api = all_apis()[connection.importer]
    until = windows.complete_until(api, timezone.now())
    ask = api.asks(until - timedelta(days=1), until, group_by(connection, api))[0]
    try:
        api.following(ask, page_of(connection, api, ask, fetcher or default_fetcher()).value)
    except (Fault, ValueError) as fault:
        return str(fault)
    return ""
