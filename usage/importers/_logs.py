"""What the values of a log mean: counts, money, times, tags, and the disjoint split of an input. Pure.

None is unknown and stays None; what cannot be true raises Unreadable with a sentence that is the same for every record.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from usage.importers import _json
from usage.importers._json import Unreadable
from usage.importers._records import Json

MAX_KEY = 200
MAX_TAGS = 50
NO_PRICE = "zero_spend_for_tokens"
"""The flag of a cost of 0 that a gateway writes where it knows no price: unknown, as a price of 0 would be."""
IMAGES_SENT = "images_at_the_price_of_text"
"""The mark of images that were read, which most vendors sell at the price of text."""
CLAMPED = "cached_more_than_prompt"
"""The flag of an input whose cache was said to be more of it than it is, and was taken as far as it fits."""
PROMPT_DETAILS = ("prompt_tokens_details", "input_tokens_details", "input_token_details")
COMPLETION_DETAILS = ("completion_tokens_details", "output_tokens_details", "output_token_details")
"""OpenAI's names of what a count is made of: of chat, of responses, of audio."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS = 10**11
"""The year 5138: a larger number counts parts of a second."""
_MICROSECOND = timedelta(microseconds=1)


def nested(record: Json, name: str) -> Json:
    """An object of the record, also one that was written as text; empty where there is none."""
    value = record.get(name)
    if isinstance(value, str) and value.startswith("{"):
        value = _loaded(value)
    return value if isinstance(value, dict) else {}


def _loaded(text: str) -> Any:
    try:
        return orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        return None


def tokens(value: object) -> int | None:
    """A count; None where none was stated."""
    return None if value == "" else _json.count(value, "a count")


def money(value: object) -> Decimal | None:
    """An amount in major units, to the digits that were written; None where none was stated."""
    found = None if value == "" else _json.amount(value, "the cost")
    if found is None:
        return None
    if found < 0:
        raise Unreadable("the cost is negative: record a credit as a fixed cost")
    return _json.rounded(found)


def instant(value: object, *, naive_is_utc: bool = False) -> datetime:
    """A time as UTC: ISO 8601, or seconds since 1970, or thousandths, millionths or billionths of them."""
    try:
        moment = _moment(value)
    except (ValueError, OverflowError, OSError, InvalidOperation):
        raise Unreadable("the time cannot be read: it must be ISO 8601 or seconds since 1970") from None
    if moment.tzinfo is None:
        if not naive_is_utc:
            raise Unreadable("the time has no time zone")
        moment = moment.replace(tzinfo=UTC)
    return _json.believed(moment, "the time").astimezone(UTC)


def _moment(value: object) -> datetime:
    if isinstance(value, bool):
        raise ValueError
    if isinstance(value, str):
        if not value.replace(".", "", 1).isdigit() or not value.isascii() or len(value) < 9:
            return datetime.fromisoformat(f"{value[:-4]}+00:00" if value.endswith(" UTC") else value)
    elif not isinstance(value, int | float):
        raise ValueError
    seconds = Decimal(str(value))
    for _ in range(3):
        if seconds > _SECONDS:
            seconds /= 1_000
    return _EPOCH + timedelta(microseconds=int(seconds * 1_000_000))


def micros(moment: datetime) -> int:
    """A time as a number that ranks copies of one record."""
    return (moment - _EPOCH) // _MICROSECOND


def short(value: object) -> str:
    """A name of at most 200 characters; '' where there is none."""
    return _json.text(value)[:200]


def first(*values: object) -> Any:
    """The first value that was stated."""
    for value in values:
        if value is not None and value != "":
            return value
    return None


def record_key(*parts: object) -> str:
    """The id of a record, or a digest where it is too long or has parts."""
    if len(parts) == 1 and isinstance(parts[0], str) and 0 < len(parts[0]) <= MAX_KEY and "\0" not in parts[0]:
        return parts[0]
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()


def pairs(found: object, prefix: str = "") -> Iterator[tuple[str, str]]:
    """The names and short values of an object somebody set as metadata."""
    if not isinstance(found, Mapping):
        return
    for name, value in list(found.items())[:MAX_TAGS]:
        if said := short(value):
            yield prefix + short(name), said


