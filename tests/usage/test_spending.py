"""What `spend` says, and that `verify` finds what it is there to find."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from pricing.models import ExchangeRate
from tests.usage.conftest import ImportFacts
from tests.usage.factories import (
    make_card,
    make_fact,
    make_offering,
    make_organisation,
    make_project,
    make_rule,
    make_source,
)
from usage import organisations, rollups
from usage.models import Assignment, Attribution, DailyCost, ImportBatch, Organisation, UsageDimension
from usage.period_querysets import smallest
from usage.spending import Sums, report
from usage.verification import checks, repair

pytestmark = pytest.mark.django_db


def test_spend_sums_what_is_known_and_counts_what_is_not(organisation: Organisation, import_facts: ImportFacts) -> None:
    make_card(make_offering())
    project = make_project(organisation, "shop")
    make_rule(organisation, [{"field": "path", "op": "equals", "value": "/shop"}], {project.pk: "1"})
    facts = [make_fact("a", path="/shop"), make_fact("b", "2026-03-11 00:00"), make_fact("c", model="who")]
    import_facts(facts)
    answer = report(organisation, group_by=["project", "model"])
    assert answer["total"]["list"] == "0.002400000000"
    assert (answer["coverage"]["priced_tokens"], answer["coverage"]["attributed"]) == ("0.666667", "0.500000")
    assert answer["coverage"]["unpriced_requests"] == 1
    groups = {(group["project"], group["model"], group["model_raw"]): group["list"] for group in answer["groups"]}
    assert groups == {
        ("shop", "model-a", None): "0.001200000000",
        (None, "model-a", None): "0.001200000000",
        (None, None, "who"): None,
    }
    days = report(organisation, date(2026, 3, 11), date(2026, 3, 12), ["day"])["groups"]
    assert [(group["day"], group["requests"]) for group in days] == [("2026-03-11", 1)]


@pytest.mark.parametrize("group_by", [[], ["model"], ["week", "model"], ["model", "week", "project"]])
def test_an_answer_over_time_has_the_groups_and_the_total_of_one_without(
    group_by: list[str], organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering())
    project = make_project(organisation, "shop")
    make_rule(organisation, [{"field": "path", "op": "equals", "value": "/shop"}], {project.pk: "1"})
    days = [("a", "2026-03-10 10:00", "/shop"), ("b", "2026-03-11 10:00", ""), ("c", "2026-03-18 10:00", "/shop")]
    import_facts([
        *(make_fact(key, when, path=path) for key, when, path in days),
        make_fact("d", "2026-03-19 10:00", model="who"),
        make_fact("e", "2026-03-20 10:00", cost_kind="notional", out_total=7),
    ])  # fmt: skip
    plain, over_time = (report(organisation, group_by=group_by, grain=grain) for grain in ("", "week"))
    series = over_time.pop("series")
    assert over_time == plain
    assert sum(Decimal(one["list"] or 0) for one in series) == Decimal(plain["total"]["list"])
    assert sum(one["requests"] for one in series) == plain["total"]["requests"] == 5


def test_notional_usage_is_in_no_total(organisation: Organisation, import_facts: ImportFacts) -> None:
    make_card(make_offering())
    import_facts([make_fact("a", cost_kind="notional"), make_fact("b")])
    total = report(organisation)["total"]
    assert (total["list"], total["notional"]) == ("0.001200000000", "0.001200000000")


def test_nothing_known_is_null_and_no_usage_is_zero(organisation: Organisation, import_facts: ImportFacts) -> None:
    assert report(organisation)["total"]["list"] == "0"
    import_facts([make_fact("a", in_cache_read=None)])
    total = report(organisation)["total"]
    assert (total["list"], total["reported"], total["in_cache_read"], total["in_uncached"]) == (None, None, None, 1_000)


def test_a_split_count_is_shown_beside_a_record_that_does_not_know_its_own(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    most, rest = make_project(organisation), make_project(organisation)
    make_rule(organisation, [{"field": "path", "op": "equals", "value": "/a"}], {most.pk: "0.7", rest.pk: "0.3"})
    make_rule(organisation, [], {rest.pk: "1"})
    import_facts([make_fact("a", path="/a", out_total=100), make_fact("b", path="/b", out_total=None)])
    answer = report(organisation, group_by=["project"])
    parts = {group["project"]: group["out_total"] for group in answer["groups"]}
    assert parts == {most.slug: 70, rest.slug: 30}
    assert answer["total"]["out_total"] == 100


@pytest.mark.parametrize("prices_at", [None, date(2026, 3, 12)])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("session", {"s1": 3, "s2": 3, "": 1}),
        ("is_batch", {"yes": 1, "no": 6}),
        ("model_family", {"fam": 6, "": 1}),
        ("account", {"": 7}),
    ],
)
def test_what_only_a_record_or_the_catalogue_says_groups_and_filters(
    name: str, expected: dict[str, int], prices_at: date | None, organisation: Organisation, import_facts: ImportFacts
) -> None:
    offering = make_offering()
    offering.model.family = "fam"
    offering.model.save()
    make_card(offering)
    most, rest = make_project(organisation), make_project(organisation)
    make_rule(organisation, [{"field": "path", "op": "equals", "value": "/a"}], {most.pk: "0.7", rest.pk: "0.3"})
    sessions = ["s1", "s1", "s2", "s2", "s1", "s2", ""]
    import_facts([
        make_fact(
            f"{n}", session=session, path=["", "/a"][n % 2], service_tier=["standard", "Batch"][n == 3],
            model=["model-a", "who"][n == 5],
        )
        for n, session in enumerate(sessions)
    ])  # fmt: skip
    answer = report(organisation, group_by=[name], prices_at=prices_at)
    assert {one[name]: one["requests"] for one in answer["groups"]} == expected
    whole = answer["total"]
    assert sum(Decimal(one["list"] or 0) for one in answer["groups"]) == Decimal(whole["list"])
    for group in answer["groups"]:
        alone = report(organisation, filters={name: [group[name]]}, prices_at=prices_at)["total"]
        assert (alone["list"], alone["requests"]) == (group["list"], group["requests"])
    split = report(organisation, group_by=[name, "project"], prices_at=prices_at)
    assert split["total"] == whole


def test_another_currency_enters_at_its_days_rate_or_stays_out(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering(), currency="CNY", input="7", output="0")
    import_facts([make_fact("a"), make_fact("b", "2026-03-01 00:00")])
    assert report(organisation)["coverage"]["unconverted"] == {"CNY": "0.014000000000"}
    ExchangeRate.objects.create(currency="CNY", day=date(2026, 3, 5), usd=Decimal("0.14"), source=make_source())
    answer = report(organisation)
    assert answer["total"]["list"] == "0.000980000000"
    assert answer["coverage"]["unconverted"] == {"CNY": "0.007000000000"}


def command(name: str, *words: str) -> Any:
    out = StringIO()
    call_command(name, *words, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_the_commands_answer_in_json(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("date,model,in,out\n2026-03-01,model-a,5,6\n2026-03-02,model-a,-5,6\n")
    columns = {"time": "date", "model": "model", "input": "in", "output": "out"}
    mapping = tmp_path / "mapping.json"
    mapping.write_text(json.dumps({"columns": columns, "grain": "1d"}))
    words = ("import_usage", "csv", str(path), "--scope", "export", "--mapping", str(mapping))
    assert command(*words, "--dry-run")["imported"] == 1
    found = command(*words)
    assert (found["lines"], found["imported"], sum(found["rejected"].values())) == (3, 1, 1)
    assert command("rate_usage")["records"] == 1
    assert command("spend", "--group-by", "source,month")["groups"][0]["month"] == "2026-03"


def test_the_command_groups_by_a_tag_and_calls_nobodys_and_unreported_by_their_names(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering())
    import_facts([make_fact("a", tags=(("team", "ml"),)), make_fact("b", model="mystery")])
    assert {group["tag:team"] for group in command("spend", "--group-by", "tag:team")["groups"]} == {"ml", ""}
    said = StringIO()
    call_command("spend", "--group-by", "model,project,tag:team", stdout=said)
    assert "model-a · unattributed · ml" in said.getvalue()
    assert "mystery · unattributed · not reported" in said.getvalue()


def test_a_question_that_makes_no_sense_ends_with_2(organisation: Organisation) -> None:
    backwards = ["--from", "2026-03-02", "--until", "2026-03-01"]
    for words in (["--group-by", "colour"], ["--organisation", "nobody"], backwards, ["--prices-at", "20260301"]):
        with pytest.raises(CommandError) as fault:
            call_command("spend", *words)
        assert fault.value.returncode == 2


def test_no_project_is_called_what_stands_for_usage_without_one(organisation: Organisation) -> None:
    assert organisations.create_project(organisation, "None").slug == "none-2"
    assert organisations.create_project(organisation, "None").slug == "none-3"
    with pytest.raises(ValueError, match="usage without a project"):
        organisations.create_project(organisation, "Whatever", "none")


def test_the_sample_goes_with_everything_in_it(organisation: Organisation, import_facts: ImportFacts) -> None:
    sample = organisations.create_organisation("Sample", sample=True)
    import_facts([make_fact("a")], into=sample)
    import_facts([make_fact("a")])
    assert organisations.chosen() == organisation
    assert organisations.remove_sample() == 1
    assert report(organisation)["total"]["requests"] == 1
    assert not list(checks())


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("UPDATE usage_dailycost SET list_cost = list_cost + 0.000000000001", "rollups"),
        ("DELETE FROM usage_modeldailycost", "rollups"),
        ("UPDATE usage_projectdailycost SET requests = requests + 1", "rollups"),
        ("UPDATE usage_offeringdailycost SET requests = requests + 1", "rollups"),
        ("UPDATE pricing_ratecard SET input = input * 2", "costs"),
        ("UPDATE pricing_ratecard SET input = NULL", "unknown"),
        ("UPDATE usage_importbatch SET lines = lines + 1", "lines"),
        ("UPDATE usage_attribution SET weights = '{0.9}', projects = '{1}'", "attribution"),
        ("UPDATE usage_usagerecord SET rate_card_id = rate_card_id + 1000000", "references"),
        ("DELETE FROM usage_assignment", "references"),
        (
            "INSERT INTO usage_usagerecord SELECT (jsonb_populate_record(r,"
            """ '{"occurred_at": "2026-04-01T00:00Z"}')).* FROM usage_usagerecord r""",
            "identity",
        ),
    ],
)
def test_verify_finds_what_is_broken(fault: str, check: str, import_facts: ImportFacts) -> None:
    make_card(make_offering())
    import_facts([make_fact("a", "2026-03-31 12:00"), make_fact("b", "2026-04-02 12:00")])
    with connection.cursor() as cursor:
        if check == "identity":
            cursor.execute("DELETE FROM usage_usagerecord WHERE record_key = 'b'")
        cursor.execute(fault)
    assert check in {finding.check for finding in checks()}


@pytest.mark.parametrize("model", [UsageDimension, ImportBatch])
def test_verify_finds_rows_that_are_another_organisations(model: Any, import_facts: ImportFacts) -> None:
    import_facts([make_fact("a")])
    model.objects.update(organisation=make_organisation())
    problem = f"The ledger names a row of {model._meta.db_table} that is another organisation's."
    assert problem in {finding.problem for finding in checks()}


def test_verify_finds_a_dimension_that_is_mapped_otherwise_than_the_rules_say(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    project = make_project(organisation, "shop")
    make_rule(organisation, [{"field": "path", "op": "equals", "value": "/shop"}], {project.pk: "1"})
    import_facts([make_fact("a", path="/shop"), make_fact("b", path="/else")])
    assert not list(checks())
    nobody = Attribution.objects.get(projects=[])
    Assignment.objects.exclude(attribution=nobody).update(attribution=nobody)
    rollups.rebuild(organisation.pk, [date(2026, 3, 10)])  # the sums follow the map, which is still wrong
    assert [one.problem for one in checks()] == ["Its projects are not what the rules say."]
    repair()
    assert not list(checks())
    assert DailyCost.objects.filter(project=project).exists()


def test_repair_recomputes_what_differs(import_facts: ImportFacts) -> None:
    make_card(make_offering())
    import_facts([make_fact("a"), make_fact("b", "2026-04-01 12:00")])
    DailyCost.objects.filter(day=date(2026, 4, 1)).update(list_cost=7)
    assert repair() == 1
    assert not list(checks())
    assert repair() == 0


@pytest.mark.parametrize("kind", ["list_cost", "contracted_cost", "reported_cost", "notional_cost", "spent"])
def test_a_group_with_the_least_money_of_any_kind_is_told(kind: str) -> None:
    """A split may give a project a part of the money and of no count."""
    assert not Sums().is_something
    assert Sums(**{kind: Decimal("1e-12")}).is_something


def test_a_free_grouping_is_what_the_rollups_sum(organisation: Organisation, import_facts: ImportFacts) -> None:
    """Records alike are summed first; those of several projects are split one by one, as the rollups split them."""
    make_card(make_offering())
    shop, lab = make_project(organisation, "shop"), make_project(organisation, "lab")
    make_rule(organisation, [{"field": "path", "op": "equals", "value": "/shop"}], {shop.pk: "1"})
    make_rule(organisation, [{"field": "path", "op": "equals", "value": "/both"}], {shop.pk: "0.7", lab.pk: "0.3"})
    kinds: list[dict[str, Any]] = [
        {},
        {"requests": None, "in_uncached": 333},
        {"in_cache_read": None, "in_cache_write": None},
        {"cost_reported": Decimal("0.0000001"), "currency": "USD"},
        {"cost_kind": "notional"},
        {"model": "who", "requests": None, "out_total": 7},
        {"model": "who", "cost_reported": Decimal(1), "currency": "USD", "cost_kind": "billed"},
    ]
    facts = [
        make_fact(f"{path}{n}{again}", f"2026-03-{10 + again % 2} 12:00", path=path, **kind)
        for path in ("/shop", "/both", "/none")
        for n, kind in enumerate(kinds)
        for again in range(3)
    ]
    import_facts(facts)
    told_apart = ("project", "model", "model_raw", "day")
    for keys in ((), ("project",), ("model",), ("day", "project", "model")):
        summed, told = report(organisation, group_by=keys), report(organisation, group_by=(*keys, "path"))
        assert told["total"] == summed["total"]
        for group in summed["groups"]:
            parts = [
                one for one in told["groups"] if all(one[name] == group[name] for name in group if name in told_apart)
            ]
            for name in ("list", "spent", "reported", "notional"):
                assert sum(Decimal(one[name] or 0) for one in parts) == Decimal(group[name] or 0), (keys, name)
            for name in ("requests", "in_uncached", "out_total", "unpriced_requests", "unpriced_tokens"):
                assert sum(one[name] or 0 for one in parts) == (group[name] or 0), (keys, name)


@pytest.mark.parametrize(
    ("columns", "rollup"),
    [
        ((), "OfferingDailyCost"),
        (("offering_id", "model_raw", "host"), "OfferingDailyCost"),
        (("project_id",), "ProjectDailyCost"),
        (("offering_id", "service_tier"), "ModelDailyCost"),
        (("connection_id",), "ModelDailyCost"),
        (("project_id", "offering_id"), "DailyCost"),
    ],
)
def test_a_question_is_put_to_the_smallest_rollup_that_knows_its_columns(columns: tuple[str, ...], rollup: str) -> None:
    assert smallest(columns).__name__ == f"Official{rollup}"
    assert smallest(columns, "Pending").__name__ == f"Pending{rollup}"


def test_a_record_that_does_not_know_one_of_its_counts_is_told_beside_the_money(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    make_card(make_offering())
    import_facts([make_fact("whole"), make_fact("part", out_total=None)])
    answer = report(organisation, grades=False)
    assert answer["total"]["list"] == "0.002200000000"
    kinds = ("in_uncached", "in_cache_read", "in_cache_write", "out_total")
    assert answer["coverage"]["unknown_counts"] == dict(zip(kinds, (0, 0, 0, 1), strict=True))


def test_a_line_of_a_bill_is_in_no_list_total_and_misses_nothing_there(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    nothing = dict.fromkeys(("in_uncached", "in_cache_read", "in_cache_write", "out_total"))
    paid = {"cost_reported": Decimal(10), "currency": "USD", "cost_kind": "billed"}
    import_facts([make_fact("search", model="", grain="1d", requests=1_001, **paid, **nothing)])
    answer = report(organisation, grades=False)
    assert (answer["total"]["spent"], answer["total"]["requests"]) == ("10.000000000000", 1_001)
    assert (answer["coverage"]["unpriced_requests"], answer["coverage"]["unpriced_tokens"]) == (0, 0)
    assert set(answer["coverage"]["unknown_counts"].values()) == {0}
    by_records = report(organisation, group_by=["operation"], grades=False)
    assert by_records["coverage"]["unpriced_requests"] == 0


def test_of_bills_and_usage_without_a_model_only_the_usage_is_unpriced(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    nothing = dict.fromkeys(("in_uncached", "in_cache_read", "in_cache_write", "out_total"))
    paid = {"model": "", "cost_reported": Decimal(10), "currency": "USD"}
    alike = [make_fact("line", requests=1_001, **paid, **nothing), make_fact("log", requests=3, **paid)]
    import_facts(alike)
    for group_by in ([], ["operation"]):
        assert report(organisation, group_by=group_by, grades=False)["coverage"]["unpriced_requests"] == 3


def test_the_smaller_part_of_what_has_no_price_is_unknown_too(
    organisation: Organisation, import_facts: ImportFacts
) -> None:
    large, small = make_project(organisation, "large"), make_project(organisation, "small")
    make_rule(organisation, [], {large.pk: "0.75", small.pk: "0.25"})
    import_facts([make_fact("a", model="nobody-knows")])
    groups = report(organisation, group_by=["project"], grades=False)["groups"]
    assert [(group["project"], group["spent"], group["list"]) for group in groups] == [
        ("large", None, None),
        ("small", None, None),
    ]
