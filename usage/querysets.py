"""Named reads of usage; none writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import QuerySet

if TYPE_CHECKING:
    from usage.models import DailyCost, ImportBatch, ModelDailyCost, UsageDimension  # noqa: F401


class ImportBatchQuerySet(QuerySet["ImportBatch"]):
    pass


class UsageDimensionQuerySet(QuerySet["UsageDimension"]):
    pass


class DailyCostQuerySet(QuerySet["DailyCost"]):
    pass


class ModelDailyCostQuerySet(QuerySet["ModelDailyCost"]):
    pass
