"""Inspect (UK AI Security Institute): a `.eval` log, which is a zip of JSON, or a `.json` log.

    {"status": "success", "eval": {"eval_id", "run_id", "created", "task", "task_args_passed", "model", "dataset",
      "model_generate_config": {"reasoning_effort": "low"}}, "plan": {"config": {…}},
     "results": {"scores": [{"name", "scorer", "metrics": {"accuracy": {"value"}, "stderr": {"value"}}}]},
     "samples": [{"id": 1, "epoch": 1, "scores": {"match": {"value": "C"}},
                  "model_usage": {"openai/gpt-5": {"input_tokens", "output_tokens", "input_tokens_cache_read", …}}}]}

In the zip `header.json` is all but the samples, and `summaries.json` has of each sample what is needed here; older logs
have `samples/ID_epoch_N.json` only. https://inspect.aisi.org.uk/eval-logs.html. Values: C 1, P 0.5, I and N (no answer)
0, or a number, as Inspect's own value_to_float reads them. A score that is a dict is a measure for each of its names.
Every scorer is a measure of its own. NaN, which Inspect writes for what a scorer left unscored, is no score. A sample's
usage is that of the model under test, not of its graders.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import IO, Any, Final

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
    money,
    number,
    share,
    text,
    tokens,
)
from usage.evaluation_formats._documents import ALL, Each, read
from usage.evaluation_formats._names import of_slashes

SLUG, NAME = "inspect", "Inspect"
TAKES = "a .eval or .json log of Inspect"
FILES = ("*.eval", "*.json")

_VALUE = {"value": ALL}
_SAMPLE: dict[str, Any] = {"id": ALL, "epoch": ALL, "scores": ALL, "model_usage": ALL, "error": ALL}
_HEADER: dict[str, Any] = {
    "status": ALL, "version": ALL,
    "eval": {"eval_id": ALL, "run_id": ALL, "created": ALL, "task": ALL, "task_version": ALL, "task_args": ALL,
             "task_args_passed": ALL, "model": ALL, "model_generate_config": {"reasoning_effort": ALL, "effort": ALL}},
    "plan": {"config": {"reasoning_effort": ALL, "effort": ALL}},
    "results": {"completed_samples": ALL, "total_samples": ALL, "scores": {"name": ALL, "scorer": ALL, "metrics": ALL}},
    "stats": {"completed_at": ALL, "model_usage": ALL},
}  # fmt: skip
_LETTERS = {"C": "1", "P": "0.5", "I": "0", "N": "0", "YES": "1", "TRUE": "1", "NO": "0", "FALSE": "0"}
_MEANS: Final = ("accuracy", "mean")
_MEMBERS, _MEMBER_BYTES, _RATIO = 400_000, 4 << 30, 300
_ZSTD = 93
UNSCORED = "scores that are null or NaN: their scorer gave none"
NO_SCORE = "samples without a score: they ended in an error"
OUT_OF_RANGE = "scores that are not between 0 and 1: divide them by their scale in the scorer"


def parse(sources: Sequence[Source]) -> Reading:
    reading = Reading()
    for source in sources:
        with source.open() as stream:
            is_zip = stream.read(4) == b"PK\x03\x04"
        samples = _Samples(source.name, reading)
        with source.open() as stream:
            header = _from_zip(source, stream, samples) if is_zip else _from_json(source, stream, samples)
        _runs(source, header, samples, reading)
    return reading


class _Samples:
    """What is kept of samples while they are read: by measure, an answer each."""

    def __init__(self, name: str, reading: Reading) -> None:
        self.name, self.reading = name, reading
        self.by_metric: dict[str, list[tuple[str, int, Decimal, Any]]] = {}
        self.unscored, self.count = 0, 0
        self.odd: Counter[str] = Counter()
        self.blank: Counter[str] = Counter()
        self.scorers: dict[str, str] = {}

    def take(self, sample: Any) -> None:
        if not isinstance(sample, dict) or "id" not in sample:
            raise Unreadable(f"{self.name} holds a sample without an id: it is no log of Inspect.")
        self.count += 1
        if self.count > MOST_ITEMS:
            raise Unreadable(f"{self.name} holds more than {MOST_ITEMS:,} samples: import a part of it.")
        scores = sample.get("scores")
        if not isinstance(scores, dict) or not scores:
            self.unscored += 1
            self.reading.left_out[NO_SCORE] += 1
            return
        key, epoch = item_key(sample["id"]), tokens(sample.get("epoch")) or 1
        usage = sample.get("model_usage")
        for scorer, score in scores.items():
            value = score.get("value") if isinstance(score, dict) else score
            named = text(scorer, 100) or "score"
            for metric, one in _measures(named, value):
                self.scorers[metric] = named
                found = _share(one)
                if one is None:
                    self.blank[metric] += 1
                    self.reading.left_out[UNSCORED] += 1
                elif found is None:
                    self.odd[metric] += 1
                    self.reading.left_out[OUT_OF_RANGE] += 1
                else:
                    self.by_metric.setdefault(metric, []).append((key, min(epoch, 30_000), found, usage))

    def unscored_by(self, metric: str) -> int:
        """Samples without a score of a measure: none at all, none of this name, or none where others have several."""
        return self.unscored + sum(self.blank[one] for one in {metric, self.scorers[metric]})


def _measures(scorer: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield f"{scorer}/{text(name, 60)}"[:120], one
    else:
        yield scorer, value


def _share(value: Any) -> Decimal | None:
    if isinstance(value, str) and value.strip().upper() in _LETTERS:
        return Decimal(_LETTERS[value.strip().upper()])
    return share(value)


def _from_json(source: Source, stream: IO[bytes], samples: _Samples) -> dict[str, Any]:
    found = read(stream, _HEADER | {"samples": Each(_SAMPLE, samples.take)}, source.name)
    return found if isinstance(found, dict) else {}


def _from_zip(source: Source, stream: IO[bytes], samples: _Samples) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(stream) as archive:
            members = {one.filename: one for one in archive.infolist()}
            _believed(source.name, members)
            start = _member(archive, members, "_journal/start.json", source.name, _HEADER)
            header = _member(archive, members, "header.json", source.name, _HEADER)
            if not header:
                raise Unreadable(
                    f"{source.name} has no header: the evaluation did not finish. Finish it with inspect eval-retry."
                )
            if "summaries.json" in members:
                _each(archive, "summaries.json", source.name, samples)
            else:
                for name in sorted(members):
                    if name.startswith("samples/") and name.endswith(".json"):
                        with archive.open(name) as member:
                            samples.take(read(member, _SAMPLE, f"{name} in {source.name}"))
            return start | header
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError):
        raise Unreadable(f"{source.name} is damaged or no .eval log: copy it anew.") from None


def _believed(name: str, members: dict[str, zipfile.ZipInfo]) -> None:
    """Refuses what no log holds, before anything is unpacked."""
    if len(members) > _MEMBERS:
        raise Unreadable(f"{name} holds more than {_MEMBERS:,} files: it is no log of Inspect.")
    for one in members.values():
        if one.compress_type == _ZSTD:
            raise Unreadable(
                f"{name} is compressed with zstd, which is not read here: convert it with "
                f"`inspect log convert {name} --to json --output-dir converted` and import that."
            )
        if one.file_size > _MEMBER_BYTES or (
            one.file_size > max(one.compress_size, 1) * _RATIO and one.file_size > 64 << 20
        ):
            raise Unreadable(f"{one.filename[:80]} in {name} unpacks to more than any log holds.")


def _member(
    archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], member: str, name: str, wanted: Any
) -> dict[str, Any]:
    if member not in members:
        return {}
    with archive.open(member) as stream:
        found = read(stream, wanted, f"{member} in {name}")
    return found if isinstance(found, dict) else {}


def _each(archive: zipfile.ZipFile, member: str, name: str, samples: _Samples) -> None:
    with archive.open(member) as stream:
        read(stream, Each(_SAMPLE, samples.take), f"{member} in {name}")


def _runs(source: Source, header: dict[str, Any], samples: _Samples, reading: Reading) -> None:
    told = inner(header.get("eval"))
    model, task = text(told.get("model"), 300), text(told.get("task"))
    if not model or not task:
        raise Unreadable(f"{source.name} is no log of Inspect: it names no task and model under “eval”.")
    status = text(header.get("status"), 20)
    if status != "success":
        raise Unreadable(
            f"{source.name} is of an evaluation that did not finish ({status or 'no status'}): what is scored of it is "
            "no fair part. Finish it with inspect eval-retry and import that log."
        )
    arguments = told.get("task_args_passed") or told.get("task_args")
    seller, name = of_slashes(model)
    run_id = text(told.get("eval_id")) or text(told.get("run_id")) or digest([str(told.get("created")), task, model])

    def run_of(metric: str) -> RunFacts:
        return RunFacts(
            identity=(run_id, metric), suite=task, metric=metric, model=model, source=source.name,
            task=f"arguments {digest(arguments)[:8]}" if arguments else "", provider=seller, name=name,
            effort=_effort(told.get("model_generate_config")) or _effort(inner(header.get("plan")).get("config")),
            ran_on=day(told.get("created")),
        )  # fmt: skip

    for metric, answers in samples.by_metric.items():
        if samples.odd[metric]:
            continue  # a measure of which a part has another scale
        run = run_of(metric)
        run.unscored = samples.unscored_by(metric)
        run.answers = [Answer(key, score, epoch, *_used(used, model)) for key, epoch, score, used in answers]
        reading.runs.append(run)
    if not samples.count:
        usage = inner(header.get("stats")).get("model_usage")
        for metric, (mean, se, items) in _stated(header).items():
            run = run_of(metric)
            run.mean, run.se, run.items = mean, se, items
            run.cost_usd, run.input_tokens, run.output_tokens = _used(usage, model)
            reading.runs.append(run)
    if not reading.runs:
        raise Unreadable(f"{source.name} holds no score between 0 and 1.")


def _effort(config: Any) -> str:
    return (effort(config.get("reasoning_effort")) or effort(config.get("effort"))) if isinstance(config, dict) else ""


def _stated(header: dict[str, Any]) -> dict[str, tuple[Decimal, Decimal | None, int | None]]:
    """Of each scorer the mean it states, its standard error, and how many samples there were."""
    results = inner(header.get("results"))
    items = tokens(results.get("completed_samples"))
    found = {}
    for one in results.get("scores") or ():
        metrics = one.get("metrics") if isinstance(one, dict) else None
        if not isinstance(metrics, dict):
            continue
        values = {name: share(m.get("value")) if isinstance(m, dict) else None for name, m in metrics.items()}
        mean = next((values[name] for name in _MEANS if values.get(name) is not None), None)
        if mean is not None:
            found[text(one.get("name"), 120) or text(one.get("scorer"), 120) or "score"] = (
                mean,
                values.get("stderr"),
                items,
            )
    return found


def _used(usage: Any, model: str) -> tuple[Decimal | None, int | None, int | None]:
    """Cost, input with what came from the cache, and output of the model under test; None where that is not told."""
    own = usage.get(model) if isinstance(usage, dict) else None
    if not isinstance(own, dict):
        return None, None, None
    read_in = [
        tokens(own.get(name)) for name in ("input_tokens", "input_tokens_cache_read", "input_tokens_cache_write")
    ]
    cost = money(own.get("total_cost")) if number(own.get("total_cost")) else None
    return cost, None if read_in[0] is None else sum(one or 0 for one in read_in), tokens(own.get("output_tokens"))
