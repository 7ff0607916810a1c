"""The page of one model and the evidence of its prices."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards import formatting
from dashboards.charts import history as history_chart
from dashboards.pages import compare as compare_page
from dashboards.pages import evidence as evidence_page
from dashboards.pages import model as model_page
from dashboards.pages import quality
from dashboards.pages.asked import blend_url, day, midnight
from dashboards.pages.events import EVENT_COLUMNS, EventRow
from dashboards.pages.models import GRADES
from dashboards.pages.quality import name_of
from dashboards.views import catalogue_page
from dashboards.views.catalogue import csv_response, figure_response
from dashboards.views.spend import reader_of
from pricing.acceptance import grade, grade_of
from pricing.answers import compare
from pricing.answers.on_sale import TIERS, needs
from pricing.answers.rates import rates
from pricing.benchmarks import benchmarks
from pricing.frontier import CHAT_MIX, Mix
from pricing.models import (
    Claim,
    Decision,
    Disagreement,
    HolidayCalendar,
    LanguageModel,
    Offering,
    Price,
    PriceEvent,
    Score,
    SourceRun,
)
from pricing.units import is_token_unit

EVENTS = 5
LATELY = timedelta(days=30)
_PRICE_COLUMNS = (
    "pk", "offering_id", "unit", "qualifier", "service_tier", "context_from", "context_op", "schedule", "amount", "per",
    "currency", "effective_from", "effective_until", "known_from", "known_until", "evidence_at", "precision", "trust",
    "agreeing", "disputed", "observed_at", "seen_at",
)  # fmt: skip


def missing(request: HttpRequest, sentence: str) -> HttpResponse:
    """404 as a page: what is not there, and a box to look for what is."""
    return render(request, "dashboards/model_missing.html", {"sentence": sentence}, status=404)


def _read_days(request: HttpRequest, slug: str) -> tuple[model_page.Ask, list[str]]:
    wrong, days = [], {}
    for name, words in (("at", "“Prices at”"), ("known_at", "“As known”")):
        try:
            days[name] = day(request.GET.get(name, ""), words)
        except ValueError as fault:
            wrong.append(str(fault))
    return model_page.Ask(slug, days.get("at"), days.get("known_at")), wrong


def _held(row: tuple[Any, ...], at: datetime) -> model_page.Held:
    pk, offering, unit, qualifier, tier, start, operator, schedule, amount, per, currency, *rest = row
    since, until, known, known_until, evidence_at, precision, trust, agreeing, disputed, observed_at, seen_at = rest
    usd = amount * 1_000_000 / per if currency == "USD" and is_token_unit(unit) else None
    graded = grade(
        trust=trust,
        agreeing=agreeing,
        disputed=disputed,
        evidence_at=evidence_at,
        observed_at=observed_at,
        seen_at=seen_at,
        effective_until=until,
        asked_at=at,
    )
    return model_page.Held(
        pk, offering, unit, qualifier, tier, start, operator, schedule, usd, amount, per, currency, since, until, known,
        known_until, evidence_at, precision, graded,
    )  # fmt: skip


def _rating(model: LanguageModel, at: datetime) -> str:
    """The model's best rating of the first benchmark, in words; '' where it is not rated."""
    module = next(iter(benchmarks().values()))
    category = next(iter(module.CATEGORIES))
    found = Score.objects.as_of(module.SLUG, category, at.date()).filter(model=model).order_by("-value").first()
    if found is None:
        return ""
    effort = f" at {found.effort}" if found.effort else ""
    value = formatting.rating(found.value, found.low, found.high)
    return f"{module.NAME} {category} {value}{effort}, {formatting.day(found.observed_on)}"


@dataclass(frozen=True)
class _Composed:
    """The page of a model, what happened to its prices, and how far its sellers differ."""

    page: model_page.ModelPage
    events: tuple[model_page.EventLine, ...]
    strips: tuple[model_page.Strip, ...]


