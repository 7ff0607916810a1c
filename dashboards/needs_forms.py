"""The form of what a project needs of a model. A field's error is a sentence that says what to do."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms

from pricing.benchmarks import benchmarks
from pricing.models import Provider
from pricing.providers import canonical
from usage.models import Project

EFFORTS = ("", "none", "minimal", "low", "medium", "high", "xhigh", "max")
TRAITS = (
    ("tools", "Calls tools"),
    ("vision", "Reads images"),
    ("pdf", "Reads PDF files"),
    ("audio", "Hears audio"),
    ("structured_output", "Structured output"),
    ("prompt_caching", "Prompt caching"),
    ("reasoning", "Reasons"),
    ("long context", "Long context, as its prompts show"),
)
"""Needs that can be declared, as the catalogue names them."""
NAMED = "Write names such as openai, google: those of the catalogue, with commas between."


def _always(said: str) -> dict[str, str]:
    """One sentence, whatever is wrong with a number."""
    return dict.fromkeys(("required", "invalid", "min_value", "max_value"), said)


class NeedsForm(forms.Form):
    """Every field of `usage.models.Project` that advice reads."""

    quality_category = forms.ChoiceField(
        label="Measured by Arena’s category",
        required=False,
        help_text="In which floor and margin count; your own evaluations come before it.",
    )
    quality_margin = forms.DecimalField(
        label="Margin, Arena points",
        min_value=Decimal("0.1"),
        max_value=Decimal(500),
        max_digits=14,
        decimal_places=4,
        help_text="By how much worse still counts as equal.",
        error_messages=_always("Write points from 0.1 to 500, such as 15."),
    )
    evaluation_margin = forms.DecimalField(
        label="Margin of its own evaluations, points of 100",
        min_value=Decimal("0.01"),
        max_value=Decimal("99.99"),
        max_digits=6,
        decimal_places=2,
        error_messages=_always("Write points from 0.01 to 99.99, such as 3."),
    )
    quality_floor = forms.DecimalField(
        label="Floor, Arena points",
        required=False,
        max_digits=14,
        decimal_places=4,
        help_text="Nothing below it is recommended, however cheap. Empty: no floor.",
        error_messages={"invalid": "Write a rating, such as 1400, or nothing."},
    )
    effort = forms.ChoiceField(
        label="Effort in use",
        required=False,
        choices=[(one, one or "not stated") for one in EFFORTS],
        help_text="Usage does not say it, and a score at another effort is another model’s.",
    )
    needs = forms.MultipleChoiceField(
        label="It needs", required=False, choices=TRAITS, widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "Choose needs of the list."},
    )  # fmt: skip
    allowed_providers = forms.CharField(
        label="Only these providers", required=False, max_length=1000, help_text="Empty: any. " + NAMED
    )
    denied_providers = forms.CharField(label="Never these providers", required=False, max_length=1000)
    regions = forms.CharField(
        label="Only in these regions",
        required=False,
        max_length=500,
        help_text="As sellers name them, such as eu, us-east-1. Empty: anywhere.",
    )
    open_weights_only = forms.BooleanField(label="Open weights only", required=False)
    retirement_horizon = forms.IntegerField(
        label="Sold for at least, days",
        min_value=0,
        max_value=3650,
        help_text="A model that is announced to retire sooner is not worth moving to.",
        error_messages=_always("Write days from 0 to 3650, such as 90."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        categories = list(benchmarks()["arena"].CATEGORIES)
        field = self.fields["quality_category"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        field.choices = [("", "all of it"), *((one, one.replace("_", " ")) for one in categories[1:])]

    def clean_evaluation_margin(self) -> Decimal:
        """As a share of 1, as it is kept."""
        found: Decimal = self.cleaned_data["evaluation_margin"]
        return found / 100

    def clean_allowed_providers(self) -> list[str]:
        return self._providers("allowed_providers")

    def clean_denied_providers(self) -> list[str]:
        return self._providers("denied_providers")

    def clean_regions(self) -> list[str]:
        return _listed(self.cleaned_data["regions"])

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        both = set(found.get("allowed_providers", ())) & set(found.get("denied_providers", ()))
        if both:
            self.add_error("denied_providers", f"{min(both)} is among those allowed: take it out of one of the two.")
        return found

    def _providers(self, name: str) -> list[str]:
        wanted = list(dict.fromkeys(canonical(one) for one in _listed(self.cleaned_data[name])))
        known = set(Provider.objects.filter(slug__in=wanted).values_list("slug", flat=True))
        for one in wanted:
            if one not in known:
                raise forms.ValidationError(f"The catalogue has no provider “{one[:40]}”. {NAMED}")
        return wanted


def written(project: Project) -> dict[str, Any]:
    """What a project needs, as a person writes it."""
    floor = project.quality_floor
    return {
        "quality_category": project.quality_category, "quality_margin": f"{project.quality_margin.normalize():f}",
        "evaluation_margin": f"{(project.evaluation_margin * 100).normalize():f}",
        "quality_floor": "" if floor is None else f"{floor.normalize():f}", "effort": project.effort,
        "needs": project.needs, "allowed_providers": ", ".join(project.allowed_providers),
        "denied_providers": ", ".join(project.denied_providers), "regions": ", ".join(project.regions),
        "open_weights_only": project.open_weights_only, "retirement_horizon": project.retirement_horizon,
    }  # fmt: skip


def _listed(text: str) -> list[str]:
    return [one for part in text.replace("\0", "").split(",") if (one := " ".join(part.split())[:60])]
