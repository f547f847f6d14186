"""Another e-mail address for a login: asked for, confirmed by a link that goes to the new address, told to the old one.

The link is signed over a nonce that changes with every wish and goes when it is used, so that a link works once and
only the newest one does.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.core import signing
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.urls import reverse

from accounts.models import User
from lendconsole.errors import DomainError

CONFIRMATION: Final = "account/email/address_confirmation"
CHANGED: Final = "account/email/address_changed"
LINK_HOURS: Final = 24
_SALT: Final = "accounts.addresses"


class AddressRefused(DomainError):
    """It is the present one, or that of another login."""

    field = "email"


class LinkUsed(DomainError):
    """The link is of an older wish, was used, is too old, or is somebody else's."""


@transaction.atomic
def ask_for_address(*, user: User, email: str) -> None:
    """Send a link to the address. Whether it belongs to another login is told to its owner alone, who gets the link.

    Raises AddressRefused for the present address.
    """
    present = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    email = User.objects.normalize_email(email)
    if email == present.email:
        raise AddressRefused("This is your present address.")
    present.wanted_email, present.wanted_email_nonce = email, secrets.token_urlsafe(24)
    present.save(update_fields=["wanted_email", "wanted_email_nonce"])
    token = signing.dumps([present.pk, present.wanted_email_nonce], salt=_SALT)
    link = reverse("accounts:email_confirm", args=[token])
    get_adapter().send_mail(CONFIRMATION, email, {"path": link, "name": present.name, "hours": LINK_HOURS})


def wanted_address(*, user: User, token: str) -> str:
    """The address that the link confirms. Raises LinkUsed."""
    try:
        pk, nonce = signing.loads(token, salt=_SALT, max_age=LINK_HOURS * 3600)
    except (signing.BadSignature, TypeError, ValueError):
        pk, nonce = None, ""
    if pk != user.pk or not nonce or nonce != user.wanted_email_nonce:
        raise LinkUsed("This link no longer works. Ask for a new one under “Your account”.")
    return user.wanted_email


def change_address(request: HttpRequest, *, user: User, token: str) -> str:
    """From now on the login has the new address; a note goes to the old one. Raises LinkUsed or AddressRefused."""
    try:
        with transaction.atomic():
            return _change(request, user, token)
    except IntegrityError as error:
        raise AddressRefused("This address belongs to another login already.") from error


def _change(request: HttpRequest, user: User, token: str) -> str:
    present = User.objects.select_for_update().get(pk=user.pk)
    email, former = wanted_address(user=present, token=token), present.email
    present.email, present.wanted_email, present.wanted_email_nonce = email, "", ""
    present.save(update_fields=["email", "wanted_email", "wanted_email_nonce"])
    EmailAddress.objects.filter(user=present).delete()
    EmailAddress.objects.create(user=present, email=email, verified=True, primary=True)
    adapter: Any = get_adapter(request)
    adapter.send_notification_mail(CHANGED, present, {}, email=former)
    return email
