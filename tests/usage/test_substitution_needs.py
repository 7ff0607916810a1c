"""What the work needs: a known miss refuses, what nobody states refuses only where something needs it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.usage.offered import TODAY, make_card, make_offer, make_use
from usage.advice import Reason
from usage.substitution.needs import Needs, observed, unmet

FLASH = make_offer(
    "flash", make_card(input="1", output="2"), provider="google", region="eu", context_window=100_000,
    modalities=frozenset({"text_in", "image_in"}), capabilities=frozenset({"tools", "vision"}), open_weights=False,
)  # fmt: skip


def reason(needs: Needs, factor: str = "1", **traits: Any) -> Reason | None:
    found = unmet(replace(FLASH, **traits), needs, TODAY, Decimal(factor))
    return found[0] if found else None


def test_no_need_is_met_by_an_offer_that_nobody_says_anything_of() -> None:
    silent = make_offer("x", context_window=None)
    assert unmet(silent, Needs(), TODAY) is None


@pytest.mark.parametrize(
    ("needs", "expected"),
    [
        (Needs(denied=frozenset({"google"})), Reason.PROVIDER),
        (Needs(allowed=frozenset({"openai"})), Reason.PROVIDER),
        (Needs(allowed=frozenset({"google"})), None),
        (Needs(regions=frozenset({"us"})), Reason.REGION),
        (Needs(regions=frozenset({"us", "eu"})), None),
        (Needs(open_weights_only=True), Reason.CLOSED_WEIGHTS),
        (Needs(traits=frozenset({"image_in", "tools"})), None),
        (Needs(traits=frozenset({"audio_in"})), Reason.MODALITY),
        (Needs(traits=frozenset({"structured_output"})), Reason.TOOLS),
        (Needs(traits=frozenset({"prompt_caching"})), Reason.CACHING),
        (Needs(context=83_333), None),  # × 1.2 is 99,999.6
        (Needs(context=83_334), Reason.CONTEXT),
    ],
)
def test_a_need_that_is_known_to_be_missed_refuses(needs: Needs, expected: Reason | None) -> None:
    assert reason(needs) is expected


@pytest.mark.parametrize(
    ("trait", "offer", "expected"),
    [
        # The catalogue lists PDF files and audio as modalities only, whatever it knows of capabilities.
        ("pdf", {"modalities": {"text_in", "pdf_in"}}, None),
        ("pdf", {"modalities": {"text_in"}}, Reason.MODALITY),
        ("pdf", {"capabilities": {"tools"}}, Reason.UNKNOWN),
        ("audio", {"modalities": {"audio_in"}, "capabilities": {"tools"}}, None),
        ("audio", {"modalities": {"audio_out"}}, Reason.MODALITY),
        # Images it may list as either.
        ("vision", {"modalities": {"image_in"}}, None),
        ("vision", {"capabilities": {"vision"}}, None),
        ("vision", {"capabilities": {"tools"}}, Reason.MODALITY),
        ("vision", {}, Reason.UNKNOWN),
        # Bundled facts name no caching; a price of cached input does.
        ("prompt_caching", {"capabilities": {"prompt_caching"}}, None),
        ("prompt_caching", {"capabilities": {"tools"}}, Reason.CACHING),
        ("prompt_caching", {}, Reason.UNKNOWN),
    ],
)
def test_a_declared_need_is_met_however_the_catalogue_lists_it(
    trait: str, offer: dict[str, set[str]], expected: Reason | None
) -> None:
    kinds = {"modalities": frozenset[str](), "capabilities": frozenset[str]()}
    listed: dict[str, Any] = kinds | {name: frozenset(found) for name, found in offer.items()}
    assert reason(Needs(traits=frozenset({trait})), **listed) is expected
    cached = make_offer("x", make_card(input="1", output="2", cache_read="0.1"), **listed)
    found = unmet(cached, Needs(traits=frozenset({trait})), TODAY)
    assert (found and found[0]) is (None if trait == "prompt_caching" else expected)


@pytest.mark.parametrize(
    ("needs", "trait"),
    [
        (Needs(open_weights_only=True), {"open_weights": None}),
        (Needs(traits=frozenset({"image_in"})), {"modalities": frozenset()}),
        (Needs(traits=frozenset({"tools"})), {"capabilities": frozenset()}),
        (Needs(context=1), {"context_window": None}),
    ],
)
def test_what_nobody_states_refuses_where_it_is_needed_and_nowhere_else(needs: Needs, trait: dict[str, Any]) -> None:
    assert reason(needs, **trait) is Reason.UNKNOWN
    assert reason(Needs(), **trait) is None


def test_what_is_known_to_be_missed_is_told_before_what_is_not_known() -> None:
    needs = Needs(open_weights_only=True, denied=frozenset({"google"}), context=10)
    assert reason(needs, open_weights=None) is Reason.PROVIDER
    assert reason(replace(needs, denied=frozenset(), context=10**6), open_weights=None) is Reason.CONTEXT


def test_a_tokenizer_that_makes_more_tokens_needs_a_longer_window() -> None:
    assert reason(Needs(context=60_000)) is None
    assert reason(Needs(context=60_000), "1.4") is Reason.CONTEXT
    found = unmet(FLASH, Needs(context=FLASH.context_window), TODAY, Decimal("1.4000"))
    assert found is not None
    assert ", up to 1.4 times as many of its tokens, " in found[1]


@pytest.mark.parametrize(("days", "expected"), [(30, Reason.RETIRES), (89, Reason.RETIRES), (90, None)])
def test_a_model_must_be_sold_for_as_long_as_the_project_asks(days: int, expected: Reason | None) -> None:
    assert reason(Needs(horizon_days=90), retires_on=TODAY + timedelta(days=days)) is expected


def test_the_prompts_that_were_seen_are_a_need_and_the_mean_is_one_where_only_sums_are_known() -> None:
    assert observed(Needs(), make_use(p99=9_000)).context == 9_000
    mean = observed(Needs(), make_use(p99=None, input=1_001, requests=10))
    assert (mean.context, mean.context_is_mean) == (101, True)
    assert observed(Needs(context=5), make_use(p99=9_000)).context == 5
    assert observed(Needs(), make_use(p99=None, requests=None)).context is None
    found = unmet(replace(FLASH, context_window=100), mean, TODAY)
    assert found == (
        Reason.CONTEXT,
        "It takes 100 tokens; the mean prompt has 101 tokens, with a fifth of headroom 122 tokens.",
    )


@pytest.mark.parametrize(
    ("mark", "does", "lacks"),
    [
        ("images_at_the_price_of_text", {"image_in"}, {"text_in"}),
        ("images_not_kept", {"image_out"}, {"image_in"}),
        ("seconds_not_kept", {"audio_in"}, {"audio_out"}),
        ("characters_not_kept", {"audio_out"}, {"audio_in"}),
        ("audio_sent", {"audio_in"}, {"audio_out", "image_out"}),
        ("audio_made", {"audio_out"}, {"audio_in", "image_out"}),
        ("images_made", {"image_out"}, {"audio_in", "audio_out"}),
        *(("priced_apart", {one}, {"text_in", "image_in"}) for one in ("audio_in", "audio_out", "image_out")),
    ],
)
def test_what_usage_shows_beside_text_is_needed(mark: str, does: set[str], lacks: set[str]) -> None:
    needs = observed(Needs(), replace(make_use(), marks=frozenset({mark})))
    assert reason(needs, modalities=frozenset(does)) is None
    assert reason(needs, modalities=frozenset(lacks)) is Reason.MODALITY
    assert reason(needs, modalities=frozenset()) is Reason.UNKNOWN
    assert reason(observed(Needs(), make_use()), modalities=frozenset(lacks)) is None


def test_which_tokens_were_priced_apart_is_needed_where_the_record_says_it() -> None:
    """Audio that was heard is no need to draw; a record of before it was said is one of three."""
    heard = observed(Needs(), replace(make_use(), marks=frozenset({"priced_apart", "audio_sent"})))
    assert (heard.seen, heard.any_of) == ({"audio_in"}, frozenset())
    assert reason(heard, modalities=frozenset({"image_out"})) is Reason.MODALITY
    untold = observed(Needs(), replace(make_use(), marks=frozenset({"priced_apart"})))
    assert reason(untold, modalities=frozenset({"image_out"})) is None


def test_a_need_that_usage_shows_says_who_needs_it() -> None:
    needs = observed(Needs(), replace(make_use(), marks=frozenset({"seconds_not_kept"})))
    assert unmet(FLASH, needs, TODAY) == (
        Reason.MODALITY, "It does not do audio as input, which the usage needs.",
    )  # fmt: skip
