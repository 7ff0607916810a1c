"""Providers, models, offerings, aliases and calendars as readings mention them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q
from psycopg.types.json import Jsonb

from pricing.catalog.rows import copy_rows
from pricing.matching import Identity, identify
from pricing.models import Alias, HolidayCalendar, LanguageModel, Offering, PriceSource, Provider
from pricing.providers import declared
from pricing.sources import OfferingFact, Reading

Key = tuple[str, str, str]
"""Provider slug, sku, region."""

_DATED = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8}|\d{4})$")
# Whoever sells under a model hub's name sells published weights.
_OPEN_WEIGHTS_HUB = "huggingface-"


def write_offerings(reading: Reading, source: PriceSource, observed_at: datetime) -> dict[Key, int]:
    """Make sure every offering a reading speaks of exists; its ids by key as the reading writes it."""
    facts = _facts(reading)
    identities = {key: identify(key[0], key[1]) for key in facts}
    providers = _providers(facts.values())
    models = _models(facts, identities)
    kept = _offering_ids()
    missing = [key for key in facts if _stored(key, identities[key]) not in kept]
    copy_rows(
        Offering._meta.db_table,
        ("provider_id", "sku", "region", "model_id", "identity_rule", "context_window", "notes"),
        (
            (
                providers[key[0]], key[1], _stored(key, identities[key])[2], models[identities[key].key],
                identities[key].rule, facts[key].context_window,
                Jsonb({source.slug: facts[key].note} if facts[key].note else {}),
            )
            for key in missing
        ),
    )  # fmt: skip
    kept = _offering_ids() if missing else kept
    ids = {key: kept[_stored(key, identities[key])] for key in facts}
    retired = [ids[key] for key, fact in facts.items() if fact.retired]
    # Nobody says when: it was gone when the source looked.
    Offering.objects.filter(pk__in=retired, retired_at=None).update(retired_at=observed_at)
    return ids


def _offering_ids() -> dict[Key, int]:
    rows = Offering.objects.values_list("pk", "provider__slug", "sku", "region")
    return {(provider, sku, region): pk for pk, provider, sku, region in rows}


def _stored(key: Key, identity: Identity) -> Key:
    """The key as it is stored: a region the source does not state may be part of the sku."""
    return (key[0], key[1], key[2] or identity.region)


def _facts(reading: Reading) -> dict[Key, OfferingFact]:
    facts = {(fact.provider, fact.sku, fact.region): fact for fact in reading.offerings}
    for statement in reading.statements:
        key = (statement.provider, statement.sku, statement.region)
        if key not in facts:
            known = declared(statement.provider)
            name = known.name if known else statement.provider
            facts[key] = OfferingFact(statement.provider, name, statement.sku, statement.region)
    return facts


def _providers(facts: Iterable[OfferingFact]) -> dict[str, int]:
    kept = dict(Provider.objects.values_list("slug", "pk"))
    wanted = {fact.provider: fact.provider_name for fact in facts if fact.provider not in kept}
    for slug, name in sorted(wanted.items()):
        known = declared(slug)
        kept[slug] = Provider.objects.create(
            slug=slug, name=known.name if known else name, aliases=list(known.aliases) if known else []
        ).pk
    return kept


def _models(facts: dict[Key, OfferingFact], identities: dict[Key, Identity]) -> dict[str, int]:
    """Ids of the models by identity. The maker's own spelling and name come first, so every load gives the same."""
    kept = dict(LanguageModel.objects.values_list("key", "pk"))
    taken = set(LanguageModel.objects.values_list("slug", flat=True))
    groups: dict[str, list[Key]] = {}
    for key in sorted(facts, key=lambda k: (k[0] != identities[k].maker, k)):
        groups.setdefault(identities[key].key, []).append(key)
    fresh: list[tuple[object, ...]] = []
    for identity_key, keys in groups.items():
        if identity_key in kept:
            continue
        first = identities[keys[0]]
        slug = _slug(first.slug)
        if slug in taken:
            slug = _slug(f"{first.maker or keys[0][0]}-{first.slug}")
        taken.add(slug)
        named = next((facts[key].name for key in keys if facts[key].name and key[0] == first.maker), "")
        described = next((_plain_name(facts[key].name) for key in keys if facts[key].name), "")
        fresh.append(
            (
                slug, identity_key, first.maker, _DATED.sub("", slug), named or described or first.slug,
                next((facts[key].description for key in keys if facts[key].description), ""),
                True if any(key[0].startswith(_OPEN_WEIGHTS_HUB) for key in keys) else None, "",
                next((facts[key].context_window for key in keys if facts[key].context_window), None), [], [],
                any(facts[key].deprecated for key in keys if key[0] == first.maker),
            )
        )  # fmt: skip
    columns = (
        "slug", "key", "maker", "family", "name", "description", "open_weights", "licence", "context_window",
        "modalities", "capabilities", "deprecated",
    )  # fmt: skip
    copy_rows(LanguageModel._meta.db_table, columns, fresh)
    return dict(LanguageModel.objects.values_list("key", "pk")) if fresh else kept


def _plain_name(name: str) -> str:
    """A reseller's name without the maker it puts in front: `Anthropic: Claude 3 Haiku` → `Claude 3 Haiku`."""
    return name.rpartition(": ")[2]


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9.-]+", "-", text.lower()).strip("-.")


def write_aliases(reading: Reading, source: PriceSource, ids: dict[Key, int], observed_at: datetime) -> None:
    """Add the aliases a reading declares; end those of the source it no longer declares."""
    providers = dict(Provider.objects.values_list("slug", "pk"))
    stated = {
        (providers[fact.provider], fact.name, ids[fact.provider, fact.sku, ""], fact.dated): fact.url
        for fact in reading.aliases
        if (fact.provider, fact.sku, "") in ids
    }
    kept = {
        (row.provider_id, row.name, row.offering_id, row.dated): row
        for row in Alias.objects.filter(Q(valid_until=None), source=source)
    }
    copy_rows(
        Alias._meta.db_table,
        ("provider_id", "name", "offering_id", "dated", "source_id", "url"),
        ((*key, source.pk, url) for key, url in stated.items() if key not in kept),
    )
    gone = [row.pk for key, row in kept.items() if key not in stated]
    Alias.objects.filter(pk__in=gone).update(valid_until=observed_at)


def write_calendars(reading: Reading, source: PriceSource) -> None:
    """Keep the holiday calendars a reading states."""
    for fact in reading.calendars:
        HolidayCalendar.objects.update_or_create(
            slug=fact.slug,
            defaults={
                "utc_offset_hours": fact.utc_offset_hours, "dates": list(fact.dates), "source": source,
                "covers_through": fact.covers_through, "url": fact.url,
            },
        )  # fmt: skip
