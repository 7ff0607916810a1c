"""What a project needs of a model, as its admins say it."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from dashboards.models import AuditEntry
from dashboards.needs_forms import NeedsForm, written
from pricing.models import Provider
from tests.dashboards.people_cast import Cast, cast, signed_in  # noqa: F401
from usage.models import Project

pytestmark = pytest.mark.django_db
SAID = {
    "quality_category": "coding", "quality_margin": "10", "evaluation_margin": "2.5", "quality_floor": "1400",
    "effort": "high", "needs": ["tools", "vision"], "allowed_providers": "OpenAI, gemini", "denied_providers": "",
    "regions": "eu, us-east-1", "open_weights_only": "on", "retirement_horizon": "60",
}  # fmt: skip


@pytest.fixture
def sellers(db: None) -> None:
    for slug in ("openai", "google"):
        Provider.objects.get_or_create(slug=slug, defaults={"name": slug})


def test_what_is_said_is_kept_as_advice_reads_it_and_logged(cast: Cast, sellers: None) -> None:  # noqa: F811
    url = f"/settings/projects/{cast.claims.pk}/needs"
    assert signed_in(cast.pam).post(url, SAID).status_code == 302
    found = Project.objects.get(pk=cast.claims.pk)
    assert (found.quality_category, found.quality_margin, found.evaluation_margin) == ("coding", D(10), D("0.025"))
    assert (found.quality_floor, found.effort, found.needs) == (D(1400), "high", ["tools", "vision"])
    assert (found.allowed_providers, found.denied_providers) == (["openai", "google"], [])
    assert (found.regions, found.open_weights_only, found.retirement_horizon) == (["eu", "us-east-1"], True, 60)
    entry = AuditEntry.objects.get(action="changed a project’s needs")
    assert entry.after is not None
    assert (entry.who, entry.after["allowed_providers"]) == ("pam@larkfield.example", "openai, google")
    again = NeedsForm(written(found))
    assert again.is_valid()
    assert again.cleaned_data["evaluation_margin"] == D("0.025")


def test_nothing_said_of_a_floor_and_sellers_is_none_of_them(cast: Cast) -> None:  # noqa: F811
    said = {"quality_margin": "15", "evaluation_margin": "3", "retirement_horizon": "90"}
    assert signed_in(cast.ada).post(f"/settings/projects/{cast.claims.pk}/needs", said).status_code == 302
    found = Project.objects.get(pk=cast.claims.pk)
    assert (found.quality_floor, found.allowed_providers, found.regions, found.needs) == (None, [], [], [])


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("quality_margin", "0", "Write points from 0.1 to 500"),
        ("quality_margin", "", "Write points from 0.1 to 500"),
        ("evaluation_margin", "100", "Write points from 0.01 to 99.99"),
        ("quality_floor", "good", "Write a rating, such as 1400"),
        ("allowed_providers", "nobody", "The catalogue has no provider “nobody”"),
        ("denied_providers", "openai", "openai is among those allowed"),
        ("retirement_horizon", "-1", "Write days from 0 to 3650"),
    ],
)
def test_what_cannot_be_meant_says_what_to_write(
    cast: Cast,  # noqa: F811
    sellers: None,
    field: str,
    value: str,
    said: str,
) -> None:
    answer = signed_in(cast.ada).post(f"/settings/projects/{cast.claims.pk}/needs", SAID | {field: value})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert Project.objects.get(pk=cast.claims.pk).quality_margin == 15


def test_only_admins_of_the_project_say_it(cast: Cast) -> None:  # noqa: F811
    url = f"/settings/projects/{cast.claims.pk}/needs"
    answers = {
        name: signed_in(getattr(cast, name)).get(url).status_code for name in ("ada", "pam", "mia", "vic", "otto")
    }
    assert answers == {"ada": 200, "pam": 200, "mia": 404, "vic": 404, "otto": 404}
