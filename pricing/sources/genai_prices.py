"""genai-prices (PyPI, MIT): prices of vendors and hosts, some dated, in the shape of its published data.json.

    [{"id": "openai", "name": "OpenAI", "pricing_urls": ["https://…"], "models": [
       {"id": "gpt-5.6-sol", "name": "GPT-5.6 Sol", "context_window": 1050000, "deprecated": null,
        "match": {"or": [{"equals": "gpt-5.6-sol"}, {"regex": "^gpt-5\\.6-sol-\\d{4}-\\d{2}-\\d{2}$"}]},
        "prices": [{"constraint": null, "prices": {"input_mtok": {"base": 5, "tiers": [{"start": 272000, "price": 10}]},
                                                  "output_mtok": 30, "web_searches_kcount": 10}},
                   {"constraint": {"start_date": "2026-08-21"}, "prices": {…}},
                   {"constraint": {"start_time": "01:00:00Z", "end_time": "04:00:00Z"}, "prices": {…}}],
        "price_variants": [{"when": {"processing": "batch"}, "constraint": {…}, "prices": {…}}]}]}]

A tier holds for the whole request once its prompt has *more than* `start` tokens. A dated price holds until the next
date. A price in a time window beats the always price and carries no date of its own. A variant replaces the base
key by key in the stated context.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib.metadata import version
from typing import Any

from pricing import schedules
from pricing.matching import cache_write_unit
from pricing.providers import canonical, declared
from pricing.sources import CURATED, MTOK, AliasFact, Bundle, OfferingFact, Reading, SourceError, Statement

SLUG = "genai_prices"
NAME = "genai-prices"
TRUST = CURATED
PRECEDENCE = 2  # states days without a time zone, and daily windows without weekdays or holidays
COPIES = ()
LICENCE = "MIT"
URL = "https://github.com/pydantic/genai-prices"
FEED = "https://raw.githubusercontent.com/pydantic/genai-prices/main/prices/new_data/v2/data.json"
CADENCE_HOURS = 24
STATES_HISTORY = True

RELEASED_AT = {"0.2.3": datetime(2026, 11, 10, 21, 51, 41, tzinfo=UTC)}
"""When a release was published; its undated prices were known from then."""

_UNITS = {
    # price key → (unit, per)
    "input_mtok": ("input", MTOK),
    "output_mtok": ("output", MTOK),
    "cache_read_mtok": ("cache_read", MTOK),
    "cache_write_mtok": ("cache_write", MTOK),
    "cache_write_5m_mtok": ("cache_write_5m", MTOK),
    "cache_write_1h_mtok": ("cache_write_1h", MTOK),
    "input_text_mtok": ("input_text", MTOK),
    "output_text_mtok": ("output_text", MTOK),
    "input_audio_mtok": ("input_audio", MTOK),
    "output_audio_mtok": ("output_audio", MTOK),
    "cache_audio_read_mtok": ("cache_read_audio", MTOK),
    "input_image_mtok": ("input_image", MTOK),
    "output_image_mtok": ("output_image", MTOK),
    "cache_image_read_mtok": ("cache_read_image", MTOK),
    "input_video_mtok": ("input_video", MTOK),
    "output_video_mtok": ("output_video", MTOK),
    "cache_video_read_mtok": ("cache_read_video", MTOK),
    "output_reasoning_mtok": ("reasoning", MTOK),
    "output_citation_mtok": ("citation", MTOK),
    "input_mchars": ("input_characters", MTOK),
    "output_mchars": ("output_characters", MTOK),
    "input_text_messages_kcount": ("input_messages", 1000),
    "requests_kcount": ("request", 1000),
    "web_searches_kcount": ("web_search", 1000),
    "storage_searches_kcount": ("file_search", 1000),
    "input_document_kpages": ("input_page", 1000),
    "input_annotated_document_kpages": ("input_annotated_page", 1000),
    "audio_hours": ("audio_second", 3600),
    "input_audio_hours": ("input_audio_second", 3600),
    "output_audio_hours": ("output_audio_second", 3600),
}
_DATED = re.compile(r"\^(?P<base>[\w.\\-]+?)-\\d(?:\{4\}-\\d\{2\}-\\d\{2\}|\{8\})\$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def bundled() -> Bundle:
    """The data of the installed package, written as its feed writes it."""
    from genai_prices.data import providers

    release = version("genai-prices")
    body = json.dumps([_plain(provider) for provider in providers], separators=(",", ":")).encode()
    return Bundle(body, release, RELEASED_AT.get(release, datetime.now(UTC)))


def _plain(value: Any) -> Any:
    """The package's objects as the JSON of its feed; what is not set is left out."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if is_dataclass(value):
        pairs = ((field.name.rstrip("_"), getattr(value, field.name, None)) for field in fields(value)
                 if not field.name.startswith("_"))  # fmt: skip
        return {key: _plain(item) for key, item in pairs if item is not None}
    if type(value).__name__ == "ModelPrice":
        return {key: _plain(item) for key, item in vars(value).items() if item is not None}
    return value


