"""The navigation all pages below /settings share."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse


@dataclass(frozen=True)
class Tab:
    """One page of the settings: who needs to be what to see it."""

    label: str
    url_name: str
    for_organisation: bool = False
    for_instance: bool = False


@dataclass(frozen=True)
class Link:
    label: str
    url: str
    is_current: bool


# A page appears once its address exists, for whoever may open it.
TABS = (
    Tab("Account", "settings-account"),
    Tab("Organisation", "settings-organisation", for_organisation=True),
    Tab("People", "settings-people", for_organisation=True),
    Tab("Tokens", "settings-tokens", for_organisation=True),
    Tab("Audit log", "settings-audit", for_organisation=True, for_instance=True),
    Tab("Instance", "settings-instance", for_instance=True),
)


def tabs(path: str, *, of_organisation: bool, of_instance: bool) -> list[Link]:
    """The settings this reader may open, the one at `path` marked."""
    links = []
    for tab in TABS:
        everybodys = not (tab.for_organisation or tab.for_instance)
        if not (everybodys or (tab.for_organisation and of_organisation) or (tab.for_instance and of_instance)):
            continue
        try:
            url = reverse(tab.url_name)
        except NoReverseMatch:
            continue
        links.append(Link(tab.label, url, path == url or path.startswith(f"{url}/")))
    return links
