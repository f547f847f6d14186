"""The link of an invitation: signed for this purpose alone, bound to a nonce that dies when the invitation is sent again."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

from django.core import signing
from django.urls import reverse

from notifications.links import absolute_url
from teams.models import Invitation

SALT: Final = "teams.invitation"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a link carries. It proves nothing by itself; `opens` compares it with the invitation as it is now."""

    invitation_id: int
    nonce: str

    def opens(self, invitation: Invitation) -> bool:
        same = secrets.compare_digest(self.nonce.encode(), invitation.nonce.encode())
        return self.invitation_id == invitation.pk and same


def make_token(invitation: Invitation) -> str:
    return signing.dumps({"i": invitation.pk, "n": invitation.nonce}, salt=SALT)


def read_token(token: str) -> Ticket | None:
    """None for a token that was cut, changed or made for another purpose."""
    try:
        content = signing.loads(token, salt=SALT)
        return Ticket(invitation_id=int(content["i"]), nonce=str(content["n"]))
    except (signing.BadSignature, ValueError, TypeError, KeyError):
        return None


def invitation_url(invitation: Invitation) -> str:
    """The address for the e-mail. Made when it is sent and stored nowhere."""
    path = reverse("teams_public:invitation_link", args=[invitation.organization.slug, make_token(invitation)])
    return absolute_url(path)
