"""Runs one management command, with the embedded PostgreSQL answering for as long as it lasts."""

import sys
import threading
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from config import embedded
from config.postgres_binaries import EmbeddedError

# These need no database, or look after it themselves.
WITHOUT_SERVER = {"", "check", "collectstatic", "database", "findstatic", "help", "quickstart", "version"}


def run(argv: list[str]) -> None:
    """Run `argv`; a fault of the settings or the embedded server ends it with one sentence and status 1."""
    command = argv[1] if len(argv) > 1 else ""
    try:
        folder = settings.DATA_DIR
        if folder is not None and command == "quickstart" and not _asks_for_help(argv):
            # The first start's longest wait, 1 s, is over when Django has been imported.
            threading.Thread(target=_initialise, args=[folder]).start()
        if folder is None or command in WITHOUT_SERVER or command.startswith("-") or _asks_for_help(argv):
            execute_from_command_line(argv)
            return
        with embedded.serving(folder):
            try:
                execute_from_command_line(argv)
            finally:
                let_go()
    except (EmbeddedError, ImproperlyConfigured) as error:
        sys.exit(f"Error: {error}")


def _initialise(folder: Path) -> None:
    with suppress(EmbeddedError, OSError):  # quickstart meets the same fault, and says it
        embedded.initialise(folder)


def _asks_for_help(argv: list[str]) -> bool:
    return "--help" in argv or "-h" in argv


def let_go() -> None:
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]
