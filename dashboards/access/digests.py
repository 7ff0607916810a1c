"""What is kept of a secret. It carries 256 random bits, so one SHA-256 protects it; a slow hash slows the API."""

import hashlib


def sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
