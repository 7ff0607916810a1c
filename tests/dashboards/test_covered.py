"""How much of a total is known, as pages and mails say it."""

from __future__ import annotations

from dashboards.pages import covered

COVERAGE = {"attributed_spent": "0.5", "priced_tokens": "1.0", "grades": {"A": "1.0"}}


def test_a_count_that_some_priced_records_do_not_know_is_said_beside_the_shares() -> None:
    counts = {"in_uncached": 1, "in_cache_read": 9, "in_cache_write": 9, "out_total": 1_200}
    found = covered.parts(COVERAGE | {"unknown_counts": counts})
    assert covered.line(found[-2:]) == (
        "1 record priced without input, which is unknown · 1,200 records priced without output, which is unknown"
    )
    assert [part.share for part in found[-2:]] == [None, None]


def test_what_every_record_knows_is_not_mentioned() -> None:
    known = dict.fromkeys(("in_uncached", "in_cache_read", "in_cache_write", "out_total"), 0)
    assert covered.parts(COVERAGE | {"unknown_counts": known}) == covered.parts(COVERAGE)
    assert "unknown" not in covered.line(covered.parts(COVERAGE))


def test_requests_that_no_list_price_is_known_for_are_said_as_their_tokens_may_be_none() -> None:
    found = covered.parts(COVERAGE | {"unpriced_requests": 1_200})
    assert "100.0% of tokens priced · 1,200 requests without a list price" in covered.line(found)
    assert covered.parts(COVERAGE | {"unpriced_requests": 0}) == covered.parts(COVERAGE)
