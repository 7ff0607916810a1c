"""What waits by money: `/unattributed`, `/unpriced`, and which feed gave a day what at `/feeds`."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import Resolver404, resolve, reverse
from django.views.decorators.http import require_POST, require_safe

from dashboards import access, audit, formatting
from dashboards.pages import covered
from dashboards.pages.explore import DIMENSION_WORDS, filters_of, group_value, number, records_of, spoken, twins
from dashboards.pages.periods import Span
from dashboards.views import member_page, role_page
from dashboards.views.explore import PERIOD_WORDS
from dashboards.views.spend import Reader, csv_response, reader_or_404, refused, today
from usage import assignments, attribution, questions, queues, settling
from usage.models import Connection
from usage.questions import Question, Unanswerable

WHY = {
    "model": "The name means nothing the catalogue knows.",
    "tokens": "Neither input nor output tokens were reported.",
    "card": "The seller has no price for this model at that time.",
    "tier": "The reported service tier has no price.",
    "price": "One of its token kinds has no price.",
}
ROWS = 200


@require_safe
@member_page
def unattributed(request: HttpRequest) -> HttpResponse:
    """`?by=&period=|from=&until=`; `format=csv`. For readers of the whole organisation."""
    reader = _whole_reader(request)
    by = request.GET.get("by", "ext_api_key")
    try:
        question = _question(request, reader)
        if by not in queues.UNATTRIBUTED_BY:
            raise Unanswerable(f"Nothing is listed by {by[:40]!r}: use {', '.join(queues.UNATTRIBUTED_BY)}.", "by")
    except Unanswerable as fault:
        return refused(request, str(fault))
    since, until = question.days
    answer = queues.unattributed(reader.organisation, since, until, by)
    currency = reader.organisation.display_currency
    alike = twins(answer["groups"])
    rows = [
        {
            "value": group_value(group, by),
            "spent": number(group["value"]),
            "requests": group["requests"],
            "tokens": questions.tokens_of(group),
            "records": records_of(question, {"project": questions.NOBODY, **filters_of(group, by, alike)}),
            "rule": _rule_url("model_raw" if by == "model" and not group["model"] else by, group_value(group, by)),
        }
        for group in answer["groups"]
    ]
    if request.GET.get("format") == "csv":
        head = [spoken(by), f"spent, {currency}", "tokens", "requests"]
        return csv_response(
            f"unattributed-{since}-{until}",
            head,
            ([one["value"], one["spent"], one["tokens"], one["requests"]] for one in rows),
        )
    total = number(answer["total"]["value"])
    when = formatting.period(since, until)
    if not rows:
        finding = f"Every record of {when} has a project."
    elif total is None:
        finding = f"Usage in {when} has no project, and its cost is unknown."
    else:
        finding = f"{formatting.money_in_prose(total, currency)} of {when} has no project."
    context = {
        "finding": finding, "rows": rows[:ROWS], "more": max(0, len(rows) - ROWS), "total": total,
        "known": covered.line(covered.parts(answer["coverage"], whole=False)), "by": by,
        "by_words": spoken(by), "currency": currency, "when": when,
        "choices": [
            {
                "label": DIMENSION_WORDS[name],
                "url": f"?{urlencode({'by': name, **_span(question)})}",
                "is_current": name == by,
            }
            for name in queues.UNATTRIBUTED_BY
        ],
        "periods": _periods(question, by=by), "csv": f"?{urlencode({'by': by, **_span(question), 'format': 'csv'})}",
    }  # fmt: skip
    return render(request, "dashboards/unattributed.html", context)


@require_safe
@member_page
def unpriced(request: HttpRequest) -> HttpResponse:
    """`?period=|from=&until=`; `format=csv`. Of what the reader may see."""
    reader = reader_or_404(request)
    try:
        question = _question(request, reader)
    except Unanswerable as fault:
        return refused(request, str(fault))
    since, until = question.days
    whose = None if reader.project_ids is None else tuple(sorted(reader.project_ids))
    found, currency = queues.unpriced(reader.organisation, since, until, whose), reader.organisation.display_currency
    rows = [
        {
            "name": one.model or one.model_raw or "no model reported",
            "host": one.host,
            "tier": one.service_tier,
            "why": WHY.get(one.reason, one.reason),
            "tokens": one.sums.count("unpriced_tokens"),
            "requests": one.sums.count("unpriced_requests"),
            "reported": number(one.sums.money()["reported"]),
            "url": f"/models/{one.model}" if one.model else reverse("review-names"),
            "action": "its prices" if one.model else "say what it is",
        }
        for one in found
    ]
    if request.GET.get("format") == "csv":
        head = ["name", "host", "service tier", "why", "unpriced tokens", "unpriced requests", f"reported, {currency}"]
        keys = ("name", "host", "tier", "why", "tokens", "requests", "reported")
        return csv_response(f"unpriced-{since}-{until}", head, ([row[key] for key in keys] for row in rows))
    tokens, when = sum(one.sums.count("unpriced_tokens") for one in found), formatting.period(since, until)
    names = len({(one.model, one.model_raw) for one in found})
    have = "name has" if names == 1 else "names have"
    finding = (
        f"{formatting.mtok(tokens)} Mtok of {names} {have} no list price in {when}."
        if rows
        else f"Everything used in {when} has a list price."
    )
    context = {
        "finding": finding, "rows": rows[:ROWS], "more": max(0, len(rows) - ROWS), "currency": currency, "when": when,
        "known": reader.known(Span(since, until)),
        "periods": _periods(question), "csv": f"?{urlencode({**_span(question), 'format': 'csv'})}",
    }  # fmt: skip
    return render(request, "dashboards/unpriced.html", context)


@require_safe
@member_page
def feeds(request: HttpRequest) -> HttpResponse:
    """`?period=|from=&until=`. For readers of the whole organisation."""
    reader = _whole_reader(request)
    try:
        question = _question(request, reader)
    except Unanswerable as fault:
        return refused(request, str(fault))
    since, until = question.days
    told, currency = queues.told(reader.organisation, since, until), reader.organisation.display_currency
    sums = {
        (one.account, day): one
        for one in settling.in_one_sum(reader.organisation.pk, since, until)
        for day in one.days()
    }
    cells: dict[tuple[date, str], list[queues.Told]] = defaultdict(list)
    for one in told:
        cells[one.day, one.account].append(one)
    when = formatting.period(since, until)
    seen = sum((one.spent or Decimal(0) for one in told), Decimal(0))
    counted = sum((one.counted for one in told), Decimal(0))
    finding = (
        f"{formatting.money_in_prose(seen, currency)} came in for {formatting.money_in_prose(counted, currency)} "
        f"spent: {when} holds days that several feeds tell of, and each counts once."
        if told
        else f"No day of {when} is told by more than one feed."
    )
    context = {
        "finding": finding, "currency": currency, "when": when, "periods": _periods(question),
        "cells": [
            _cell(day, account, feeds, sums.get((account, day)), currency)
            for (day, account), feeds in list(cells.items())[:ROWS]
        ],
        "more": max(0, len(cells) - ROWS),
        "connections": Connection.objects.filter(organisation=reader.organisation).order_by("importer", "scope"),
        "may_name": access.may(request.user, "admin", reader.organisation),
    }  # fmt: skip
    return render(request, "dashboards/feeds.html", context)


@require_POST
@role_page("admin")
def name_account(request: HttpRequest, number: int) -> HttpResponse:
    """Says which billing account a connection speaks of; empty is its host's own."""
    organisation = access.current_organisation(request)
    feed = get_object_or_404(Connection, pk=number, organisation=organisation)
    before, after = feed.account, request.POST.get("account", "").replace("\0", "").strip()[:120]
    if after != before:
        assignments.name_account(feed, after)
        audit.record(
            request.user, "named the billing account of a connection", f"{feed.importer} {feed.scope}",
            {"account": before}, {"account": after}, organisation,
        )  # fmt: skip
    return HttpResponseRedirect(f"{reverse('feeds')}#connections")


