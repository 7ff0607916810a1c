"""Expressions that a stranger may write, asked by RE2 in time that grows with the text, whatever they say. Pure.

Python's own engine tries again and again where repeats meet, so `(a+)+$` stops a worker for hours. What RE2 cannot ask
in such time is refused: look-around and back-references. Case never matters.
"""

from __future__ import annotations

from typing import Any

import re2

TEXT = 1_000
"""Signs of a text that are looked at; no dimension is longer."""
_MEMORY = 1 << 20


class PatternFault(ValueError):
    """Why a pattern cannot be used: the end of a sentence."""


class Pattern:
    """A pattern ready to be looked for anywhere in a text."""

    def __init__(self, pattern: str) -> None:
        options = re2.Options()
        options.case_sensitive, options.log_errors, options.max_mem = False, False, _MEMORY
        try:
            self._asked: Any = re2.compile(pattern, options)
        except (re2.error, UnicodeError) as fault:
            raise PatternFault(_reason(fault)) from None

    def found_in(self, text: str) -> bool:
        """Whether it holds for any part of the text."""
        return self._asked.search(text[:TEXT]) is not None


def _reason(fault: Exception) -> str:
    said = fault.args[0] if fault.args else ""
    words = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    if "too large" in words or "repetition size" in words:
        return "it is too large: write fewer or smaller counted repeats"
    if "invalid perl operator" in words or "invalid escape sequence" in words:
        return f"it looks around or back, or has an escape that is not supported ({words}): say the same without"
    return f"it cannot be read ({words})"
