"""The resolver over the catalogue as it stands, kept in memory until the catalogue changes."""

from __future__ import annotations

from threading import Lock

from django.db import connection

from pricing.matching import AliasEntry, Entry, Resolver
from pricing.models import Alias, NameDecision, Offering
from pricing.sources import OFFICIAL

_lock = Lock()
_kept: tuple[str, Resolver] | None = None


def version() -> str:
    """Equal as long as no reading changed the catalogue and no person decided on a name: `RUN.DECISION.REVOKED`."""
    with connection.cursor() as cursor:
        cursor.execute(_VERSION)
        (text,) = cursor.fetchone() or ("",)
        return str(text)


# Plain SQL, as every look-up asks it first.
_VERSION = """
    SELECT concat_ws('.', (SELECT coalesce(max(id), 0) FROM pricing_sourcerun WHERE status = 'changed'),
                     (SELECT coalesce(max(id), 0) FROM pricing_namedecision),
                     (SELECT count(revoked_at) FROM pricing_namedecision))
"""


def resolver() -> Resolver:
    """The resolver of the current catalogue; one query while nothing changed."""
    global _kept  # noqa: PLW0603 - a cache of this process
    current = version()
    kept = _kept
    if kept is not None and kept[0] == current:
        return kept[1]
    with _lock:
        built = Resolver(
            [
                Entry(*row)
                for row in Offering.objects.values_list("pk", "provider__slug", "sku", "region", "model__slug")
            ],
            [
                AliasEntry(provider, name, offering, dated, since, until, trust == OFFICIAL)
                for provider, name, offering, dated, since, until, trust in Alias.objects.values_list(
                    "provider__slug", "name", "offering_id", "dated", "valid_from", "valid_until", "source__trust"
                )
            ],
            {
                (provider, name.lower()): offering
                for provider, name, offering in NameDecision.objects.filter(revoked_at=None).values_list(
                    "provider", "name", "offering_id"
                )
            },
        )
        _kept = (current, built)
    return built


def forget() -> None:
    """Drop what this process remembers; the next resolver is read afresh."""
    global _kept  # noqa: PLW0603
    _kept = None
