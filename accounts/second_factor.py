"""Codes of the second factor: each is good once, also when two browsers send it at the same time.

allauth remembers used codes in the cache for one period; here the number of the newest used period stands in the
locked row itself, which holds when the cache is emptied or away and allows for a clock that is half a minute off.
"""

from __future__ import annotations

from typing import Final

from allauth.account.adapter import get_adapter
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import User

USED_PERIOD: Final = "used_period"


class CodeUsedBefore(ValidationError):
    """The code is right and was used already."""

    def __init__(self) -> None:
        super().__init__("This code was used before. Wait for the next one.", code="used_code")


@transaction.atomic
def use_code(user: User, code: str) -> Authenticator | None:
    """Use up a code of the app or a recovery code. None if it is neither. Raises CodeUsedBefore."""
    factors = (
        Authenticator.objects.filter(user=user)
        .exclude(type=Authenticator.Type.WEBAUTHN)
        .select_for_update()
        .order_by("pk")
    )
    for factor in factors:
        used = _use_app_code(factor, code) if factor.type == Authenticator.Type.TOTP else _use_recovery(factor, code)
        if used:
            factor.user = user
            return factor
    return None


def _use_recovery(factor: Authenticator, code: str) -> bool:
    return bool(factor.wrap().validate_code(code))


def _use_app_code(factor: Authenticator, code: str) -> bool:
    secret = decrypt(factor.data["secret"])
    for period in yield_hotp_counters_from_time():
        if compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, period))):
            if period <= factor.data.get(USED_PERIOD, 0):
                raise CodeUsedBefore
            factor.data[USED_PERIOD] = period
            factor.save(update_fields=["data"])
            return True
    return False


def wrong_code() -> ValidationError:
    error: ValidationError = get_adapter().validation_error("incorrect_code")
    return error
