"""Addresses of the ledger's pages."""

from django.urls import URLPattern, path

from dashboards.views import closing, imports, overview, project, records

urlpatterns: list[URLPattern] = [
    path("", overview.overview, name="overview"),
    path("overview/weeks.json", overview.figure, name="overview-figure"),
    path("overview.csv", overview.table, name="overview-csv"),
    path("projects/<slug:slug>", project.project, name="project"),
    path("projects/<slug:slug>/price.json", project.figure, name="project-figure"),
    path("projects/<slug:slug>.csv", project.table, name="project-csv"),
    path("spend/records", records.records, name="spend-records"),
    path("spend/records.csv", records.table, name="spend-records-csv"),
    path("periods", closing.closed_months, name="periods"),
    path("periods/<str:month>/close", closing.close, name="close-period"),
    path("periods/<str:month>/restate", closing.restate, name="restate-period"),
    path("periods/restatements/<int:number>/undo", closing.undo, name="undo-restatement"),
    path("imports", imports.imports, name="imports"),
    path("imports/runs", imports.runs, name="import-runs"),
    path("imports/columns", imports.columns, name="import-columns"),
    path("imports/transcripts", imports.transcripts, name="import-transcripts"),
    path("imports/sample/remove", imports.remove_sample, name="remove-sample"),
    path("imports/<int:number>", imports.run, name="import-run"),
    path("imports/<int:number>/rejected.csv", imports.rejected, name="import-rejected"),
]
