"""Credentials of connections: encrypted at rest under a key made from the instance's secret key, never shown again."""

from __future__ import annotations

import base64
from typing import Final

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

LONGEST: Final = 2_000
SHOWN: Final = 4
_SHORT: Final = 16
_INFO: Final = b"ratecard: credentials of connections, 1"


class Unreadable(ValueError):
    """A credential that cannot be read, or is none: one sentence."""


def sealed(secret: str) -> str:
    """The credential as the database keeps it; Unreadable where it is none."""
    secret = secret.strip()
    if not secret:
        raise Unreadable("Paste the key.")
    if len(secret) > LONGEST or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise Unreadable("That is no key: paste it alone, without blanks or line breaks.")
    return _fernet().encrypt(secret.encode()).decode()


def opened(credential: str) -> str:
    """The credential itself, for the header of a request and nothing else."""
    try:
        return _fernet().decrypt(credential.encode()).decode()
    except InvalidToken:
        raise Unreadable(
            "The key cannot be read, as the instance's secret key has changed since it was saved: paste it again."
        ) from None


def end_of(secret: str) -> str:
    """What may be shown of it: its last characters, nothing of one so short that they would tell it."""
    secret = secret.strip()
    return secret[-SHOWN:] if len(secret) >= _SHORT else ""


def _fernet() -> Fernet:
    derived = HKDF(SHA256(), 32, salt=None, info=_INFO).derive(settings.SECRET_KEY.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
