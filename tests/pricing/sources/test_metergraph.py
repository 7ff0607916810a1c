"""What Metergraph's catalogue means, row by row, and how little of YAML it takes to say it."""

import textwrap
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pricing.sources import Reading, SourceError, Statement, metergraph
from pricing.sources.metergraph import document

NOW = datetime(2026, 10, 26, tzinfo=UTC)
NAMES = "[{provider: openai, alias: one, channel: openai-api}]"


def row(*, channel="openai-api", region="global", since="2026-01-01", until="", price="1.00", more="") -> str:
    ends = f'effective_to: "{until}", ' if until else ""
    return (
        f'{{channel: {channel}, region: {region}, effective_from: "{since}", {ends}'
        f"input_per_mtok: {price}, source_url: https://acme.test/prices{', ' * bool(more)}{more}}}"
    )


def catalogue(*rows: str, names: str = NAMES, model: str = "openai/one", more: str = "") -> bytes:
    listed = "\n".join(f"      - {row}" for row in rows)
    return (
        textwrap.dedent(
            f"""\
        version: "2026-10-25"
        currency: USD
        pricing_verified_at: "2026-10-25"
        models:
          - canonical_id: {model}
            aliases: {names}
            prices:
        """
        ).encode()
        + f"{listed}\n{more}".encode()
    )


def read(*rows: str, **more: str) -> Reading:
    return metergraph.parse(catalogue(*rows, **more))


def in_force(reading: Reading, when: datetime, region: str = "") -> list[Decimal]:
    """The prices that hold at a moment in a region and always."""
    return [
        s.amount for s in reading.statements
        if s.region == region and s.effective_from <= when and (s.effective_until is None or when < s.effective_until)
    ]  # fmt: skip


def brief(statements: list[Statement]) -> list[tuple]:
    return [(s.unit, s.service_tier, s.context_from, s.schedule, s.amount) for s in statements]


def test_the_current_period_holds_and_not_the_oldest():
    reading = read(row(price="3.00", until="2026-06-01"), row(price="2.00", since="2026-06-01"))
    assert in_force(reading, NOW) == [2]
    assert in_force(reading, datetime(2026, 5, 31, 23, 59, tzinfo=UTC)) == [3]
    assert in_force(reading, datetime(2026, 6, 1, tzinfo=UTC)) == [2]


def test_a_price_of_a_region_is_never_the_global_price():
    reading = read(row(price="2.20", region="us-east-1"), row(price="2.00"))
    assert in_force(reading, NOW) == [2]
    assert in_force(reading, NOW, "us-east-1") == [Decimal("2.2")]
    alone = read(row(price="2.20", region="us-east-1"))
    assert in_force(alone, NOW) == []
    assert {(o.sku, o.region) for o in alone.offerings} == {("one", "us-east-1")}


def test_a_price_of_the_future_takes_no_effect_today():
    reading = read(row(price="2.00", until="2027-01-01"), row(price="4.00", since="2027-01-01"))
    assert in_force(reading, NOW) == [2]
    assert in_force(reading, datetime(2027, 1, 1, tzinfo=UTC)) == [4]
    assert [s.basis for s in reading.statements] == ["documented", "announced"]


def test_a_promotion_ends_by_itself_and_the_regular_price_returns():
    reading = read(
        row(price="2.00", until="2026-10-06"), row(price="1.00", since="2026-10-06", until="2026-10-20"),
        row(price="2.00", since="2026-10-20"),
    )  # fmt: skip
    for day, price in ((5, 2), (6, 1), (19, 1), (20, 2)):
        assert in_force(reading, datetime(2026, 10, day, 12, tzinfo=UTC)) == [price]


def test_a_promotion_keeps_the_sentence_written_above_it():
    body = catalogue(row(), row(region="us"))
    first = next(line for line in body.decode().splitlines() if line.startswith("      - "))
    text = body.decode().replace(first, f"      # Half price for two weeks,\n      # says the page.\n{first}")
    statements = metergraph.parse(text.encode()).statements
    assert {s.region: s.note for s in statements} == {"": "Half price for two weeks, says the page.", "us": ""}


