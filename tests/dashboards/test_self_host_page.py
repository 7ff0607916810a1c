"""Self-host or buy: the published case, equal quality by rule, what is unknown stays so, the address is the state.

A run of the bundled table is of Llama 3.1 8B on one H100; here its weights are sold by two hosts.
"""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client

from dashboards.pages import self_host as pages
from pricing import gpu_rates
from pricing.models import LanguageModel, Offering, Price
from tests.dashboards.market_cast import NOW, make_offering, make_price, make_score
from tests.dashboards.test_money_evidence import read

ADDRESS = "/self-host"
SEPTEMBER = "/self-host?at=2024-09-05"


@pytest.fixture(autouse=True)
def rates(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboards.views.self_host.timezone.now", lambda: NOW)
    gpu_rates.load_bundled()


@pytest.fixture
def llama() -> dict[str, Offering]:
    LanguageModel.objects.create(
        slug="llama-3.1-8b-instruct", key="meta/llama-3-1-8b-instruct", maker="meta", name="Llama 3.1 8B Instruct",
        open_weights=True,
    )  # fmt: skip
    found = {}
    for host, into, out in (("cheap", "0.02", "0.05"), ("dear", "0.10", "0.10"), ("gratis", "0", "0")):
        found[host] = make_offering("llama-3.1-8b-instruct", host)
        for unit, amount in (("input", into), ("output", out)):
            make_price(found[host], unit, amount)
    found["batch"] = make_offering("llama-3.1-8b-instruct", "cheap", sku="llama-3.1-8b:batch")
    for unit in ("input", "output"):
        make_price(found["batch"], unit, "0.001")
    return found


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def page(client: Client, url: str = ADDRESS, status: int = 200) -> str:
    answer = client.get(url)
    assert answer.status_code == status
    return answer.content.decode()


def finding(client: Client, url: str = ADDRESS) -> str:
    found = re.search(r'<h1 class="finding">(.*?)</h1>', page(client, url), re.S)
    assert found is not None
    return re.sub(r"<[^>]*>", "", found[1])


def rows(client: Client, url: str) -> list[dict[str, str]]:
    body = client.get(url).content.decode()
    return list(csv.DictReader(io.StringIO(body)))


def test_the_published_case_of_september_2024_needs_nothing_but_its_day(client: Client, llama: Any) -> None:
    assert finding(client, SEPTEMBER) == (
        "Buying wins: even at full load a Mtok of Llama 3.1 8B Instruct on one H100 costs $0.0719, and OpenRouter asks "
        "$0.055."
    )
    full = rows(client, f"{SEPTEMBER}&format=csv")[-1]
    assert (full["utilisation"], full["usd_per_gpu_hour"]) == ("1", "3.02")
    assert D(full["usd_per_mtok"]).quantize(D("0.001")) == D("0.072")
    assert full["api_usd_per_mtok"] == "0.055"


def test_the_published_case_stands_without_any_catalogue(client: Client) -> None:
    assert "OpenRouter asks $0.055" in finding(client, SEPTEMBER)


def test_the_cheapest_paid_host_of_the_same_weights_is_what_it_is_compared_with(client: Client, llama: Any) -> None:
    html = page(client)
    assert "Cheap asks" in finding(client)
    assert f"/models/llama-3.1-8b-instruct/evidence/blend/{llama['cheap'].pk}?mix=6070.48:5595.07:0" in html
    table = html.split('id="apis"')[1].split("</table>", maxsplit=1)[0]
    assert re.findall(r'scope="row">(\w+)<', table) == ["Cheap", "Dear"]


def test_a_price_nobody_had_seen_by_the_day_gives_way_to_one_somebody_had(client: Client, llama: Any) -> None:
    late = make_offering("llama-3.1-8b-instruct", "late")
    for unit in ("input", "output"):
        make_price(late, unit, "0.001", since="2020-06-11", basis="inferred")
    html = page(client, SEPTEMBER)
    assert "OpenRouter asks $0.055" in finding(client, SEPTEMBER)
    assert "1 more price was first seen after this day" in text_of(html)
    # Where nobody says anything of the day, nothing is known of it.
    alone = "/self-host?at=2023-06-01&rate=3"
    assert finding(client, alone).endswith("; nobody saw a price of an API of equal quality by this day.")
    assert "1 price was first seen after this day" in text_of(page(client, alone))
    assert {row["api_usd_per_mtok"] for row in rows(client, f"{alone}&format=csv")} == {""}


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2024-07-06", "nobody saw a price"),
        ("2024-07-07", "OpenRouter, as seen on 5 Sep 2024, asks $0.055."),
        ("2024-09-01", "OpenRouter, as seen on 5 Sep 2024, asks $0.055."),
        ("2024-09-05", "OpenRouter asks $0.055."),
        ("2024-10-15", "OpenRouter asks $0.055."),
        ("2024-11-03", "OpenRouter asks $0.055."),  # what was seen by the day, though the next sight is nearer
    ],
)
def test_the_newest_fact_seen_by_the_day_stands_else_the_first_one_after_it_with_its_day(
    client: Client, llama: Any, day: str, said: str
) -> None:
    late = make_offering("llama-3.1-8b-instruct", "late")
    for unit in ("input", "output"):
        make_price(late, unit, "0.001", since="2020-06-11", basis="inferred")
    html = page(client, f"/self-host?at={day}&rate=3.02")
    assert said in finding(client, f"/self-host?at={day}&rate=3.02")
    assert "Late asks" not in html


