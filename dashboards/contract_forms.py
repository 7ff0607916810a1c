"""Forms of what was agreed with providers. A field's error is a sentence that says what to do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms

from pricing.models import LanguageModel, Offering, Provider
from pricing.units import RATED_UNITS
from usage.models import Commitment, Contract, FixedCost, Organisation, Project

Agreement = Contract | Commitment | FixedCost

DATE = {"type": "date"}


def day_field(label: str, *, required: bool = True, help_text: str = "") -> forms.DateField:
    return forms.DateField(
        label=label,
        required=required,
        help_text=help_text,
        widget=forms.DateInput(attrs=DATE),
        error_messages={"required": "Write a day, such as 2026-08-23.", "invalid": "Write a day, such as 2026-08-23."},
    )


def number_field(label: str, help_text: str = "", *, required: bool = True) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        required=required,
        max_digits=24,
        decimal_places=12,
        help_text=help_text,
        error_messages={"required": "Write a number, such as 12.5.", "invalid": "Write a number, such as 12.5."},
    )


def _provider() -> forms.ModelChoiceField[Provider]:
    return forms.ModelChoiceField(
        Provider.objects.order_by("name"),
        label="Provider",
        empty_label="Choose",
        error_messages={
            "required": "Choose the provider it is with.",
            "invalid_choice": "Choose a provider of the list.",
        },
    )


class AgreedForm(forms.Form):
    """What contracts, commitments and fixed costs have in common."""

    name = forms.CharField(label="Name", max_length=200, error_messages={"required": "Give it a name."})
    currency = forms.CharField(label="Currency", max_length=3, min_length=3, initial="USD")
    effective_from = day_field("From", help_text="First UTC day.")
    effective_until = day_field("Until", help_text="First UTC day on which it no longer holds.")
    notes = forms.CharField(label="Notes", max_length=1000, required=False)

    def __init__(self, organisation: Organisation, *args: Any, stands: Agreement | None = None, **kwargs: Any) -> None:
        """`stands`: the agreement that is changed, whose fields the form begins with."""
        if stands is not None:
            kwargs["initial"] = written(stands, self.base_fields)
        super().__init__(*args, **kwargs)
        self.organisation = organisation
        self.stands = stands


def written(agreement: Agreement, names: Iterable[str]) -> dict[str, Any]:
    """The fields of an agreement as a person writes them."""
    return {name: _written(getattr(agreement, name)) for name in names}


def _written(value: Any) -> Any:
    match value:
        case Decimal():
            return f"{value.normalize():f}"
        case date():
            return value.isoformat()
        case LanguageModel():
            return value.slug
        case Offering():
            return value.sku
        case Provider() | Project():
            return value.pk
    return value


class EndForm(forms.Form):
    """The day from which an agreement no longer holds."""

    day = day_field("Until", help_text="First UTC day on which it no longer holds.")


class ContractForm(AgreedForm):
    kind = forms.ChoiceField(label="Kind", choices=Contract.Kind.choices)
    provider = _provider()
    value = number_field("Value", "Per cent of a discount, or the price per million tokens.")
    unit = forms.ChoiceField(
        label="Unit", required=False, choices=[("", "all units"), *((unit, unit) for unit in RATED_UNITS)],
        help_text="A price of its own names one.",
    )  # fmt: skip
    model = forms.CharField(label="Model", max_length=200, required=False, help_text="As in its address; empty is all.")
    offering = forms.CharField(label="Offering", max_length=300, required=False, help_text="The provider's own name.")
    service_tier = forms.CharField(label="Service tier", max_length=40, required=False, help_text="Empty is all.")
    effective_until = day_field("Until", required=False, help_text="First UTC day without it; empty is open.")
    field_order = ["name", "provider", "kind", "value", "unit", "currency", "effective_from", "effective_until"]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        model, sku, provider = found.get("model"), found.get("offering"), found.get("provider")
        found["model"] = LanguageModel.objects.filter(slug=model).first() if model else None
        found["offering"] = self._offering(provider, sku) if sku else None
        if model and found["model"] is None:
            self.add_error("model", "No model has this address: write it as in /models/…, or leave it empty.")
        if sku and found["offering"] is None:
            self.add_error("offering", "This provider sells nothing of this name: copy it from the model's page.")
        return found

    def _offering(self, provider: Provider | None, sku: str) -> Offering | None:
        """The one it is for already where its name is the same: a provider may sell that name in several regions."""
        stood: Offering | None = getattr(self.stands, "offering", None)
        if stood is not None and (stood.provider_id, stood.sku) == (provider and provider.pk, sku):
            return stood
        return Offering.objects.filter(provider=provider, sku=sku).order_by("region").first()


class CommitmentForm(AgreedForm):
    provider = _provider()
    amount = number_field("Committed", "For the whole period.")
    field_order = ["name", "provider", "amount", "currency", "effective_from", "effective_until"]


class FixedCostForm(AgreedForm):
    kind = forms.ChoiceField(label="Kind", choices=FixedCost.Kind.choices)
    host = forms.CharField(label="With whom", max_length=60, required=False)
    amount = number_field("Amount", "For the whole period; credits count as negative.")
    quantity = forms.DecimalField(
        label="Quantity", required=False, max_digits=18, decimal_places=6, min_value=Decimal(0)
    )
    project: forms.ModelChoiceField[Project] = forms.ModelChoiceField(
        None, label="Project", required=False, empty_label="none"
    )
    field_order = ["name", "kind", "host", "amount", "currency", "effective_from", "effective_until"]

    def __init__(self, organisation: Organisation, *args: Any, **kwargs: Any) -> None:
        super().__init__(organisation, *args, **kwargs)
        self.fields["project"].queryset = organisation.projects.order_by("name")  # type: ignore[attr-defined]
