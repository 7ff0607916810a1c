"""Weekly reports at `/reports`: one's subscriptions, what was sent, and what a mail would look like."""

from __future__ import annotations

import base64
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboards import access, audit, outbox, tasks
from dashboards.context import zone_of
from dashboards.models import Message, Person, ReportSubscription
from dashboards.pages import periods
from dashboards.pages import reports as page
from dashboards.report_forms import SubscriptionForm
from dashboards.reports import mailing, reading, subscriptions
from dashboards.reports.mailing import Rendered
from dashboards.reports.report import last_whole_week, week_name, week_start
from dashboards.reports.timetable import is_before_weeks_end
from dashboards.views import member_page
from dashboards.views.spend import Reader, csv_response, reader_of, reader_or_404, refused

SHOWN = 50
WEEKS_BACK = 8
# A mail carries its styles in its elements, which the policy of our pages refuses, and rightly. So it is a document of
# its own at an address of its own, shown in a frame: nothing in it runs, nothing is fetched, it has no origin, and it
# can only be framed by us. What it links to opens in a window of its own, under the policy of that page.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page
def reports(request: HttpRequest) -> HttpResponse:
    """One's subscriptions and messages; POST makes a subscription. `?change=N` fills the form with one."""
    reader = reader_of(request)
    if reader is None:
        if request.method == "POST" or request.GET:
            raise Http404("No organisation")
        return render(request, "dashboards/overview_nothing.html", {"organisation": None})
    if request.method == "POST":
        return _save(request, reader, subscriptions.begin(_person(request), reader.organisation))
    if request.GET.get("format") == "csv":
        return _csv(request, reader)
    of = _named(request, reader, "change")
    return _page(request, reader, SubscriptionForm(reader, zone_of(request), of=of), of)


@require_POST
@member_page
def change(request: HttpRequest, number: int) -> HttpResponse:
    reader = reader_or_404(request)
    return _save(request, reader, _own(request, reader, number))


@require_POST
@member_page
def act(request: HttpRequest, number: int, what: str) -> HttpResponse:
    """`pause`, `resume`, `remove` or `test`."""
    reader = reader_or_404(request)
    subscription = _own(request, reader, number)
    about, now, before = subscriptions.about_words(subscription), timezone.now(), None
    if what == "test":
        return _test(request, subscription)
    if what == "pause" and subscriptions.pause(subscription, now):
        said, done = f"The report of {about} is paused.", "paused a report"
    elif what == "resume" and subscriptions.resume(subscription, now):
        said, done = f"The report of {about} goes on.", "resumed a report"
    elif what == "remove":
        before = _told(subscription)
        subscriptions.remove(subscription)
        said, done = f"The report of {about} is removed.", "removed a report"
    else:
        return redirect("reports")
    audit.record(request.user, done, about, before, None, reader.organisation)
    messages.success(request, said)
    return redirect("reports")


@require_POST
@member_page
def again(request: HttpRequest, number: int) -> HttpResponse:
    """Sends a message again that may not have arrived: a person's decision."""
    message, reader = _readable(request, number)
    if outbox.send_again(message):
        about = f"{message.subject} to {message.address}"
        audit.record(request.user, "sent a mail again", about, None, None, reader.organisation)
        tasks.deliver.delay(message.pk)
        messages.success(request, f"“{message.subject}” is sent again to {message.address}.")
    return redirect("reports")


# The mail in the browser


@require_safe
@member_page
def preview(request: HttpRequest) -> HttpResponse:
    """`?subscription=N` or all the reader may see, `?week=2026-W46` or the last one: at both widths, and as text."""
    try:
        made, of, week = _asked(request)
    except ValueError as fault:
        return refused(request, str(fault))
    today = timezone.now().date()
    weeks = [last_whole_week(today) - timedelta(days=7 * n) for n in range(WEEKS_BACK)]
    query = f"&subscription={of.pk}" if of else ""
    return render(
        request,
        "dashboards/report_preview.html",
        {
            "made": made,
            "subscription": of,
            "frame": f"/reports/preview/mail?week={week_name(week)}{query}",
            "picks": [
                {
                    "label": "Week",
                    "value": week_name(week),
                    "options": [
                        {
                            "label": f"{week_name(one)}, {periods.week_of(one).words}",
                            "url": f"?week={week_name(one)}{query}",
                            "is_current": one == week,
                        }
                        for one in weeks
                    ],
                }
            ],
        },
    )


