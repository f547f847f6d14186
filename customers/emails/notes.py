"""The e-mails to those whom a note about a customer names. Who wrote about whom, and where: never what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from customers.emails.parts import customer_of, member_of, tell
from customers.models import Note, NoteMention
from customers.policy import may
from notifications.letters import Undeliverable, letter
from notifications.links import absolute_url
from notifications.models import OutgoingEmail
from notifications.services import cancel_emails
from teams.capabilities import Capability
from teams.models import Member

TOLD_OF_MENTION: Final = "customers/note_mention"


def announce_mentions(*, note: Note, people: Iterable[Member]) -> None:
    """Who wrote about whom, and where: never what."""
    customer = note.customer
    for member in people:
        tell(
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


@letter(
    TOLD_OF_MENTION,
    label="Mention in a note",
    switch="To a team member: somebody wants them to read a note about a customer",
    is_personal=True,
)
def note_mention(email: OutgoingEmail) -> dict[str, Any]:
    member, customer = member_of(email, "member_id"), customer_of(email)
    if not NoteMention.objects.filter(note=email.payload["note_id"], member=member).exists():
        raise Undeliverable("The note was deleted.")
    if not may(member, Capability.CUSTOMERS_VIEW, customer):
        raise Undeliverable("The member no longer sees the customer in full.")
    notes_url = absolute_url(member.url("customers:customer_notes", customer.pk))
    return {"member": member, "note_url": f"{notes_url}#note-{email.payload['note_id']}"}
