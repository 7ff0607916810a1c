"""What the columns of somebody's CSV mean: a saved mapping, checked in sentences before any row is read.

    {"columns": {"time": "date", "model": "model", "input": "input_tokens", "output": "output_tokens"},
     "constants": {"host": "openai"}, "tags": {"env": "environment"},
     "grain": "1d", "time_format": "iso", "time_zone": "Europe/Berlin",
     "tokens_per_unit": 1000, "cache": "inclusive", "reasoning": "included",
     "money_unit": "major", "currency": "USD", "cost_kind": "billed",
     "key": ["date", "model"], "window": {"from": "2026-09-01", "until": "2026-10-01"},
     "delimiter": ";", "thousands": ".", "decimal": ",", "blank": "unknown"}

Everything but `columns` and `grain` has a default; docs/importers.md describes each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DIMENSIONS = (
    "model",
    "host",
    "operation",
    "region",
    "project",
    "api_key",
    "user",
    "team",
    "path",
    "branch",
    "service_tier",
    "batch",
)
NO = ("", "false", "f", "no", "n", "0", "null", "none")
"""What a column says of a request that came in no batch; anything else, such as the batch's id, is one."""
LIFETIMES = ("5m", "30m", "1h", "12h")
TOKENS = (
    "input",
    "cache_read",
    "cache_write",
    *(f"cache_write_{name}" for name in LIFETIMES),
    "output",
    "reasoning",
)
OTHERS = ("time", "requests", "context", "cost", "currency", "id", "session")
FIELDS = (*DIMENSIONS, *TOKENS, *OTHERS)
CONSTANTS = (*DIMENSIONS, "currency")
GRAINS = ("request", "1m", "1h", "1d", "1mo")
UNIX = {"unix": 1, "unix_ms": 1_000, "unix_us": 1_000_000}
"""Of a second since 1970: how many parts of it a number counts."""
TIME_FORMATS = ("iso", *UNIX)
TOKENS_PER_UNIT = (1, 1000, 1_000_000)
MONEY_UNITS = {"major": 1, "cents": 100, "micro": 1_000_000}
COST_KINDS = ("estimated", "billed", "notional")
CACHE = ("inclusive", "exclusive")
REASONING = ("included", "excluded")
BLANK = ("unknown", "zero")
DELIMITERS = (",", ";", "\t", "|")
KEYS = (
    "columns",
    "constants",
    "tags",
    "grain",
    "time_format",
    "time_zone",
    "tokens_per_unit",
    "cache",
    "reasoning",
    "money_unit",
    "currency",
    "cost_kind",
    "key",
    "window",
    "delimiter",
    "thousands",
    "decimal",
    "blank",
)
ALIASES = {"provider": "host"}
CHOICES: dict[str, tuple[Any, ...]] = {
    "grain": GRAINS,
    "tokens_per_unit": TOKENS_PER_UNIT,
    "cache": CACHE,
    "reasoning": REASONING,
    "money_unit": tuple(MONEY_UNITS),
    "cost_kind": COST_KINDS,
    "delimiter": DELIMITERS,
    "blank": BLANK,
    "thousands": ("", ",", ".", " ", "'", "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"),
    "decimal": (".", ","),
}


class MappingError(ValueError):
    """A file or a mapping that cannot be read at all: a sentence a person can act on. No row was read."""


@dataclass(frozen=True, slots=True)
class Columns:
    """A mapping that has been found sound, with its defaults filled in."""

    columns: Mapping[str, str]
    constants: Mapping[str, str]
    tags: Mapping[str, str]
    grain: str
    time_format: str
    time_zone: ZoneInfo
    tokens_per_unit: int
    cache: str
    reasoning: str
    money_unit: str
    currency: str
    cost_kind: str
    key: tuple[str, ...]
    window: tuple[datetime, datetime] | None
    delimiter: str
    thousands: str
    decimal: str
    blank: str


