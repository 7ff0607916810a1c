"""The form of a budget. A field's error is a sentence that says what to do."""

from __future__ import annotations

from typing import Any

from django import forms

from dashboards.contract_forms import day_field, number_field
from usage.models import Budget, Organisation

ALL, PROJECT, CENTRE = "all", "project", "centre"


class BudgetForm(forms.Form):
    scope = forms.ChoiceField(label="For", error_messages={"required": "Choose whose budget it is."})
    amount = number_field("Amount")
    currency = forms.CharField(label="Currency", max_length=3, min_length=3)
    period = forms.ChoiceField(label="For each", choices=[("month", "month"), ("quarter", "quarter"), ("year", "year")])
    effective_from = day_field("From", help_text="First day of a period. The budget before it ends here.")
    effective_until = day_field("Until", required=False, help_text="First day without it; empty is open.")

    def __init__(self, organisation: Organisation, *args: Any, stands: Budget | None = None, **kwargs: Any) -> None:
        """`stands`: the budget that is changed; its scope stays."""
        if stands is not None:
            amount = f"{stands.amount.normalize():f}"
            kwargs["initial"] = {
                "amount": amount, "currency": stands.currency, "period": stands.period,
                "effective_from": stands.effective_from.isoformat(),
                "effective_until": stands.effective_until and stands.effective_until.isoformat(),
            }  # fmt: skip
        super().__init__(*args, **kwargs)
        projects = organisation.projects.filter(archived_at=None).order_by("name")
        self._projects = {f"{PROJECT}:{one.pk}": one for one in projects}
        centres = sorted({one.cost_centre for one in self._projects.values()} - {""})
        if stands is not None:
            del self.fields["scope"]
            self.fields["effective_from"].help_text = "First day of a period."
            return
        scope = self.fields["scope"]
        assert isinstance(scope, forms.ChoiceField)  # noqa: S101 - it is made above
        scope.choices = [
            (ALL, f"all of {organisation.name}"),
            *((key, one.name) for key, one in self._projects.items()),
            *((f"{CENTRE}:{one}", f"cost centre {one}") for one in centres),
        ]

    def fields_of_budget(self) -> dict[str, Any]:
        """What `usage.budgets` takes; whose it is only where it was asked for."""
        found = dict(self.cleaned_data)
        scope = found.pop("scope", None)
        if scope is None:
            return found
        kind, _, rest = scope.partition(":")
        return found | {"project": self._projects.get(scope), "cost_centre": rest if kind == CENTRE else ""}
