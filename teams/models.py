"""Who works for a lender: offices, roles with their permissions, members and invitations."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.validators import validate_person_name
from lendconsole.errors import PermissionMissing
from lendconsole.tenancy import OwnRowsReadable, SameOrganization, TenantModel
from teams.built_in_roles import BuiltInRole
from teams.capabilities import Capability, Reach
from teams.querysets import InvitationQuerySet, MemberQuerySet, OfficeQuerySet, RoleQuerySet


class Office(TenantModel):
    """One node of the organization's tree. `path` lists the ids from the root down ("/1/5/"), so a subtree is one prefix."""

    class Type(models.TextChoices):
        HEAD_OFFICE = "head_office", "Head office"
        BRANCH = "branch", "Branch"
        TEAM = "team", "Team"

    name = models.CharField(max_length=120)
    description = models.CharField(max_length=500, blank=True)
    type = models.CharField(max_length=20, choices=Type, default=Type.BRANCH)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    path = models.CharField(max_length=400, editable=False, db_collation="C")
    head = models.ForeignKey(
        "Member",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="headed_offices",
        verbose_name="head of office",
        help_text="an active member, of this office or of another one",
    )
    is_active = models.BooleanField("active", default=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = OfficeQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        ordering = ("name", "id")
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("parent", name="teams_office_parent_same_organization"),
            SameOrganization("head", name="teams_office_head_same_organization"),
            models.UniqueConstraint("organization", Lower("name"), name="teams_office_name_once"),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="teams_office_not_its_own_parent"),
        ]
        indexes = [models.Index(fields=["organization", "path"], name="teams_office_path")]

    def __str__(self) -> str:
        return self.name

    @property
    def depth(self) -> int:
        """0 for a root."""
        return self.path.count("/") - 2


class Role(TenantModel):
    """A named set of permissions. `built_in` is empty for the roles that an organization made itself.

    A deleted role allows nothing and is in no list; its row stays, because past invitations name it.
    """

    name = models.CharField(max_length=80)
    description = models.CharField(max_length=300, blank=True)
    built_in = models.CharField(max_length=20, choices=BuiltInRole, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = RoleQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        ordering = ("id",)
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                "organization", Lower("name"), condition=Q(deleted_at=None), name="teams_role_present_name_once"
            ),
            models.UniqueConstraint(
                fields=["organization", "built_in"], condition=~Q(built_in=""), name="teams_role_built_in_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @cached_property
    def reaches(self) -> dict[Capability, Reach]:
        """What the role holds; a capability that is missing is not held."""
        return {Capability(row.capability): Reach(row.reach) for row in self.permissions.all()}

    def read_reaches(self, pairs: Iterable[str]) -> None:
        """Take `reaches` from "capability=reach" pairs that another statement brought along."""
        held = (pair.split("=") for pair in pairs)
        self.reaches = {Capability(capability): Reach(reach) for capability, reach in held}

    def reach(self, capability: Capability) -> Reach:
        return self.reaches.get(capability, Reach.NONE)

    def exceeds(self, other: Role) -> bool:
        """Whether this role allows anything that the other does not. Two roles can exceed each other."""
        return any(reach > other.reach(capability) for capability, reach in self.reaches.items())

    @property
    def is_super_admin(self) -> bool:
        return self.built_in == BuiltInRole.SUPER_ADMIN


class RolePermission(TenantModel):
    """One capability of one role, with its reach. No row means none."""

    role = models.ForeignKey(Role, models.CASCADE, related_name="permissions")
    capability = models.CharField(max_length=40, choices=Capability)
    reach = models.CharField(max_length=20, choices=Reach)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("role", name="teams_rolepermission_role_same_organization"),
            models.UniqueConstraint(fields=["role", "capability"], name="teams_rolepermission_once"),
        ]

    def __str__(self) -> str:
        return f"{self.role}: {self.get_capability_display()} ({self.get_reach_display()})"


