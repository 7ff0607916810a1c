"""How much of a total is known, the same wherever money is shown: a row each on `/spend`, a line elsewhere. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from dashboards import formatting

_SHARES = (
    ("attributed_spent", "Attributed to a project", "of the money attributed"),
    ("priced_tokens", "Tokens with a price", "of tokens priced"),
    ("known_selectors", "List money with its selectors reported", "of list money with its selectors reported"),
)
_COUNTS = (("in_uncached", "input"), ("out_total", "output"))
"""What every priced request has; caches are not everybody's."""


@dataclass(frozen=True)
class Part:
    """A share of the total: as the head of a row, after its figure in a line; `share` None where a bar says nothing."""

    words: str
    after: str
    figure: str
    share: Decimal | None = None


def parts(coverage: Mapping[str, Any], *, whole: bool = True) -> list[Part]:
    """Of a `coverage` of `spend`; without attribution where not all there is was asked for (`whole` False)."""
    found = [
        Part(words, after, *_figure(coverage[name]))
        for name, words, after in _SHARES
        if name in coverage and (whole or name != "attributed_spent")
    ]
    if requests := coverage.get("unpriced_requests"):  # of images, searches or seconds of audio no tokens say so
        noun = "request" if requests == 1 else "requests"
        found.append(Part("Requests without a list price", f"{noun} without a list price", formatting.count(requests)))
    for grade, text in (coverage.get("grades") or {}).items():
        figure, share = _figure(text)
        if share:
            words = "of no known grade" if grade == "unknown" else f"of grade {grade}"
            found.append(Part(f"List prices {words}", f"at list prices {words}", figure))
    return found + unknown(coverage) + _in_one_sum(coverage)


def _in_one_sum(coverage: Mapping[str, Any]) -> list[Part]:
    """Months that the total holds a part of, while their money is told in one sum and stands on the first day."""
    return [
        Part(
            "Told in one sum, which stands on the first day",
            "told in one sum, which stands on the first day",
            f"{one['account'] or 'no host reported'}, "
            + formatting.period(date.fromisoformat(one["from"]), date.fromisoformat(one["until"])),
        )
        for one in coverage.get("in_one_sum") or ()
    ]


def unknown(coverage: Mapping[str, Any]) -> list[Part]:
    """Of how many records with a list price the total holds a part only."""
    found = []
    for name, kind in _COUNTS:
        if records := (coverage.get("unknown_counts") or {}).get(name):
            noun = "record" if records == 1 else "records"
            words = f"Priced without {kind}, which is unknown"
            found.append(Part(words, f"{noun} priced without {kind}, which is unknown", formatting.count(records)))
    return found


def line(found: Sequence[Part]) -> str:
    """`76.9% of the money attributed · 100.0% of tokens priced · …`; what is a share of nothing is left out."""
    return " · ".join(f"{part.figure} {part.after}" for part in found if part.figure != "–")


def _figure(text: str | None) -> tuple[str, Decimal | None]:
    share = None if text is None else Decimal(text)
    return ("–" if share is None else formatting.share(share, Decimal(1))), share