def test_a_start_is_known_to_the_day_or_to_the_instant_and_on_a_gateway_only_observed():
    direct = read(row(), row(region="us", since="2026-09-10T04:00:00+00:00")).statements
    assert [(s.basis, s.precision) for s in direct] == [("documented", "day"), ("documented", "instant")]
    names = "[{provider: vercel, alias: openai/one, channel: vercel-ai-gateway}]"
    (listed,) = read(row(channel="vercel-ai-gateway"), names=names).statements
    assert (listed.provider, listed.sku, listed.basis) == ("vercel", "openai/one", "observed")
    assert listed.evidence_at == datetime(2026, 10, 25, tzinfo=UTC)
    assert listed.url == "https://acme.test/prices"


def test_amounts_are_read_with_the_digits_they_are_written_with():
    (statement,) = read(row(price="0.100000000001")).statements
    assert statement.amount == Decimal("0.100000000001")


def test_a_zero_is_stated_and_an_absent_price_is_not():
    (statement,) = read(row(price="0.0")).statements
    assert statement.amount == 0


def test_a_long_prompt_multiplies_every_price_of_the_row_but_a_fee_per_request():
    rule = "rules: {long_context: {threshold: 272000, input_multiplier: 2, output_multiplier: 1.5}}"
    prices = "output_per_mtok: 10, cache_read_per_mtok: 0.1, request_fee_per_1k_usd: 5, batch_input_per_mtok: 0.5, "
    assert brief(read(row(more=prices + rule)).statements) == [
        ("input", "standard", 0, "", 1), ("input", "standard", 272000, "", 2),
        ("output", "standard", 0, "", 10), ("output", "standard", 272000, "", 15),
        ("cache_read", "standard", 0, "", Decimal("0.1")), ("cache_read", "standard", 272000, "", Decimal("0.2")),
        ("input", "batch", 0, "", Decimal("0.5")), ("input", "batch", 272000, "", 1),
        ("request", "standard", 0, "", 5),
    ]  # fmt: skip
    flat = rule.replace("1.5}", "1.5, applies_to_batch: false}")
    batch = [s for s in read(row(more=prices + flat)).statements if s.service_tier == "batch"]
    assert brief(batch) == [("input", "batch", 0, "", Decimal("0.5"))]


def test_the_stated_price_is_the_peaks_and_its_multiple_holds_at_every_other_hour():
    rule = "{multiplier: 0.5, peak_hours_utc: [[1, 4], [22, 24]], peak_weekdays_only: true}"
    assert brief(read(row(price="0.30", more=f"rules: {{off_peak_discount: {rule}}}")).statements) == [
        ("input", "standard", 0, "", Decimal("0.15")),
        ("input", "standard", 0, "mon-fri 01:00-04:00,22:00-00:00 UTC", Decimal("0.3")),
    ]


def test_a_rule_half_understood_is_counted_and_never_applied():
    long = "{threshold: 1000, input_multiplier: 2, output_multiplier: 2, on_sundays: true}"
    reading = read(row(more=f"rules: {{long_context: {long}, surge: true}}"))
    assert brief(reading.statements) == [("input", "standard", 0, "", 1)]
    assert reading.unplaced == {"rule long_context with an unknown part": 1, "rule surge": 1}
    hours = "rules: {off_peak_discount: {multiplier: 0.5, peak_hours_utc: [[1, 4]], holidays: cn}}"
    reading = read(row(more=hours), row(region="us"))
    assert [s.region for s in reading.statements] == ["us"]
    assert reading.unplaced == {"rule off_peak_discount with an unknown part": 1}


def test_a_cache_write_lasts_five_minutes_at_anthropic_alone():
    names = "[{provider: anthropic, alias: claude-opus-5, channel: anthropic-api}]"
    more = "cache_write_5m_per_mtok: 6.25"
    claude = read(row(channel="anthropic-api", more=more), names=names, model="anthropic/claude-opus-5")
    assert [s.unit for s in claude.statements] == ["input", "cache_write_5m"]
    assert [s.unit for s in read(row(more=more)).statements] == ["input", "cache_write"]


