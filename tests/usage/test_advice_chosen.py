"""Of what was weighed the best seller of each move is told, and of what was refused every reason, the dearest first."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pricing.noninferiority import Verdict
from usage.advice import Kind, Range, Reason, Recommendation, Refused, Side
from usage.recommending.choosing import FEW, MOST_MOVES, MOST_REFUSED, best_moves, told_refusals


def side(model: str, provider: str = "p", **fields: Any) -> Side:
    return Side(1, model, model, provider, provider, model, **fields)


NOW = side("now")


def move(model: str, low: str, provider: str = "p", kind: Kind = Kind.SUBSTITUTION, **fields: Any) -> Recommendation:
    saving = Range(D(low), D(low) + 1)
    return Recommendation(
        kind, fields.pop("current", NOW), side(model, provider, **fields), Verdict.EQUAL, D(9), saving, ""
    )


def refused(model: str, reason: Reason, high: str | None, provider: str = "p") -> Refused:
    saving = None if high is None else Range(D(0), D(high))
    return Refused(NOW, side(model, provider), reason, "", saving)


def test_one_seller_of_each_model_and_effort_and_kind_the_surest_money_first() -> None:
    cheap, dear = move("a", "5", "cheap"), move("a", "3", "dear")
    high, host = move("a", "2", "dear", effort="high"), move("a", "1", "dear", Kind.SELLER)
    assert best_moves([host, dear, high, cheap]) == [cheap, high, host]


def test_the_seller_in_use_goes_before_one_that_hardly_saves_more() -> None:
    new, known = move("a", "100", "new"), move("a", "99", NOW.provider)
    assert best_moves([new, known]) == [known]
    assert best_moves([new, move("a", "98", NOW.provider)]) == [new]


def test_moves_of_one_side_leave_room_for_those_of_another() -> None:
    many = [move(f"m{n:02}", str(100 - n)) for n in range(20)]
    other = replace(move("z", "1"), current=side("other"))
    assert best_moves([*many, other]) == [*many[:MOST_MOVES], other]


def test_every_reason_is_among_the_refusals_and_none_crowds_out_the_others() -> None:
    resold = [refused(f"resold-{n:02}", Reason.PROVIDER, "1000") for n in range(30)]
    dear = [refused(f"dear-{n:02}", Reason.NOT_CHEAPER, str(500 - n)) for n in range(30)]
    lone = refused("lone", Reason.REGION, "1")
    unpriced = refused("silent", Reason.UNPRICED, None)
    told = told_refusals([*resold, *dear, lone, unpriced], [])
    assert len(told) == MOST_REFUSED
    assert [one for one in told if one in (lone, unpriced)] == [lone, unpriced]
    assert sum(one.reason is Reason.NOT_CHEAPER for one in told) >= 5
    assert [one for one in told if one in dear] == dear[: sum(one.reason is Reason.NOT_CHEAPER for one in told)]


def test_what_comes_nearest_is_told_first_and_of_what_is_hopeless_two_are_enough() -> None:
    worse = [refused(f"worse-{n:02}", Reason.WORSE, str(500 - n)) for n in range(30)]
    free, open_one, near = (
        refused("free", Reason.FREE, "900"),
        refused("open", Reason.NOT_ENOUGH, "5"),
        refused("near", Reason.REGION, "1"),
    )
    assert told_refusals([*worse, free, open_one, near], []) == [near, open_one, free, *worse[:FEW]]


def test_what_is_recommended_at_one_seller_is_not_refused_at_another() -> None:
    assert told_refusals([refused("a", Reason.REGION, "9", "far")], [move("a", "1", "near")]) == []


reasons = st.sampled_from(list(Reason))
many = st.lists(
    st.builds(lambda n, reason, high: refused(f"m{n}", reason, high), st.integers(0, 60), reasons,
              st.one_of(st.none(), st.integers(0, 99).map(str))), max_size=80,
)  # fmt: skip


@given(many)
def test_refusals_are_few_ordered_and_of_every_reason(found: list[Refused]) -> None:
    told = told_refusals(found, [])
    assert len(told) <= MOST_REFUSED
    assert {one.reason for one in told} == {one.reason for one in found}
    for reason in Reason:
        worth = [one.saving.high if one.saving else D(0) for one in told if one.reason is reason]
        assert worth == sorted(worth, reverse=True)
