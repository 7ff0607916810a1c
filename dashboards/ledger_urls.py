"""Addresses of the ledger's pages."""

from django.urls import URLPattern, path

from dashboards.views import closing, connections, explore, import_run, imports, overview, project, records, rules

urlpatterns: list[URLPattern] = [
    path("", overview.overview, name="overview"),
    path("overview/weeks.json", overview.figure, name="overview-figure"),
    path("overview.csv", overview.table, name="overview-csv"),
    path("projects/<slug:slug>", project.project, name="project"),
    path("projects/<slug:slug>/price.json", project.figure, name="project-figure"),
    path("projects/<slug:slug>.csv", project.table, name="project-csv"),
    path("spend", explore.spend, name="spend"),
    path("spend/figure.json", explore.figure, name="spend-figure"),
    path("spend.csv", explore.table, name="spend-csv"),
    path("spend/records", records.records, name="spend-records"),
    path("spend/records.csv", records.table, name="spend-records-csv"),
    path("rules", rules.rules, name="rules"),
    path("rules/new", rules.new_rule, name="new-rule"),
    path("rules/<int:number>", rules.rule, name="rule"),
    path("rules/<int:number>/move", rules.move, name="move-rule"),
    path("rules/<int:number>/enable", rules.enable, name="enable-rule"),
    path("periods", closing.closed_months, name="periods"),
    path("periods/<str:month>/close", closing.close, name="close-period"),
    path("periods/<str:month>/restate", closing.restate, name="restate-period"),
    path("periods/restatements/<int:number>/undo", closing.undo, name="undo-restatement"),
    path("imports", imports.imports, name="imports"),
    path("imports/runs", imports.runs, name="import-runs"),
    path("imports/columns", imports.columns, name="import-columns"),
    path("imports/transcripts", imports.transcripts, name="import-transcripts"),
    path("imports/sample/remove", imports.remove_sample, name="remove-sample"),
    path("imports/<int:number>", import_run.run, name="import-run"),
    path("imports/<int:number>/rejected.csv", import_run.rejected, name="import-rejected"),
    path("imports/<int:number>/again", import_run.again, name="import-again"),
    path("connections", connections.connection_list, name="connections"),
    path("connections/new", connections.connect, name="connect"),
    path("connections/<int:number>", connections.connection, name="connection"),
    path("connections/<int:number>/change", connections.change, name="connection-change"),
    path("connections/<int:number>/pull", connections.pull, name="connection-pull"),
    path("connections/<int:number>/test", connections.check, name="connection-test"),
    path("connections/<int:number>/pause", connections.pause, name="connection-pause"),
    path("connections/<int:number>/remove", connections.disconnect, name="connection-remove"),
]