def _composed(ask: model_page.Ask, model: LanguageModel, now: datetime, yours: Collection[int] = ()) -> _Composed:
    """Beside the model's own query four: its offerings, their prices, its rating, what happened to them.

    The holidays and the rates are asked for only where hours or another currency need them.
    """
    at = midnight(ask.at) or now
    sellers = [
        model_page.Seller(
            one.pk, one.provider.slug, one.provider.name, one.sku, one.region, one.provider.slug == model.maker,
            one.context_window, one.retired_at, one.notes,
        )
        for one in Offering.objects.filter(model=model).select_related("provider")
    ]  # fmt: skip
    rows = Price.objects.filter(offering__model=model, superseded_at=None).values_list(*_PRICE_COLUMNS)
    prices = [_held(row, at) for row in rows]
    through = None
    if any(price.schedule for price in prices):
        through = HolidayCalendar.objects.order_by("covers_through").values_list("covers_through", flat=True).first()
    facts = model_page.Facts(
        model.slug, model.name, model.maker, model.open_weights, model.context_window, model.deprecated,
        model.retires_on, model.successor.name if model.successor else "", _rating(model, at), model.released_on,
        model.max_output, tuple(model.modalities), tuple(model.capabilities), model.licence, model.family,
    )  # fmt: skip
    known_at = midnight(ask.known_at)
    page = model_page.compose(ask, facts, sellers, prices, at=at, now=now, known_at=known_at, holidays_through=through)
    events = model_page.event_lines(ask, _happened(model), sellers, prices, page.main, known_at)
    held = [price for price in prices if price.known_at(known_at) and price.held_at(at)]
    known = rates({price.currency for price in held}, at.date())
    sold = [seller for seller in sellers if seller.sells_at(at)]
    strips = model_page.strips(ask, sold, held, known, at.date(), yours)
    return _Composed(replace(page, history=model_page.with_marks(page.history, events)), events, strips)


def _happened(model: LanguageModel) -> list[EventRow]:
    """Every standing change of a price of the model. One query."""
    events = PriceEvent.objects.standing().filter(offering__model=model)
    return [EventRow._make(row) for row in events.values_list(*EVENT_COLUMNS)]


def _yours(request: HttpRequest, model: LanguageModel, now: datetime) -> set[int]:
    """The offerings of the model that the reader's organisation used lately; none for who is not signed in."""
    reader = reader_of(request) if request.user.is_authenticated else None
    if reader is None:
        return set()
    used = reader.spend("offering_id").filter(offering__model=model, day__gt=now.date() - LATELY)
    return set(used.values_list("offering_id", flat=True).distinct())


def _page(
    request: HttpRequest, ask: model_page.Ask, model: LanguageModel, wrong: list[str], **more: object
) -> HttpResponse:
    now = timezone.now()
    whole = _composed(ask, model, now, _yours(request, model, now))
    composed = whole.page
    if request.GET.get("format") == "csv" and not wrong:
        return csv_response(model.slug.replace("/", "-"), model_page.CSV_HEAD, model_page.csv_rows(composed))
    context = {
        "model": composed,
        "events": whole.events[:EVENTS],
        "older_events": whole.events[EVENTS:],
        "strips": whole.strips,
        "weights": model_page.known_facts(composed.facts),
        "farewell": model_page.retirement(composed.facts, now),
        "ask": ask,
        "wrong": wrong,
        "maker_name": name_of(model.maker) if model.maker else "",
        "maker_url": f"/models?maker={model.maker}" if model.maker else "",
        "heads": [model_page.COLUMNS[unit] for unit in composed.columns],
        "blended_decimals": composed.blended_decimals,
        "grades": GRADES,
        "history_note": "A step begins when the price took effect, as its source dates it or first showed it.",
        "history_rows": model_page.history_rows(composed),
        "figure_url": ask.url("/history.json"),
        "csv_url": ask.url(format="csv"),
        "link": request.build_absolute_uri(ask.url()),
        "compare_url": compare_url(composed),
        "now_url": ask.url(at=None, known_at=None),
        "snippet": model_page.api_snippet(composed.main, ask.at) if composed.main else "",
        **more,
    }
    return render(request, "dashboards/model.html", context, status=400 if wrong else 200)


