"""How near cheap and open models come to the best, how long a model stays on top, how many are good enough. Pure.

A `Snapshot` is what was known on one day: scores, and the prices that held. Everything here is counted from snapshots
and from nothing between them, so that five tables say what five tables can say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Standing:
    """One model on one day. `price` is USD per Mtok, None unknown and 0 free; `open_weights` None is unknown."""

    model: str
    score: Decimal
    price: Decimal | None = None
    open_weights: bool | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The models known on a day, each once."""

    on: date
    standings: tuple[Standing, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """The best of a day beside the best that costs at most so much and the best with open weights; None: there is none.

    `above` of `rated` models reach the floor. `unpriced` and `weights_unknown` count models that could be the cheap or
    the open one and of which nobody says.
    """

    on: date
    best: Standing
    cheap: Standing | None
    open: Standing | None
    rated: int
    above: int
    unpriced: int
    weights_unknown: int

    @property
    def behind_cheap(self) -> Decimal | None:
        """Points from the best to the best that costs at most so much."""
        return None if self.cheap is None else self.best.score - self.cheap.score

    @property
    def behind_open(self) -> Decimal | None:
        """Points from the best to the best with open weights."""
        return None if self.open is None else self.best.score - self.open.score

    @property
    def share_above(self) -> Decimal:
        """From 0 to 1, of all models rated that day."""
        return Decimal(self.above) / self.rated


@dataclass(frozen=True, slots=True)
class Reign:
    """One model's unbroken time as the best, as far as the snapshots tell.

    Seen on top on `first` and `last`; `before` is the snapshot before, `until` the first at which another was best;
    None where there is none. It took the top after `before` and lost it by `until`.
    """

    model: str
    score: Decimal
    before: date | None
    first: date
    last: date
    until: date | None

    @property
    def least_days(self) -> int:
        return (self.last - self.first).days

    @property
    def most_days(self) -> int | None:
        """None where it is still on top, or was at the first snapshot."""
        return None if self.before is None or self.until is None else (self.until - self.before).days


def gaps(snapshots: Iterable[Snapshot], at_most: Decimal, floor: Decimal) -> list[Gap]:
    """One a snapshot with a model, in order of day. A score at the floor reaches it, a price of `at_most` is within it.

    A free model is never the cheap one: it is rationed. Of equal scores the cheaper counts, then the first by name.
    """
    found = []
    for snapshot in sorted(snapshots, key=lambda one: one.on):
        ranked = sorted(snapshot.standings, key=_rank)
        if not ranked:
            continue
        found.append(
            Gap(
                on=snapshot.on,
                best=ranked[0],
                cheap=next((one for one in ranked if one.price and one.price <= at_most), None),
                open=next((one for one in ranked if one.open_weights), None),
                rated=len(ranked),
                above=sum(one.score >= floor for one in ranked),
                unpriced=sum(one.price is None for one in ranked),
                weights_unknown=sum(one.open_weights is None for one in ranked),
            )
        )
    return found


def reigns(snapshots: Iterable[Snapshot]) -> list[Reign]:
    """The successive best models, the first one first. Who is on top is overtaken by a higher score only."""
    found: list[Reign] = []
    before: date | None = None
    for snapshot in sorted((one for one in snapshots if one.standings), key=lambda one: one.on):
        best = _holder(snapshot.standings, found[-1].model if found else "")
        if found and found[-1].model == best.model:
            kept = found[-1]
            found[-1] = Reign(kept.model, best.score, kept.before, kept.first, snapshot.on, None)
        else:
            if found:
                kept = found[-1]
                found[-1] = Reign(kept.model, kept.score, kept.before, kept.first, kept.last, snapshot.on)
            found.append(Reign(best.model, best.score, before, snapshot.on, snapshot.on, None))
        before = snapshot.on
    return found


def win_share(points: Decimal) -> float:
    """How often the better of two wins a duel, where points are of the Elo scale: 1 / (1 + 10^(-points / 400)).

    A. E. Elo, The Rating of Chessplayers, Past and Present (1978), section 1.4; Arena's ratings are on that scale.
    """
    return 1 / (1 + 10 ** (-float(points) / 400))


def _holder(standings: Sequence[Standing], holder: str) -> Standing:
    """The best, and of equal ones who was it before."""
    top = max(one.score for one in standings)
    return min((one for one in standings if one.score == top), key=lambda one: (one.model != holder, *_rank(one)))


def _rank(one: Standing) -> tuple[Decimal, Decimal, str]:
    return -one.score, Decimal("Infinity") if one.price is None else one.price, one.model
