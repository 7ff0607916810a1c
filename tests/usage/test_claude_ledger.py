"""A Claude Code tree with a known truth, from its files to the ledger: tokens, cost, lines; what changes nothing."""

from __future__ import annotations

import subprocess
from collections import Counter, defaultdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from pricing import names
from pricing.cost import Tokens
from tests.pricing.oracle import Oracle
from tests.usage.claude_tree import Truth, write_tree
from usage import ingest, organisations
from usage.models import DailyCost, ImportBatch, Organisation, UsageRecord
from usage.verification import checks

pytestmark = pytest.mark.usefixtures("catalogue", "db")

COLUMNS = {
    "in_uncached": "input", "in_cache_read": "cache_read", "out_total": "output", "out_reasoning": "thinking",
    "cache_write_5m": "cache_write_5m", "cache_write_1h": "cache_write_1h",
}  # fmt: skip


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    root = tmp_path_factory.mktemp("projects")
    return root, write_tree(root, seed=11, replies=600)


def _import(root: Path | list[Path], name: str) -> tuple[Organisation, ImportBatch]:
    organisation = organisations.create_organisation(name)
    paths = root if isinstance(root, list) else [root]
    return organisation, ingest.import_paths(organisation, "claude_code", paths, "laptop")


def _ledger(organisation: Organisation) -> list[tuple[Any, ...]]:
    """All of it that is not a number of this database."""
    return list(
        UsageRecord.objects.filter(organisation_id=organisation.pk)
        .order_by("record_key")
        .values_list(
            "record_key", "occurred_at", "in_uncached", "in_cache_read", "in_cache_write", "cache_write_5m",
            "cache_write_1h", "out_total", "out_reasoning", "list_cost", "rate_card_id", "offering_id",
        )
    )  # fmt: skip


def _tokens(organisation: Organisation) -> dict[str, dict[str, int]]:
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for record in UsageRecord.objects.filter(organisation_id=organisation.pk).select_related("dimension"):
        found = sums[record.dimension.model_raw]
        for column, kind in COLUMNS.items():
            found[kind] += getattr(record, column) or 0
        found["cache_write"] += (record.in_cache_write or 0) - record.cache_write_5m - record.cache_write_1h
    return {model: {kind: n for kind, n in sorted(kinds.items()) if n} for model, kinds in sums.items()}


def test_tokens_are_exact_per_model_and_per_cache_lifetime(tree) -> None:
    root, truth = tree
    organisation, _ = _import(root, "exact")
    assert _tokens(organisation) == truth.tokens()
    assert UsageRecord.objects.filter(organisation_id=organisation.pk).count() == len(truth.replies)


def test_the_cost_is_that_of_fractions_over_the_price_rows(tree) -> None:
    root, truth = tree
    organisation, _ = _import(root, "costed")
    oracle, resolver = Oracle(), names.resolver()
    expected: dict[str, Fraction | None] = {}
    for key, reply in truth.replies.items():
        host = "bedrock" if reply.model.startswith("us.") else "anthropic"
        offering = resolver.resolve(reply.model, host, reply.occurred_at).offering_id
        assert offering is not None
        tokens = Tokens(reply.uncached, reply.read, reply.written, reply.out, reply.thinking, reply.lifetimes)
        tier = "fast" if reply.fast else "standard"
        expected[key] = oracle.cost(offering, tier, tokens, reply.occurred_at)
    rows = UsageRecord.objects.filter(organisation_id=organisation.pk).values_list("record_key", "list_cost")
    assert {key: None if cost is None else Fraction(cost) for key, cost in rows} == expected
    assert any(cost for cost in expected.values())
    total = sum(cost for cost in expected.values() if cost is not None)
    rolled_up = DailyCost.objects.filter(organisation_id=organisation.pk).values_list("list_cost", flat=True)
    assert sum(Fraction(cost) for cost in rolled_up if cost is not None) == total
    assert list(checks()) == []


def test_lines_are_those_of_the_files_and_add_up(tree) -> None:
    root, truth = tree
    _, batch = _import(root, "counted")
    files = sorted(root.rglob("*.jsonl"))
    newlines = int(subprocess.run(["wc", "-l", *files], capture_output=True, text=True, check=True).stdout.split()[-2])
    unended = sum(not path.read_bytes().endswith(b"\n") for path in files)
    assert batch.lines == newlines + unended == truth.lines
    assert batch.lines == batch.imported + batch.updated + batch.duplicate + sum(batch.ignored.values()) + sum(
        batch.rejected.values()
    )
    assert batch.ignored == dict(truth.ignored)
    assert sum(batch.rejected.values()) == truth.rejected


def test_a_second_import_changes_nothing(tree) -> None:
    root, _ = tree
    organisation, first = _import(root, "twice")
    before = _ledger(organisation)
    again = ingest.import_paths(organisation, "claude_code", [root], "laptop")
    assert _ledger(organisation) == before
    assert (again.imported, again.updated) == (0, 0)
    assert again.lines == first.lines


def test_reversed_and_split_files_give_the_same_ledger(tree, tmp_path: Path) -> None:
    root, _ = tree
    calm, _ = _import(root, "calm")
    lines = [line for path in sorted(root.rglob("*.jsonl")) for line in path.read_bytes().splitlines()]
    backwards = tmp_path / "backwards.jsonl"
    backwards.write_bytes(b"\n".join(reversed(lines)) + b"\n")
    reversed_, _ = _import(backwards, "reversed")
    parts = [tmp_path / f"part-{number}.jsonl" for number in range(7)]
    for number, part in enumerate(parts):
        part.write_bytes(b"\n".join(lines[number::7]) + b"\n")
    split = organisations.create_organisation("split")
    for part in reversed(parts):
        ingest.import_paths(split, "claude_code", [part], "laptop")
    assert _ledger(reversed_) == _ledger(calm)
    assert _ledger(split) == _ledger(calm)
