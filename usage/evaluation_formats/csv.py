"""A table of ours, for whatever has no reader: one line an answer, with a header.

    suite,item,model,score,effort,cost_usd,output_tokens,run_date
    triage,ticket-17,openai/gpt-5-mini,1,low,0.00021,388,2026-11-03

`item`, `model` and `score` are needed; a score lies between 0 and 1. An empty cell is unknown; an answer whose score is
(empty, NaN, null, N/A) is counted as unscored, as one that ended in an error is elsewhere.
Lines of one suite, task, metric, model, effort and day are a run; a second line of an item in it is a repeat.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import TypeVar

from usage.evaluation_formats import (
    MOST_ITEMS,
    Answer,
    Reading,
    RunFacts,
    Source,
    Unreadable,
    day,
    item_key,
    money,
    share,
    text,
    tokens,
)

SLUG, NAME = "csv", "CSV"
TAKES = "a CSV with the columns item, model and score"
FILES = ("*.csv",)

NEEDED = ("item", "model", "score")
OPTIONAL = ("suite", "task", "metric", "effort", "cost_usd", "input_tokens", "output_tokens", "run_date")
_OTHER_NAMES = {
    "item_id": "item", "id": "item", "question_id": "item", "model_name": "model", "correct": "score", "value": "score",
    "cost": "cost_usd", "date": "run_date", "evaluation": "suite", "reasoning_effort": "effort",
}  # fmt: skip
_LINE = 1 << 20
_UNKNOWN = frozenset({"", "nan", "null", "none", "n/a", "na"})
NO_SCORE = "answers without a score"
Number = TypeVar("Number")


def parse(sources: Sequence[Source]) -> Reading:
    reading = Reading()
    for source in sources:
        _table(source, reading)
    return reading


def _table(source: Source, reading: Reading) -> None:
    runs: dict[tuple[str, ...], RunFacts] = {}
    seen: Counter[tuple[tuple[str, ...], str]] = Counter()
    for number, cells in _lines(source):
        if number > MOST_ITEMS + 1:
            raise Unreadable(f"{source.name} has more than {MOST_ITEMS:,} lines: split it by model.")
        run = _run(source, cells, number)
        key = (run.suite, run.task, run.metric, run.model, run.effort, str(run.ran_on))
        run = runs.setdefault(key, run)
        if cells["score"].strip().lower() in _UNKNOWN:
            run.unscored += 1
            reading.left_out[NO_SCORE] += 1
            continue
        score = share(cells["score"].strip() if not _is_truth(cells["score"]) else _is_truth(cells["score"]) == "1")
        if score is None:
            raise Unreadable(
                f"Line {number} of {source.name}: the score is {cells['score'][:20]!r}; it must lie between 0 and 1. "
                "Divide points by their scale first."
            )
        item = item_key(cells["item"].strip())
        seen[key, item] += 1
        run.answers.append(
            Answer(
                item, score, seen[key, item],
                _number(cells, "cost_usd", money, number, source),
                _number(cells, "input_tokens", tokens, number, source),
                _number(cells, "output_tokens", tokens, number, source),
            )
        )  # fmt: skip
    if not runs:
        raise Unreadable(f"{source.name} has no lines below its header.")
    reading.runs += runs.values()


def _is_truth(cell: str) -> str:
    return {"true": "1", "pass": "1", "false": "0", "fail": "0"}.get(cell.strip().lower(), "")


def _number(
    cells: dict[str, str], name: str, read: Callable[[object], Number | None], number: int, source: Source
) -> Number | None:
    if not cells.get(name, "").strip():
        return None
    found = read(cells[name])
    if found is None:
        raise Unreadable(
            f"Line {number} of {source.name}: {name} is {cells[name][:20]!r}; write a number of 0 or more."
        )
    return found


def _run(source: Source, cells: dict[str, str], number: int) -> RunFacts:
    model, when = text(cells["model"], 300), cells.get("run_date", "").strip()
    if not model or not cells["item"].strip():
        raise Unreadable(f"Line {number} of {source.name} has no {'item' if model else 'model'}.")
    ran_on = day(when) if when else None
    if when and ran_on is None:
        raise Unreadable(f"Line {number} of {source.name}: run_date is {when[:20]!r}; write a day such as 2026-11-03.")
    suite = text(cells.get("suite", "")) or text(PurePosixPath(source.name).stem)
    task, metric = text(cells.get("task", "")), text(cells.get("metric", ""), 120) or "score"
    said = text(cells.get("effort", ""), 60).lower()
    return RunFacts(
        identity=("csv", suite, task, metric, model, said, str(ran_on)), suite=suite, metric=metric, model=model,
        source=source.name, task=task, name=model, effort=said, ran_on=ran_on,
    )  # fmt: skip


def _lines(source: Source) -> Iterator[tuple[int, dict[str, str]]]:
    """The number and the cells of each line, by the name of the column."""
    with source.open() as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", errors="strict", newline="") as file:
        try:
            first = file.readline(_LINE)
            rows = csv.reader(_capped(file), delimiter=";" if first.count(";") > first.count(",") else ",", strict=True)
            columns = _header(
                source, next(csv.reader([first], delimiter=";" if first.count(";") > first.count(",") else ","))
            )
            for number, row in enumerate(rows, 2):
                if not any(cell.strip() for cell in row):
                    continue
                if len(row) != len(columns):
                    raise Unreadable(f"Line {number} of {source.name} has not as many cells as the header has columns.")
                yield number, dict(zip(columns, row, strict=True))
        except (csv.Error, StopIteration, UnicodeDecodeError):
            raise Unreadable(f"{source.name} is no CSV in UTF-8: export it as one.") from None


def _capped(file: io.TextIOWrapper) -> Iterator[str]:
    while line := file.readline(_LINE):
        yield line


def _header(source: Source, names: list[str]) -> list[str]:
    """What each column is; a column with another name is passed over under that name."""
    columns = [_OTHER_NAMES.get(plain := name.strip().lower().replace(" ", "_"), plain) for name in names]
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise Unreadable(
            f"The header of {source.name} has no column {', '.join(missing)}. Needed: {', '.join(NEEDED)}; "
            f"understood too: {', '.join(OPTIONAL)}. The first line names the columns."
        )
    twice = [name for name in (*NEEDED, *OPTIONAL) if columns.count(name) > 1]
    if twice:
        raise Unreadable(f"The header of {source.name} has the column {twice[0]} twice, by that name or another.")
    return columns
