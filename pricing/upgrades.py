"""When an upgrade is through with the tables of an app, so that what it keeps can be reckoned as the release does."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader


def is_complete(plan: Iterable[tuple[Migration, bool]], app_label: str) -> bool:
    """Whether migrations that were applied (each with whether backwards) brought the app's tables to the release's."""
    applied = {migration.name for migration, backwards in plan if migration.app_label == app_label and not backwards}
    return bool(applied) and bool(applied & {name for _, name in MigrationLoader(None).graph.leaf_nodes(app_label)})
