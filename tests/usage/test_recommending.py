"""What a project is advised, end to end: rows imported, prices and ratings made, every number worked out by hand."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pricing.answers import kept
from pricing.models import LanguageModel, Offering, Price, Score
from pricing.noninferiority import Verdict
from tests.dashboards.market_cast import make_price, utc
from tests.usage.conftest import ImportFacts
from tests.usage.factories import make_project
from tests.usage.market import DAYS, FIRST, ON, PAYING, Buyer, make_buyer, rate, sell
from usage import contracts, evaluations
from usage.advice import MONTH, Advice, Kind, Range, Reason, Recommendation
from usage.evaluation_formats import Source
from usage.models import EvaluationRun
from usage.recommending import advise, advise_all
from usage.recommending.telling import as_json
from usage.substitution.factors import ASSUMED

pytestmark = pytest.mark.django_db
LOW, HIGH = ({unit: getattr(span, end) for unit, span in ASSUMED.items()} for end in ("low", "high"))


@pytest.fixture
def buyer(db: None, import_facts: ImportFacts) -> Buyer:
    return make_buyer(import_facts)


def month(sent: str, written: str, by: Mapping[str, D] = {"input": D(1), "output": D(1)}) -> D:
    """What a month of the window's tokens costs at prices per Mtok: 30 Mtok sent and 3 read in the window."""
    return ((30 * D(sent) * by["input"] + 3 * D(written) * by["output"]) * MONTH / DAYS).quantize(D("1e-12"))


def moves(advice: Advice) -> dict[str, Recommendation]:
    return {f"{one.candidate.model} at {one.candidate.provider}": one for one in advice.recommendations}


def reasons(advice: Advice) -> dict[str, Reason]:
    return {f"{one.candidate.model} at {one.candidate.provider}": one.reason for one in advice.refused}


def test_an_equal_model_for_less_is_a_range_over_the_factors_that_nobody_measured(buyer: Buyer) -> None:
    sell("next-1", "other", "1", "2", rating="1498")
    advice = advise(buyer.project, ON)
    [found] = advice.recommendations
    assert (found.kind, found.verdict, found.paying) == (Kind.SUBSTITUTION, Verdict.EQUAL, PAYING)
    assert found.saving == Range(PAYING - month("1", "2", HIGH), PAYING - month("1", "2", LOW))
    assert [line.current_cost for line in found.lines] == [D(300), D(120)]
    assert [line.candidate_cost for line in found.lines] == [D(30), D(6)]
    assert (advice.since, advice.until, found.share) == (FIRST, FIRST + timedelta(days=DAYS), D(1))
    assert (advice.coverage.spent, advice.coverage.weighed, advice.coverage.tokens) == (D(420), D(420), 33_000_000)
    assert (advice.coverage.requests, advice.coverage.sampled_requests) == (15_000, DAYS)
    assert advice.decisions == (found,)


def test_the_window_ends_with_the_last_day_of_usage_and_never_after_the_day(buyer: Buyer) -> None:
    early = advise(buyer.project, date(2026, 11, 1), days=10)
    assert (early.since, early.until, early.coverage.spent) == (date(2026, 10, 23), date(2026, 11, 2), D(140))
    late = advise(buyer.project, date(2027, 3, 1))
    assert (late.since, late.until) == (FIRST, date(2026, 11, 16))
    before = advise(buyer.project, date(2026, 9, 1))
    assert (before.recommendations, before.refused, before.coverage.spent) == ((), (), 0)


def test_every_reason_is_told(buyer: Buyer) -> None:
    sell("rare-1", "other", "1", "2", rating="1500", votes=50)
    sell("worse-1", "other", "1", "2", rating="1400")
    sell("silent-1", "other", "", "", rating="1510")
    sell("gratis-1", "other", "0", "0", rating="1510")
    sell("next-preview", "other", "1", "2", rating="1510")
    sell("short-1", "other", "1", "2", rating="1510", context=1_000)
    sell("dear-1", "other", "6", "20", rating="1510")
    ending = sell("ending-1", "other", "1", "2", rating="1510")
    Offering.objects.filter(pk=ending.pk).update(retired_at=utc("2026-12-16"))
    assert reasons(advise(buyer.project, ON)) == {
        "rare-1 at other": Reason.NOT_ENOUGH,
        "worse-1 at other": Reason.WORSE,
        "silent-1 at other": Reason.UNPRICED,
        "gratis-1 at other": Reason.FREE,
        "next-preview at other": Reason.PREVIEW,
        "short-1 at other": Reason.CONTEXT,
        "dear-1 at other": Reason.NOT_CHEAPER,
        "ending-1 at other": Reason.RETIRES,
    }


