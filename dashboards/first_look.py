"""What a first look at the sample workspace finds beside its usage: the day's decisions and what needs somebody."""

from __future__ import annotations

from datetime import datetime

from dashboards import alerts, proposals
from usage.models import Organisation


def prepare(now: datetime) -> None:
    """Advise the projects of the sample workspace and look for its alerts. Again on the same day it changes nothing."""
    proposals.advise_sample(now.date())
    for organisation in Organisation.objects.filter(is_sample=True):
        alerts.watch(organisation, now)
