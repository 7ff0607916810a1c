"""What the moving names of the bundled catalogue cost: what the model costs that their vendor says they meant."""

from datetime import UTC, datetime

import pytest

from pricing import verification
from pricing.answers.prices import Question, price

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]


def costs(provider: str, name: str, day: str) -> dict[str, str]:
    """USD per Mtok of a plain request by unit."""
    asked = Question(name, provider, at=datetime.fromisoformat(day).replace(tzinfo=UTC))
    (offering,) = price(asked)["offerings"]
    return {
        line["unit"]: line["usd_per_mtok"]
        for line in offering["prices"]
        if (line["service_tier"], line["qualifier"], line["context_from"]) == ("standard", "", 0)
        and line["unit"] in ("input", "output")
    }


@pytest.mark.parametrize(
    ("provider", "pointer", "day", "model", "expected"),
    [
        ("mistral", "mistral-large-latest", "2026-10-05", "mistral-large-2512", ("0.5", "1.5")),
        ("mistral", "mistral-large-latest", "2026-10-10", "mistral-large-4", ("0.68", "2.09")),
        ("google", "gemini-flash-latest", "2026-08-01", "gemini-3.6-flash", ("1.5", "7.5")),
        ("google", "gemini-flash-latest", "2026-06-01", "gemini-3.5-flash", ("1.5", "9")),
    ],
)
def test_a_pointer_costs_what_the_model_costs_that_it_means_that_day(provider, pointer, day, model, expected):
    found = costs(provider, pointer, day)
    assert found == costs(provider, model, day)
    assert (found["input"], found["output"]) == expected


def test_every_price_of_the_bundled_catalogue_has_its_evidence():
    assert list(verification.checks()) == []
