"""What a move changes and what could go wrong with it, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from usage.advice import Caution, Change, CostLine, Factor, Step
from usage.substitution.offers import WAITING, Candidate, start_of
from usage.substitution.repricing import Assumption, Repriced, UnitCost
from usage.substitution.setting import AHEAD, Baseline, Setting
from usage.substitution.wording import day, money, span, times, tokens

_ORDER: Final = ("input", "cache_read", "cache_write", "output")
_UNKNOWN: Final = "not known"
_OF_CACHING: Final = {
    Assumption.UNCACHED: (
        "No price for cached input",
        "What is read from a cache today is counted as if it were sent in full, at the price of input.",
    ),
    Assumption.WRITES_AS_INPUT: (
        "It caches by itself",
        "No price of cache writes is stated: what is written to a cache today is counted at the price of input.",
    ),
    Assumption.SHORTEST_LIFETIME: (
        "Other cache lifetimes",
        "It does not price the cache lifetime in use: writes are counted at its shortest one.",
    ),
    Assumption.WRITES_UNKNOWN: (
        "Cache writes cost extra",
        "Today's log does not say what would have to be written to its cache: the range reaches from none to all of "
        "the uncached input.",
    ),
    Assumption.SIZES_UNKNOWN: (
        "Prompt sizes are not known",
        "Long prompts cost more there, and of a part of the log only sums are known: that part is counted as short.",
    ),
    Assumption.HOURS_UNKNOWN: (
        "The hours are not known",
        "It costs something else in some hours, and of a part of the log nobody knows the hour: the range has both.",
    ),
}


def cost_lines(current: Repriced, candidate: Repriced) -> tuple[CostLine, ...]:
    """The log by unit at both prices, before any factor, in the order of a bill."""
    units = sorted({*current.by_unit, *candidate.by_unit}, key=lambda unit: (_place(unit), unit))
    nothing = UnitCost(0, None, None)
    pairs = [(unit, current.by_unit.get(unit, nothing), candidate.by_unit.get(unit, nothing)) for unit in units]
    return tuple(
        CostLine(unit, max(now.tokens, then.tokens), now.price, now.cost, then.price, then.cost)
        for unit, now, then in pairs
    )


def changes(current: Candidate, candidate: Candidate, moment: datetime) -> tuple[Change, ...]:
    """What is different afterwards, the ids first."""
    now, then = current.side, candidate.side
    pairs = [
        ("model id", f"{now.provider}: {now.sku}", f"{then.provider}: {then.sku}"),
        ("service tier", now.service_tier, then.service_tier),
        ("effort", now.effort or "not stated", then.effort or "not stated"),
        ("region", now.region or "any", then.region or "any"),
        ("context window", _size(current.context_window), _size(candidate.context_window)),
        ("longest answer", _size(current.max_output), _size(candidate.max_output)),
        ("caching", _caching(current, moment), _caching(candidate, moment)),
        ("tools and more", _listed(current.capabilities), _listed(candidate.capabilities)),
        ("modalities", _listed(current.modalities), _listed(candidate.modalities)),
        ("quantisation", current.quantisation or _UNKNOWN, candidate.quantisation or _UNKNOWN),
    ]
    return tuple(Change(what, a, b) for what, a, b in pairs if a != b)


def cautions(
    base: Baseline, offer: Candidate, setting: Setting, priced: Repriced, steps: Sequence[Step],
    factors: Sequence[Factor],
) -> tuple[Caution, ...]:  # fmt: skip
    """What could go wrong or is not known, what costs money first."""
    found = [
        *of_steps(steps, offer, setting),
        *_of_factors(factors),
        *_of_billing(base, setting),
        *(Caution("doubt", *_OF_CACHING[one]) for one in Assumption if one in priced.assumed),
        *_of_seller(base.offer, offer, setting),
        *_of_context(base, offer),
        Caution("", "Not checked", "Latency: no measurement of your own."),
    ]
    return tuple(sorted(found, key=lambda one: ("dear", "doubt", "").index(one.tone)))


def of_steps(steps: Sequence[Step], offer: Candidate, setting: Setting) -> Iterator[Caution]:
    """What announced prices make of a saving that is less, and that a price ends with nothing behind it."""
    for before, after in zip(steps, steps[1:], strict=False):
        saving = span(after.saving, setting.currency)
        if after.saving.low < before.saving.low:
            yield Caution(
                "dear", f"A price changes on {day(after.on)}", f"From then on the move saves {saving} a month."
            )
    moment = start_of(setting.on)
    ends = offer.ends_after(moment, moment + AHEAD)
    if ends is not None:
        yield Caution("dear", f"Its price ends on {day(ends.date())}", "What follows is not announced.")


def said_of(factors: Iterable[Factor]) -> str:
    """The factors in one clause: what is sent and what is written, with who says so."""
    parts = [f"{told} ({evidence})" for evidence, told in _by_evidence(factors).items()]
    return "with " + ", ".join(parts) if parts else "with the same tokens"


def _by_evidence(factors: Iterable[Factor]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for one in factors:
        found.setdefault(one.evidence, []).append(f"{one.unit} {times(one.low, one.high)}")
    return {evidence: " and ".join(told) for evidence, told in found.items()}


def _of_factors(factors: Sequence[Factor]) -> Iterator[Caution]:
    more = [one for one in factors if one.high > 1]
    for evidence, told in _by_evidence(more).items():
        units = {one.unit for one in more if one.evidence == evidence}
        does = " and ".join(verb for unit, verb in (("input", "count"), ("output", "write")) if unit in units)
        yield Caution("doubt", f"It may {does} more", f"{told[0].upper()}{told[1:]} as many tokens: {evidence}.")


def _of_billing(base: Baseline, setting: Setting) -> Iterator[Caution]:
    cards = base.priced.cost
    if cards is None or base.sliced.use.spent is None or base.paying * 100 >= cards.low * 99:
        return
    billed, listed = money(base.paying, setting.currency), money(cards.low, setting.currency)
    yield Caution(
        "doubt", "You pay less than the price list says",
        f"{billed} was billed in the window for what costs {listed} at the prices of the day. The saving counts from "
        "what was billed; a discount that the new seller gives too would add to it.",
    )  # fmt: skip


def _of_seller(current: Candidate, offer: Candidate, setting: Setting) -> Iterator[Caution]:
    name = offer.side.provider_name
    if offer.side.provider not in {*setting.providers, current.side.provider}:
        yield Caution("", "New vendor for this project", f"Nothing has been bought from {name} in the window.")
    if offer.open_weights is not True and offer.maker not in ("", offer.side.provider):
        yield Caution("doubt", "Not sold by its maker", f"What is sent goes to {name}, under its terms.")
    if current.side.service_tier not in (*WAITING, offer.side.service_tier):
        text = f"{name} sells no {current.side.service_tier} tier of it: this is its {offer.side.service_tier} one."
        yield Caution("doubt", "It may answer slower", text)
    if offer.side.region != current.side.region:
        where = offer.side.region or "no stated region"
        yield Caution("doubt", "It runs elsewhere", f"{name} serves it from {where}.")
    if offer.open_weights and offer.maker != offer.side.provider and not offer.quantisation:
        text = f"Nobody states at which precision {name} serves it; a coarser one may answer worse than what was rated."
        yield Caution("doubt", "Quantisation not stated", text)


def _of_context(base: Baseline, offer: Candidate) -> Iterator[Caution]:
    now, then, longest = base.offer.context_window, offer.context_window, base.sliced.use.prompt_max
    if then is not None and longest is not None and longest > then:
        text = f"The longest prompt of the sample had {tokens(longest)}; it takes {tokens(then)}."
        yield Caution("doubt", "The longest prompts do not fit", text)
    elif now is not None and then is not None and then < now and tokens(then) != tokens(now):
        text = f"{tokens(then).capitalize()} where it is {tokens(now)} today; what was seen fits."
        yield Caution("", "A shorter context window", text)


def _place(unit: str) -> int:
    return next((n for n, one in enumerate(_ORDER) if unit == one or unit.startswith(f"{one}_")), len(_ORDER))


def _size(count: int | None) -> str:
    return _UNKNOWN if count is None else tokens(count)


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)).replace("_", " ") or _UNKNOWN


def _caching(offer: Candidate, moment: datetime) -> str:
    card = offer.plain(moment)
    if card is None or card.price("cache_read") is None:
        return "no price known"
    writes = [unit for unit in card.prices if unit.startswith("cache_write")]
    rate = offer.rates.get(card.currency)
    read = _per_mtok(card.price("cache_read"), rate)
    if not writes:
        return f"read {read} per Mtok, no price of writes"
    told = ", ".join(f"{_lifetime(unit)} {_per_mtok(card.price(unit), rate)}" for unit in sorted(writes))
    return f"read {read}, write {told} per Mtok"


def _lifetime(unit: str) -> str:
    return unit.removeprefix("cache_write").strip("_") or "at"


def _per_mtok(price: Decimal | None, rate: Decimal | None) -> str:
    if price is None or rate is None:
        return _UNKNOWN
    return f"{(price * rate * 1_000_000).quantize(Decimal('0.0001'), ROUND_HALF_UP).normalize():f}"
