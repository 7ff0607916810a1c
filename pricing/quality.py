"""Scores of published benchmarks: the one owner of writes to `Benchmark` and `Score`.

A table of scores goes through `record`: every fact is kept, joined to a model of the catalogue by the
benchmark's map, or where its names are a provider's own ids by those, and by nothing else. A name that
neither matches keeps its score with `model` NULL and is listed in the answer. The same table twice changes
nothing; a corrected table corrects; nothing is deleted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Max

from pricing.benchmarks import TABLES, Benchmark, NamedModel, ScoreFact, benchmarks, read_map, read_scores, read_table
from pricing.frontier import GRAIN, Rated
from pricing.matching import normal
from pricing.models import Alias, LanguageModel, Offering, Score
from pricing.models import Benchmark as BenchmarkRow

_LOCK: Final = "ratecard quality"
_TYPE_BY_COLUMN: Final = {
    "category": "text",
    "display_name": "text",
    "setting": "text",
    "observed_on": "date",
    "model_id": "bigint",
    "raw_name": "text",
    "effort": "text",
    "value": "numeric",
    "low": "numeric",
    "high": "numeric",
    "n": "integer",
    "cost_usd": "numeric",
    "output_tokens": "bigint",
    "input_tokens": "bigint",
    "cases": "integer",
    "seconds_mean": "numeric",
    "seconds_p95": "numeric",
    "source_url": "text",
}
_COLUMNS: Final = tuple(_TYPE_BY_COLUMN)
_KEY: Final = 4
"""So many columns from the left say which score of the benchmark it is."""
_POINTS: Final = Decimal("1e-4")
_Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class UnmatchedName:
    """A name whose scores are kept without a model, and why. `model` is what the map says, '' for none."""

    raw_name: str
    display_name: str
    model: str
    reason: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of one table. `inserted + updated + unchanged` is `scores`.

    `absent` counts scores of the same day that this table no longer holds; they stay.
    """

    benchmark: str
    observed_on: date
    scores: int
    names: int
    categories: int
    inserted: int
    updated: int
    unchanged: int
    absent: int
    matched: int
    unmatched: tuple[UnmatchedName, ...]

    @property
    def changed(self) -> bool:
        return bool(self.inserted or self.updated)


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A name of the newest scores that is no model of the catalogue: its place by score, and why.

    `decided` says that a person looked and found none; else the map has no line for it, or the catalogue no model.
    """

    rank: int
    raw_name: str
    display_name: str
    value: Decimal
    n: int | None
    decided: bool
    reason: str


def load_bundled(slugs: Iterable[str] | None = None, *, dry_run: bool = False) -> tuple[Recorded, ...]:
    """Record every table that ships with Ratecard (of the named benchmarks only, where some are named).

    Run it after the catalogue is loaded: scores of models that are not there yet wait with `model` NULL and
    find theirs at the next call. Unchanged tables are read and not written.
    """
    wanted = None if slugs is None else set(slugs)
    chosen = {slug: module for slug, module in benchmarks().items() if wanted is None or slug in wanted}
    # One transaction: a commit for each table is half of what they cost.
    with transaction.atomic() if not dry_run else nullcontext():
        recorded = tuple(
            record(slug, read_scores(module, read_table(TABLES / table)), observed_on, dry_run=dry_run)
            for slug, module in chosen.items()
            for observed_on, table in sorted(module.BUNDLED.items())
        )
        if not dry_run:
            for slug, days in _strays().items():
                if slug in chosen:
                    _join_again(chosen[slug], days)
    return recorded


def record(benchmark: str, facts: Sequence[ScoreFact], observed_on: date, *, dry_run: bool = False) -> Recorded:
    """Keep what a benchmark said on a day; KeyError when no module has that slug.

    With `dry_run` the answer is the same and nothing is written.
    """
    module = benchmarks()[benchmark]
    named = read_map(module)
    rows, unmatched = _rows(module, named, facts, observed_on)
    names = {fact.display_name for fact in facts}
    stored = _stored(module, observed_on)
    inserts, updates = _difference(rows, stored)
    if not dry_run and (inserts or updates or not _declared(module).exists()):
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [_LOCK])
            # Another process may have written between the first look and the lock.
            stored = _stored(module, observed_on)
            inserts, updates = _difference(rows, stored)
            _write(declare(module), inserts, updates)
    return Recorded(
        benchmark=benchmark,
        observed_on=observed_on,
        scores=len(facts),
        names=len(names),
        categories=len({fact.category for fact in facts}),
        inserted=len(inserts),
        updated=len(updates),
        unchanged=len(facts) - len(inserts) - len(updates),
        absent=len(stored.keys() - {row[:_KEY] for row in rows}),
        matched=len(names) - len(unmatched),
        unmatched=unmatched,
    )


def unmapped(benchmark: str) -> list[Unmapped]:
    """The names of a benchmark's headline category that have no model, the best first, as they matter most."""
    module = benchmarks()[benchmark]
    named = read_map(module)
    scores = Score.objects.newest(benchmark, next(iter(module.CATEGORIES))).order_by("-value", "-n", "display_name")
    return [
        Unmapped(
            rank, score.raw_name, score.display_name, score.value, score.n,
            decided=line is not None and not line.model, reason=_reason(module, line),
        )
        for rank, score in enumerate(scores, 1)
        if score.model_id is None
        for line in [named.get(score.display_name)]
    ]  # fmt: skip


