"""What waits for a person's word: prices in doubt, what each source says of them, and what people decided. Reads only.

A doubt is a `Disagreement`: one claim that is not heard, beside the price that serves instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    Exists,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from pricing.acceptance import grade_of
from pricing.models import Claim, Decision, Disagreement, NameDecision, Price

OPEN, HELD, KNOWN_ERROR = Disagreement.State.OPEN, Disagreement.State.HELD, Disagreement.State.KNOWN_ERROR
IN_DOUBT: Final = (HELD, OPEN)
_LAST = 2**31 - 1
KEY: Final = ("unit", "qualifier", "service_tier", "context_from", "context_op", "schedule")


@dataclass(frozen=True, slots=True)
class Key:
    """What the doubted price is a price of."""

    unit: str
    qualifier: str
    service_tier: str
    context_from: int
    context_op: str
    schedule: str


@dataclass(frozen=True, slots=True)
class Size:
    """How far apart the two amounts of a doubt are, each for one unit; `served` None: no price serves instead."""

    id: int
    state: str
    offering_id: int
    key: Key
    served: Decimal | None
    served_currency: str
    said: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Said:
    """One claim: the amount as the source states it, and when it was seen."""

    claim_id: int
    slug: str
    source: str
    copies: tuple[str, ...]
    trust: str
    amount: Decimal
    per: int
    currency: str
    effective_from: datetime | None
    basis: str
    first_seen_at: datetime
    last_seen_at: datetime
    withdrawn_at: datetime | None
    url: str
    lent_by: str = ""
    """The id it was said of, where that is another name of the same model."""


@dataclass(frozen=True, slots=True)
class Serving:
    """The accepted price that stands on a claim, as far as there is one."""

    price_id: int
    grade: str
    effective_from: datetime
    evidence_at: datetime
    precision: str
    holds_now: bool


@dataclass(frozen=True, slots=True)
class Doubt:
    """A doubted price with names: `served` is what is billed by until somebody decides, `other` what is not heard."""

    id: int
    state: str
    why: str
    opened_at: datetime
    resolved_at: datetime | None
    offering_id: int
    model: str
    model_slug: str
    maker: str
    provider: str
    provider_slug: str
    sku: str
    region: str
    key: Key
    served: Said | None
    other: Said
    serving: Serving | None = None


def waiting(states: Sequence[str] = IN_DOUBT) -> QuerySet[Disagreement]:
    """Disagreements that nobody has decided: what a person took is not in doubt, whoever still says otherwise."""
    taken = Price.objects.known_at().filter(claim=OuterRef("accepted"), superseded_at=None, trust="decision")
    return Disagreement.objects.filter(~Exists(taken), state__in=states)


def counts() -> Mapping[str, int]:
    """How many of them there are of each state."""
    every = (*IN_DOUBT, KNOWN_ERROR)
    found = waiting(every).order_by().values_list("state").annotate(n=Count("pk"))
    return Counter(dict(found))


def sizes(offering_ids: Collection[int], states: Sequence[str] = IN_DOUBT) -> list[Size]:
    """The doubts about some offerings, as plain numbers: what money at stake is worked out from."""
    rows = waiting(states).filter(offering__in=offering_ids).values_list(
        "pk", "state", "offering_id", *(f"claim__{name}" for name in KEY), "accepted__amount", "accepted__per",
        "accepted__currency", "claim__amount", "claim__per", "claim__currency",
    )  # fmt: skip
    return [
        Size(
            pk, state, offering, Key(*key), None if amount is None else amount / per, currency or "",
            said / said_per, said_currency,
        )
        for pk, state, offering, *key, amount, per, currency, said, said_per, said_currency in rows
    ]  # fmt: skip


def queue(states: Sequence[str], first: Sequence[int] = ()) -> QuerySet[Disagreement, int]:
    """Numbers of the disagreements as they wait: held ones first, then `first` in their order, then the newest."""
    place = Func(
        Value(list(first), output_field=ArrayField(BigIntegerField())), F("pk"), function="array_position",
        output_field=IntegerField(),
    )  # fmt: skip
    held = Case(When(state=HELD, then=0), default=1, output_field=IntegerField())
    order = waiting(states).order_by(held, Coalesce(place, Value(_LAST)), "-opened_at", "pk")
    return order.values_list("pk", flat=True)


def doubts(numbers: Iterable[int], at: datetime) -> list[Doubt]:
    """Some disagreements, in this order, with names and the price that serves now. Two queries."""
    order = list(numbers)
    rows = Disagreement.objects.filter(pk__in=order)
    rows = rows.select_related("accepted__source", "claim__source", "offering__provider", "offering__model")
    by_id = {row.pk: row for row in rows}
    found = [by_id[pk] for pk in order if pk in by_id]
    serving = _serving([row.accepted_id for row in found if row.accepted_id], at)
    return [
        Doubt(
            row.pk, row.state, row.why, row.opened_at, row.resolved_at, row.offering_id, row.offering.model.name,
            row.offering.model.slug, row.offering.model.maker, row.offering.provider.name, row.offering.provider.slug,
            row.offering.sku, row.offering.region, Key(*(getattr(row.claim, name) for name in KEY)),
            _said(row.accepted) if row.accepted else None, _said(row.claim), serving.get(row.accepted_id or 0),
        )
        for row in found
    ]  # fmt: skip


def doubt(pk: int, at: datetime) -> Doubt | None:
    """One disagreement of any state by its number."""
    found = doubts([pk], at)
    return found[0] if found else None


def claims_of(one: Doubt) -> list[Said]:
    """Every claim of the same price, those still made first, the newest first.

    The one that serves and the one that is not heard are among them though they were said of another id of the model.
    """
    key = {name: getattr(one.key, name) for name in KEY}
    parties = [party.claim_id for party in (one.served, one.other) if party]
    rows = Claim.objects.made().filter(Q(offering=one.offering_id, **key) | Q(pk__in=parties))
    made = sorted(
        rows.select_related("source", "offering"),
        key=lambda claim: (claim.withdrawn_at is not None, -claim.last_seen_at.timestamp(), claim.pk),
    )
    return [
        _said(claim) if claim.offering_id == one.offering_id else replace(_said(claim), lent_by=claim.offering.sku)
        for claim in made
    ]


def _said(claim: Claim) -> Said:
    source = claim.source
    return Said(
        claim.pk, source.slug, source.name, tuple(source.copies), source.trust, claim.amount, claim.per, claim.currency,
        claim.effective_from, claim.basis, claim.first_seen_at, claim.last_seen_at, claim.withdrawn_at, claim.url,
    )  # fmt: skip


def _serving(claim_ids: Sequence[int], at: datetime) -> dict[int, Serving]:
    """The price in force on each claim, else the next one to come."""
    found: dict[int, Serving] = {}
    prices = Price.objects.filter(claim__in=claim_ids, superseded_at=None).known_at(None).order_by("-effective_from")
    for price in prices:
        holds = price.effective_from <= at and (price.effective_until is None or at < price.effective_until)
        if (price.effective_until is not None and price.effective_until <= at) or (
            price.claim_id in found and not holds and found[price.claim_id].holds_now
        ):
            continue
        graded = grade_of(price, at)
        found[price.claim_id] = Serving(
            price.pk, graded, price.effective_from, price.evidence_at, price.precision, holds
        )
    return found


# What people decided


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision: on a price (`claim`) or on a name; `revoked_at` None while it stands."""

    kind: str
    id: int
    decided_at: datetime
    person: str
    reason: str
    revoked_at: datetime | None
    verdict: str
    offering_id: int
    model: str
    model_slug: str
    provider: str
    sku: str
    region: str
    name: str = ""
    name_provider: str = ""
    key: Key | None = None
    said: Said | None = None


