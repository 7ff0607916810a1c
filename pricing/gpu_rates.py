"""What renting a GPU costs, by host, type, terms and day: the one owner of writes to `GpuRate`.

A table of rates goes through `parse`, which says which line is wrong, and `record`. The same table twice changes
nothing, a corrected rate of the same host, GPU, terms and day corrects, another day is another rate; all are kept.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from django.db import transaction

from pricing.models import GpuRate

TABLE: Final = Path(__file__).resolve().parent / "data" / "gpu_rates.csv"
NEEDED: Final = ("host", "gpu", "usd_per_hour", "observed_on")
DEAREST: Final = Decimal(10_000)
"""USD an hour; above it a rate is of a cluster, or a slip."""
_KEY: Final = 4


class UnreadableRates(ValueError):
    """The table is not one of rates; the message is a sentence for whoever brought it."""


@dataclass(frozen=True, slots=True)
class RateFact:
    """What one host asked for one GPU for an hour on a day; the first four are its identity."""

    host: str
    gpu: str
    terms: str
    observed_on: date
    usd_per_hour: Decimal
    source: str = ""
    source_url: str = ""
    licence: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a table: `inserted + updated + unchanged` are its rates."""

    inserted: int
    updated: int
    unchanged: int

    @property
    def rates(self) -> int:
        return self.inserted + self.updated + self.unchanged


def parse(body: bytes) -> list[RateFact]:
    """The rates of a CSV with a head; lines that start with `#` are comments. UnreadableRates names the line at fault.

    It needs `host`, `gpu`, `usd_per_hour` (of one GPU) and `observed_on`; `terms` (on_demand where it is empty),
    `source`, `source_url` and `licence` may be left out.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableRates("This is not a text file in UTF-8: give the rates as CSV.") from None
    numbered = [
        (number, line)
        for number, line in enumerate(io.StringIO(text, newline=None), start=1)
        if line.strip() and not line.startswith("#")
    ]
    head = next(csv.reader([numbered[0][1]])) if numbered else []
    missing = [name for name in NEEDED if name not in head]
    if missing:
        raise UnreadableRates(f"The head lacks {', '.join(missing)}: it needs {', '.join(NEEDED)}.")
    found: dict[tuple[object, ...], RateFact] = {}
    for number, line in numbered[1:]:
        values = next(csv.reader([line]))
        if len(values) != len(head):
            raise UnreadableRates(f"Line {number} has {len(values)} fields, the head {len(head)}.")
        fact = _fact(dict(zip(head, (value.strip() for value in values), strict=True)), number)
        if astuple(fact)[:_KEY] in found:
            raise UnreadableRates(f"Line {number} repeats {fact.gpu} at {fact.host} of that day: keep one of them.")
        found[astuple(fact)[:_KEY]] = fact
    if not found:
        raise UnreadableRates("The table has a head and no rates.")
    return list(found.values())


def _fact(row: dict[str, str], number: int) -> RateFact:
    for name in NEEDED:
        if not row[name]:
            raise UnreadableRates(f"Line {number} lacks {name}: a rate that is not known is left out.")
    longest = {"host": 100, "gpu": 100, "terms": 60, "source": 200, "source_url": 500, "licence": 200}
    for name, most in longest.items():
        if len(row.get(name, "")) > most or "\0" in row.get(name, ""):
            raise UnreadableRates(f"Line {number}: {name} is longer than {most} signs, or no text.")
    if row.get("source_url") and not row["source_url"].startswith(("https://", "http://")):
        raise UnreadableRates(f"Line {number}: source_url is an address that begins with https://.")
    return RateFact(
        row["host"], row["gpu"], row.get("terms") or "on_demand", _day(row["observed_on"], number),
        _usd(row["usd_per_hour"], number), row.get("source", ""), row.get("source_url", ""), row.get("licence", ""),
    )  # fmt: skip


def _day(text: str, number: int) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UnreadableRates(f"Line {number}: observed_on is a day such as 2026-11-20, not {text[:40]!r}.") from None


def _usd(text: str, number: int) -> Decimal:
    try:
        usd = Decimal(text)
    except InvalidOperation:
        raise UnreadableRates(f"Line {number}: usd_per_hour is a number such as 3.02, not {text[:40]!r}.") from None
    if not usd.is_finite() or not 0 < usd <= DEAREST or usd != usd.quantize(Decimal("1e-12")):
        raise UnreadableRates(f"Line {number}: {text[:40]!r} is no price of one GPU for an hour.")
    return usd


def load_bundled() -> Recorded:
    """Record the table that ships with Ratecard; unchanged it is read and not written."""
    return record(parse(TABLE.read_bytes()))


def record(facts: Sequence[RateFact], *, dry_run: bool = False) -> Recorded:
    """Keep what hosts asked; with `dry_run` the answer is the same and nothing is written."""
    names = [one.name for one in fields(RateFact)]
    with transaction.atomic():
        hosts = {fact.host for fact in facts}
        rows = GpuRate.objects.filter(host__in=hosts).values_list(*names)
        stored = {row[:_KEY]: row for row in rows}
        new = [fact for fact in facts if astuple(fact)[:_KEY] not in stored]
        changed = [fact for fact in facts if (old := stored.get(astuple(fact)[:_KEY])) and old != astuple(fact)]
        if not dry_run and (new or changed):
            # Two processes that load the same table at once: the second corrects what the first has made.
            GpuRate.objects.bulk_create(
                [GpuRate(**dict(zip(names, astuple(fact), strict=True))) for fact in (*new, *changed)],
                update_conflicts=True, unique_fields=names[:_KEY], update_fields=names[_KEY:],
            )  # fmt: skip
    return Recorded(len(new), len(changed), len(facts) - len(new) - len(changed))
