"""Regular expressions that a stranger may write: the time they take grows with text × pattern, never beyond. Pure.

Python's own engine tries again and again where repeats meet, so `(a+)+$` stops a worker for hours. Here all ways are
followed at once (Thompson's construction). What cannot be asked that way is refused: look-around and back-references.
Case never matters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from re import _constants as parts  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

LARGEST = 600
"""Steps of a pattern: a counted repeat takes its part as often as it counts."""
TEXT = 1_000
"""Signs of a text that are looked at; no dimension is longer."""

Holds = Callable[[str, int], bool]
"""Whether a step may be taken at a place of the text; `True` for a sign consumed is told by the kind of step."""
_SIGN, _PLACE, _FORK, _DONE = range(4)


class PatternFault(ValueError):
    """Why a pattern cannot be used: the end of a sentence."""


class Pattern:
    """A pattern ready to be looked for anywhere in a text."""

    def __init__(self, pattern: str) -> None:
        try:
            # The pattern itself is not lowered: that would turn \\S into \\s.
            tree = parser.parse(pattern, re.IGNORECASE)
        except (re.error, OverflowError, RecursionError) as error:
            raise PatternFault(f"it cannot be read ({error})") from None
        self._steps: list[tuple[Any, ...]] = []
        self._add(tree)
        self._step(_DONE)

    def found_in(self, text: str) -> bool:
        """Whether it holds for any part of the text."""
        text = text[:TEXT]
        now: list[int] = []
        for at in range(len(text) + 1):
            seen: set[int] = set()
            reached: list[int] = []
            for step in (*now, 0):
                if self._reach(step, text, at, seen, reached):
                    return True
            if at < len(text):
                now = [step + 1 for step in reached if self._steps[step][1](text[at])]
        return False

    def _reach(self, first: int, text: str, at: int, seen: set[int], reached: list[int]) -> bool:
        """Follow what consumes nothing; true once the pattern's end is reached."""
        waiting = [first]
        while waiting:
            step = waiting.pop()
            if step in seen:
                continue
            seen.add(step)
            kind, *rest = self._steps[step]
            if kind == _DONE:
                return True
            if kind == _SIGN:
                reached.append(step)
            elif kind == _FORK:
                waiting.extend(rest[0])
            elif rest[0](text, at):
                waiting.append(step + 1)
        return False

    def _step(self, kind: int, *rest: Any) -> int:
        if len(self._steps) >= LARGEST:
            raise PatternFault("it is too large: write fewer or smaller counted repeats")
        self._steps.append((kind, *rest))
        return len(self._steps) - 1

    def _add(self, tree: Iterable[tuple[Any, Any]]) -> None:
        for kind, what in tree:
            self._add_part(kind, what)

    def _add_part(self, kind: Any, what: Any) -> None:
        if kind in {parts.LITERAL, parts.NOT_LITERAL, parts.ANY, parts.IN}:
            self._step(_SIGN, _sign(kind, what))
        elif kind is parts.SUBPATTERN:
            self._add(what[-1])
        elif kind in {parts.MAX_REPEAT, parts.MIN_REPEAT}:
            self._add_repeat(*what)
        elif kind is parts.BRANCH:
            self._add_branch(what[1])
        elif kind is parts.AT and what in _PLACES:
            self._step(_PLACE, _PLACES[what])
        else:
            raise PatternFault("it looks around or back, which is not supported: say the same without")

    def _add_repeat(self, least: int, most: Any, part: Any) -> None:
        for _ in range(least):
            self._add(part)
        if most is parts.MAXREPEAT:
            fork = self._step(_FORK, ())
            self._add(part)
            self._step(_FORK, (fork,))
            self._steps[fork] = (_FORK, (fork + 1, len(self._steps)))
            return
        forks = []
        for _ in range(most - least):
            forks.append(self._step(_FORK, ()))
            self._add(part)
        for fork in forks:
            self._steps[fork] = (_FORK, (fork + 1, len(self._steps)))

    def _add_branch(self, ways: list[Any]) -> None:
        start, begins, ends = self._step(_FORK, ()), [], []
        for way in ways:
            begins.append(len(self._steps))
            self._add(way)
            ends.append(self._step(_FORK, ()))
        self._steps[start] = (_FORK, tuple(begins))
        for end in ends:
            self._steps[end] = (_FORK, (len(self._steps),))


def _sign(kind: Any, what: Any) -> Callable[[str], bool]:
    """Whether one sign of a text fits; asked of it in both cases."""
    if kind is parts.ANY:
        return lambda sign: sign != "\n"
    if kind is parts.LITERAL:
        wanted = chr(what).lower()
        return lambda sign: sign.lower() == wanted
    if kind is parts.NOT_LITERAL:
        unwanted = chr(what).lower()
        return lambda sign: sign.lower() != unwanted
    is_negated = bool(what) and what[0][0] is parts.NEGATE
    tests = [_member(*member) for member in what if member[0] is not parts.NEGATE]
    return lambda sign: any(test(case) for test in tests for case in (sign.lower(), sign.upper())) != is_negated


def _member(kind: Any, what: Any) -> Callable[[str], bool]:
    if kind is parts.LITERAL:
        return lambda sign: sign == chr(what)
    if kind is parts.RANGE:
        return lambda sign: len(sign) == 1 and what[0] <= ord(sign) <= what[1]
    if kind is parts.CATEGORY and what in _CATEGORIES:
        one = re.compile(_CATEGORIES[what])
        return lambda sign: one.match(sign) is not None
    raise PatternFault("it names a kind of sign that is not supported")


def _is_word(text: str, at: int) -> bool:
    return 0 <= at < len(text) and (text[at].isalnum() or text[at] == "_")


_CATEGORIES = {
    parts.CATEGORY_DIGIT: r"\d", parts.CATEGORY_NOT_DIGIT: r"\D", parts.CATEGORY_SPACE: r"\s",
    parts.CATEGORY_NOT_SPACE: r"\S", parts.CATEGORY_WORD: r"\w", parts.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip
_PLACES: dict[Any, Holds] = {
    parts.AT_BEGINNING: lambda text, at: at == 0,
    parts.AT_BEGINNING_STRING: lambda text, at: at == 0,
    parts.AT_END: lambda text, at: at == len(text),
    parts.AT_END_STRING: lambda text, at: at == len(text),
    parts.AT_BOUNDARY: lambda text, at: _is_word(text, at - 1) != _is_word(text, at),
    parts.AT_NON_BOUNDARY: lambda text, at: _is_word(text, at - 1) == _is_word(text, at),
}
