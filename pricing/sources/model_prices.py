"""model-prices (PyPI, MIT): effective-dated first-party list prices, compiled from models.dev's history.

    {"updated_at": "2026-10-26T18:46:35Z",
     "prices": {"openai": {"gpt-5.6-sol": {"standard": [
        {"start": null, "rates": {"input": 5.0, "output": 30.0, "cache_read": 0.5, "cache_write": 6.25,
          "cache_write_1h_multiple": 2.5, "tiers": [{"above": 272000, "input": 10.0, "output": 45.0}],
          "source": "https://…", "valid_from": "2026-07-09T17:59:06Z", "valid_from_basis": "models.dev commit"}},
        {"start": "2026-08-21T00:00:00Z", "rates": {…}, "recorded": {…}}], "batch": […]}}},
     "schedules": {"schedule": [{"provider": "deepseek", "peak_hours_utc": [["01:00", "04:00"]], …}], "holidays": {…}}}

A list of intervals a mode, each in force from its `start` to the next; null rates: not sold in that mode. The first
`start` is null: no earlier price is known, and `valid_from` is when the evidence began. `tiers` hold above a whole
request's prompt. A missing tier price is the base price. A one-hour cache write is stated as a multiple of the input
price.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib.metadata import version
from importlib.resources import files
from itertools import zip_longest
from typing import Any

from pricing import schedules
from pricing.matching import cache_write_unit
from pricing.providers import canonical, declared
from pricing.sources import CURATED, AliasFact, Bundle, CalendarFact, OfferingFact, Reading, SourceError, Statement

SLUG = "model_prices"
NAME = "model-prices"
TRUST = CURATED
PRECEDENCE = 1  # dates changes to the instant and knows weekdays and holidays, which genai-prices cannot say
COPIES = ("models_dev",)
LICENCE = "MIT"
URL = "https://github.com/wakamex/model-prices"
FEED = "https://raw.githubusercontent.com/wakamex/model-prices/main/src/model_prices/snapshot.json"
CADENCE_HOURS = 24
STATES_HISTORY = True

_SERVICE_TIER = {"standard": "standard", "batch": "batch", "fast": "fast", "flex": "flex", "ultrafast": "ultrafast"}
_BASIS = {"models.dev commit": "observed", "first observed": "observed", "documented": "documented"}


def bundled() -> Bundle:
    """The snapshot in the installed package."""
    body = files("model_prices").joinpath("snapshot.json").read_bytes()
    updated_at = _time(json.loads(body)["updated_at"])
    return Bundle(body, version("model-prices"), updated_at)


def parse(body: bytes) -> Reading:
    """Every dated price, alias, status and schedule of a snapshot."""
    try:
        snapshot = json.loads(body, parse_float=Decimal)
        if snapshot["schema"] != 1:
            raise SourceError(f"model-prices publishes schema {snapshot['schema']}; this parser knows schema 1.")
        return _read(snapshot)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as fault:
        raise SourceError(f"The body is not a model-prices snapshot: {fault!r}.") from fault


def _read(snapshot: Mapping[str, Any]) -> Reading:
    reading = Reading()
    timetables = [_Timetable(item) for item in snapshot["schedules"].get("schedule", [])]
    for lab, models in snapshot["prices"].items():
        provider = canonical(lab)
        known = declared(provider)
        status = snapshot.get("status", {}).get(lab, {})
        for model, modes in models.items():
            reading.offerings.append(
                OfferingFact(
                    provider,
                    known.name if known else lab,
                    model,
                    deprecated=status.get(model) == "deprecated",
                    retired=status.get(model) == "removed",
                )
            )
            tables = [table for table in timetables if table.provider == lab and table.covers(model)]
            for mode, intervals in modes.items():
                for interval, following in zip_longest(intervals, intervals[1:]):
                    reading.unplaced["uncorrected rates"] += "recorded" in interval
                    for statement in _interval(provider, model, mode, interval, following, reading):
                        reading.statements.append(statement)
                        reading.statements += (s for table in tables for s in table.apply(statement))
    _read_names(snapshot, reading)
    for slug, calendar in snapshot["schedules"].get("holidays", {}).items():
        reading.calendars.append(
            CalendarFact(
                slug, calendar["utc_offset_hours"], tuple(date.fromisoformat(day) for day in calendar["dates"]),
                date.fromisoformat(calendar["covers_through"]), calendar["source"],
            )
        )  # fmt: skip
    reading.unplaced["subscription plan"] += len(snapshot.get("plans", []))
    reading.unplaced["estimate of an unpriced model"] += len(snapshot.get("estimates", []))
    for models in snapshot.get("status", {}).values():
        reading.unplaced.update(f"status {s}" for s in models.values() if s not in ("deprecated", "removed"))
    reading.unplaced = +reading.unplaced
    return reading


def _interval(
    provider: str, model: str, mode: str, interval: Mapping[str, Any], following: Mapping[str, Any] | None,
    reading: Reading,
) -> Iterator[Statement]:  # fmt: skip
    rates = interval["rates"]
    if rates is None:
        return
    start = _time(interval["start"]) if interval["start"] else None
    evidence_at = _time(rates["valid_from"])
    documented = rates["valid_from_basis"] == "documented"
    if start is None:
        basis, precision = "inferred", "unknown"
    else:
        basis = _BASIS[rates["valid_from_basis"]]
        precision = "gap" if not documented else "day" if start.time() == time.min else "instant"
    shared = {
        "provider": provider, "sku": model, "effective_from": start,
        "effective_until": _time(following["start"]) if following else None,
        "until_known_at": _evidence_of(following) if following else None,
        "basis": basis, "precision": precision, "evidence_at": evidence_at, "url": rates["source"],
        "service_tier": _SERVICE_TIER.get(mode, "standard"), "qualifier": "thinking" if mode == "thinking" else "",
    }  # fmt: skip
    if mode not in _SERVICE_TIER and mode != "thinking":
        reading.unplaced[f"mode {mode}"] += 1
        return
    # A multiple is stated for some models that state no cache write at all: nothing to multiply.
    one_hour = rates.get("cache_write_1h_multiple") if "cache_write" in rates else None
    write = cache_write_unit(provider, model)
    said = [Statement(unit=unit, amount=amount, **shared) for unit, amount in _amounts(rates, write, one_hour)]
    said += (
        Statement(unit=unit, amount=amount, context_from=tier["above"], context_op=">", context_mode="whole_request",
                  **shared)
        for tier in rates.get("tiers", ())
        for unit, amount in _amounts(tier, write, one_hour)
    )  # fmt: skip
    yield from said
    if mode == "thinking":
        # Tokens of thought are made in this mode alone: its output price is theirs, and not that of other answers.
        yield from (replace(s, unit="reasoning", qualifier="") for s in said if s.unit == "output")


def _evidence_of(interval: Mapping[str, Any]) -> datetime:
    """When an interval's evidence began, even where the model is not sold in it."""
    return _time((interval["rates"] or {}).get("valid_from", interval["start"]))


