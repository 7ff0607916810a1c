"""What a model costs: by one seller or by all, now or at a moment, by today's evidence or by that of another day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import orjson

from pricing import long_prompts, names, ratecards, ready, schedules
from pricing.answers import edges, kept
from pricing.answers.questions import name as as_name
from pricing.answers.questions import whole
from pricing.answers.rates import rates
from pricing.answers.rows import (
    PriceRow,
    Seller,
    applying,
    billed_in,
    calendars,
    in_force,
    price_json,
    rows_of,
    sellers,
    status_of,
)
from pricing.answers.wording import moment_text
from pricing.long_prompts import Unstated
from pricing.models import LanguageModel, Offering
from pricing.providers import canonical
from pricing.ratecards import STANDARD, is_of_another_input
from pricing.units import RATED_UNITS

MAKERS_OWN = "the maker's own offering"
REGION_PREFIX = "region prefix"
EXACT = "exact"
OLD_AFTER = timedelta(minutes=1)
"""An answer about now is asked anew after this long, or when a price or an hour begins or ends."""


@dataclass(frozen=True, slots=True)
class Question:
    """A price asked for. `at` None = now, `known_at` None = by all evidence there is, other None = any."""

    model: str
    provider: str | None = None
    region: str | None = None
    tier: str | None = None
    context: int | None = None
    at: datetime | None = None
    known_at: datetime | None = None

    def checked(self) -> Question:
        """The same question with names as they are compared; BadQuestion where it makes no sense."""
        return replace(
            self,
            model=as_name(self.model, "model"),
            provider=canonical(as_name(self.provider, "provider", 120)) if self.provider else None,
            region=as_name(self.region, "region", 60) if self.region else None,
            tier=as_name(self.tier, "tier", 40).lower() if self.tier else None,
            context=None if self.context is None else whole(self.context, "context"),
        )


@dataclass(frozen=True, slots=True)
class Found:
    """The offerings a question is about and the rule by which its name was read."""

    rule: str
    offerings: tuple[Seller, ...] = ()


def price(question: Question, now: datetime | None = None, *, have_ready: bool = False) -> dict[str, Any]:
    """The answer in the shape of `price`: every offering asked for, each with its prices at the moment.

    One query where it is remembered. With `have_ready` the next who asks it of about the same moment is answered by
    `pricing.ready`, where it is a question of `is_plain`.
    """
    asked = question.checked()
    clock = now or datetime.now(UTC)
    current = kept.version()
    remembered = kept.recall(asked, current, clock)
    if remembered is not None:
        return cast("dict[str, Any]", remembered)
    at = asked.at or clock
    found = find(asked, at)
    everything = rows_of(seller.id for seller in found.offerings) if found.offerings else []
    holidays = calendars() if any(row.schedule for row in everything) else {}
    offerings = offerings_json(found.offerings, everything, asked, at, holidays)
    reply = {
        "status": overall(offerings),
        "name": asked.model,
        "rule": found.rule,
        "at": moment_text(at),
        "known_at": moment_text(asked.known_at),
        "offerings": offerings,
    }
    # What is asked of a moment holds until the catalogue changes; what is asked of now grows old.
    until = None if asked.at else _next_change(everything, clock, holidays)
    kept.keep(asked, current, reply, until)
    if have_ready and is_plain(asked) and _is_itself(asked, found) and reply["status"] != "unknown":
        span = edges.span([row for row in everything if row.known_at(None)], at, holidays)
        ready.keep(asked.provider or "", asked.model, span, orjson.dumps(reply), moment_text(at), current)
    return reply


def is_plain(asked: Question) -> bool:
    """Whether a question asks for nothing but one seller's offering, at whatever moment."""
    return asked.provider is not None and asked == Question(asked.model, asked.provider, at=asked.at)


def _is_itself(asked: Question, found: Found) -> bool:
    """Whether the name is the offering's own: it means the same at every moment."""
    own = all((one.provider, one.sku) == (asked.provider, asked.model) for one in found.offerings)
    return found.rule == EXACT and own


