"""What the catalogue answers, as sentences about prices people can check, and at the edges people argue about."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing import names
from pricing.answers import BadQuestion, kept, listing, moment
from pricing.answers.changes import Window, changes
from pricing.answers.costs import Usage, costs
from pricing.answers.prices import Question, history, price, resolve
from pricing.answers.quality import price_per_quality
from pricing.answers.wording import decimal_text, moment_text
from pricing.cost import Tokens
from pricing.management.commands.price import as_text
from pricing.models import Alias, Claim, Decision, LanguageModel, Offering, Price, PriceEvent, PriceSource, Provider

TICK = timedelta(microseconds=1)
CUT = datetime(2026, 8, 21, tzinfo=UTC)
SHAPE = {
    "unit", "qualifier", "service_tier", "schedule", "context_from", "context_op", "context_mode", "amount", "per",
    "currency", "usd_per_mtok", "effective_from", "effective_until", "effective_precision", "observed_at",
    "recorded_at", "basis", "grade", "source", "url",
}  # fmt: skip

real = pytest.mark.usefixtures("catalogue")
needs_db = pytest.mark.django_db


def per_mtok(answer: dict[str, Any], tier: str = "standard", context: int = 0, schedule: str = "") -> dict[str, str]:
    """unit → USD per Mtok of the first offering's prices of one line."""
    line = (tier, context, schedule, "")
    return {
        one["unit"]: one["usd_per_mtok"]
        for one in answer["offerings"][0]["prices"]
        if (one["service_tier"], one["context_from"], one["schedule"], one["qualifier"]) == line
    }


def ask(model: str, provider: str | None = None, at: str | datetime | None = None, **more: Any) -> dict[str, Any]:
    when = moment(at) if isinstance(at, str) else at
    return price(Question(model, provider, at=when, **more))


