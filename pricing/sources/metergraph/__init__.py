"""Metergraph: an effective-dated catalogue of prices by channel and region, kept by hand, as its prices.yaml.

    version: "2026-10-25"
    pricing_verified_at: "2026-10-25"
    models:
      - canonical_id: google/gemini-3.6-flash
        aliases:
          - {provider: google, alias: gemini-3.6-flash, channel: google-api}
        prices:
          # Vercel Gateway promotional rate; reverts to the standard rate 2027-01-01.
          - channel: vercel-ai-gateway
            region: global
            effective_from: "2026-09-02"
            effective_to: "2027-01-01"
            input_per_mtok: 0.75
            output_per_mtok: 3.75
            batch_input_per_mtok: 0.375
            rules:
              long_context: {threshold: 200000, input_multiplier: 2, output_multiplier: 1.5}
              off_peak_discount: {multiplier: 0.5, peak_hours_utc: [[1, 4], [6, 10]], peak_weekdays_only: true}
            source_url: https://vercel.com/ai-gateway/models/gemini-3.6-flash/providers

A row holds [effective_from, effective_to) in its own region only. `long_context` multiplies the row's prices for a
request whose prompt has more than `threshold` tokens, cached ones included. A zero is stated as a price; what has none
is left out. `cache_write_5m` is where any cache write is put, whatever its lifetime. What a row has to say for itself
stands above it as a comment. Semantics: docs/prices.md of the project.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pricing import schedules
from pricing.matching import cache_write_unit
from pricing.providers import declared
from pricing.sources import CURATED, MTOK, AliasFact, OfferingFact, Reading, SourceError, Statement
from pricing.sources.metergraph import document
from pricing.sources.metergraph.names import GATEWAYS, SELLERS, Naming, moment, namings

SLUG = "metergraph"
NAME = "Metergraph"
TRUST = CURATED
PRECEDENCE = 3  # cites a page for each row, but only the day on which the whole catalogue was last verified
# OpenRouter's own rows it reads from that API, whose word comes first there; its other prices are read elsewhere.
COPIES: tuple[str, ...] = ()
LICENCE = "Apache-2.0"
URL = "https://github.com/PioneerSquareLabs/metergraph"
FEED = "https://raw.githubusercontent.com/PioneerSquareLabs/metergraph/HEAD/core/src/metergraph_core/data/prices.yaml"
CADENCE_HOURS = 24
STATES_HISTORY = True

_PRICES = {
    # key → (unit, service tier, per)
    "input_per_mtok": ("input", "standard", MTOK),
    "output_per_mtok": ("output", "standard", MTOK),
    "cache_read_per_mtok": ("cache_read", "standard", MTOK),
    "cache_write_5m_per_mtok": ("cache_write", "standard", MTOK),
    "cache_write_1h_per_mtok": ("cache_write_1h", "standard", MTOK),
    "batch_input_per_mtok": ("input", "batch", MTOK),
    "batch_output_per_mtok": ("output", "batch", MTOK),
    "batch_cache_read_per_mtok": ("cache_read", "batch", MTOK),
    "request_fee_per_1k_usd": ("request", "standard", 1000),
}
_NOT_PRICES = {"channel", "region", "effective_from", "effective_to", "source_url", "rules"}
_NOTES = {
    "varies_by_provider": "Its listed price is indicative and varies by the provider a request is routed to.",
    "uncaptured_fees": "It charges fees beside these prices that they do not express.",
}
_NO_PRICE = {*_NOTES, "input_includes_cache_read", "input_includes_cache_write"}
"""Rules that change no price: two for a note, two on what a provider's token counts include."""
_LONG_CONTEXT = {
    "threshold", "input_multiplier", "output_multiplier", "threshold_counts_cached_tokens", "applies_to_batch",
}  # fmt: skip
_OFF_PEAK = {"multiplier", "peak_hours_utc", "peak_weekdays_only"}
_ID = re.compile(r"[!-~]{1,200}")
_PLACES = Decimal("1e-12")  # of the catalogue's amounts
_GLOBAL = "global"
_PROVIDER_NAMES = {"vercel": "Vercel AI Gateway"}


