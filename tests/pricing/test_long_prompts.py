"""Prompts so long that nobody states what an offering asks for them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from pricing import audit as lists
from pricing import ratecards
from pricing.answers.audits import audit
from pricing.answers.costs import Usage, costs
from pricing.answers.prices import Question, price
from pricing.cost import Tokens
from pricing.long_prompts import ListPrice, Unstated, unstated
from pricing.models import Offering, Price
from tests.dashboards.market_cast import make_offering, make_price

START, CUT = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
MAKERS, HOSTS, HOSTS_OTHER = 1, 2, 3
LONG: dict[str, Any] = {"context_from": 272_000, "context_op": ">"}
FROM_START = [Unstated(272_000, ">", "USD", START, None)]


def listed(offering: int, amount: str, **changes: Any) -> ListPrice:
    values: dict[str, Any] = {
        "offering_id": offering, "model_id": 1, "provider": "maker" if offering == MAKERS else "host",
        "maker": "maker", "open_weights": None, "unit": "input", "context_from": 0, "context_op": "",
        "amount": Decimal(amount), "per": 1_000_000, "currency": "USD", "basis": "documented", "trust": "curated",
        "agreeing": ["one"], "effective_from": START, "effective_until": None,
    }  # fmt: skip
    return ListPrice(**(values | changes))


MAKER = [listed(MAKERS, "2.5"), listed(MAKERS, "5", **LONG)]


def test_a_host_that_tells_of_no_tier_is_silent_beyond_its_makers_step_while_that_holds():
    assert unstated([*MAKER, listed(HOSTS, "2.75")]) == {HOSTS: FROM_START}
    later = listed(MAKERS, "5", effective_from=CUT, **LONG)
    assert unstated([MAKER[0], later, listed(HOSTS, "2.75")]) == {HOSTS: [Unstated(272_000, ">", "USD", CUT, None)]}
    ended = listed(HOSTS, "2.75", effective_until=CUT)
    assert unstated([*MAKER, ended]) == {HOSTS: [Unstated(272_000, ">", "USD", START, CUT)]}


def test_the_sellers_own_step_elsewhere_goes_before_its_makers():
    own = [listed(HOSTS_OTHER, "2.5"), listed(HOSTS_OTHER, "3", context_from=200_000, context_op=">")]
    found = unstated([*MAKER, *own, listed(HOSTS, "2.75")])
    assert found == {HOSTS: [Unstated(200_000, ">", "USD", START, None)]}


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ([listed(HOSTS, "2.75"), listed(HOSTS, "2.75", context_from=200_000, context_op=">")], "it tells of a tier"),
        ([listed(HOSTS, "2.75", trust="official")], "its own page would name a tier"),
        ([listed(HOSTS, "2.75", trust="vendor_api")], "its own API would name a tier"),
        ([listed(HOSTS, "2.75", trust="decision")], "a person decided"),
        ([listed(HOSTS, "0")], "it is free"),
        ([listed(HOSTS, "2.75", open_weights=True)], "whoever hosts open weights sets a price of his own"),
    ],
)
def test_an_offering_is_not_silent_where(host: list[ListPrice], why: str):
    assert unstated([*MAKER, *host]) == {}, why


def test_open_weights_at_the_same_seller_are_priced_apart_in_all_its_regions():
    own = [listed(HOSTS_OTHER, "2.5"), listed(HOSTS_OTHER, "5", **LONG), listed(HOSTS, "2.75")]
    assert unstated([row._replace(open_weights=True) for row in own]) == {HOSTS: FROM_START}


def test_an_undated_price_is_silent_before_its_own_tier_is_dated():
    tier = listed(HOSTS, "5", effective_from=CUT, **LONG)
    undated = listed(HOSTS, "2.5", basis="inferred", open_weights=True)
    assert unstated([undated, tier]) == {HOSTS: [Unstated(272_000, ">", "USD", START, CUT)]}
    assert unstated([undated._replace(basis="documented"), tier]) == {}, "its source dates the tier"


def test_a_tier_at_the_same_price_is_no_step():
    assert unstated([MAKER[0], listed(MAKERS, "2.5", **LONG), listed(HOSTS, "2.75")]) == {}


def test_a_tier_that_one_dataset_alone_tells_of_beside_others_is_no_step():
    both = listed(MAKERS, "2.5", agreeing=["one", "other"])
    assert unstated([both, MAKER[1], listed(HOSTS, "2.75")]) == {}
    borne_out = MAKER[1]._replace(agreeing=["one", "other"])
    assert unstated([both, borne_out, listed(HOSTS, "2.75")]) == {HOSTS: FROM_START}
    assert unstated([both, MAKER[1]._replace(trust="official"), listed(HOSTS, "2.75")]) == {HOSTS: FROM_START}
    assert unstated([MAKER[0]._replace(trust="official"), MAKER[1], listed(HOSTS, "2.75")]) == {}


@pytest.fixture
def regional(db: None) -> Offering:
    """Azure's gpt-5.4 in the EU, of which nobody states the long prompts that cost twice as much elsewhere."""
    world = make_offering("gpt-5.4", "azure", maker="openai")
    for unit, short, long in (("input", "2.5", "5"), ("output", "15", "22.5")):
        make_price(world, unit, short)
        make_price(world, unit, long, context_mode="whole_request", **LONG)
    eu = Offering.objects.create(provider=world.provider, sku=world.sku, model=world.model, region="eu")
    for unit, short in (("input", "2.75"), ("output", "16.5")):
        make_price(eu, unit, short)
        make_price(eu, unit, short, service_tier="priority")
    return eu


