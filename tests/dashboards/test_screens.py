"""Every page with the real catalogue and the sample workspace: pictures, axe, console and policy, nothing sticking out.

The pictures are in `screenshots/`, each page at 1440 and 390 px, light and dark.
"""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from dashboards import access
from dashboards.models import Person
from pricing import catalog, gpu_rates, quality
from pricing.models import Price, Provider
from tests.dashboards.browser import Look, look  # noqa: F401
from usage import connections, contracts, ingest, sample
from usage.models import AttributionRule, Budget, ColumnMapping, EvaluationRun, ImportBatch, Pull


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_every_page_of_the_sample_workspace_is_sound(look: Look, tmp_path: Path) -> None:  # noqa: F811
    catalog.load_bundled()
    quality.load_bundled()
    gpu_rates.load_bundled()
    sample.load(force=True)
    look.at("/sign-in", "sign-in")
    ada = Person.objects.create_user("ada@larkfield.example", is_instance_admin=True)
    access.join_orphan_organisations(ada)
    look.signed_in_as(ada)
    look.at("/", "overview")
    look.at("/projects/coding-agents", "project")
    look.at("/spend", "spend")
    look.at("/spend?group_by=project,model&grain=week&period=90d", "spend-two")
    look.at("/spend?group_by=ext_user&project=coding-agents", "spend-users")
    look.at("/spend/bridge?period=90d", "bridge")
    look.at("/unattributed", "unattributed")
    look.at("/unpriced", "unpriced")
    look.at("/feeds?period=7d", "feeds")
    look.at("/spend/records?project=claims-triage", "records")
    look.at("/imports", "imports")
    look.at("/rules", "rules")
    look.at("/rules/new?field=ext_api_key&value=k-search", "rule-new")
    look.at(f"/rules/{AttributionRule.objects.order_by('-position')[0].pk}", "rule")
    look.at("/periods", "closed-months")
    _evaluations(look)
    _budgets(look)
    _contracts(look)
    rejected = ImportBatch.objects.exclude(rejected={}).order_by("pk").first()
    assert rejected is not None
    look.at(f"/imports/{rejected.pk}", "import-run")
    _retry(look, tmp_path)
    _connections(look)
    look.at("/?period=fortnight", "overview-refused", expect_status=400)
    look.at("/quality", "quality")
    _index(look)
    look.at("/models", "models")
    look.at("/models/deepseek-v4-flash", "model")
    price = (
        Price.objects.known_at()
        .standard()
        .get(offering__provider__slug="deepseek", offering__sku="deepseek-v4-flash", unit="input", effective_until=None)
    )
    look.at(f"/models/deepseek-v4-flash/evidence/{price.pk}", "evidence")
    look.at("/changes?days=90", "changes")
    look.at("/sources", "sources")
    look.at("/sources/genai_prices", "source")
    look.at("/compare?o=google:gemini-3-pro-preview&o=openai:gpt-5.6-sol", "compare-two")
    look.at("/ladder", "ladder")
    look.at("/ladder?person=manager&m=gpt-oss-120b&m=gemini-4-argon", "ladder-chosen")
    look.at("/self-host", "self-host")
    look.at("/self-host?at=2024-09-05", "self-host-reference")
    look.at("/self-host?rate=0.5&volume=50000&load=60&staff=200", "self-host-rented")
    look.at("/self-host?model=kimi-k3", "self-host-unmeasured")
    look.at("/review", "review")
    look.at("/models/no-such-model", "model-missing", expect_status=404)


def _budgets(look: Look) -> None:  # noqa: F811
    look.at("/budgets", "budgets")
    look.at(f"/budgets/{Budget.objects.order_by('pk')[0].pk}", "budget")


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


def _index(look: Look) -> None:  # noqa: F811
    look.at("/index?benchmark=mmlu&threshold=64.8", "index-mmlu")
    look.at("/index/convergence?by=months", "convergence-months")


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
