"""The SQL of the views in `usage.models.official`, written from the columns the rollups have in a migration's state.

Each is the ledger's rollup and the official record one under the other, told apart by `closed`; which rows of which
are meant is for the reads in `usage.period_querysets` to say. A view that asked for the closed months itself would
make a panel of six months half as slow again, by joining 80,000 rows to them instead of bounding an index; so would a
WHERE in either half, with which PostgreSQL no longer reads the halves as two parts of one table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import migrations, models
from django.db.migrations.operations.base import Operation

_VIEWS = (
    ("DailyCost", "OfficialCost", "usage_officialdailycost", False),
    ("DailyCost", "OfficialCost", "usage_pendingdailycost", True),
    ("ModelDailyCost", "OfficialModelCost", "usage_officialmodeldailycost", False),
    ("ModelDailyCost", "OfficialModelCost", "usage_pendingmodeldailycost", True),
    ("OfferingDailyCost", "OfficialOfferingCost", "usage_officialofferingdailycost", False),
    ("OfferingDailyCost", "OfficialOfferingCost", "usage_pendingofferingdailycost", True),
    ("ProjectDailyCost", "OfficialProjectCost", "usage_officialprojectdailycost", False),
    ("ProjectDailyCost", "OfficialProjectCost", "usage_pendingprojectdailycost", True),
)


def around(operations: Sequence[Operation]) -> list[Operation]:
    """A migration's operations on the rollups' columns, with the views taken away before and written again after."""
    return [migrations.RunPython(drop, create), *operations, migrations.RunPython(create, drop)]


def create(apps: Any, schema_editor: Any) -> None:
    """Write the views anew, with every column that rollups have at this point."""
    drop(apps, schema_editor)
    known = {model.__name__ for model in apps.get_app_config("usage").get_models()}
    for rollup, record, view, subtracted in _VIEWS:
        if rollup not in known:
            continue  # a later migration makes it
        ledger, official = (apps.get_model("usage", name)._meta for name in (rollup, record))
        fields = [field for field in ledger.concrete_fields if not field.primary_key]
        columns = ", ".join(field.column for field in fields)
        minus = {field.column for field in fields if subtracted and _is_measure(field)}
        taken = ", ".join(f"-{f.column} AS {f.column}" if f.column in minus else f.column for f in fields)
        schema_editor.execute(
            f"CREATE VIEW {view} AS SELECT id, {columns}, false AS closed, false AS undone FROM {ledger.db_table}"
            f" UNION ALL SELECT -id, {taken}, true, undone FROM {official.db_table}"
        )


def drop(apps: Any, schema_editor: Any) -> None:
    schema_editor.execute(f"DROP VIEW IF EXISTS {', '.join(view for _, _, view, _ in _VIEWS)}")


def _is_measure(field: models.Field[Any, Any]) -> bool:
    return isinstance(field, models.BigIntegerField | models.DecimalField)
