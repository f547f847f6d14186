"""Reports of people who pass as account managers: from the public, for those who look into them."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts.models import Organization
from audit.services import record
from audit.verbs import Verb
from customers.emails.borrowers import announce_report
from customers.errors import ReportClosed
from customers.models import Customer, ImpostorReport
from customers.services.borrowers import Outsider
from customers.services.verification import find_code
from lendconsole.errors import NotVisible
from teams.capabilities import Capability
from teams.models import Member


@transaction.atomic
def report_impostor(
    *,
    organization: Organization,
    what_happened: str,
    contact: str = "",
    code: str = "",
    customer: Customer | None = None,
) -> ImpostorReport:
    """Keep what somebody of the public tells. A code that is good names the manager and the customer; nothing says whether it is."""
    found = find_code(organization, code)
    report = ImpostorReport.objects.create(
        organization=organization,
        what_happened=what_happened,
        contact=contact,
        customer=customer or (found.assignment.customer if found else None),
        manager=found.assignment.manager if found else None,
    )
    actor = Outsider() if customer else Outsider(label="Somebody from outside")
    after = {"team_member": report.manager.name} if report.manager else {}
    record(actor=actor, verb=Verb.IMPOSTOR_REPORTED, target=report, after=after)
    announce_report(report=report)
    return report


@transaction.atomic
def close_report(*, actor: Member, report: ImpostorReport, outcome: str) -> ImpostorReport:
    """Write down what was found. Raises NotVisible, PermissionMissing or ReportClosed."""
    actor.require(Capability.CUSTOMERS_IMPOSTORS)
    rows = ImpostorReport.objects.for_organization(actor.organization).select_related("closed_by__user")
    row: ImpostorReport | None = rows.select_for_update(of=("self",)).filter(pk=report.pk).first()
    if row is None:
        raise NotVisible
    if row.closed_by is not None:
        raise ReportClosed(f"{row.closed_by.name} has closed this report already.")
    row.closed_at, row.closed_by, row.outcome = timezone.now(), actor, outcome
    row.save(update_fields=["closed_at", "closed_by", "outcome"])
    record(actor=actor, verb=Verb.IMPOSTOR_REPORT_CLOSED, target=row)
    return row
