"""allauth on our terms: nobody signs up, account mails go through the outbox, seeds are sealed, limits cannot be dodged.

It stands in the roof because it queues mail, and notifications is above accounts.
"""

from __future__ import annotations

import logging
import time
from typing import Any, Final
from urllib.parse import urlsplit

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.addresses import CHANGED, CONFIRMATION
from accounts.browsers import describe_browser
from accounts.known_browsers import known_browser, remember_browser
from accounts.models import User
from lendconsole.encryption import decrypt, encrypt
from lendconsole.middleware import client_address
from notifications.services import queue_account_email

logger = logging.getLogger("lendconsole.sign_in")

RESET: Final = "account/email/password_reset_key"
RESET_FOR_NOBODY: Final = "account/email/unknown_account"
NOTICES: Final = {
    CHANGED: "The e-mail address of your login was changed, so you no longer sign in with this one",
    "account/email/password_changed": "Your password was changed",
    "account/email/password_set": "A password was set",
    "account/email/password_reset": "Your password was changed by a link sent to this address",
    "mfa/email/totp_activated": "An authenticator app was added as your second factor",
    "mfa/email/totp_deactivated": "The authenticator app was removed from your second factors",
    "mfa/email/recovery_codes_generated": "New recovery codes were made; the former ones no longer work",
    "mfa/email/webauthn_added": "A passkey was added",
    "mfa/email/webauthn_removed": "A passkey was removed",
}
WAYS_TO_CONFIRM: Final = {
    "reauthenticate": "Use your password",
    "mfa_reauthenticate": "Use a code",
    "mfa_reauthenticate:webauthn": "Use your passkey",
}


class _Rehearsal(Exception):
    """Rolls back a mail that was written only so that an unknown address takes as long as a known one."""


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "account_inactive": "This login is switched off. Ask an admin of your organization.",
        "email_password_mismatch": "The e-mail address or the password is not right.",
        "enter_current_password": "This is not your present password.",
        "incorrect_password": "This is not your password.",
        "incorrect_code": "This code is not right. Enter the newest one.",
        "invalid_password_reset": "This link no longer works.",
        "rate_limited": "Too many tries. Wait a few minutes and try once more.",
        "too_many_login_attempts": "Too many tries. Wait five minutes and try once more, or reset your password.",
        "unverified_primary_email": "Your e-mail address is not confirmed yet.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_ajax(self, request: HttpRequest) -> bool:
        """Pages answer with pages. One address alone speaks JSON: what a passkey has to sign."""
        match = request.resolver_match
        return match is not None and match.url_name == "mfa_login_webauthn" and request.method == "GET"

    def is_safe_url(self, url: str) -> bool:
        """Paths of this site only; we never send anybody to another address."""
        return url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)

    # Limits and sessions

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request) or "0.0.0.0"  # noqa: S104  # one bucket, not a bind address

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """By the address alone (allauth adds the Host header, whose port anybody can vary) and by known browser."""
        email = str(credentials.get("email", "")).lower()
        return f"{email}:{known_browser(request, email) or ''}"

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        logger.warning("sign-in refused from %s", self.get_client_ip(request))

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **kwargs)
        remember_browser(request, response, user.email)
        logger.info("user %s signed in", user.pk)
        return response

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Not within five minutes of signing in: allauth itself counts only what was confirmed after the sign-in."""
        request = context.request
        records = get_authentication_records(request, request.user)
        if records and time.time() - records[-1]["at"] < app_settings.REAUTHENTICATION_TIMEOUT:
            return False
        required: bool = super().is_reauthentication_required(app=app, **kwargs)
        return required

    def get_reauthentication_methods(self, user: User | AnonymousUser) -> list[dict[str, Any]]:
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return [method | {"description": WAYS_TO_CONFIRM[method["id"]]} for method in methods]

    # Mail

    def get_reset_password_from_key_url(self, key: str) -> str:
        user_id, _, token = key.partition("-")
        return settings.BASE_URL + reverse("account_reset_password_from_key", args=[user_id, token])

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        """To the address of the login, not to the one that was typed and found to be alike."""
        self.send_mail(RESET, user.email, context)

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        logger.info("user %s: %s", user.pk, template_prefix.rpartition("/")[2])
        super().send_notification_mail(template_prefix, user, context, email or user.email)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        if template_prefix == RESET_FOR_NOBODY:
            self._rehearse(email)
        elif template_prefix == RESET:
            _queue("accounts/password_reset", email, {"link": context["password_reset_url"]})
        elif template_prefix == CONFIRMATION:
            link = settings.BASE_URL + context["path"]
            _queue("accounts/address_confirmation", email, {**context, "link": link})
        else:
            _queue("accounts/notice", email, self._notice(template_prefix, context))

    def _notice(self, template_prefix: str, context: dict[str, Any]) -> dict[str, Any]:
        return {
            "fact": NOTICES[template_prefix],
            "at": timezone.now(),
            "ip_address": context.get("ip", ""),
            "browser": describe_browser(context.get("user_agent", "")),
        }

    def _rehearse(self, email: str) -> None:
        """A stranger gets no mail, and whoever asked cannot tell from the clock that there is no such login."""
        link = self.get_reset_password_from_key_url(f"x-{'x' * 39}")
        try:
            with transaction.atomic():
                _queue("accounts/password_reset", email, {"link": link})
                raise _Rehearsal
        except _Rehearsal:
            return


def _queue(letter: str, recipient: str, context: dict[str, Any]) -> None:
    context |= {"base_url": settings.BASE_URL, "recipient": recipient}
    parts = {part: render_to_string(f"emails/{letter}.{part}", context) for part in ("subject.txt", "txt", "html")}
    queue_account_email(
        recipient=recipient, subject=" ".join(parts["subject.txt"].split()), text=parts["txt"], html=parts["html"]
    )


class SecondFactorAdapter(DefaultMFAAdapter):
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "This code is not right. Enter the newest one.",
        "unverified_email": "Confirm your e-mail address before you add a second factor.",
        "cannot_delete_authenticator": "This second factor cannot be removed.",
        "cannot_generate_recovery_codes": "Recovery codes come with a second factor. Add one first.",
    }

    def encrypt(self, text: str) -> str:
        return encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return decrypt(encrypted_text)

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:  # noqa: A002  # allauth's word
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return "Passkey" if number == 1 else f"Passkey {number}"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Passkeys belong to the configured address, whatever the Host header says."""
        return {"id": urlsplit(settings.BASE_URL).hostname or "", "name": settings.MFA_TOTP_ISSUER}