def parse(body: bytes) -> Reading:
    """Every dated price, name and offering of a catalogue."""
    catalogue = document.read(body)
    try:
        if not isinstance(catalogue, Mapping) or not isinstance(catalogue.get("models"), list):
            raise SourceError("The body is not Metergraph's catalogue: it has no list `models`.")
        if catalogue.get("currency") != "USD":
            raise SourceError(f"Metergraph's prices are in {catalogue.get('currency')!r}; this parser knows USD.")
        reading = _read(catalogue)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as fault:
        raise SourceError(f"The body is not Metergraph's catalogue: {fault!r}.") from fault
    if not reading.statements:
        raise SourceError("Metergraph's catalogue holds no price at all; its layout must have changed.")
    return reading


def _read(catalogue: Mapping[str, Any]) -> Reading:
    reading = Reading()
    verified_at = moment(catalogue["pricing_verified_at"])
    if verified_at is None:
        raise SourceError("Metergraph's catalogue does not say when it was verified.")
    models = [sound for model in catalogue["models"] if (sound := _sound(model, reading.unplaced))]
    called = namings(models, reading.unplaced)
    rules: dict[tuple[str, str, str], set[str]] = {}
    for model in models:
        reading.unplaced["model without a price"] += not model["prices"]
        for row in model["prices"]:
            naming = called.get((model["canonical_id"], row["channel"]), Naming((), ()))
            for statement in _row(row, naming, verified_at, reading.unplaced):
                reading.statements.append(statement)
                key = (statement.provider, statement.sku, statement.region)
                rules.setdefault(key, set()).update(rule for rule, held in (row.get("rules") or {}).items() if held)
    reading.offerings += (_offering(*key, stated) for key, stated in rules.items())
    for (_, channel), naming in called.items():
        reading.aliases += _aliases(SELLERS.get(channel, ""), naming, rules)
    _without_overlaps(reading)
    reading.unplaced["price of a tool that belongs to no model"] += len(catalogue.get("retrieval") or ())
    reading.unplaced["dispute with a gateway's own figure"] += len(catalogue.get("disputes") or ())
    reading.unplaced = +reading.unplaced
    return reading


def _sound(model: Any, unplaced: Counter[str]) -> dict[str, Any] | None:
    """A model with its rows and names as far as they are whole; what is not is counted."""
    if not isinstance(model, Mapping) or not isinstance(model.get("canonical_id"), str):
        unplaced["model without an id"] += 1
        return None
    rows, names = list(model.get("prices") or ()), list(model.get("aliases") or ())
    whole_rows = [row for row in rows if _is_whole(row, "channel", "region", "effective_from", "source_url")]
    whole_names = [name for name in names if _is_whole(name, "provider", "alias", "channel")]
    unplaced["price without its channel, region, dates and page"] += len(rows) - len(whole_rows)
    unplaced["name without its provider, channel or dates"] += len(names) - len(whole_names)
    return {"canonical_id": model["canonical_id"], "prices": whole_rows, "aliases": whole_names}


def _is_whole(entry: Any, *needed: str) -> bool:
    if not isinstance(entry, document.Entry) or not all(isinstance(entry.get(key), str) for key in needed):
        return False
    try:
        moment(entry.get("effective_from")), moment(entry.get("effective_to"))
    except (ValueError, TypeError, OverflowError):
        return False
    return _ID.fullmatch(entry.get("alias", "-")) is not None


def _row(row: document.Entry, naming: Naming, verified_at: datetime, unplaced: Counter[str]) -> Iterator[Statement]:
    """The prices of one row under each name that the seller gives the model in the row's region and time."""
    channel, region = row["channel"], row["region"]
    names = [name for name in naming.skus if name.names(region)]
    if channel not in SELLERS or not names:
        kind = f"price on channel {channel}" if channel not in SELLERS else "price of a model the seller has no id for"
        unplaced[kind] += len(_PRICES.keys() & row.keys())
        return
    for key in row.keys() - _PRICES.keys() - _NOT_PRICES:
        unplaced[f"price of {key}"] += 1
    start, until = moment(row["effective_from"]), moment(row.get("effective_to"))
    for name in names:
        begins = max(filter(None, (start, name.since)))
        ends = min(filter(None, (until, name.until)), default=None)
        if ends is not None and ends <= begins:
            unplaced["price that never held under its name"] += 1
            continue
        announced = begins > verified_at
        template = Statement(
            SELLERS[channel], name.text, "", Decimal(0), effective_from=begins, effective_until=ends,
            basis="announced" if announced else "observed" if channel in GATEWAYS else "documented",
            precision="day" if begins.time() == time.min else "instant", evidence_at=verified_at,
            url=row["source_url"], region="" if region == _GLOBAL else region, note=row.comment,
        )  # fmt: skip
        yield from _prices(row, template, unplaced)


