"""What a mail knows beside its report: where this instance is, why one gets it, and how to stop it. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mailed:
    """`base` is the address of the instance, without a slash at its end; the others are paths of it."""

    base: str
    why: str
    change_path: str
    unsubscribe_path: str = ""

    def absolute(self, path: str) -> str:
        return f"{self.base}{path}" if path.startswith("/") else path
