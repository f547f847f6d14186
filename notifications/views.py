"""The outbox for admins: what was sent to whom and what became of it. What the e-mails say is never shown."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django.utils import timezone

from accounts.pages import ConsolePage
from accounts.pagination import capped_count, paginate, written_count
from notifications.filters import Filters
from notifications.letters import all_letters, label_of
from notifications.models import OutgoingEmail
from notifications.readers import readable_emails

TONES: Final[dict[str, str]] = {
    OutgoingEmail.State.PENDING: "blue",
    OutgoingEmail.State.SENT: "green",
    OutgoingEmail.State.FAILED: "red",
    OutgoingEmail.State.CANCELED: "grey",
}
NEWEST_FIRST: Final = ("-created_at", "-id")


class EmailListView(ConsolePage):
    capability: ClassVar[str | None] = "emails.view"
    template_name = "notifications/email_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        filters = Filters.parse(self.request.GET)
        emails = filters.apply(readable_emails(self.member))
        page = paginate(emails.defer("payload", "sealed_body", "sent_body"), order=NEWEST_FIRST, **self.cursors)
        for email in page.rows:
            email.tone, email.letter = TONES[email.state], label_of(email.kind)
            email.unsent = "not yet" if email.state == OutgoingEmail.State.PENDING else "no"
            email.waits_until = email.available_at if _is_waiting(email) else None
        total = capped_count(emails)
        return super().get_context_data(
            filters=filters,
            states=OutgoingEmail.State.choices,
            letters=all_letters(),
            page=page,
            range_text=written_count(total, "e-mail"),
            **kwargs,
        )


def _is_waiting(email: OutgoingEmail) -> bool:
    return email.state == OutgoingEmail.State.PENDING and email.available_at > timezone.now()
