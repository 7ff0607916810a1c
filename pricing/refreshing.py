"""Price sources fetched and taken in, one at a time: a source that fails is its own affair.

A source is asked again once its cadence is over; after a failure earlier, and ever later (`failures.next_try`). The
validators of the last good answer go along, so a body that has not changed is not sent again. One process at a time
fetches a source, however often the task is delivered.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, Protocol, cast

from django.conf import settings
from django.db import connection

from pricing import addresses, bodies, catalog
from pricing.catalog.runs import is_due, last_answer
from pricing.failures import SourceFailure
from pricing.fetching import Fetched, Fetcher
from pricing.sources import Source, SourceError, all_sources

SKIPPED: Final = "skipped"
"""The status of a source that was not fetched, with the reason; no run is kept of it."""

MOST_PAGES: Final = 300
PAGES_SECONDS: Final = 60
"""For all pages of a source together: a task and what follows it must end before its message comes back (120 s)."""

_LOCK: Final = 0x7072_6963  # "pric"; the second half of the key is the source's


class Paged(Protocol):
    """What is published over several pages; `next_page` gives the address of the one after a body, None at the end."""

    NAME: str
    FEED: str

    def next_page(self, body: bytes, /) -> str | None: ...


def default_fetcher() -> Fetcher:
    """The fetcher of this installation."""
    return Fetcher(proxy=settings.HTTPS_PROXY)


def due_sources(now: datetime) -> list[str]:
    """The sources whose cadence, or wait after a failure, is over; those that cannot be fetched are not."""
    return [
        slug
        for slug, source in sorted(all_sources().items())
        if not unfetchable(source) and is_due(source, now)
    ]  # fmt: skip


def refresh_all(slugs: Iterable[str], *, dry_run: bool = False) -> Iterator[catalog.Outcome]:
    """The outcome of each source, as soon as it is there."""
    for slug in slugs:
        yield refresh(slug, dry_run=dry_run)


def refresh(
    slug: str, *, fetcher: Fetcher | None = None, only_if_due: bool = False, dry_run: bool = False
) -> catalog.Outcome:
    """Fetch one source and take in what it says; whatever is wrong with it is in the outcome and kept as its run."""
    source = all_sources()[slug]
    now = datetime.now(UTC)
    if why := unfetchable(source):
        return catalog.Outcome(slug, SKIPPED, now, error=why)
    with alone(slug) as only_one:
        if not only_one:
            return catalog.Outcome(slug, SKIPPED, now, error="Another process is fetching it.")
        if only_if_due and not is_due(source, now):
            return catalog.Outcome(slug, SKIPPED, now, error="It is not due yet.")
        try:
            answer, body = _read(source, fetcher or default_fetcher())
        except SourceFailure as fault:
            return catalog.fail(slug, fault, observed_at=now, dry_run=dry_run)
        return catalog.record(slug, body, observed_at=datetime.now(UTC), answer=answer, dry_run=dry_run)


def unfetchable(source: object) -> str:
    """Why a source (or a benchmark) cannot be fetched here, in a sentence; '' where it can."""
    variable: str = getattr(source, "KEY", "")
    if not getattr(source, "FEED", ""):
        return "It is published nowhere that can be fetched: give its body as --file."
    if variable and not os.environ.get(variable, "").strip():
        return f"It wants a key: set {variable}."
    return ""


def secrets(source: object) -> dict[str, Any]:
    """What its publisher asks for to know us, as the fetcher takes it: a bearer token, or the header it names."""
    variable: str = getattr(source, "KEY", "")
    key = os.environ.get(variable, "").strip() if variable else ""
    header: str = getattr(source, "HEADER", "")
    return {"headers": {header: key}} if header and key else {"key": key}


def _read(source: Source, fetcher: Fetcher) -> tuple[Fetched, bytes]:
    """The answer and the whole body: the last good one again where the host says that it still holds."""
    if hasattr(source, "next_page"):
        return read_pages(cast(Paged, source), fetcher)
    known = last_answer(source)
    if known is None:
        answer = fetcher.fetch(source.FEED, **secrets(source))
        assert answer.body is not None  # noqa: S101 - nothing was asked that it could be unchanged since
        return answer, answer.body
    run, body = known
    answer = fetcher.fetch(source.FEED, etag=run.etag, last_modified=run.last_modified, **secrets(source))
    if answer.body is not None:
        return answer, answer.body
    return Fetched(answer.url, None, answer.etag or run.etag, answer.last_modified or run.last_modified), body


def read_pages(source: Paged, fetcher: Fetcher) -> tuple[Fetched, bytes]:
    """All pages as one body. The first page's validators say nothing of the others, so none are kept."""
    media, home, told = bodies.media_of(source), addresses.target(source.FEED), secrets(source)
    until = time.monotonic() + PAGES_SECONDS
    pages: list[bytes] = []
    asked: set[str] = set()
    url: str | None = source.FEED
    while url:
        if url in asked or len(pages) == MOST_PAGES:
            raise SourceFailure("layout", f"The pages of {source.NAME} do not end: {len(pages):,} were read.")
        asked.add(url)
        page = fetcher.fetch(url, until=until, **(told if addresses.target(url) == home else {})).body or b""
        bodies.refuse(page, media)
        pages.append(page)
        if sum(map(len, pages)) > fetcher.limits.body:
            raise SourceFailure("too_large", f"The pages of {source.NAME} are {fetcher.limits.body:,} bytes or more.")
        url = _following(source, page)
    body = joined(pages)
    return Fetched(source.FEED, body), body


def joined(pages: Sequence[bytes]) -> bytes:
    """Pages of JSON as one JSON list, pages of text one after the other, a single page as it is."""
    if len(pages) == 1:
        return pages[0]
    if all(page.lstrip()[:1] in (b"{", b"[") for page in pages):
        return b"[" + b",".join(pages) + b"]"
    return b"\n".join(pages)


def _following(source: Paged, page: bytes) -> str | None:
    try:
        following = source.next_page(page)
    except SourceError as fault:
        raise SourceFailure("layout", str(fault), permanent=fault.permanent) from fault
    except Exception as fault:
        raise SourceFailure("bug", f"The next page of {source.NAME} cannot be found: {fault!r:.300}.") from fault
    return following


@contextmanager
def alone(slug: str) -> Iterator[bool]:
    """Whether this process is the only one that fetches what goes by this name, until the block ends.

    The lock is the connection's, not a transaction's: none is open while the host is waited for.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", [_LOCK, slug])
        (only_one,) = cursor.fetchone() or (False,)
    try:
        yield only_one
    finally:
        if only_one:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", [_LOCK, slug])
