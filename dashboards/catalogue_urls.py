"""Addresses of the catalogue's pages."""

from django.urls import URLPattern, path

from dashboards.views import (
    catalogue,
    changes,
    compare,
    index,
    index_convergence,
    ladder,
    model,
    quality,
    review,
    self_host,
    sources,
)

urlpatterns: list[URLPattern] = [
    path("quality", quality.page, name="quality"),
    path("quality/figure.json", quality.figure, name="quality-figure"),
    path("index", index.index, name="index"),
    path("index/figure.json", index.figure, name="index-figure"),
    path("index/convergence", index_convergence.convergence, name="index-convergence"),
    path("index/convergence.json", index_convergence.figure, name="index-convergence-figure"),
    path("index/convergence/share.json", index_convergence.share, name="index-convergence-share"),
    path("models", catalogue.models, name="models"),
    path("models/<path:slug>/history.json", model.model_history, name="model-history"),
    path("models/<path:slug>/evidence/<int:price_id>", model.price_evidence, name="price-evidence"),
    path("models/<path:slug>/evidence/blend/<int:offering_id>", model.blend_evidence, name="blend-evidence"),
    path("models/<path:slug>", model.model, name="model"),
    path("changes", changes.changes, name="changes"),
    path("sources", sources.sources, name="sources"),
    path("sources/<slug:slug>", sources.source, name="source"),
    path("compare", compare.compare, name="compare"),
    path("compare/history.json", compare.figure, name="compare-history"),
    path("compare/history.csv", compare.history, name="compare-history-csv"),
    path("ladder", ladder.ladder, name="ladder"),
    path("ladder/figure.json", ladder.figure, name="ladder-figure"),
    path("self-host", self_host.self_host, name="self-host"),
    path("self-host/figure.json", self_host.figure, name="self-host-figure"),
    path("review", review.prices, name="review"),
    path("review/prices/<int:number>", review.decide, name="review-decide"),
    path("review/names", review.names, name="review-names"),
    path("review/names/map", review.map_name, name="review-map"),
    path("review/decided", review.decided, name="review-decided"),
    path("review/decided/<str:kind>/<int:number>/revoke", review.revoke, name="review-revoke"),
]
