"""A customer opened to somebody for a time: asked for and granted, or in an emergency. docs/architecture.md, "Who may see a customer"."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from audit.services import record
from audit.verbs import Verb
from customers.emails.access import announce_decision, announce_emergency, announce_request
from customers.errors import AccessNotNeeded, AlreadyRequested, AlreadyReviewed, ReasonMissing, RequestClosed
from customers.models import AccessRequest, Customer, TemporaryAccess
from customers.policy import find_request, lock_customer, may, require
from lendconsole.errors import NotVisible, PermissionMissing
from teams.capabilities import Capability
from teams.models import Member

REQUEST_WAITS: Final = timedelta(days=7)
EMERGENCY_LASTS: Final = timedelta(minutes=30)
SHORTEST_REASON: Final = 10


@transaction.atomic
def request_access(*, actor: Member, customer: Customer, reason: str, hours: int) -> AccessRequest:
    """Ask those who keep the customer to open it in full for so many hours.

    Raises NotVisible, PermissionMissing (a role that opens no profiles gains nothing), AccessNotNeeded, AlreadyRequested.
    """
    customer = _lock_card(actor, customer)
    now = timezone.now()
    mine = AccessRequest.objects.for_organization(actor.organization).filter(
        customer=customer, member=actor, state=AccessRequest.State.OPEN
    )
    mine.filter(expires_at__lte=now).update(state=AccessRequest.State.EXPIRED)
    if mine.exists():
        raise AlreadyRequested(f"You have asked for access to {customer.name} already, and nobody has decided yet.")
    request = AccessRequest.objects.create(
        organization=actor.organization,
        customer=customer,
        member=actor,
        reason=reason,
        hours=AccessRequest.Time(hours),
        created_at=now,
        expires_at=now + REQUEST_WAITS,
    )
    record(
        actor=actor,
        verb=Verb.ACCESS_REQUESTED,
        target=customer,
        after={"time": request.get_hours_display()},
        reason=reason,
    )
    announce_request(request=request)
    return request


@transaction.atomic
def grant_access(*, actor: Member, request: AccessRequest, hours: int) -> TemporaryAccess:
    """Open the customer to who asked, from now on for so many hours. Raises NotVisible, PermissionMissing or RequestClosed."""
    request = _lock_request(actor, request)
    now, time = timezone.now(), AccessRequest.Time(hours)
    access = TemporaryAccess.objects.create(
        organization=actor.organization,
        customer=request.customer,
        member=request.member,
        kind=TemporaryAccess.Kind.REQUEST,
        starts_at=now,
        ends_at=now + timedelta(hours=time),
        reason=request.reason,
        granted_by=actor,
    )
    _decide(actor, request, AccessRequest.State.GRANTED, access=access)
    record(
        actor=actor,
        verb=Verb.ACCESS_GRANTED,
        target=request.customer,
        after={"team_member": request.member.name, "time": time.label},
        reason=request.reason,
    )
    announce_decision(request=request)
    return access


@transaction.atomic
def decline_access(*, actor: Member, request: AccessRequest, answer: str) -> AccessRequest:
    """Say no, and why. Raises NotVisible, PermissionMissing or RequestClosed."""
    request = _lock_request(actor, request)
    _decide(actor, request, AccessRequest.State.DECLINED, answer=answer)
    record(
        actor=actor,
        verb=Verb.ACCESS_DECLINED,
        target=request.customer,
        after={"team_member": request.member.name},
        reason=answer,
    )
    announce_decision(request=request)
    return request


@transaction.atomic
def use_emergency_access(*, actor: Member, customer: Customer, reason: str) -> TemporaryAccess:
    """Open the customer to the actor at once, for 30 minutes. Who keeps and who oversees the customer are told.

    Raises NotVisible, PermissionMissing, AccessNotNeeded or ReasonMissing.
    """
    actor.require(Capability.CUSTOMERS_EMERGENCY)
    customer = _lock_card(actor, customer)
    if len(reason.strip()) < SHORTEST_REASON:
        raise ReasonMissing(f"Say in at least {SHORTEST_REASON} characters what the emergency is.")
    now = timezone.now()
    access = TemporaryAccess.objects.create(
        organization=actor.organization,
        customer=customer,
        member=actor,
        kind=TemporaryAccess.Kind.EMERGENCY,
        starts_at=now,
        ends_at=now + EMERGENCY_LASTS,
        reason=reason,
    )
    record(actor=actor, verb=Verb.EMERGENCY_OPENED, target=customer, after={"time": "30 minutes"}, reason=reason)
    announce_emergency(access=access)
    return access


@transaction.atomic
def review_emergency(*, actor: Member, access: TemporaryAccess) -> TemporaryAccess:
    """Write down that somebody who oversees the customer has looked at it. Raises NotVisible, PermissionMissing or AlreadyReviewed."""
    row: TemporaryAccess | None = (
        TemporaryAccess.objects.emergencies()
        .select_for_update(of=("self",))
        .select_related("customer", "member__user", "reviewed_by__user")
        .filter(organization=actor.organization, pk=access.pk)
        .first()
    )
    if row is None:
        raise NotVisible
    require(actor, Capability.CUSTOMERS_OVERSEE, row.customer)
    if row.member_id == actor.pk:
        raise PermissionMissing("Nobody reviews their own use of emergency access. Somebody else has to.")
    if row.reviewed_by is not None:
        raise AlreadyReviewed(f"{row.reviewed_by.name} has reviewed this already.")
    row.reviewed_at, row.reviewed_by = timezone.now(), actor
    row.save(update_fields=["reviewed_at", "reviewed_by"])
    record(actor=actor, verb=Verb.EMERGENCY_REVIEWED, target=row.customer, after={"team_member": row.member.name})
    return row


def _lock_card(actor: Member, customer: Customer) -> Customer:
    """The customer, locked, of which the actor sees the card alone and could see more."""
    customer = lock_customer(actor, Capability.CUSTOMERS_FIND, customer)
    actor.require(Capability.CUSTOMERS_VIEW)
    if may(actor, Capability.CUSTOMERS_VIEW, customer):
        raise AccessNotNeeded(f"{customer.name} is open to you already.")
    return customer


def _lock_request(actor: Member, request: AccessRequest) -> AccessRequest:
    """Asked of the rule after the lock: a statement that waits for it would still see the state of before."""
    AccessRequest.objects.for_organization(actor.organization).select_for_update().filter(pk=request.pk).first()
    row = find_request(actor, request.pk)
    if not row.is_open:
        by = f"{row.decided_by.name} has decided it" if row.decided_by else "It has expired"
        raise RequestClosed(f"This request waits no longer. {by}.")
    if row.member_id == actor.pk:
        raise PermissionMissing("Nobody decides their own request.")
    if not row.can_decide:  # type: ignore[attr-defined]  # annotated by find_request
        raise PermissionMissing(f"The account manager of {row.customer.name}, or who may choose one, decides this.")
    return row


def _decide(
    actor: Member, request: AccessRequest, state: str, *, access: TemporaryAccess | None = None, answer: str = ""
) -> None:
    request.state, request.answer, request.access = state, answer, access
    request.decided_at, request.decided_by = timezone.now(), actor
    request.save(update_fields=["state", "answer", "access", "decided_at", "decided_by"])
