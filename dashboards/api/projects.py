"""Which projects a token sees. One it may not look at does not exist: both are answered with the same 404."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import Http404

from dashboards import access
from dashboards.models import AccessToken
from usage.models import Project
from usage.questions import NOBODY


def projects_of(token: AccessToken) -> list[int] | None:
    """None where the token sees all of its organisation, else the projects its person may look at."""
    if token.person is None or token.organisation is None:
        return None
    if access.may(token.person, "viewer", token.organisation):
        return None
    return list(access.projects_seen(token.person, token.organisation).values_list("pk", flat=True))


def project_of(token: AccessToken, slug: str) -> Project:
    """The project of that slug, Http404 where the token sees none."""
    seen = projects_of(token)
    asked = Project.objects.filter(organisation=token.organisation, slug=slug)
    found = Project.objects.none() if "\0" in slug else asked  # PostgreSQL holds no NUL and refuses to look for one
    project = (found if seen is None else found.filter(pk__in=seen)).first()
    if project is None:
        raise Http404("No project has this slug: GET /api/v1/projects lists them.")
    return project


def refuse_unknown(token: AccessToken, slugs: Iterable[str]) -> None:
    """Http404 where one of the asked slugs is no project the token sees: a typing error must not read as no spend.

    Nobody's usage is no project and may be asked of.
    """
    for slug in set(slugs) - {NOBODY, ""}:
        project_of(token, slug)