@needs_db
@real
class TestPriceSentences:
    def test_sol_costs_5_and_30_before_the_cut_and_4_and_20_after_it(self) -> None:
        before, after = (per_mtok(ask("gpt-5.6-sol", "openai", day)) for day in ("2026-08-20", "2026-08-23"))
        assert (before["input"], before["output"], after["input"], after["output"]) == ("5", "30", "4", "20")

    def test_what_was_known_before_the_cut_still_says_5_and_30(self) -> None:
        answer = ask("gpt-5.6-sol", "openai", "2026-08-23", known_at=moment("2026-08-15"))
        told = per_mtok(answer)
        assert (told["input"], told["output"]) == ("5", "30")

    @pytest.mark.parametrize(("at", "output"), [(CUT - TICK, "30"), (CUT, "20"), (CUT + TICK, "20")])
    def test_a_price_holds_from_its_first_instant_on(self, at: datetime, output: str) -> None:
        assert per_mtok(ask("gpt-5.6-sol", "openai", at))["output"] == output

    def test_evidence_counts_from_its_first_instant_on(self) -> None:
        row = Price.objects.get(
            offering__provider__slug="openai", offering__sku="gpt-5.6-sol", unit="input", service_tier="standard",
            context_from=0, effective_from=CUT, known_until=None,
        )  # fmt: skip
        after = CUT + timedelta(days=2)
        told = [
            per_mtok(ask("gpt-5.6-sol", "openai", after, known_at=row.known_from + shift))["input"]
            for shift in (-TICK, timedelta(0), TICK)
        ]
        assert told == ["5", "4", "4"]

    def test_every_price_comes_with_its_evidence(self) -> None:
        for one in ask("gpt-5.6-sol", "openai", "2026-08-23")["offerings"][0]["prices"]:
            assert set(one) >= SHAPE
            assert one["source"]
            assert one["url"].startswith("https://")

    def test_a_long_request_pays_the_long_price_for_all_its_tokens(self) -> None:
        edge = {n: ask("gpt-5.6-sol", "openai", "2026-08-20", context=n, tier="standard") for n in (272_000, 272_001)}
        inputs = {
            n: [p["usd_per_mtok"] for p in answer["offerings"][0]["prices"] if p["unit"] == "input"]
            for n, answer in edge.items()
        }
        assert inputs == {272_000: ["5"], 272_001: ["10"]}

    def test_tiers_are_told_apart_and_may_be_asked_for(self) -> None:
        everything = ask("gpt-5.6-sol", "openai", "2026-08-23")
        assert per_mtok(everything, "batch")["input"] == "2"
        batch = ask("gpt-5.6-sol", "openai", "2026-08-23", tier="batch")
        assert {one["service_tier"] for one in batch["offerings"][0]["prices"]} == {"batch"}

    def test_a_tier_nobody_sells_is_unknown(self) -> None:
        assert ask("gpt-5.6-sol", "openai", "2026-08-23", tier="ultraslow")["status"] == "unknown"

    @pytest.mark.parametrize("provider", [None, "anthropic", "bedrock", "openrouter", "vertex"])
    def test_a_model_that_does_not_exist_is_unknown_everywhere(self, provider: str | None) -> None:
        answer = ask("claude-sonnet-4-99999999", provider)
        assert (answer["status"], answer["offerings"]) == ("unknown", [])

    def test_a_bare_name_lists_the_makers_offering_first_and_everybody_elses(self) -> None:
        sold = [(one["provider"], one["sku"]) for one in ask("gpt-4o")["offerings"]]
        assert sold[0] == ("openai", "gpt-4o")
        assert ("openrouter", "openai/gpt-4o") in sold
        assert {one["model"] for one in ask("gpt-4o")["offerings"]} == {"gpt-4o"}

    def test_a_name_that_says_its_seller_means_that_seller(self) -> None:
        assert {one["provider"] for one in ask("openai/gpt-4o")["offerings"]} == {"openai"}

    def test_a_provider_may_be_asked_for_by_any_of_its_aliases(self) -> None:
        by_alias = ask("regional.anthropic.claude-sonnet-4-5-20250929-v1:0", "amazon-bedrock", "2026-11-01")
        assert by_alias["offerings"][0]["provider"] == "bedrock"
        assert by_alias["status"] == "priced"

    def test_a_models_slug_is_a_name_too(self) -> None:
        slug = (
            LanguageModel.objects.filter(maker="", offerings__prices__known_until=None)
            .exclude(offerings__sku__in=LanguageModel.objects.values("slug"))
            .values_list("slug", flat=True)[:1][0]
        )
        answer = ask(slug)
        assert answer["rule"] == "model slug"
        assert {one["model"] for one in answer["offerings"]} == {slug}

    def test_what_is_no_longer_sold_keeps_its_last_price_and_says_since_when(self) -> None:
        Offering.objects.filter(provider__slug="openai", sku="gpt-4o").update(retired_at=CUT)
        kept.forget()
        told = [ask("gpt-4o", "openai"), history(Question("gpt-4o", "openai")), listing.model("gpt-4o")]
        for answer in told:
            offering = next(one for one in (answer or {})["offerings"] if one["provider"] == "openai")
            assert (offering["retired_at"], offering["status"]) == ("2026-08-21T00:00:00Z", "priced")
        assert "\nopenai gpt-4o: priced, retired 2026-08-21\n" in as_text(told[0])
        listed = listing.prices(listing.Filters("openai", "gpt-4o"))["prices"]
        since = {(one["sku"] == "gpt-4o", one["retired_at"]) for one in listed}
        assert since == {(True, "2026-08-21T00:00:00Z"), (False, None)}
        (cost,) = costs([Usage("gpt-4o", "openai", tokens=Tokens(input=1))])["costs"]
        assert (cost["retired_at"], cost["status"]) == ("2026-08-21T00:00:00Z", "priced")

    def test_free_is_not_unknown(self) -> None:
        row = Price.objects.known_at().filter(amount=0, unit="input", effective_until=None, offering__region="").first()
        assert row is not None
        answer = ask(row.offering.sku, row.offering.provider.slug)
        assert (answer["status"], per_mtok(answer)["input"]) == ("free", "0")

    def test_what_is_not_per_token_has_no_price_per_mtok(self) -> None:
        prices = ask("gpt-5.6-sol", "openai", "2026-08-23")["offerings"][0]["prices"]
        (search,) = (one for one in prices if one["unit"] == "web_search")
        assert (search["amount"], search["per"], search["usd_per_mtok"]) == ("10", 1000, None)


@needs_db
@real
class TestHours:
    PEAK = "mon-fri 01:00-04:00,06:00-10:00 UTC except cn"

    @pytest.mark.parametrize(
        ("at", "peak"),
        [
            ("2026-09-14T00:59:59.999999Z", False),  # a Monday
            ("2026-09-14T01:00:00Z", True),
            ("2026-09-14T03:59:59.999999Z", True),
            ("2026-09-14T04:00:00Z", False),
            ("2026-09-13T02:00:00Z", False),  # a Sunday
            ("2026-09-25T02:00:00Z", False),  # the Mid-Autumn holiday, a Friday
            ("2026-10-08T02:00:00Z", True),  # the first working day after the National Day week
        ],
    )
    def test_deepseek_costs_double_in_its_peak_hours_on_working_days(self, at: str, peak: bool) -> None:
        prices = ask("deepseek-v4-pro", "deepseek", at)["offerings"][0]["prices"]
        inputs = {one["schedule"]: (one["usd_per_mtok"], one["applies"]) for one in prices if one["unit"] == "input"}
        assert inputs == {"": ("0.66", not peak), self.PEAK: ("1.32", peak)}


