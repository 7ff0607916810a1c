"""Forms of the door and of the settings. A field's error is a sentence that says what to do."""

from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth.password_validation import validate_password

from dashboards.models import Person, Role


class SignInForm(forms.Form):
    email = forms.CharField(
        label="Work e-mail",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
        error_messages={"required": "Write the e-mail you sign in with."},
    )
    password = forms.CharField(
        label="Password",
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": "Write your password."},
    )


class PasswordForm(forms.Form):
    """A first or a new password for `person`."""

    password = forms.CharField(
        label="New password",
        max_length=1024,
        strip=False,
        help_text="At least 10 characters. A sentence you remember beats signs you forget.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": "Write a password, or skip this step."},
    )

    def __init__(self, person: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.person = person

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, self.person)
        return password


class JoinForm(PasswordForm):
    """The name and first password of somebody who was invited."""

    name = forms.CharField(
        label="Your name",
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    field_order = ["name", "password"]


class NewPasswordForm(PasswordForm):
    """Another password, by who knows the one that holds."""

    current = forms.CharField(
        label="Password now",
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": "Write the password you sign in with now."},
    )
    field_order = ["current", "password"]

    def __init__(self, person: Person, *args: Any, **kwargs: Any) -> None:
        super().__init__(person, *args, **kwargs)
        self.fields["password"].error_messages["required"] = "Write the new password."

    def clean_current(self) -> str:
        current: str = self.cleaned_data["current"]
        if not self.person.check_password(current):
            raise forms.ValidationError("That is not your password: write the one you sign in with now.")
        return current


def time_zones(nothing: str = "") -> list[tuple[str, str]]:
    """Zones as a form offers them; `nothing` words the empty choice."""
    zones = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix/")))
    return [*([("", nothing)] if nothing else []), ("UTC", "UTC"), *((zone, zone) for zone in zones)]


class DetailsForm(forms.Form):
    """A person's own name and time zone."""

    name = forms.CharField(
        label="Name", max_length=120, required=False, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    time_zone = forms.ChoiceField(label="Time zone", required=False, help_text="Times on every page are in it.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = self.fields["time_zone"]
        assert isinstance(zone, forms.ChoiceField)  # noqa: S101
        zone.choices = time_zones("the organisation’s")
        zone.error_messages["invalid_choice"] = "Choose a time zone of the list."


class OrganisationForm(forms.Form):
    """What an organisation is called, and in whose time and money its pages speak."""

    name = forms.CharField(
        label="Name", max_length=200, error_messages={"required": "Write a name, such as your company’s."}
    )
    time_zone = forms.ChoiceField(label="Time zone", help_text="For people who have not chosen one of their own.")
    display_currency = forms.ChoiceField(
        label="Display currency",
        error_messages={"invalid_choice": "Choose a currency of the list: for others no exchange rate is known."},
    )

    def __init__(self, currencies: Sequence[str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone, currency = self.fields["time_zone"], self.fields["display_currency"]
        assert isinstance(zone, forms.ChoiceField)  # noqa: S101
        assert isinstance(currency, forms.ChoiceField)  # noqa: S101
        zone.choices = time_zones()
        zone.error_messages["invalid_choice"] = "Choose a time zone of the list."
        currency.choices = [(code, code) for code in currencies]


class NewOrganisationForm(forms.Form):
    new_name = forms.CharField(
        label="Name", max_length=200, error_messages={"required": "Write a name, such as your company’s."}
    )


ROLE_WORDS = {
    Role.VIEWER.value: "viewer: looks",
    Role.MEMBER.value: "member: also imports",
    Role.ADMIN.value: "admin: also people, rules and settings",
}


class InviteForm(forms.Form):
    """Who is invited, as what, to where."""

    email = forms.CharField(
        label="E-mail",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
        error_messages={"required": "Write the e-mail of the person you invite."},
    )
    role = forms.ChoiceField(label="Role", choices=list(ROLE_WORDS.items()))
    project = forms.ChoiceField(
        label="Of", required=False, error_messages={"invalid_choice": "Choose a place of the list."}
    )

    def __init__(self, places: Iterable[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        project = self.fields["project"]
        assert isinstance(project, forms.ChoiceField)  # noqa: S101
        project.choices = list(places)

    def clean_project(self) -> str:
        """Empty is the whole organisation, which only some may invite to: it has to be one of the places too."""
        place: str = self.cleaned_data["project"]
        project = self.fields["project"]
        assert isinstance(project, forms.ChoiceField)  # noqa: S101
        if place not in dict(project.choices):  # type: ignore[arg-type]
            raise forms.ValidationError("Choose a place of the list.")
        return place


LIVES = {"30": "30 days", "90": "90 days", "365": "a year", "": "until revoked"}


class TokenForm(forms.Form):
    """What will use a token, what it may do, and for how long."""

    token_name = forms.CharField(
        label="What will use it", max_length=120, error_messages={"required": "Say what will use it, such as “CI”."}
    )
    role = forms.ChoiceField(
        label="Role", error_messages={"invalid_choice": "Choose a role that is not above your own."}
    )
    lives = forms.ChoiceField(label="Lives", required=False, choices=list(LIVES.items()), initial="90")
    scopes = forms.MultipleChoiceField(
        label="It may",
        error_messages={
            "required": "Choose what it may do: at least one.",
            "invalid_choice": "Choose of the list what it may do.",
        },
    )

    def __init__(self, roles: Sequence[str], scopes: dict[str, str], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role, scope = self.fields["role"], self.fields["scopes"]
        assert isinstance(role, forms.ChoiceField)  # noqa: S101
        assert isinstance(scope, forms.MultipleChoiceField)  # noqa: S101
        role.choices = [(name, name) for name in roles]
        scope.choices = list(scopes.items())

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "usage:write" in cleaned.get("scopes", ()) and cleaned.get("role") == Role.VIEWER:
            self.add_error("role", "Sending usage takes a member’s token: choose the role member, or not that scope.")
        if "rules:write" in cleaned.get("scopes", ()) and cleaned.get("role") != Role.ADMIN:
            self.add_error("role", "Changing rules takes an admin’s token: choose the role admin, or not that scope.")
        return cleaned
