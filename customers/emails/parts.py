"""What the letters about customers share: whom they are about, to whom they go, and what ends them."""

from __future__ import annotations

from typing import Any

from customers.models import Customer
from notifications.letters import Undeliverable
from notifications.links import absolute_url
from notifications.models import OutgoingEmail
from notifications.services import queue_email
from teams.emails import respect_wishes
from teams.models import Member


def tell(member: Member, kind: str, *, event: str, payload: dict[str, Any]) -> None:
    queue_email(
        kind=kind,
        dedupe_key=f"{event}:{member.pk}",
        recipient=member.user.email,
        recipient_label=member.name,
        payload={**payload, "member_id": member.pk},
        topic=event,
    )


def customer_of(email: OutgoingEmail) -> Customer:
    customer: Customer | None = (
        Customer.objects.filter(pk=email.payload["customer_id"])
        .select_related("office", "account_manager__user", "account_manager__office", "organization")
        .first()
    )
    if customer is None:
        raise Undeliverable("The customer no longer exists.")
    return customer


def member_of(email: OutgoingEmail, key: str) -> Member:
    member: Member | None = (
        Member.objects.active()
        .filter(pk=email.payload[key], user__email=email.recipient)
        .select_related("user", "office", "organization")
        .first()
    )
    if member is None:
        raise Undeliverable("The member is no longer active here.")
    respect_wishes(member, email)
    return member


def profile_url(member: Member, customer: Customer) -> str:
    return absolute_url(member.url("customers:customer_profile", customer.pk))
