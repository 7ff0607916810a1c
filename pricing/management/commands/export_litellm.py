"""The prices in force as LiteLLM's cost map, or what that map cannot say."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from pricing.answers.exports import litellm_inexpressible, litellm_map


class Command(BaseCommand):
    """Exit 0 with JSON on standard output, byte for byte what the addresses under /export/ answer."""

    help = "The prices in force as LiteLLM's cost map: the same JSON as /export/litellm.json."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--inexpressible",
            action="store_true",
            help="instead, what the map cannot say: the same JSON as /export/litellm-inexpressible.json",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write((litellm_inexpressible() if options["inexpressible"] else litellm_map()).decode())
