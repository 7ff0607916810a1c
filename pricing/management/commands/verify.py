"""Re-check every promise that data can check."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """Exit 0 when everything holds; 1 with the offending rows otherwise."""

    help = (
        "Re-check what the database holds: accepted prices follow from their claims, none overlap, each has its "
        "evidence, unknown is not free, rate cards follow from prices, and whatever other apps promise of theirs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repair", action="store_true", help="recompute what can be recomputed, then check again")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        modules = _verifications()
        repaired = {}
        if options["repair"]:
            repaired = {name: module.repair() for name, module in modules.items() if hasattr(module, "repair")}
        started = time.monotonic()
        findings = [
            {"app": name, "check": found.check, "where": found.where, "problem": found.problem}
            for name, module in modules.items()
            for found in module.checks()
        ]
        seconds = round(time.monotonic() - started, 1)
        if options["json"]:
            answer = {"checked": list(modules), "repaired": repaired, "findings": findings, "seconds": seconds}
            self.stdout.write(json.dumps(answer, ensure_ascii=False, indent=1))
        else:
            for name, count in repaired.items():
                self.stdout.write(f"{name}: {count:,} repaired.")
            for found in findings:
                self.stdout.write(f"{found['app']}: {found['check']}: {found['where']}: {found['problem']}")
        if findings:
            raise CommandError(
                f"{len(findings):,} findings: verify --repair recomputes what can be recomputed.", returncode=1
            )
        if not options["json"]:
            self.stdout.write(f"Everything holds ({', '.join(modules)}; {seconds} s).")


def _verifications() -> dict[str, Any]:
    """The `verification` module of every app that has one: each checks the promises of its own tables."""
    names = [config.name for config in apps.get_app_configs() if find_spec(f"{config.name}.verification")]
    return {name: import_module(f"{name}.verification") for name in names}
