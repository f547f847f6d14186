"""The organizations of a login: what the start page and the chooser need before there is a member."""

from __future__ import annotations

from accounts.models import User
from lendconsole.tenancy import user_context
from teams.models import Member


def memberships_of(user: User) -> list[Member]:
    """Every membership of the login, ended ones too, by the organization's name; read under the login's own rights."""
    with user_context(user.pk):
        return list(
            Member.objects.filter(user=user).select_related("organization").order_by("organization__name", "pk")
        )


def is_open(membership: Member) -> bool:
    return membership.status == Member.Status.ACTIVE and membership.organization.is_active
