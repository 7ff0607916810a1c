"""Changes of an organisation's rules by programs and files: under its lock, with a line in the audit log for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction

from dashboards import audit
from dashboards.written_rules import Book, Difference, Wanted, Written, differences
from pricing.answers import BadQuestion
from usage import assignments, previews
from usage.attribution import RuleFault
from usage.locks import lock_organisation
from usage.models import AttributionRule, Organisation
from usage.previews import Preview

Edit = Callable[[Book], tuple[Wanted, int | None]]
"""From the rules as they are to all as they are to be, and the place (from 0) of the one that it is about."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a change did, or would do where there is a preview."""

    book: Book
    after: list[Written]
    changes: list[Difference]
    place: int | None
    preview: Preview | None


def change_rules(organisation: Organisation, edit: Edit, who: object, *, dry_run: bool) -> Done:
    """Make an edit of all rules, or look what it would move. Nothing is changed where the edit refuses.

    The edit sees the rules as they are when nobody else can change them any more; `who` is as `audit.record` takes it.
    """
    with transaction.atomic():
        lock_organisation(organisation.pk)
        book = Book(organisation)
        before = book.all_written()
        wanted, place = edit(book)
        rules: list[AttributionRule] = []

        def made() -> AttributionRule | None:
            rules[:] = assignments.set_rules(organisation, wanted)
            return None if place is None else rules[place]

        try:
            preview = previews.preview(organisation, made) if dry_run else None
            if not dry_run:
                made()
        except RuleFault as fault:
            raise BadQuestion(str(fault)) from None
        after = [book.written(rule, number) for number, rule in enumerate(rules, 1)]
        done = Done(book, after, differences(before, after), place, preview)
        if not dry_run:
            _record(organisation, who, done)
    known = {one["id"] for one in before}
    for one in after if dry_run else ():
        one["id"] = one["id"] if one["id"] in known else None  # the number is gone with the dry run
    return done


def _record(organisation: Organisation, who: object, done: Done) -> None:
    for change, before, after in done.changes:
        if change == "ordered":
            audit.record(who, "ordered the rules", organisation, before, after, organisation)
        else:
            subject = (after or before or {})["name"]
            audit.record(who, f"{change} a rule", subject, _logged(before), _logged(after), organisation)


def _logged(written: Written | None) -> Written | None:
    return written and {name: value for name, value in written.items() if name not in ("id", "version")}


def as_json(done: Done) -> dict[str, Any]:
    """What happened and, in a dry run, what would move."""
    return {
        "dry_run": done.preview is not None,
        "changes": [
            {"change": change, "name": (after or before or {}).get("name", "")}
            for change, before, after in done.changes
        ],
        "preview": done.preview and preview_json(done.preview, done.book),
    }


def preview_json(found: Preview, book: Book) -> dict[str, Any]:
    """A preview with projects by slug and money as decimal strings."""
    return {
        "moves": [
            {
                "month": f"{move.month:%Y-%m}",
                "from": book.slug_of(move.source),
                "to": book.slug_of(move.target),
                "currency": move.currency,
                "spent": _money(move.spent),
                "list": _money(move.cost),
                "records": move.records,
            }
            for move in found.moves
        ],
        "dimensions": found.dimensions,
        "records": found.records,
        "closed_months": [f"{month:%Y-%m}" for month in found.closed_months],
        "caught": [
            {
                "usage": one.dimension.told_by(),
                "records": one.records,
                "spent": _money(one.spent),
                "unknown_records": one.unknown,
                "last": one.last.isoformat(),
            }
            for one in found.caught.dearest
        ],
        "caught_dimensions": found.caught.dimensions,
        "caught_records": found.caught.records,
        "caught_spent": _money(found.caught.spent),
        "caught_unknown_records": found.caught.unknown,
        "held": [{"id": one.rule_id, "name": one.name, "dimensions": one.dimensions} for one in found.held],
    }


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount.normalize():f}"
