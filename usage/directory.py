"""The only writer of the directory: names of vendors' ids with their days, read from CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction

from usage import assignments
from usage.locks import lock_organisation
from usage.models import DirectoryEntry, Organisation

COLUMNS = ("kind", "id", "name", "from", "until")
MOST = 20_000


class DirectoryFault(ValueError):
    """Why names cannot be taken: one sentence."""


@dataclass(frozen=True, slots=True)
class Named:
    """One line: an id, what it is called, and on which UTC days [valid_from, valid_until)."""

    kind: str
    external_id: str
    name: str
    valid_from: date | None = None
    valid_until: date | None = None


def read(text: str) -> list[Named]:
    """The lines of a CSV with the columns kind, id, name and, if wanted, from and until."""
    rows = csv.DictReader(io.StringIO(text.lstrip("\ufeff").replace("\0", "")), skipinitialspace=True)
    try:
        if not {"kind", "id", "name"} <= {name.strip().lower() for name in rows.fieldnames or ()}:
            raise DirectoryFault("The first line names the columns: kind,id,name and, if wanted, from,until.")
        found = [
            _named(number, {f"{k}".strip().lower(): v for k, v in row.items()}) for number, row in enumerate(rows, 2)
        ]
    except csv.Error as fault:
        raise DirectoryFault(f"The table cannot be read as CSV: {fault}.") from None
    if not found or len(found) > MOST:
        raise DirectoryFault(f"Send 1 to {MOST:,} lines below the names of the columns.")
    return found


def put(organisation: Organisation, names: Sequence[Named]) -> int:
    """Take names in, and attribute anew what rules ask by name; how many names are new or changed.

    An open name of the same id ends where a later one begins. The same lines again change nothing.
    """
    with transaction.atomic():
        lock_organisation(organisation.pk)
        before = set(_rows(organisation))
        for one in sorted(names, key=lambda one: (one.kind, one.external_id, one.valid_from or date.min)):
            same = DirectoryEntry.objects.filter(organisation=organisation, kind=one.kind, external_id=one.external_id)
            if one.valid_from is not None:
                earlier = same.filter(valid_until=None).exclude(valid_from=one.valid_from)
                earlier.exclude(valid_from__gt=one.valid_from).update(valid_until=one.valid_from)
            same.update_or_create(
                organisation=organisation, kind=one.kind, external_id=one.external_id, valid_from=one.valid_from,
                defaults={"name": one.name, "valid_until": one.valid_until},
            )  # fmt: skip
        changed = len(set(_rows(organisation)) - before)
        if changed:
            assignments.reattribute(organisation)
    return changed


def remove(entry: DirectoryEntry) -> None:
    """Take a name away."""
    with transaction.atomic():
        lock_organisation(entry.organisation_id)
        organisation = entry.organisation
        entry.delete()
        assignments.reattribute(organisation)


def _rows(organisation: Organisation) -> list[tuple[object, ...]]:
    entries = DirectoryEntry.objects.filter(organisation=organisation)
    return list(entries.values_list("kind", "external_id", "name", "valid_from", "valid_until"))


def _named(number: int, row: dict[str, str | None]) -> Named:
    kind, external_id, name = ((row.get(key) or "").strip() for key in ("kind", "id", "name"))
    if kind not in DirectoryEntry.Kind.values:
        raise DirectoryFault(f"Line {number}: kind is one of {', '.join(DirectoryEntry.Kind.values)}.")
    if not external_id or not name or len(external_id) > 1000 or len(name) > 300:
        raise DirectoryFault(f"Line {number}: write an id and a name of at most 300 characters.")
    since, until = _day(number, row.get("from")), _day(number, row.get("until"))
    if since and until and until <= since:
        raise DirectoryFault(f"Line {number}: the name must end after it begins.")
    return Named(kind, external_id, name, since, until)


def _day(number: int, text: str | None) -> date | None:
    if not (text or "").strip():
        return None
    try:
        return date.fromisoformat((text or "").strip())
    except ValueError:
        raise DirectoryFault(f"Line {number}: write days such as 2026-09-01.") from None
