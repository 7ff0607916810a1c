"""The date at the end of a name, as makers write when its weights were frozen. Pure."""

from __future__ import annotations

import re
from datetime import date

DATE = re.compile(r"-(\d{4})-?(\d{2})-?(\d{2})$")
"""Year, month and day; whether there is such a day, `is_date` says."""


def is_date(found: re.Match[str]) -> bool:
    try:
        return date_of(found) >= date(2020, 1, 1)
    except ValueError:
        return False


def date_of(found: re.Match[str]) -> date:
    return date(int(found[1]), int(found[2]), int(found[3]))