def _prices(row: Mapping[str, Any], template: Statement, unplaced: Counter[str]) -> Iterator[Statement]:
    rules = row.get("rules") or {}
    for rule in rules.keys() - _NO_PRICE - {"long_context", "off_peak_discount"}:
        unplaced[f"rule {rule}"] += 1
    long_context = _known(rules, "long_context", _LONG_CONTEXT, unplaced)
    off_peak = _known(rules, "off_peak_discount", _OFF_PEAK, unplaced)
    if off_peak is None and "off_peak_discount" in rules:
        return  # the stated price holds at some hours, and nobody can say which
    for key in (key for key in _PRICES if key in row):
        amount = row[key]
        if not isinstance(amount, int | Decimal) or isinstance(amount, bool) or not 0 <= amount < 10**9:
            unplaced[f"price of {key} that is no amount"] += 1
            continue
        unit, tier, per = _PRICES[key]
        if unit == "cache_write":
            unit = cache_write_unit(template.provider, template.sku)
        price = replace(template, unit=unit, amount=Decimal(amount), per=per, service_tier=tier)
        for stated in (price, *_long(price, long_context)):
            for timed in _hours(stated, off_peak):
                yield replace(timed, amount=timed.amount.quantize(_PLACES, ROUND_HALF_UP))


def _known(rules: Mapping[str, Any], rule: str, keys: set[str], unplaced: Counter[str]) -> Mapping[str, Any] | None:
    """The rule where every part of it is one we know; a rule half understood is not applied but counted."""
    stated = rules.get(rule)
    if stated is None:
        return None
    if stated.keys() <= keys:
        return dict(stated)
    unplaced[f"rule {rule} with an unknown part"] += 1
    return None


def _long(price: Statement, rule: Mapping[str, Any] | None) -> Iterator[Statement]:
    """The price of a request with a long prompt; every kind of input, cached or not, takes the input's multiplier."""
    exempt = rule is not None and price.service_tier == "batch" and not rule.get("applies_to_batch", True)
    if rule is None or exempt or price.unit == "request":
        return
    factor = rule["output_multiplier"] if price.unit == "output" else rule["input_multiplier"]
    yield replace(
        price, amount=price.amount * factor, context_from=int(rule["threshold"]), context_op=">",
        context_mode="whole_request",
    )  # fmt: skip


def _hours(price: Statement, rule: Mapping[str, Any] | None) -> Iterator[Statement]:
    """The row states the price of the peak; at every other hour its multiple holds."""
    if rule is None:
        yield price
        return
    windows = [(time(start), time(end % 24)) for start, end in rule["peak_hours_utc"]]
    peak = schedules.write(windows, weekdays_only=bool(rule.get("peak_weekdays_only")))
    yield replace(price, amount=price.amount * rule["multiplier"])
    yield replace(price, schedule=peak)


def _offering(provider: str, sku: str, region: str, rules: Container[str]) -> OfferingFact:
    known = declared(provider)
    name = known.name if known else _PROVIDER_NAMES.get(provider, provider)
    return OfferingFact(provider, name, sku, region, note=" ".join(_NOTES[rule] for rule in _NOTES if rule in rules))


def _aliases(provider: str, naming: Naming, sold: Container[tuple[str, str, str]]) -> Iterator[AliasFact]:
    """The model's further names at a seller, each for the time in which it meant this model."""
    sku = next((name.text for name in naming.skus if (provider, name.text, "") in sold), None)
    if sku is not None:
        yield from (AliasFact(provider, n.text, sku, False, n.url, n.since, n.until) for n in naming.others)


def _without_overlaps(reading: Reading) -> None:
    """Of two prices for one key at one moment neither is known to be right: the later row is counted instead."""
    ends: dict[tuple[object, ...], datetime | None] = {}
    kept = []
    for s in sorted(reading.statements, key=lambda s: str(s.effective_from)):
        key = (s.provider, s.sku, s.region, s.unit, s.service_tier, s.context_from, s.schedule)
        if key in ends and ((until := ends[key]) is None or (s.effective_from and s.effective_from < until)):
            reading.unplaced["price that overlaps another of the same key"] += 1
            continue
        ends[key] = s.effective_until
        kept.append(s)
    reading.statements = kept
