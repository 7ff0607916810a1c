"""What a first look at the sample workspace finds beside its usage: decisions, its own and the day's, and alerts."""

from __future__ import annotations

from datetime import datetime

from dashboards import alerts, proposals, sample_decisions
from usage.models import Organisation


def prepare(now: datetime) -> None:
    """Advise the projects of the sample workspace and look for its alerts. Again on the same day it changes nothing."""
    sampled = list(Organisation.objects.filter(is_sample=True))
    for organisation in sampled:
        sample_decisions.tell(organisation, now.date())
    proposals.advise_sample(now.date())
    for organisation in sampled:
        alerts.watch(organisation, now)