@pytest.mark.parametrize(("value", "passes"), [("1490.94", True), ("1490.92", False)])
def test_a_margin_is_failed_by_a_hair(buyer: Buyer, value: str, passes: bool) -> None:
    # Two intervals of ±5 at 1.96: SE = √2 × 5 / 1.96 = 3.6077; 1.6449 of it are 5.934, so −9.066 is the edge.
    sell("hair-1", "other", "1", "2", rating=value)
    advice = advise(buyer.project, ON)
    assert ("hair-1 at other" in moves(advice)) is passes
    assert reasons(advice) == ({} if passes else {"hair-1 at other": Reason.NOT_ENOUGH})
    assert all(one.items for one in advice.refused)


def test_the_same_weights_cheaper_elsewhere_need_no_evidence_and_have_no_factors(buyer: Buyer) -> None:
    Score.objects.all().delete()
    sell("now-1", "host", "4", "16", maker="vendor", sku="vendor/now-1")
    [found] = advise(buyer.project, ON).recommendations
    assert (found.kind, found.candidate.provider) == (Kind.SELLER, "host")
    assert found.saving == Range(PAYING - month("4", "16"), PAYING - month("4", "16"))


def test_the_same_weights_in_a_region_that_is_not_allowed_are_refused(import_facts: ImportFacts) -> None:
    buyer = make_buyer(import_facts, regions=["eu"])
    host = sell("now-1", "host", "4", "16", maker="vendor", sku="vendor/now-1")
    Offering.objects.filter(pk=host.pk).update(region="us")
    advice = advise(buyer.project, ON)
    assert (advice.recommendations, reasons(advice)) == ((), {"now-1 at host": Reason.REGION})


def test_a_stranger_who_resells_what_the_maker_sells_is_named_and_not_advised(import_facts: ImportFacts) -> None:
    buyer = make_buyer(import_facts)
    LanguageModel.objects.filter(slug="now-1").update(open_weights=None)
    sell("now-1", "host", "4", "16", maker="vendor", sku="vendor/now-1")
    advice = advise(buyer.project, ON)
    assert (advice.recommendations, reasons(advice)) == ((), {"now-1 at host": Reason.PROVIDER})
    buyer.project.allowed_providers = ["vendor", "host"]
    [found] = advise(buyer.project, ON).recommendations
    assert (found.kind, found.candidate.provider) == (Kind.SELLER, "host")


def test_an_id_of_a_batch_tier_is_no_place_for_what_cannot_wait(buyer: Buyer) -> None:
    sell("next-1", "router", "1", "2", rating="1510", maker="other", sku="other/next-1:batch")
    advice = advise(buyer.project, ON)
    assert (advice.recommendations, advice.refused) == ((), ())


@pytest.mark.parametrize("basis", ["observed", "inferred"])
def test_a_price_that_is_dated_back_has_cost_less_since_it_was_first_seen(buyer: Buyer, basis: str) -> None:
    seen = {"basis": basis, "precision": "gap", "evidence_at": utc("2026-11-02")}
    sell("next-1", "other", "1", "2", rating="1510", price=seen)
    [found] = advise(buyer.project, ON).recommendations
    assert found.since == date(2026, 11, 2)


def test_contracted_prices_of_both_sides_count(buyer: Buyer) -> None:
    next_one = sell("next-1", "other", "4", "16", rating="1510")
    assert reasons(advise(buyer.project, ON)) == {"next-1 at other": Reason.NOT_CHEAPER}
    agreed(buyer, next_one, "75")
    [found] = advise(buyer.project, ON).recommendations
    assert found.saving == Range(PAYING - month("1", "4", HIGH), PAYING - month("1", "4", LOW))
    agreed(buyer, Offering.objects.get(sku="now-1"), "20")
    [found] = advise(buyer.project, ON).recommendations
    assert found.paying == PAYING * D("0.8")
    [known] = advise(buyer.project, ON, known_at=utc("2026-11-16")).refused
    assert known.reason is Reason.NOT_CHEAPER  # nobody knows when a contract became known


