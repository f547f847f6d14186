"""The e-mails to borrowers about their page, and about what they report."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings

from customers.emails.parts import customer_of, member_of, tell
from customers.models import ImpostorReport
from customers.services.borrowers import CODE_LASTS, LINK_MAIL, ways_in
from notifications.letters import Undeliverable, letter
from notifications.links import absolute_url
from notifications.models import OutgoingEmail
from teams.capabilities import Capability, Reach
from teams.models import Member, RolePermission

TOLD_OF_IMPOSTOR: Final = "customers/impostor_reported"


@letter(LINK_MAIL, label="Link to the borrower's page")
def borrower_link(email: OutgoingEmail) -> dict[str, Any]:
    customer = customer_of(email)
    if customer.email != email.recipient:
        raise Undeliverable("The customer's e-mail address has changed.")
    url, code = ways_in(customer, browser=email.payload.get("browser", ""))
    minutes = CODE_LASTS.seconds // 60
    return {"page_url": url, "code": code, "minutes": minutes, "hours": settings.BORROWER_LINK_HOURS}


def announce_report(*, report: ImpostorReport) -> None:
    """To everybody who may close it, at most one e-mail an hour: the page shows them all."""
    readers = Member.objects.active().for_organization(report.organization).select_related("user")
    permissions = {"capability": Capability.CUSTOMERS_IMPOSTORS, "reach": Reach.ORGANIZATION}
    roles = RolePermission.objects.filter(organization=report.organization, **permissions).values("role")
    for member in readers.filter(role__in=roles).order_by("pk"):
        tell(member, TOLD_OF_IMPOSTOR, event=f"impostor_reports:{report.created_at:%Y-%m-%d-%H}", payload={})


@letter(TOLD_OF_IMPOSTOR, label="Report of an impostor")
def impostor_reported(email: OutgoingEmail) -> dict[str, Any]:
    member = member_of(email, "member_id")
    if not member.may(Capability.CUSTOMERS_IMPOSTORS):
        raise Undeliverable("The member no longer reads reports of impostors.")
    return {"member": member, "reports_url": absolute_url(member.url("customers:impostor_report_list"))}
