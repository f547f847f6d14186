"""The permission matrix: who may do what at which address. Written by hand from the product's rules, not from the code under test.

Each row names, for one address and method, the roles that get the thing (`allowed`) and those for whom it does not
exist (`hidden`, 404); every other member of the lender is refused with 403. Outsiders need no row: the other lender's
people and deactivated members always get 404, anonymous callers the sign-in page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from audit.models import AuditEvent
from customers.models import (
    AccessRequest,
    BulkChange,
    Cover,
    Customer,
    CustomerImport,
    Document,
    Export,
    ImpostorReport,
    Note,
    NoteFile,
    RelatedPerson,
    SavedView,
    TemporaryAccess,
)
from notifications.models import OutgoingEmail
from teams.capabilities import Capability
from teams.models import Invitation, Member, Office
from tests import factories
from tests.world import Lender

EVERYBODY = frozenset(
    {
        "super_admin",
        "admin",
        "account_manager",
        "loan_officer",
        "customer_support",
        "compliance",
        "no_users_unit",
        "other_manager",
    }
)
ADMINS = frozenset({"super_admin", "admin"})
MANAGERS = frozenset({"account_manager", "other_manager"})
FINDERS = EVERYBODY - {"no_users_unit"}
NOBODYS = MANAGERS | {"no_users_unit"}
"""For whom a customer without an account manager does not exist."""
OTHERS = frozenset({"other_manager", "no_users_unit"})
"""For whom the customer of the first account manager does not exist."""

Args = Callable[[Lender], list[Any]]
Payload = Callable[[Lender], dict[str, Any]]


@dataclass(frozen=True)
class Row:
    """One method of one address of the lender that `args` and `payload` name the objects of."""

    name: str
    method: str
    allowed: frozenset[str]
    hidden: frozenset[str] = frozenset()
    args: Args = lambda lender: []
    payload: Payload = lambda lender: {}
    unfit: frozenset[str] = frozenset()
    """Whom a rule other than a permission stops: their form comes back (422)."""

    def __str__(self) -> str:
        return f"{self.method} {self.name}"


def page(
    name: str,
    allowed: frozenset[str],
    hidden: frozenset[str] = frozenset(),
    *,
    args: Args = lambda lender: [],
    post: Payload | None = None,
    get: bool = True,
) -> list[Row]:
    """The GET of an address, and its POST when it has a payload."""
    rows = [Row(name, "GET", allowed, hidden, args)] if get else []
    return rows + ([Row(name, "POST", allowed, hidden, args, post)] if post else [])


def nothing(lender: Lender) -> dict[str, Any]:
    return {}


def customer(key: str) -> Args:
    return lambda lender: [lender.customers[key].pk]


def member(key: str) -> Args:
    return lambda lender: [lender[key].pk]


def fresh(row: Any) -> Any:
    """The row's present version, as a form rendered now would carry it."""
    return type(row).objects.values_list("version", flat=True).get(pk=row.pk)


def new_customer(lender: Lender) -> dict[str, Any]:
    return {
        "first_name": "Grace",
        "last_name": "Etim",
        "phone": "0906 551 2030",
        "email": "grace.etim@mail.example",
        "segment": Customer.Segment.STANDARD,
        "office": lender.branch.pk,
        "joined_on": "2026-01-02",
    }


def edited(key: str) -> Payload:
    def payload(lender: Lender) -> dict[str, Any]:
        row = lender.customers[key]
        return {
            **new_customer(lender),
            "number": row.number,
            "email": row.email,
            "phone": row.phone,
            "version": fresh(row),
        }

    return payload


def status(key: str) -> Payload:
    return lambda lender: {"status": "active", "reason": "Papers complete", "version": fresh(lender.customers[key])}


def manager(key: str) -> Payload:
    return lambda lender: {
        "office": lender.other_branch.pk,
        "manager": lender["other_manager"].pk,
        "version": fresh(lender.customers[key]),
    }


