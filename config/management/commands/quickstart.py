"""`quickstart`: from an empty folder to a running Ratecard."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand

from config.quickstart import Choices, run


class Command(BaseCommand):
    help = "Prepare the database and the catalogue, then run the web server, the worker and the scheduler."
    requires_system_checks: list[str] = []  # the tests and `check` do that; here they would cost a second

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: this machine only)")
        parser.add_argument("--no-serve", action="store_true", help="prepare everything, then exit")
        parser.add_argument("--no-sample", action="store_true", help="leave out the sample workspace")
        parser.add_argument("--no-sources", action="store_true", help="start with an empty catalogue")

    def handle(self, *args: Any, **options: Any) -> None:
        run(
            Choices(
                host=options["host"],
                port=options["port"],
                serve=not options["no_serve"],
                sample=not options["no_sample"],
                sources=not options["no_sources"],
            ),
            self._say,
        )

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
