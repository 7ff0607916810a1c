"""Providers, models, offerings, aliases and calendars as readings mention them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time

from psycopg.types.json import Jsonb

from pricing.acceptance import FIRST_SALE
from pricing.catalog.releases import releases
from pricing.catalog.rows import copy_rows, update_rows
from pricing.matching import Identity, identify
from pricing.models import Alias, HolidayCalendar, LanguageModel, Offering, PriceSource, Provider
from pricing.providers import declared
from pricing.sources import OfferingFact, Reading

Key = tuple[str, str, str]
"""Provider slug, sku, region."""

_DATED = re.compile(r"-(\d{4}-\d{2}-\d{2}|\d{8}|\d{4})$")
# Whoever sells under a model hub's name sells published weights.
_OPEN_WEIGHTS_HUB = "huggingface-"
_DESCRIBED = ("released_on", "max_output", "modalities", "capabilities", "open_weights", "retires_on")


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
    _retire(facts, ids, observed_at)
    _describe(facts, identities)
    return ids


def offerings_of(reading: Reading) -> dict[Key, int]:
    """The ids of the offerings a reading speaks of, as far as they exist; writes nothing."""
    kept = _offering_ids()
    stored = {key: _stored(key, identify(key[0], key[1])) for key in _facts(reading)}
    return {key: kept[as_stored] for key, as_stored in stored.items() if as_stored in kept}


def _retire(facts: Mapping[Key, OfferingFact], ids: Mapping[Key, int], observed_at: datetime) -> None:
    """Mark what is no longer sold. Where nobody says since when, it was gone when the source first looked."""
    by_moment: dict[datetime, list[int]] = defaultdict(list)
    for key, fact in facts.items():
        if fact.retired:
            stated = fact.retired_on
            by_moment[datetime.combine(stated, time.min, UTC) if stated else observed_at].append(ids[key])
    for moment, gone in by_moment.items():
        Offering.objects.filter(pk__in=gone).exclude(retired_at__lte=moment).update(retired_at=moment)


def _describe(facts: Mapping[Key, OfferingFact], identities: Mapping[Key, Identity]) -> None:
    """Add what the facts know of the weights to the models, by rules in which the order of readings cannot matter:
    the release (`released`), the largest window, everything it can do; the maker's own shop says when it retires."""
    by_model: dict[str, list[tuple[Key, OfferingFact]]] = defaultdict(list)
    for key, fact in facts.items():
        if fact.max_output or fact.modalities or fact.capabilities or fact.released_on or fact.retires_on or (
            fact.open_weights is not None
        ):  # fmt: skip
            by_model[identities[key].key].append((key, fact))
    changed = []
    for model in LanguageModel.objects.filter(key__in=by_model):
        told = by_model[model.key]
        before = [getattr(model, column) for column in _DESCRIBED]
        own = [fact.retires_on for key, fact in told if key[0] == model.maker and fact.retires_on]
        model.released_on = released(model.key, (model.released_on, *(f.released_on for _, f in told)))
        model.max_output = max(filter(None, (model.max_output, *(f.max_output for _, f in told))), default=None)
        model.modalities = sorted({*model.modalities, *(m for _, f in told for m in f.modalities)})
        model.capabilities = sorted({*model.capabilities, *(c for _, f in told for c in f.capabilities)})
        model.retires_on = max(filter(None, (model.retires_on, *own)), default=None)
        if any(fact.open_weights for _, fact in told):
            model.open_weights = True
        elif model.open_weights is None and any(fact.open_weights is False for _, fact in told):
            model.open_weights = False
        after = [getattr(model, column) for column in _DESCRIBED]
        if after != before:
            changed.append((model.pk, *after))
    if changed:
        update_rows(LanguageModel._meta.db_table, _DESCRIBED, changed)


def released(key: str, stated: Iterable[date | None]) -> date | None:
    """The reviewed day of a model, else the earliest stated one; none before tokens were on sale, as 1970 is no day."""
    likely = [day for day in stated if day and day >= FIRST_SALE.date()]
    return releases().get(key) or min(likely, default=None)


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


def write_aliases(
    reading: Reading, source: PriceSource, ids: dict[Key, int], observed_at: datetime, next_at: datetime | None
) -> set[int]:  # fmt: skip
    """Add the aliases a reading declares; end those of the source that its newest reading no longer declares.

    The ids of the offerings that are known by a name of which that changes the meaning.

    `next_at`: when the source was read after this reading, None where this is the newest; what only an older reading
    declares ended then.
    """
    providers = dict(Provider.objects.values_list("slug", "pk"))
    stated = {
        (providers[fact.provider], fact.name, ids[fact.provider, fact.sku, ""], fact.dated, fact.valid_from): fact
        for fact in reading.aliases
        if (fact.provider, fact.sku, "") in ids
    }
    kept = {
        (row.provider_id, row.name, row.offering_id, row.dated, row.valid_from): row
        for row in Alias.objects.filter(source=source)
    }
    added = {key: fact for key, fact in stated.items() if key not in kept}
    copy_rows(
        Alias._meta.db_table,
        ("provider_id", "name", "offering_id", "dated", "valid_from", "source_id", "url", "valid_until"),
        ((*key, source.pk, fact.url, fact.valid_until or next_at) for key, fact in added.items()),
    )
    ended = [] if next_at is not None else [
        (row, until) for key, row in kept.items()
        if row.valid_until != (until := stated[key].valid_until if key in stated else row.valid_until or observed_at)
    ]  # fmt: skip
    for row, until in ended:
        Alias.objects.filter(pk=row.pk).update(valid_until=until)
    meant = {key[:2] for key in added} | {(row.provider_id, row.name) for row, _ in ended}
    return {
        offering
        for offering, *name in Offering.objects.filter(sku__in={name for _, name in meant}).values_list(
            "pk", "provider_id", "sku"
        )
        if tuple(name) in meant
    }


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
