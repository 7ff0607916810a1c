"""Whether a score was reached by reasoning before the answer. Pure.

Epoch AI's study of 2025 leaves reasoning models out as an option: they write many times the tokens at the same price
per token, so that their price per token says less of what an answer costs.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

IN: Final = "in"
OUT: Final = "out"
CHOICES: Final = (IN, OUT)
CAPABILITY: Final = "reasoning"
_DOES_NOT: Final = re.compile(r"\b(non|no|without)[- ]?(thinking|reasoning)\b|\b(none|off|disabled)\b")
_DOES: Final = re.compile(r"\b(thinking|reasoning|minimal|low|medium|high|xhigh|max)\b")

_IS_NAMED: Final = re.compile(r"\b(thinking|reasoning)\b")


def reasons(effort: str, slug: str, capabilities: Collection[str]) -> bool | None:
    """By the effort the benchmark ran it at, where it names one; else by the model's own name, where that says so
    (`grok-4-fast-non-reasoning`); else by what sources say the model can do.

    None where no source says anything of what it can do. A model that can do both and was run at an effort nobody
    states counts as reasoning.
    """
    for said, does in ((effort.lower(), _DOES), (slug.lower(), _IS_NAMED)):
        if _DOES_NOT.search(said):
            return False
        if does.search(said):
            return True
    return CAPABILITY in capabilities if capabilities else None
