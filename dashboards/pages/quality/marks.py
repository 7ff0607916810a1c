"""What to bear in mind of a benchmark, in sentences: what it measures, and where its figures are to be doubted.

Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from dashboards import formatting
from pricing.benchmarks import Benchmark
from pricing.quality_querysets import Marks

STALE_DAYS = 180
"""A benchmark to which no name came for so long is no longer where makers publish."""


@dataclass(frozen=True, slots=True)
class Mark:
    """`doubt` where the figures of the benchmark are to be read with it in mind."""

    name: str
    sentence: str
    doubt: bool = False


def marks(module: Benchmark, known: Marks, on: date) -> tuple[Mark, ...]:
    """Domain, saturation, contamination and staleness as known on a day."""
    return (
        Mark("Measures", f"{module.DOMAIN}."),
        Mark("Saturation", _saturation(module, known), doubt=bool(known.above)),
        Mark("Contamination", module.CONTAMINATION, doubt=module.PUBLIC_SINCE is not None),
        *_staleness(known, on),
    )


def _saturation(module: Benchmark, known: Marks) -> str:
    if known.above is None or not known.names:
        return module.SATURATION
    told = f"{known.above} of {known.names} names score {module.CEILING} or more, where differences are noise."
    return f"{told} {module.SATURATION}"


def _staleness(known: Marks, on: date) -> tuple[Mark, ...]:
    newest = known.newest_name_on
    if newest is None:
        return ()
    is_stale = (on - newest).days > STALE_DAYS
    ending = ": newer models do not publish here" if is_stale else ""
    return (Mark("Newest name", f"{formatting.day(newest)}{ending}.", doubt=is_stale),)
