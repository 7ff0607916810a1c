"""OpenRouter's activity: `GET /api/v1/activity`, or an export of it by day. A row is a UTC day of one endpoint.

    {"data":[{"date":"2025-08-24","model":"openai/gpt-4.1","model_permaslug":"openai/gpt-4.1-2025-04-14",
      "endpoint_id":"550e8400-…","provider_name":"OpenAI","usage":0.015,"byok_usage_inference":0.012,"requests":5,
      "prompt_tokens":50,"completion_tokens":125,"reasoning_tokens":25,"cached_tokens":30,"workspace_id":"…"}]}

`usage` is USD. `prompt_tokens` includes the cached ones, which may exceed it where a cached reply was replayed;
`completion_tokens` includes the reasoning. Where the caller brought their own key (`byok_usage_inference`), `usage` is
OpenRouter's fee only, and the rest stands on the upstream vendor's bill.

A file is complete for its days: rows that an earlier one had for them and it has not are withdrawn. Days of one API
key are refused: they are in the account's already, and `openrouter_key_activity` reads them as a feed of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import IO, Any

from usage.importers import REPLACE_WINDOW, Covered, Dimension, Fact, Outcome, _logs, _openrouter, _records
from usage.importers._json import Unreadable, text
from usage.importers._logs import first, named, tokens
from usage.importers._records import Json

SLUG = "openrouter_activity"
NAME = "OpenRouter activity"
MODE = REPLACE_WINDOW
MAPPED = False
DETAIL = 2

FIELDS = (
    "date", "model", "model_permaslug", "variant", "endpoint_id", "provider_name", "usage", "byok_usage_inference",
    "requests", "prompt_tokens", "completion_tokens", "reasoning_tokens", "cached_tokens", "workspace_id",
    "api_key_hash", "api_key", "user_id", "id", "created_at",
)  # fmt: skip
SHOWN = ("date", "model", "endpoint_id", "requests", "prompt_tokens", "completion_tokens", "cached_tokens", "usage")
GENERATION = "this is a single generation: import it as OpenRouter generations, beside which a day counts it again"
OF_KEY = "this is a day of one API key, which the account's days count too: import it as OpenRouter activity by key"


def split(stream: IO[bytes]) -> Iterator[bytes]:
    """Each row, from pages of the API or a CSV."""
    for row in _openrouter.rows(stream):
        yield _records.compact(_kept(row)) if isinstance(row, dict) else b""


def _kept(row: Json) -> Json:
    return {name: row[name] for name in FIELDS if name in row}


def covered(stream: IO[bytes]) -> Covered | None:
    """The days from the first row's to the last's."""
    found = days_of(stream, lambda _: "")
    return found[0] if found else None


def days_of(stream: IO[bytes], keys_of: Callable[[Json], str]) -> list[Covered]:
    """The days from the first row's to the last's, for each beginning of keys; nothing where a row has no day."""
    days: dict[str, tuple[date, date]] = {}
    for row in _openrouter.rows(stream):
        try:
            day, keys = _day(row), keys_of(row)
        except (Unreadable, AttributeError):
            return []
        since, until = days.get(keys, (day, day))
        days[keys] = min(since, day), max(until, day)
    return [
        Covered(_starts(since), _starts(until) + timedelta(days=1), keys=keys)
        for keys, (since, until) in sorted(days.items())
    ]


def parse(lines: Iterable[bytes], origin: str, mapping: Mapping[str, Any] | None) -> Iterator[Outcome]:
    """One outcome a row; MappingError where the first is a single generation or of one API key."""
    return _records.outcomes(_records.of_this_kind(lines, _is_wrong), _outcome, SHOWN)


def is_generation(row: Json) -> bool:
    return "date" not in row and ("id" in row or "created_at" in row)


def is_of_key(row: Json) -> bool:
    """Whether a row is of one API key: it names one, or stands in an export that has a column for it."""
    return bool(row.get("api_key_hash")) or "api_key" in row


def key_of(row: Json) -> str:
    """The API key of a row; '' where it names none."""
    return text(first(row.get("api_key_hash"), row.get("api_key")))


def _is_wrong(row: Json) -> str:
    return GENERATION if is_generation(row) else OF_KEY if is_of_key(row) else ""


def _outcome(line: int, row: Json) -> Fact:
    if wrong := _is_wrong(row):
        raise Unreadable(wrong)
    return fact(line, row, "account:")


def fact(line: int, row: Json, keys: str) -> Fact:
    """The record of a row; `keys` is what its key begins with."""
    day = _day(row)
    model = text(first(row.get("model"), row.get("model_permaslug")))
    if not model:
        raise Unreadable("the row names no model")
    uncached, read, quality = _openrouter.split_input(
        tokens(row.get("prompt_tokens")), tokens(row.get("cached_tokens"))
    )
    out, cost = tokens(row.get("completion_tokens")), _logs.money(row.get("usage"))
    requests = tokens(row.get("requests"))
    if uncached is None and out is None and cost is None:
        raise Unreadable("the row has neither tokens nor cost")
    if _logs.money(row.get("byok_usage_inference")):
        quality = (*quality, "byok")
    names = ["model", "model_permaslug", "variant", "endpoint_id", "workspace_id", "user_id"]
    if not row.get("endpoint_id"):  # an export by day may have a row for each upstream of a model, and no endpoint
        names.append("provider_name")
    return Fact(
        line,
        f"{keys}{_logs.record_key(day.isoformat(), *(text(row.get(name)) for name in names))}",
        _starts(day),
        "1d",
        _dimension(row, model),
        uncached,
        read,
        None,
        out,
        _openrouter.within(tokens(row.get("reasoning_tokens")), out),
        requests=requests,
        period_end=_starts(day) + timedelta(days=1),
        cost_reported=cost,
        currency="" if cost is None else "USD",
        quality=quality,
        rank=((uncached or 0) + (read or 0) + (out or 0), requests or 0, int((cost or 0) * 1_000_000)),
    )


def _day(row: Json) -> date:
    try:
        day = date.fromisoformat(text(row.get("date"))[:10])
    except ValueError:
        raise Unreadable("the date is no day such as 2026-09-01") from None
    if not 2015 <= day.year < 2100:
        raise Unreadable("the date is not between 2015 and 2100")
    return day


def _starts(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _dimension(row: Json, model: str) -> Dimension:
    return Dimension(
        model_raw=model,
        host="openrouter",
        ext_project=text(row.get("workspace_id")),
        ext_api_key=key_of(row),
        ext_user=text(row.get("user_id")),
        tags=_logs.tags(named(upstream=row.get("provider_name"))),
    )
