"""Price per quality of any day: what is nearly as good, who sells it, what is wanted, and a project's own mix."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import expect

from dashboards import access
from dashboards.pages import quality
from dashboards.pages.quality.dates import dates
from pricing.answers import kept
from pricing.models import Benchmark, LanguageModel, Offering, Price, Score, SpeedSample
from tests.dashboards.browser import Look, look, settled  # noqa: F401
from tests.dashboards.ledger_cast import HEAD, MAPPING, World, world  # noqa: F401
from tests.dashboards.market_cast import NOW, make_market, make_offering, make_price, make_score

COLUMNS: Any = MAPPING["columns"]
TIERED = {**MAPPING, "columns": {**COLUMNS, "service_tier": "tier", "cache_read": "cached"}}


@pytest.fixture
def market(db: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, Offering]:
    monkeypatch.setattr("dashboards.views.quality.timezone.now", lambda: NOW)
    return make_market()


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", html))


def said(client: Client, url: str) -> str:
    return words(client.get(url).content.decode())


def lines(client: Client, url: str) -> list[dict[str, str]]:
    glue = "&" if "?" in url else "?"
    return list(csv.DictReader(io.StringIO(client.get(f"{url}{glue}format=csv").content.decode())))


class TestNearlyAsGood:
    def test_the_finding_names_the_cheapest_within_the_distance_and_how_sure_that_is(
        self, client: Client, market: Any
    ) -> None:
        told = said(client, "/quality?near=best-1&delta=20")
        assert (
            "The cheapest within 20 points of Best 1 (1500) is Cheap 1 (1480) at $0.175; Best 1 costs $4.00, 23× as"
            " much; their intervals do not overlap." in told
        )
        rows = {row["name"]: row["band"] for row in lines(client, "/quality?near=best-1&delta=20")}
        assert (rows["Cheap 1"], rows["Best 1"], rows["Best 1 (High)"]) == ("cheapest", "chosen", "inside")
        assert "cheapest within the band" in told

    def test_what_costs_the_same_as_the_cheapest_is_said(self, client: Client, market: Any) -> None:
        twin = make_offering("twin-1", name="Twin 1")
        make_price(twin, "input", "0.10")
        make_price(twin, "output", "0.40")
        make_score("twin-1", "Twin 1", "1480")
        assert "Twin 1 costs the same." in said(client, "/quality?near=best-1&delta=20")

    def test_the_edge_is_inside_and_a_tenth_less_is_not(self, client: Client, market: Any) -> None:
        assert "Nothing within 19.9 points of Best 1 (1500) costs less than its own $4.00." in said(
            client, "/quality?near=best-1&delta=19.9"
        )

    def test_an_unpriced_model_has_a_band_and_no_price(self, client: Client, market: Any) -> None:
        told = said(client, "/quality?near=silent-1&delta=5")
        assert "Silent 1 (1400) is Cheap 1 (1480) at $0.175; Silent 1 has no price here" in told

    def test_every_seller_of_the_chosen_model_stands_in_chart_and_table_cheapest_first(
        self, client: Client, market: Any
    ) -> None:
        html = client.get("/quality?near=open-1").content.decode()
        body = re.search(r'<table class="sellers">.*?<tbody>(.*?)</tbody>', html, re.S)
        assert body is not None
        assert re.findall(r'scope="row">(\w+)', body[1]) == ["Hoster", "Umbra"]
        drawn = client.get("/quality/figure.json?near=open-1").json()["wide"]
        joined = next(trace for trace in drawn["data"] if trace["mode"] == "lines+markers")
        assert (joined["x"], joined["y"]) == ([0.3, 0.45], [1450.0, 1450.0])
        shapes = [shape for shape in drawn["layout"]["shapes"] if shape["type"] == "rect"]
        assert [shape["y1"] for shape in shapes] == [1450.0]


class TestWanted:
    def test_models_that_only_an_unknown_trait_keeps_out_are_counted_and_named(
        self, client: Client, market: Any
    ) -> None:
        told = said(client, "/quality?context=200000")
        assert [row["name"] for row in lines(client, "/quality?context=200000")] == ["Best 1 (High)", "Best 1"]
        assert "3 models with unknown context left out" in told
        assert "among models with a context of 200,000 tokens" in told.lower()

    def test_a_seller_that_is_asked_for_gives_its_own_price(self, client: Client, market: Any) -> None:
        rows = lines(client, "/quality?provider=hoster")
        assert [(row["name"], row["seller"], row["blended_usd_per_mtok"]) for row in rows] == [
            ("Open 1", "hoster", "0.3")
        ]

    def test_an_alias_of_a_seller_or_a_maker_is_that_one(self, client: Client, market: Any) -> None:
        make_price(make_offering("open-1", "bedrock"), "input", "0.2")
        make_price(Offering.objects.get(provider__slug="bedrock"), "output", "0.2")
        for named in ("bedrock", "aws", "Amazon-Bedrock"):
            rows = lines(client, f"/quality?provider={named}")
            assert [(row["name"], row["seller"]) for row in rows] == [("Open 1", "bedrock")]
            answer = client.get(f"/api/v1/frontier?provider={named}").json()
            assert [one["provider"] for one in answer["frontier"]] == ["bedrock"]

    @pytest.mark.parametrize(
        ("asked", "sentence"),
        [
            ("provider=nobody", "There is no seller “nobody”: choose one from the list."),
            ("maker=nobody", "There is no maker “nobody”: choose one from the list."),
            ("region=zz", "There is no region “zz”: choose one from the list."),
            ("modality=image", "There is no modality “image”: choose one from the list."),
        ],
    )
    def test_a_word_that_the_catalogue_has_not_is_said_and_leaves_everything_in(
        self, client: Client, market: Any, asked: str, sentence: str
    ) -> None:
        answer = client.get(f"/quality?{asked}")
        assert answer.status_code == 400
        assert sentence in answer.content.decode()
        assert "Best 1" in answer.content.decode()
        assert client.get(f"/quality/figure.json?{asked}").status_code == 400

    def test_a_modality_that_sources_know_is_one_though_no_model_here_is_known_to_take_it(
        self, client: Client, market: Any
    ) -> None:
        assert client.get("/quality?modality=image_in").status_code == 200
        assert client.get("/api/v1/frontier?modality=image_in").json()["frontier"] == []

    def test_choices_say_how_many_models_each_leaves_and_what_is_unknown(self, client: Client, market: Any) -> None:
        told = said(client, "/quality")
        assert "Hoster (1)" in told
        assert "Tools: nothing to choose by. 6 models with unknown tools." in told
        assert "Answers at: nothing to choose by. 6 models with unknown speed." in told

    def test_a_model_on_its_way_out_is_not_staying(self, client: Client, market: Any) -> None:
        LanguageModel.objects.filter(slug="cheap-1").update(retires_on=date(2027, 3, 1))
        assert "Cheap 1" not in {row["name"] for row in lines(client, "/quality?retirement=none")}

    def test_the_note_credits_who_says_the_drawn_prices_and_under_which_licence(
        self, client: Client, market: dict[str, Offering]
    ) -> None:
        source = Price.objects.filter(offering=market["cheap"])[0].source
        source.name, source.licence = "Lists of prices", "MIT"
        source.save()
        assert "Prices: Lists of prices (MIT)." in said(client, "/quality")
        source.licence = "facts of the vendor's public API"
        source.save()
        kept.forget()
        for page in ("/quality", "/ladder", "/index/convergence", "/index?threshold=1400"):
            assert "Prices: Lists of prices (facts)." in said(client, page), page

    def test_an_interval_is_explained_where_one_stands(self, client: Client, market: Any) -> None:
        Score.objects.update(low=None, high=None)
        assert "95% interval" not in said(client, "/quality")
        Score.objects.filter(display_name="Cheap 1").update(low=D(1470), high=D(1490))
        assert "Small figures beside a rating are its 95% interval." in said(client, "/quality")

    def test_a_known_speed_is_a_filter_and_the_size_of_a_mark(
        self, client: Client, market: dict[str, Offering]
    ) -> None:
        SpeedSample.objects.create(offering=market["cheap"], sampled_at=NOW, output_tokens_per_second=D(144))
        assert [row["name"] for row in lines(client, "/quality?speed=100")] == ["Cheap 1"]
        assert "4 models with unknown speed left out" in said(client, "/quality?speed=100")
        sizes = client.get("/quality/figure.json").json()["wide"]["data"][2]["marker"]["size"]
        assert max(sizes) > 12 > min(sizes)

    def test_how_long_a_task_of_the_run_took_is_a_filter_a_column_and_the_size_of_a_mark(
        self, client: Client, market: Any
    ) -> None:
        assert "A task" not in said(client, "/quality")
        Score.objects.filter(display_name="Cheap 1").update(seconds_mean=D("4.25"))
        Score.objects.filter(display_name="Best 1").update(seconds_mean=D(60))
        told = said(client, "/quality")
        assert "Larger marks took less time a task." in told
        assert "5 s (1)" in told
        assert "60 s (2)" in told
        rows = lines(client, "/quality?within=10")
        assert [(row["name"], row["seconds_per_task"]) for row in rows] == [("Cheap 1", "4.25")]
        asked = said(client, "/quality?within=10")
        assert "4.3 s" in asked
        assert "Among models that took 10 seconds a task at most" in asked
        assert "3 models with unknown time of a task left out" in asked
        answer = client.get("/api/v1/frontier?within=10").json()
        assert [(one["label"], one["seconds_per_task"]) for one in answer["frontier"]] == [("Cheap 1", "4.25")]
        assert len(answer["left_out"]["seconds"]) == 3
        sizes = client.get("/quality/figure.json").json()["wide"]["data"][2]["marker"]["size"]
        assert max(sizes) > 12 > min(sizes)
        assert client.get("/quality?within=soon").status_code == 400

    def test_free_and_preview_are_apart_until_asked_for(self, client: Client, market: Any) -> None:
        trial = make_offering("trial-1", name="Trial 1", sku="trial-1-preview")
        make_price(trial, "input", "0.01")
        make_price(trial, "output", "0.01")
        make_score("trial-1", "Trial 1", "1530")
        assert "Sold as a preview only, which may end any dayTrial 1" in said(client, "/quality")
        assert "Trial 1" not in {row["name"] for row in lines(client, "/quality")}
        assert lines(client, "/quality?previews=yes")[0]["name"] == "Trial 1"
        free = {row["name"]: row["blended_usd_per_mtok"] for row in lines(client, "/quality?free=yes")}
        assert free["Gratis 1"] == "0"
        assert client.get("/quality/figure.json?free=yes").status_code == 200


class TestMeasured:
    def test_runs_that_publish_their_cost_stand_at_it_a_task(self, client: Client, market: Any) -> None:
        Score.objects.filter(display_name="Cheap 1").update(cost_usd=D("4.5"), cases=225)
        rows = lines(client, "/quality?axis=measured")
        assert [(row["name"], row["usd_per_task"], row["blended_usd_per_mtok"]) for row in rows] == [
            ("Cheap 1", "0.02", "")
        ]
        told = said(client, "/quality?axis=measured")
        assert "The best rating costs $0.02 a task" in told
        assert "7 · Its run publishes no cost" in told

    def test_where_no_run_says_its_cost_the_page_leads_back_to_list_prices(self, client: Client, market: Any) -> None:
        told = said(client, "/quality?axis=measured")
        assert "No run of this benchmark publishes what it cost." in told
        assert "Show list prices" in told


class TestDates:
    def test_stops_are_the_first_of_each_month_the_days_of_tables_and_today(self) -> None:
        ask = quality.Ask(category="overall", at=date(2023, 2, 20))
        found = dates(ask, [date(2023, 2, 15), date(2030, 1, 1)], date(2023, 3, 2))
        assert found.stops == ("2023-01-01", "2023-02-01", "2023-02-15", "2023-03-01", "today")
        assert found.stops[found.place] == "2023-02-15"
        assert found.marks == ((2, date(2023, 2, 15)),)
        assert [(one.label, one.url, one.is_current) for one in found.tables] == [
            ("15 Feb 2023", "/quality?date=2023-02-15", True)
        ]

    def test_a_day_asks_for_the_newest_table_not_after_it(self, client: Client, market: Any) -> None:
        arena = Benchmark.objects.get(slug="arena")
        model = LanguageModel.objects.get(slug="cheap-1")
        Score.objects.create(
            benchmark=arena, category="overall", raw_name="c", display_name="Old Cheap 1", model=model, n=9,
            value=D(1111), observed_on=date(2026, 3, 1), source_url="https://lmarena.ai",
        )  # fmt: skip
        assert [row["name"] for row in lines(client, "/quality?date=2026-10-19")] == ["Old Cheap 1"]
        assert "Old Cheap 1" not in {row["name"] for row in lines(client, "/quality?date=2026-10-20")}


def use_tokens(world: World) -> None:  # noqa: F811
    """Alpha on 17 November: 3 Mtok in of which 2 cached, 1 out; and by batch 1 in, 1 out."""
    world.imported(
        "2026-11-17,alpha,k-alpha,ann,seller,model-a,3000000,1000000,1,,2000000",
        "2026-11-17,alpha,k-alpha,ann,seller,model-a,1000000,1000000,1,batch,0",
        scope="tiered", head=f"{HEAD},tier,cached", mapping=TIERED,
    )  # fmt: skip


class TestProjectsMix:
    WINDOW = "window=2026-11-17..2026-11-18"

    def test_prices_are_weighed_by_what_the_project_used_and_its_batch_part_by_batch_prices(
        self,
        world: World,  # noqa: F811
    ) -> None:
        make_market()
        use_tokens(world)
        rows = lines(world.admin, f"/quality?project=alpha&{self.WINDOW}")
        # Best 1: (1 × 2 + 2 × 0.2 + 1 × 10 + 1 × 1 + 1 × 5) / 6; nobody else states a batch price.
        assert {(row["model"], row["blended_usd_per_mtok"]) for row in rows} == {("best-1", "3.066666666667")}
        told = said(world.admin, f"/quality?project=alpha&{self.WINDOW}")
        assert "Alpha’s 6.00 Mtok of 17 Nov 2026 to 17 Nov 2026" in told
        assert "33.3% of all in batch" in told

    def test_the_link_keeps_project_and_window_so_that_it_shows_the_same_again(self, world: World) -> None:  # noqa: F811
        make_market()
        html = world.admin.get("/quality?project=alpha").content.decode()
        assert "project=alpha&amp;window=2026-10-14..2026-11-13" in html

    def test_a_blended_price_of_the_mix_opens_its_evidence(self, world: World) -> None:  # noqa: F811
        make_market()
        use_tokens(world)
        html = world.admin.get(f"/quality?project=alpha&{self.WINDOW}").content.decode()
        link = next(one for one in re.findall(r'class="ev" href="([^"]+)"', html) if "/blend/" in one)
        shown = words(world.admin.get(f"{link.replace('&amp;', '&')}&part=evidence").content.decode())
        assert "Output in batch" in shown

    def test_nobody_else_learns_that_the_project_exists(self, world: World) -> None:  # noqa: F811
        make_market()
        for url in ("/quality?project=beta", "/quality/figure.json?project=beta", "/quality?project=no-such"):
            assert world.alpha_only.get(url).status_code == 404
        assert Client().get("/quality?project=alpha").status_code == 404
        assert "Project" not in said(Client(), "/quality").partition("Effort")[0]

    def test_without_tokens_in_the_window_a_sentence_says_so(self, world: World) -> None:  # noqa: F811
        make_market()
        answer = world.admin.get("/quality?project=alpha&window=2024-01-01..2024-02-01")
        assert answer.status_code == 400
        assert "Alpha used no tokens in those days" in words(answer.content.decode())

    def test_the_api_asks_for_a_token_that_may_read_the_spend(self, world: World) -> None:  # noqa: F811
        make_market()
        use_tokens(world)
        ask = {"project": "alpha", "from": "2026-11-17", "until": "2026-11-18"}
        assert Client().get("/api/v1/frontier", ask).status_code == 403
        prices = access.create_token("p", "viewer", None, world.organisation, scopes=["catalogue:read"])[1]
        assert _frontier(prices, ask).status_code == 403
        token = access.create_token("t", "viewer", None, world.organisation)[1]
        answer = _frontier(token, ask)
        assert (answer.status_code, answer["Cache-Control"]) == (200, "private, no-store")
        told = json.loads(answer.content)
        assert told["mix"] == "1000000:1000000:2000000+batch:1000000:1000000:0"
        assert told["project"]["batch_tokens"] == 2_000_000
        assert _frontier(token, {"project": "no-such"}).status_code == 404


def _frontier(token: str, ask: dict[str, str]) -> Any:
    return Client().get("/api/v1/frontier", ask, headers={"authorization": f"Bearer {token}"})


class TestApi:
    def test_a_day_a_band_and_sellers_are_asked_for_by_parameters(self, client: Client, market: Any) -> None:
        told = client.get("/api/v1/frontier?date=2026-12-01&near=open-1&delta=30").json()
        assert told["at"] == "2026-12-01T00:00:00Z"
        assert {one["usd_per_mtok"] for one in told["frontier"] if one["model"] == "best-1"} == {"8"}
        assert (told["band"]["cheapest"], told["band"]["floor"]) == ("cheap-1", "1420")
        assert [one["provider"] for one in told["sellers"]] == ["hoster", "umbra"]
        assert client.get("/api/v1/frontier?at=2026-12-01").json()["frontier"] == told["frontier"]

    @pytest.mark.parametrize("query", ["near=nobody", "mix=1", "delta=-1", "axis=guess", "context=-1", "date=soon"])
    def test_what_cannot_be_asked_is_refused_in_a_sentence(self, client: Client, market: Any, query: str) -> None:
        assert client.get(f"/api/v1/frontier?{query}").status_code == 422


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_slider_moves_by_key_and_without_script_the_field_has_a_button(
    look: Look,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dashboards.views.quality.timezone.now", lambda: NOW)
    make_market()
    page, faults = look.page()
    page.goto(f"{look.origin}/quality")
    settled(page)
    page.locator("#slide").focus()
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile("date=2026-11-01"))
    expect(page.locator("#slide")).to_be_focused()
    expect(page.locator("#slide")).to_have_attribute("aria-valuetext", re.compile("1 Nov 2026"))
    assert faults.said == []
    plain, _ = look.page(390, java_script_enabled=False)
    plain.goto(f"{look.origin}/quality")
    expect(plain.locator("#slide")).to_be_hidden()
    plain.get_by_label("Prices and ratings on").fill("2026-11-02")
    plain.get_by_role("button", name="Show that day").click()
    expect(plain).to_have_url(re.compile("date=2026-11-02"))
    look.at("/quality?near=best-1&delta=20&date=2026-11-02", "quality-near-small")