def _amounts(rates: Mapping[str, Any], write: str, one_hour: Any) -> Iterator[tuple[str, Decimal]]:
    for unit in ("input", "output", "cache_read"):
        if unit in rates:
            yield unit, Decimal(rates[unit])
    if "cache_write" in rates:
        yield write, Decimal(rates["cache_write"])
    if one_hour is not None and "input" in rates:
        yield "cache_write_1h", Decimal(rates["input"]) * Decimal(one_hour)


class _Timetable:
    """A provider's time-of-day rule: hours in which its listed prices are multiplied."""

    def __init__(self, item: Mapping[str, Any]) -> None:
        peak = "peak_hours_utc" in item
        windows = item["peak_hours_utc"] if peak else item["off_peak_hours_utc"]
        self.provider: str = item["provider"]
        self._factor = Decimal(item["peak_multiplier"]) if peak else None
        self._factors = {} if peak else {m: Decimal(f) for m, f in item["off_peak_multiplier"].items()}
        self._text = schedules.write(
            [(time.fromisoformat(start), time.fromisoformat(end)) for start, end in windows],
            weekdays_only=item.get("weekdays_only", False),
            calendar=item.get("holidays", ""),
        )
        self._from = _time(item["valid_from"])
        self._until = _time(item["valid_until"]) if "valid_until" in item else None
        self._url: str = item["source"]

    def covers(self, model: str) -> bool:
        return self._factor is not None or model in self._factors

    def apply(self, statement: Statement) -> Iterator[Statement]:
        """The price in the rule's hours, for the part of the statement's time in which the rule is in force."""
        start = max(filter(None, (statement.effective_from, self._from)))
        until = min(filter(None, (statement.effective_until, self._until)), default=None)
        if until is not None and until <= start:
            return
        factor = self._factor if self._factor is not None else self._factors[statement.sku]
        own = statement.effective_from is not None and start == statement.effective_from
        yield Statement(
            provider=statement.provider, sku=statement.sku, unit=statement.unit, amount=statement.amount * factor,
            service_tier=statement.service_tier, qualifier=statement.qualifier, context_from=statement.context_from,
            context_op=statement.context_op, context_mode=statement.context_mode, schedule=self._text,
            effective_from=start, effective_until=until,
            until_known_at=self._until if until == self._until else statement.until_known_at,
            basis=statement.basis if own else "documented",
            precision=statement.precision if own else "instant",
            evidence_at=max(start, statement.evidence_at or start), url=self._url,
        )  # fmt: skip


def _read_names(snapshot: Mapping[str, Any], reading: Reading) -> None:
    prices = snapshot["prices"]
    for name, target in snapshot["aliases"]["models"].items():
        lab, _, model = target.partition("/")
        if model in prices.get(lab, {}) and name not in prices[lab]:
            reading.aliases.append(AliasFact(canonical(lab), name, model))
    for lab, bases in snapshot["bases"].items():
        for name, model in bases.items():
            if model in prices.get(lab, {}) and name not in prices[lab]:
                reading.aliases.append(AliasFact(canonical(lab), name, model))
            else:
                reading.unplaced["base name of an id not priced here"] += model not in prices.get(lab, {})


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)
