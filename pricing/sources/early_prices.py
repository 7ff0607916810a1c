"""Early prices: what models cost in the years before the catalogues began to keep their history.

    provider,sku,input,output,from,until,basis,gone,source,licence,url
    openai,davinci,60,60,2021-11-20,2022-09-01,documented,,"Epoch AI, price table",CC BY 4.0,https://epoch.ai/…
    openai,davinci,20,20,2022-09-01,2024-01-04,documented,yes,"Epoch AI, price table",CC BY 4.0,https://epoch.ai/…

Single facts, USD per Mtok of the standard tier and the base context, reviewed by hand and kept in
`pricing/data/early_prices.csv`; input and output apart, never a blend. `from` and `until` are days at midnight UTC
unless a time is given. Every price ends: `until` is the day from which another price held, the model was gone (`gone`
is `yes`) or the table's source no longer looked, so that no early price is ever the current one. `basis` is how the
start is known: `announced` by the vendor, `documented` by a dated source, `observed` in an archived list, where the
price may have begun up to one look earlier.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from importlib.resources import files

from pricing.providers import canonical, declared
from pricing.sources import CURATED, Bundle, OfferingFact, Reading, SourceError, Statement

SLUG = "early_prices"
NAME = "early prices"
TRUST = CURATED
PRECEDENCE = 0  # states when a price began and ended; the others only carry their first one back
COPIES: tuple[str, ...] = ("openrouter",)
LICENCE = "facts, each with its source and licence"
URL = "https://epoch.ai/data-insights/llm-inference-price-trends"
FEED = ""
CADENCE_HOURS = 24 * 365
STATES_HISTORY = True

_COLUMNS = ["provider", "sku", "input", "output", "from", "until", "basis", "gone", "source", "licence", "url"]
_UNITS = ("input", "output")
_PRECISION = {"announced": "day", "documented": "day", "observed": "gap"}
_REVIEWED = datetime(2026, 11, 25, tzinfo=UTC)


def release() -> str:
    """The table as it stands, by its content."""
    return hashlib.sha256(_table()).hexdigest()[:12]


def bundled() -> Bundle:
    """The table shipped with this project."""
    return Bundle(_table(), release(), _REVIEWED)


def _table() -> bytes:
    return files("pricing").joinpath("data/early_prices.csv").read_bytes()


def parse(body: bytes) -> Reading:
    """Every price with its span; an offering that is gone is no longer sold."""
    try:
        lines = [line for line in body.decode().splitlines() if not line.startswith("#")]
        table = csv.DictReader(lines, strict=True)
        if table.fieldnames != _COLUMNS:
            raise SourceError(f"The first line must be {','.join(_COLUMNS)}.")
        rows = [_row(row, number) for number, row in enumerate(table, 2)]
        statements = [statement for row in rows for statement in _statements(row)]
    except (ValueError, csv.Error, InvalidOperation) as fault:
        raise SourceError(f"The body is not a table of early prices: {fault}.") from fault
    if not statements:
        raise SourceError("The table holds no prices.")
    gone = {(row["provider"], row["sku"]): row["until"] for row in rows if row["gone"]}
    names = dict.fromkeys((row["provider"], row["sku"]) for row in rows)
    return Reading(
        statements=statements,
        offerings=[
            OfferingFact(
                provider, _called(provider), sku, retired=(provider, sku) in gone,
                retired_on=_moment(gone[provider, sku]).date() if (provider, sku) in gone else None,
            )
            for provider, sku in names
        ],
    )  # fmt: skip


def _row(row: Mapping[str | None, str | None], number: int) -> dict[str, str]:
    cells = {column: row.get(column) or "" for column in _COLUMNS}
    if None in row or not all(cells[column] for column in _COLUMNS if column != "gone"):
        raise SourceError(f"Line {number} needs every cell but `gone`, and no more.")
    if cells["basis"] not in _PRECISION or cells["gone"] not in ("", "yes"):
        raise SourceError(f"Line {number}: basis is one of {', '.join(_PRECISION)}, gone is yes or nothing.")
    if _moment(cells["until"]) <= _moment(cells["from"]):
        raise SourceError(f"Line {number} ends before it begins.")
    if not all(Decimal(cells[unit]) > 0 for unit in _UNITS):
        raise SourceError(f"Line {number} needs prices above zero.")
    return cells | {"provider": canonical(cells["provider"])}


def _statements(row: Mapping[str, str]) -> list[Statement]:
    begins, ends = _moment(row["from"]), _moment(row["until"])
    return [
        Statement(
            provider=row["provider"], sku=row["sku"], unit=unit, amount=Decimal(row[unit]), effective_from=begins,
            effective_until=ends, until_known_at=ends, basis=row["basis"], precision=_PRECISION[row["basis"]],
            evidence_at=begins, url=row["url"], note=f"{row['source']}, {row['licence']}",
        )
        for unit in _UNITS
    ]  # fmt: skip


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _called(provider: str) -> str:
    known = declared(provider)
    return known.name if known else provider
