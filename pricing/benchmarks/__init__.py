"""Benchmarks: one module here per published measure of quality, found by its name; nothing else is edited.

A module `pricing/benchmarks/<name>.py` declares, as constants:

    SLUG         its slug in Ratecard (`arena`)
    NAME         what people call it
    UNIT         what its points are, in words (`Arena rating`)
    DOMAIN       what it measures, in a few words
    URL          where a person can check
    LICENCE      under which its facts may be carried
    ATTRIBUTION  the credit the licence asks for, as shown beside every figure
    CATEGORIES   {category slug: label}; the first one is the default
    RUNS_DATED   False where a table is whole and replaces the one before it; True where each score has the day
                 of its own run (`ScoreFact.observed_on`) and stands until a newer run of the same name
    CEILING      the points of the first category from which on differences are noise, None where there is no such
                 thing; SATURATION says in a sentence why, and where that is written
    PUBLIC_SINCE the day since when its tasks can be trained on, None where they are not public; CONTAMINATION says
                 in a sentence what that means, and where it is written
    MAP          name of a table in `pricing/data` that says which model each name is (see `NamedModel`)
    SOLD_AS      (optional) the provider whose own ids the raw names are: what the map has no line for is then the model
                 that is sold there under exactly that id, or that the provider itself calls so
    BUNDLED      {day of the observation: name of the table in `pricing/data` that ships with Ratecard}

where it can be fetched,

    FEED         the https address of its table
    CADENCE_HOURS  how often it is worth a look
    MEDIA        (optional) json, yaml or csv, where the FEED's suffix does not tell
    KEY          (optional) the environment variable with the key its publisher asks for
    HEADER       (optional) the header that carries the key; without it the key is a bearer token
    next_page    (optional) the address of the page after a body, None after the last
    INDEX        (optional) the address of a listing, and `feed_of`, which finds the FEED of today in its body

and one function:

    parse(body: bytes) -> list[ScoreFact]

`parse` is pure: no network, no clock, no database. A body it cannot read whole raises `UnreadableBody` with a
sentence that names the line: half a table is worse than none. It says nothing about which model a name is;
that is the map's word alone, one line per name decided by a person. A name without a line, or with an empty
model, is kept, counted and listed as unmatched.

Each module comes with `tests/recorded/quality/<slug>/`: a small body in the publisher's shape (`body.csv` or
`body.json`) and the facts a person checked (`expected.json`).
"""

from __future__ import annotations

import csv
import gzip
import importlib
import io
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Protocol, cast

TABLES = Path(__file__).resolve().parent.parent / "data"
MAX_BODY = 32 << 20
DEFAULT = "arena"


class UnreadableBody(ValueError):
    """The body is not what the benchmark publishes; the message is a sentence for whoever brought it.

    Trying again with the same bytes cannot help (`permanent`).
    """

    permanent = True


@dataclass(frozen=True, slots=True)
class ScoreFact:
    """What a benchmark says of one name in one category. `n` counts votes or items; None is unknown.

    Cost, tokens and `cases` are those of the whole run, seconds those of one task.
    """

    category: str
    raw_name: str
    display_name: str
    value: Decimal
    low: Decimal | None = None
    high: Decimal | None = None
    n: int | None = None
    cost_usd: Decimal | None = None
    output_tokens: int | None = None
    input_tokens: int | None = None
    cases: int | None = None
    """The tasks that the cost and the tokens are of."""
    seconds_mean: Decimal | None = None
    seconds_p95: Decimal | None = None
    setting: str = ""
    """How the table says it was run, in lower case: an edit format, function calling or prompt."""
    observed_on: date | None = None
    """The day of the run; None is the table's."""


@dataclass(frozen=True, slots=True)
class NamedModel:
    """One line of a map: a name as the benchmark shows it, and the model and effort it was found to be.

    `model` is `maker/name` of the weights as the catalogue knows them, '' where a person looked and found
    none; `note` then says why. `effort` is the setting the benchmark ran it at, in its own words, lower case.
    """

    raw_name: str
    display_name: str
    model: str
    effort: str
    note: str


class Benchmark(Protocol):
    """What a module in this package offers; see the package's docstring."""

    SLUG: str
    NAME: str
    UNIT: str
    DOMAIN: str
    URL: str
    LICENCE: str
    ATTRIBUTION: str
    CATEGORIES: Mapping[str, str]
    RUNS_DATED: bool
    CEILING: Decimal | None
    SATURATION: str
    PUBLIC_SINCE: date | None
    CONTAMINATION: str
    MAP: str
    BUNDLED: Mapping[date, str]
    parse: Callable[[bytes], list[ScoreFact]]


@cache
def benchmarks() -> Mapping[str, Benchmark]:
    """Every benchmark module of this package by its slug: the one that pages start with, then in order of slug."""
    found: dict[str, Benchmark] = {}
    for info in pkgutil.iter_modules(__path__):
        if not info.name.startswith("_"):
            module = cast(Benchmark, importlib.import_module(f"{__name__}.{info.name}"))
            found[module.SLUG] = module
    return dict(sorted(found.items(), key=lambda item: (item[0] != DEFAULT, item[0])))


@dataclass(frozen=True, slots=True)
class Measure:
    """What is said of a measure of quality wherever its points are shown, be it a published one or somebody's own.

    `interval` is how sure the ends of its intervals are, in per cent.
    """

    slug: str
    name: str
    unit: str
    attribution: str
    categories: Mapping[str, str]
    url: str = ""
    licence: str = ""
    runs_dated: bool = True
    interval: int = 95


@cache
def measures() -> Mapping[str, Measure]:
    """Every benchmark as a measure, in the same order."""
    return {
        slug: Measure(
            slug, one.NAME, one.UNIT, one.ATTRIBUTION, one.CATEGORIES, one.URL, one.LICENCE, one.RUNS_DATED
        )
        for slug, one in benchmarks().items()
    }  # fmt: skip


def read_table(path: Path) -> bytes:
    """The bytes of a table, unpacked where it is gzip; UnreadableBody when it is not whole or too large."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        try:
            body = (gzip.GzipFile(fileobj=file) if packed else file).read(MAX_BODY + 1)
        except (EOFError, OSError, ValueError) as error:
            raise UnreadableBody(f"The file is not whole gzip ({error}): fetch it again.") from None
    if len(body) > MAX_BODY:
        raise UnreadableBody(f"The file is larger than {MAX_BODY >> 20} MiB: this is not a table of scores.")
    return body


def read_scores(benchmark: Benchmark, body: bytes) -> list[ScoreFact]:
    """The facts of a body in the publisher's shape or in Ratecard's own (`_own_table`)."""
    from pricing.benchmarks import _own_table  # it reads into this module's facts

    return _own_table.parse(body) if _own_table.is_own(body) else benchmark.parse(body)


def read_map(benchmark: Benchmark) -> dict[str, NamedModel]:
    """The benchmark's map by display name. Lines that start with `#` are comments."""
    text = (TABLES / benchmark.MAP).read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in io.StringIO(text) if not line.startswith("#"))
    named: dict[str, NamedModel] = {}
    for row in rows:
        line = NamedModel(row["raw_name"], row["display_name"], row["model"], row["effort"], row["note"])
        if line.display_name in named:
            raise ValueError(f"{benchmark.MAP} names {line.display_name!r} twice: keep one line.")
        named[line.display_name] = line
    return named
