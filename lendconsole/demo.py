"""The demo's two lenders, made through the same services as real ones. For development machines only."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Final

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.utils import timezone

from accounts.models import Organization, User
from customers.models import Customer
from customers.policy import eligible_managers
from customers.services.account_managers import assign_account_manager
from customers.services.importing import import_customers
from customers.services.records import change_customer_status
from lendconsole.demo_data.lenders import HEAD_OFFICE, HUMAN_RESOURCES, HUMAN_RESOURCES_REACHES, LENDERS, Lender, Person
from lendconsole.demo_papers import Desk, keep_papers
from lendconsole.errors import DomainError
from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from teams.built_in_roles import BuiltInRole
from teams.invitation_links import Ticket
from teams.models import Invitation, Member, Office, Role, RolePermission
from teams.services.admission import Newcomer, accept_invitation
from teams.services.invitations import invite_member
from teams.services.members import deactivate_member
from teams.services.offices import change_office, create_office
from teams.services.organizations import create_organization

PASSWORD: Final = "mango river tractor 42"  # noqa: S105  # printed for everybody to read
"""Of every demo login. Worth nothing: the demo is refused outside development."""

DATA: Final = Path(__file__).resolve().parent / "demo_data"
STATUS_CHANGES: Final = (
    (Customer.Status.INACTIVE, "Paid back everything and moved abroad."),
    (Customer.Status.BLACKLISTED, "Two loans written off."),
    (Customer.Status.ACTIVE, "Documents are complete."),
)


class DemoIncomplete(DomainError):
    """A demo file no longer fits the demo lenders."""


def is_loaded() -> bool:
    return Organization.objects.filter(slug=LENDERS[0].slug).exists()


@transaction.atomic
def load_demo(say: Callable[[str], None]) -> None:
    """Both lenders or none. `say` hears about each finished part."""
    for lender in LENDERS:
        organization = _found(lender)
        with organization_context(organization.pk):
            members = _hire(lender, organization)
            say(f"{lender.name}: {len(lender.offices) + 1} offices, {len(members)} team members")
            customers = _import(lender, organization)
            _make_history(members[lender.people[1]])
            keep_papers(_desk(lender, organization, members))
            # Nobody is told about invented customers; and a reader of the mailbox sees their own steps only.
            OutgoingEmail.objects.filter(organization=organization).delete()
            say(f"{lender.name}: {customers:,} customers")


def _found(lender: Lender) -> Organization:
    founder = lender.people[0]
    invitation = create_organization(
        name=lender.name,
        slug=lender.slug,
        super_admin_email=founder.address(lender.slug),
        first_name=founder.first_name,
        last_name=founder.last_name,
        time_zone=lender.facts["time_zone"],
        currency=lender.facts["currency"],
        requires_second_factor=False,
    )
    Organization.objects.filter(pk=invitation.organization_id).update(**lender.facts)
    return Organization.objects.get(pk=invitation.organization_id)


def _hire(lender: Lender, organization: Organization) -> dict[Person, Member]:
    founder = lender.people[0]
    boss = _accept(lender, founder, Invitation.objects.get(organization=organization))
    offices = _open_offices(lender, organization, boss)
    _add_human_resources(organization)
    roles = {role.name: role for role in Role.objects.filter(organization=organization)}

    def invite(person: Person) -> Invitation:
        return invite_member(
            actor=boss,
            email=person.address(lender.slug),
            first_name=person.first_name,
            last_name=person.last_name,
            role=roles[person.role],
            office=offices[person.office],
        )

    members = {founder: boss}
    for person in (*lender.people[1:], *lender.former):
        members[person] = _accept(lender, person, invite(person))
    for person in lender.former:
        deactivate_member(actor=boss, member=members[person])
    open_invitations = [invite(person) for person in lender.invited]
    _expire(open_invitations[-1])
    _give_work_phones(lender, list(members.values()))
    _name_heads(lender, boss, offices, members)
    return members


def _accept(lender: Lender, person: Person, invitation: Invitation) -> Member:
    ticket = Ticket(invitation_id=invitation.pk, nonce=invitation.nonce)
    login = User.objects.filter(email=person.address(lender.slug)).first()
    newcomer = Newcomer(first_name=person.first_name, last_name=person.last_name, password=PASSWORD)
    return accept_invitation(ticket=ticket, user=login or AnonymousUser(), newcomer=None if login else newcomer)


def _open_offices(lender: Lender, organization: Organization, boss: Member) -> dict[str, Office]:
    offices = {HEAD_OFFICE: Office.objects.get(organization=organization, name=HEAD_OFFICE)}
    for name, office_type, parent in lender.offices:
        offices[name] = create_office(actor=boss, name=name, office_type=office_type, parent=offices[parent])
    return offices


def _add_human_resources(organization: Organization) -> None:
    """A role of the lender's own, without the Users unit: its members see no customers at all."""
    role = Role.objects.create(
        organization=organization, name=HUMAN_RESOURCES, description="Looks after the team and sees no customers"
    )
    RolePermission.objects.bulk_create(
        RolePermission(organization=organization, role=role, capability=capability, reach=reach)
        for capability, reach in HUMAN_RESOURCES_REACHES.items()
    )


