"""The rules about teams that can be broken."""

from __future__ import annotations

from lendconsole.errors import DomainError, PermissionMissing


class OwnMembership(PermissionMissing):
    """Nobody changes their own role or office, or deactivates themselves here."""


class MemberAboveActor(PermissionMissing):
    """The member's role allows more than the actor's."""


class RoleNotGivable(DomainError):
    """The role allows more than the actor's own, or does not exist in the organization."""

    field = "role"


class BuiltInRoleFixed(PermissionMissing):
    """Built-in roles can be cloned, not edited or deleted."""


class OwnRole(PermissionMissing):
    """Nobody changes or deletes the role that they hold themselves."""


class RoleAboveActor(PermissionMissing):
    """The role allows more than the actor's own."""


class ReachAboveActor(DomainError):
    """A role would get a permission, or a reach of it, that the actor does not hold."""


class ReachNotPossible(DomainError):
    """The permission does not go as far as that, or not in that way."""


class RoleInUse(DomainError):
    """A role that somebody holds or is invited to goes only when another one takes its place."""

    field = "replacement"


class OfficeNotReached(DomainError):
    """The office is out of the actor's reach, closed or not there."""

    field = "office"


class LastSuperAdmin(DomainError):
    """The organization would be left without an active Super Admin."""

    field = "role"


class HoldsCustomers(DomainError):
    """The member is the account manager of customers and could not act for them anymore."""

    field = "role"


class AlreadyMember(DomainError):
    field = "email"


class AlreadyInvited(DomainError):
    field = "email"


class TooManyInvitations(DomainError):
    """The limit of the inviter or of the recipient is reached."""


class NotForAll(DomainError):
    """Somebody among several cannot be changed like this, so nobody is."""


class NobodyToInvite(DomainError):
    """No row of a list can be invited."""


class InvitationClosed(DomainError):
    """The invitation was accepted or revoked and cannot be sent or revoked anymore."""


class OfficeClosed(DomainError):
    """Nobody can start in an office that is not active."""


class OfficeInUse(DomainError):
    """Somebody or something still belongs to the office, and nobody said where it goes."""


class LastOffice(DomainError):
    """There would be no active office left for what the office holds."""


class PlaceNotHeld(DomainError):
    """A change of the tree would let somebody reach a place that the actor does not reach by the same permission."""


class HeadNotEligible(DomainError):
    """Head of an office is an active member of the organization."""

    field = "head"


class OfficeCycle(DomainError):
    """An office cannot lie below itself."""

    field = "parent"


class OfficeTooDeep(DomainError):
    field = "parent"


class OfficeNeedsParent(DomainError):
    """Only a head office stands on its own."""

    field = "parent"


class NameTaken(DomainError):
    field = "name"


class OrganizationNotCreated(DomainError):
    """The facts given for a new organization do not hold; the sentence lists them."""


class OrganizationFactRefused(DomainError):
    """A setting of the organization does not hold."""


class PolicyRefused(DomainError):
    """The security policy cannot say that."""


class EmailAlwaysSent(DomainError):
    """What concerns access and sign-in cannot be switched off."""
