"""An organisation's usage: who it is, what was imported, whose it is, what it cost.

The ledger (`UsageRecord`) holds disjoint token counts, NULL for unknown and 0 for known zero. What a record can
be attributed by is interned in `UsageDimension`; the map from a dimension to projects is `Assignment`, so a
retroactive rule changes the map and the rollups and never a record. Content is never stored.
"""

from __future__ import annotations

from usage.models.attribution import Assignment, Attribution, AttributionRule, UsageDimension
from usage.models.budgets import Budget
from usage.models.contracts import Commitment, Contract, ContractCard, FixedCost
from usage.models.directory import DirectoryEntry
from usage.models.evaluations import EvaluatedName, EvaluationItem, EvaluationRun
from usage.models.imports import ColumnMapping, Connection, ImportBatch, ImportedKey, Pull, RejectedRow
from usage.models.ledger import CostKind, Grain, SupersededRecord, Unpriced, UsageRecord
from usage.models.official import (
    OfficialDailyCost,
    OfficialModelDailyCost,
    OfficialOfferingDailyCost,
    OfficialProjectDailyCost,
    PendingDailyCost,
    PendingModelDailyCost,
    PendingOfferingDailyCost,
    PendingProjectDailyCost,
)
from usage.models.organisations import Organisation, Project
from usage.models.periods import (
    OfficialCost,
    OfficialModelCost,
    OfficialOfferingCost,
    OfficialProjectCost,
    Period,
    Restatement,
)
from usage.models.rollups import DailyCost, ModelDailyCost, OfferingDailyCost, ProjectDailyCost
from usage.models.settlements import Settlement

__all__ = [
    "Assignment",
    "Attribution",
    "AttributionRule",
    "Budget",
    "ColumnMapping",
    "Commitment",
    "Connection",
    "Contract",
    "ContractCard",
    "CostKind",
    "DailyCost",
    "DirectoryEntry",
    "EvaluatedName",
    "EvaluationItem",
    "EvaluationRun",
    "FixedCost",
    "Grain",
    "ImportBatch",
    "ImportedKey",
    "ModelDailyCost",
    "OfferingDailyCost",
    "OfficialCost",
    "OfficialDailyCost",
    "OfficialModelCost",
    "OfficialModelDailyCost",
    "OfficialOfferingCost",
    "OfficialOfferingDailyCost",
    "OfficialProjectCost",
    "OfficialProjectDailyCost",
    "Organisation",
    "PendingDailyCost",
    "PendingModelDailyCost",
    "PendingOfferingDailyCost",
    "PendingProjectDailyCost",
    "Period",
    "Project",
    "ProjectDailyCost",
    "Pull",
    "RejectedRow",
    "Restatement",
    "Settlement",
    "SupersededRecord",
    "Unpriced",
    "UsageDimension",
    "UsageRecord",
]
