"""The only writer of budgets, and what they come to. What is entered wrongly is refused with a sentence."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.db import transaction

from usage.budget_spend import BudgetSpend
from usage.locks import lock_organisation
from usage.models import Budget, Organisation, Project
from usage.pacing import Pace, paced, period_of

WHOLE: Final = "the whole organisation"
_MOST: Final = Decimal(10) ** 11


class BudgetFault(ValueError):
    """What was entered makes no budget; the message says what to enter instead."""


def enter(organisation: Organisation, entered_by: str, **fields: Any) -> tuple[Budget, Budget | None]:
    """A new budget, and the one of its scope that it ends, if one was in force then."""
    budget = Budget(organisation=organisation, entered_by=entered_by)
    with transaction.atomic():
        lock_organisation(organisation.pk)
        _set(budget, fields)
        ended = _make_room(budget)
        budget.save()
    return budget, ended


def change(budget: Budget, **fields: Any) -> Budget:
    """Correct a budget for all of its days; for another amount from a day on, enter another budget."""
    with transaction.atomic():
        lock_organisation(budget.organisation_id)
        _set(budget, fields)
        if found := _overlapping(budget):
            raise BudgetFault(f"{_Named(found[0])} covers some of these days: change or remove that one first.")
        budget.save()
    return budget


def end(budget: Budget, day: date) -> Budget:
    """Let a budget hold to the day before `day`."""
    return change(budget, effective_until=day)


def remove(budget: Budget) -> None:
    """Take a budget away as if it had never held."""
    budget.delete()


def held(organisation: Organisation, number: int) -> Budget | None:
    """A budget as it stands, which nobody else changes before this transaction is over."""
    lock_organisation(organisation.pk)
    return Budget.objects.of(organisation).filter(pk=number).first()


def scope_of(budget: Budget) -> str:
    """Whose money it is, in words."""
    if budget.project is not None:
        return budget.project.name
    return f"cost centre {budget.cost_centre}" if budget.cost_centre else WHOLE


def pace(
    organisation: Organisation, on: date, projects: Collection[int] | None = None, *, sees: Collection[int] | None
) -> Pace | None:
    """How the budget stands on a UTC day: of the whole organisation (`projects` None), or of some projects (by id).

    Of several projects it is that of their cost centre where they are all of one, else the sum of their own where each
    has one of the same currency and kind of period; of one project its own, else that of a cost centre that it alone
    makes up. None where there is no such budget, or none that a reader of the projects `sees` (None: of everything)
    may see.
    """
    chosen = chosen_of(organisation, on, projects, sees)
    if not chosen:
        return None
    told = paces(organisation, on, chosen, together=True)
    if len(chosen) == 1:
        return told[0]
    return replace(told[0], scope=f"{len(chosen)} projects")


def chosen_of(
    organisation: Organisation, on: date, projects: Collection[int] | None, sees: Collection[int] | None
) -> list[Budget]:
    """The budgets that `pace` weighs as one."""
    return list(_chosen(organisation, list(Budget.objects.of(organisation).seen(sees).on(on)), projects))


def paces(organisation: Organisation, on: date, budgets: Sequence[Budget], *, together: bool = False) -> list[Pace]:
    """The pace of each budget on a day, in their order, or of all `together` as if they were one. At most five queries
    however many there are."""
    if not budgets:
        return []
    periods = [period_of(on, budget.period) for budget in budgets]
    spend = BudgetSpend(organisation, on, min(since for since, _ in periods), max(until for _, until in periods))
    groups = [list(budgets)] if together else [[budget] for budget in budgets]
    return [_pace(group, on, spend) for group in groups]


def _pace(group: Sequence[Budget], on: date, spend: BudgetSpend) -> Pace:
    one, whose = group[0], _whose(group)
    period = period_of(on, one.period)
    spent, unconverted = spend.by_day(whose, one.currency)
    days = (min(spent, default=spend.days[0]), spend.days[1])
    return paced(
        scope_of(one), sum((budget.amount for budget in group), Decimal(0)), one.currency, period, on, spent,
        days, spend.steps(whose, one.currency), spend.unknown_tokens(whose, *period), unconverted,
    )  # fmt: skip


def _whose(group: Sequence[Budget]) -> frozenset[str] | None:
    """The slugs of the projects that budgets are of; None: everything."""
    if any(budget.project_id is None and not budget.cost_centre for budget in group):
        return None
    centres = {budget.cost_centre for budget in group} - {""}
    found = {budget.project.slug for budget in group if budget.project is not None}
    if centres:
        of = Project.objects.filter(organisation=group[0].organisation_id, cost_centre__in=centres)
        found |= set(of.values_list("slug", flat=True))
    return frozenset(found)


def _chosen(
    organisation: Organisation, budgets: Sequence[Budget], projects: Collection[int] | None
) -> Sequence[Budget]:
    if projects is None:
        return [one for one in budgets if one.project_id is None and not one.cost_centre]
    wanted = set(projects)
    own = {one.project_id: one for one in budgets if one.project_id in wanted}
    if len(wanted) == 1 and own:
        return list(own.values())
    if centre := _centre(organisation, budgets, wanted):
        return [centre]
    kinds = {(one.currency, one.period) for one in own.values()}
    return list(own.values()) if wanted and own.keys() == wanted and len(kinds) == 1 else []


def _centre(organisation: Organisation, budgets: Sequence[Budget], wanted: set[int]) -> Budget | None:
    """The budget of the cost centre that has just these projects."""
    for one in budgets:
        if one.cost_centre:
            of = Project.objects.filter(organisation=organisation, cost_centre=one.cost_centre)
            if set(of.values_list("pk", flat=True)) == wanted:
                return one
    return None


class _Named:
    """A budget in a sentence."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget

    def __str__(self) -> str:
        one = self.budget
        last = f" to {one.effective_until}" if one.effective_until else " on"
        return f"The budget of {one.amount.normalize():f} {one.currency} from {one.effective_from}{last}"


