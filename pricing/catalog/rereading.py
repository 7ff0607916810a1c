"""A body read anew because another program read it: what it says is corrected, and nothing has changed.

The newest body of a source then says what today's program reads in it, from the moment it was first read. A claim
that it does not make after all is kept, withdrawn at the very reading that made it (`ClaimQuerySet.made` leaves it
out). What older bodies were read to say stays.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Mapping
from datetime import datetime

from pricing import program
from pricing.catalog.claims import (
    Identity,
    as_kept,
    begin,
    copy_claims,
    key_of,
    move_claims,
    moved,
    new_claim,
    write_facts,
)
from pricing.catalog.runs import ENDED
from pricing.failures import SourceFailure
from pricing.models import Claim, SourceRun
from pricing.sources import Source, SourceError, Statement

logger = logging.getLogger(__name__)


def read_anew(source: Source) -> set[int]:
    """Read the newest body of a source anew, where another program read it; the offerings that this corrects.

    It is a run of its own, observed when the one before was. A body that this program refuses keeps what it said.
    """
    runs = SourceRun.objects.filter(source__slug=source.SLUG, status__in=ENDED).order_by("-observed_at", "-pk")
    run = runs.select_related("source", "snapshot").first()
    if run is None or run.snapshot is None or run.read_by == program.stamp():
        return set()
    try:
        reading = source.parse(zlib.decompress(run.snapshot.body))
    except (SourceError, SourceFailure) as fault:
        logger.warning("%s: its newest body cannot be read anew: %s", source.SLUG, fault)
        return set()
    other = runs.exclude(snapshot=run.snapshot).first()
    before = other.observed_at if other else None
    first = (runs.filter(observed_at__gt=before) if before else runs).earliest("observed_at").observed_at
    ids, renamed = write_facts(reading, run.source, first, None)
    stated = {(ids[s.provider, s.sku, s.region], *key_of(s)): s for s in reversed(as_kept(reading))}
    touched, added, withdrawn = _correct(run, stated, first, before)
    run.pk, run.read_by, run.status, run.unplaced = None, program.stamp(), SourceRun.Status.CHANGED, reading.unplaced
    run.counts = {
        "claims": len(reading.statements), "added": added, "withdrawn": withdrawn, "offerings": len(ids)
    }  # fmt: skip
    run.save(force_insert=True)
    return touched | renamed


def _correct(
    run: SourceRun, stated: Mapping[Identity, Statement], first: datetime, before: datetime | None
) -> tuple[set[int], int, int]:  # fmt: skip
    """Have a body that was first read at one moment, and last by a run, make the claims it states; `before` is when
    another body was last read. The offerings concerned; how many claims were added and withdrawn."""
    assert run.snapshot_id is not None  # noqa: S101 - it was read
    claims = Claim.objects.filter(source=run.source)
    made = {(one.offering_id, *key_of(one)): one for one in claims.filter(last_seen_at=run.observed_at).made()}
    missed = {(one.offering_id, *key_of(one)): one for one in claims.filter(withdrawn_at=first)}
    fresh, changed = [], []
    for identity, s in stated.items():
        claim = made.get(identity) or missed.get(identity)
        if claim is None:
            seen = (first, run.observed_at)
            fresh.append(new_claim(run.source_id, identity[0], s, run.snapshot_id, seen, None))
            continue
        kept = moved(claim)
        claim.last_seen_at, claim.withdrawn_at = run.observed_at, None
        if claim.first_seen_at == first:
            begin(claim, s, first, run.snapshot_id)
        if moved(claim) != kept:
            changed.append(claim)
    gone = [claim for identity, claim in made.items() if identity not in stated]
    for claim in gone:
        claim.last_seen_at = before if before and claim.first_seen_at < first else first
        claim.withdrawn_at = first
    copy_claims(fresh)
    move_claims([*changed, *gone])
    touched = {row[1] for row in fresh} | {claim.offering_id for claim in (*changed, *gone)}
    return touched, len(fresh), len(gone)
