"""Usage events: Ratecard's own record, one JSON object a line, as `POST /api/v1/usage/events` takes them.

    {"id": "req-1", "at": "2026-11-01T09:30:00Z", "provider": "anthropic", "model": "claude-sonnet-4-5",
     "input": 1200, "cache_read": 30000, "cache_write": 500, "cache_write_by_lifetime": {"5m": 400, "1h": 100},
     "output": 800, "reasoning": 300, "project": "search", "user": "ann@example.org", "tags": {"env": "prod"}}

`input` is disjoint from the cache; a sender whose input includes it writes `input_including_cache` instead. `output`
includes `reasoning`; a sender whose output does not writes `output_excluding_reasoning`. The key is `id`. Of two
events with one id the greater `revision` is kept, then the one with more tokens, whatever order they come in.
A field that is not listed here, or that may hold a prompt or a completion, refuses the event.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from usage.content import content_in
from usage.importers import APPEND, BY_LOCAL_DATE, Dimension, Fact, Ignored, Outcome, Rejected
from usage.importers._json import FIRST_YEAR, LAST_YEAR, tier

SLUG = "events"
NAME = "Usage events (JSON lines)"
MODE = APPEND
MAPPED = False
DETAIL = 3

MOST_TOKENS: Final = 10**12
GRAINS: Final = ("request", "1m", "1h", "1d", "1mo")
WIDTHS: Final = {"1m": timedelta(minutes=1), "1h": timedelta(hours=1), "1d": timedelta(days=1)}
COST_KINDS: Final = ("estimated", "billed", "notional")
LIFETIMES: Final = ("5m", "30m", "1h", "12h")
MOST_TAGS: Final = 50
COUNTS: Final = (
    "input", "input_including_cache", "cache_read", "cache_write", "output", "output_excluding_reasoning",
    "reasoning", "requests", "context_tokens", "revision",
)  # fmt: skip
DIMENSIONS: Final = {
    "model": "model_raw", "provider": "host", "operation": "operation", "region": "region", "project": "ext_project",
    "api_key": "ext_api_key", "user": "ext_user", "team": "ext_team", "path": "path", "branch": "branch",
}  # fmt: skip
TEXTS: Final = {"id": 200, "at": 40, "until": 40, "grain": 7, "service_tier": 40, "session": 200, "currency": 3,
                "cost_kind": 9, **dict.fromkeys(DIMENSIONS, 400)}  # fmt: skip
_NAME: Final = re.compile(r"[A-Za-z][\w.-]{0,39}", re.ASCII)
_CURRENCY: Final = re.compile(r"[A-Za-z]{3}")
FIELDS: Final = frozenset({*COUNTS, *TEXTS, "cache_write_by_lifetime", "tags", "cost"})


class Unreadable(ValueError):
    """Why an event is refused: a sentence that is the same for every such event."""


def parse(lines: Iterable[bytes], origin: str, mapping: Mapping[str, Any] | None) -> Iterator[Outcome]:
    """One outcome a line; of a refused event only its id is kept."""
    seen: dict[Dimension, Dimension] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            yield Ignored(number, "blank line")
            continue
        event: Any = None
        try:
            event = json.loads(line, parse_float=Decimal, parse_constant=_no_number)
            yield fact_of(event, number, seen)
        except Unreadable as fault:
            yield Rejected(number, str(fault), _shown(event))
        except (ValueError, RecursionError):
            yield Rejected(number, "The line is no JSON object in UTF-8.")


def fact_of(event: Any, line: int, seen: dict[Dimension, Dimension]) -> Fact:
    """The fact an event states; Unreadable says what to change. Equal dimensions become one object of `seen`."""
    if not isinstance(event, dict):
        raise Unreadable("An event is a JSON object.")
    if content_in(event):
        raise Unreadable("Prompts and completions are not taken: send counts and names only.")
    if unknown := sorted(event.keys() - FIELDS):
        raise Unreadable(_unknown(unknown[0]))
    texts = {name: _text(event, name, longest) for name, longest in TEXTS.items()}
    counts = {name: _count(event, name) for name in COUNTS}
    if not texts["id"] or not texts["model"]:
        raise Unreadable("An event needs an id and a model.")
    read, written = counts["cache_read"], counts["cache_write"]
    uncached, out = _input(counts), _output(counts)
    if uncached is None and read is None and written is None and out is None and event.get("cost") is None:
        raise Unreadable("An event needs a count of tokens or a cost.")
    by_lifetime = _lifetimes(event.get("cache_write_by_lifetime"), written)
    named = {field: texts[name] for name, field in DIMENSIONS.items()}
    dimension = Dimension(**named, tags=_tags(event.get("tags")))
    grain = _one_of("grain", texts["grain"] or "request", GRAINS)
    occurred_at, until, quality = _bucket(_time(texts["at"], "at"), texts["until"], grain)
    cost = _cost(event.get("cost"))
    if cost is not None and not _CURRENCY.fullmatch(texts["currency"]):
        raise Unreadable("A cost needs its currency in three letters, such as USD.")
    total = (uncached or 0) + (read or 0) + (written or 0) + (out or 0)
    return Fact(
        line=line,
        record_key=texts["id"],
        occurred_at=occurred_at,
        period_end=until,
        grain=grain,
        dimension=seen.setdefault(dimension, dimension),
        in_uncached=uncached,
        in_cache_read=read,
        in_cache_write=written,
        cache_write_by_lifetime=by_lifetime,
        out_total=out,
        out_reasoning=counts["reasoning"],
        requests=_requests(counts["requests"], texts["grain"]),
        service_tier=tier(texts["service_tier"]),
        context_tokens=counts["context_tokens"],
        cost_reported=cost,
        currency=texts["currency"].upper() if cost is not None else "",
        cost_kind=_one_of("cost_kind", texts["cost_kind"] or "estimated", COST_KINDS),
        session=texts["session"],
        quality=quality,
        rank=(counts["revision"] or 0, total),
    )


_HINTS: Final = {
    "prompt_tokens": "write input_including_cache",
    "completion_tokens": "write output",
    "input_tokens": "write input, or input_including_cache where it includes cached tokens",
    "output_tokens": "write output, or output_excluding_reasoning where it does not include reasoning",
    "cached_tokens": "write cache_read",
    "timestamp": "write at",
    "host": "write provider",
}


def _unknown(name: str) -> str:
    """What to do about a field that is none; a name that looks like no name is not repeated."""
    if not _NAME.fullmatch(name):
        return "An event has a field that is not one of an event's: leave it out."
    return f"There is no field {name!r}: {_HINTS.get(name, 'leave it out, or send it as a tag')}."


def _input(counts: Mapping[str, int | None]) -> int | None:
    """Uncached input, whichever way it was stated."""
    whole = counts["input_including_cache"]
    if whole is None:
        return counts["input"]
    if counts["input"] is not None:
        raise Unreadable("Send input or input_including_cache, one of them.")
    rest = whole - (counts["cache_read"] or 0) - (counts["cache_write"] or 0)
    if rest < 0:
        raise Unreadable("The cached tokens are more than the input that includes them.")
    return rest


def _output(counts: Mapping[str, int | None]) -> int | None:
    """All output, reasoning included, whichever way it was stated."""
    out, reasoning = counts["output"], counts["reasoning"]
    if counts["output_excluding_reasoning"] is not None:
        if out is not None:
            raise Unreadable("Send output or output_excluding_reasoning, one of them.")
        out = counts["output_excluding_reasoning"] + (reasoning or 0)
    if reasoning is not None and (out is None or reasoning > out):
        raise Unreadable("The reasoning tokens are more than the output they are part of.")
    return out


def _requests(stated: int | None, grain: str) -> int | None:
    return 1 if stated is None and grain in ("", "request") else stated


def _lifetimes(value: Any, written: int | None) -> dict[str, int]:
    if value is None:
        return {}
    if not isinstance(value, dict) or value.keys() - set(LIFETIMES):
        raise Unreadable(f"cache_write_by_lifetime maps {', '.join(LIFETIMES)} to tokens.")
    found = {str(name): count for name in value if (count := _count(value, name))}
    if sum(found.values()) > (written or 0):
        raise Unreadable("Cache writes by lifetime are more than the cache_write they are part of.")
    if found and written is not None and (rest := written - sum(found.values())):
        found[""] = rest
    return found


def _tags(value: Any) -> tuple[tuple[str, str], ...]:
    if value is None:
        return ()
    if not isinstance(value, dict) or not all(isinstance(part, str) for part in value.values()):
        raise Unreadable("tags maps names to texts.")
    if len(value) > MOST_TAGS or any(len(name) > 100 or len(part) > 200 for name, part in value.items()):
        raise Unreadable(f"At most {MOST_TAGS} tags, names of 100 characters and values of 200.")
    return tuple(sorted((_clean(name), _clean(part)) for name, part in value.items()))


def _text(event: Mapping[str, Any], name: str, longest: int) -> str:
    value = event.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest:
        raise Unreadable(f"{name} is a text of at most {longest} characters.")
    return _clean(value)


def _clean(text: str) -> str:
    """Without NUL and halves of characters, which no database keeps."""
    return text.replace("\0", "").encode(errors="replace").decode().strip()


def _count(event: Mapping[str, Any], name: str) -> int | None:
    value = event.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < MOST_TOKENS:
        raise Unreadable(f"{name} is a whole number from 0 on.")
    return value


def _cost(value: Any) -> Decimal | None:
    if value is None:
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal) or len(str(value)) > 60:
            raise InvalidOperation
        cost = Decimal(value)
        if not cost.is_finite() or abs(cost) >= 10**11 or cost.adjusted() < -30:
            raise InvalidOperation
    except InvalidOperation:
        raise Unreadable("cost is a decimal amount in major units, such as “0.0123”.") from None
    return cost


def _time(text: str, name: str) -> datetime:
    try:
        when = datetime.fromisoformat(text)
        if when.tzinfo is None or when.utcoffset() is None:
            raise ValueError
    except (ValueError, OverflowError):
        raise Unreadable(f"{name} is a time with its zone, such as 2026-11-01T09:30:00Z.") from None
    if not FIRST_YEAR <= when.year < LAST_YEAR:
        raise Unreadable(f"{name} is not between {FIRST_YEAR} and {LAST_YEAR}.")
    return when


def _bucket(at: datetime, until: str, grain: str) -> tuple[datetime, datetime | None, tuple[str, ...]]:
    """When an event begins and ends, and what is to say of that: days and months stand under their local date."""
    ends = _time(until, "until") if until else _end_of(at, grain)
    if grain not in ("1d", "1mo") or not at.utcoffset() or at.time() != time.min:
        return at, ends, ()
    if ends is not None and ends.time() == time.min:
        ends = ends.replace(tzinfo=UTC)
    return at.replace(tzinfo=UTC), ends, (BY_LOCAL_DATE,)


def _end_of(at: datetime, grain: str) -> datetime | None:
    """The end of a bucket that states none; a month ends with the calendar's."""
    if grain == "1mo":
        return datetime.combine((at.date().replace(day=1) + timedelta(days=31)).replace(day=1), time.min, at.tzinfo)
    return at + WIDTHS[grain] if grain in WIDTHS else None


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise Unreadable(f"{name} is one of {', '.join(allowed)}.")
    return value


def _no_number(text: str) -> Any:
    raise ValueError(text)


def _shown(event: Any) -> str:
    """Enough to find the event again at its sender."""
    found = event.get("id") if isinstance(event, dict) else None
    return f"id {_clean(found)[:200]}" if isinstance(found, str) else ""
