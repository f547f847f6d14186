"""Inviting several people at once. Each row stands for itself: what can be invited is, the others say why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from audit.models import AuditEvent
from audit.services import record
from audit.verbs import Verb
from lendconsole.errors import DomainError
from teams.capabilities import Capability
from teams.errors import NobodyToInvite
from teams.invitation_lists import Wish
from teams.models import Member
from teams.services.guards import lock_team
from teams.services.invitations import offer_place


@dataclass(frozen=True, slots=True)
class Outcome:
    """`refusal` is empty where the place was, or would be, offered."""

    wish: Wish
    refusal: str = ""


@transaction.atomic
def check_invitations(*, actor: Member, wishes: Sequence[Wish]) -> list[Outcome]:
    """What `invite_members` would do now, found by doing it and taking it back. Raises PermissionMissing."""
    with transaction.atomic():
        outcomes = _offer_each(actor, wishes)
        transaction.set_rollback(True)
    return outcomes


@transaction.atomic
def invite_members(*, actor: Member, wishes: Sequence[Wish]) -> AuditEvent:
    """Invite everybody on the list who can be, under the rules and limits of `invite_member`.

    The event that is returned keeps what became of each row. Raises PermissionMissing, or NobodyToInvite.
    """
    outcomes = _offer_each(actor, wishes)
    refused = [outcome for outcome in outcomes if outcome.refusal]
    if len(refused) == len(outcomes):
        raise NobodyToInvite("Nobody on this list can be invited. The reasons stand beside the rows.")
    return record(
        actor=actor,
        verb=Verb.MEMBERS_INVITED,
        target=actor.organization,
        after={
            "invited": len(outcomes) - len(refused),
            "not_invited": len(refused),
            "rows": [_written(outcome) for outcome in outcomes],
        },
    )


def _offer_each(actor: Member, wishes: Sequence[Wish]) -> list[Outcome]:
    actor = lock_team(actor)
    actor.require(Capability.MEMBERS_INVITE)
    return [_offer(actor, wish) for wish in wishes]


def _offer(actor: Member, wish: Wish) -> Outcome:
    line = wish.line
    if wish.problem or wish.role is None or wish.office is None:
        return Outcome(wish, wish.problem or "The role or the office is missing.")
    try:
        with transaction.atomic():
            offer_place(
                actor,
                email=line.email,
                first_name=line.first_name,
                last_name=line.last_name,
                role=wish.role,
                office=wish.office,
            )
    except DomainError as error:
        return Outcome(wish, str(error))
    return Outcome(wish)


def _written(outcome: Outcome) -> dict[str, object]:
    line, wish = outcome.wish.line, outcome.wish
    return {
        "line": line.number,
        "email": line.email[:254],
        "name": line.name[:161],
        "role": wish.role.name if wish.role else line.role[:80],
        "office": wish.office.name if wish.office else line.office[:120],
        "outcome": outcome.refusal or "invited",
    }
