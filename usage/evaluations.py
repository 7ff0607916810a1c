"""The only writer of evaluations: runs and items from files, names decided by people, runs taken away.

The same file twice changes nothing. A file that says something else of a run than the ledger has (it grew, or was
corrected) replaces that run whole; nothing else is touched.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from pricing.models import LanguageModel
from pricing.noninferiority import standard_error
from usage.evaluation_formats import SCORE, Answer, Reading, RunFacts, Source, Unreadable, all_formats
from usage.evaluation_names import Asked, Meant, meanings
from usage.models import EvaluatedName, EvaluationItem, EvaluationRun, Organisation, Project

_COLUMNS = ("organisation_id", "run_id", "item_key", "epoch", "score", "cost_usd", "input_tokens", "output_tokens")


class Outcome(StrEnum):
    NEW = "new"
    UNCHANGED = "unchanged"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class ImportedRun:
    """One run of an import: what it says, what its name means, and what became of it. `pk` None: new in a dry run."""

    facts: RunFacts
    suite: str
    meant: Meant
    outcome: Outcome
    mean: Decimal
    items: int | None
    pk: int | None


@dataclass(slots=True)
class Imported:
    """What became of the files; `left_out` counts answers and measures by why they were."""

    runs: list[ImportedRun] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def count(self, outcome: Outcome) -> int:
        return sum(run.outcome is outcome for run in self.runs)

    @property
    def unresolved(self) -> list[str]:
        """Names that mean no model that is known, each once."""
        return list(dict.fromkeys(run.facts.model for run in self.runs if run.meant.model is None))


def import_sources(
    project: Project, slug: str, sources: Sequence[Source], *, who: str = "", suite: str = "", dry_run: bool = False
) -> Imported:
    """Read files of one format into a project. `Unreadable` with a sentence where that cannot be done: nothing changed.

    `suite` is the suite's name in place of what the files say.
    """
    reader = all_formats().get(slug)
    if reader is None:
        raise Unreadable(f"There is no format “{slug[:40]}”: choose one of {', '.join(all_formats())}.")
    if not sources:
        raise Unreadable(f"Choose a file: {reader.TAKES}.")
    reading = reader.parse(sources)
    for run in reading.runs:
        run.suite = (suite.strip()[:200] or run.suite or PurePosixPath(run.source).stem)[:200]
        _believed(run)
    reading.runs = [run for run in reading.runs if run.answers or run.mean is not None]
    if not reading.runs:
        reasons = "; ".join(f"{count:,} {reason}" for reason, count in reading.left_out.items())
        raise Unreadable(f"Nothing is scored in these files{': ' if reasons else ''}{reasons}.")
    digests = {source.name: _sha256(source) for source in sources}
    with transaction.atomic():
        _lock(project.organisation_id)
        return _put(project, slug, reading, digests, who, dry_run=dry_run)


def decide_name(
    organisation: Organisation, raw_name: str, model: LanguageModel | None, effort: str = "", who: str = ""
) -> int:
    """What a name means from now on, by a person: on every run of the organisation; how many there are."""
    with transaction.atomic():
        _lock(organisation.pk)
        EvaluatedName.objects.update_or_create(
            organisation=organisation, raw_name=raw_name,
            defaults={"model": model, "effort": effort, "decided_by": who, "decided_at": timezone.now()},
        )  # fmt: skip
        return _name_again(organisation, EvaluationRun.objects.filter(raw_name=raw_name))


def forget_name(organisation: Organisation, raw_name: str) -> int:
    """Take a decision back: the resolver says again what the name means."""
    with transaction.atomic():
        _lock(organisation.pk)
        EvaluatedName.objects.filter(organisation=organisation, raw_name=raw_name).delete()
        return _name_again(organisation, EvaluationRun.objects.filter(raw_name=raw_name))


def name_unresolved(organisation: Organisation) -> int:
    """Ask again for names that meant no model: the catalogue may know them by now. How many runs were asked for."""
    with transaction.atomic():
        _lock(organisation.pk)
        return _name_again(organisation, EvaluationRun.objects.filter(model=None))


def remove_run(run: EvaluationRun) -> None:
    """Take a run away with its items."""
    with transaction.atomic():
        _lock(run.organisation_id)
        run.delete()


def _name_again(organisation: Organisation, runs: Any) -> int:
    found = list(runs.filter(organisation=organisation))
    asked = {run.pk: Asked(run.raw_name, run.seller, run.asked_name, run.stated_effort, run.ran_on) for run in found}
    told = meanings(organisation, asked.values())
    for run in found:
        meant = told[asked[run.pk]]
        run.model, run.effort, run.rule = meant.model, meant.effort, meant.rule
    EvaluationRun.objects.bulk_update(found, ["model", "effort", "rule"], batch_size=500)
    return len(found)


def _put(
    project: Project, slug: str, reading: Reading, digests: dict[str, str], who: str, *, dry_run: bool
) -> Imported:
    organisation = project.organisation
    asked = {id(run): Asked(run.model, run.provider, run.name, run.effort, run.ran_on) for run in reading.runs}
    told = meanings(organisation, asked.values())
    keys = {id(run): _digest([slug, *run.identity]) for run in reading.runs}
    held = EvaluationRun.objects.filter(organisation=organisation, project=project, run_key__in=keys.values())
    stored = {run.run_key: run for run in held}
    answer = Imported(left_out=reading.left_out)
    for run in reading.runs:
        meant, columns = told[asked[id(run)]], _columns(run)
        columns |= {"importer": slug, "content_hash": _content(run, columns)}
        before = stored.get(keys[id(run)])
        if before is not None and before.content_hash == columns["content_hash"]:
            outcome, row = Outcome.UNCHANGED, before
        else:
            outcome = Outcome.NEW if before is None else Outcome.REPLACED
            row = before or EvaluationRun(organisation=organisation, project=project, run_key=keys[id(run)])
            named = {"model": meant.model, "effort": meant.effort, "rule": meant.rule}
            source = {"source_name": PurePosixPath(run.source).name[:200], "source_sha256": digests[run.source]}
            for name, value in (columns | named | source | {"imported_by": who, "imported_at": timezone.now()}).items():
                setattr(row, name, value)
            if not dry_run:
                row.save()
                _write_items(row, run.answers, is_new=outcome is Outcome.NEW)
            stored[row.run_key] = row
        answer.runs.append(ImportedRun(run, run.suite, meant, outcome, columns["mean"], columns["items"], row.pk))
    if not dry_run:
        _name_again(organisation, EvaluationRun.objects.filter(model=None))
    return answer


def _columns(run: RunFacts) -> dict[str, Any]:
    """What a run's row holds of the facts; sums only over the answers that state them."""
    columns: dict[str, Any] = {
        "suite": run.suite, "task": run.task, "metric": run.metric, "raw_name": run.model, "seller": run.provider,
        "asked_name": run.name, "stated_effort": run.effort, "ran_on": run.ran_on, "unscored": run.unscored,
        "has_items": bool(run.answers),
    }  # fmt: skip
    if not run.answers:
        assert run.mean is not None  # noqa: S101
        items = run.items or None
        of = items or 1
        return columns | {
            "items": items, "answers": items, "mean": run.mean, "se": run.se, "cost_usd": run.cost_usd,
            "costed": None if run.cost_usd is None else of, "input_tokens": run.input_tokens,
            "output_tokens": run.output_tokens, "counted": None if run.output_tokens is None else of,
        }  # fmt: skip
    by_item: dict[str, list[Decimal]] = {}
    for answer in run.answers:
        by_item.setdefault(answer.key, []).append(answer.score)
    means = [sum(scores, Decimal(0)) / len(scores) for scores in by_item.values()]
    mean = sum(means, Decimal(0)) / len(means)
    around = [float(one - mean) for one in means]
    squares = sum(one * one for one in around)
    se = None if len(means) < 2 else Decimal(repr(standard_error(len(means), sum(around), squares, span=0)))
    costs = [answer.cost_usd for answer in run.answers if answer.cost_usd is not None]
    read_in = [answer.input_tokens for answer in run.answers if answer.input_tokens is not None]
    written = [answer.output_tokens for answer in run.answers if answer.output_tokens is not None]
    return columns | {
        "items": len(means), "answers": len(run.answers), "mean": mean.quantize(SCORE, ROUND_HALF_UP),
        "se": None if se is None else se.quantize(SCORE, ROUND_HALF_UP),
        "cost_usd": sum(costs, Decimal(0)) if costs else None, "costed": len(costs) or None,
        "input_tokens": sum(read_in) if read_in else None,
        "output_tokens": sum(written) if written else None, "counted": len(written) or None,
    }  # fmt: skip