def asked(context: int | None) -> dict[str, Any]:
    (answer,) = price(Question("gpt-5.4", "azure", region="eu", context=context, at=CUT))["offerings"]
    return answer


SENTENCE = (
    "No source states what prompts over 272,000 tokens cost here, and elsewhere they are priced apart: it is unknown."
)


@pytest.mark.usefixtures("regional")
def test_a_price_asked_for_a_prompt_whose_price_nobody_states_is_unknown_and_says_why():
    short, long = asked(272_000), asked(272_001)
    assert (short["status"], len(short["prices"]), short["reason"]) == ("priced", 4, None)
    assert (long["status"], long["prices"], long["reason"]) == ("unknown", [], SENTENCE)
    assert asked(None)["reason"] is None


@pytest.mark.usefixtures("regional")
@pytest.mark.parametrize("tier", ["standard", "priority"])
def test_cost_and_audit_agree_with_the_answer(tier: str):
    usages = [
        Usage("gpt-5.4", "azure", "eu", tier, CUT, Tokens(input=tokens, output=1)) for tokens in (272_000, 272_001)
    ]
    short, long = costs(usages)["costs"]
    assert (short["status"], long["status"], long["reason"]) == ("priced", "unknown", SENTENCE)
    asks = [",".join(lists.COLUMNS)]
    asks += [f"azure,gpt-5.4,input,{tier},eu,,{above},{usd}" for above, usd in ((200_000, "2.75"), (272_000, "5.5"))]
    rows = audit(lists.read("\n".join(asks)), CUT)["rows"]
    assert [(row["verdict"], row["why"] == SENTENCE) for row in rows] == [("right", False), ("missing", True)]


def test_cards_follow_what_is_known_of_other_offerings_of_the_model(regional: Offering):
    def long_cards() -> int:
        cards = regional.rate_cards.filter(known_until=None, context_from=272_000, service_tier="standard")  # type: ignore[attr-defined]
        return int(cards.count())

    ratecards.ensure([regional.pk])
    assert long_cards() == 1
    world = Offering.objects.get(provider=regional.provider, region="")
    Price.objects.filter(offering=world, context_from__gt=0).update(superseded_at=CUT)
    ratecards.refresh([world.pk])
    assert long_cards() == 0


def test_usage_is_rated_again_where_another_offering_of_its_model_changed_its_long_prompts(regional: Offering):
    changed = Price.objects.changed_since(datetime(2026, 1, 2, tzinfo=UTC))
    assert regional.pk in changed
    Price.objects.filter(offering=regional).update(recorded_at=START)
    assert regional.pk in Price.objects.changed_since(datetime(2026, 1, 2, tzinfo=UTC))
    Price.objects.update(recorded_at=START)
    assert Price.objects.changed_since(datetime(2026, 1, 2, tzinfo=UTC)) == {}
