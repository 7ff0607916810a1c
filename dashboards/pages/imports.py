"""What became of an import, and what the columns of a file could mean. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from dashboards import formatting
from usage.importers import Fact, Ignored, Importer, Outcome, Rejected
from usage.importers.csv import MappingError, validate_mapping

OPEN = {"queued", "running"}
STATUS_WORDS = {
    "queued": "waiting",
    "running": "reading",
    "done": "done",
    "held": "done, nothing withdrawn",
    "failed": "failed",
}
PREVIEW_ROWS = 6


@dataclass(frozen=True)
class Part:
    """One term of lines = imported + updated + duplicate + ignored + rejected."""

    name: str
    lines: int
    note: str = ""


@dataclass(frozen=True)
class Run:
    """A batch as it reads."""

    number: int
    what: str
    files: str
    scope: str
    status: str
    status_words: str
    is_open: bool
    error: str
    lines: int
    imported: int
    duplicate: int
    ignored: int
    rejected: int
    unpriced: int
    unattributed: int
    withdrawn: int
    created_at: datetime
    finished_at: datetime | None
    requested_by: str
    parts: Sequence[Part]
    done_share: Decimal | None
    """How far the files are read, 0 to 1; None where that cannot be told."""


def run_of(batch: Any, importer_name: str) -> Run:
    ignored, rejected = sum(batch.ignored.values()), sum(batch.rejected.values())
    names = [file["origin"] for file in batch.files]
    return Run(
        number=batch.pk,
        what=importer_name,
        files=names[0] if len(names) == 1 else f"{formatting.count(len(names))} files",
        scope=batch.connection.scope,
        status=batch.status,
        status_words=STATUS_WORDS[batch.status],
        is_open=batch.status in OPEN,
        error=batch.error,
        lines=batch.lines,
        imported=batch.imported + batch.updated,
        duplicate=batch.duplicate,
        ignored=ignored,
        rejected=rejected,
        unpriced=batch.unpriced,
        unattributed=batch.unattributed,
        withdrawn=batch.withdrawn,
        created_at=batch.created_at,
        finished_at=batch.finished_at,
        requested_by=batch.requested_by,
        parts=_parts(batch),
        done_share=_done(batch.checkpoint, len(names), batch.size),
    )


def _parts(batch: Any) -> list[Part]:
    parts = [
        Part("Imported", batch.imported, "new rows of the ledger"),
        Part("Updated", batch.updated, "a better fact of a row that was there"),
        Part("Duplicate", batch.duplicate, "said before; nothing changed"),
    ]
    parts += [Part(f"Ignored: {reason}", n, "carries no usage") for reason, n in _by_count(batch.ignored)]
    return parts + [Part(f"Rejected: {reason}", n, "not read; listed below") for reason, n in _by_count(batch.rejected)]


def _by_count(reasons: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(reasons.items(), key=lambda item: (-item[1], item[0]))


def _done(checkpoint: Mapping[str, int], files: int, size: int) -> Decimal | None:
    if files > 1:
        return Decimal(checkpoint.get("file", 0)) / files
    offset = checkpoint.get("offset", 0)
    return Decimal(min(offset, size)) / size if offset and size else None


def finding(run: Run) -> str:
    """What came of it, in a sentence."""
    rows = formatting.count(run.imported)
    noun = "row" if run.imported == 1 else "rows"
    if run.is_open:
        return f"{formatting.count(run.lines)} lines read, {rows} {noun} of usage so far."
    if run.status == "failed":
        return f"Nothing more was read: {run.error}" if run.lines else run.error
    if not run.imported and run.duplicate:
        return "Nothing new: every line of usage was in the ledger already."
    if run.rejected:
        count = formatting.count(run.rejected)
        were = "line was" if run.rejected == 1 else "lines were"
        return f"{rows} {noun} of usage imported; {count} {were} rejected."
    return f"{rows} {noun} of usage imported."


# The mapping of a file

GROUPS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "When and what",
        (
            ("time", "Time"),
            ("model", "Model"),
            ("host", "Provider"),
            ("service_tier", "Service tier"),
            ("batch", "In a batch (yes, no)"),
        ),
    ),
    (
        "Tokens and money",
        (
            ("input", "Input tokens"),
            ("cache_read", "Cache read"),
            ("cache_write", "Cache write"),
            ("output", "Output tokens"),
            ("reasoning", "Reasoning"),
            ("requests", "Requests"),
            ("cost", "Cost"),
            ("currency", "Currency of the cost"),
        ),
    ),
    (
        "Whose it is",
        (
            ("project", "Project"),
            ("api_key", "API key"),
            ("user", "User"),
            ("team", "Team"),
            ("path", "Path"),
            ("branch", "Branch"),
            ("region", "Region"),
            ("id", "Row id"),
        ),
    ),
)
COLUMNS = tuple(field for _, fields in GROUPS for field, _ in fields)
OTHER_COLUMNS = ("operation", "context", "session", "cache_write_5m", "cache_write_30m", "cache_write_1h",
                 "cache_write_12h")  # fmt: skip
CHOICES: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    (
        "grain",
        "One row stands for",
        (
            ("", "choose"),
            ("request", "one request"),
            ("1m", "a minute"),
            ("1h", "an hour"),
            ("1d", "a day"),
            ("1mo", "a month"),
        ),
    ),
    (
        "cache",
        "Input includes cached tokens",
        (("", "choose, if there are cache columns"), ("inclusive", "yes"), ("exclusive", "no")),
    ),
    (
        "reasoning",
        "Output includes reasoning",
        (("", "choose, if there is a column of it"), ("included", "yes"), ("excluded", "no")),
    ),
    ("tokens_per_unit", "Tokens are counted in", (("1", "tokens"), ("1000", "thousands"), ("1000000", "millions"))),
    (
        "cost_kind",
        "The cost is",
        (("estimated", "an estimate"), ("billed", "billed"), ("notional", "covered by a seat")),
    ),
    (
        "money_unit",
        "Money is written in",
        (("major", "dollars, euros, …"), ("cents", "cents"), ("micro", "millionths")),
    ),
    ("decimal", "Decimals follow", ((".", "a point"), (",", "a comma"))),
    (
        "thousands",
        "Thousands are set apart by",
        (("", "nothing"), (",", "a comma"), (".", "a point"), (" ", "a space"), ("'", "an apostrophe")),
    ),
)
TEXTS: tuple[tuple[str, str, str], ...] = (
    ("time_format", "Time is written as", "iso, unix, unix_ms, unix_us or a pattern such as %d.%m.%Y"),
    ("time_zone", "in the time zone", "where the time names none"),
    ("fixed_currency", "Currency", "where no column says it"),
    ("fixed_host", "Provider of all rows", "where no column says it, e.g. openai"),
    ("fixed_model", "Model of all rows", "where no column says it"),
)


def form_values(spec: Mapping[str, Any]) -> dict[str, str]:
    """A mapping as the values of its form."""
    values = {f"column_{field}": column for field, column in spec.get("columns", {}).items()}
    values |= {name: str(spec[name]) for name, _, _ in CHOICES if name in spec}
    values |= {name: str(spec[name]) for name in ("time_format", "time_zone") if name in spec}
    constants = spec.get("constants", {})
    return values | {
        "fixed_currency": str(spec.get("currency", "")),
        "fixed_host": constants.get("host", ""),
        "fixed_model": constants.get("model", ""),
    }


def changed(spec: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """A mapping as its filled form changes it; what the form does not ask stays as it was."""
    asked = {"columns", "constants", "currency", "time_format", "time_zone", *(name for name, *_ in CHOICES)}
    found = {name: value for name, value in spec.items() if name not in asked} | spec_of(values)
    stood, constants = spec.get("columns", {}), spec.get("constants", {})
    found["columns"] |= {field: column for field, column in stood.items() if field in OTHER_COLUMNS}
    if kept := {name: value for name, value in constants.items() if name not in ("host", "model")}:
        found["constants"] = kept | found.get("constants", {})
    return found


def spec_of(values: Mapping[str, str]) -> dict[str, Any]:
    """The mapping a filled form describes; what was left empty is left out, so validation asks for it."""
    columns = {
        field: values[f"column_{field}"] for field in (*COLUMNS, *OTHER_COLUMNS) if values.get(f"column_{field}")
    }
    spec: dict[str, Any] = {"columns": columns}
    constants = {
        name: values[f"fixed_{name}"].strip()
        for name in ("host", "model")
        if values.get(f"fixed_{name}", "").strip() and name not in columns
    }
    if constants:
        spec["constants"] = constants
    for name, _, choices in CHOICES:
        if values.get(name) in {value for value, _ in choices if value}:
            spec[name] = int(values[name]) if name == "tokens_per_unit" else values[name]
    for name in ("time_format", "time_zone"):
        if values.get(name, "").strip():
            spec[name] = values[name].strip()
    if values.get("fixed_currency", "").strip() and "currency" not in columns:
        spec["currency"] = values["fixed_currency"].strip()
    if not any(name.startswith("cache_") for name in columns):
        spec.pop("cache", None)
    if "reasoning" not in columns:
        spec.pop("reasoning", None)
    if "cost" not in columns:
        spec.pop("currency", None)
    return spec


@dataclass(frozen=True)
class Previewed:
    """How one row would be read."""

    line: int
    when: datetime | None
    model: str
    tokens: Sequence[int | None]
    cost: Decimal | None
    currency: str
    verdict: str


@dataclass(frozen=True)
class Preview:
    faults: Sequence[str]
    rows: Sequence[Previewed]


def preview(lines: Sequence[bytes], header: Sequence[str], spec: Mapping[str, Any], importer: Importer) -> Preview:
    """What is wrong with a mapping, else how the first rows would be read."""
    faults = validate_mapping(spec, header)
    if faults:
        return Preview(faults, ())
    try:
        return Preview((), tuple(_previewed(importer.parse(lines, "preview", spec))))
    except MappingError as fault:
        return Preview((str(fault),), ())


def _previewed(outcomes: Iterable[Outcome]) -> Iterable[Previewed]:
    shown = 0
    for outcome in outcomes:
        if shown == PREVIEW_ROWS:
            return
        if isinstance(outcome, Ignored):
            continue
        shown += 1
        if isinstance(outcome, Rejected):
            yield Previewed(outcome.line, None, "", (), None, "", f"rejected: {outcome.reason}")
        elif isinstance(outcome, Fact):
            yield Previewed(
                outcome.line,
                outcome.occurred_at,
                outcome.dimension.model_raw,
                (outcome.in_uncached, outcome.in_cache_read, outcome.in_cache_write, outcome.out_total),
                outcome.cost_reported,
                outcome.currency or "USD",
                "",
            )