def parse(body: bytes) -> Reading:
    """Every price, dated change, window, tier, variant and name of a data.json."""
    try:
        providers = json.loads(body, parse_float=Decimal)
        reading = Reading()
        for provider in providers:
            _provider(provider, reading)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as fault:
        raise SourceError(f"The body is not genai-prices' data.json: {fault!r}.") from fault
    if not reading.statements:
        raise SourceError("genai-prices' data.json holds no price at all; its layout must have changed.")
    return reading


def _provider(provider: Mapping[str, Any], reading: Reading) -> None:
    slug = canonical(provider["id"])
    known = declared(slug)
    url = (provider.get("pricing_urls") or [""])[0]
    for part in ("extractors", "model_match", "provider_match", "api_pattern"):
        reading.unplaced[f"provider's {part}"] += bool(provider.get(part))
    for part in ("description", "price_comments"):
        reading.unplaced[f"provider's {part}"] += bool(provider.get(part))
    reading.unplaced["further pricing page of a provider"] += max(0, len(provider.get("pricing_urls") or ()) - 1)
    reading.unplaced["fallback to another provider's list"] += len(provider.get("fallback_model_providers") or ())
    for model in provider["models"]:
        reading.offerings.append(
            OfferingFact(
                slug, known.name if known else provider["name"], model["id"], name=model.get("name") or "",
                description=model.get("description") or "", note=model.get("price_comments") or "",
                context_window=model.get("context_window"), deprecated=bool(model.get("deprecated")),
            )
        )  # fmt: skip
        _names(slug, model, reading, url)
        _prices(slug, model, reading, url)
    reading.unplaced = +reading.unplaced


def _names(provider: str, model: Mapping[str, Any], reading: Reading, url: str) -> None:
    """Exact names are aliases, a name followed by a date a dated alias. Prefixes and parts of names are no evidence."""
    for clause in _clauses(model.get("match") or {}):
        ((kind, text),) = clause.items()
        if kind == "equals":
            if text != model["id"]:
                reading.aliases.append(AliasFact(provider, text, model["id"], url=url))
        elif kind == "regex" and (found := _DATED.fullmatch(text)):
            reading.aliases.append(
                AliasFact(provider, found["base"].replace("\\", ""), model["id"], dated=True, url=url)
            )
        else:
            reading.unplaced[f"name rule: {kind}"] += 1