@needs_db
@real
class TestRegions:
    def test_a_region_chooses_among_the_same_model(self) -> None:
        name = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
        assert {one["region"] for one in ask(name)["offerings"]} == {"regional"}
        worldwide = ask(name, region="global")
        assert {one["region"] for one in worldwide["offerings"]} == {"global"}
        assert worldwide["rule"].endswith("the same model in global")

    def test_global_is_the_price_bound_to_no_region_but_on_bedrock(self) -> None:
        plain, worldwide = (ask("gpt-5.6-sol", "openai", region=region) for region in (None, "global"))
        assert {one["region"] for one in worldwide["offerings"]} == {""}
        assert worldwide["offerings"] == [one for one in plain["offerings"] if not one["region"]]
        assert ask("amazon.nova-pro-v1:0", "bedrock", region="global")["status"] == "unknown"

    def test_a_region_nobody_sells_in_is_unknown(self) -> None:
        assert ask("gpt-5.6-sol", "openai", region="atlantis")["status"] == "unknown"


@needs_db
@real
class TestHistory:
    def test_one_line_of_prices_follows_the_other_without_a_gap(self) -> None:
        (offering,) = history(Question("gpt-5.6-sol", "openai", tier="standard"))["offerings"]
        line = [p for p in offering["prices"] if (p["unit"], p["context_from"]) == ("output", 0)]
        assert [p["usd_per_mtok"] for p in line] == ["30", "20"]
        assert line[0]["effective_until"] == line[1]["effective_from"] == "2026-08-21T00:00:00Z"


@needs_db
@real
class TestNames:
    @pytest.mark.parametrize(
        ("name", "sku", "maker", "rule"),
        [
            (
                "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
                "regional.anthropic.claude-sonnet-4-5-20250929-v1:0",
                "anthropic",
                "Bedrock profile us. is sold at the regional price",
            ),
            ("openai/gpt-4o", "gpt-4o", "openai", "provider prefix openai/"),
            ("gpt-4o-2024-08-06", "gpt-4o-2024-08-06", "openai", "the maker's own offering"),
        ],
    )
    def test_a_name_means_one_offering_and_says_by_which_rule(self, name: str, sku: str, maker: str, rule: str) -> None:
        told = resolve(name)
        assert (told["status"], told["sku"], told["maker"]) == ("resolved", sku, maker)
        assert rule in told["rule"]

    @pytest.mark.parametrize("provider", [None, "openai", "azure"])
    def test_a_fine_tuned_model_never_has_the_base_models_price(self, provider: str | None) -> None:
        told = resolve("ft:gpt-4o-mini-2024-07-18:org::id", provider)
        assert told["sku"] in ("", "ft:gpt-4o-mini-2024-07-18")

    @pytest.mark.shared
    def test_the_names_of_real_responses_have_the_right_maker_or_none(self, shared_data: Path) -> None:
        body = (shared_data / "usage" / "genai-prices-response-usages.json.gz").read_bytes()
        responses = json.loads(gzip.decompress(body))
        reported = {name for one in responses if (name := one["body"].get("model") or one.get("model"))}
        assert len(responses) >= 1500
        told = {name: resolve(name) for name in sorted(reported)}
        resolved = {name: answer for name, answer in told.items() if answer["status"] == "resolved"}
        assert len(resolved) >= 70
        assert all(answer["rule"] for answer in told.values())
        wrong = {name: answer for name, answer in resolved.items() if not _maker_fits(name, answer["maker"])}
        assert wrong == {}
        # A dated name of one snapshot never becomes another snapshot's.
        assert told["gpt-4o-2024-08-06"]["sku"] == "gpt-4o-2024-08-06"
        assert told["gpt-4o-2024-11-20"]["sku"] == "gpt-4o-2024-11-20"


