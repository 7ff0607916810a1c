"""What the address of the page asks for: a run or a model, a GPU, and every figure that goes into the sum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from dashboards.pages.asked import address, day

PATH = "/self-host"
HUNDRED = Decimal(100)
MONTHS = 12


@dataclass(frozen=True, slots=True)
class Field:
    """A number in the address and in the form; `unit` stands behind its label."""

    name: str
    label: str
    unit: str
    least: Decimal
    most: Decimal
    whole: bool = False
    hint: str = ""


def _field(name: str, label: str, unit: str, least: str, most: str, hint: str = "", *, whole: bool = False) -> Field:
    return Field(name, label, unit, Decimal(least), Decimal(most), whole, hint)


FIELDS = (
    _field("rate", "One GPU", "USD an hour", "0", "10000"),
    _field("gpus", "GPUs of one copy", "whole", "1", "1024", whole=True),
    _field("input", "Input at full load", "tokens a second", "0", "100000000", "Of one copy on all its GPUs."),
    _field("output", "Output at full load", "tokens a second", "0", "100000000"),
    _field("load", "Highest load", "% of full", "0.1", "100", "What you dare to use on average over the hours."),
    _field("volume", "Your volume", "Mtok a month", "0", "1000000000", "Input and output. Left out: none."),
    _field("idle", "Idle hours", "hours a month of 730", "0", "729", "Paid, and nothing is served."),
    _field("staff", "People", "USD a month", "0", "100000000"),
    _field("once", "Paid once", "USD", "0", "10000000000", "Setting up, moving, evaluating."),
    _field("months", "Spread over", "months", "1", "120", whole=True),
)
NAMED = {field.name: field for field in FIELDS}


@dataclass(frozen=True, slots=True)
class Ask:
    """None of `rate`, `gpus`, `input` and `output`: what the run and the rates of the day say."""

    run: str = ""
    model: str = ""
    gpu: str = ""
    at: date | None = None
    rate: Decimal | None = None
    gpus: Decimal | None = None
    input: Decimal | None = None
    output: Decimal | None = None
    load: Decimal = HUNDRED
    volume: Decimal | None = None
    idle: Decimal = Decimal(0)
    staff: Decimal = Decimal(0)
    once: Decimal = Decimal(0)
    months: Decimal = Decimal(MONTHS)

    def url(self, path: str = PATH, **changes: object) -> str:
        """The address of this state, some of it changed; what is the default is left out."""
        state: dict[str, object] = {"run": self.run, "model": self.model, "gpu": self.gpu, "at": self.at}
        for name in NAMED:
            state[name] = getattr(self, name)
        state |= changes
        shown = {
            name: ""
            if value == DEFAULTS.get(name)
            else f"{value.normalize():f}"
            if isinstance(value, Decimal)
            else value
            for name, value in state.items()
        }
        return address(path, shown)

    @property
    def share(self) -> Decimal:
        """The load as a share of 1."""
        return self.load / HUNDRED

    @property
    def usd_per_month(self) -> Decimal:
        """What comes on top of the GPUs in a month."""
        return self.staff + self.once / self.months


DEFAULTS: Mapping[str, object] = {name: getattr(Ask(), name) for name in NAMED}


def read(query: Mapping[str, str]) -> tuple[Ask, list[str]]:
    """The state in an address, and a sentence for each part that could not be read and stays at its default."""
    wrong: list[str] = []
    found: dict[str, Decimal] = {}
    for field in FIELDS:
        text = query.get(field.name, "").strip().replace(",", "")
        if text:
            try:
                found[field.name] = _number(field, text)
            except ValueError as fault:
                wrong.append(str(fault))
    try:
        at = day(query.get("at", ""), "“Prices at”")
    except ValueError as fault:
        wrong.append(str(fault))
        at = None
    names = {name: query.get(name, "").replace("\0", "").strip()[:300] for name in ("run", "model", "gpu")}
    return replace(Ask(names["run"], names["model"], names["gpu"], at), **cast("dict[str, Any]", found)), wrong


def _number(field: Field, text: str) -> Decimal:
    said = f"“{field.label}” is a{' whole' if field.whole else ''} number from {field.least:,} to {field.most:,}"
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{said}, not “{text[:40]}”.") from None
    if not number.is_finite() or not field.least <= number <= field.most:
        raise ValueError(f"{said}, not {text[:40]}.")
    if field.whole and number != number.to_integral_value():
        raise ValueError(f"{said}, not {text[:40]}: GPUs and months come whole.")
    if number != round(number, 6):
        raise ValueError(f"{said} of at most 6 decimals, not {text[:40]}.")
    return number
