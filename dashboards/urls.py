"""Addresses of the pages. The navigation shows a place once its name exists here (context.PLACES)."""

from django.urls import URLPattern, URLResolver, path

from dashboards.views import door

urlpatterns: list[URLPattern | URLResolver] = [
    path("sign-in", door.sign_in, name="sign-in"),
    path("sign-in/link/<str:secret>", door.sign_in_by_link, name="sign-in-link"),
    path("sign-in/password", door.set_password, name="set-password"),
    path("sign-out", door.sign_out, name="sign-out"),
    path("organisation", door.choose_organisation, name="choose-organisation"),
    path("favicon.ico", door.favicon),
    # catalogue: overview's neighbours "models", "model", "quality", …
    # ledger: "overview", "imports", …
]