@require_safe
@never_cache  # a 304 would carry the policy of our pages, and a second frame of the same mail would stay empty
@xframe_options_sameorigin
@member_page
def preview_mail(request: HttpRequest) -> HttpResponse:
    """The HTML part by itself, for the frames of the preview."""
    try:
        made, *_ = _asked(request)
    except ValueError as fault:
        return refused(request, str(fault))
    return _mail(made.html("data:{}"), made.pictures())


@require_safe
@member_page
def sent(request: HttpRequest, number: int) -> HttpResponse:
    """A message as it went."""
    message, reader = _readable(request, number)
    shown = {
        "message": page.sent(message, reader.project_ids),
        "text": message.text,
        "frame": f"/reports/sent/{number}/mail",
    }
    return render(request, "dashboards/report_sent.html", shown | {"has_html": bool(message.html)})


@require_safe
@never_cache  # a 304 would carry the policy of our pages, and a second frame of the same mail would stay empty
@xframe_options_sameorigin
@member_page
def sent_mail(request: HttpRequest, number: int) -> HttpResponse:
    message, _ = _readable(request, number)
    pictures = {name: base64.b64decode(encoded) for name, encoded in message.pictures.items()}
    return _mail(message.html.replace('src="cid:', 'src="data:'), pictures)


def _mail(html: str, pictures: dict[str, bytes]) -> HttpResponse:
    """A mail as a document; `data:NAME` stands for its pictures, and its links open beside it."""
    for name, png in pictures.items():
        encoded = base64.b64encode(png).decode("ascii")
        html = html.replace(f'src="data:{name}"', f'src="data:image/png;base64,{encoded}"')
    response = HttpResponse(html.replace("<head>", '<head><base target="_blank">', 1))
    response["Content-Security-Policy"] = MAIL_POLICY
    return response


# The link of a mail


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """RFC 8058: a POST to the signed link stops the subscription, without a sign-in and without a form of ours.

    A GET only shows a button, as readers' scanners follow every link of a mail.
    """
    found = subscriptions.of_token(token)
    if found is None:
        raise Http404("No such link")
    about = subscriptions.about_words(found)
    if request.method == "POST" and subscriptions.pause(found, timezone.now(), by_link=True):
        note = {"by": "the link of a mail"}
        audit.record(found.person, "unsubscribed from a report", about, None, note, found.organisation)
    found.refresh_from_db()
    return render(
        request,
        "door/unsubscribe.html",
        {"subscription": found, "about": about, "when": subscriptions.when_words(found), "is_over": found.paused_at},
    )


# Helpers of these pages


def _person(request: HttpRequest) -> Person:
    assert isinstance(request.user, Person)  # noqa: S101 - member_page let them in
    return request.user


def _own(request: HttpRequest, reader: Reader, number: int) -> ReportSubscription:
    return get_object_or_404(ReportSubscription.objects.of(_person(request), reader.organisation.pk), pk=number)


def _named(request: HttpRequest, reader: Reader, name: str) -> ReportSubscription | None:
    """The subscription whose number an address says; None where it says no number."""
    said = request.GET.get(name, "")
    return _own(request, reader, int(said)) if said.isascii() and said.isdigit() and len(said) < 19 else None


def _messages(request: HttpRequest, reader: Reader) -> Any:
    """One's own messages; an admin of the organisation also sees which of others' did not arrive for certain."""
    found = Message.objects.filter(organisation=reader.organisation)
    mine = Q(person=_person(request))
    if access.may(request.user, "admin", reader.organisation):
        mine |= Q(status__in=(*Message.SENT_AGAIN_BY_HAND, Message.Status.WITHDRAWN))
    return found.filter(mine)


def _readable(request: HttpRequest, number: int) -> tuple[Message, Reader]:
    """A message of theirs that shows nothing they may not see now, else 404."""
    reader = reader_or_404(request)
    message: Message = get_object_or_404(_messages(request, reader), pk=number)
    if not message.shows_only(reader.project_ids):
        raise Http404("No such mail")
    return message, reader


