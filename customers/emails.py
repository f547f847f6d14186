"""The e-mails about account managers.

They are held for a moment (settings.ASSIGNMENT_MAIL_HOLD_SECONDS). A further change in that moment replaces the
mails that still wait, as seen from the manager before the first of them: back and forth ends in no mail at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from customers.lens import holders, keepers
from customers.models import (
    AccessRequest,
    Assignment,
    Cover,
    Customer,
    CustomerImport,
    ImpostorReport,
    Note,
    NoteMention,
    TemporaryAccess,
)
from customers.policy import may
from customers.services.borrowers import CODE_LASTS, LINK_MAIL, borrower_page_url, ways_in
from customers.services.verification import check_url, new_code
from notifications.letters import Undeliverable, letter
from notifications.links import absolute_url
from notifications.models import OutgoingEmail
from notifications.services import cancel_emails, pending_emails, queue_email
from teams.capabilities import Capability, Reach
from teams.emails import respect_wishes
from teams.models import Member, RolePermission

TOLD_CUSTOMER = "customers/manager_changed_customer"
TOLD_MANAGER = "customers/manager_assigned"
TOLD_FORMER = "customers/manager_ended"
TOLD_OF_REQUEST = "customers/access_requested"
TOLD_OF_DECISION = "customers/access_decided"
TOLD_OF_EMERGENCY = "customers/emergency_access"
TOLD_OF_COVER = "customers/cover_named"
TOLD_OF_COVER_END = "customers/cover_ended"
TOLD_OF_MENTION = "customers/note_mention"
TOLD_OF_IMPOSTOR = "customers/impostor_reported"
TOLD_MANAGER_OF_BATCH = "customers/manager_batch"
TOLD_OF_IMPORT = "customers/import_done"
TOLD_FORMER_OF_BATCH = "customers/manager_batch_ended"


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
    recipients = [(TOLD_CUSTOMER, customer.email, customer.name)]
    if manager is not None:
        recipients.append((TOLD_MANAGER, manager.user.email, manager.name))
    if told is not None:
        recipients.append((TOLD_FORMER, told.user.email, told.name))
    for kind, address, name in recipients:
        if address:
            queue_email(
                kind=kind,
                dedupe_key=f"{event}:{kind.rpartition('/')[2]}",
                recipient=address,
                recipient_label=name,
                payload=payload,
                topic=topic,
                hold_seconds=settings.ASSIGNMENT_MAIL_HOLD_SECONDS,
            )


def _before_waiting_mails(topic: str, *, default: int | None) -> int | None:
    """The manager whom the outside world still believes in."""
    waiting = pending_emails(topic).order_by("pk").first()
    former_id: int | None = waiting.payload["former_id"] if waiting else default
    return former_id


@letter(TOLD_CUSTOMER, switch="To the customer: a new account manager, or none any more")
def manager_changed_customer(email: OutgoingEmail) -> dict[str, Any]:
    customer = _customer(email)
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
    customer, member = _customer(email), _member(email, "manager_id")
    if customer.account_manager_id != member.pk:
        raise Undeliverable("The account manager has changed since.")
    return {"customer": customer, "member": member, "profile_url": _profile_url(member, customer)}


@letter(TOLD_FORMER, switch="To the former account manager: a customer is no longer theirs", is_personal=True)
def manager_ended(email: OutgoingEmail) -> dict[str, Any]:
    customer, member = _customer(email), _member(email, "former_id")
    if customer.account_manager_id == member.pk:
        raise Undeliverable("The member is the account manager again.")
    return {"customer": customer, "member": member, "manager": customer.account_manager}


@letter(LINK_MAIL, label="Link to the borrower's page")
def borrower_link(email: OutgoingEmail) -> dict[str, Any]:
    customer = _customer(email)
    if customer.email != email.recipient:
        raise Undeliverable("The customer's e-mail address has changed.")
    url, code = ways_in(customer, browser=email.payload.get("browser", ""))
    minutes = CODE_LASTS.seconds // 60
    return {"page_url": url, "code": code, "minutes": minutes, "hours": settings.BORROWER_LINK_HOURS}


@letter(
    TOLD_MANAGER_OF_BATCH,
    label="Many customers at once",
    switch="To the account manager: many customers are now theirs",
    is_personal=True,
)
def manager_batch(email: OutgoingEmail) -> dict[str, Any]:
    member = _member(email, "manager_id")
    return {
        "member": member,
        "customers_url": absolute_url(member.url("customers:customer_list")) + "?account_manager=me",
    }


def announce_import(*, customer_import: CustomerImport, member: Member, report: dict[str, Any]) -> None:
    """To who began it, who need not wait beside it."""
    counts = {key: report[key] for key in ("new", "updated", "refused")}
    payload = {"import_id": customer_import.pk, "file_name": customer_import.file_name, **counts}
    _tell(member, TOLD_OF_IMPORT, event=f"import:{customer_import.batch}", payload=payload)


@letter(TOLD_OF_IMPORT, switch="To who imports a file of customers: it is done", is_personal=True)
def import_done(email: OutgoingEmail) -> dict[str, Any]:
    member = _member(email, "member_id")
    path = member.url("customers:customer_import_progress", email.payload["import_id"])
    return {"member": member, "import_url": absolute_url(path)}


@letter(
    TOLD_FORMER_OF_BATCH,
    label="Many customers given away",
    switch="To the former account manager: many customers are no longer theirs",
    is_personal=True,
)
def manager_batch_ended(email: OutgoingEmail) -> dict[str, Any]:
    member = _member(email, "former_id")
    return {"member": member, "customers_url": absolute_url(member.url("customers:customer_list"))}


def announce_request(*, request: AccessRequest) -> None:
    """To everybody who may decide it."""
    for keeper in keepers(request.customer).exclude(pk=request.member_id):
        _tell(
            keeper,
            TOLD_OF_REQUEST,
            event=f"access_request:{request.pk}",
            payload={**_about(request.customer, request.member, request.reason), **_asked(request)},
        )


def announce_decision(*, request: AccessRequest) -> None:
    """To who asked. The mails about the request that still wait are no longer needed."""
    cancel_emails(f"access_request:{request.pk}", "The request was decided.")
    decider = request.decided_by
    _tell(
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
            _tell(
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
        _tell(
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


def announce_mentions(*, note: Note, people: Iterable[Member]) -> None:
    """Who wrote about whom, and where: never what."""
    customer = note.customer
    for member in people:
        _tell(
            member,
            TOLD_OF_MENTION,
            event=_note_topic(note),
            payload={
                "customer_id": customer.pk,
                "customer_name": customer.name,
                "customer_number": customer.number,
                "note_id": note.pk,
                "kind": note.get_kind_display().lower(),
                "author_name": note.author.name,
            },
        )


def withdraw_mentions(*, note: Note) -> None:
    cancel_emails(_note_topic(note), "The note was deleted.")


def _note_topic(note: Note) -> str:
    return f"note:{note.pk}"


def announce_report(*, report: ImpostorReport) -> None:
    """To everybody who may close it, at most one e-mail an hour: the page shows them all."""
    readers = Member.objects.active().for_organization(report.organization).select_related("user")
    permissions = {"capability": Capability.CUSTOMERS_IMPOSTORS, "reach": Reach.ORGANIZATION}
    roles = RolePermission.objects.filter(organization=report.organization, **permissions).values("role")
    for member in readers.filter(role__in=roles).order_by("pk"):
        _tell(member, TOLD_OF_IMPOSTOR, event=f"impostor_reports:{report.created_at:%Y-%m-%d-%H}", payload={})


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


def _tell(member: Member, kind: str, *, event: str, payload: dict[str, Any]) -> None:
    queue_email(
        kind=kind,
        dedupe_key=f"{event}:{member.pk}",
        recipient=member.user.email,
        recipient_label=member.name,
        payload={**payload, "member_id": member.pk},
        topic=event,
    )


@letter(TOLD_OF_REQUEST, label="Request for access to a customer")
def access_requested(email: OutgoingEmail) -> dict[str, Any]:
    member = _member(email, "member_id")
    if not AccessRequest.objects.decidable_by(member).filter(pk=email.payload["request_id"]).exists():
        raise Undeliverable("The request was decided, has expired, or is no longer this member's to decide.")
    return {"member": member, "requests_url": absolute_url(member.url("customers:access_request_list"))}


@letter(TOLD_OF_DECISION, label="Decision about access to a customer")
def access_decided(email: OutgoingEmail) -> dict[str, Any]:
    member, ends_at = _member(email, "member_id"), parse_datetime(email.payload["ends_at"] or "")
    if ends_at is not None and ends_at <= timezone.now():
        raise Undeliverable("The access has ended.")
    return {"member": member, "ends_at": ends_at, "profile_url": _profile_url(member, _customer(email))}


@letter(TOLD_OF_EMERGENCY, label="Emergency access to a customer")
def emergency_access(email: OutgoingEmail) -> dict[str, Any]:
    member, customer = _member(email, "member_id"), _customer(email)
    overseen = Customer.objects.permitted(member, Capability.CUSTOMERS_OVERSEE).filter(pk=customer.pk).exists()
    review_url = absolute_url(member.url("customers:emergency_list")) if overseen else ""
    return {"member": member, "review_url": review_url, "profile_url": _profile_url(member, customer)}


@letter(TOLD_OF_IMPOSTOR, label="Report of an impostor")
def impostor_reported(email: OutgoingEmail) -> dict[str, Any]:
    member = _member(email, "member_id")
    if not member.may(Capability.CUSTOMERS_IMPOSTORS):
        raise Undeliverable("The member no longer reads reports of impostors.")
    return {"member": member, "reports_url": absolute_url(member.url("customers:impostor_report_list"))}


@letter(TOLD_OF_COVER, label="Somebody stands in")
def cover_named(email: OutgoingEmail) -> dict[str, Any]:
    member, now = _member(email, "member_id"), timezone.now()
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
    return {"member": _member(email, "member_id")}


@letter(
    TOLD_OF_MENTION,
    label="Mention in a note",
    switch="To a team member: somebody wants them to read a note about a customer",
    is_personal=True,
)
def note_mention(email: OutgoingEmail) -> dict[str, Any]:
    member, customer = _member(email, "member_id"), _customer(email)
    if not NoteMention.objects.filter(note=email.payload["note_id"], member=member).exists():
        raise Undeliverable("The note was deleted.")
    if not may(member, Capability.CUSTOMERS_VIEW, customer):
        raise Undeliverable("The member no longer sees the customer in full.")
    notes_url = absolute_url(member.url("customers:customer_notes", customer.pk))
    return {"member": member, "note_url": f"{notes_url}#note-{email.payload['note_id']}"}


def _customer(email: OutgoingEmail) -> Customer:
    customer: Customer | None = (
        Customer.objects.filter(pk=email.payload["customer_id"])
        .select_related("office", "account_manager__user", "account_manager__office", "organization")
        .first()
    )
    if customer is None:
        raise Undeliverable("The customer no longer exists.")
    return customer


def _member(email: OutgoingEmail, key: str) -> Member:
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


def _profile_url(member: Member, customer: Customer) -> str:
    return absolute_url(member.url("customers:customer_profile", customer.pk))
