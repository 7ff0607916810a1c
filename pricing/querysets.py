"""Named reads of offerings and prices; each says what it returns, none writes."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from django.db.models import (
    BooleanField,
    Case,
    Count,
    DecimalField,
    ExpressionWrapper,
    F,
    Max,
    Q,
    QuerySet,
    Sum,
    When,
)
from django.db.models.functions import TruncDate

from pricing.repriced import COLUMNS, repriced

if TYPE_CHECKING:
    from pricing.models import (  # noqa: F401
        Claim,
        ExchangeRate,
        LanguageModel,
        Offering,
        Price,
        PriceEvent,
        RateCard,
    )


def after(place: Mapping[str, Any]) -> Q:
    """What comes after a row in the order of some columns, by what the row has in them: the keyset of a page."""
    *first, (last, value) = place.items()
    found = Q(**{f"{last}__gt": value})
    for column, value in reversed(first):
        found = Q(**{f"{column}__gt": value}) | Q(**{column: value}) & found
    return found


class LanguageModelQuerySet(QuerySet["LanguageModel"]):
    def named(self, text: str) -> LanguageModelQuerySet:
        """Models whose slug, name or maker contains every word of the text."""
        found = self
        for word in text.split():
            found = found.filter(Q(slug__icontains=word) | Q(name__icontains=word) | Q(maker__icontains=word))
        return found


LIST_UNITS = ("input", "output", "cache_read")
"""The units by which list prices are compared."""


class OfferingQuerySet(QuerySet["Offering"]):
    def sold_by(self, provider: str) -> OfferingQuerySet:
        """Offerings of one provider, by its slug."""
        return self.filter(provider__slug=provider)

    def of_models(self, models: Iterable[int], at: datetime) -> OfferingQuerySet:
        """Offerings of some models that were not retired by a moment."""
        return self.filter(model__in=list(models)).exclude(retired_at__lte=at)


class ClaimQuerySet(QuerySet["Claim"]):
    def made(self) -> ClaimQuerySet:
        """Without those withdrawn at the reading that made them: a later program read its body otherwise."""
        return self.exclude(withdrawn_at=F("first_seen_at"))


@dataclass(frozen=True, slots=True)
class DoorPrice:
    """One line of the card beside the sign-in form; USD per Mtok."""

    name: str
    input: Decimal | None
    output: Decimal | None


class PriceQuerySet(QuerySet["Price"]):
    def known_at(self, when: datetime | None = None) -> PriceQuerySet:
        """Prices as the evidence of a moment had them; None = by all evidence there is."""
        if when is None:
            return self.filter(known_until=None)
        return self.filter(Q(known_until=None) | Q(known_until__gt=when), known_from__lte=when)

    def changed_since(self, when: datetime) -> dict[int, datetime]:
        """Offerings that cost something else by what was recorded and withdrawn since a moment, each from when on.

        Where such a one has prices of long prompts, with it go the other offerings of its model: what is unknown of
        theirs depends on it.
        """
        known = self.filter(known_until=None).order_by()
        gone = known.filter(superseded_at__gte=when, recorded_at__lt=when)
        come = known.filter(superseded_at=None, recorded_at__gte=when)
        found = repriced(gone.values_list(*COLUMNS), come.values_list(*COLUMNS))
        tiered = self.filter(offering__in=found, context_from__gt=0).order_by()
        others = tiered.values_list("offering", "offering__model__offerings").distinct()
        for changed, other in others:
            found[other] = min(found[changed], found.get(other, found[changed]))
        return found

    def effective_at(self, when: datetime) -> PriceQuerySet:
        """Prices that held in the world at a moment (start included, end not)."""
        return self.filter(Q(effective_until=None) | Q(effective_until__gt=when), effective_from__lte=when)

    def overlapping(self, start: datetime, end: datetime) -> PriceQuerySet:
        """Prices that held at any moment of [start, end)."""
        return self.filter(Q(effective_until=None) | Q(effective_until__gt=start), effective_from__lt=end)

    def compared(self, at: datetime, known_at: datetime | None = None) -> PriceQuerySet:
        """What list prices are compared by: input, output and cached input at the standard tier, as held at a moment.

        In USD only, as no other currency can be set beside it. With the prices of some hours (`schedule`) and of
        long prompts (`context_from`), so that who compares can say that the plain price is not the only one.
        """
        held = self.filter(superseded_at=None, unit__in=LIST_UNITS, currency="USD")
        held = held.exclude(offering__retired_at__lte=at)
        return held.filter(service_tier="standard", qualifier="").known_at(known_at).effective_at(at)

    def weighed(self, at: datetime, units: Iterable[str], tiers: Iterable[str]) -> QuerySet[Any, Any]:
        """What a token mix weighs: prices in USD of some units at some service tiers as held at a moment.

        With the prices of some hours and of long prompts, as in `compared`. By all evidence there is. `known_since` is
        the UTC day of the start where one is stated, else of the first evidence; `undated`: neither is as old as that.
        """
        held = self.filter(superseded_at=None, currency="USD", unit__in=list(units), service_tier__in=list(tiers))
        held = held.filter(qualifier="").exclude(offering__retired_at__lte=at).known_at().effective_at(at)
        # As days and truths: reading two moments of each of 3,000 rows takes longer than all else here.
        since = Case(When(basis="inferred", then=F("evidence_at")), default=F("effective_from"))
        undated = ExpressionWrapper(Q(basis="inferred", evidence_at__gt=at), output_field=BooleanField())
        dated: QuerySet[Any, Any] = held.annotate(known_since=TruncDate(since, tzinfo=UTC), undated=undated)
        return dated

    def upcoming(self, after: datetime, until: datetime) -> PriceQuerySet:
        """Prices known by all evidence there is that begin in (after, until], the earliest first."""
        soon = self.filter(superseded_at=None, known_until=None)
        return soon.filter(effective_from__gt=after, effective_from__lte=until).order_by("effective_from", "id")

    def standard(self) -> PriceQuerySet:
        """The plain list price: standard tier, no context tier, no schedule, no qualifier."""
        return self.filter(service_tier="standard", context_from=0, schedule="", qualifier="")

    def list_history(self, models: Iterable[int], units: Iterable[str]) -> PriceQuerySet:
        """The plain list prices of some models in USD, of all times, by all evidence there is."""
        held = self.filter(superseded_at=None, currency="USD", unit__in=list(units), offering__model__in=list(models))
        return held.known_at().standard()

    def credits(self) -> tuple[str, ...]:
        """Who says these prices, of most of them first, and under which licence: `genai-prices (MIT)`. One query.

        What is carried without a licence to copy a table are single facts.
        """
        said = self.order_by().values("source__name", "source__licence").annotate(prices=Count("id"))
        rows = said.order_by("-prices", "source__name").values_list("source__name", "source__licence")
        return tuple(f"{name} ({'facts' if ' ' in licence else licence})" for name, licence in rows)

    def for_door(self, at: datetime | None = None, count: int = 8) -> list[DoorPrice]:
        """What the best-rated models cost at their makers, one model a maker, the best first: the sign-in card."""
        from pricing.models import Score  # the models import this module

        rated = Score.objects.as_of("arena", "overall", (at or datetime.now(UTC)).date()).exclude(model=None)
        ranked = list(dict.fromkeys(rated.order_by("-value").values_list("model_id", flat=True)[: count * 12]))
        prices = self.compared(at or datetime.now(UTC)).standard().filter(offering__model__in=ranked)
        found: dict[int, dict[str, Price]] = {}
        for price in prices.filter(offering__provider__slug=F("offering__model__maker")).with_names():
            found.setdefault(price.offering.model_id, {})[price.unit] = price
        rows: dict[str, DoorPrice] = {}
        for model in ranked:
            units = found.get(model)
            if units and {"input", "output"} <= units.keys():
                first = units["input"].offering.model
                row = DoorPrice(first.name, units["input"].usd_per_mtok, units["output"].usd_per_mtok)
                rows.setdefault(first.maker, row)
        return list(rows.values())[:count]

    def of_offerings(self, offering_ids: Iterable[int]) -> PriceQuerySet:
        return self.filter(offering_id__in=list(offering_ids))

    def with_names(self) -> PriceQuerySet:
        """With offering, provider, model and source, in one query."""
        return self.select_related("offering__provider", "offering__model", "source")


class PriceEventQuerySet(QuerySet["PriceEvent"]):
    def standing(self) -> PriceEventQuerySet:
        """Events that acceptance still gives."""
        return self.filter(superseded_at=None)

    def between(self, by: str, start: datetime | None, end: datetime | None) -> PriceEventQuerySet:
        """Standing events in [start, end) by one of their three times: observed, effective, recorded."""
        column = {"observed": "observed_at", "effective": "effective_from", "recorded": "recorded_at"}[by]
        found = self.standing().order_by(column, "id")
        if start is not None:
            found = found.filter(**{f"{column}__gte": start})
        if end is not None:
            found = found.filter(**{f"{column}__lt": end})
        return found

    def newest_first(self, before: tuple[datetime, int] | None = None) -> PriceEventQuerySet:
        """Accepted events, the one a source showed last first; with `before` (its time and id), those after it."""
        found = self.filter(status="accepted").order_by("-observed_at", "-id")
        if before is not None:
            shown, event = before
            found = found.filter(Q(observed_at__lt=shown) | Q(observed_at=shown, id__lt=event))
        return found

    def moves(self) -> PriceEventQuerySet:
        """Cuts and rises of plain list prices, accepted."""
        return self.standing().filter(
            kind__in=["cut", "rise"], status="accepted", service_tier="standard", qualifier="", context_from=0,
            schedule="", unit__in=LIST_UNITS,
        )  # fmt: skip

    def plain_moves(self) -> PriceEventQuerySet:
        """Cuts and rises of the plain list prices of every service tier and kind of token, accepted, in their order."""
        return self.standing().filter(
            kind__in=["cut", "rise"], status="accepted", qualifier="", context_from=0, schedule="",
        ).order_by("effective_from", "id")  # fmt: skip

    def last_move(self, at: datetime) -> PriceEventQuerySet:
        """The newest move of each offering that had taken effect at a moment; of one day’s, the output’s."""
        took_effect = self.moves().filter(effective_from__lte=at)
        return took_effect.order_by("offering", "-effective_from", "-unit", "-observed_at", "-pk").distinct("offering")

    def named(self, text: str) -> PriceEventQuerySet:
        """Events of models whose slug, name or maker, or whose seller's own id, contains every word of the text."""
        found = self
        for word in text.split():
            model = {name: f"offering__model__{name}__icontains" for name in ("slug", "name", "maker")}
            said = Q(offering__sku__icontains=word)
            for lookup in model.values():
                said |= Q(**{lookup: word})
            found = found.filter(said)
        return found

    def steps(self, time: str) -> QuerySet[Any, dict[str, Any]]:
        """Events put together by offering and a time of theirs (`effective_from` or `observed_at`): one row a step.

        `before` and `after` weigh input and output 3 : 1 (see `STEP_WEIGHTS`), of the plain list price where the
        step touches it: they say whether a step is dearer or cheaper, and by how much. None where neither is priced.
        `others_before` and `others_after` sum what moved besides, for a step of other units or terms only.
        """
        plain = Q(service_tier="standard", qualifier="", context_from=0, schedule="")
        sums = {}
        for name, amount in (("before", "old"), ("after", "new")):
            per_mtok = ExpressionWrapper(F(amount) * 1_000_000 / F("per"), output_field=DecimalField())
            weighed = [When(plain & Q(unit=unit), then=per_mtok * weight) for unit, weight in STEP_WEIGHTS]
            sums[name] = Sum(Case(*weighed, output_field=DecimalField()))
            sums[f"others_{name}"] = Sum(per_mtok)
        other = {"effective_from": "observed_at", "observed_at": "effective_from"}[time]
        grouped: QuerySet[Any, dict[str, Any]] = self.order_by().values(
            "offering_id", "offering__model_id", "offering__model__name", "offering__model__slug",
            "offering__model__maker", "offering__provider__slug", "offering__provider__name", time,
        ).annotate(lines=Count("pk"), other_time=Max(other), **sums)  # fmt: skip
        return grouped


