"""/dev/mailbox: every e-mail of a development machine, so that a newcomer can follow an invitation. Routed in development only."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Final

from csp.constants import NONE, UNSAFE_INLINE
from csp.decorators import csp
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import Organization
from lendconsole.tenancy import organization_context
from notifications.letters import label_of
from notifications.models import OutgoingEmail
from notifications.views import TONES

SHOWN: Final = 50
ACCOUNT_MAILS: Final = 0  # in the address, where an organization's number would stand
# An e-mail brings its own colors and may do nothing else; links open as on a page of their own.
E_MAIL_POLICY: Final = {
    "default-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "img-src": ["data:"],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
    "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
}


@login_not_required
@require_safe
def dev_mailbox(request: HttpRequest) -> HttpResponse:
    """The latest e-mails of each organization and of the logins, newest first, with what they say or why they wait."""
    emails: list[Any] = []
    for organization in [None, *Organization.objects.all()]:
        with _inside(organization.pk if organization else ACCOUNT_MAILS):
            emails += _latest(organization)
    emails.sort(key=lambda email: (email.created_at, email.pk), reverse=True)
    return render(request, "lendconsole/dev_mailbox.html", {"emails": emails[: 2 * SHOWN], "now": timezone.now()})


@login_not_required
@require_safe
@csp(E_MAIL_POLICY)  # type: ignore[arg-type]  # it knows views without arguments only
def dev_mailbox_html(request: HttpRequest, organization_id: int, pk: int) -> HttpResponse:
    """The HTML of one e-mail as its recipient sees it."""
    with _inside(organization_id):
        email = OutgoingEmail.objects.filter(organization=organization_id or None, pk=pk).first()
    if email is None or not email.sent_body or not email.sent_body["html"]:
        raise Http404
    return HttpResponse(email.sent_body["html"])


def _latest(organization: Organization | None) -> list[Any]:
    emails: list[Any] = list(
        OutgoingEmail.objects.filter(organization=organization).order_by("-created_at", "-id")[:SHOWN]
    )
    for email in emails:
        email.tone, email.letter = TONES[email.state], label_of(email.kind)
        email.sender = organization.name if organization else "Account mail"
        email.html_owner = organization.pk if organization else ACCOUNT_MAILS
    return emails


@contextlib.contextmanager
def _inside(organization_id: int) -> Iterator[None]:
    with organization_context(organization_id) if organization_id else transaction.atomic():
        yield
