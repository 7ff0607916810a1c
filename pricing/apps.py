from typing import Any

from django.apps import AppConfig
from django.db.migrations.loader import MigrationLoader
from django.db.models.signals import post_migrate


class PricingConfig(AppConfig):
    name = "pricing"

    def ready(self) -> None:
        post_migrate.connect(_accept_anew, sender=self)


def _accept_anew(plan: Any = (), **_: Any) -> None:
    """After an upgrade of the catalogue's tables: prices as this release accepts them."""
    applied = {migration.name for migration, backwards in plan if migration.app_label == "pricing" and not backwards}
    if applied and applied & {name for _, name in MigrationLoader(None).graph.leaf_nodes("pricing")}:
        from pricing import verification  # models are not there before

        verification.repair()
