"""What rules compare of a dimension: its own fields, its feed's, and what its model's name means today."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from functools import cached_property

from django.db.models import F

from pricing import names
from pricing.matching import Resolver
from pricing.models import Offering
from usage.attribution import OF_DIRECTORY, Rule, of_record
from usage.models import DirectoryEntry, UsageDimension

Fields = dict[str, str | tuple[str, ...]]
Period = tuple[date, date, Fields]
_PLAIN = (
    "model_raw", "host", "operation", "region", "ext_project", "ext_api_key", "ext_user", "ext_team", "path", "branch",
)  # fmt: skip
# arn:aws:sts::123456789012:assumed-role/ROLE/session, arn:aws:iam::123456789012:role/path/ROLE
_ROLE = re.compile(r"^arn:aws[\w-]*:(?:sts::\d*:assumed-role/([^/]+)(?:/.*)?|iam::\d*:role/(?:.*/)?([^/]+))$", re.I)


class Reading:
    """Reads dimensions for some rules: the catalogue is asked only where one of them asks about it."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.asks_directory = any(rule.asks_directory for rule in rules)
        self.asks_catalogue = any(rule.asks_catalogue for rule in rules)
        self._named: dict[int, dict[tuple[str, str], list[tuple[date, date, str]]]] = {}
        self._meant: dict[tuple[str, str], int | None] = {}

    def fields_of(self, dimension: UsageDimension) -> Fields:
        """What rules compare of a dimension."""
        feed = dimension.connection
        fields: Fields = {name: getattr(dimension, name) for name in _PLAIN}
        fields |= {
            "source": feed.importer,
            "scope": feed.scope,
            "account": feed.account,
            "user_domain": _domain(dimension.ext_user),
            "iam_role": _role(dimension.ext_user),
        }
        fields |= of_record({"service_tier": dimension.service_tier, "session": dimension.session})
        if self.asks_catalogue:
            fields |= self._of_catalogue(dimension)
        return fields | _tags(dimension)

    def periods_of(self, dimension: UsageDimension) -> list[Period]:
        """The same by UTC days, as the names of ids change; the periods follow each other over all days."""
        fields = self.fields_of(dimension)
        if not self.asks_directory:
            return [(date.min, date.max, fields)]
        named = {field: self._entries(dimension, field) for field in OF_DIRECTORY}
        edges = {day for entries in named.values() for start, until, _ in entries for day in (start, until)}
        days = sorted({date.min, date.max, *edges})
        return [
            (start, until, fields | {field: _name_on(start, entries) for field, entries in named.items()})
            for start, until in zip(days, days[1:], strict=False)
        ]

    def _entries(self, dimension: UsageDimension, field: str) -> list[tuple[date, date, str]]:
        column, kinds = OF_DIRECTORY[field]
        external_id = getattr(dimension, column)
        if not external_id:
            return []
        directory = self._directory(dimension.organisation_id)
        return [entry for kind in kinds for entry in directory.get((kind, external_id), ())]

    def _directory(self, organisation_id: int) -> dict[tuple[str, str], list[tuple[date, date, str]]]:
        """All names of an organisation, read once; the later of two that hold on one day first."""
        if organisation_id not in self._named:
            found: dict[tuple[str, str], list[tuple[date, date, str]]] = defaultdict(list)
            entries = DirectoryEntry.objects.filter(organisation=organisation_id)
            for entry in entries.order_by(F("valid_from").desc(nulls_last=True), "pk"):
                days = entry.valid_from or date.min, entry.valid_until or date.max
                found[entry.kind, entry.external_id].append((*days, entry.name))
            self._named[organisation_id] = found
        return self._named[organisation_id]

    def _of_catalogue(self, dimension: UsageDimension) -> Fields:
        asked = dimension.model_raw, dimension.host
        if asked not in self._meant:
            self._meant[asked] = self._resolver.resolve(dimension.model_raw, dimension.host or None).offering_id
        offering = self._meant[asked]
        return {} if offering is None else self._offerings.get(offering, {})

    @cached_property
    def _resolver(self) -> Resolver:
        return names.resolver()

    @cached_property
    def _offerings(self) -> dict[int, Fields]:
        rows = Offering.objects.values_list("pk", "provider__slug", "model__maker", "model__slug", "model__family")
        keys = ("provider", "maker", "model", "model_family")
        return {pk: {key: value or "" for key, value in zip(keys, found, strict=True)} for pk, *found in rows}


def _name_on(day: date, entries: Sequence[tuple[date, date, str]]) -> str:
    return next((name for start, until, name in entries if start <= day < until), "")


def _domain(user: str) -> str:
    return user.rpartition("@")[2] if "@" in user else ""


def _role(user: str) -> str:
    found = _ROLE.match(user)
    return next((name for name in found.groups() if name), "") if found else ""


def _tags(dimension: UsageDimension) -> Fields:
    """Every value of each key: a key may stand more than once."""
    found: dict[str, list[str]] = defaultdict(list)
    for key, value in dimension.tags:
        found[f"tag:{key}".lower()].append(str(value))
    return {key: tuple(values) for key, values in found.items()}
