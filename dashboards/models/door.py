"""How people come in: one-time links, and the failures that slow a guesser."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from dashboards.models.people import Person


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
