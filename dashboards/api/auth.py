"""Who may ask: bearer tokens for programs, the session for a signed-in reader, nobody needed for a public catalogue."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from ninja.errors import AuthenticationError, AuthorizationError, Throttled
from ninja.security import HttpBearer

from dashboards import access
from dashboards.models import AccessToken, Person

WRONG_TOKENS: Final = 60
"""Wrong tokens from one address in one `PAUSE` before it has to wait."""
PAUSE: Final = 60


class Reader:
    """Somebody who may read the catalogue: a token, a signed-in person, or anybody where it is public."""

    def __init__(self, token: AccessToken | None = None, person: Person | None = None) -> None:
        self.token = token
        self.person = person


class Bearer(HttpBearer):
    """A live token, whatever it may do."""

    def __call__(self, request: HttpRequest) -> Any:
        header = request.headers.get("Authorization")
        if header is None:
            return self.without_token(request)
        token = None if "\x00" in header else access.token_for_header(header)
        if token is None:
            _count_wrong_token(request)
            raise AuthenticationError
        return self.authenticate(request, token)

    def authenticate(self, request: HttpRequest, token: Any) -> Reader:
        return Reader(token)

    def without_token(self, request: HttpRequest) -> Reader | None:
        return None


class CatalogueBearer(Bearer):
    """A live token or a session; neither where RATECARD_PUBLIC_CATALOG is true. A wrong token is always refused."""

    def without_token(self, request: HttpRequest) -> Reader | None:
        if settings.PUBLIC_CATALOG:
            return Reader()
        person = request.user
        return Reader(person=person) if isinstance(person, Person) and person.is_active else None


class UsageBearer(Bearer):
    """A live token of an organisation."""

    def authenticate(self, request: HttpRequest, token: Any) -> Reader:
        if token.organisation is None:
            raise AuthorizationError(
                message="This token reads the catalogue only: make one with create_token NAME --organisation SLUG."
            )
        return Reader(token)


def _count_wrong_token(request: HttpRequest) -> None:
    """429 once an address has shown too many wrong tokens; counted per process, by address."""
    key = f"wrong-tokens:{request.META.get('REMOTE_ADDR', '')}"
    cache.add(key, 0, PAUSE)
    try:
        count = cache.incr(key)
    except ValueError:  # it ran out between the two
        return
    if count > WRONG_TOKENS:
        raise Throttled(wait=PAUSE)
