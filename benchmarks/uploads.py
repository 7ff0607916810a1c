"""Fuzzed uploads: no answer of 500, no partial import, nothing left behind, and less than 300 MB of memory.

Runs only when it is asked for: `python -m benchmarks uploads`, with BENCH_UPLOADS=10000. Every sixteenth goes through
`POST /api/v1/usage/events`, the others through the page. 1,000 uploads a process, whose peak is its own.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
from collections import Counter
from functools import partial

from benchmarks.measuring import peak_mib
from benchmarks.report import Figure
from benchmarks.workspace import Workspace

UPLOADS = int(os.environ.get("BENCH_UPLOADS") or 10_000)
FIRST = int(os.environ.get("BENCH_FIRST_UPLOAD") or 0)
PART = 1_000
MOST_MB = 300


def run(space: Workspace) -> None:
    kinds: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    broken: list[str] = []
    peak = 0.0
    for first in range(FIRST, FIRST + UPLOADS, PART):
        until = min(first + PART, FIRST + UPLOADS)
        found = space.child("benchmarks.uploads", str(first), str(until))
        kinds.update(found["kinds"])
        ends.update(found["ends"])
        broken += found["broken"]
        for sentence in found["broken"]:
            space.report.say(f"  {sentence}")
        peak = max(peak, found["peak_mib"])
        space.report.say(f"  {until - FIRST:,} uploads, {len(broken)} promises broken, peak {peak:.0f} MiB")
    space.report.add(Figure("uploads", sum(kinds.values()), ""))
    space.report.add(Figure("promises broken by them", len(broken), "", goal="0", holds=not broken))
    megabytes = peak * (1 << 20) / 1e6
    goal = f"under {MOST_MB} MB"
    space.report.add(Figure("peak memory", megabytes, "MB", goal=goal, holds=megabytes < MOST_MB))
    space.report.note("uploads by kind: " + ", ".join(f"{name} {count:,}" for name, count in kinds.most_common()))
    space.report.note("batches by end: " + ", ".join(f"{name} {count:,}" for name, count in ends.most_common()))


def main(first: int, until: int) -> None:
    import logging

    import django
    from django.conf import settings

    django.setup()
    logging.disable(logging.WARNING)
    settings.ALLOWED_HOSTS = ["*"]
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    from config.command_line import let_go
    from usage.models import ImportBatch
    from usage.verification import checks

    with tempfile.TemporaryDirectory() as folder:
        settings.FILE_UPLOAD_TEMP_DIR = folder
        kinds, broken = _sent(first, until)
    broken += [f"{finding.check}, {finding.where}: {finding.problem}" for finding in checks()]
    ends = Counter(ImportBatch.objects.filter(organisation__slug=f"fuzz-{first}").values_list("status", flat=True))
    print(json.dumps({"kinds": kinds, "ends": ends, "broken": broken, "peak_mib": peak_mib()}))
    let_go()


def _sent(first: int, until: int) -> tuple[Counter[str], list[str]]:
    from django.test import Client

    from benchmarks import hostile_uploads
    from benchmarks.uploading import Sender
    from dashboards import access
    from dashboards.models import Person
    from usage import organisations, tasks

    tasks.import_chunk.delay = lambda *_: None  # `Sender` imports what was queued
    organisation = organisations.create_organisation(f"Fuzz {first}", f"fuzz-{first}")
    person = Person.objects.create_user(f"fuzz-{first}@example.com")
    access.grant(person, "member", organisation)
    client = Client()
    client.force_login(person)
    sender = Sender(organisation, client, access.create_token("fuzz", "member", organisation=organisation)[1])
    kinds: Counter[str] = Counter()
    broken: list[str] = []
    for number in range(first, until):
        if number % 16 == 15 and number % hostile_uploads.EVERY_LONG != hostile_uploads.EVERY_LONG - 1:
            kind, work = "events", partial(sender.post, hostile_uploads.events(number))
        else:
            upload = hostile_uploads.upload(number)
            kind, mapped = upload.kind, random.Random(number).random() < 0.8  # noqa: S311
            work = partial(sender.send, upload, f"machine {number % 5}", mapped=mapped)
        kinds[kind] += 1
        try:
            found = work()
        except Exception as fault:
            found = [f"{type(fault).__name__}: {fault}"[:300]]
        broken += [f"upload {number} ({kind}): {sentence}" for sentence in found]
    return kinds, broken


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
