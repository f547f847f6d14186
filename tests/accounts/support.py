"""Browsers that sign in by the real form, authenticator apps, and what lies in the outbox."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass

import time_machine
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.http import HttpResponse
from django.test import Client

from accounts.models import User
from lendconsole.encryption import decrypt
from notifications.models import OutgoingEmail
from tests.factories import PASSWORD

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def sign_in(client: Client, user: User, password: str = PASSWORD, *, next: str = "", **extra: str) -> HttpResponse:  # noqa: A002
    data = {"login": user.email, "password": password, **({"next": next} if next else {})}
    response: HttpResponse = client.post("/accounts/login/", data, HTTP_USER_AGENT=FIREFOX, **extra)
    return response


def signed_in(user: User) -> Client:
    client = Client()
    assert sign_in(client, user).status_code == 302
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/accounts/").status_code == 200


@dataclass
class App:
    """An authenticator app. The tests stop the clock, so a code of `step` 1 is that of the next half minute."""

    secret: str

    def code(self, at: float, step: int = 0) -> str:
        return format_hotp_value(hotp_value(self.secret, int(at) // 30 + step))


def set_up_app(client: Client, clock: time_machine.Traveller, **extra: str) -> App:
    """Scan, enter the first code, and wait until that one is gone."""
    page = client.get("/accounts/2fa/app/activate/")
    app = App(page.context["form"].secret)
    response = client.post("/accounts/2fa/app/activate/", {"code": app.code(time.time())})
    assert response.headers["Location"] == "/accounts/2fa/recovery-codes/"
    clock.shift(60)
    return app


@dataclass
class Letter:
    recipient: str
    subject: str
    text: str
    html: str


def letters() -> list[Letter]:
    rows = OutgoingEmail.objects.filter(organization=None).order_by("pk")
    return [Letter(recipient=row.recipient, **json.loads(decrypt(row.sealed_body))) for row in rows]


def link_in(letter: Letter) -> str:
    found = re.search(r"https?://\S+/password/reset/key/\S+", letter.text)
    assert found is not None
    return found[0]
