"""A figure of the spend explorer is the sum of the rows it leads to, in every measure, whoever tells of the usage."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from decimal import Decimal
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from dashboards.pages.explore import Page
from dashboards.pages.project import ProjectPage
from dashboards.pages.records import DIMENSIONS
from dashboards.views import explore
from dashboards.views.spend import Reader
from tests.dashboards.ledger_cast import HEAD, MAPPING, World, world  # noqa: F401
from usage import assignments
from usage.models import AttributionRule, Connection, Settlement
from usage.questions import MEASURES, Question, read
from usage.settling import settle

DAYS = {"from": "2026-11-02", "until": "2026-11-16"}
COSTED: dict[str, Any] = MAPPING | {
    "columns": MAPPING["columns"] | {"cost": "cost"},
    "currency": "USD",
    "cost_kind": "billed",
}
GROUPINGS = (
    "", "project", "model", "provider", "maker", "host", "scope", "source", "service_tier", "cost_kind", "ext_api_key",
    "ext_user", "ext_project", "path", "selectors", "unpriced", "tag:team", "project,model", "ext_user,project",
)  # fmt: skip
FEW = ("", "project", "ext_user,project", "selectors", "cost_kind")
"""By what the page is asked: every group, part of one and total is followed to its rows."""


@pytest.fixture
def filled(world: World) -> World:  # noqa: F811
    """A feed without costs, a gateway that reports some, one that gives way to it, a seat, and a split."""
    head = f"{HEAD},cost"
    gateway = world.imported(
        "2026-11-10,alpha,k-gate,ann,seller,model-a,5000000,1000000,7,9.5",
        "2026-11-11,beta,k-gate,,seller,model-a,1000000,1000000,3,",
        "2026-11-12,,k-gate,,seller,mystery,1000000,0,2,0.25",
        scope="gateway", head=head, mapping=COSTED | {"cost_kind": "estimated"},
    )  # fmt: skip
    seat = world.imported(
        "2026-11-12,alpha,k-seat,bob,seller,model-a,3000000,0,2,",
        scope="seat", head=head, mapping=COSTED | {"cost_kind": "notional"},
    )  # fmt: skip
    assert (gateway.imported, seat.imported) == (3, 1)
    rule = AttributionRule.objects.get(organisation=world.organisation, outcome__0__project=world.beta.pk)
    assignments.save_rule(
        world.organisation, rule=rule, name="shared", conditions=rule.conditions, position=rule.position,
        shares=[{"project": world.alpha.pk, "weight": "0.3"}, {"project": world.beta.pk, "weight": "0.7"}],
    )  # fmt: skip
    return world


def rows(world: World, url: str) -> list[dict[str, str]]:  # noqa: F811
    answer = world.admin.get(url.replace("/records?", "/records.csv?"))
    assert answer.status_code == 200, url
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))


def added(found: list[dict[str, str]], measure: str) -> Decimal | None:
    column = explore.MEASURE_WORDS[measure].lower()
    known = [Decimal(row[column]) for row in found if row[column]]
    return sum(known, Decimal(0)) if known or not found else None


def asked(group_by: str, measure: str, **more: str) -> Question:
    words = {"group_by": group_by, "measure": measure, "grain": "week", **DAYS, **more}
    return read(words.items(), date(2026, 11, 18))


def page_of(world: World, question: Question) -> Page:  # noqa: F811
    reader = Reader(world.organisation, {one.pk: one for one in world.organisation.projects.all()}, None)
    answer = explore.spending.answered(world.organisation, question, projects=None)
    return explore.explore.compose(question, answer, explore._labels(reader, answer))


@pytest.mark.parametrize("measure", MEASURES)
def test_every_figure_is_the_sum_of_the_rows_it_leads_to(filled: World, measure: str) -> None:
    followed = 0
    for group_by in GROUPINGS if measure == "spent" else FEW:
        page = page_of(filled, asked(group_by, measure))
        for line in [*page.lines, page.total]:
            assert line.records, (group_by, line.name)
            found = added(rows(filled, line.records), measure)
            assert (found or 0) == (line.value or 0), (group_by, line.name, line.records)
            followed += 1
    assert followed > 15


def test_the_page_of_rows_says_the_figure_and_what_counts_of_each_row(filled: World) -> None:
    page = filled.admin.get("/spend/records", {"scope": "gateway", **DAYS})
    body = page.content.decode()
    # 9.50 reported, 3.00 at list price, 0.25 reported though the model has no price.
    assert page.context["behind"].total == Decimal("12.75")
    assert [(line.cost, line.basis) for line in page.context["lines"]] == [
        (Decimal("0.25"), "reported"), (Decimal(3), ""), (Decimal("9.5"), "reported"),
    ]  # fmt: skip
    assert "what the feed said it cost" in body
    listed = filled.admin.get("/spend/records", {"scope": "gateway", "measure": "list", **DAYS})
    assert [line.cost for line in listed.context["lines"]] == [None, Decimal(3), Decimal(7)]


def test_a_feed_that_gives_way_is_not_among_the_rows(filled: World) -> None:
    bill = filled.imported(
        "2026-11-10,alpha,k-gate,ann,seller,model-a,20000000,10000000,100,55",
        scope="bill", head=f"{HEAD},cost", mapping=COSTED | {"cost_kind": "estimated"},
    )  # fmt: skip
    assert bill.imported == 1
    Connection.objects.filter(scope="bill").update(importer="litellm_spend_logs")
    settle(filled.organisation.pk, [date(2026, 11, 10)])
    assert Settlement.objects.filter(organisation=filled.organisation).exists()
    for measure in ("spent", "list", "reported", "tokens"):
        for group_by in ("", "project", "source", "ext_user"):
            page = page_of(filled, asked(group_by, measure))
            for line in [*page.lines, page.total]:
                found = added(rows(filled, line.records), measure)
                # Spread over projects the rows are split by themselves, the rollups in sum.
                assert abs((found or 0) - (line.value or 0)) <= 1, (measure, group_by, line.name)
    whole = filled.admin.get("/spend/records", {"host": "seller", "from": "2026-11-10", "until": "2026-11-11"})
    assert whole.context["behind"].total == Decimal("49.5")  # not the 55 of the smaller bill


def shares(world: World, project: str, by: str) -> ProjectPage:  # noqa: F811
    answer = world.admin.get(f"/projects/{project}", {"by": by, "period": "custom", **DAYS})
    assert "Spend, USD" in answer.content.decode()
    page: ProjectPage = answer.context["shown"]
    return page


@pytest.mark.parametrize("by", DIMENSIONS)
def test_a_part_of_a_project_is_what_was_spent_in_the_rows_it_leads_to(filled: World, by: str) -> None:
    for project in ("alpha", "beta"):
        page = shares(filled, project, by)
        for share in page.shares:
            found = rows(filled, share.url)
            assert (added(found, "spent"), len(found)) == (share.cost, share.n), (project, share.name)
        assert sum(share.cost or 0 for share in page.shares) == page.total.sums.cost


def test_a_part_whose_money_another_feed_gives_is_unknown_and_leads_to_its_tokens(filled: World) -> None:
    day = "2026-11-14"
    filled.imported(f"{day},alpha,,,seller,model-a,,,,30", scope="bill", head=f"{HEAD},cost", mapping=COSTED)
    filled.imported(f"{day},alpha,k-cara,cara,seller,model-a,4000000,0,1", scope="usage")
    Connection.objects.filter(scope="bill").update(importer="openai_costs")
    Connection.objects.filter(scope="usage").update(importer="openai_usage")
    settle(filled.organisation.pk, [date.fromisoformat(day)])
    assert Settlement.objects.filter(money_feed="openai_costs/billed", usage_feed="openai_usage").exists()
    cara = next(share for share in shares(filled, "alpha", "user").shares if share.name == "cara")
    found = rows(filled, cara.url)
    assert (cara.cost, cara.tokens, cara.n) == (None, 4_000_000, 1)
    assert [(row["user"], row["tokens"]) for row in found] == [("cara", "4000000")]


def test_the_key_named_for_money_without_a_project_is_named_by_what_was_spent(filled: World) -> None:
    filled.imported(
        "2026-11-14,,k-dear,,seller,model-a,1000000,0,1,20", scope="dear", head=f"{HEAD},cost", mapping=COSTED
    )
    page = filled.admin.get("/").content.decode()
    told = re.search(r'Most of it, <a class="ev" href="([^"]+)">\$20.00</a>, comes from the key k-dear', page)
    assert told
    assert added(rows(filled, unescape(told[1])), "spent") == 20


def test_a_question_is_kept_in_every_address_of_its_parts(filled: World) -> None:
    page = filled.admin.get("/spend/records", {"ext_user": "", "measure": "tokens", "tag:team": "", **DAYS})
    for one in page.context["behind"].sums:
        kept = dict(parse_qsl(urlsplit(one.url).query, keep_blank_values=True))
        assert {"ext_user": "", "measure": "tokens", "tag:team": "", **DAYS}.items() <= kept.items()
        assert filled.admin.get(one.url).context["behind"].total == one.cost


def test_a_measure_that_does_not_exist_gets_a_sentence(filled: World) -> None:
    assert filled.admin.get("/spend/records?measure=guesses").status_code == 400
