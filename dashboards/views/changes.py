"""What changed in prices, first for the models the reader uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboards import formatting
from dashboards.pages import changes as page
from dashboards.pages.changes import Ask, Line, Step, Usage
from dashboards.pages.events import EVENT_COLUMNS, EventRow
from dashboards.price_changes import USED_DAYS, Kind, kinds_of, lines_of, usage_of
from dashboards.views import catalogue_page
from dashboards.views.catalogue import csv_response
from dashboards.views.spend import reader_of
from pricing.models import Provider

PER_PAGE = 30
OWN_SHOWN = 25
OWN_READ = 200
"""Changes of models in use that are read at most; those the reader buys come first."""
ASIDE = 8
"""Lines of a section that stands aside of the list; all of them are one click away."""
FOLDED = 12


@dataclass(frozen=True)
class Section:
    """A table of the page. `kind` says which columns it has."""

    kind: str
    title: str
    sub: str
    lines: Sequence[Line]
    more_url: str = ""
    more: str = ""
    page_obj: Page[Step] | None = None
    empty: str = ""

    @property
    def has_effect(self) -> bool:
        return any(line.bought for line in self.lines)

    @property
    def heads(self) -> list[str]:
        return list(page.COLUMNS.values())

    @property
    def shows_change(self) -> bool:
        return self.kind not in {"new", "retired"}

    @property
    def says_why(self) -> bool:
        return self.kind in {"held", "correction"}

    @property
    def dated(self) -> str:
        """What the day of a line is."""
        return {
            "correction": "Wrong from", "held": "Claimed from", "new": "Holds from", "retired": "Ended",
        }.get(self.kind, "Takes effect" if self.kind == "coming" else "Took effect")  # fmt: skip


@require_safe
@catalogue_page
def changes(request: HttpRequest) -> HttpResponse:
    ask, wrong = page.read(request.GET)
    now = timezone.now()
    reader = reader_of(request) if request.user.is_authenticated else None
    usage = usage_of(reader.spend("offering_id", "service_tier"), now) if reader else None
    kinds = kinds_of(ask, usage, now)
    if request.GET.get("format") == "csv" and not wrong:
        return csv_response(f"price-changes-{now:%Y-%m-%d}", page.CSV_HEAD, _csv_rows(ask, kinds))
    currency = reader.organisation.display_currency if reader else "USD"
    context = _composed(ask, kinds, usage, currency, request.GET.get("page"), now)
    providers = Provider.objects.order_by("name").values_list("slug", "name")
    names = dict(providers)
    context |= {
        "ask": ask,
        "wrong": wrong,
        "options": page.options(ask, names.items(), has_usage=usage is not None),
        "provider_name": names.get(ask.provider, ask.provider) or "any",
        "kind_words": page.KINDS.get(ask.kind, "all"),
        "kept": page.kept(ask, "q"),
        "kept_days": page.kept(ask, "days", "start", "until"),
        "range": [one.date() for one in ask.window(now)],
        "csv_url": ask.url(format="csv"),
        "link": request.build_absolute_uri(ask.url()),
        "all_url": ask.url(provider="", q="", kind="", mine=""),
        "currency": currency,
        "without_usage": reader is not None and usage is None,
        "review_url": _address("review"),
        "sources_url": _address("sources"),
        "by_words": page.BY[ask.by or "effective"],
        "sort_words": "how far it moved" if ask.sort else "date",
        "mine_words": "only those you use" if ask.mine else "all",
        "own_known": usage is not None,
        "net": formatting.signed_money(context["tally"].net, currency),
        "empty_catalogue": not names,
    }
    return render(request, "dashboards/changes.html", context, status=400 if wrong else 200)


def _address(name: str) -> str:
    """The address of a page, '' while there is none of this name."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _composed(
    ask: Ask, kinds: Mapping[str, Kind], usage: Usage | None, currency: str, wanted: str | None, now: datetime
) -> dict[str, Any]:
    """The finding and the sections. Steps first, which are narrow; then the events of the steps that are shown."""
    moves = page.in_order(kinds["moves"].steps(), ask.sort)
    own, market = page.mine_and_others(moves, usage)
    coming = page.ahead(kinds["coming"].steps(), usage)
    if ask.kind in {"cut", "rise"}:
        own, market = ([step for step in some if step.is_rise == (ask.kind == "rise")] for some in (own, market))
    own, market, coming = (page.told_once(some, usage) for some in (own, market, coming))
    shown: dict[str, Sequence[Step]] = {"own": own[:OWN_READ]}
    folded: dict[str, list[Step]] = {}
    every: Sequence[Step] = market
    if ask.kind in {"", "cut", "rise"}:
        paged = Paginator(market, PER_PAGE).get_page(wanted)
        shown["market"] = list(paged.object_list)
    else:
        every = coming if ask.kind == "coming" else page.in_order(kinds[ask.kind].steps(), ask.sort)
        paged = Paginator(every, PER_PAGE).get_page(wanted)
        shown[ask.kind] = list(paged.object_list)
    if not ask.kind:
        shown |= {"coming": coming[:ASIDE], **{kind: kinds[kind].steps(ASIDE) for kind in ("held", "correction")}}
        folded = {kind: kinds[kind].steps(FOLDED) for kind in ("new", "retired")}
    lines = lines_of(kinds, shown, usage, now)
    lines["own"] = page.by_effect(lines["own"])
    counts = {"own": len(own), "coming": len(coming)}
    if not ask.kind:
        counts |= {kind: kinds[kind].offerings() for kind in ("held", "correction", "new", "retired")}
    found = page.tally(moves, lines["own"], currency)
    today = now.date()
    weighed_by = formatting.period(today - timedelta(days=USED_DAYS), today) if usage else ""
    return {
        "finding": page.aside_finding(ask.kind, every, ask.when(now)) if ask.kind in _ASIDES or ask.kind == "coming"
        else page.finding(
            found, ask.when(now), knows_usage=usage is not None, currency=currency,
            coming=coming[0] if coming and not moves else None, narrowed=bool(ask.provider or ask.q or ask.mine),
        ),
        "scope": page.scope(ask, weighed_by),
        "tally": found,
        "next_step": min(coming, key=lambda step: step.at, default=None),
        "counts": counts,
        "sections": list(_sections(ask, lines, paged, counts, usage)),
        "folded": [
            (words, counts[kind], folded[kind], ask.url(kind=kind))
            for kind, words in (("new", "with a new price"), ("retired", "with a retired price"))
            if kind in folded
        ],
    }  # fmt: skip


