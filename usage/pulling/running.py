"""A pull from where it stands: page after page into the spool, then the part into the ledger, then the next part.

Every page is noted as soon as it is on disk, so that a fault or a kill costs one page. A part whose cursor has
expired, or whose pages are gone, begins again; a part is imported when its last page is in, and not before.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from hashlib import sha256
from traceback import format_tb
from typing import Any, Final

from django.db import DatabaseError, InterfaceError, transaction
from django.db import connection as db
from django.db.models import F, Max
from django.utils import timezone

from pricing.fetching import Fetcher
from usage import assignments, connections, ingest
from usage.ingest import uploads
from usage.models import ImportBatch, Pull
from usage.pulling import Ask, all_apis, asking, spool, windows
from usage.pulling.asking import Fault

logger = logging.getLogger(__name__)

_OPEN: Final = (Pull.Status.RUNNING, Pull.Status.WAITING)
TRIES: Final = 8
RESTARTS: Final = 3
FIRST_WAIT: Final = timedelta(seconds=5)
LONGEST_WAIT: Final = timedelta(minutes=15)
LATEST_RETRY: Final = timedelta(hours=6)
CURSOR_LIVES: Final = timedelta(hours=12)
MOST_PAGES: Final = 20_000


class _Removed(Exception):
    """The connection was removed while a page was on its way."""


def advance(pull: Pull, seconds: float | None = None, fetcher: Fetcher | None = None) -> None:
    """Go on until the pull ends, has to wait, or `seconds` have passed; nothing if another worker is at it."""
    with _alone(pull.connection_id) as alone:
        if not alone:
            return
        pull.refresh_from_db()
        until = None if seconds is None else time.monotonic() + seconds
        fetcher = fetcher or asking.default_fetcher()
        try:
            while pull.is_open and not _waits(pull):
                _step(pull, fetcher, None if until is None else max(1.0, until - time.monotonic()))
                if until is not None and time.monotonic() >= until:
                    return
        except _Removed:
            spool.discard(pull.spool)
            if pull.batch is not None:
                uploads.discard(pull.batch)
            pull.status = Pull.Status.FAILED


def _waits(pull: Pull) -> bool:
    return pull.next_try_at is not None and pull.next_try_at > timezone.now()


def _step(pull: Pull, fetcher: Fetcher, seconds: float | None) -> None:
    if pull.batch_id is not None:
        _import(pull, seconds)
        return
    try:
        _read_page(pull, fetcher)
    except Fault as fault:
        _note_fault(pull, fault)
    except (DatabaseError, InterfaceError, _Removed):
        raise
    except Exception as fault:
        # Where it happened and not what it says: the words of an error may repeat what was sent.
        logger.error("Pull %s stopped: %s\n%s", pull.pk, type(fault).__name__, "".join(format_tb(fault.__traceback__)))
        _end(pull, Pull.Status.FAILED, f"The pull stopped on an unexpected fault ({type(fault).__name__}).")


# Pages


def _read_page(pull: Pull, fetcher: Fetcher) -> None:
    """The next page into the spool; behind the last one the part is queued for import."""
    connection = pull.connection
    api = all_apis()[connection.importer]
    part_until = windows.part_until(api, pull.part_from, pull.window_until)
    group_by = asking.group_by(connection, api)
    asks = api.asks(pull.part_from, part_until, group_by)
    number, ask = _next_ask(pull, asks)
    try:
        page = asking.page_of(connection, api, ask, fetcher)
        following = api.following(ask, page.value)
        line = spool.line_of(page.body, page.value, getattr(api, "kept", None))
    except Fault as fault:
        if not (fault.absent and ask.optional):
            raise
        following, line = None, b""
    except ValueError as fault:
        raise Fault(str(fault), passing=True) from None
    params = following and [list(pair) for pair in following.params]
    mark = pull.cursor.get("mark")
    if pull.pages >= MOST_PAGES:
        told = f"{api.NAME} sends more than {MOST_PAGES:,} pages for {pull.part_from:%Y-%m-%d} to {part_until:%Y-%m-%d}"
        raise Fault(f"{told}, so nothing was imported: import an export of these days as a file.")
    if following == ask or (params and params == mark):
        raise Fault(f"{api.NAME} sends the same page again and again, so nothing was imported.", stale=True)
    if not pull.spool:
        pull.spool = spool.new_name()
    pull.spooled = spool.append(pull.spool, pull.spooled, line)
    pull.pages, pull.asked = pull.pages + bool(line), pull.asked + 1
    number += following is None
    # The page of the last power of two is met again by whoever goes round in a circle, however long.
    mark = params if pull.pages & (pull.pages - 1) == 0 else params and mark
    pull.cursor = {"ask": number, "params": params, "mark": mark, "settings": _settings(pull)}
    pull.tries, pull.next_try_at, pull.status, pull.sentence = 0, None, Pull.Status.RUNNING, ""
    if number < len(asks):
        _save(pull)
        return
    with transaction.atomic():
        origin = f"{api.NAME}, {pull.part_from:%Y-%m-%d} to {part_until:%Y-%m-%d}"
        spec = _spec(pull, group_by, part_until)
        path = spool.folder() / pull.spool
        pull.batch = ingest.queue_pulled(connection, pull, path, origin, spec, pull.requested_by)
        pull.spool, pull.spooled, pull.pages = "", 0, 0
        _save(pull)


def _next_ask(pull: Pull, asks: list[Ask]) -> tuple[int, Ask]:
    """The page to read: where the cursor stands, or the first one where it cannot be trusted any more."""
    if pull.cursor and (
        pull.cursor.get("settings") != _settings(pull)
        or timezone.now() - pull.touched_at > CURSOR_LIVES
        or (pull.spooled and not spool.holds(pull.spool, pull.spooled))
    ):
        _begin_part_again(pull)
    number = int(pull.cursor.get("ask", 0))
    ask, params = asks[number], pull.cursor.get("params")
    return number, Ask(ask.path, tuple((str(k), str(v)) for k, v in params), ask.optional) if params else ask


def _settings(pull: Pull) -> dict[str, Any]:
    """What a cursor holds for: pages asked otherwise, or with another key, do not go together."""
    connection = pull.connection
    api = all_apis()[connection.importer]
    return {
        "base_url": asking.base_url(connection, api),
        "group_by": asking.group_by(connection, api),
        "key": sha256(connection.credential.encode()).hexdigest(),
    }


def _spec(pull: Pull, group_by: list[str], part_until: datetime) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "window": {"from": pull.part_from.isoformat(), "until": part_until.isoformat(), "whole": True},
        "group_by": group_by,
    }
    if billing := pull.connection.settings.get("billing"):
        spec["billing"] = billing
    return spec


def _begin_part_again(pull: Pull) -> None:
    spool.discard(pull.spool)
    pull.cursor, pull.spool, pull.spooled, pull.pages = {}, "", 0, 0


# The ledger


def _import(pull: Pull, seconds: float | None) -> None:
    """Go on with the part's import; when it is in, the next part's turn comes."""
    batch = ImportBatch.objects.select_related("connection").get(pk=pull.batch_id or 0)
    if batch.status in ingest.OPEN:
        ingest.advance(batch, seconds)
        if batch.status in ingest.OPEN:
            return
        assignments.refresh(batch.organisation_id)
    if batch.status == ImportBatch.Status.FAILED:
        pull.batch = None
        _begin_part_again(pull)
        _end(pull, Pull.Status.FAILED, f"What was pulled could not be imported. {batch.error}")
        return
    api = all_apis()[pull.connection.importer]
    pull.part_from = windows.part_until(api, pull.part_from, pull.window_until)
    pull.batch, pull.cursor, pull.restarts = None, {}, 0
    with transaction.atomic():
        connections.note_pulled(pull.connection, pull.part_from)
        if pull.part_from < pull.window_until:
            _save(pull)
        else:
            _end(pull, Pull.Status.DONE, _sentence(pull))


def _sentence(pull: Pull) -> str:
    batches = list(pull.batches.all())
    imported, updated = (sum(getattr(batch, name) for batch in batches) for name in ("imported", "updated"))
    withdrawn, duplicate = (sum(getattr(batch, name) for batch in batches) for name in ("withdrawn", "duplicate"))
    told = f"{imported:,} records imported, {updated:,} restated, {withdrawn:,} withdrawn, {duplicate:,} unchanged."
    held = next((batch.error for batch in batches if batch.status == ImportBatch.Status.HELD), "")
    return " ".join(filter(None, [told, held, _gap(pull)]))


def _gap(pull: Pull) -> str:
    """What no pull has brought, as the API does not answer for it any more; '' where nothing is missing."""
    earlier = Pull.objects.filter(connection=pull.connection_id, pk__lt=pull.pk, part_from__gt=F("window_from"))
    ends: datetime | None = earlier.aggregate(last=Max("part_from"))["last"]
    if ends is None or ends >= pull.window_from:
        return ""
    return f"Nothing is known of {ends:%Y-%m-%d} to {pull.window_from:%Y-%m-%d}: the API answers for later days only."


# How it goes on


def _note_fault(pull: Pull, fault: Fault) -> None:
    """Try again later where that can help, begin the part again where the cursor was refused, else end."""
    if fault.stale and pull.pages and pull.restarts < RESTARTS:
        _begin_part_again(pull)
        pull.restarts += 1
        _save(pull)
        return
    pull.tries += 1
    if not fault.passing or pull.tries >= TRIES:
        _end(pull, Pull.Status.FAILED, str(fault))
        return
    now = timezone.now()
    pull.status, pull.sentence = Pull.Status.WAITING, str(fault)
    pull.next_try_at = now + wait(pull.tries, fault.retry_at, now, random.random())  # noqa: S311 - spreads load
    _save(pull)


def wait(tries: int, retry_at: datetime | None, now: datetime, jitter: float) -> timedelta:
    """How long to wait after the `tries`-th fault in a row: doubling, up to half as long again, and not before a
    moment the API names, which is believed for some hours."""
    doubled = min(FIRST_WAIT * 2 ** (tries - 1), LONGEST_WAIT)
    waited: timedelta = doubled + doubled * jitter / 2
    return waited if retry_at is None else max(waited, min(retry_at - now, LATEST_RETRY))


def _end(pull: Pull, status: str, sentence: str) -> None:
    pull.status, pull.sentence, pull.finished_at, pull.next_try_at = status, sentence, timezone.now(), None
    with transaction.atomic():
        _save(pull)
        connections.note_ended(pull.connection)


def _save(pull: Pull) -> None:
    """Note where the pull stands, unless its connection has been removed: that ended it."""
    pull.touched_at = timezone.now()
    told = {
        field.attname: getattr(pull, field.attname) for field in pull._meta.concrete_fields if not field.primary_key
    }
    if not Pull.objects.filter(pk=pull.pk, status__in=_OPEN).update(**told):
        raise _Removed


@contextmanager
def _alone(connection_id: int) -> Iterator[bool]:
    """Whether nobody else pulls this connection. The lock is the session's: it ends with a killed worker."""
    with db.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [f"usage.pull:{connection_id}"])
        (held,) = cursor.fetchone()
    try:
        yield held
    finally:
        if held and not db.needs_rollback:
            with suppress(DatabaseError, InterfaceError), db.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [f"usage.pull:{connection_id}"])
