"""What every response says to the browser about where its parts may come from, and whence a request came."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from dashboards import audit
from dashboards.access import sessions
from dashboards.api import limits

# Plotly's basic bundle writes its rules through the CSSOM (insertRule into an empty <style>), which a policy
# without 'unsafe-inline' permits; downloading a chart as a picture needs blob: and data: images only.
POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class ContentPolicyMiddleware:
    """Says what the view has not said by itself: who may keep the answer, and the content security policy.

    A page is its reader's: no cache on the way keeps it, and the reader's own asks whether it still holds. A 304 gets
    no policy: whoever has the copy would put it in the place of the policy that came with it, a mail's sandbox.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-cache")
        if response.status_code == HTTPStatus.NOT_MODIFIED:
            return response
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return response


class NulMiddleware:
    """Lets no NUL of an address reach PostgreSQL, which takes it nowhere; the API says what is wrong by itself.

    A path with one is not found. In a query it is the replacement character, so that a page answers as for any word
    that it does not know.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(("/api/", "/feeds/", "/export/")):
            return self.get_response(request)
        if "\x00" in request.path_info:
            return HttpResponse("This address holds a NUL, so nothing is there.", status=404, content_type="text/plain")
        request.META["QUERY_STRING"] = request.META.get("QUERY_STRING", "").replace("%00", "%EF%BF%BD")
        return self.get_response(request)


class WhereaboutsMiddleware:
    """Lets the audit log know the request's network address, and notes that the reader's session is in use."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token = audit.address.set(limits.address(request.META))
        try:
            response = self.get_response(request)
            sessions.seen(request)
            return response
        finally:
            audit.address.reset(token)
