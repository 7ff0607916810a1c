"""Which of several claims is held true, and what was held true by the evidence of an earlier day."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing.acceptance import FIRST_SALE, ClaimFact, SourceFact, accept, grade, with_origins

SOURCES = with_origins(
    {
        "page": SourceFact("page", "the vendor's page", "official", 1, states_history=False),
        "dates": SourceFact("dates", "dates", "curated", 1, copies=("feed",)),
        "days": SourceFact("days", "days", "curated", 2),
        "copy": SourceFact("copy", "copy", "aggregator", 1, copies=("dates",), states_history=False),
        "feed": SourceFact("feed", "feed", "aggregator", 2, states_history=False),
    }
)
SEEN = datetime(2026, 11, 1, tzinfo=UTC)


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def claim(source: str, amount: str, **given_: object) -> ClaimFact:
    values: dict[str, object] = {
        "id": 0, "source": source, "unit": "input", "qualifier": "", "service_tier": "standard", "context_from": 0,
        "context_op": "", "context_mode": "", "schedule": "", "amount": Decimal(amount), "per": 1_000_000,
        "currency": "USD", "effective_from": None, "effective_until": None, "basis": "inferred",
        "precision": "unknown", "evidence_at": SEEN, "first_seen_at": SEEN, "last_seen_at": SEEN,
    }  # fmt: skip
    values |= given_
    if values["effective_from"] is not None and "basis" not in given_:
        values["basis"] = "documented"
    return ClaimFact(**values)  # type: ignore[arg-type]


def price_at(accepted, when: datetime, known: datetime | None = None, schedule: str = "") -> Decimal | None:
    accepted = getattr(accepted, "prices", accepted)
    found = [
        a for a in accepted
        if a.effective_from <= when and (a.effective_until is None or when < a.effective_until)
        and a.claim.schedule == schedule
        and (a.known_until is None if known is None else
             a.known_from <= known and (a.known_until is None or known < a.known_until))
    ]  # fmt: skip
    assert len(found) <= 1
    return found[0].claim.amount if found else None


CUT = day("2026-08-21")
HISTORY = [
    claim("dates", "5", evidence_at=day("2026-07-09"), effective_until=CUT, until_known_at=CUT),
    claim("dates", "4", effective_from=CUT, evidence_at=CUT),
]


def test_a_price_change_starts_where_the_old_price_ends():
    accepted = accept(HISTORY, SOURCES).prices
    assert price_at(accepted, CUT - timedelta(microseconds=1)) == 5
    assert price_at(accepted, CUT) == 4


def test_what_was_known_before_a_change_still_answers_the_old_price():
    accepted = accept(HISTORY, SOURCES).prices
    assert price_at(accepted, day("2026-08-23"), known=day("2026-08-15")) == 5
    assert price_at(accepted, day("2026-08-23"), known=CUT) == 4
    assert price_at(accepted, day("2026-08-23"), known=day("2026-07-01")) is None


def test_a_start_nobody_stated_is_inferred_and_reaches_back_to_the_first_sale():
    (only,) = accept([claim("days", "1")], SOURCES).prices
    assert (only.effective_from, only.basis, only.precision) == (FIRST_SALE, "inferred", "unknown")


def test_the_vendors_page_beats_curated_data_beats_aggregators():
    claims = [claim("feed", "1"), claim("days", "2"), claim("page", "3")]
    for count in (1, 2, 3):
        (accepted,) = accept(claims[:count], SOURCES).prices
        assert accepted.claim.source == ("feed", "days", "page")[count - 1]


def test_a_persons_decision_beats_every_source_and_a_rejected_claim_is_not_heard():
    claims = [claim("feed", "1", id=1), claim("page", "3", id=2)]
    (accepted,) = accept(claims, SOURCES, {1: "accept"}).prices
    assert (accepted.claim.id, accepted.trust, accepted.basis) == (1, "decision", "manual")
    (accepted,) = accept(claims, SOURCES, {2: "reject"}).prices
    assert accepted.claim.id == 1
    assert accepted.disputed_by == ()


@pytest.mark.parametrize(("source", "since"), [("page", [5, 4]), ("feed", [7, 7])])
def test_an_undated_price_that_was_seen_to_end_does_not_reach_back_over_what_another_source_dated(source, since):
    dated = [
        claim("days", "9", effective_from=day("2025-01-01"), effective_until=day("2025-06-01"),
              evidence_at=day("2025-01-01"), until_known_at=day("2025-06-01"), id=1),
        claim("days", "7", effective_from=day("2025-06-01"), evidence_at=day("2025-06-01"),
              last_seen_at=day("2026-08-22"), id=2),
    ]  # fmt: skip
    first, second = day("2026-08-22"), day("2026-08-29")
    stands = claim(source, "5", evidence_at=first, first_seen_at=first, last_seen_at=first, id=3)
    ended = replace(stands, withdrawn_at=second)
    follows = claim(source, "4", evidence_at=second, first_seen_at=second, last_seen_at=second, id=4)
    before, after = accept([*dated, stands], SOURCES).prices, accept([*dated, ended, follows], SOURCES).prices
    for moment, amount in (("2024-12-31", 5), ("2025-01-01", 9), ("2025-06-01", 7), ("2026-08-21", 7)):
        assert price_at(before, day(moment)) == price_at(after, day(moment)) == amount, moment
    assert [price_at(after, first), price_at(after, second)] == since


def test_of_two_prices_that_nobody_dated_the_one_that_was_seen_to_end_first_held_before():
    seen, end, later = day("2024-05-01"), day("2024-09-01"), day("2026-08-22")
    early = claim("feed", "6", evidence_at=seen, first_seen_at=seen, last_seen_at=seen, withdrawn_at=end, id=1)
    young = claim("page", "5", evidence_at=later, first_seen_at=later, last_seen_at=later, id=2)
    accepted = accept([early, young], SOURCES).prices
    assert [price_at(accepted, day(d)) for d in ("2022-01-01", "2024-06-01", "2024-09-01")] == [6, 6, 5]


def test_a_stated_start_younger_than_the_others_last_look_wins():
    old = claim("dates", "2", last_seen_at=day("2026-10-26"))
    new = [claim("days", "2", effective_until=day("2026-12-01")), claim("days", "4", effective_from=day("2026-12-01"))]
    accepted = accept([old, *new], SOURCES).prices
    assert price_at(accepted, day("2026-11-30")) == 2
    assert price_at(accepted, day("2026-12-01")) == 4


def test_what_a_source_looked_at_later_was_not_known_before():
    """Announced on 1 October for 1 November, and on 1 December the better source still found the old price."""
    announced, starts, looked = day("2026-10-01"), day("2026-11-01"), day("2026-12-01")
    seen = claim("dates", "2", evidence_at=day("2026-09-01"), last_seen_at=looked)
    accepted = accept([seen, claim("days", "4", effective_from=starts, evidence_at=announced)], SOURCES).prices
    assert price_at(accepted, starts, known=announced) == 4
    once_looked = replace(seen, evidence_at=looked, first_seen_at=looked, id=2)
    assert price_at(accept([seen, once_looked, claim("days", "4", effective_from=starts)], SOURCES), starts) == 2


def test_a_history_beats_a_price_that_only_does_not_say_when_it_began():
    younger = claim("dates", "4", evidence_at=day("2026-09-01"))
    history = [claim("days", "5", effective_until=CUT), claim("days", "4", effective_from=CUT)]
    accepted = accept([younger, *history], SOURCES).prices
    assert price_at(accepted, day("2026-06-01")) == 5
    assert price_at(accepted, day("2026-10-01")) == 4


def read_first(source: str) -> dict[str, SourceFact]:
    """The sources, of which one was read for the first time when the claims were seen."""
    return SOURCES | {source: replace(SOURCES[source], began=SEEN)}


def test_what_a_dataset_says_in_its_first_reading_counts_for_the_sixty_days_before():
    """It would date a change, so of a lone aggregator's word weeks earlier it is what it is of the same word today."""
    earlier = claim("feed", "2.5", evidence_at=day("2026-10-20"), first_seen_at=day("2026-10-20"))
    accepted = accept([earlier, claim("days", "0.6")], read_first("days")).prices
    assert price_at(accepted, day("2026-10-25")) == Decimal("0.6")
    assert price_at(accepted, day("2026-10-25"), known=day("2026-10-25")) == Decimal("2.5")
    (price,) = (price for price in accepted if price.known_until is None)
    assert [c.source for c in price.disputed_by] == ["feed"]


