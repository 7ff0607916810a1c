from typing import Any

from django.apps import AppConfig
from django.db import DEFAULT_DB_ALIAS
from django.db.models.signals import post_migrate


class UsageConfig(AppConfig):
    name = "usage"

    def ready(self) -> None:
        post_migrate.connect(_recompute, sender=self)


def _recompute(plan: Any = (), using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """After an upgrade of the ledger's tables: sums and settled days as this release reckons them."""
    from pricing import upgrades
    from usage import verification  # models are not there before

    if using == DEFAULT_DB_ALIAS and upgrades.is_complete(plan, "usage"):
        verification.repair()
