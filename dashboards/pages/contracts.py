"""What the page of contracts shows. Pure: from agreements to rows and the sentence above them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from dashboards import formatting
from usage.agreed import Missing, Saved
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
class Day:
    day: date
    burnt: Decimal
    so_far: Decimal
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
    pace: Decimal | None
    needed: Decimal | None
    claim: str
    days: list[Day]
    missing: str

    @property
    def is_news(self) -> bool:
        """Whether it is still going on and ends another way than it was meant to."""
        return self.needed is not None and self.left > 0 and bool(self.shortfall or self.runs_out)

    @property
    def title(self) -> str:
        return f"{self.commitment.name}: {self.claim[0].lower()}{self.claim[1:]}"

    @property
    def subtitle(self) -> str:
        """What is left, the pace there is and the one it takes."""
        money = partial(formatting.money, currency=self.commitment.currency)
        parts = [f"{money(self.left)} of {money(self.commitment.amount)} left"]
        if self.pace is not None and self.left > 0:
            parts.append(f"{money(self.pace)} a day so far")
        if self.needed:
            parts.append(f"{money(self.needed)} a day would use it up")
        return ", ".join(parts)


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


def commitment_row(commitment: Commitment, burn: Burn, missing: Missing, today: date) -> CommitmentRow:
    """A commitment with what has burnt by day, and where that leads."""
    so_far, table = Decimal(0), []
    for day, spent in sorted(burn.by_day.items()):
        so_far += spent
        table.append(Day(day, spent, so_far, commitment.amount - so_far))
    return CommitmentRow(
        commitment, burn.burnt, burn.left, int(burn.burnt * 100 / commitment.amount), burn.forecast(today),
        burn.runs_out(today), burn.shortfall(today), burn.pace(today), burn.needed(today),
        claim(burn, commitment.currency, today), table, without(missing),
    )  # fmt: skip


def without(missing: Missing) -> str:
    """What is in no sum of a commitment, as it follows the sum; '' where nothing is missing."""
    said = []
    if missing.days:
        said.append(f"{missing.days} {'day' if missing.days == 1 else 'days'} that no exchange rate is known for")
    if missing.tokens:
        said.append(f"{formatting.count(missing.tokens)} tokens without a price")
    elif missing.requests:
        said.append(f"{formatting.count(missing.requests)} requests without a price")
    return f"without {' and '.join(said)}" if said else ""


def claim(burn: Burn, currency: str, today: date) -> str:
    """Where a commitment is going, in a sentence without its end."""
    of, out, short = burn.of, burn.runs_out(today), burn.shortfall(today)
    if today < of.starts:
        return f"Begins on {formatting.day(of.starts)}"
    if out is not None:
        early = (of.ends - out).days - 1
        before = f", {early} {'day' if early == 1 else 'days'} early" if early else ", its last day"
        at_pace = "" if out < today or burn.left <= 0 else " at this pace"
        return f"{'Runs' if at_pace else 'Ran'} out on {formatting.day(out)}{at_pace}{before}"
    if short is None:
        return "No pace yet: its first day is not over"
    if not short:
        return "On course to be used up on its last day"
    amount = formatting.money(short, currency)
    return f"{amount} was not used" if today >= of.ends else f"{amount} will not be used at this pace"


def finding(contracts: Sequence[ContractRow], commitments: Sequence[CommitmentRow], fixed: Sequence[Any]) -> str:
    """The page in a sentence: a commitment that is not used up or runs out early, else what there is."""
    moving = [row for row in commitments if row.is_news]
    if len(moving) == 1 or (moving and not any(row.shortfall for row in moving)):
        return f"{moving[0].title}."
    if short := [row for row in moving if row.shortfall]:
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


def in_words(agreement: Contract | Commitment | FixedCost) -> str:
    """An agreement in a sentence: what it is of and when it holds."""
    if isinstance(agreement, Contract):
        row = contract_row(agreement, None)
        what = f"{row.terms}, {row.holds_for}"
    else:
        what = formatting.money(agreement.amount, agreement.currency)
    since, until = formatting.day(agreement.effective_from), agreement.effective_until
    last = f"to {formatting.day(until - timedelta(days=1))}" if until else "without an end"
    return f"{agreement.name}: {what}, from {since} {last}."


def ended(agreement: Contract | Commitment | FixedCost, today: date) -> bool:
    return agreement.effective_until is not None and agreement.effective_until <= today


def described(agreement: Contract | Commitment | FixedCost) -> dict[str, str]:
    """The fields that matter, for the audit log."""
    names = ("name", "kind", "provider", "host", "model", "offering", "service_tier", "unit", "value", "amount",
             "currency", "quantity", "project", "effective_from", "effective_until", "notes")  # fmt: skip
    found = {name: getattr(agreement, name, None) for name in names}
    return {name: _plain(value) for name, value in found.items() if value not in (None, "")}


def _plain(value: object) -> str:
    """One spelling of a number, whether it comes from a form or from the table."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