@pytest.mark.parametrize(
    ("channel", "model", "names", "sku", "others"),
    [
        ("openai-api", "openai/gpt-5.6-sol", ("openai gpt-5.6", "openai gpt-5.6-sol", "openai openai/gpt-5.6"),
         "gpt-5.6-sol", ["gpt-5.6"]),
        ("anthropic-api", "anthropic/claude-opus-4.7", ("anthropic claude-opus-4.7", "anthropic claude-opus-4-7"),
         "claude-opus-4-7", ["claude-opus-4.7"]),
        ("mistral-api", "mistral/ministral-14b", ("mistral ministral-14b-2512", "mistral ministral-14b-latest"),
         "ministral-14b-2512", ["ministral-14b-latest"]),
        ("fireworks-api", "zai/glm-5.3", ("fireworks fireworks:accounts/fireworks/models/glm-5p3",
         "fireworks accounts/fireworks/models/glm-5p3"), "glm-5p3", []),
        ("google-api", "google/gemini-3", ("google models/gemini-3", "google google/gemini-3", "google gemini-3"),
         "gemini-3", []),
        ("vercel-ai-gateway", "xai/grok-4.6", ("xai spacexai/grok-4.6", "xai xai/grok-4.6"), "xai/grok-4.6",
         ["spacexai/grok-4.6"]),
        ("google-vertex-ai", "anthropic/claude-opus-4.6", ("vertex-ai claude-opus-4-6",), "claude-opus-4-6", []),
    ],
)  # fmt: skip
def test_a_price_is_of_the_sellers_own_id_and_its_other_ids_are_names_of_it(channel, model, names, sku, others):
    listed = ", ".join(
        f"{{provider: {provider}, alias: '{alias}', channel: {channel}}}"
        for provider, alias in (name.split() for name in names)
    )
    reading = read(row(channel=channel), names=f"[{listed}]", model=model)
    assert [o.sku for o in reading.offerings] == [sku]
    assert [a.name for a in reading.aliases] == others
    assert {a.sku for a in reading.aliases} <= {sku}


def test_each_profile_of_bedrock_is_an_offering_and_a_name_of_a_region_is_sold_there_alone():
    names = (
        "[{provider: bedrock, alias: global.openai.one, channel: aws-bedrock, price_region: global},"
        " {provider: bedrock, alias: openai.one, channel: aws-bedrock, price_region: [us-east-1, us-west-2]},"
        " {provider: bedrock, alias: bedrock/us.openai.one, channel: aws-bedrock-geo},"
        " {provider: amazon, alias: one, channel: aws-bedrock}]"
    )
    reading = read(
        row(channel="aws-bedrock"), row(channel="aws-bedrock", region="us-east-1", price="1.10"),
        row(channel="aws-bedrock-geo", price="1.20"), names=names,
    )  # fmt: skip
    assert [(s.provider, s.sku, s.region, s.amount) for s in reading.statements] == [
        ("bedrock", "global.openai.one", "", 1), ("bedrock", "openai.one", "us-east-1", Decimal("1.1")),
        ("bedrock", "us.openai.one", "", Decimal("1.2")),
    ]  # fmt: skip


def test_a_name_that_passes_to_another_model_is_one_offering_at_the_price_of_the_model_behind_it():
    handed_over = "2026-09-10T04:00:00+00:00"
    names = f"[{{provider: deepseek, alias: flash, channel: deepseek-api, effective_to: '{handed_over}'}}]"
    second = f"""
  - canonical_id: deepseek/new-flash
    aliases:
      - {{provider: deepseek, alias: new-flash, channel: deepseek-api}}
      - {{provider: deepseek, alias: flash, channel: deepseek-api, effective_from: "{handed_over}"}}
    prices:
      - {row(channel="deepseek-api", price="2.00")}
"""
    reading = read(row(channel="deepseek-api"), names=names, model="deepseek/flash", more=second)
    when = datetime(2026, 9, 10, 4, tzinfo=UTC)
    assert [(s.sku, s.amount, s.effective_from, s.effective_until) for s in reading.statements if s.sku == "flash"] == [
        ("flash", 1, datetime(2026, 1, 1, tzinfo=UTC), when), ("flash", 2, when, None),
    ]  # fmt: skip
    assert reading.aliases == []


def test_a_further_name_means_the_model_only_in_its_time():
    names = (
        "[{provider: openai, alias: one, channel: openai-api},"
        " {provider: openai, alias: latest, channel: openai-api, effective_from: '2026-05-01',"
        " effective_to: '2026-06-01', source_url: 'https://acme.test/changes'}]"
    )
    (alias,) = read(row(), names=names).aliases
    assert (alias.name, alias.sku, alias.url) == ("latest", "one", "https://acme.test/changes")
    assert (alias.valid_from, alias.valid_until) == (
        datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC),
    )  # fmt: skip


def test_two_prices_for_one_key_at_one_moment_are_never_both_stated():
    reading = read(row(), row(price="2.00", since="2026-06-01"))
    assert [s.amount for s in reading.statements] == [1]
    assert reading.unplaced == {"price that overlaps another of the same key": 1}


