"""The e-mails about account managers.

They are held for a moment (settings.ASSIGNMENT_MAIL_HOLD_SECONDS). A further change in that moment replaces the
mails that still wait, as seen from the manager before the first of them: back and forth ends in no mail at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from django.conf import settings

from customers.emails.parts import customer_of, member_of, profile_url
from customers.models import Assignment, Customer
from customers.services.borrowers import borrower_page_url
from customers.services.verification import check_url, new_code
from notifications.letters import Undeliverable, letter
from notifications.links import absolute_url
from notifications.models import OutgoingEmail
from notifications.services import cancel_emails, pending_emails, queue_email
from teams.models import Member

TOLD_CUSTOMER: Final = "customers/manager_changed_customer"
TOLD_MANAGER: Final = "customers/manager_assigned"
TOLD_FORMER: Final = "customers/manager_ended"
TOLD_MANAGER_OF_BATCH: Final = "customers/manager_batch"
TOLD_FORMER_OF_BATCH: Final = "customers/manager_batch_ended"


def announce_change(
    *, customer: Customer, former: Member | None, manager: Member | None, event: str, actor: Member | None
) -> None:
    """Queue the mails to the customer, the new and the former account manager. `event` names the change, for deduplication."""
    topic = f"customer:{customer.pk}:account_manager"
    former_id = _before_waiting_mails(topic, default=former.pk if former else None)
    cancel_emails(topic, "Changed again before it was sent.")
    if former_id == (manager.pk if manager else None):
        return
    told = Member.objects.select_related("user", "office").filter(pk=former_id).first() if former_id else None
    payload = {
        "customer_id": customer.pk,
        "customer_name": customer.name,
        "customer_number": customer.number,
        "manager_id": manager.pk if manager else None,
        "manager_name": manager.name if manager else "",
        "former_id": former_id,
        "former_name": told.name if told else "",
        "actor_name": actor.name if actor else "",
    }
    for kind, address, name in _recipients(customer, manager, told):
        queue_email(
            kind=kind,
            dedupe_key=f"{event}:{kind.rpartition('/')[2]}",
            recipient=address,
            recipient_label=name,
            payload=payload,
            topic=topic,
            hold_seconds=settings.ASSIGNMENT_MAIL_HOLD_SECONDS,
        )


def _recipients(customer: Customer, manager: Member | None, former: Member | None) -> Iterator[tuple[str, str, str]]:
    """The letter, the address and the name of each; a customer without an address is not told."""
    if customer.email:
        yield TOLD_CUSTOMER, customer.email, customer.name
    if manager is not None:
        yield TOLD_MANAGER, manager.user.email, manager.name
    if former is not None:
        yield TOLD_FORMER, former.user.email, former.name


def _before_waiting_mails(topic: str, *, default: int | None) -> int | None:
    """The manager whom the outside world still believes in."""
    waiting = pending_emails(topic).order_by("pk").first()
    former_id: int | None = waiting.payload["former_id"] if waiting else default
    return former_id


@letter(TOLD_CUSTOMER, switch="To the customer: a new account manager, or none anymore")
def manager_changed_customer(email: OutgoingEmail) -> dict[str, Any]:
    customer = customer_of(email)
    if customer.email != email.recipient:
        raise Undeliverable("The customer's e-mail address has changed.")
    manager = customer.account_manager
    if (manager.pk if manager else None) != email.payload["manager_id"]:
        raise Undeliverable("The account manager has changed since.")
    return {"customer": customer, "manager": manager, "page_url": borrower_page_url(customer), **_proof(customer)}


def _proof(customer: Customer) -> dict[str, Any]:
    """The code by which the customer can ask whether somebody really is the account manager."""
    period = Assignment.objects.filter(organization=customer.organization, customer=customer, ended_at=None).first()
    if period is None:
        return {}
    code = new_code(period)
    return {"manager_code": code, "check_url": check_url(customer.organization, code)}


@letter(TOLD_MANAGER, switch="To the new account manager: a customer is now theirs", is_personal=True)
def manager_assigned(email: OutgoingEmail) -> dict[str, Any]:
    customer, member = customer_of(email), member_of(email, "manager_id")
    if customer.account_manager_id != member.pk:
        raise Undeliverable("The account manager has changed since.")
    return {"customer": customer, "member": member, "profile_url": profile_url(member, customer)}


@letter(TOLD_FORMER, switch="To the former account manager: a customer is no longer theirs", is_personal=True)
def manager_ended(email: OutgoingEmail) -> dict[str, Any]:
    customer, member = customer_of(email), member_of(email, "former_id")
    if customer.account_manager_id == member.pk:
        raise Undeliverable("The member is the account manager again.")
    return {"customer": customer, "member": member, "manager": customer.account_manager}


@letter(
    TOLD_MANAGER_OF_BATCH,
    label="Many customers at once",
    switch="To the account manager: many customers are now theirs",
    is_personal=True,
)
def manager_batch(email: OutgoingEmail) -> dict[str, Any]:
    member = member_of(email, "manager_id")
    return {
        "member": member,
        "customers_url": absolute_url(member.url("customers:customer_list")) + "?account_manager=me",
    }


@letter(
    TOLD_FORMER_OF_BATCH,
    label="Many customers given away",
    switch="To the former account manager: many customers are no longer theirs",
    is_personal=True,
)
def manager_batch_ended(email: OutgoingEmail) -> dict[str, Any]:
    member = member_of(email, "former_id")
    return {"member": member, "customers_url": absolute_url(member.url("customers:customer_list"))}
