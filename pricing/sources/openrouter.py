"""OpenRouter: its own list of what it sells and for how much, as its models API answers it.

    {"data": [{"id": "openai/gpt-5.6-sol", "canonical_slug": "openai/gpt-5.6-sol-20260709", "created": 1783600000,
               "name": "OpenAI: GPT-5.6 Sol", "context_length": 1050000, "hugging_face_id": "",
               "architecture": {"input_modalities": ["text", "image", "file"], "output_modalities": ["text"]},
               "pricing": {"prompt": "0.000002", "completion": "0.00001", "input_cache_read": "0.0000002",
                           "input_cache_write": "0.0000025", "web_search": "0.01",
                           "overrides": [{"min_prompt_tokens": 272000, "prompt": "0.000004", …}]},
               "top_provider": {"max_completion_tokens": 128000}, "supported_parameters": ["tools", …],
               "expiration_date": null},
              {"id": "~openai/gpt-latest", "alias_target": {"slug": "openai/gpt-5.6-sol"}, …}],
     "links": {"next": null}}

USD for one token, search or request, as text. An archive of fetches wraps the answer as {"fetched_at", "url", "body"};
both are read, and a list of answers as well: the pages of one listing.

A variant (`:free`, `:batch`, `:thinking`) is an id, a price and so an offering of its own. `~…-latest` is another name
for the model in `alias_target`. A price of -1 means the price of whatever a router chooses.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, DecimalException
from typing import Any, TypeGuard
from urllib.parse import urljoin

from pricing.matching import cache_write_unit
from pricing.sources import MTOK, VENDOR_API, AliasFact, OfferingFact, Reading, SourceError, Statement

SLUG = "openrouter"
NAME = "OpenRouter"
TRUST = VENDOR_API
PRECEDENCE = 1  # the seller's own list, and of no other seller
COPIES = ()
LICENCE = "facts of the vendor's public API"
URL = "https://openrouter.ai/models"
FEED = "https://openrouter.ai/api/v1/models"
CADENCE_HOURS = 6
STATES_HISTORY = False

_UNITS = {
    # key → (unit, per)
    "prompt": ("input", MTOK),
    "completion": ("output", MTOK),
    "input_cache_read": ("cache_read", MTOK),
    "input_cache_write": ("cache_write", MTOK),
    "input_cache_write_1h": ("cache_write_1h", MTOK),
    "internal_reasoning": ("reasoning", MTOK),
    "audio": ("input_audio", MTOK),
    "audio_output": ("output_audio", MTOK),
    "input_audio_cache": ("cache_read_audio", MTOK),
    "image": ("input_image", MTOK),
    "image_token": ("input_image", MTOK),
    "image_output": ("output_image", MTOK),
    "request": ("request", 1000),
    "web_search": ("web_search", 1000),
}
_NOT_PRICES = ("overrides", "discount", "min_prompt_tokens")
_ID = re.compile(r"~?[\w.-]{1,80}/[\w.:-]{1,120}", re.ASCII)
_FREE = re.compile(r".+:free|openrouter/free")
_PLACES = Decimal("1e-12")
# The list writes this day where a model is not to be withdrawn.
_NEVER = "2098-12-31"
_MODALITIES = {
    # OpenRouter calls a model that reads PDFs by itself one of `file` input.
    "input": {"text": "text_in", "image": "image_in", "audio": "audio_in", "video": "video_in", "file": "pdf_in"},
    "output": {"text": "text_out", "image": "image_out", "audio": "audio_out", "video": "video_out"},
}
_GEMINI_STORAGE = "Storage for five minutes, billed on top of the input price of the tokens written."
"""https://openrouter.ai/docs/features/prompt-caching: "Cache write cost = Input token price + (Cache storage price
x (5 minutes / 60 minutes))"; the list states the second term alone."""


def next_page(body: bytes) -> str | None:
    """The address of the page after this one; None after the last."""
    document = _load(body)
    links = document.get("links") if isinstance(document, Mapping) else None
    following = links.get("next") if isinstance(links, Mapping) else None
    return urljoin(FEED, following) if isinstance(following, str) and following else None


