"""Moves that keep the weights and so need no evaluation: another seller, another tier, another hour, other caching.

Pure, on the values of `usage.substitution`. What only a part of the traffic can follow, and nobody but the lead knows
which, saves from 0 to all of it: such a move never goes before one that is certain.
"""

from __future__ import annotations

from collections.abc import Iterable

from usage.advice import Recommendation, Refused
from usage.same_weights import caching, selling, tiers
from usage.substitution.offers import Candidate
from usage.substitution.setting import Setting, baseline
from usage.substitution.weighing import Weighed, ordered
from usage.token_log import Use

__all__ = ["moves"]


def moves(use: Use, current: Candidate, sellers: Iterable[Candidate], setting: Setting) -> Weighed:
    """Every move of a use that keeps its weights, and what would cost less and is refused.

    `current` has the cards of all its tiers; `sellers` are other offerings of the same model, contracted ones among
    them.
    """
    base = baseline(use, current, setting.on)
    if base is None:
        return Weighed((), ())
    found: list[Recommendation | Refused | None] = []
    found += [selling.elsewhere(base, offer, setting) for offer in sellers]
    found += [tiers.cheaper_tier(base, tier, setting) for tier in tiers.TIERS]
    found += [
        tiers.off_peak(base, setting),
        caching.longer_lifetime(base, setting),
        caching.cached_prefix(base, setting),
    ]
    return ordered(one for one in found if one is not None)
