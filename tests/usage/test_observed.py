"""A token log sums to the rollups, and is told apart by what a sample of the ledger's records looks like."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from pricing.cost import Tokens, summed
from tests.usage.conftest import ImportFacts
from tests.usage.factories import make_card, make_fact, make_offering, make_project, make_rule
from usage.models import Organisation
from usage.observed import sampling, token_log, token_logs
from usage.observed.slicing import NOWHERE, Sampled, coarser, sliced, split
from usage.token_log import EVERY_HOUR, Slice, Use

SINCE, UNTIL = date(2026, 3, 1), date(2026, 3, 31)


@pytest.fixture
def project(organisation: Organisation) -> Any:
    make_card(make_offering())
    found = make_project(organisation, "alpha")
    make_rule(organisation, [{"field": "ext_project", "op": "equals", "value": "alpha"}], {found.pk: "1"})
    return found


def of(key: str, when: str = "2026-03-10 12:00", **fields: Any) -> Any:
    return make_fact(key, when, ext_project="alpha", **fields)


def prompts(use: Use) -> dict[tuple[int, int], int]:
    return {(one.prompt_tokens, one.hour): one.tokens.input or 0 for one in use.slices}


def test_requests_are_told_apart_by_the_length_of_their_prompt_and_their_hour(
    project: Any, import_facts: ImportFacts
) -> None:
    import_facts([
        of("a", "2026-03-09 00:30", in_uncached=1_000),  # a Monday
        of("b", "2026-03-09 00:59", in_uncached=1_010),
        of("c", "2026-03-15 23:00", in_uncached=1_000),  # a Sunday
        of("d", "2026-03-09 00:30", in_uncached=90_000, in_cache_read=10_000),
    ])  # fmt: skip
    [use] = token_log(project, SINCE, UNTIL).uses
    assert prompts(use) == {(1_005, 0): 2_010, (1_000, 167): 1_000, (100_000, 0): 90_000}
    assert (use.requests, use.sampled_requests, use.prompt_p99, use.prompt_max) == (4, 4, 100_000, 100_000)
    assert use.tokens == Tokens(93_010, 10_000, 0, 400)
    assert use.spent == use.list_cost == D("0.09481")  # by hand: 93,010 in, 10,000 cached at a tenth, 400 out at 2


def test_what_its_records_say_of_images_and_audio_is_known_of_a_use(project: Any, import_facts: ImportFacts) -> None:
    import_facts([
        of("a"), of("b", quality=("images_at_the_price_of_text", "no_request_id")),
        of("c", service_tier="batch"), of("d", service_tier="flex", quality=("seconds_not_kept",)),
    ])  # fmt: skip
    uses = {use.service_tier: use.marks for use in token_log(project, SINCE, UNTIL).uses}
    assert uses == {
        "standard": {"images_at_the_price_of_text"}, "batch": set(), "flex": {"seconds_not_kept"},
    }  # fmt: skip


def test_sums_over_many_requests_say_nothing_of_one_prompt(project: Any, import_facts: ImportFacts) -> None:
    import_facts([of("a", grain="1d", requests=4), of("b", grain="1h", requests=9, context_tokens=5_000)])
    [use] = token_log(project, SINCE, UNTIL).uses
    assert prompts(use) == {(0, EVERY_HOUR): 1_000, (5_000, 36): 1_000}
    assert (use.prompt_p99, use.prompt_max) == (5_000, 5_000)
    import_facts([of("z", "2026-02-10 12:00", grain="1d")])
    [daily] = token_log(project, date(2026, 2, 1), date(2026, 3, 1)).uses
    assert (daily.prompt_p99, daily.prompt_max) == (None, None)


def test_a_few_known_prompts_do_not_speak_for_many_unknown_ones(project: Any, import_facts: ImportFacts) -> None:
    import_facts([of("a", grain="1d", requests=3), of("b"), of("c")])
    [use] = token_log(project, SINCE, UNTIL).uses
    assert (use.prompt_p99, use.prompt_max) == (None, None)
    import_facts([of("d")])
    [use] = token_log(project, SINCE, UNTIL).uses
    assert (use.prompt_p99, use.prompt_max) == (1_000, 1_000)  # now it is half of the requests


def test_a_prompt_on_the_edge_of_a_price_is_on_its_side(
    project: Any, organisation: Organisation, import_facts: ImportFacts
) -> None:
    import_facts([of("a", in_uncached=200_000), of("b", in_uncached=200_002)])
    found = sampling.seen(organisation.pk, [project.pk], SINCE, UNTIL, [200_001])
    assert [one.prompt_tokens for seen in found.values() for one in seen.parts] == [200_000, 200_002]


def test_what_belongs_to_others_or_lies_outside_is_in_no_part(
    project: Any, organisation: Organisation, import_facts: ImportFacts
) -> None:
    beta = make_project(organisation, "beta")
    make_rule(
        organisation, [{"field": "ext_project", "op": "equals", "value": "both"}], {project.pk: "0.25", beta.pk: "0.75"}
    )
    import_facts([
        of("a"), of("b", "2026-02-28 23:59"), of("c", "2026-03-31 00:00"), make_fact("d", ext_project="gamma"),
        make_fact("e", ext_project="both", in_uncached=64_000),
    ])  # fmt: skip
    logs = token_logs(organisation, [project, beta], SINCE, UNTIL)
    assert prompts(logs[project.pk].log.uses[0]) == {(1_000, 36): 1_000, (64_000, 36): 16_000}
    assert prompts(logs[beta.pk].log.uses[0]) == {(64_000, 36): 48_000}


def test_what_a_settlement_spreads_on_a_project_is_seen_whosever_the_record_is(
    project: Any, organisation: Organisation, import_facts: ImportFacts
) -> None:
    agents = make_project(organisation, "agents")
    make_rule(organisation, [{"field": "path", "op": "prefix", "value": "/agents"}], {agents.pk: "1"})
    import_facts([of("g", in_uncached=2_000, out_total=200)], importer_slug="gateway", detail=3)
    finer = [make_fact("t", "2026-03-10 12:00", path="/agents/x", in_uncached=500, out_total=50)]
    import_facts(finer, importer_slug="transcripts", detail=4)
    [use] = token_log(agents, SINCE, UNTIL).uses
    assert (use.tokens.prompt, use.sampled_requests, use.prompt_max) == (500, 1, 2_000)


def test_a_subscription_and_unknown_models_are_no_use_and_are_told(
    project: Any, organisation: Organisation, import_facts: ImportFacts
) -> None:
    import_facts([of("a", cost_kind="notional"), of("b", model="mystery"), of("c", in_cache_write=None)])
    found = token_logs(organisation, [project], SINCE, UNTIL)[project.pk]
    assert (found.notional_tokens, found.log.unpriced_tokens) == (1_100, 1_100)
    assert [use.tokens.input for use in found.log.uses] == [1_000]
    assert found.log.unknown == {"in_cache_write": 1}


def test_lifetimes_of_cache_writes_are_those_of_the_records(project: Any, import_facts: ImportFacts) -> None:
    import_facts([of("a", in_cache_write=900, cache_write_by_lifetime={"5m": 600, "1h": 300})])
    [use] = token_log(project, SINCE, UNTIL).uses
    assert use.tokens.cache_write_by_lifetime == {"1h": 300, "5m": 600}
    assert use.tokens.cache_write == 900


def test_a_large_ledger_is_drawn_from_and_its_sums_stay(
    project: Any, import_facts: ImportFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_facts([of(f"k{n:05}", in_uncached=100 + n) for n in range(3_000)])
    monkeypatch.setattr(sampling, "LOOKED_AT", 600)
    first, second = (token_log(project, SINCE, UNTIL) for _ in range(2))
    assert first == second  # the same pages each time
    [use] = first.uses
    assert 0 < use.sampled_requests < 3_000
    assert summed(one.tokens for one in use.slices).input == use.tokens.input == sum(100 + n for n in range(3_000))
    assert sum(one.requests for one in use.slices) == use.requests == 3_000


def test_several_projects_take_as_many_queries_as_one(
    project: Any, organisation: Organisation, import_facts: ImportFacts
) -> None:
    others = [make_project(organisation) for _ in range(3)]
    import_facts([of("a")])
    with CaptureQueriesContext(
        connection,
    ) as one:
        token_logs(organisation, [project], SINCE, UNTIL)
    with CaptureQueriesContext(connection) as many:
        token_logs(organisation, [project, *others], SINCE, UNTIL)
    assert len(one) == len(many) == 6


counts = st.integers(0, 10**12)
shares = st.decimals(0, 10**6, places=3)


@given(counts, st.lists(shares, min_size=1, max_size=8).filter(any))
def test_a_total_is_split_exactly_and_within_one_of_its_share(total: int, weights: list[D]) -> None:
    parts = split(total, weights)
    assert sum(parts) == total
    assert all(
        abs(part - total * weight / sum(weights)) < D("1.001") for part, weight in zip(parts, weights, strict=True)
    )


def tokens_of(draw: Any) -> Tokens:
    output = draw(counts)
    return Tokens(draw(counts), draw(counts), draw(counts), output, draw(st.integers(0, output)))


samples = st.builds(
    Sampled,
    st.integers(0, 10**6), st.integers(-1, 167), st.just(1), shares, shares, shares, shares, shares,
    st.dictionaries(st.sampled_from(["", "5m", "1h"]), shares),
)  # fmt: skip


@given(st.data(), st.lists(samples, max_size=6))
def test_slices_sum_to_the_total_whatever_the_sample(data: Any, sample: list[Sampled]) -> None:
    total, requests = tokens_of(data.draw), data.draw(counts)
    slices, told = sliced(total, requests, sample)
    assert summed(one.tokens for one in slices) == told
    assert (told.input, told.cache_read, told.cache_write) == (total.input, total.cache_read, total.cache_write)
    assert (told.output, told.reasoning) == (total.output, total.reasoning)
    assert sum(one.requests for one in slices) == requests


@given(st.lists(st.builds(Slice, st.integers(0, 10**6), st.integers(-1, 167), st.integers(0, 9),
                          st.builds(Tokens, counts, counts)), max_size=12))  # fmt: skip
def test_coarser_slices_sum_to_the_same_and_stay_between_their_edges(slices: list[Slice]) -> None:
    use = Use(1, "standard", summed(one.tokens for one in slices), None, None, None, tuple(slices))
    found = coarser(use, {200_001}, lambda hour: hour >= 24).slices
    assert summed(one.tokens for one in found) == use.tokens
    assert sum(one.requests for one in found) == sum(one.requests for one in slices)

    def place(one: Slice) -> tuple[int, bool, bool]:
        return max(one.prompt_tokens, 127).bit_length(), one.prompt_tokens > 200_000, one.hour >= 24

    assert Counter(place(one) for one in found) == Counter({place(one) for one in slices})


def test_a_kind_that_no_sampled_record_has_lies_nowhere() -> None:
    slices, _ = sliced(Tokens(input=70, cache_write=30), None, [Sampled(500, 3, 1, input=D(1))])
    assert slices == (Slice(*NOWHERE, 0, Tokens(cache_write=30)), Slice(500, 3, 0, Tokens(input=70)))