def access_request(lender: Lender) -> list[Any]:
    """Of support, about the customer of the first account manager."""
    return [AccessRequest.objects.for_organization(lender.organization).get().pk]


def emergency(lender: Lender) -> list[Any]:
    return [TemporaryAccess.objects.emergencies().get(organization=lender.organization).pk]


def report(lender: Lender) -> list[Any]:
    return [ImpostorReport.objects.for_organization(lender.organization).get().pk]


def goodbye(lender: Lender) -> dict[str, Any]:
    return {"confirmation": lender.customers["free"].number, "reason": "Added by mistake"}


def cover(lender: Lender) -> list[Any]:
    return [Cover.objects.get(organization=lender.organization).pk]


def substitute(lender: Lender) -> dict[str, Any]:
    return {"substitute": lender["other_manager"].pk, "first_day": lender.today, "last_day": lender.today}


def wish(lender: Lender) -> dict[str, Any]:
    return {"reason": "Asks about a repayment", "hours": 24}


def new_role(lender: Lender) -> dict[str, Any]:
    target: Member = lender["loan_officer"]
    return {"role": lender.roles["customer_support"].pk, "office": lender.other_branch.pk, "version": fresh(target)}


def invitation(lender: Lender) -> list[Any]:
    return [Invitation.objects.for_organization(lender.organization).get().pk]


def invitee(lender: Lender) -> dict[str, Any]:
    return {
        "first_name": "Efe",
        "last_name": "Osagie",
        "email": "efe.osagie@new.example",
        "role": lender.roles["account_manager"].pk,
        "office": lender.branch.pk,
    }


def several_members(lender: Lender) -> dict[str, Any]:
    chosen = ",".join(f"{lender[key].pk}:1" for key in ("loan_officer", "customer_support"))
    return {"chosen": chosen, "role": lender.roles["compliance"].pk, "change": "1"}


def several_invitees(lender: Lender) -> dict[str, Any]:
    people = "Efe Osagie <efe.osagie@new.example>\nnobody"
    return {"people": people, "role": lender.roles["compliance"].pk, "office": lender.branch.pk, "invite": "1"}


def invited_together(lender: Lender) -> list[Any]:
    return [AuditEvent.objects.get(organization=lender.organization, verb="members.invited").pk]


def new_office(lender: Lender) -> dict[str, Any]:
    return {"name": "Lekki Branch", "type": Office.Type.BRANCH, "parent": lender.head.pk, "description": ""}


def edited_office(lender: Lender) -> dict[str, Any]:
    return {"name": "Lekki Branch", "type": Office.Type.BRANCH, "version": fresh(lender.other_branch)}


def office(lender: Lender) -> list[Any]:
    """The one with a member and two customers in it."""
    return [lender.other_branch.pk]


def closed_office(lender: Lender) -> list[Any]:
    return [Office.objects.for_organization(lender.organization).get(is_active=False).pk]


def into_branch(*fields: str) -> Payload:
    return lambda lender: {
        **dict.fromkeys(fields, lender.branch.pk),
        "sure": "on",
        "version": fresh(lender.other_branch),
    }


def own_role(lender: Lender) -> list[Any]:
    """The one that the lender made itself."""
    return [lender.roles["no_users_unit"].pk]


def edited_role(lender: Lender) -> dict[str, Any]:
    reaches = {each.field_name: "none" for each in Capability}
    return {**reaches, "name": "Front desk", "version": fresh(lender.roles["no_users_unit"]), "customers_find": "own"}


def failed_email(lender: Lender) -> list[Any]:
    return [OutgoingEmail.objects.get(organization=lender.organization, state="failed").pk]


def export(lender: Lender) -> list[Any]:
    """The admin's."""
    return [Export.objects.for_organization(lender.organization).get().pk]


def document(lender: Lender) -> list[Any]:
    """Of the first account manager's customer, uploaded by somebody who has left."""
    return [Document.objects.for_organization(lender.organization).get().pk]


