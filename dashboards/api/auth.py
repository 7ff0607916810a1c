"""Who may ask: bearer tokens for programs, the session for a signed-in reader, nobody needed for a public catalogue.

And how much: each request is counted against its token, or its address where it has none.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from ninja.errors import AuthenticationError, AuthorizationError, Throttled
from ninja.security import HttpBearer

from dashboards import access
from dashboards.api import limits
from dashboards.models import AccessToken, Person
from usage.models import Organisation

WRONG_TOKENS: Final = 60
"""Wrong tokens from one address in one `PAUSE` before it has to wait."""
PAUSE: Final = 60
BELIEVED_SECONDS: Final = 1.0
"""For so long a token that was found live is not looked up again: a revoked one ends within that time."""
MOST_BELIEVED: Final = 10_000
QUOTA, CALLER = "ratecard.quota", "ratecard.caller"

_believed: OrderedDict[str, tuple[float, AccessToken]] = OrderedDict()


class Reader:
    """Somebody who may read the catalogue: a token, a signed-in person, or anybody where it is public."""

    def __init__(self, token: AccessToken | None = None, person: Person | None = None) -> None:
        self.token = token
        self.person = person


class Bearer(HttpBearer):
    """A live token that may do this: it has the scope, or is narrowed to none, and carries at least the role."""

    scope = ""
    role = "viewer"

    def __call__(self, request: HttpRequest) -> Any:
        header = request.headers.get("Authorization")
        if header is None:
            reader = self.without_token(request)
            if reader is not None:
                _count(request, limits.address(request.META))
            return reader
        token = believed(header) or _looked_up(header)
        if token is None:
            _count_wrong_token(request)
            raise AuthenticationError
        _count(request, f"token {token.pk}")
        self.refuse_what_it_may_not(token)
        return self.authenticate(request, token)

    def refuse_what_it_may_not(self, token: AccessToken) -> None:
        """403 with what to do; what the token's person lost since, the token lost too."""
        if not access.token_may(token, "viewer", self.scope):
            told = f"This token is for {', '.join(token.scopes)}: make one with the scope {self.scope}."
            raise AuthorizationError(message=told)
        if not access.token_may(token, self.role):
            raise AuthorizationError(message=f"This token is a {token.role}'s: make one with the role {self.role}.")
        if self.role == "viewer" or token.person is None or token.organisation is None:
            return  # who may look at what is for the operation to tell
        if not access.may(token.person, self.role, token.organisation):
            told = f"The person of this token is no {self.role} of {token.organisation}: ask an admin for that role."
            raise AuthorizationError(message=told)

    def authenticate(self, request: HttpRequest, token: Any) -> Reader:
        return Reader(token)

    def without_token(self, request: HttpRequest) -> Reader | None:
        return None


class CatalogueBearer(Bearer):
    """A live token or a session; neither where RATECARD_PUBLIC_CATALOG is true. A wrong token is always refused.

    Where the catalogue is public a token needs no scope for what anybody may read.
    """

    scope = "catalogue:read"

    def refuse_what_it_may_not(self, token: AccessToken) -> None:
        if not reads_catalogue(token):
            super().refuse_what_it_may_not(token)

    def without_token(self, request: HttpRequest) -> Reader | None:
        if settings.PUBLIC_CATALOG:
            return Reader()
        person = request.user
        return Reader(person=person) if isinstance(person, Person) and person.is_active else None


class UsageBearer(Bearer):
    """A live token of an organisation that may read its spend."""

    scope = "spend:read"

    def authenticate(self, request: HttpRequest, token: Any) -> Reader:
        if token.organisation is None:
            raise AuthorizationError(
                message="This token reads the catalogue only: make one with create_token NAME --organisation SLUG."
            )
        return Reader(token)


class WholeBearer(UsageBearer):
    """The same for what is of the whole organisation: not for who may look at some of its projects only."""

    def refuse_what_it_may_not(self, token: AccessToken) -> None:
        super().refuse_what_it_may_not(token)
        if token.person is None or token.organisation is None:
            return
        if not access.may(token.person, "viewer", token.organisation):
            told = f"This is of the whole of {token.organisation}, and the token's person sees projects only."
            raise AuthorizationError(message=f"{told} Ask an admin for the role viewer.")


class RulesBearer(UsageBearer):
    """A live token of an organisation that may change its rules: of an admin, and of scope rules:write."""

    scope = "rules:write"
    role = "admin"


class WritingBearer(UsageBearer):
    """A live token of an organisation that may send usage: of a member at least, and of scope usage:write."""

    scope = "usage:write"
    role = "member"


def asking(request: HttpRequest) -> tuple[AccessToken, Organisation]:
    """The token that asks and its organisation, of an operation whose bearer lets nobody else in."""
    token = request.auth.token  # type: ignore[attr-defined]
    if token is None or token.organisation is None:
        raise AuthenticationError
    return token, token.organisation


def reads_catalogue(token: AccessToken) -> bool:
    """Whether a live token may read the catalogue, which needs no scope where anybody may."""
    return settings.PUBLIC_CATALOG or access.token_may(token, CatalogueBearer.role, CatalogueBearer.scope)


def believed(header: str) -> AccessToken | None:
    """The token of a header that was found live within the last second and has not expired since. No query."""
    found = _believed.get(_digest(header))
    if found is None or time.monotonic() - found[0] >= BELIEVED_SECONDS:
        return None
    token = found[1]
    return token if token.expires_at is None or token.expires_at > datetime.now(UTC) else None


def _looked_up(header: str) -> AccessToken | None:
    asked = time.monotonic()
    token = None if "\x00" in header else access.token_for_header(header)
    if token is not None:
        digest = _digest(header)
        _believed.pop(digest, None)
        _believed[digest] = (asked, token)
        if len(_believed) > MOST_BELIEVED:
            _believed.popitem(last=False)
    return token


def _digest(header: str) -> str:
    return hashlib.sha256(header.encode("utf-8", "replace")).hexdigest()


def _count(request: HttpRequest, caller: str) -> None:
    """Take one request from the caller's quota; 429 where nothing is left."""
    quota = limits.take(caller)
    request.META[QUOTA], request.META[CALLER] = quota, caller
    if quota is not None and quota.wait:
        raise Throttled(wait=quota.wait)


def _count_wrong_token(request: HttpRequest) -> None:
    """429 once an address has shown too many wrong tokens; counted per process, by address."""
    key = f"wrong-tokens:{limits.address(request.META)}"
    cache.add(key, 0, PAUSE)
    try:
        count = cache.incr(key)
    except ValueError:  # it ran out between the two
        return
    if count > WRONG_TOKENS:
        raise Throttled(wait=PAUSE)