def test_an_odd_row_is_counted_and_the_rest_is_read():
    reading = read(
        row(), row(region="eu", since="soon"), row(region="us", price=".nan"), row(region="jp", price="-1.0"),
        row(channel="moon-api"), row(channel="xai-api"), row(region="au", until="2025-01-01"), "7",
        row(region="ca", more="smell_per_mtok: 1"),
        names="[{provider: openai, alias: one, channel: openai-api}, {provider: openai}, 7]",
        more="retrieval: [{channel: openai-api}]\ndisputes: [{gateway: portkey}]\n",
    )  # fmt: skip
    assert [s.region for s in reading.statements] == ["", "ca"]
    assert reading.unplaced == {
        "price without its channel, region, dates and page": 2, "name without its provider, channel or dates": 2,
        "price of input_per_mtok that is no amount": 2, "price on channel moon-api": 1,
        "price of a model the seller has no id for": 1, "price that never held under its name": 1,
        "price of smell_per_mtok": 1, "price of a tool that belongs to no model": 1,
        "dispute with a gateway's own figure": 1,
    }  # fmt: skip


def test_what_the_prices_do_not_express_is_noted_with_the_offering():
    (offering,) = read(row(more="rules: {uncaptured_fees: true, varies_by_provider: true}")).offerings
    assert "varies by the provider" in offering.note
    assert "fees beside these prices" in offering.note


def bomb() -> bytes:
    lines = ["a0: &a0 {x: 1}", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60))]
    return "\n".join(lines).encode()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (bomb(), "other than a flat entry"), (b"a: &x {b: 1}\nc: *x", "other than a flat entry"),
        (b"a: &a {<<: *a}", "other than a flat entry"), (b"<<: *nothing", "not Metergraph's YAML|other than a flat"),
        (b"a: &x [1]", "more than a flat entry"), (b"a: &x {b: {c: {d: 1}}}", "more than a flat entry"),
        (b"a: &x {" + b", ".join(b"k%d: 1" % n for n in range(21)) + b"}", "more than a flat entry"),
        (b"a: &x one", "single value"), (b"<<: {a: 1}", "no name"), (b"? [1]\n: 2", "no name"),
        (b"[" * 100_000, "levels deep|nesting depth"), (b"{a: " * 100_000, "levels deep|nesting depth"),
        (b"- !!python/object/apply:os.system [ls]", "YAML tag"), (b"- !!float 1.0", "YAML tag"),
        (b"a: 1\na: 2", "twice"), (b"--- 1\n--- 2", "2 YAML documents"), (b"", "0 YAML documents"),
        (b"\xff", "not Metergraph's YAML"), (b"a: b: c", "not Metergraph's YAML"), (b"\x00", "not Metergraph's YAML"),
    ],
)  # fmt: skip
def test_more_of_yaml_than_the_catalogue_uses_is_an_error(body, reason):
    with pytest.raises(SourceError, match=reason):
        document.read(body)


@pytest.mark.parametrize(
    "body",
    [
        b"models: 7", b"models: []\ncurrency: USD\npricing_verified_at: '2026-10-25'",
        b"models: []\ncurrency: EUR\npricing_verified_at: '2026-10-25'", b"models: []\ncurrency: USD",
        b"models: []\ncurrency: USD\npricing_verified_at: never", b"models: [{canonical_id: a/b, prices: 7}]",
    ],
)  # fmt: skip
def test_another_layout_is_an_error(body):
    with pytest.raises(SourceError, match="Metergraph"):
        metergraph.parse(body)


def test_an_entry_repeated_by_anchor_may_be_changed_in_part():
    read_back = document.read(b"- &x {a: 1, b: 2.50}\n- {<<: *x, b: three}\n- <<: *x\n  c: 'true'\n")
    assert read_back == [
        {"a": 1, "b": Decimal("2.50")},
        {"a": 1, "b": "three"},
        {"a": 1, "b": Decimal("2.5"), "c": "true"},
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("-2.50", Decimal("-2.50")), ("true", True), ("null", None), ("~", None), ("'1'", "1"), (".inf", ".inf"),
     ("1e400", "1e400"), ("0x10", "0x10"), ("2026-10-25", "2026-10-25"), ("9" * 30, "9" * 30)],
)  # fmt: skip
def test_a_word_is_a_number_only_where_its_digits_say_so(text, value):
    (found,) = document.read(f"- {text}".encode())
    assert (found, type(found)) == (value, type(value))
