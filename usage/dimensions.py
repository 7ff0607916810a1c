"""The only writer of connections and dimensions: interning, and what a reported name meant on a day.

Names and rules are asked once per distinct dimension (and day), never per record.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, time

from django.db import connection as db

from pricing import names
from pricing.matching import Match, Resolver
from usage import assignments
from usage.importers import Dimension
from usage.models import Connection, Organisation, UsageDimension

_BATCH = 1_000


def connection_of(organisation: Organisation, importer: str, scope: str) -> Connection:
    """The feed, made on first use."""
    return Connection.objects.get_or_create(organisation=organisation, importer=importer, scope=scope)[0]


def interned(connection: Connection, by_hash: Mapping[str, Dimension]) -> dict[str, int]:
    """The ids of dimensions by content hash; new ones are written and attributed."""
    found = _known(connection, by_hash)
    missing = sorted(by_hash.keys() - found.keys())  # in one order, so two imports cannot wait for each other
    if not missing:
        return found
    rows = [
        UsageDimension(
            organisation_id=connection.organisation_id,
            connection_id=connection.pk,
            content_hash=digest,
            tags=[list(tag) for tag in by_hash[digest].tags],
            **{field: getattr(by_hash[digest], field) for field in Dimension.__slots__ if field != "tags"},
        )
        for digest in missing
    ]
    UsageDimension.objects.bulk_create(rows, batch_size=_BATCH, ignore_conflicts=True)
    new = _known(connection, missing)
    assignments.assign(connection.organisation_id, list(new.values()), assignments.rules_of(connection.organisation_id))
    return found | new


def _known(connection: Connection, hashes: Iterable[str]) -> dict[str, int]:
    rows = UsageDimension.objects.filter(
        organisation_id=connection.organisation_id, connection=connection, content_hash__in=list(hashes)
    )
    return dict(rows.values_list("content_hash", "id"))


class Names:
    """What names meant on a day, by one state of the catalogue; remembers what it was asked."""

    def __init__(self) -> None:
        self.version = str(names.version())
        self._resolver: Resolver = names.resolver()
        self._known: dict[tuple[str, str, date, str], Match] = {}

    def match(self, model_raw: str, host: str, day: date, region: str = "") -> Match:
        asked = (model_raw, host, day, region)
        found = self._known.get(asked)
        if found is None:
            at = datetime.combine(day, time.min, UTC)
            named = self._resolver.resolve(model_raw, host or None, at)
            found = self._known[asked] = self._resolver.located(named, region)
        return found


def note_matches(matches: Mapping[int, Match], version: str) -> None:
    """Keep on each dimension what its name means at its latest record, and by which rule."""
    if not matches:
        return
    ids = sorted(matches)
    offerings = [matches[dimension_id].offering_id for dimension_id in ids]
    rules = [matches[dimension_id].rule[:300] for dimension_id in ids]
    with db.cursor() as cursor:
        cursor.execute(
            "UPDATE usage_usagedimension d SET offering_id = m.offering_id, match_rule = m.rule,"
            " resolved_version = %s"
            " FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS m (id, offering_id, rule)"
            " WHERE d.id = m.id AND (d.resolved_version, d.match_rule) IS DISTINCT FROM (%s, m.rule)",
            [version, ids, offerings, rules, version],
        )


def matches_of(pairs: Collection[tuple[int, date]], known: Names) -> dict[tuple[int, date], Match]:
    """What the names of dimensions meant on days, by (dimension id, day)."""
    ids = {dimension_id for dimension_id, _ in pairs}
    rows = UsageDimension.objects.filter(id__in=ids).values_list("id", "model_raw", "host", "region")
    named = {pk: (model_raw, host, region) for pk, model_raw, host, region in rows}
    return {(pk, day): known.match(*named[pk][:2], day, named[pk][2]) for pk, day in pairs}
