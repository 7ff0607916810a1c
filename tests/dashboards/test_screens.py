"""The pages of usage and money with the sample workspace: pictures, axe, console, policy, nothing sticking out.

The pictures are in `screenshots/`, each page at 1440 and 390 px, light and dark. A new page is one line here, or in
`test_catalogue_screens.py` where it is of the market.
"""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from dashboards import alerts, proposals
from dashboards.models import Person, Proposal
from pricing.models import Provider
from tests.dashboards.browser import Look, look  # noqa: F401
from tests.dashboards.sample_cast import ada  # noqa: F401
from usage import connections, contracts, ingest
from usage.models import AttributionRule, Budget, ColumnMapping, EvaluationRun, ImportBatch, Pull

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_pages_of_what_was_spent_are_sound(ada: Person, look: Look) -> None:  # noqa: F811
    look.at("/sign-in", "sign-in")
    look.signed_in_as(ada)
    look.at("/", "overview")
    look.at("/?period=fortnight", "overview-refused", expect_status=400)
    look.at("/projects/coding-agents", "project")
    look.at("/spend", "spend")
    look.at("/spend?group_by=project,model&grain=week&period=90d", "spend-two")
    look.at("/spend?group_by=ext_user&project=coding-agents", "spend-users")
    look.at("/spend/bridge?period=90d", "bridge")
    look.at("/unattributed", "unattributed")
    look.at("/unpriced", "unpriced")
    look.at("/feeds?period=7d", "feeds")
    look.at("/spend/records?project=claims-triage", "records")
    look.at("/periods", "closed-months")
    look.at("/reports", "reports-none")
    look.at("/reports/preview", "report-preview")
    _budgets(look)
    _evaluations(look)


def test_the_pages_of_what_to_decide_are_sound(ada: Person, look: Look) -> None:  # noqa: F811
    """What the sample is really advised: a move to another model and one that keeps the weights."""
    look.signed_in_as(ada)
    look.at("/decisions", "decisions-none")
    proposals.advise_sample(timezone.now().date())
    moves = Proposal.objects.order_by("-saving_low")
    [other], [same] = moves.filter(recommendation__kind="substitution")[:1], moves.filter(saving_low=0)[:1]
    look.at("/decisions", "decisions")
    look.at("/decisions/refused", "decisions-refused")
    look.at(f"/decisions/{other.pk}", "decision")
    look.at(f"/decisions/{same.pk}", "decision-same-weights")
    look.at(f"/settings/projects/{other.project_id}/needs", "project-needs")
    look.at("/", "overview-decisions")


def test_the_pages_of_where_usage_comes_from_and_at_which_terms_are_sound(
    ada: Person,  # noqa: F811
    look: Look,  # noqa: F811
    tmp_path: Path,
) -> None:
    look.signed_in_as(ada)
    look.at("/imports", "imports")
    look.at("/rules", "rules")
    look.at("/rules/new?field=ext_api_key&value=k-search", "rule-new")
    look.at(f"/rules/{AttributionRule.objects.order_by('-position')[0].pk}", "rule")
    rejected = ImportBatch.objects.exclude(rejected={}).order_by("pk").first()
    assert rejected is not None
    look.at(f"/imports/{rejected.pk}", "import-run")
    _retry(look, tmp_path)
    _contracts(look)
    _connections(look)


def _budgets(look: Look) -> None:  # noqa: F811
    look.at("/budgets", "budgets")
    budget = Budget.objects.select_related("organisation").order_by("pk")[0]
    look.at(f"/budgets/{budget.pk}", "budget")
    alerts.watch(budget.organisation, timezone.now())
    look.at("/alerts", "alerts")
    look.at("/settings/alerts", "settings-alerts")


