"""What Django says after migrations were applied, without applying any."""

from __future__ import annotations

from typing import Any

from django.core.management.sql import emit_post_migrate_signal
from django.db import migrations
from django.db.migrations.loader import MigrationLoader


def migrated(app_label: str, *, newest_of: str, backwards: bool = False, name: str = "") -> None:
    """Say that a migration of an app was applied: one called `name`, else like the newest of `newest_of`."""
    ((_, latest),) = MigrationLoader(None).graph.leaf_nodes(newest_of)
    plan: Any = [(migrations.Migration(name or latest, app_label), backwards)]
    emit_post_migrate_signal(0, False, "default", plan=plan)
