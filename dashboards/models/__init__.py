"""People and what they may see (accounts, memberships, tokens, one-time links), the log, mail and decisions.

Only `dashboards.access` writes the tables of people, only `dashboards.audit` the log of what they changed, only
`dashboards.outbox` the mail, only `dashboards.reports.subscriptions` who gets a report, only `dashboards.proposals` the
decisions, only `dashboards.alerts` and `dashboards.webhooks` the alerts. Secrets are stored as SHA-256 of 256 random
bits; the secret itself is shown once and kept nowhere.
"""

from dashboards.models.alerts import (
    Alert,
    AlertChoice,
    AlertKind,
    AlertMute,
    AlertNotice,
    AlertThreshold,
    Webhook,
    WebhookDelivery,
)
from dashboards.models.audit import AuditEntry, AuditQuerySet
from dashboards.models.door import BrowserSession, Invitation, SignInFailure, SignInLink
from dashboards.models.mail import Message, MessageQuerySet
from dashboards.models.people import Membership, Person, PersonManager, Role
from dashboards.models.proposals import KeptAdvice, Proposal, ProposalQuerySet
from dashboards.models.subscriptions import ReportSubscription, ReportSubscriptionQuerySet
from dashboards.models.tokens import AccessToken

__all__ = [
    "AccessToken",
    "Alert",
    "AlertChoice",
    "AlertKind",
    "AlertMute",
    "AlertNotice",
    "AlertThreshold",
    "AuditEntry",
    "AuditQuerySet",
    "BrowserSession",
    "Invitation",
    "KeptAdvice",
    "Membership",
    "Message",
    "MessageQuerySet",
    "Person",
    "PersonManager",
    "Proposal",
    "ProposalQuerySet",
    "ReportSubscription",
    "ReportSubscriptionQuerySet",
    "Role",
    "SignInFailure",
    "SignInLink",
    "Webhook",
    "WebhookDelivery",
]