def validate_mapping(spec: Mapping[str, Any] | None, header: Sequence[str] | None = None) -> list[str]:
    """What is wrong with a mapping, a sentence each; nothing means it can be used.

    With a file's `header` also whether every mapped column is in it.
    """
    if not isinstance(spec, Mapping) or not spec:
        return ["A CSV file needs a mapping that says what its columns mean: save one on the imports page."]
    faults = [f"The mapping has no setting “{name}”." for name in spec if name not in KEYS]
    for name in ("columns", "constants", "tags"):
        if name in spec and not _is_text_map(spec[name]):
            faults.append(f"“{name}” must pair names with texts.")
    if faults:
        return faults
    for name, choices in CHOICES.items():
        if name in spec and not _is_one_of(spec[name], choices):
            offered = ", ".join(f"“{choice}”" for choice in choices if choice != "")
            faults.append(f"“{name}” must be one of {offered}.")
    faults += _faults_of_columns(spec)
    faults += _faults_of_time(spec)
    faults += _faults_of_money(spec)
    faults += _faults_of_key(spec)
    if spec.get("thousands") and spec.get("thousands") == spec.get("decimal", "."):
        faults.append("The thousands separator and the decimal mark are the same.")
    if header is not None:
        faults += _faults_of_header(spec, header)
    return faults


def read_mapping(spec: Mapping[str, Any] | None) -> Columns:
    """The mapping with its defaults; raises MappingError with everything that is wrong."""
    if faults := validate_mapping(spec):
        raise MappingError(" ".join(faults))
    assert spec is not None  # noqa: S101 - validate_mapping refuses None
    return Columns(
        columns=_columns(spec),
        constants=_named(spec.get("constants", {})),
        tags=dict(spec.get("tags", {})),
        grain=spec["grain"],
        time_format=spec.get("time_format", "iso"),
        time_zone=ZoneInfo(spec.get("time_zone", "UTC")),
        tokens_per_unit=spec.get("tokens_per_unit", 1),
        cache=spec.get("cache", "inclusive"),
        reasoning=spec.get("reasoning", "included"),
        money_unit=spec.get("money_unit", "major"),
        currency=spec.get("currency", "").upper(),
        cost_kind=spec.get("cost_kind", "estimated"),
        key=tuple(spec.get("key", ())),
        window=window_of(spec),
        delimiter=spec.get("delimiter", ""),
        thousands=spec.get("thousands", ""),
        decimal=spec.get("decimal", "."),
        blank=spec.get("blank", "unknown"),
    )


def window_of(spec: Mapping[str, Any] | None) -> tuple[datetime, datetime] | None:
    """[from, until) in UTC for which the mapping calls the file complete: only then may rows be withdrawn.

    Days and months are posted by their local date, so it is then of those that begin inside, as UTC days.
    """
    window = (spec or {}).get("window")
    if not window:
        return None
    zone = ZoneInfo((spec or {}).get("time_zone", "UTC"))
    since, until = (_moment(window[edge], zone) for edge in ("from", "until"))
    if (spec or {}).get("grain") in ("1d", "1mo"):
        return _first_day_from(since, zone), _first_day_from(until, zone)
    return since, until


def _first_day_from(moment: datetime, zone: ZoneInfo) -> datetime:
    """The UTC midnight of the first local day that does not begin before a moment."""
    day = moment.astimezone(zone).date()
    begins = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=begins < moment)


def _columns(spec: Mapping[str, Any]) -> dict[str, str]:
    return _named(spec.get("columns", {}))


def _named(pairs: Mapping[str, str]) -> dict[str, str]:
    return {ALIASES.get(name, name): text.strip() for name, text in pairs.items() if text.strip()}


