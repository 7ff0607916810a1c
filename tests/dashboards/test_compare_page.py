"""Compare: ratios on each basis with the rate and the day used, unknown never a guess, the address is the choice.

Plus costs 0.8 CNY of input in China, 2 above 131,072 tokens, and 0.40 USD elsewhere; Pro costs 2.00 USD. On
20 November a yuan was worth 0.1406 USD.
"""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import expect

from pricing.answers import compare as read
from pricing.answers.rates import rates
from pricing.models import ExchangeRate, Offering
from tests.dashboards.browser import Look, axe_faults, look  # noqa: F401
from tests.dashboards.market_cast import NOW, PEAK, make_offering, make_price, make_source

PRO, PLUS, PLUS_CN = "acme:pro-3", "umbra:plus", "umbra:plus@cn"
ALL = f"/compare?o={PRO}&o={PLUS}&o={PLUS_CN}"


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html)).replace(" )", ")").replace("( ", "(").replace(" ,", ",")


def finding_of(html: str) -> str:
    found = re.search(r'<h1 class="finding">(.*?)</h1>', html, re.S)
    assert found is not None
    return re.sub(r"<[^>]*>", "", found[1])


def cells_of(html: str, row: str) -> list[str]:
    """The words of each cell of the first row of this name in the table of prices."""
    table = html.split('<table class="compare">')[1].split("</table>", maxsplit=1)[0]
    for found in re.findall(r"<tr.*?</tr>", table, re.S):
        head, *cells = re.split(r"<td[^>]*>", found)
        if text_of(head.split("</th>")[0]).strip().startswith(row):
            return [text_of(cell).strip() for cell in cells]
    raise AssertionError(f"no row {row}")


def make_rate(day: str, usd: str) -> None:
    source = make_source("ecb")
    source.name = "ECB"
    source.save()
    ExchangeRate.objects.create(currency="CNY", day=date.fromisoformat(day), usd=D(usd), source=source)


@pytest.fixture
def shop(db: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, Offering]:
    monkeypatch.setattr("dashboards.views.compare.timezone.now", lambda: NOW)
    pro = make_offering("pro-3", name="Pro 3", context_window=1_000_000, open_weights=False)
    plus = make_offering("plus", "umbra", maker="umbra", name="Plus", open_weights=True)
    china = Offering.objects.create(provider=plus.provider, model=plus.model, sku="plus", region="cn")
    for offering, unit, amount, more in (
        (pro, "input", "2", {}), (pro, "output", "12", {}), (pro, "input", "1", {"service_tier": "batch"}),
        (pro, "web_search", "14", {"per": 1000}), (pro, "input", "3", {"schedule": PEAK}),
        (plus, "input", "0.5", {"until": "2026-06-01"}), (plus, "input", "0.4", {"since": "2026-06-01"}),
        (plus, "output", "2.4", {}),
        (china, "input", "0.8", {"currency": "CNY"}), (china, "output", "4.8", {"currency": "CNY"}),
        (china, "input", "2", {"currency": "CNY", "context_from": 131_072, "context_op": ">",
                               "context_mode": "whole_request"}),
    ):  # fmt: skip
        make_price(offering, unit, amount, **more)
    return {"pro": pro, "plus": plus, "china": china}


@pytest.fixture
def yuan(shop: Any) -> None:
    make_rate("2026-03-02", "0.125")
    make_rate("2026-11-12", "0.1406")
    make_rate("2027-01-01", "9")  # of a day to come: never used


def test_the_finding_states_the_ratio_on_each_basis(client: Client, yuan: None) -> None:
    html = client.get(ALL).content.decode()
    assert finding_of(html) == (
        "Pro 3 input costs 18× Plus at Umbra, cn (CN¥0.80, $0.112) and 5.0× Plus at Umbra ($0.40)."
    )
    assert "CNY at 0.1406 USD per CNY, ECB, 12 Nov 2026" in text_of(html.split('class="scope"')[1][:600])
    assert "at 0.1406 USD per CNY, ECB, 12 Nov 2026" in text_of(html.split('id="bases"')[1])


def test_each_price_stands_in_its_own_currency_with_its_worth_and_its_multiple(client: Client, yuan: None) -> None:
    html = client.get(ALL).content.decode()
    pro, plus, china = cells_of(html, "Input")
    assert pro.startswith("$2.00 18×")
    assert plus.startswith("$0.40 3.6×")
    assert china.startswith("CN¥0.80 cheapest")
    assert china.endswith("≈ $0.112 at 0.1406 USD per CNY, ECB, 12 Nov 2026")
    assert cells_of(html, "Web search")[1:] == ["not stated", "not stated"]
    assert "Prompts" not in html
    assert "Standard, prompts over 131,072 tokens" in html


