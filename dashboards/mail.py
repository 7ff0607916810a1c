"""Messages to people. Where no mail server is set nothing is sent, and the page shows what to pass on by hand."""

import logging

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from dashboards.models import Invitation

log = logging.getLogger(__name__)


def send_invitation(invitation: Invitation, url: str) -> bool:
    """Mails the link of an invitation; False where no mail server is set or it did not take the message."""
    if not settings.SENDS_MAIL:
        return False
    context = {"invitation": invitation, "url": url, "place": invitation.project or invitation.organisation}
    message = EmailMultiAlternatives(
        subject=" ".join(render_to_string("emails/invitation-subject.txt", context).split()),
        body=render_to_string("emails/invitation.txt", context),
        to=[invitation.email],
    )
    message.attach_alternative(render_to_string("emails/invitation.html", context), "text/html")
    try:
        return bool(message.send())
    except OSError as fault:  # SMTPException is one
        log.warning("An invitation could not be mailed: %s", type(fault).__name__)
        return False
