"""Rules as programs and files write them: projects by slug, feeds by importer and scope, places counted from 1.

What is written here means the same in another instance, so a file of rules can be kept beside code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import orjson

from dashboards.api.rule_schemas import ByTokens, Condition, RuleChange, RuleText, Share
from pricing.answers import BadQuestion
from usage.attribution import Result, RuleFault, compiled
from usage.models import AttributionRule, Connection, Organisation, Project
from usage.rule_terms import Terms, terms_of

Written = dict[str, Any]
Wanted = list[tuple[Terms, int | None]]
Difference = tuple[str, Written | None, Written | None]
"""What happened, and a rule before and after."""
SHOWN = 20
"""Slugs that a sentence lists."""


class Book:
    """An organisation's rules at one moment, with the names of what they speak of."""

    def __init__(self, organisation: Organisation) -> None:
        self.organisation = organisation
        self.rules = list(AttributionRule.objects.filter(organisation=organisation))
        projects = Project.objects.filter(organisation=organisation).order_by("slug")
        self.projects = dict(projects.values_list("slug", "pk"))
        feeds = Connection.objects.filter(organisation=organisation)
        self.feeds = {pk: (importer, scope) for pk, importer, scope in feeds.values_list("pk", "importer", "scope")}

    def wanted(self) -> Wanted:
        """The rules as they are, to be changed and handed to `assignments.set_rules`."""
        return [(terms_of(rule), rule.pk) for rule in self.rules]

    def place_of(self, rule_id: int) -> int | None:
        """Where a rule stands in the list, from 0; None where this organisation does not have it."""
        return next((place for place, rule in enumerate(self.rules) if rule.pk == rule_id), None)

    def read(self, text: RuleText, where: str = "") -> Terms:
        """What a rule says; BadQuestion names the part that is wrong and what to write instead."""
        conditions = _conditions(text.conditions, where)
        outcome = self._outcome(text.outcome, f"{where}outcome")
        return _ends(Terms(text.name, conditions, outcome, text.valid_from, text.valid_until, text.enabled), where)

    def changed(self, terms: Terms, text: RuleChange) -> Terms:
        """The same but for what the change says."""
        said: dict[str, Any] = {name: getattr(text, name) for name in text.model_fields_set - {"position"}}
        if "conditions" in said:
            said["conditions"] = _conditions(text.conditions)
        if "outcome" in said:
            said["outcome"] = self._outcome(text.outcome, "outcome")
        found = replace(terms, **said)
        return found if found.decides_as(terms) else _ends(found)

    def read_all(self, texts: Sequence[RuleText]) -> Wanted:
        """All rules as they are to be: one that is called as a rule there is, is that rule."""
        stored = {rule.name: rule.pk for rule in reversed(self.rules)}
        seen: set[str] = set()
        found = []
        for number, text in enumerate(texts):
            if text.name in seen:
                told = f"Two rules are called “{text.name}”: give each a name of its own."
                raise BadQuestion(told, f"rules[{number}].name")
            seen.add(text.name)
            found.append((self.read(text, f"rules[{number}]."), stored.get(text.name)))
        return found

    def _outcome(self, outcome: Sequence[Share] | ByTokens, where: str) -> Result:
        if isinstance(outcome, ByTokens):
            return {"by_tokens_of": self._feed(outcome, where)}
        found: list[Mapping[str, Any]] = []
        for number, share in enumerate(outcome):
            if share.project not in self.projects:
                raise BadQuestion(self._no_project(share.project), f"{where}[{number}].project")
            found.append({"project": self.projects[share.project], "weight": share.weight})
        _sound(where, [], found)
        return found

    def _no_project(self, slug: str) -> str:
        known = list(self.projects)
        there = ", ".join(known[:SHOWN]) + (" …" if len(known) > SHOWN else "") if known else "none yet"
        return f"There is no project “{slug[:120]}” in {self.organisation}: make it first, or write one of: {there}."

    def _feed(self, asked: ByTokens, where: str) -> dict[str, Any]:
        feed = asked.by_tokens_of
        if feed.connection is not None and (feed.importer or feed.scope):
            raise BadQuestion("Write an importer, with its scope if you like, or a connection: not both.", where)
        if feed.connection is not None:
            fitting = [feed.connection] if feed.connection in self.feeds else []
        elif not feed.importer:
            raise BadQuestion("by_tokens_of names an importer, such as litellm_spend_logs, or a connection.", where)
        else:
            fitting = [
                pk
                for pk, (importer, scope) in self.feeds.items()
                if importer == feed.importer and feed.scope in (None, scope)
            ]
        if not fitting:
            there = ", ".join(sorted({importer for importer, _ in self.feeds.values()})) or "none yet"
            told = f"by_tokens_of names a feed that {self.organisation} does not have: its importers are {there}."
            raise BadQuestion(told, where)
        if feed.importer and feed.scope is None:
            return {"importer": feed.importer}
        return {"connection": fitting[0]}

    def written(self, rule: AttributionRule, place: int) -> Written:
        """A rule as it is answered; `place` counts from 1."""
        return {
            "id": rule.pk,
            "version": rule.version,
            "position": place,
            "name": rule.name,
            "enabled": rule.enabled,
            "conditions": rule.conditions,
            "outcome": self._written_outcome(rule.outcome),
            "from": rule.valid_from and rule.valid_from.isoformat(),
            "until": rule.valid_until and rule.valid_until.isoformat(),
        }

    def all_written(self) -> list[Written]:
        return [self.written(rule, place) for place, rule in enumerate(self.rules, 1)]

    def slug_of(self, project_id: int | None) -> str | None:
        return next((slug for slug, pk in self.projects.items() if pk == project_id), None)

    def _written_outcome(self, outcome: Any) -> Any:
        if isinstance(outcome, Mapping):
            named = outcome["by_tokens_of"]
            if named.get("connection") in self.feeds:
                importer, scope = self.feeds[named["connection"]]
                return {"by_tokens_of": {"importer": importer, "scope": scope}}
            return outcome
        return [
            {"project": self.slug_of(int(share["project"])), "weight": f"{Decimal(share['weight']).normalize():f}"}
            for share in outcome
        ]


