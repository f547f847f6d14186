"""Codes that people read in an e-mail and type: how they look, and how they stand in the database."""

from __future__ import annotations

import re
import secrets
from typing import Final

from lendconsole.encryption import fingerprint

SIGN_IN_DIGITS: Final = 8
MANAGER_LENGTH: Final = 10
LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without those that are taken for one another. Ten of them are some 800,000,000,000,000 codes."""


def new_sign_in_code() -> str:
    return f"{secrets.randbelow(10**SIGN_IN_DIGITS):0{SIGN_IN_DIGITS}d}"


def new_manager_code() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(MANAGER_LENGTH))


def spaced(code: str, separator: str) -> str:
    """In two halves, which are easier to read out."""
    half = len(code) // 2
    return f"{code[:half]}{separator}{code[half:]}"


def tidy(typed: str) -> str:
    """What was typed without blanks and hyphens, in capitals, no longer than any code."""
    return re.sub(r"[\s-]", "", typed)[:40].upper()


def sign_in_digest(code: str, *, customer_id: int, email: str) -> str:
    """Worthless once the customer has another address."""
    return fingerprint(f"{customer_id}:{email}:{code}", purpose="customers.borrower_code")


def manager_digest(code: str) -> str:
    return fingerprint(code, purpose="customers.manager_code")


def browser_mark(nonce: str, email: str) -> str:
    """Of one browser that asked for one address; tells neither."""
    return fingerprint(f"{nonce}:{email.strip().lower()}", purpose="customers.borrower_browser")
