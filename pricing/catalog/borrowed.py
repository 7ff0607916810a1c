"""Claims an offering borrows: what is said of another id that a source declares to be the same thing.

genai-prices says that `chat-latest` is its `gpt-chat-latest`; so what it says of the one it says of the other, and
where a second source sells `chat-latest` as an id of its own, the two speak of one price. The vendor's own names bind
every source and lend both ways: Anthropic documents `claude-sonnet-4-5` as `claude-sonnet-4-5-20250929`, so whoever
prices one of the two has priced both, and a price for long prompts stated of the alias alone is the snapshot's too, by
which vendors report usage. So do ids of a seller that differ by case alone: `GLM-5.2` is how Z.ai and genai-prices
write what others list as `glm-5.2`. A source's own word on the very id always comes first. A service tier that a
vendor sells under two names is lent from one name to the other in the same way.

A *pointer* moves: its name ends in `-latest`, or its vendor dates several models it meant one after the other. While
the vendor says what it means, what is said of that model is all that counts for it: a source's price of the pointer may
be of the model before, and is a voice only where it is what everybody says of the model. So no word on a pointer is
lent to a model either, and what a source said of it reaches into the time before only where it was said then, or is
dated then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from django.db import connection

from pricing.acceptance import ClaimFact, agrees
from pricing.sources import OFFICIAL

_EVER = datetime.min.replace(tzinfo=UTC)

TWIN_TIERS = {"openai": {"priority": "fast", "fast": "priority"}}
"""Provider → tier → its other name. OpenAI renamed priority processing to Fast mode and takes either in `service_tier`
(https://developers.openai.com/api/docs/pricing), so sources say now the one and now the other."""


@dataclass(frozen=True, slots=True)
class Link:
    """`offering` is, by the word of `source`, the same as `other` from one moment until another."""

    offering: int
    other: int
    source: str
    official: bool
    since: datetime | None
    until: datetime | None
    pointer: bool
    """Whether one of the two is a pointer that the vendor dates."""
    forward: bool
    """Whether `offering` has the name, and `other` is what it means."""


def links(offering_ids: Iterable[int]) -> list[Link]:
    """The other offerings that some offerings are declared to be the same as."""
    return _links("offering", offering_ids)


def dependents(offering_ids: Iterable[int]) -> set[int]:
    """The offerings that borrow claims of some offerings."""
    return {link.offering for link in _links("other", offering_ids)}


def _links(column: str, ids: Iterable[int]) -> list[Link]:
    with connection.cursor() as cursor:
        cursor.execute(_LINKS.format(column=column), [OFFICIAL, list(ids)])
        return [Link(*row) for row in cursor.fetchall()]


_LINKS = """
    SELECT l.offering, l.other, l.slug, l.official, l.valid_from, l.valid_until,
        l.official AND l.valid_from IS NOT NULL AND (l.name LIKE '%%-latest' OR EXISTS (
            SELECT FROM pricing_alias b JOIN pricing_pricesource t ON t.id = b.source_id
            WHERE (b.provider_id, b.name, t.trust) = (l.provider_id, l.name, q.trust)
                AND b.valid_from IS NOT NULL AND b.offering_id <> l.means
        )) AS pointer, l.forward
    FROM (SELECT %s AS trust, %s::bigint[] AS asked) q, LATERAL (
        SELECT n.id AS offering, a.offering_id AS other, s.slug, s.trust = q.trust AS official, a.valid_from,
            a.valid_until, a.dated, a.provider_id, a.name, a.offering_id AS means, true AS forward
        FROM pricing_alias a
        JOIN pricing_offering n ON n.provider_id = a.provider_id AND n.sku = a.name AND n.region = ''
        JOIN pricing_pricesource s ON s.id = a.source_id
        UNION ALL
        SELECT a.offering_id, n.id, s.slug, true, a.valid_from, a.valid_until, a.dated, a.provider_id, a.name,
            a.offering_id, false
        FROM pricing_alias a
        JOIN pricing_offering n ON n.provider_id = a.provider_id AND n.sku = a.name AND n.region = ''
        JOIN pricing_pricesource s ON s.id = a.source_id AND s.trust = q.trust
        UNION ALL
        SELECT n.id, o.id, '', true, NULL, NULL, false, n.provider_id, n.sku, o.id, false
        FROM pricing_offering n
        JOIN pricing_offering o ON o.provider_id = n.provider_id AND o.region = n.region
            AND lower(o.sku) = lower(n.sku)
    ) l
    WHERE NOT l.dated AND l.other <> l.offering AND l.{column} = ANY(q.asked)
    ORDER BY l.offering, l.other, l.slug, l.valid_from
"""


def lend(
    said: Mapping[int, Sequence[ClaimFact]], found: Iterable[Link], decided: Container[int] = ()
) -> dict[int, list[ClaimFact]]:  # fmt: skip
    """The claims of each offering with those it borrows, cut to the time in which the two are the same.

    `said` holds what is said of every offering a link names; `decided` the claims that a person accepted, which stand.
    """
    found = list(found)
    pointing: dict[int, list[Link]] = defaultdict(list)
    for link in found:
        if link.pointer and link.forward:
            pointing[link.offering].append(link)
    lent = {offering: list(claims) for offering, claims in said.items()}
    for offering, claims in _borrowed(said, [link for link in found if not link.pointer]).items():
        lent.setdefault(offering, []).extend(claims)
    meant: dict[int, list[ClaimFact]] = {}
    for offering, of_it in pointing.items():
        own = [
            piece
            for claim in lent.get(offering, ())
            for piece in ([claim] if claim.id in decided else _outside(claim, of_it))
        ]
        for link in of_it:
            of_model = lent.get(link.other, ())
            heard = [*of_model, *_bearing_out(said.get(offering, ()), of_model)]
            own += filter(None, (_cut(claim, link) for claim in heard))
        meant[offering] = list(dict.fromkeys(own))
    return lent | meant


def _bearing_out(of_pointer: Sequence[ClaimFact], of_model: Sequence[ClaimFact]) -> Iterator[ClaimFact]:
    """What sources that do not speak of the model say of a pointer to it, and all who do say of the model."""
    speaking = {claim.source for claim in of_model}
    for claim in of_pointer:
        same = [said for said in of_model if (said.slot, said.schedule) == (claim.slot, claim.schedule)]
        if claim.source not in speaking and same and all(agrees(claim, said) for said in same):
            yield claim


def _borrowed(said: Mapping[int, Sequence[ClaimFact]], found: Iterable[Link]) -> dict[int, list[ClaimFact]]:
    speaking = {offering: {claim.source for claim in claims} for offering, claims in said.items()}
    borrowed: dict[int, list[ClaimFact]] = defaultdict(list)
    for link in found:
        for claim in said.get(link.other, ()):
            if claim.source in speaking.get(link.offering, ()) or not (link.official or claim.source == link.source):
                continue
            if (cut := _cut(claim, link)) is not None and cut not in borrowed[link.offering]:
                borrowed[link.offering].append(cut)
    return borrowed


def renamed_tiers(claims: Sequence[ClaimFact], provider: str) -> list[ClaimFact]:
    """The claims on a tier with two names under the name that their source does not use."""
    twins = TWIN_TIERS.get(provider)
    if not twins:
        return []
    said = {(claim.source, claim.service_tier) for claim in claims}
    return [
        replace(claim, service_tier=other)
        for claim in claims
        if (other := twins.get(claim.service_tier)) and (claim.source, other) not in said
    ]


def _cut(claim: ClaimFact, link: Link) -> ClaimFact | None:
    since, until = claim.effective_from, claim.effective_until
    if link.since is not None and (since is None or since < link.since):
        claim, since = replace(claim, effective_from=link.since, basis="documented", precision="day"), link.since
    if link.until is not None and (until is None or until > link.until):
        claim, until = replace(claim, effective_until=link.until), link.until
    return None if since is not None and until is not None and since >= until else claim


def _outside(claim: ClaimFact, pointing: Sequence[Link]) -> Iterator[ClaimFact]:
    """What is left of a claim on a pointer in the time of which its vendor does not say what it means."""
    free_from: datetime | None = None
    for link in sorted(pointing, key=lambda link: link.since or _EVER):
        was_said = claim.effective_from is not None or (link.since is not None and claim.evidence_at < link.since)
        if was_said and (before := _between(claim, free_from, link.since)) is not None:
            yield before
        if link.until is None:
            return
        free_from = max(free_from or _EVER, link.until)
    if (after := _between(claim, free_from, None)) is not None:
        yield after


def _between(claim: ClaimFact, since: datetime | None, until: datetime | None) -> ClaimFact | None:
    """A claim within a time that somebody else's word bounds: that is no word on when its price began."""
    if since is not None and until is not None and since >= until:
        return None
    part = _cut(claim, Link(0, 0, "", False, since, until, False, False))
    return part and replace(part, basis=claim.basis, precision=claim.precision)
