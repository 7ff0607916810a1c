from typing import Any

from django.apps import AppConfig
from django.db import DEFAULT_DB_ALIAS
from django.db.models.signals import post_migrate


class PricingConfig(AppConfig):
    name = "pricing"

    def ready(self) -> None:
        post_migrate.connect(_accept_anew, sender=self)


def _accept_anew(plan: Any = (), using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """After an upgrade of the catalogue's tables: prices as this release accepts them."""
    from pricing import upgrades, verification  # models are not there before

    if using == DEFAULT_DB_ALIAS and upgrades.is_complete(plan, "pricing"):
        verification.repair()