def compare_url(page: model_page.ModelPage) -> str:
    """The main seller and the cheapest others beside each other; '' where there is nothing to compare."""
    shown = sorted(page.offered, key=lambda row: not row.is_main)[: compare.MOST]
    refs = [f"{s.provider}:{s.sku}{f'@{s.region}' if s.region else ''}" for s in (row.seller for row in shown)]
    return compare_page.Ask(tuple(refs), at=page.ask.at).url() if len(refs) > 1 else ""


def _find(slug: str) -> LanguageModel | None:
    return LanguageModel.objects.select_related("successor").filter(slug=slug).first()


@require_safe
@catalogue_page
def model(request: HttpRequest, slug: str) -> HttpResponse:
    found = _find(slug)
    if found is None:
        return missing(request, f"No model is called “{slug[:80]}” here.")
    ask, wrong = _read_days(request, slug)
    return _page(request, ask, found, wrong)


@require_safe
@catalogue_page
def model_history(request: HttpRequest, slug: str) -> HttpResponse:
    found = _find(slug)
    ask, wrong = _read_days(request, slug)
    if found is None or wrong:
        sentence = " ".join(wrong) or "There is no model of this name."
        return HttpResponse(sentence, status=400 if wrong else 404, content_type="text/plain; charset=utf-8")
    return figure_response(history_chart.figure(_composed(ask, found, timezone.now()).page.history))


@require_safe
@catalogue_page
def price_evidence(request: HttpRequest, slug: str, price_id: int) -> HttpResponse:
    price = (
        Price.objects.filter(pk=price_id, offering__model__slug=slug)
        .select_related("offering__provider", "offering__model__successor", "claim__snapshot", "source")
        .defer("claim__snapshot__body")
        .first()
    )
    if price is None:
        return missing(request, f"There is no price {price_id} of “{slug[:80]}” here.")
    ask, wrong = _read_days(request, slug)
    shown = _evidence(ask, price, midnight(ask.at) or timezone.now())
    if request.GET.get("part") == "evidence":
        return render(request, "partials/evidence.html", {"evidence": shown})
    return _page(request, ask, price.offering.model, wrong, evidence=shown, evidence_of=price.pk, close_url=ask.url())


@require_safe
@catalogue_page
def blend_evidence(request: HttpRequest, slug: str, offering_id: int) -> HttpResponse:
    """The list prices behind a blended one: two queries."""
    ask, wrong = _read_days(request, slug)
    try:
        mix = Mix.parse(request.GET.get("mix") or str(CHAT_MIX))
    except ValueError as fault:
        wrong.append(str(fault))
        mix = CHAT_MIX
    beside = request.GET.get("against", "")
    against = int(beside) if beside.isascii() and beside.isdigit() and len(beside) < 19 else 0
    offerings = Offering.objects.filter(pk__in=[offering_id, against])
    found = {one.pk: one for one in offerings.select_related("provider", "model__successor")}
    own, now = found.get(offering_id), timezone.now()
    blended = _blended(ask, mix, found, midnight(ask.at) or now)
    shown = None
    if own and own.model.slug == slug:
        held = f"list prices on {formatting.day(ask.at or now)}, standard tier"
        shown = evidence_page.compose_blend(
            blended[own.pk], blended.get(against), mix, subject=(quality.mix_in_words(mix), held),
            url=blend_url(slug, own.pk, mix, at=ask.at, known_at=ask.known_at, against=against or None),
        )  # fmt: skip
    if own is None or shown is None:
        return missing(request, f"There is no blended price of “{slug[:80]}” here: a list price of the mix is unknown.")
    if request.GET.get("part") == "evidence":
        return render(request, "partials/evidence.html", {"evidence": shown})
    return _page(request, ask, own.model, wrong, evidence=shown, close_url=ask.url())


