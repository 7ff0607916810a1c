"""Uploads as nobody should send them: number n is the same for everybody who asks for it.

A recorded body of an importer is damaged in its bytes, its lines, its values or its packing, or handed to another
importer; or the file is noise, a bomb, a row of 100,000 columns, or one line of 100 MB that is never held whole.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from benchmarks.workspace import ROOT
from usage.content import content_in
from usage.importers import all_importers

RECORDED = ROOT / "tests" / "recorded" / "usage"
MARK = "Dear-reader-keep-this-to-yourself"
"""Stands where prompts and keys stand; it must never be seen again."""
LONG = 100 << 20
EVERY_LONG = 400
"""One upload of so many is of LONG bytes."""
_HOSTILE = (
    "NaN", "Infinity", "-Infinity", "-1", "-0.0", "1e400", "1e-400", "1" + "0" * 400, "9" * 5000, "0." + "1" * 5000,
    "2.5", "true", "null", "[]", "{}", '""', '"\\ud800"', '"\\u0000"', '"0x10"', '"1,5"', '"' + "x" * 100_000 + '"',
    '"🦆"', "[" * 100_000 + "]" * 100_000, '{"a":' * 100_000 + "1" + "}" * 100_000, '"9999-12-31T23:59:59-23:59"',
    '"0001-01-01T00:00:00+23:59"', "253402300800", "-62135596801", "1e30", '"2026-02-30"', '"=1+1"', "[[1]]",
    '1, "model": "twice"', '2, "usage": {}', f'"x", "prompt": "{MARK}"', f'1, "messages": [{{"content": "{MARK}"}}]',
    "undefined", "'single'", "01", "+1", "1_000", "[1,]", '"unended',
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Upload:
    """One file for one importer; `long` repeats `body` up to LONG bytes between `head` and `tail`."""

    importer: str
    kind: str
    body: bytes
    name: str = "usage.jsonl"
    long: bool = False
    head: bytes = b""
    tail: bytes = b""

    def pieces(self) -> Iterator[bytes]:
        if not self.long:
            yield self.body
            return
        yield self.head
        for _ in range(LONG // len(self.body)):
            yield self.body
        yield self.tail


def upload(number: int) -> Upload:
    """The upload of that number."""
    chance = random.Random(number)  # noqa: S311
    slugs = sorted(all_importers())
    slug = slugs[number % len(slugs)]
    if number % EVERY_LONG == EVERY_LONG - 1:
        return _long(number // EVERY_LONG, slugs)
    kind, make = chance.choices(
        (("noise", _noise), ("damaged", _damaged), ("values", _values), ("packed", _packed), ("wide", _wide),
         ("strange", _strange), ("wrong importer", _of_another)),
        (8, 30, 40, 14, 1, 4, 8),
    )[0]  # fmt: skip
    return Upload(slug, kind, make(slug, chance), _name(chance))


def events(number: int) -> bytes:
    """The body of a call of the API, of that number."""
    chance = random.Random(number)  # noqa: S311
    lines = [json.loads(line) for line in recorded("events")[0].splitlines() if line.strip().startswith(b"{")]
    free = [line for line in lines if not content_in(line)]
    body = json.dumps({"events": free, "scope": "a service"}).encode()
    damaged = chance.choice((hostile_json, hostile_json, *_DAMAGES))(body, chance)
    return chance.choice((damaged, damaged, damaged, chance.randbytes(99), damaged.decode("latin-1").encode("utf-16")))


@cache
def recorded(slug: str) -> tuple[bytes, ...]:
    """The bodies that were recorded for an importer."""
    files = sorted((RECORDED / slug).iterdir())
    return tuple(
        file.read_bytes() for file in files if not file.name.endswith(".expected.json") and file.name != "mapping.json"
    )


@cache
def mapping(slug: str) -> dict[str, Any] | None:
    """What the columns of an importer's recorded body mean; None where it has none."""
    file = RECORDED / slug / "mapping.json"
    return json.loads(file.read_text()) if file.exists() else None


def hostile_json(text: bytes, chance: random.Random) -> bytes:
    """Some values of JSON documents replaced by what does not belong there, as text: it need not be JSON any more."""
    try:
        documents = [json.loads(text)]
    except ValueError:
        documents = [json.loads(line) for line in text.splitlines() if line.strip()]
    places = [place for document in documents for place in _places(document)]
    if not places:
        return text
    stood: list[str] = []
    for _ in range(chance.choice((1, 1, 2, 5))):
        holder, key = chance.choice(places)
        holder[key] = f"@@{len(stood)}@@"
        stood.append(chance.choice(_HOSTILE))
    told = "\n".join(json.dumps(document) for document in documents)
    for number, value in enumerate(stood):
        told = told.replace(f'"@@{number}@@"', value)
    return told.encode() + b"\n"


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield value, key
        yield from _places(part)


def _body(slug: str, chance: random.Random) -> bytes:
    return chance.choice(recorded(slug))


def _noise(slug: str, chance: random.Random) -> bytes:
    size = chance.choice((0, 1, 2, 3, 10, 100, 5_000, 100_000))
    return chance.choice(
        (chance.randbytes(size), bytes(chance.choices(b'{}[]":,\n\r\\0 eE-.t', k=size)), b"\0" * size, b"\n" * size)
    )


def _damaged(slug: str, chance: random.Random) -> bytes:
    body = _body(slug, chance)
    for _ in range(chance.choice((1, 1, 2, 4))):
        body = chance.choice(_DAMAGES)(body, chance)
    return body


