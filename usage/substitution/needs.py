"""What the work needs of a model and its seller, declared by the project or seen in its usage. Pure.

A need that is known to be missed refuses. A trait that nobody states refuses only where something needs it, and the
sentence says what is not known: nothing is taken to fit that is not known to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Final

from usage.advice import Reason
from usage.substitution.offers import Candidate, start_of
from usage.substitution.wording import day, tokens
from usage.token_log import Use

HEADROOM: Final = Decimal("1.2")
"""Room above the prompts that were seen: for the answer, which shares the window, and for the month that follows."""
_CACHING: Final = "prompt_caching"
_INPUTS: Final = {"vision": "image_in", "pdf": "pdf_in", "audio": "audio_in"}
"""Declared needs that the catalogue lists as modalities; of images it may list the capability alone."""
_SHOWN: Final = {
    "images_at_the_price_of_text": "image_in", "images_not_kept": "image_out", "seconds_not_kept": "audio_in",
    "characters_not_kept": "audio_out", "audio_sent": "audio_in", "audio_made": "audio_out", "images_made": "image_out",
}  # fmt: skip
"""What a mark of usage shows that the work needs."""
_APART: Final = {"priced_apart": frozenset({"audio_in", "audio_out", "image_out"})}
"""Marks that show one of these; which one another mark says, or nobody knows."""
_SAID: Final = {
    "text": "text", "image": "images", "audio": "audio", "video": "video", "pdf": "PDF files", "vision": "images",
    "tools": "tools", "reasoning": "reasoning", "structured_output": "structured output", _CACHING: "prompt caching",
}  # fmt: skip
Unmet = tuple[Reason, str]


@dataclass(frozen=True, slots=True)
class Needs:
    """The empty need is met by everything.

    `traits` are modalities (`image_in`) and capabilities (`tools`) as the catalogue names them. `context` is the prompt
    size, in tokens of the model in use, that must fit with `HEADROOM`; `context_is_mean` where only the mean is known.
    `seen` are traits that usage shows, `any_of` some of which it shows one.
    `allowed` providers, [] is any; `regions` where it may run, empty is anywhere.
    """

    context: int | None = None
    context_is_mean: bool = False
    traits: frozenset[str] = frozenset()
    seen: frozenset[str] = frozenset()
    any_of: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    open_weights_only: bool = False
    horizon_days: int = 0


def observed(needs: Needs, use: Use) -> Needs:
    """The needs with what usage shows: modalities, and the prompt size of 99 in 100 requests, else the mean where sums
    are known."""
    shown = frozenset(_SHOWN[mark] for mark in use.marks if mark in _SHOWN)
    apart = frozenset[str]().union(*(_APART[mark] for mark in use.marks if mark in _APART))
    unknown = frozenset[str]() if apart & shown else apart
    return _with_context(replace(needs, seen=shown - needs.traits, any_of=unknown), use)


def _with_context(needs: Needs, use: Use) -> Needs:
    if needs.context is not None:
        return needs
    if use.prompt_p99 is not None:
        return replace(needs, context=use.prompt_p99)
    if use.requests and use.tokens.prompt:
        return replace(needs, context=-(-use.tokens.prompt // use.requests), context_is_mean=True)
    return needs


def unmet(candidate: Candidate, needs: Needs, on: date, input_factor: Decimal = Decimal(1)) -> Unmet | None:
    """The need that a candidate misses, with the sentence; what is known to be missed before what is not known.

    `input_factor`: how many of its tokens one token of the model in use may be.
    """
    found = [*_of_seller(candidate, needs), *_of_model(candidate, needs, on, input_factor)]
    return next((one for one in found if one[0] is not Reason.UNKNOWN), next(iter(found), None))


def _of_seller(candidate: Candidate, needs: Needs) -> Iterator[Unmet]:
    side = candidate.side
    if side.provider in needs.denied:
        yield Reason.PROVIDER, f"The project does not buy from {side.provider_name}."
    if needs.allowed and side.provider not in needs.allowed:
        yield Reason.PROVIDER, f"{side.provider_name} is none of the providers that the project may buy from."
    if needs.regions and not side.region:
        yield Reason.UNKNOWN, f"{side.provider_name} does not say where it runs, and the project is bound to a region."
    elif needs.regions and side.region not in needs.regions:
        where = " or ".join(sorted(needs.regions))
        yield Reason.REGION, f"It runs in {side.region}; the project may run in {where} only."


def _of_model(candidate: Candidate, needs: Needs, on: date, input_factor: Decimal) -> Iterator[Unmet]:
    if needs.open_weights_only and candidate.open_weights is False:
        yield Reason.CLOSED_WEIGHTS, "Its weights are not open, and the project takes open weights only."
    elif needs.open_weights_only and candidate.open_weights is None:
        yield Reason.UNKNOWN, "Nobody says whether its weights are open, and the project takes open weights only."
    yield from _of_traits(candidate, needs, on)
    yield from _of_context(candidate, needs, input_factor)
    if candidate.retires_on is not None and candidate.retires_on < on + timedelta(days=needs.horizon_days):
        left = max((candidate.retires_on - on).days, 0)
        yield (
            Reason.RETIRES,
            f"It retires on {day(candidate.retires_on)}, in {left} days; the project asks for {needs.horizon_days}.",
        )


def _of_traits(candidate: Candidate, needs: Needs, on: date) -> Iterator[Unmet]:
    for trait in sorted(needs.traits | needs.seen):
        does, what, who = (
            _does(candidate, trait, on),
            _said(trait),
            "the project" if trait in needs.traits else "the usage",
        )
        if does is None:
            yield Reason.UNKNOWN, f"Nobody says whether it does {what}, which {who} needs."
        elif not does:
            kind = Reason.MODALITY if _modality(trait) else Reason.TOOLS
            yield Reason.CACHING if trait == _CACHING else kind, f"It does not do {what}, which {who} needs."
    if needs.any_of and not candidate.modalities:
        yield Reason.UNKNOWN, "Nobody says whether it does audio or makes images, and what was used is one of these."
    elif needs.any_of and not needs.any_of & candidate.modalities:
        yield Reason.MODALITY, "It neither does audio nor makes images, and what was used is one of these."


def _does(candidate: Candidate, trait: str, on: date) -> bool | None:
    """Whether a candidate has a trait, be it listed as a modality or as a capability; None where nobody says. Who
    prices cached input caches."""
    modality = _modality(trait)
    if trait in candidate.capabilities or modality in candidate.modalities:
        return True
    if trait == _CACHING:
        priced = (card.prices.price("cache_read") for card in candidate.in_force(start_of(on)))
        if any(price is not None for price in priced):
            return True
    is_listed = bool(candidate.modalities) if modality else bool(candidate.capabilities)
    return False if is_listed or (trait == "vision" and candidate.capabilities) else None


def _modality(trait: str) -> str:
    """The modality that a trait is, '' for a capability."""
    return _INPUTS.get(trait, trait if trait.endswith(("_in", "_out")) else "")


def _of_context(candidate: Candidate, needs: Needs, input_factor: Decimal) -> Iterator[Unmet]:
    if not needs.context:
        return
    needed = int((needs.context * HEADROOM * input_factor).to_integral_value(ROUND_CEILING))
    seen = "the mean prompt has" if needs.context_is_mean else "99 in 100 prompts have up to"
    if candidate.context_window is None:
        yield Reason.UNKNOWN, f"Nobody says how long a prompt it takes; {seen} {tokens(needs.context)}."
    elif candidate.context_window < needed:
        more = f", up to {input_factor.normalize():f} times as many of its tokens" if input_factor > 1 else ""
        yield (
            Reason.CONTEXT,
            f"It takes {tokens(candidate.context_window)}; {seen} {tokens(needs.context)}{more}, "
            f"with a fifth of headroom {tokens(needed)}.",
        )


def _said(trait: str) -> str:
    name, _, way = trait.rpartition("_")
    if way in ("in", "out") and name in _SAID:
        return f"{_SAID[name]} as {'input' if way == 'in' else 'output'}"
    return _SAID.get(trait, trait.replace("_", " "))