def test_what_is_no_longer_sold_is_compared_and_never_the_cheapest(client: Client, yuan: None) -> None:
    Offering.objects.filter(sku="plus", region="cn").update(retired_at=datetime(2026, 10, 26, tzinfo=UTC))
    html = client.get(ALL).content.decode()
    assert finding_of(html) == (
        "Pro 3 input costs 18× Plus at Umbra, cn (CN¥0.80, $0.112) and 5.0× Plus at Umbra ($0.40). "
        "Plus at Umbra, cn is no longer sold."
    )
    pro, plus, china = cells_of(html, "Input")
    assert pro.startswith("$2.00 5.0×")
    assert plus.startswith("$0.40 cheapest")
    assert china.startswith("CN¥0.80 no longer sold")
    ends = [line.split(",")[5] for line in client.get(f"/compare/history.csv?{ALL.split('?')[1]}").content.decode()
            .splitlines() if line.startswith("umbra,plus,cn")]  # fmt: skip
    assert ends == ["2026-10-26T00:00:00+00:00"]
    before = client.get(f"{ALL}&at=2026-10-25").content.decode()
    assert "no longer sold" not in finding_of(before)
    assert cells_of(before, "Input")[2].startswith("CN¥0.80 cheapest")


def test_without_a_rate_nothing_is_guessed(client: Client, shop: Any) -> None:
    html = client.get(ALL).content.decode()
    assert finding_of(html) == "Pro 3 input costs 5.0× Plus at Umbra ($0.40)."
    _, plus, china = cells_of(html, "Input")
    assert china == "CN¥0.80 C no rate known"
    assert "cheapest" in plus
    only = f"/compare?o={PRO}&o={PLUS_CN}"
    assert "share no currency, and no rate between them is known" in finding_of(client.get(only).content.decode())


def test_the_blend_follows_the_mix_and_never_mixes_currencies(client: Client, yuan: None) -> None:
    assert [cell.split(" ")[0] for cell in cells_of(client.get(ALL).content.decode(), "Blended 3 : 1")] == [
        "$4.50", "$0.90", "CN¥1.80",
    ]  # fmt: skip
    html = client.get(f"{ALL}&mix=1:1&unit=blend").content.decode()
    assert cells_of(html, "Blended 1 : 1")[0].startswith("$7.00")
    assert finding_of(html).startswith("Pro 3 blended 1 : 1 costs")
    cached = cells_of(client.get(f"{ALL}&mix=1:1:1").content.decode(), "Blended 1 : 1 : 1")
    assert cached == ["not stated"] * 3  # nobody states a cached price: unknown, not free


def test_a_free_price_is_no_basis_of_a_ratio(client: Client, yuan: None) -> None:
    gratis = make_offering("gratis", "umbra", maker="umbra", name="Gratis")
    make_price(gratis, "input", "0")
    html = client.get(f"/compare?o={PRO}&o=umbra:gratis").content.decode()
    assert finding_of(html) == "Only Pro 3 asks money for input."
    assert cells_of(html, "Input") == ["$2.00 not free C", "$0.00 free cheapest C"]


def test_a_day_in_the_address_takes_the_prices_and_the_rate_of_that_day(client: Client, yuan: None) -> None:
    html = client.get(f"{ALL}&at=2026-05-01").content.decode()
    assert finding_of(html) == (
        "Pro 3 input costs 20× Plus at Umbra, cn (CN¥0.80, $0.10) and 4.0× Plus at Umbra ($0.50)."
    )
    assert "at 0.125 USD per CNY, ECB, 2 Mar 2026" in text_of(html)


def test_more_than_six_and_what_is_not_there_are_said(client: Client, shop: Any) -> None:
    for i in range(6):
        make_offering(f"m-{i}", name=f"Model {i}")
    refs = "&".join(f"o=acme:m-{i}" for i in range(6))
    html = client.get(f"/compare?{refs}&o={PRO}&o=acme:nobody").content.decode()
    assert "Six offerings fit beside each other; left out: Pro 3 at Acme." in html
    assert "There is no offering “acme:nobody”" in html
    assert "Add an offering" not in html
    assert "not “bogus”" in client.get("/compare?unit=bogus").content.decode()
    assert client.get("/compare?o=%00&o=1:2@3&o=:&mix=x&at=y").status_code == 200


def test_an_offering_is_named_by_number_by_id_or_by_an_alias_of_its_seller(shop: dict[str, Offering]) -> None:
    odd = make_offering("odd", "hoster", sku="acme/odd:free@v2")
    found, missing = read.named([str(shop["pro"].pk), PLUS_CN, "hoster:acme/odd:free@v2", PRO, "hoster:x"])
    assert [one.id for one in found] == [shop["pro"].pk, shop["china"].pk, odd.pk]
    assert missing == ["hoster:x"]
    assert read.named([found[2].ref])[0] == [found[2]]