class Member(TenantModel):
    """One user inside one organization. The actor of everything that happens in it."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        DEACTIVATED = "deactivated", "Deactivated"
        REMOVED = "removed", "Removed"

    user = models.ForeignKey(User, models.PROTECT, related_name="memberships")
    role = models.ForeignKey(Role, models.PROTECT, related_name="members")
    office = models.ForeignKey(Office, models.PROTECT, related_name="members")
    status = models.CharField(max_length=20, choices=Status, default=Status.ACTIVE)
    phone = models.CharField(max_length=20, blank=True, help_text="Work phone, shown to the borrowers they manage")
    joined_at = models.DateTimeField(default=timezone.now)
    deactivated_at = models.DateTimeField(null=True, blank=True, help_text="since when there is no access")
    last_seen_at = models.DateTimeField(null=True, blank=True)
    muted_emails = ArrayField(
        models.CharField(max_length=60),
        default=list,
        db_default=[],
        blank=True,
        help_text="kinds that the member does not want",
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = MemberQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            OwnRowsReadable("user", name="teams_member_own_memberships"),
            SameOrganization("role", name="teams_member_role_same_organization"),
            SameOrganization("office", name="teams_member_office_same_organization"),
            models.UniqueConstraint(fields=["organization", "user"], name="teams_member_once"),
        ]
        indexes = [models.Index(fields=["organization", "office", "status"], name="teams_member_office_status")]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.user.name

    @property
    def initials(self) -> str:
        return self.user.initials

    @property
    def label(self) -> str:
        """How the audit log names the actor, also after the login is gone."""
        return f"{self.user.name} <{self.user.email}>"

    @property
    def is_active(self) -> bool:
        """Whether rule 5 of product.md section 4 lets this member do anything at all."""
        return self.status == self.Status.ACTIVE and self.user.is_active and self.organization.is_active

    @property
    def standing(self) -> tuple[Any, ...]:
        """All that the access rule asks of a member. While it stays the same, so do the statements that ask the rule."""
        organization = (self.organization_id, self.organization.exclusive_assignments)
        area = self.area if Reach.OFFICE in self.role.reaches.values() else ()
        place = (self.office_id, self.office.path, area)
        return (*organization, self.pk, self.user_id, *place, self.is_active, frozenset(self.role.reaches.items()))

    @cached_property
    def area(self) -> tuple[int, ...]:
        """The keys of the member's own office and of all those below it, as they are now."""
        return tuple(Office.objects.below(self.office).order_by("pk").values_list("pk", flat=True))

    def read_held(self) -> None:
        """Take what the role holds from with_held, and `area` from with_offices_below where that was asked for too."""
        self.role.read_reaches(self.held)  # type: ignore[attr-defined]  # annotated by with_held
        if hasattr(self, "offices_below"):
            self.area = tuple(self.offices_below)

    def reach(self, capability: Capability) -> Reach:
        return self.role.reach(capability) if self.is_active else Reach.NONE

    def may(self, capability: Capability) -> bool:
        """Whether the member holds the capability anywhere. Over one customer or member, ask the queryset instead."""
        return self.reach(capability) > Reach.NONE

    def require(self, capability: str) -> None:
        """Raises PermissionMissing, with a sentence that names the permission and who can give it."""
        if not self.may(Capability(capability)):
            raise PermissionMissing(self.missing(Capability(capability)))

    def missing(self, capability: Capability) -> str:
        """Why the member may not, and whom to ask."""
        givers = (
            Member.objects.active()
            .for_organization(self.organization)
            .filter(
                role__permissions__capability=Capability.MEMBERS_MANAGE, role__permissions__reach=Reach.ORGANIZATION
            )
            .exclude(pk=self.pk)
            .select_related("user")
            .order_by("id")[:3]
        )
        names = " or ".join(giver.name for giver in givers) or "a Super Admin"
        return f"Your role, {self.role.name}, does not have the permission “{capability.label}”. Ask {names} for it."

    def url(self, name: str, *args: Any) -> str:
        """The address of a page of this member's organization."""
        return reverse(name, args=[self.organization.slug, *args])


def _invitation_nonce() -> str:
    return secrets.token_urlsafe(24)


class Invitation(TenantModel):
    """A place offered to one address. The link is signed over `nonce`, which changes when the invitation is sent again."""

    class State(models.TextChoices):
        """What became of it. Nobody writes it down: it follows from the moments below, the clock and the outbox."""

        WAITING = "waiting", "Waiting"
        FAILED = "failed", "Not delivered"
        EXPIRED = "expired", "Expired"
        REVOKED = "revoked", "Revoked"
        ACCEPTED = "accepted", "Accepted"

    email = models.EmailField("e-mail")
    first_name = models.CharField(max_length=80, validators=[validate_person_name])
    last_name = models.CharField(max_length=80, validators=[validate_person_name])
    role = models.ForeignKey(Role, models.PROTECT, related_name="+")
    office = models.ForeignKey(Office, models.PROTECT, related_name="+")
    invited_by = models.ForeignKey(
        Member, models.PROTECT, null=True, related_name="sent_invitations", help_text="none: an operator"
    )
    nonce = models.CharField(max_length=40, default=_invitation_nonce, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(default=timezone.now)
    times_sent = models.PositiveSmallIntegerField(default=1)
    expires_at = models.DateTimeField()
    asked_at = models.DateTimeField(
        null=True, blank=True, help_text="when the holder of the expired link asked for a new one"
    )
    version = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(Member, models.PROTECT, null=True, blank=True, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(Member, models.PROTECT, null=True, blank=True, related_name="+")

    objects = InvitationQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        ordering = ("-created_at", "-id")
        constraints = [
            *TenantModel.Meta.constraints,
            *(
                SameOrganization(field, name=f"teams_invitation_{field}_same_organization")
                for field in ("role", "office", "invited_by", "accepted_by", "revoked_by")
            ),
            models.UniqueConstraint(
                "organization",
                Lower("email"),
                condition=Q(accepted_at=None, revoked_at=None),
                name="teams_invitation_one_pending",
            ),
        ]
        indexes = [models.Index(fields=["organization", "-created_at", "-id"], name="teams_invitation_recent")]

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()

    @property
    def is_open(self) -> bool:
        return self.is_pending and not self.is_expired

    @property
    def is_pending(self) -> bool:
        return self.accepted_at is None and self.revoked_at is None

    @property
    def state(self) -> Invitation.State:
        """`FAILED` shows on rows that were read `with_delivery` only."""
        if self.accepted_at is not None:
            return self.State.ACCEPTED
        if self.revoked_at is not None:
            return self.State.REVOKED
        if self.is_expired:
            return self.State.EXPIRED
        return self.State.FAILED if getattr(self, "is_undelivered", False) else self.State.WAITING

    def renew_nonce(self) -> None:
        """Make every link sent so far worthless. The caller saves."""
        self.nonce = _invitation_nonce()
