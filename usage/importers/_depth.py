"""Documents nested without end are given up before they are parsed.

ijson keeps with each event the path to it, so the memory it takes grows with the square of the depth: 20,000 brackets
are a gigabyte.
"""

from __future__ import annotations

import re
from itertools import accumulate
from typing import IO, Final

DEEPEST: Final = 500
TOO_DEEP: Final = f"the document is nested deeper than {DEEPEST} levels"
_STRING: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_STRINGS: Final = re.compile(_STRING, re.DOTALL)
_CLOSED: Final = re.compile(rb'(?:[^"]*+' + _STRING + rb')*+[^"]*+', re.DOTALL)  # up to a string that is left open
_NO_BRACKETS: Final = bytes(sign for sign in range(256) if sign not in b"[]{}")
_STEPS: Final = tuple((sign in b"[{") - (sign in b"]}") for sign in range(256))


class Shallow:
    """A stream of JSON that raises ValueError in `read` before it hands out what is nested too deep."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._depth = 0
        self._open = b""  # a string that the last piece left open, as short as can be

    def read(self, size: int = -1) -> bytes:
        piece = self._stream.read(size)
        text = self._open + piece
        closed = _CLOSED.match(text)
        until = closed.end() if closed else 0
        escapes = len(text) - max(until, len(text.rstrip(b"\\")))
        self._open = text[until : until + 1] + b"\\" * (escapes % 2)
        brackets = _STRINGS.sub(b"", text[:until]).translate(None, _NO_BRACKETS)
        depths = list(accumulate(map(_STEPS.__getitem__, brackets), initial=self._depth))
        if max(depths) > DEEPEST:
            raise ValueError(TOO_DEEP)
        self._depth = depths[-1]
        return piece