def test_nor_earlier_nor_where_somebody_saw_a_change_between_nor_in_place_of_what_it_said_before():
    long_before = claim("feed", "2", evidence_at=day("2026-08-01"), first_seen_at=day("2026-08-01"))
    assert price_at(accept([long_before, claim("days", "1")], read_first("days")), day("2026-09-01")) == 2

    cut = day("2026-10-25")
    until = claim("feed", "2", evidence_at=day("2026-10-01"), first_seen_at=day("2026-10-01"), withdrawn_at=cut)
    since = claim("feed", "1", evidence_at=cut, first_seen_at=cut)
    accepted = accept([until, since, claim("days", "1")], read_first("days"))
    assert (price_at(accepted, day("2026-10-20")), price_at(accepted, cut)) == (2, 1)

    accepted = accept(
        [replace(long_before, amount=Decimal(2), evidence_at=day("2026-10-01")), claim("days", "1")], SOURCES
    )
    assert price_at(accepted, day("2026-10-20")) == 2


def test_a_price_is_known_from_when_the_first_of_those_who_agree_said_it():
    said = day("2026-10-20")
    claims = [claim("feed", "2", evidence_at=said, first_seen_at=said), claim("days", "2")]
    (price,) = accept(claims, read_first("days")).prices
    assert (price.claim.source, price.evidence_at, price.agreeing) == ("days", said, ("days", "feed"))
    asked = {
        "observed_at": SEEN,
        "seen_at": SEEN,
        "effective_until": None,
        "asked_at": said + timedelta(days=1),
        "disputed": False,
    }
    assert grade(trust="curated", agreeing=price.agreeing, evidence_at=price.evidence_at, **asked) == "B"


