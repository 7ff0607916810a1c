"""A worker killed with SIGKILL around sending, fifty times: no mail goes twice, and none is lost without being listed.

Each worker is a process of its own that hands one mail to a server on the loopback, which takes its time at every step,
and dies at a random moment of that. Then what is left is delivered as the task does it. BENCH_MAIL_KILLS makes it
shorter.
"""

from __future__ import annotations

import os
import random
import re
import signal
import socketserver
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import Any

from benchmarks.report import Figure
from benchmarks.workspace import Workspace

KILLS = int(os.environ.get("BENCH_MAIL_KILLS") or 50)
PAUSE = 0.02
"""Seconds that the server takes for each answer, so that there is a moment to die in."""
_WORKER = """
import sys, django; django.setup()
from django.conf import settings
settings.SENDS_MAIL, settings.EMAIL_BACKEND = True, "django.core.mail.backends.smtp.EmailBackend"
settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", int(sys.argv[1]), False
from dashboards import outbox
from dashboards.models import Message
Message.objects.count()
print("ready", flush=True); sys.stdin.readline()
outbox.deliver(int(sys.argv[2]))
"""


class _Talk(socketserver.StreamRequestHandler):
    """As much of SMTP as a client asks for; a text counts as accepted when its last dot has been read."""

    server: Any

    def handle(self) -> None:
        with suppress(OSError):
            self._say("220 sink.example")
            while line := self.rfile.readline():
                word = line[:4].strip().upper()
                if word == b"DATA":
                    self._say("354 go on")
                    self._text()
                else:
                    self._say("250 sink.example" if word != b"QUIT" else "221 bye")

    def _text(self) -> None:
        lines = []
        while line := self.rfile.readline():
            if line == b".\r\n":
                found = re.search(rb"(?im)^Message-ID:\s*(\S+)", b"".join(lines))
                assert found is not None
                self.server.accepted.append(found[1].decode())
                return self._say("250 taken")
            lines.append(line)
        return None  # the line broke: an unfinished text is no mail

    def _say(self, words: str) -> None:
        time.sleep(self.server.pause)
        self.wfile.write(words.encode() + b"\r\n")


class _Sink(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.accepted: list[str] = []
        self.pause = PAUSE


def run(space: Workspace) -> None:
    from django.conf import settings
    from django.utils import timezone

    from dashboards import access, outbox
    from dashboards.models import Message, Person
    from usage import organisations

    settings.SENDS_MAIL, settings.EMAIL_BACKEND = True, "django.core.mail.backends.smtp.EmailBackend"
    whose, person = organisations.create_organisation("Mail"), Person.objects.create_user("ada@mail.example")
    access.grant(person, "viewer", whose)  # who may not see what a mail shows does not get it
    with _Sink() as sink:
        threading.Thread(target=sink.serve_forever, daemon=True).start()
        port = sink.server_address[1]
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", port, False
        chance = random.Random(20261126)  # noqa: S311
        for number in range(KILLS):
            made = outbox.put(person, whose, "report", f"report {number}", "A week", "text\n" * 400)
            assert made is not None
            _killed(port, made.pk, chance.uniform(0, 14 * PAUSE))
        rows = Message.objects.filter(organisation=whose).values_list("status", "data_began_at")
        left = Counter((status, began is None) for status, began in rows)
        sink.pause = 0
        for hours in (1, 2):
            outbox.deliver_due(timezone.now() + timedelta(hours=hours), most=KILLS)
        sink.shutdown()
    _told(space, Message.objects.filter(organisation=whose), sink.accepted, left)


def _killed(port: int, pk: int, after: float) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-c", _WORKER, str(port), str(pk)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert worker.stdin is not None
    assert worker.stdout is not None
    assert worker.stdout.readline() == "ready\n"
    worker.stdin.write("\n")
    worker.stdin.flush()
    time.sleep(after)
    worker.send_signal(signal.SIGKILL)
    worker.communicate()


def _told(space: Workspace, found: Any, accepted: list[str], left: Counter[Any]) -> None:
    twice = len(accepted) - len(set(accepted))
    arrived = set(accepted)
    lost = [one for one in found if one.message_id not in arrived and one.status != "uncertain"]
    listed = sum(one.status == "uncertain" for one in found)
    before, during = left["sending", True], left["sending", False]
    add = space.report.add
    add(Figure("workers killed around sending", len(found), "", goal=f"{KILLS}", holds=len(found) == KILLS))
    add(Figure("of them after the row was taken and before the text", before, ""))
    add(Figure("of them once the text had begun", during, ""))
    add(Figure("mails that arrived twice", twice, "", goal="0", holds=not twice))
    add(Figure("mails lost and not listed", len(lost), "", goal="0", holds=not lost))
    add(Figure("uncertain ones, listed", listed, "", goal=f"{during}", holds=listed == during))
