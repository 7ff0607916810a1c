"""What stands beside the estimators: reasoning left out, what became of the models, what others published."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.constant_quality import Observation, live_minimum, record_low
from pricing.constant_quality.published import EPOCH, compared_with
from pricing.constant_quality.reasoning import reasons
from pricing.constant_quality.sellers import Held, steps
from pricing.constant_quality.survival import survivals

FIRST = date(2025, 1, 1)
TODAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("effort", "slug", "capabilities", "does"),
    [
        ("high", "gpt-5", (), True),
        ("thinking 32k", "claude", ("tools",), True),
        ("non-thinking", "mimo-v2-flash", ("reasoning",), False),
        ("no thinking", "mimo", (), False),
        ("", "grok-4-fast-non-reasoning", ("reasoning",), False),
        ("", "grok-4-fast-reasoning", (), True),
        ("", "o3", ("reasoning", "tools"), True),
        ("", "gpt-4o", ("tools",), False),
        ("", "gpt-4o", (), None),
        ("nvfp4", "nemotron", (), None),
        ("", "highland-1", (), None),
    ],
)
def test_reasoning_is_what_the_benchmark_says_then_the_name_then_the_sources_and_else_unknown(
    effort: str, slug: str, capabilities: tuple[str, ...], does: bool | None
) -> None:
    assert reasons(effort, slug, capabilities) is does


def test_a_step_says_who_asked_its_price_and_a_median_between_two_names_both() -> None:
    market = [
        Held(seller, Decimal(price), FIRST, offering=number)
        for number, (seller, price) in enumerate([("a", "2"), ("b", "4"), ("c", "9"), ("d", "7")])
    ]
    asked = {rule: [one.offering for one in steps(market, rule)[0].asked] for rule in ("any", "median")}
    assert asked == {"any": [0], "median": [1, 3]}
    own = Held("maker", Decimal(2), FIRST, first_party=True, offering=9)
    assert [one.offering for one in steps([*market, own], "maker_or_median")[0].asked] == [9]


observations = st.lists(
    st.builds(
        lambda model, day, price, score, held: Observation(
            model, FIRST + timedelta(days=day), Decimal(price), Decimal(score),
            withdrawn_on=None if held is None else FIRST + timedelta(days=day + held),
        ),
        st.sampled_from("abcde"), st.integers(0, 400), st.integers(0, 9), st.sampled_from([1, 2]),
        st.none() | st.integers(1, 300),
    ),
    max_size=14,
)  # fmt: skip


@given(observations)
def test_survival_equals_a_count_day_by_day(seen: list[Observation]) -> None:
    live = live_minimum(seen, Decimal(2), until=TODAY)

    def for_sale(model: str, day: date) -> bool:
        """By the definition: an own price above zero, at the score, and no later price or end of it by then."""
        own = [one for one in seen if one.model == model and one.observed_on < TODAY]
        return any(
            one.price and one.score == 2 and one.observed_on <= day
            and (one.withdrawn_on is None or day < one.withdrawn_on)
            and not any(one.observed_on < other.observed_on <= day for other in own)
            for one in own
        )  # fmt: skip

    for point, found in zip(live.points, survivals(live.points, live, TODAY), strict=True):
        assert found.point is point
        assert found.live == sum(for_sale(model, point.on) for model in "abcde") == point.live
        assert (found.gone_on is None) == any(for_sale(point.model, TODAY + timedelta(days=ahead)) for ahead in (0,)), (
            point
        )
    records = record_low(seen, Decimal(2), until=TODAY)
    for found in survivals(records.points, live, TODAY):
        assert found.live >= 1


def test_epochs_nearest_line_stands_beside_its_own_benchmark_only() -> None:
    assert [one.who for one in compared_with("bfcl", Decimal(50))] == ["Moore’s law", "a16z"]
    own = compared_with("mmlu", Decimal(66))[-1]
    assert (own.threshold, own.per_year) == (Decimal("64.8"), 15.8)
    assert all(low < one.per_year < high for one in EPOCH for low, high in [one.interval or (0, 0)])