def note(lender: Lender) -> list[Any]:
    """The first account manager's, about their customer, with a file."""
    return [Note.objects.for_organization(lender.organization).get().pk]


def note_file(lender: Lender) -> list[Any]:
    return [NoteFile.objects.for_organization(lender.organization).get().pk]


def related_person(lender: Lender) -> list[Any]:
    """Of the first account manager's customer."""
    return [RelatedPerson.objects.for_organization(lender.organization).get().pk]


def somebody(lender: Lender) -> dict[str, Any]:
    return {"kind": "next_of_kin", "name": "Ada Obi", "relationship": "Aunt", "version": 1}


def written(lender: Lender) -> dict[str, Any]:
    return {"kind": "enquiry", "text": "Asks for a statement", "version": 1}


def import_in(state: str) -> Args:
    """The admin's."""
    return lambda lender: [CustomerImport.objects.for_organization(lender.organization).get(state=state).pk]


def chosen_columns(lender: Lender) -> dict[str, Any]:
    return {f"column_{number}": name for number, name in enumerate(factories.IMPORT_HEADER)}


def bulk_change(lender: Lender) -> list[Any]:
    """The admin's."""
    return [BulkChange.objects.for_organization(lender.organization).get().pk]


def shared_view(lender: Lender) -> list[Any]:
    """Of the Super Admin."""
    return [SavedView.objects.for_organization(lender.organization).get().pk]


def of_nobody(lender: Lender) -> dict[str, Any]:
    """With nobody chosen; tests/customers/test_bulk_pages.py chooses some."""
    return {"expected": 0, "seen_at": 0, "status": "active", "manager": lender["other_manager"].pk}


def organization_facts(lender: Lender) -> dict[str, Any]:
    return {
        "name": "Kudi Bank",
        "time_zone": "Africa/Accra",
        "currency": "NGN",
        "invitation_days": 7,
        "version": fresh(lender.organization),
    }


def policy(lender: Lender) -> dict[str, Any]:
    return {"session_idle_minutes": 15, "session_hours": 8, "version": fresh(lender.organization)}


SUPER = frozenset({"super_admin"})
READERS_OF_MEMBERS = ADMINS | {"compliance", "no_users_unit"}
OVERSEERS = ADMINS | {"compliance"}
CARDS = EVERYBODY - OVERSEERS - {"account_manager"}
"""For whom papers of the first account manager's customer do not exist: they see the card, or not even that."""
CREATORS = ADMINS | {"loan_officer"}
ADMIN = frozenset({"admin"})
STATUS_CHANGERS = ADMINS | MANAGERS | {"loan_officer"}
REVIEWERS = ADMINS | MANAGERS | {"loan_officer"}
STRANGERS = frozenset({"loan_officer", "other_manager"})
"""For whom a request of support about the first account manager's customer does not exist."""

