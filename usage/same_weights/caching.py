"""Longer cache lifetimes, and caching where prompts repeat. Pure, and free of content: these are upper bounds.

Nobody here knows which prompts are alike. `docs/recommendations.md` has both formulas and what they cannot see.
"""

from __future__ import annotations

from usage.advice import Recommendation
from usage.substitution.setting import Baseline, Setting


def longer_lifetime(base: Baseline, setting: Setting) -> Recommendation | None:
    """An hour's cache in place of five minutes', where writes repeat more often than the dearer write costs."""
    return None


def cached_prefix(base: Baseline, setting: Setting) -> Recommendation | None:
    """Caching where requests of like size follow each other within a lifetime and are sent in full."""
    return None
