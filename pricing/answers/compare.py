"""Offerings side by side: finding them, what they are, and every price they have had. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db.models import Case, Q, When

from pricing.answers.rows import PriceRow, price_rows
from pricing.models import Offering, Price
from pricing.providers import canonical

MOST: Final = 6
"""More offerings than these do not fit beside each other."""


@dataclass(frozen=True, slots=True)
class Item:
    """One offering with what is known of the weights it sells; None and () are unknown."""

    id: int
    provider: str
    provider_name: str
    sku: str
    region: str
    model: str
    model_slug: str
    maker: str
    context_window: int | None = None
    max_output: int | None = None
    modalities: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    open_weights: bool | None = None
    released_on: date | None = None
    retires_on: date | None = None
    deprecated: bool = False
    retired_at: datetime | None = None

    @property
    def ref(self) -> str:
        """How an address names it: `provider:sku@region`."""
        return f"{self.provider}:{self.sku}{f'@{self.region}' if self.region else ''}"

    def sells_at(self, when: datetime) -> bool:
        """Whether it was not retired by then; a price it had stays for late usage and is nobody's offer."""
        return self.retired_at is None or when < self.retired_at


def items(offering_ids: Iterable[int]) -> list[Item]:
    """Some offerings, in no particular order."""
    return _items(Q(pk__in=list(offering_ids)))


def _items(where: Q) -> list[Item]:
    return [_item(one) for one in Offering.objects.filter(where).select_related("provider", "model")]


def _item(one: Offering) -> Item:
    model = one.model
    return Item(
        one.pk, one.provider.slug, one.provider.name, one.sku, one.region, model.name, model.slug, model.maker,
        one.context_window or model.context_window, model.max_output, tuple(model.modalities),
        tuple(model.capabilities), model.open_weights, model.released_on, model.retires_on, model.deprecated,
        one.retired_at,
    )  # fmt: skip


def search(text: str, most: int = 12, provider: str = "", leave_out: Iterable[int] = ()) -> list[Item]:
    """Offerings whose sku, model, seller or region contains every word; those of `provider` first, shorter ids first.

    Nothing for no words: a list of everything is `/models`.
    """
    words = text.split()[:8]
    if not words:
        return []
    found = Offering.objects.exclude(pk__in=list(leave_out)).select_related("provider", "model")
    for word in words:
        found = found.filter(
            Q(sku__icontains=word) | Q(model__name__icontains=word) | Q(provider__slug__icontains=word)
            | Q(provider__name__icontains=word) | Q(region__icontains=word)
        )  # fmt: skip
    whole = text.strip().lower()
    rank = Case(
        When(provider__slug=provider or "-", sku__iexact=whole, then=0), When(sku__iexact=whole, then=1),
        When(provider__slug=provider or "-", then=2), default=3,
    )  # fmt: skip
    rows = list(found.annotate(rank=rank).order_by("rank", "retired_at", "sku", "provider__slug", "region")[: most * 4])
    rows.sort(key=lambda one: (one.rank, one.retired_at is not None, len(one.sku)))  # type: ignore[attr-defined]
    return [_item(one) for one in rows[:most]]


def skus_of(provider: str) -> dict[int, str]:
    """Every id a provider sells under, by offering."""
    return dict(Offering.objects.sold_by(canonical(provider)).values_list("pk", "sku"))


def named(refs: Sequence[str]) -> tuple[list[Item], list[str]]:
    """The offerings an address names, in its order, once each, and the names that mean none.

    A name is an offering's number or `provider:sku`, with `@region` where it is sold in one; a sku may hold both
    signs itself, so every reading of them is looked for, the longest sku first.
    """
    readings = {ref: list(_readings(ref)) for ref in dict.fromkeys(refs)}
    wanted = Q(pk__in=[]) | Q(pk__in=[int(ref) for ref in readings if _is_number(ref)])
    for tries in readings.values():
        for provider, sku, region in tries:
            wanted |= Q(provider__slug=provider, sku=sku, region=region)
    found = _items(wanted)
    by_key = {(one.provider, one.sku, one.region): one for one in found}
    by_id = {str(one.id): one for one in found}
    kept: dict[int, Item] = {}
    missing = []
    for ref, tries in readings.items():
        one = by_id.get(ref) or next((by_key[key] for key in tries if key in by_key), None)
        if one is None:
            missing.append(ref)
        else:
            kept.setdefault(one.id, one)
    return list(kept.values()), missing


def _is_number(ref: str) -> bool:
    return ref.isascii() and ref.isdigit() and len(ref) < 16


def _readings(ref: str) -> Iterable[tuple[str, str, str]]:
    provider, colon, rest = ref.strip().partition(":")
    if not colon or not rest or "\0" in ref:
        return
    yield canonical(provider), rest, ""
    sku, at, region = rest.rpartition("@")
    if at and sku:
        yield canonical(provider), sku, region


def rows(offering_ids: Iterable[int], known_at: datetime | None = None) -> list[PriceRow]:
    """Every price of some offerings, past, present and to come, by the evidence of a moment."""
    return price_rows(Price.objects.of_offerings(offering_ids).known_at(known_at))
