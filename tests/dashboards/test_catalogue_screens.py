"""The pages of the market over the bundled catalogue: pictures, axe, console, policy, nothing sticking out.

Their reader has the sample workspace, whose models they mark. The pictures are in `screenshots/`, as those of
`test_screens.py` are.
"""

import pytest

from dashboards.models import Person
from pricing.models import Price
from tests.dashboards.browser import Look, look  # noqa: F401
from tests.dashboards.sample_cast import ada  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_pages_of_prices_are_sound(ada: Person, look: Look) -> None:  # noqa: F811
    look.signed_in_as(ada)
    look.at("/models", "models")
    look.at("/models/deepseek-v4-flash", "model")
    price = (
        Price.objects.known_at()
        .standard()
        .get(offering__provider__slug="deepseek", offering__sku="deepseek-v4-flash", unit="input", effective_until=None)
    )
    look.at(f"/models/deepseek-v4-flash/evidence/{price.pk}", "evidence")
    look.at("/models/no-such-model", "model-missing", expect_status=404)
    look.at("/changes?days=90", "changes")
    look.at("/sources", "sources")
    look.at("/sources/genai_prices", "source")
    look.at("/compare?o=google:gemini-3-pro-preview&o=openai:gpt-5.6-sol", "compare-two")
    look.at("/review", "review")


def test_the_pages_of_what_quality_costs_are_sound(ada: Person, look: Look) -> None:  # noqa: F811
    look.signed_in_as(ada)
    look.at("/quality", "quality")
    look.at("/index?benchmark=mmlu&threshold=64.8", "index-mmlu")
    look.at("/index/convergence?by=months", "convergence-months")
    look.at("/ladder", "ladder")
    look.at("/ladder?person=manager&m=gpt-oss-120b&m=gemini-4-argon", "ladder-chosen")
    look.at("/self-host", "self-host")
    look.at("/self-host?at=2024-09-05", "self-host-reference")
    look.at("/self-host?rate=0.5&volume=50000&load=60&staff=200", "self-host-rented")
    look.at("/self-host?model=kimi-k3", "self-host-unmeasured")