def labels(found: object) -> Iterator[tuple[str, str]]:
    """A list of tags: `env:prod` is a tag of its own name, any other word one called `tag`."""
    if isinstance(found, str):
        found = _loaded(found)
    for label in found[:MAX_TAGS] if isinstance(found, list) else []:
        name, colon, value = short(label).partition(":")
        if colon and name.strip() and value.strip():
            yield name.strip(), value.strip()
        elif label := short(label).strip():
            yield "tag", label


def tags(*sources: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """All tags of a record, each once, in order."""
    return tuple(sorted({pair for source in sources for pair in source if pair[1]}))[:MAX_TAGS]


def named(**names: object) -> Iterator[tuple[str, str]]:
    """Tags of our own naming, where the record has them."""
    return ((name, said) for name, value in names.items() if (said := short(value)))


def disjoint(
    total: int | None, read: int | None, written: int | None, *, replayed: bool = False
) -> tuple[int | None, int | None, int | None, tuple[str, ...]]:
    """Disjoint input counts of an input that includes its cache.

    A cache larger than the input it is said to be part of shows that the input excludes it: taken so, and flagged.
    Not so where it may be `replayed` from another reply, as OpenRouter does: then it is taken as far as it fits.
    A cache that is not mentioned is unknown: the input is kept whole.
    """
    if total is None:
        return None, read, written, ()
    cached = (read or 0) + (written or 0)
    if cached > total:
        if not replayed:
            return total, read, written, ("exclusive_input_heuristic",)
        written = None if written is None else min(written, total)
        return 0, total - (written or 0), written, (CLAMPED,)
    return total - cached, read, written, () if read is not None else ("cache_split_unknown",)


def details_of(usage: Json, names: Iterable[str]) -> Json:
    """What a count of OpenAI's shape is made of, under whichever of the names; empty where it does not say."""
    return next((found for name in names if (found := nested(usage, name))), {})


def modalities(usage: Json) -> Iterator[str]:
    """The marks of what a usage of OpenAI's shape counts beside text."""
    sent, made = details_of(usage, PROMPT_DETAILS), details_of(usage, COMPLETION_DETAILS)
    if tokens(sent.get("image_tokens")):
        yield IMAGES_SENT
    if tokens(first(sent.get("audio_tokens"), sent.get("audio"))) or usage.get("prompt_audio_seconds"):  # Mistral
        yield "audio_sent"
    if tokens(first(made.get("audio_tokens"), made.get("audio"))):
        yield "audio_made"
    if tokens(made.get("image_tokens")):
        yield "images_made"


def marked(marks: Iterable[str]) -> tuple[str, ...]:
    """The flags of a record that counts more than text; what is sold at a price of its own is never priced as text."""
    found = set(marks)
    return (*["priced_apart"] * bool(found - {IMAGES_SENT}), *sorted(found))


def is_beside(reasoning: int | None, out: int, prompt: int | None, total: int | None) -> bool:
    """Whether reasoning stands beside an output of OpenAI's shape, not in it, as a few sellers count: more than it, or
    by as much as it in a total."""
    return bool(reasoning and (reasoning > out or total == (prompt or 0) + out + reasoning))


def by_ttl(details: object) -> dict[str, int]:
    """Cache writes by lifetime as Bedrock lists them; a lifetime may stand there more than once."""
    found: dict[str, int] = {}
    for detail in details if isinstance(details, list) else []:
        if isinstance(detail, dict) and isinstance(ttl := detail.get("ttl"), str):
            found[ttl] = found.get(ttl, 0) + (tokens(detail.get("inputTokens")) or 0)
    return found


def lifetimes(split: Mapping[str, int | None], written: int | None) -> dict[str, int]:
    """Cache writes by lifetime, "" for what has none; empty where nothing is said or it cannot be true."""
    found = {name: count for name, count in split.items() if count}
    rest = (written or 0) - sum(found.values())
    if not found or rest < 0:
        return {}
    return {**found, "": rest} if rest else found