STEP_WEIGHTS = (("input", 3), ("output", 1))
"""A chat's tokens, by which a step of several units is called a cut or a rise."""


class RateCardQuerySet(QuerySet["RateCard"]):
    def current(self) -> RateCardQuerySet:
        """Cards by all evidence there is."""
        return self.filter(known_until=None)


@dataclass(frozen=True, slots=True)
class DatedRate:
    """What one unit of a currency was worth in USD, and the day whose rate that is."""

    currency: str
    day: date
    usd: Decimal
    source: str = ""
    """Slug of who published it; '' for USD itself."""


OLDEST_RATE = timedelta(days=7)
"""How long a published rate stands in for days without one: weekends and holidays, not a source that fell silent."""


class ExchangeRateQuerySet(QuerySet["ExchangeRate"]):
    def standing(self, at: datetime | None = None) -> Self:
        """One rate a currency, day and source: those that stand now, or that stood at an instant."""
        if at is None:
            return self.filter(superseded_at=None)
        return self.filter(Q(superseded_at=None) | Q(superseded_at__gt=at), recorded_at__lte=at)

    def on(self, currency: str, day: date) -> DatedRate | None:
        """The last rate published for a day or the seven before it; None where there is none: unknown, not zero."""
        return self.for_days([(currency, day)]).get((currency, day))

    def spanning(self, first: date, last: date, at: datetime | None = None) -> Self:
        """The standing rates of the days [first, last], and of each currency the last ones before them."""
        standing = self.model._default_manager.standing(at)
        # Looked for once for all currencies: asked of each rate, it is a read of all of them, 8 s of 10,000 rates.
        latest = standing.filter(day__lte=first).order_by("currency", "-day", "-source_id").distinct("currency")
        return self.standing(at).filter(Q(day__gt=first) | Q(pk__in=latest.values("pk")), day__lte=last)

    def for_days(self, asked: Iterable[tuple[str, date]]) -> dict[tuple[str, date], DatedRate]:
        """The rate of each currency and day as `on` gives it, in one query; what is unknown is left out."""
        pairs = set(asked)
        days = [day for currency, day in pairs if currency != "USD"]
        known: dict[str, dict[date, DatedRate]] = defaultdict(dict)
        if days:
            rows = self.standing().filter(currency__in={currency for currency, _ in pairs})
            rows = rows.filter(day__gte=min(days) - OLDEST_RATE, day__lte=max(days)).order_by("day", "-source_id")
            for row in rows.values_list("currency", "day", "usd", "source__slug"):
                known[row[0]][row[1]] = DatedRate(*row)
        found: dict[tuple[str, date], DatedRate] = {}
        published = {currency: list(rates) for currency, rates in known.items()}
        for currency, day in pairs:
            if currency == "USD":
                found[currency, day] = DatedRate(currency, day, Decimal(1))
                continue
            nth = bisect_right(published.get(currency, []), day)
            if nth and day - (last := published[currency][nth - 1]) <= OLDEST_RATE:
                found[currency, day] = known[currency][last]
        return found
