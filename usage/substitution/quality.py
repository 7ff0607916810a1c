"""Is a candidate as good as the model in use? Own paired evaluations, own unpaired ones, Arena, nothing: in this order.

Pure. Non-inferiority (`pricing.noninferiority`): the lower end of the 90 % interval of (candidate − current) against a
margin that was set beforehand. Other benchmarks are shown and decide nothing. No score stands in for another effort's.

Where nobody says at which effort a model is used, and nothing is known of it without one, it is taken to be as good as
the best of its efforts that are rated, and a candidate must hold against every effort an own suite ran: the strictest
reading of what is known. A candidate gains nothing by it: each of its efforts is a candidate of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Final

from pricing.noninferiority import ARENA_VOTES, Difference, Judgement, Verdict, independent, judge, of_interval
from usage.advice import Evidence
from usage.substitution.offers import Rated

OWN: Final = "own"
"""The source of evidence that is the organisation's own evaluation."""
ARENA_NOTE: Final = "Arena is chat preference: what people liked to read, not whether it was right for your work."
CONTEXT_NOTE: Final = "Shown beside; it decides nothing."


@dataclass(frozen=True, slots=True)
class Rating:
    """A published score of one model at one effort with its interval of ± z standard errors; n in votes or items."""

    benchmark: str
    name: str
    value: Decimal
    low: Decimal | None
    high: Decimal | None
    n: int | None = None
    observed_on: date | None = None
    url: str = ""
    unit: str = "points"
    z: float = 1.96


@dataclass(frozen=True, slots=True)
class Own:
    """One own suite's comparison of a candidate with the current model; `difference` None where it says nothing."""

    suite: str
    difference: Difference | None
    observed_on: date | None = None
    url: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Standards:
    """What a project asks: margins of Arena points and of its own scores, and the least rating in its category."""

    margin: Decimal
    evaluation_margin: Decimal
    floor: Decimal | None = None
    category: str = ""


