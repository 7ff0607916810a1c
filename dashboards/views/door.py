"""The door: sign in by password or one-time link, choose an organisation, sign out."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dashboards import access, audit, formatting
from dashboards.access import sessions
from dashboards.forms import PasswordForm, SignInForm
from dashboards.models import Person

MAY_SET_PASSWORD = "may_set_password"  # noqa: S105 — a key of the session, set by a used link
WORDS = ("No", "One", "Two", "Three", "Four")


class CardRow(Protocol):
    """A model on the card: USD per Mtok, list, standard tier, today."""

    @property
    def name(self) -> str: ...
    @property
    def input(self) -> Decimal | None: ...
    @property
    def output(self) -> Decimal | None: ...


def card_rows() -> Sequence[CardRow]:
    """The prices on the sign-in page: what `Price.objects.for_door()` chooses, else none."""
    from pricing.models import Price

    for_door = getattr(Price.objects, "for_door", None)
    return list(for_door()) if for_door else []


def next_page(request: HttpRequest) -> str:
    """Where to go after signing in: a page of this very host, else the overview."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure()):
        return wanted
    return "/"


def enter(request: HttpRequest, person: Person, way: str) -> None:
    """Starts the person's session; an administrator joins organisations that nobody looks after."""
    login(request, person, backend="django.contrib.auth.backends.ModelBackend")
    audit.record(person, "signed in", f"by {way}")
    for membership in access.join_orphan_organisations(person):
        joined = membership.organisation
        audit.record(person, "joined an organisation nobody had", joined, None, {"role": membership.role}, joined)


def tries_sentence(tries_left: int) -> str:
    if not tries_left:
        return "That password does not match this e-mail. Wait 15 minutes before the next try."
    noun = "try" if tries_left == 1 else "tries"
    return f"That password does not match this e-mail. {WORDS[tries_left]} {noun} left before a 15-minute pause."


def _typed(email: str) -> str:
    """The address of a failed sign-in as the log keeps it: who types a password there by mistake finds it nowhere."""
    return email.strip().lower() if "@" in email else "something that is no e-mail address"


def door_page(request: HttpRequest, template: str, context: dict[str, object], status: int = 200) -> HttpResponse:
    """A page of the door, beside the card of prices where the catalogue is public."""
    shows_card = settings.PUBLIC_CATALOG
    rows = card_rows() if shows_card else []
    card = {
        "shows_card": shows_card,
        "card_rows": rows,
        "in_decimals": formatting.decimals_of([row.input for row in rows]),
        "out_decimals": formatting.decimals_of([row.output for row in rows]),
    }
    return render(request, template, {**card, **context}, status=status)


@never_cache
@csrf_protect
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect(next_page(request))
    form = SignInForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            came = access.sign_in(request, form.cleaned_data["email"], form.cleaned_data["password"])
            if came.person:
                enter(request, came.person, "password")
                return redirect(next_page(request))
            if came.was_checked:  # what the pause refuses would only fill the log
                audit.record(None, "failed to sign in", _typed(form.cleaned_data["email"]))
            form.add_error("password", tries_sentence(came.tries_left))
            status = 429 if came.is_paused else 422
    response = door_page(request, "door/sign_in.html", {"form": form, "next": next_page(request)}, status)
    if status == 429:
        response["Retry-After"] = str(int(access.PAUSE.total_seconds()))
    return response


@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_by_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Opening the link only asks; the button uses it. A mail scanner follows links but presses nothing."""
    if request.method == "POST":
        person = access.use_sign_in_link(secret)
        if person:
            enter(request, person, "one-time link")
            request.session[MAY_SET_PASSWORD] = True
            return redirect("set-password")
    elif access.sign_in_link_lives(secret):
        return door_page(request, "door/link.html", {"lives": True})
    return door_page(request, "door/link.html", {"lives": False}, status=410)


@never_cache
@csrf_protect
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def set_password(request: HttpRequest) -> HttpResponse:
    """Right after a one-time link, once: the link has shown who they are, so no old password is asked."""
    person = request.user
    if not isinstance(person, Person) or not request.session.get(MAY_SET_PASSWORD):
        return redirect("sign-in")
    form = PasswordForm(person, request.POST or None)
    if request.method == "POST" and ("skip" in request.POST or form.is_valid()):
        del request.session[MAY_SET_PASSWORD]
        if "skip" not in request.POST:
            access.set_password(person, form.cleaned_data["password"])
            sessions.keep_only_this(request, person)
            audit.record(person, "set their password", person.email)
            messages.success(request, f"Password set. From now on you sign in as {person.email}.")
        return redirect("/")
    status = 422 if form.errors else 200
    return door_page(request, "door/set_password.html", {"form": form}, status)


@require_POST
@csrf_protect
def sign_out(request: HttpRequest) -> HttpResponse:
    if isinstance(request.user, Person):
        audit.record(request.user, "signed out", request.user.email)
        sessions.end_this(request)
    logout(request)
    return redirect("sign-in")


@require_POST
@csrf_protect
def choose_organisation(request: HttpRequest) -> HttpResponse:
    access.choose_organisation(request, request.POST.get("organisation", ""))
    return redirect("/")


@require_GET
def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for it by this name whatever the page says."""
    from django.templatetags.static import static

    return redirect(static("favicon.svg"), permanent=False)
