"""What one hears of and how, at `/settings/alerts`; thresholds and the webhook for the organisation's admins."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings as instance
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from dashboards import access, alerts, webhooks
from dashboards.models import Alert, AlertKind, AlertMute, AlertThreshold, Person, Webhook
from dashboards.pages import alert_list as pages
from dashboards.views import member_page
from dashboards.views.people import administered, person_in, settings_page
from pricing.models import LanguageModel
from usage.models import Organisation

WORDS = {kind: words for kind, words in AlertKind.choices if kind in alerts.KINDS}
LOG = 20


@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def alert_settings(request: HttpRequest) -> HttpResponse:
    """One's own choice, by POST; and what of the organisation one may change."""
    person, organisation = person_in(request), _organisation(request)
    if request.method != "POST":
        return _page(request)
    sent = request.POST
    alerts.choose(
        person, organisation,
        by_mail=bool(sent.get("by_mail")), kinds=sent.getlist("kinds"), at_once=sent.getlist("at_once"),
        projects=[int(number) for number in sent.getlist("projects") if number.isdecimal() and len(number) < 19],
    )  # fmt: skip
    messages.success(request, "Saved.")
    return redirect("settings-alerts")


@require_POST
@member_page
def mute(request: HttpRequest) -> HttpResponse:
    """Silence a kind, a model or a project for some days."""
    person, organisation, sent = person_in(request), _organisation(request), request.POST
    days = sent.get("days", "")
    try:
        made = alerts.mute(
            person, organisation, timezone.now(), what=sent.get("what", "")[:320],
            days=int(days) if days.isascii() and days.isdecimal() and len(days) < 6 else 0,
            reason=sent.get("reason", "").replace("\0", ""), everybody=bool(sent.get("everybody")),
        )  # fmt: skip
    except alerts.Refused as fault:
        return _page(request, str(fault))
    messages.success(request, f"Muted until {made.until:%-d %b %Y}.")
    return redirect("settings-alerts")


@require_POST
@member_page
def unmute(request: HttpRequest, number: int) -> HttpResponse:
    """End a mute: one's own, or everybody's for an admin."""
    person, organisation = person_in(request), _organisation(request)
    found = get_object_or_404(AlertMute, organisation=organisation, pk=number)
    if found.person_id != person.pk and not (found.person_id is None and access.may(person, "admin", organisation)):
        raise Http404("No such mute")
    alerts.unmute(person, found, timezone.now())
    messages.success(request, "It is heard again.")
    return redirect("settings-alerts")


@require_POST
@member_page
def thresholds(request: HttpRequest) -> HttpResponse:
    """From which share on usage without a price or a project is told."""
    organisation = administered(request)
    try:
        unpriced, unattributed = (_percent(request.POST.get(name, "")) for name in ("unpriced", "unattributed"))
        alerts.set_thresholds(person_in(request), organisation, unpriced, unattributed)
    except alerts.Refused as fault:
        return _page(request, str(fault))
    messages.success(request, "Saved.")
    return redirect("settings-alerts")


@require_POST
@member_page
def webhook(request: HttpRequest) -> HttpResponse:
    """Set it, make a new secret, test it, pause it, take it away."""
    organisation, person = administered(request), person_in(request)
    found, do = Webhook.objects.filter(organisation=organisation).first(), request.POST.get("do", "save")
    if do == "save":
        wanted = set(request.POST.getlist("hook_kinds"))
        try:
            _, secret = webhooks.connect(
                person, organisation, request.POST.get("url", "").replace("\0", ""),
                [kind for kind in alerts.KINDS if kind not in wanted],
            )  # fmt: skip
        except webhooks.Refused as fault:
            return _page(request, str(fault))
        return _page(request, secret=secret) if secret else _saved(request, "Saved.")
    if found is None:
        return _page(request, "Set the webhook’s address first.")
    return _did(request, person, found, do)


def _did(request: HttpRequest, person: Person, found: Webhook, do: str) -> HttpResponse:
    now = timezone.now()
    if do == "rotate":
        return _page(request, secret=webhooks.rotate(person, found, now))
    if do == "test":
        delivery = webhooks.send_test(found, now)
        if webhooks.deliver(delivery.pk) == "delivered":
            return _saved(request, "The test arrived.")
        delivery.refresh_from_db()
        return _page(request, delivery.answer or "The webhook is paused: let it go on, and test again.")
    if do == "remove":
        webhooks.disconnect(person, found)
        return _saved(request, "The webhook is removed.")
    webhooks.switch(person, found, enabled=do == "resume")
    return _saved(request, "It goes on." if do == "resume" else "It is paused: what comes now waits.")


def _saved(request: HttpRequest, said: str) -> HttpResponse:
    messages.success(request, said)
    return redirect("settings-alerts")


def _percent(said: str) -> Decimal:
    try:
        return Decimal(said.strip().replace(",", ".")[:12]).quantize(Decimal("0.01"))
    except InvalidOperation:
        raise alerts.Refused("A threshold is a number of per cent, such as 2.") from None


def _organisation(request: HttpRequest) -> Organisation:
    organisation = access.current_organisation(request)
    if organisation is None:
        raise Http404("No organisation")
    return organisation


def _page(request: HttpRequest, wrong: str = "", secret: str = "") -> HttpResponse:
    person, organisation, now = person_in(request), _organisation(request), timezone.now()
    choice, admin = alerts.choice_of(person, organisation), access.may(person, "admin", organisation)
    projects = list(access.projects_seen(person, organisation).filter(archived_at=None).order_by("name"))
    on = [kind for kind in alerts.KINDS if kind not in choice.kinds_off]
    hook = Webhook.objects.filter(organisation=organisation).first() if admin else None
    context: dict[str, Any] = {
        "wrong": wrong, "secret": secret, "sends_mail": instance.SENDS_MAIL, "choice": choice, "admin": admin,
        "finding": pages.settings_finding(choice.by_mail, instance.SENDS_MAIL, len(on), hook is not None),
        "kinds": [pages.Choice(kind, words, kind in on, kind in choice.at_once) for kind, words in WORDS.items()],
        "projects": [(one, one.pk in choice.projects) for one in projects],
        "mutes": [(one, _name(one), one.person_id == person.pk or admin) for one in
                  alerts.mutes_of(person, organisation, now)],
        "mutable": pages.mutable(WORDS, _models(organisation), [(one.pk, one.name) for one in projects]),
        "thresholds": AlertThreshold.objects.filter(organisation=organisation).first() or AlertThreshold(),
        "hook": hook,
        "hook_kinds": [(kind, words, hook is None or kind not in hook.kinds_off) for kind, words in WORDS.items()],
        "deliveries": hook.deliveries.order_by("-made_at", "-pk").select_related("alert")[:LOG] if hook else (),
    }  # fmt: skip
    return settings_page(request, "settings/alerts.html", context, 422 if wrong else 200)


def _models(organisation: Organisation) -> list[tuple[str, str]]:
    """The models that any alert of the last months spoke of."""
    told = Alert.objects.filter(organisation=organisation).exclude(model="").values("model")
    return list(LanguageModel.objects.filter(slug__in=told).order_by("name").values_list("slug", "name")[:100])


def _name(found: AlertMute) -> str:
    if found.kind:
        return WORDS.get(found.kind, found.kind)
    return found.project.name if found.project is not None else found.model
