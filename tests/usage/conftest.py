"""What every usage test may ask for: an organisation, and an import of facts without a file format."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest
from django.db import connection

from tests.usage.factories import ListedFacts, make_organisation
from usage import assignments, ingest, settling
from usage.importers import Fact, Ignored, Rejected
from usage.ingest import running
from usage.models import ImportBatch, Organisation

ImportFacts = Callable[..., ImportBatch]


@pytest.fixture
def organisation(db: None) -> Organisation:
    return make_organisation()


@pytest.fixture
def import_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, organisation: Organisation) -> ImportFacts:
    """Import facts as one or more files, `chunk` lines a transaction."""
    numbers = itertools.count()
    known: dict[str, ListedFacts] = {}

    def run(
        facts: Sequence[Fact | Ignored | Rejected],
        *,
        scope: str = "here",
        files: Iterable[Sequence[int]] | None = None,
        chunk: int = 20_000,
        mode: str = "append",
        window: object = None,
        into: Organisation | None = None,
        importer_slug: str = "listed",
        detail: int = 1,
        accepted: bool = False,
    ) -> ImportBatch:
        importer = known[importer_slug] = ListedFacts(facts, mode, importer_slug, detail)
        if window:
            importer.window_of = lambda _: window
        for module in (ingest, running, settling):
            monkeypatch.setattr(module, "all_importers", lambda: known)
        monkeypatch.setattr(running, "LINES", chunk)
        monkeypatch.setattr(running.advance, "__defaults__", (None, chunk))
        folder = tmp_path / f"import-{next(numbers)}"
        folder.mkdir()
        for n, lines in enumerate([range(len(facts))] if files is None else files):
            (folder / f"{n:04d}.txt").write_text("".join(f"{line}\n" for line in lines))
        if not accepted:
            return ingest.import_paths(into or organisation, importer_slug, [folder], scope)
        batch = ingest.open_batch(into or organisation, importer_slug, [folder], scope)
        ImportBatch.objects.filter(pk=batch.pk).update(accepted=True)
        ingest.advance(batch)
        assignments.refresh(batch.organisation_id)
        return batch

    return run


LEDGER = """
SELECT d.model_raw, d.host, d.path, d.ext_user, r.record_key, r.occurred_at, r.in_uncached, r.in_cache_read,
    r.in_cache_write, r.out_total, r.requests, r.list_cost, r.rate_card_id, r.unpriced_reason, r.rank, r.content_hash
FROM usage_usagerecord r JOIN usage_usagedimension d ON d.id = r.dimension_id
WHERE r.organisation_id = %s ORDER BY r.record_key, r.occurred_at
"""


@pytest.fixture
def ledger() -> Callable[[Organisation], list[tuple[object, ...]]]:
    """Everything the ledger says of an organisation, free of what depends on when it was imported."""

    def read(organisation: Organisation) -> list[tuple[object, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(LEDGER, [organisation.pk])
            return list(cursor.fetchall())

    return read
