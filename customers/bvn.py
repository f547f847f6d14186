"""The bank verification number: encrypted at rest, recognized again by a keyed hash, shown by its last digits."""

from __future__ import annotations

import re
from typing import Final

from django.core.exceptions import ValidationError

from lendconsole.encryption import encrypt, fingerprint

PURPOSE: Final = "bvn"
_BVN: Final = re.compile(r"[0-9]{11}")


def parse_bvn(text: str) -> str:
    """The 11 digits, however they were grouped. Raises ValidationError."""
    digits = re.sub(r"[\s-]", "", text)
    if not _BVN.fullmatch(digits):
        raise ValidationError("A BVN has 11 digits.", code="bvn")
    return digits


def bvn_columns(bvn: str) -> dict[str, str]:
    """How the number stands in a row of Customer."""
    return {
        "bvn_encrypted": encrypt(bvn),
        "bvn_fingerprint": bvn_fingerprint(bvn),
        "bvn_last_digits": bvn[-4:],
    }


def bvn_fingerprint(bvn: str) -> str:
    return fingerprint(bvn, purpose=PURPOSE)
