"""What models.dev's api.json means where its keys do not say it."""

import json
from datetime import date
from decimal import Decimal

import pytest

from pricing.sources import Reading, SourceError, Statement, models_dev


def model(cost: dict | None = None, **more) -> dict:
    return {"cost": {"input": 1, "output": 2} if cost is None else cost} | more


def read(models: dict[str, object] | None = None, seller: str = "acme", **more: object) -> Reading:
    provider = {"id": seller, "name": seller.title(), "doc": "https://acme.test", "models": models or {"one": model()}}
    return models_dev.parse(json.dumps({seller: provider | more}).encode())


def prices(reading: Reading) -> dict[str, Decimal]:
    def name(s: Statement) -> str:
        above = f">{s.context_from}" if s.context_from else ""
        return s.unit + above + ("" if s.service_tier == "standard" else f"/{s.service_tier}")

    return {name(statement): statement.amount for statement in reading.statements}


@pytest.mark.parametrize(
    ("seller", "provider"),
    [("amazon-bedrock", "bedrock"), ("google-vertex", "vertex"), ("google-vertex-anthropic", "vertex"),
     ("fireworks-ai", "fireworks"), ("togetherai", "together"), ("moonshotai", "moonshot"), ("novita-ai", "novita"),
     ("cloudflare-workers-ai", "cloudflare"), ("alibaba-cn", "alibaba-cn"), ("opencode", "opencode")],
)  # fmt: skip
def test_a_seller_has_the_one_slug_it_is_known_by(seller, provider):
    assert {s.provider for s in read(seller=seller).statements} == {provider}


def test_an_id_is_the_sellers_own_without_the_path_of_fireworks_own_account():
    ids = ["MiniMaxAI/MiniMax-M3", "accounts/fireworks/models/glm-4p7", "claude@20251001", "accounts/mine/models/x"]
    reading = read({sku: model() for sku in ids})
    assert [o.sku for o in reading.offerings] == [ids[0], "glm-4p7", *ids[2:]]


@pytest.mark.parametrize(
    ("seller", "name"),
    [("zai-coding-plan", "Z.AI Coding Plan"), ("github-copilot", "GitHub Copilot"), ("kuae", "KUAE Coding Plan")],
)
def test_what_is_sold_by_subscription_has_no_price_by_the_token(seller, name):
    reading = models_dev.parse(
        json.dumps({
            seller: {"name": name, "models": {"one": model(), "two": model({"input": 0, "output": 0})}},
            "planet": {"name": "Planet", "models": {"one": model()}},
        }).encode()
    )  # fmt: skip
    assert {o.provider for o in reading.offerings} == {"planet"}
    assert reading.unplaced == {"model of a subscription": 2}


def test_a_zero_is_free_only_where_the_id_says_so():
    zero = {"input": 0, "output": 0.0}
    reading = read(
        {
            "a:free": model(zero),
            "b-free": model(zero),
            "freedom": model(zero),
            "embed": model({"input": 1, "output": 0}),
        }
    )
    assert [(s.sku, s.unit, s.amount) for s in reading.statements] == [
        ("a:free", "input", 0), ("a:free", "output", 0), ("b-free", "input", 0), ("b-free", "output", 0),
        ("embed", "input", 1),
    ]  # fmt: skip
    assert [o.sku for o in reading.offerings] == ["a:free", "b-free", "embed"]
    assert reading.unplaced == {"zero of an offering not sold as free": 3}


def test_a_long_prompt_changes_the_price_of_the_whole_request_above_its_threshold():
    old = {"input": 1, "output": 2, "context_over_200k": {"input": 3}}
    reading = read({"one": model(old)})
    assert prices(reading) == {"input": 1, "output": 2, "input>200000": 3}
    tier = reading.statements[-1]
    assert (tier.context_op, tier.context_mode) == (">", "whole_request")


def test_tiers_are_read_and_their_older_form_beside_them_is_not():
    tiers = [{"input": 3, "tier": {"type": "context", "size": 272000}}, {"input": 4, "tier": {"size": 500000}}]
    cost = {"input": 1, "tiers": tiers, "context_over_200k": {"input": 3}}
    assert prices(read({"one": model(cost)})) == {"input": 1, "input>272000": 3, "input>500000": 4}


@pytest.mark.parametrize("rule", [{"type": "weekday", "size": 7}, {"type": "context"}, {"size": 0}, {"size": "big"}])
def test_a_tier_under_a_condition_nobody_knows_is_counted_and_holds_nowhere(rule):
    reading = read({"one": model({"input": 1, "tiers": [{"input": 3, "tier": rule}]})})
    assert prices(reading) == {"input": 1}
    assert reading.unplaced == {"price under an unknown condition": 1}


