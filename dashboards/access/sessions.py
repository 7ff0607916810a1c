"""Where a person is signed in: each browser named, seen, and ended by itself or with all others."""

import re
import time
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import SESSION_KEY, update_session_auth_hash
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from dashboards.api import limits
from dashboards.models import BrowserSession, Person

SEEN: Final = "seen_at"
SEEN_PRECISION: Final = 300
"""A session is noted as seen once in so many seconds."""
_BROWSERS = (
    ("Edge", r"\bEdgA?/"), ("Opera", r"\bOPR/"), ("Firefox", r"\b(Firefox|FxiOS)/"), ("Chrome", r"\b(Chrome|CriOS)/"),
    ("Safari", r"\bSafari/"), ("curl", r"^curl/"),
)  # fmt: skip
_SYSTEMS = (
    ("iPhone", r"iPhone"), ("iPad", r"iPad"), ("Android", r"Android"), ("Windows", r"Windows"),
    ("Mac", r"Mac OS X|Macintosh"), ("ChromeOS", r"CrOS"), ("Linux", r"Linux|X11"),
)  # fmt: skip


def device_words(agent: str) -> str:
    """A User-Agent as a person would say it: “Firefox on Linux”."""
    browser = next((name for name, sign in _BROWSERS if re.search(sign, agent)), "")
    system = next((name for name, sign in _SYSTEMS if re.search(sign, agent)), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or "unknown device"


def begin(request: HttpRequest, person: Person) -> None:
    """Notes the session that has just been started for a person."""
    request.session[SEEN] = int(time.time())
    _note(request, person.pk)


def seen(request: HttpRequest) -> None:
    """Notes that a session is in use, every few minutes. Looks at no session that the page did not look at."""
    session: Any = getattr(request, "session", None)
    if session is None or not session.accessed or SESSION_KEY not in session:
        return
    if time.time() - session.get(SEEN, 0) >= SEEN_PRECISION:
        session[SEEN] = int(time.time())
        _note(request, int(session[SESSION_KEY]))


def _note(request: HttpRequest, person_id: int) -> None:
    BrowserSession.objects.update_or_create(
        session_key=request.session.session_key,
        defaults={
            "person_id": person_id,
            "device": device_words(request.META.get("HTTP_USER_AGENT", "")),
            "address": limits.address(request.META)[:64],
            "last_seen_at": timezone.now(),
        },
    )


def living(person: Person) -> "QuerySet[BrowserSession]":
    """A person's sessions that are still open, the one seen last first. Forgets those that are over."""
    over = timezone.now() - timedelta(seconds=settings.SESSION_COOKIE_AGE)
    BrowserSession.objects.filter(person=person, last_seen_at__lt=over).delete()
    open_ones = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    return BrowserSession.objects.filter(person=person, session_key__in=open_ones).order_by("-last_seen_at", "-pk")


def end(person: Person, number: int) -> BrowserSession | None:
    """Ends one session of a person; None where it is not theirs or over."""
    found = BrowserSession.objects.filter(person=person, pk=number).first()
    if found is not None:
        _end(BrowserSession.objects.filter(pk=found.pk))
    return found


def end_others(request: HttpRequest, person: Person) -> int:
    """Ends every session of a person but the one asking; how many."""
    return _end(BrowserSession.objects.filter(person=person).exclude(session_key=request.session.session_key))


def end_all(person: Person) -> int:
    return _end(BrowserSession.objects.filter(person=person))


def end_this(request: HttpRequest) -> None:
    """Forgets the session that is about to be signed out."""
    BrowserSession.objects.filter(session_key=request.session.session_key or "").delete()


def keep_only_this(request: HttpRequest, person: Person) -> None:
    """After a change of password: this session goes on, under a new key, and every other one ends."""
    before = request.session.session_key
    update_session_auth_hash(request, person)
    BrowserSession.objects.filter(session_key=before).update(session_key=request.session.session_key)
    end_others(request, person)


def _end(some: "QuerySet[BrowserSession]") -> int:
    keys = list(some.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    some.delete()
    return len(keys)
