"""What pages of several vendors have in common."""

from __future__ import annotations

from typing import Any

from usage.pulling import Ask


def rows_of(page: Any, name: str = "data") -> list[Any]:
    """The list a page holds; ValueError where it is no such page."""
    rows = page.get(name) if isinstance(page, dict) else None
    if not isinstance(rows, list):
        raise ValueError(f"The answer is no page: it has no list {name!r}.")
    return rows


def by_next_page(ask: Ask, page: Any) -> Ask | None:
    """The page that `next_page` names, as OpenAI and Anthropic write it, while `has_more` is true."""
    rows_of(page)
    if not page.get("has_more"):
        return None
    cursor = page.get("next_page")
    if not isinstance(cursor, str) or not cursor:
        raise ValueError("The answer says that more follows, and not where.")
    return ask.with_param("page", cursor)
