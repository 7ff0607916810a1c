"""Units of price: what a price is per, which of them a usage record is rated in, and what stands in for what.

A token count whose unit has no price makes the whole record unpriced: unknown is not zero. Two substitutions
are the vendors' own meaning, not guesses: `cache_write` is the price of every lifetime where the vendor states
none, and reasoning tokens are output tokens unless the vendor prices them apart.
"""

from __future__ import annotations

RATED_UNITS = (
    "input",
    "output",
    "cache_read",
    "cache_write",
    "cache_write_5m",
    "cache_write_30m",
    "cache_write_1h",
    "cache_write_12h",
    "reasoning",
)
"""Units with a column on the rate card, in its order."""

LIFETIMES = ("5m", "30m", "1h", "12h")
"""Cache-write lifetimes with a unit of their own; every other lifetime is priced by `cache_write`."""

STANDS_IN = {f"cache_write_{lifetime}": "cache_write" for lifetime in LIFETIMES} | {"reasoning": "output"}
"""unit → the unit whose price holds where it has none of its own."""

_OTHER_TOKEN_UNITS = frozenset(
    f"{prefix}{modality}{suffix}"
    for modality in ("text", "audio", "image", "video")
    for prefix, suffix in (("input_", ""), ("output_", ""), ("cache_read_", ""), ("cache_write_", ""))
) | {"citation"}


def is_token_unit(unit: str) -> bool:
    """Whether the unit counts tokens, so that a price per million of them makes sense."""
    return unit in RATED_UNITS or unit in _OTHER_TOKEN_UNITS or unit.startswith("cache_write_")
