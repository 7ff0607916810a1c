"""One message to the mail server, in steps, so that what a failure means is known: RFC 5321, section 4.1.4 and 4.2.5.

Until the text has begun nothing can have been accepted. From then on only the server's answer tells.
"""

from __future__ import annotations

import base64
import re
import smtplib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.mime.image import MIMEImage
from email.utils import parseaddr
from enum import StrEnum
from typing import Any

from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.smtp import EmailBackend
from django.core.mail.message import sanitize_address

from dashboards.models import Message


class Outcome(StrEnum):
    """What is known of a message after a try to hand it over."""

    ACCEPTED = "accepted"
    LATER = "later"
    """Certainly not accepted; another try may go better."""
    NEVER = "never"
    """Certainly not accepted, and the server says that it never will be."""
    UNKNOWN = "unknown"
    """The text was being sent and no answer was seen."""


@dataclass(frozen=True, slots=True)
class Answer:
    outcome: Outcome
    said: str


class NotOurs(Exception):
    """The row was taken from this worker before it sent the text: it took too long."""


def hand_over(message: Message, began: Callable[[], bool]) -> Answer:
    """Hands a message to the mail server. Before the first byte of its text it asks `began`, which notes that.

    Where `began` says no the message is another worker's by now: `NotOurs`, and nothing has been sent.
    """
    backend = get_connection()
    mail = composed(message)
    if not isinstance(backend, EmailBackend):
        return _elsewhere(backend, mail, began)
    try:
        backend.open()
    except (OSError, smtplib.SMTPException) as fault:
        # Also a 5xx: a greeting or a wrong password says something of this connection, nothing of the message.
        return Answer(Outcome.LATER, f"connecting: {_words(fault)}")
    smtp: Any = backend.connection
    try:
        answer = _in_steps(smtp, mail, message.address, began)
    except BaseException:
        smtp.close()  # without QUIT: where a text is awaited that word would be part of it
        raise
    _hang_up(smtp)
    return answer


def composed(message: Message) -> EmailMultiAlternatives:
    """The mail of a row: text, HTML where there is any, and the pictures it shows inline."""
    mail = EmailMultiAlternatives(
        subject=message.subject,
        body=message.text,
        to=[message.address],
        headers={**message.headers, "Message-ID": message.message_id, "Auto-Submitted": "auto-generated"},
    )
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    if message.pictures:
        mail.mixed_subtype = "related"  # type: ignore[attr-defined]
    for name, encoded in message.pictures.items():
        picture = MIMEImage(base64.b64decode(encoded), "png")
        picture.add_header("Content-ID", f"<{name}>")
        picture.add_header("Content-Disposition", "inline", filename=f"{name}.png")
        mail.attach(picture)
    return mail


def _in_steps(smtp: Any, mail: EmailMultiAlternatives, address: str, began: Callable[[], bool]) -> Answer:
    sender, recipient = (sanitize_address(one, "utf-8") for one in (parseaddr(mail.from_email)[1], address))
    made: Any = mail.message()
    text = made.as_bytes(linesep="\r\n")
    try:
        smtp.ehlo_or_helo_if_needed()
        options = ["body=8bitmime"] if smtp.has_extn("8bitmime") else []
        steps: list[tuple[str, tuple[int, ...], Callable[[], Any]]] = [
            ("sender", (250,), lambda: smtp.mail(sender, options)),
            ("recipient", (250, 251), lambda: smtp.rcpt(recipient)),
            ("text", (354,), lambda: smtp.docmd("data")),
        ]
        for step, yes, ask in steps:
            code, words = ask()
            if code not in yes:
                return _refused(step, code, words)
    except (OSError, smtplib.SMTPException) as fault:
        return Answer(Outcome.LATER, f"before the text: {_words(fault)}")
    if not began():
        raise NotOurs
    try:
        smtp.send(_dotted(text))
        code, words = smtp.getreply()
    except (OSError, smtplib.SMTPException) as fault:
        return Answer(Outcome.UNKNOWN, f"no answer to the text: {_words(fault)}")
    return _answered(code, words)


def _answered(code: int, words: object) -> Answer:
    """What an answer to the text says (RFC 5321, 4.2.1: the first digit counts); half a code or none tells nothing."""
    if 200 <= code < 300:
        return Answer(Outcome.ACCEPTED, _plain(words))
    if 400 <= code < 600:
        return _refused("text", code, words)
    return Answer(Outcome.UNKNOWN, f"no answer to the text: {code} {_plain(words)}")


def _dotted(text: bytes) -> bytes:
    """A text as it travels (RFC 5321, 4.5.2): a line that starts with a dot gets another one, a lone dot ends it."""
    lines = text if text.endswith(b"\r\n") else text + b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", lines) + b".\r\n"


def _refused(step: str, code: int, words: object) -> Answer:
    """An answer that says no: 5xx is for good, 4xx for now. What is neither (-1: the line broke) tells of no text."""
    said = f"{step}: {code} {_plain(words)}"
    return Answer(Outcome.NEVER if 500 <= code < 600 else Outcome.LATER, said)


def _elsewhere(backend: Any, mail: EmailMultiAlternatives, began: Callable[[], bool]) -> Answer:
    """A console or a folder: what fails there has not left this machine."""
    if not began():
        raise NotOurs
    try:
        return Answer(Outcome.ACCEPTED if backend.send_messages([mail]) else Outcome.LATER, "")
    except OSError as fault:
        return Answer(Outcome.LATER, _words(fault))


def _hang_up(smtp: Any) -> None:
    with suppress(OSError, smtplib.SMTPException):
        smtp.quit()
    smtp.close()


def _words(fault: Exception) -> str:
    if isinstance(fault, smtplib.SMTPResponseException):
        return f"{fault.smtp_code} {_plain(fault.smtp_error)}"
    return f"{type(fault).__name__}: {fault}" if str(fault) else type(fault).__name__


def _plain(words: object) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    return " ".join(text.replace("\x00", " ").split())
