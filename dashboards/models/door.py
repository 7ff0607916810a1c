"""How people come in and where they are in: links, invitations, sessions, and the failures that slow a guesser."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone

from dashboards.models.people import Person, Role


class SignInLink(models.Model):
    """A link that signs one person in, once, until it expires."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="sign_in_links")
    sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="link_expires_after_creation"),
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="link_secret_hashed"),
        ]

    def __str__(self) -> str:
        return f"Sign-in link of {self.person}"


class SignInFailure(models.Model):
    """A password that did not match, kept for as long as it slows the next try.

    `who_sha256` is the hash of e-mail and network address, so the table names nobody.
    """

    who_sha256 = models.CharField(max_length=64)
    failed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["who_sha256", "failed_at"], name="sign_in_failure_recent")]

    def __str__(self) -> str:
        return f"{self.who_sha256[:8]} at {self.failed_at:%Y-%m-%d %H:%M}"


class Invitation(models.Model):
    """A role that waits for whoever holds the link and is, or becomes, the person of that address."""

    organisation = models.ForeignKey("usage.Organisation", on_delete=models.CASCADE, related_name="invitations")
    project = models.ForeignKey(
        "usage.Project", on_delete=models.CASCADE, null=True, blank=True, help_text="Empty: the whole organisation"
    )
    email = models.EmailField("e-mail")
    role = models.CharField(max_length=8, choices=Role)
    sha256 = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(email=Lower("email")), name="invitation_email_lower_case"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="invitation_role_known"),
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="invitation_secret_hashed"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="invitation_expires_later"),
            models.CheckConstraint(condition=Q(accepted_at=None) | Q(revoked_at=None), name="invitation_ends_one_way"),
        ]

    def __str__(self) -> str:
        return f"{self.email}: {self.role} of {self.project or self.organisation}"


class BrowserSession(models.Model):
    """Where a person is signed in. The session itself is Django's; this names it for a person to recognise."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="browser_sessions")
    session_key = models.CharField(max_length=40, unique=True)
    device = models.CharField(max_length=80, help_text="In words, such as “Firefox on Linux”")
    address = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    last_seen_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.person}: {self.device}"