def _evaluations(look: Look) -> None:  # noqa: F811
    """The suites of the sample, two of its models compared, one run and the names."""
    runs = {(run.raw_name, run.effort): run.pk for run in EvaluationRun.objects.filter(suite="Claims decisions")}
    current, few = runs["openai/gpt-5.6-sol", "medium"], runs["mistral/mistral-large-4", ""]
    look.at("/evaluations", "evaluations")
    look.at(f"/evaluations/compare?current={current}&candidate={few}", "evaluation-compare")
    look.at(f"/evaluations/{current}", "evaluation")
    look.at("/evaluations/names", "evaluation-names")


def _retry(look: Look, folder: Path) -> None:  # noqa: F811
    """An import with rejected lines that another mapping reads, and that mapping."""
    organisation = ImportBatch.objects.order_by("pk")[0].organisation
    columns = {"time": "day", "model": "model", "host": "provider", "project": "project", "input": "input tokens",
               "output": "output tokens"}  # fmt: skip
    spec = {"columns": columns, "grain": "1d"}
    mapping = ColumnMapping.objects.create(organisation=organisation, name="finance export", spec=spec)
    file = folder / "finance-november.csv"
    rows = [f'2026-11-{day:02},gpt-5.6,openai,ranker,"1,{day}00,000",{day}0000' for day in range(1, 8)]
    file.write_text("\n".join([",".join(columns.values()), *rows, "2026-11-09,gpt-5.6,openai,ranker,800,20"]))
    batch = ingest.import_paths(organisation, "csv", [file], "finance", mapping)
    look.at(f"/imports/{batch.pk}", "import-retry")
    look.at(f"/imports/{batch.pk}/mapping", "import-mapping")


def _contracts(look: Look) -> None:  # noqa: F811
    """The page before anything is entered and with two commitments, and the form of a change."""
    look.at("/contracts", "contracts-none")
    organisation, today = ImportBatch.objects.order_by("pk")[0].organisation, timezone.now().date()
    seller = Provider.objects.get(slug="anthropic")
    common: dict[str, Any] = {"provider": seller, "currency": "USD"}
    made = contracts.save(
        organisation, "ada@larkfield.example", name="Order form 114", kind="discount", value=Decimal(12),
        effective_from=today - timedelta(days=60), **common,
    )  # fmt: skip
    for name, amount, begun, left in (("Commitment of the year", 900_000, 120, 245), ("Autumn credits", 6_000, 40, 50)):
        contracts.save_commitment(
            organisation, "ada@larkfield.example", name=name, amount=Decimal(amount),
            effective_from=today - timedelta(days=begun), effective_until=today + timedelta(days=left), **common,
        )  # fmt: skip
    look.at("/contracts", "contracts")
    look.at(f"/contracts/contract/{made.pk}", "contract")


def _connections(look: Look) -> None:  # noqa: F811
    """The list of connections, one that stopped, and the form of a new one."""
    look.at("/connections", "connections-none")
    organisation = ImportBatch.objects.order_by("pk")[0].organisation
    now = timezone.now()
    made = {
        name: connections.connect(organisation, importer, name, "a-key-long-enough", schedule="daily")
        for name, importer in (("Larkfield production", "anthropic_usage"), ("Larkfield OpenAI", "openai_costs"))
    }
    for name, status, said in (
        ("Larkfield production", "done", "412 records imported, 7 restated, 0 withdrawn, 38 unchanged."),
        (
            "Larkfield OpenAI",
            "failed",
            "The key may not read usage: " + connections.api_of(made["Larkfield OpenAI"]).PERMISSION,
        ),
    ):
        window = {"window_from": now - timedelta(days=30), "window_until": now, "part_from": now}
        Pull.objects.create(connection=made[name], status=status, sentence=said, asked=4, finished_at=now, **window)
    connections.note_pulled(made["Larkfield production"], now)
    look.at("/connections", "connections")
    look.at(f"/connections/{made['Larkfield OpenAI'].pk}", "connection")
    look.at("/connections/new", "connect")
    look.at("/connections/new?api=anthropic_usage", "connect-form")