def test_copies_are_one_voice():
    (alone,) = accept([claim("dates", "5"), claim("copy", "5"), claim("feed", "5")], SOURCES).prices
    assert alone.agreeing == ("dates",)
    (both,) = accept([claim("dates", "5"), claim("days", "5.01")], SOURCES).prices
    assert both.agreeing == ("dates", "days")


@pytest.mark.parametrize(("basis", "agreeing"), [("observed", {"days"}), ("documented", {"days", "feed"})])
def test_what_its_source_came_to_see_replaced_is_nobodys_second_voice(basis, agreeing):
    """The day on which a list was read anew is no day of a change: until then nobody vouched for the old price."""
    seen = {"evidence_at": day("2026-06-01"), "first_seen_at": day("2026-06-01")}
    old = claim("days", "5", effective_until=CUT, until_known_at=CUT, **seen)
    new = claim("days", "4", effective_from=CUT, evidence_at=CUT, basis=basis)
    stale = claim("feed", "5", last_seen_at=SEEN, **seen)

    def before(moment: datetime):
        accepted = accept([old, new, stale], SOURCES).prices
        return next(
            p for p in accepted
            if p.effective_from <= day("2026-07-01") < (p.effective_until or SEEN) and p.known_from <= moment
            and (p.known_until is None or moment < p.known_until)
        )  # fmt: skip

    assert set(before(SEEN).agreeing) == agreeing
    assert before(SEEN).claim.amount == 5
    assert set(before(CUT - timedelta(days=1)).agreeing) == {"days", "feed"}


def test_one_threshold_read_as_above_and_as_from_is_one_price():
    tier = {"context_from": 200_000, "context_mode": "whole_request"}
    (price,) = accept(
        [claim("dates", "5", context_op=">", **tier), claim("days", "5", context_op=">=", **tier)], SOURCES
    ).prices
    assert (price.claim.context_op, price.agreeing) == (">", ("dates", "days"))


def test_a_disagreement_is_kept_with_the_claim_that_lost():
    (accepted,) = accept([claim("dates", "5"), claim("days", "6", id=9)], SOURCES).prices
    assert [c.id for c in accepted.disputed_by] == [9]
    assert "days says 6" in accepted.why


def test_windows_of_two_sources_are_two_readings_of_one_rule_and_the_better_counts():
    claims = [
        claim("dates", "1"), claim("dates", "2", schedule="mon-fri 01:00-04:00 UTC"),
        claim("days", "1"), claim("days", "2", schedule="daily 01:00-04:00 UTC"),
    ]  # fmt: skip
    accepted = accept(claims, SOURCES).prices
    assert {a.claim.schedule for a in accepted} == {"", "mon-fri 01:00-04:00 UTC"}


def test_a_source_of_the_present_ends_a_price_when_it_says_another():
    first, second = day("2026-03-01"), day("2026-04-01")
    claims = [
        claim("page", "5", evidence_at=first, first_seen_at=first, last_seen_at=first, withdrawn_at=second),
        claim("page", "4", evidence_at=second, first_seen_at=second, last_seen_at=second),
    ]
    accepted = accept(claims, SOURCES).prices
    assert price_at(accepted, day("2026-03-31")) == 5
    assert price_at(accepted, second) == 4
    assert price_at(accepted, day("2026-05-01"), known=day("2026-03-15")) == 5


