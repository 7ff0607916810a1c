"""Which offers are worth weighing against a use: most models are worse than the one in use, whoever sells them. Pure.

Weighing prices every slice of a use and words every doubt. What is worse at every effort, or unknown, cannot be
recommended; the cheapest few of those stay, so that what they would save is told with the reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from pricing.noninferiority import Verdict
from usage.substitution.offers import Candidate, Rated, start_of
from usage.substitution.quality import verdict_on
from usage.substitution.setting import Setting
from usage.substitution.shortlisting import plain_cost
from usage.token_log import Use

TOLD: Final = 8
"""Models that cannot be recommended and are weighed all the same, for each use."""
_HOPELESS: Final = frozenset({Verdict.WORSE, None})


def worth_weighing(use: Use, current: Candidate, offers: Iterable[Candidate], setting: Setting) -> list[Candidate]:
    """The offers of other models, those that cannot be recommended only of the `TOLD` models that cost the least."""
    by_model: dict[str, list[Candidate]] = defaultdict(list)
    for offer in offers:
        if offer.side.model != current.side.model:
            by_model[offer.side.model].append(offer)
    known, moment = setting.scores.efforts_by_model(current.rated), start_of(setting.on)
    kept: list[Candidate] = []
    hopeless = []
    for model, own in by_model.items():
        rated = [Rated(model, effort) for effort in known.get(model, ("",))]
        if all(verdict_on(current.rated, one, setting.scores, setting.standards) in _HOPELESS for one in rated):
            hopeless.append((min(plain_cost(offer, use.tokens, moment) for offer in own), model))
        else:
            kept += own
    for _, model in sorted(hopeless)[:TOLD]:
        kept += by_model[model]
    return kept
