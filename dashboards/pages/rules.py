"""What the pages of rules show and what their form says. Pure: from a form to a rule, from a rule to words."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from dashboards.pages import asked
from usage.attribution import FIELDS, RuleFault

MOST_ROWS = 30
EMPTY_CONDITIONS, EMPTY_SHARES = 2, 1
COMPARISONS: dict[str, str] = {
    "equals": "is",
    "not equals": "is not",
    "prefix": "begins with",
    "not prefix": "does not begin with",
    "contains": "contains",
    "not contains": "does not contain",
    "in": 'is one of (a, b, "c, d")',
    "not in": 'is none of (a, b, "c, d")',
    "glob": "fits (* and ?)",
    "not glob": "does not fit (* and ?)",
    "regex": "fits the expression",
    "not regex": "does not fit the expression",
    "is_empty": "is empty",
    "not is_empty": "is not empty",
}


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """A row of the form."""

    field: str = ""
    comparison: str = "equals"
    value: str = ""


@dataclass(frozen=True, slots=True)
class ShareRow:
    """A project and its part in percent."""

    project: str = ""
    percent: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """The editor's form as somebody left it."""

    name: str = ""
    conditions: tuple[ConditionRow, ...] = ()
    shares: tuple[ShareRow, ...] = ()
    valid_from: str = ""
    valid_until: str = ""
    place: str = ""
    enabled: bool = True
    tokens_of: str = ""
    """`importer:SLUG` or `connection:NUMBER`: whose tokens say which projects."""

    @property
    def fingerprint(self) -> str:
        """What was previewed, so that nothing else is saved."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Asked:
    """A draft read: what `save_rule` takes."""

    name: str
    conditions: list[dict[str, Any]] = field(default_factory=list)
    shares: list[dict[str, str | int]] | dict[str, Any] = field(default_factory=list)
    valid_from: date | None = None
    valid_until: date | None = None
    place: int | None = None


def draft_of(sent: Mapping[str, str]) -> Draft:
    """The form as it was sent, without rows that say nothing."""
    conditions = [
        ConditionRow(
            sent.get(f"field-{n}", ""), sent.get(f"op-{n}", "equals"), sent.get(f"value-{n}", "").strip()
        )
        for n in range(MOST_ROWS)
    ]  # fmt: skip
    shares = [ShareRow(sent.get(f"project-{n}", ""), sent.get(f"percent-{n}", "").strip()) for n in range(MOST_ROWS)]
    return Draft(
        sent.get("name", "").strip()[:200],
        tuple(row for row in conditions if row.field),
        tuple(row for row in shares if row.project),
        sent.get("from", "").strip(),
        sent.get("until", "").strip(),
        sent.get("place", "").strip(),
        sent.get("enabled", "yes") == "yes",
        sent.get("tokens_of", ""),
    )


def prefilled(query: Mapping[str, str], place: int) -> Draft:
    """A new rule from an address: `?field=ext_api_key&value=…`, and op, name, project if wanted."""
    name, value = query.get("field", ""), query.get("value", "")[:500]
    known = name in FIELDS or name.startswith("tag:")
    op = query.get("op", "equals" if value else "is_empty")
    rows = (ConditionRow(name, op if op in COMPARISONS else "equals", value),) if known else ()
    project = query.get("project", "")
    shares = (ShareRow(project, "100"),) if project.isdecimal() else ()
    return Draft(query.get("name", "")[:200], rows, shares, place=str(place))


def draft_from(rule: Any, place: int) -> Draft:
    """The form of a rule that is there."""
    return Draft(
        rule.name,
        tuple(_condition_row(one) for one in rule.conditions),
        ()
        if isinstance(rule.outcome, dict)
        else tuple(ShareRow(str(one["project"]), f"{Decimal(one['weight']) * 100:f}") for one in rule.outcome),
        f"{rule.valid_from or ''}",
        f"{rule.valid_until or ''}",
        str(place),
        rule.enabled,
        tokens_key(rule.outcome) if isinstance(rule.outcome, dict) else "",
    )


def tokens_key(outcome: Mapping[str, Any]) -> str:
    """A feed as the form writes it."""
    [(kind, which)] = outcome["by_tokens_of"].items()
    return f"{kind}:{which}"


def _condition_row(one: Mapping[str, Any]) -> ConditionRow:
    value = one.get("value")
    text = ", ".join(map(_quoted, value)) if isinstance(value, list) else value or ""
    return ConditionRow(one["field"], ("not " if one.get("not") else "") + one["op"], text)


def _quoted(word: str) -> str:
    """A word of a list as it is written: in quotation marks where a comma or a mark is in it."""
    doubled = word.replace('"', '""')
    return f'"{doubled}"' if any(sign in word for sign in ',"') else word


def read(draft: Draft) -> Asked:
    """What the form asks for; RuleFault is a sentence for whoever filled it in."""
    if not draft.name:
        raise RuleFault("Write a name, such as “Keys of the search team”.")
    try:
        since, until = asked.day(draft.valid_from, "From"), asked.day(draft.valid_until, "Until")
        place = int(draft.place) if draft.place else None
    except ValueError as fault:
        said = str(fault) if "needs a day" in str(fault) else "The place is a number, 1 for the rule asked first."
        raise RuleFault(said) from None
    return Asked(
        draft.name, [_condition(row) for row in draft.conditions], _outcome(draft), since, until, place
    )  # fmt: skip


def _outcome(draft: Draft) -> list[dict[str, str | int]] | dict[str, Any]:
    if not draft.tokens_of:
        return _shares(draft.shares)
    if draft.shares:
        raise RuleFault("Choose projects, or another feed whose tokens say which: not both.")
    kind, _, which = draft.tokens_of.partition(":")
    if kind == "connection" and which.isdecimal():
        return {"by_tokens_of": {"connection": int(which)}}
    if kind == "importer" and which:
        return {"by_tokens_of": {"importer": which}}
    raise RuleFault("Choose a feed of the list.")


def _condition(row: ConditionRow) -> dict[str, Any]:
    if row.comparison not in COMPARISONS:
        raise RuleFault("Choose a comparison of the list.")
    is_not, op = row.comparison.startswith("not "), row.comparison.removeprefix("not ")
    found: dict[str, Any] = {"field": row.field, "op": op}
    if op == "in":
        words = next(csv.reader([row.value], skipinitialspace=True), [])
        found["value"] = [word.strip() for word in words if word.strip()]
    elif op != "is_empty":
        if not row.value:
            raise RuleFault(f"Write what the {field_words(row.field)} is compared with, or choose “is empty”.")
        found["value"] = row.value
    return found | ({"not": True} if is_not else {})


def _shares(rows: Sequence[ShareRow]) -> list[dict[str, str | int]]:
    """Percent to parts of 1. A project alone needs no percentage."""
    if not all(row.project.isdecimal() and len(row.project) < 19 for row in rows):
        raise RuleFault("Choose projects of the list.")
    if len(rows) == 1 and not rows[0].percent:
        return [{"project": int(rows[0].project), "weight": "1"}]
    found: list[dict[str, str | int]] = []
    for row in rows:
        try:
            part = Decimal(row.percent.replace("%", "").strip()) / 100
            found.append({"project": int(row.project), "weight": f"{part:f}"})
        except (InvalidOperation, ValueError):
            raise RuleFault("Write each project’s part in percent, such as 70; they sum to 100.") from None
    if found and sum(Decimal(one["weight"]) for one in found) != 1:
        raise RuleFault("The parts must sum to exactly 100 %.")
    return found


def field_words(name: str) -> str:
    return FIELDS.get(name) or f"tag {name.removeprefix('tag:')}"


def condition_words(conditions: Sequence[Mapping[str, Any]]) -> list[str]:
    """Each condition in words: `API key begins with sk-1`."""
    if not conditions:
        return ["everything"]
    found = []
    for one in conditions:
        row = _condition_row(one)
        words = COMPARISONS.get(row.comparison, row.comparison).split(" (")[0]
        found.append(f"{field_words(row.field)} {words} {row.value}".strip())
    return found


def outcome_words(
    shares: Sequence[Mapping[str, Any]] | Mapping[str, Any], names: Mapping[int, str], feeds: Mapping[str, str]
) -> str:
    """`Claims` or `70% Claims, 30% Search`; nobody is unattributed."""
    if isinstance(shares, Mapping):
        return f"by the tokens of {feeds.get(tokens_key(shares), 'a feed that is gone')}"
    if not shares:
        return "Unattributed"
    called = [(names.get(int(one["project"]), "a project that is gone"), Decimal(one["weight"])) for one in shares]
    if len(called) == 1:
        return called[0][0]
    return ", ".join(f"{(part * 100).normalize():f}% {name}" for name, part in called)


def dates_words(since: date | None, until: date | None) -> str:
    """When a rule holds; '' for always."""
    if since and until:
        return f"from {since} until {until}"
    return f"from {since}" if since else f"until {until}" if until else ""


def said(fields: Mapping[str, str]) -> tuple[str, str]:
    """A combination of usage in two lines: who, and what of."""
    who = [fields[name] for name in ("ext_project", "ext_team", "ext_user", "ext_api_key") if fields.get(name)]
    where = [fields[name] for name in ("path", "branch") if fields.get(name)]
    of_use = ("model_raw", "host", "operation", "region", "service_tier", "session")
    what = [fields[name] for name in of_use if fields.get(name)]
    first = " · ".join(who or where or ["says nothing of whose it is"])
    return first, " · ".join([*(where if who else []), *what, fields["source"]])


def told(rule: Any) -> dict[str, Any]:
    """A rule's fields for the audit log."""
    return {
        "name": rule.name,
        "conditions": rule.conditions,
        "outcome": rule.outcome,
        "from": str(rule.valid_from or ""),
        "until": str(rule.valid_until or ""),
        "position": rule.position,
        "enabled": rule.enabled,
    }


def padded(draft: Draft, more: bool) -> tuple[list[ConditionRow], list[ShareRow]]:
    """The rows the form shows: those that are filled in, and a few empty ones."""
    extra = 4 if more else 0
    conditions = [*draft.conditions, *[ConditionRow()] * (EMPTY_CONDITIONS + extra)]
    return conditions[:MOST_ROWS], [*draft.shares, *[ShareRow()] * (EMPTY_SHARES + extra)][:MOST_ROWS]


def finding(rules: int, loose: Decimal, whole: Decimal, amount: str) -> str:
    """The page in a sentence: how much no rule gives to a project."""
    if not rules:
        return "No rule says yet whose usage is whose: all of it is unattributed."
    noun = "1 rule decides" if rules == 1 else f"{rules} rules decide"
    if not whole:
        return f"{noun} whose usage is whose."
    if not loose:
        return f"{noun} whose usage is whose: all of the last 30 days is attributed."
    return f"{noun} whose usage is whose; {amount} of the last 30 days no project has."
