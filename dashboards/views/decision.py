"""One decision with all it rests on, its charts as JSON, its tables as CSV, and what people decide of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from dashboards import access, formatting, proposals
from dashboards.charts import decisions as charts
from dashboards.models import KeptAdvice, Person, Proposal
from dashboards.pages.decisions import ask as asks
from dashboards.pages.decisions import page as pages
from dashboards.pages.decisions import words
from dashboards.pages.decisions.rows import row_of
from dashboards.pages.ledger import records_url
from dashboards.pages.periods import Span
from dashboards.views import member_page
from dashboards.views.catalogue import figure_response
from dashboards.views.spend import csv_response, reader_or_404, today
from pricing.models import LanguageModel
from usage import realised
from usage.advice import Advice, Recommendation
from usage.counterfactual import Realised

SAVING_NOTE = "Band: the range of tokenizer and length. Announced prices only; nobody forecasts further cuts here."
TABLES = ("evidence", "saving", "prices", "realised")


@dataclass(frozen=True)
class Shown:
    """One decision that the reader may see, with the one-off cost asked for."""

    one: Proposal
    move: Recommendation
    once: asks.Once
    wrong: list[str]


def shown(request: HttpRequest, number: int) -> Shown:
    """404 for a decision of a project that the reader does not see."""
    reader = reader_or_404(request)
    one = Proposal.objects.seen(reader.organisation.pk, reader.project_ids).filter(pk=number).first()
    if one is None:
        raise Http404("No such decision")
    move = one.move
    once, wrong = asks.read(request.GET.dict(), move)
    return Shown(one, move, once, wrong)


@require_safe
@member_page
def decision(request: HttpRequest, number: int) -> HttpResponse:
    """The page, or one of its tables as CSV (`?format=csv&of=prices`)."""
    of = shown(request, number)
    if request.GET.get("format") == "csv":
        return _table(of, request.GET.get("of", "prices"))
    return _page(request, of)


def _page(
    request: HttpRequest, of: Shown, wrong: str = "", asked: dict[str, str] | None = None, status: int = 200
) -> HttpResponse:
    one, move = of.one, of.move
    link, newest = asks.url(one.pk, of.once), _newest(one)
    rows, steps, found = pages.evidence(move), pages.ahead(one, move), _realised(one, move)
    lines, total = pages.both_prices(move)
    base = reverse("decision", args=[one.pk])
    context = {
        "one": one, "move": move, "once": of.once, "wrong": wrong, "unmeant": of.wrong, "link": link,
        "sent": asked or {}, "row": row_of(one, today()), "project": one.project,
        "finding": words.finding(one, move, today()), "kind": words.KINDS[move.kind],
        "scope": pages.scope(one, move, newest, today()), "tiles": pages.tiles(one, move, of.once, "#once"),
        "evidence": rows, "evidence_title": pages.evidence_claim(move), "is_drawn": any(row.is_drawn for row in rows),
        "evidence_figure": reverse("decision-evidence", args=[one.pk]), "lines": lines, "total": total,
        "steps": steps, "saving_title": pages.ahead_claim(steps),
        "saving_figure": reverse("decision-saving", args=[one.pk]),
        "csv": {name: f"{base}?format=csv&of={name}" for name in TABLES}, "snippet": _snippet(of),
        "saving_subtitle": f"{one.currency} a month at today’s volume", "saving_note": SAVING_NOTE,
        "records_url": records_url(Span(one.since, one.until), project=one.project.slug),
        "current_url": f"/models/{move.current.model}", "candidate_url": f"/models/{move.candidate.model}",
        "kept": pages.kept(one, found), "followed": found, "alternatives": _alternatives(one, move, newest),
        "may_decide": access.may(request.user, "member", one.project.organisation, one.project),
        "is_in_place": realised.is_in_place(move), "days": (one.until - one.since).days,
        "window": formatting.period(one.since, one.until), "today": today(),
        "names": (words.name(move.current, move.candidate), words.name(move.candidate, move.current)),
    }  # fmt: skip
    return render(request, "dashboards/decision.html", context, status=status)


def _realised(one: Proposal, move: Recommendation) -> Realised | None:
    """What was saved day by day; None before the traffic moved."""
    if one.moved_on is None:
        return None
    followed = realised.follow(one.project, move, (one.since, one.until), today())
    return followed.realised(one.moved_on, today())


def _newest(one: Proposal) -> Advice | None:
    """The newest advice of its project; None once the move is made, as then it is of what came after."""
    kept = KeptAdvice.objects.filter(project=one.project).first() if one.moved_on is None else None
    return kept.value if kept else None


def _alternatives(one: Proposal, move: Recommendation, newest: Advice | None) -> list[tuple[str, str, str]]:
    """Other moves from the same side in the newest advice, while nobody has decided: title, saving, why."""
    if newest is None or not one.is_undecided:
        return []
    others = [
        other for other in newest.recommendations if other.current.key == move.current.key and other.key != move.key
    ]
    return [
        (words.title(other), words.saving(other.saving, one.currency, "month"), words.first_sentence(other.why))
        for other in others[:4]
    ]


def _snippet(of: Shown) -> str:
    model = LanguageModel.objects.filter(slug=of.move.candidate.model).first()
    named = pages.litellm_name(of.move.candidate, model.maker if model else "")
    return pages.snippet(of.one.project.slug, named, of.move.candidate.effort) if named else ""


def _table(of: Shown, name: str) -> HttpResponse:
    one, file = of.one, f"decision-{of.one.pk}-{name}"
    if name == "evidence":
        return csv_response(file, pages.EVIDENCE_HEAD, map(pages.evidence_cells, pages.evidence(of.move)))
    if name == "saving":
        steps = pages.ahead(one, of.move)
        return csv_response(
            file, pages.AHEAD_HEAD, ((step.on, step.saving.low, step.saving.high, one.currency) for step in steps)
        )
    if name == "realised":
        found = _realised(one, of.move)
        days = found.days if found else ()
        return csv_response(
            file, pages.REALISED_HEAD, ((day.on, day.saving.low, day.saving.high, one.currency) for day in days)
        )
    if name == "prices":
        return csv_response(file, pages.PRICES_HEAD, (pages.price_cells(line, one.currency) for line in of.move.lines))
    raise Http404("No such table")


@require_safe
@member_page
def evidence_figure(request: HttpRequest, number: int) -> HttpResponse:
    of = shown(request, number)
    name = words.name(of.move.candidate, of.move.current)
    return figure_response(charts.evidence(pages.evidence(of.move), name))


@require_safe
@member_page
def saving_figure(request: HttpRequest, number: int) -> HttpResponse:
    of = shown(request, number)
    return figure_response(charts.saving(pages.ahead(of.one, of.move), of.move.paying, of.one.currency))


# What people decide


@require_POST
@member_page
def decide(request: HttpRequest, number: int) -> HttpResponse:
    """Accept, reject, done, assign, or take back what was decided. For members of the project."""
    of = shown(request, number)
    access.require(request.user, "member", of.one.project.organisation, of.one.project)
    do = DO.get(request.POST.get("do", ""))
    sent = {name: request.POST.get(name, "").replace("\0", "")[:2000] for name in ("owner", "due", "reason")}
    if do is None or not isinstance(request.user, Person):
        return _page(request, of, "Choose what to do: accept, reject, done, assign or take back.", sent, 422)
    try:
        said = do(of, request.user, sent)
    except proposals.Refused as fault:
        return _page(request, of, str(fault), sent, 422)
    messages.success(request, said)
    return redirect("decision", number)


def _accept(of: Shown, person: Person, sent: dict[str, str]) -> str:
    one = proposals.accept(of.one, person, sent["owner"], _due(sent))
    return f"Accepted. {one.owner} answers for it{f', by {one.due:%-d %b %Y}' if one.due else ''}."


def _reject(of: Shown, person: Person, sent: dict[str, str]) -> str:
    proposals.reject(of.one, person, sent["reason"])
    return "Rejected. It comes back only once it saves half as much again, or its quality is judged anew."


def _done(of: Shown, person: Person, sent: dict[str, str]) -> str:
    proposals.done(of.one, person, today() if realised.is_in_place(of.move) else None)
    return "Done. What it really saves stands here once the traffic shows it."


def _assign(of: Shown, person: Person, sent: dict[str, str]) -> str:
    one = proposals.assign(of.one, person, sent["owner"], _due(sent))
    return f"{one.owner} answers for it{f', by {one.due:%-d %b %Y}' if one.due else ''}."


def _reopen(of: Shown, person: Person, sent: dict[str, str]) -> str:
    proposals.reopen(of.one, person)
    return "Taken back: it is open again."


DO: dict[str, Callable[[Shown, Person, dict[str, str]], str]] = {
    "accept": _accept, "reject": _reject, "done": _done, "assign": _assign, "reopen": _reopen,
}  # fmt: skip


def _due(sent: dict[str, str]) -> date | None:
    said = sent["due"].strip()
    if not said:
        return None
    try:
        found = date.fromisoformat(said)
    except ValueError:
        raise proposals.Refused(f"Write the day as 2026-12-01, not “{said[:40]}”.") from None
    if found < today():
        raise proposals.Refused("Choose a day from today on: the move is still to be made.")
    return found
