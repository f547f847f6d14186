"""What every change of a team begins with, and what none may end with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from accounts.models import Organization
from lendconsole.errors import PermissionMissing
from teams.built_in_roles import BuiltInRole
from teams.errors import HoldsCustomers, LastSuperAdmin
from teams.models import Member, Role


def lock_organization(organization_id: int) -> Organization:
    """One change of a team at a time, until the transaction ends.

    Not a full FOR UPDATE: two requests that had each inserted a row of the organization would wait for each other.
    """
    return Organization.objects.select_for_update(no_key=True).get(pk=organization_id)


def lock_team(actor: Member) -> Member:
    """The actor as they are after every change before this one. Raises PermissionMissing when they were deactivated meanwhile."""
    organization = lock_organization(actor.organization_id)
    present: Member | None = (
        Member.objects.active()
        .for_organization(organization)
        .select_related("user", "role", "office")
        .prefetch_related("role__permissions")
        .filter(pk=actor.pk)
        .first()
    )
    if present is None:
        raise PermissionMissing(f"You are no longer an active team member of {organization.name}.")
    present.organization = organization
    return present


def lock_member(organization: Organization, member: Member) -> Member | None:
    """The member as they are now, locked: nobody makes them an account manager meanwhile."""
    present: Member | None = (
        Member.objects.for_organization(organization)
        .select_related("user", "role", "office")
        .prefetch_related("role__permissions")
        .select_for_update(of=("self",))
        .filter(pk=member.pk)
        .first()
    )
    if present is not None:
        present.organization = organization
    return present


def keep_a_super_admin(leaving: Member) -> None:
    """Called with the organization locked, before this member stops being an active Super Admin. Raises LastSuperAdmin."""
    if not leaving.role.is_super_admin or leaving.status != Member.Status.ACTIVE:
        return
    others = (
        Member.objects.active()
        .for_organization(leaving.organization)
        .filter(role__built_in=BuiltInRole.SUPER_ADMIN)
        .exclude(pk=leaving.pk)
    )
    if not others.exists():
        raise LastSuperAdmin(
            f"{leaving.name} is the last active Super Admin of {leaving.organization.name}. Make somebody else one first."
        )


def keep_customers_served(member: Member, *, because: str) -> None:
    """Called before the member can no longer open customers. Raises HoldsCustomers while any are dedicated to them."""
    held = member.customers.count()
    if held:
        raise _holds_customers(f"{member.name} is the account manager", held, because)


def lock_holders(role: Role) -> list[Member]:
    """Everybody who has the role, deactivated members too, locked: nobody makes them an account manager meanwhile."""
    return list(
        Member.objects.for_organization(role.organization)
        .filter(role=role)
        .select_related("user", "role", "office")
        .order_by("pk")
        .select_for_update(of=("self",))
    )


def keep_all_customers_served(members: Sequence[Member], *, because: str, field: str) -> None:
    """Called before the members can no longer open customers. Raises HoldsCustomers while any are dedicated to some of them."""
    rows: Any = Member.objects.filter(pk__in=[member.pk for member in members])
    counts = [count for count in rows.with_customer_count().values_list("customer_count", flat=True) if count]
    if counts:
        who = "1 member with this role is the account manager"
        if len(counts) > 1:
            who = f"{len(counts):,} members with this role are the account managers"
        raise _holds_customers(who, sum(counts), because, field=field)


def _holds_customers(who: str, held: int, because: str, *, field: str | None = None) -> HoldsCustomers:
    customers, those = ("customer", "that customer") if held == 1 else ("customers", "those customers")
    return HoldsCustomers(
        f"{who} of {held:,} {customers}, and {because}. Give {those} another account manager first.", field=field
    )
