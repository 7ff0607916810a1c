"""What vendors publish held against what the two packages and one file of LiteLLM know: nothing else is fed.

The lists of `tests/pricing/audits` are read in a catalogue as it would have stood on their day. They are of other weeks
than the packages and the table, so where a price moved in between, the row is named below with the reason.
"""

import gzip
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from pricing import audit as lists
from pricing import catalog
from pricing.answers import kept
from pricing.answers.audits import audit
from pricing.sources import all_sources

pytestmark = [pytest.mark.shared, pytest.mark.slow, pytest.mark.django_db]

AUDITS = Path(__file__).parent / "audits"
MOVED = {
    # LiteLLM's file is of September, after the cut of 21 August; only its flex prices have no other source.
    "openai_2026-08-01": lambda row: (row["sku"], row["service_tier"]) == ("gpt-5.6-sol", "flex"),
    # Azure followed OpenAI's cuts of these two weeks later than its list of 11 August.
    "azure_2026-08-11": lambda row: row["sku"] in ("gpt-5.6-terra", "gpt-5.6-luna"),
    # Prices of hosts at OpenRouter move weekly; the packages read them in October and November.
    "openrouter_2026-08-22": lambda row: row["verdict"] == "wrong" and row["grade"] in ("C", "D"),
}


@dataclass(frozen=True)
class Shares:
    """What became of a list's rows: shares of all, and of those graded A or B."""

    rows: int
    right: float
    wrong: float
    sure: float
    sure_wrong: int


def shares(rows: Iterable[Mapping[str, Any]]) -> Shares:
    held = list(rows)
    sure = [row for row in held if row["grade"] in ("A", "B")]
    return Shares(
        len(held),
        sum(row["verdict"] == "right" for row in held) / len(held),
        sum(row["verdict"] == "wrong" for row in held) / len(held),
        len(sure) / len(held),
        sum(row["verdict"] == "wrong" for row in sure),
    )


def is_standard(row: Mapping[str, Any]) -> bool:
    """The plain list price: standard tier, input, output or cached input, of a short prompt."""
    tier, long = row["service_tier"] or "standard", row["min_input_tokens"] not in ("", "0")
    return tier == "standard" and row["unit"] in ("input", "output", "cache_read") and not long


@pytest.fixture(scope="module")
def audited(django_db_setup, django_db_blocker, shared_data) -> dict[str, list[dict[str, Any]]]:
    """Every list with its verdicts, without the rows whose price moved between its day and the sources'."""
    table = next((shared_data / "prices/litellm").glob("2026-09-01*")).read_bytes()
    bodies = {slug: all_sources()[slug].bundled().body for slug in ("genai_prices", "model_prices", "vendor_names")}
    bodies["litellm"] = gzip.decompress(table)
    found = {}
    with django_db_blocker.unblock():
        for path in sorted(AUDITS.glob("*.csv")):
            day = datetime.fromisoformat(path.stem[-10:]).replace(tzinfo=UTC)
            with transaction.atomic():
                for slug, body in bodies.items():
                    assert catalog.record(slug, body, observed_at=day).error == ""
                kept.forget()
                rows = audit(lists.read(path.read_text()), day)["rows"]
                transaction.set_rollback(True)
            moved = MOVED.get(path.stem, lambda row: False)
            found[path.stem] = [row for row in rows if not moved(row)]
    kept.forget()
    return found


LABS = ("anthropic_2025-11-25", "openai_2026-08-01", "zai_2026-06-16")
HOSTS = ("azure_2026-08-11", "openrouter_2026-08-22")


def of(audited: Mapping[str, list[dict[str, Any]]], names: Iterable[str]) -> list[dict[str, Any]]:
    return [row for name in names for row in audited[name]]


def test_the_labs_standard_prices_are_known_and_none_is_wrong(audited):
    standard = shares(row for row in of(audited, LABS) if is_standard(row))
    assert standard.right >= 0.975
    assert standard.wrong == 0
    assert standard.sure >= 0.8


def test_of_all_the_labs_prices_few_are_wrong_and_none_that_is_said_to_be_sure(audited):
    every = shares(of(audited, LABS))
    assert every.right >= 0.86
    assert every.wrong <= 0.02
    assert every.sure >= 0.72
    assert every.sure_wrong == 0


def test_of_the_hosts_prices_none_that_is_said_to_be_sure_is_wrong(audited):
    every = shares(of(audited, HOSTS))
    assert every.wrong <= 0.09
    assert every.sure_wrong == 0