def agreed(buyer: Buyer, offering: Offering, per_cent: str) -> None:
    contracts.save(
        buyer.organisation, "ann@x.example", name="Order form", kind="discount", provider=offering.provider,
        value=D(per_cent), currency="USD", effective_from=date(2026, 1, 1),
    )  # fmt: skip
    kept.forget()


def test_a_moment_knows_neither_later_prices_nor_later_scores(buyer: Buyer) -> None:
    later = {"evidence_at": utc("2026-11-10")}
    next_one = sell("next-1", "other", "9", "36", rating="1500")
    Price.objects.filter(offering=next_one).update(known_until=utc("2026-11-10"))
    for unit, amount in (("input", "1"), ("output", "2")):
        make_price(next_one, unit, amount, since="2026-10-01", **later)
    assert list(moves(advise(buyer.project, ON))) == ["next-1 at other"]
    sell("later-1", "other", "1", "2", rating="1500", price={"evidence_at": utc("2026-11-12")})
    told = advise(buyer.project, ON, known_at=utc("2026-11-10"))
    assert (list(moves(told)), told.refused) == (["next-1 at other"], ())  # of the later one nobody knew a price
    before = advise(buyer.project, ON, known_at=utc("2026-11-09 23:59"))
    assert reasons(before) == {"next-1 at other": Reason.NOT_CHEAPER}
    unrated = advise(buyer.project, ON, known_at=utc("2026-10-19"))
    assert (unrated.recommendations, unrated.refused) == ((), ())  # nothing speaks of it: it is no candidate


def test_waiting_costs_what_is_certain_since_the_day_it_has_cost_less(import_facts: ImportFacts) -> None:
    buyer = make_buyer(import_facts)
    next_one = sell("next-1", "other", "1", "2", rating="1500", since="2026-10-22")
    for unit, amount in (("input", "9"), ("output", "36")):
        make_price(next_one, unit, amount, since="2026-06-01", until="2026-10-22")
    [found] = advise(buyer.project, ON).recommendations
    weeks = 3  # whole ones that begin after the cut: 26 October, 2 and 9 November
    week = 7 * 14 - 7 * (HIGH["input"] * 1 + D("0.1") * HIGH["output"] * 2)
    assert (found.since, found.waited) == (date(2026, 10, 22), weeks * week)


def test_the_last_move_is_the_week_in_which_most_tokens_went_over(buyer: Buyer) -> None:
    assert advise(buyer.project, ON).last_moved is None
    sell("old-1", "vendor", "10", "40")
    buyer.use("old-1", first=date(2026, 9, 1), days=46)
    assert advise(buyer.project, ON).last_moved == date(2026, 10, 19)  # Saturday 17 October is still a week of old-1


def test_own_paired_evaluations_beat_arena_and_count_tokens(buyer: Buyer) -> None:
    sell("next-1", "other", "1", "2", rating="1400")
    assert reasons(advise(buyer.project, ON)) == {"next-1 at other": Reason.WORSE}
    head = "item,model,score,run_date,suite,input_tokens,output_tokens"
    rows = [
        f"i{n},{model},{n % 5 != 0:d},2026-11-03,ours,{sent},{written}"
        for n in range(400)
        for model, sent, written in (("now-1", 1000, 100), ("next-1", 1400, 200))
    ]
    source = Source("ours.csv", lambda: io.BytesIO("\n".join([head, *rows]).encode()))
    evaluations.import_sources(buyer.project, "csv", [source])
    for model in LanguageModel.objects.all():
        EvaluationRun.objects.filter(raw_name=model.slug).update(model=model)
    [found] = advise(buyer.project, ON).recommendations
    assert [(one.source, one.decides, one.verdict) for one in found.evidence] == [
        ("own", True, Verdict.EQUAL), ("arena", False, Verdict.WORSE)
    ]  # fmt: skip
    assert [(one.unit, one.low, one.high) for one in found.factors] == [
        ("input", D("1.4"), D("1.4")), ("output", D(2), D(2))
    ]  # fmt: skip
    exact = PAYING - month("1", "2", {"input": D("1.4"), "output": D(2)})
    assert found.saving == Range(exact, exact)
    assert advise(buyer.project, date(2026, 11, 2)).recommendations == ()  # before it was evaluated


