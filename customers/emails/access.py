"""The e-mails about who may see a customer for a time: requests, emergencies, and who stands in for whom."""

from __future__ import annotations

from typing import Any, Final

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from customers.emails.parts import customer_of, member_of, profile_url, tell
from customers.lens import holders, keepers
from customers.models import AccessRequest, Cover, Customer, TemporaryAccess
from notifications.letters import Undeliverable, letter
from notifications.links import absolute_url
from notifications.models import OutgoingEmail
from notifications.services import cancel_emails
from teams.capabilities import Capability
from teams.models import Member

TOLD_OF_REQUEST: Final = "customers/access_requested"
TOLD_OF_DECISION: Final = "customers/access_decided"
TOLD_OF_EMERGENCY: Final = "customers/emergency_access"
TOLD_OF_COVER: Final = "customers/cover_named"
TOLD_OF_COVER_END: Final = "customers/cover_ended"


def announce_request(*, request: AccessRequest) -> None:
    """To everybody who may decide it."""
    for keeper in keepers(request.customer).exclude(pk=request.member_id):
        tell(
            keeper,
            TOLD_OF_REQUEST,
            event=f"access_request:{request.pk}",
            payload={**_about(request.customer, request.member, request.reason), **_asked(request)},
        )


def announce_decision(*, request: AccessRequest) -> None:
    """To who asked. The mails about the request that still wait are no longer needed."""
    cancel_emails(f"access_request:{request.pk}", "The request was decided.")
    decider = request.decided_by
    tell(
        request.member,
        TOLD_OF_DECISION,
        event=f"access_request:{request.pk}:decided",
        payload={
            **_about(request.customer, request.member, request.reason),
            **_asked(request),
            "is_granted": request.access is not None,
            "ends_at": request.access.ends_at.isoformat() if request.access else "",
            "answer": request.answer,
            "decider_name": decider.name if decider else "",
        },
    )


def announce_emergency(*, access: TemporaryAccess) -> None:
    """At once, to the account manager with who stands in for them, and to everybody who oversees the customer."""
    customer = access.customer
    told = {*keepers(customer), *holders(customer, Capability.CUSTOMERS_OVERSEE)}
    for member in sorted(told, key=lambda each: each.pk):
        if member.pk != access.member_id:
            tell(
                member,
                TOLD_OF_EMERGENCY,
                event=f"emergency:{access.pk}",
                payload={**_about(customer, access.member, access.reason), "access_id": access.pk},
            )


def announce_cover(*, cover: Cover, actor: Member, is_over: bool) -> None:
    """To who is absent and to who stands in. When it ends before it was told, nothing is told."""
    event = f"cover:{cover.pk}"
    waiting = cancel_emails(event, "It was ended before this was sent.")
    if is_over and waiting == 2:
        return
    for member in (cover.covered, cover.substitute):
        tell(
            member,
            TOLD_OF_COVER_END if is_over else TOLD_OF_COVER,
            event=f"{event}:ended" if is_over else event,
            payload={
                "cover_id": cover.pk,
                "covered_name": cover.covered.name,
                "substitute_name": cover.substitute.name,
                "starts_at": cover.starts_at.isoformat(),
                "ends_at": cover.ends_at.isoformat(),
                "actor_name": actor.name,
                "reason": cover.reason,
            },
        )


def _about(customer: Customer, member: Member, reason: str) -> dict[str, Any]:
    return {
        "customer_id": customer.pk,
        "customer_name": customer.name,
        "customer_number": customer.number,
        "asker_id": member.pk,
        "asker_name": member.name,
        "reason": reason,
    }


def _asked(request: AccessRequest) -> dict[str, Any]:
    return {"request_id": request.pk, "time": request.get_hours_display()}


@letter(TOLD_OF_REQUEST, label="Request for access to a customer")
def access_requested(email: OutgoingEmail) -> dict[str, Any]:
    member = member_of(email, "member_id")
    if not AccessRequest.objects.decidable_by(member).filter(pk=email.payload["request_id"]).exists():
        raise Undeliverable("The request was decided, has expired, or is no longer this member's to decide.")
    return {"member": member, "requests_url": absolute_url(member.url("customers:access_request_list"))}


@letter(TOLD_OF_DECISION, label="Decision about access to a customer")
def access_decided(email: OutgoingEmail) -> dict[str, Any]:
    member, ends_at = member_of(email, "member_id"), parse_datetime(email.payload["ends_at"] or "")
    if ends_at is not None and ends_at <= timezone.now():
        raise Undeliverable("The access has ended.")
    return {"member": member, "ends_at": ends_at, "profile_url": profile_url(member, customer_of(email))}


@letter(TOLD_OF_EMERGENCY, label="Emergency access to a customer")
def emergency_access(email: OutgoingEmail) -> dict[str, Any]:
    member, customer = member_of(email, "member_id"), customer_of(email)
    overseen = Customer.objects.permitted(member, Capability.CUSTOMERS_OVERSEE).filter(pk=customer.pk).exists()
    review_url = absolute_url(member.url("customers:emergency_list")) if overseen else ""
    return {"member": member, "review_url": review_url, "profile_url": profile_url(member, customer)}


@letter(TOLD_OF_COVER, label="Somebody stands in")
def cover_named(email: OutgoingEmail) -> dict[str, Any]:
    member, now = member_of(email, "member_id"), timezone.now()
    cover = Cover.objects.filter(pk=email.payload["cover_id"], ends_at__gt=now).first()
    if cover is None:
        raise Undeliverable("Nobody stands in anymore.")
    return {
        "member": member,
        "is_substitute": cover.substitute_id == member.pk,
        "starts_at": cover.starts_at,
        "last_moment": cover.last_moment,
        "customers_url": absolute_url(member.url("customers:customer_list")),
    }


@letter(TOLD_OF_COVER_END, label="Somebody no longer stands in")
def cover_ended(email: OutgoingEmail) -> dict[str, Any]:
    return {"member": member_of(email, "member_id")}
