"""The choices of each filter, with how many of the rated models that are sold each would leave."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from dashboards import formatting
from dashboards.pages.asked import Option
from dashboards.pages.quality.asked import MIXES, Ask, name_of
from pricing.benchmarks import DEFAULT
from pricing.frontier import CHAT_MIX, Offer, Rated, Traits

CONTEXTS = (32_000, 128_000, 200_000, 400_000, 1_000_000)
SPEEDS = (20, 50, 100, 200)
SECONDS = (2, 5, 10, 30, 60, 120)


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a list in the form of filters."""

    value: str
    label: str
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """A list in the form of filters; without choices nothing is known to choose by, and `note` says so."""

    name: str
    label: str
    choices: tuple[Choice, ...]
    note: str = ""


def options(ask: Ask, scores: Sequence[Rated], notes: Mapping[str, str] = {}) -> dict[str, list[Option]]:
    """The choices of the bar as links, the present one marked. `notes` stand beside measures of quality, by slug."""
    mix = "" if ask.project else str(ask.mix)
    first = next(iter(ask.measure.categories))
    return {
        "mix": [
            Option(label, ask.url(mix="" if text == str(CHAT_MIX) else text, project="", window="", axis=""),
                   mix == text and not ask.is_measured)
            for text, label in MIXES
        ],
        "benchmark": [
            Option(one.name, _elsewhere(ask, slug), ask.benchmark == slug, notes.get(slug, ""))
            for slug, one in ask.measures.items()
        ],
        "category": [
            Option(label, ask.url(category="" if slug == first else slug, near=""), ask.category == slug)
            for slug, label in ask.measure.categories.items()
        ],
        "effort": [
            Option("any", ask.url(effort=""), not ask.effort),
            *(
                Option(effort or "none stated", ask.url(effort=effort or "none"), ask.effort == (effort or "none"),
                       str(sum(score.effort == effort for score in scores)))
                for effort in sorted({score.effort for score in scores})
            ),
        ],
    }  # fmt: skip


def _elsewhere(ask: Ask, slug: str) -> str:
    """The same page of another benchmark: categories, efforts and points are each benchmark's own."""
    benchmark = "" if slug == DEFAULT else slug
    return ask.url(benchmark=benchmark, category="", effort="", near="", delta="", within="")


def fields(
    ask: Ask, offers: Iterable[Offer], models: Mapping[str, Traits], scores: Sequence[Rated] = ()
) -> list[Field]:
    """The lists of the form of filters. `models` are all rated models with what is known of each."""
    every = list(offers)
    of_models = [
        Field("maker", "Maker", _named(ask.maker, _counted((t.maker, m) for m, t in models.items()), name_of)),
        Field("weights", "Weights", _flag("open", ask.weights, sum(t.open_weights is True for t in models.values()))),
        _context(ask, models),
        _modality(ask, models),
        _tools(ask, models),
        Field(
            "retirement", "Retirement",
            _flag("none", ask.retirement, sum(not t.leaves for t in models.values()), "none announced"),
        ),
        *_seconds(ask, scores),
    ]  # fmt: skip
    if ask.is_measured:
        return of_models
    names = {offer.provider: offer.provider_name for offer in every}
    regions = _counted((offer.region, offer.model) for offer in every)
    return [
        *of_models,
        Field("provider", "Seller",
              _named(ask.provider, _counted((o.provider, o.model) for o in every), lambda slug: names.get(slug, slug))),
        Field("region", "Region", _named(ask.region, regions, str), "" if regions else "No seller names a region."),
        _speed(ask, every),
    ]  # fmt: skip


def _counted(pairs: Iterable[tuple[str, str]]) -> dict[str, int]:
    """How many models each value has; the empty value is unknown and no choice."""
    found: dict[str, set[str]] = defaultdict(set)
    for value, model in pairs:
        if value:
            found[value].add(model)
    return {value: len(models) for value, models in found.items()}


def _named(current: str, counts: Mapping[str, int], named: object) -> tuple[Choice, ...]:
    label = named if callable(named) else str
    names = {value: str(label(value)) for value in counts}
    if current and current not in names:
        names[current] = current
    ordered = sorted(names, key=lambda value: names[value].lower())
    return tuple(Choice(one, f"{names[one]} ({counts.get(one, 0)})", one == current) for one in ordered)


def _flag(value: str, current: str, count: int, label: str = "") -> tuple[Choice, ...]:
    return (Choice(value, f"{label or value} ({count})", bool(current)),)


def _context(ask: Ask, models: Mapping[str, Traits]) -> Field:
    known = [t.context_window for t in models.values() if t.context_window is not None]
    sizes = sorted({*CONTEXTS, *([ask.context] if ask.context else [])})
    choices = tuple(
        Choice(str(size), f"{formatting.count(size)} tokens ({sum(one >= size for one in known)})", size == ask.context)
        for size in sizes
    )
    return Field("context", "Context at least", choices if known else (), _unknown(len(models) - len(known), "context"))


def _modality(ask: Ask, models: Mapping[str, Traits]) -> Field:
    counts = _counted((kind, model) for model, traits in models.items() for kind in traits.modalities)
    missing = sum(not traits.modalities for traits in models.values())
    return Field("modality", "Takes", _named(ask.modality, counts, str), _unknown(missing, "modalities"))


def _tools(ask: Ask, models: Mapping[str, Traits]) -> Field:
    known = [traits for traits in models.values() if traits.capabilities]
    choices = _flag("yes", ask.tools, sum("tools" in traits.capabilities for traits in known))
    return Field("tools", "Tools", choices if known or ask.tools else (), _unknown(len(models) - len(known), "tools"))


def _speed(ask: Ask, offers: Sequence[Offer]) -> Field:
    known = {offer.model: offer.tokens_per_second for offer in offers if offer.tokens_per_second is not None}
    choices = tuple(
        Choice(str(least), f"{least} tokens/s ({sum(speed >= least for speed in known.values())})", least == ask.speed)
        for least in SPEEDS
    )
    missing = len({offer.model for offer in offers} - known.keys())
    return Field("speed", "Answers at", choices if known else (), _unknown(missing, "speed"))


def _seconds(ask: Ask, scores: Sequence[Rated]) -> list[Field]:
    """Nothing where the benchmark does not say how long its tasks took."""
    known = [score.seconds_per_task for score in scores if score.seconds_per_task is not None]
    if not known and ask.within is None:
        return []
    limits = sorted({*map(Decimal, SECONDS), *([ask.within] if ask.within is not None else [])})
    choices = tuple(
        Choice(f"{most.normalize():f}", f"{most.normalize():f} s ({sum(one <= most for one in known)})",
               most == ask.within)
        for most in limits
    )  # fmt: skip
    return [Field("within", "A task within", choices, _unknown(len(scores) - len(known), "time", "run"))]


def _unknown(count: int, what: str, of: str = "model") -> str:
    if not count:
        return ""
    return f"{formatting.count(count)} {of}{'' if count == 1 else 's'} with unknown {what}."
