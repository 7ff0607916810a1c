"""Moves that keep the weights: what each saves on the token log, and what stands against it."""

from __future__ import annotations

from decimal import Decimal

from pricing.noninferiority import Verdict
from tests.usage.offered import make_card, make_offer, make_setting, make_use
from tests.usage.test_substitution import month
from usage.advice import Kind, Range, Reason
from usage.same_weights import moves
from usage.substitution.needs import Needs

HERE = make_offer("llama", make_card(input="1", output="2"), provider="together", open_weights=True)
CHEAPER = make_card(input="0.5", output="1")


def test_the_same_weights_at_a_cheaper_seller_are_equal_and_save_what_the_prices_say() -> None:
    there = make_offer("llama", CHEAPER, provider="deepinfra", maker="meta", open_weights=True)
    (move,) = moves(make_use(), HERE, [there, HERE], make_setting()).recommendations
    assert (move.kind, move.verdict) == (Kind.SELLER, Verdict.EQUAL)
    assert move.saving == Range(month("270"), month("270"))  # half of 400 + 140
    assert [one.title for one in move.cautions if "uantisation" in one.title] == ["Quantisation not stated"]


def test_the_same_weights_in_a_region_that_is_not_allowed_are_refused_and_so_is_a_region_nobody_states() -> None:
    setting = make_setting(needs=Needs(regions=frozenset({"eu"})))
    there = [make_offer("llama", CHEAPER, provider="deepinfra", region=region) for region in ("us", "")]
    found = moves(make_use(), HERE, there, setting)
    assert not found.recommendations
    assert {one.candidate.region: one.reason for one in found.refused} == {"us": Reason.REGION, "": Reason.UNKNOWN}


def test_a_contract_that_is_held_already_is_a_commitment() -> None:
    there = make_offer("llama", CHEAPER, provider="azure", is_contracted=True)
    assert moves(make_use(), HERE, [there], make_setting()).recommendations[0].kind is Kind.COMMITMENT


def test_batch_saves_from_nothing_to_all_and_never_outranks_what_is_certain() -> None:
    here = make_offer("llama", *HERE.cards["standard"], tiers={"batch": [make_card(input="0.1", output="0.2")]})
    there = make_offer("llama", make_card(input="0.9", output="1.9"), provider="deepinfra")
    found = moves(make_use(), here, [there], make_setting()).recommendations
    assert [one.kind for one in found] == [Kind.SELLER, Kind.BATCH]
    assert found[1].saving == Range(Decimal(0), month("486"))
    assert found[1].candidate.service_tier == "batch"


def test_what_is_batch_already_is_not_moved_to_batch() -> None:
    here = make_offer("llama", *HERE.cards["standard"], tiers={"batch": [CHEAPER], "flex": [CHEAPER]})
    assert moves(make_use(tier="batch"), here, [], make_setting()).recommendations == ()