WORDS = {
    "anthropic": ("claude",), "openai": ("gpt", "o1", "o3", "o4", "computer-use", "text-embedding"),
    "google": ("gemini", "gemma"), "deepseek": ("deepseek",), "xai": ("grok",), "zai": ("glm",),
    "mistral": ("mistral", "magistral", "ministral", "pixtral", "codestral"), "alibaba": ("qwen", "qwq"),
    "meta": ("llama",), "moonshot": ("kimi",), "cohere": ("command",),
}  # fmt: skip


def _maker_fits(name: str, maker: str) -> bool:
    """By the brand in the name, which is how a person would say whose model it is."""
    bare = name.lower().rpartition("/")[2].removeprefix("openai.").removeprefix("us.anthropic.")
    return any(bare.startswith(word) or f"-{word}" in bare or f".{word}" in bare for word in WORDS[maker])


@needs_db
class TestQuestions:
    @pytest.mark.parametrize(
        "question",
        [
            Question("a\x00b"),
            Question("x" * 401),
            Question("gpt-4o", "open\x00ai"),
            Question("gpt-4o", context=-1),
            Question("gpt-4o", context=10**15),
            Question("gpt-4o", tier="\ud800"),
        ],
    )
    def test_what_is_no_question_is_refused_with_a_sentence(self, question: Question) -> None:
        with pytest.raises(BadQuestion, match=r"\.$"):
            price(question)


