"""The one writer of the audit log: every change by a person goes through `record`, after the change.

Where the change has a transaction of its own, call it inside, so that neither stands without the other.
"""

import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from dashboards.models import AccessToken, AuditEntry, Person

if TYPE_CHECKING:
    from usage.models import Organisation

COMMAND = "command line"
KEPT_OUT = "(not kept)"
# Keys whose values are secrets, whatever they hold; "key" alone is a dimension of usage and may be shown.
_SECRET_KEY = re.compile(
    r"passw|secret|credential|authorization|cookie|sha256|(^|_)token$|(api|private|access|encryption)_?key$", re.I
)
# Values that are secrets by their looks: tokens of ours and of vendors, and passwords within addresses.
_SECRET_VALUE = re.compile(
    r"\b(?:rc_|sk-|sk_|pk_|ghp_|xox[bp]-|AKIA|Bearer )[\w./+-]{12,}|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
)

address: ContextVar[str | None] = ContextVar("address", default=None)
"""The network address of the request being answered; None outside of one. Set by `config.middleware`."""


def record(
    person: object,
    action: str,
    subject: object,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    organisation: "Organisation | None" = None,
) -> AuditEntry:
    """Notes that `person` did `action` (“changed a rule”) to `subject`, and what that changed.

    `person` is `request.user`, or the token that a program showed, or None: nobody signed in, or a command.
    `before` and `after` are the fields that matter, by name; None where there was nothing before or is nothing after.
    Secrets are left out by their looks, but do not pass them. `organisation` None: the change is of the instance, as
    a decision on the catalogue is.
    """
    came_from = address.get()
    token = person if isinstance(person, AccessToken) else None
    known = token.person if token else person if isinstance(person, Person) else None
    return AuditEntry.objects.create(
        organisation=organisation,
        person=known,
        who=_of_token(token) if token else known.email if known else COMMAND if came_from is None else "",
        action=_plain(action)[:80],
        subject=_without_secrets(_plain(str(subject)))[:300],
        before=None if before is None else _without_secrets(before),
        after=None if after is None else _without_secrets(after),
        address=(came_from or "")[:64],
    )


def _of_token(token: AccessToken) -> str:
    """A token by its name, and whose it is: its person did not type it."""
    owner = f" of {token.person.email}" if token.person else ""
    told: str = _without_secrets(f"token {_plain(token.name)}{owner}")
    return told[:254]


def _plain(text: str) -> str:
    """PostgreSQL keeps no NUL, and a line break would tear the table."""
    return " ".join(text.replace("\x00", " ").split())


def _without_secrets(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            str(key): KEPT_OUT if part and _SECRET_KEY.search(str(key)) else _without_secrets(part)
            for key, part in value.items()
        }
    if isinstance(value, str):
        return _SECRET_VALUE.sub(KEPT_OUT, value.replace("\x00", " "))
    if isinstance(value, Sequence | set | frozenset):
        return [_without_secrets(part) for part in value]
    return value
