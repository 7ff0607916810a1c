"""A body with any one value of it replaced still reads to sound statements, or is refused in a sentence."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.sources import SourceError, all_sources

RECORDED = Path(__file__).parents[2] / "recorded" / "pricing"
SLUGS = ("aws_price_list", "azure_retail", "deepinfra", "portkey", "together", "xai")
JUNK = st.sampled_from(
    [None, True, -1, 0, 10**400, -0.5, 1e308, float("nan"), float("inf"), "", "x", "-1", "NaN", [], {}, [[]], {"a": 1}]
)


def places(stated, path=()):
    yield path
    inner = stated.items() if isinstance(stated, dict) else enumerate(stated) if isinstance(stated, list) else ()
    for key, value in inner:
        yield from places(value, (*path, key))


def replaced(stated, path, value):
    if not path:
        return value
    copy = dict(stated) if isinstance(stated, dict) else list(stated)
    copy[path[0]] = replaced(stated[path[0]], path[1:], value)
    return copy


@pytest.mark.parametrize("slug", SLUGS)
@given(draw=st.data())
def test_one_wrong_value_is_never_a_wrong_price(slug, draw):
    (path,) = (p for p in (RECORDED / slug).iterdir() if p.name != "expected.json")
    body = json.loads(path.read_text())
    where = draw.draw(st.sampled_from(sorted(places(body), key=str)))
    bad = json.dumps(replaced(body, where, draw.draw(JUNK))).encode()
    source = all_sources()[slug]
    try:
        reading = source.parse(bad)
    except SourceError:
        return
    assert reading.statements
    for s in reading.statements:
        assert s.amount.is_finite()
        assert 0 <= s.amount < 10_000
        assert s.currency == "USD"
        assert isinstance(s.sku, str)
        assert isinstance(s.region, str)
        assert type(s.context_from) is int


@pytest.mark.parametrize("slug", SLUGS)
def test_a_body_nested_too_deep_is_refused(slug):
    with pytest.raises(SourceError):
        all_sources()[slug].parse(b"[" * 200_000)
