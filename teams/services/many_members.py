"""One new role or office for several members: for all of them, or for nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from lendconsole.errors import DomainError, NotVisible
from teams.capabilities import Capability
from teams.errors import NotForAll
from teams.models import Member, Office, Role
from teams.services.guards import lock_team
from teams.services.members import change_member

MOST_MEMBERS: Final = 200


@dataclass(frozen=True, slots=True)
class Change:
    """`refusal` is empty where the member was, or would be, changed or has the place already."""

    member: Member
    is_new: bool
    refusal: str = ""


@transaction.atomic
def check_members(
    *, actor: Member, members: Sequence[Member], role: Role | None, office: Office | None
) -> list[Change]:
    """What `change_members` would do now, found by doing it and taking it back. Raises PermissionMissing."""
    with transaction.atomic():
        changes = _change_each(actor, members, role, office)
        transaction.set_rollback(True)
    return changes


@transaction.atomic
def change_members(
    *, actor: Member, members: Sequence[Member], role: Role | None, office: Office | None
) -> list[Change]:
    """Give every one of the members this role, this office or both, each under the rules of `change_member`.

    `members` carry the versions that the actor saw; None keeps what each has. Raises PermissionMissing, or NotForAll
    with the reason of everybody who cannot be changed; then nobody is.
    """
    with transaction.atomic():
        changes = _change_each(actor, members, role, office)
        if refused := [change for change in changes if change.refusal]:
            reasons = " ".join(f"{change.member.name}: {change.refusal}" for change in refused)
            raise NotForAll(f"Nobody was changed. {reasons}")
    return changes


def _change_each(actor: Member, members: Sequence[Member], role: Role | None, office: Office | None) -> list[Change]:
    actor = lock_team(actor)
    actor.require(Capability.MEMBERS_MANAGE)
    if not members or (role is None and office is None):
        raise NotForAll("Choose members, and a role or an office for them.")
    if len(members) > MOST_MEMBERS:
        raise NotForAll(f"Choose at most {MOST_MEMBERS} members at once.")
    return [_change(actor, member, role, office) for member in sorted(members, key=lambda member: member.pk)]


def _change(actor: Member, member: Member, role: Role | None, office: Office | None) -> Change:
    wanted = (role or member.role, office or member.office)
    is_new = wanted != (member.role, member.office)
    try:
        with transaction.atomic():
            change_member(actor=actor, member=member, role=wanted[0], office=wanted[1], version=member.version)
    except NotVisible:
        raise
    except DomainError as error:
        return Change(member, is_new, str(error))
    return Change(member, is_new)