def test_a_model_rated_as_high_stands_in_at_a_price_that_was_seen_by_the_day(client: Client) -> None:
    LanguageModel.objects.create(slug="own", key="acme/own", maker="acme", name="Own", open_weights=True)
    for name, price, since, basis in (
        ("seen", "0.40", "2025-01-01", "observed"),
        ("late", "0.01", "2020-06-11", "inferred"),
    ):
        offering = make_offering(name, name=name.title())
        for unit in ("input", "output"):
            make_price(offering, unit, price, since=since, basis=basis)
        make_score(name, name.title(), "1300")
    make_score("own", "Own", "1300")
    assert "Seen at Acme asks, $0.40" in finding(
        client, "/self-host?model=own&rate=2&input=1000&output=1000&at=2025-06-01"
    )


def test_without_a_seller_the_cheapest_model_rated_as_high_stands_in(client: Client) -> None:
    LanguageModel.objects.create(slug="own", key="acme/own", maker="acme", name="Own", open_weights=True)
    for name, price, rating in (("weak", "0.01", "1200"), ("equal", "0.40", "1300"), ("best", "9", "1500")):
        offering = make_offering(name, name=name.title())
        for unit in ("input", "output"):
            make_price(offering, unit, price)
        make_score(name, name.title(), rating)
    make_score("own", "Own", "1300")
    url = "/self-host?model=own&rate=2&input=1000&output=1000"
    assert finding(client, url) == (
        "Renting wins above 69.4% of full load: there a Mtok of Own on one H100 costs what Equal at Acme asks, $0.40; "
        "at full load it costs $0.278."
    )
    assert "Nobody sells Own at a known price: the cheapest model whose Arena rating is at least its 1300" in text_of(
        page(client, url)
    )


def test_without_an_equal_the_other_side_is_unknown_and_never_zero(client: Client) -> None:
    LanguageModel.objects.create(slug="own", key="acme/own", maker="acme", name="Own", open_weights=True)
    url = "/self-host?model=own&rate=2&input=1000&output=1000"
    assert finding(client, url).endswith("at full load; no API of equal quality has a known price.")
    html = page(client, url)
    assert "No API of equal quality is known" in html
    assert "$0.00" not in html
    assert {row["api_usd_per_mtok"] for row in rows(client, f"{url}&format=csv")} == {""}


def test_without_a_throughput_or_a_rate_the_page_asks_for_them(client: Client, llama: Any) -> None:
    LanguageModel.objects.create(slug="own", key="acme/own", maker="acme", name="Own", open_weights=True)
    assert "enter what you measured at full load" in finding(client, "/self-host?model=own")
    assert "No host’s rate of H100 is known in the half year before 1 Jan 2024" in finding(
        client, "/self-host?at=2024-01-01"
    )
    assert rows(client, "/self-host?model=own&format=csv") == []
    assert "No published run of Llama 3.1 8B Instruct on A100" in finding(client, "/self-host?gpu=A100")


