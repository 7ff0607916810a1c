"""What people decide: a claim accepted or rejected, a name mapped to an offering. Each with a reason, each revocable.

A decision is a row of its own that no sync touches; what follows from it is accepted anew at once.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import transaction

from pricing import names
from pricing.catalog.locks import lock
from pricing.catalog.prices import accept_offerings
from pricing.models import Claim, Decision, NameDecision, Offering
from pricing.providers import canonical


class NoDecision(ValueError):
    """A decision that cannot be taken, in a sentence that says what to do."""


def decide(claim: Claim, verdict: str, reason: str, person: str) -> Decision:
    """Accept or reject what a source says; an earlier decision on the same claim is revoked by it."""
    if verdict not in Decision.Verdict.values:
        raise NoDecision(f"A claim is accepted or rejected; {verdict[:40]!r} is neither.")
    said = _reason(reason)
    with transaction.atomic():
        lock()
        Decision.objects.filter(claim=claim, revoked_at=None).update(revoked_at=datetime.now(UTC))
        if verdict == Decision.Verdict.ACCEPT:
            # Of one price a person can hold only one claim true.
            rivals = Claim.objects.filter(
                offering=claim.offering_id, unit=claim.unit, qualifier=claim.qualifier,
                service_tier=claim.service_tier, context_from=claim.context_from, schedule=claim.schedule,
            )  # fmt: skip
            Decision.objects.filter(claim__in=rivals, verdict=verdict, revoked_at=None).update(
                revoked_at=datetime.now(UTC)
            )
        decision = Decision.objects.create(claim=claim, verdict=verdict, reason=said, person=person)
        accept_offerings([claim.offering_id])
    return decision


def revoke(decision: Decision) -> None:
    """Take a decision back: the evidence alone decides again."""
    with transaction.atomic():
        lock()
        Decision.objects.filter(pk=decision.pk, revoked_at=None).update(revoked_at=datetime.now(UTC))
        accept_offerings([decision.claim.offering_id])


def map_name(provider: str, name: str, offering: Offering, reason: str, person: str) -> NameDecision:
    """Say once what a reported name means at a provider; an earlier mapping of the same name is revoked by it."""
    seller, reported, said = canonical(provider), name.strip(), _reason(reason)
    if not seller or not reported:
        raise NoDecision("Say which name at which provider is meant.")
    exact = Offering.objects.filter(provider__slug=seller, sku=reported).exclude(pk=offering.pk)
    if exact.exists():
        raise NoDecision(f"{reported} is an id that {seller} sells itself; it cannot be made to mean another.")
    with transaction.atomic():
        lock()
        NameDecision.objects.filter(provider=seller, name__iexact=reported, revoked_at=None).update(
            revoked_at=datetime.now(UTC)
        )
        decision = NameDecision.objects.create(
            provider=seller, name=reported, offering=offering, reason=said, person=person
        )
    names.forget()
    return decision


def unmap_name(decision: NameDecision) -> None:
    """Take a mapping back: the name resolves by the declared rules alone, or not at all."""
    with transaction.atomic():
        lock()
        NameDecision.objects.filter(pk=decision.pk, revoked_at=None).update(revoked_at=datetime.now(UTC))
    names.forget()


def _reason(text: str) -> str:
    said = text.strip()
    if not said:
        raise NoDecision("Give the reason: whoever reads the decision next year has nothing else.")
    return said[:4000]
