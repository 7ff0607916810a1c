"""An organisation's own index: months made so that what prices, volumes and moves did is known beforehand."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from pricing.models import ExchangeRate
from tests.usage.conftest import ImportFacts
from tests.usage.factories import at, make_card, make_fact, make_offering, make_project, make_rule, make_source
from usage import contracts, own_index, periods, rerating, spending
from usage.models import Organisation

pytestmark = pytest.mark.django_db
MARCH, APRIL, MAY, JUNE = (date(2026, month, 1) for month in (3, 4, 5, 6))
ONE = Decimal("0.0012")
"""A fact of the factory at the prices of the factory: 1,000 at 1 and 100 at 2 USD per million."""


def asked(organisation: Organisation, since: date = MARCH, until: date = MAY, **fields: Any) -> dict[str, Any]:
    """The answer, after the sums that hold of every answer: the parts are the change, the months are spend's."""
    answer = own_index.answer(organisation, since, until, **fields)
    told = [month["month"] for month in answer["months"]]
    scope = {name: fields[name] for name in ("projects", "filters") if name in fields}
    before = None
    for month, first in zip(answer["months"], (MARCH, APRIL, MAY)[: len(told)], strict=True):
        assert month["spent"] == spending.report(organisation, first, periods.after(first), **scope)["total"]["spent"]
        if month["change"]:
            parts = {name: Decimal(amount) for name, amount in month["change"].items()}
            assert parts.pop("spent") == sum(parts.values()) == Decimal(month["spent"] or 0) - Decimal(before or 0)
        before = month["spent"]
    return answer


def parts(answer: dict[str, Any], nth: int = 1) -> dict[str, Decimal]:
    """The parts of a month's change that are not nothing."""
    change = {name: Decimal(amount) for name, amount in answer["months"][nth]["change"].items() if name != "spent"}
    return {name: amount for name, amount in change.items() if amount}


