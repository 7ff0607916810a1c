"""Addresses of the catalogue's pages."""

from django.urls import URLPattern, path

from dashboards.views import catalogue

urlpatterns: list[URLPattern] = [
    path("quality", catalogue.quality_page, name="quality"),
    path("quality/figure.json", catalogue.quality_figure, name="quality-figure"),
    path("models", catalogue.models, name="models"),
    path("models/<path:slug>/history.json", catalogue.model_history, name="model-history"),
    path("models/<path:slug>/evidence/<int:price_id>", catalogue.price_evidence, name="price-evidence"),
    path("models/<path:slug>", catalogue.model, name="model"),
]
