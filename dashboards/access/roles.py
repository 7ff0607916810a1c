"""Who may do what where: organisations, roles in them and in their projects."""

from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest

from dashboards.models import Membership, Person, Proposal, Role

if TYPE_CHECKING:
    from usage.models import Organisation, Project

SESSION_ORGANISATION = "organisation"
RANK = {Role.VIEWER.value: 0, Role.MEMBER.value: 1, Role.ADMIN.value: 2}


def organisations_of(person: Person) -> "QuerySet[Organisation]":
    """The organisations in which the person has any role, oldest first."""
    from usage.models import Organisation

    if not person.is_authenticated:
        return Organisation.objects.none()
    mine = Membership.objects.filter(person_id=person.pk).values("organisation_id")
    return Organisation.objects.filter(pk__in=mine).order_by("pk")


def current_organisation(request: HttpRequest) -> "Organisation | None":
    """The organisation chosen in this session while the person still belongs to it, else their first."""
    if not hasattr(request, "_organisation"):
        found = None
        if isinstance(request.user, Person):
            whole = Membership.objects.filter(person=request.user, organisation=OuterRef("pk"), project=None)
            mine = list(
                organisations_of(request.user).annotate(
                    open_decisions=Proposal.counted_for(request.user), sees_whole=Exists(whole)
                )
            )
            request._organisations = mine  # type: ignore[attr-defined]
            chosen = request.session.get(SESSION_ORGANISATION)
            found = next((one for one in mine if str(one.pk) == str(chosen)), mine[0] if mine else None)
        request._organisation = found  # type: ignore[attr-defined]
    return request._organisation  # type: ignore[attr-defined,no-any-return]


def own_organisations(request: HttpRequest) -> "list[Organisation]":
    """The reader's organisations, asked for once in a request."""
    current_organisation(request)
    return getattr(request, "_organisations", [])


def choose_organisation(request: HttpRequest, organisation_id: str) -> "Organisation":
    """Makes an organisation the session's; 404 where the person has no role in it."""
    mine = organisations_of(request.user) if isinstance(request.user, Person) else ()
    for organisation in mine:
        if str(organisation.pk) == organisation_id:
            request.session[SESSION_ORGANISATION] = str(organisation.pk)
            request._organisation = organisation  # type: ignore[attr-defined]
            return organisation
    raise Http404("No such organisation")


def may(person: object, role: str, organisation: "Organisation", project: "Project | None" = None) -> bool:
    """Whether the person holds at least `role`: of the whole organisation, or of `project` where given."""
    if not isinstance(person, Person) or not person.is_active:
        return False
    where = Q(project=None)
    if project is not None:
        if project.organisation_id != organisation.pk:
            return False
        where |= Q(project=project)
    enough = [name for name, rank in RANK.items() if rank >= RANK[role]]
    return Membership.objects.filter(where, person=person, organisation=organisation, role__in=enough).exists()


def require(person: object, role: str, organisation: "Organisation | None", project: "Project | None" = None) -> None:
    """404 unless the person may: a stranger does not learn that the thing exists."""
    if organisation is None or not may(person, role, organisation, project):
        raise Http404("No such page")


def may_decide(person: object) -> bool:
    """Whether the person may decide on the catalogue: instance administrators only."""
    return isinstance(person, Person) and person.is_active and person.is_instance_admin


def require_decider(person: object) -> None:
    """404 unless the person may decide on the catalogue."""
    if not may_decide(person):
        raise Http404("No such page")


def projects_seen(person: Person, organisation: "Organisation") -> "QuerySet[Project]":
    """The projects of an organisation that the person may look at: all of them, or only their own."""
    from usage.models import Project

    projects = Project.objects.filter(organisation=organisation)
    mine = Membership.objects.filter(person=person, organisation=organisation)
    if mine.filter(project=None).exists():
        return projects
    return projects.filter(pk__in=mine.values("project_id"))


def administers(person: object, organisation: "Organisation") -> frozenset[int] | None:
    """Which projects the person administers: None for all of the organisation, else their keys, maybe none."""
    if may(person, "admin", organisation):
        return None
    if not isinstance(person, Person) or not person.is_active:
        return frozenset()
    mine = Membership.objects.filter(person=person, organisation=organisation, role=Role.ADMIN)
    return frozenset(pk for pk in mine.values_list("project_id", flat=True) if pk is not None)


def highest_role(person: Person, organisation: "Organisation") -> str | None:
    """The highest role a person holds in an organisation or any project of it."""
    held = Membership.objects.filter(person=person, organisation=organisation).values_list("role", flat=True)
    return max(held, key=RANK.__getitem__, default=None)


def join_orphan_organisations(person: Person) -> list[Membership]:
    """Makes an instance administrator admin of every organisation that has no member; the memberships made."""
    from usage.models import Organisation

    if not person.is_instance_admin:
        return []
    orphans = Organisation.objects.exclude(pk__in=Membership.objects.values("organisation_id"))
    made = [Membership(person=person, organisation=orphan, role=Role.ADMIN) for orphan in orphans]
    return Membership.objects.bulk_create(made, ignore_conflicts=True)
