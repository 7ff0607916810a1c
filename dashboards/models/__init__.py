"""People and what they may see: accounts, memberships, tokens, one-time links, and the log of what they changed.

Only `dashboards.access` writes these tables, only `dashboards.audit` the log, only `dashboards.outbox` the mail.
Secrets are stored as SHA-256 of 256 random bits; the secret itself is shown once and kept nowhere.
"""

from dashboards.models.audit import AuditEntry, AuditQuerySet
from dashboards.models.door import BrowserSession, Invitation, SignInFailure, SignInLink
from dashboards.models.mail import Message, MessageQuerySet
from dashboards.models.people import Membership, Person, PersonManager, Role
from dashboards.models.tokens import AccessToken

__all__ = [
    "AccessToken",
    "AuditEntry",
    "AuditQuerySet",
    "BrowserSession",
    "Invitation",
    "Membership",
    "Message",
    "MessageQuerySet",
    "Person",
    "PersonManager",
    "Role",
    "SignInFailure",
    "SignInLink",
]
