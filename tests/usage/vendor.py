"""A vendor's API on the loopback that pages as told, breaks where told, and an importer of what it says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import IO, Any
from urllib.parse import parse_qs, urlsplit

from tests.pricing.loopback import Exchange
from usage.importers import REPLACE_WINDOW, Dimension, Fact, Outcome

KEY = "sk-ant-admin01-THIS-IS-SECRET-9876"
NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
Row = dict[str, Any]


def day(number: int) -> datetime:
    return datetime(2026, 11, number, tzinfo=UTC)


@dataclass
class Vendor:
    """Anthropic's usage report: `usage` is by day and row; two days a page. `script` answers instead, page by page."""

    usage: dict[datetime, list[Row]] = field(default_factory=dict)
    script: dict[int, Callable[[Exchange], None]] = field(default_factory=dict)
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    expired: set[str] = field(default_factory=set)
    per_page: int = 2

    def __call__(self, exchange: Exchange) -> None:
        parts = urlsplit(exchange.path)
        query = parse_qs(parts.query)
        self.asked.append(query)
        self.paths.append(parts.path)
        self.keys.append(exchange.headers.get("x-api-key") or exchange.headers.get("authorization") or "")
        if answer := self.script.pop(len(self.asked), None):
            answer(exchange)
            return
        page = query.get("page", [""])[0]
        if page in self.expired:
            exchange.answer(b'{"error": {"message": "invalid page"}}', 400)
            return
        since, until = (datetime.fromisoformat(query[name][0]) for name in ("starting_at", "ending_at"))
        days = [since + number * DAY for number in range((until - since).days)]
        start = int(page.removeprefix("cursor-") or 0)
        shown, rest = days[start : start + self.per_page], days[start + self.per_page :]
        body = {
            "data": [
                {"starting_at": stamp(one), "ending_at": stamp(one + DAY), "results": self.usage.get(one, [])}
                for one in shown
            ],
            "has_more": bool(rest),
            "next_page": f"cursor-{start + self.per_page}" if rest else None,
        }
        exchange.answer(json.dumps(body, indent=1).encode())


def stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def row(tokens: int, model: str = "model-a", **dimensions: Any) -> Row:
    return {"model": model, "uncached_input_tokens": tokens, **dimensions}


class Buckets:
    """Reads the pages of `Vendor`: a record is a day and its dimensions."""

    SLUG = "anthropic_usage"
    NAME = "Buckets"
    MODE = REPLACE_WINDOW
    MAPPED = False
    DETAIL = 2

    @staticmethod
    def split(stream: IO[bytes]) -> Iterator[bytes]:
        body = b""
        while part := stream.read():
            body += part
        for page in filter(None, body.split(b"\n")):
            for bucket in json.loads(page)["data"]:
                for result in bucket["results"]:
                    yield json.dumps({"start": bucket["starting_at"], **result}).encode()

    @staticmethod
    def parse(lines: Iterable[bytes], origin: str, mapping: Mapping[str, Any] | None) -> Iterator[Outcome]:
        assert mapping is not None
        for number, line in enumerate(lines, 1):
            record = json.loads(line)
            start = datetime.fromisoformat(record.pop("start"))
            tokens = record.pop("uncached_input_tokens")
            yield Fact(
                line=number,
                record_key=json.dumps([start.isoformat(), record, mapping["group_by"]], sort_keys=True)[:200],
                occurred_at=start,
                period_end=start + DAY,
                grain="1d",
                dimension=Dimension(model_raw=record["model"], host="anthropic", ext_project=record.get("project", "")),
                in_uncached=tokens,
                in_cache_read=0,
                in_cache_write=0,
                out_total=0,
            )


@dataclass
class OpenAI:
    """OpenAI's usage: results by series and day, `per_page` days a page, a day's results over two pages if told."""

    usage: dict[tuple[str, datetime], list[Row]] = field(default_factory=dict)
    script: dict[int, Callable[[Exchange], None]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)
    per_page: int = 4
    absent: tuple[str, ...] = ()

    def __call__(self, exchange: Exchange) -> None:
        parts = urlsplit(exchange.path)
        series, query = parts.path.rsplit("/", 1)[1], parse_qs(parts.query)
        self.asked.append((series, query))
        if answer := self.script.pop(len(self.asked), None):
            answer(exchange)
            return
        if series in self.absent:
            exchange.answer(b"{}", 404)
            return
        since, until = (int(query[name][0]) for name in ("start_time", "end_time"))
        starts = range(since, until, 86_400)
        first = int(query.get("page", ["0"])[0])
        data = [
            self._bucket(series, start, query.get("group_by", [])) for start in starts[first : first + self.per_page]
        ]
        more = first + self.per_page < len(starts)
        body = {
            "object": "page",
            "data": data,
            "has_more": more,
            "next_page": str(first + self.per_page) if more else None,
        }
        exchange.answer(json.dumps(body).encode())

    def _bucket(self, series: str, start: int, group_by: list[str]) -> Row:
        """The day's results, summed over what is not grouped by."""
        summed: dict[str, Row] = {}
        for result in self.usage.get((series, datetime.fromtimestamp(start, UTC)), []):
            counts = {name: value for name, value in result.items() if isinstance(value, int)}
            dims = {name: result[name] if name in group_by else None for name in result if name not in counts}
            known = summed.setdefault(json.dumps(dims), {**dims, **dict.fromkeys(counts, 0)})
            for name, value in counts.items():
                known[name] += value
        results = [{"object": f"organization.usage.{series}.result", **one} for one in summed.values()]
        return {"object": "bucket", "start_time": start, "end_time": start + 86_400, "results": results}
