"""The form of a subscription to the weekly report. A field's error is a sentence that says what to do."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from dashboards.forms import time_zones
from dashboards.models import ReportSubscription
from dashboards.reports.timetable import DAYS
from dashboards.views.spend import Reader
from usage.models import Project

_ALL = "All you may see"


class SubscriptionForm(forms.Form):
    """What the report is about, and when it comes."""

    about = forms.ChoiceField(
        label="About", error_messages={"invalid_choice": "Choose all you may see, projects or a cost centre."}
    )
    projects = forms.ModelMultipleChoiceField(
        Project.objects.none(),
        required=False,
        error_messages={"invalid_choice": "Choose projects of the list."},
    )
    weekday = forms.TypedChoiceField(
        label="Day", coerce=int, choices=list(enumerate(DAYS)), error_messages={"invalid_choice": "Choose a day."}
    )
    hour = forms.TypedChoiceField(
        label="Hour",
        coerce=int,
        choices=[(hour, f"{hour:02}:00") for hour in range(24)],
        error_messages={"invalid_choice": "Choose an hour."},
    )
    time_zone = forms.ChoiceField(
        label="Time zone", error_messages={"invalid_choice": "Choose a time zone of the list."}
    )

    def __init__(
        self, reader: Reader, zone: str, data: QueryDict | None = None, of: ReportSubscription | None = None
    ) -> None:
        initial: dict[str, Any] = {"about": "all", "weekday": 0, "hour": 8, "time_zone": zone}
        if of is not None:
            initial = {
                "about": about_of(of),
                "weekday": of.weekday,
                "hour": of.hour,
                "time_zone": of.time_zone,
            }
        super().__init__(data, initial=initial)
        centres = sorted({project.cost_centre for project in reader.projects.values()} - {""})
        about, projects, zones = self.fields["about"], self.fields["projects"], self.fields["time_zone"]
        assert isinstance(about, forms.ChoiceField)  # noqa: S101
        assert isinstance(projects, forms.ModelMultipleChoiceField)  # noqa: S101
        assert isinstance(zones, forms.ChoiceField)  # noqa: S101
        about.choices = [
            ("all", _ALL), ("projects", "The projects chosen below"),
            *((f"cost centre {one}", f"Cost centre {one}") for one in centres),
        ]  # fmt: skip
        projects.queryset = Project.objects.filter(pk__in=list(reader.projects)).order_by("name")
        zones.choices = time_zones()
        chosen = data.getlist("projects") if data is not None else [] if of is None else of.projects.all()
        self.chosen = {str(getattr(one, "pk", one)) for one in chosen}

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        about = found.get("about", "")
        if about == "projects" and not found.get("projects") and "projects" not in self.errors:
            self.add_error("projects", "Choose at least one project, or all you may see.")
        found["cost_centre"] = about.removeprefix("cost centre ") if about.startswith("cost centre ") else ""
        found["projects"] = list(found.get("projects") or ()) if about == "projects" else []
        return found


def about_of(subscription: ReportSubscription) -> str:
    if subscription.cost_centre:
        return f"cost centre {subscription.cost_centre}"
    return "projects" if subscription.scope else "all"
