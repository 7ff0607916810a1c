"""The only mover of records between dimensions: by service tier and session, where a rule's answer depends on these.

A dimension is what many records can be told by, and a session is nearly a record: so only the tiers and sessions that a
rule tells from none have dimensions of their own (`UsageDimension.told_from`). Once told apart they stay so, also of
what comes later: all records of one dimension, tier and session stand together. Moving one changes no total.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence

from django.db import connection as db

from usage import rollups, settling
from usage.attribution import Rule, told_apart
from usage.importers import Dimension
from usage.ingest.rows import dimension_hash
from usage.models import UsageDimension

Said = tuple[int, str, str]
"""A dimension's id, and a service tier and session of records of it."""
Moves = dict[Said, int]
Assign = Callable[[int, Collection[int], Sequence[Rule]], None]
_FIELDS = ("service_tier", "session")
_OF_MOVES = "unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[]) AS m (old, tier, session, new)"


def tell_staged(organisation_id: int, rules: Sequence[Rule], assign: Assign) -> dict[int, int]:
    """Say in `usage_stage` which records have a dimension other than their place's; which it was told from."""
    if not _is_asked(organisation_id, rules):
        return {}
    with db.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT p.dimension_id, s.service_tier, s.session"
            " FROM usage_stage s JOIN usage_place p USING (place) WHERE s.service_tier <> '' OR s.session <> ''"
        )
        moves = _moves(organisation_id, rules, cursor.fetchall(), assign)
        if moves:
            cursor.execute(
                f"UPDATE usage_stage s SET dimension_id = m.new FROM usage_place p, {_OF_MOVES}"
                " WHERE p.place = s.place AND m.old = p.dimension_id AND m.tier = s.service_tier"
                " AND m.session = s.session",
                _columns(moves),
            )
    return {new: old for (old, *_), new in moves.items()}


def tell_ledger(organisation_id: int, rules: Sequence[Rule], assign: Assign) -> None:
    """Tell all records apart that rules do; the caller holds the organisation."""
    if not _is_asked(organisation_id, rules):
        return
    with db.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT dimension_id, service_tier, session FROM usage_usagerecord"
            " WHERE organisation_id = %s AND (service_tier <> '' OR session <> '')",
            [organisation_id],
        )
        moves = _moves(organisation_id, rules, cursor.fetchall(), assign)
        if not moves:
            return
        touched = sorted({*moves.values(), *(old for old, *_ in moves)})
        rollups.post_dimensions(organisation_id, touched, sign=-1)
        cursor.execute(
            f"UPDATE usage_usagerecord r SET dimension_id = m.new FROM {_OF_MOVES} WHERE r.organisation_id = %s"
            " AND r.dimension_id = m.old AND r.service_tier = m.tier AND r.session = m.session",
            [*_columns(moves), organisation_id],
        )
        settling.settle(organisation_id, rollups.post_dimensions(organisation_id, touched, sign=1))


def _is_asked(organisation_id: int, rules: Sequence[Rule]) -> bool:
    told = UsageDimension.objects.filter(organisation=organisation_id, told_from__isnull=False)
    return any(rule.asks_records for rule in rules) or told.exists()


def _moves(organisation_id: int, rules: Sequence[Rule], found: Sequence[Said], assign: Assign) -> Moves:
    """Which records belong to another dimension than they have; new ones are written and attributed."""
    told = _told(organisation_id, rules, found)
    dimensions = UsageDimension.objects.in_bulk({dimension for dimension, *_ in found})
    wanted: dict[Said, tuple[int, str]] = {}
    rows: dict[tuple[int, str], UsageDimension] = {}
    for said in found:
        old = dimensions[said[0]]
        tier, session = (one if one in told[name] else "" for name, one in zip(_FIELDS, said[1:], strict=True))
        if (tier, session) != (old.service_tier, old.session):
            one = _apart(old, tier, session)
            wanted[said] = old.connection_id, one.content_hash
            rows.setdefault(wanted[said], one)
    known = _known(organisation_id, rows)
    if missing := sorted(rows.keys() - known.keys()):  # in one order, so two imports cannot wait for each other
        UsageDimension.objects.bulk_create([rows[key] for key in missing], batch_size=1_000, ignore_conflicts=True)
        new = _known(organisation_id, missing)
        assign(organisation_id, list(new.values()), rules)
        known |= new
    return {said: known[key] for said, key in wanted.items()}


def _told(organisation_id: int, rules: Sequence[Rule], found: Sequence[Said]) -> dict[str, set[str]]:
    """Which tiers and sessions of these are told apart, by a rule or since one was there."""
    said = {"service_tier": {tier for _, tier, _ in found} - {""}, "session": {one for *_, one in found} - {""}}
    told: dict[str, set[str]] = {}
    for name, values in said.items():
        apart = UsageDimension.objects.filter(organisation=organisation_id, told_from__isnull=False)
        told[name] = set(apart.filter(**{f"{name}__in": values}).values_list(name, flat=True))
        none = dict.fromkeys(_FIELDS, "")
        told[name] |= {value for value in values - told[name] if told_apart(rules, none | {name: value})[name]}
    return told


def _apart(old: UsageDimension, tier: str, session: str) -> UsageDimension:
    names = [name for name in Dimension.__slots__ if name != "tags"]
    same = {name: getattr(old, name) for name in names}
    whole = dimension_hash(Dimension(**same, tags=tuple((key, value) for key, value in old.tags)))
    digest = hashlib.blake2b(repr((whole, tier, session)).encode(), digest_size=16).hexdigest()
    return UsageDimension(
        organisation_id=old.organisation_id, connection_id=old.connection_id, content_hash=digest, tags=old.tags,
        service_tier=tier, session=session, told_from_id=old.pk, offering_id=old.offering_id,
        match_rule=old.match_rule, resolved_version=old.resolved_version, **same,
    )  # fmt: skip


def _known(organisation_id: int, keys: Iterable[tuple[int, str]]) -> dict[tuple[int, str], int]:
    hashes = [digest for _, digest in keys]
    rows = UsageDimension.objects.filter(organisation=organisation_id, content_hash__in=hashes)
    return {(feed, digest): pk for feed, digest, pk in rows.values_list("connection_id", "content_hash", "id")}


def _columns(moves: Moves) -> list[list[int] | list[str]]:
    return [
        [old for old, _, _ in moves],
        [tier for _, tier, _ in moves],
        [session for _, _, session in moves],
        list(moves.values()),
    ]
