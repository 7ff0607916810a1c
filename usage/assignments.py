"""The only writer of rules, attributions and the map from dimensions to them.

A retroactive rule changes the map and posts the difference to the rollups; no record is touched. Imports hold the
organisation's lock shared while they use the map, so the map never changes under one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django.db import connection as db
from django.db import transaction

from usage import rollups, settling, telling_apart
from usage.attributes import Reading
from usage.attribution import Outcome, Result, Rule, RuleFault, Span, compiled, spans_over
from usage.locks import lock_organisation
from usage.models import Assignment, Attribution, AttributionRule, Connection, Organisation, Project, UsageDimension
from usage.rule_terms import Terms, terms_of
from usage.token_shares import expanded

_BATCH = 2_000


def save_rule(
    organisation: Organisation,
    *,
    name: str,
    conditions: Sequence[Mapping[str, Any]],
    shares: Result,
    position: int | None = None,
    valid_from: date | None = None,
    valid_until: date | None = None,
    rule: AttributionRule | None = None,
    enabled: bool = True,
) -> AttributionRule:
    """Add or change a rule and re-attribute all usage by it; RuleFault says what is wrong, and nothing changes."""
    Terms(name, conditions, shares, valid_from, valid_until).checked()
    outcome = _checked(organisation, shares)
    with transaction.atomic():
        lock_organisation(organisation.pk)
        if rule is None:
            last = AttributionRule.objects.filter(organisation=organisation).order_by("-position").first()
            rule = AttributionRule(organisation=organisation, version=0, position=last.position + 1 if last else 1)
        rule.name, rule.enabled = name, enabled
        rule.conditions = [dict(condition) for condition in conditions]
        rule.outcome = outcome
        rule.valid_from, rule.valid_until = valid_from, valid_until
        rule.position = rule.position if position is None else position
        rule.version += 1
        rule.save()
        reattribute(organisation)
    return rule


def _checked(organisation: Organisation, shares: Result) -> Any:
    """The outcome as it is kept; RuleFault where it names what this organisation does not have."""
    if isinstance(shares, Mapping):
        named = shares["by_tokens_of"]
        feeds = Connection.objects.filter(organisation=organisation)
        found = feeds.filter(pk=named["connection"]) if "connection" in named else feeds.filter(**named)
        if not found.exists():
            raise RuleFault("by_tokens_of names a feed that this organisation does not have.")
        return {"by_tokens_of": dict(named)}
    known = set(Project.objects.filter(organisation=organisation).values_list("id", flat=True))
    if not {int(share["project"]) for share in shares} <= known:
        raise RuleFault("A share names a project that this organisation does not have.")
    return [{"project": int(share["project"]), "weight": str(share["weight"])} for share in shares]


def set_rules(organisation: Organisation, wanted: Sequence[tuple[Terms, int | None]]) -> list[AttributionRule]:
    """Make these the organisation's rules, asked in this order, and re-attribute all usage by them once.

    Each is what a rule says, and the rule's id, or None for a new one; a rule that nobody names is removed. What stays
    as it is keeps its version. RuleFault says what is wrong, and nothing changes.
    """
    with transaction.atomic():
        lock_organisation(organisation.pk)
        stored = AttributionRule.objects.filter(organisation=organisation).in_bulk()
        rules = []
        for position, (terms, rule_id) in enumerate(wanted, 1):
            rule = AttributionRule(organisation=organisation, version=0) if rule_id is None else stored.pop(rule_id)
            _say(organisation, rule, terms)
            rule.position = position
            rules.append(rule)
        AttributionRule.objects.filter(pk__in=stored).delete()
        for rule in rules:
            rule.save()
        reattribute(organisation)
    return rules


def _say(organisation: Organisation, rule: AttributionRule, terms: Terms) -> None:
    """Give a rule its terms; one that was kept by an earlier release and says the same is not asked to be sound."""
    rule.name, rule.enabled = terms.name, terms.enabled
    if rule.version and terms_of(rule).decides_as(terms):
        return
    rule.outcome = _checked(organisation, terms.checked().outcome)
    rule.conditions = [dict(condition) for condition in terms.conditions]
    rule.valid_from, rule.valid_until = terms.valid_from, terms.valid_until
    rule.version += 1


def move_rule(rule: AttributionRule, place: int) -> None:
    """Ask a rule in another place, counted from 1; all usage is attributed anew."""
    with transaction.atomic():
        lock_organisation(rule.organisation_id)
        order = list(AttributionRule.objects.filter(organisation_id=rule.organisation_id).exclude(pk=rule.pk))
        order.insert(max(place - 1, 0), rule)
        for position, one in enumerate(order, 1):
            one.position = position
        AttributionRule.objects.bulk_update(order, ["position"])
        reattribute(rule.organisation)


def enable_rule(rule: AttributionRule, enabled: bool) -> None:
    """Ask a rule again, or no more; it keeps its place."""
    with transaction.atomic():
        lock_organisation(rule.organisation_id)
        rule.enabled = enabled
        rule.save(update_fields=["enabled"])
        reattribute(rule.organisation)


def delete_rule(rule: AttributionRule) -> None:
    """Take a rule away; what it attributed falls to the next rule that holds, or to nobody."""
    with transaction.atomic():
        lock_organisation(rule.organisation_id)
        organisation = rule.organisation
        rule.delete()
        reattribute(organisation)


def name_account(feed: Connection, account: str) -> None:
    """Say which billing account a connection speaks of: rules may ask for it, and feeds are settled by it."""
    with transaction.atomic():
        lock_organisation(feed.organisation_id)
        feed.account = account.strip()[:120]
        feed.save(update_fields=["account"])
        settling.settle_all(feed.organisation)
        reattribute(feed.organisation)


def accounts_of(organisation: Organisation) -> list[str]:
    """The billing accounts that its connections name."""
    named = Connection.objects.filter(organisation=organisation).exclude(account="")
    return sorted(set(named.values_list("account", flat=True)), key=str.casefold)


def reattribute(organisation: Organisation) -> int:
    """Ask the rules again about every dimension; returns how many changed. Conserves every total exactly."""
    changed = 0
    with transaction.atomic():
        lock_organisation(organisation.pk)
        rules = rules_of(organisation.pk)
        telling_apart.tell_ledger(organisation.pk, rules, assign)
        ids = list(UsageDimension.objects.filter(organisation=organisation).values_list("id", flat=True))
        for start in range(0, len(ids), _BATCH):
            changed += _reassign(organisation.pk, ids[start : start + _BATCH], rules)
        changed += _by_tokens_again(organisation.pk, rules)
    return changed


def refresh(organisation_id: int) -> int:
    """After an import: rules by another feed's tokens, anew; how many dimensions changed.

    In a transaction of its own, as the import holds the map still. Until then what came in is unattributed.
    """
    if not AttributionRule.objects.filter(organisation_id=organisation_id, outcome__has_key="by_tokens_of").exists():
        return 0
    with transaction.atomic():
        lock_organisation(organisation_id)
        return _by_tokens_again(organisation_id, rules_of(organisation_id))


def _by_tokens_again(organisation_id: int, rules: Sequence[Rule]) -> int:
    """Only once every other dimension has its projects do their tokens say whose the rest is."""
    asking = [rule.outcome.rule_id for rule in rules if rule.by_tokens]
    if not asking:
        return 0
    held = Assignment.objects.filter(organisation_id=organisation_id, attribution__rule_id__in=asking)
    ids = sorted(set(held.values_list("dimension_id", flat=True)))
    return sum(_reassign(organisation_id, ids[at : at + _BATCH], rules) for at in range(0, len(ids), _BATCH))


def rules_of(organisation_id: int) -> list[Rule]:
    """The organisation's rules in the order they are asked. One that cannot be read holds for nothing."""
    found = []
    for rule in AttributionRule.objects.filter(organisation_id=organisation_id, enabled=True):
        try:
            found.append(
                compiled(rule.pk, rule.version, rule.conditions, rule.outcome, rule.valid_from, rule.valid_until)
            )
        except RuleFault:
            continue  # it was sound when it was saved; a later release may know fewer fields
    return found


