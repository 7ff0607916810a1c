"""The only writer of organisations and projects."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction
from django.utils.text import slugify

from usage.locks import lock_organisation
from usage.models import (
    DailyCost,
    ModelDailyCost,
    OfferingDailyCost,
    OfficialCost,
    OfficialModelCost,
    OfficialOfferingCost,
    OfficialProjectCost,
    Organisation,
    Project,
    ProjectDailyCost,
)
from usage.questions import NOBODY


class UnknownOrganisation(ValueError):
    """Which organisation is meant cannot be told: one sentence."""


def create_organisation(name: str, slug: str = "", sample: bool = False, **fields: Any) -> Organisation:
    """A new organisation; its slug is made from its name where none is given."""
    return Organisation.objects.create(name=name, slug=slug or _free_slug(name), is_sample=sample, **fields)


def change_organisation(organisation: Organisation, **fields: str) -> None:
    """Another name, time zone or display currency. Its slug stays: addresses and commands name it."""
    for name, value in fields.items():
        setattr(organisation, name, value)
    organisation.save(update_fields=list(fields))


def create_project(organisation: Organisation, name: str, slug: str = "", **fields: Any) -> Project:
    """A new project of an organisation. None is called what stands for nobody where projects are named."""
    if slug == NOBODY:
        raise ValueError(f"{NOBODY!r} means usage without a project: choose another slug.")
    return Project.objects.create(
        organisation=organisation, name=name, slug=slug or free_project_slug(organisation, name), **fields
    )


def change_project(project: Project, **fields: Any) -> None:
    """Another name, owner, cost centre, or archived. Its slug stays: addresses name it."""
    for name, value in fields.items():
        setattr(project, name, value)
    project.save(update_fields=list(fields))


def free_project_slug(organisation: Organisation, name: str) -> str:
    """A slug for a project of this name that none of the organisation's has, and that does not stand for nobody."""
    slug, number = slugify(name)[:100] or "project", 1
    taken = {NOBODY, *Project.objects.filter(organisation=organisation).values_list("slug", flat=True)}
    while (f"{slug}-{number}" if number > 1 else slug) in taken:
        number += 1
    return f"{slug}-{number}" if number > 1 else slug


def chosen(slug: str | None = None) -> Organisation:
    """The organisation of that slug; without one the only one, where the sample counts only if it is alone."""
    if slug:
        found = Organisation.objects.filter(slug=slug).first()
        if found is None:
            raise UnknownOrganisation(f"There is no organisation “{slug}”.")
        return found
    own = list(Organisation.objects.filter(is_sample=False)[:2]) or list(Organisation.objects.all()[:2])
    if len(own) != 1:
        raise UnknownOrganisation(
            "There are several organisations: choose one with --organisation."
            if own
            else "There is no organisation yet: create one first."
        )
    return own[0]


def chosen_for_import(slug: str | None = None) -> Organisation:
    """Like `chosen`, but never the sample by default: the first own organisation is made when it is needed."""
    if not slug and not Organisation.objects.filter(is_sample=False).exists():
        return create_organisation("My organisation")
    return chosen(slug)


SUMMED = (
    *(DailyCost, ModelDailyCost, ProjectDailyCost, OfferingDailyCost),
    *(OfficialCost, OfficialModelCost, OfficialProjectCost, OfficialOfferingCost),
)
"""Every rollup and official record."""


def remove_sample() -> int:
    """Take the sample workspace away with everything in it; how many organisations that were."""
    samples = list(Organisation.objects.filter(is_sample=True))
    for organisation in samples:
        with transaction.atomic():
            lock_organisation(organisation.pk)
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM usage_usagerecord WHERE organisation_id = %s", [organisation.pk])
            for rows in SUMMED:
                rows._default_manager.filter(organisation=organisation).delete()
            organisation.delete()
    return len(samples)


def _free_slug(name: str) -> str:
    """A slug that no organisation has."""
    slug, number = _slug(name), 1
    taken = set(Organisation.objects.filter(slug__startswith=slug).values_list("slug", flat=True))
    while (f"{slug}-{number}" if number > 1 else slug) in taken:
        number += 1
    return f"{slug}-{number}" if number > 1 else slug


def _slug(name: str) -> str:
    """A slug that is free to read and never empty."""
    return slugify(name)[:100] or "organisation"
