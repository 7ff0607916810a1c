"""Weekly reports in a browser: pictures, axe, console and policy, nothing sticking out."""

import pytest
from django.utils import timezone

from dashboards import access, outbox
from dashboards.models import Message, Person
from dashboards.reports import mailing, subscriptions
from tests.dashboards.browser import Look, look  # noqa: F401
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
