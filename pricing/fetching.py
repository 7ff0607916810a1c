"""One body over https from the public internet, or a `SourceFailure` that names what went wrong.

The host's name is asked for once, every address it has is checked, and the connection goes to one of those: an
answer that changes between the check and the connection changes nothing. Each redirect is a new address, checked
the same way. Behind RATECARD_HTTPS_PROXY the proxy resolves, so only written-out private addresses can be refused
here; the rest is the proxy's to refuse.
"""

from __future__ import annotations

import os
import ssl
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urljoin

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, NewConnectionError, ReadTimeoutError
from urllib3.util.ssl_ import create_urllib3_context

from pricing import addresses
from pricing.addresses import Allow, Resolve, Target, shown
from pricing.failures import SourceFailure

USER_AGENT: Final = "Ratecard/0.1"
_CHUNK: Final = 64 << 10
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_REFUSAL: Final = 4_000
_TRANSIENT: Final = frozenset({408, 421, 425, 429})


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much: seconds, bytes of the body as sent and as unpacked, redirects."""

    connect: float = 5
    read: float = 10
    total: float = 30
    body: int = 32 << 20
    redirects: int = 3


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer; `body` is None where the host says that nothing changed since the validators it was asked with."""

    url: str
    """As asked for, before any redirect."""
    body: bytes | None
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True)
class Fetcher:
    """Fetches under some limits. `allow` and `resolve` are arguments, not settings: no installation can switch off
    what they guard; a test gives its own to reach a server on the loopback."""

    limits: Limits = Limits()
    proxy: str = ""
    certificates: str = field(default_factory=lambda: os.environ.get("SSL_CERT_FILE", ""))
    """A file of certificate authorities; '' for those that come with requests."""
    resolve: Resolve = addresses.resolve
    allow: Allow = addresses.is_public
    private: frozenset[str] = frozenset()
    """Hosts that may be on this network and may be asked over http, when asked for by name; no redirect leads there."""
    reads_refusals: bool = False
    """Whether a failure brings the first words of the host's refusal."""

    def fetch(
        self,
        url: str,
        *,
        etag: str = "",
        last_modified: str = "",
        key: str = "",
        headers: Mapping[str, str] | None = None,
        until: float | None = None,
    ) -> Fetched:
        """The body at an address; `key` is sent as a bearer token, it and `headers` to their own host only.

        `until`, on the monotonic clock, ends the fetch earlier than `limits.total` would.
        """
        deadline = time.monotonic() + self.limits.total
        deadline = min(deadline, until) if until is not None else deadline
        open_headers = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "gzip"}
        open_headers |= {"If-None-Match": etag} if etag else {}
        open_headers |= {"If-Modified-Since": last_modified} if last_modified else {}
        secret_headers = {**(headers or {})} | ({"Authorization": f"Bearer {key}"} if key else {})
        origin, address = addresses.target(url, self.private), url
        for _ in range(self.limits.redirects + 1):
            where = addresses.target(address, self.private)
            if where != origin and where.host in self.private:
                raise SourceFailure("redirect", f"{origin.host} redirects to {where.host}, a host of this network.")
            told = open_headers | (secret_headers if where == origin else {})
            with _Session() as session, self._answer(session, address, where, told, deadline) as response:
                if response.status_code not in _REDIRECTS:
                    return self._fetched(url, where.host, response, deadline, conditional=bool(etag or last_modified))
                address = _redirected(address, where, response, self.private)
        raise SourceFailure(
            "redirect", f"{origin.host} redirects more than {self.limits.redirects} times, at last to {shown(address)}."
        )

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Send a body to an address; the status of an answer that takes it (2xx). A redirect is not followed: whoever
        was meant to get it is at the address, and nobody else."""
        deadline = time.monotonic() + self.limits.total
        where = addresses.target(url, self.private)
        told = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity", **headers}
        with _Session() as session, self._answer(session, url, where, told, deadline, body) as response:
            status = response.status_code
            if status in _REDIRECTS:
                to = shown(response.headers.get("Location", "")) or "nowhere"
                sentence = f"{where.host} redirects ({status}) to {to}, which is not followed: write that address."
                raise SourceFailure("redirect", sentence, status=status)
            if not 200 <= status < 300:
                raise _refused(where.host, response, self._words(response, deadline))
            return status

    def _answer(
        self,
        session: requests.Session,
        url: str,
        where: Target,
        headers: Mapping[str, str],
        deadline: float,
        body: bytes | None = None,
    ) -> requests.Response:
        """The head of the answer, from the first of the host's addresses that can be connected to.

        With a `body` it is sent, and to one address only once the connection stands.
        """
        session.trust_env = False  # neither proxies nor .netrc nor certificates of the environment
        session.headers.clear()
        session.verify = self.certificates or True
        private = where.host in self.private
        proxied = bool(self.proxy) and not private
        if proxied:
            addresses.refuse_literal(where, allow=self.allow)
            found: list[str | None] = [None]
        else:
            allow = _any_address if private else self.allow
            found = [*addresses.checked(where, resolve=self.resolve, allow=allow)]
        for number, ip in enumerate(found, 1):
            left = _seconds_left(deadline, where.host)
            session.mount(f"{where.scheme}://", _PinnedAdapter(ip, deadline, self.private))
            try:
                return session.request(
                    "GET" if body is None else "POST",
                    url,
                    data=body,
                    headers=dict(headers),
                    stream=True,
                    allow_redirects=False,
                    proxies={"https": self.proxy} if proxied else {},
                    timeout=(min(self.limits.connect, left), min(self.limits.read, left)),
                )
            except (requests.RequestException, HTTPError, UnicodeError, ValueError) as fault:
                failure = _unanswered(where.host, fault)
                another = failure.kind == "unreachable" or isinstance(fault, requests.ConnectTimeout)
                if not another or number == len(found):
                    raise failure from None
        raise AssertionError("a host has an address")  # pragma: no cover

    def _fetched(
        self, url: str, host: str, response: requests.Response, deadline: float, *, conditional: bool
    ) -> Fetched:
        status = response.status_code
        etag, last_modified = (_validator(response, name) for name in ("ETag", "Last-Modified"))
        if status == 304 and conditional:
            return Fetched(url, None, etag, last_modified)
        if status in (204, 205, 206, 304):
            raise SourceFailure("no_content", f"{host} answers {status}, without the body.", permanent=False)
        if status != 200:
            raise _refused(host, response, self._words(response, deadline) if self.reads_refusals else "")
        return Fetched(url, self._body(host, response, deadline), etag, last_modified)

    def _body(self, host: str, response: requests.Response, deadline: float) -> bytes:
        """The whole body, unpacked; both sizes are watched while it comes in, so no more is ever held."""
        coding = response.headers.get("Content-Encoding", "").strip().lower()
        if coding not in ("", "identity", "gzip", "x-gzip"):
            raise SourceFailure("encoding", f"{host} packs the body as {coding[:40]!r}, which was not asked for.")
        stated = response.headers.get("Content-Length", "")
        if stated.isdecimal() and len(stated) < 20 and int(stated) > self.limits.body:
            raise self._too_large(host, int(stated))
        sent = self._sent(host, response, deadline)
        if coding in ("", "identity"):
            return b"".join(sent)
        return unpacked(sent, self.limits.body, host)

    def _sent(self, host: str, response: requests.Response, deadline: float) -> Iterator[bytes]:
        size = 0
        while True:
            _seconds_left(deadline, host)
            try:
                # `read1` hands over what has come in; `read` would wait for a full chunk, past any deadline.
                part = response.raw.read1(_CHUNK, decode_content=False)
            except ReadTimeoutError:
                raise _late(host) from None
            except (HTTPError, OSError) as fault:
                raise SourceFailure(
                    "truncated",
                    f"{host} ended the body after {size:,} bytes: {_reason([*_chain(fault)][-1])}.",
                    permanent=False,
                ) from None
            if not part:
                return
            size += len(part)
            if size > self.limits.body:
                raise self._too_large(host, size)
            yield part

    def _words(self, response: requests.Response, deadline: float) -> str:
        """The beginning of a refusal, as far as it comes in time."""
        said = b""
        with suppress(SourceFailure, zlib.error):
            for part in self._sent("", response, deadline):
                said += part
                if len(said) >= _REFUSAL:
                    break
            if "gzip" in response.headers.get("Content-Encoding", ""):
                said = zlib.decompressobj(wbits=31).decompress(said, _REFUSAL)
        return said[:_REFUSAL].decode(errors="replace")

    def _too_large(self, host: str, size: int) -> SourceFailure:
        return SourceFailure(
            "too_large", f"{host} sends {size:,} bytes or more; {self.limits.body:,} are read at most."
        )


def fetch(url: str, *, etag: str = "", last_modified: str = "", key: str = "") -> Fetched:
    """The body at an address under the usual limits, without a proxy."""
    return Fetcher().fetch(url, etag=etag, last_modified=last_modified, key=key)


class _Session(requests.Session):
    """A session that leaves redirects to us: else requests reads the whole body of one, however long it is."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class _PinnedAdapter(HTTPAdapter):
    """Connects to one given address, whatever the name now resolves to; TLS and Host still speak of the name."""

    def __init__(self, address: str | None, deadline: float, private: frozenset[str] = frozenset()) -> None:
        self._address, self._deadline, self._private = address, deadline, private
        super().__init__(max_retries=0)

    def build_connection_pool_key_attributes(  # type: ignore[override]
        self, *args: Any, **kwargs: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        host, tls = super().build_connection_pool_key_attributes(*args, **kwargs)
        how: dict[str, Any] = {**tls, "ssl_context": _context(self._deadline)}
        if self._address is None:
            return {**host}, how
        return {**host, "host": self._address}, how | {"server_hostname": str(host["host"])}

    def add_headers(self, request: requests.PreparedRequest, **kwargs: Any) -> None:
        if self._address is not None:
            where = addresses.target(str(request.url), self._private)
            host = f"[{where.host}]" if ":" in where.host else where.host
            request.headers["Host"] = host if where.has_usual_port else f"{host}:{where.port}"


def _context(deadline: float) -> ssl.SSLContext:
    """A TLS context whose sockets give up at the deadline, also while a head drips in byte by byte."""

    class Socket(ssl.SSLSocket):
        def read(self, len: int = 1024, buffer: Any = None) -> Any:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("the answer took too long")
            timeout = self.gettimeout()
            self.settimeout(left if timeout is None else min(timeout, left))
            return super().read(len, buffer)

    context = create_urllib3_context()
    context.sslsocket_class = Socket
    return context


def unpacked(parts: Iterator[bytes], most: int, name: str) -> bytes:
    """A gzip body, of one member or several, unpacked to at most `most` bytes; `name` says whose it is."""
    unpack = zlib.decompressobj(wbits=31)
    body = bytearray()
    begun = False
    try:
        for part in parts:
            rest = part
            while rest:
                if unpack.eof:
                    unpack = zlib.decompressobj(wbits=31)
                begun = True
                body += unpack.decompress(rest, most + 1 - len(body))
                if len(body) > most:
                    raise SourceFailure("bomb", f"The body of {name} unpacks to more than {most:,} bytes.")
                rest = unpack.unconsumed_tail or unpack.unused_data
    except zlib.error:
        raise SourceFailure("encoding", f"The body of {name} is said to be gzip and is not.", permanent=False) from None
    if begun and not unpack.eof:
        raise SourceFailure("truncated", f"The gzip body of {name} ends too early.", permanent=False)
    return bytes(body)


def _any_address(address: addresses.Address) -> bool:
    return True


def _redirected(url: str, where: Target, response: requests.Response, private: frozenset[str]) -> str:
    location = response.headers.get("Location", "")
    if not location:
        raise SourceFailure("redirect", f"{where.host} redirects ({response.status_code}) without saying where to.")
    try:
        address = urljoin(url, location)
        addresses.target(address, private)
    except (ValueError, SourceFailure) as fault:
        raise SourceFailure("redirect", f"{where.host} redirects to {shown(location)}: {_reason(fault)}.") from None
    return address


def _refused(host: str, response: requests.Response, answer: str = "") -> SourceFailure:
    status = response.status_code
    retry_at = retry_moment(response.headers.get("Retry-After", ""), datetime.now(UTC))
    later = f" and asks to come back at {retry_at:%Y-%m-%d %H:%M:%S} UTC" if retry_at else ""
    if status == 429:
        return SourceFailure(
            "rate_limited", f"{host} answers 429{later}.", permanent=False, retry_at=retry_at, status=429
        )
    if 500 <= status < 600:
        sentence = f"{host} answers {status}{later}."
        return SourceFailure("http_5xx", sentence, permanent=False, retry_at=retry_at, status=status)
    hint = {401: ": it wants a key, or another one", 403: ": it does not let us in", 404: ": the page has moved"}
    kind = "http_4xx" if 400 <= status < 500 else "broken_answer"
    sentence = f"{host} answers {status}{hint.get(status, '')}."
    return SourceFailure(kind, sentence, permanent=status not in _TRANSIENT, status=status, answer=answer)


def retry_moment(text: str, now: datetime) -> datetime | None:
    """The moment a Retry-After header names, in seconds or as an HTTP date; None where it names none."""
    text = text.strip()
    try:
        if text.isascii() and text.isdecimal():
            return now + timedelta(seconds=int(text))
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _validator(response: requests.Response, name: str) -> str:
    """A header to send back the next time; one too long to keep is not kept."""
    value: str = response.headers.get(name, "")
    return value if len(value) <= 200 and value.isprintable() and value.isascii() else ""


def _seconds_left(deadline: float, host: str) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise _late(host)
    return left


def _late(host: str) -> SourceFailure:
    return SourceFailure("timeout", f"{host} did not answer in time.", permanent=False)


def _unanswered(host: str, fault: Exception) -> SourceFailure:
    """What kept a host from answering at all, read from the chain of errors below it."""
    chain = list(_chain(fault))
    if any(isinstance(one, ssl.SSLCertVerificationError) for one in chain):
        reason = next(
            str(one.verify_message).rstrip(".") for one in chain if isinstance(one, ssl.SSLCertVerificationError)
        )
        return SourceFailure("tls", f"The certificate of {host} does not hold: {reason}.")
    if any(isinstance(one, NewConnectionError | ConnectionRefusedError) for one in chain):
        return SourceFailure("unreachable", f"Nobody answers at {host}: {_reason(chain[-1])}.", permanent=False)
    if any(isinstance(one, requests.Timeout | TimeoutError) for one in chain):
        return _late(host)
    if any(isinstance(one, ssl.SSLError) for one in chain):
        return SourceFailure("tls", f"No TLS connection to {host}: {_reason(chain[-1])}.", permanent=False)
    if any(isinstance(one, requests.exceptions.ProxyError) for one in chain):
        return SourceFailure(
            "unreachable", f"The proxy does not lead to {host}: {_reason(chain[-1])}.", permanent=False
        )
    return SourceFailure("broken_answer", f"{host} gives no usable answer: {_reason(chain[-1])}.", permanent=False)


def _chain(fault: BaseException) -> Iterator[BaseException]:
    """An error and those that requests and urllib3 wrapped in it, outermost first."""
    seen: set[int] = set()
    waiting: list[object] = [fault]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]


def _reason(fault: BaseException) -> str:
    """The last words of an error, without addresses of objects in memory."""
    text = " ".join(str(getattr(fault, "strerror", None) or fault).split())
    return text.partition("<")[0].strip(" :(.")[:200] or type(fault).__name__
