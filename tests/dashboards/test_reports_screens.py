"""Weekly reports in a browser: pictures, axe, console and policy, nothing sticking out."""

import pytest
from django.utils import timezone

from dashboards import access, outbox
from dashboards.models import Message, Person
from dashboards.reports import mailing, subscriptions
from dashboards.reports.report import last_whole_week
from tests.dashboards.browser import Look, look, sideways  # noqa: F401
from tests.dashboards.decision_cast import proposed
from usage import organisations


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_pages_of_reports_are_sound(look: Look, settings) -> None:  # noqa: F811
    larkfield = organisations.create_organisation("Larkfield Insurance")
    claims = organisations.create_project(larkfield, "Claims triage", "claims")
    ada = Person.objects.create_user("ada@larkfield.example", name="Ada Lark")
    access.grant(ada, "admin", larkfield)
    look.signed_in_as(ada)
    settings.SENDS_MAIL, now = True, timezone.now()
    one = subscriptions.save(
        subscriptions.begin(ada, larkfield), weekday=0, hour=8, time_zone="Pacific/Auckland", now=now
    )
    two = subscriptions.save(
        subscriptions.begin(ada, larkfield), projects=[claims], weekday=4, hour=6, time_zone="UTC", now=now
    )
    subscriptions.pause(two, now, by_link=True)
    mailing.send_test(one, now)
    outbox.put(ada, larkfield, "alert", "a budget", "Claims triage has spent 80% of its budget", "text", now=now)
    waits, broken = Message.objects.order_by("pk")
    said = "no answer to the text: TimeoutError: timed out"
    Message.objects.filter(pk=broken.pk).update(status="uncertain", data_began_at=now, said=said)
    look.at(f"/reports?change={one.pk}", "reports")
    look.at(f"/reports/sent/{waits.pk}", "report-sent")
    look.cookies = []
    look.at(mailing.unsubscribe_path(one), "unsubscribe")
    subscriptions.pause(one, now, by_link=True)
    look.at(mailing.unsubscribe_path(one), "unsubscribed")


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_name_of_one_long_word_breaks_in_pages_and_mails(look: Look) -> None:  # noqa: F811
    larkfield = organisations.create_organisation("Larkfield Insurance")
    claims = organisations.create_project(larkfield, "C" * 200, "claims", owner=f"{'a' * 60}@{'b' * 60}.example")
    ada = Person.objects.create_user("ada@larkfield.example", name="Ada Lark")
    access.grant(ada, "admin", larkfield)
    [one] = proposed(claims)
    look.signed_in_as(ada)
    for path in ("/decisions", f"/decisions/{one.pk}", "/reports"):
        page, _ = look.page(390)
        page.goto(look.origin + path)
        assert not sideways(page), path
        page.context.close()
    today = timezone.now().date()
    mine = subscriptions.save(
        subscriptions.begin(ada, larkfield), projects=[claims], weekday=0, hour=8, time_zone="UTC", now=timezone.now()
    )
    mail = mailing.rendered(mine, last_whole_week(today), today).html()
    for width in (600, 320):
        page, _ = look.page(width)
        page.set_content(mail)
        assert not sideways(page), width
        page.context.close()