@dataclass(frozen=True, slots=True)
class Scores:
    """All evidence on quality, as of the day.

    `arena` is of the project's category. `own` is by (current, candidate). `others` are other benchmarks and other
    categories of Arena, by model and effort.
    """

    arena: Mapping[Rated, Rating] = field(default_factory=dict)
    own: Mapping[tuple[Rated, Rated], Sequence[Own]] = field(default_factory=dict)
    others: Mapping[Rated, Sequence[Rating]] = field(default_factory=dict)
    _rated: Mapping[str, tuple[Rated, ...]] = field(init=False, compare=False, repr=False, default_factory=dict)
    _ran: Mapping[str, tuple[Rated, ...]] = field(init=False, compare=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rated", _by_model(self.arena))
        object.__setattr__(self, "_ran", _by_model(now for (now, _), found in self.own.items() if found))

    def in_use(self, current: Rated) -> tuple[Rated, ...]:
        """What own suites may have run of a model in use: itself, or where its effort is not stated each that they did.

        One that they ran without an effort is itself.
        """
        return _may_be(current, self._ran)

    def best_in_use(self, current: Rated) -> Rated | None:
        """What is rated of a model in use; where its effort is not stated the best that enough votes stand behind."""
        rated = [one for one in _may_be(current, self._rated) if one in self.arena]
        settled = [one for one in rated if (votes := self.arena[one].n) is None or votes >= ARENA_VOTES]
        return max(settled or rated, key=lambda one: self.arena[one].value, default=None)

    def efforts_by_model(self, current: Rated) -> dict[str, set[str]]:
        """The efforts at which anything decisive is known of each model against the one in use."""
        found: dict[str, set[str]] = defaultdict(set)
        mine = self.in_use(current)
        for one in (*self.arena, *(then for now, then in self.own if now in mine)):
            found[one.model].add(one.effort)
        return found

    def efforts(self, model: str, current: Rated) -> tuple[str, ...]:
        """The same of one model."""
        return tuple(sorted(self.efforts_by_model(current).get(model, ())))


def _by_model(every: Iterable[Rated]) -> dict[str, tuple[Rated, ...]]:
    found: dict[str, set[Rated]] = defaultdict(set)
    for one in every:
        found[one.model].add(one)
    return {model: tuple(sorted(known)) for model, known in found.items()}


def _may_be(current: Rated, known: Mapping[str, tuple[Rated, ...]]) -> tuple[Rated, ...]:
    efforts = known.get(current.model, ())
    return (current,) if current.effort or current in efforts or not efforts else efforts


@dataclass(frozen=True, slots=True)
class Quality:
    """What is known of a candidate against the current model.

    `verdict` is None where there is no evidence at all. `items` would settle one that is not enough. `why` is the
    sentence. `floor_met` is None where the project has no floor, or nobody says how good the candidate is.
    """

    verdict: Verdict | None
    evidence: tuple[Evidence, ...]
    why: str
    items: int | None = None
    floor_met: bool | None = None


def judged(current: Rated, candidate: Rated, scores: Scores, standards: Standards) -> Quality:
    """The verdict on a candidate with all its evidence, what decides first."""
    own = _own_of(current, candidate, scores)
    taken = scores.best_in_use(current)
    rating = scores.arena[taken] if taken else None
    said = "" if taken in (current, None) else f" {_taken_at(taken)}"
    arena = _arena(rating, scores.arena.get(candidate), standards)
    arena = replace(arena, note=arena.note + said) if arena else None
    deciding = _deciding(own)
    if deciding:
        rows = [_own(one, standards) for one in deciding]
        verdict, items, why = _agreed(rows)
        beside = [_own(one, standards) for one in own if one not in deciding]
        evidence = [replace(one, decides=True) for one in rows] + beside
        evidence += [arena] if arena else []
    elif arena and rating:
        verdict, items, why = arena.verdict, arena.items, _arena_said(arena, rating) + said
        evidence = [replace(arena, decides=True)]
    else:
        return Quality(None, (*_context(current, candidate, scores),), _nothing(current, candidate, scores))
    evidence += _context(current, candidate, scores)
    return Quality(verdict, tuple(evidence), why, items, _floor_met(candidate, scores, standards))


def verdict_on(current: Rated, candidate: Rated, scores: Scores, standards: Standards) -> Verdict | None:
    """The verdict of `judged` alone, without its words: there are hundreds of models to ask it of."""
    deciding = _deciding(_own_of(current, candidate, scores))
    if deciding:
        return _agreed([_own(one, standards) for one in deciding])[0]
    taken = scores.best_in_use(current)
    arena = _arena(scores.arena[taken] if taken else None, scores.arena.get(candidate), standards)
    return arena.verdict if arena else None


def _deciding(own: Sequence[Own]) -> Sequence[Own]:
    """Those of own suites that decide: paired comparisons before others."""
    return [one for one in own if one.difference and one.difference.is_paired] or own


def _own_of(current: Rated, candidate: Rated, scores: Scores) -> list[Own]:
    """What own suites say of a candidate against each effort that may be in use."""
    mine = scores.in_use(current)
    return [
        one if now == current else replace(one, suite=f"{one.suite} (yours at {now.effort or 'no effort'})")
        for now in mine
        for one in scores.own.get((now, candidate), ())
        if one.difference is not None
    ]


def _taken_at(taken: Rated | None) -> str:
    effort = taken.effort if taken else ""
    return f"Yours is taken at its best rated effort, {effort}, as nobody says which is in use."


def _own(one: Own, standards: Standards) -> Evidence:
    margin, difference = float(standards.evaluation_margin), one.difference
    if difference is None:
        raise ValueError("A comparison without a difference is no evidence.")
    made = judge(difference, margin)
    return _evidence(OWN, one.suite, "share", difference, made, one.observed_on, one.url, one.why)


def _arena(current: Rating | None, candidate: Rating | None, standards: Standards) -> Evidence | None:
    difference = _difference(current, candidate)
    if difference is None or candidate is None or current is None:
        return None
    votes = None if current.n is None or candidate.n is None else min(current.n, candidate.n)
    made = judge(replace(difference, n=votes), float(standards.margin), least=ARENA_VOTES)
    seen = _earlier(current.observed_on, candidate.observed_on)
    return _evidence("arena", candidate.name, "points", difference, made, seen, candidate.url, ARENA_NOTE)


def _difference(current: Rating | None, candidate: Rating | None) -> Difference | None:
    """Of two published intervals, as independent and normal; None where one has no interval."""
    if current is None or candidate is None or None in (current.low, current.high, candidate.low, candidate.high):
        return None
    a, b = (
        of_interval(float(one.value), float(one.low or 0), float(one.high or 0), None, one.z)
        for one in (current, candidate)
    )
    difference = independent(a, b)
    if current.n is None or candidate.n is None:
        return difference
    # What one vote of each would have as its standard error: for the number of votes that settles it.
    spread = (a.se**2 * current.n + b.se**2 * candidate.n) ** 0.5
    return replace(difference, n=min(current.n, candidate.n), per_item=spread)


def _evidence(
    source: str, name: str, unit: str, found: Difference, made: Judgement, seen: date | None, url: str, note: str
) -> Evidence:
    return Evidence(
        source, name, unit, made.verdict, found.value, found.low, found.high, made.margin, found.n, found.is_paired,
        made.items, seen, url, note,
    )  # fmt: skip


def _agreed(rows: Sequence[Evidence]) -> tuple[Verdict, int | None, str]:
    """What several own suites say together: one that is worse is worse, all must be equal or better to be that."""
    verdicts = {one.verdict for one in rows}
    if Verdict.WORSE in verdicts:
        one = next(row for row in rows if row.verdict is Verdict.WORSE)
        return Verdict.WORSE, None, f"Worse on {_of_own(one)}."
    if Verdict.NOT_ENOUGH in verdicts:
        open_ones = [row for row in rows if row.verdict is Verdict.NOT_ENOUGH]
        items = [row.items for row in open_ones]
        most = None if None in items else max(item for item in items if item is not None)
        return Verdict.NOT_ENOUGH, most, f"Not settled on {_of_own(open_ones[0])}.{_settles(most, 'items')}"
    verdict = Verdict.BETTER if verdicts == {Verdict.BETTER} else Verdict.EQUAL
    more = f" and on {len(rows) - 1} more" if len(rows) > 1 else ""
    return verdict, None, f"{verdict.value.capitalize()} on {_of_own(rows[0])}{more}."


def _of_own(one: Evidence) -> str:
    kind = "paired" if one.is_paired else "not paired"
    items = "" if one.n is None else f"{one.n:,} items, "
    value, low, high = (100 * (part or 0.0) for part in (one.value, one.low, one.high))
    return (
        f"your evaluation {one.name}: {signed(value)} points of 100 ({items}{kind}, 90 % interval {signed(low)} to "
        f"{signed(high)}, margin −{100 * one.margin:g})"
    )


def _arena_said(one: Evidence, current: Rating) -> str:
    value, low, high = (part or 0.0 for part in (one.value, one.low, one.high))
    numbers = f"{signed(value)} points, 90 % interval {signed(low)} to {signed(high)}, margin −{one.margin:g}"
    if one.verdict is not Verdict.NOT_ENOUGH:
        return f"{one.verdict.value.capitalize()} by {current.name}: {numbers}."
    if one.n is None:
        return f"{current.name} does not say how many votes its ratings rest on ({numbers})."
    if one.n < ARENA_VOTES:
        return f"{current.name} has {one.n:,} votes of one of the two; {ARENA_VOTES:,} are needed ({numbers})."
    return f"Not settled by {current.name}: {numbers}.{_settles(one.items, 'votes')}"


def _settles(items: int | None, what: str) -> str:
    return "" if items is None else f" {items:,} {what} would settle it if difference and spread stay."


def _nothing(current: Rated, candidate: Rated, scores: Scores) -> str:
    missing = [one for one in (current, candidate) if one not in scores.arena]
    if not missing:
        return "The two ratings have no interval, and there is no evaluation of your own of both."
    names = " and ".join(_unrated(one, scores) for one in missing)
    return f"Neither an evaluation of your own nor a rating in the project's category says how good {names} is."


def _unrated(one: Rated, scores: Scores) -> str:
    known = sorted({other.effort for other in scores.arena if other.model == one.model})
    effort = f"effort {one.effort}" if one.effort else "no stated effort" if known else ""
    rated = f" (it is rated {', '.join(f'at {other}' if other else 'without one' for other in known)})" if known else ""
    return f"{one.model}{f' at {effort}' if effort else ''}{rated}"


def _context(current: Rated, candidate: Rated, scores: Scores) -> Iterable[Evidence]:
    """Other benchmarks of both, newest of each name, with an interval where both have one; no verdict hangs on them."""
    theirs = {(one.benchmark, one.name): one for one in scores.others.get(candidate, ())}
    for one in scores.others.get(current, ()):
        other = theirs.get((one.benchmark, one.name))
        if other is None:
            continue
        found = _difference(one, other)
        value = float(other.value) - float(one.value)
        low, high, n = (found.low, found.high, found.n) if found else (None, None, None)
        yield Evidence(
            one.benchmark, one.name, one.unit, Verdict.NOT_ENOUGH, value, low, high, 0.0, n,
            observed_on=_earlier(one.observed_on, other.observed_on), url=other.url, note=CONTEXT_NOTE,
        )  # fmt: skip


def _floor_met(candidate: Rated, scores: Scores, standards: Standards) -> bool | None:
    rating = scores.arena.get(candidate)
    if standards.floor is None or rating is None or rating.low is None:
        return None
    return rating.low >= standards.floor


def _earlier(one: date | None, other: date | None) -> date | None:
    return min(one, other) if one and other else one or other


def signed(value: float) -> str:
    """A difference with its sign, one decimal, minus as a minus."""
    text = f"{abs(value):.1f}"
    return "0.0" if text == "0.0" else f"+{text}" if value > 0 else f"−{text}"
