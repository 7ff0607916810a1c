"""One look at an organisation: facts, alerts, webhook, mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from dashboards import webhooks
from dashboards.alerts.keeping import keep
from dashboards.alerts.mailing import tell
from dashboards.alerts.reading import facts_of
from dashboards.models import Alert, Message
from usage.models import Organisation


@dataclass(frozen=True)
class Outcome:
    """What a look came to."""

    facts: int
    opened: list[Alert]
    mails: list[Message]


def watch(organisation: Organisation, now: datetime) -> Outcome:
    """Read, keep and tell. A new alert and its delivery are kept together, so that neither is without the other."""
    facts = facts_of(organisation, now)
    with transaction.atomic():
        opened = keep(organisation, facts, now)
        for alert in opened:
            webhooks.queue(alert, now)
    return Outcome(len(facts), opened, tell(organisation, now))