def test_no_rating_stands_in_for_another_effort(buyer: Buyer) -> None:
    Score.objects.all().delete()
    rate("now-1", "1500", effort="high")
    sell("next-1", "other", "1", "2", rating="1510")
    buyer.project.effort = "low"
    advice = advise(buyer.project, ON)
    assert reasons(advice) == {"next-1 at other": Reason.NO_EVIDENCE}
    assert any("rated at effort high" in note for note in advice.coverage.notes)
    buyer.project.effort = "high"
    [found] = advise(buyer.project, ON).recommendations
    assert (found.current.effort, found.candidate.effort) == ("high", "")


def test_where_the_project_says_no_effort_the_best_rated_one_sets_the_bar(buyer: Buyer) -> None:
    Score.objects.all().delete()
    rate("now-1", "1500", effort="high")
    rate("now-1", "1300", effort="low")
    sell("next-1", "other", "1", "2", rating="1510")
    sell("less-1", "other", "1", "2", rating="1310")
    advice = advise(buyer.project, ON)
    assert [one.candidate.model for one in advice.recommendations] == ["next-1"]
    assert reasons(advice) == {"less-1 at other": Reason.WORSE}
    assert any("best of these" in note for note in advice.coverage.notes)


def test_what_is_not_weighed_is_told(buyer: Buyer) -> None:
    sell("small-1", "vendor", "1", "1", rating="1400")
    buyer.use("small-1", days=3, in_uncached=1_000, out_total=0)
    buyer.use("mystery", days=1, in_uncached=5_000_000, out_total=0)
    coverage = advise(buyer.project, ON).coverage
    assert coverage.unpriced_tokens == 5_000_000
    assert coverage.notes == (
        "Too small to be weighed: small-1 at Vendor ($0.00).",
        "5 million tokens are of models that the catalogue does not know, and are not weighed.",
    )


def test_all_projects_share_what_can_be_shared(buyer: Buyer) -> None:
    sell("next-1", "other", "1", "2", rating="1510")
    more = [make_project(buyer.organisation, f"other-{n}") for n in range(4)]
    with CaptureQueriesContext(connection) as one:
        alone = advise(buyer.project, ON)
    with CaptureQueriesContext(connection) as all_of_them:
        every = advise_all(buyer.organisation, ON)
    assert [advice.project for advice in every] == ["alpha", *(project.slug for project in more)]
    assert every[0] == alone
    assert len(one) <= 26
    assert len(all_of_them) <= len(one) + 3 * len(more)


def test_the_command_tells_the_advice(buyer: Buyer) -> None:
    sell("next-1", "other", "1", "2", rating="1510")

    whose = ("--organisation", buyer.organisation.slug)

    def told(*options: str) -> str:
        out = io.StringIO()
        call_command("recommend", "alpha", "--on", "2026-11-16", *whose, *options, stdout=out)
        return out.getvalue()

    answer: Any = json.loads(told("--json"))
    assert answer == json.loads(json.dumps(as_json(advise(buyer.project, ON))))
    [found] = answer["recommendations"]
    assert found["saving_per_month"]["currency"] == "USD"
    assert (answer["window"], answer["decisions"]) == ({"from": "2026-10-17", "until": "2026-11-16"}, [found["key"]])
    assert "1. now-1 at Vendor → next-1 at Other  [substitution, better]" in told()
    with pytest.raises(CommandError, match="use one of alpha"):
        call_command("recommend", "beta", *whose)
    for wrong in (["--on", "yesterday"], ["--known-at", "2026-13-01"], ["--days", "0"]):
        with pytest.raises(CommandError) as fault:
            call_command("recommend", "alpha", *whose, *wrong)
        assert fault.value.returncode == 2


def test_a_catalogue_that_changed_is_read_again(buyer: Buyer) -> None:
    next_one = sell("next-1", "other", "1", "2", rating="1510")
    assert moves(advise(buyer.project, ON))
    Price.objects.filter(offering=next_one).update(superseded_at=utc("2026-11-16"))
    assert reasons(advise(buyer.project, ON)) == {"next-1 at other": Reason.UNPRICED}
