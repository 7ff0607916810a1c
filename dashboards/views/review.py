"""Review: prices in doubt, names nobody knows, and what people decided. Whoever is signed in reads; admins decide."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from dashboards import access, audit
from dashboards.pages import review as pages
from dashboards.pages.models import GRADES
from dashboards.views import member_page
from dashboards.views.spend import Reader, csv_response, reader_of
from pricing import names as known_names
from pricing.answers import compare
from pricing.answers import review as read
from pricing.answers.rates import Rates, rates
from pricing.catalog import decisions
from pricing.catalog.decisions import NoDecision
from pricing.models import Decision, Disagreement, NameDecision, Offering
from pricing.providers import canonical
from usage import tasks
from usage.models import DailyCost

PER_PAGE = 20
ENTRIES = 50
NAMES = 100


def _page_of(found: Any, number: int | str | None, size: int) -> Any:
    return Paginator(found, size).get_page(number)


def _usage(reader: Reader | None, now: datetime) -> pages.Used:
    """Tokens of the last days by offering and tier, of what the reader may see. One query."""
    if reader is None:
        return {}
    first, until = now.date() - timedelta(days=pages.DAYS - 1), now.date() + timedelta(days=1)
    return pages.used(
        reader.spend("offering_id", "service_tier").in_segments([first, until], "offering_id", "service_tier")
    )


def _names(reader: Reader | None) -> list[pages.Waiting]:
    """What waits on names that mean nothing. One query."""
    if reader is None:
        return []
    counted = DailyCost.objects.of(reader.organisation)
    if reader.project_ids is not None:
        counted = counted.attributed_to(reader.project_ids)
    return pages.waiting(counted.unresolved_names())


def _in_usd(known: Rates, now: datetime) -> Any:
    def worth(amount: Decimal, currency: str) -> Decimal | None:
        rate = known.on(currency, now.date())
        return amount * rate.usd if rate else None

    return worth


def _stakes(
    usage: pages.Used, states: tuple[str, ...], now: datetime
) -> tuple[dict[int, pages.Stake], list[read.Size]]:
    """What hangs on each doubt about an offering in use. At most two queries."""
    sizes = read.sizes({offering for offering, _ in usage}, states)
    known = rates({one.currency for one in sizes} | {one.served_currency for one in sizes}, now.date())
    return {one.id: pages.stake(one, usage, _in_usd(known, now)) for one in sizes}, sizes


def _tally(
    reader: Reader | None, stakes: Mapping[int, pages.Stake], sizes: list[read.Size], names: list[pages.Waiting]
) -> pages.Tally:
    counts = read.counts()
    waiting = {one.id: one for one in sizes if one.state in read.IN_DOUBT}
    known = {pk: stake.usd for pk, stake in stakes.items() if pk in waiting and stake.usd}
    dearest = max(known, key=lambda pk: known[pk] or 0, default=None)
    model = Offering.objects.filter(disagreements=dearest).values_list("model__name", flat=True).first()
    return pages.Tally(
        held=counts.get("held", 0), open=counts.get("open", 0),
        touching=sum(1 for pk in waiting if stakes[pk].usd or (stakes[pk].usd is None and stakes[pk].tokens)),
        at_stake=pages.together((one, stakes[pk]) for pk, one in waiting.items()),
        unknown_stakes=sum(1 for pk in waiting if stakes[pk].usd is None),
        known_errors=counts.get("known_error", 0), names=len(names),
        name_tokens=sum(one.tokens for one in names), has_usage=reader is not None,
        dearest=model or "",
    )  # fmt: skip


def _frame(request: HttpRequest, tab: str, **more: object) -> dict[str, Any]:
    return {"tab": tab, "may_decide": access.may_decide(request.user), "days": pages.DAYS, **more}


# Prices in doubt


@require_safe
@member_page
def prices(request: HttpRequest) -> HttpResponse:
    return _prices(request, pages.read(request.GET))


def _prices(request: HttpRequest, ask: pages.Ask, wrong: str = "", reason: str = "") -> HttpResponse:
    now, reader = timezone.now(), reader_of(request)
    usage = _usage(reader, now)
    every = (*read.IN_DOUBT, read.KNOWN_ERROR) if ask.state == read.KNOWN_ERROR else read.IN_DOUBT
    stakes, sizes = _stakes(usage, every, now)
    order = sorted((pk for pk in stakes), key=lambda pk: stakes[pk].weight, reverse=True)
    queue = read.queue(ask.states, order)
    nothing = pages.Stake(Decimal(0), 0, False)
    if request.GET.get("format") == "csv":
        found = read.doubts(queue, now)
        rows = pages.prices_rows((one, stakes.get(one.id, nothing)) for one in found)
        return csv_response("prices-in-doubt", pages.PRICES_HEAD, rows)
    page_obj = _page_of(queue, ask.page, PER_PAGE)
    shown = read.doubts(page_obj.object_list, now)
    opened = next((one for one in shown if one.id == ask.doubt), None)
    if ask.doubt and opened is None:
        opened = read.doubt(ask.doubt, now)
        if opened is None:
            raise Http404("No such disagreement")
    if opened is None and shown:
        opened = shown[0]
    names = _names(reader)
    tally = _tally(reader, stakes, sizes, names)
    context = _frame(
        request, "prices", ask=ask, tally=tally, finding=pages.finding(tally), page_obj=page_obj, wrong=wrong,
        reason=reason,
        tickets=[
            pages.ticket(one, stakes.get(one.id, nothing), f"{ask.url(doubt=one.id)}#doubt", is_open=one is opened)
            for one in shown
        ],
        question=pages.question(opened, stakes.get(opened.id, nothing), read.claims_of(opened)) if opened else None,
        is_chosen=bool(ask.doubt), state_words=ask.words, state_options=ask.options(),
        grade_words=GRADES[opened.serving.grade] if opened and opened.serving else "",
        csv_url=ask.url(format="csv", page="", doubt=""), link=request.build_absolute_uri(ask.url()), asked_at=now,
    )  # fmt: skip
    status = 422 if wrong and not _is_part(request) else 200
    return render(request, "dashboards/review_prices.html", context, status=status)


@require_POST
@member_page
def decide(request: HttpRequest, number: int) -> HttpResponse:
    """Accept or reject the claim that is not heard, with a reason; what follows is accepted and rated anew."""
    access.require_decider(request.user)
    doubt = get_object_or_404(Disagreement.objects.select_related("claim", "offering__model"), pk=number)
    reason = request.POST.get("reason", "")
    stood = Decision.objects.filter(claim=doubt.claim, revoked_at=None).first()
    try:
        with transaction.atomic():
            decision = decisions.decide(doubt.claim, request.POST.get("verdict", ""), reason, str(request.user))
            audit.record(request.user, "decided on a price", _claimed(decision), _decision(stood), _decision(decision))
    except NoDecision as fault:
        return _prices(request, pages.Ask(pages.read(request.GET).state, doubt=number), str(fault), reason)
    months = tasks.rerate_offerings([doubt.offering_id])
    verb = "taken" if decision.verdict == Decision.Verdict.ACCEPT else "refused"
    messages.success(request, f"{doubt.offering.model.name}: the claim is {verb}. {_rerating(months)}")
    return redirect(pages.Ask(state=pages.read(request.GET).state).url())


def _claimed(decision: Decision) -> str:
    claim = decision.claim
    amount = f"{claim.amount.normalize():f} {claim.currency} per {claim.per:,}"
    return f"{claim.offering.sku}: {claim.unit} {amount}, as {claim.source} says"


def _decision(one: Decision | NameDecision | None) -> dict[str, str] | None:
    """What of a decision the audit log keeps."""
    if one is None:
        return None
    if isinstance(one, NameDecision):
        return {"means": one.offering.sku, "reason": one.reason}
    return {"verdict": one.verdict, "reason": one.reason}


def _rerating(months: int) -> str:
    if not months:
        return "No usage is concerned."
    return f"Usage of {'1 month' if months == 1 else f'{months} months'} is rated again in the background."


# Names nobody knows


@require_safe
@member_page
def names(request: HttpRequest) -> HttpResponse:
    return _names_page(request, pages.read_names(request.GET))


def _names_page(
    request: HttpRequest, ask: pages.NamesAsk, wrong: str = "", reason: str = "", picked: str = ""
) -> HttpResponse:
    reader = reader_of(request)
    found = _names(reader)
    if request.GET.get("format") == "csv":
        return csv_response("unresolved-names", pages.NAMES_HEAD, pages.names_rows(found))
    opened = next((one for one in found if (one.host, one.name) == (ask.host, ask.name)), None)
    if opened is None and found and not ask.is_open:
        opened = found[0]
    context = _frame(
        request, "names", ask=ask, reader=reader, found=found[:NAMES],
        finding=pages.names_finding(found, has_usage=reader is not None), more=max(0, len(found) - NAMES),
        opened=opened, wrong=wrong, reason=reason, picked=picked,
        is_chosen=ask.is_open, csv_url=ask.url(format="csv", q="", name="", host=""),
        link=request.build_absolute_uri(ask.url()), asked_at=timezone.now(), **_mapping(ask, opened),
    )  # fmt: skip
    status = 422 if wrong and not _is_part(request) else 200
    return render(request, "dashboards/review_names.html", context, status=status)


def _mapping(ask: pages.NamesAsk, opened: pages.Waiting | None) -> dict[str, object]:
    """Why the opened name means nothing, what it means since, and offerings a person may pick."""
    if opened is None:
        return {}
    match = known_names.resolver().resolve(opened.name, opened.host or None)
    if match.resolved:
        said = f"It means {match.sku} at {opened.seller or match.provider} by now: {match.rule}."
        return {"rule": f"{said} Its usage is being rated again.", "means": match.sku, "candidates": ()}
    searched = ask.q and (ask.host, ask.name) in {(opened.host, opened.name), ("", "")}
    found: list[compare.Item]
    if searched:
        found = compare.search(ask.q, provider=canonical(opened.host))
    else:
        likely = pages.near(opened.name, compare.skus_of(opened.host)) if opened.host else []
        by_id = {one.id: one for one in compare.items(likely)} if likely else {}
        found = [by_id[pk] for pk in likely if pk in by_id]
    return {
        "rule": pages.rule_words(match.rule, opened.seller),
        "means": "",
        "searched": bool(searched),
        "candidates": [
            pages.Candidate(
                one.id, one.sku, one.provider_name,
                ", ".join(part for part in (one.model, one.region, "retired" if one.retired_at else "") if part),
                f"/models/{one.model_slug}",
            )
            for one in found
        ],
    }  # fmt: skip


@require_POST
@member_page
def map_name(request: HttpRequest) -> HttpResponse:
    """Say what a name means at a host: the offering a person picked, with a reason."""
    access.require_decider(request.user)
    host, name = request.POST.get("host", ""), request.POST.get("name", "")
    reason, picked = request.POST.get("reason", ""), request.POST.get("offering", "")
    number = int(picked) if picked.isascii() and picked.isdigit() and len(picked) < 16 else 0
    offering = Offering.objects.filter(pk=number).first()
    try:
        if offering is None:
            raise NoDecision("Pick the offering that the name means: search for it, then choose one of the list.")
        stood = NameDecision.objects.filter(
            provider=canonical(host), name__iexact=name.strip(), revoked_at=None
        ).first()
        mapped = decisions.map_name(host, name, offering, reason, str(request.user))
    except NoDecision as fault:
        return _names_page(request, pages.read_names(request.POST), str(fault), reason, picked)
    subject = f"“{mapped.name}” at {mapped.provider}"
    audit.record(request.user, "mapped a name", subject, _decision(stood), _decision(mapped))
    months = tasks.rerate_provider(canonical(host))
    messages.success(request, f"“{name}” means {offering.sku} from now on, everywhere. {_rerating(months)}")
    return redirect("review-names")


# What was decided


@require_safe
@member_page
def decided(request: HttpRequest) -> HttpResponse:
    found = read.decided()
    if request.GET.get("format") == "csv":
        every = [pages.entry(one) for one in read.decisions(found)]
        return csv_response("decisions", pages.DECIDED_HEAD, pages.decided_rows(every))
    page_obj = _page_of(found, request.GET.get("page"), ENTRIES)
    entries = [pages.entry(one) for one in read.decisions(page_obj.object_list)]
    context = _frame(
        request, "decided", page_obj=page_obj, entries=entries,
        finding=pages.decided_finding(page_obj.paginator.count, entries), csv_url="/review/decided?format=csv",
        link=request.build_absolute_uri("/review/decided"), asked_at=timezone.now(),
    )  # fmt: skip
    return render(request, "dashboards/review_decided.html", context)


@require_POST
@member_page
def revoke(request: HttpRequest, kind: str, number: int) -> HttpResponse:
    """Take a decision back: the evidence alone decides again."""
    access.require_decider(request.user)
    if kind not in {"price", "name"}:
        raise Http404("No such decision")
    if kind == "price":
        decision = get_object_or_404(Decision.objects.select_related("claim"), pk=number, revoked_at=None)
        with transaction.atomic():
            decisions.revoke(decision)
            audit.record(request.user, "took back a decision", _claimed(decision), _decision(decision))
        months = tasks.rerate_offerings([decision.claim.offering_id])
    else:
        mapping = get_object_or_404(NameDecision, pk=number, revoked_at=None)
        decisions.unmap_name(mapping)
        subject = f"“{mapping.name}” at {mapping.provider}"
        audit.record(request.user, "took back a mapping", subject, _decision(mapping))
        months = tasks.rerate_provider(mapping.provider)
    messages.success(request, f"The decision is taken back: the evidence alone decides again. {_rerating(months)}")
    return redirect("review-decided")


def _is_part(request: HttpRequest) -> bool:
    """Asked by htmx, which would not show an answer with the status of a fault."""
    return bool(getattr(request, "htmx", False))
