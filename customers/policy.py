"""May a member do this with this customer? The same rule as the lists (CustomerQuerySet.permitted), asked of one row."""

from __future__ import annotations

from typing import Final

from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.models import Organization
from customers.access import ON_A_CARD
from customers.errors import CustomerErased
from customers.models import AccessRequest, Cover, Customer, ImpostorReport, TemporaryAccess
from customers.readers import emergencies, impostor_reports
from lendconsole.errors import NotVisible, PermissionMissing
from teams.capabilities import Capability, Reach
from teams.models import Member, Office, RolePermission
from teams.policy import require_touch

_READING: Final = frozenset(
    {
        Capability.CUSTOMERS_FIND,
        Capability.CUSTOMERS_VIEW,
        Capability.CUSTOMERS_OVERSEE,
        Capability.CUSTOMERS_DATA,
        Capability.CUSTOMERS_REVEAL,
    }
)
"""What can still be done with a customer who was erased."""


def may(member: Member, capability: Capability, customer: Customer) -> bool:
    return Customer.objects.permitted(member, capability).filter(pk=customer.pk).exists()


def require(member: Member, capability: Capability, customer: Customer) -> None:
    """Raises NotVisible (404) for a customer that does not exist for the member, PermissionMissing (403) for one that does."""
    if may(member, capability, customer):
        _refuse_erased(capability, customer)
        return
    if not may(member, Capability.CUSTOMERS_FIND, customer):
        raise NotVisible
    if capability not in ON_A_CARD and not may(member, Capability.CUSTOMERS_VIEW, customer):
        capability = Capability.CUSTOMERS_VIEW
    if not member.may(capability):
        raise PermissionMissing(member.missing(capability))
    manager = customer.account_manager
    if manager is not None and manager.pk != member.pk:
        raise PermissionMissing(f"{customer.name} is dedicated to {manager.name}. Ask {manager.name}.")
    raise PermissionMissing(
        f"{customer.name} belongs to an office that your permission “{capability.label}” does not reach."
    )


def _refuse_erased(capability: Capability, customer: Customer) -> None:
    if customer.erased_at is not None and capability not in _READING:
        raise CustomerErased(f"{customer.number} was erased. Nothing about this customer can be changed.")


def find_customer(member: Member, pk: int) -> Customer:
    """The customer as the member may see it, with `access` and the `can_...` flags. Raises NotVisible."""
    customer: Customer | None = (
        Customer.objects.visible_to(member)
        .with_access(member)
        .select_related("office", "account_manager__user", "account_manager__office")
        .filter(pk=pk)
        .first()
    )
    if customer is None:
        raise NotVisible
    return customer


def lock_customer(actor: Member, capability: Capability, customer: Customer) -> Customer:
    """The customer, re-read and locked until the transaction ends, after the rule agreed to the locked row."""
    locked: Customer | None = (
        Customer.objects.visible_to(actor).select_for_update(of=("self",)).filter(pk=customer.pk).first()
    )
    if locked is None:
        raise NotVisible
    require(actor, capability, locked)
    return locked


def find_request(member: Member, pk: int) -> AccessRequest:
    """A request that the member made, decides or oversees, in any state, with `can_decide`. Raises NotVisible."""
    rows = AccessRequest.objects.for_organization(member.organization).known_to(member)
    people = ("customer__office", "customer__account_manager__user", "member__user", "member__role", "decided_by__user")
    request: AccessRequest | None = rows.select_related(*people).filter(pk=pk).first()
    if request is None:
        raise NotVisible
    return request


def find_emergency(member: Member, pk: int) -> TemporaryAccess:
    """A use of emergency access to a customer that the member oversees. Raises NotVisible."""
    access: TemporaryAccess | None = emergencies(member).filter(pk=pk).first()
    if access is None:
        raise NotVisible
    return access


def find_report(member: Member, pk: int) -> ImpostorReport:
    """A report of an impostor, open or closed. Raises NotVisible."""
    report: ImpostorReport | None = impostor_reports(member).filter(pk=pk).first()
    if report is None:
        raise NotVisible
    return report


def require_cover(actor: Member, covered: Member) -> None:
    """Whether the actor may say who stands in for the member: oneself, or who manages them. Raises NotVisible or PermissionMissing."""
    if actor.pk != covered.pk:
        require_touch(actor, covered, Capability.MEMBERS_MANAGE)


def find_cover(member: Member, pk: int) -> Cover:
    """One whose end the member may decide. Raises NotVisible or PermissionMissing."""
    people = ("covered__user", "covered__role", "covered__office", "substitute__user")
    rows = Cover.objects.filter(organization=member.organization, pk=pk).select_related(*people)
    cover: Cover | None = rows.first()
    if cover is None:
        raise NotVisible
    require_cover(member, cover.covered)
    return cover


def eligible_members(organization: Organization) -> QuerySet[Member]:
    """Who can work customers as their own: active members whose role opens full profiles."""
    opens = RolePermission.objects.filter(role=OuterRef("role"), capability=Capability.CUSTOMERS_VIEW).exclude(
        reach=Reach.NONE
    )
    members: QuerySet[Member] = (
        Member.objects.active()
        .for_organization(organization)
        .filter(Exists(opens))
        .select_related("user", "role", "office")
        .order_by("user__first_name", "user__last_name", "pk")
    )
    return members


def eligible_managers(organization: Organization) -> QuerySet[Member]:
    """Who can be an account manager. `load`: how many customers they hold."""
    held = Customer.objects.filter(organization=OuterRef("organization"), account_manager=OuterRef("pk")).order_by()
    counts = held.values("account_manager").annotate(count=Count("*")).values("count")
    return eligible_members(organization).annotate(load=Coalesce(Subquery(counts, output_field=IntegerField()), 0))


def assignable_offices(actor: Member) -> QuerySet[Office]:
    """The offices whose members the actor may make account managers: their own and below, or all."""
    if actor.reach(Capability.CUSTOMERS_ASSIGN) == Reach.OWN:
        return Office.objects.below(actor.office).active()
    return Office.objects.reached_by(actor, Capability.CUSTOMERS_ASSIGN).active()


def assignable_managers(actor: Member, office: Office | None = None) -> QuerySet[Member]:
    """The eligible members whom the actor may choose, of one office when it is given."""
    members = eligible_managers(actor.organization).filter(office__in=assignable_offices(actor))
    return members.filter(office=office) if office is not None else members
