"""The sample workspace: invented, the same every day, complete, and gone when it is removed."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from django.db.models import Sum

from usage import organisations, sample
from usage.importers import Fact, Rejected, claude_code
from usage.importers import csv as csv_importer
from usage.models import DailyCost, ImportBatch, Organisation, Project, UsageDimension, UsageRecord
from usage.sample_data import FEEDS, HAIKU, MAPPINGS, STREAMS, csv_export, transcripts

UNTIL = date(2026, 11, 16)


def lines_by_day(feed: str, until: date) -> dict[str, list[str]]:
    days: dict[str, list[str]] = {}
    for line in list(csv_export(feed, until))[1:]:
        days.setdefault(line.replace(";", ",").split(",")[0], []).append(line)
    return days


@pytest.mark.parametrize("feed", FEEDS)
def test_a_days_rows_are_the_same_whenever_the_sample_is_made(feed: str) -> None:
    sooner, later = lines_by_day(feed, UNTIL), lines_by_day(feed, UNTIL + timedelta(days=200))
    shared = (sooner.keys() & later.keys()) - {"Total"}
    assert len(shared) > 150
    assert all(sooner[day] == later[day] for day in shared)


def test_a_days_transcripts_are_the_same_whenever_the_sample_is_made() -> None:
    def replies(until: date) -> dict[str, set[str]]:
        days: dict[str, set[str]] = {}
        for _, lines in transcripts(until):
            for line in lines:
                if '"usage"' in line:
                    days.setdefault(line.split('"timestamp":"')[1][:10], set()).add(line)
        return days

    sooner, later = replies(UNTIL), replies(UNTIL + timedelta(days=200))
    shared = sooner.keys() & later.keys()
    assert len(shared) > 150
    assert all(sooner[day] == later[day] for day in shared)


def test_the_year_ends_yesterday_and_stays_below_thirty_thousand_rows() -> None:
    facts: list[Fact] = []
    rejected = Counter[str]()
    for feed in FEEDS:
        body = [f"{line}\n".encode() for line in csv_export(feed, UNTIL)]
        for outcome in csv_importer.parse(body, feed, MAPPINGS[feed]):
            facts += [outcome] if isinstance(outcome, Fact) else []
            rejected[feed] += isinstance(outcome, Rejected)
    for name, lines in transcripts(UNTIL):
        for outcome in claude_code.parse([line.encode() for line in lines], name, None):
            facts += [outcome] if isinstance(outcome, Fact) else []
            rejected["claude_code"] += isinstance(outcome, Rejected)
    days = sorted({fact.occurred_at.date() for fact in facts})
    assert (days[0], days[-1]) == (UNTIL - timedelta(days=365), UNTIL - timedelta(days=1))
    assert len(facts) < 30_000
    assert rejected == Counter(others=1, claude_code=1)
    assert len({fact.dimension.model_raw for fact in facts}) >= 12
    assert "batch" in {fact.service_tier for fact in facts}


def test_no_model_is_used_before_it_was_on_sale() -> None:
    """Days on which each model came on sale, from the vendors' announcements."""
    on_sale = {
        "claude-opus-4-5-20251101": "2025-11-24",
        "claude-opus-4-6": "2026-02-05",
        "claude-opus-4-7": "2026-04-16",
        "claude-opus-4-8": "2026-05-28",
        "claude-opus-5": "2026-07-24",
        "claude-sonnet-4-6": "2026-02-17",
        "claude-sonnet-5": "2026-06-30",
        "claude-sonnet-5-5": "2026-09-28",
        "claude-haiku-5-5": "2026-10-07",
        "gpt-5.1": "2025-11-13",
        "gpt-5.2": "2025-12-11",
        "gpt-5.4": "2026-03-05",
        "gpt-5.4-mini": "2026-03-17",
        "gpt-5.6-sol": "2026-07-09",
        "gpt-5.6-luna": "2026-07-09",
        "gemini-3-flash-preview": "2025-12-17",
        "gemini-3.7-flash": "2026-08-13",
        "gemini-3.8-flash": "2026-09-02",
        "gemini-4-argon": "2026-10-13",
        "deepseek/deepseek-v4-flash": "2026-04-24",
        "mistral-large-2512": "2025-12-02",
        "mistral-large-4": "2026-10-06",
        "z-ai/glm-5.3-flash": "2026-09-02",
    }
    families = [HAIKU, *(stream.models for stream in STREAMS)]
    used = {model: since for models in families for since, _, model in models}
    assert on_sale.keys() <= used.keys()
    assert [model for model, day in on_sale.items() if used[model] < date.fromisoformat(day)] == []


@pytest.mark.django_db
def test_loading_fills_the_workspace_once_and_removing_takes_all_of_it() -> None:
    sample.load(force=True, until=UNTIL)
    organisation = Organisation.objects.get(slug="larkfield")
    assert organisation.is_sample
    assert Project.objects.filter(organisation=organisation).count() == 5
    batches = ImportBatch.objects.filter(organisation=organisation)
    assert {batch.status for batch in batches} == {ImportBatch.Status.DONE}
    before = figures(organisation)
    assert UsageRecord.objects.count() < 30_000
    assert "larkfield-claims-ft-v3" in set(UsageDimension.objects.values_list("model_raw", flat=True))

    sample.load(until=UNTIL)  # whole: nothing is imported
    assert batches.count() == len(FEEDS) + 1
    sample.load(force=True, until=UNTIL)  # again: nothing changes
    assert figures(organisation) == before

    other = organisations.create_organisation("Own")
    assert sample.remove() == 1
    assert list(Organisation.objects.all()) == [other]
    assert not UsageRecord.objects.exists()
    sample.load(until=UNTIL)  # somebody removed it: it does not come back by itself
    assert not Organisation.objects.filter(is_sample=True).exists()


@pytest.mark.django_db
def test_a_load_that_died_is_finished_by_the_next() -> None:
    sample.load(force=True, until=UNTIL)
    organisation = Organisation.objects.get(slug="larkfield")
    whole = figures(organisation)
    ImportBatch.objects.filter(organisation=organisation, connection__scope=sample.LAPTOPS).update(
        status=ImportBatch.Status.FAILED
    )
    sample.load(until=UNTIL)
    assert figures(organisation) == whole


def figures(organisation: Organisation) -> dict[str, object]:
    records = UsageRecord.objects.filter(organisation=organisation)
    tokens = records.aggregate(
        uncached=Sum("in_uncached"), read=Sum("in_cache_read"), written=Sum("in_cache_write"), out=Sum("out_total")
    )
    rolled = DailyCost.objects.filter(organisation=organisation).aggregate(out=Sum("out_total"))
    return {"records": records.count(), **tokens, "rolled_up": rolled["out"]}
