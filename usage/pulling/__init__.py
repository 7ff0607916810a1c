"""Live pulls: one module an API says what to ask for a window; nothing in it touches the network or the database.

A module `usage/pulling/apis/<slug>.py`, named as the importer that reads its pages, declares

    SLUG, NAME: str         the importer's slug; what a person calls the API
    BASE_URL: str           where it is, '' where only the installation knows
    KEY, KEY_FROM: str      which key it wants; the page where one is made, '' where there is none
    PERMISSION: str         a sentence: what the key must be allowed to do, and how to get that
    DAYS: int               the longest part a window is pulled in
    BACK: int               how many days back the API answers
    LAG: timedelta          how long after its end a time is complete
    WHOLE_DAYS: bool        True where it answers by whole UTC days
    GROUPS: tuple[str, …]   what its answers can be grouped by, where that can be chosen
    GROUPED: tuple[str, …]  what they are grouped by unless a person chooses otherwise

    headers(key) -> dict                        how the key is sent
    asks(since, until, group_by) -> list[Ask]   the first page of each series that together are the window
    following(ask, page) -> Ask | None          the next page; ValueError where this is no page
    kept(page) -> page                          optional: the page without its content, where it may hold any

Discovery is by module.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Protocol, cast

Params = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """One page: its path below the base URL and its query. `optional`: an installation may not have it (404)."""

    path: str
    params: Params
    optional: bool = False

    def with_param(self, name: str, value: str) -> Ask:
        """The same with one parameter set."""
        return replace(self, params=(*(pair for pair in self.params if pair[0] != name), (name, value)))


class Api(Protocol):
    """The contract of a pull module."""

    SLUG: str
    NAME: str
    BASE_URL: str
    KEY: str
    KEY_FROM: str
    PERMISSION: str
    DAYS: int
    BACK: int
    LAG: timedelta
    WHOLE_DAYS: bool
    GROUPS: tuple[str, ...]
    GROUPED: tuple[str, ...]

    @staticmethod
    def headers(key: str) -> dict[str, str]: ...

    @staticmethod
    def asks(since: datetime, until: datetime, group_by: Sequence[str]) -> list[Ask]: ...

    @staticmethod
    def following(ask: Ask, page: Any) -> Ask | None: ...


@cache
def all_apis() -> dict[str, Api]:
    """Every API that can be pulled, by the slug of its importer."""
    from usage.pulling import apis

    names = sorted(found.name for found in pkgutil.iter_modules(apis.__path__) if not found.name.startswith("_"))
    modules = [importlib.import_module(f"{apis.__name__}.{name}") for name in names]
    return {module.SLUG: cast(Api, module) for module in modules}
