"""What the sample workspace decided: of the advice of those days, so that a first look finds a promise and its end.

Both moves are advice as it would have been given then, on the workspace's own ledger. The first was made, as its
ledger shows; what it saved is reckoned as of any other. The second is still to be made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from dashboards import proposals
from dashboards.models import Proposal
from usage import recommending
from usage.models import Organisation, Project


@dataclass(frozen=True, slots=True)
class Decided:
    """A project accepted the surest move of a day's advice, to one provider where it is named, until a day."""

    project: str
    advised_on: date
    due: date
    provider: str = ""


def decided(today: date) -> Iterator[Decided]:
    yield Decided("policy-search", date(2026, 10, 14), date(2026, 10, 31), "zhipuai")
    yield Decided("support-assistant", today - timedelta(days=7), today + timedelta(days=14))


def tell(organisation: Organisation, today: date) -> None:
    """Take the decisions of a workspace that has none yet; again it changes nothing."""
    if Proposal.objects.filter(organisation=organisation).exists():
        return
    projects = {project.slug: project for project in Project.objects.filter(organisation=organisation)}
    for one in decided(today):
        if one.project in projects and one.advised_on < today:
            _tell(projects[one.project], one)


def _tell(project: Project, one: Decided) -> None:
    at = datetime.combine(one.advised_on, time(5), UTC)
    found = recommending.advise(project, one.advised_on, known_at=at)
    sure = (move for move in found.recommendations if move.saving.low > 0)
    move = next((move for move in sure if one.provider in ("", move.candidate.provider)), None)
    if move is not None and project.owner:  # somebody may have taken the owner away: then nobody accepted anything
        proposals.remember(project, found, move, at, at + timedelta(days=1), one.due)
