"""Every recorded body through the ledger: each line accounted for, and a second import of the file changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.usage.importers.recordings import bodies, lines_of, mapping_of
from usage import ingest
from usage.importers import APPEND, Fact, all_importers
from usage.models import ImportBatch, Organisation
from usage.verification import checks

APPENDING = sorted(slug for slug, one in all_importers().items() if one.MODE == APPEND)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("slug", APPENDING)
def test_a_file_imported_twice_is_in_the_ledger_once(
    slug: str, organisation: Organisation, ledger: Callable[[Organisation], list[tuple[object, ...]]]
) -> None:
    def run(body: Path) -> ImportBatch:
        return ingest.import_paths(organisation, slug, [body], "here", mapping_of(slug))

    for body in bodies(slug):
        batch = run(body)
        lines = lines_of(all_importers()[slug], body.read_bytes())
        stated = sum(isinstance(one, Fact) for one in all_importers()[slug].parse(lines, "", mapping_of(slug)))
        assert batch.lines == len(lines)
        assert batch.imported + batch.updated + batch.duplicate == stated
        assert stated + sum(batch.ignored.values()) + sum(batch.rejected.values()) == batch.lines
    once = ledger(organisation)
    for body in bodies(slug):
        again = run(body)
        assert (again.imported, again.updated) == (0, 0)
    assert ledger(organisation) == once != []
    assert list(checks()) == []
