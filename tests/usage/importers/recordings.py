"""Recorded bodies and what a person checked them to mean, as plain values.

tests/recorded/usage/<slug>/ holds bodies, for each of them `<body>.expected.json`, and for a mapped importer
`mapping.json`. To record another: put the body there, run `python -m tests.usage.importers.recordings`, and read
every line of the file it writes before committing it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from usage.importers import Dimension, Fact, Importer, Outcome, all_importers

RECORDED = Path(__file__).resolve().parent.parent.parent / "recorded" / "usage"


def bodies(slug: str) -> list[Path]:
    """The recorded bodies of an importer."""
    folder = RECORDED / slug
    kept = ("mapping.json", ".expected.json")
    return sorted(p for p in folder.iterdir() if not p.name.endswith(kept)) if folder.is_dir() else []


def lines_of(importer: Importer, body: bytes) -> list[bytes]:
    """The lines `parse` is given: those of the body, or the records an importer of documents splits it into."""
    split = getattr(importer, "split", None)
    return list(split(io.BytesIO(body))) if split else body.splitlines(keepends=True)


def mapping_of(slug: str) -> dict[str, Any] | None:
    path = RECORDED / slug / "mapping.json"
    found: dict[str, Any] | None = json.loads(path.read_text()) if path.exists() else None
    return found


def parsed(importer: Importer, body: Path) -> list[dict[str, Any]]:
    """The outcomes of a recorded body as plain values."""
    lines = lines_of(importer, body.read_bytes())
    return shown(importer.parse(iter(lines), body.name, mapping_of(importer.SLUG)))


def expected(body: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(_expected_path(body).read_text())
    return found


def shown(outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
    return [{"outcome": type(outcome).__name__, **_plain_fields(outcome)} for outcome in outcomes]


def _plain_fields(value: Outcome | Dimension) -> dict[str, Any]:
    """Only what is said: an empty text and an absent price are left out, a zero is not."""
    names = Dimension.__slots__ if isinstance(value, Dimension) else value._fields
    said = {name: _plain(getattr(value, name)) for name in names}
    unsaid: tuple[object, ...] = ("", [], {})
    keep = ("in_uncached", "in_cache_read", "in_cache_write", "out_total", "out_reasoning")
    return {
        name: found
        for name, found in said.items()
        if name in keep or (found is not None and found not in unsaid and (name != "rank"))
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Dimension | Fact):
        return _plain_fields(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, tuple):
        return [_plain(found) for found in value]
    return dict(value) if isinstance(value, Mapping) else value


def _expected_path(body: Path) -> Path:
    return body.with_name(body.name + ".expected.json")


if __name__ == "__main__":
    for importer in all_importers().values():
        for body in bodies(importer.SLUG):
            text = json.dumps(parsed(importer, body), indent=1, ensure_ascii=False)
            _expected_path(body).write_text(text + "\n")
