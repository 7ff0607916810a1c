"""Importers: one module each turns somebody's bytes into usage facts, without touching the database.

An importer module `usage/importers/<slug>.py` declares

    SLUG: str            its own name, e.g. "claude_code"
    NAME: str            what a person calls it
    MODE: str            APPEND (records carry ids) or REPLACE_WINDOW (buckets, bills)
    MAPPED: bool         True where parsing needs a saved column mapping

    DETAIL: int          how finely it attributes: 1 a bill, 2 a vendor's usage API, 3 a gateway's log, 4 transcripts

and `parse(lines, origin, mapping) -> Iterator[Fact | Ignored | Rejected]`, which yields exactly one outcome for
every line it was given. `parse` does no I/O, keeps no content, and never lets a fault of one line stop the next.

An importer of JSON documents (the pages of an API, an array, one document a line) also has

    split(stream: IO[bytes]) -> Iterator[bytes]

which reads a document of any size in bounded memory (ijson) and yields each of its records as a line of JSON, together
with what the record needs of its surroundings, such as the bucket it stands in. A line's number is then the record's.
What cannot be read raises ValueError; the records before it are kept. Where a document says itself for what time it is
complete, `covered(stream) -> Covered | list[Covered] | None` reads that: one for each kind of record it speaks for.

An importer without columns that still takes settings in its mapping names them: `SETTINGS: tuple[str, ...]`.

Where `parse` carries something from line to line (a running total, the model named above), `whole_file(mapping)` is
true, and a file that is gone on with after a crash is read again from its start.

Discovery is by module; a contract test picks each up and fails where its recording is missing. Modules that begin with
an underscore are no importers but what several of them share: `_json` reads values and says what is wrong with them,
`_records` takes documents of any shape apart, `_logs` knows what the values of a log mean.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from types import MappingProxyType, ModuleType
from typing import Any, NamedTuple, Protocol, cast

APPEND = "append"
REPLACE_WINDOW = "replace_window"
BY_LOCAL_DATE = "local_date"
"""The quality of a bucket that begins and ends at other instants than the UTC day or month it is posted as."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """What a record can be attributed by. '' = not reported. Interned: few distinct values in many records."""

    model_raw: str
    host: str = ""
    operation: str = ""
    region: str = ""
    ext_project: str = ""
    ext_api_key: str = ""
    ext_user: str = ""
    ext_team: str = ""
    path: str = ""
    branch: str = ""
    tags: tuple[tuple[str, str], ...] = ()


class Fact(NamedTuple):
    """One usage record: disjoint token counts (None = unknown, 0 = known zero) and the price selectors reported.

    `out_total` includes `out_reasoning`. `cache_write_by_lifetime` sums to `in_cache_write` or is empty.
    `rank` decides between two facts of one key: the greater wins whatever order they come in, field by field.

    A tuple, as its neighbours: a log has millions, and a frozen dataclass takes seven times as long to make.
    """

    line: int
    record_key: str
    occurred_at: datetime
    grain: str
    dimension: Dimension
    in_uncached: int | None
    in_cache_read: int | None
    in_cache_write: int | None
    out_total: int | None
    out_reasoning: int | None = None
    cache_write_by_lifetime: Mapping[str, int] = MappingProxyType({})
    requests: int | None = None
    service_tier: str = ""
    context_tokens: int | None = None
    period_end: datetime | None = None
    cost_reported: Decimal | None = None
    currency: str = ""
    cost_kind: str = "estimated"
    session: str = ""
    quality: tuple[str, ...] = ()
    rank: tuple[int, ...] = ()


class Ignored(NamedTuple):
    """A line that carries no usage, and why: counted by reason."""

    line: int
    reason: str


class Rejected(NamedTuple):
    """A line that should carry usage and cannot be read: kept with its reason, without its content."""

    line: int
    reason: str
    raw: str = ""


Outcome = Fact | Ignored | Rejected


@dataclass(frozen=True, slots=True)
class Covered:
    """The time [from, until) a document speaks for; `whole` unless it says that more of it follows elsewhere.

    It speaks for the records whose key begins with `keys`: one API's pages say nothing of what another one reported.
    Pages without any record may not tell of which kind they are: `UNTOLD`, which no key begins with.
    """

    window_from: datetime
    window_until: datetime
    whole: bool = True
    keys: str = ""


UNTOLD = "?"


class Importer(Protocol):
    """The contract of an importer module."""

    SLUG: str
    NAME: str
    MODE: str
    MAPPED: bool
    DETAIL: int

    @staticmethod
    def parse(lines: Iterable[bytes], origin: str, mapping: Mapping[str, Any] | None) -> Iterator[Outcome]:
        """One outcome a line, in order. `origin` is the file's name below the chosen root."""
        ...


@cache
def all_importers() -> dict[str, Importer]:
    """Every importer by slug, in alphabetical order."""
    modules: Iterable[ModuleType] = (
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
        if not found.name.startswith("_")
    )
    return {module.SLUG: cast(Importer, module) for module in sorted(modules, key=lambda module: module.__name__)}
