"""Sending a failed e-mail again: it touches the outbox and the audit log, which do not know each other."""

from __future__ import annotations

from accounts.pages import ActionPage
from audit.services import record
from audit.verbs import Verb
from lendconsole.errors import NotVisible
from notifications.models import OutgoingEmail
from notifications.readers import readable_emails
from notifications.services import requeue
from teams.capabilities import Capability
from teams.models import Member


def send_again(*, actor: Member, email_id: int) -> OutgoingEmail:
    """Five more attempts for an e-mail that the program gave up on. Raises NotParked when it was sent or canceled."""
    actor.require(Capability.EMAILS_RESEND)
    email: OutgoingEmail | None = readable_emails(actor).select_for_update().filter(pk=email_id).first()
    if email is None:
        raise NotVisible
    reason = email.state_reason
    if requeue(email):
        record(actor=actor, verb=Verb.EMAIL_SENT_AGAIN, target=email, before={"failure": reason})
    return email


class EmailSendAgainView(ActionPage):
    capability = Capability.EMAILS_RESEND

    def carry_out(self) -> str:
        email = send_again(actor=self.member, email_id=self.kwargs["pk"])
        return f"“{email.subject}” to {email.recipient_label or email.recipient} is on its way again."

    def next_url(self) -> str:
        return self.member.url("notifications:email_list")
