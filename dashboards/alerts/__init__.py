"""Alerts: facts that need somebody, each told once. docs/alerts.md says which, to whom and how.

`watch` reads the facts of an organisation and keeps them as alerts, hands new ones to its webhook and keeps the mails
that are due. However often and in whatever order it runs over the same facts, the alerts are the same.
"""

from dashboards.alerts.choices import (
    KINDS,
    Refused,
    choice_of,
    choose,
    mute,
    mutes_of,
    set_thresholds,
    unmute,
)
from dashboards.alerts.facts import Fact
from dashboards.alerts.keeping import GRACE, keep
from dashboards.alerts.mailing import Ears, ears_of, tell
from dashboards.alerts.reading import facts_of
from dashboards.alerts.watching import Outcome, watch
from dashboards.alerts.words import Told, told

__all__ = [
    "GRACE", "KINDS", "Ears", "Fact", "Outcome", "Refused", "Told", "choice_of", "choose", "ears_of", "facts_of",
    "keep", "mute", "mutes_of", "set_thresholds", "tell", "told", "unmute", "watch",
]  # fmt: skip
