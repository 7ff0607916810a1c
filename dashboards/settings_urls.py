"""Addresses of the settings."""

from django.urls import URLPattern, path

from dashboards.views.people import audit

urlpatterns: list[URLPattern] = [
    path("settings/audit", audit.audit, name="settings-audit"),
]
