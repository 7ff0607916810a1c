"""The queues by money, and which feed gave a day what: what they say, and to whom."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest

from dashboards.models import AuditEntry
from pricing import names
from pricing.models import Offering
from tests.dashboards.ledger_cast import World, world  # noqa: F401
from tests.usage.factories import make_card
from usage import ingest
from usage.models import Connection, Settlement

DAYS = "from=2026-11-09&until=2026-11-16"


def text(answer: Any) -> str:
    bare = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", unescape(bare))


def lines(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def test_unattributed_money_stands_by_key_dearest_first_and_leads_to_a_rule(world: World) -> None:  # noqa: F811
    world.imported("2026-11-14,,k-other,,seller,model-a,1000000,1000000,1", scope="late")
    answer = world.admin.get(f"/unattributed?{DAYS}")
    assert "$11.00 of 9–15 Nov 2026 has no project." in text(answer)
    assert "/rules/new?field=ext_api_key&amp;value=k-stray" in answer.content.decode()
    found = lines(world.admin.get(f"/unattributed?{DAYS}&format=csv"))
    assert [(row["API key"], Decimal(row["spent, USD"])) for row in found] == [("k-stray", 8), ("k-other", 3)]


@pytest.mark.parametrize("by", ["ext_api_key", "ext_user", "path", "branch", "scope", "host", "model"])
def test_unattributed_money_is_the_same_by_whatever_it_is_listed(world: World, by: str) -> None:  # noqa: F811
    found = lines(world.admin.get(f"/unattributed?{DAYS}&by={by}&format=csv"))
    assert sum(Decimal(row["spent, USD"]) for row in found) == 8


def test_a_rule_from_a_model_asks_for_the_model_and_from_a_name_that_means_none_for_the_name(world: World) -> None:  # noqa: F811
    dated = Offering.objects.create(
        provider=world.offering.provider, sku="model-a-20260101", region="", model=world.offering.model
    )
    make_card(dated)
    names.forget()
    world.imported(
        "2026-11-14,,k-other,,seller,model-a-20260101,1000000,1000000,1",
        "2026-11-14,,k-other,,seller,riddle,1000000,1000000,1",
        scope="late",
    )
    page = world.admin.get(f"/unattributed?{DAYS}&by=model").content.decode()
    assert "/rules/new?field=model&amp;value=model-a" in page
    assert "/rules/new?field=model_raw&amp;value=riddle" in page


def test_tokens_that_nobody_tells_of_are_unknown_in_the_queue(world: World) -> None:  # noqa: F811
    mapping = {"columns": {"time": "day", "host": "host", "model": "model", "cost": "cost"}, "grain": "1d",
               "currency": "USD", "cost_kind": "billed"}  # fmt: skip
    world.imported("2026-11-12,elsewhere,support plan,39", scope="bill", head="day,host,model,cost", mapping=mapping)
    found = {row["host"]: row for row in lines(world.admin.get(f"/unattributed?{DAYS}&by=host&format=csv"))}
    assert (Decimal(found["elsewhere"]["spent, USD"]), found["elsewhere"]["tokens"]) == (39, "")


def test_what_has_no_price_says_why_and_what_to_do(world: World) -> None:  # noqa: F811
    answer = world.admin.get(f"/unpriced?{DAYS}")
    assert "3.00 Mtok of 1 name has no list price" in text(answer)
    assert "The name means nothing the catalogue knows." in text(answer)
    assert 'href="/review/names"' in answer.content.decode()
    assert lines(world.alpha_only.get(f"/unpriced?{DAYS}&format=csv")) == []  # it is beta's


def test_people_of_one_project_learn_nothing_of_the_organisation(world: World) -> None:  # noqa: F811
    for page in ("/unattributed", "/feeds"):
        assert world.alpha_only.get(page).status_code == 404
        assert world.charlie.get(page).status_code == 404


def test_a_day_told_twice_shows_who_won_and_by_how_much_the_other_is_off(world: World) -> None:  # noqa: F811
    path = world.folder / "more.jsonl"
    path.write_text(
        '{"day": "2026-11-10", "model": "model-a", "host": "seller", "input": 20000000, "output": 9000000}\n'
    )
    columns = {name: name for name in ("model", "host", "input", "output")} | {"time": "day"}
    ingest.import_paths(world.organisation, "jsonl", [path], "log", {"columns": columns, "grain": "1d"})
    assert Settlement.objects.count() == 1
    page = text(world.admin.get(f"/feeds?{DAYS}"))
    assert "$78.00 came in for $40.00 spent" in page
    assert "nothing: told better by others" in page
    assert "−$2.00" in page


def test_an_administrator_names_an_account_and_the_log_keeps_it(world: World) -> None:  # noqa: F811
    feed = Connection.objects.get(organisation=world.organisation)
    assert world.alpha_only.post(f"/feeds/{feed.pk}/account", {"account": "eu"}).status_code == 404
    assert world.charlie.post(f"/feeds/{feed.pk}/account", {"account": "eu"}).status_code == 404
    assert world.admin.post(f"/feeds/{feed.pk}/account", {"account": " eu "}).status_code == 302
    feed.refresh_from_db()
    entry = AuditEntry.objects.latest("id")
    assert (feed.account, entry.before, entry.after) == ("eu", {"account": ""}, {"account": "eu"})


def test_a_part_of_an_invoiced_month_says_where_its_money_stands(world: World) -> None:  # noqa: F811
    path = world.folder / "invoice.csv"
    path.write_text("month,model,usd\n2026-11-01,,90\n")
    mapping = {
        "columns": {"time": "month", "model": "model", "cost": "usd"}, "constants": {"host": "seller"},
        "grain": "1mo", "currency": "USD", "cost_kind": "billed",
    }  # fmt: skip
    ingest.import_paths(world.organisation, "csv", [path], "finance", mapping)
    page = text(world.admin.get(f"/feeds?{DAYS}"))
    assert "seller as one with 1–30 Nov 2026, told in one sum" in page
    cut = "seller, 1–30 Nov 2026"
    assert cut in text(world.admin.get(f"/spend?{DAYS}"))
    assert "told in one sum, which stands on the first day" in text(world.admin.get(f"/unattributed?{DAYS}"))
    assert cut not in text(world.admin.get("/spend?from=2026-11-01&until=2026-12-01"))
    assert cut not in text(world.alpha_only.get(f"/spend?{DAYS}"))
