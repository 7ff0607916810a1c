"""One import in a process of its own, so that its memory is its own: `python -m benchmarks.child IMPORTER ORG PATH`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import django

from benchmarks.measuring import peak_mib, timed


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("importer")
    parser.add_argument("organisation")
    parser.add_argument("path")
    parser.add_argument("--scope", default="bench")
    parser.add_argument("--mapping", type=Path)
    options = parser.parse_args()
    django.setup()
    from config.command_line import let_go
    from usage import ingest
    from usage.models import Organisation

    mapping = json.loads(options.mapping.read_text()) if options.mapping else None
    organisation = Organisation.objects.get(slug=options.organisation)
    with timed() as taken:
        batch = ingest.import_paths(organisation, options.importer, [options.path], options.scope, mapping)
    if batch.error:
        raise SystemExit(batch.error)
    counts = ("lines", "imported", "updated", "duplicate", "unpriced", "unattributed")
    found = {name: getattr(batch, name) for name in counts}
    print(json.dumps({"wall": taken.wall, "cpu": taken.cpu, "peak_mib": peak_mib(), **found}))
    let_go()


if __name__ == "__main__":
    main()
