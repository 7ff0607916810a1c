from typing import Any

from django.apps import AppConfig
from django.db.migrations.loader import MigrationLoader
from django.db.models.signals import post_migrate


class UsageConfig(AppConfig):
    name = "usage"

    def ready(self) -> None:
        post_migrate.connect(_recompute, sender=self)


def _recompute(plan: Any = (), **_: Any) -> None:
    """After an upgrade of the ledger's tables: sums and settled days as this release reckons them."""
    applied = {migration.name for migration, backwards in plan if migration.app_label == "usage" and not backwards}
    if applied and applied & {name for _, name in MigrationLoader(None).graph.leaf_nodes("usage")}:
        from usage import verification  # models are not there before

        verification.repair()
