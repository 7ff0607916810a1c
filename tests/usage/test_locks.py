"""Who waits for whom: nobody for somebody who waits for him."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction

from tests.usage.factories import make_organisation
from tests.usage.importers.recordings import bodies
from usage import assignments, connections, ingest
from usage.ingest import running
from usage.models import UsageRecord
from usage.verification import checks

WAIT = 20


def closing(act: Callable[[], None]) -> None:
    try:
        act()
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_feed_is_connected_while_a_file_comes_into_it_without_a_deadlock(monkeypatch: pytest.MonkeyPatch) -> None:
    organisation, row_is_held, import_is_inside = make_organisation(), Event(), Event()
    batch = ingest.open_batch(organisation, "langfuse", bodies("langfuse")[:1], "Acme")
    written, write = [], running.write

    def write_beside(*given: Any) -> Any:
        written.append(given)
        import_is_inside.set()
        return write(*given)

    def import_file() -> None:
        assert row_is_held.wait(WAIT)
        ingest.advance(batch)

    def connect() -> None:
        with transaction.atomic():
            made = connections.connect(organisation, "langfuse", "Acme", "pk-lf-1:sk-lf-1")
            row_is_held.set()
            assert import_is_inside.wait(WAIT)
            assignments.name_account(made, "eu")

    monkeypatch.setattr(running, "write", write_beside)
    with ThreadPoolExecutor(2) as both:
        for done in [both.submit(closing, act) for act in (import_file, connect)]:
            done.result(WAIT)
    batch.refresh_from_db()
    assert len(written) == 1  # and none was begun again because the database ended a deadlock
    assert (batch.imported, batch.connection.is_live, batch.connection.account) == (
        UsageRecord.objects.filter(organisation=organisation).count(),
        True,
        "eu",
    )
    assert batch.imported
    assert list(checks()) == []
