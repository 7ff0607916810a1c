"""Which of all that was weighed is told: the best seller of each move, and refusals of every reason. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from usage.advice import Reason, Recommendation, Refused
from usage.substitution.shortlisting import NEW_VENDOR

MOST_REFUSED: Final = 20
MOST_OF_A_REASON: Final = 5
"""Refusals for one reason, unless there is room."""
HOPELESS: Final = (Reason.WORSE, Reason.NO_EVIDENCE)
BESIDE: Final = (Reason.FREE, Reason.PREVIEW)
FEW: Final = 2
"""Refusals for one of these reasons, room or not: there are hundreds, and nobody can do anything about them."""
MOST_MOVES: Final = 8
"""Moves of one current side: the alternatives that a reader may want beside the best."""
_NOTHING: Final = Decimal(0)


def best_moves(found: Iterable[Recommendation]) -> list[Recommendation]:
    """Of each current side the moves of the surest money, one seller of each model and effort, the dearest first.

    The seller in use goes before others that hardly save more.
    """
    by_what: dict[tuple[str, ...], list[Recommendation]] = defaultdict(list)
    for one in sorted(found, key=_surest):
        by_what[one.current.key, one.kind, one.candidate.model, one.candidate.effort].append(one)
    of_side: dict[str, int] = defaultdict(int)
    kept = []
    for one in sorted((_at_home(ranked) for ranked in by_what.values()), key=_surest):
        if of_side[one.current.key] < MOST_MOVES:
            of_side[one.current.key] += 1
            kept.append(one)
    return kept


def _surest(one: Recommendation) -> tuple[Decimal, Decimal, str]:
    return (-one.saving.low, -one.saving.high, one.key)


def _at_home(ranked: Sequence[Recommendation]) -> Recommendation:
    best = ranked[0]
    home = (one for one in ranked if one.candidate.provider == one.current.provider)
    return next((one for one in home if one.saving.low * NEW_VENDOR >= best.saving.low), best)


def told_refusals(found: Iterable[Refused], moves: Sequence[Recommendation]) -> list[Refused]:
    """At most `MOST_REFUSED`, one seller of a model and effort, every reason among them, what comes nearest first.

    That is what is as good and is refused for something else, then what evidence would settle, then what is free or a
    preview, what is worse or unknown last; of each the most money first. Reasons take turns: the dearest refusal of
    each, then the second of each, so that none is crowded out. What is refused at one seller and recommended at another
    is not told.
    """
    recommended = {(one.current.key, one.candidate.model, one.candidate.effort) for one in moves}
    seen: set[tuple[str, ...]] = set()
    each = []
    for one in sorted(found, key=_dearest):
        what = (one.current.key, one.candidate.model, one.candidate.effort)
        if what not in recommended and (*what, one.reason) not in seen:
            seen.add((*what, one.reason))
            each.append(one)
    of_reason: dict[Reason, list[Refused]] = defaultdict(list)
    for one in each:
        of_reason[one.reason].append(one)
    turns = sorted(
        ((n, _dearest(one), one) for own in of_reason.values() for n, one in enumerate(own)), key=lambda turn: turn[:2]
    )
    few = {*HOPELESS, *BESIDE}
    firsts = [one for n, _, one in turns if n < (FEW if one.reason in few else MOST_OF_A_REASON)]
    rest = [one for n, _, one in turns if n >= MOST_OF_A_REASON and one.reason not in few]
    return sorted([*firsts, *rest][:MOST_REFUSED], key=lambda one: (_distance(one), _dearest(one)))


def _distance(one: Refused) -> int:
    if one.reason in HOPELESS:
        return 3
    return 2 if one.reason in BESIDE else 1 if one.reason is Reason.NOT_ENOUGH else 0


def _dearest(one: Refused) -> tuple[Decimal, str, str]:
    return (-(one.saving.high if one.saving else _NOTHING), one.current.key, one.candidate.key)
