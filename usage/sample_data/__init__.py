"""What the invented company Larkfield did with models: files as its vendors and machines would write them. Pure.

Every day stands on its own seed and on nothing that comes after it, so a day's rows are the same whenever the
sample is made. Prices are not here: models and the days they went on sale are real, volumes are invented.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

DAYS = 365
# Volumes are those of the week around this day and grow up to it; afterwards they stay.
REFERENCE = date(2026, 11, 12)
MOVE_DAYS = 10  # how long a project takes to move from one model to the next

Models = tuple[tuple[date, str, str], ...]


@dataclass(frozen=True, slots=True)
class Stream:
    """One use of models by one key. Weekly figures are of the reference week, tokens in millions."""

    feed: str
    project: str
    api_key: str
    models: Models  # (in use from, host, model as the vendor names it)
    uncached: float
    cache_read: float
    cache_write: float
    out: float
    requests: int
    path: str = ""
    tier: str = ""
    weekend: float = 0.33
    yearly_growth: float = 1.8
    since: date = date(2020, 1, 1)


def _models(host: str, *moves: tuple[str, str]) -> Models:
    return tuple((date.fromisoformat(day), host, model) for day, model in moves)


OPUS = _models(
    "anthropic",
    ("2025-08-05", "claude-opus-4-1-20250805"),
    ("2025-11-26", "claude-opus-4-5-20251101"),
    ("2026-02-12", "claude-opus-4-6"),
    ("2026-04-23", "claude-opus-4-7"),
    ("2026-06-04", "claude-opus-4-8"),
    ("2026-08-03", "claude-opus-5"),
)
SONNET = _models(
    "anthropic",
    ("2025-09-29", "claude-sonnet-4-5-20250929"),
    ("2026-02-24", "claude-sonnet-4-6"),
    ("2026-07-07", "claude-sonnet-5"),
    ("2026-10-08", "claude-sonnet-5-5"),
)
HAIKU = _models("anthropic", ("2025-10-15", "claude-haiku-4-5-20251001"), ("2026-10-14", "claude-haiku-5-5"))
SMALL_GPT = _models(
    "openai", ("2025-08-07", "gpt-5-mini"), ("2026-03-24", "gpt-5.4-mini"), ("2026-07-16", "gpt-5.6-luna")
)
LARGE_GPT = _models(
    "openai",
    ("2025-11-13", "gpt-5.1"),
    ("2025-12-18", "gpt-5.2"),
    ("2026-03-12", "gpt-5.4"),
    ("2026-07-16", "gpt-5.6-sol"),
)
FLASH = _models(
    "google",
    ("2025-06-17", "gemini-2.5-flash"),
    ("2026-01-12", "gemini-3-flash-preview"),
    ("2026-08-20", "gemini-3.7-flash"),
    ("2026-09-16", "gemini-3.8-flash"),
)
ARGON = _models("google", ("2026-10-20", "gemini-4-argon"))
DEEPSEEK = _models(
    "openrouter",
    ("2025-08-21", "deepseek/deepseek-chat-v3.1"),
    ("2026-05-04", "deepseek/deepseek-v4-flash"),
)
GLM = (
    *_models(
        "openrouter", ("2025-09-30", "z-ai/glm-4.6"), ("2026-03-02", "z-ai/glm-5"), ("2026-09-14", "z-ai/glm-5.3-flash")
    ),
    *_models("zhipuai", ("2026-10-19", "GLM-5.3-Flash")),
)
MISTRAL = _models(
    "mistral",
    ("2024-11-18", "mistral-large-2411"),
    ("2025-12-15", "mistral-large-2512"),
    ("2026-10-12", "mistral-large-4"),
)
FINE_TUNE = _models("openai", ("2026-06-01", "larkfield-claims-ft-v3"))

CI = "anthropic-ci"
STREAMS = (
    Stream("anthropic", "agents", CI, OPUS, 58, 1450, 80, 30, 9_100, "/srv/agents/claims-engine", yearly_growth=3.2),
    Stream("anthropic", "agents", CI, OPUS, 39, 970, 53, 20, 6_200, "/srv/agents/policy-index", yearly_growth=3.2),
    Stream("anthropic", "agents", CI, OPUS, 20, 490, 27, 10, 3_100, "/srv/agents/web", yearly_growth=3.2),
    Stream("anthropic", "agents", CI, SONNET, 54, 1050, 58, 27, 7_400, "/srv/agents/claims-engine", yearly_growth=2.6),
    Stream("anthropic", "agents", CI, SONNET, 42, 830, 46, 21, 5_900, "/srv/agents/web", yearly_growth=2.6),
    Stream("openai", "coding-agents", "key_agents", SMALL_GPT, 140, 610, 0, 22, 11_800, yearly_growth=1.6),
    Stream("openai", "claims-triage", "key_claims_intake", LARGE_GPT, 262, 140, 0, 46, 41_000, yearly_growth=1.5),
    Stream("openai", "claims-triage", "key_claims_review", LARGE_GPT, 140, 70, 0, 25, 22_500, yearly_growth=1.5),
    Stream("openai", "claims-triage", "key_claims_intake", FINE_TUNE, 100, 0, 0, 12.4, 12_408, since=date(2026, 6, 1)),
    Stream("openai", "", "sk-proj-…7f2c", LARGE_GPT, 22, 0, 0, 6, 3_900, yearly_growth=4.0, since=date(2026, 1, 19)),
    Stream("openai", "support", "key_support", SMALL_GPT, 380, 900, 0, 66, 96_000, weekend=0.8),
    Stream("google", "claims-triage", "", ARGON, 118, 30, 0, 17, 10_200, since=date(2026, 10, 20)),
    Stream("google", "policy-search", "", FLASH, 410, 240, 0, 26, 58_000, yearly_growth=2.0),
    Stream("google", "policy-search", "", FLASH, 200, 0, 0, 12, 9_400, tier="batch", weekend=1.0, yearly_growth=2.0),
    Stream("openrouter", "support", "support-chat", DEEPSEEK, 900, 3500, 0, 210, 310_000, weekend=0.8),
    Stream("openrouter", "support", "support-mail", DEEPSEEK, 450, 1700, 0, 100, 88_000, weekend=0.6),
    Stream("others", "policy-search", "", GLM, 520, 0, 0, 40, 47_000, yearly_growth=1.5),
    Stream("others", "translation", "", MISTRAL, 130, 0, 0, 141, 24_000, yearly_growth=1.3),
    Stream("others", "translation-letters", "", MISTRAL, 50, 0, 0, 54, 9_800, yearly_growth=1.3),
)
FEEDS = ("anthropic", "openai", "google", "openrouter", "others")

MAPPINGS: dict[str, dict[str, Any]] = {
    "anthropic": {
        "columns": {
            "time": "usage_date_utc",
            "project": "workspace",
            "api_key": "api_key",
            "path": "repository",
            "model": "model_version",
            "input": "usage_input_tokens_no_cache",
            "cache_write_5m": "usage_input_tokens_cache_write_5m",
            "cache_read": "usage_input_tokens_cache_read",
            "output": "usage_output_tokens",
            "requests": "requests",
        },
        "constants": {"host": "anthropic"},
        "grain": "1d",
        "cache": "exclusive",
    },
    "openai": {
        "columns": {
            "time": "date",
            "project": "project_id",
            "api_key": "api_key_id",
            "model": "model",
            "service_tier": "service_tier",
            "input": "input_tokens",
            "cache_read": "input_cached_tokens",
            "output": "output_tokens",
            "requests": "num_model_requests",
        },
        "constants": {"host": "openai"},
        "grain": "1d",
        "cache": "inclusive",
    },
    "google": {
        "columns": {
            "time": "Day",
            "project": "Project",
            "model": "Model",
            "service_tier": "Mode",
            "input": "Input, thousand tokens",
            "cache_read": "of which cached",
            "output": "Output, thousand tokens",
            "requests": "Requests",
        },
        "constants": {"host": "google"},
        "grain": "1d",
        "cache": "inclusive",
        "time_format": "%d.%m.%Y",
        "tokens_per_unit": 1000,
        "delimiter": ";",
    },
    "openrouter": {
        "columns": {
            "time": "date",
            "project": "app",
            "api_key": "api_key_name",
            "model": "model_permaslug",
            "input": "prompt_tokens",
            "cache_read": "cached_tokens",
            "output": "completion_tokens",
            "requests": "requests",
        },
        "constants": {"host": "openrouter"},
        "grain": "1d",
        "cache": "inclusive",
    },
    "others": {
        "columns": {
            "time": "date",
            "host": "provider",
            "project": "project",
            "model": "model",
            "input": "input_tokens",
            "cache_read": "cached_tokens",
            "output": "output_tokens",
            "requests": "requests",
        },
        "grain": "1d",
        "cache": "exclusive",
    },
}


@dataclass(frozen=True, slots=True)
class Usage:
    """What one stream used of one model on one day."""

    day: date
    stream: Stream
    host: str
    model: str
    uncached: int
    cache_read: int
    cache_write: int
    out: int
    requests: int


def days_until(until: date) -> list[date]:
    """The year before `until`, which is not part of it."""
    return [until - timedelta(days=back) for back in range(DAYS, 0, -1)]


def csv_export(feed: str, until: date) -> Iterator[str]:
    """The lines of one feed's export, with its header and, for the company's own sheet, its line of totals."""
    yield (
        ",".join(MAPPINGS[feed]["columns"].values())
        if feed != "google"
        else ";".join(MAPPINGS[feed]["columns"].values())
    )
    streams = [stream for stream in STREAMS if stream.feed == feed]
    for day in days_until(until):
        for number, stream in enumerate(streams):
            for usage in used(stream, number, day):
                yield _row(feed, usage)
    if feed == "others":
        yield "Total,,,,,,,"


def used(stream: Stream, number: int, day: date) -> Iterator[Usage]:
    """A stream's day, on two models while it moves from one to the next."""
    if day < stream.since:
        return
    chance = random.Random(f"{stream.feed}/{number}/{day}")  # noqa: S311 - not a secret
    volume = _volume(stream, day, chance)
    # The share of input that is read from the cache rises over the year: prompts were put in order.
    cached = 0.85 + 0.15 * max(0.0, 1 + (min(day, REFERENCE) - REFERENCE).days / DAYS)
    for share, host, model in _in_use(stream.models, day):
        scale = volume * share * 1_000_000
        read = stream.cache_read * scale * cached * chance.gauss(1, 0.03)
        yield Usage(
            day,
            stream,
            host,
            model,
            uncached=int(stream.uncached * scale * chance.gauss(1, 0.03) + stream.cache_read * scale * (1 - cached)),
            cache_read=int(read),
            cache_write=int(stream.cache_write * scale * chance.gauss(1, 0.03)),
            out=int(stream.out * scale * chance.gauss(1, 0.04)),
            requests=max(1, int(stream.requests * volume * share)),
        )


