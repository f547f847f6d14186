"""Reads of offices, roles, members and invitations. Each starts from a member and never leaves that member's organization."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Self

from allauth.mfa.models import Authenticator
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import CharField, Count, Exists, IntegerField, OuterRef, Q, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat, Lower
from django.utils import timezone

from accounts.pagination import CappedCount
from notifications.models import OutgoingEmail
from teams.capabilities import Capability, Reach

if TYPE_CHECKING:
    from accounts.models import Organization
    from teams.models import Member, Office


class OrganizationRows(models.QuerySet):
    """Rows of one organization. Row-level security holds the same line; the explicit filter lets the planner use the indexes."""

    def for_organization(self, organization: Organization) -> Self:
        return self.filter(organization=organization)

    def count_of(self, relation: str, **conditions: object) -> Coalesce:
        """How many rows of the relation point at each row: a subquery, so that several can stand beside each other."""
        rows = self.model._default_manager.filter(pk=OuterRef("pk")).order_by()
        counted = rows.annotate(counted=Count(relation, filter=Q(**conditions))).values("counted")
        return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


class OfficeQuerySet(OrganizationRows):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def below(self, office: Office) -> Self:
        """The office itself and all offices under it."""
        return self.filter(organization_id=office.organization_id, path__startswith=office.path)

    def with_counts(self, cap: int) -> Self:
        """`member_count` (active ones) and `customer_count` of each office itself, counted no further than cap + 1."""
        customers: Any = self.model._meta.get_field("customers").related_model  # this app lies below theirs
        held = customers._default_manager.filter(organization=OuterRef("organization"), office=OuterRef("pk"))
        return self.annotate(
            member_count=self.count_of("members", members__status="active"),
            customer_count=CappedCount(held, cap),
        )

    def reached_by(self, member: Member, capability: Capability) -> Self:
        """Offices in which the member holds the capability."""
        match member.reach(capability):
            case Reach.ORGANIZATION:
                return self.for_organization(member.organization)
            case Reach.OFFICE:
                return self.below(member.office)
        return self.none()


class RoleQuerySet(OrganizationRows):
    def for_organization(self, organization: Organization) -> Self:
        """Those that can be given and read; deleted ones are only named by the past."""
        return super().for_organization(organization).filter(deleted_at=None)

    def with_counts(self) -> Self:
        """`holder_count`: active members of each role."""
        return self.annotate(holder_count=self.count_of("members", members__status="active"))


class MemberQuerySet(OrganizationRows):
    def active(self) -> Self:
        """Those who can act: neither deactivated nor locked out of their login."""
        return self.filter(status="active", user__is_active=True)

    def present(self) -> Self:
        """Without those who were removed or have left: they live on in the audit log and in history alone."""
        return self.exclude(status="removed")

    def with_second_factor(self) -> Self:
        """`has_second_factor`: an app or a passkey; recovery codes alone are none."""
        factors = Authenticator.objects.filter(user=OuterRef("user")).exclude(type=Authenticator.Type.RECOVERY_CODES)
        return self.annotate(has_second_factor=Exists(factors))

    def with_customer_count(self) -> Self:
        """`customer_count`: how many customers are dedicated to each."""
        return self.annotate(customer_count=self.count_of("customers"))

    def with_held(self, capabilities: Collection[Capability] | None = None) -> Self:
        """Role, office and `held`, for Member.read_held: what somebody may do, in the statement that finds them.

        `capabilities`: nothing is asked about others.
        """
        role: Any = self.model._meta.get_field("role").related_model
        permissions = role._meta.get_field("permissions").related_model._default_manager.filter(role=OuterRef("role"))
        if capabilities is not None:
            permissions = permissions.filter(capability__in=capabilities)
        pairs = permissions.order_by().values(pair=Concat("capability", Value("="), "reach"))
        return self.select_related("role", "office").annotate(held=ArraySubquery(pairs))

    def with_offices_below(self) -> Self:
        """`offices_below`: the keys of the member's own office and of those below it, for Member.area."""
        office: Any = self.model._meta.get_field("office").related_model
        below = office._default_manager.filter(
            organization=OuterRef("organization"), path__startswith=OuterRef("office__path")
        )
        return self.annotate(offices_below=ArraySubquery(below.order_by("pk").values("pk")))

    def with_name_key(self) -> Self:
        """`name_key`, to search and to sort by."""
        return self.annotate(name_key=Lower(Concat("user__first_name", Value(" "), "user__last_name")))

    def matching(self, text: str) -> Self:
        """Each word of the text is part of the name or of the address."""
        rows = self.with_name_key()
        for word in text.lower().split():
            rows = rows.filter(Q(name_key__contains=word) | Q(user__email__contains=word))
        return rows

    def permitted(self, member: Member, capability: Capability) -> Self:
        """Team members on whom the member holds the capability, by the office they sit in."""
        match member.reach(capability):
            case Reach.ORGANIZATION:
                return self.for_organization(member.organization)
            case Reach.OFFICE:
                return self.for_organization(member.organization).filter(office__path__startswith=member.office.path)
        return self.none()

    def visible_to(self, member: Member) -> Self:
        return self.permitted(member, Capability.MEMBERS_VIEW)


class InvitationQuerySet(OrganizationRows):
    def pending(self) -> Self:
        """Neither accepted nor revoked; expired ones among them."""
        return self.filter(accepted_at=None, revoked_at=None)

    def open(self) -> Self:
        """Those whose link works now."""
        return self.pending().filter(expires_at__gt=timezone.now())

    def expired(self) -> Self:
        return self.pending().filter(expires_at__lte=timezone.now())

    def with_delivery(self) -> Self:
        """`is_undelivered`: the program gave up on the e-mail with the present link."""
        key = Concat(Value("invitation:"), Cast("pk", CharField()), Value(":"), Cast("times_sent", CharField()))
        failed = OutgoingEmail.objects.filter(
            organization=OuterRef("organization"), dedupe_key=OuterRef("letter_key"), state=OutgoingEmail.State.FAILED
        )
        return self.annotate(letter_key=key).annotate(is_undelivered=Exists(failed))

    def in_state(self, state: str) -> Self:
        """The same as `Invitation.state`, for the database."""
        match state:
            case "accepted":
                return self.filter(accepted_at__isnull=False)
            case "revoked":
                return self.filter(accepted_at=None, revoked_at__isnull=False)
            case "expired":
                return self.expired()
            case "failed" | "waiting":
                return self.open().with_delivery().filter(is_undelivered=state == "failed")
        return self.pending()

    def matching(self, text: str) -> Self:
        rows = self.annotate(name_key=Lower(Concat("first_name", Value(" "), "last_name")))
        for word in text.lower().split():
            rows = rows.filter(Q(name_key__contains=word) | Q(email__contains=word))
        return rows

    def visible_to(self, member: Member) -> Self:
        """Invitations into the offices over which the member may invite."""
        match member.reach(Capability.MEMBERS_INVITE):
            case Reach.ORGANIZATION:
                return self.for_organization(member.organization)
            case Reach.OFFICE:
                return self.for_organization(member.organization).filter(office__path__startswith=member.office.path)
        return self.none()