def parse(body: bytes) -> Reading:
    """Every price, offering and other name of a models listing."""
    document = _load(body)
    reading = Reading()
    rows: dict[str, Mapping[str, Any]] = {}
    try:
        for page in document if isinstance(document, list) else [document]:
            for row in _rows(page):
                if (
                    not isinstance(row, Mapping)
                    or not _is_id(row.get("id"))
                    or not isinstance(row.get("pricing"), dict)
                ):
                    reading.unplaced["row without an id and prices"] += 1
                elif row["id"] in rows:
                    reading.unplaced["row of an id already listed"] += 1
                else:
                    rows[row["id"]] = row
        for row in rows.values():
            _row(row, rows, reading)
        _canonical_slugs(rows, reading)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as fault:
        raise SourceError(f"The body is not OpenRouter's list of models: {fault!r}.") from fault
    if not reading.statements:
        raise SourceError("OpenRouter's list holds no price at all; its layout must have changed.")
    reading.unplaced = +reading.unplaced
    return reading


def _load(body: bytes) -> Any:
    try:
        return json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError) as fault:
        raise SourceError(f"The body is not OpenRouter's list of models: {fault!r}.") from fault


def _rows(page: Any) -> Sequence[Any]:
    answer = page.get("body", page) if isinstance(page, Mapping) else page
    rows = answer.get("data") if isinstance(answer, Mapping) else None
    if not isinstance(rows, list):
        raise SourceError("The body is not OpenRouter's list of models: it has no list `data`.")
    return rows


def _is_id(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _row(row: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]], reading: Reading) -> None:
    """One entry of the list: an offering with its prices, another name for one, or neither."""
    sku = row["id"]
    if "alias_target" in row or sku.startswith("~"):
        target = (row.get("alias_target") or {}).get("slug")
        if isinstance(target, str) and target in rows and "alias_target" not in rows[target]:
            reading.aliases.append(AliasFact(SLUG, sku, target, url=_page(sku)))
            # The list may show a cheaper host's price for the one name than for the other, at the same moment.
            reading.unplaced["alias priced unlike its target"] += row["pricing"] != rows[target]["pricing"]
        else:
            reading.unplaced["alias whose target is not listed"] += 1
        return
    if any((amount := _amount(value)) is not None and amount < 0 for value in row["pricing"].values()):
        reading.unplaced["router, at the price of what it routes to"] += 1
        return
    reading.offerings.append(_offering(row))
    reading.statements += _statements(sku, row["pricing"], reading.unplaced)
    for tier in row["pricing"].get("overrides") or ():
        reading.statements += _tier(sku, row["pricing"], tier, reading.unplaced)


def _statements(sku: str, prices: Mapping[str, Any], unplaced: Counter[str]) -> Iterator[Statement]:
    """The prices of one object; each key is a statement or a count."""
    stated = set()
    for key, value in prices.items():
        if key in _NOT_PRICES:
            unplaced["discount"] += key == "discount" and bool(_amount(value))
            continue
        amount = _amount(value)
        if key not in _UNITS:
            unplaced[f"price of {key}"] += 1
        elif amount is None or amount < 0:
            unplaced[f"price of {key} that is no amount"] += 1
        elif key == "image" and amount != _amount(prices.get("prompt")):
            # Documented as a price per image; where it equals the prompt's it is the price of a token.
            unplaced["price of image in an unknown unit"] += 1
        elif amount == 0 and not _FREE.fullmatch(sku):
            unplaced["zero of an offering not sold as free"] += 1
        elif (unit := _UNITS[key][0]) in stated:
            unplaced[f"second price of {unit}"] += 1
        else:
            stated.add(unit)
            yield _statement(sku, key, amount)


def _statement(sku: str, key: str, amount: Decimal) -> Statement:
    unit, per = _UNITS[key]
    storage = key == "input_cache_write" and sku.startswith("google/")
    if unit == "cache_write":
        unit = cache_write_unit(SLUG, sku)
    # Storage is a twelfth of its price per hour, written with 22 places; the catalogue keeps twelve.
    kept = (amount * per).quantize(_PLACES, ROUND_HALF_UP)
    return Statement(
        SLUG, sku, unit, kept, per, qualifier="storage" if storage else "", url=_page(sku),
        note=_GEMINI_STORAGE if storage else "",
    )  # fmt: skip


