"""Who may look at what feeds the ledger, who may add to it, and to whose ledger that goes."""

from __future__ import annotations

from django.http import Http404, HttpRequest

from dashboards import access, audit
from dashboards.models import Membership, Person
from usage import organisations
from usage.ingest import Refused
from usage.models import Organisation


def role_in(request: HttpRequest) -> tuple[Organisation, str]:
    """The organisation and the reader's role in the whole of it; 404 for who sees single projects only."""
    organisation = access.current_organisation(request)
    if organisation is None:
        raise Http404("No organisation")
    assert request.user.is_authenticated  # noqa: S101 — the page is guarded
    held = Membership.objects.filter(person_id=request.user.pk, organisation=organisation, project=None)
    role = held.values_list("role", flat=True).first()
    if role is None:
        raise Http404("No such page")
    return organisation, role


def may_import(request: HttpRequest) -> tuple[Organisation, str]:
    organisation, role = role_in(request)
    if role == "viewer":
        raise Http404("No such page")
    return organisation, role


def target(request: HttpRequest) -> Organisation:
    """Where an import goes: the organisation shown, but one's own where that is the sample.

    An administrator's first import makes the organisation it goes to.
    """
    organisation, role = may_import(request)
    if not organisation.is_sample:
        return organisation
    own = next((one for one in access.own_organisations(request) if not one.is_sample), None)
    if own is not None and access.may(request.user, "member", own):
        return own
    person = request.user
    if not (isinstance(person, Person) and person.is_instance_admin and role == "admin"):
        raise Refused("This is the sample workspace: ask an administrator for an organisation of your own first.")
    made = organisations.create_organisation("My organisation")
    access.grant(person, "admin", made)
    audit.record(person, "created an organisation", made, after={"name": made.name}, organisation=made)
    return made
