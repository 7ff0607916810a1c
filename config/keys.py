"""A random key kept in a file that only its owner may read."""

import os
import secrets
import tempfile
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def kept_key(path: Path) -> str:
    """The key in `path`; made on first use. Processes that start together all get the same key."""
    try:
        if not path.exists():
            _make(path)
        key = path.read_text(encoding="ascii").strip()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ImproperlyConfigured(
            f"{path} cannot be read or made ({reason}): give this user the folder or set RATECARD_SECRET_KEY."
        ) from None
    if len(key) < 32:
        raise ImproperlyConfigured(f"{path} is damaged: restore it, or delete it (everybody signs in again).")
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".secret_key.")  # made with mode 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(50))
            file.flush()
            os.fsync(file.fileno())
        os.link(name, path)  # unlike a rename, never replaces the key another process has just made
    except FileExistsError:
        pass
    finally:
        Path(name).unlink()