def _faults_of_columns(spec: Mapping[str, Any]) -> list[str]:
    columns, constants = _columns(spec), _named(spec.get("constants", {}))
    faults = [f"“{name}” is not a field a column can be mapped to." for name in columns if name not in FIELDS]
    faults += [f"“{name}” cannot be set to a constant." for name in constants if name not in CONSTANTS]
    faults += [f"“{name}” is both a column and a constant." for name in constants if name in columns]
    if "time" not in columns:
        faults.append("Say which column holds the time.")
    if "model" not in columns and "model" not in constants:
        faults.append("Say which column holds the model, or set the model as a constant.")
    if not any(name in columns for name in (*TOKENS, "requests", "cost")):
        faults.append("Map at least one column of tokens, requests or cost.")
    cached = [name for name in columns if name.startswith("cache_")]
    if "input" in columns and cached and "cache" not in spec:
        faults.append("Say whether the input column includes cached tokens: “cache” is “inclusive” or “exclusive”.")
    if "reasoning" in columns and "output" in columns and "reasoning" not in spec:
        faults.append("Say whether the output column includes reasoning: “reasoning” is “included” or “excluded”.")
    if "grain" not in spec:
        faults.append("Say what one row stands for: “grain” is “request”, “1m”, “1h”, “1d” or “1mo”.")
    return faults


def _faults_of_time(spec: Mapping[str, Any]) -> list[str]:
    faults = []
    form = spec.get("time_format", "iso")
    if not isinstance(form, str) or (form not in TIME_FORMATS and "%" not in form):
        offered = ", ".join(f"“{name}”" for name in TIME_FORMATS)
        faults.append(f"“time_format” must be {offered} or a pattern such as “%d.%m.%Y %H:%M”.")
    elif "%" in form and not _is_pattern(form):
        faults.append(f"“time_format”: the pattern “{form}” cannot be read.")
    try:
        zone = ZoneInfo(spec.get("time_zone", "UTC"))
    except (KeyError, ValueError, TypeError, OSError):
        return [*faults, "“time_zone” must be a name such as “UTC” or “Europe/Berlin”."]
    window = spec.get("window")
    if not window:
        return faults
    try:
        since, until = _moment(window["from"], zone), _moment(window["until"], zone)
    except (KeyError, TypeError, ValueError, OverflowError):
        return [*faults, "“window” must give “from” and “until” as dates or times."]
    return faults if since < until else [*faults, "“window” must end after it starts."]


def _faults_of_money(spec: Mapping[str, Any]) -> list[str]:
    currency = spec.get("currency", "")
    if currency and not (isinstance(currency, str) and re.fullmatch("[A-Za-z]{3}", currency)):
        return ["“currency” must be three letters such as “USD”."]
    if "cost" in _columns(spec) and not currency and "currency" not in _columns(spec):
        return ["Say in which currency the cost is: set “currency” or map a column to it."]
    return []


def _faults_of_key(spec: Mapping[str, Any]) -> list[str]:
    key = spec.get("key", [])
    if not isinstance(key, list | tuple) or not all(isinstance(name, str) and name for name in key):
        return ["“key” must be a list of column names."]
    if key and "id" in _columns(spec):
        return ["The mapping has both an id column and key columns: keep one of the two."]
    return []


def _faults_of_header(spec: Mapping[str, Any], header: Sequence[str]) -> list[str]:
    wanted = {
        **_columns(spec),
        **{f"tag {name}": column.strip() for name, column in spec.get("tags", {}).items()},
    }
    wanted |= {f"key {column}": column for column in spec.get("key", [])}
    return [
        f"The file has no column “{column[:60]}”, which the mapping reads as {name}."
        for name, column in wanted.items()
        if column not in header
    ]


def _is_text_map(pairs: object) -> bool:
    return isinstance(pairs, Mapping) and all(
        isinstance(name, str) and isinstance(text, str) for name, text in pairs.items()
    )


def _is_one_of(value: object, choices: tuple[Any, ...]) -> bool:
    return any(value == choice and type(value) is type(choice) for choice in choices)


def _is_pattern(form: str) -> bool:
    probe = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    try:
        datetime.strptime(probe.strftime(form), form)  # noqa: DTZ007 - only asks whether it can be read
    except (ValueError, re.error):
        return False
    return "%Y" in form or "%y" in form


def _moment(text: str, zone: ZoneInfo) -> datetime:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
