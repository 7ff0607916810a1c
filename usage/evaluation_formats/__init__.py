"""Formats of evaluation results: one module each, found by name; bytes in, facts out.

The contract of `usage/evaluation_formats/<slug>.py`:

- `SLUG` and `NAME`; `TAKES`, a phrase that says which files to choose; `FILES`, what its tool calls them in a folder.
- `parse(sources) -> Reading`: reads one or several files of one import. A fault of the input is `Unreadable` with a
  sentence that says what to do; what is left out on purpose is counted in `Reading.left_out` by its reason.

Nothing here touches the database. Prompts, completions, targets and explanations are dropped while they are read: of an
item its id or a digest remains. Memory holds one record of a document and the items' numbers, at most `MOST_ITEMS`.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import pkgutil
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache
from types import ModuleType
from typing import IO, Any, Final, Protocol, cast

MOST_ITEMS: Final = 500_000
"""Scored answers of one import."""
SCORE: Final = Decimal("1e-9")
MONEY: Final = Decimal("1e-12")
_MOST_TOKENS, _MOST_MONEY = 10**15, Decimal(10**9)
_PLAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/#-]{0,63}")
EFFORTS: Final = frozenset({"none", "minimal", "low", "medium", "high", "xhigh", "max"})


class Unreadable(ValueError):
    """Why a file cannot be read as evaluations: one sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file: what it is called, and a way to read it from its start."""

    name: str
    open: Callable[[], IO[bytes]]


@dataclass(frozen=True, slots=True)
class Answer:
    """One scored answer; `score` lies between 0 and 1. None: not stated, which is not 0."""

    key: str
    score: Decimal
    epoch: int = 1
    cost_usd: Decimal | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(slots=True)
class RunFacts:
    """What a file says of one model on one suite by one measure.

    `identity` is what tells this run from every other in its own format. `model` is the name as it was written;
    `provider` and `name` are what the format says it is made of, as the resolver asks ('' where it does not say).
    Without answers `mean` is the stated one, with `se` and `items` where they are stated. `source` is its file.
    """

    identity: tuple[str, ...]
    suite: str
    metric: str
    model: str
    source: str
    task: str = ""
    provider: str = ""
    name: str = ""
    effort: str = ""
    ran_on: date | None = None
    answers: list[Answer] = field(default_factory=list)
    unscored: int = 0
    mean: Decimal | None = None
    se: Decimal | None = None
    items: int | None = None
    cost_usd: Decimal | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(slots=True)
class Reading:
    """What files hold: runs, and what of them was left out, by reason."""

    runs: list[RunFacts] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


class Format(Protocol):
    """The contract of a format's module."""

    SLUG: str
    NAME: str
    TAKES: str
    FILES: tuple[str, ...]

    @staticmethod
    def parse(sources: Sequence[Source]) -> Reading:
        """The runs in these files."""
        ...


@cache
def all_formats() -> dict[str, Format]:
    """Every format by slug, in alphabetical order."""
    modules: Iterable[ModuleType] = (
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
        if not found.name.startswith("_")
    )
    return {module.SLUG: cast(Format, module) for module in sorted(modules, key=lambda module: module.__name__)}


def share(value: object) -> Decimal | None:
    """A score between 0 and 1 as the ledger of evaluations keeps it; None for what is none."""
    if isinstance(value, bool):
        return Decimal(int(value))
    found = number(value)
    return None if found is None or not 0 <= found <= 1 else found.quantize(SCORE, ROUND_HALF_UP)


def number(value: object) -> Decimal | None:
    """A finite decimal number written as one or as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    text = str(value).strip()
    if not text or len(text) > 60:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() and -40 < found.adjusted() < 40 else None


def money(value: object) -> Decimal | None:
    """An amount in USD; None where none is stated or none can be meant."""
    found = number(value)
    return None if found is None or not 0 <= found < _MOST_MONEY else found.quantize(MONEY, ROUND_HALF_UP)


def tokens(value: object) -> int | None:
    """A count of tokens; None where none is stated or none can be meant."""
    found = number(value)
    return None if found is None or found != found.to_integral() or not 0 <= found < _MOST_TOKENS else int(found)


def text(value: object, most: int = 200) -> str:
    """A name on one line; '' where there is none."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return " ".join(str(value).replace("\0", " ").split())[:most]


def effort(value: object) -> str:
    """A declared effort of reasoning, in small letters; '' for anything else."""
    said = text(value, 20).lower()
    return said if said in EFFORTS else ""


def day(value: object) -> date | None:
    """The UTC day of an ISO 8601 time, a date, or seconds since 1970; None where it is none of this trade's."""
    try:
        if isinstance(value, str) and not value.strip().replace(".", "", 1).isdigit():
            moment = datetime.fromisoformat(value.strip())
            found = moment.astimezone(UTC).date() if moment.tzinfo else moment.date()
        else:
            seconds = number(value)
            if seconds is None:
                return None
            found = datetime.fromtimestamp(float(seconds / 1000 if seconds > 10**11 else seconds), UTC).date()
    except (ValueError, OverflowError, OSError):
        return None
    return found if date(2018, 1, 1) <= found <= date(2100, 1, 1) else None


def inner(value: object) -> dict[str, Any]:
    """An object inside an object; empty where there is none."""
    return value if isinstance(value, dict) else {}


def item_key(value: object) -> str:
    """An item's own id where it is a plain id, else a digest of it: an id with words in it may be content."""
    if isinstance(value, str | int) and not isinstance(value, bool) and _PLAIN_ID.fullmatch(str(value)):
        return str(value)
    return digest(value)


def digest(value: object) -> str:
    """32 hexadecimal digits that are the same for the same plain value, whatever the order of its names."""
    plain = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str, separators=(",", ":"))
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:32]
