"""The only writer of live connections: what they are, when they are pulled, and how far they have come.

Refused says in a sentence what to change. Pulling itself is `usage.pulling.running`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.conf import settings as instance
from django.db import IntegrityError, transaction
from django.utils import timezone

from pricing import addresses
from pricing.failures import SourceFailure
from usage import credentials
from usage.importers import all_importers
from usage.models import Connection, ImportBatch, Organisation, Pull
from usage.pulling import Api, all_apis, spool, windows

BILLINGS: Final = ("api", "subscription")
MOST_DAYS: Final = 3_650
MOST_REPULLED: Final = 45


class Refused(ValueError):
    """Why a connection cannot be made, changed or pulled: one sentence."""


def available() -> dict[str, Api]:
    """The APIs that can be connected, by the slug of the importer that reads their pages."""
    return {slug: api for slug, api in all_apis().items() if slug in all_importers()}


def api_of(connection: Connection) -> Api:
    """The API a connection pulls; Refused where there is none."""
    try:
        return all_apis()[connection.importer]
    except KeyError:
        raise Refused(f"{connection.importer} has no API that can be pulled: import files instead.") from None


def connect(organisation: Organisation, importer: str, name: str, key: str, **changes: Any) -> Connection:
    """A new live connection. A feed of that name that only files have fed becomes it, with all its usage."""
    name = name.strip()
    if not name or len(name) > 120 or not name.isprintable():
        raise Refused("Give the connection a name of at most 120 characters, such as the account's.")
    if importer not in available():
        raise Refused(f"There is no API {importer[:40]!r}: choose one of {', '.join(available())}.")
    with transaction.atomic():
        found, _ = Connection.objects.get_or_create(
            organisation=organisation, importer=importer, scope=name, defaults={"name": name}
        )
        # Not its key: an import that holds the organisation would wait for this row, and this for the organisation.
        connection = Connection.objects.select_for_update(no_key=True).get(pk=found.pk)
        if connection.is_live:
            raise Refused(f"There is a connection “{name}” to this API already: change it, or choose another name.")
        connection.name = name
        change(connection, key=key, **changes)
    return connection


def change(
    connection: Connection,
    *,
    key: str = "",
    name: str | None = None,
    settings: Mapping[str, Any] | None = None,
    schedule: str | None = None,
    first_days: int | None = None,
    repull_days: int | None = None,
) -> Connection:
    """Change what is given; a key only where one is given. Whose usage it is stays as it is."""
    api = api_of(connection)
    if key:
        try:
            connection.credential, connection.credential_end = credentials.sealed(key), credentials.end_of(key)
        except credentials.Unreadable as fault:
            raise Refused(str(fault)) from None
    if not connection.credential:
        raise Refused("Paste the key.")
    if name is not None:
        if not name.strip() or len(name) > 120 or not name.isprintable():
            raise Refused("Give the connection a name of at most 120 characters, such as the account's.")
        connection.name = name.strip()
    if settings is not None:
        connection.settings = _checked(settings, api)
    if not (connection.settings.get("base_url") or api.BASE_URL):
        raise Refused(f"Say where {api.NAME} is: its address, such as https://litellm.example.org.")
    if schedule is not None:
        if schedule not in Connection.Schedule.values:
            raise Refused("Choose a timetable of the list.")
        connection.schedule = schedule
        connection.next_pull_at = None if schedule == Connection.Schedule.OFF else timezone.now()
    if first_days is not None:
        connection.first_days = _days(first_days, 1, min(api.BACK, MOST_DAYS), "The first pull goes back")
    if repull_days is not None:
        connection.repull_days = _days(repull_days, 0, MOST_REPULLED, "A later pull asks again for")
    connection.save()
    return connection


def _checked(settings: Mapping[str, Any], api: Api) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if base_url := str(settings.get("base_url") or "").strip().rstrip("/"):
        try:
            addresses.target(base_url, private_hosts())
        except SourceFailure as failure:
            raise Refused(f"{failure} A host of this network is named in RATECARD_PRIVATE_HOSTS first.") from None
        if "?" in base_url or "#" in base_url or len(base_url) > 300:
            raise Refused("The base URL is an address without ? and #.")
        if base_url != api.BASE_URL:
            found["base_url"] = base_url
    if settings.get("group_by") is not None:
        unknown = [name for name in settings["group_by"] if name not in api.GROUPS]
        if unknown:
            raise Refused(f"{api.NAME} does not group by {str(unknown[0])[:40]!r}.")
        found["group_by"] = [name for name in api.GROUPS if name in settings["group_by"]]
    if billing := settings.get("billing"):
        if billing not in BILLINGS:
            raise Refused(f"Usage is billed by {' or '.join(BILLINGS)}.")
        found["billing"] = billing
    return found


def private_hosts() -> frozenset[str]:
    """The hosts of this network that connections may reach."""
    return frozenset(host.lower() for host in instance.PRIVATE_HOSTS)


def _days(value: int, least: int, most: int, what: str) -> int:
    if not least <= value <= most:
        raise Refused(f"{what} {least} to {most} days.")
    return value


def pause(connection: Connection, *, paused: bool) -> None:
    """Take a connection off its timetable, or put it back; what is there stays."""
    connection.enabled = not paused
    if not paused and connection.schedule != Connection.Schedule.OFF:
        connection.next_pull_at = timezone.now()
    connection.save(update_fields=["enabled", "next_pull_at"])


def disconnect(connection: Connection) -> None:
    """Forget the key and the timetable. Usage that was pulled stays; a connection without any is gone."""
    with transaction.atomic():
        for pull in connection.pulls.all():
            spool.discard(pull.spool)
        connection.pulls.filter(status__in=[Pull.Status.RUNNING, Pull.Status.WAITING]).update(
            status=Pull.Status.FAILED, sentence="The connection was removed.", finished_at=timezone.now(), spool=""
        )
        if not ImportBatch.objects.filter(connection=connection).exists():
            connection.delete()
            return
        connection.credential = connection.credential_end = ""
        connection.schedule, connection.next_pull_at = Connection.Schedule.OFF, None
        connection.save()


def claimed(now: datetime) -> list[Connection]:
    """The connections whose time has come; each is told to one asker, however many ask."""
    found = []
    for connection in Connection.objects.due(now):
        due_at, next_at = connection.next_pull_at, windows.next_pull(connection.schedule, now)
        if Connection.objects.filter(pk=connection.pk, next_pull_at=due_at).update(next_pull_at=next_at):
            found.append(connection)
    return found


def start(connection: Connection, days: int | None = None, requested_by: str = "") -> Pull:
    """The pull to advance: the one that is open, the one that broke off, or a new one. Refused where there is none.

    `days` begins anew and goes back so far, whatever is there; so does a pull after one that broke off so long ago
    that the API does not answer for its days any more.
    """
    api = api_of(connection)
    if not connection.is_live:
        raise Refused("The connection has no key: connect it first.")
    try:
        with transaction.atomic():
            latest = connection.pulls.select_for_update().order_by("-created_at", "-pk").first()
            if latest is not None and latest.is_open:
                if requested_by:  # a person does not wait for the next try
                    latest.next_try_at = None
                    latest.save(update_fields=["next_try_at"])
                return latest
            if latest is not None and days is None and _goes_on(latest, api):
                return _reopened(latest, requested_by)
            if days is not None:
                _days(days, 1, min(api.BACK, MOST_DAYS), "A pull goes back")
            return _new(connection, api, days, requested_by)
    except IntegrityError:  # somebody else has just started one
        return connection.pulls.get(status__in=[Pull.Status.RUNNING, Pull.Status.WAITING])


def pull_again(batch: ImportBatch, requested_by: str = "", accepted: bool = False) -> Pull:
    """A new pull for the time of an earlier one. `accepted`: it may hold less than half of what was there."""
    window = (batch.mapping_spec or {}).get("window")
    if batch.pull_id is None or window is None:
        raise Refused("That import did not come from an API.")
    connection = batch.connection
    api = api_of(connection)
    since, until = (datetime.fromisoformat(window[name]) for name in ("from", "until"))
    if since < windows.oldest(api, timezone.now()):
        raise Refused(f"{api.NAME} answers for the last {api.BACK} days only.")
    if not connection.is_live:
        raise Refused("The connection has no key: connect it first.")
    try:
        with transaction.atomic():
            return _created(connection, (since, until), requested_by, accepted=accepted)
    except IntegrityError:
        raise Refused("A pull of this connection is going on: wait for its end.") from None


def _goes_on(pull: Pull, api: Api) -> bool:
    """Whether it broke off and the API still answers for its days."""
    return pull.status == Pull.Status.FAILED and pull.part_from >= windows.oldest(api, timezone.now())


def _reopened(pull: Pull, requested_by: str) -> Pull:
    """A pull that broke off goes on where it stands."""
    pull.status, pull.tries, pull.restarts = Pull.Status.RUNNING, 0, 0
    pull.next_try_at = pull.finished_at = None
    pull.requested_by = requested_by or pull.requested_by
    pull.save()
    return pull


def _new(connection: Connection, api: Api, days: int | None, requested_by: str) -> Pull:
    found = windows.window(
        api, timezone.now(), connection.pulled_until, connection.first_days, connection.repull_days, days
    )
    if found is None:
        _schedule_next(connection)
        raise Refused("Nothing is complete yet that has not been pulled: try again tomorrow.")
    return _created(connection, found, requested_by)


def _created(
    connection: Connection, window: tuple[datetime, datetime], requested_by: str, *, accepted: bool = False
) -> Pull:
    pull = Pull.objects.create(
        connection=connection,
        window_from=window[0],
        window_until=window[1],
        part_from=window[0],
        accepted=accepted,
        requested_by=requested_by,
    )
    pull.refresh_from_db()
    return pull


def note_pulled(connection: Connection, until: datetime) -> None:
    """Everything before `until` is in the ledger."""
    connection.refresh_from_db()
    if connection.pulled_until is None or connection.pulled_until < until:
        connection.pulled_until = until
        connection.save(update_fields=["pulled_until"])


def note_ended(connection: Connection) -> None:
    """A pull has ended, however: the timetable says when the next one begins."""
    connection.refresh_from_db()
    _schedule_next(connection)


def _schedule_next(connection: Connection) -> None:
    connection.next_pull_at = windows.next_pull(connection.schedule, timezone.now())
    connection.save(update_fields=["next_pull_at"])
