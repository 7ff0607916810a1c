"""The registry of known upstream errors: claims we have found wrong, with the evidence, which are not heard.

`pricing/data/known_errors.csv` holds one error a line: which source says which wrong amount of which unit, what is
right and where that stands. The amount is part of the key, so an entry ends by itself when its source mends the error.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files

from pricing.catalog.rows import among
from pricing.models import Claim


@dataclass(frozen=True, slots=True)
class KnownError:
    """One wrong statement of a source: `wrong` is its amount per million (or per unit, as it counts)."""

    source: str
    provider: str
    sku: str
    unit: str
    service_tier: str
    wrong: Decimal
    right: Decimal | None
    why: str
    url: str


@cache
def registry() -> tuple[KnownError, ...]:
    """Every known error, in the order of the file."""
    text = files("pricing").joinpath("data/known_errors.csv").read_text(encoding="utf-8")
    return tuple(_read(csv.DictReader(text.splitlines())))


def _read(rows: Iterable[dict[str, str]]) -> Iterator[KnownError]:
    for row in rows:
        right = Decimal(row["right"]) if row["right"] else None
        yield KnownError(
            row["source"], row["provider"], row["sku"], row["unit"], row["service_tier"], Decimal(row["wrong"]), right,
            row["why"], row["url"],
        )  # fmt: skip


def found_in(offering_ids: Iterable[int]) -> dict[int, KnownError]:
    """The claims of some offerings that state a known error: claim id → the error."""
    errors = {(e.source, e.provider, e.sku, e.unit, e.service_tier, e.wrong): e for e in registry()}
    if not errors:
        return {}
    rows = Claim.objects.filter(
        offering__in=among(offering_ids), offering__sku__in={error.sku for error in registry()}
    ).values_list(
        "id", "source__slug", "offering__provider__slug", "offering__sku", "unit", "service_tier", "amount"
    )  # fmt: skip
    return {pk: errors[key] for pk, *rest in rows if (key := tuple(rest)) in errors}
