"""Who people are and what role they have where."""

from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone


class Role(models.TextChoices):
    """What a person may do in an organisation or one of its projects; each includes the one before."""

    VIEWER = "viewer"
    MEMBER = "member"
    ADMIN = "admin"


class PersonManager(BaseUserManager["Person"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "Person":
        """A person who may sign in; without a password only by a one-time link."""
        person = self.model(email=email, **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "Person":
        return self.create_user(email, password, is_instance_admin=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "Person":
        return self.get(email=(username or "").strip().lower())


class Person(AbstractBaseUser):
    """Somebody who signs in by e-mail. Rights come from memberships.

    `is_instance_admin` decides on the catalogue and on people; it opens no organisation's usage.
    """

    email = models.EmailField("e-mail", unique=True)
    name = models.CharField(max_length=120, blank=True)
    time_zone = models.CharField(max_length=64, blank=True, help_text="Empty: the organisation's")
    is_instance_admin = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[PersonManager] = PersonManager()

    class Meta:
        verbose_name_plural = "people"
        constraints = [
            # With unique=True this makes the address unique whatever its case.
            models.CheckConstraint(condition=Q(email=Lower("email")), name="person_email_lower_case"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = self.email.strip().lower()
        super().save(*args, **kwargs)

    @property
    def zone(self) -> ZoneInfo | None:
        """The person's own time zone, or None where the organisation's holds."""
        return ZoneInfo(self.time_zone) if self.time_zone else None

    @property
    def is_staff(self) -> bool:
        return self.is_instance_admin

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.is_active and self.is_instance_admin

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and self.is_instance_admin


class Membership(models.Model):
    """A person's role in an organisation, or in one project of it."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey("usage.Organisation", on_delete=models.CASCADE, related_name="memberships")
    project = models.ForeignKey(
        "usage.Project",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="memberships",
        help_text="Empty: the whole organisation",
    )
    role = models.CharField(max_length=8, choices=Role)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "organisation", "project"],
                nulls_distinct=False,
                name="membership_once",
            ),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.role} of {self.project or self.organisation}"
