"""Rules over dimensions, without a database; and the parts of a whole."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from usage.attribution import UNATTRIBUTED, RuleFault, Span, compiled, spans, split


def rule(field: str, op: str, value: Any = None, project: int = 1, **days: date) -> Any:
    shares = [{"project": project, "weight": "1"}]
    return compiled(project, 1, [{"field": field, "op": op, "value": value}], shares, **days)


@pytest.mark.parametrize(
    ("field", "op", "value", "holds"),
    [
        ("path", "equals", "/SRV/shop", True),
        ("path", "equals", "/srv", False),
        ("path", "prefix", "/srv", True),
        ("path", "prefix", "srv", False),
        ("path", "glob", "/srv/*", True),
        ("path", "glob", "srv/*", False),
        ("path", "regex", "sh[aeiou]p$", True),
        ("path", "in", ["/srv/shop", "/else"], True),
        ("branch", "is_empty", None, True),
        ("path", "is_empty", None, False),
        ("tag:Team", "equals", "core", True),
        ("tag:other", "is_empty", None, True),
    ],
)
def test_a_condition_holds_or_not(field: str, op: str, value: Any, holds: bool) -> None:
    fields = {"path": "/srv/shop", "branch": "", "tag:team": "Core"}
    assert (spans([rule(field, op, value)], fields)[0].outcome is not UNATTRIBUTED) == holds


def test_the_first_rule_that_holds_decides_on_each_day() -> None:
    may, june = date(2026, 5, 1), date(2026, 6, 1)
    rules = [
        rule("path", "equals", "/a", 1, valid_from=may, valid_until=june),
        rule("path", "prefix", "/", 2, valid_from=may),
        rule("path", "equals", "/b", 3),
    ]
    found = spans(rules, {"path": "/a"})
    assert [(span.valid_from, span.outcome.rule_id) for span in found] == [(date.min, None), (may, 1), (june, 2)]
    assert found[-1].valid_until == date.max
    assert spans(rules, {"path": ""}) == [Span(date.min, date.max, UNATTRIBUTED)]


@pytest.mark.parametrize(
    ("conditions", "shares"),
    [
        ([{"field": "nothing", "op": "equals", "value": "a"}], []),
        ([{"field": "path", "op": "like", "value": "a"}], []),
        ([{"field": "path", "op": "regex", "value": "("}], []),
        ([{"field": "path", "op": "in", "value": "a"}], []),
        ([], [{"project": 1, "weight": "0.5"}]),
        ([], [{"project": 1, "weight": "0.5"}, {"project": 1, "weight": "0.5"}]),
        ([], [{"project": 1, "weight": "NaN"}]),
        ([], [{"project": 1}]),
    ],
)
def test_a_rule_that_cannot_be_says_so(conditions: list[Any], shares: list[Any]) -> None:
    with pytest.raises(RuleFault, match=r"\.$"):
        compiled(1, 1, conditions, shares)


@pytest.mark.django_db
@given(amount=st.integers(-(10**15), 10**15), cuts=st.lists(st.integers(1, 999), min_size=0, max_size=4, unique=True))
def test_parts_sum_to_the_whole_in_python_and_in_the_database(amount: int, cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), 1000]
    weights = [Decimal(b - a) / 1000 for a, b in zip(edges, edges[1:], strict=False)]
    parts = split(amount, weights)
    assert sum(parts) == amount
    with connection.cursor() as cursor:
        cursor.execute("SELECT usage_split(%s, %s::numeric[], 0)", [amount, weights])
        assert cursor.fetchone()[0] == parts
        cursor.execute("SELECT usage_split(%s * 0.000000000001, %s::numeric[], 12)", [amount, weights])
        assert cursor.fetchone()[0] == [Decimal(part).scaleb(-12) for part in parts]


@pytest.mark.django_db
@pytest.mark.parametrize("weights", [["1"], ["0.5", "0.5"], ["0.5", "0.3", "0.2"], ["0.25"] * 4])
@pytest.mark.parametrize("places", [0, 12])
def test_every_part_of_what_is_unknown_is_unknown(weights: list[str], places: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT usage_split(NULL, %s::numeric[], %s)", [weights, places])
        assert cursor.fetchone()[0] == [None] * len(weights)
