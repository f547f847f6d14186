"""A lender at work: enough of everything that no page is empty, and links as they come by mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from customers.bulk.running import GAVE_UP
from customers.exporting.making import CHANGED
from customers.models import Customer, Export
from customers.services.access import decline_access, request_access
from customers.services.account_managers import assign_account_manager
from customers.services.borrowers import borrower_page_url
from customers.services.documents import review_document
from customers.services.notes import NoteFacts, add_note
from customers.services.records import change_customer_status, open_profile
from customers.services.views import save_view
from lendconsole.tenancy import organization_context
from notifications.models import OutgoingEmail
from teams.capabilities import Capability, Reach
from teams.invitation_links import invitation_url
from teams.invitation_lists import make_wishes, read_lines
from teams.models import Invitation, Office
from teams.services import create_role, invite_members
from tests import factories
from tests.world import Lender

NAMES = (
    "Adaeze Okafor, Musa Ibrahim, Grace Etim, Tunde Adeyemi, Chioma Nwosu, Ibrahim Bello, Funmilayo Adebayo-Williams, Yakubu Danladi,"
    "Ngozi Eze, Oluwaseun Bakare, Zainab Abubakar, Emeka Obi, Halima Sani, Kelechi Anyanwu, Bisi Ogunleye, Danjuma Gowon"
)


@dataclass
class Site:
    """`lender` with rows in every state; `links` by what opening them shows."""

    lender: Lender
    other: Lender
    request: int
    report: int
    cover: int
    closed_office: int
    unused_role: int
    invited_together: int
    invitation: Invitation
    links: dict[str, str]
    exports: list[int]
    documents: list[int]
    note: int
    guarantor: int
    imports: dict[str, int]
    """By state."""
    bulk_changes: list[int]
    saved_view: int


def furnish(lender: Lender, other: Lender) -> Site:
    """The Super Admin of the one works for the other lender too, and so has a choice between them."""
    with organization_context(lender.organization.pk):
        _customers(lender)
        _emails(lender)
        links, invitation = _links(lender)
        unused, together = _team(lender)
        closed = factories.OfficeFactory(
            organization=lender.organization,
            name="Kaduna Branch",
            parent=lender.head,
            is_active=False,
            description="Closed in 2025; its customers went to Kano.",
        )
        _heads(lender)
        request = _accesses(lender)
        report = _reports(lender)
        exports, imports = _exports(lender), _imports(lender)
        documents = _documents(lender)
        note = _notes(lender)
        guarantor = factories.related_person(lender.customers["free"], address="12 Allen Avenue, Ikeja").pk
        factories.related_person(lender.customers["free"], kind="next_of_kin", name="Emeka Etim", phone="")
        bulk_changes = _bulk_changes(lender)
        saved_view = _saved_views(lender)
        now = timezone.now()
        cover = factories.cover(lender["account_manager"], lender["loan_officer"], starts_at=now, reason="On leave").pk
        factories.cover(lender["super_admin"], lender["admin"])
    with organization_context(other.organization.pk):
        user, role = lender["super_admin"].user, other.roles["compliance"]
        factories.MemberFactory(organization=other.organization, user=user, role=role, office=other.branch)
    return Site(
        lender,
        other,
        request,
        report,
        cover,
        closed.pk,
        unused,
        together,
        invitation,
        links,
        exports,
        documents,
        note,
        guarantor,
        imports,
        bulk_changes,
        saved_view,
    )


def _team(lender: Lender) -> tuple[int, int]:
    """A role that nobody has, and the record of a list of which one row could not be invited."""
    role = create_role(
        actor=lender["super_admin"],
        name="Branch Auditor",
        description="Reads what happened in the branches",
        reaches={Capability.AUDIT_VIEW: Reach.ORGANIZATION, Capability.CUSTOMERS_FIND: Reach.OFFICE},
    )
    people = read_lines("Yakubu Danladi <yakubu@mail.example>\nbisi@mail.example, Bisi, Ogunleye\nnobody at all")
    wishes = make_wishes(lender["super_admin"], people, role=lender.roles["loan_officer"], office=lender.branch)
    return role.pk, invite_members(actor=lender["super_admin"], wishes=wishes).pk


def _customers(lender: Lender) -> None:
    organization, statuses, segments = lender.organization, list(Customer.Status), list(Customer.Segment)
    managers = [None, lender["account_manager"], lender["other_manager"], lender["deactivated"]]
    for number, name in enumerate(NAMES.split(",")):
        first, _, last = name.strip().partition(" ")
        customer = factories.CustomerFactory(
            organization=organization,
            office=(lender.branch, lender.other_branch, lender.head)[number % 3],
            number=f"KM-{number:06}",
            first_name=first,
            last_name=last,
            status=statuses[number % len(statuses)],
            segment=segments[number % len(segments)],
            joined_on=date(2024, 1, 2) + timedelta(days=61 * number),
        )
        if manager := managers[number % len(managers)]:
            factories.dedicate(customer, manager)
    admin, customer = lender["admin"], lender.customers["free"]
    Customer.objects.filter(pk=customer.pk).update(
        date_of_birth=date(1988, 5, 17),
        gender="female",
        employer="Balogun Market Traders",
        monthly_income=25_000_000,
        employment_status=Customer.EmploymentStatus.values[0],
        state="Lagos",
    )
    manager = lender["other_manager"]
    assign_account_manager(actor=admin, customer=customer, manager=manager, reason="Lives near Kano")
    customer.refresh_from_db()
    change_customer_status(
        actor=admin, customer=customer, status="blacklisted", reason="Three forged pay slips", version=customer.version
    )
    open_profile(actor=lender["compliance"], pk=customer.pk)


def _exports(lender: Lender) -> list[int]:
    """Of whom looks at the pages, in every state; the last one was made before the role was changed."""
    states: list[dict[str, Any]] = [
        {"state": Export.State.WAITING, "rows": None, "progress": 0},
        {"state": Export.State.RUNNING, "rows": 12_431, "progress": 4_000, "words": "Status: Active", "format": "xlsx"},
        {"words": "“oka”, Office: Ikeja Branch"},
        {"state": Export.State.FAILED, "rows": None, "state_reason": CHANGED},
        {"rights": "earlier"},
    ]
    held = timezone.now() + timedelta(hours=1)  # by a worker, so that the one beside the tests leaves them as they are
    facts = {"organization": lender.organization, "member": lender["super_admin"], "leased_until": held}
    return [factories.ExportFactory(**facts, **state).pk for state in states]


def _documents(lender: Lender) -> list[int]:
    """One that waits and one of each outcome; and one of whom looks at the pages."""
    free, manager = lender.customers["free"], lender["other_manager"]
    factories.document(lender.customers["own"], lender["super_admin"], name="payslip.png", type="payslip")
    waiting = factories.document(free, manager, name="Passport of Grace, both pages.pdf")
    approved = factories.document(free, manager, name="utility-bill.jpg", type="address")
    declined = factories.document(free, manager, name="x" * 90 + ".pdf", type="payslip")
    review_document(actor=lender["admin"], document=approved, is_approved=True)
    review_document(actor=lender["admin"], document=declined, is_approved=False, reason="The stamp is not readable")
    return [waiting.pk, approved.pk, declined.pk]


def _notes(lender: Lender) -> int:
    """Of every kind, pinned, overdue, done; the one of whom looks at the pages is given."""
    free, manager, own = lender.customers["free"], lender["other_manager"], lender["super_admin"]
    yesterday = timezone.localdate() - timedelta(days=1)
    factories.note(free, manager, text="Prefers to be called after 5 pm.", is_pinned=True)
    factories.note(free, manager, kind="follow_up", due_on=yesterday, text="Ask for the second payslip.")
    factories.note(free, manager, kind="enquiry", done_by=manager, done_at=timezone.now(), file="statement.pdf")
    factories.note(free, own, kind="enquiry", text="x" * 300)
    factories.note(free, own, kind="follow_up", due_on=yesterday, text="Send the statement. " + "x" * 200)
    factories.note(free, own, kind="follow_up", due_on=yesterday + timedelta(days=9), text="Call before the loan ends.")
    facts: NoteFacts = {"kind": "note", "text": f"@{manager.name} please look at the payslip.", "due_on": None}
    return add_note(actor=own, customer=free, facts=facts).pk


def _imports(lender: Lender) -> dict[str, int]:
    """Of whom looks at the pages, in every state, and held as the exports are."""
    done = {"rows": 500, "new": 468, "updated": 12, "fields": [["phone", 9], ["employer", 4]]}
    report = {**factories.IMPORT_REPORT, **done}
    undone = {**report, "removed": 460, "restored": 12, "kept": 8, "kept_names": ["Grace Etim (KM-000012)"]}
    states: dict[str, dict[str, Any]] = {
        "draft": {"report": {}},
        "checking": {"report": {}, "rows": 12_431, "progress": 4_000},
        "checked": {},
        "loading": {"rows": 12_431, "progress": 12_431},
        "done": {"report": report, "updates": True},
        "undoing": {"report": report},
        "undone": {"report": undone},
        "failed": {"state_reason": "Line 11 is not UTF-8 text.", "report": {}},
    }
    held = timezone.now() + timedelta(hours=1)
    facts = {"organization": lender.organization, "member": lender["super_admin"], "leased_until": held}
    return {state: factories.ImportFactory(**facts, state=state, **rest).pk for state, rest in states.items()}


def _saved_views(lender: Lender) -> int:
    """Of whom looks at the pages, one shared and one not; and one of a colleague."""
    query = "status=active&sort=-joined&columns=phone%2Cemail"
    save_view(actor=lender["admin"], name="Joined lately", is_shared=True, query="sort=-joined")
    save_view(actor=lender["super_admin"], name="To call", is_shared=False, query=query)
    return save_view(actor=lender["super_admin"], name="Active", is_shared=True, query=query).pk


def _bulk_changes(lender: Lender) -> list[int]:
    """Of whom looks at the pages: under way, done in part, stopped, one to be taken back, and the taking back of another."""
    ids = [customer.pk for customer in lender.customers.values()]
    facts = {"organization": lender.organization, "member": lender["super_admin"], "customer_ids": ids}
    held = timezone.now() + timedelta(hours=1)  # as for exports
    states: list[dict[str, Any]] = [
        {"state": "running", "size": 12_431, "progress": 5_000, "leased_until": held, "words": "Status: Active"},
        {"kind": "assign", "manager": lender["other_manager"], "changed": 3, "reason": "New branch plan"},
        {"kind": "status", "status": "inactive", "state": "stopped", "progress": 2, "state_reason": GAVE_UP},
        {"kind": "status", "status": "blacklisted", "reason": "Forged papers"},
    ]
    rows = [factories.BulkChangeFactory(**{**facts, **state}) for state in states]
    undo = factories.BulkChangeFactory(**facts, kind="undo", undoes=rows[1], changed=1)
    return [row.pk for row in (*rows, undo)]


def _accesses(lender: Lender) -> int:
    """A request that waits and one of each outcome, and emergency access reviewed and not."""
    own, distant = lender.customers["own"], lender.customers["distant"]
    support, manager = lender["customer_support"], lender["account_manager"]
    request_access(actor=lender["loan_officer"], customer=distant, reason="Left a message for me", hours=168)
    declined = request_access(actor=support, customer=distant, reason="Just looking around", hours=24)
    decline_access(actor=lender["other_manager"], request=declined, answer="There is nothing you need")
    waiting = request_access(actor=support, customer=own, reason="Asks about a repayment on the phone", hours=24)
    factories.emergency(own, support, reason="Card stolen, the customer is on the phone")
    factories.emergency(distant, support, reviewed_by=lender["compliance"], reviewed_at=timezone.now())
    factories.emergency(own, manager)
    return waiting.pk


def _reports(lender: Lender) -> int:
    """Of impostors: one that knows who is meant, one that knows nothing, and one that is closed."""
    words = "Somebody called from 0803 412 9981, said he was my new account manager and wanted my card number."
    known = factories.impostor_report(
        lender.organization,
        what_happened=words,
        contact="0906 551 2030",
        manager=lender["account_manager"],
        customer=lender.customers["own"],
    )
    factories.impostor_report(lender.organization)
    closed = {"closed_at": timezone.now(), "closed_by": lender["compliance"], "outcome": "It was our own member."}
    factories.impostor_report(lender.organization, **closed)
    return known.pk


def _heads(lender: Lender) -> None:
    """One who works there and one who works elsewhere."""
    for office, head in ((lender.head, "admin"), (lender.branch, "loan_officer")):
        Office.objects.filter(pk=office.pk).update(head=lender[head])


def _emails(lender: Lender) -> None:
    states = {
        OutgoingEmail.State.FAILED: "The mail server said: 550 5.1.1 (address): mailbox unavailable",
        OutgoingEmail.State.CANCELED: "The invitation was revoked.",
        OutgoingEmail.State.SENT: "",
    }
    for number, (state, reason) in enumerate(states.items()):
        OutgoingEmail.objects.create(
            organization=lender.organization,
            kind="customers/manager_assigned",
            dedupe_key=f"furnished:{number}",
            recipient=f"somebody{number}@mail.example",
            recipient_label="Oluwaseun Bakare",
            subject="You are now the account manager of Grace Etim",
            state=state,
            state_reason=reason,
            attempts=number,
            sent_at=timezone.now() if state == OutgoingEmail.State.SENT else None,
        )


def _links(lender: Lender) -> tuple[dict[str, str], Invitation]:
    """Addresses without the host, as they would come by mail."""
    facts = {
        "organization": lender.organization,
        "role": lender.roles["account_manager"],
        "office": lender.branch,
        "invited_by": lender["admin"],
    }
    invitation: Invitation = factories.InvitationFactory(**facts, first_name="Ngozi", last_name="Eze")
    known = factories.UserFactory(email="known@mail.example", first_name="Kemi", last_name="Alabi")
    invitations = {
        "new_person": invitation,
        "sign_in": factories.InvitationFactory(**facts, email=known.email),
        "expired": factories.InvitationFactory(**facts, expires_at=timezone.now() - timedelta(days=1)),
        "revoked": factories.InvitationFactory(**facts, revoked_at=timezone.now()),
        "asked": factories.InvitationFactory(
            **facts, expires_at=timezone.now() - timedelta(days=2), asked_at=timezone.now()
        ),
        "undelivered": factories.InvitationFactory(**facts, first_name="Emeka", last_name="Obi"),
    }
    OutgoingEmail.objects.create(
        organization=lender.organization,
        kind="teams/invitation",
        dedupe_key=f"invitation:{invitations['undelivered'].pk}:1",
        recipient=invitations["undelivered"].email,
        recipient_label="Emeka Obi",
        subject=f"Your invitation to {lender.organization.name}",
        state=OutgoingEmail.State.FAILED,
        state_reason="The mail server said: 550 5.1.1 (address): mailbox unavailable",
    )
    links = {name: _path(invitation_url(row)) for name, row in invitations.items()}
    links["borrower"] = _path(borrower_page_url(lender.customers["free"]))
    return links, invitation


def _path(url: str) -> str:
    return "/" + url.split("/", 3)[3]
