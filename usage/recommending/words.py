"""What advice does not weigh, in sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from usage.observed import Observed
from usage.substitution.offers import Candidate, Rated
from usage.substitution.setting import Setting
from usage.substitution.wording import money, named, tokens
from usage.token_log import Use

_COUNTS: Final = {
    "requests": "requests", "in_uncached": "uncached input", "in_cache_read": "cached input",
    "in_cache_write": "cache writes", "out_total": "output",
}  # fmt: skip


def notes(
    seen: Observed, weighed: Sequence[Use], unpriced: Sequence[Use], candidates: Mapping[int, Candidate],
    setting: Setting, effort: str,
) -> Iterator[str]:  # fmt: skip
    """One sentence for each thing that is in no figure, or that would tell more if it were known."""
    yield from _small(seen, weighed, candidates, setting)
    for use in weighed:
        side = candidates[use.offering_id].at(use.service_tier, effort).side
        if use in unpriced:
            yield f"{named(side)}: neither what it cost nor its price is known, so nothing can be set against it."
        yield from _effort(Rated(side.model, effort), side.model_name, setting)
    if seen.notional_tokens:
        yield f"{tokens(seen.notional_tokens)} that a subscription covers are left out: moving them saves nothing."
    if seen.log.unpriced_tokens:
        yield f"{tokens(seen.log.unpriced_tokens)} are of models that the catalogue does not know, and are not weighed."
    for currency, amount in sorted(seen.unconverted.items()):
        yield f"{money(amount, currency)} are in no figure: no exchange rate of their days is known."
    for name, count in sorted(seen.log.unknown.items()):
        yield f"{count:,} records do not say their {_COUNTS[name]}: what they used of it is in no figure."


def _small(
    seen: Observed, weighed: Sequence[Use], candidates: Mapping[int, Candidate], setting: Setting
) -> Iterator[str]:
    rest = [use for use in seen.log.uses if use not in weighed]
    told = []
    for use in rest:
        known = candidates.get(use.offering_id)
        name = named(known.at(use.service_tier).side) if known else "an offering that is no longer known"
        told.append(f"{name} ({money(use.spent, setting.currency) if use.spent is not None else 'unpriced'})")
    if told:
        yield f"Too small to be weighed: {', '.join(told)}."


def _effort(rated: Rated, name: str, setting: Setting) -> Iterator[str]:
    """Where a model in use is rated at other efforts than the project's only, what of it is taken to be in use."""
    known = {one.effort for one in setting.scores.arena if one.model == rated.model}
    if not known or rated.effort in known:
        return
    efforts = " and ".join(sorted(one or "none stated" for one in known))
    if rated.effort:
        asked = f"asks at effort {rated.effort}: no rating stands in for another effort's"
    else:
        asked = "does not say at which effort it asks: the best of these is what another model is held against"
    yield f"{name} is rated at effort {efforts}, and the project {asked}."
