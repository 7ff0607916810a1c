"""How much an organisation means to spend. Only `usage.budgets` writes these."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce, Now

from usage.budget_querysets import BudgetQuerySet
from usage.models.organisations import Organisation, Project


class DateRange(Func):
    """The days [from, until); no end is open."""

    function = "daterange"
    output_field = DateRangeField()


class Budget(models.Model):
    """An amount for each calendar month, quarter or year of the UTC days [effective_from, effective_until).

    Of a project, of all projects of a cost centre, or, with neither, of the whole organisation, what no rule gives to a
    project included. One holds for a scope and day.
    """

    class Period(models.TextChoices):
        MONTH = "month", "a month"
        QUARTER = "quarter", "a quarter"
        YEAR = "year", "a year"

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="budgets")
    project = models.ForeignKey(Project, models.CASCADE, null=True, blank=True, related_name="budgets")
    cost_centre = models.CharField(max_length=120, blank=True)
    amount = models.DecimalField(max_digits=24, decimal_places=12)
    currency = models.CharField(max_length=3, default="USD")
    period = models.CharField(max_length=7, choices=Period, default=Period.MONTH)
    effective_from = models.DateField(help_text="First day of a period.")
    effective_until = models.DateField(null=True, blank=True)
    entered_by = models.CharField(max_length=254, blank=True)
    entered_at = models.DateTimeField(db_default=Now())

    objects = BudgetQuerySet.as_manager()

    class Meta:
        ordering = ["effective_from", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="budget_is_of_something"),
            models.CheckConstraint(condition=Q(project=None) | Q(cost_centre=""), name="budget_has_one_scope"),
            models.CheckConstraint(
                condition=Q(effective_until=None) | Q(effective_until__gt=F("effective_from")),
                name="budget_ends_after_it_starts",
            ),
            models.CheckConstraint(condition=Q(effective_from__day=1), name="budget_starts_with_a_month"),
            ExclusionConstraint(
                name="one_budget_a_scope_and_day",
                expressions=[
                    ("organisation", RangeOperators.EQUAL),
                    (Coalesce("project", Value(0)), RangeOperators.EQUAL),
                    ("cost_centre", RangeOperators.EQUAL),
                    (DateRange("effective_from", "effective_until", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency} {self.get_period_display()}"
