"""One spend once, as a rule: which of several feeds gives the money, the tokens and the projects of a day."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage.feeds import BILLED, COMPUTED, NOTHING, REPORTED, Feed, Settled, settled, settled_account, together, weights

BILL = Feed("bill", 1, BILLED, 0)
USAGE = Feed("usage_api", 2, COMPUTED, 1_000, {7: 400, None: 600})
GATEWAY = Feed("gateway", 3, REPORTED, 1_000, {7: 250, 8: 500, None: 250})
TRANSCRIPTS = Feed("transcripts", 4, COMPUTED, 500, {9: 500})

shares = st.dictionaries(st.one_of(st.none(), st.integers(1, 6)), st.integers(0, 10**12), max_size=6)
feeds = st.lists(
    st.builds(
        lambda name, detail, money, found: Feed(f"feed{name}", detail, money, sum(found.values()), found),
        st.integers(0, 5),
        st.integers(1, 4),
        st.sampled_from([BILLED, REPORTED, COMPUTED, NOTHING]),
        shares,
    ),
    max_size=5,
    unique_by=lambda feed: feed.name,
)


def test_one_feed_alone_gives_everything():
    assert settled([GATEWAY]) is None


def test_a_bill_gives_the_money_the_fullest_feed_the_tokens_and_the_finest_says_whose():
    found = settled([BILL, USAGE, GATEWAY, TRANSCRIPTS])
    assert (found.money, found.usage, found.detail) == ("bill", "gateway", "transcripts")
    assert found.weights == ((9, Decimal("0.5")), (None, Decimal("0.5")))


@pytest.mark.parametrize(("tokens", "money"), [(1_000, "gateway"), (981, "gateway"), (979, "usage_api")])
def test_a_gateway_that_saw_only_a_part_does_not_hide_the_rest(tokens, money):
    gateway = Feed("gateway", 3, REPORTED, tokens, {7: tokens})
    assert settled([USAGE, gateway]).money == money


def test_of_two_that_report_and_saw_everything_the_one_nearer_to_the_bill_gives_the_money():
    account = Feed("account", 2, REPORTED, 990)
    assert settled([account, GATEWAY]).money == "account"
    assert settled([Feed("account", 2, REPORTED, 970), GATEWAY]).money == "gateway"


def test_a_part_that_costs_something_is_better_than_a_whole_that_nobody_can_price():
    unpriced = Feed("usage_api", 2, NOTHING, 1_000)
    assert settled([unpriced, Feed("gateway", 3, REPORTED, 500)]).money == "gateway"


def test_a_finer_feed_that_attributes_nothing_leaves_it_to_one_that_does():
    silent = Feed("transcripts", 4, COMPUTED, 500, {None: 500})
    assert settled([BILL, USAGE, silent]).detail == "usage_api"


@pytest.mark.parametrize(("tokens", "detail"), [(10, "transcripts"), (9, "usage_api")])
def test_a_feed_that_saw_next_to_nothing_says_nothing_about_the_rest(tokens, detail):
    glimpse = Feed("transcripts", 4, COMPUTED, tokens, {9: tokens})
    assert settled([BILL, USAGE, glimpse]).detail == detail


def test_nothing_is_spread_where_one_feed_gives_all_three():
    full = Feed("gateway", 3, REPORTED, 1_000, {7: 1_000})
    assert settled([USAGE, full]).weights is None


@given(found=feeds)
def test_the_order_of_feeds_cannot_matter_and_the_weights_are_the_whole(found):
    first = settled(found)
    assert first == settled(list(reversed(found)))
    assert (first is None) == (len(found) < 2)
    if first and first.weights is not None:
        assert sum(weight for _, weight in first.weights) == 1
        assert all(weight > 0 for _, weight in first.weights)


@given(found=shares, more=st.integers(0, 10**12))
def test_weights_are_parts_of_one_and_what_was_not_seen_is_nobodys(found, more):
    seen = sum(found.values())
    if not seen + more:
        return
    parts = dict(weights(found, seen + more))
    assert sum(parts.values()) == 1
    for project, weight in parts.items():
        exact = Decimal(found[project] if project else found.get(None, 0) + more) / (seen + more)
        assert abs(weight - exact) < Decimal("1e-11")


def test_a_days_bill_that_names_no_model_gives_the_money_of_every_model():
    by_model = {"": [BILL], "one": [USAGE], "two": [GATEWAY]}
    assert settled_account(by_model) == {
        "": Settled("bill", "bill", "gateway", ((7, Decimal("0.125")), (8, Decimal("0.25")), (None, Decimal("0.625")))),
        "one": Settled("bill", "usage_api", "usage_api", None),
        "two": Settled("bill", "gateway", "gateway", None),
    }


def test_a_bill_in_one_sum_leaves_each_models_tokens_to_the_fullest_and_finest_feed():
    found = settled_account({"": [BILL], "one": [USAGE, TRANSCRIPTS], "two": [GATEWAY, TRANSCRIPTS]})
    halves = ((9, Decimal("0.5")), (None, Decimal("0.5")))
    assert found["one"] == Settled("bill", "usage_api", "transcripts", halves)
    assert found["two"] == Settled("bill", "gateway", "transcripts", halves)
    assert found[""] == Settled("bill", "bill", "transcripts", halves)


def test_a_bill_that_names_a_model_keeps_its_lines_without_one_as_their_own_money():
    by_model = {"": [BILL], "one": [BILL, USAGE], "two": [GATEWAY]}
    found = settled_account(by_model)
    assert found.keys() == {"one"}
    assert found["one"].money == "bill"


def test_a_sum_gives_way_to_a_bill_that_names_models():
    total = Feed("invoice", 3, BILLED, 0)
    nothing = Settled("bill", "bill", "bill", None)
    assert settled_account({"": [total], "one": [BILL]}) == {"": nothing}
    assert settled_account({"": [total, BILL], "one": [BILL]}) == {"": nothing}


def test_of_two_bills_in_one_sum_one_counts():
    assert settled_account({"": [BILL, Feed("invoice", 3, BILLED, 0)]})[""].money == "invoice"


def test_a_bill_that_nobody_else_attributes_keeps_its_own_word():
    silent = Feed("usage_api", 2, COMPUTED, 1_000, {None: 1_000})
    assert settled_account({"": [BILL], "one": [silent]})[""] == Settled("bill", "bill", "bill", None)


def test_a_bill_alone_is_not_settled():
    assert settled_account({"": [BILL]}) == {}


def test_a_feed_is_as_fine_as_its_finest_word():
    coarse, fine = Feed("feed", 1, COMPUTED, 1), Feed("feed", 3, COMPUTED, 1)
    assert together([coarse, fine]) == together([fine, coarse]) == [Feed("feed", 3, COMPUTED, 2)]


by_models = st.dictionaries(st.sampled_from(["", "one", "two"]), feeds.filter(bool), max_size=3)


@given(cells=by_models)
def test_every_model_that_a_bill_pays_for_in_sum_has_its_money_nowhere_else(cells):
    found = settled_account(cells)
    assert found == settled_account({model: cells[model][::-1] for model in reversed(cells)})
    named = {feed.name for model, told in cells.items() if model for feed in told}
    bills = {feed.name for told in cells.values() for feed in told if feed.money == BILLED}
    paying = {
        feed.name
        for model, told in cells.items()
        for feed in told
        if (feed.name == found[model].money if model in found else True)
    }
    if bills - named and bills & named:
        assert not paying & (bills - named)
    elif bills - named and len({feed.name for told in cells.values() for feed in told}) > 1:
        assert len(paying) == 1
        assert paying <= bills
        assert found.keys() == cells.keys()
    for result in found.values():
        assert result.weights is None or sum(weight for _, weight in result.weights) == 1
