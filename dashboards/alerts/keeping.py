"""Facts become alerts: opened once, kept up to date, resolved when they are gone. The only writer of `Alert`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from dashboards.alerts.facts import Fact
from dashboards.models import Alert
from usage.models import Organisation

GRACE: Final = timedelta(days=1)
"""How long a fact must be gone before its alert is resolved: one that flickers is told once."""


def keep(organisation: Organisation, facts: Sequence[Fact], now: datetime) -> list[Alert]:
    """Make the open alerts those of these facts; the ones that were opened. Running it again changes nothing."""
    with transaction.atomic():
        # Two runs never open one alert twice. Not its key: an import that refers to the organisation does not wait.
        Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
        standing = {one.key: one for one in Alert.objects.open().filter(organisation=organisation)}
        if any(one.seen_at > now for one in standing.values()):
            return []  # a later run has been here: what this one saw is old
        standing |= _back(organisation, [fact.key for fact in facts if fact.is_once and fact.key not in standing])
        opened = [_opened(organisation, fact, now) for fact in facts if fact.key not in standing]
        for fact in facts:
            if (known := standing.pop(fact.key, None)) is not None:
                _seen(known, fact, now)
        for gone in standing.values():
            _gone(gone, now)
    return opened


def _back(organisation: Organisation, keys: Sequence[str]) -> dict[str, Alert]:
    """The alerts of these keys that are over: their facts have come back, and each was told already."""
    if not keys:
        return {}
    over = Alert.objects.filter(organisation=organisation, key__in=keys).exclude(resolved_at=None)
    return {one.key: one for one in over.order_by("opened_at", "pk")}


def _opened(organisation: Organisation, fact: Fact, now: datetime) -> Alert:
    return Alert.objects.create(
        organisation=organisation, kind=fact.kind, key=fact.key, model=fact.model, is_whole=fact.is_whole,
        parts=fact.parts, data=fact.data, opened_at=now, seen_at=now,
    )  # fmt: skip


def _seen(alert: Alert, fact: Fact, now: datetime) -> None:
    alert.parts, alert.data, alert.is_whole = fact.parts, fact.data, fact.is_whole
    alert.seen_at, alert.missing_since, alert.resolved_at = now, None, None
    alert.save(update_fields=["parts", "data", "is_whole", "seen_at", "missing_since", "resolved_at"])


def _gone(alert: Alert, now: datetime) -> None:
    alert.missing_since = alert.missing_since or now
    if now - alert.missing_since >= GRACE:
        alert.resolved_at = now
    alert.save(update_fields=["missing_since", "resolved_at"])
