"""Which recommendations are put to people, and which of those that stand lapse. Pure.

Of each model in use the best move is proposed, as the others are alternatives to it. What is being followed is not
proposed again, and what was rejected only once it is another matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from pricing.noninferiority import Verdict
from usage.advice import Range, Recommendation

GREW: Final = Decimal("1.5")
"""By how much the saving of a rejected move must have grown for it to come back."""
BETTER_BY: Final = Decimal("1.1")
"""How much more another move must save to take the place of the one that is put to people already."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A proposal there is: which move from which side, what a month saves, with which verdict."""

    pk: int
    key: str
    current: str
    state: str
    saving: Range
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Chosen:
    """What becomes of the proposals: renewed by the newest advice, new ones, and those nobody recommends any more."""

    renewed: tuple[tuple[Standing, Recommendation], ...]
    new: tuple[Recommendation, ...]
    lapsed: tuple[Standing, ...]


def chosen(recommended: Sequence[Recommendation], standing: Sequence[Standing]) -> Chosen:
    """What is proposed of recommendations (the best first) where these proposals stand (the newest first)."""
    followed = {one.current for one in standing if one.state in ("accepted", "done")}
    proposed = {one.key: one for one in standing if one.state == "proposed"}
    refused: dict[str, Standing] = {}
    for one in standing:
        if one.state == "rejected":
            refused.setdefault(one.key, one)
    by_side: dict[str, list[Recommendation]] = {}
    for move in recommended:
        if move.current.key not in followed and is_another_matter(move, refused.get(move.key)):
            by_side.setdefault(move.current.key, []).append(move)
    best = [_best(moves, proposed) for moves in by_side.values()]
    kept = {move.key for move in best}
    return Chosen(
        renewed=tuple((proposed[move.key], move) for move in best if move.key in proposed),
        new=tuple(move for move in best if move.key not in proposed),
        lapsed=tuple(one for key, one in proposed.items() if key not in kept),
    )


def is_another_matter(move: Recommendation, refused: Standing | None) -> bool:
    """Whether a move may be proposed though it was rejected: it saves half as much again, or is judged anew."""
    return refused is None or _is_more(move.saving, refused.saving, GREW) or move.verdict is not refused.verdict


def _best(moves: Sequence[Recommendation], proposed: Iterable[str]) -> Recommendation:
    """The first, unless one that is put to people already saves nearly as much: nobody wants another each day."""
    first = moves[0]
    stood = next((move for move in moves if move.key in proposed), first)
    return first if _is_more(first.saving, stood.saving, BETTER_BY) else stood


def _is_more(saving: Range, than: Range, times: Decimal) -> bool:
    """Whether one saves so many times what another does: surely, or at the most where neither is sure to save."""
    if saving.low <= 0 and than.low <= 0:
        return saving.high >= than.high * times
    return saving.low >= than.low * times