def _expire(invitation: Invitation) -> None:
    long_ago = timezone.now() - timedelta(days=12)
    Invitation.objects.filter(pk=invitation.pk).update(
        created_at=long_ago, sent_at=long_ago, expires_at=long_ago + timedelta(days=7)
    )


def _give_work_phones(lender: Lender, members: list[Member]) -> None:
    for number, member in enumerate(members, start=11):
        Member.objects.filter(pk=member.pk).update(phone=lender.work_phones.format(number))


def _name_heads(lender: Lender, boss: Member, offices: dict[str, Office], members: dict[Person, Member]) -> None:
    """Each office is led by an admin or a loan officer of its own, where it has one."""
    leaders = (BuiltInRole.ADMIN.label, BuiltInRole.LOAN_OFFICER.label)
    for name, office in offices.items():
        head = next(
            (members[person] for person in lender.people if person.office == name and person.role in leaders), None
        )
        change_office(
            actor=boss,
            office=office,
            name=name,
            description=office.description,
            office_type=office.type,
            head=head,
            version=office.version,
        )


def _import(lender: Lender, organization: Organization) -> int:
    report = import_customers(
        actor=None,
        organization=organization,
        file=_with_more_managers(lender),
        file_name=lender.borrowers,
        notify=False,
    )
    if report.refused:
        row = report.refused_rows[0]
        raise DemoIncomplete(f"{lender.borrowers}, line {row.line}: {' '.join(row.sentences)}")
    return report.loaded


def _with_more_managers(lender: Lender) -> BytesIO:
    """The lender's file, with as many borrowers given to their office's idle managers as the promised share needs."""
    rows = borrowers_of(lender)
    named = {row["Account manager"] for row in rows}
    missing = round(len(rows) * lender.assigned_share) - sum(bool(row["Account manager"]) for row in rows)
    idle = {
        person.office: person.address(lender.slug)
        for person in lender.people
        if person.role == BuiltInRole.ACCOUNT_MANAGER.label and person.address(lender.slug) not in named
    }
    free = [row for row in rows if not row["Account manager"] and row["Office"] in idle and row["Status"] == "Active"]
    for row in sorted(free, key=lambda row: row["Date joined"], reverse=True)[: max(missing, 0)]:
        row["Account manager"] = idle[row["Office"]]
    text = StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return BytesIO(text.getvalue().encode())


def borrowers_of(lender: Lender) -> list[dict[str, str]]:
    """The rows of the lender's file, as they stand in it."""
    with (DATA / lender.borrowers).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _desk(lender: Lender, organization: Organization, members: dict[Person, Member]) -> Desk:
    """The first account manager and the first admin."""
    manager = next(person for person in lender.people if person.role == BuiltInRole.ACCOUNT_MANAGER.label)
    return Desk(organization, admin=members[lender.people[1]], manager=members[manager], phones=lender.work_phones)


def _make_history(admin: Member) -> None:
    """A few changes by hand, so that profiles and the audit log have something to tell."""
    customers = Customer.objects.for_organization(admin.organization)
    rows = customers.filter(status=Customer.Status.PENDING).order_by("number")[: len(STATUS_CHANGES) * 4]
    for number, customer in enumerate(rows):
        status, reason = STATUS_CHANGES[number % len(STATUS_CHANGES)]
        change_customer_status(actor=admin, customer=customer, status=status, reason=reason)
    managers = list(eligible_managers(admin.organization).filter(role__built_in=BuiltInRole.ACCOUNT_MANAGER))
    held = customers.exclude(account_manager=None).select_related("account_manager").order_by("-number")[:6]
    for customer in held:
        others = [member for member in managers if member != customer.account_manager]
        assign_account_manager(
            actor=admin, customer=customer, manager=others[0], reason="Lives closer to the new office."
        )
