"""Review: whose money hangs on a doubt, who may decide, and what follows from a decision.

`m-1` at Acme serves at 4 USD per Mtok of input, and another source says 5. Alpha used 3 Mtok of it in thirty days.
`m-one-prod` means nothing; 2 Mtok wait on it.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import expect

from dashboards import access
from dashboards.models import AuditEntry, Person
from dashboards.pages import review as pages
from pricing import names
from pricing.answers.review import Key, Size
from pricing.catalog.prices import accept_offerings
from pricing.models import Decision, Disagreement, NameDecision, Offering, Price
from tests.dashboards.browser import Look, axe_faults, look  # noqa: F401
from tests.dashboards.ledger_cast import World, client_of, world  # noqa: F401
from tests.dashboards.market_cast import make_claim, make_offering
from usage.models import ModelDailyCost

KEY = Key("input", "", "standard", 0, "", "")
SAYS = re.compile(r"<[^>]*>")


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", SAYS.sub(" ", html))


@pytest.fixture
def doubted(world: World) -> Offering:  # noqa: F811
    """An offering with two claims, its usage, and a name that nobody knows at the same seller."""
    offering = make_offering("m-1", name="Model One")
    for amount, source in (("4", "model_prices"), ("5", "genai_prices")):
        make_claim(offering, "input", amount, source=source, effective_from=None, basis="inferred", precision="unknown")
    make_claim(offering, "output", "8", source="model_prices")
    accept_offerings([offering.pk])
    names.forget()
    world.imported(
        "2026-11-10,alpha,k-alpha,ann,acme,m-1,3000000,1000000,10",
        "2026-09-10,alpha,k-alpha,ann,acme,m-1,7000000,1000000,10",
        "2026-11-11,alpha,k-alpha,ann,acme,m-one-prod,1500000,500000,4",
        scope="acme",
    )
    return offering


@pytest.fixture
def admin(world: World) -> Client:  # noqa: F811
    """An administrator of the instance who belongs to the organisation."""
    person = Person.objects.create_user("iris@acme.example", is_instance_admin=True)
    access.grant(person, "admin", world.organisation)
    return client_of(person)


def the_doubt() -> Disagreement:
    return Disagreement.objects.get(state__in=["open", "held"])


def served(offering: Offering) -> Decimal:
    return Price.objects.known_at().get(
        offering=offering, unit="input", superseded_at=None, effective_until=None
    ).amount  # fmt: skip


def cost_of(offering: Offering, day: date) -> Decimal | None:
    return ModelDailyCost.objects.filter(offering=offering, day=day).values_list("list_cost", flat=True).first()


# What hangs on a doubt


def size(served: str | None = "0.000004", said: str = "0.000005", **fields: Any) -> Size:
    given = {"key": KEY, "served_currency": "USD", "currency": "USD"} | fields
    return Size(1, "open", 7, served=Decimal(served) if served else None, said=Decimal(said), **given)


def in_usd(amount: Decimal, currency: str) -> Decimal | None:
    return amount if currency == "USD" else None


USED = pages.used([{"offering_id": 7, "service_tier": "", "cost_kind": "billed", "in_uncached": 3_000_000,
                    "in_cache_read": 0, "in_cache_write": 0, "out_total": 5}])  # fmt: skip


def test_a_stake_is_the_usage_of_the_unit_times_the_difference():
    assert pages.stake(size(), USED, in_usd) == pages.Stake(Decimal("3.000000"), 3_000_000, True)
    assert pages.stake(size(), USED, in_usd).said == "Up to $3.00 in 30 days"


def test_doubts_about_the_same_tokens_are_no_more_together_than_the_largest_of_them():
    long, twice = replace(size(), key=replace(size().key, context_from=200_000)), replace(size(), said=size().said * 2)
    output = replace(size(), key=replace(size().key, unit="output"))
    told = [(one, pages.stake(one, USED, in_usd)) for one in (size(), long, twice)]
    assert pages.together(told) == pages.stake(twice, USED, in_usd).usd
    assert pages.together([*told, (output, pages.Stake(Decimal(5), 1, True))]) == pages.together(told) + 5
    assert pages.together([(size(), pages.Stake(None, 1, True))]) == 0


def test_what_is_not_in_use_has_nothing_at_stake():
    assert pages.stake(size(), {}, in_usd) == pages.Stake(Decimal(0), 0, False)
    other_tier = size(key=Key("input", "", "batch", 0, "", ""))
    assert pages.stake(other_tier, USED, in_usd).said == "No tokens of it in 30 days"


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (size(None), "nothing serves instead"),
        (size(currency="CNY"), "no rate known for CNY"),
        (size(key=Key("web_search", "", "standard", 0, "", "")), "web search is not counted apart"),
    ],
)
def test_an_unknown_stake_is_not_zero_and_says_why(one: Size, why: str):
    found = pages.stake(one, USED, in_usd)
    assert (found.usd, found.why_unknown) == (None, why)


@pytest.mark.parametrize(
    ("tally", "said"),
    [
        ((0, 0, 0, "0", 0), "No price is in doubt, and every name is known."),
        ((1, 1, 0, "0", 0), "Two prices are in doubt. None touches your money."),
        ((0, 1, 1, "3", 0), "One price is in doubt, and it touches your money: Best, up to $3.00 in 30 days."),
        ((1, 1, 1, "3", 0), "Two prices are in doubt. One touches your money: Best, up to $3.00 in 30 days."),
        ((2, 1, 2, "1234.5", 0), "Three prices are in doubt. Two touch your money, up to $1,235 in 30 days."),
        ((1, 0, 1, "0", 0), "One price is in doubt. One is in your usage, for an unknown amount."),
        ((0, 0, 0, "0", 2), "No price is in doubt. Two names mean nothing here, and 5.00 Mtok wait on a word."),
    ],
)
def test_the_finding_says_how_many_whose_money_and_what_has_no_name(tally: tuple[Any, ...], said: str):
    held, opened, touching, usd, unnamed = tally
    found = pages.Tally(
        held, opened, touching, Decimal(usd), 0, unnamed, 5_000_000, has_usage=True, dearest="Best"
    )  # fmt: skip
    assert pages.finding(found) == said


def test_near_spellings_are_offered_the_likest_first():
    assert pages.near("claude-sonnet-4.5-prod", {1: "gpt-9", 2: "claude-sonnet-4-5", 3: "claude-opus-4"})[0] == 2
    assert pages.near("larkfield", {1: "gpt-9"}) == []


# The page


def test_a_doubt_is_shown_with_both_amounts_their_sources_and_the_money_at_stake(world: World, doubted: Offering):  # noqa: F811
    html = world.admin.get("/review").content.decode()
    said = text_of(html)
    assert "One price is in doubt, and it touches your money: Model One, up to $3.00 in 30 days." in said
    assert "Model One, input: $4.00 or $5.00?" in said
    assert "genai_prices" in said
    assert "model_prices" in said
    assert the_doubt().why in said
    assert f'href="/models/m-1/evidence/{Price.objects.get(offering=doubted, unit="input").pk}"' in html
    assert "5.00 Mtok wait on them" in said


def test_somebody_elses_project_weighs_nothing(world: World, doubted: Offering):  # noqa: F811
    alpha_sees = text_of(world.alpha_only.get("/review").content.decode())
    charlie_sees = text_of(world.charlie.get("/review").content.decode())
    assert "up to $3.00" in alpha_sees
    assert "One price is in doubt." in charlie_sees
    assert "$3.00" not in charlie_sees
    assert "m-one-prod" not in world.charlie.get("/review/names").content.decode()


def test_held_doubts_come_first_then_the_most_money(world: World, doubted: Offering):  # noqa: F811
    others = [make_offering(f"n-{i}", name=f"Other {i}") for i in range(2)]
    for offering in others:
        for amount, source in (("1", "genai_prices"), ("1.2", "model_prices")):
            make_claim(offering, "input", amount, source=source, effective_from=None, precision="unknown")
    accept_offerings([one.pk for one in others])
    Disagreement.objects.filter(offering=others[1]).update(state="held")
    Disagreement.objects.exclude(offering=others[1]).update(state="open")
    html = world.admin.get("/review").content.decode()
    assert re.findall(r'class="what">([^<]*?) <', html) == ["Other 1", "Model One", "Other 0"]
    rows = list(csv.DictReader(io.StringIO(world.admin.get("/review?format=csv").content.decode())))
    assert [(row["sku"], Decimal(row["at_stake_usd_30_days"])) for row in rows] == [("n-1", 0), ("m-1", 3), ("n-0", 0)]


def test_readers_see_and_only_instance_administrators_decide(world: World, doubted: Offering, client: Client):  # noqa: F811
    assert client.get("/review").status_code == 302
    html = world.admin.get("/review").content.decode()  # admin of the organisation, not of the instance
    assert "An administrator of this instance decides." in html
    assert "<button" not in html.split('id="decide"')[1].split("</main>")[0]
    body = {"verdict": "accept", "reason": "Because."}
    assert world.admin.post(f"/review/prices/{the_doubt().pk}", body).status_code == 404
    mapping = {"host": "acme", "name": "m-one-prod", "offering": doubted.pk, "reason": "Ours."}
    assert world.admin.post("/review/names/map", mapping).status_code == 404
    assert not Decision.objects.exists()
    assert not NameDecision.objects.exists()


def test_taking_the_other_amount_changes_the_price_and_rates_its_usage_again(
    admin: Client, doubted: Offering, django_capture_on_commit_callbacks: Any
):
    assert cost_of(doubted, date(2026, 11, 10)) == 20  # 3 × 4 + 1 × 8
    with django_capture_on_commit_callbacks(execute=True):
        answer = admin.post(f"/review/prices/{the_doubt().pk}", {"verdict": "accept", "reason": "On the invoice."})
    assert answer.headers["Location"] == "/review"
    assert served(doubted) == 5
    assert cost_of(doubted, date(2026, 11, 10)) == 23
    assert cost_of(doubted, date(2026, 9, 10)) == 43
    assert "No price is in doubt. Two names mean nothing here" in text_of(admin.get("/review").content.decode())
    log = text_of(admin.get("/review/decided").content.decode())
    assert "Took $5.00 per Mtok, input, as genai_prices says" in log
    assert "iris@acme.example" in log
    assert "On the invoice." in log
    entry = AuditEntry.objects.latest("pk")
    assert (entry.who, entry.action, entry.organisation) == ("iris@acme.example", "decided on a price", None)
    assert (entry.before, entry.after) == (None, {"verdict": "accept", "reason": "On the invoice."})


def test_a_refused_claim_settles_the_doubt_and_can_be_taken_back(admin: Client, doubted: Offering):
    admin.post(f"/review/prices/{the_doubt().pk}", {"verdict": "reject", "reason": "An old list."})
    decision = Decision.objects.get()
    assert (decision.verdict, decision.person, served(doubted)) == ("reject", "iris@acme.example", 4)
    assert not Disagreement.objects.filter(state__in=["open", "held"]).exists()
    admin.post(f"/review/decided/price/{decision.pk}/revoke")
    assert the_doubt().claim == decision.claim
    assert "taken back" in admin.get("/review/decided").content.decode()
    assert admin.post(f"/review/decided/price/{decision.pk}/revoke").status_code == 404
    assert AuditEntry.objects.latest("pk").action == "took back a decision"


def test_without_a_reason_nothing_is_decided_and_the_page_says_so(admin: Client, doubted: Offering):
    answer = admin.post(f"/review/prices/{the_doubt().pk}", {"verdict": "accept", "reason": "  "})
    assert answer.status_code == 422
    assert "Give the reason" in answer.content.decode()
    assert admin.post(f"/review/prices/{the_doubt().pk}", {"verdict": "accept"}, headers={"HX-Request": "true"}).status_code == 200  # fmt: skip # noqa: E501
    assert not Decision.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_name_shows_what_waits_on_it_and_is_never_mapped_by_itself(admin: Client, doubted: Offering):
    html = admin.get("/review/names?host=acme&name=m-one-prod").content.decode()
    said = text_of(html)
    assert "“m-one-prod”" in said
    assert "Nothing at acme has this id" in said
    assert "2.00 Mtok" in said
    assert "no feed reports one: unknown is not zero" in said
    found = text_of(admin.get("/review/names?host=acme&name=m-one-prod&q=model+one").content.decode())
    assert "Found for “model one”" in found
    assert "checked" not in html
    assert names.resolver().resolve("m-one-prod", "acme").offering_id is None


def test_a_mapped_name_has_a_price_everywhere_and_the_mapping_can_be_taken_back(
    admin: Client, doubted: Offering, django_capture_on_commit_callbacks: Any
):
    body = {"host": "acme", "name": "m-one-prod", "offering": doubted.pk, "reason": "Our deployment."}
    with django_capture_on_commit_callbacks(execute=True):
        assert admin.post("/review/names/map", body).headers["Location"] == "/review/names"
    assert cost_of(doubted, date(2026, 11, 11)) == 10  # 1.5 × 4 + 0.5 × 8
    html = admin.get("/review/names").content.decode()
    assert "m-one-prod" not in html.split("</div>", 20)[-1].split('class="queue')[-1] or "mystery" in html
    with django_capture_on_commit_callbacks(execute=True):
        admin.post(f"/review/decided/name/{NameDecision.objects.get().pk}/revoke")
    assert cost_of(doubted, date(2026, 11, 11)) is None
    assert [(one.action, one.subject) for one in AuditEntry.objects.order_by("pk")] == [
        ("mapped a name", "“m-one-prod” at acme"),
        ("took back a mapping", "“m-one-prod” at acme"),
    ]
    assert "m-one-prod" in admin.get("/review/names").content.decode()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"reason": ""}, "Give the reason"),
        ({"offering": "99999999"}, "Pick the offering"),
        ({"offering": "x"}, "Pick the offering"),
        ({"host": ""}, "Say which name at which provider is meant."),
    ],
)
def test_a_mapping_that_cannot_be_taken_says_what_to_do(
    admin: Client, doubted: Offering, change: dict[str, str], said: str
):
    body = {"host": "acme", "name": "m-one-prod", "offering": str(doubted.pk), "reason": "Ours."} | change
    answer = admin.post("/review/names/map", body)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not NameDecision.objects.exists()


def test_what_was_never_there_is_404(admin: Client, doubted: Offering):
    assert admin.get("/review?doubt=99999").status_code == 404
    assert admin.post("/review/prices/99999", {"verdict": "accept", "reason": "x"}).status_code == 404
    assert admin.post("/review/decided/other/1/revoke").status_code == 404
    assert admin.get("/review/prices/1").status_code == 405


@pytest.mark.parametrize(
    ("path", "queries"), [("/review", 18), ("/review/names?host=acme&name=m-one-prod", 10), ("/review/decided", 6)]
)
def test_more_doubts_cost_no_more_queries(
    admin: Client, doubted: Offering, path: str, queries: int, django_assert_num_queries: Any
):
    for i in range(30):
        offering = make_offering(f"n-{i}", name=f"Other {i}")
        for amount, source in (("1", "genai_prices"), ("1.2", "model_prices")):
            make_claim(offering, "input", amount, source=source, effective_from=None, precision="unknown")
    accept_offerings(Offering.objects.filter(sku__startswith="n-").values_list("pk", flat=True))
    admin.get(path)
    with django_assert_num_queries(queries):
        assert admin.get(path).status_code == 200


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_deciding_in_the_browser_needs_a_reason_and_moves_on(
    look: Look, world: World, doubted: Offering  # noqa: F811
) -> None:  # fmt: skip
    iris = Person.objects.create_user("iris@acme.example", is_instance_admin=True)
    access.grant(iris, "admin", world.organisation)
    look.signed_in_as(iris)
    look.at("/review", "review-small")
    look.at("/review/names?host=acme&name=m-one-prod&q=model", "review-names")
    page, faults = look.page()
    page.goto(f"{look.origin}/review")
    page.get_by_role("button", name="Take $5.00").click()
    expect(page.get_by_label("Reason, kept with the price")).to_be_focused()
    page.get_by_label("Reason, kept with the price").fill("Seen on the vendor’s page.")
    page.get_by_role("button", name="Take $5.00").click()
    expect(page.get_by_role("status")).to_contain_text("the claim is taken")
    page.goto(f"{look.origin}/review/names?host=acme&name=m-one-prod")
    page.get_by_label("Find the offering it is").press_sequentially("model one")
    page.get_by_label("m-1").check()
    page.get_by_label("Reason, kept with the name").fill("Our deployment of it.")
    page.get_by_role("button", name="Map the name").click()
    expect(page.get_by_role("status")).to_contain_text("means m-1 from now on")
    page.goto(f"{look.origin}/review/decided")
    assert axe_faults(page) == []
    assert faults.said == []
    look.at("/review/decided", "review-decided")


def test_who_serves_is_among_the_voices_though_it_was_said_of_another_id(admin: Client, doubted: Offering) -> None:
    lender = make_offering("m-1-dated", name="Model One")
    lent = make_claim(
        lender, "input", "4", source="litellm", effective_from=None, basis="inferred", precision="unknown"
    )
    Disagreement.objects.filter(pk=the_doubt().pk).update(accepted=lent)
    html = admin.get(f"/review?doubt={the_doubt().pk}").content.decode()
    voices = html.split("Who says what")[1].split("</table>")[0]
    assert "litellm, of m-1-dated" in text_of(voices)
    assert "serves" in text_of(voices)
