"""The words that narrow what is sold: which of them there are, and which one another name of it means."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from pricing.answers.questions import BadQuestion
from pricing.answers.questions import name as as_name
from pricing.frontier import Wanted
from pricing.models import LanguageModel, Offering, Provider
from pricing.providers import canonical

MODALITIES: Final = tuple(
    f"{kind}_{way}" for way in ("in", "out") for kind in ("text", "image", "audio", "video", "pdf")
)
"""What sources say of models, whether or not one that ships says it of any."""

_THERE: Final[dict[str, Callable[[], Iterable[str]]]] = {
    "maker": lambda: LanguageModel.objects.values_list("maker", flat=True).distinct(),
    "provider": lambda: Provider.objects.values_list("slug", flat=True),
    "region": lambda: Offering.objects.values_list("region", flat=True).distinct(),
    "modality": lambda: {
        *MODALITIES,
        *(one for held in LanguageModel.objects.values_list("modalities", flat=True).distinct() for one in held),
    },
}
FILTERS: Final = tuple(_THERE)
_NAMES: Final = {"maker", "provider"}


def words(field: str) -> list[str]:
    """The values of a filter that the catalogue knows, in order. One query."""
    return sorted({one for one in _THERE[field]() if one})


def word(field: str, asked: str) -> str | None:
    """The catalogue's word for a value of a filter: itself, or what a declared alias stands for; None for no such."""
    there = words(field)
    meant = canonical(asked) if field in _NAMES else asked.lower()
    return next((one for one in (asked, meant) if one in there), None)


def understood(wanted: Wanted) -> Wanted:
    """The same in the catalogue's words; BadQuestion with those there are for one that nobody uses. A query a word."""
    return replace(
        wanted, maker=_meant("maker", wanted.maker), provider=_meant("provider", wanted.provider),
        region=_meant("region", wanted.region), modality=_meant("modality", wanted.modality),
    )  # fmt: skip


def _meant(field: str, text: str) -> str:
    asked = as_name(text, field)
    meant = word(field, asked) if asked else ""
    if meant is None:
        there = ", ".join(words(field)) or "none yet"
        raise BadQuestion(f"There is no {field} {asked[:60]!r}; there are: {there}.", field)
    return meant
