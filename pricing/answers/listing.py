"""Prices and models in pages: filters, a fixed order, and a cursor that only means something to us."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from django.db.models import Count, Q, QuerySet
from django.utils.crypto import constant_time_compare, salted_hmac

from pricing import names
from pricing.answers.changes import Window, numbered
from pricing.answers.prices import Question, offerings_json, overall
from pricing.answers.questions import moment, strange_cursor
from pricing.answers.questions import name as as_name
from pricing.answers.rates import rates
from pricing.answers.rows import calendars, price_json, price_rows, rows_of, sellers
from pricing.answers.wording import moment_text
from pricing.models import LanguageModel, Price
from pricing.providers import canonical
from pricing.querysets import after

MOST: Final = 500
USUAL: Final = 100
_LINE: Final = ("offering", "unit", "qualifier", "service_tier", "context_from", "schedule")
_TEXTS: Final = ("provider", "model", "unit", "tier", "region", "currency", "q")


@dataclass(frozen=True, slots=True)
class Filters:
    """Which prices to list; None = all. `q` is words that must each appear in provider, sku or model."""

    provider: str | None = None
    model: str | None = None
    unit: str | None = None
    tier: str | None = None
    region: str | None = None
    currency: str | None = None
    q: str | None = None
    at: datetime | None = None
    known_at: datetime | None = None

    def checked(self) -> Filters:
        """The same filters without blanks, an empty one as none; BadQuestion for what is no name."""
        texts: dict[str, Any] = {
            field: as_name(text, field) or None for field in _TEXTS if (text := getattr(self, field))
        }
        return replace(self, **texts)


@dataclass(frozen=True, slots=True)
class ModelFilters:
    """Which models to list; None = all. `q` is words that must each appear in slug, name or maker."""

    q: str | None = None
    maker: str | None = None

    def checked(self) -> ModelFilters:
        found = {field: as_name(text, field) or None for field in ("q", "maker") if (text := getattr(self, field))}
        return replace(self, **found)


def prices(asked: Filters, limit: int = USUAL, cursor: str | None = None) -> dict[str, Any]:
    """A page of prices by offering and price line; `next` continues it, at the same moment.

    A change replaces the row of a line, and at one moment a line has one price: so a page continues after the line of
    the last row, and tells each line once, whatever came in meanwhile.
    """
    filters = asked.checked()
    told, at = None, filters.at
    if cursor:
        told, moment_of_first_page = read_place(cursor, filters)
        at = moment_of_first_page or at
    when = at or datetime.now(UTC)
    found = _filtered(filters, when).order_by(*_LINE)
    if told is not None:
        line = Price.objects.filter(pk=told).values(*_LINE).first()
        if line is None:  # a cursor of another day of a database that was put back since
            raise strange_cursor()
        found = found.filter(after(line), offering__gte=line["offering"])  # the latter for the index
    rows = price_rows(found, limit + 1)
    names_by_id = {seller.id: seller for seller in sellers(pk__in={row.offering_id for row in rows[:limit]})}
    known = rates({row.currency for row in rows}, when.date())
    return {
        "at": moment_text(when),
        "known_at": moment_text(filters.known_at),
        "prices": [
            {**names_by_id[row.offering_id].as_json(), **price_json(row, when, rates=known)} for row in rows[:limit]
        ],
        "next": written_place(rows[limit - 1].id, filters, when) if len(rows) > limit else None,
    }


def _filtered(filters: Filters, when: datetime) -> Any:
    found = Price.objects.filter(superseded_at=None).known_at(filters.known_at).effective_at(when)
    if filters.provider:
        found = found.filter(offering__provider__slug=canonical(filters.provider))
    if filters.model:
        found = found.filter(offering__model__slug=model_slug(filters.model))
    if filters.unit:
        found = found.filter(unit=filters.unit)
    if filters.tier:
        found = found.filter(service_tier=filters.tier.lower())
    if filters.region:
        found = found.filter(offering__region=filters.region)
    if filters.currency:
        found = found.filter(currency=filters.currency.upper())
    for word in (filters.q or "").split():
        found = found.filter(
            Q(offering__sku__icontains=word) | Q(offering__model__name__icontains=word)
            | Q(offering__model__slug__icontains=word) | Q(offering__provider__slug__icontains=word)
        )  # fmt: skip
    return found


def model_slug(text: str) -> str:
    """A model's slug, or the slug of the model a name resolves to."""
    if LanguageModel.objects.filter(slug=text.lower()).exists():
        return text.lower()
    return names.resolver().resolve(text).model_slug or text