ROWS: list[Row] = [
    *page("dashboard", EVERYBODY),
    *page("customers:customer_list", FINDERS),
    *page("customers:customer_export", OVERSEERS, post=lambda lender: {"format": "csv"}),
    *page("customers:customer_exports", OVERSEERS),
    *page("customers:customer_export_progress", frozenset({"admin"}), OVERSEERS - {"admin"}, args=export),
    *page("customers:customer_export_file", frozenset({"admin"}), OVERSEERS - {"admin"}, args=export),
    *page("customers:customer_import", CREATORS),
    Row(
        "customers:customer_import", "POST", CREATORS, unfit=CREATORS
    ),  # without a file, which tests/customers/test_import_pages.py sends
    *page("customers:customer_import_progress", ADMIN, CREATORS - ADMIN, args=import_in("checked")),
    *page("customers:customer_import_columns", ADMIN, CREATORS - ADMIN, args=import_in("draft"), post=chosen_columns),
    *page("customers:customer_import_places", ADMIN, CREATORS - ADMIN, args=import_in("checked"), post=nothing),
    *page("customers:customer_import_start", ADMIN, CREATORS - ADMIN, args=import_in("checked"), post=nothing),
    *page("customers:customer_import_undo", ADMIN, CREATORS - ADMIN, args=import_in("done"), post=nothing),
    *page(
        "customers:customer_import_discard",
        ADMIN,
        CREATORS - ADMIN,
        args=import_in("draft"),
        post=nothing,
        get=False,
    ),
    *page("customers:customer_import_refusals", ADMIN, CREATORS - ADMIN, args=import_in("done")),
    *page("customers:customer_bulk_assign", ADMINS),
    Row("customers:customer_bulk_assign", "POST", ADMINS, payload=of_nobody, unfit=ADMINS),
    *page("customers:customer_bulk_remove", ADMINS),
    Row("customers:customer_bulk_remove", "POST", ADMINS, payload=of_nobody, unfit=ADMINS),
    *page("customers:customer_bulk_status", STATUS_CHANGERS),
    Row("customers:customer_bulk_status", "POST", STATUS_CHANGERS, payload=of_nobody, unfit=STATUS_CHANGERS),
    *page("customers:customer_bulk_progress", frozenset({"admin"}), FINDERS - {"admin"}, args=bulk_change),
    *page("customers:customer_bulk_undo", frozenset({"admin"}), FINDERS - {"admin"}, args=bulk_change, post=nothing),
    *page("customers:customer_columns", FINDERS, post=lambda lender: {"column": "phone"}, get=False),
    *page("customers:customer_view_save", FINDERS, post=lambda lender: {"name": "Mine"}),
    *page("customers:customer_view_edit", ADMINS, post=lambda lender: {"name": "Renamed"}, args=shared_view),
    *page("customers:customer_view_delete", ADMINS, post=nothing, args=shared_view),
    *page("customers:customer_create", ADMINS | {"loan_officer"}, post=new_customer),
    *page("customers:customer_profile", EVERYBODY - NOBODYS, NOBODYS, args=customer("free")),
    *page("customers:customer_profile", EVERYBODY - OTHERS, OTHERS, args=customer("own")),
    *page("customers:customer_activity", OVERSEERS | {"account_manager"}, OTHERS, args=customer("own")),
    *page("customers:customer_documents", OVERSEERS | {"account_manager"}, OTHERS, args=customer("own")),
    *page("customers:document_upload", ADMINS | {"account_manager"}, OTHERS, args=customer("own")),
    Row(
        "customers:document_upload",
        "POST",
        ADMINS,
        OTHERS,
        customer("own"),
        lambda lender: {"type": "payslip"},
        unfit=ADMINS | {"account_manager"},
    ),  # without a file, which tests/customers/test_documents.py sends
    *page("customers:document_list", REVIEWERS),
    *page(
        "customers:document_review",
        ADMINS | {"account_manager"},
        CARDS,
        args=document,
        post=lambda lender: {"decision": "approve"},
    ),
    *page("customers:document_remove", ADMINS | {"account_manager"}, CARDS, args=document, post=nothing),
    *page("customers:document_file", OVERSEERS | {"account_manager"}, CARDS, args=document),
    *page("customers:related_person_create", ADMINS | {"account_manager"}, OTHERS, args=customer("own"), post=somebody),
    *page("customers:related_person_edit", ADMINS | {"account_manager"}, CARDS, args=related_person, post=somebody),
    *page("customers:related_person_remove", ADMINS | {"account_manager"}, CARDS, args=related_person, post=nothing),
    *page("customers:customer_notes", OVERSEERS | {"account_manager"}, OTHERS, args=customer("own")),
    *page("customers:note_create", ADMINS | {"account_manager"}, OTHERS, args=customer("own"), post=written),
    *page(
        "customers:note_create",
        ADMINS | {"loan_officer", "customer_support"},
        NOBODYS,
        args=customer("free"),
        post=written,
    ),
    *page("customers:follow_up_list", REVIEWERS | {"customer_support"}),
    *page("customers:note_edit", frozenset({"account_manager"}), CARDS, args=note, post=written),
    *page("customers:note_delete", ADMINS | {"account_manager"}, CARDS, args=note, post=nothing),
    *page(
        "customers:note_pin",
        ADMINS | {"account_manager"},
        CARDS,
        args=note,
        post=lambda lender: {"on": "1"},
        get=False,
    ),
    *page(
        "customers:note_done",
        ADMINS | {"account_manager"},
        CARDS,
        args=note,
        post=lambda lender: {"on": "1"},
        get=False,
    ),
    *page("customers:note_file", OVERSEERS | {"account_manager"}, CARDS, args=note_file),
    *page("customers:customer_access", OVERSEERS, OTHERS, args=customer("own")),
    *page("customers:customer_access", OVERSEERS, NOBODYS, args=customer("free")),
    *page("customers:access_request", FINDERS - {"account_manager"}, {"account_manager"}, args=customer("distant")),
    Row(
        "customers:access_request",
        "POST",
        frozenset({"loan_officer", "customer_support"}),
        frozenset({"account_manager"}),
        customer("distant"),
        wish,
        unfit=OVERSEERS | {"other_manager"},
    ),
    *page("customers:access_request_list", FINDERS),
    *page(
        "customers:access_request_grant",
        ADMINS | {"account_manager"},
        STRANGERS,
        args=access_request,
        post=lambda lender: {"hours": 24},
    ),
    *page(
        "customers:access_request_decline",
        ADMINS | {"account_manager"},
        STRANGERS,
        args=access_request,
        post=lambda lender: {"answer": "Ask me"},
    ),
    *page("customers:emergency_access", ADMINS, args=customer("own")),
    Row("customers:emergency_access", "POST", ADMINS, args=customer("own"), payload=wish, unfit=ADMINS),
    *page("customers:emergency_list", OVERSEERS),
    *page("customers:emergency_review", OVERSEERS, args=emergency, post=nothing, get=False),
    *page("customers:customer_data", OVERSEERS, NOBODYS, args=customer("free")),
    *page("customers:customer_data_file", OVERSEERS, NOBODYS, args=customer("free")),
    *page(
        "customers:customer_hold",
        OVERSEERS,
        NOBODYS,
        args=customer("free"),
        post=lambda lender: {"until": "2099-12-31", "reason": "Case 12 of 2026"},
    ),
    *page("customers:customer_erase", ADMINS, NOBODYS, args=customer("free"), post=goodbye),
    *page("customers:customer_delete", ADMINS, NOBODYS, args=customer("free"), post=goodbye),
    *page("customers:impostor_report_list", OVERSEERS),
    *page(
        "customers:impostor_report_close", OVERSEERS, args=report, post=lambda lender: {"outcome": "Told the police"}
    ),
    *page("customers:customer_edit", ADMINS | {"account_manager"}, OTHERS, args=customer("own"), post=edited("own")),
    *page("customers:customer_edit", ADMINS | {"loan_officer"}, NOBODYS, args=customer("free"), post=edited("free")),
    *page("customers:customer_status", ADMINS | {"account_manager"}, OTHERS, args=customer("own"), post=status("own")),
    *page(
        "customers:customer_bvn", OVERSEERS | {"account_manager"}, OTHERS, args=customer("own"), post=nothing, get=False
    ),
    *page("customers:account_manager_assign", ADMINS, NOBODYS, args=customer("free"), post=manager("free")),
    *page("customers:account_manager_assign", ADMINS, OTHERS, args=customer("own"), post=manager("own")),
    *page(
        "customers:account_manager_remove",
        ADMINS,
        OTHERS,
        args=customer("own"),
        post=lambda lender: {"version": fresh(lender.customers["own"])},
    ),
    *page("teams:member_list", READERS_OF_MEMBERS),
    *page("teams:members_change", ADMINS, post=several_members),
    *page("teams:member_export", READERS_OF_MEMBERS),
    *page("teams:member_invite", ADMINS, post=invitee),
    *page("teams:members_invite", ADMINS, post=several_invitees),
    *page("teams:members_invited", ADMINS, args=invited_together),
    *page("teams:member_manage", ADMINS, args=member("loan_officer"), post=new_role),
    *page("teams:member_profile", READERS_OF_MEMBERS, args=member("loan_officer")),
    *page("teams:member_sessions", ADMINS, args=member("loan_officer"), post=nothing),
    *page("teams:membership", EVERYBODY),
    *page("teams:membership_emails", EVERYBODY, post=nothing),
    *page("teams:membership_leave", EVERYBODY, get=True),
    Row(
        "teams:membership_leave",
        "POST",
        EVERYBODY - MANAGERS - SUPER,
        payload=lambda lender: {"name": lender.organization.name},
        unfit=MANAGERS | SUPER,
    ),
    *page(
        "customers:member_cover",
        ADMINS | {"account_manager"},
        EVERYBODY - READERS_OF_MEMBERS - {"account_manager"},
        args=member("account_manager"),
        post=substitute,
    ),
    *page(
        "customers:cover_end",
        ADMINS | {"account_manager"},
        EVERYBODY - READERS_OF_MEMBERS - {"account_manager"},
        args=cover,
        post=nothing,
    ),
    *page("customers:member_remove", ADMINS, args=member("loan_officer"), post=nothing),
    *page("customers:member_deactivate", ADMINS, args=member("loan_officer"), post=nothing),
    *page("teams:member_reactivate", ADMINS, args=member("deactivated"), post=nothing),
    *page(
        "teams:invitation_change",
        ADMINS,
        args=invitation,
        post=lambda lender: {"role": lender.roles["compliance"].pk, "office": lender.branch.pk, "version": 1},
    ),
    *page("teams:invitation_resend", ADMINS, args=invitation, post=nothing),
    *page("teams:invitation_revoke", ADMINS, args=invitation, post=nothing),
    *page("teams:office_list", OVERSEERS),
    *page("teams:office_create", ADMINS, post=new_office),
    *page("teams:office_edit", ADMINS, args=office, post=edited_office),
    *page("teams:office_reactivate", ADMINS, args=closed_office, post=nothing),
    *page("customers:office_move", ADMINS, args=office, post=into_branch("parent")),
    *page("customers:office_deactivate", ADMINS, args=office, post=into_branch("members", "customers")),
    *page("customers:office_merge", ADMINS, args=office, post=into_branch("into")),
    *page("teams:role_list", OVERSEERS),
    *page("teams:role_holders", OVERSEERS),
    *page("teams:role_detail", OVERSEERS, args=own_role),
    *page("teams:role_create", ADMINS, post=edited_role),
    *page("teams:role_clone", ADMINS, args=own_role, post=lambda lender: {"name": "Clone"}),
    *page("customers:role_edit", ADMINS, args=own_role, post=edited_role),
    *page(
        "customers:role_delete",
        ADMINS,
        args=own_role,
        post=lambda lender: {"replacement": lender.roles["compliance"].pk},
    ),
    *page("customers:organization_settings", ADMINS, post=organization_facts),
    *page("customers:organization_exclusiveness", ADMINS, post=lambda lender: {"exclusive": "no"}),
    *page("teams:organization_logo", ADMINS),
    Row(
        "teams:organization_logo", "POST", ADMINS, unfit=ADMINS
    ),  # without a file, which tests/teams/test_logo.py sends
    *page("teams:organization_logo_remove", ADMINS, post=nothing, get=False),
    *page("teams:security", SUPER, post=policy),
    *page("audit:event_list", OVERSEERS),
    *page("notifications:email_list", OVERSEERS),
    *page("notifications:email_send_again", ADMINS, args=failed_email, post=nothing, get=False),
]
