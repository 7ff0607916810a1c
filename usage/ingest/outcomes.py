"""What became of a batch, as commands and the API answer it."""

from __future__ import annotations

from typing import Any

from usage.models import ImportBatch

COUNTS = (
    "lines", "imported", "updated", "duplicate", "withdrawn", "ignored", "rejected", "unpriced", "unattributed",
)  # fmt: skip


def as_json(batch: ImportBatch) -> dict[str, Any]:
    """What became of every line: lines = imported + updated + duplicate + Σ ignored + Σ rejected."""
    return {"status": batch.status, "error": batch.error} | {name: getattr(batch, name) for name in COUNTS}