def written_place(place: int, asked: Any, at: datetime | None = None) -> str:
    """A cursor: the place reached, a moment that belongs to it, and the question it continues; signed."""
    body = json.dumps([place, moment_text(at)]).encode()
    return f"{base64.urlsafe_b64encode(body).decode().rstrip('=')}.{_signature(body, asked)}"


def read_place(cursor: str, asked: Any) -> tuple[int, datetime | None]:
    """The place and the moment of a cursor; BadQuestion where it is none of ours or continues another question."""
    try:
        text, _, signature = cursor.partition(".")
        body = base64.b64decode((text + "=" * (-len(text) % 4)).encode("ascii"), altchars=b"-_", validate=True)
        if not constant_time_compare(signature, _signature(body, asked)):
            raise ValueError(cursor)
        place, at = json.loads(body)
        return int(place), moment(at) if at is not None else None
    except (ValueError, binascii.Error):
        raise strange_cursor() from None


def _signature(body: bytes, asked: Any) -> str:
    """Of the place and the question, so that a cursor made by hand, or for another question, is refused."""
    question = json.dumps([type(asked).__name__, asdict(asked)], default=str).encode()
    return salted_hmac("pricing.cursor", body + b"\n" + question, algorithm="sha256").hexdigest()[:20]


def changes(window: Window, limit: int = USUAL, cursor: str | None = None) -> dict[str, Any]:
    """A page of changes, the oldest first; `next` continues after the last of them, whatever came in meanwhile."""
    told = read_place(cursor, window)[0] if cursor else None
    rest = numbered(window, told, limit + 1)
    page = rest[:limit]
    following = written_place(page[-1][0], window) if len(rest) > limit else None
    return {"changes": [change for _, change in page], "next": following}


def models(
    q: str | None = None, maker: str | None = None, limit: int = USUAL, cursor: str | None = None
) -> dict[str, Any]:
    """A page of models by slug, with how many offerings each has."""
    filters = ModelFilters(q, maker).checked()
    told = 0
    if cursor:
        told, _ = read_place(cursor, filters)
    found: QuerySet[LanguageModel] = LanguageModel.objects.named(filters.q or "")
    if filters.maker:
        found = found.filter(maker=canonical(filters.maker))
    page = list(found.filter(pk__gt=told).annotate(sold=Count("offerings")).order_by("pk")[: limit + 1])
    more = len(page) > limit
    return {
        "models": [{**model_json(model), "offerings": model.sold} for model in page[:limit]],
        "next": written_place(page[limit - 1].pk, filters) if more else None,
    }


def model(slug: str, at: datetime | None = None, known_at: datetime | None = None) -> dict[str, Any] | None:
    """One model with every offering of it and their prices; None where there is no such slug."""
    found = LanguageModel.objects.select_related("successor").filter(slug=as_name(slug, "slug")).first()
    if found is None:
        return None
    when = at or datetime.now(UTC)
    sold_by = sellers(model=found)
    rows = rows_of(seller.id for seller in sold_by)
    asked = Question(found.slug, at=at, known_at=known_at)
    offerings = offerings_json(sold_by, rows, asked, when, calendars())
    return {**model_json(found), "at": moment_text(when), "status": overall(offerings), "offerings": offerings}


def model_json(found: LanguageModel) -> dict[str, Any]:
    """What the catalogue says of a model, None where no source says."""
    return {
        "slug": found.slug,
        "name": found.name,
        "maker": found.maker,
        "family": found.family,
        "description": found.description,
        "released_on": found.released_on.isoformat() if found.released_on else None,
        "open_weights": found.open_weights,
        "licence": found.licence,
        "context_window": found.context_window,
        "max_output": found.max_output,
        "modalities": found.modalities,
        "capabilities": found.capabilities,
        "deprecated": found.deprecated,
        "retires_on": found.retires_on.isoformat() if found.retires_on else None,
        "successor": found.successor.slug if found.successor_id and found.successor else None,
    }
