"""What no honest document holds, and ijson does not survive, is given up before it is parsed.

ijson keeps with each event the path to it, so its memory grows with the square of the depth: 20,000 brackets are a
gigabyte. And a whole number of more digits than Python reads (4,300) ends the process with a segmentation fault.
"""

from __future__ import annotations

import re
from itertools import accumulate
from typing import IO, Final

LONGEST_LINE: Final = 16 << 20
"""Bytes of a line of a log, and of a record of a document."""
DEEPEST: Final = 500
DIGITS: Final = 1_000
TOO_DEEP: Final = f"the document is nested deeper than {DEEPEST} levels"
TOO_LONG: Final = f"the document has a number of more than {DIGITS:,} digits"
# No group is possessive: Python before 3.11.5 matches such a group wrongly (python/cpython#106052).
_STRING: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*"'
_STRINGS: Final = re.compile(_STRING, re.DOTALL)
_CLOSED: Final = re.compile(rb'(?:[^"]*+' + _STRING + rb')*[^"]*+', re.DOTALL)  # up to a string that is left open
_LONG_NUMBER: Final = re.compile(rb"[0-9]{%d}" % (DIGITS + 1))
_NO_BRACKETS: Final = bytes(sign for sign in range(256) if sign not in b"[]{}")
_STEPS: Final = tuple((sign in b"[{") - (sign in b"]}") for sign in range(256))

_CONSTANTS: Final = {b"NaN": b"null", b"Infinity": b"null", b"-Infinity": b"null"}
_WORDS: Final = re.compile(_STRING + rb"|[-+.\w]++", re.DOTALL)
_LETTERS: Final = b"-NaInfity"  # of a constant that a piece may end in the middle of


class Finite:
    """A stream of JSON with null for each NaN, Infinity and -Infinity, which Python writes and JSON has not.

    What stands in a string stays, and so does what is a part of something longer: it is no JSON either way.
    """

    def __init__(self, stream: IO[bytes] | Bounded) -> None:
        self._stream = stream
        self._held = b""  # what the last piece ended in that may be the start of a constant
        self._open = b""  # a string that the last piece left open, as short as can be

    def read(self, size: int = -1) -> bytes:
        while True:
            piece = self._stream.read(size)
            text = self._held + piece
            letters = len(text) - len(text.rstrip(_LETTERS)) if piece else 0
            cut = len(text) - min(letters, len(b"-Infinity"))
            self._held, text = text[cut:], text[:cut]
            found = self._finite(text)
            if found or not piece:
                return found

    def _finite(self, text: bytes) -> bytes:
        begun, text = len(self._open), self._open + text
        closed = _CLOSED.match(text)
        until = closed.end() if closed else 0
        done, rest = text[:until], text[until:]
        self._open = rest[:1] + b"\\" * ((len(rest) - len(rest.rstrip(b"\\"))) % 2)
        if b"NaN" in done or b"Infinity" in done:
            done = _WORDS.sub(lambda found: _CONSTANTS.get(found[0], found[0]), done)
        return (done + rest)[begun:]


class Bounded:
    """A stream of JSON whose `read` raises ValueError before it hands out what is too deep or too long a number."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._depth = 0
        self._open = b""  # a string that the last piece left open, as short as can be
        self._digits = b""  # those that the last piece ended in

    def read(self, size: int = -1) -> bytes:
        piece = self._stream.read(size)
        plain = self._digits + self._outside_strings(piece)
        if _LONG_NUMBER.search(plain):
            raise ValueError(TOO_LONG)
        self._digits = plain[len(plain.rstrip(b"0123456789")) :]
        depths = list(accumulate(map(_STEPS.__getitem__, plain.translate(None, _NO_BRACKETS)), initial=self._depth))
        if max(depths) > DEEPEST:
            raise ValueError(TOO_DEEP)
        self._depth = depths[-1]
        return piece

    def _outside_strings(self, piece: bytes) -> bytes:
        """The piece with a space for each string."""
        text = self._open + piece
        closed = _CLOSED.match(text)
        until = closed.end() if closed else 0
        escapes = len(text) - max(until, len(text.rstrip(b"\\")))
        self._open = text[until : until + 1] + b"\\" * (escapes % 2)
        return _STRINGS.sub(b" ", text[:until]) + b" " * bool(self._open)