def day_of(benchmark: str, facts: Sequence[ScoreFact], today: date) -> date:
    """The day of a table read today: that of the newest one where it says just the same, so that it is no new table."""
    newest = Score.objects.filter(benchmark__slug=benchmark).aggregate(day=Max("observed_on"))["day"]
    if newest is None or newest == today or benchmarks()[benchmark].RUNS_DATED:
        return today
    again = record(benchmark, facts, newest, dry_run=True)
    return today if again.inserted or again.updated or again.absent else newest


def rated(scores: Iterable[Score]) -> list[Rated]:
    """Scores of one category as `frontier.select` takes them; have `model` selected along."""
    return [
        Rated(
            display_name=score.display_name,
            model=score.model.slug if score.model else None,
            rating=score.value,
            effort=score.effort,
            low=score.low,
            high=score.high,
            votes=score.n,
            usd_per_task=score.usd_per_task,
            rated_on=score.observed_on,
            seconds_per_task=score.seconds_mean,
        )
        for score in scores
    ]


def model_key(model: str) -> str:
    """The identity (`LanguageModel.key`) of a model a map names as `maker/name`, in any spelling of the name.

    Not the slug: which of two spellings becomes the slug depends on the order in which sources were read.
    """
    maker, slash, name = model.partition("/")
    if not (maker and slash and name):
        raise ValueError(f"A map names a model as maker/name, such as openai/gpt-5, not {model!r}.")
    return f"{maker}/{normal(name)}"


def _strays() -> dict[str, set[date]]:
    """The days of scores that came by a fetch or a file, by benchmark; what ships is joined as it is recorded."""
    strays: dict[str, set[date]] = defaultdict(set)
    for slug, day in Score.objects.order_by().values_list("benchmark__slug", "observed_on").distinct():
        module = benchmarks().get(slug)
        if module is None or day in module.BUNDLED:
            continue
        if not module.RUNS_DATED or day > max(module.BUNDLED, default=date.min):
            strays[slug].add(day)
    return strays


def _join_again(module: Benchmark, days: Collection[date]) -> None:
    """The scores of some days find the models that today's map and catalogue give their names."""
    named = read_map(module)
    scores = Score.objects.filter(benchmark__slug=module.SLUG, observed_on__in=days)
    joined = list(scores.order_by().values_list("display_name", "setting", "model_id", "effort", "raw_name").distinct())
    ids = _ids(named[name] for name, *_ in joined if name in named)
    sold = _sold_as(module, {raw_name for *_, raw_name in joined})
    for name, setting, model_id, effort, raw_name in joined:
        line = named.get(name)
        wanted = ids.get(line.model) if line else sold.get(raw_name), _effort(line, setting)
        if wanted != (model_id, effort):
            scores.filter(display_name=name, setting=setting).update(model_id=wanted[0], effort=wanted[1])


def _ids(lines: Iterable[NamedModel]) -> dict[str, int]:
    """The models of the catalogue that lines of a map name, by what they call them."""
    key_by_model = {line.model: model_key(line.model) for line in lines if line.model}
    id_by_key = dict(LanguageModel.objects.filter(key__in=key_by_model.values()).values_list("key", "id"))
    return {model: id_by_key[key] for model, key in key_by_model.items() if key in id_by_key}


def _sold_as(module: Benchmark, raw_names: Collection[str]) -> dict[str, int]:
    """The models of raw names that are a provider's own ids, or what it calls them at all times; others are none."""
    provider = getattr(module, "SOLD_AS", "")
    if not provider:
        return {}
    called = Alias.objects.filter(
        provider__slug=provider, offering__provider__slug=provider, name__in=raw_names, valid_from=None,
        valid_until=None,
    )  # fmt: skip
    sold = Offering.objects.filter(provider__slug=provider, sku__in=raw_names)
    found = {**dict(called.values_list("name", "offering__model_id")), **dict(sold.values_list("sku", "model_id"))}
    return {name: model for name, model in found.items() if model is not None}


def _effort(line: NamedModel | None, setting: str) -> str:
    return ", ".join(filter(None, (line.effort if line else "", setting)))


