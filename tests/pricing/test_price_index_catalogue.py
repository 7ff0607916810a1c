"""The price of constant quality of the catalogue: which of its prices count, from which day, at which score."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from pricing.answers import BadQuestion
from pricing.answers.price_index import Asked, price_index
from pricing.models import Claim
from tests.dashboards.market_cast import make_offering, make_price, make_score

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
INFERRED: dict[str, Any] = {
    "basis": "inferred",
    "precision": "unknown",
    "evidence_at": datetime(2026, 6, 1, tzinfo=UTC),
    "since": "2020-06-11",
}


def index(threshold: str | None = "1300", estimator: str = "record_low", **more: Any) -> dict[str, Any]:
    return price_index(Asked.of(threshold, estimator), "arena", now=NOW, **more)


def inputs(answer: dict[str, Any]) -> list[tuple[str, str, str, str | None, bool]]:
    return [(one["model"], one["price"], one["date"], one["withdrawn"], one["used"]) for one in answer["inputs"]]


def sell(model: str, input: str, output: str, *, provider: str = "acme", since: str = "2026-01-01", **more: Any) -> Any:
    offering = make_offering(model, provider, sku=f"{provider}-{model}")
    for unit, amount in (("input", input), ("output", output)):
        make_price(offering, unit, amount, since=since, **more)
    return offering


def test_a_price_is_the_mix_of_its_units_as_long_as_all_of_them_hold() -> None:
    offering = make_offering("steady")
    make_price(offering, "input", "2", since="2026-01-01", until="2026-03-01")
    make_price(offering, "input", "1", since="2026-03-01")
    make_price(offering, "output", "10", since="2026-02-01")
    make_score("steady", "Steady", "1400")
    assert inputs(index()) == [
        ("steady", "4", "2026-02-01", "2026-03-01", True),
        ("steady", "3.25", "2026-03-01", None, True),
    ]
    assert inputs(index(mix="1:0"))[0] == ("steady", "2", "2026-01-01", "2026-03-01", True)


def test_a_model_counts_with_its_best_score_and_says_at_which_effort() -> None:
    sell("thinker", "2", "2")
    make_score("thinker", "Thinker", "1200")
    make_score("thinker", "Thinker (High)", "1350", effort="high")
    assert [(one["model"], one["score"]) for one in index()["inputs"]] == [("thinker@high", "1350")]


def test_the_maker_goes_before_hosts_unless_asked_otherwise() -> None:
    sell("sold", "4", "4")
    sell("sold", "1", "1", provider="host")
    make_score("sold", "Sold", "1400")
    assert [point["price"] for point in index()["points"]] == ["4"]
    assert [point["price"] for point in index(sellers="any")["points"]] == ["1"]


def test_a_start_nobody_states_is_the_release_at_the_maker_and_the_first_sight_at_a_host() -> None:
    inferred = INFERRED
    own = sell("own", "4", "4", **inferred)
    own.model.released_on = date(2025, 5, 1)
    own.model.save()
    sell("hosted", "1", "1", provider="host", **inferred)
    sell("undated", "2", "2", **inferred)
    for name in ("own", "hosted", "undated"):
        make_score(name, name, "1400")
    answer = index()
    assert inputs(answer) == [
        ("own", "4", "2025-05-01", None, True),
        ("hosted", "1", "2026-06-01", None, False),
        ("undated", "2", "2026-06-01", None, False),
    ]
    assert "2 observations not used: nobody states when its price began" in answer["note"]


def test_an_undated_price_is_not_taken_back_before_a_dated_one() -> None:
    """Its source speaks of today; that another price held until then is all that is known of the days before."""
    offering = make_offering("moved")
    for unit in ("input", "output"):
        make_price(offering, unit, "1", **INFERRED, until="2025-01-01")
        make_price(offering, unit, "6", since="2025-01-01", until="2025-08-01")
        make_price(offering, unit, "1", **{**INFERRED, "precision": "gap", "since": "2025-08-01"})
    # The claim of the first row has no end of its own: it ends where the dated price begins.
    Claim.objects.filter(offering=offering, basis="inferred").update(effective_until=None)
    make_score("moved", "Moved", "1400")
    assert inputs(index()) == [
        ("moved", "6", "2025-01-01", "2025-08-01", True),
        ("moved", "1", "2026-06-01", None, False),
    ]


def test_after_a_dated_price_an_undated_one_does_not_count_from_the_release() -> None:
    offering = make_offering("dated")
    for unit in ("input", "output"):
        make_price(offering, unit, "6", since="2025-01-01", until="2025-08-01")
        make_price(offering, unit, "1", **{**INFERRED, "precision": "gap", "since": "2025-08-01"})
    offering.model.released_on = date(2025, 1, 1)
    offering.model.save()
    make_score("dated", "Dated", "1400")
    assert [point["price"] for point in index()["points"]] == ["6"]


def test_what_is_no_longer_sold_can_no_longer_be_bought() -> None:
    gone = sell("gone", "1", "1")
    gone.retired_at = datetime(2026, 4, 1, tzinfo=UTC)
    gone.save()
    sell("stays", "3", "3")
    make_score("gone", "Gone", "1400")
    make_score("stays", "Stays", "1400")
    found = index(estimator="live_minimum")
    assert [(point["date"], point["price"]) for point in found["points"]][2:4] == [
        ("2026-03-01", "1"),
        ("2026-04-01", "3"),
    ]
    assert found["points"][-1]["date"] == "2026-11-01"


def test_only_plain_list_prices_in_dollars_that_hold_by_now_count() -> None:
    offering = sell("plain", "3", "3")
    for odd in ({"service_tier": "batch"}, {"schedule": "mon-fri 01:00-04:00 UTC"}):
        for unit in ("input", "output"):
            make_price(offering, unit, "1", **odd)
    sell("yuan", "1", "1", currency="CNY")
    sell("next year", "1", "1", since="2027-01-01")
    for name in ("plain", "yuan", "next year"):
        make_score(name, name, "1400")
    answer = index()
    assert [point["model"] for point in answer["points"]] == ["plain"]
    assert "Rated models without a list price for this mix: 1." in answer["note"]
    assert ("next year", "1", "2027-01-01", None, False) in inputs(answer)


def test_scores_of_no_model_are_counted_and_the_benchmark_is_credited() -> None:
    sell("known", "3", "3")
    make_score("known", "Known", "1400")
    make_score(None, "Nobody", "1500")
    answer = index()
    assert "Scores of no model in the catalogue: 1 of 2." in answer["note"]
    assert (answer["benchmark"], answer["category"], answer["mix"], answer["sellers"]) == (
        "arena", "overall", "3:1:0", "maker_or_median",
    )  # fmt: skip
    assert answer["attribution"] in answer["note"]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"category": "none"}, "has no category 'none'; it has: overall"),
        ({"mix": "1"}, "token mix"),
        ({"sellers": "mine"}, "'mine' is no choice of sellers: ask for maker_or_median"),
    ],
)
def test_a_question_that_the_catalogue_cannot_answer_is_refused(more: dict[str, str], sentence: str) -> None:
    sell("known", "3", "3")
    make_score("known", "Known", "1400")
    with pytest.raises(BadQuestion, match=sentence):
        index(**more)


def test_a_benchmark_nobody_recorded_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadQuestion, match="There is no benchmark 'arena'; there are: none yet"):
        index()


def test_it_asks_as_few_questions_as_it_needs(django_assert_max_num_queries: Any) -> None:
    for name in ("a", "b", "c"):
        sell(name, "3", "3")
        make_score(name, name, "1400")
    with django_assert_max_num_queries(5):
        index()
