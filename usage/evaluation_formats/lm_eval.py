"""lm-evaluation-harness (EleutherAI): `results_DATE.json` and, with --log_samples, `samples_TASK_DATE.jsonl` beside it.

    {"results": {"gsm8k": {"alias": "gsm8k", "exact_match,strict-match": 0.9,
                           "exact_match_stderr,strict-match": 0.008}},
     "n-shot": {"gsm8k": 5}, "higher_is_better": {"gsm8k": {"exact_match": true}}, "date": 1732600000.0,
     "n-samples": {"gsm8k": {"original": 1319, "effective": 1319}}, "model_source": "local-completions",
     "model_name": "gpt-5", "config": {"model": "…", "model_args": "…", "gen_kwargs": "reasoning_effort=low"}}
    {"doc_id": 0, "doc_hash": "9a…", "filter": "strict-match", "metrics": ["exact_match"], "exact_match": 1.0, "doc": …}

https://github.com/EleutherAI/lm-evaluation-harness (loggers/evaluation_tracker.py). A file of samples does not name its
model: the results of the same date do, so both come in one import. A measure is `metric,filter` as in the results. An
item is its number and the digest of its document, so that two versions of a data set do not pair. The harness counts
neither tokens nor money. Measures beyond 0 to 1 (perplexity) and those of which less is better are left out.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from usage.evaluation_formats import (
    MOST_ITEMS,
    Answer,
    Reading,
    RunFacts,
    Source,
    Unreadable,
    day,
    digest,
    effort,
    inner,
    item_key,
    share,
    text,
    tokens,
)
from usage.evaluation_formats._documents import lines

SLUG, NAME = "lm_eval", "lm-evaluation-harness"
TAKES = "results_….json and the samples_….jsonl beside it, together"
FILES = ("results_*.json", "samples_*.jsonl")

_RESULTS_BYTES = 64 << 20
_SAMPLES = re.compile(r"samples_(?P<task>.+)_(?P<date>\d{4}-\d\d-\d\dT[\d\-:.]+)\.jsonl")
_RESULTS = re.compile(r"results_(?P<date>\d{4}-\d\d-\d\dT[\d\-:.]+)\.json")
_SELLERS = {"openai-chat-completions": "openai", "openai-completions": "openai", "anthropic-chat": "anthropic",
            "anthropic-chat-completions": "anthropic", "anthropic-completions": "anthropic"}  # fmt: skip
_NOT_METRICS = {"alias", "name", "sample_len", "sample_count"}
OUT_OF_RANGE = "measures that are not between 0 and 1, or of which less is better"


def parse(sources: Sequence[Source]) -> Reading:
    reading = Reading()
    results = {source.name: _loaded(source) for source in sources if not source.name.endswith(".jsonl")}
    if not results:
        raise Unreadable("Samples alone do not say which model they are of: choose the results_….json beside them too.")
    owned: dict[str, dict[str, Source]] = {name: {} for name in results}
    for source in sources:
        if source.name.endswith(".jsonl"):
            task, owner = _owner(source.name, results)
            if task in owned[owner]:
                raise Unreadable(f"{source.name} is a second file of samples of {task}: import one run at a time.")
            owned[owner][task] = source
    count = 0
    for name, document in results.items():
        for run in _runs(name, document, owned[name], reading):
            count += len(run.answers)
            if count > MOST_ITEMS:
                raise Unreadable(f"These files hold more than {MOST_ITEMS:,} answers: import fewer tasks at once.")
            reading.runs.append(run)
    if not reading.runs:
        raise Unreadable("These results hold no measure between 0 and 1 of which more is better.")
    return reading


def _loaded(source: Source) -> dict[str, Any]:
    with source.open() as stream:
        body = stream.read(_RESULTS_BYTES + 1)
    if len(body) > _RESULTS_BYTES:
        raise Unreadable(
            f"{source.name} is larger than {_RESULTS_BYTES >> 20} MiB: it is no results_….json of the harness."
        )
    try:
        found = json.loads(body)  # Python's own, as the harness writes NaN
    except (ValueError, RecursionError):
        raise Unreadable(f"{source.name} is no JSON: it was cut off, or it is another file.") from None
    if not isinstance(found, dict) or not isinstance(found.get("results"), dict):
        raise Unreadable(f"{source.name} has no “results” by task: choose the results_….json of lm_eval --output_path.")
    if not _model(found):
        raise Unreadable(f"{source.name} does not name its model under “model_name” or “config”.")
    return found


def _owner(name: str, results: Mapping[str, dict[str, Any]]) -> tuple[str, str]:
    """The task of a file of samples and the results it belongs to: of the same date, or the only ones."""
    found = _SAMPLES.fullmatch(name.rsplit("/", 1)[-1])
    task = found["task"] if found else name.rsplit("/", 1)[-1].removeprefix("samples_").removesuffix(".jsonl")
    same = [
        one
        for one in results
        if found and (r := _RESULTS.fullmatch(one.rsplit("/", 1)[-1])) and r["date"] == found["date"]
    ]
    same = same or (list(results) if len(results) == 1 else [])
    if len(same) > 1:
        same = [one for one in same if one.rpartition("/")[0] == name.rpartition("/")[0]]
    same = [one for one in same if task in results[one]["results"]]
    if len(same) != 1:
        raise Unreadable(
            f"No results_….json of {name} is among the files, or its task is not in it: choose both of one run."
        )
    return task, same[0]


def _runs(name: str, document: dict[str, Any], samples: Mapping[str, Source], reading: Reading) -> Iterable[RunFacts]:
    better = inner(document.get("higher_is_better"))
    for task, measured in document["results"].items():
        if not isinstance(measured, dict):
            continue
        answers = _answers(samples[task]) if task in samples else {}
        for key, value in measured.items():
            metric, _, rule = key.partition(",")
            if metric in _NOT_METRICS or metric.endswith("_stderr") or isinstance(value, str | dict | list):
                continue
            directions = better.get(task)
            rises = not isinstance(directions, dict) or directions.get(metric) is not False
            given = answers.get((metric, rule), answers.get((metric, ""), []))
            if share(value) is None or not rises or any(one is None for _, one in given):
                reading.left_out[OUT_OF_RANGE] += 1
                continue
            run = _run(name, document, task, key, value)
            seen: Counter[str] = Counter()
            for item, score in given:
                seen[item] += 1
                run.answers.append(Answer(item, score, seen[item]))
            run.se = share(measured.get(f"{metric}_stderr,{rule}"))
            yield run


def _run(name: str, document: dict[str, Any], task: str, metric: str, value: object) -> RunFacts:
    model = _model(document)
    config = inner(document.get("config"))
    counted = inner(document.get("n-samples"))
    shots = inner(document.get("n-shot"))
    of_task = counted.get(task)
    shot = tokens(shots.get(task))
    source = text(document.get("model_source"), 60) or text(config.get("model"), 60)
    hashes = document.get("task_hashes")
    identity = (model, str(document.get("date")), digest([config, hashes])[:16], task, metric)
    return RunFacts(
        identity=identity, suite=text(task), metric=text(metric, 120), model=model, source=name,
        task="" if shot is None else f"{shot}-shot", provider=_SELLERS.get(source, ""), name=model,
        effort=effort(_argument(config.get("gen_kwargs"))) or effort(_argument(config.get("model_args"))),
        ran_on=day(document.get("date")), mean=share(value),
        items=(tokens(of_task.get("effective")) or None) if isinstance(of_task, dict) else None,
    )  # fmt: skip


def _answers(source: Source) -> dict[tuple[str, str], list[tuple[str, Any]]]:
    """By measure and filter, the items with their scores; None for one that is no share."""
    found: dict[tuple[str, str], list[tuple[str, Any]]] = {}
    for number, record in enumerate(_records(source), 1):
        if number > 4 * MOST_ITEMS:
            raise Unreadable(f"{source.name} holds too many lines: import a part of them.")
        if "doc_id" not in record and "doc_hash" not in record:
            raise Unreadable(
                f"Line {number} of {source.name} has neither doc_id nor doc_hash: it is no file of samples."
            )
        document = text(record.get("doc_hash"), 64)[:16]
        own = item_key(record.get("doc_id"))[:60]
        item = f"{own}-{document}" if document else own
        rule = text(record.get("filter"), 60)
        told = record.get("metrics")
        metrics = (
            told if isinstance(told, list) else [key for key, one in record.items() if isinstance(one, int | float)]
        )
        for metric in metrics:
            if isinstance(metric, str) and metric in record and metric != "doc_id":
                plain, _, own_rule = metric.partition(",")
                found.setdefault((plain, own_rule or rule), []).append((item, share(record[metric])))
    return found


def _records(source: Source) -> Iterator[dict[str, Any]]:
    with source.open() as stream:
        yield from lines(stream, source.name)


def _model(document: Mapping[str, Any]) -> str:
    config = inner(document.get("config"))
    arguments = config.get("model_args")
    named = _argument(arguments, "model") or _argument(arguments, "pretrained")
    return text(document.get("model_name"), 300) or text(named, 300)


def _argument(arguments: object, name: str = "reasoning_effort") -> object:
    """One of `a=1,b=2`, or of an object."""
    if isinstance(arguments, dict):
        return arguments.get(name)
    for part in str(arguments or "").split(","):
        key, equals, value = part.partition("=")
        if equals and key.strip() == name:
            return value.strip()
    return None