def _rows(
    module: Benchmark, named: dict[str, NamedModel], facts: Sequence[ScoreFact], observed_on: date
) -> tuple[list[_Row], tuple[UnmatchedName, ...]]:
    """One row per fact in the order of `_COLUMNS`, and every name that has no model."""
    ids = _ids(named.values())
    sold = _sold_as(module, {fact.raw_name for fact in facts})
    unmatched: dict[str, UnmatchedName] = {}
    rows: list[_Row] = []
    for fact in facts:
        line = named.get(fact.display_name)
        model_id = ids.get(line.model) if line else sold.get(fact.raw_name)
        if model_id is None:
            unmatched[fact.display_name] = UnmatchedName(
                fact.raw_name, fact.display_name, line.model if line else "", _reason(module, line)
            )
        rows.append(
            (
                fact.category,
                fact.display_name,
                fact.setting,
                fact.observed_on or observed_on,
                model_id,
                fact.raw_name,
                _effort(line, fact.setting),
                _rounded(fact.value, _POINTS),
                _rounded(fact.low, _POINTS),
                _rounded(fact.high, _POINTS),
                fact.n,
                _rounded(fact.cost_usd, GRAIN),
                fact.output_tokens,
                fact.input_tokens,
                fact.cases,
                _rounded(fact.seconds_mean, _POINTS),
                _rounded(fact.seconds_p95, _POINTS),
                module.URL,
            )
        )
    return rows, tuple(sorted(unmatched.values(), key=lambda name: (name.raw_name, name.display_name)))


def _rounded(number: Decimal | None, grain: Decimal) -> Decimal | None:
    """As the column keeps it, so that a table with more digits is not a correction every time."""
    return None if number is None else number.quantize(grain, ROUND_HALF_UP)


def _reason(module: Benchmark, line: NamedModel | None) -> str:
    if line is None:
        return f"no line of {module.MAP} names it"
    if line.model:
        return f"the catalogue holds no model {line.model}"
    return line.note


def _stored(module: Benchmark, observed_on: date) -> dict[_Row, _Row]:
    """What the database holds of that day's table, or of all runs where each has its own day."""
    scores = Score.objects.filter(benchmark__slug=module.SLUG)
    if not module.RUNS_DATED:
        scores = scores.filter(observed_on=observed_on)
    return {row[:_KEY]: row for row in scores.values_list(*_COLUMNS)}


def _difference(rows: list[_Row], stored: dict[_Row, _Row]) -> tuple[list[_Row], list[_Row]]:
    inserts = [row for row in rows if row[:_KEY] not in stored]
    updates = [row for row in rows if row[:_KEY] in stored and stored[row[:_KEY]] != row]
    return inserts, updates


def _facts_of(module: Benchmark) -> dict[str, Any]:
    return {
        "name": module.NAME,
        "unit": module.UNIT,
        "url": module.URL,
        "licence": module.LICENCE,
        "attribution": module.ATTRIBUTION,
        "domain": module.DOMAIN,
        "runs_dated": module.RUNS_DATED,
        "ceiling": module.CEILING,
        "saturation": module.SATURATION,
        "public_since": module.PUBLIC_SINCE,
        "contamination": module.CONTAMINATION,
    }


def _declared(module: Benchmark) -> Any:
    return BenchmarkRow.objects.filter(slug=module.SLUG, **_facts_of(module))


def declare(module: Benchmark) -> int:
    """The benchmark's row, saying what its module says; its id."""
    row, _ = BenchmarkRow.objects.update_or_create(slug=module.SLUG, defaults=_facts_of(module))
    return row.pk


def _write(benchmark_id: int, inserts: list[_Row], updates: list[_Row]) -> None:
    """COPY takes 5,600 rows in about 0.1 s where bulk_create takes 0.6 s, and the start-up waits for this."""
    columns = ", ".join(_COLUMNS)
    table = Score._meta.db_table
    with connection.cursor() as cursor:
        if inserts:
            with cursor.copy(f"COPY {table} (benchmark_id, {columns}) FROM STDIN") as copy:
                for row in inserts:
                    copy.write_row((benchmark_id, *row))
        if updates:
            typed = ", ".join(f"{column} {kind}" for column, kind in _TYPE_BY_COLUMN.items())
            cursor.execute(f"CREATE TEMP TABLE corrected_score ({typed}) ON COMMIT DROP")
            with cursor.copy(f"COPY corrected_score ({columns}) FROM STDIN") as copy:
                for row in updates:
                    copy.write_row(row)
            assignments = ", ".join(f"{column} = new.{column}" for column in _COLUMNS[_KEY:])
            same = " AND ".join(f"old.{column} = new.{column}" for column in _COLUMNS[:_KEY])
            cursor.execute(
                f"UPDATE {table} old SET {assignments} FROM corrected_score new WHERE old.benchmark_id = %s AND {same}",
                [benchmark_id],
            )
            cursor.execute("DROP TABLE corrected_score")