def find(asked: Question, at: datetime) -> Found:
    """The offerings a name means: by the resolver, as a model's slug, or as the exact id of its sellers.

    A bare name of a maker's model means the maker's offering and everybody else's of the same model.
    """
    match = names.resolver().resolve(asked.model, asked.provider, at)
    if match.offering_id is not None:
        if asked.provider is None and MAKERS_OWN in match.rule:
            model = Offering.objects.filter(pk=match.offering_id).values("model_id")
            return _in_region(Found(match.rule, tuple(sellers(model__in=model))), asked)
        if REGION_PREFIX in match.rule:
            return _in_region(Found(match.rule, tuple(sellers(pk=match.offering_id))), asked)
        provider = Offering.objects.filter(pk=match.offering_id).values("provider_id")
        return _in_region(Found(match.rule, tuple(sellers(provider__in=provider, sku=match.sku))), asked)
    narrowed = {"provider__slug": asked.provider} if asked.provider else {}
    if LanguageModel.objects.filter(slug=asked.model.lower()).exists():
        found = tuple(sellers(model__slug=asked.model.lower(), **narrowed))
        if found:
            return _in_region(Found("model slug", found), asked)
    if asked.provider is None and (exact := tuple(sellers(sku=asked.model))):
        return _in_region(Found("exact id of its sellers", exact), asked)
    return Found(match.rule)


def _in_region(found: Found, asked: Question) -> Found:
    """Only the offerings of the region asked for; the same model's of that region where the sku has none."""
    if asked.region is None:
        return found
    there = tuple(seller for seller in found.offerings if seller.region == asked.region)
    if not there and asked.region == "global":
        # Azure's Global Standard, Vertex's global endpoint, `inference_geo: global`: the price bound to no region. On
        # Bedrock an id bound to none is sold in regions.
        there = tuple(seller for seller in found.offerings if not seller.region and seller.provider != "bedrock")
    if not there and found.offerings:
        first = found.offerings[0]
        if there := tuple(billed_in(first.provider, first.sku, asked.region)):
            return Found(f"{found.rule}, {asked.region} is billed at the regional price", there)
        there = tuple(sellers(provider__slug=first.provider, model__slug=first.model, region=asked.region))
        return Found(f"{found.rule}, the same model in {asked.region}", there)
    return Found(found.rule, there)


def offerings_json(
    offerings: Iterable[Seller], rows: Iterable[PriceRow], asked: Question, at: datetime,
    holidays: Mapping[str, schedules.Calendar],
) -> list[dict[str, Any]]:  # fmt: skip
    """Each offering with those of the rows that answer the question at a moment."""
    rows_by_offering: dict[int, list[PriceRow]] = defaultdict(list)
    for row in rows:
        if row.holds_at(at) and row.known_at(asked.known_at):
            rows_by_offering[row.offering_id].append(row)
    answers = []
    known = rates({row.currency for held in rows_by_offering.values() for row in held}, at.date())
    beyond = {} if asked.context is None else _unstated(rows_by_offering, asked.context, at, asked.known_at)
    for seller in offerings:
        standing, unstated = rows_by_offering[seller.id], beyond.get(seller.id)
        if asked.context is not None:
            standing = in_context(standing, asked.context, unstated)
        if asked.tier is not None:
            standing = [row for row in standing if row.service_tier == asked.tier]
        applies = applying(standing, in_force(standing, at, holidays))
        answers.append(
            {
                **seller.as_json(),
                "status": status_of(row.amount for row in standing),
                "reason": unstated and long_prompts.sentence(unstated.context_from, unstated.context_op),
                "prices": [
                    price_json(row, at, applies=row.id in applies, rates=known)
                    for row in sorted(standing, key=lambda row: row.order)
                ],
            }
        )
    return answers


def overall(offerings: Iterable[Mapping[str, Any]]) -> str:
    """Of several offerings: `priced` where one is, `free` where the others are not priced, else `unknown`."""
    statuses = {offering["status"] for offering in offerings}
    return next((status for status in ("priced", "free") if status in statuses), "unknown")


