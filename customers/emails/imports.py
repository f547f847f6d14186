"""The e-mail to who imported a file of customers."""

from __future__ import annotations

from typing import Any, Final

from customers.emails.parts import member_of, tell
from customers.models import CustomerImport
from notifications.letters import letter
from notifications.links import absolute_url
from notifications.models import OutgoingEmail
from teams.models import Member

TOLD_OF_IMPORT: Final = "customers/import_done"


def announce_import(*, customer_import: CustomerImport, member: Member, report: dict[str, Any]) -> None:
    """To who began it, who need not wait beside it."""
    counts = {key: report[key] for key in ("new", "updated", "refused")}
    payload = {"import_id": customer_import.pk, "file_name": customer_import.file_name, **counts}
    tell(member, TOLD_OF_IMPORT, event=f"import:{customer_import.batch}", payload=payload)


@letter(TOLD_OF_IMPORT, switch="To who imports a file of customers: it is done", is_personal=True)
def import_done(email: OutgoingEmail) -> dict[str, Any]:
    member = member_of(email, "member_id")
    path = member.url("customers:customer_import_progress", email.payload["import_id"])
    return {"member": member, "import_url": absolute_url(path)}
