"""Who may enter and what they may see. The one owner of writes to dashboards' people and token tables."""

from dashboards.access.invitations import (
    INVITATION_LIVES,
    accept,
    invitation_of,
    invite,
    join,
    open_ones,
    take_back,
)
from dashboards.access.links import (
    FIRST_PERSON,
    LINK_LIVES,
    first_sign_in_link,
    sign_in_link,
    sign_in_link_lives,
    use_sign_in_link,
)
from dashboards.access.memberships import change_role, grant, grant_at_least, remove
from dashboards.access.passwords import PAUSE, TRIES, PasswordTry, set_password, sign_in
from dashboards.access.people import Refused, change_details, person_of, set_active, set_instance_admin
from dashboards.access.roles import (
    RANK,
    SESSION_ORGANISATION,
    administers,
    choose_organisation,
    current_organisation,
    highest_role,
    join_orphan_organisations,
    may,
    may_decide,
    organisations_of,
    own_organisations,
    projects_seen,
    require,
    require_decider,
)
from dashboards.access.tokens import (
    SCOPES,
    create_token,
    person_for_token,
    revoke_token,
    token_for_header,
    token_for_secret,
    token_may,
)

__all__ = [
    "FIRST_PERSON", "INVITATION_LIVES", "LINK_LIVES", "PAUSE", "RANK", "SCOPES", "SESSION_ORGANISATION", "TRIES",
    "PasswordTry", "Refused", "accept", "administers", "change_details", "change_role", "choose_organisation",
    "create_token", "current_organisation", "first_sign_in_link", "grant", "grant_at_least", "highest_role",
    "invitation_of", "invite", "join", "join_orphan_organisations", "may", "may_decide", "open_ones",
    "organisations_of", "own_organisations", "person_for_token", "person_of", "projects_seen", "remove", "require",
    "require_decider", "revoke_token", "set_active", "set_instance_admin", "set_password", "sign_in", "sign_in_link",
    "sign_in_link_lives", "take_back", "token_for_header", "token_for_secret", "token_may", "use_sign_in_link",
]  # fmt: skip
