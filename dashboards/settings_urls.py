"""Addresses of the settings, and of the invitation that leads there."""

from django.urls import URLPattern, path

from dashboards.views.people import account, alerts, audit, instance, invitation, members, needs, organisation, projects

urlpatterns: list[URLPattern] = [
    path("invitation/<str:secret>", invitation.invitation, name="invitation"),
    path("settings", account.settings, name="settings"),
    path("settings/account", account.account, name="settings-account"),
    path("settings/account/password", account.password, name="change-password"),
    path("settings/account/sessions/end-others", account.end_other_sessions, name="end-other-sessions"),
    path("settings/account/sessions/<int:number>/end", account.end_session, name="end-session"),
    path("settings/account/tokens", account.new_token, name="new-token"),
    path("settings/account/tokens/<int:number>/revoke", account.revoke_token, name="revoke-own-token"),
    path("settings/alerts", alerts.alert_settings, name="settings-alerts"),
    path("settings/alerts/mute", alerts.mute, name="mute-alerts"),
    path("settings/alerts/mutes/<int:number>/end", alerts.unmute, name="unmute-alerts"),
    path("settings/alerts/thresholds", alerts.thresholds, name="alert-thresholds"),
    path("settings/alerts/webhook", alerts.webhook, name="alert-webhook"),
    path("settings/organisation", organisation.organisation, name="settings-organisation"),
    path("settings/projects", projects.projects, name="settings-projects"),
    path("settings/projects/<int:number>", projects.change, name="change-project"),
    path("settings/projects/<int:number>/needs", needs.needs, name="project-needs"),
    path("settings/people", members.people, name="settings-people"),
    path("settings/people/invite", members.invite, name="invite"),
    path("settings/people/invitations/<int:number>/take-back", members.take_back, name="take-back-invitation"),
    path("settings/people/<int:number>/role", members.change_role, name="change-role"),
    path("settings/people/<int:number>/remove", members.remove, name="remove-member"),
    path("settings/tokens", organisation.tokens, name="settings-tokens"),
    path("settings/tokens/<int:number>/revoke", organisation.revoke_token, name="revoke-token"),
    path("settings/audit", audit.audit, name="settings-audit"),
    path("settings/instance", instance.instance, name="settings-instance"),
    path("settings/instance/people/<int:number>", instance.change_person, name="change-person"),
    path("settings/instance/people/<int:number>/link", instance.give_link, name="give-link"),
    path("settings/instance/organisations", instance.create_organisation, name="create-organisation"),
    path("settings/instance/organisations/<int:number>", instance.rename_organisation, name="rename-organisation"),
    path("settings/instance/organisations/<int:number>/adopt", instance.adopt_organisation, name="adopt-organisation"),
]