class TestMoments:
    def test_a_date_is_its_midnight_in_utc(self) -> None:
        assert moment("2026-08-23") == datetime(2026, 8, 23, tzinfo=UTC)

    def test_an_offset_is_taken_into_account(self) -> None:
        assert moment("2026-08-23T02:00:00+02:00") == datetime(2026, 8, 23, tzinfo=UTC)

    @pytest.mark.parametrize(
        "text",
        [
            "2026-08-23T12:00:00", "yesterday", "", "2026-02-30", "20260823T00", "1969-12-31", "2200-01-01",
            "0001-01-01",
            "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-08-23\x00", "٢٠٢٦-٠٨-٢٣",
        ],
    )  # fmt: skip
    def test_what_is_no_moment_is_refused_with_a_sentence(self, text: str) -> None:
        with pytest.raises(BadQuestion, match=r"2026-08-23|offset|years 1970"):
            moment(text)

    @given(st.text(max_size=40))
    def test_no_text_breaks_it(self, text: str) -> None:
        try:
            found = moment(text)
        except BadQuestion:
            return
        assert found.tzinfo is UTC

    @given(st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
    def test_what_is_written_can_be_read_again(self, when: datetime) -> None:
        assert moment(moment_text(when)) == when


class TestWording:
    @pytest.mark.parametrize(
        ("number", "text"),
        [
            ("5.000000000000", "5"),
            ("0E-12", "0"),
            ("100", "100"),
            ("1E+3", "1000"),
            ("0.000000000001", "0.000000000001"),
        ],
    )
    def test_decimals_have_no_exponent_and_no_idle_zeros(self, number: str, text: str) -> None:
        assert decimal_text(Decimal(number)) == text

    @given(st.decimals(min_value=0, max_value=10**12, places=12))
    def test_no_digit_is_lost(self, number: Decimal) -> None:
        assert Decimal(decimal_text(number)) == number


@needs_db
@real
class TestMemory:
    ASKED = Question("gpt-5.6-sol", "openai")

    def test_the_same_question_again_costs_one_query(self, django_assert_num_queries: Any) -> None:
        first = price(self.ASKED)
        with django_assert_num_queries(1):
            assert price(self.ASKED) == first

    def test_the_first_time_costs_few(self, django_assert_max_num_queries: Any) -> None:
        names.resolver()
        with django_assert_max_num_queries(5):
            price(self.ASKED)

    def test_an_answer_about_now_ends_when_a_price_does(self) -> None:
        before, after = (price(self.ASKED, CUT + shift) for shift in (-TICK, timedelta(0)))
        assert [per_mtok(answer)["output"] for answer in (before, after)] == ["30", "20"]

    def test_an_answer_about_now_ends_when_the_peak_hour_begins(self) -> None:
        asked = Question("deepseek-v4-pro", "deepseek")
        opens = datetime(2026, 9, 14, 1, tzinfo=UTC)
        told = [price(asked, opens + shift)["offerings"][0]["prices"] for shift in (-TICK, timedelta(0))]
        assert [[p["applies"] for p in prices if p["unit"] == "input"] for prices in told] == [
            [True, False],
            [False, True],
        ]

    def test_a_persons_decision_ends_every_answer(self) -> None:
        before = kept.version()
        claim = Claim.objects.all()[0]
        decision = Decision.objects.create(claim=claim, verdict="reject", reason="test", person="a@example.org")
        decided = kept.version()
        Decision.objects.filter(pk=decision.pk).update(revoked_at=datetime.now(UTC))
        assert len({before, decided, kept.version()}) == 3


@needs_db
@real
class TestPages:
    def test_the_pages_hold_every_price_once(self) -> None:
        filters = listing.Filters(provider="deepseek", at=moment("2026-11-01"))
        seen, cursor = [], None
        while True:
            page = listing.prices(filters, 20, cursor)
            seen += [one["price_id"] for one in page["prices"]]
            cursor = page["next"]
            if cursor is None:
                break
        in_force = Price.objects.known_at().effective_at(moment("2026-11-01")).filter(superseded_at=None)
        assert sorted(seen) == sorted(in_force.filter(offering__provider__slug="deepseek").values_list("pk", flat=True))
        assert len(seen) > 20

    @pytest.mark.parametrize(
        ("filters", "field", "value"),
        [
            (listing.Filters(provider="gemini"), "provider", "google"),
            (listing.Filters(model="gpt-4o-2024-08-06"), "model", "gpt-4o-2024-08-06"),
            (listing.Filters(unit="cache_read"), "unit", "cache_read"),
            (listing.Filters(tier="batch"), "service_tier", "batch"),
            (listing.Filters(region="regional"), "region", "regional"),
            (listing.Filters(currency="usd"), "currency", "USD"),
            (listing.Filters(q="openrouter gpt-4o"), "provider", "openrouter"),
        ],
    )
    def test_a_filter_keeps_what_it_names(self, filters: listing.Filters, field: str, value: str) -> None:
        page = listing.prices(filters, 50)
        assert page["prices"]
        assert {one[field] for one in page["prices"]} == {value}

    def test_a_currency_nobody_sells_in_has_no_prices(self) -> None:
        assert listing.prices(listing.Filters(currency="XYZ"))["prices"] == []

    @pytest.mark.parametrize("cursor", ["x", "é", "AAAA", "bnVsbA", "W10", "", " ", "W1swXV0", "=" * 9])
    def test_a_cursor_of_nobodys_is_refused(self, cursor: str) -> None:
        if not cursor:
            assert listing.prices(listing.Filters(), 1, cursor)["next"]
            return
        with pytest.raises(BadQuestion, match="cursor"):
            listing.prices(listing.Filters(), 1, cursor)

    def test_a_cursor_continues_its_own_question_only(self) -> None:
        cursor = listing.prices(listing.Filters(provider="openai"), 1)["next"]
        with pytest.raises(BadQuestion, match="cursor"):
            listing.prices(listing.Filters(provider="google"), 1, cursor)

    def test_models_have_pages_too(self) -> None:
        first = listing.models("gpt-5.6", None, 1)
        second = listing.models("gpt-5.6", None, 1, first["next"])
        assert first["models"][0]["slug"] != second["models"][0]["slug"]
        assert {one["maker"] for one in listing.models(maker="openai", limit=500)["models"]} == {"openai"}

    def test_one_model_has_all_its_offerings_in_few_queries(self, django_assert_max_num_queries: Any) -> None:
        with django_assert_max_num_queries(4):
            found = listing.model("gpt-4o")
        assert found is not None
        assert {one["provider"] for one in found["offerings"]} > {"openai", "openrouter"}
        assert listing.model("no-such-model") is None


@needs_db
@real
class TestChanges:
    def test_the_cut_of_sol_is_a_change_of_its_day(self) -> None:
        found = changes(Window(CUT, CUT + timedelta(days=1), "effective", provider="openai"))
        sol = [c for c in found if (c["sku"], c["unit"], c["service_tier"]) == ("gpt-5.6-sol", "output", "standard")]
        assert [(c["kind"], c["old"], c["new"], c["status"]) for c in sol if not c["context_from"]] == [
            ("cut", "30", "20", "accepted")
        ]

    def test_ranges_are_half_open(self) -> None:
        day = timedelta(days=1)
        whole, *parts = (
            changes(Window(start, end, "effective")) for start, end in
            ((CUT, CUT + 2 * day), (CUT, CUT + day), (CUT + day, CUT + 2 * day))
        )  # fmt: skip
        assert len(whole) == sum(map(len, parts)) > 0

    def test_a_held_step_is_a_change_that_waits_and_one_no_longer_given_is_none(self) -> None:
        event = PriceEvent.objects.filter(kind="cut").first()
        assert event is not None
        PriceEvent.objects.filter(pk=event.pk).update(status="held")
        (held,) = [c for c in changes(Window(by="recorded")) if c["status"] == "held"]
        assert (held["kind"], held["old"], held["new"]) == ("cut", decimal_text(event.old), decimal_text(event.new))
        PriceEvent.objects.filter(pk=event.pk).update(superseded_at=CUT)
        assert [c for c in changes(Window(by="recorded")) if c["status"] == "held"] == []

    @pytest.mark.parametrize("by", ["observed", "effective", "recorded"])
    def test_they_come_in_the_order_of_their_time(self, by: str) -> None:
        field = {"observed": "observed_at", "effective": "effective_from", "recorded": "recorded_at"}[by]
        times = [moment(change[field]) for change in changes(Window(by=by))]
        assert times == sorted(times)
        assert len(times) == PriceEvent.objects.count()

    def test_a_source_is_asked_for_by_its_slug(self) -> None:
        assert {c["source"] for c in changes(Window(source="genai_prices"))} == {"genai_prices"}
        with pytest.raises(BadQuestion, match="genai_prices, model_prices"):
            changes(Window(source="rumours"))

    @pytest.mark.parametrize("window", [Window(CUT, CUT), Window(CUT, CUT - TICK), Window(by="guess")])
    def test_a_range_that_is_none_is_refused(self, window: Window) -> None:
        with pytest.raises(BadQuestion):
            changes(window)


@needs_db
@real
class TestQuality:
    def test_nothing_on_the_frontier_is_beaten(self) -> None:
        told = price_per_quality(now=moment("2026-11-20"))
        points = [(Decimal(p["usd_per_mtok"]), Decimal(p["rating"])) for p in told["frontier"]]
        assert points == sorted(points)
        assert [rating for _, rating in points] == sorted(rating for _, rating in points)
        keys = {p["key"] for p in told["frontier"]}
        assert all(lost["cheapest_equal"] in keys for lost in told["dominated"])
        assert len(told["frontier"]) + len(told["dominated"]) >= 60

    @pytest.mark.parametrize("asked", [("x", "overall"), ("arena", "x")])
    def test_what_there_is_not_is_refused_with_what_there_is(self, asked: tuple[str, str, str]) -> None:
        with pytest.raises(BadQuestion):
            price_per_quality(*asked)


@needs_db
def test_an_alias_holds_for_its_time() -> None:
    source = PriceSource.objects.create(slug="s", name="S", trust="curated", licence="", cadence_hours=1)
    from pricing.models import Provider

    acme = Provider.objects.create(slug="acme", name="Acme")
    model = LanguageModel.objects.create(slug="m", key="acme/m", name="M")
    offering = Offering.objects.create(provider=acme, sku="m", model=model)
    Alias.objects.create(provider=acme, name="old", offering=offering, source=source, valid_until=CUT)
    assert resolve("old", "acme", CUT - TICK)["status"] == "resolved"
    assert resolve("old", "acme", CUT)["status"] == "unresolved"


@needs_db
def test_a_region_of_bedrock_asked_for_is_billed_at_the_regional_price_unless_a_source_prices_regions_apart() -> None:
    sku = "regional.anthropic.claude-tanka-9-20251001-v1:0"
    seller = Provider.objects.get_or_create(slug="bedrock", defaults={"name": "Bedrock"})[0]
    model = LanguageModel.objects.create(slug="claude-tanka-9", key="anthropic/claude-tanka-9", maker="anthropic")
    for region in ("regional", "us-gov-west-1"):
        Offering.objects.create(provider=seller, sku=sku, model=model, region=region)

    def found(region: str) -> list[str]:
        asked = Usage("anthropic.claude-tanka-9-20251001-v1:0", "bedrock", region, at=CUT)
        told = ask(asked.model, "bedrock", CUT, region=region)["offerings"]
        regions = [one["region"] for one in told]
        assert [costs([asked])["costs"][0]["region"]] == (regions or [""])
        return regions

    assert (found("us-east-1"), found("eu"), found("us-gov-west-1"), found("us-gov-east-1")) == (
        ["regional"], ["regional"], ["us-gov-west-1"], [],
    )  # fmt: skip
    Offering.objects.create(provider=seller, sku=sku, model=model, region="us-east-1")
    kept.forget()
    assert (found("us-east-1"), found("eu-west-1")) == (["us-east-1"], [])
