"""Errors as RFC 9457 problem JSON: one sentence that says what to do, and never a stack trace."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from math import ceil
from typing import Any, Final

import orjson
from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views import defaults
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, AuthorizationError, HttpError, Throttled, ValidationError
from pydantic import Field

from dashboards.api import limits
from dashboards.views import in_readers_zone
from pricing.answers import BadQuestion

MEDIA_TYPE: Final = "application/problem+json"
PREFIXES: Final = ("/api/", "/export/", "/feeds/")
TITLES: Final = {
    400: "The request cannot be read",
    401: "A token is needed",
    403: "The token may not do this",
    404: "There is no such thing",
    405: "This address does not take the method",
    412: "It has changed meanwhile",
    413: "The body is too large",
    422: "The question cannot be answered as put",
    428: "What is to be changed must be named",
    429: "Too many requests",
    500: "Something broke",
    503: "Not ready",
}


class Fault(Schema):
    """One part of the question that is at fault."""

    field: str
    sentence: str


class Problem(Schema):
    """RFC 9457: `detail` is a sentence that says what to do."""

    type: str = Field("about:blank", description="Always about:blank: `title` and `status` tell the kind.")
    title: str
    status: int
    detail: str
    instance: str
    errors: list[Fault] | None = None


CATALOGUE_PROBLEMS: Final = frozenset({400, 401, 403, 404, 405, 413, 422, 429})
"""What an operation may answer besides 200; every one documents them all."""


def documented(schema: Any, *more: int) -> dict[Any, Any]:
    """The `response=` of an operation: its answer, and every problem it may return, `more` than others too."""
    return {200: schema, CATALOGUE_PROBLEMS | set(more): Problem}


def problem(request: HttpRequest, status: int, detail: str, faults: list[dict[str, str]] | None = None) -> HttpResponse:
    """The response that tells a problem."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": TITLES[status],
        "status": status,
        "detail": detail,
        "instance": request.path,
    }
    if faults:
        body["errors"] = faults
    response = HttpResponse(orjson.dumps(body), status=status, content_type=MEDIA_TYPE)
    response["Cache-Control"] = "no-store"
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def install(api: NinjaAPI) -> None:
    """Every fault of an operation becomes a problem."""

    @api.exception_handler(BadQuestion)
    def _question(request: HttpRequest, fault: BadQuestion) -> HttpResponse:
        faults = [{"field": fault.field, "sentence": str(fault)}] if fault.field else None
        return problem(request, 422, str(fault), faults)

    @api.exception_handler(ValidationError)
    def _validation(request: HttpRequest, fault: ValidationError) -> HttpResponse:
        faults = [_fault(error) for error in fault.errors[:20]]
        first = faults[0] if faults else {"field": "body", "sentence": "Send what the schema describes."}
        return problem(request, 422, f"{first['field']}: {first['sentence']}", faults)

    @api.exception_handler(AuthenticationError)
    def _no_token(request: HttpRequest, fault: AuthenticationError) -> HttpResponse:
        return problem(
            request, 401, "Send `Authorization: Bearer TOKEN` with a live token (manage.py create_token makes one)."
        )

    @api.exception_handler(AuthorizationError)
    def _may_not(request: HttpRequest, fault: AuthorizationError) -> HttpResponse:
        return problem(request, 403, str(fault))

    @api.exception_handler(Throttled)
    def _too_many(request: HttpRequest, fault: Throttled) -> HttpResponse:
        told = problem(request, 429, "Wait for the seconds in Retry-After, then ask again.")
        if fault.wait is not None:
            told["Retry-After"] = str(ceil(fault.wait))
        return told

    @api.exception_handler(HttpError)
    def _http(request: HttpRequest, fault: HttpError) -> HttpResponse:
        if fault.status_code == 400:
            return problem(request, 400, "The body is not JSON: send an object as the schema describes, in UTF-8.")
        return problem(request, fault.status_code, str(fault))

    @api.exception_handler(Http404)
    def _not_found(request: HttpRequest, fault: Http404) -> HttpResponse:
        return problem(request, 404, str(fault) or "There is nothing at this address.")

    @api.exception_handler(RequestDataTooBig)
    def _too_big(request: HttpRequest, fault: RequestDataTooBig) -> HttpResponse:
        return problem(request, 413, _too_big_sentence())

    @api.exception_handler(SuspiciousOperation)
    def _suspicious(request: HttpRequest, fault: SuspiciousOperation) -> HttpResponse:
        return problem(request, 400, "The request holds something no client sends: look at its headers and fields.")


def _too_big_sentence() -> str:
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
    return f"Send less than {most // (1 << 20)} MiB at a time: split the requests over several calls."


_NOT_THE_CALLERS: Final = ("query", "path", "body", "one", "many", "asked", "sent")


def _fault(error: dict[str, Any]) -> dict[str, str]:
    """One pydantic error as field and sentence, without what the caller sent."""
    place = [str(part) for part in error.get("loc", ()) if part not in _NOT_THE_CALLERS]
    sentence = str(error.get("msg", "is not what the schema describes")).removeprefix("Value error, ")
    return {"field": ".".join(place) or "body", "sentence": sentence}


def guarded(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """The view with Django's own refusals (method, address, size) told as problems too."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            return problem(request, 404, "There is nothing at this address: /api/v1/openapi.json lists what there is.")
        except RequestDataTooBig:
            return problem(request, 413, _too_big_sentence())
        _tell_quota(request, response)
        if response.status_code == 405:
            allowed = response.headers.get("Allow", "GET")
            told = problem(request, 405, f"This address takes {allowed}, not {request.method}.")
            told["Allow"] = allowed
            return told
        return response

    return inner


def _tell_quota(request: HttpRequest, response: HttpResponseBase) -> None:
    """What is left to the caller; a copy that still holds costs nothing."""
    quota: limits.Quota | None = request.META.get("ratecard.quota")
    if quota is None:
        return
    if response.status_code == 304:
        limits.give_back(request.META["ratecard.caller"])
        return
    for name, value in quota.headers():
        response[name] = value


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """404: a problem where programs ask, the page elsewhere."""
    if request.path.startswith(PREFIXES):
        return problem(request, 404, "There is nothing at this address: /api/v1/openapi.json lists what there is.")
    return in_readers_zone(defaults.page_not_found, request, exception)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """400: a problem where programs ask, the page elsewhere."""
    if request.path.startswith(PREFIXES):
        return problem(request, 400, "The request cannot be read: look at its address and headers.")
    return defaults.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """403: a problem where programs ask, the page elsewhere."""
    if request.path.startswith(PREFIXES):
        return problem(request, 403, "This is not yours to see: ask whoever runs this Ratecard.")
    return defaults.permission_denied(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """500: a problem where programs ask, the page elsewhere; what broke is in the log."""
    if request.path.startswith(PREFIXES):
        return problem(request, 500, "The fault is ours and is in the log: try again, then tell whoever runs this.")
    return defaults.server_error(request)
