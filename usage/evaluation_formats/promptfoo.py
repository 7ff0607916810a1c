"""promptfoo: `promptfoo eval -o output.json` or `-o output.jsonl`, of any number of providers, prompts and repeats.

    {"evalId": "eval-x", "results": {"version": 3, "timestamp": "2026-11-01T…", "prompts": [{"id", "provider", …}],
     "results": [{"promptIdx": 0, "testIdx": 0, "promptId": "9ab…",
       "provider": {"id": "openai:chat:gpt-5", "label": ""},
       "score": 1, "success": true, "failureReason": 0, "cost": 0.0002, "vars": {…}, "testCase": {"assert": […]},
       "response": {"tokenUsage": {"prompt", "completion", "total", "cached"}, "cached": false}}]},
     "config": {"description": "…", "providers": [{"id", "label", "config": {"reasoning_effort": "low"}}]}}

https://www.promptfoo.dev/docs/configuration/reference/ (EvaluateResult). failureReason 2 is an error of the provider or
of an assertion: no score. A repeated test has the same variables and assertions, so it is one item. An answer out of
promptfoo's cache cost nothing *this* time, and a cost of 0 is written where promptfoo knows no price: both are unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
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
    money,
    share,
    text,
    tokens,
)
from usage.evaluation_formats._documents import ALL, Each, first_byte, lines, read
from usage.evaluation_formats._names import of_colons

SLUG, NAME = "promptfoo", "promptfoo"
TAKES = "output.json or output.jsonl of promptfoo eval -o"
FILES = ("*.json", "*.jsonl")

_RESULT = {
    "promptIdx": ALL, "testIdx": ALL, "promptId": ALL, "provider": ALL, "score": ALL, "failureReason": ALL, "cost": ALL,
    "vars": ALL, "prompt": {"label": ALL, "raw": ALL, "id": ALL}, "error": ALL,
    "testCase": {"assert": ALL, "description": ALL, "vars": ALL}, "tokenUsage": ALL,
    "response": {"tokenUsage": ALL, "cost": ALL, "cached": ALL, "error": ALL},
}  # fmt: skip
_ERROR = 2
NO_SCORE = "answers without a score: the provider or an assertion failed"
OUT_OF_RANGE = "answers whose score is not between 0 and 1: set weights and thresholds so that it is"


def parse(sources: Sequence[Source]) -> Reading:
    reading = Reading()
    for source in sources:
        _File(source, reading).read()
    return reading


@dataclass(frozen=True, slots=True)
class Entry:
    """A provider as the configuration names it; '' for no label, and for no effort."""

    id: str
    label: str
    effort: str


class _File:
    """One file, read record by record into the runs of its providers and prompts."""

    def __init__(self, source: Source, reading: Reading) -> None:
        self.source, self.reading = source, reading
        self.runs: dict[tuple[str, str, str, int], RunFacts] = {}
        self.seen: Counter[tuple[int, str]] = Counter()
        self.count = 0

    def read(self) -> None:
        with self.source.open() as stream:
            is_lines = self.source.name.endswith((".jsonl", ".ndjson"))
            if not is_lines and first_byte(stream) != b"{":
                raise Unreadable(
                    f"{self.source.name} is no output of promptfoo: make one with promptfoo eval -o output.json."
                )
        head: dict[str, Any] = {}
        with self.source.open() as stream:
            if is_lines:
                for record in lines(stream, self.source.name):
                    self.take(record)
            else:
                each = Each(_RESULT, self.take)
                wanted = {"evalId": ALL, "createdAt": ALL, "timestamp": ALL,
                          "results": ({"timestamp": ALL, "results": each}, each),
                          "config": {"description": ALL, "providers": ALL}}  # fmt: skip
                found = read(stream, wanted, self.source.name)
                head = found if isinstance(found, dict) else {}
        self.finish(head)

    def take(self, record: Any) -> None:
        """One result: an answer of one provider to one test with one prompt."""
        if not isinstance(record, dict) or not (provider := _provider(record)):
            raise Unreadable(
                f"{self.source.name} holds a result without a provider: it is no output of promptfoo eval -o."
            )
        self.count += 1
        if self.count > MOST_ITEMS:
            raise Unreadable(f"{self.source.name} holds more than {MOST_ITEMS:,} answers: split it by provider.")
        run = self.run_of(provider, _label(record), _prompt(record), tokens(record.get("promptIdx")) or 0)
        response = inner(record.get("response"))
        # Before there was a failureReason an error showed by an answer that is missing or is one.
        silent = "failureReason" not in record and bool(record.get("error")) and not record.get("response")
        if record.get("failureReason") == _ERROR or silent or (response.get("error") and not record.get("score")):
            run.unscored += 1
            self.reading.left_out[NO_SCORE] += 1
            return
        score = share(record.get("score"))
        if score is None:
            run.unscored += 1
            self.reading.left_out[OUT_OF_RANGE] += 1
            return
        key = _item(record)
        self.seen[id(run), key] += 1
        run.answers.append(_answer(record, response, key, score, self.seen[id(run), key]))

    def run_of(self, provider: str, label: str, prompt: str, column: int) -> RunFacts:
        found = self.runs.get((provider, label, prompt, column))
        if found is None:
            seller, name = of_colons(provider)
            # A label tells two settings of one model apart, so it is part of the name a person reads.
            model = f"{provider} ({label})" if label and label != provider else provider
            found = RunFacts(
                identity=(provider, label, prompt), suite="", metric="score", model=model[:300],
                source=self.source.name, task=f"prompt {prompt[:8]}", provider=seller, name=name,
            )  # fmt: skip
            self.runs[provider, label, prompt, column] = found
        return found

    def finish(self, head: dict[str, Any]) -> None:
        """What the document says of all its results."""
        results = head.get("results")
        summary: dict[str, Any] = results if isinstance(results, dict) else head
        config = inner(head.get("config"))
        if not self.runs:
            raise Unreadable(
                f"{self.source.name} holds no results of promptfoo: make the file with promptfoo eval -o output.json."
            )
        ran_on = day(summary.get("timestamp")) or day(head.get("createdAt"))
        run_id = text(head.get("evalId")) or digest([str(ran_on), self.source.name])
        entries = _entries(config.get("providers"))
        columns: dict[tuple[str, str, str], list[int]] = {}
        for provider, label, prompt, column in sorted(self.runs):
            columns.setdefault((provider, label, prompt), []).append(column)
        for (provider, label, prompt, column), run in self.runs.items():
            own = columns[provider, label, prompt]
            place = own.index(column)
            run.identity = (run_id, *run.identity, *([str(place)] if place else []))
            run.suite, run.ran_on = text(config.get("description")), ran_on
            run.effort = self.effort_of(entries, provider, label, place, len(own))
            self.reading.runs.append(run)

    def effort_of(self, entries: Sequence[Entry], provider: str, label: str, place: int, among: int) -> str:
        """That of the entry a run is of. Those of one id and label are told apart by their columns, which stand in the
        order of the entries; a name that one entry alone has is that entry's."""
        label = "" if label == provider else label
        said = (
            [one.effort for one in entries if (one.id, one.label) == (provider, label)]
            or [one.effort for one in entries if label and one.label == label]
            or [one.effort for one in entries if not label and one.id == provider]
        )
        if len(set(said)) < 2:
            return said[0] if said else ""
        if len(said) == among:
            return said[place]
        raise Unreadable(f"{self.source.name} has several settings of {provider} that nothing tells apart: label each.")