def _tier(sku: str, base: Mapping[str, Any], tier: Any, unplaced: Counter[str]) -> Iterator[Statement]:
    """The prices of a request whose prompt is long; a key the tier does not state keeps its base price."""
    threshold = tier.get("min_prompt_tokens") if isinstance(tier, Mapping) else None
    conditions = {key for key in tier if key not in _UNITS and key not in base} if threshold else set()
    if not _is_count(threshold) or conditions != {"min_prompt_tokens"}:
        # A condition nobody knows may be all that keeps the price from holding always.
        unplaced["price under an unknown condition"] += 1
        return
    for statement in _statements(sku, tier, unplaced):
        # These are the tiers of the vendors it resells, which all begin *above* their threshold.
        yield Statement(
            SLUG, sku, statement.unit, statement.amount, statement.per, qualifier=statement.qualifier,
            context_from=threshold, context_op=">", context_mode="whole_request", url=statement.url,
            note=statement.note,
        )  # fmt: skip


def _offering(row: Mapping[str, Any]) -> OfferingFact:
    prices = row["pricing"]
    shape = row.get("architecture") or {}
    modalities = tuple(
        names[kind]
        for side, names in _MODALITIES.items()
        for kind in sorted(shape.get(f"{side}_modalities") or ())
        if kind in names
    )
    parameters = row.get("supported_parameters") or ()
    has = {
        "tools": "tools" in parameters,
        "reasoning": "reasoning" in parameters,
        "structured_output": "structured_outputs" in parameters,
        "vision": "image_in" in modalities,
        "prompt_caching": "input_cache_read" in prices,
        "web_search": "web_search" in prices,
    }
    limit = (row.get("top_provider") or {}).get("max_completion_tokens")
    return OfferingFact(
        SLUG, NAME, row["id"], name=_text(row.get("name")), description=_text(row.get("description")),
        context_window=row["context_length"] if _is_count(row.get("context_length")) else None,
        max_output=limit if _is_count(limit) else None, modalities=modalities,
        capabilities=tuple(name for name, held in has.items() if held),
        open_weights=True if row.get("hugging_face_id") else None,
        released_on=_day_of(row.get("created")), retires_on=_day(row.get("expiration_date")),
    )  # fmt: skip


def _canonical_slugs(rows: Mapping[str, Mapping[str, Any]], reading: Reading) -> None:
    """The dated id that responses carry, as another name of the one id without a variant that it belongs to."""
    sold = {offering.sku for offering in reading.offerings if ":" not in offering.sku}
    owners: dict[str, list[str]] = {}
    for sku in sorted(sold):
        slug = rows[sku].get("canonical_slug")
        if _is_id(slug) and slug not in rows:
            owners.setdefault(slug, []).append(sku)
    for slug, skus in owners.items():
        if len(skus) == 1:
            reading.aliases.append(AliasFact(SLUG, slug, skus[0], url=_page(skus[0])))
        else:
            reading.unplaced["canonical slug of several ids"] += 1


def _amount(value: Any) -> Decimal | None:
    if not isinstance(value, str | int | Decimal) or isinstance(value, bool):
        return None
    try:
        amount = Decimal(value)
    except DecimalException:
        return None
    # What no column can hold, too large or too small, is no amount: above all it is not free.
    holds = amount.is_finite() and (amount == 0 or Decimal("1e-17") < abs(amount) < 10_000)
    return amount if holds else None


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31


def _text(value: Any) -> str:
    return value.replace("\x00", "") if isinstance(value, str) else ""


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if isinstance(text, str) and text != _NEVER else None
    except ValueError:
        return None


def _day_of(seconds: Any) -> date | None:
    """The UTC day on which it was first listed."""
    return datetime.fromtimestamp(seconds, UTC).date() if _is_count(seconds) else None


def _page(sku: str) -> str:
    return f"https://openrouter.ai/{sku.partition(':')[0]}"