def test_a_mode_is_a_service_tier():
    modes = {"fast": {"cost": {"input": 6}}, "quiet": {"cost": {"input": 5}}, "flex": {}}
    reading = read({"one": model({"input": 1}, experimental={"modes": modes})})
    assert prices(reading) == {"input": 1, "input/fast": 6}
    assert reading.unplaced == {"mode quiet": 1}


def test_a_cache_write_lasts_five_minutes_for_anthropics_models_alone():
    cost = {"input": 1, "cache_write": 1.25}
    reading = read({"anthropic.claude-opus-5": model(cost), "glm-5": model(cost)}, seller="amazon-bedrock")
    assert [s.unit for s in reading.statements] == ["input", "cache_write_5m", "input", "cache_write"]


def test_an_amount_loses_the_noise_of_binary_floats_and_nothing_else():
    body = b'{"a": {"models": {"m": {"cost": {"input": 0.049999999999999996, "output": 0.000123456789}}}}}'
    assert [s.amount for s in models_dev.parse(body).statements] == [Decimal("0.05"), Decimal("0.000123456789")]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-1", "1e-30", "1e30", '"1"', "null", "true", "[1]", "{}"])
def test_what_is_no_amount_is_counted_and_never_free(value):
    body = f'{{"a": {{"models": {{"m-free": {{"cost": {{"input": 1, "output": {value}}}}}}}}}}}'.encode()
    reading = models_dev.parse(body)
    assert prices(reading) == {"input": 1}
    assert reading.unplaced == {"price of output that is no amount": 1}


def test_a_key_a_model_or_a_seller_nobody_knows_is_counted_and_the_rest_is_read():
    good = {"name": "A", "models": {"one": model({"input": 1, "smell": 2}), "two": 7, "x y": model(), "three": {}}}
    body = {"acme": good, "lost": {"name": "Lost"}, "odd": 5, "google-vertex": {"models": {"m": model()}},
            "google-vertex-anthropic": {"models": {"m": model({"input": 9})}}}  # fmt: skip
    reading = models_dev.parse(json.dumps(body).encode())
    assert [(s.provider, s.sku, s.amount) for s in reading.statements if s.unit == "input"] == [
        ("acme", "one", 1), ("vertex", "m", 1),
    ]  # fmt: skip
    assert reading.unplaced == {
        "price of smell": 1, "model without an id": 2, "model without a price": 1, "seller without a list of models": 2,
        "second entry of an offering": 1,
    }  # fmt: skip


def test_what_it_says_of_an_offering_is_kept():
    (fact,) = read(
        {"one": model(
            {"input": 1, "cache_read": 0.1}, name="One", tool_call={"supported": True}, reasoning=True,
            open_weights=True, modalities={"input": ["text", "pdf", "image"], "output": ["text", "audio"]},
            status="beta", limit={"context": 1000, "output": 0}, release_date="2026-02-17",
        )},
        name="Acme Inc",
    ).offerings  # fmt: skip
    assert (fact.provider_name, fact.name, fact.released_on) == ("Acme Inc", "One", date(2026, 2, 17))
    assert (fact.context_window, fact.max_output, fact.open_weights) == (1000, None, True)
    assert fact.modalities == ("image_in", "pdf_in", "text_in", "audio_out", "text_out")
    assert fact.capabilities == ("tools", "reasoning", "vision", "prompt_caching")
    assert (fact.note, fact.deprecated) == ("models.dev calls it beta.", False)


@pytest.mark.parametrize(
    ("stated", "day"), [("2026-02-17", date(2026, 2, 17)), ("2026-02", None), ("soon", None), (None, None)]
)
def test_a_release_known_to_the_month_has_no_day(stated, day):
    (fact,) = read({"one": model(release_date=stated, status="deprecated")}).offerings
    assert fact.released_on == day
    assert fact.deprecated


@pytest.mark.parametrize(
    "body",
    [b"{}", b"[]", b'{"a": {"models": {}}}', b'{"a": {"models": {"m": {"cost": {"input": 0}}}}}', b'{"error": "gone"}',
     b"[" * 100_000, b'{"a": {"models": {"m": {"cost": 5}}}}', b'{"a": {"models": {"m": {"cost": {"tiers": [1]}}}}}',
     b'{"a": {"models": {"m": {"cost": {"input": ' + b"9" * 5000 + b"}}}}}"],
)  # fmt: skip
def test_another_layout_is_an_error(body):
    with pytest.raises(SourceError, match=r"models\.dev"):
        models_dev.parse(body)
