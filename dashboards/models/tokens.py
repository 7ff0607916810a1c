"""Keys of programs to the API."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from dashboards.models.people import Person, Role


class AccessToken(models.Model):
    """A program's key to the API. Without an organisation it reads the catalogue only."""

    organisation = models.ForeignKey(
        "usage.Organisation", on_delete=models.CASCADE, null=True, blank=True, related_name="tokens"
    )
    person = models.ForeignKey(Person, on_delete=models.CASCADE, null=True, blank=True, related_name="tokens")
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=8, choices=Role)
    prefix = models.CharField(max_length=16, help_text="The secret's first characters, to tell tokens apart")
    sha256 = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(role__in=Role.values), name="token_role_known"),
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True) | Q(expires_at__gt=F("created_at")),
                name="token_expires_after_creation",
            ),
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="token_secret_hashed"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
