"""The only writer of contracts, commitments and fixed costs.

A change of a contract queues the days it touches, before or after, to be rated again; in a closed month what comes of
that is pending, as with every other price that was corrected.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from django.db import transaction

from pricing.models import RateCard
from pricing.units import RATED_UNITS
from usage import tasks
from usage.locks import lock_organisation
from usage.models import Commitment, Contract, FixedCost, Organisation

Agreement = Contract | Commitment | FixedCost
Kind = TypeVar("Kind", Contract, Commitment, FixedCost)
Days = tuple[date | None, date | None]
_TERMS = ("kind", "provider_id", "model_id", "offering_id", "service_tier", "unit", "value", "currency")
_PLACES = {Contract.Kind.DISCOUNT: 6, Contract.Kind.OVERRIDE: 12}


class ContractFault(ValueError):
    """What was entered makes no contract; the message says what to enter instead."""


def save(organisation: Organisation, entered_by: str, contract: Contract | None = None, **fields: Any) -> Contract:
    """Enter a contract, or change one; what it touches is rated again after this transaction.

    Another name or another note touches nothing.
    """
    with transaction.atomic():
        lock_organisation(organisation.pk)  # an import that has read the old terms is over before they change
        before, terms = days_of(contract), _terms(contract)
        contract = contract or Contract(organisation=organisation)
        _set(contract, fields, entered_by)
        _check(contract)
        contract.save()
        if (before, terms) != (days_of(contract), _terms(contract)):
            _rerate(organisation, span(before, days_of(contract)))
    return contract


def held(organisation: Organisation, kind: type[Kind], number: int) -> Kind | None:
    """An agreement as it stands, which nobody else changes before this transaction is over; None: there is none."""
    lock_organisation(organisation.pk)
    return kind._default_manager.filter(organisation=organisation, pk=number).first()


def end(agreement: Kind, day: date) -> Kind:
    """Let an agreement hold to the day before `day`; what a commitment or a fixed cost is of stays the same."""
    writer: Any = {Contract: save, Commitment: save_commitment, FixedCost: save_fixed_cost}[type(agreement)]
    ended: Kind = writer(agreement.organisation, agreement.entered_by, agreement, effective_until=day)
    return ended


def delete(contract: Contract) -> None:
    """Take a contract away as if it had never held."""
    with transaction.atomic():
        lock_organisation(contract.organisation_id)
        days = (contract.effective_from, contract.effective_until)
        contract.delete()
        _rerate(contract.organisation, days)


def save_commitment(
    organisation: Organisation, entered_by: str, commitment: Commitment | None = None, **fields: Any
) -> Commitment:
    """Enter or change a commitment; it prices nothing."""
    commitment = commitment or Commitment(organisation=organisation)
    _set(commitment, fields, entered_by)
    _check_period(commitment)
    if commitment.amount <= 0:
        raise ContractFault("A commitment is of an amount above zero.")
    commitment.save()
    return commitment


def save_fixed_cost(
    organisation: Organisation, entered_by: str, cost: FixedCost | None = None, **fields: Any
) -> FixedCost:
    """Enter or change a fixed cost; a credit is kept negative however it was written."""
    cost = cost or FixedCost(organisation=organisation)
    _set(cost, fields, entered_by)
    _check_period(cost)
    if cost.project is not None and cost.project.organisation_id != organisation.pk:
        raise ContractFault("Choose a project of this organisation, or none.")
    if cost.kind == FixedCost.Kind.CREDITS:
        cost.amount = -abs(cost.amount)
    elif cost.amount < 0:
        raise ContractFault("Only credits are negative: enter them as credits.")
    cost.save()
    return cost


def remove(agreement: Commitment | FixedCost) -> None:
    """Take a commitment or a fixed cost away."""
    agreement.delete()


def _set(agreement: Agreement, fields: Mapping[str, Any], entered_by: str) -> None:
    for name, value in fields.items():
        setattr(agreement, name, value)
    agreement.entered_by = agreement.entered_by or entered_by
    agreement.name = agreement.name.strip()
    agreement.currency = agreement.currency.strip().upper()
    if not agreement.name:
        raise ContractFault("Give it a name, such as that of the paper it stands on.")
    if len(agreement.currency) != 3 or not agreement.currency.isalpha():
        raise ContractFault("Write the currency as three letters, such as USD.")
    if agreement.effective_until is not None and agreement.effective_until <= agreement.effective_from:
        raise ContractFault("It has to end after it begins: the end is the first day on which it no longer holds.")


def _check_period(agreement: Commitment | FixedCost) -> None:
    if agreement.effective_until is None:
        raise ContractFault("Say when it ends: its amount is that of the whole period.")


def _check(contract: Contract) -> None:
    """Whether the terms can price anything."""
    value, unit = contract.value, contract.unit
    if unit and unit not in RATED_UNITS:
        raise ContractFault(f"Choose a unit among {', '.join(RATED_UNITS)}, or none for all of them.")
    if contract.kind == Contract.Kind.OVERRIDE and (not unit or value < 0):
        raise ContractFault("A price of its own names the unit it is for and is not below zero.")
    if contract.kind == Contract.Kind.DISCOUNT and not 0 <= value <= 100:
        raise ContractFault("A discount lies between 0 and 100 per cent.")
    places = _PLACES[Contract.Kind(contract.kind)]
    if value != value.quantize(Decimal(1).scaleb(-places)):
        raise ContractFault(f"Write the value with at most {places} decimals.")
    offering, model = contract.offering, contract.model
    if offering is not None and offering.provider_id != contract.provider_id:
        raise ContractFault("Choose an offering of the contract's provider.")
    if offering is not None and model is not None and offering.model_id != model.pk:
        raise ContractFault("Choose an offering of the contract's model, or leave the model out.")
    if contract.kind == Contract.Kind.OVERRIDE:
        _check_currency(contract)


def _check_currency(contract: Contract) -> None:
    sold = {"offering__provider": contract.provider_id}
    if contract.model_id:
        sold["offering__model"] = contract.model_id
    if contract.offering_id:
        sold["offering"] = contract.offering_id
    listed = set(RateCard.objects.current().filter(**sold).values_list("currency", flat=True).distinct())
    if listed and contract.currency not in listed:
        raise ContractFault(
            f"List prices there are in {', '.join(sorted(listed))}: write the agreed price in that currency,"
            " so that both costs of a record can be compared."
        )


def days_of(contract: Contract | None) -> Days | None:
    """The days of a contract as it is stored."""
    return None if contract is None else (contract.effective_from, contract.effective_until)


def _terms(contract: Contract | None) -> tuple[Any, ...]:
    """What of a contract prices usage, beside its days."""
    return () if contract is None else tuple(getattr(contract, name) for name in _TERMS)


def span(before: Days | None, after: Days | None) -> Days:
    """The days that either touches."""
    both = [days for days in (before, after) if days is not None]
    ends = [until for _, until in both]
    return min(since for since, _ in both if since), None if None in ends else max(day for day in ends if day)


def _rerate(organisation: Organisation, days: Days) -> None:
    since, until = days
    transaction.on_commit(
        lambda: tasks.rerate_days.delay(
            organisation.pk, since.isoformat() if since else None, until.isoformat() if until else None
        )
    )
