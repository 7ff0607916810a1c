"""The navigation all pages below /settings share."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

EVERYBODY, PROJECT, ORGANISATION, INSTANCE = "everybody", "project", "organisation", "instance"


@dataclass(frozen=True)
class Tab:
    """One page of the settings, for who administers any of `needs`."""

    label: str
    url_name: str
    needs: frozenset[str]


@dataclass(frozen=True)
class Link:
    label: str
    url: str
    is_current: bool


# A page appears once its address exists, for whoever may open it.
TABS = (
    Tab("Account", "settings-account", frozenset({EVERYBODY})),
    Tab("Alerts", "settings-alerts", frozenset({EVERYBODY})),
    Tab("Organisation", "settings-organisation", frozenset({ORGANISATION})),
    Tab("Projects", "settings-projects", frozenset({ORGANISATION})),
    Tab("People", "settings-people", frozenset({ORGANISATION, PROJECT})),
    Tab("Tokens", "settings-tokens", frozenset({ORGANISATION})),
    Tab("Audit log", "settings-audit", frozenset({ORGANISATION, INSTANCE})),
    Tab("Instance", "settings-instance", frozenset({INSTANCE})),
)


def tabs(path: str, rights: frozenset[str]) -> list[Link]:
    """The settings that somebody of these rights may open, the one at `path` marked."""
    links = []
    for tab in TABS:
        if not tab.needs & (rights | {EVERYBODY}):
            continue
        try:
            url = reverse(tab.url_name)
        except NoReverseMatch:
            continue
        links.append(Link(tab.label, url, path == url or path.startswith(f"{url}/")))
    return links
