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
_STRING: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_STRINGS: Final = re.compile(_STRING, re.DOTALL)
_CLOSED: Final = re.compile(rb'(?:[^"]*+' + _STRING + rb')*+[^"]*+', re.DOTALL)  # up to a string that is left open
_LONG_NUMBER: Final = re.compile(rb"[0-9]{%d}" % (DIGITS + 1))
_NO_BRACKETS: Final = bytes(sign for sign in range(256) if sign not in b"[]{}")
_STEPS: Final = tuple((sign in b"[{") - (sign in b"]}") for sign in range(256))


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
