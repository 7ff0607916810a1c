"""The resolver over the catalogue as it stands, kept in memory until the catalogue changes."""

from __future__ import annotations

from threading import Lock

from pricing.matching import AliasEntry, Entry, Resolver
from pricing.models import Alias, Offering, SourceRun

_lock = Lock()
_kept: tuple[int, Resolver] | None = None


def version() -> int:
    """A number that grows with every change of the catalogue's names."""
    newest = SourceRun.objects.filter(status=SourceRun.Status.CHANGED).order_by("-pk").values_list("pk", flat=True)
    return newest.first() or 0


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
                AliasEntry(*row)
                for row in Alias.objects.values_list(
                    "provider__slug", "name", "offering_id", "dated", "valid_from", "valid_until"
                )
            ],
        )
        _kept = (current, built)
    return built


def forget() -> None:
    """Drop what this process remembers; the next resolver is read afresh."""
    global _kept  # noqa: PLW0603
    _kept = None