def assign(organisation_id: int, dimension_ids: Collection[int], rules: Sequence[Rule]) -> None:
    """Map dimensions that are new."""
    _write(organisation_id, _asked(organisation_id, dimension_ids, rules))


def _asked(organisation_id: int, dimension_ids: Collection[int], rules: Sequence[Rule]) -> dict[int, list[Span]]:
    return expanded(organisation_id, _ruled(dimension_ids, rules))


def _ruled(dimension_ids: Collection[int], rules: Sequence[Rule]) -> dict[int, list[Span]]:
    dimensions = UsageDimension.objects.filter(id__in=dimension_ids).select_related("connection")
    reading = Reading(rules)
    return {dimension.pk: spans_over(rules, reading.periods_of(dimension)) for dimension in dimensions}


def _reassign(organisation_id: int, dimension_ids: Collection[int], rules: Sequence[Rule]) -> int:
    wanted = _asked(organisation_id, dimension_ids, rules)
    attributions = _interned(organisation_id, wanted.values())
    known: dict[int, list[tuple[date, date, int]]] = {dimension_id: [] for dimension_id in dimension_ids}
    current = Assignment.objects.filter(dimension_id__in=dimension_ids).order_by("valid_from")
    for row in current.values_list("dimension_id", "valid_from", "valid_until", "attribution_id"):
        known[row[0]].append(row[1:])
    changed = [
        dimension_id
        for dimension_id, found in wanted.items()
        if [(s.valid_from, s.valid_until, attributions[s.outcome]) for s in found] != known[dimension_id]
    ]
    if changed:
        rollups.post_dimensions(organisation_id, changed, sign=-1)
        Assignment.objects.filter(dimension_id__in=changed).delete()
        _write(organisation_id, {dimension_id: wanted[dimension_id] for dimension_id in changed})
        settling.settle(organisation_id, rollups.post_dimensions(organisation_id, changed, sign=1))
    return len(changed)


