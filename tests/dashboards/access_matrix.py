"""Who may open and who may change what: one line for each address of the URLconf and each operation of the API.

A new address fails `test_access_matrix.py` until it has its line here. Write `{…}` as in the table: the people for whom
the address answers. Everybody else gets 404, and nobody signed in is sent to the door.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

# Ann administers Acme, Mel is member, Vic views; Pam administers and Pete views project alpha only; Otto administers
# another organisation; Nora belongs to none; Root administers the instance and belongs to none.
ANN, MEL, VIC, PAM, PETE = "ann", "mel", "vic", "pam", "pete"
OTTO, NORA, ROOT, ANYBODY = "otto", "nora", "root", "anybody"
PEOPLE = frozenset({ANN, MEL, VIC, PAM, PETE, OTTO, NORA, ROOT})
EVERYBODY = PEOPLE | {ANYBODY}
NOBODY: frozenset[str] = frozenset()
# Pages of one's own organisation answer Otto too, with what is his.
READERS = frozenset({ANN, MEL, VIC, PAM, PETE, OTTO})
WHOLE = frozenset({ANN, MEL, VIC, OTTO})
IMPORTERS = frozenset({ANN, MEL, OTTO})
ADMINS = frozenset({ANN, OTTO})
INVITERS = ADMINS | {PAM}
# Pages of one of Acme's things answer nobody else.
OF_ACME = frozenset({ANN, MEL, VIC})
OF_ALPHA = OF_ACME | {PAM, PETE}
ADMIN_OF_ACME = frozenset({ANN})
ADMIN_OF_ALPHA = frozenset({ANN, PAM})
INSTANCE = frozenset({ROOT})

Things = dict[str, Any]


@dataclass(frozen=True)
class Line:
    """`read`: for whom GET answers; `change`: for whom POST does. `of` names the thing in the address."""

    read: frozenset[str] = NOBODY
    change: frozenset[str] = NOBODY
    of: Callable[[Things], dict[str, Any]] = field(default=lambda things: {})
    sends: Callable[[Things], dict[str, Any]] = field(default=lambda things: {})
    query: str = ""


def the(name: str, kwarg: str = "number") -> Callable[[Things], dict[str, Any]]:
    return lambda things: {kwarg: things[name]}


PAGES: dict[str, list[Line]] = {
    # operations
    "healthz": [Line(EVERYBODY)],
    "readyz": [Line(EVERYBODY)],
    # the door
    "sign-in": [Line(EVERYBODY, EVERYBODY)],
    "sign-in/link/<str:secret>": [Line(EVERYBODY, EVERYBODY, of=lambda _: {"secret": "x"})],
    "sign-in/password": [Line(EVERYBODY, EVERYBODY)],
    "sign-out": [Line(change=EVERYBODY)],
    "organisation": [
        Line(change=OF_ALPHA, sends=lambda things: {"organisation": things["acme"]}),
        Line(change=frozenset({OTTO}), sends=lambda things: {"organisation": things["other"]}),
    ],
    "favicon.ico": [Line(EVERYBODY)],
    "invitation/<str:secret>": [Line(EVERYBODY, EVERYBODY, of=lambda _: {"secret": "x"})],
    # the catalogue
    "quality": [Line(EVERYBODY), Line(OF_ACME, query="project=beta"), Line(OF_ALPHA, query="project=alpha")],
    "quality/figure.json": [
        Line(EVERYBODY),
        Line(OF_ACME, query="project=beta"),
        Line(OF_ALPHA, query="project=alpha"),
    ],
    "index": [Line(EVERYBODY)],
    "index/figure.json": [Line(EVERYBODY)],
    "index/convergence": [Line(EVERYBODY)],
    "index/convergence.json": [Line(EVERYBODY)],
    "index/convergence/share.json": [Line(EVERYBODY)],
    "models": [Line(EVERYBODY)],
    "models/<path:slug>/history.json": [Line(EVERYBODY, of=the("model", "slug"))],
    "models/<path:slug>/evidence/<int:price_id>": [
        Line(EVERYBODY, of=lambda things: {"slug": things["model"], "price_id": things["price"]})
    ],
    "models/<path:slug>/evidence/blend/<int:offering_id>": [
        Line(EVERYBODY, of=lambda things: {"slug": things["model"], "offering_id": things["offering"]})
    ],
    "models/<path:slug>": [Line(EVERYBODY, of=the("model", "slug"))],
    "changes": [Line(EVERYBODY)],
    "sources": [Line(EVERYBODY)],
    "sources/<slug:slug>": [Line(EVERYBODY, of=the("source", "slug"))],
    "compare": [Line(EVERYBODY)],
    "compare/history.json": [Line(EVERYBODY)],
    "compare/history.csv": [Line(EVERYBODY)],
    "ladder": [Line(EVERYBODY), Line(EVERYBODY, query="format=csv")],
    "ladder/figure.json": [Line(EVERYBODY)],
    "self-host": [Line(EVERYBODY), Line(EVERYBODY, query="format=csv")],
    "self-host/figure.json": [Line(EVERYBODY)],
    "review": [Line(PEOPLE), Line(PEOPLE, query="format=csv")],
    "review/prices/<int:number>": [Line(change=INSTANCE, of=the("doubt"))],
    "review/names": [Line(PEOPLE), Line(PEOPLE, query="format=csv")],
    "review/names/map": [Line(change=INSTANCE)],
    "review/decided": [Line(PEOPLE), Line(PEOPLE, query="format=csv")],
    "review/decided/<str:kind>/<int:number>/revoke": [
        Line(change=INSTANCE, of=lambda things: {"kind": "name", "number": things["mapping"]})
    ],
    # the ledger
    "": [Line(PEOPLE)],
    "overview/weeks.json": [Line(READERS)],
    "overview.csv": [Line(READERS)],
    "projects/<slug:slug>": [Line(OF_ALPHA, of=the("alpha", "slug")), Line(OF_ACME, of=the("beta", "slug"))],
    "projects/<slug:slug>/price.json": [Line(OF_ALPHA, of=the("alpha", "slug")), Line(OF_ACME, of=the("beta", "slug"))],
    "projects/<slug:slug>.csv": [
        Line(OF_ALPHA, of=the("alpha", "slug")),
        Line(OF_ACME, of=the("beta", "slug")),
        Line(OF_ALPHA, of=the("alpha", "slug"), query="of=parts&by=key"),
    ],
    "index/yours": [Line(PEOPLE), Line(OF_ACME, query="project=beta"), Line(OF_ALPHA, query="project=alpha")],
    "index/yours/levels.json": [
        Line(READERS),
        Line(OF_ACME, query="project=beta"),
        Line(OF_ALPHA, query="project=alpha"),
    ],
    "index/yours/parts.json": [
        Line(READERS),
        Line(OF_ACME, query="project=beta"),
        Line(OF_ALPHA, query="project=alpha"),
    ],
    "spend": [Line(PEOPLE), Line(OF_ACME, query="project=beta"), Line(OF_ALPHA, query="project=alpha")],
    "spend/figure.json": [Line(READERS), Line(OF_ACME, query="project=beta"), Line(OF_ALPHA, query="project=alpha")],
    "spend.csv": [
        Line(READERS),
        Line(OF_ACME, query="project=beta"),
        Line(OF_ALPHA, query="project=alpha"),
        Line(READERS, query="group_by=ext_user"),
    ],
    "unattributed": [Line(WHOLE), Line(WHOLE, query="by=ext_user&format=csv")],
    "unpriced": [Line(READERS), Line(READERS, query="format=csv")],
    "feeds": [Line(WHOLE)],
    "feeds/<int:number>/account": [Line(change=ADMIN_OF_ACME, of=the("connection"))],
    "spend/bridge": [Line(PEOPLE), Line(OF_ACME, query="project=beta"), Line(OF_ALPHA, query="project=alpha")],
    "spend/bridge.csv": [Line(READERS), Line(OF_ACME, query="project=beta"), Line(OF_ALPHA, query="project=alpha")],
    "spend/records": [Line(READERS), Line(OF_ACME, query="project=beta"), Line(OF_ALPHA, query="project=alpha")],
    "spend/records.csv": [Line(READERS), Line(OF_ACME, query="project=beta"), Line(OF_ALPHA, query="project=alpha")],
    "rules": [Line(WHOLE)],
    "rules/new": [Line(ADMINS, ADMINS), Line(ADMINS, query="field=ext_api_key&value=k-stray")],
    "rules/names": [Line(WHOLE, ADMINS), Line(WHOLE, query="q=search")],
    "rules/names/<int:number>/remove": [Line(change=ADMIN_OF_ACME, of=the("name"))],
    "rules/<int:number>": [Line(OF_ACME, ADMIN_OF_ACME, of=the("rule"))],
    "rules/<int:number>/move": [Line(change=ADMIN_OF_ACME, of=the("rule"))],
    "rules/<int:number>/enable": [Line(change=ADMIN_OF_ACME, of=the("rule"))],
    "alerts": [Line(READERS), Line(READERS, query="state=all&format=csv")],
    "settings/alerts": [Line(READERS, READERS)],
    "settings/alerts/mute": [Line(change=READERS)],
    "settings/alerts/mutes/<int:number>/end": [
        Line(change=frozenset({VIC}), of=the("mute")),
        Line(change=ADMIN_OF_ACME, of=the("mute_of_all")),
    ],
    "settings/alerts/thresholds": [Line(change=ADMINS)],
    "settings/alerts/webhook": [Line(change=ADMINS)],
    "budgets": [Line(READERS, ADMINS), Line(READERS, query="format=csv")],
    "budgets/<int:number>": [Line(ADMIN_OF_ACME, ADMIN_OF_ACME, of=the("budget"))],
    # weekly reports: one's own, and for an admin what of others' mail may not have arrived
    "reports": [Line(PEOPLE, READERS), Line(READERS, query="format=csv"), Line(frozenset({ANN}), query="change={sub}")],
    "reports/preview": [Line(READERS), Line(frozenset({ANN}), query="subscription={sub}")],
    "reports/preview/mail": [Line(READERS), Line(frozenset({ANN}), query="subscription={sub}")],
    "reports/sent/<int:number>": [Line(frozenset({ANN, VIC}), of=the("mail"))],
    "reports/sent/<int:number>/mail": [Line(frozenset({ANN, VIC}), of=the("mail"))],
    "reports/sent/<int:number>/again": [Line(change=frozenset({ANN, VIC}), of=the("mail"))],
    "reports/unsubscribe/<str:token>": [Line(EVERYBODY, EVERYBODY, of=the("unsubscribing", "token"))],
    "reports/<int:number>": [Line(change=frozenset({ANN}), of=the("sub"))],
    "reports/<int:number>/<str:what>": [
        Line(change=frozenset({ANN}), of=lambda things: {"number": things["sub"], "what": "pause"})
    ],
    "contracts": [Line(WHOLE)],
    "contracts/add/<str:what>": [Line(change=ADMINS, of=lambda _: {"what": "contract"})],
    "contracts/commitment/<int:number>/burn.json": [Line(OF_ACME, of=the("commitment"))],
    "contracts/<str:what>/<int:number>": [
        Line(ADMIN_OF_ACME, ADMIN_OF_ACME, of=lambda things: {"what": "fixed", "number": things["fixed_cost"]})
    ],
    "contracts/<str:what>/<int:number>/end": [
        Line(change=ADMIN_OF_ACME, of=lambda things: {"what": "fixed", "number": things["fixed_cost"]})
    ],
    "contracts/<str:what>/<int:number>/remove": [
        Line(change=ADMIN_OF_ACME, of=lambda things: {"what": "fixed", "number": things["fixed_cost"]})
    ],
    "periods": [Line(WHOLE)],
    "periods/<str:month>/close": [Line(change=ADMINS, of=lambda _: {"month": "2026-10"})],
    "periods/<str:month>/restate": [Line(change=ADMINS, of=lambda _: {"month": "2026-10"})],
    "periods/restatements/<int:number>/undo": [Line(change=ADMIN_OF_ACME, of=the("restatement"))],
    "imports": [Line(WHOLE | {NORA, ROOT}, IMPORTERS)],
    "imports/runs": [Line(WHOLE)],
    "imports/columns": [Line(IMPORTERS, IMPORTERS)],
    "imports/transcripts": [Line(change=NOBODY)],
    "imports/sample/remove": [Line(change=NOBODY)],
    "imports/<int:number>": [Line(OF_ACME, of=the("run"))],
    "imports/<int:number>/rejected.csv": [Line(OF_ACME, of=the("run"))],
    "imports/<int:number>/rejected-lines": [Line(frozenset({ANN, MEL}), of=the("run"))],
    "imports/<int:number>/retry": [Line(change=frozenset({ANN, MEL}), of=the("run"))],
    "imports/<int:number>/mapping": [Line(frozenset({ANN, MEL}), frozenset({ANN, MEL}), of=the("run"))],
    "imports/<int:number>/again": [Line(change=frozenset({ANN, MEL}), of=the("run"))],
    "connections": [Line(WHOLE)],
    "connections/new": [Line(ADMINS, ADMINS)],
    "connections/<int:number>": [Line(OF_ACME, of=the("connection"))],
    "connections/<int:number>/change": [Line(change=ADMIN_OF_ACME, of=the("connection"))],
    "connections/<int:number>/pull": [Line(change=ADMIN_OF_ACME, of=the("connection"))],
    "connections/<int:number>/test": [Line(change=ADMIN_OF_ACME, of=the("connection"))],
    "connections/<int:number>/pause": [Line(change=ADMIN_OF_ACME, of=the("connection"))],
    "connections/<int:number>/remove": [
        Line(change=ADMIN_OF_ACME, of=the("connection"), sends=lambda _: {"sure": "yes"})
    ],
    # decisions: one of project alpha, one of beta
    "decisions": [
        Line(PEOPLE),
        Line(OF_ACME, query="project=beta"),
        Line(OF_ALPHA, query="project=alpha"),
        Line(READERS, query="format=csv"),
    ],
    "decisions/refused": [Line(READERS), Line(OF_ACME, query="project=beta"), Line(READERS, query="format=csv")],
    "decisions/<int:number>": [
        Line(OF_ALPHA, of=the("proposal_of_alpha")),
        Line(OF_ACME, of=the("proposal_of_beta")),
        Line(OF_ALPHA, of=the("proposal_of_alpha"), query="format=csv&of=evidence"),
    ],
    "decisions/<int:number>/evidence.json": [Line(OF_ALPHA, of=the("proposal_of_alpha"))],
    "decisions/<int:number>/saving.json": [Line(OF_ALPHA, of=the("proposal_of_alpha"))],
    "decisions/<int:number>/decide": [
        Line(change=frozenset({ANN, MEL, PAM}), of=the("proposal_of_alpha"), sends=lambda _: {"do": "accept"}),
        Line(change=frozenset({ANN, MEL}), of=the("proposal_of_beta"), sends=lambda _: {"do": "done"}),
    ],
    # evaluations: a run of project alpha, one of beta
    "evaluations": [
        Line(READERS),
        Line(OF_ACME, query="project=beta"),
        Line(OF_ALPHA, query="project=alpha"),
        Line(READERS, query="format=csv"),
    ],
    "evaluations/figure.json": [Line(READERS)],
    "evaluations/import": [Line(change=IMPORTERS | {PAM})],
    "evaluations/compare": [
        Line(OF_ALPHA, query="current={run_of_alpha}&candidate={run_of_alpha}"),
        Line(OF_ACME, query="current={run_of_beta}&candidate={run_of_beta}"),
    ],
    "evaluations/compare/figure.json": [Line(OF_ALPHA, query="current={run_of_alpha}&candidate={run_of_alpha}")],
    "evaluations/names": [Line(WHOLE), Line(WHOLE, query="format=csv")],
    "evaluations/names/decide": [Line(change=IMPORTERS)],
    "evaluations/<int:number>": [
        Line(OF_ALPHA, of=the("run_of_alpha")),
        Line(OF_ACME, of=the("run_of_beta")),
        Line(OF_ALPHA, of=the("run_of_alpha"), query="format=csv"),
    ],
    "evaluations/<int:number>/remove": [
        Line(change=frozenset({ANN, MEL, PAM}), of=the("run_of_alpha")),
        Line(change=frozenset({ANN, MEL}), of=the("run_of_beta")),
    ],
    # settings
    "settings": [Line(PEOPLE)],
    "settings/account": [Line(PEOPLE, PEOPLE)],
    "settings/account/password": [Line(change=PEOPLE)],
    "settings/account/sessions/end-others": [Line(change=PEOPLE)],
    "settings/account/sessions/<int:number>/end": [Line(change=frozenset({ANN}), of=the("session"))],
    "settings/account/tokens": [Line(change=PEOPLE)],
    "settings/account/tokens/<int:number>/revoke": [Line(change=frozenset({MEL}), of=the("token"))],
    "settings/organisation": [Line(ADMINS, ADMINS)],
    "settings/projects": [Line(ADMINS, ADMINS)],
    "settings/projects/<int:number>": [Line(change=ADMIN_OF_ACME, of=the("project"))],
    "settings/projects/<int:number>/needs": [Line(ADMIN_OF_ALPHA, ADMIN_OF_ALPHA, of=the("project"))],
    "settings/people": [Line(INVITERS)],
    "settings/people/invite": [Line(change=INVITERS)],
    "settings/people/invitations/<int:number>/take-back": [
        Line(change=ADMIN_OF_ACME, of=the("invitation")),
        Line(change=ADMIN_OF_ALPHA, of=the("alpha_invitation")),
    ],
    "settings/people/<int:number>/role": [
        Line(change=ADMIN_OF_ACME, of=the("membership")),
        Line(change=ADMIN_OF_ALPHA, of=the("alpha_membership")),
    ],
    "settings/people/<int:number>/remove": [
        Line(change=ADMIN_OF_ACME, of=the("membership")),
        Line(change=ADMIN_OF_ALPHA, of=the("alpha_membership")),
    ],
    "settings/tokens": [Line(ADMINS)],
    "settings/tokens/<int:number>/revoke": [Line(change=ADMIN_OF_ACME, of=the("token"))],
    "settings/audit": [
        Line(ADMINS | {ROOT}),
        Line(ADMINS | {ROOT}, query="format=csv"),
        Line(ADMINS, query="of=organisation&format=csv"),
        Line(INSTANCE, query="of=instance"),
    ],
    "settings/instance": [Line(INSTANCE)],
    "settings/instance/people/<int:number>": [Line(change=INSTANCE, of=the("person"))],
    "settings/instance/people/<int:number>/link": [Line(change=INSTANCE, of=the("person"))],
    "settings/instance/organisations": [Line(change=INSTANCE)],
    "settings/instance/organisations/<int:number>": [Line(change=INSTANCE, of=the("acme"))],
    "settings/instance/organisations/<int:number>/adopt": [Line(change=INSTANCE, of=the("orphan"))],
}

# What each operation of the API takes of a token.
CATALOGUE, SPEND, USAGE, RULES = "catalogue:read", "spend:read", "usage:write", "rules:write"
WHOLE_SPEND = "spend:read of the whole organisation"
OPERATIONS: dict[str, str] = {
    "price": CATALOGUE, "price_history": CATALOGUE, "prices": CATALOGUE, "resolve": CATALOGUE, "models": CATALOGUE,
    "model": CATALOGUE, "changes": CATALOGUE, "frontier": CATALOGUE, "cost": CATALOGUE, "export_litellm": CATALOGUE,
    "price_index": CATALOGUE, "ladder": CATALOGUE, "self_host": CATALOGUE,
    "export_litellm_inexpressible": CATALOGUE, "feed_prices": CATALOGUE, "spend": SPEND, "usage_events": USAGE,
    "own_index": SPEND, "bridge": SPEND, "evaluations": SPEND, "recommendations": SPEND,
    "projects": SPEND, "rules": WHOLE_SPEND, "rule": WHOLE_SPEND, "rule_make": RULES,
    "rule_change": RULES, "rule_remove": RULES, "rules_set": RULES,
}  # fmt: skip
