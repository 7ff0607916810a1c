"""Our prices held against an official list."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pricing.answers import BadQuestion, moment
from pricing.answers.audits import audit
from pricing.audit import COLUMNS, UnreadableList, read


class Command(BaseCommand):
    """Exit 0 when audited, whatever the verdicts; 2 for a list that cannot be read."""

    help = (
        f"Compare our prices with a CSV of official ones; its columns are {', '.join(COLUMNS)} "
        "(blank = default). One verdict a row: right (within 0.5 %%), wrong or missing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("list", type=Path, help="the CSV of official prices")
        parser.add_argument("--at", help="date (00:00 UTC) or time with its zone; default: now")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["list"]
        try:
            at = moment(options["at"], "--at") if options["at"] else None
            answer = audit(read(path.read_text("utf-8")), at)
        except OSError as fault:
            raise CommandError(f"{path} cannot be read: {fault.strerror}.", returncode=2) from None
        except UnicodeDecodeError:
            raise CommandError(f"{path} is not text in UTF-8: save the list as CSV in UTF-8.", returncode=2) from None
        except UnreadableList as fault:
            raise CommandError(f"{path}: {fault}", returncode=2) from None
        except BadQuestion as fault:
            raise CommandError(str(fault), returncode=2) from None
        if options["json"]:
            self.stdout.write(json.dumps(answer, ensure_ascii=False, indent=1))
            return
        for row in answer["rows"]:
            if row["verdict"] != "right":
                self.stdout.write(_line(row))
        self.stdout.write(f"{answer['right']:,} right, {answer['wrong']:,} wrong, {answer['missing']:,} missing.")


def _line(row: dict[str, Any]) -> str:
    key = " ".join(filter(None, (row[name] for name in COLUMNS[:6])))
    tokens = f" above {row['min_input_tokens']} tokens" if row["min_input_tokens"] else ""
    ours = f"{row['ours']} (grade {row['grade']})" if row["ours"] is not None else "unknown"
    return f"{row['verdict']:<8}{key}{tokens}: official {row['usd_per_mtok']}, ours {ours}. {row['why']}"
