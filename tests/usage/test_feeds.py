"""One spend once, as a rule: which of several feeds gives the money, the tokens and the projects of a day."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage.feeds import BILLED, COMPUTED, NOTHING, REPORTED, Feed, settled, weights

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
    unique_by=lambda feed: feed.importer,
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
