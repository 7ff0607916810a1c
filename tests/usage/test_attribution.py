"""Rules over dimensions, without a database; and the parts of a whole."""

from __future__ import annotations

import re
import time
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from usage.attribution import UNATTRIBUTED, RuleFault, Span, compiled, spans, split
from usage.patterns import Pattern


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
        ("tag:teams", "equals", "web", True),
        ("tag:teams", "equals", "data", True),
        ("tag:teams", "in", ["ops", "data"], True),
        ("tag:teams", "equals", "ops", False),
        ("tag:teams", "contains", "EB", True),
        ("path", "contains", "V/S", True),
        ("path", "regex", r"^/SRV/(shop|till)$", True),
        ("path", "regex", r"\bshop", True),
        ("path", "regex", r"^[^\d]{4,9}$", True),
        ("path", "regex", r"^[^a]+\d", False),
    ],
)
def test_a_condition_holds_or_not(field: str, op: str, value: Any, holds: bool) -> None:
    fields = {"path": "/srv/shop", "branch": "", "tag:team": "Core", "tag:teams": ("web", "data")}
    assert (spans([rule(field, op, value)], fields)[0].outcome is not UNATTRIBUTED) == holds
    turned = compiled(1, 1, [{"field": field, "op": op, "value": value, "not": True}], [{"project": 1, "weight": "1"}])
    assert turned.holds(fields) != holds


@pytest.mark.parametrize(
    ("pattern", "model", "holds"),
    [
        ("claude-*[1m]", "claude-sonnet-4-5[1m]", True),
        ("claude-*[1m]", "claude-sonnet-4-51", False),
        ("*[!1]", "x[!1]", True),
        ("*[!1]", "x2", False),
        ("[", "[", True),
        ("?[1M]*", "a[1m]b", True),
    ],
)
def test_a_bracket_in_a_glob_is_a_bracket(pattern: str, model: str, holds: bool) -> None:
    assert rule("model_raw", "glob", pattern).holds({"model_raw": model}) == holds


def fits(pattern: str, text: str) -> bool:
    """What the documentation says: a star is any signs, a question mark one, anything else itself."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(fits(pattern[1:], text[at:]) for at in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and fits(pattern[1:], text[1:])


GLOB = st.text("ab[]!-^\\.*?\n", min_size=1, max_size=7)


@given(pattern=GLOB, text=st.text("ab[]!-^\\.*?\n", max_size=7))
def test_a_glob_knows_the_star_and_the_question_mark_only(pattern: str, text: str) -> None:
    assert rule("path", "glob", pattern).holds({"path": text}) == fits(pattern, text)


@given(pattern=GLOB, fillings=st.lists(st.text("ab[]!-", max_size=3), min_size=7, max_size=7))
def test_a_text_made_of_a_glob_fits_it(pattern: str, fillings: list[str]) -> None:
    made = "".join(
        filling if sign == "*" else (filling + "a")[0] if sign == "?" else sign
        for sign, filling in zip(pattern, fillings, strict=False)
    )
    assert rule("path", "glob", pattern).holds({"path": made})


SIGNS = st.text("ab1 _.", max_size=12)
EXPRESSIONS = st.recursive(
    st.sampled_from(["a", "B", "1", ".", r"\w", r"\D", "[ab]", "[^a1]", "^", "$", r"\b", "_", r"\s"]),
    lambda part: st.one_of(
        st.tuples(part, part).map("".join),
        st.tuples(part, part).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        st.tuples(part, st.sampled_from(["*", "+", "?", "{1,3}", "{2}"])).map(lambda two: f"(?:{two[0]}){two[1]}"),
    ),
    max_leaves=6,
)


@given(pattern=EXPRESSIONS, text=SIGNS)
def test_an_expression_finds_what_pythons_engine_finds(pattern: str, text: str) -> None:
    assert Pattern(pattern).found_in(text) == (re.search(pattern, text, re.IGNORECASE) is not None)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(a|aa)+$", ".*.*.*.*b", "a{0,40}a{0,40}b"])
def test_no_expression_takes_longer_than_text_times_pattern(pattern: str) -> None:
    begun = time.process_time()
    Pattern(pattern).found_in("a" * 400 + "!")
    assert time.process_time() - begun < 2


@pytest.mark.parametrize("pattern", ["(?=a)b", r"(a)\1", "a{5000}", "(?<!a)b", "(((a{99}){99}){99})"])
def test_an_expression_that_cannot_be_asked_that_way_is_refused(pattern: str) -> None:
    with pytest.raises(RuleFault, match=r"\.$"):
        rule("path", "regex", pattern)


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
