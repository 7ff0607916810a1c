"""The sample workspace "Larkfield": invented usage at real prices, through the same importers as anybody's.

It fills a fresh install so that every page has something to say, is labelled wherever it shows, and goes with one
click. What it did is `usage.sample_data`; this module makes the workspace and imports the files.
"""

from __future__ import annotations

import io
import tempfile
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import connection as db

from usage import assignments, budgets, dimensions, evaluations, ingest, organisations
from usage.evaluation_formats import Source
from usage.models import AttributionRule, Budget, ColumnMapping, ImportBatch, Organisation, Project
from usage.sample_data import FEEDS, MAPPINGS, csv_export, transcripts
from usage.sample_data.evaluations import SUITES, table

NAME, SLUG = "Larkfield", "larkfield"
PROJECTS: tuple[dict[str, Any], ...] = (
    {
        "slug": "coding-agents",
        "name": "Coding agents",
        "owner": "developer-tools@larkfield.example",
        "cost_centre": "4100",
        "needs": ["tools", "long context"],
        "sensitivity": Project.Sensitivity.CONFIDENTIAL,
    },
    {
        "slug": "claims-triage",
        "name": "Claims triage",
        "owner": "claims-platform@larkfield.example",
        "cost_centre": "2200",
        "needs": ["vision", "tools"],
        "sensitivity": Project.Sensitivity.RESTRICTED,
    },
    {
        "slug": "policy-search",
        "name": "Policy search",
        "owner": "search@larkfield.example",
        "cost_centre": "2300",
        "needs": ["long context"],
    },
    {
        "slug": "support-assistant",
        "name": "Support assistant",
        "owner": "service@larkfield.example",
        "cost_centre": "3100",
        "needs": ["tools"],
    },
    {
        "slug": "translation",
        "name": "Translation",
        "owner": "localisation@larkfield.example",
        "cost_centre": "3200",
    },
)
# (rule, project, field, op, value); the OpenAI key that ends in 7f2c is nobody's on purpose.
RULES: tuple[tuple[str, str, str, str, Any], ...] = (
    ("Claude Code on developers' machines", "coding-agents", "source", "equals", "claude_code"),
    ("Agents in the build, by repository", "coding-agents", "path", "prefix", "/srv/agents/"),
    ("Agents' own key", "coding-agents", "ext_project", "equals", "coding-agents"),
    ("Claims keys and projects", "claims-triage", "ext_project", "equals", "claims-triage"),
    ("Search", "policy-search", "ext_project", "equals", "policy-search"),
    ("Support, chat and mail", "support-assistant", "ext_project", "equals", "support"),
    ("Translation of pages and letters", "translation", "ext_project", "prefix", "translation"),
)
LAPTOPS = "developers' machines"
BUDGETS: tuple[tuple[str, int], ...] = (("", 52_000), ("coding-agents", 24_000), ("claims-triage", 15_000))
"""USD a month of a project, '' is all of Larkfield."""


def load(force: bool = False, until: date | None = None) -> None:
    """Fill the sample workspace with a year up to yesterday (UTC), or finish what was begun.

    Does nothing where it is whole, or where it was removed: it never comes back by itself. `force` makes it again
    and adds the days since. Importing again changes nothing, so it may die and be started at any point.
    """
    organisation = Organisation.objects.filter(is_sample=True, slug=SLUG).first()
    if organisation is None:
        if not force and _was_removed():
            return
        organisation = organisations.create_organisation(
            NAME, slug=SLUG, sample=True, time_zone="Europe/Berlin", display_currency="USD"
        )
    elif not force and _is_whole(organisation):
        return
    _set_up(organisation)
    _import(organisation, until or datetime.now(UTC).date())


def remove() -> int:
    """Take the sample workspace away with everything in it; how many there were."""
    return organisations.remove_sample()


def _was_removed() -> bool:
    """An organisation was made in this database before and the sample is gone: somebody took it away."""
    with db.cursor() as cursor:
        cursor.execute("SELECT pg_sequence_last_value(pg_get_serial_sequence('usage_organisation', 'id')::regclass)")
        [number] = cursor.fetchone()
    return number is not None


def _is_whole(organisation: Organisation) -> bool:
    done = ImportBatch.objects.filter(
        organisation=organisation, status__in=[ImportBatch.Status.DONE, ImportBatch.Status.HELD]
    )
    return {LAPTOPS, *map(_scope, FEEDS)} <= set(done.values_list("connection__scope", flat=True))


def _set_up(organisation: Organisation) -> None:
    for fields in PROJECTS:
        if not Project.objects.filter(organisation=organisation, slug=fields["slug"]).exists():
            organisations.create_project(organisation, **fields)
    projects = dict(Project.objects.filter(organisation=organisation).values_list("slug", "id"))
    for name, slug, field, op, value in RULES:
        if not AttributionRule.objects.filter(organisation=organisation, name=name).exists():
            assignments.save_rule(
                organisation,
                name=name,
                conditions=[{"field": field, "op": op, "value": value}],
                shares=[{"project": projects[slug], "weight": "1"}],
            )

    _set_budgets(organisation)


def _set_budgets(organisation: Organisation) -> None:
    """Where none was entered yet: what somebody changed or took away stays so."""
    if Budget.objects.of(organisation).exists() or ImportBatch.objects.filter(organisation=organisation).exists():
        return
    projects = {project.slug: project for project in Project.objects.filter(organisation=organisation)}
    for slug, amount in BUDGETS:
        budgets.enter(
            organisation, "", project=projects.get(slug), amount=Decimal(amount), currency="USD",
            period=Budget.Period.MONTH, effective_from=date(2026, 1, 1),
        )  # fmt: skip


def _import(organisation: Organisation, until: date) -> None:
    laptops = dimensions.connection_of(organisation, "claude_code", LAPTOPS)
    if not laptops.account:  # the laptops have keys of their own, which the account's export does not hold
        assignments.name_account(laptops, LAPTOPS)
    with tempfile.TemporaryDirectory(prefix="larkfield-") as folder:
        root = Path(folder)
        for feed in FEEDS:
            mapping, _ = ColumnMapping.objects.update_or_create(
                organisation=organisation, name=_scope(feed), defaults={"spec": MAPPINGS[feed]}
            )
            export = root / f"{feed}-usage.csv"
            export.write_text("\n".join(csv_export(feed, until)) + "\n", encoding="utf-8")
            ingest.import_paths(organisation, "csv", [export], _scope(feed), mapping)
        home = root / ".claude"
        for name, lines in transcripts(until):
            path = home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        ingest.import_paths(organisation, "claude_code", [home], LAPTOPS)
    _evaluate(organisation)
    _tell_the_planner()


def _evaluate(organisation: Organisation) -> None:
    """What it measured of models, for the projects that do."""
    for slug in SUITES:
        body = "\n".join(table(slug)).encode()
        project = Project.objects.get(organisation=organisation, slug=slug)
        evaluations.import_sources(project, "csv", [Source(f"{slug}-evaluation.csv", partial(io.BytesIO, body))])


def _tell_the_planner() -> None:
    """A year of records came in at once: until the server looks by itself, its plans are those of empty tables."""
    tables = ", ".join(model._meta.db_table for model in apps.get_app_config("usage").get_models())
    with db.cursor() as cursor:
        cursor.execute(f"ANALYZE {tables}")


def _scope(feed: str) -> str:
    return {"others": "other vendors' bills"}.get(feed, f"{feed} account")