def _overlapping(budget: Budget) -> list[Budget]:
    others = Budget.objects.filter(organisation=budget.organisation_id).of_scope(budget.project_id, budget.cost_centre)
    found = others.exclude(pk=budget.pk).order_by("effective_from")
    found = found.exclude(effective_until__lte=budget.effective_from)
    return list(found if budget.effective_until is None else found.filter(effective_from__lt=budget.effective_until))


def _make_room(budget: Budget) -> Budget | None:
    """End the budget that is in force when a new one begins; Refused where one begins later or on the same day."""
    found = _overlapping(budget)
    later = next((one for one in found if one.effective_from >= budget.effective_from), None)
    if later is not None:
        raise BudgetFault(f"{_Named(later)} is there already: change that one, or end this one before it.")
    if not found:
        return None
    found[0].effective_until = budget.effective_from
    found[0].save(update_fields=["effective_until"])
    return found[0]


def _set(budget: Budget, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        setattr(budget, name, value)
    budget.currency = budget.currency.strip().upper()
    budget.cost_centre = budget.cost_centre.strip()
    _check(budget)


def _check(budget: Budget) -> None:
    if not 0 < budget.amount < _MOST:
        raise BudgetFault("A budget is of an amount above zero, such as 52000.")
    if len(budget.currency) != 3 or not (budget.currency.isascii() and budget.currency.isalpha()):
        raise BudgetFault("Write the currency as three letters, such as USD.")
    if budget.period not in Budget.Period.values:
        raise BudgetFault("Choose a month, a quarter or a year.")
    if budget.project is not None and (budget.cost_centre or budget.project.organisation_id != budget.organisation_id):
        raise BudgetFault("A budget is of one project, of one cost centre, or of all.")
    for day in (budget.effective_from, budget.effective_until):
        if day is not None and period_of(day, budget.period)[0] != day:
            raise BudgetFault(
                f"Budgets begin and end with a calendar {budget.period}: write {period_of(day, budget.period)[0]}."
            )
    if budget.effective_until is not None and budget.effective_until <= budget.effective_from:
        raise BudgetFault("It has to end after it begins: the end is the first day on which it no longer holds.")