def _clauses(match: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    if "or" in match:
        for part in match["or"]:
            yield from _clauses(part)
    elif "and" in match:
        yield {"and": ""}
    elif match:
        yield dict(match)


def _prices(provider: str, model: Mapping[str, Any], reading: Reading, url: str) -> None:
    stated = model.get("prices") or {}
    entries = stated if isinstance(stated, list) else [{"prices": stated}]
    reading.statements += _statements(provider, model["id"], entries, reading, url, {})
    groups: dict[tuple[tuple[str, str], ...], list[Mapping[str, Any]]] = {}
    for variant in model.get("price_variants") or ():
        groups.setdefault(tuple(sorted(variant["when"].items())), []).append(variant)
    for when, variants in groups.items():
        selector = _selector(dict(when))
        if selector is None:
            reading.unplaced[f"variant {dict(when)}"] += len(variants)
            continue
        reading.statements += _statements(provider, model["id"], variants, reading, url, selector)


def _selector(when: Mapping[str, str]) -> dict[str, str] | None:
    """The key columns a variant's context sets; None where none of them can say it."""
    match list(when.items()):
        case [("processing", "batch")]:
            return {"service_tier": "batch"}
        case [("service_tier", "default")]:
            return {}
        case [("service_tier", tier)]:
            return {"service_tier": tier}
        case [("speed", "fast")]:
            return {"service_tier": "fast"}
        case [("inference_geo", geo)]:
            return {"region": geo} if geo != "global" else {}
        case [("route", route)]:
            return {"region": route}
        case [("search_type", kind)]:
            return {"qualifier": f"search_type={kind}"}
    return None


def _statements(
    provider: str, sku: str, entries: Sequence[Mapping[str, Any]], reading: Reading, url: str,
    selector: Mapping[str, str],
) -> Iterator[Statement]:  # fmt: skip
    known = declared(provider)
    # At a reseller its days are those on which somebody, or its own reading of OpenRouter's list, came to see the
    # change: dozens of OpenRouter's prices change on one day. Of the maker it has the day that was announced.
    dates = "documented" if known is not None and known.maker else "observed"
    dated = sorted((entry for entry in entries if not _is_window(entry)), key=_start_key)
    starts = [_start(entry) for entry in dated]
    for entry, start, until in zip(dated, starts, [*starts[1:], None], strict=True):
        yield from _entry(provider, sku, entry, reading, url, {
            **selector, "effective_from": start, "effective_until": until, "until_known_at": until,
            "basis": dates if start else "inferred", "precision": "day" if start else "unknown",
            "evidence_at": start,
        })  # fmt: skip
    windows: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        if _is_window(entry):
            windows.setdefault(json.dumps(entry["prices"], sort_keys=True, default=str), []).append(entry)
    for group in windows.values():
        hours = [(_clock(e["constraint"]["start_time"]), _clock(e["constraint"]["end_time"])) for e in group]
        yield from _entry(provider, sku, group[0], reading, url, {
            **selector, "schedule": schedules.write(hours), "basis": "inferred", "precision": "unknown",
        })  # fmt: skip


def _entry(
    provider: str, sku: str, entry: Mapping[str, Any], reading: Reading, url: str, shared: Mapping[str, Any]
) -> Iterator[Statement]:
    prices = entry["prices"]
    for key, stated in prices.items():
        if key not in _UNITS:
            reading.unplaced[f"price of {key}"] += 1
            continue
        unit, per = _UNITS[key]
        if unit == "cache_write":
            unit = cache_write_unit(provider, sku)
        base = stated["base"] if isinstance(stated, Mapping) else stated
        yield Statement(provider=provider, sku=sku, unit=unit, per=per, amount=Decimal(base), url=url, **shared)
        for tier in stated["tiers"] if isinstance(stated, Mapping) else ():
            beyond, op = _threshold(tier["start"])
            yield Statement(
                provider=provider, sku=sku, unit=unit, per=per, amount=Decimal(tier["price"]), url=url,
                context_from=beyond, context_op=op, context_mode="whole_request", **shared,
            )  # fmt: skip


def _threshold(start: int) -> tuple[int, str]:
    """Where a tier begins. More than 199,999 tokens is 200,000 and more: the threshold that others name as well, so
    that what they say of it is heard together."""
    return (start + 1, ">=") if start % 1000 == 999 else (start, ">")


def _is_window(entry: Mapping[str, Any]) -> bool:
    return "start_time" in (entry.get("constraint") or {})


def _start(entry: Mapping[str, Any]) -> datetime | None:
    constraint = entry.get("constraint")
    return datetime.combine(date.fromisoformat(constraint["start_date"]), time.min, UTC) if constraint else None


def _start_key(entry: Mapping[str, Any]) -> datetime:
    return _start(entry) or _EPOCH


def _clock(text: str) -> time:
    """A UTC time of day; the feed writes `Z` or an offset of zero."""
    return time.fromisoformat(text.replace("Z", "+00:00")).replace(tzinfo=None)
