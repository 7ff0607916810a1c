"""How totals are told apart by what a sample of their records looked like: the parts sum to them exactly. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from pricing.cost import Tokens, summed
from pricing.units import LIFETIMES
from usage.token_log import EVERY_HOUR, Slice, Use

POWERS = tuple(2**n for n in range(7, 22))
"""Prompt lengths that are told apart."""
NOWHERE = (0, EVERY_HOUR)
"""Where tokens go of whose kind the sample saw none: nobody knows how long their prompts were, nor when."""
_UNSTATED = ""
_WRITES = tuple((lifetime, f"write {lifetime}") for lifetime in (_UNSTATED, *LIFETIMES))
_PLACES = 12


class Sampled(NamedTuple):
    """Records of a sample that are alike: sums of each kind, each record by its project's share of it.

    `output` leaves reasoning out; `cache_writes` are by lifetime, '' where none was stated. `prompt_tokens` is the mean
    of one request, 0 where nobody knows; `hour` is of the UTC week.
    """

    prompt_tokens: int
    hour: int
    records: int
    requests: Decimal = Decimal(0)
    input: Decimal = Decimal(0)
    cache_read: Decimal = Decimal(0)
    output: Decimal = Decimal(0)
    reasoning: Decimal = Decimal(0)
    cache_writes: Mapping[str, Decimal] = MappingProxyType({})


def split(total: int, weights: Sequence[Decimal]) -> list[int]:
    """A total by largest remainder, the first of equals before the others; ValueError where nothing has weight.

    Weights have twelve decimals at most, as shares of projects have.
    """
    grains = [int(weight.scaleb(_PLACES)) for weight in weights]
    whole = sum(grains)
    if whole <= 0:
        raise ValueError("Nothing to split by: every weight is 0.")
    divided = [divmod(total * grain, whole) for grain in grains]
    parts = [part for part, _ in divided]
    by_rest = sorted(range(len(grains)), key=[rest for _, rest in divided].__getitem__, reverse=True)  # which is stable
    for n in by_rest[: total - sum(parts)]:
        parts[n] += 1
    return parts


def sliced(tokens: Tokens, requests: int | None, sample: Iterable[Sampled]) -> tuple[tuple[Slice, ...], Tokens]:
    """A total's slices, which sum to it exactly, and the total with the lifetimes that the sample knows.

    The total states no lifetimes of cache writes: they have the sample's shares. A kind of which the sample saw nothing
    is a slice of its own, of no known prompt and no known hour.
    """
    found = list(sample)
    at = [(one.prompt_tokens, one.hour) for one in found]
    parts: dict[tuple[int, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for kind, total in (
        ("requests", requests or 0), ("input", tokens.input or 0), ("cache_read", tokens.cache_read or 0),
        ("output", (tokens.output or 0) - (tokens.reasoning or 0)), ("reasoning", tokens.reasoning or 0),
    ):  # fmt: skip
        _apportion(parts, kind, total, [(key, getattr(one, kind)) for key, one in zip(at, found, strict=True)])
    for lifetime, total, weights in _by_lifetime(tokens.cache_write or 0, at, found):
        _apportion(parts, f"write {lifetime}", total, weights)
    slices = tuple(_slice(*key, counts) for key, counts in sorted(parts.items()) if any(counts.values()))
    return slices, replace(tokens, cache_write_by_lifetime=_lifetimes(slices))


_Weights = list[tuple[tuple[int, int], Decimal]]


def _apportion(parts: dict[tuple[int, int], dict[str, int]], kind: str, total: int, weights: _Weights) -> None:
    if not total:
        return
    if not any(weight for _, weight in weights):
        weights = [(NOWHERE, Decimal(1))]
    for (key, _), part in zip(weights, split(total, [weight for _, weight in weights]), strict=True):
        parts[key][kind] += part


def _by_lifetime(
    total: int, at: Sequence[tuple[int, int]], sample: Sequence[Sampled]
) -> Iterable[tuple[str, int, _Weights]]:
    weights: dict[str, _Weights] = {
        lifetime: [(key, one.cache_writes.get(lifetime, Decimal(0))) for key, one in zip(at, sample, strict=True)]
        for lifetime in (_UNSTATED, *LIFETIMES)
    }
    sums = {lifetime: sum((weight for _, weight in own), Decimal(0)) for lifetime, own in weights.items()}
    if not any(sums.values()):
        return [(_UNSTATED, total, [])]
    totals = split(total, list(sums.values()))
    return [(lifetime, part, weights[lifetime]) for lifetime, part in zip(sums, totals, strict=True)]


def _slice(prompt_tokens: int, hour: int, counts: Mapping[str, int]) -> Slice:
    writes = {lifetime: count for lifetime, kind in _WRITES if (count := counts.get(kind, 0))}
    reasoning = counts.get("reasoning", 0)
    return Slice(
        prompt_tokens,
        hour,
        counts.get("requests", 0),
        Tokens(
            counts.get("input", 0), counts.get("cache_read", 0), sum(writes.values()),
            counts.get("output", 0) + reasoning, reasoning,
            {lifetime: count for lifetime, count in writes.items() if lifetime},
        ),
    )  # fmt: skip


def _lifetimes(slices: Iterable[Slice]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for one in slices:
        for lifetime, count in one.tokens.cache_write_by_lifetime.items():
            found[lifetime] += count
    return dict(sorted(found.items()))


def coarser(use: Use, edges: Collection[int], same_hours: Callable[[int], Hashable]) -> Use:
    """A use with as few slices as tell apart powers of two, prompts at `edges`, and hours that are not the same.

    What they sum to stays. A slice's prompt is the mean of its requests', its hour the first of those.
    """
    bounds = sorted({*POWERS, *edges})
    groups: dict[Hashable, list[Slice]] = defaultdict(list)
    for one in use.slices:
        groups[bisect_right(bounds, one.prompt_tokens), same_hours(one.hour)].append(one)
    return replace(use, slices=tuple(_joined(own) for own in groups.values()))


def _joined(slices: Sequence[Slice]) -> Slice:
    if len(slices) == 1:
        return slices[0]
    requests = sum(one.requests for one in slices)
    weighed = [(one.prompt_tokens, one.requests if requests else 1) for one in slices]
    count = sum(weight for _, weight in weighed)
    mean = -(-sum(prompt * weight for prompt, weight in weighed) // count)
    return Slice(mean, min(one.hour for one in slices), requests, summed(one.tokens for one in slices))