def _write(organisation_id: int, wanted: Mapping[int, list[Span]]) -> None:
    attributions = _interned(organisation_id, wanted.values())
    Assignment.objects.bulk_create(
        [
            Assignment(
                organisation_id=organisation_id,
                dimension_id=dimension_id,
                valid_from=span.valid_from,
                valid_until=span.valid_until,
                attribution_id=attributions[span.outcome],
            )
            for dimension_id, found in wanted.items()
            for span in found
        ],
        batch_size=5_000,
        ignore_conflicts=True,  # two imports may meet the same new dimension; both ask the same rules
    )


def _interned(organisation_id: int, answers: Iterable[list[Span]]) -> dict[Outcome, int]:
    outcomes = {span.outcome for found in answers for span in found}
    by_hash = {_hash(outcome): outcome for outcome in outcomes}
    rows = [
        Attribution(
            organisation_id=organisation_id,
            rule_id=outcome.rule_id,
            rule_version=outcome.rule_version,
            projects=[project for project, _ in outcome.shares],
            weights=[weight for _, weight in outcome.shares],
            content_hash=digest,
        )
        for digest, outcome in sorted(by_hash.items())
    ]
    Attribution.objects.bulk_create(rows, ignore_conflicts=True)
    kept = Attribution.objects.filter(organisation_id=organisation_id, content_hash__in=by_hash)
    return {by_hash[digest]: pk for pk, digest in kept.values_list("id", "content_hash")}


def _hash(outcome: Outcome) -> str:
    return hashlib.blake2b(repr(outcome).encode(), digest_size=16).hexdigest()


def mapped_otherwise(organisation_id: int) -> list[int]:
    """Dimensions that the map gives other projects than the rules do (for `verify`).

    Without those whose projects another feed's tokens say: they are asked again after each import.
    """
    rules = rules_of(organisation_id)
    ids = list(UsageDimension.objects.filter(organisation=organisation_id).order_by("id").values_list("id", flat=True))
    found: list[int] = []
    for start in range(0, len(ids), _BATCH):
        some = ids[start : start + _BATCH]
        held: dict[int, list[tuple[Any, ...]]] = {dimension_id: [] for dimension_id in some}
        rows = Assignment.objects.filter(dimension_id__in=some).order_by("valid_from").values_list(
            "dimension_id", "valid_from", "valid_until", "attribution__projects", "attribution__weights"
        )  # fmt: skip
        for dimension_id, since, until, projects, weights in rows:
            # Unequal ones are a finding of their own.
            held[dimension_id].append((since, until, *zip(projects, weights, strict=False)))
        for dimension_id, spans in _ruled(some, rules).items():
            said = [(span.valid_from, span.valid_until, *span.outcome.shares) for span in spans]
            if said != held[dimension_id] and not any(span.outcome.by_tokens_of for span in spans):
                found.append(dimension_id)
    return found


def unknown_projects() -> list[int]:
    """Projects that an attribution names and that do not exist (for `verify`)."""
    with db.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT p FROM usage_attribution a, unnest(a.projects) p"
            " WHERE p IS NOT NULL"
            " AND NOT EXISTS (SELECT FROM usage_project WHERE id = p AND organisation_id = a.organisation_id)"
        )
        return [project for (project,) in cursor.fetchall()]
