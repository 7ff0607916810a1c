"""Addresses: pages, the HTTP API, and what a load balancer asks."""

from django.urls import URLPattern, URLResolver, include, path

from config.api import api, files
from dashboards.api import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("api/v1/", api.urls),
    path("", include("dashboards.urls")),
    path("", include("dashboards.catalogue_urls")),
    path("", include("dashboards.ledger_urls")),
    path("", include("dashboards.settings_urls")),
    path("", files.urls),
]

handler400 = "dashboards.api.problem.bad_request"
handler403 = "dashboards.api.problem.forbidden"
handler404 = "dashboards.api.problem.not_found"
handler500 = "dashboards.api.problem.server_error"
