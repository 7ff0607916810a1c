"""For whoever watches over the process: is it up, and can it answer."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from pricing.models import LanguageModel, Offering, Price, Score

_migrated = False


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200: the process answers. Nothing else is looked at."""
    return _uncached({"status": "up"}, 200)


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 with counts when migrations, catalogue and quality are there; else 503 with what is missing."""
    try:
        missing, counts = _state()
    except (DatabaseError, ImproperlyConfigured):
        missing, counts = ["The database does not answer: start it, or look at RATECARD_DATABASE_URL."], {}
    body = {"status": "not ready" if missing else "ready", "missing": missing, "counts": counts}
    return _uncached(body, 503 if missing else 200)


def _state() -> tuple[list[str], dict[str, int]]:
    if pending := _pending_migrations():
        return [f"{pending} migrations are not applied: run manage.py migrate."], {}
    counts = {
        "offerings": Offering.objects.count(),
        "models": LanguageModel.objects.count(),
        "prices": Price.objects.filter(superseded_at=None).count(),
        "scores": Score.objects.count(),
    }
    missing = []
    if not counts["prices"]:
        missing.append("No prices are loaded: run manage.py fetch_prices --bundled.")
    if not counts["scores"]:
        missing.append("No quality is loaded: run manage.py fetch_quality.")
    return missing, counts


def _pending_migrations() -> int:
    """How many migrations are not applied. Once none is, this process does not look again."""
    global _migrated  # noqa: PLW0603 - migrations of the code that runs do not change
    if _migrated:
        return 0
    executor = MigrationExecutor(connection)
    pending = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    _migrated = pending == 0
    return pending


def _uncached(body: dict[str, Any], status: int) -> JsonResponse:
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})
