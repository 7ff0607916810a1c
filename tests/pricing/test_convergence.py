"""The gap to the best, the time on top and the share above a floor, against a count that knows only the definitions."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.convergence import Reign, Snapshot, Standing, gaps, reigns, win_share

FIRST = date(2024, 7, 1)

standings = st.builds(
    Standing,
    st.sampled_from("abcdefg"),
    st.integers(1, 4).map(D),
    st.none() | st.sampled_from(["0", "0.5", "1", "2"]).map(D),
    st.sampled_from([True, False, None]),
)
snapshots = st.dictionaries(
    st.integers(0, 900).map(lambda day: FIRST + timedelta(days=day)),
    st.lists(standings, max_size=6, unique_by=lambda one: one.model),
    max_size=8,
).map(lambda found: [Snapshot(on, tuple(models)) for on, models in found.items()])


@given(snapshots, st.sampled_from(["0.5", "1", "3"]).map(D), st.integers(1, 5).map(D))
def test_every_gap_is_that_of_a_count_by_definition(seen: list[Snapshot], at_most: D, floor: D) -> None:
    found = {gap.on: gap for gap in gaps(seen, at_most, floor)}
    assert list(found) == sorted(found)
    assert set(found) == {one.on for one in seen if one.standings}
    for snapshot in seen:
        models = snapshot.standings
        if not models:
            continue
        gap = found[snapshot.on]
        top = max(one.score for one in models)
        assert gap.best.score == top
        paid = [one.score for one in models if one.price is not None and 0 < one.price <= at_most]
        assert gap.behind_cheap == (top - max(paid) if paid else None)
        own = [one.score for one in models if one.open_weights is True]
        assert gap.behind_open == (top - max(own) if own else None)
        assert (gap.rated, gap.above) == (len(models), len([one for one in models if not one.score < floor]))
        assert gap.unpriced == len([one for one in models if one.price is None])
        assert gap.weights_unknown == len([one for one in models if one.open_weights is None])
        assert all(one in models for one in (gap.best, gap.cheap, gap.open) if one is not None)


@given(snapshots)
def test_reigns_partition_the_snapshots_and_nobody_on_top_is_beaten(seen: list[Snapshot]) -> None:
    days = sorted(one.on for one in seen if one.standings)
    by_day = {one.on: one.standings for one in seen}
    found = reigns(seen)
    held = [day for one in found for day in days if one.first <= day <= one.last]
    assert held == days
    for before, after in zip(found, found[1:], strict=False):
        assert before.until == after.first
        assert after.before == before.last
        assert before.model != after.model
        # The one who was there lost it to a higher score, or is no longer rated.
        scores = {one.model: one.score for one in by_day[after.first]}
        assert before.model not in scores or scores[before.model] < scores[after.model]
    for one in found:
        for day in days:
            if one.first <= day <= one.last:
                scores = {other.model: other.score for other in by_day[day]}
                assert scores[one.model] == max(scores.values())


@given(snapshots, st.randoms())
def test_the_order_of_what_is_given_does_not_matter(seen: list[Snapshot], random: object) -> None:
    mixed = [Snapshot(one.on, tuple(reversed(one.standings))) for one in reversed(seen)]
    assert gaps(mixed, D(1), D(2)) == gaps(seen, D(1), D(2))
    assert reigns(mixed) == reigns(seen)


def test_a_reign_says_only_what_the_tables_can_say() -> None:
    def table(month: int, best: str) -> Snapshot:
        return Snapshot(date(2025, month, 1), (Standing(best, D(2)), Standing("z", D(1))))

    found = reigns([table(1, "a"), table(3, "b"), table(4, "b"), table(8, "c")])
    assert found == [
        Reign("a", D(2), None, date(2025, 1, 1), date(2025, 1, 1), date(2025, 3, 1)),
        Reign("b", D(2), date(2025, 1, 1), date(2025, 3, 1), date(2025, 4, 1), date(2025, 8, 1)),
        Reign("c", D(2), date(2025, 4, 1), date(2025, 8, 1), date(2025, 8, 1), None),
    ]
    assert [(one.least_days, one.most_days) for one in found] == [(0, None), (31, 212), (0, None)]


def test_a_free_model_is_never_the_cheap_one() -> None:
    day = Snapshot(FIRST, (Standing("free", D(9), D(0), True), Standing("paid", D(5), D("0.1"))))
    (gap,) = gaps([day], D(1), D(5))
    assert (gap.best.model, gap.cheap and gap.cheap.model, gap.open and gap.open.model) == ("free", "paid", "free")


@pytest.mark.parametrize(("points", "share"), [("0", 0.5), ("400", 10 / 11), ("-400", 1 / 11), ("100", 0.640065)])
def test_points_are_duels_won_by_the_scale_of_elo(points: str, share: float) -> None:
    assert win_share(D(points)) == pytest.approx(share, abs=1e-6)
