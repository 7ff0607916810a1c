"""What a model was told and what it said: never kept, so what may carry it is known by its name. Pure.

A count is no content, whatever it is called: `"output": 40` is tokens, `"output": "Dear …"` is an answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

LONGEST_TEXT = 1_000
"""Characters: no id, name or tag is longer, and a text that is may be anything."""
DEEPEST = 100
_CONTENT = frozenset(
    [
        "prompt",
        "prompts",
        "completion",
        "completions",
        "message",
        "messages",
        "content",
        "contents",
        "text",
        "texts",
        "choices",
        "instructions",
        "question",
        "answer",
        "response",
        "responses",
        "body",
        "input",
        "inputs",
        "output",
        "outputs",
        "arguments",
        "transcript",
        "conversation",
        "toolcalls",
        "toolresult",
        "toolresults",
        "systemprompt",
        "summary",
        "reply",
    ]
)
_PARTS = re.compile(r"[^a-z]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def is_content_name(name: str) -> bool:
    """Whether a field of this name may hold what was said: `prompt`, `gen_ai.completion`, `system-prompt`, `Messages`.

    The last word decides, so that `prompt_tokens` and `content_type` are none.
    """
    words = [word for word in _PARTS.split(_HUMP.sub("_", name).lower()) if word]
    return bool(words) and (words[-1] in _CONTENT or "".join(words[-2:]) in _CONTENT)


def content_in(value: Any, place: str = "") -> str:
    """Where a JSON value holds content, as `tags.prompt` or `events[3].messages`; '' where it holds none."""
    waiting: list[tuple[Any, str, int]] = [(value, place, 0)]
    while waiting:
        found, where, depth = waiting.pop()
        if depth > DEEPEST:
            return where
        if isinstance(found, Mapping):
            for name, part in found.items():
                here = f"{where}.{name}" if where else str(name)
                if is_content_name(str(name)) and not _is_count(part):
                    return here[:200]
                waiting.append((part, here[:200], depth + 1))
        elif isinstance(found, list):
            waiting += [(part, f"{where}[{number}]", depth + 1) for number, part in enumerate(found)]
    return ""


def without_content(value: Any, depth: int = 0) -> Any:
    """A JSON value without fields that may hold content, and without texts longer than any id."""
    if depth > DEEPEST:
        return None
    if isinstance(value, Mapping):
        return {
            name: without_content(part, depth + 1)
            for name, part in value.items()
            if _is_count(part) or not is_content_name(str(name))
        }
    if isinstance(value, list):
        return [without_content(part, depth + 1) for part in value]
    return None if isinstance(value, str) and len(value) > LONGEST_TEXT else value


def _is_count(value: Any) -> bool:
    return value is None or not isinstance(value, str | list | Mapping | bool)