def test_what_a_history_no_longer_says_it_corrected():
    claims = [
        claim("dates", "9", evidence_at=day("2026-03-01"), withdrawn_at=day("2026-04-01")),
        claim("dates", "5", evidence_at=day("2026-04-01")),
    ]
    accepted = accept(claims, SOURCES).prices
    assert price_at(accepted, day("2026-03-15")) == 5
    assert price_at(accepted, day("2026-03-15"), known=day("2026-03-20")) == 9


days = st.integers(0, 300).map(lambda n: day("2026-01-01") + timedelta(days=n))


@st.composite
def claims_of_one_slot(draw):
    claims = []
    for number in range(draw(st.integers(1, 5))):
        source = draw(st.sampled_from(list(SOURCES)))
        start = draw(st.none() | days)
        until = draw(st.none() | days)
        if start is not None and until is not None and until <= start:
            until = None
        seen = draw(days)
        claims.append(
            claim(
                source, str(draw(st.integers(0, 3))), id=number, effective_from=start, effective_until=until,
                evidence_at=draw(days), until_known_at=draw(st.none() | days) if until else None, first_seen_at=seen,
                last_seen_at=seen + timedelta(days=draw(st.integers(0, 20))), withdrawn_at=draw(st.none() | days),
                schedule=draw(st.sampled_from(["", "", "daily 01:00-04:00 UTC"])),
            )
        )  # fmt: skip
    return claims


@given(claims=claims_of_one_slot(), seed=st.randoms())
@settings(max_examples=300)
def test_the_order_of_claims_cannot_matter(claims, seed):
    shuffled = list(claims)
    seed.shuffle(shuffled)
    assert accept(shuffled, SOURCES) == accept(claims, SOURCES)


@given(claims=claims_of_one_slot())
@settings(max_examples=300)
def test_no_two_accepted_prices_hold_at_once(claims):
    for one, other in combinations(accept(claims, SOURCES).prices, 2):
        if (one.claim.slot, one.claim.schedule) != (other.claim.slot, other.claim.schedule):
            continue
        effective = (other.effective_until is None or one.effective_from < other.effective_until) and (
            one.effective_until is None or other.effective_from < one.effective_until
        )
        known = (other.known_until is None or one.known_from < other.known_until) and (
            one.known_until is None or other.known_from < one.known_until
        )
        assert not (effective and known)


@given(claims=claims_of_one_slot(), cut=days, when=days)
@settings(max_examples=300)
def test_later_evidence_never_changes_what_was_known_before(claims, cut, when):
    """A backtest at a moment sees what a catalogue without the later claims would have shown at that moment."""
    earlier = [c for c in claims if c.evidence_at <= cut]
    asked = {
        schedule: price_at(accept(claims, SOURCES), when, cut, schedule) for schedule in ("", "daily 01:00-04:00 UTC")
    }
    alone = {schedule: price_at(accept(earlier, SOURCES), when, cut, schedule) for schedule in asked}
    assert asked == alone


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ({"trust": "decision"}, "A"),
        ({"trust": "official"}, "A"),
        ({"trust": "official", "asked_at": SEEN + timedelta(days=15)}, "C"),
        ({"trust": "official", "asked_at": SEEN + timedelta(days=61)}, "D"),
        ({"agreeing": ["dates", "days"]}, "B"),
        ({}, "C"),
        ({"disputed": True}, "D"),
        ({"disputed": True, "agreeing": ["dates", "days"]}, "B"),
        ({"asked_at": SEEN + timedelta(days=61)}, "D"),
        ({"asked_at": SEEN + timedelta(days=61), "seen_at": SEEN + timedelta(days=1)}, "C"),
        ({"trust": "official", "asked_at": SEEN + timedelta(days=61), "seen_at": SEEN + timedelta(days=61)}, "C"),
        (
            {"agreeing": ["page", "feed"], "asked_at": SEEN + timedelta(days=61), "seen_at": SEEN + timedelta(days=50)},
            "B",
        ),
        ({"agreeing": ["dates", "days"], "asked_at": SEEN - timedelta(days=400)}, "C"),
        ({"asked_at": SEEN + timedelta(days=61), "effective_until": SEEN + timedelta(days=1)}, "C"),
    ],
)
def test_a_grade_says_how_well_a_price_is_known(given_, expected):
    facts = {
        "trust": "curated", "agreeing": ["dates"], "disputed": False, "evidence_at": SEEN, "observed_at": SEEN,
        "seen_at": SEEN,
        "effective_until": None, "asked_at": SEEN,
    } | given_  # fmt: skip
    assert grade(**facts) == expected
