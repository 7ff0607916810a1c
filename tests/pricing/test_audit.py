"""An official list held against ours: what is right, what is missing, and which lists are no list."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.answers import moment
from pricing.answers.audits import audit
from pricing.audit import COLUMNS, UnreadableList, in_period, read, verdict
from pricing.models import Claim, Disagreement, Offering, Price

HEAD = ",".join(COLUMNS) + "\n"


def rows(*lines: str, at: str = "2026-11-16") -> list[dict[str, Any]]:
    answer = audit(read(HEAD + "\n".join(lines)), moment(at))
    assert answer["right"] + answer["wrong"] + answer["missing"] == len(answer["rows"]) == len(lines)
    found: list[dict[str, Any]] = answer["rows"]
    return found


class TestVerdict:
    @pytest.mark.parametrize(
        ("listed", "ours", "expected"),
        [
            ("2", "2", "right"),
            ("2", "2.01", "right"),
            ("2", "2.010000000001", "wrong"),
            ("2", "1.99", "right"),
            ("2", "1.989999999999", "wrong"),
            ("0", "0", "right"),
            ("0", "0.000000000001", "wrong"),
            ("2", "0", "wrong"),
            ("2", None, "missing"),
            ("0", None, "missing"),
        ],
    )
    def test_right_is_within_half_a_percent_of_the_list(self, listed: str, ours: str | None, expected: str) -> None:
        assert verdict(Decimal(listed), None if ours is None else Decimal(ours)) == expected

    def test_peak_is_the_dearest_hour_and_off_peak_the_cheapest(self) -> None:
        hours = [Decimal(2), Decimal(1), None, Decimal(3)]
        assert in_period("peak", Decimal(2), hours) == 3
        assert in_period("off_peak", Decimal(2), hours) == 1
        assert in_period("", Decimal(2), hours) == 2
        assert in_period("peak", None, []) is None


class TestLists:
    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("", "empty"),
            ("provider,sku\n", "column unit is missing"),
            (HEAD + "openai,gpt-4o\n", "Line 2 has not as many cells"),
            (HEAD + "openai,gpt-4o,input,,,,,2,9\n", "Line 2 has not as many cells"),
            (HEAD + "openai,,input,,,,,2\n", "Line 2 has no sku"),
            (HEAD + "openai,gpt-4o,input,,,noon,,2\n", "period is 'noon'"),
            (HEAD + "openai,gpt-4o,input,,,,many,2\n", "min_input_tokens is 'many'"),
            (HEAD + "openai,gpt-4o,input,,,,-1,2\n", "min_input_tokens is '-1'"),
            (HEAD + "openai,gpt-4o,input,,,,99999999999999,2\n", "min_input_tokens"),
            (HEAD + "openai,gpt-4o,input,,,,,\n", "usd_per_mtok is ''"),
            (HEAD + "openai,gpt-4o,input,,,,,NaN\n", "usd_per_mtok is 'NaN'"),
            (HEAD + "openai,gpt-4o,input,,,,,-1\n", "usd_per_mtok is '-1'"),
            (HEAD + "openai,gpt-4o,input,,,,,1e999999\n", "usd_per_mtok"),
            (HEAD + "openai,gpt\x00,input,,,,,1\n", "NUL"),
            (HEAD + 'openai,"gpt,input,,,,,1\n', "Line"),
            (HEAD.replace("region", "sku"), "region is missing"),
            ("sku," + HEAD, "named twice"),
        ],
    )
    def test_a_list_that_is_none_is_refused_with_its_line(self, text: str, sentence: str) -> None:
        with pytest.raises(UnreadableList, match=sentence):
            read(text)

    def test_blank_cells_have_the_default_and_other_columns_stay(self) -> None:
        (row,) = read("\ufeffnote," + HEAD + "checked, openai ,gpt-4o,input,,,,,2.50\n")
        assert (row.provider, row.service_tier, row.period, row.prompt_tokens) == ("openai", "standard", "", 1)
        assert row.cells["note"] == "checked"

    def test_a_header_alone_is_a_list_of_nothing(self) -> None:
        assert read(HEAD) == []

    @given(st.text(max_size=200))
    def test_no_text_breaks_it(self, text: str) -> None:
        for whole in (text, HEAD + text):
            with suppress(UnreadableList):
                read(whole)


@pytest.mark.django_db
@pytest.mark.usefixtures("catalogue")
class TestAgainstTheCatalogue:
    def test_a_request_one_token_above_the_threshold_is_asked_for(self) -> None:
        below, above = rows(
            "openai,gpt-5.6-sol,input,,,,271999,5", "openai,gpt-5.6-sol,input,,,,272000,10", at="2026-08-20"
        )
        assert (below["verdict"], below["ours"]) == ("right", "5")
        assert (above["verdict"], above["ours"]) == ("right", "10")

    def test_a_period_overrides_the_hour(self) -> None:
        line = "deepseek,deepseek-v4-pro,input,,,{},,1"
        night, day = "2026-11-16T00:30:00Z", "2026-11-16T02:00:00Z"
        told = {
            (at, period): rows(line.format(period), at=at)[0]["ours"]
            for at in (night, day)
            for period in ("", "peak", "off_peak")
        }
        assert told == {
            (night, ""): "0.66", (night, "peak"): "1.32", (night, "off_peak"): "0.66",
            (day, ""): "1.32", (day, "peak"): "1.32", (day, "off_peak"): "0.66",
        }  # fmt: skip

    def test_a_discount_at_night_is_off_peak(self) -> None:
        """DeepSeek sold the other way round in 2025: cheaper at night, the plain price by day."""
        peak, off_peak = rows(
            "deepseek,deepseek-chat,input,,,peak,,0.27",
            "deepseek,deepseek-chat,input,,,off_peak,,0.135",
            at="2025-06-01",
        )
        assert (peak["verdict"], off_peak["verdict"]) == ("right", "right")

    def test_names_go_through_the_resolver_and_tell_the_rule(self) -> None:
        (row,) = rows("aws,us.anthropic.claude-sonnet-4-5-20250929-v1:0,input,,,,,3.30")
        assert (row["verdict"], row["provider"]) == ("right", "aws")
        assert "regional price" in row["rule"]

    def test_a_tier_is_asked_for_by_name(self) -> None:
        batch, none = rows("openai,gpt-5.6-sol,input,batch,,,,2", "openai,gpt-5.6-sol,input,nightly,,,,2")
        assert (batch["verdict"], none["verdict"], none["ours"]) == ("right", "missing", None)

    def test_reasoning_is_output_where_the_vendor_prices_no_other(self) -> None:
        (row,) = rows("openai,gpt-5.6-sol,reasoning,,,,,20")
        assert (row["verdict"], row["ours"]) == ("right", "20")

    def test_what_we_do_not_know_is_missing_with_the_reason(self) -> None:
        unknown, not_tokens = rows(
            "openai,claude-sonnet-4-99999999,input,,,,,0", "openai,gpt-5.6-sol,web_search,,,,,10"
        )
        assert (unknown["verdict"], unknown["ours"], unknown["grade"]) == ("missing", None, None)
        assert "We know no claude-sonnet-4-99999999 at openai" in unknown["why"]
        assert "web_search is no unit that counts tokens; those are input, output, cache_read" in not_tokens["why"]

    @pytest.mark.parametrize("tier", ["", "default", "On_Demand", "standard"])
    def test_the_standard_tier_is_meant_by_its_sellers_names_for_it(self, tier: str) -> None:
        (row,) = rows(f"openai,gpt-5.6-sol,input,{tier},,,,4")
        assert (row["verdict"], row["service_tier"]) == ("right", tier)

    def test_a_held_price_is_missing(self) -> None:
        offering = Offering.objects.get(provider__slug="openai", sku="gpt-5.6-sol")
        served = Price.objects.get(
            offering=offering, unit="input", service_tier="standard", context_from=0, known_until=None,
            effective_until=None, superseded_at=None,
        ).claim  # fmt: skip
        doubt = Claim.objects.filter(offering=offering, unit="input").exclude(pk=served.pk)[0]
        Disagreement.objects.create(
            claim=doubt, accepted=served, offering=offering, state="held", why="A thousandth of it."
        )
        (row,) = rows("openai,gpt-5.6-sol,input,,,,,4")
        assert (row["verdict"], row["ours"]) == ("missing", None)
        assert "A thousandth of it." in row["why"]

    def test_many_rows_take_few_queries(self, django_assert_max_num_queries: Any) -> None:
        lines = ["openai,gpt-5.6-sol,input,,,,,4"] * 50
        rows(lines[0])
        with django_assert_max_num_queries(50 * 2 + 6):
            rows(*lines)