def decided() -> QuerySet[Any, Any]:
    """Every decision there was as (when, kind, id), the newest first."""
    when: QuerySet[Any, Any] = Decision.objects.order_by().values_list("decided_at", Value("price"), "pk")
    names: QuerySet[Any, Any] = NameDecision.objects.order_by().values_list("decided_at", Value("name"), "pk")
    return when.union(names, all=True).order_by("-decided_at", "-pk")


def decisions(rows: Iterable[tuple[datetime, str, int]]) -> list[Decided]:
    """A page of `decided` in full, in its order. Two queries."""
    order = [(kind, pk) for _, kind, pk in rows]
    named = ("offering__provider", "offering__model")
    found: dict[tuple[str, int], Decided] = {}
    prices = Decision.objects.filter(pk__in=[pk for kind, pk in order if kind == "price"])
    for one in prices.select_related("claim__source", *(f"claim__{name}" for name in named)):
        claim, offering = one.claim, one.claim.offering
        found["price", one.pk] = Decided(
            "price", one.pk, one.decided_at, one.person, one.reason, one.revoked_at, one.verdict, offering.pk,
            offering.model.name, offering.model.slug, offering.provider.name, offering.sku, offering.region,
            key=Key(*(getattr(claim, name) for name in KEY)), said=_said(claim),
        )  # fmt: skip
    for name in NameDecision.objects.filter(pk__in=[pk for kind, pk in order if kind == "name"]).select_related(*named):
        offering = name.offering
        found["name", name.pk] = Decided(
            "name", name.pk, name.decided_at, name.person, name.reason, name.revoked_at, "map", offering.pk,
            offering.model.name, offering.model.slug, offering.provider.name, offering.sku, offering.region,
            name.name, name.provider,
        )  # fmt: skip
    return [found[key] for key in order if key in found]
