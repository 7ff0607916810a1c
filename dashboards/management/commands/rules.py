"""Attribution rules from a file that is kept beside code: list what there is, or make it what the file says."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from pydantic import ValidationError

from dashboards.api.rule_schemas import RuleTexts
from dashboards.rule_changes import as_json, change_rules
from dashboards.written_rules import Book, Wanted, in_file, tag
from pricing.answers import BadQuestion
from usage.models import Organisation
from usage.organisations import UnknownOrganisation, chosen


class Changed(BadQuestion):
    """The rules are not those that were looked at."""


class Command(BaseCommand):
    """Exit 0 when the rules are (or would be) as the file says, 1 where they changed meanwhile, 2 for a bad file."""

    help = "List the rules that say whose usage is whose, or make them equal to a file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("do", choices=["list", "apply"])
        parser.add_argument("--file", help="what apply makes of the rules: JSON; - reads standard input")
        parser.add_argument("--organisation", help="slug; default: the only one")
        parser.add_argument("--dry-run", action="store_true", help="say what would change and move, and change nothing")
        parser.add_argument("--if-match", help="apply only while the rules have this etag, which list tells")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            organisation = chosen(options["organisation"])
            if options["do"] == "list":
                found = listed(organisation)
                said = _list_words(found)
            else:
                found = applied(organisation, _text(options["file"]), options["if_match"], options["dry_run"])
                said = _change_words(found)
        except Changed as fault:
            raise CommandError(str(fault), returncode=1) from None
        except (UnknownOrganisation, BadQuestion) as fault:
            field = getattr(fault, "field", "")
            raise CommandError(f"{field}: {fault}" if field else str(fault), returncode=2) from None
        self.stdout.write(json.dumps(found, indent=1, ensure_ascii=False) if options["json"] else said)


def listed(organisation: Organisation) -> dict[str, Any]:
    """The rules as a file has them, and the etag of all of them."""
    written = Book(organisation).all_written()
    return {"organisation": organisation.slug, "etag": tag(written), "rules": [in_file(rule) for rule in written]}


def applied(organisation: Organisation, text: RuleTexts, if_match: str | None, dry_run: bool) -> dict[str, Any]:
    """What was changed to make the rules as the file has them, or what a change would move."""

    def edit(book: Book) -> tuple[Wanted, None]:
        if if_match is not None and if_match.strip('"') != tag(book.all_written()).strip('"'):
            raise Changed("The rules have changed since they were looked at: run it with --dry-run again.")
        return book.read_all(text.rules), None

    done = change_rules(organisation, edit, None, dry_run=dry_run)
    etag = tag(Book(organisation).all_written())
    return {"organisation": organisation.slug, "etag": etag, "rules": len(done.after)} | as_json(done)


def _text(place: str | None) -> RuleTexts:
    if not place:
        raise BadQuestion("Say which file with --file, such as rules.json; - reads standard input.")
    try:
        content = sys.stdin.read() if place == "-" else Path(place).read_text("utf-8")
        asked = json.loads(content)
    except OSError as fault:
        raise BadQuestion(f"{place} cannot be read: {fault.strerror}.") from None
    except (ValueError, RecursionError):
        raise BadQuestion(f"{place} is not JSON: write what `rules list --json` prints.") from None
    if isinstance(asked, dict):  # what `list` tells besides the rules
        asked = {name: value for name, value in asked.items() if name not in ("organisation", "etag")}
    try:
        return RuleTexts.model_validate(asked)
    except ValidationError as fault:
        [first, *_] = fault.errors()
        field = ".".join(str(part) for part in first["loc"] if part not in ("one", "many"))
        raise BadQuestion(first["msg"].removeprefix("Value error, "), field or place) from None


def _list_words(found: dict[str, Any]) -> str:
    lines = [f"{len(found['rules'])} rules of {found['organisation']}, etag {found['etag']}"]
    for place, rule in enumerate(found["rules"], 1):
        off = "" if rule.get("enabled", True) else " (not asked)"
        lines.append(f"{place:>4}  {rule['name']}{off} → {_whose(rule['outcome'])}")
    return "\n".join(lines)


def _whose(outcome: Any) -> str:
    if isinstance(outcome, dict):
        return f"by the tokens of {' '.join(str(part) for part in outcome['by_tokens_of'].values())}"
    return ", ".join(f"{share['project']} {share['weight']}" for share in outcome) or "nobody"


def _moved_words(move: dict[str, Any]) -> str:
    if move["spent"] is None:
        return "at no known price"
    return f"{move['spent']} {move['currency']} spent, list {move['list']}"


def _change_words(found: dict[str, Any]) -> str:
    """What is changed, a rule a line, and what would move, a month and pair of projects a line."""
    would = "would be " if found["dry_run"] else ""
    lines = [
        f"{one['name'] or 'the order'}: {would}{'changed' if one['change'] == 'ordered' else one['change']}"
        for one in found["changes"]
    ] or [f"Nothing to change: the {found['rules']} rules are as the file has them."]
    preview = found["preview"]
    if preview and found["changes"]:
        lines += [
            f"  {move['month']} {move['from'] or 'unattributed'} → {move['to'] or 'unattributed'}: "
            f"{_moved_words(move)}, {move['records']} records"
            for move in preview["moves"]
        ] or ["  no money moves"]
        if preview["closed_months"]:
            lines.append(f"  pending, as the month is closed: {', '.join(preview['closed_months'])}")
        lines.append(f"etag {found['etag']}")
    return "\n".join(lines)
