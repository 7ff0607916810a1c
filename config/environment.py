"""Readers for RATECARD_* variables: each returns a typed value or raises a sentence on what to set."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict, make_conninfo

PREFIX = "RATECARD_"
BASE_DIR = Path(__file__).resolve().parent.parent
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def text(name: str, default: str = "") -> str:
    """The value of RATECARD_`name` without surrounding blanks; an empty one counts as not set."""
    return os.environ.get(PREFIX + name, "").strip() or default


def boolean(name: str, *, default: bool) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise _fault(name, "is neither true nor false: set it to true or false")


def integer(name: str, *, default: int, least: int = 1) -> int:
    value = text(name)
    if not value:
        return default
    if not value.isdecimal() or int(value) < least:
        raise _fault(name, f"must be a whole number of at least {least}, for example {default}")
    return int(value)


def size(name: str, *, default: int) -> int:
    """A number of bytes; K, M and G (also KiB, MiB, GiB, KB, MB, GB) are powers of 1,024."""
    value = text(name)
    if not value:
        return default
    match = re.fullmatch(r"(\d+)\s*([KMG]?)(?:i?B)?", value, re.IGNORECASE)
    if match is None or int(match[1]) == 0:
        raise _fault(name, "must be a size such as 52428800, 500K, 50M or 1G")
    return int(match[1]) * _UNITS[match[2].upper()]


def names(name: str) -> tuple[str, ...]:
    """A comma-separated list, blanks dropped."""
    return tuple(part.strip() for part in text(name).split(",") if part.strip())


def url(name: str, default: str, *, schemes: tuple[str, ...]) -> SplitResult | None:
    """A URL whose scheme is one of `schemes`; None where nothing is set and there is no default."""
    value = text(name, default)
    if not value:
        return None
    parts = urlsplit(value)
    known = " or ".join(f"{scheme}://" for scheme in schemes)
    if parts.scheme not in schemes:
        raise _fault(name, f"must start with {known}")
    try:
        _ = parts.port
    except ValueError:
        raise _fault(name, "names a port that is not a number between 0 and 65535") from None
    return parts


@dataclass(frozen=True)
class Database:
    """Where the data lives: the embedded server below `folder`, or a PostgreSQL that others run."""

    folder: Path | None = None
    name: str = "ratecard"
    user: str = "ratecard"
    password: str = field(default="", repr=False)
    host: str = ""
    port: str = ""
    options: dict[str, str] = field(default_factory=dict)

    def conninfo(self, **changes: str) -> str:
        """The libpq connection string, without `options`' empty values."""
        known = {
            "host": self.host,
            "port": self.port,
            "dbname": self.name,
            "user": self.user,
            "password": self.password,
            **self.options,
            **changes,
        }
        return make_conninfo("", **{key: value for key, value in known.items() if value})


def database(name: str = "DATABASE_URL", default: str = "embedded://.data") -> Database:
    """`embedded://PATH`, PATH literal and relative to manage.py's folder, or a full `postgresql://` URL."""
    value = text(name, default)
    if value.startswith("embedded://"):
        literal = value.removeprefix("embedded://")
        if not literal:
            raise _fault(name, "names no folder: write embedded://.data or embedded:///var/lib/ratecard")
        from config import embedded

        folder = Path(os.path.abspath(BASE_DIR / literal))
        return Database(folder=folder, host=str(embedded.socket_folder(folder)), port=embedded.PORT)
    if not value.startswith(("postgresql://", "postgres://")):
        raise _fault(name, "must be embedded://FOLDER or postgresql://USER:PASSWORD@HOST:PORT/NAME")
    try:
        known = {key: str(part) for key, part in conninfo_to_dict(value).items() if part is not None}
    except Exception as error:
        reason = str(error).strip().removesuffix(".")
        raise _fault(name, f"is not a PostgreSQL URL ({reason}): write %-escapes for special signs") from None
    if not known.get("dbname"):
        raise _fault(name, "names no database: write postgresql://USER:PASSWORD@HOST:PORT/NAME")
    return Database(
        name=known.pop("dbname"),
        user=known.pop("user", ""),
        password=known.pop("password", ""),
        host=known.pop("host", ""),
        port=known.pop("port", ""),
        options=known,
    )


def mail(name: str = "EMAIL_URL") -> dict[str, object]:
    """Django's EMAIL_* settings from console://, smtp:// (STARTTLS), smtps://, or file:///FOLDER.

    `?from=` is the sender of every message; `?tls=none` on smtp:// sends unencrypted (a relay on this host).
    """
    parts = url(name, "console://", schemes=("console", "smtp", "smtps", "file"))
    assert parts is not None  # noqa: S101 — there is a default
    query = dict(parse_qsl(parts.query))
    known: dict[str, object] = {"DEFAULT_FROM_EMAIL": query.get("from", "ratecard@localhost")}
    known["SERVER_EMAIL"] = known["DEFAULT_FROM_EMAIL"]
    if parts.scheme == "console":
        return known | {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    if parts.scheme == "file":
        backend = "django.core.mail.backends.filebased.EmailBackend"
        return known | {"EMAIL_BACKEND": backend, "EMAIL_FILE_PATH": unquote(parts.path)}
    if not parts.hostname:
        raise _fault(name, "names no mail server: write smtp://USER:PASSWORD@HOST:587")
    if "from" not in query:
        raise _fault(name, "names no sender: add ?from=ratecard@your-domain")
    encrypted = parts.scheme == "smtps"
    return known | {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if encrypted else 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": encrypted,
        "EMAIL_USE_TLS": not encrypted and query.get("tls") != "none",
        "EMAIL_TIMEOUT": 20,
    }


def secret_key(where: Database, name: str = "SECRET_KEY") -> str:
    """The key that signs sessions: RATECARD_SECRET_KEY, else made once and kept under the embedded folder."""
    value = text(name)
    if value:
        if len(value) < 32:
            raise _fault(name, "is shorter than 32 characters: use a long random text and keep it")
        return value
    if where.folder is None:
        raise _fault(name, "is not set: set it to a long random text (50 characters) and keep it")
    from config.keys import kept_key

    return kept_key(where.folder / "secret_key")


def _fault(name: str, what: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{PREFIX}{name} {what}.")
