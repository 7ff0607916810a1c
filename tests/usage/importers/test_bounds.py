"""Documents nested without end, and endless numbers: given up before they are parsed, and nothing else is."""

from __future__ import annotations

import io
import json
from typing import IO, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage.importers import all_importers
from usage.importers._bounds import DEEPEST, DIGITS, TOO_DEEP, TOO_LONG, Bounded, Finite

VALUES = st.recursive(
    st.text(alphabet='[]{}"\\a') | st.integers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text('["\\'), inner),
)


def read_whole(body: bytes, size: int) -> bytes:
    stream = Bounded(cast(IO[bytes], io.BytesIO(body)))
    return b"".join(iter(lambda: stream.read(size), b""))


@given(value=VALUES, size=st.integers(1, 9))
def test_brackets_in_strings_are_no_depth_wherever_the_pieces_end(value: Any, size: int) -> None:
    body = json.dumps([value] * 40).encode()
    assert read_whole(body, size) == body
    deep = b"[" * (DEEPEST - 1) + body
    with pytest.raises(ValueError, match=TOO_DEEP):
        read_whole(b"[" + deep, size)


CONSTANTS = st.sampled_from([float("nan"), float("inf"), float("-inf"), "NaN", "-Infinity", 'a"NaN,', "\\", -1, 2.5])
WITH_CONSTANTS = st.recursive(
    CONSTANTS, lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["NaN", 'Infinity"', "\\"]), inner)
)


def finite(body: bytes, size: int) -> bytes:
    stream = Finite(cast(IO[bytes], io.BytesIO(body)))
    return b"".join(iter(lambda: stream.read(size), b""))


@given(value=WITH_CONSTANTS, size=st.integers(1, 12), indent=st.sampled_from([None, 1]))
def test_the_constants_that_json_has_not_are_null_outside_strings_wherever_the_pieces_end(
    value: Any, size: int, indent: int | None
) -> None:
    body = json.dumps(value, indent=indent)
    expected = json.loads(body, parse_constant=lambda _: None)
    assert json.loads(finite(body.encode(), size), parse_constant=pytest.fail) == expected


@given(body=st.text('NaInfity-1e ,:"[]{}\\', max_size=40), size=st.integers(1, 12))
def test_nothing_else_becomes_json_by_it(body: str, size: int) -> None:
    """What Python reads, constants included, and nothing more."""
    try:
        expected = json.loads(body, parse_constant=lambda _: None)
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            json.loads(finite(body.encode(), size))
    else:
        assert json.loads(finite(body.encode(), size), parse_constant=pytest.fail) == expected


@pytest.mark.parametrize("slug", [slug for slug, one in sorted(all_importers().items()) if hasattr(one, "split")])
def test_a_document_nested_without_end_is_given_up(slug: str) -> None:
    split = cast(Any, all_importers()[slug]).split
    for body in (b"[" * 1_000_000, b'{"data":' * 100_000, b'["]",' * 100_000, b'{"data": [{"a": ' + b"[" * 300_000):
        with pytest.raises(ValueError, match=TOO_DEEP):
            list(split(io.BytesIO(body)))


@given(size=st.integers(1, 4 * DIGITS))
def test_an_endless_number_is_no_number_wherever_the_pieces_end(size: int) -> None:
    allowed = b'{"a": -%s, "%s": 1}' % (b"9" * DIGITS, b"9" * 2 * DIGITS)
    assert read_whole(allowed, size) == allowed
    with pytest.raises(ValueError, match=TOO_LONG):
        read_whole(b'{"a": %s' % (b"9" * (DIGITS + 1)), size)


@pytest.mark.parametrize("slug", [slug for slug, one in sorted(all_importers().items()) if hasattr(one, "split")])
def test_a_number_that_python_does_not_read_ends_no_process(slug: str) -> None:
    split = cast(Any, all_importers()[slug]).split
    for body in (b"[%s]", b'{"data": [%s]}', b'{"data": [{"results": [{"a": %s}]}]}'):
        with pytest.raises(ValueError, match=TOO_LONG):
            list(split(io.BytesIO(body % (b"9" * 5_000))))
