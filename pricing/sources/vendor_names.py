"""Official names: what vendors call their models besides the ids they bill, and since when a pointer points where.

    provider,name,sku,valid_from,valid_until,url
    mistral,mistral-large-latest,mistral-large-2512,2025-12-02,2026-10-06,https://docs.mistral.ai/resources/changelogs
    mistral,mistral-large-latest,mistral-large-4,2026-10-06,,https://docs.mistral.ai/resources/changelogs

Single facts with the vendor's page they stand on, reviewed by hand and kept in `pricing/data/vendor_names.csv`. Days
begin at midnight UTC unless a time is given; a blank `valid_until` is a pointer that still holds. It states no prices.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import files

from pricing.providers import canonical, declared
from pricing.sources import OFFICIAL, AliasFact, Bundle, OfferingFact, Reading, SourceError

SLUG = "vendor_names"
NAME = "the vendors' names"
TRUST = OFFICIAL
PRECEDENCE = 9  # states no prices
COPIES: tuple[str, ...] = ()
LICENCE = "facts, each with its source"
URL = "https://docs.mistral.ai/resources/changelogs"
FEED = ""
CADENCE_HOURS = 24 * 30
STATES_HISTORY = True

_COLUMNS = ["provider", "name", "sku", "valid_from", "valid_until", "url"]
_REVIEWED = datetime(2026, 11, 25, tzinfo=UTC)


def release() -> str:
    """The names as they stand, by their content."""
    return hashlib.sha256(_table()).hexdigest()[:12]


def bundled() -> Bundle:
    """The table shipped with this project."""
    return Bundle(_table(), release(), _REVIEWED)


def _table() -> bytes:
    return files("pricing").joinpath("data/vendor_names.csv").read_bytes()


def parse(body: bytes) -> Reading:
    """Every name with what it means and when."""
    try:
        table = csv.DictReader(body.decode().splitlines(), strict=True)
        if table.fieldnames != _COLUMNS:
            raise SourceError(f"The first line must be {','.join(_COLUMNS)}.")
        aliases = [_alias(row, number) for number, row in enumerate(table, 2)]
    except (ValueError, csv.Error) as fault:
        raise SourceError(f"The body is not a table of names: {fault}.") from fault
    if not aliases:
        raise SourceError("The table holds no names.")
    targets = dict.fromkeys((alias.provider, alias.sku) for alias in aliases)
    return Reading(
        aliases=aliases,
        offerings=[OfferingFact(provider, _called(provider), sku) for provider, sku in targets],
    )


def _alias(row: Mapping[str | None, str | None], number: int) -> AliasFact:
    provider, name, sku, start, until, url = (row.get(column) or "" for column in _COLUMNS)
    if None in row or not (provider and name and sku and start and url):
        raise SourceError(f"Line {number} needs a provider, a name, an id, a first day and the page it stands on.")
    begins, ends = _moment(start), _moment(until) if until else None
    if ends is not None and ends <= begins:
        raise SourceError(f"Line {number} ends before it begins.")
    return AliasFact(canonical(provider), name, sku, url=url, valid_from=begins, valid_until=ends)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _called(provider: str) -> str:
    known = declared(provider)
    return known.name if known else provider
