"""Steps that could be unit errors: which are believed, mended, refused or held, and by what evidence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.acceptance import MAKERS_LIST, SIBLING, ClaimFact, SourceFact, Witness, accept, odd_units, with_origins
from pricing.acceptance.events import events

SOURCES = with_origins(
    {
        "page": SourceFact("page", "the vendor's page", "official", 1, states_history=False),
        "dates": SourceFact("dates", "dates", "curated", 1),
        "table": SourceFact("table", "the table", "aggregator", 1, states_history=False),
        "copy": SourceFact("copy", "the copy", "aggregator", 2, copies=("table",), states_history=False),
        "other": SourceFact("other", "the other table", "aggregator", 3, states_history=False),
    }
)
FIRST, SECOND, THIRD = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 4, 5))
LATER = THIRD + timedelta(days=30)


def make_claim(source: str, amount: str, seen: datetime, *, unit: str = "input", **given_: object) -> ClaimFact:
    values: dict[str, object] = {
        "id": 0, "source": source, "unit": unit, "qualifier": "", "service_tier": "standard", "context_from": 0,
        "context_op": "", "context_mode": "", "schedule": "", "amount": Decimal(amount), "per": 1_000_000,
        "currency": "USD", "effective_from": None, "effective_until": None, "basis": "observed",
        "precision": "unknown", "evidence_at": seen, "first_seen_at": seen, "last_seen_at": seen,
    }  # fmt: skip
    return ClaimFact(**(values | given_))  # type: ignore[arg-type]


def moved(old: str, new: str, *, unit: str = "input", source: str = "table") -> list[ClaimFact]:
    """A source that said one amount in its first reading and another in its second."""
    number = {"input": 1, "output": 3, "cache_read": 5}[unit]
    return [
        make_claim(source, old, FIRST, unit=unit, withdrawn_at=SECOND, id=number),
        make_claim(source, new, SECOND, unit=unit, id=number + 1),
    ]


def witness(kind: str, amount: str, *, unit: str = "input", since: datetime = FIRST, name: str = "b/m") -> Witness:
    return Witness(kind, name, unit, Decimal(amount) / 1_000_000, "USD", since, None, None, None)


def price_at(acceptance, when: datetime, known: datetime | None = None, unit: str = "input") -> Decimal | None:
    found = [
        p for p in acceptance.prices
        if p.claim.unit == unit and p.effective_from <= when and (p.effective_until is None or when < p.effective_until)
        and (p.known_until is None if known is None else
             p.known_from <= known and (p.known_until is None or known < p.known_until))
    ]  # fmt: skip
    assert len(found) <= 1
    return found[0].claim.amount if found else None


def kinds(acceptance) -> list[tuple[str, bool]]:
    return [(event.kind, event.held) for event in events(acceptance, SOURCES)]


MAKERS = [witness(MAKERS_LIST, amount, name=f"ibm/{amount}") for amount in ("0.1", "0.35", "0.6", "1.8")]
SIBLINGS = [witness(SIBLING, amount, name=f"host/{amount}") for amount in ("0.15", "0.25")]


@pytest.mark.parametrize(
    ("beside", "witnesses"),
    [
        ([], MAKERS),
        ([], SIBLINGS),
        ([make_claim("other", "0.2", FIRST, id=9)], []),
        ([make_claim("dates", "0.2", FIRST, id=9)], []),
    ],
    ids=["the maker's list", "siblings", "an independent table said so all along", "so did a history"],
)
def test_a_mended_unit_counts_from_the_start_of_the_wrong_value(beside, witnesses):
    acceptance = accept(moved("200", "0.2") + beside, SOURCES, witnesses=witnesses)
    assert price_at(acceptance, FIRST) == price_at(acceptance, SECOND) == Decimal("0.2")
    assert acceptance.holds == []


def test_a_mended_unit_was_not_known_before_it_was_mended():
    acceptance = accept(moved("200", "0.2"), SOURCES, witnesses=MAKERS)
    assert price_at(acceptance, FIRST, known=SECOND - timedelta(days=1)) == 200
    assert price_at(acceptance, FIRST, known=SECOND) == Decimal("0.2")
    (event,) = events(acceptance, SOURCES)
    assert (event.kind, event.held, event.old, event.new, event.observed_at) == (
        "unit_fix", False, 200, Decimal("0.2"), SECOND
    )  # fmt: skip
    assert "an error of its unit" in event.why


def test_a_true_cut_stays_a_cut_however_deep():
    for old, new in (("2", "0.1"), ("15", "1"), ("30", "0.6"), ("2.19", "0.42")):
        acceptance = accept(moved(old, new), SOURCES)
        assert price_at(acceptance, SECOND) == Decimal(new)
        assert price_at(acceptance, SECOND - timedelta(days=1)) == Decimal(old)
        assert kinds(acceptance) == [("cut", False)]


def test_a_tenfold_step_nobody_else_speaks_of_is_held_and_the_last_good_price_served():
    acceptance = accept(moved("0.2", "0.02"), SOURCES)
    assert price_at(acceptance, LATER) == Decimal("0.2")
    (hold,) = acceptance.holds
    assert (hold.verdict, hold.claim.amount, hold.instead.amount) == ("held", Decimal("0.02"), Decimal("0.2"))
    assert kinds(acceptance) == [("cut", True)]


def test_a_held_step_is_believed_when_an_independent_source_says_the_same():
    acceptance = accept([*moved("0.2", "0.02"), make_claim("other", "0.02", THIRD, id=9)], SOURCES)
    assert price_at(acceptance, LATER, known=SECOND) == Decimal("0.2")
    assert price_at(acceptance, LATER) == Decimal("0.02")
    assert acceptance.holds == []
    assert kinds(acceptance)[-1] == ("cut", False)


def test_a_copy_of_the_source_is_no_support():
    acceptance = accept([*moved("0.2", "0.02"), make_claim("copy", "0.02", THIRD, id=9)], SOURCES)
    assert price_at(acceptance, LATER) == Decimal("0.2")
    assert [hold.claim.source for hold in acceptance.holds] == ["table"]


def test_a_tenfold_step_with_its_other_prices_moving_otherwise_is_a_new_price():
    claims = [*moved("0.02", "0.2", unit="cache_read"), *moved("0.2", "1.2")]
    acceptance = accept(claims, SOURCES)
    assert price_at(acceptance, SECOND, unit="cache_read") == Decimal("0.2")
    assert acceptance.holds == []


def test_all_units_moving_by_one_power_of_ten_are_no_support_for_each_other():
    acceptance = accept([*moved("1.5", "0.15"), *moved("7.5", "0.75", unit="output")], SOURCES)
    assert len(acceptance.holds) == 2


@pytest.mark.parametrize(
    ("claims", "witnesses"),
    [
        (moved("0.2", "200"), MAKERS),
        (moved("0.2", "200"), SIBLINGS),
        ([*moved("15", "0.15", unit="output"), make_claim("table", "3", FIRST, last_seen_at=SECOND)], []),
        ([*moved("0.3", "0", unit="output"), make_claim("table", "0.075", FIRST, last_seen_at=SECOND)], []),
        ([*moved("2", "0.2"), make_claim("other", "2", FIRST, last_seen_at=THIRD, id=9)], []),
    ],
    ids=["outside the maker's list", "outside the siblings", "output below input", "half free", "another still says"],
)
def test_an_implausible_new_value_is_refused(claims, witnesses):
    acceptance = accept(claims, SOURCES, witnesses=witnesses)
    old = claims[0]
    assert price_at(acceptance, SECOND, unit=old.unit) == old.amount
    assert [hold.verdict for hold in acceptance.holds] == ["refused"]


def test_output_below_input_that_rises_by_a_power_of_ten_is_mended():
    claims = [*moved("0.15", "15", unit="output"), make_claim("table", "3", FIRST, last_seen_at=SECOND)]
    assert price_at(accept(claims, SOURCES), FIRST, unit="output") == 15


def test_a_currency_that_changes_is_held_until_another_source_says_so():
    claims = moved("2", "2")
    claims[1] = replace(claims[1], currency="CNY")
    (hold,) = accept(claims, SOURCES).holds
    assert "currency" in hold.why
    confirmed = accept([*claims, make_claim("other", "2", SECOND, id=9, currency="CNY")], SOURCES)
    assert confirmed.holds == []


def test_a_price_in_another_currency_is_told_as_new_in_its_own():
    claims = moved("2", "14", source="page")
    claims[1] = replace(claims[1], currency="CNY")
    (event,) = events(accept(claims, SOURCES), SOURCES)
    assert (event.kind, event.old, event.new, event.claim.currency, event.effective_from) == (
        "new", None, 14, "CNY", SECOND
    )  # fmt: skip
    assert event.why.endswith("Until then it was 2 USD per 1,000,000.")


def test_a_held_change_of_currency_compares_no_amounts():
    claims = moved("2", "14")
    claims[1] = replace(claims[1], currency="CNY")
    (event,) = events(accept(claims, SOURCES), SOURCES)
    assert (event.kind, event.held, event.old, event.new) == ("new", True, None, 14)
    assert "went from 2 USD per 1,000,000 to 14 CNY per 1,000,000: held" in event.why


@pytest.mark.parametrize(("again", "kind", "old"), [("2", "new", None), ("3", "rise", 2)])
def test_what_was_gone_for_a_while_is_told_to_have_ended_and_to_be_back(again, kind, old):
    claims = [
        make_claim("table", "2", FIRST, withdrawn_at=SECOND, id=1),
        make_claim("table", again, THIRD, id=2),
    ]
    told = list(events(accept(claims, SOURCES), SOURCES))
    assert [(e.kind, e.old, e.new, e.effective_from, e.observed_at) for e in told] == [
        ("retired", 2, None, SECOND, SECOND),
        (kind, old, Decimal(again), THIRD, THIRD),
    ]
    assert told[0].why == "the table no longer lists it, and nobody else does."
    if kind == "new":
        assert told[1].why.endswith(" From 2026-04-01 until then nobody stated a price.")


def test_what_one_source_drops_while_another_lists_it_has_not_ended():
    claims = [
        make_claim("table", "2", FIRST, withdrawn_at=SECOND, id=1),
        make_claim("other", "2", FIRST, last_seen_at=LATER, id=2),
        make_claim("table", "2", THIRD, id=3),
    ]
    assert list(events(accept(claims, SOURCES), SOURCES)) == []


def test_a_price_that_ends_on_a_stated_day_is_told_before_it_ends():
    ends = LATER + timedelta(days=30)
    page = make_claim("page", "5", FIRST, effective_until=ends, last_seen_at=SECOND, id=1)
    (event,) = events(accept([page], SOURCES), SOURCES)
    assert (event.kind, event.old, event.new, event.effective_from, event.observed_at) == (
        "retired", 5, None, ends, FIRST
    )  # fmt: skip
    assert event.why == "the vendor's page says that it ends then, and nobody says what holds after."
    after = make_claim("dates", "6", FIRST, effective_from=ends, basis="announced", last_seen_at=SECOND, id=2)
    (event,) = events(accept([page, after], SOURCES), SOURCES)
    assert (event.kind, event.old, event.new, event.effective_from) == ("rise", 5, 6, ends)


def test_a_person_settles_what_evidence_cannot():
    claims = moved("0.2", "0.02")
    assert price_at(accept(claims, SOURCES, {2: "accept"}), LATER) == Decimal("0.02")
    rejected = accept(claims, SOURCES, {2: "reject"})
    assert rejected.holds == []
    assert price_at(rejected, SECOND - timedelta(days=1)) == Decimal("0.2")


def test_a_known_upstream_error_is_not_heard():
    wrong = make_claim("dates", "9", FIRST, id=1)
    right = make_claim("table", "0.9", FIRST, id=2)
    assert price_at(accept([wrong, right], SOURCES, {1: "known_error"}), LATER) == Decimal("0.9")


def test_the_vendors_own_page_alone_is_evidence_and_not_judged():
    acceptance = accept(moved("0.2", "0.02", source="page"), SOURCES)
    assert price_at(acceptance, SECOND) == Decimal("0.02")
    assert odd_units(moved("0.2", "0.02", source="page"), SOURCES) == set()
    assert odd_units(moved("0.2", "0.02"), SOURCES) == {"input"}


def stands(source: str, amount: str, *, until: datetime = LATER, **given_: object) -> ClaimFact:
    """A price that a source has said from the first reading until its last look."""
    return make_claim(source, amount, FIRST, last_seen_at=until, **given_)


@pytest.mark.parametrize("factor", [10, 100, 1_000, 1_000_000])
@pytest.mark.parametrize("others", [("table",), ("table", "other"), ("table", "other", "dates")])
def test_a_vendors_own_step_by_a_power_of_ten_that_all_others_contradict_is_held(factor, others):
    against = [stands(source, "3", id=number) for number, source in enumerate(others, 10)]
    for old, new in (("3", str(3 * factor)), ("3", str(Decimal(3) / factor))):
        acceptance = accept([*moved(old, new, source="page"), *against], SOURCES)
        assert price_at(acceptance, LATER) == 3
        (hold,) = acceptance.holds
        assert (hold.verdict, hold.claim.source, hold.claim.amount) == ("held", "page", Decimal(new))
        assert "the table says 3" in hold.why
        assert [held for _, held in kinds(acceptance)] == [True]


@pytest.mark.parametrize(
    "beside",
    [
        [],
        [stands("table", "3", until=SECOND - timedelta(days=1), id=9)],
        [stands("table", "3", id=9), make_claim("other", "3000", SECOND, last_seen_at=LATER, id=10)],
        [stands("dates", "3", effective_until=SECOND, id=9),
         make_claim("dates", "3000", SECOND, effective_from=SECOND, last_seen_at=LATER, id=10)],
        [stands("table", "20", id=9)],
    ],
    ids=["nobody else", "nobody who looked since", "one follows", "a history dates it", "nobody stood by the old"],
)  # fmt: skip
def test_a_vendors_own_step_is_believed_where_not_all_who_looked_since_contradict_it(beside):
    new = "30" if beside and beside[0].amount == 20 else "3000"
    acceptance = accept([*moved("3", new, source="page"), *beside], SOURCES)
    assert price_at(acceptance, LATER) == Decimal(new)
    assert acceptance.holds == []


def test_a_vendors_own_step_by_another_factor_is_believed_against_all_others():
    acceptance = accept([*moved("10", "2", source="page"), stands("table", "10", id=9)], SOURCES)
    assert price_at(acceptance, LATER) == 2


def test_a_held_step_of_the_vendors_counts_from_its_own_day_once_another_follows():
    against = make_claim("table", "3", FIRST, last_seen_at=SECOND, withdrawn_at=THIRD, id=9)
    follows = make_claim("table", "30", THIRD, last_seen_at=LATER, id=10)
    acceptance = accept([*moved("3", "30", source="page"), against, follows], SOURCES)
    assert price_at(acceptance, SECOND, known=SECOND) == 3
    assert price_at(acceptance, SECOND) == 30
    assert acceptance.holds == []


UNREAD = timedelta(days=60)


def long_unread(days: int, *agreeing: str, said: datetime = THIRD) -> list[ClaimFact]:
    """A page at 5 last seen on the second day, and others at 4 who began to say so later and looked `days` after it."""
    last = SECOND + timedelta(days=days)
    page = make_claim("page", "5", FIRST, last_seen_at=SECOND, id=1)
    return [page, *(
        make_claim(source, "4", said, last_seen_at=last, id=number) for number, source in enumerate(agreeing, 2)
    )]  # fmt: skip


def test_two_sources_that_agree_outweigh_a_page_unread_for_more_than_sixty_days():
    acceptance = accept(long_unread(96, "table", "other"), SOURCES)
    assert price_at(acceptance, THIRD) == price_at(acceptance, LATER) == 4
    assert price_at(acceptance, THIRD - timedelta(days=1)) == 5
    assert price_at(acceptance, THIRD, known=SECOND + UNREAD) == 5
    assert price_at(acceptance, THIRD, known=SECOND + UNREAD + timedelta.resolution) == 4
    now = next(p for p in acceptance.prices if p.known_until is None and p.claim.amount == 4)
    assert (now.agreeing, now.disputed_by) == (("table", "other"), ())


@pytest.mark.parametrize(
    "claims",
    [
        long_unread(60, "table", "other"),
        long_unread(96, "table"),
        long_unread(96, "table", "copy"),
        [*long_unread(96, "table"), make_claim("other", "4.5", THIRD, last_seen_at=LATER, id=9)],
    ],
    ids=["not longer than sixty days", "one alone", "a source and its copy", "two who do not agree"],
)
def test_a_page_stands_where_no_two_independent_sources_that_looked_long_after_agree(claims):
    assert price_at(accept(claims, SOURCES), LATER) == 5


def test_what_a_page_said_when_it_was_read_stays_what_held_then():
    """Two histories date another price into the time in which the page was still read."""
    dated = [
        make_claim(source, "4", FIRST, effective_from=FIRST, basis="documented", last_seen_at=LATER, id=number)
        for number, source in enumerate(("dates", "table"), 2)
    ]
    acceptance = accept([make_claim("page", "5", FIRST, last_seen_at=SECOND, id=1), *dated], SOURCES)
    assert LATER - SECOND == UNREAD
    assert price_at(acceptance, LATER) == 5
    late = [replace(claim, last_seen_at=SECOND + timedelta(days=96)) for claim in dated]
    acceptance = accept([make_claim("page", "5", FIRST, last_seen_at=SECOND, id=1), *late], SOURCES)
    assert price_at(acceptance, SECOND - timedelta.resolution) == 5
    assert price_at(acceptance, SECOND) == 4


def test_a_move_below_fivefold_needs_no_evidence():
    acceptance = accept(moved("1", "0.21"), SOURCES, witnesses=[witness(SIBLING, "50")])
    assert price_at(acceptance, SECOND) == Decimal("0.21")


def test_two_independent_tables_outvote_a_better_one_alone():
    claims = [make_claim("dates", "3", FIRST, id=1), make_claim("table", "2", FIRST, id=2),
              make_claim("other", "2", FIRST, id=3)]  # fmt: skip
    (price,) = (p for p in accept(claims, SOURCES).prices if p.known_until is None)
    assert (price.claim.amount, price.agreeing, price.contested) == (2, ("table", "other"), False)
    copied = [claims[0], claims[1], make_claim("copy", "2", FIRST, id=3)]
    (price,) = (p for p in accept(copied, SOURCES).prices if p.known_until is None)
    assert (price.claim.source, price.contested) == ("dates", True)
    official = [*claims, make_claim("page", "4", FIRST, id=4)]
    (price,) = (p for p in accept(official, SOURCES).prices if p.known_until is None)
    assert (price.claim.source, price.contested) == ("page", False)


@pytest.mark.parametrize(("days", "expected"), [(14, "5"), (15, "4")])
def test_the_vendors_page_gives_way_to_a_change_dated_two_weeks_after_it_was_last_seen(days, expected):
    starts = SECOND
    page = make_claim("page", "5", starts - timedelta(days=days), id=1)
    dated = make_claim("dates", "4", starts, id=2, effective_from=starts, basis="documented", precision="day")
    assert price_at(accept([page, dated], SOURCES), LATER) == Decimal(expected)


amounts = st.sampled_from(["0", "0.02", "0.2", "1", "2", "20", "200"])
moments = st.sampled_from([FIRST, SECOND, THIRD, LATER])


@st.composite
def tables(draw):
    """Two tables of three readings each, of input and output, with witnesses."""
    claims: list[ClaimFact] = []
    for source in ("table", "other"):
        for unit in ("input", "output"):
            seen = [FIRST, SECOND, THIRD][: draw(st.integers(1, 3))]
            for start, end in zip(seen, [*seen[1:], None], strict=True):
                number = len(claims)
                claims.append(make_claim(source, draw(amounts), start, unit=unit, withdrawn_at=end, id=number))
    told = st.builds(
        witness, st.sampled_from([SIBLING, MAKERS_LIST]), amounts, unit=st.sampled_from(["input", "output"]),
        since=moments, name=st.sampled_from("abcdefgh"),
    )  # fmt: skip
    return claims, draw(st.lists(told, max_size=5))


@given(drawn=tables(), seed=st.randoms(use_true_random=False))
def test_the_order_of_claims_and_witnesses_cannot_matter(drawn, seed):
    claims, witnesses = drawn
    shuffled, others = list(claims), list(witnesses)
    seed.shuffle(shuffled)
    seed.shuffle(others)
    assert accept(shuffled, SOURCES, witnesses=others) == accept(claims, SOURCES, witnesses=witnesses)


@given(drawn=tables(), cut=moments, when=moments, unit=st.sampled_from(["input", "output"]))
def test_later_evidence_never_changes_what_was_known_of_a_step(drawn, cut, when, unit):
    claims, witnesses = drawn
    earlier = [claim for claim in claims if claim.evidence_at <= cut]
    heard = [told for told in witnesses if told.evidence_at <= cut]
    asked = price_at(accept(claims, SOURCES, witnesses=witnesses), when, cut, unit)
    assert asked == price_at(accept(earlier, SOURCES, witnesses=heard), when, cut, unit)


@given(drawn=tables())
def test_what_is_held_is_never_the_price(drawn):
    claims, witnesses = drawn
    acceptance = accept(claims, SOURCES, witnesses=witnesses)
    current = {price.claim.id for price in acceptance.prices if price.known_until is None}
    assert not current & {hold.claim.id for hold in acceptance.holds}


def test_a_step_is_judged_by_what_others_cost_when_it_was_made():
    """A sibling that later became dearer says nothing of an earlier cut."""
    then = replace(witness(SIBLING, "0.2"), withdrawn_at=THIRD)
    later = witness(SIBLING, "5", since=THIRD)
    acceptance = accept(moved("3.5", "0.2"), SOURCES, witnesses=[then, later])
    assert acceptance.holds == []
    assert kinds(acceptance) == [("cut", False)]


def test_the_makers_list_tells_of_units_and_not_of_prices():
    assert accept(moved("2", "17"), SOURCES, witnesses=MAKERS).holds == []
    assert [h.verdict for h in accept(moved("2", "20"), SOURCES, witnesses=MAKERS).holds] == ["refused"]


def test_a_deep_cut_that_others_have_not_followed_yet_is_believed_and_such_a_rise_is_not():
    assert accept(moved("10", "2"), SOURCES, witnesses=[witness(SIBLING, "10")]).holds == []
    assert [h.verdict for h in accept(moved("2", "12"), SOURCES, witnesses=[witness(SIBLING, "2")]).holds] == [
        "refused"
    ]


def test_a_first_price_dearer_than_any_token_ever_was_is_not_believed_until_somebody_confirms_it():
    steep = make_claim("table", "100000", FIRST)
    assert odd_units([steep], SOURCES) == {"input"}
    alone = accept([steep], SOURCES)
    assert (alone.prices, [h.verdict for h in alone.holds], kinds(alone)) == ([], ["held"], [("new", True)])
    beside = accept([steep], SOURCES, witnesses=SIBLINGS)
    assert [h.verdict for h in beside.holds] == ["refused"]
    assert price_at(accept([steep], SOURCES, {0: "accept"}), LATER) == 100000
    confirmed = accept([steep, make_claim("other", "100000", FIRST, id=1)], SOURCES)
    assert price_at(confirmed, LATER) == 100000
    per_image = make_claim("table", "1", FIRST, unit="image", per=1)
    assert price_at(accept([per_image], SOURCES), LATER, unit="image") == 1


def test_a_steep_first_price_that_is_mended_counts_from_its_start_and_was_never_believed():
    acceptance = accept(moved("135000", "0.6"), SOURCES)
    assert price_at(acceptance, FIRST) == price_at(acceptance, LATER) == Decimal("0.6")
    assert price_at(acceptance, FIRST, known=FIRST) is None
    assert kinds(acceptance) == [("unit_fix", False)]


def test_two_roundings_of_one_amount_are_no_change_and_one_sources_small_step_is():
    rounded = [make_claim("table", "0.15001", FIRST, id=1), make_claim("dates", "0.15", SECOND, id=2)]
    assert kinds(accept(rounded, SOURCES)) == []
    assert kinds(accept(moved("0.15001", "0.15"), SOURCES)) == [("cut", False)]


def test_another_source_begun_to_be_believed_is_no_change_of_a_price():
    """Nobody saw the price move: the table first looked in April and says another amount than the dates say."""
    apart = [make_claim("dates", "2", THIRD, id=1), make_claim("table", "3", SECOND, id=2)]
    assert {kind for kind, _ in kinds(accept(apart, SOURCES))}.isdisjoint({"cut", "rise"})
    # A source that says another amount than before saw a change, whoever is believed before it.
    seen = [*moved("3", "4"), make_claim("page", "5", THIRD, id=7)]
    assert ("rise", False) in kinds(accept(seen, SOURCES))
    # The early table dates a price before anybody else speaks: no rise from what the others say of today.
    dated = make_claim(
        "dates", "5", FIRST, id=1, effective_from=FIRST, effective_until=SECOND, basis="announced", precision="day"
    )
    assert ("rise", False) not in kinds(accept([dated, make_claim("table", "2.5", THIRD, id=2)], SOURCES))