def _save(request: HttpRequest, reader: Reader, subscription: ReportSubscription) -> HttpResponse:
    is_new = subscription.pk is None
    of = None if is_new else subscription
    form = SubscriptionForm(reader, zone_of(request), request.POST, of=of)
    if not form.is_valid():
        return _page(request, reader, form, of, status=422)
    told = {name: form.cleaned_data[name] for name in ("projects", "cost_centre", "weekday", "hour", "time_zone")}
    before = None if is_new else _told(subscription)
    try:
        subscriptions.save(subscription, **told, now=timezone.now())
    except subscriptions.Refused as fault:
        form.add_error("about", str(fault))
        return _page(request, reader, form, of, status=422)
    about = subscriptions.about_words(subscription)
    after = _told(subscription)
    done = "subscribed to a report" if is_new else "changed a report"
    audit.record(request.user, done, about, before, after, reader.organisation)
    messages.success(request, f"The report of {about} comes {subscriptions.when_words(subscription)}.")
    return redirect("reports")


def _told(subscription: ReportSubscription) -> dict[str, Any]:
    """What of a subscription the audit log keeps."""
    return {name: getattr(subscription, name) for name in subscriptions.FIELDS}


def _test(request: HttpRequest, subscription: ReportSubscription) -> HttpResponse:
    if not settings.SENDS_MAIL:
        messages.error(request, "No mail server is set: set RATECARD_EMAIL_URL and start Ratecard anew.")
        return redirect("reports")
    message = mailing.send_test(subscription, timezone.now())
    if message is None:
        messages.error(request, "You may see none of its projects any more: change what it is about.")
    else:
        tasks.deliver.delay(message.pk)
        messages.success(request, f"“{message.subject}” is on its way to {message.address}.")
    return redirect("reports")


def _page(
    request: HttpRequest,
    reader: Reader,
    form: SubscriptionForm,
    of: ReportSubscription | None = None,
    status: int = 200,
) -> HttpResponse:
    zone = ZoneInfo(zone_of(request))
    rows = [_row(one) for one in ReportSubscription.objects.of(_person(request), reader.organisation.pk)]
    found = [page.sent(one, reader.project_ids) for one in _messages(request, reader).latest_first()[:SHOWN]]
    unsettled = [one for one in found if one.may_be_sent_again]
    shown = of or subscriptions.begin(_person(request), reader.organisation)
    late = bool(of) and is_before_weeks_end(shown.weekday, shown.hour, shown.time_zone, timezone.now())
    context = {
        "organisation": reader.organisation, "rows": rows, "form": form, "of": of, "sent": found,
        "unsettled": unsettled, "sends_mail": settings.SENDS_MAIL, "late": late, "me": _person(request).email,
        "finding": page.finding(rows, len(unsettled), zone, sends_mail=settings.SENDS_MAIL),
        "chosen": form.chosen,
    }  # fmt: skip
    return render(request, "dashboards/reports.html", context, status=status)


def _row(subscription: ReportSubscription) -> page.Row:
    return page.Row(
        subscription.pk, subscriptions.about_words(subscription), subscriptions.when_words(subscription),
        subscription.next_at, subscription.paused_at is not None, subscription.is_unsubscribed,
    )  # fmt: skip


def _csv(request: HttpRequest, reader: Reader) -> HttpResponse:
    found = [page.sent(one, reader.project_ids) for one in _messages(request, reader).latest_first()]
    head = ["when, UTC", "kind", "to", "subject", "state", "tries", "what the mail server said"]
    rows = ([one.at, one.kind, one.address, one.subject, one.state, one.tries, one.said] for one in found)
    return csv_response("mail", head, rows)


def _asked(request: HttpRequest) -> tuple[Rendered, ReportSubscription | None, date]:
    """The report that a preview's address asks for; ValueError with a sentence for what is no week."""
    reader, today = reader_or_404(request), timezone.now().date()
    of = _named(request, reader, "subscription")
    shown = of or subscriptions.begin(_person(request), reader.organisation)
    shown.time_zone = shown.time_zone or zone_of(request)
    asked = request.GET.get("week", "")
    week = week_start(asked) if asked else last_whole_week(today)
    if week > last_whole_week(today):
        raise ValueError(f"{week_name(week)} is not over: name an earlier week.")
    try:
        return mailing.rendered(shown, week, today), of, week
    except reading.NothingToSee:
        raise Http404("No such report") from None
