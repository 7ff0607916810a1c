"""Three years of two real tables, replayed in any order."""

import gzip
import hashlib
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import transaction

from pricing import catalog
from pricing.models import Price

pytestmark = [pytest.mark.shared, pytest.mark.slow, pytest.mark.django_db]

_ROW = (
    "offering__provider__slug", "offering__sku", "offering__region", "unit", "qualifier", "service_tier",
    "context_from", "schedule", "amount", "per", "currency", "effective_from", "effective_until", "known_from",
    "known_until",
)  # fmt: skip


def readings(shared_data: Path) -> list[tuple[str, datetime, Path]]:
    """The seven LiteLLM and three models.dev files: source, day, file."""
    found = [
        (slug, datetime.fromisoformat(path.name[:10]).replace(tzinfo=UTC), path)
        for slug, folder in (("litellm", "litellm"), ("models_dev", "models-dev"))
        for path in sorted((shared_data / "prices" / folder).glob("*.json.gz"))
    ]
    assert len(found) == 10
    return found


def read(source: str, when: datetime, path: Path) -> None:
    outcome = catalog.record(source, gzip.decompress(path.read_bytes()), observed_at=when)
    assert outcome.error == ""


def replayed(order: list[tuple[str, datetime, Path]]) -> list[tuple[int, str]]:
    """After each of the last two readings, how many accepted rows there are, and their hash; nothing of it stays."""
    standing = []
    with transaction.atomic():
        for number, reading in enumerate(order, 1):
            read(*reading)
            if number >= len(order) - 1:
                rows = sorted(map(repr, Price.objects.filter(superseded_at=None).values_list(*_ROW)))
                standing.append((len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest()))
        transaction.set_rollback(True)
    return standing


@pytest.mark.usefixtures("catalogue")
def test_the_order_of_replay_cannot_matter_and_every_file_does(shared_data):
    """On top of the bundled packages, so that every source has something to agree or disagree with."""
    files = readings(shared_data)
    [late] = [file for file in files if file[2].name[:10] == "2025-11-01"]
    shuffled = [file for file in files if file != late]
    random.Random(20261125).shuffle(shuffled)  # noqa: S311 - the same order every time
    forward = replayed(files)[-1]
    assert forward[0] > 20_000
    assert replayed(files[::-1])[-1] == forward
    # The file from the middle of the three years comes last: what stood before it is the replay without that file.
    without, complete = replayed([*shuffled, late])
    assert complete == forward
    assert without != forward