def _volume(stream: Stream, day: date, chance: random.Random) -> float:
    """The day's part of the reference week."""
    volume = (stream.weekend if day.weekday() >= 5 else 1) / (5 + 2 * stream.weekend)
    growth: float = stream.yearly_growth ** (min(0, (day - REFERENCE).days) / DAYS)
    volume *= growth
    if (day.month, day.day) >= (12, 22) or (day.month, day.day) <= (1, 2):
        volume *= 0.45
    elif day.month == 8:
        volume *= 0.88
    volume *= min(1.0, ((day - stream.since).days + 4) / 28)
    return volume * min(1.25, max(0.8, chance.gauss(1, 0.06)))


def _in_use(models: Models, day: date) -> Iterator[tuple[float, str, str]]:
    """(share, host, model) of a day: a move takes some days."""
    current = max((index for index, (since, _, _) in enumerate(models) if since <= day), default=None)
    if current is None:
        return
    since, host, model = models[current]
    moved = min(1.0, ((day - since).days + 1) / MOVE_DAYS) if current else 1.0
    yield moved, host, model
    if moved < 1:
        yield 1 - moved, *models[current - 1][1:]


def _row(feed: str, usage: Usage) -> str:
    stream, day = usage.stream, usage.day.isoformat()
    names: tuple[str, ...]
    counts: tuple[int, ...]
    inclusive = usage.uncached + usage.cache_read
    if feed == "anthropic":
        names = (day, stream.project, stream.api_key, stream.path, usage.model)
        counts = (usage.uncached, usage.cache_write, usage.cache_read)
    elif feed == "openai":
        names = (day, stream.project, stream.api_key, usage.model, stream.tier)
        counts = (inclusive, usage.cache_read)
    elif feed == "google":
        names = (f"{usage.day:%d.%m.%Y}", stream.project, usage.model, stream.tier)
        thousands = (_thousands(tokens) for tokens in (inclusive, usage.cache_read, usage.out))
        return ";".join((*names, *thousands, str(usage.requests)))
    elif feed == "openrouter":
        names = (day, stream.project, stream.api_key, usage.model)
        counts = (inclusive, usage.cache_read)
    else:
        names = (day, usage.host, stream.project, usage.model)
        counts = (usage.uncached, usage.cache_read)
    return ",".join((*names, *map(str, (*counts, usage.out, usage.requests))))


