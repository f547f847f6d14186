"""Encryption of single values at rest (AES-128-CBC with HMAC, Fernet) and a keyed fingerprint for exact search.

`FIELD_ENCRYPTION_KEYS` lists the keys, newest first: the first encrypts, all of them decrypt, so keys can be rotated.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

__all__ = ["InvalidToken", "decrypt", "encrypt", "fingerprint", "has_newest_key"]


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(value: str) -> str:
    """The value, readable only with one of the configured keys. The same value encrypts differently each time."""
    return _cipher(tuple(settings.FIELD_ENCRYPTION_KEYS)).encrypt(value.encode()).decode()


def decrypt(token: str) -> str:
    """What `encrypt` was given. Raises InvalidToken when no configured key fits."""
    return _cipher(tuple(settings.FIELD_ENCRYPTION_KEYS)).decrypt(token.encode()).decode()


def has_newest_key(token: str) -> bool:
    """Whether it could still be read if the older keys were gone."""
    try:
        Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(token.encode())
    except InvalidToken:
        return False
    return True


def fingerprint(value: str, *, purpose: str) -> str:
    """A keyed hash (hex, 64 characters) that is equal for equal values of one purpose and tells nothing without the key."""
    key = f"{purpose}:{settings.FIELD_FINGERPRINT_KEY}".encode()
    return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()