def _unstated(
    offering_ids: Iterable[int], prompt_tokens: int, at: datetime, known_at: datetime | None
) -> dict[int, Unstated]:
    """The offerings of which nobody states what a prompt of this size costs at a moment. One query."""
    return {
        offering: span
        for offering, spans in ratecards.unstated_of(offering_ids, known_at).items()
        for span in spans
        if span.holds_at(at) and span.reached(prompt_tokens)
    }


def in_context(rows: Sequence[PriceRow], prompt_tokens: int, unstated: Unstated | None = None) -> list[PriceRow]:
    """Of each price line, the row of the highest context tier that a prompt of this size reaches.

    `unstated`: nobody states what so long a prompt costs, so none of the offering's prices of tokens holds for it.
    A service tier that says nothing of long prompts has no price for one that the standard tier prices apart, and a
    context tier with an input price of its own has no shorter prompt's price of a cache write by lifetime.
    """
    best: dict[tuple[str, ...], PriceRow] = {}
    standard = [row for row in rows if row.service_tier == STANDARD and row.context_from]
    apart = unstated is not None or any(row.reached(prompt_tokens) for row in standard)
    speaking = {row.service_tier for row in rows if row.context_from} | ({STANDARD} if unstated is None else set())
    for row in rows:
        if apart and row.service_tier not in speaking and row.unit in RATED_UNITS:
            continue
        if row.reached(prompt_tokens):
            line = (row.service_tier, row.qualifier, row.unit, row.schedule)
            if line not in best or best[line].context_from < row.context_from:
                best[line] = row
    return [
        row for (tier, qualifier, _, hours), row in best.items()
        if not is_of_another_input(row, best.get((tier, qualifier, "input", hours)))
    ]  # fmt: skip


def _next_change(rows: Iterable[PriceRow], now: datetime, holidays: Mapping[str, schedules.Calendar]) -> datetime:
    """The first moment after now at which an answer about now could differ, at most `OLD_AFTER` away."""
    last = now + OLD_AFTER
    turns = [edge for row in rows for edge in (row.effective_from, row.effective_until) if edge is not None]
    for text in {row.schedule for row in rows} - {""}:
        for window in schedules.occurrences(text, now.date(), last.date(), holidays):
            turns += window
    return min((edge for edge in turns if now < edge < last), default=last)


def history(question: Question, now: datetime | None = None) -> dict[str, Any]:
    """Every price one seller's offering ever had by the evidence of `known_at` (all by default), oldest first."""
    asked = question.checked()
    at = asked.at or now or datetime.now(UTC)
    found = find(asked, at)
    rows: dict[int, list[PriceRow]] = defaultdict(list)
    for row in rows_of(seller.id for seller in found.offerings) if found.offerings else ():
        if row.known_at(asked.known_at) and (asked.tier is None or row.service_tier == asked.tier):
            rows[row.offering_id].append(row)
    known = rates({row.currency for held in rows.values() for row in held}, at.date())
    offerings = [
        {
            **seller.as_json(),
            "status": status_of(row.amount for row in rows[seller.id]),
            "prices": [price_json(row, at, rates=known) for row in sorted(rows[seller.id], key=lambda row: row.order)],
        }
        for seller in found.offerings
    ]
    return {
        "status": overall(offerings),
        "name": asked.model,
        "rule": found.rule,
        "known_at": moment_text(asked.known_at),
        "offerings": offerings,
    }


def resolve(name: str, provider: str | None = None, at: datetime | None = None) -> dict[str, Any]:
    """What a reported name means, with the rule; `unresolved` with the reason where nothing declared says."""
    asked = Question(name, provider).checked()
    match = names.resolver().resolve(asked.model, asked.provider, at)
    maker = (
        LanguageModel.objects.filter(slug=match.model_slug).values_list("maker", flat=True).first()
        if match.resolved
        else None
    )
    return {
        "name": name,
        "status": "resolved" if match.resolved else "unresolved",
        "provider": match.provider,
        "sku": match.sku,
        "region": match.region,
        "model": match.model_slug,
        "maker": maker or "",
        "rule": match.rule,
    }
