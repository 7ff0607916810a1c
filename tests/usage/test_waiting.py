"""What waiting has cost, of plain values."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.usage.offered import MTOK, make_card, make_offer, make_use
from usage.recommending.waiting import Week, waited
from usage.substitution.repricing import SAME

MONDAY = date(2026, 10, 5)


@pytest.mark.parametrize(
    ("spent", "cost"),
    [
        (["10", "10"], "12"),  # 4 a week at the other
        (["10", None], "6"),
        (["1", "10"], "3"),  # a discount that ended: both weeks count
        (["1", "2"], "0"),  # it was cheaper to stay
        ([None, None], None),
    ],
)
def test_waiting_costs_what_was_spent_above_the_other_and_never_less_than_nothing(
    spent: list[str | None], cost: str | None
) -> None:
    here, there = (
        make_offer("here", make_card(input="10", output="10")),
        make_offer("there", make_card(input="4", output="0")),
    )
    use = replace(make_use(input=MTOK), offering_id=here.side.offering_id)
    weeks = [
        Week(
            MONDAY + timedelta(days=7 * n), use.offering_id, use.service_tier, "here", use.tokens,
            None if amount is None else Decimal(amount),
        )
        for n, amount in enumerate(spent)
    ]  # fmt: skip
    found = waited(use, weeks, here, there, SAME, MONDAY)
    assert found == (None if cost is None else Decimal(cost))