def test_searching_adds_and_removing_takes_away(client: Client, shop: Any) -> None:
    html = client.get(f"/compare?o={PRO}&q=plus+cn&unit=output").content.decode()
    added = re.search(r'<ul class="results"><li><a href="([^"]+)"', html)
    assert added is not None
    assert added[1] == f"/compare?o={PRO}&amp;o=umbra:plus@cn&amp;unit=output"
    assert f'href="/compare?o={PLUS}&amp;o={PLUS_CN}">Remove' in client.get(ALL).content.decode()
    assert "Nothing is sold under" in client.get("/compare?q=zzz").content.decode()
    assert "Start with one offering" in client.get("/compare").content.decode()


def test_the_chart_steps_with_the_price_and_with_the_rate(client: Client, yuan: None) -> None:
    figure = json.loads(client.get(ALL.replace("?", "/history.json?")).content)
    pro, plus, china = figure["wide"]["data"]
    assert plus["y"] == [0.5, 0.5, 0.4, 0.4]
    # Nothing is known of the rate before March: a gap, not a guess.
    assert china["y"][:2] == [None, None]
    assert china["y"][2:] == pytest.approx([0.1, 0.1, 0.11248, 0.11248])
    assert {trace["line"]["shape"] for trace in (pro, plus, china)} == {"hv"}


def test_the_tables_as_csv_are_in_full_digits(client: Client, yuan: None) -> None:
    rows = list(csv.DictReader(io.StringIO(client.get(f"{ALL}&format=csv").content.decode())))
    china = next(row for row in rows if row["unit"] == "Input" and row["region"] == "cn" and row["terms"] == "standard")
    assert (china["amount"], china["currency"], china["usd"], china["mark"]) == ("0.8", "CNY", "0.11248", "cheapest")
    steps = list(csv.DictReader(io.StringIO(client.get(ALL.replace("?", "/history.csv?")).content.decode())))
    plus = [row for row in steps if row["sku"] == "plus" and not row["region"]]
    assert [row["usd_per_mtok_at_start"] for row in plus] == ["0.4", "0.5"]
    assert [row["rate"] for row in steps if row["region"] == "cn"] == ["no rate known"]


def test_every_price_opens_its_evidence(client: Client, yuan: None) -> None:
    html = client.get(ALL).content.decode()
    links = set(re.findall(r'class="ev" href="([^"]+)"', html))
    assert len(links) >= 8
    for link in links:
        assert client.get(link.replace("&amp;", "&"), {"part": "evidence"}).status_code == 200, link


def test_a_rate_is_of_the_day_or_the_last_before(yuan: None) -> None:
    known = rates({"CNY", "USD", "EUR"}, date(2026, 11, 16), date(2026, 1, 1))
    assert known.on("USD", date(2020, 1, 1)).usd == 1  # type: ignore[union-attr]
    assert known.on("CNY", date(2026, 3, 1)) is None
    assert known.on("CNY", date(2026, 3, 2)).usd == D("0.125")  # type: ignore[union-attr]
    assert known.on("CNY", date(2026, 11, 11)).day == date(2026, 3, 2)  # type: ignore[union-attr]
    assert known.on("EUR", date(2026, 11, 16)) is None
    assert rates({"CNY"}, date(2026, 11, 16)).on("CNY", date(2026, 11, 16)).usd == D("0.1406")  # type: ignore[union-attr]


def test_the_catalogue_is_for_who_is_signed_in_unless_it_is_public(client: Client, shop: Any, settings: Any) -> None:
    settings.PUBLIC_CATALOG = False
    assert client.get("/compare").status_code == 302


def test_six_offerings_take_no_more_queries_than_two(
    client: Client, yuan: None, django_assert_num_queries: Any
) -> None:
    for refs in (f"o={PRO}&o={PLUS_CN}", f"o={PRO}&o={PLUS}&o={PLUS_CN}"):
        with django_assert_num_queries(4):
            client.get(f"/compare?{refs}")


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_offerings_are_added_in_the_browser(look: Look, yuan: None) -> None:  # noqa: F811
    look.at(ALL, "compare")
    look.at("/compare?q=plus", "compare-empty")
    page, faults = look.page()
    page.goto(f"{look.origin}/compare?o={PRO}")
    page.get_by_label("Add an offering").press_sequentially("plus")
    page.get_by_role("link", name="Plus Umbra, plus, cn").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Pro 3 input costs 18× Plus")
    assert axe_faults(page) == []
    assert faults.said == []