def _sections(
    ask: Ask, lines: Mapping[str, Sequence[Line]], paged: Page[Step], counts: Mapping[str, int], usage: Usage | None
) -> Iterator[Section]:
    """The tables in the order a reader needs them; asides with nothing to say are left out."""

    def aside(kind: str, title: str, sub: str, noun: str = "offering") -> Section:
        shown = lines.get(kind, ())
        if ask.kind:
            return Section(kind, title, sub, shown, page_obj=paged, empty="None in these days.")
        more_url = ask.url(kind=kind) if counts[kind] > len(shown) else ""
        return Section(kind, title, sub, shown, more_url, page.headline(counts[kind], len(shown), noun))

    if ask.kind == "coming" or lines.get("coming"):
        yield aside("coming", "Takes effect by itself", "On the day stated, with nothing left to decide.", "change")
    if ask.kind in {"", "cut", "rise"}:
        if usage:
            shown = lines["own"] if ask.mine else lines["own"][:OWN_SHOWN]
            yield Section(
                "yours", "The models you use", "Where you buy them first, by what it does to your week.", shown,
                ask.url(mine="yes") if len(shown) < counts["own"] and not ask.mine else "",
                page.headline(counts["own"], len(shown), "change"),
                empty="No price of a model you use changed in these days.",
            )  # fmt: skip
        if not ask.mine:
            title = "The rest of the market" if usage else "Cuts and rises"
            yield Section(
                "market", title, "The latest first, a maker’s own price before its resellers’." if not ask.sort
                else "What moved furthest first.", lines["market"], page_obj=paged,
                empty="No list price changed in these days.",
            )  # fmt: skip
    for kind, (title, sub) in _ASIDES.items():
        if ask.kind == kind or (lines.get(kind)):
            yield aside(kind, title, sub)


_ASIDES = {
    "held": ("Held apart", "Steps of a source that evidence neither confirms nor refuses. The price before stays in "
             "force until somebody decides."),
    "correction": ("Corrections", "The catalogue was wrong and is mended; no vendor changed a price."),
    "new": ("New prices", "Stated for the first time: a new offering, or a new unit or tier of an old one."),
    "retired": ("Retired prices", "What nobody lists any more: an offering, or one of its units or tiers."),
}  # fmt: skip


def _csv_rows(ask: Ask, kinds: Mapping[str, Kind]) -> Iterable[tuple[object, ...]]:
    """Every event asked for, a section after the other, the latest first."""
    wanted = ["moves" if ask.kind in {"cut", "rise"} else ask.kind] if ask.kind else list(kinds)
    for name in wanted:
        events = kinds[name].events
        if ask.kind in {"cut", "rise"}:
            events = events.filter(kind=ask.kind)
        ordered = events.order_by(f"-{kinds[name].time}", "offering_id", "pk").values_list(*EVENT_COLUMNS)
        yield from map(page.csv_row, map(EventRow._make, ordered.iterator()))
