"""What the page of contracts shows. Pure: from agreements to rows and the sentence above them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from usage.agreed import Saved
from usage.commitments import Burn
from usage.models import Commitment, Contract, FixedCost


@dataclass(frozen=True)
class ContractRow:
    contract: Contract
    holds_for: str
    terms: str
    saved: Decimal | None
    records: int
    currency: str


@dataclass(frozen=True)
class Month:
    name: str
    burnt: Decimal
    left: Decimal


@dataclass(frozen=True)
class CommitmentRow:
    commitment: Commitment
    burnt: Decimal
    left: Decimal
    share: int
    forecast: Decimal | None
    runs_out: date | None
    shortfall: Decimal | None
    months: list[Month]
    unknown_days: int


def contract_row(contract: Contract, saved: Saved | None) -> ContractRow:
    """A contract with what it saved; nothing that it priced is no saving, not an unknown one."""
    parts = [
        contract.provider.name,
        contract.model and contract.model.slug,
        contract.offering and contract.offering.sku,
    ]
    parts += [contract.service_tier, contract.unit]
    value = f"{contract.value.normalize():f}"
    terms = f"{value} % off list" if contract.kind == "discount" else f"{value} {contract.currency} a million tokens"
    return ContractRow(
        contract,
        " · ".join(str(part) for part in parts if part),
        terms,
        saved.saved if saved else Decimal(0),
        saved.records if saved else 0,
        saved.currency if saved else contract.currency,
    )


def commitment_row(commitment: Commitment, burn: Burn, unknown_days: int, today: date) -> CommitmentRow:
    months: dict[date, Decimal] = {}
    for day, spent in sorted(burn.by_day.items()):
        first = day.replace(day=1)
        months[first] = months.get(first, Decimal(0)) + spent
    left, table = commitment.amount, []
    for month, spent in months.items():
        left -= spent
        table.append(Month(f"{month:%B %Y}", spent, left))
    return CommitmentRow(
        commitment, burn.burnt, burn.left, int(burn.burnt * 100 / commitment.amount), burn.forecast(today),
        burn.runs_out(today), burn.shortfall(today), table, unknown_days,
    )  # fmt: skip


def finding(contracts: Sequence[ContractRow], commitments: Sequence[CommitmentRow], fixed: Sequence[Any]) -> str:
    """The page in a sentence: a commitment that will not be used up, else what there is."""
    short = [row for row in commitments if row.shortfall]
    if short:
        names = short[0].commitment.name if len(short) == 1 else f"{len(short)} commitments"
        return f"At the present pace part of {names} will not be used."
    if not (contracts or commitments or fixed):
        return "No contract is entered: usage is priced at list."
    counts = (
        (len(contracts), "contract", "contracts"),
        (len(commitments), "commitment", "commitments"),
        (len(fixed), "fixed cost", "fixed costs"),
    )
    return ", ".join(f"{n} {one if n == 1 else many}" for n, one, many in counts if n) + "."


def described(agreement: Contract | Commitment | FixedCost) -> dict[str, str]:
    """The fields that matter, for the audit log."""
    names = ("name", "kind", "provider", "host", "model", "offering", "service_tier", "unit", "value", "amount",
             "currency", "quantity", "project", "effective_from", "effective_until", "notes")  # fmt: skip
    found = {name: getattr(agreement, name, None) for name in names}
    return {name: str(value) for name, value in found.items() if value not in (None, "")}
