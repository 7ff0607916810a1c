"""A mail server on the loopback that does what a test says at each step, and keeps what it accepted."""

from __future__ import annotations

import asyncio
import email
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from aiosmtpd.smtp import SMTP

ACCEPT = "250 taken"
DROP, HANG = "drop", "hang"
"""Instead of an answer: the line breaks, or nothing more is ever said."""


@dataclass
class Sink:
    """`answers` by step (`greeting`, `helo`, `mail`, `rcpt`, `data`, `text`); `pause` comes before each answer."""

    answers: dict[str, str] = field(default_factory=dict)
    accepted: list[Message] = field(default_factory=list)
    connections: int = 0
    pause: float = 0.0
    port: int = 0

    @property
    def message_ids(self) -> list[str]:
        return [str(mail["Message-ID"]) for mail in self.accepted]


class _Server(SMTP):
    """aiosmtpd, with a word before its own answers."""

    def __init__(self, sink: Sink) -> None:
        super().__init__(_Handler(sink), hostname="sink.example", enable_SMTPUTF8=False)
        self.sink = sink

    async def push(self, status: Any) -> None:
        text = status if isinstance(status, str) else status.decode()
        if text.startswith("220"):
            self.sink.connections += 1
            if (word := self.sink.answers.get("greeting")) is not None:
                return await self.instead(word)
        return await super().push(status)

    async def instead(self, word: str) -> None:
        if word == DROP:
            self.transport.abort()
        elif word == HANG:
            await asyncio.sleep(60)
        else:
            await super().push(word)

    async def smtp_EHLO(self, hostname: str) -> None:
        await self._first("helo", super().smtp_EHLO, hostname)

    async def smtp_HELO(self, hostname: str) -> None:
        await self._first("helo", super().smtp_HELO, hostname)

    async def smtp_MAIL(self, arg: str) -> None:
        await self._first("mail", super().smtp_MAIL, arg)

    async def smtp_RCPT(self, arg: str) -> None:
        await self._first("rcpt", super().smtp_RCPT, arg)

    async def smtp_DATA(self, arg: str) -> None:
        await self._first("data", super().smtp_DATA, arg)

    async def _first(self, step: str, go_on: Any, arg: str) -> None:
        await asyncio.sleep(self.sink.pause)
        if (word := self.sink.answers.get(step)) is not None:
            await self.instead(word)
        else:
            await go_on(arg)


class _Handler:
    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    async def handle_DATA(self, server: _Server, session: Any, envelope: Any) -> str:
        await asyncio.sleep(self.sink.pause)
        word = self.sink.answers.get("text", ACCEPT)
        if word in (ACCEPT, DROP, HANG):  # the server has it; whether it can still say so is another matter
            self.sink.accepted.append(email.message_from_bytes(envelope.content))
            await asyncio.sleep(self.sink.pause)
        if word in (DROP, HANG):
            await server.instead(word)
        return word if word not in (DROP, HANG) else ACCEPT


@contextmanager
def serving(**answers: str) -> Iterator[Sink]:
    """A sink that answers on a port of 127.0.0.1 while the block runs."""
    sink = Sink(answers=answers)
    loop = asyncio.new_event_loop()
    talks: list[_Server] = []

    def talk() -> _Server:
        talks.append(_Server(sink))
        return talks[-1]

    server = loop.run_until_complete(loop.create_server(talk, "127.0.0.1", 0))
    sink.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        asyncio.run_coroutine_threadsafe(_end(server, talks), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


async def _end(server: asyncio.Server, talks: list[_Server]) -> None:
    server.close()
    for one in talks:
        if one.transport is not None:
            one.transport.abort()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.sleep(0)