def _blended(
    ask: model_page.Ask, mix: Mix, offerings: Mapping[int, Offering], at: datetime
) -> dict[int, evidence_page.Blended]:
    asks = {pk: model_page.Ask(one.model.slug, ask.at, ask.known_at) for pk, one in offerings.items()}
    held: dict[int, dict[str, tuple[Decimal, str]]] = {pk: {} for pk in offerings}
    units, tiers = needs(mix)
    rows = Price.objects.filter(
        offering__in=list(offerings), superseded_at=None, currency="USD", unit__in=units, service_tier__in=tiers,
        qualifier="", context_from=0, schedule="",
    )  # fmt: skip
    for price in rows.known_at(midnight(ask.known_at)).effective_at(at):
        usd = price.amount * 1_000_000 / price.per
        held[price.offering_id][f"{TIERS[price.service_tier]}{price.unit}"] = (
            usd,
            asks[price.offering_id].url(f"/evidence/{price.pk}"),
        )
    return {
        pk: evidence_page.Blended(
            one.model.name, one.provider.name, one.sku, one.region, held[pk],
            blend_url(one.model.slug, pk, mix, at=ask.at, known_at=ask.known_at),
        )
        for pk, one in offerings.items()
    }  # fmt: skip


def _evidence(ask: model_page.Ask, price: Price, at: datetime) -> evidence_page.Shown:
    """Five queries: the claims, what disagrees, the decision, the release, the other hours' prices."""
    key = {
        "unit": price.unit, "qualifier": price.qualifier, "service_tier": price.service_tier,
        "context_from": price.context_from,
    }  # fmt: skip
    claims = Claim.objects.made().filter(offering_id=price.offering_id, schedule=price.schedule, **key)
    claims = claims.filter(Q(effective_until=None) | Q(effective_until__gt=price.effective_from))
    claims = claims.filter(Q(withdrawn_at=None) | Q(withdrawn_at__gt=price.effective_from) | Q(pk=price.claim_id))
    if price.effective_until is not None:
        claims = claims.filter(Q(effective_from=None) | Q(effective_from__lt=price.effective_until))
    rows = list(claims.select_related("source").order_by("source__name", "-last_seen_at", "-pk"))
    disagreements = Disagreement.objects.filter(claim__in=[claim.pk for claim in rows], state__in=["open", "held"])
    decision = Decision.objects.filter(claim=price.claim_id, revoked_at=None).first()
    run = SourceRun.objects.filter(snapshot=price.claim.snapshot_id, source=price.source_id).order_by("pk").last()
    siblings = Price.objects.filter(offering_id=price.offering_id, superseded_at=None, **key)
    siblings = siblings.known_at(None).effective_at(at).order_by("-schedule")
    hours = [(one.schedule, one.amount * 1_000_000 / one.per, ask.url(f"/evidence/{one.pk}")) for one in siblings]
    graded = grade_of(price, at)
    opened = [f"Disagreement {one.state} since {formatting.day(one.opened_at)}." for one in disagreements]
    decided = [f"{decision.person} decided so: {decision.reason}"] if decision else []
    return evidence_page.compose(
        evidence_page.Fact(
            price.offering.provider.name, price.offering.sku, price.offering.region, price.unit, price.qualifier,
            price.service_tier, price.context_from, price.context_op, price.schedule, price.amount, price.per,
            price.currency, is_token_unit(price.unit), price.effective_from, price.effective_until, price.known_from,
            price.known_until, price.recorded_at, price.evidence_at, price.seen_at, price.basis, price.precision,
            price.why, graded,
        ),
        [
            evidence_page.Said(
                claim.source.name, claim.amount, claim.per, claim.last_seen_at, claim.withdrawn_at is not None,
                claim.url, claim.note,
            )
            for claim in rows
        ],
        windows=[
            (model_page.window_words(schedule) if schedule else "Otherwise", amount, url)
            for schedule, amount, url in hours
        ] if any(schedule for schedule, *_ in hours) else (),
        snapshot=price.claim.snapshot.sha256,
        release=f"{price.source.name} {run.version}".strip() if run else price.source.name,
        disagreements=[*decided, *opened],
        zone=timezone.get_current_timezone(),
        url=ask.url(f"/evidence/{price.pk}"),
    )  # fmt: skip