def _whole_reader(request: HttpRequest) -> Reader:
    reader = reader_or_404(request)
    if not reader.whole:
        raise Http404("Of the whole organisation")
    return reader


def _question(request: HttpRequest, reader: Reader) -> Question:
    pairs = [(name, request.GET[name]) for name in ("period", "from", "until") if request.GET.get(name)]
    return questions.read(pairs or [("period", "30d")], today(), reader.days_of_usage()[1])


def _span(question: Question) -> dict[str, str]:
    since, until = question.days
    return {"period": question.period} if question.period else {"from": f"{since}", "until": f"{until}"}


def _periods(question: Question, **kept: str) -> list[dict[str, Any]]:
    return [
        {"label": words, "url": f"?{urlencode({**kept, 'period': name})}", "is_current": name == question.period}
        for name, words in PERIOD_WORDS.items()
    ]


def _rule_url(field: str, value: str) -> str:
    """The page that writes a rule from a value; '' where no rule can ask for it."""
    if not value or field not in attribution.FIELDS:
        return ""
    try:
        resolve("/rules/new")
    except Resolver404:
        return ""
    return f"/rules/new?{urlencode({'field': field, 'value': value})}"


def _cell(
    day: date, account: str, told: list[queues.Told], whole: settling.OneSum | None, currency: str
) -> dict[str, Any]:
    """A day of an account: its feeds, what each gives, and how far the losers' money is from what counts."""
    counted = sum((one.counted for one in told), Decimal(0))
    return {
        "day": day,
        "account": account or "no host reported",
        "whole": whole and f"as one with {formatting.period(whole.since, whole.until)}, told in one sum",
        "feeds": [
            {
                "told": one,
                "name": one.feed.replace("_", " ").replace("/", ", "),
                "gives": _gives(one),
                "is_loser": not one.money_of,
                "off": None if one.spent is None or one.money_of else one.spent - counted,
                "off_words": formatting.signed_money((one.spent or Decimal(0)) - counted, currency),
            }
            for one in told
        ],
        "counted": counted,
    }


def _gives(one: queues.Told) -> str:
    roles = (("money", one.money_of), ("tokens", one.usage_of), ("attribution", one.detail_of))
    given = [
        words if models == one.models else f"{words} of {models} of {one.models} models"
        for words, models in roles
        if models
    ]
    return ", ".join(given) or "nothing: told better by others"