def levels(answer: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [tuple(month[name] for name in ("laspeyres", "paasche", "fisher")) for month in answer["months"]]


def test_a_price_cut_alone_has_no_volume_effect(organisation: Organisation, import_facts: ImportFacts) -> None:
    offering = make_offering()
    make_card(offering, effective_until=at("2026-04-01"))
    make_card(offering, input="0.5", output="1", effective_from=at("2026-04-01"))
    import_facts([make_fact("a"), make_fact("b", "2026-04-10 12:00")])
    answer = asked(organisation)
    assert parts(answer) == {"price": -ONE / 2}
    assert levels(answer) == [("100.000000",) * 3, ("50.000000",) * 3]
    assert (answer["months"][1]["compared_with"], answer["months"][1]["matched_after"]) == ("2026-03", "1.000000")


def test_more_usage_at_the_same_prices_has_no_price_effect(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering(), input="0.3", output="0.7")
    import_facts([make_fact(f"a{n}", "2026-04-10 12:00" if n else "2026-03-10 12:00") for n in range(4)])
    answer = asked(organisation)
    assert parts(answer) == {"volume": Decimal("0.00074")}
    assert levels(answer)[1] == ("100.000000",) * 3


def test_another_mix_of_kinds_of_token_is_volume_and_not_price(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering())
    import_facts([
        make_fact("a", in_uncached=1_000, in_cache_read=1_000),
        make_fact("b", "2026-04-10 12:00", in_uncached=100, in_cache_read=1_900),
    ])  # fmt: skip
    answer = asked(organisation)
    assert set(parts(answer)) == {"volume"}
    assert levels(answer)[1] == ("100.000000",) * 3


def test_a_model_replaced_by_a_cheaper_one_is_new_and_ended(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering())
    make_card(make_offering("model-b"), input="0.5", output="1")
    import_facts([make_fact("a"), make_fact("b", "2026-04-10 12:00", model="model-b")])
    answer = asked(organisation)
    assert parts(answer) == {"new": ONE / 2, "ended": -ONE}
    assert levels(answer)[1] == (None, None, None)
    assert answer["months"][1]["reason"] == "Nothing has a known price in both months."


def test_the_same_model_from_another_seller_is_a_price_where_models_are_asked_for(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    here, there = make_offering(), make_offering(provider="cheap")
    make_card(here)
    make_card(there, input="0.5", output="1")
    import_facts([make_fact("a"), make_fact("b", "2026-04-10 12:00", host="cheap")])
    assert parts(asked(organisation)) == {"new": ONE / 2, "ended": -ONE}
    assert parts(asked(organisation, by="model")) == {"price": -ONE / 2}


def test_in_another_currency_the_rates_part_is_told_from_the_sellers(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    offering = make_offering()
    make_card(offering, currency="CNY", input="10", output="0", effective_until=at("2026-05-01"))
    make_card(offering, currency="CNY", input="20", output="0", effective_from=at("2026-05-01"))
    for month, usd in ((3, "0.1"), (4, "0.2"), (5, "0.2")):
        ExchangeRate.objects.create(currency="CNY", day=date(2026, month, 1), usd=Decimal(usd), source=make_source())
    import_facts([make_fact("a"), make_fact("b", "2026-04-10 12:00"), make_fact("c", "2026-05-10 12:00")])
    answer = asked(organisation, until=JUNE)
    assert parts(answer, 1) == {"exchange": Decimal("0.001")}
    assert parts(answer, 2) == {"price": Decimal("0.002")}
    assert [fisher for _, _, fisher in levels(answer)] == ["100.000000", "200.000000", "400.000000"]
    assert {name: Decimal(amount) for name, amount in answer["change"].items() if Decimal(amount)} == {
        "spent": Decimal("0.003"), "exchange": Decimal("0.001"), "price": Decimal("0.002")
    }  # fmt: skip


def test_a_record_that_does_not_know_one_of_its_counts_is_told_beside_the_index(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering())
    import_facts([make_fact("a"), make_fact("b", out_total=None), make_fact("c", "2026-04-10 12:00", out_total=None)])
    assert {name: n for name, n in asked(organisation)["coverage"]["unknown_counts"].items() if n} == {"out_total": 2}


def test_money_without_a_rate_is_unknown_and_told(organisation: Organisation, import_facts: ImportFacts) -> None:
    make_card(make_offering(), currency="CNY", input="9", output="10")
    import_facts([make_fact("a"), make_fact("b", "2026-04-10 12:00")])
    answer = asked(organisation)
    assert [month["reason"] for month in answer["months"]] == ["Nothing has a known price in this month."] * 2
    assert {name: Decimal(amount) for name, amount in answer["coverage"]["unconverted"].items()} == {
        "CNY": Decimal("0.02")
    }


def test_a_corrected_price_is_no_change_of_price(organisation: Organisation, import_facts: ImportFacts) -> None:
    """March is closed at a price that turns out to have been half of it all along."""
    offering = make_offering()
    card = make_card(offering)
    import_facts([make_fact("a"), make_fact("b", "2026-04-10 12:00")])
    periods.close(organisation, MARCH, "ada")
    type(card).objects.filter(pk=card.pk).update(input=card.input / 2, output=card.output / 2)
    rerating.rerate(organisation)
    answer = asked(organisation)
    assert Decimal(answer["months"][0]["spent"]) == ONE
    assert parts(answer) == {"rated": -ONE / 2}
    assert levels(answer)[1] == ("100.000000",) * 3
    assert [one["month"] for one in answer["coverage"]["pending"]] == ["2026-03"]
    periods.restate(organisation, MARCH, "The price was wrong", "ada")
    assert parts(asked(organisation)) == {}


def test_what_a_plain_price_does_not_say_is_rated_and_what_bills_add_is_reported(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    offering = make_offering()
    make_card(offering)
    make_card(offering, input="2", output="2", context_from=5_000, context_op=">")
    import_facts([
        make_fact("a"),
        make_fact("b", "2026-04-10 12:00"),
        make_fact("long", "2026-04-10 12:00", in_uncached=10_000, out_total=0, requests=1),
        make_fact("billed", "2026-04-11 12:00", cost_reported=ONE + 1, currency="USD"),
    ])  # fmt: skip
    answer = asked(organisation)
    assert parts(answer) == {"volume": Decimal("0.01") + ONE, "rated": Decimal("0.01"), "reported": Decimal(1)}
    assert (Decimal(answer["months"][1]["rated"]), answer["months"][0]["rated"]) == (Decimal("0.01"), "0.000000000000")


def test_a_contract_is_the_price_from_its_first_day(organisation: Organisation, import_facts: ImportFacts) -> None:
    make_card(make_offering())
    contracts.save(
        organisation, "ada", name="Order form", kind="discount", provider=make_offering().provider, value=Decimal(20),
        currency="USD", effective_from=APRIL,
    )  # fmt: skip
    import_facts([make_fact("a"), make_fact("b", "2026-04-10 12:00")])
    answer = asked(organisation)
    assert parts(answer) == {"price": -ONE / 5}
    assert levels(answer)[1] == ("80.000000",) * 3


def test_cache_writes_sold_by_lifetime_and_reasoning_priced_apart_have_their_own_prices(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering(), cache_write=None, cache_write_5m="1.25", cache_write_1h="2", reasoning="3")
    import_facts([
        make_fact("a", in_cache_write=1_000, cache_write_by_lifetime={"5m": 1_000}, out_reasoning=40),
        make_fact("b", "2026-04-10 12:00", in_cache_write=1_000, cache_write_by_lifetime={"1h": 1_000}),
    ])  # fmt: skip
    answer = asked(organisation)
    assert parts(answer) == {
        "ended": Decimal("-0.00012"), "volume": Decimal("0.00008"), "rated": Decimal("0.00075")
    }  # fmt: skip


def test_a_price_that_becomes_unknown_is_never_a_fall_to_nothing(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering(), effective_until=at("2026-04-01"))
    import_facts([make_fact("a"), make_fact("b", "2026-04-10 12:00"), make_fact("who", model="who")])
    answer = asked(organisation)
    assert parts(answer) == {"unknown": -ONE}
    assert levels(answer)[1] == (None, None, None)
    assert [month["unpriced_tokens"] for month in answer["months"]] == [1_100, 1_100]
    assert answer["months"][1]["spent"] is None


def test_a_service_tier_is_a_thing_of_its_own_with_its_own_price(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    """A move to batch is no price cut of the standard tier; within batch a price is one."""
    offering = make_offering()
    make_card(offering)
    make_card(offering, service_tier="batch", input="0.5", output="1", effective_until=at("2026-05-01"))
    make_card(offering, service_tier="batch", input="0.25", output="0.5", effective_from=at("2026-05-01"))
    import_facts([
        make_fact("a"),
        make_fact("b", "2026-04-10 12:00", service_tier="batch"),
        make_fact("c", "2026-05-10 12:00", service_tier="batch"),
    ])  # fmt: skip
    answer = asked(organisation, until=JUNE)
    assert parts(answer, 1) == {"new": ONE / 2, "ended": -ONE}
    assert parts(answer, 2) == {"price": -ONE / 4}


def test_tokens_the_ledger_could_not_price_are_not_priced_here(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    """Audio has no price on the card of its model, and is never that of text."""
    make_card(make_offering())
    import_facts([make_fact("a"), make_fact("audio", "2026-04-10 12:00", quality=("priced_apart",))])
    answer = asked(organisation)
    assert parts(answer) == {"unknown": -ONE}
    assert answer["months"][1]["unpriced_tokens"] == 1_100


def test_the_index_of_some_projects_is_of_their_usage_alone(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering())
    shop = make_project(organisation, "shop")
    make_rule(organisation, [{"field": "path", "op": "equals", "value": "/shop"}], {shop.pk: "1"})
    import_facts([
        make_fact("a", path="/shop"),
        make_fact("b", "2026-04-10 12:00", path="/shop"),
        make_fact("c", "2026-04-10 12:00"),
    ])  # fmt: skip
    assert parts(asked(organisation)) == {"volume": ONE}
    assert parts(asked(organisation, projects=[shop.pk])) == {}
    assert parts(asked(organisation, filters={"project": ["shop"]})) == {}
    assert parts(asked(organisation, filters={"project": ["none"]})) == {"new": ONE}
    assert asked(organisation, projects=[])["months"][1]["spent"] == "0"


def test_a_month_without_usage_is_bridged_by_the_index_and_told_in_money(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering())
    import_facts([make_fact("a"), make_fact("b", "2026-05-10 12:00"), make_fact("n", cost_kind="notional")])
    answer = asked(organisation, until=JUNE)
    assert [month["compared_with"] for month in answer["months"]] == [None, "2026-03", "2026-03"]
    assert [parts(answer, nth) for nth in (1, 2)] == [{"ended": -ONE}, {"new": ONE}]
    assert [fisher for _, _, fisher in levels(answer)] == ["100.000000", None, "100.000000"]


def command(*words: str) -> str:
    out = StringIO()
    call_command("own_index", *words, stdout=out)
    return out.getvalue()


def test_the_command_answers_in_words_and_in_json(organisation: Organisation, import_facts: ImportFacts) -> None:
    assert "There is no usage" in command()
    make_card(make_offering())
    import_facts([make_fact("a"), make_fact("b", "2026-04-10 12:00")])
    words = ("--organisation", organisation.slug, "--from", "2026-03", "--until", "2026-05")
    assert json.loads(command(*words, "--json")) == own_index.answer(organisation, MARCH, MAY)
    assert "2026-04  spent 0.001200000000  Laspeyres 100.000000" in command(*words)
    # Without months: from the first with usage to the last that is over.
    assert json.loads(command("--json", "--until", "2026-05")) == own_index.answer(organisation, MARCH, MAY)


@pytest.mark.parametrize(
    "words",
    [
        ("--organisation", "nobody"),
        ("--project", "nothing"),
        ("--from", "March"),
        ("--from", "2026-05", "--until", "2026-05"),
        ("--from", "2016-01", "--until", "2026-02"),
    ],
)
def test_a_question_that_makes_no_sense_ends_with_2(organisation: Organisation, words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as fault:
        call_command("own_index", *words)
    assert fault.value.returncode == 2


def test_the_months_asked_for_without_an_end_are_those_that_are_over() -> None:
    assert own_index.span("", "", date(2026, 11, 26)) == (None, date(2026, 11, 1))
    assert own_index.span("2026-03", "2026-05", date(2026, 11, 26)) == (MARCH, MAY)