def in_file(written: Written) -> Written:
    """A rule as a file has it: without what is of this instance alone, and without what says nothing."""
    kept = {name: value for name, value in written.items() if name not in ("id", "version", "position")}
    if kept["enabled"]:
        del kept["enabled"]
    return {name: value for name, value in kept.items() if value is not None}


def differences(before: Iterable[Written], after: Iterable[Written]) -> list[Difference]:
    """`made`, `changed` and `removed` rules with how they were and are, then `ordered` where the others' order differs.

    Both sides of `ordered` hold the names in their order. A rule that only stands elsewhere is not changed.
    """
    old, new = ({one["id"]: one for one in side} for side in (before, after))
    found: list[Difference] = []
    found += [("removed", one, None) for pk, one in old.items() if pk not in new]
    found += [("made", None, one) for pk, one in new.items() if pk not in old]
    found += [("changed", old[pk], one) for pk, one in new.items() if pk in old and _said(old[pk]) != _said(one)]
    was, now = ([one["name"] for pk, one in side.items() if pk in old and pk in new] for side in (old, new))
    order_was, order_now = ([pk for pk in side if pk in old and pk in new] for side in (old, new))
    if order_was != order_now:
        found.append(("ordered", {"order": was}, {"order": now}))
    return found


def tag(written: Any) -> str:
    """The strong entity tag of a rule or of all rules, as they are answered."""
    return f'"{hashlib.sha256(orjson.dumps(written, option=orjson.OPT_SORT_KEYS)).hexdigest()[:24]}"'


def _said(written: Written) -> Written:
    return {name: value for name, value in written.items() if name not in ("position", "version")}


def _conditions(conditions: Sequence[Condition], where: str = "") -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = [one.kept() for one in conditions]
    for number, condition in enumerate(found):
        _sound(f"{where}conditions[{number}]", [condition], [])
    return found


def _ends(terms: Terms, where: str = "") -> Terms:
    try:
        return terms.checked()
    except RuleFault as fault:
        raise BadQuestion(str(fault), f"{where}until") from None


def _sound(where: str, conditions: Sequence[Mapping[str, Any]], outcome: Result) -> None:
    try:
        compiled(None, 0, conditions, outcome)
    except RuleFault as fault:
        raise BadQuestion(str(fault), where) from None
