"""What every page shows around its content: the places, the organisation, the time zone, the data's age."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Max
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject

from dashboards import access
from dashboards.models import Person
from pricing.models import SourceRun
from pricing.sources import all_sources

if TYPE_CHECKING:
    from usage.models import Organisation


@dataclass(frozen=True)
class Place:
    """One entry of the main navigation: the name of its URL is also the prefix of the pages below it."""

    label: str
    url_name: str
    is_public: bool = False
    of: str = ""
    """To whom it opens: ORGANISATION, who belongs to one; WHOLE, who sees all of one; else whoever is signed in."""


ORGANISATION, WHOLE = "organisation", "whole"

# In the order of the design; a place appears once its URL exists.
PLACES = (
    Place("Overview", "overview"),
    Place("Spend", "spend"),
    Place("Decisions", "decisions"),
    Place("Price per quality", "quality", is_public=True),
    Place("Price over time", "index", is_public=True),
    Place("Models", "models", is_public=True),
    Place("Compare", "compare", is_public=True),
    Place("Changes", "changes", is_public=True),
    Place("Review", "review"),
)

# Behind the organisation's name, beside signing out.
MENU = (
    Place("Imports", "imports", of=WHOLE),
    Place("Connections", "connections", of=WHOLE),
    Place("Evaluations", "evaluations", of=ORGANISATION),
    Place("Rules", "rules", of=WHOLE),
    Place("Closed months", "periods", of=WHOLE),
    Place("Contracts", "contracts", of=WHOLE),
    Place("Budgets", "budgets", of=ORGANISATION),
    Place("Alerts", "alerts", of=ORGANISATION),
    Place("Sources", "sources", is_public=True),
    Place("Reports", "reports"),
    Place("Settings", "settings"),
)


@dataclass(frozen=True)
class Link:
    label: str
    url: str
    is_current: bool
    count: int = 0
    """How many things wait there."""


def zone_of(request: HttpRequest) -> str:
    """The name of the reader's zone: their own, else the organisation's, else the instance's."""
    user = getattr(request, "user", None)
    if isinstance(user, Person) and user.time_zone:
        return user.time_zone
    organisation = access.current_organisation(request) if isinstance(user, Person) else None
    return getattr(organisation, "time_zone", "") or settings.TIME_ZONE


def _is_under(path: str, url: str) -> bool:
    return path == url or (url != "/" and path.startswith(url.rstrip("/") + "/"))


def links_to(places: Iterable[Place], path: str, *, signed_in: bool) -> list[Link]:
    """The places this reader may open and that exist, the one that holds `path` marked."""
    links = []
    for place in places:
        if not (signed_in or (place.is_public and settings.PUBLIC_CATALOG)):
            continue
        try:
            url = reverse(place.url_name)
        except NoReverseMatch:
            continue
        links.append(Link(place.label, url, _is_under(path, url)))
    return links


def _open_to(places: Iterable[Place], organisation: "Organisation | None") -> list[Place]:
    """The places that open to a reader of this organisation; `access.current_organisation` has asked what they see."""
    of = {""} if organisation is None else {"", ORGANISATION}
    if getattr(organisation, "sees_whole", False):
        of.add(WHOLE)
    return [place for place in places if place.of in of]


def _counted(links: list[Link], organisation: "Organisation | None") -> list[Link]:
    """The places with how many decisions are open; `access.current_organisation` has counted them."""
    found = getattr(organisation, "open_decisions", None) or 0
    return [replace(link, count=found) if link.label == "Decisions" else link for link in links]


def prices_read_at() -> datetime | None:
    """When a source of prices was last read without fault; None before the first time.

    Rates of exchange are no prices, and what ships with this project (it has no feed) is a table of old ones: the day
    on which somebody reviewed it says nothing of how old today's prices are.
    """
    read = [SourceRun.Status.CHANGED, SourceRun.Status.UNCHANGED]
    shipped = [slug for slug, source in all_sources().items() if not source.FEED]
    runs = SourceRun.objects.filter(status__in=read).exclude(source__slug__in=shipped).exclude(counts__claims=0)
    return _as_time(runs.aggregate(at=Max("observed_at"))["at"])


def usage_imported_at(organisation: "Organisation | None") -> datetime | None:
    """When usage last came in for this organisation; None before the first time."""
    if organisation is None:
        return None
    from usage.models import ImportBatch

    batches = ImportBatch.objects.filter(organisation=organisation)
    return _as_time(batches.aggregate(at=Max("finished_at"))["at"])


def _as_time(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None


@dataclass(frozen=True)
class Frame:
    """The page around the content; `organisation` and what hangs on it are None when signed out."""

    person: Person | None
    organisation: "Organisation | None"
    organisations: "list[Organisation]"
    is_sample: bool
    nav: list[Link]
    menu: list[Link]
    zone: str
    prices_read_at: datetime | None
    usage_imported_at: datetime | None

    @property
    def tzinfo(self) -> ZoneInfo:
        return ZoneInfo(self.zone)


def frame(request: HttpRequest) -> Frame:
    user = getattr(request, "user", None)
    person = user if isinstance(user, Person) else None
    organisation = access.current_organisation(request) if person else None
    return Frame(
        person=person,
        organisation=organisation,
        organisations=access.own_organisations(request),
        is_sample=bool(getattr(organisation, "is_sample", False)),
        nav=_counted(links_to(PLACES, request.path, signed_in=person is not None), organisation),
        menu=links_to(_open_to(MENU, organisation), request.path, signed_in=person is not None),
        zone=zone_of(request),
        prices_read_at=prices_read_at(),
        usage_imported_at=usage_imported_at(organisation),
    )


def page(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `page` in every template, worked out only where a template asks for it."""
    return {"page": SimpleLazyObject(lambda: frame(request))}