def _provider(record: dict[str, Any]) -> str:
    found = record.get("provider")
    return text(found.get("id") if isinstance(found, dict) else found, 200)


def _label(record: dict[str, Any]) -> str:
    found = record.get("provider")
    return text(found.get("label"), 90) if isinstance(found, dict) else ""


def _prompt(record: dict[str, Any]) -> str:
    """A digest that is the same for the same prompt template; never its words."""
    stated = record.get("promptId")
    if isinstance(stated, str) and stated:
        return digest(stated)
    prompt = inner(record.get("prompt"))
    return digest(prompt.get("id") or prompt.get("label") or record.get("promptIdx"))


def _item(record: dict[str, Any]) -> str:
    """What is the same for the same test, whatever file it stands in: a digest of variables and assertions."""
    case = inner(record.get("testCase"))
    found = record.get("vars") or case.get("vars")
    plain = (
        {k: v for k, v in found.items() if k != "sessionId" and not k.startswith("_")}
        if isinstance(found, dict)
        else {}
    )
    told = [plain, case.get("assert"), case.get("description")]
    return digest(told) if any(told) else digest(["test", record.get("testIdx")])


def _answer(record: dict[str, Any], response: Any, key: str, score: Any, epoch: int) -> Answer:
    used = response.get("tokenUsage") or record.get("tokenUsage")
    used = used if isinstance(used, dict) else {}
    if response.get("cached") is True or (tokens(used.get("cached")) and not tokens(used.get("completion"))):
        return Answer(key, score, epoch)
    cost = money(record.get("cost")) or money(response.get("cost"))
    # promptfoo writes 0 where it knows no count
    return Answer(
        key, score, epoch, cost or None, tokens(used.get("prompt")) or None, tokens(used.get("completion")) or None
    )


def _entries(providers: object) -> list[Entry]:
    """What the configuration runs, in order."""
    found = []
    for one in providers if isinstance(providers, list) else ():
        entry = one if isinstance(one, dict) else {"id": one}
        if "id" not in entry and len(entry) == 1:  # {"openai:chat:gpt-5": {"config": …}}
            [(name, told)] = entry.items()
            entry = {"id": name, **inner(told)}
        config = inner(entry.get("config"))
        reasoning = inner(config.get("reasoning"))
        said = effort(config.get("reasoning_effort")) or effort(reasoning.get("effort")) or effort(config.get("effort"))
        id_, label = text(entry.get("id"), 200), text(entry.get("label"), 90)
        found.append(Entry(id_, "" if label == id_ else label, said))
    return found