def _believed(run: RunFacts) -> None:
    """Refuses a file that answers one item twice in the same repeat."""
    twice = [key for key, count in Counter((one.key, one.epoch) for one in run.answers).items() if count > 1]
    if twice:
        (item, epoch), run_of = twice[0], f"{run.model} on {run.suite}"
        raise Unreadable(f"{run.source} answers item {item} twice in repeat {epoch} of {run_of}: export the run anew.")


def _content(run: RunFacts, columns: dict[str, Any]) -> str:
    """Equal for two readings that say the same."""
    told = {name: str(value) for name, value in columns.items()}
    answers = sorted(
        f"{one.key} {one.epoch} {one.score} {one.cost_usd} {one.input_tokens} {one.output_tokens}"
        for one in run.answers
    )
    return _digest([told, answers])


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def _sha256(source: Source) -> str:
    digest = hashlib.sha256()
    with source.open() as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _write_items(run: EvaluationRun, answers: Iterable[Answer], *, is_new: bool) -> None:
    """COPY takes half a million items in seconds where bulk_create takes a minute."""
    table = EvaluationItem._meta.db_table
    with connection.cursor() as cursor:
        if not is_new:
            cursor.execute(
                f"DELETE FROM {table} WHERE organisation_id = %s AND run_id = %s", [run.organisation_id, run.pk]
            )
        with cursor.copy(f"COPY {table} ({', '.join(_COLUMNS)}) FROM STDIN") as copy:
            for one in answers:
                copy.write_row(
                    (run.organisation_id, run.pk, one.key, one.epoch, one.score, one.cost_usd, one.input_tokens,
                     one.output_tokens)
                )  # fmt: skip


def _lock(organisation_id: int) -> None:
    """One writer of an organisation's evaluations at a time."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"usage.evaluations:{organisation_id}"]
        )
