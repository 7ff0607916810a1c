"""Claims an offering borrows: what is said of another id that a source declares to be the same thing.

genai-prices says that `chat-latest` is its `gpt-chat-latest`; so what it says of the one it says of the other, and
where a second source sells `chat-latest` as an id of its own, the two speak of one price. The vendor's own names bind
every source and lend both ways: Anthropic documents `claude-sonnet-4-5` as `claude-sonnet-4-5-20250929`, so whoever
prices one of the two has priced both, and a price for long prompts stated of the alias alone is the snapshot's too, by
which vendors report usage. A source's own word on the very id always comes first. A service tier that a vendor sells
under two names is lent from one name to the other in the same way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection

from pricing.acceptance import ClaimFact
from pricing.sources import OFFICIAL

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
    SELECT l.offering, l.other, l.slug, l.official, l.valid_from, l.valid_until
    FROM (SELECT %s AS trust, %s::bigint[] AS asked) q, LATERAL (
        SELECT n.id AS offering, a.offering_id AS other, s.slug, s.trust = q.trust AS official, a.valid_from,
            a.valid_until, a.dated
        FROM pricing_alias a
        JOIN pricing_offering n ON n.provider_id = a.provider_id AND n.sku = a.name AND n.region = ''
        JOIN pricing_pricesource s ON s.id = a.source_id
        UNION ALL
        SELECT a.offering_id, n.id, s.slug, true, a.valid_from, a.valid_until, a.dated
        FROM pricing_alias a
        JOIN pricing_offering n ON n.provider_id = a.provider_id AND n.sku = a.name AND n.region = ''
        JOIN pricing_pricesource s ON s.id = a.source_id AND s.trust = q.trust
    ) l
    WHERE NOT l.dated AND l.other <> l.offering AND l.{column} = ANY(q.asked)
    ORDER BY l.offering, l.other, l.slug, l.valid_from
"""


def borrow(
    own: Mapping[int, Sequence[ClaimFact]], found: Iterable[Link], of_others: Mapping[int, Sequence[ClaimFact]]
) -> dict[int, list[ClaimFact]]:  # fmt: skip
    """The claims each offering borrows, cut to the time in which the two are the same."""
    speaking = {offering: {claim.source for claim in claims} for offering, claims in own.items()}
    borrowed: dict[int, list[ClaimFact]] = defaultdict(list)
    for link in found:
        for claim in of_others.get(link.other, ()):
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