def _thousands(tokens: int) -> str:
    return f"{tokens // 1000}.{tokens % 1000:03d}"


# --- Claude Code on developers' machines ---

REPOSITORIES = ("/home/dev/claims-engine", "/home/dev/policy-index", "/home/dev/larkfield-web")
BRANCHES = ("main", "feat/triage-rules", "fix/rounding")


def transcripts(until: date) -> Iterator[tuple[str, list[str]]]:
    """(file below ~/.claude, its lines): a file a month and repository; the newest was cut off while written."""
    days = days_until(until)
    files: dict[str, list[str]] = {}
    for day in days:
        for number in range(_sessions(day)):
            repository, lines = _session(day, number)
            name = f"projects/{repository.replace('/', '-')}/{day:%Y-%m}.jsonl"
            files.setdefault(name, []).extend(lines)
    if files:
        files[list(files)[-1]].append('{"type":"assistant","timestamp":"')
    yield from files.items()


def _sessions(day: date) -> int:
    chance = random.Random(f"sessions/{day}")  # noqa: S311 - not a secret
    growth: float = 2.0 ** (min(0, (day - REFERENCE).days) / DAYS)
    return round((1 if day.weekday() >= 5 else 4) * growth + chance.random() * 0.8)


def _session(day: date, number: int) -> tuple[str, list[str]]:
    chance = random.Random(f"session/{day}/{number}")  # noqa: S311 - not a secret
    repository = chance.choice(REPOSITORIES)
    base = {
        "isSidechain": False,
        "userType": "external",
        "cwd": repository,
        "sessionId": _digest(f"{day}/{number}")[:12],
        "version": "2.1.81",
        "gitBranch": chance.choice(BRANCHES),
    }
    family = chance.choices((OPUS, SONNET, HAIKU), (45, 45, 10))[0]
    _, _, model = next(iter(sorted(_in_use(family, day), reverse=True)))
    at = datetime(day.year, day.month, day.day, 7, tzinfo=UTC) + timedelta(seconds=chance.randrange(36_000))
    context, lines = chance.randrange(14_000, 24_000), [_dump({**base, "type": "user", "timestamp": _stamp(at)})]
    for turn in range(chance.randrange(4, 11)):
        at += timedelta(seconds=chance.randrange(8, 150))
        written, out = chance.randrange(400, 7_000), chance.randrange(60, 2_600)
        lifetime = "1h" if chance.random() < 0.2 else "5m"
        usage = {
            "input_tokens": chance.randrange(2, 400),
            "cache_read_input_tokens": context,
            "cache_creation_input_tokens": written,
            "cache_creation": {
                "ephemeral_5m_input_tokens": written if lifetime == "5m" else 0,
                "ephemeral_1h_input_tokens": written if lifetime == "1h" else 0,
            },
            "output_tokens": out,
            "output_tokens_details": {"thinking_tokens": out // 3},
            "service_tier": "standard",
        }
        context = min(150_000, context + written + out)
        message = {"id": f"msg_{_digest(f'{day}/{number}/{turn}')[:24]}", "model": model, "role": "assistant"}
        if chance.random() < 0.25:  # the reply's first block, before its output was counted
            partial = {**usage, "output_tokens": 1, "output_tokens_details": {"thinking_tokens": 0}}
            lines.append(_line(base, at, {**message, "usage": partial}))
            at += timedelta(seconds=3)
        lines.append(_line(base, at, {**message, "usage": usage}))
    return repository, lines


def _line(base: dict[str, Any], at: datetime, message: dict[str, Any]) -> str:
    return _dump({**base, "type": "assistant", "timestamp": _stamp(at), "message": message})


def _dump(record: dict[str, Any]) -> str:
    return json.dumps(record, separators=(",", ":"))


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _digest(text: str) -> str:
    return hashlib.sha256(f"larkfield/{text}".encode()).hexdigest()
