"""Is a candidate as good as the model in use? Own paired evaluations, own unpaired ones, Arena, nothing: in this order.

Pure. Non-inferiority (`pricing.noninferiority`): the lower end of the 90 % interval of (candidate − current) against a
margin that was set beforehand. Other benchmarks are shown and decide nothing. No score stands in for another effort's.
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

    def efforts_by_model(self, current: Rated) -> dict[str, set[str]]:
        """The efforts at which anything decisive is known of each model against the one in use."""
        found: dict[str, set[str]] = defaultdict(set)
        for one in (*self.arena, *(then for now, then in self.own if now == current)):
            found[one.model].add(one.effort)
        return found

    def efforts(self, model: str, current: Rated) -> tuple[str, ...]:
        """The same of one model."""
        return tuple(sorted(self.efforts_by_model(current).get(model, ())))


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
    own = [one for one in scores.own.get((current, candidate), ()) if one.difference is not None]
    arena = _arena(scores.arena.get(current), scores.arena.get(candidate), standards)
    paired = [one for one in own if one.difference and one.difference.is_paired]
    told = [_own(one, standards) for one in own]
    deciding = paired or own
    if deciding:
        rows = [_own(one, standards) for one in deciding]
        verdict, items, why = _agreed(rows)
        evidence = [replace(one, decides=True) for one in rows] + [one for one in told if one not in rows]
        evidence += [arena] if arena else []
    elif arena:
        verdict, items, why = arena.verdict, arena.items, _arena_said(arena, scores.arena[current])
        evidence = [replace(arena, decides=True)]
    else:
        return Quality(None, (*_context(current, candidate, scores),), _nothing(current, candidate, scores))
    evidence += _context(current, candidate, scores)
    return Quality(verdict, tuple(evidence), why, items, _floor_met(candidate, scores, standards))


def _own(one: Own, standards: Standards) -> Evidence:
    margin, difference = float(standards.evaluation_margin), one.difference
    if difference is None:
        raise ValueError("A comparison without a difference is no evidence.")
    made = judge(difference, margin)
    return _evidence("own", one.suite, "share", difference, made, one.observed_on, one.url, one.why)


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
