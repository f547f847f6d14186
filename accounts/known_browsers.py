"""A browser that has signed in with a login before has tries of its own.

So strangers who type wrong passwords for an address use up each other's tries, never those of its owner.
"""

from __future__ import annotations

import secrets
from typing import Final

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from lendconsole.encryption import fingerprint

LIFETIME: Final = 180 * 24 * 60 * 60
_SALT: Final = "accounts.known_browsers"
_PURPOSE: Final = "known browser"


def known_browser(request: HttpRequest, email: str) -> str | None:
    """The browser's own mark, if this very login was used in it before."""
    try:
        login, mark = signing.loads(
            request.COOKIES.get(settings.KNOWN_BROWSER_COOKIE_NAME, ""), salt=_SALT, max_age=LIFETIME
        )
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return str(mark) if login == fingerprint(email.lower(), purpose=_PURPOSE) else None


def remember_browser(request: HttpRequest, response: HttpResponse, email: str) -> None:
    mark = known_browser(request, email) or secrets.token_urlsafe(16)
    response.set_cookie(
        settings.KNOWN_BROWSER_COOKIE_NAME,
        signing.dumps([fingerprint(email.lower(), purpose=_PURPOSE), mark], salt=_SALT),
        max_age=LIFETIME,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