def test_every_figure_of_the_form_is_in_the_address_and_in_the_sum(client: Client, llama: Any) -> None:
    url = "/self-host?rate=0.5&gpus=2&input=3000&output=1000&load=50&volume=4000&idle=30&staff=500&once=1200&months=6"
    html = page(client, url)
    assert url.removeprefix("/self-host") in html.replace("&amp;", "&")
    month = 2 * D("0.5") * 730 + 500 + 200
    assert f"= ${month:,.2f}" in text_of(html)
    # 4,000 Mtok on copies that serve 4,000 tokens/s × 700 h × 50 %, which is 5,040 Mtok: one is enough.
    assert "4,000 Mtok a month need one copy on two whole GPUs, used to 39.7%" in text_of(html)
    assert "On_demand" not in html


def test_what_cannot_be_meant_is_said_and_left_at_its_default(client: Client, llama: Any) -> None:
    html = page(client, "/self-host?rate=free&load=0&gpus=1.5&months=NaN&volume=1e99&run=none&at=soon", status=400)
    for said in (
        "“One GPU” is a number", "“Highest load” is a number from 0.1 to 100", "whole number from 1 to 1,024",
        "“Spread over”", "“Your volume”", "There is no published run “none”", "needs a day such as",
    ):  # fmt: skip
        assert said in html
    assert "There is no model “none”" in page(client, "/self-host?model=none", status=400)
    assert client.get("/self-host/figure.json?load=0").status_code == 400


def test_the_figure_draws_the_numbers_of_the_table(client: Client, llama: Any) -> None:
    answer = client.get("/self-host/figure.json?rate=0.5")
    assert len(answer.content) < 300_000
    wide = json.loads(answer.content)["wide"]
    line = wide["data"][0]
    drawn = dict(zip(line["x"], line["y"], strict=True))
    for row in rows(client, "/self-host?rate=0.5&format=csv"):
        assert drawn[float(D(row["utilisation"]) * 100)] == pytest.approx(float(row["usd_per_mtok"]))
    (even,) = [one for one in wide["data"] if one.get("hovertext", [""])[0].startswith("<b>Break-even")]
    first = rows(client, "/self-host?rate=0.5&format=csv")[0]
    assert even["x"][0] == pytest.approx(float(first["break_even_utilisation"]) * 100)
    assert even["y"][0] == pytest.approx(float(first["api_usd_per_mtok"]))


def test_a_free_gpu_and_a_free_api_break_nothing(client: Client) -> None:
    LanguageModel.objects.create(slug="own", key="acme/own", maker="acme", name="Own", open_weights=True)
    offering = make_offering("own", "cheap")
    for unit in ("input", "output"):
        make_price(offering, unit, "1")
    url = "/self-host?model=own&input=10&output=10&rate=0"
    assert finding(client, url) == "Renting wins at any load: one H100 costs nothing, and Cheap asks $1.00 per Mtok."
    assert client.get(url.replace("?", "/figure.json?")).status_code == 200


def test_the_address_is_read_as_it_is_written() -> None:
    asked, wrong = pages.read({"rate": "0.5", "load": "60", "at": "2024-09-05", "volume": "5,000", "gpu": "H100"})
    assert wrong == []
    assert asked.url() == "/self-host?gpu=H100&at=2024-09-05&rate=0.5&load=60&volume=5000"
    assert pages.Ask().url() == "/self-host"


def test_the_chart_credits_who_says_the_prices_of_the_catalogue(client: Client, llama: Any) -> None:
    said = Price.objects.filter(offering__in=list(llama.values())).credits()
    assert said
    assert f"Prices: {', '.join(said)}." in text_of(page(client))
    assert "Prices:" not in text_of(page(client, SEPTEMBER))  # a bundled fact, which names its own source


def test_the_page_asks_few_questions(client: Client, llama: Any, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(6):
        page(client)


def test_a_model_with_open_weights_and_price_per_quality_lead_here(client: Client, llama: Any) -> None:
    assert "/self-host?model=llama-3.1-8b-instruct" in page(client, "/models/llama-3.1-8b-instruct")
    assert 'href="/self-host"' in page(client, "/quality")


def test_every_money_figure_leads_to_its_evidence(client: Client, llama: Any) -> None:
    for url in ("/self-host", SEPTEMBER, "/self-host?rate=0.5&volume=9000&staff=10", "/self-host?gpu=A100"):
        found = read(page(client, url))
        assert found.figures
        assert [figure for figure, evidence in found.figures if evidence is None] == []