def _values(slug: str, chance: random.Random) -> bytes:
    body = _body(slug, chance)
    try:
        return hostile_json(body, chance)
    except ValueError:  # a table
        lines = [line.split(b",") for line in body.splitlines()]
        hostile = [text for text in _HOSTILE if MARK not in text]
        for _ in range(chance.choice((1, 1, 3))):
            cells = chance.choice(lines)
            cells[chance.randrange(len(cells))] = chance.choice(hostile).encode()
        return b"\n".join(b",".join(cells) for cells in lines)


def _of_another(slug: str, chance: random.Random) -> bytes:
    return _values(chance.choice(sorted(all_importers())), chance)


def _strange(slug: str, chance: random.Random) -> bytes:
    """Encodings that are not UTF-8, one another's, or both."""
    text = _body(slug, chance).decode()
    return chance.choice(
        (text.encode("utf-16"), text.encode("utf-16-le"), text.encode("utf-32"), b"\xef\xbb\xbf" + text.encode(),
         text.encode() + text.encode("utf-16"), text.replace("e", "é").encode("latin-1", "replace"),
         text.replace("a", "\udcff").encode(errors="surrogatepass"), text.replace("\n", "\r").encode(),
         text.replace("o", "\\ud800").encode(), b"\xff\xfe" + text.encode())
    )  # fmt: skip


def _packed(slug: str, chance: random.Random) -> bytes:
    body = chance.choice((_body, _values, _damaged))(slug, chance)
    packed = gzip.compress(body, 1, mtime=0)
    what = chance.randrange(12)
    if what == 0:
        return gzip.compress(packed, mtime=0)
    if what == 1:
        return packed + packed
    if what == 2:
        return packed[: chance.randrange(2, len(packed))]
    if what == 3:
        return packed[:-8] + chance.randbytes(8)
    if what == 4:
        return packed + chance.randbytes(20)
    if what == 5:
        return _changed(packed, chance)
    if what in (6, 7):
        return _zip(body if what == 6 else _zip(bytes(1 << 20)))
    if what == 8:
        return chance.choice((_bomb(), packed + _bomb(), _bomb() + packed, gzip.compress(_bomb(), mtime=0)))
    return packed


def _zip(body: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("usage.jsonl", body)
    return made.getvalue()


@cache
def _bomb(size: int = 1 << 30) -> bytes:
    """A gzip file of about 1 MiB that unpacks to a GiB."""
    pack = zlib.compressobj(9, wbits=31)
    piece = bytes(1 << 20)
    return b"".join(pack.compress(piece) for _ in range(size >> 20)) + pack.flush()


def _wide(slug: str, chance: random.Random) -> bytes:
    columns = b",".join(b"c%d" % number for number in range(100_000))
    first = recorded(slug)[0].splitlines()
    return chance.choice((columns + b"\n" + columns, first[0] + b"," + columns + b"\n" + b"\n".join(first[1:])))


def _long(number: int, slugs: list[str]) -> Upload:
    slug = slugs[number * 7 % len(slugs)]
    head = recorded(slug)[0].splitlines()[0] + b"\n"
    shapes: tuple[Callable[[], Upload], ...] = (
        lambda: Upload(slug, "long line", b"a" * (1 << 20), long=True),
        lambda: Upload(slug, "long text", b"a" * (1 << 20), long=True, head=b'{"data": [{"model": "', tail=b'"}]}'),
        lambda: Upload(slug, "long line", b"a" * (1 << 20), long=True, head=head, tail=b"\n" + head),
        lambda: Upload(slug, "long number", b"7" * (1 << 20), long=True, head=b'{"data": [', tail=b"]}"),
        lambda: Upload(slug, "deep", b"[" * (1 << 20), long=True, head=b'{"data": '),
        lambda: Upload(slug, "deep", b'{"data":' * (1 << 17), long=True),
        lambda: Upload(slug, "long quote", b"a,\n" * (1 << 18), long=True, head=head + b'"'),
        lambda: Upload(slug, "many keys", b'"k": 1, ' * (1 << 17), long=True, head=b"{", tail=b'"z": 2}'),
    )
    return shapes[number % len(shapes)]()


def _name(chance: random.Random) -> str:
    return chance.choice(
        ("usage.jsonl",) * 8 + ("../../etc/passwd", "a" * 300, "<b>.csv", "", ".", "x\0y", 'q".json', "ü\u202e.csv")
    )


def _changed(body: bytes, chance: random.Random) -> bytes:
    changed = bytearray(body)
    for _ in range(min(len(changed), chance.choice((1, 3, 30)))):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _cut(body: bytes, chance: random.Random) -> bytes:
    return body[: chance.randrange(len(body) + 1)]


def _removed(body: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(body) + 1)
    return body[:start] + body[start + chance.choice((1, 5, 100)) :]


def _repeated(body: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(body) + 1)
    return body[:start] + body[start : start + chance.choice((1, 20, 400))] * chance.choice((2, 50)) + body[start:]


def _shuffled(body: bytes, chance: random.Random) -> bytes:
    lines = body.splitlines(keepends=True)
    chance.shuffle(lines)
    return b"".join(lines)


def _nul(body: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(body) + 1)
    return body[:place] + b"\0" * chance.choice((1, 3)) + body[place:]


def _marked(body: bytes, chance: random.Random) -> bytes:
    return body.replace(b"{", b'{"prompt": "%s", "authorization": "%s", ' % (MARK.encode(), MARK.encode()), 3)


def _digits(body: bytes, chance: random.Random) -> bytes:
    digit = b"%d" % chance.randrange(10)
    return body.replace(digit, chance.choice((b"-", b"9" * 30, b"e9", b".", b" ", b'"')), chance.choice((1, 5, 50)))


_DAMAGES = (_changed, _cut, _removed, _repeated, _shuffled, _nul, _marked, _digits)
