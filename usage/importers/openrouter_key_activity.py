"""OpenRouter's activity by API key: `GET /api/v1/activity?api_key_hash=…`, or an export by day with a column of keys.

    {"data":[{"date":"2025-08-24","api_key_hash":"9f86…","model":"openai/gpt-4.1","endpoint_id":"550e8400-…",
      "usage":0.015,"requests":5,"prompt_tokens":50,"completion_tokens":125,"reasoning_tokens":25,"cached_tokens":30}]}

The rows are those of `openrouter_activity`, asked for one key after the other. The answer says nothing of the key it
was asked about: put `api_key_hash` into its rows. A file is complete for the days of each key it names.

An importer of its own, so that the days of keys and those of the account compete and never add up, whatever comes
first: the account's give the money and the tokens, these say whose they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

from usage.importers import REPLACE_WINDOW, Covered, Fact, Outcome, _logs, _records
from usage.importers._json import Unreadable
from usage.importers._records import Json
from usage.importers.openrouter_activity import (
    GENERATION,
    SHOWN,
    days_of,
    fact,
    is_generation,
    is_of_key,
    key_of,
    split,
)

__all__ = ["covered", "parse", "split"]

SLUG = "openrouter_key_activity"
NAME = "OpenRouter activity by key"
MODE = REPLACE_WINDOW
MAPPED = False
DETAIL = 3

OF_ACCOUNT = (
    "this is a day of the whole account: import it as OpenRouter activity, or put the api_key_hash that was asked"
    " about into its rows"
)


def covered(stream: IO[bytes]) -> list[Covered] | None:
    """The days from the first row's to the last's, for each key that rows name."""
    return days_of(stream, _keys) or None


def parse(lines: Iterable[bytes], origin: str, mapping: Mapping[str, Any] | None) -> Iterator[Outcome]:
    """One outcome a row; a single generation and a day of the whole account are rejected."""
    return _records.outcomes(lines, _outcome, SHOWN)


def _outcome(line: int, row: Json) -> Fact:
    if is_generation(row):
        raise Unreadable(GENERATION)
    if not is_of_key(row):
        raise Unreadable(OF_ACCOUNT)
    return fact(line, row, _keys(row))


def _keys(row: Json) -> str:
    """What the keys of records of one API key begin with."""
    return f"{_logs.record_key('key', key_of(row))[:16]}:"
